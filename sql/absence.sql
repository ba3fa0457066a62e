---------------------------------------------------------------------------
-- Absence: the time out of stock, and the demand that it hid.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.demand_span(starts_at timestamptz,
	ends_at timestamptz)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_span'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_span(timestamptz, timestamptz) IS
'A summary of one unit in each minute from starts_at until before ends_at; nothing where that is no time.';

CREATE FUNCTION replenish.demand_in_stock(demand replenish.demand,
	absence replenish.demand)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_in_stock'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_in_stock(replenish.demand, replenish.demand) IS
'The demand as it would have been had there always been stock: for each minute that absence has a unit of, what a minute with stock sold in the weeks around is added. Those are the four weeks before and after and its own, or 8, 16 or 26 where less than a week of the nearer ones had stock; beyond that nothing is added. The last hour is left as it is. Returned demand that makes a week negative counts as none.';

CREATE TABLE replenish.item_absence (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	minutes replenish.demand NOT NULL,
	PRIMARY KEY (sku, location)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.item_absence', '');

COMMENT ON TABLE replenish.item_absence IS
'The minutes in which nothing of an item was available, as the decider saw it, until it was again; the present absence began at item.out_since.';

CREATE FUNCTION replenish.absence_of(sku text, location text,
	out_since timestamptz, clock timestamptz) RETURNS replenish.demand
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	before demand;
BEGIN
	SELECT a.minutes FROM item_absence a
	WHERE a.sku = absence_of.sku AND a.location = absence_of.location
	INTO before;
	IF out_since IS NULL THEN
		RETURN before;
	END IF;
	RETURN coalesce(before, '{}') + demand_span(out_since, clock);
END $$;
COMMENT ON FUNCTION replenish.absence_of(text, text, timestamptz, timestamptz) IS
'The minutes in which nothing of an item was available until the clock, if nothing was since out_since (NULL: there is some now); NULL where there always was.';

CREATE FUNCTION replenish.note_absence(sku text, location text,
	out_since timestamptz, clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO item_absence AS a (sku, location, minutes)
	VALUES (note_absence.sku, note_absence.location,
		demand_span(out_since, clock))
	ON CONFLICT ON CONSTRAINT item_absence_pkey DO UPDATE
		SET minutes = a.minutes + excluded.minutes;
END $$;
COMMENT ON FUNCTION replenish.note_absence(text, text, timestamptz, timestamptz) IS
'Notes that nothing of an item was available from out_since to the clock. For the decider only.';
