---------------------------------------------------------------------------
-- Keys: which items the keys of the shop's tables are.  Demand and stock are
-- kept under the tables' own keys and mapped when they are read, so a changed
-- rule counts for the past as well.
---------------------------------------------------------------------------

CREATE TABLE replenish.sku_alias (
	channel text COLLATE "C"
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	external_sku text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(external_sku) BETWEEN 1 AND 255),
	sku text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	units numeric NOT NULL DEFAULT 1 CHECK (units > 0 AND units <= 1000000),
	UNIQUE NULLS NOT DISTINCT (external_sku, channel, sku)
);
CREATE INDEX sku_alias_sku_idx ON replenish.sku_alias (sku);
SELECT pg_catalog.pg_extension_config_dump('replenish.sku_alias', '');
ALTER TABLE replenish.sku_alias REPLICA IDENTITY FULL;

COMMENT ON TABLE replenish.sku_alias IS
'Codes that are not SKUs: one external_sku is units of each sku that it has a row for (a bundle has several). A channel''s own rows go before those with channel NULL, which hold for all channels and for stock as well. An alias is applied once and leads to no other, so a SKU may be an alias of itself, with other units.';

CREATE TABLE replenish.location_rule (
	channel text COLLATE "C"
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	place text COLLATE "C"
		CHECK (pg_catalog.octet_length(place) BETWEEN 1 AND 255),
	location text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	UNIQUE NULLS NOT DISTINCT (place, channel)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.location_rule', '');
ALTER TABLE replenish.location_rule REPLICA IDENTITY FULL;

COMMENT ON TABLE replenish.location_rule IS
'Which location serves the orders of a place (a country, a shop; ''default'' where the order names none) and a channel; NULL is any. A row for the place goes before one for any place, then one for the channel before one for any channel. Stock is where its table says.';

CREATE FUNCTION replenish.real_skus(sku text, channel text)
	RETURNS TABLE (sku text, units numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
	BEGIN ATOMIC
		SELECT coalesce(a.sku, real_skus.sku), coalesce(a.units, 1)
		FROM (VALUES (1)) one
		LEFT JOIN replenish.sku_alias a ON a.external_sku = real_skus.sku
			AND (a.channel = real_skus.channel
				OR a.channel IS NULL AND NOT EXISTS (
					SELECT FROM replenish.sku_alias b
					WHERE b.external_sku = real_skus.sku
						AND b.channel = real_skus.channel));
	END;
COMMENT ON FUNCTION replenish.real_skus(text, text) IS
'The SKUs that a code of a channel stands for, and how many units of each; the code itself where it is no alias. channel NULL asks for stock.';

-- A table function, so that the planner can put it in line.
CREATE FUNCTION replenish.real_location(place text, channel text)
	RETURNS TABLE (location text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
	BEGIN ATOMIC
		SELECT CASE WHEN EXISTS (SELECT FROM replenish.location_rule)
			THEN coalesce((SELECT r.location FROM replenish.location_rule r
				WHERE (r.place = real_location.place OR r.place IS NULL)
					AND (r.channel = real_location.channel OR r.channel IS NULL)
				ORDER BY r.place IS NULL, r.channel IS NULL LIMIT 1),
				real_location.place)
			ELSE real_location.place END;
	END;
COMMENT ON FUNCTION replenish.real_location(text, text) IS
'The location that serves the orders of a place and a channel; the place itself where no rule is for it.';

CREATE FUNCTION replenish.raw_skus(sku text) RETURNS TABLE (sku text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
	BEGIN ATOMIC
		SELECT raw_skus.sku
		UNION
		SELECT a.external_sku FROM replenish.sku_alias a
		WHERE a.sku = raw_skus.sku;
	END;
COMMENT ON FUNCTION replenish.raw_skus(text) IS
'The codes under which a SKU may have been ordered: itself and its aliases. Which of their demand is its own, real_skus() says.';

-- The items whose sum a changed row of these tables may have changed.
CREATE FUNCTION replenish.keys_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_TABLE_NAME = 'sku_alias' THEN
		IF TG_OP <> 'INSERT' THEN
			PERFORM touch(OLD.sku, NULL), touch(OLD.external_sku, NULL);
		END IF;
		IF TG_OP <> 'DELETE' THEN
			PERFORM touch(NEW.sku, NULL), touch(NEW.external_sku, NULL);
		END IF;
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch_place(OLD.place);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch_place(NEW.place);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.keys_changed() IS
'Trigger on sku_alias and location_rule: has the items that a changed row concerns decided again.';

CREATE TRIGGER alias_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.sku_alias FOR EACH ROW
	EXECUTE FUNCTION replenish.keys_changed();
CREATE TRIGGER alias_truncated AFTER TRUNCATE
	ON replenish.sku_alias FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.keys_changed();
CREATE TRIGGER rule_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.location_rule FOR EACH ROW
	EXECUTE FUNCTION replenish.keys_changed();
CREATE TRIGGER rule_truncated AFTER TRUNCATE
	ON replenish.location_rule FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.keys_changed();

COMMENT ON TRIGGER alias_changed ON replenish.sku_alias IS
'Has the items that a changed row concerns decided again.';
COMMENT ON TRIGGER alias_truncated ON replenish.sku_alias IS
'Has all items decided again.';
COMMENT ON TRIGGER rule_changed ON replenish.location_rule IS
'Has the items that a changed row concerns decided again.';
COMMENT ON TRIGGER rule_truncated ON replenish.location_rule IS
'Has all items decided again.';
