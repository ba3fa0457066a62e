---------------------------------------------------------------------------
-- Signals: what else is known of an item when it is assessed, beside its
-- demand and its stock.  Each kind has a file of its own and is gathered here;
-- assess() says what follows from it.
---------------------------------------------------------------------------

CREATE TYPE replenish.signals AS (
	-- purchase orders, see inbound_of()
	on_order numeric,
	next_arrival_at timestamptz,
	-- the time ahead, see outlook
	outlook replenish.outlook[]
);
COMMENT ON TYPE replenish.signals IS
'What signals_of() gathers for one item; NULL is not known. on_order and next_arrival_at: units of its open purchase orders, and when the next of them that is dated comes. outlook: factors and planned units of the time ahead.';

-- Not in line: an item of which nothing else is known does not pay for it.
CREATE FUNCTION replenish.signals_of(sku text, location text,
	clock timestamptz, waiting boolean)
	RETURNS replenish.signals
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	s signals;
BEGIN
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.signals_of(text, text, timestamptz, boolean) IS
'What else is known of an item at the clock, with or without what waits in the inbox.';
