---------------------------------------------------------------------------
-- Signals: what else is known of an item when it is assessed, beside its
-- demand and its stock.  Each kind has a file of its own and is gathered here;
-- assess() says what follows from it.
---------------------------------------------------------------------------

CREATE TYPE replenish.signals AS (
	-- of its purchase orders, see inbound_of()
	on_order numeric,
	next_arrival_at timestamptz,
	overdue numeric,
	route text,
	-- of its route, see route_of()
	lead_time interval,
	lead_time_sd interval,
	receipts bigint,
	late_share float8,
	-- the time ahead, see outlook_of()
	outlook replenish.outlook[]
);
COMMENT ON TYPE replenish.signals IS
'What signals_of() gathers for one item; NULL is not known. on_order, next_arrival_at, overdue and route as of inbound_of(); lead_time, lead_time_sd, receipts and late_share as of route_of(). outlook: factors and planned units of the time ahead.';

-- Not in line: an item of which nothing else is known does not pay for it.
CREATE FUNCTION replenish.signals_of(sku text, location text,
	clock timestamptz, waiting boolean)
	RETURNS replenish.signals
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	s signals;
BEGIN
	IF EXISTS (SELECT FROM source o WHERE o.kind = 'inbound') THEN
		SELECT i.on_order, i.next_arrival_at, i.overdue, i.route, r.lead_time,
			r.lead_time_sd, r.receipts, r.late_share
		FROM inbound_of(sku, location, clock, waiting) i
		CROSS JOIN LATERAL route_of(location, i.route) r
		INTO s;
	END IF;
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.signals_of(text, text, timestamptz, boolean) IS
'What else is known of an item at the clock, with or without what waits in the inbox.';
