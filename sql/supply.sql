---------------------------------------------------------------------------
-- Supply: who delivers an item, what other locations can give, and what is
-- left to buy.
---------------------------------------------------------------------------

CREATE TABLE replenish.supplier (
	sku text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	location text COLLATE "C"
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	rank integer NOT NULL CHECK (rank > 0),
	supplier text NOT NULL CHECK (supplier <> ''),
	lead_time interval CHECK (replenish.is_span(lead_time)
		AND lead_time <= interval '366 days'),
	lead_time_sd interval CHECK (replenish.is_span(lead_time_sd)
		AND lead_time_sd <= interval '366 days'),
	moq float8 CHECK (moq >= 0 AND moq <= 1e12),
	multiple float8 CHECK (multiple >= 0 AND multiple <= 1e12),
	unit_cost float8 CHECK (unit_cost >= 0 AND unit_cost <= 1e12),
	currency text COLLATE "C"
		CHECK (pg_catalog.octet_length(currency) BETWEEN 1 AND 255),
	UNIQUE NULLS NOT DISTINCT (sku, location, rank)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.supplier', '');
ALTER TABLE replenish.supplier REPLICA IDENTITY FULL;

COMMENT ON TABLE replenish.supplier IS
'Who delivers a SKU, to one location or with location NULL to those that have no row of their own. The one of the lowest rank is ordered from: its lead time, minimum and pack hold where policy says nothing. The next one is named when an item is orange or red.';
COMMENT ON COLUMN replenish.supplier.moq IS
'Smallest quantity that can be ordered, in units; NULL is none.';
COMMENT ON COLUMN replenish.supplier.multiple IS
'Pack size: orders are multiples of it, in units; NULL is 1.';
COMMENT ON COLUMN replenish.supplier.unit_cost IS
'What a unit costs, in currency; NULL is the shop''s own, see exchange_rate.';

CREATE TABLE replenish.lane (
	from_location text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(from_location) BETWEEN 1 AND 255),
	to_location text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(to_location) BETWEEN 1 AND 255),
	lead_time interval NOT NULL CHECK (replenish.is_span(lead_time)
		AND lead_time <= interval '366 days'),
	minimum float8 NOT NULL DEFAULT 0 CHECK (minimum >= 0 AND minimum <= 1e12),
	PRIMARY KEY (to_location, from_location),
	CHECK (from_location <> to_location)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.lane', '');

COMMENT ON TABLE replenish.lane IS
'Which location can send its stock to which other one. Where there is no row nothing is ever to be transferred; each direction is a row of its own.';
COMMENT ON COLUMN replenish.lane.lead_time IS
'From deciding on a transfer to having it on the other shelf.';
COMMENT ON COLUMN replenish.lane.minimum IS
'Smallest quantity that is worth a transfer, in units; default 0.';

CREATE FUNCTION replenish.suppliers_of(sku text, location text)
	RETURNS SETOF replenish.supplier
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT s.* FROM supplier s
	WHERE s.sku = suppliers_of.sku
		AND (s.location = suppliers_of.location
			OR s.location IS NULL AND NOT EXISTS (SELECT FROM supplier o
				WHERE o.sku = suppliers_of.sku
					AND o.location = suppliers_of.location))
	ORDER BY s.rank;
END $$;
COMMENT ON FUNCTION replenish.suppliers_of(text, text) IS
'The suppliers of an item, the one that is ordered from first: those of its location, else those of any.';

CREATE FUNCTION replenish.whole_packs(units float8, moq float8,
	multiple float8, maximum float8) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN maximum < moq THEN 0
			ELSE replenish.reorder_qty(0, units, units, 0, coalesce(moq, 0),
				coalesce(multiple, 1), maximum) END;
	END;
COMMENT ON FUNCTION replenish.whole_packs(float8, float8, float8, float8) IS
'The quantity to order for a need of so many units: at least moq (NULL: 0), up to a multiple of the pack (NULL: 1), at most maximum, 0 where that is less than moq; see reorder_qty().';

-- The worst off is served first, from where it comes soonest; what one was
-- promised is not there for the next.
CREATE FUNCTION replenish.transfers_of(sku text)
	RETURNS TABLE (from_location text, to_location text, units float8,
		arrives_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	taker record;
	giver record;
	promised jsonb := '{}';		-- units by the location that gives them
	wanted float8;
BEGIN
	FOR taker IN
		SELECT i.*, (i.on_hand - i.reserved + i.on_order)::float8 AS position
		FROM item i
		WHERE i.sku = transfers_of.sku AND i.lack > 0
			AND EXISTS (SELECT FROM lane l WHERE l.to_location = i.location)
		ORDER BY i.tier DESC, i.stockout_eta, i.location
	LOOP
		wanted := taker.lack;
		FOR giver IN
			SELECT g.location, l.minimum,
				taker.decided_at + l.lead_time AS arrives_at,
				least(g.on_hand - g.reserved,
					g.on_hand - g.reserved + g.on_order)::float8
					- greatest(g.target, set_aside(g.sku, g.location,
						taker.decided_at))
					- coalesce((promised ->> g.location)::float8, 0) AS spare
			FROM lane l
			JOIN item g ON g.sku = transfers_of.sku
				AND g.location = l.from_location
			WHERE l.to_location = taker.location
				AND g.tier IN ('normal', 'yellow')
				AND g.reason <> 'no_stock_record'
				-- to a shelf it must come before what comes anyway
				AND (taker.position < taker.threshold
					OR taker.next_arrival_at IS NULL
					OR taker.decided_at + l.lead_time < taker.next_arrival_at)
			ORDER BY l.lead_time, g.location
		LOOP
			CONTINUE WHEN giver.spare <= 0;
			units := whole_packs(wanted, giver.minimum, taker.multiple,
				giver.spare);
			CONTINUE WHEN units = 0;
			promised := promised || jsonb_build_object(giver.location,
				coalesce((promised ->> giver.location)::float8, 0) + units);
			from_location := giver.location;
			to_location := taker.location;
			arrives_at := giver.arrives_at;
			RETURN NEXT;
			wanted := wanted - units;
			EXIT WHEN wanted <= 0;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.transfers_of(text) IS
'Which location is to send how many units of a SKU to which, as of the last decisions: to those that lack something, the worst tier first, then the earliest sell-out, each from the shortest lanes first. A giver is normal or yellow, keeps its target and what it has set aside for channels, and gives each unit once; quantities are whole multiples of the taker''s pack and at least the lane''s minimum. What only a shelf lacks, because more is on its way, is sent where it comes sooner.';

CREATE FUNCTION replenish.supply_of(sku text, location text,
	OUT transfer_from text[], OUT transfer_qty float8,
	OUT transfer_arrives_at timestamptz, OUT buy_qty float8,
	OUT next_supplier text, OUT next_supplier_qty float8,
	OUT next_supplier_value float8, OUT next_supplier_sooner interval)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	i item;
	other supplier;
BEGIN
	SELECT * FROM item t
	WHERE t.sku = supply_of.sku AND t.location = supply_of.location INTO i;
	IF EXISTS (SELECT FROM lane l WHERE l.to_location = i.location) THEN
		SELECT array_agg(t.from_location), sum(t.units), max(t.arrives_at)
		FROM transfers_of(i.sku) t WHERE t.to_location = i.location
		INTO transfer_from, transfer_qty, transfer_arrives_at;
	END IF;
	buy_qty := CASE WHEN transfer_qty IS NULL THEN i.reorder_qty
		ELSE reorder_qty((i.on_hand - i.reserved + i.on_order)::float8
			+ transfer_qty, CASE i.reason WHEN 'audience_surge' THEN i.target
				ELSE i.threshold END, i.target, i.buffer, i.moq, i.multiple,
			i.maximum) END;
	IF i.tier >= 'orange' AND EXISTS (SELECT FROM supplier s
			WHERE s.sku = i.sku) THEN
		SELECT * FROM suppliers_of(i.sku, i.location) OFFSET 1 LIMIT 1
		INTO other;
		next_supplier := other.supplier;
	END IF;
	IF next_supplier IS NOT NULL THEN
		next_supplier_qty := whole_packs(i.lack * (1 + i.buffer), other.moq,
			other.multiple, i.maximum);
		next_supplier_value := next_supplier_qty * other.unit_cost
			* rate_of(other.currency);
		next_supplier_sooner := i.lead_time - other.lead_time;
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION replenish.supply_of(text, text) IS
'What helps an item that lacks something, as of the last decisions: units that other locations can send, from where and when the last of them is there; what is to be bought then; and, where it is orange or red, the supplier of the next rank with the quantity that ends the lack in its packs, buffer included, the value of that in the shop''s own currency and how much sooner than the item''s lead time it would be here (negative: later). NULL where there is none.';

CREATE FUNCTION replenish.supply_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch(OLD.sku, OLD.location);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch(NEW.sku, NEW.location);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.supply_changed() IS
'Trigger on supplier: has the items of a changed row decided again.';

CREATE TRIGGER supplier_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.supplier FOR EACH ROW
	EXECUTE FUNCTION replenish.supply_changed();
CREATE TRIGGER supplier_truncated AFTER TRUNCATE
	ON replenish.supplier FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.supply_changed();
COMMENT ON TRIGGER supplier_changed ON replenish.supplier IS
'Has the items of a changed row decided again.';
COMMENT ON TRIGGER supplier_truncated ON replenish.supplier IS
'Has all items decided again.';
