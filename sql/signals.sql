---------------------------------------------------------------------------
-- Signals: what else is known of an item when it is assessed, beside its
-- demand and its stock.  Each kind has a file of its own and is gathered here;
-- assess() says what follows from it.
---------------------------------------------------------------------------

CREATE TYPE replenish.signals AS (
	-- see main_channel()
	channel text,
	-- see price_of()
	price float8,
	cost float8,
	no_rate boolean,
	-- of its purchase orders, see inbound_of()
	on_order numeric,
	next_arrival_at timestamptz,
	overdue numeric,
	route text,
	-- of the supplier that it is ordered from
	supplier text,
	moq float8,
	multiple float8,
	-- of that supplier, or of its route, see route_of()
	lead_time interval,
	lead_time_sd interval,
	receipts bigint,
	late_share float8,
	-- with what an empty shelf hid, see demand_in_stock()
	wanted replenish.demand,
	-- and without what is known to have moved it, see factors_of(),
	-- without_shows()
	demand replenish.demand,
	-- the time ahead, see factors_of(), show_outlook()
	outlook replenish.outlook[],
	lead_time_factor float8,
	-- of the room that it sells most in, see audience_of()
	audience_channel text,
	audience_ratio float8,
	audience_elasticity float8,
	audience_share float8,
	-- when any of this changes by itself
	changes_at timestamptz
);
COMMENT ON TYPE replenish.signals IS
'What signals_of() gathers for one item; NULL is not known. channel as of main_channel(), where policy or prices ask for it; price, cost and no_rate as of price_of(). on_order, next_arrival_at, overdue and route as of inbound_of(). supplier, moq and multiple are those of the supplier of the lowest rank; lead_time and lead_time_sd too, else as of route_of(), as are receipts and late_share. wanted: the item''s demand with what an empty shelf hid; demand: that without what shows and factors did to it; NULL where there is no difference. outlook: factors and planned units of the time ahead. lead_time_factor multiplies its lead time. audience_channel, _ratio, _elasticity and _share are of audience_of(). changes_at is when time alone changes any of it.';

-- Not in line: an item of which nothing else is known does not pay for it.
CREATE FUNCTION replenish.signals_of(sku text, location text,
	clock timestamptz, waiting boolean, demand replenish.demand,
	out_since timestamptz)
	RETURNS replenish.signals
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s signals;
	first supplier;
	shows record;
	factors record;
	audience record;
	absence demand := absence_of(sku, location, out_since, clock);
BEGIN
	IF EXISTS (SELECT FROM channel)
		OR EXISTS (SELECT FROM policy p WHERE p.channel IS NOT NULL)
		OR EXISTS (SELECT FROM sku_price p WHERE p.sku = signals_of.sku
			AND p.channel IS NOT NULL) THEN
		s.channel := main_channel(sku, location, clock);
	END IF;
	IF EXISTS (SELECT FROM sku_price p WHERE p.sku = signals_of.sku) THEN
		SELECT p.price, p.cost, p.no_rate FROM price_of(sku, s.channel) p
		INTO s.price, s.cost, s.no_rate;
	END IF;
	IF EXISTS (SELECT FROM source o WHERE o.kind = 'inbound') THEN
		SELECT i.on_order, i.next_arrival_at, i.overdue, i.route, r.lead_time,
			r.lead_time_sd, r.receipts, r.late_share
		FROM inbound_of(sku, location, clock, waiting) i
		CROSS JOIN LATERAL route_of(location, i.route) r
		INTO s.on_order, s.next_arrival_at, s.overdue, s.route, s.lead_time,
			s.lead_time_sd, s.receipts, s.late_share;
	END IF;
	IF EXISTS (SELECT FROM supplier o WHERE o.sku = signals_of.sku) THEN
		SELECT * FROM suppliers_of(sku, location) LIMIT 1 INTO first;
		s.supplier := first.supplier;
		s.moq := first.moq;
		s.multiple := first.multiple;
		s.lead_time := coalesce(first.lead_time, s.lead_time);
		s.lead_time_sd := coalesce(first.lead_time_sd, s.lead_time_sd);
		s.cost := coalesce(s.cost, first.unit_cost * rate_of(first.currency));
	END IF;
	IF EXISTS (SELECT FROM show_result r WHERE r.sku = signals_of.sku
			AND r.location = signals_of.location) THEN
		s.demand := without_shows(sku, location, NULL, demand);
	END IF;
	IF absence IS NOT NULL THEN
		s.wanted := demand_in_stock(coalesce(s.demand, demand), absence)
			+ (demand - coalesce(s.demand, demand));
		s.demand := demand_in_stock(coalesce(s.demand, demand), absence);
	END IF;
	IF EXISTS (SELECT FROM show w WHERE w.ends_at > clock - interval '1 hour') THEN
		shows := show_outlook(sku, location, clock, coalesce(s.demand, demand));
		s.outlook := shows.outlook;
		s.changes_at := shows.changes_at;
	END IF;
	IF EXISTS (SELECT FROM factor) THEN
		factors := factors_of(sku, location, clock, coalesce(s.demand, demand));
		s.demand := factors.demand;
		s.outlook := s.outlook || factors.outlook;
		s.lead_time_factor := factors.lead_time_factor;
		s.changes_at := least(s.changes_at, factors.changes_at);
	END IF;
	IF EXISTS (SELECT FROM room_state) THEN
		audience := audience_of(sku, location, clock, demand);
		s.audience_channel := audience.channel;
		s.audience_ratio := audience.ratio;
		s.audience_elasticity := audience.elasticity;
		s.audience_share := audience.share;
		IF audience.ratio IS NOT NULL THEN
			s.outlook := s.outlook || (clock, clock + interval '3 hours',
				1 + audience.share * (audience.ratio ^ audience.elasticity - 1),
				NULL)::outlook;
			s.changes_at := least(s.changes_at, audience.silent_at);
		END IF;
	END IF;
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.signals_of(text, text, timestamptz, boolean, replenish.demand, timestamptz) IS
'What else is known of an item with that demand, of which nothing is available since out_since (NULL: something is), at the clock, with or without what waits in the inbox.';
