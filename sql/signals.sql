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
	changes_at timestamptz,
	-- of its location; NULL is UTC
	zone text,
	-- whether orders wait for a working day, see last_order_at()
	cut_off boolean
);
COMMENT ON TYPE replenish.signals IS
'What signals_of() gathers for one item; NULL is not known. channel as of main_channel(), where policy or prices ask for it; price, cost and no_rate as of price_of(). on_order, next_arrival_at, overdue and route as of inbound_of(). supplier, moq and multiple are those of the supplier of the lowest rank; lead_time and lead_time_sd too, else as of route_of(), as are receipts and late_share. wanted: the item''s demand with what an empty shelf hid; demand: that without what shows and factors did to it; NULL where there is no difference. outlook: factors and planned units of the time ahead. lead_time_factor multiplies its lead time. audience_channel, _ratio, _elasticity and _share are of audience_of(). changes_at is when time alone changes any of it. zone is the location''s; cut_off: there are cut-off times or holidays.';

CREATE TYPE replenish.signal_use AS (
	channels boolean,
	prices boolean,
	inbound boolean,
	suppliers boolean,
	absences boolean,
	results boolean,
	shows boolean,
	factors boolean,
	rooms boolean,
	places boolean
);
COMMENT ON TYPE replenish.signal_use IS
'Which kinds of signals there are for any item, so that each item is asked only for those.';

CREATE FUNCTION replenish.signals_in_use(clock timestamptz)
	RETURNS replenish.signal_use
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	u signal_use;
BEGIN
	u.channels := EXISTS (SELECT FROM channel)
		OR EXISTS (SELECT FROM policy p WHERE p.channel IS NOT NULL)
		OR EXISTS (SELECT FROM sku_price p WHERE p.channel IS NOT NULL);
	u.prices := EXISTS (SELECT FROM sku_price);
	u.inbound := EXISTS (SELECT FROM source o WHERE o.kind = 'inbound');
	u.suppliers := EXISTS (SELECT FROM supplier);
	u.absences := EXISTS (SELECT FROM item_absence);
	u.results := EXISTS (SELECT FROM show_result);
	u.shows := EXISTS (SELECT FROM show w
		WHERE w.ends_at > clock - interval '1 hour');
	u.factors := EXISTS (SELECT FROM factor);
	u.rooms := EXISTS (SELECT FROM room_state);
	u.places := EXISTS (SELECT FROM location) OR EXISTS (SELECT FROM holiday);
	RETURN CASE WHEN true IN (u.channels, u.prices, u.inbound, u.suppliers,
		u.absences, u.results, u.shows, u.factors, u.rooms, u.places)
		THEN u END;
END $$;
COMMENT ON FUNCTION replenish.signals_in_use(timestamptz) IS
'Which kinds of signals there are at the clock; NULL where there is none.';

-- Not in line, and strict: an item of which nothing else can be known does not
-- pay for it.
CREATE FUNCTION replenish.signals_of(sku text, location text,
	clock timestamptz, waiting boolean, demand replenish.demand,
	out_since timestamptz, used replenish.signal_use)
	RETURNS replenish.signals
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s signals;
	first supplier;
	shows record;
	factors record;
	audience record;
	absence demand;
BEGIN
	IF used.channels THEN
		s.channel := main_channel(sku, location, clock);
	END IF;
	IF used.prices THEN
		SELECT p.price, p.cost, p.no_rate FROM price_of(sku, s.channel) p
		INTO s.price, s.cost, s.no_rate;
	END IF;
	IF used.inbound THEN
		SELECT i.on_order, i.next_arrival_at, i.overdue, i.route, r.lead_time,
			r.lead_time_sd, r.receipts, r.late_share
		FROM inbound_of(sku, location, clock, waiting) i
		CROSS JOIN LATERAL route_of(location, i.route) r
		INTO s.on_order, s.next_arrival_at, s.overdue, s.route, s.lead_time,
			s.lead_time_sd, s.receipts, s.late_share;
	END IF;
	IF used.suppliers THEN
		SELECT * FROM suppliers_of(sku, location) LIMIT 1 INTO first;
		s.supplier := first.supplier;
		s.moq := first.moq;
		s.multiple := first.multiple;
		s.lead_time := coalesce(first.lead_time, s.lead_time);
		s.lead_time_sd := coalesce(first.lead_time_sd, s.lead_time_sd);
		s.cost := coalesce(s.cost, first.unit_cost * rate_of(first.currency));
	END IF;
	IF used.results AND EXISTS (SELECT FROM show_result r
			WHERE r.sku = signals_of.sku
				AND r.location = signals_of.location) THEN
		s.demand := without_shows(sku, location, NULL, demand);
	END IF;
	IF used.absences OR isfinite(out_since) THEN
		absence := absence_of(sku, location, nullif(out_since, 'infinity'),
			clock);
	END IF;
	IF absence IS NOT NULL THEN
		s.wanted := demand_in_stock(coalesce(s.demand, demand), absence)
			+ (demand - coalesce(s.demand, demand));
		s.demand := demand_in_stock(coalesce(s.demand, demand), absence);
	END IF;
	IF used.shows THEN
		shows := show_outlook(sku, location, clock, coalesce(s.demand, demand));
		s.outlook := shows.outlook;
		s.changes_at := shows.changes_at;
	END IF;
	IF used.factors THEN
		factors := factors_of(sku, location, clock, coalesce(s.demand, demand));
		s.demand := factors.demand;
		s.outlook := s.outlook || factors.outlook;
		s.lead_time_factor := factors.lead_time_factor;
		s.changes_at := least(s.changes_at, factors.changes_at);
	END IF;
	IF used.rooms THEN
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
	IF used.places THEN
		s.zone := (SELECT l.time_zone FROM location l
			WHERE l.location = signals_of.location);
		s.cut_off := true;
	END IF;
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.signals_of(text, text, timestamptz, boolean, replenish.demand, timestamptz, replenish.signal_use) IS
'What else is known of an item with that demand, of which nothing is available since out_since (infinity: something is), at the clock, with or without what waits in the inbox, of the kinds that are used; NULL where none is (NULL).';

CREATE FUNCTION replenish.signals_used(used replenish.signal_use,
	out_since timestamptz) RETURNS replenish.signal_use
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN out_since IS NULL OR used IS NOT NULL THEN used
			ELSE (false, false, false, false, true, false, false, false, false,
				false)::replenish.signal_use END;
	END;
COMMENT ON FUNCTION replenish.signals_used(replenish.signal_use, timestamptz) IS
'The kinds of signals to ask of an item: those in use, and its absence where nothing of it is available since out_since.';
