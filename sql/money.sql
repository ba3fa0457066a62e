---------------------------------------------------------------------------
-- Money: prices and costs, and what is at risk.
---------------------------------------------------------------------------

CREATE TABLE replenish.exchange_rate (
	currency text COLLATE "C" PRIMARY KEY
		CHECK (pg_catalog.octet_length(currency) BETWEEN 1 AND 255),
	rate float8 NOT NULL CHECK (rate > 0 AND rate <= 1e9)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.exchange_rate', '');

COMMENT ON TABLE replenish.exchange_rate IS
'What one unit of a currency is in the shop''s own. The shop''s own may be here with rate 1, or is what prices without a currency are in.';

CREATE TABLE replenish.sku_price (
	sku text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	channel text COLLATE "C"
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	price float8 CHECK (price >= 0 AND price <= 1e12),
	cost float8 CHECK (cost >= 0 AND cost <= 1e12),
	currency text COLLATE "C"
		CHECK (pg_catalog.octet_length(currency) BETWEEN 1 AND 255),
	UNIQUE NULLS NOT DISTINCT (sku, channel)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.sku_price', '');
ALTER TABLE replenish.sku_price REPLICA IDENTITY FULL;

COMMENT ON TABLE replenish.sku_price IS
'What a unit of a SKU sells for and what it costs, on one channel or with channel NULL on all others; currency NULL is the shop''s own. An amount whose currency has no rate is not known, and status.assumed says ''currency''.';

CREATE FUNCTION replenish.rate_of(currency text) RETURNS float8
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN rate_of.currency IS NULL THEN 1
			ELSE (SELECT e.rate FROM replenish.exchange_rate e
				WHERE e.currency = rate_of.currency) END;
	END;
COMMENT ON FUNCTION replenish.rate_of(text) IS
'What one unit of a currency is in the shop''s own: 1 for NULL, NULL without a rate.';

CREATE FUNCTION replenish.price_of(sku text, channel text,
	OUT price float8, OUT cost float8, OUT no_rate boolean)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	SELECT p.price * r.rate, p.cost * r.rate, r.rate IS NULL
	FROM sku_price p
	CROSS JOIN LATERAL (SELECT rate_of(p.currency) AS rate) r
	WHERE p.sku = price_of.sku
		AND (p.channel = price_of.channel OR p.channel IS NULL)
	ORDER BY p.channel IS NULL LIMIT 1
	INTO price, cost, no_rate;
END $$;
COMMENT ON FUNCTION replenish.price_of(text, text) IS
'Price and cost of a SKU on a channel, in the shop''s own currency; NULL where they are not known. no_rate: its currency has no rate.';

CREATE FUNCTION replenish.margin_service_level(price float8, cost float8,
	holding_cost float8, order_cycle interval) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN num_nulls(price, cost, holding_cost, order_cycle) = 0
			THEN CASE WHEN price <= cost THEN 0.5
				ELSE least(0.995, greatest(0.5, 1 - holding_cost * cost
					* (extract(epoch FROM order_cycle)::float8 / 31536000)
					/ (price - cost))) END END;
	END;
COMMENT ON FUNCTION replenish.margin_service_level(float8, float8, float8, interval) IS
'The probability of not selling out in an order cycle at which one unit more costs as much to hold as it earns: 1 - holding_cost * cost * order_cycle / (price - cost), holding_cost being a share of the cost per year of 365 days; within 0.5 and 0.995, 0.5 where nothing is earned. NULL gives NULL. Source: the newsvendor''s critical ratio applied to each cycle, e.g. Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains, 4th ed. 2017, ch. 6 (rule B2, lost sales valued at the margin).';

CREATE FUNCTION replenish.price_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' OR TG_TABLE_NAME = 'exchange_rate' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch(OLD.sku, NULL);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch(NEW.sku, NULL);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.price_changed() IS
'Trigger on sku_price and exchange_rate: has the items of a changed price decided again; for a rate, all.';

CREATE TRIGGER price_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.sku_price FOR EACH ROW
	EXECUTE FUNCTION replenish.price_changed();
CREATE TRIGGER price_truncated AFTER TRUNCATE
	ON replenish.sku_price FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.price_changed();
CREATE TRIGGER rate_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
	ON replenish.exchange_rate FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.price_changed();
COMMENT ON TRIGGER price_changed ON replenish.sku_price IS
'Has the items of a changed price decided again.';
COMMENT ON TRIGGER price_truncated ON replenish.sku_price IS
'Has all items decided again.';
COMMENT ON TRIGGER rate_changed ON replenish.exchange_rate IS
'Has all items decided again.';
