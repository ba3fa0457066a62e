---------------------------------------------------------------------------
-- Explaining: every number behind a decision in the order of the calculation,
-- each with its formula and with that formula in numbers.
---------------------------------------------------------------------------

-- What assess() decides by, with what waits in the inbox.
CREATE FUNCTION replenish.facts_of(sku text, location text,
	as_of timestamptz, OUT demand replenish.demand, OUT typical float8,
	OUT previous replenish.tier, OUT known boolean, OUT counted numeric,
	OUT sold numeric, OUT on_hand numeric, OUT reserved numeric,
	OUT on_order numeric, OUT snapshot_at timestamptz, OUT overdue boolean,
	OUT signals replenish.signals, OUT last_tier replenish.tier,
	OUT worsened_at timestamptz, OUT out_since timestamptz)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	SELECT i.position_tier, i.tier, i.worsened_at, i.out_since,
		CASE WHEN 'threshold' = ANY (i.assumed) THEN i.threshold END
	FROM item i
	WHERE i.sku = facts_of.sku AND i.location = facts_of.location
	INTO previous, last_tier, worsened_at, out_since, typical;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no item "%" at location "%"', sku, location
			USING ERRCODE = 'no_data_found',
				HINT = 'See replenish.status for the items that are known.';
	END IF;
	-- as demand_of()
	SELECT coalesce(item_demand_agg(d.demand, m.units), '{}'),
		CASE WHEN count(*) = 0 THEN facts_of.typical END
	FROM (SELECT t.sku, t.location, t.channel, t.demand
		FROM raw_skus(facts_of.sku) r JOIN item_demand t ON t.sku = r.sku
		UNION ALL
		SELECT p.sku, p.location, p.channel, p.demand
		FROM pending(as_of, NULL) p WHERE p.kind = 'demand') d
	CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
	CROSS JOIN LATERAL real_location(d.location, d.channel) l
	WHERE m.sku = facts_of.sku AND l.location = facts_of.location
	INTO demand, typical;
	SELECT s.known, s.counted, s.sold, s.on_hand, s.reserved, s.on_order,
		s.snapshot_at, s.overdue
	FROM stock_of(facts_of.sku, facts_of.location, as_of, facts_of.demand,
		true) s
	INTO known, counted, sold, on_hand, reserved, on_order, snapshot_at,
		overdue;
	signals := signals_of(facts_of.sku, facts_of.location, as_of, true,
		facts_of.demand, coalesce(facts_of.out_since, 'infinity'),
		signals_used(signals_in_use(as_of), facts_of.out_since));
END $$;
COMMENT ON FUNCTION replenish.facts_of(text, text, timestamptz) IS
'The state of an item with what waits in the inbox, as assess() takes it; its demand, and the threshold that stands in where it has none. An unknown item is an error.';

CREATE FUNCTION replenish.in_numbers(formula text, names text[],
	amounts text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.string_agg(coalesce(CASE
				WHEN n.amount ~ '^-[0-9]' THEN '(' || n.amount || ')'
				-- 7 / 2 is 3 for integers
				WHEN n.amount ~ '^[0-9]+$' AND formula LIKE '%/%'
					THEN n.amount || '.0'
				WHEN n.amount ~ '^[0-9.]+(e[-+][0-9]+)?$' THEN n.amount
				ELSE pg_catalog.quote_literal(n.amount) END, t.token[1]), ''
			ORDER BY t.place)
		FROM pg_catalog.regexp_matches(formula,
			'[a-z_][a-z_0-9]*|[^a-z_]+', 'g') WITH ORDINALITY t (token, place)
		LEFT JOIN ROWS FROM (pg_catalog.unnest(names),
			pg_catalog.unnest(amounts)) n (name, amount)
			ON n.name = t.token[1];
	END;
COMMENT ON FUNCTION replenish.in_numbers(text, text[], text[]) IS
'A formula with each of the names replaced by its amount, or by its text in quotes.';

CREATE FUNCTION replenish.demand_steps(demand replenish.demand,
	as_of timestamptz, horizon interval, OUT name text, OUT value float8,
	OUT unit text, OUT formula text, OUT calculation text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_demand_steps'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION replenish.demand_steps(replenish.demand, timestamptz, interval) IS
'The working of demand_forecast(demand, as_of, horizon) and of the variance that demand_threshold() has: each number in the order of the calculation, how it follows from those before it, and that in numbers (NULL where it is no expression: the sums over days come from demand_buckets()). Arguments and errors as of demand_forecast().';

-- Days, as a number.
CREATE FUNCTION replenish.days_of(span interval) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.trim_scale(extract(epoch FROM span) / 86400)::text;
	END;
COMMENT ON FUNCTION replenish.days_of(interval) IS
'A span without months in days of 24 hours.';

CREATE FUNCTION replenish.forecast_days(days integer)
	RETURNS TABLE (k integer, name text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 7
	BEGIN ATOMIC
		SELECT g.k, CASE g.k WHEN 0 THEN 'now' ELSE g.k || '_ago' END
		FROM pg_catalog.generate_series(0, days, 2) g (k);
	END;
COMMENT ON FUNCTION replenish.forecast_days(integer) IS
'The days up to so many before whose forecasts make a threshold: how long ago, and what explain() calls them.';

CREATE FUNCTION replenish.explain(sku text, location text DEFAULT 'default',
	as_of timestamptz DEFAULT now())
	RETURNS TABLE (step integer, name text, value text, unit text,
		formula text, calculation text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	SET extra_float_digits = 1 AS $$
#variable_conflict use_column
DECLARE
	f record;
	a record;
	v record;
	o record;			-- NULL where there is no outlook
	rows jsonb;			-- of policy, by parameter
	order_below float8;
	first supplier;
	h record;			-- what other locations and suppliers can do
	rest float8;		-- NULL where a transfer is enough
	raw demand;			-- with what shows and factors did to it
	base float8;
	names text[];
	amounts text[];
	span interval;
	need float8;		-- NULL where nothing is to be ordered
	days integer;		-- before, whose forecasts make the threshold
	by_route boolean;	-- the buffer is
	by_margin boolean;	-- the service level is
	ordered timestamptz;	-- by, on any day at any time
	sd float8;
	means text;
BEGIN
	as_of := greatest(as_of, clock());
	SELECT * FROM facts_of(explain.sku, explain.location, as_of) INTO f;
	SELECT * FROM assess(as_of, explain.sku, explain.location, f.demand,
		f.known, f.on_hand, f.reserved, f.on_order, f.previous, f.typical,
		f.signals, f.last_tier, f.worsened_at, f.out_since)
	INTO a;
	order_below := CASE WHEN a.surge THEN a.target ELSE a.threshold END;
	SELECT coalesce(jsonb_object_agg(p.parameter, p.source), '{}')
	FROM policy_rows(explain.sku, explain.location, (f.signals).channel) p
	INTO rows;
	SELECT * FROM suppliers_of(explain.sku, explain.location) LIMIT 1
	INTO first;
	SELECT * FROM supply_of(explain.sku, explain.location) INTO h;
	IF a.stock_position + h.transfer_qty < order_below THEN
		rest := (a.target - a.stock_position - h.transfer_qty)
			* (1 + a.buffer);
	END IF;
	raw := f.demand;
	f.demand := coalesce((f.signals).demand, raw);
	span := least(a.lead_time + a.review_period, interval '366 days');
	IF f.known AND a.stock_position < order_below THEN
		need := (a.target - a.stock_position) * (1 + a.buffer);
	END IF;
	by_route := coalesce((f.signals).receipts >= 5
		AND a.buffer = 0.2 + 0.1 * (f.signals).late_share, false);
	by_margin := rows ->> 'service_level' IS NULL
		AND margin_service_level((f.signals).price, (f.signals).cost,
			a.holding_cost, a.order_cycle) IS NOT NULL;
	-- as demand_threshold()
	SELECT least(12, greatest(0, max(s.value) FILTER (WHERE s.name = 'age') - 28)),
		sqrt(max(s.value) FILTER (WHERE s.name = 'steady_var'))
	FROM demand_steps(f.demand, as_of, span) s
	INTO days, sd;
	SELECT e.factor, e.units
	FROM outlook_effect(f.demand, as_of, span, (f.signals).outlook) e
	WHERE (f.signals).outlook <> '{}' INTO o;
	SELECT avg(d.mean), format('(%s) / %s',
			string_agg(format('forecast_%s', n.name), ' + ' ORDER BY n.k),
			count(*))
	FROM forecast_days(days) n
	CROSS JOIN LATERAL demand_forecast(f.demand,
		as_of - n.k * interval '1 day', span) d
	INTO base, means;
	ordered := stockout_eta(greatest(a.stock_position - a.threshold, 0),
		f.demand, as_of, NULL, (f.signals).outlook);
	step := 0;
	FOR v IN
	WITH stock (name, value, unit, source, expression) AS (VALUES
		('as_of', as_of::text, '', 'the moment of this calculation', NULL),
		('snapshot_at', f.snapshot_at::text, '',
			'the oldest of the newest snapshots of the watched stock tables',
			NULL),
		('counted', CASE WHEN f.snapshot_at IS NOT NULL
			THEN trim_scale(f.counted)::text END, 'units',
			'sum over the watched stock tables at their snapshots', NULL),
		('sold_since', CASE WHEN f.snapshot_at IS NOT NULL
			THEN trim_scale(f.sold)::text END, 'units',
			'demand in the minutes after snapshot_at', NULL),
		('on_hand', trim_scale(f.on_hand)::text, 'units', CASE
			WHEN f.known THEN 'sum over the watched stock tables'
			ELSE 'no watched stock table has this item' END,
			CASE WHEN f.snapshot_at IS NOT NULL
				THEN 'counted - sold_since' END),
		('reserved', trim_scale(f.reserved)::text, 'units',
			'sum over the watched stock tables', NULL),
		('stock_on_order', CASE WHEN (f.signals).on_order IS NOT NULL
			THEN trim_scale(f.on_order)::text END, 'units',
			'sum over the watched stock tables', NULL),
		('inbound', (f.signals).on_order::text, 'units',
			'sum over the open purchase orders', NULL),
		('overdue', (f.signals).overdue::text, 'units',
			'of them, those whose expected date has passed', NULL),
		('on_order', trim_scale(f.on_order
			+ coalesce((f.signals).on_order, 0))::text, 'units',
			CASE WHEN (f.signals).on_order IS NULL
				THEN 'sum over the watched stock tables' END,
			CASE WHEN (f.signals).on_order IS NOT NULL
				THEN 'stock_on_order + inbound' END),
		('next_arrival_at', (f.signals).next_arrival_at::text, '',
			'the earliest of the expected dates that are still to come', NULL),
		('route', (f.signals).route, '',
			'on which most of its orders came or will come', NULL),
		('receipts', (f.signals).receipts::text, '',
			'orders that were received on the route', NULL),
		('late_share', (f.signals).late_share::text, '',
			'of them, those that came after they were expected', NULL),
		('available', a.available::text, 'units', NULL, 'on_hand - reserved'),
		('stock_position', a.stock_position::text, 'units', NULL,
			'available + on_order'),
		('sold_24h', a.sold_24h::text, 'units',
			'demand of the 24 hours before as_of', NULL),
		('hidden', CASE WHEN (f.signals).wanted <> raw
			THEN (round((demand_velocity((f.signals).wanted - raw, as_of,
				interval '91 days') * 24 * 91)::numeric, 6))::text END, 'units',
			'of the last 91 days, what would have been asked for while nothing was available, see demand_in_stock(): part of all that follows',
			NULL),
		('known_causes', CASE
			WHEN f.demand <> coalesce((f.signals).wanted, raw)
			THEN (round((demand_velocity(coalesce((f.signals).wanted, raw)
				- f.demand, as_of,
				interval '91 days') * 24 * 91)::numeric, 6))::text END, 'units',
			'of the last 91 days, what shows sold beyond the usual and factors added: left out of all that follows',
			NULL),
		('channel', (f.signals).channel, '',
			'on which it sold most in the last 28 days', NULL),
		('scenario', a.scenario, '', 'of the channel', NULL),
		('price', (f.signals).price::text, 'money', 'sku_price', NULL),
		('cost', (f.signals).cost::text, 'money', 'sku_price', NULL),
		('order_cycle', days_of(a.order_cycle), 'days',
			coalesce(rows ->> 'order_cycle', 'default'), NULL),
		('holding_cost', CASE WHEN by_margin THEN a.holding_cost::text END,
			'per year', rows ->> 'holding_cost', NULL),
		('service_level', a.service_level::text, '',
			CASE WHEN NOT by_margin
				THEN coalesce(rows ->> 'service_level', 'default') END,
			CASE WHEN by_margin
				THEN CASE WHEN (f.signals).price <= (f.signals).cost THEN '0.5'
					ELSE 'least(0.995, greatest(0.5, 1 - holding_cost * cost * order_cycle / 365 / (price - cost)))'
					END END),
		('lead_time_factor', (f.signals).lead_time_factor::text, '',
			'product of the rows of factor in force', NULL),
		('supplier', (f.signals).supplier, '', 'the first by rank', NULL),
		('lead_time', days_of(a.lead_time), 'days', CASE
			WHEN (f.signals).lead_time_factor IS NOT NULL
				THEN 'policy, or the route''s receipts, times lead_time_factor'
			WHEN rows ->> 'lead_time' IS NULL AND a.lead_time = first.lead_time
				THEN 'supplier ' || first.supplier
			WHEN a.lead_time = (f.signals).lead_time
				THEN 'lead_time_estimate() of the route''s receipts'
			ELSE coalesce(rows ->> 'lead_time', 'default') END, NULL),
		('lead_time_sd', days_of(a.lead_time_sd), 'days', CASE
			WHEN (f.signals).lead_time_factor IS NOT NULL
				THEN 'policy, or the route''s receipts, times lead_time_factor'
			WHEN rows ->> 'lead_time_sd' IS NULL
					AND a.lead_time_sd = first.lead_time_sd
				THEN 'supplier ' || first.supplier
			WHEN a.lead_time_sd = (f.signals).lead_time_sd
				THEN 'lead_time_estimate() of the route''s receipts'
			ELSE coalesce(rows ->> 'lead_time_sd', 'default') END, NULL),
		('review_period', days_of(a.review_period), 'days',
			coalesce(rows ->> 'review_period', 'default'), NULL),
		('horizon', days_of(span), 'days', NULL,
			'lead_time + review_period')
	), line (name, value, unit, source, expression) AS (VALUES
		('base_forecast', CASE WHEN o.factor IS NOT NULL THEN base::text END,
			'units', NULL, means),
		('audience_channel', (f.signals).audience_channel, '',
			'the room that it sells most in', NULL),
		('audience_ratio', (f.signals).audience_ratio::text, '',
			'viewers there over what is usual at this hour, see room', NULL),
		('audience_elasticity', (f.signals).audience_elasticity::text, '',
			'by which the room''s sales move with its viewers, see room', NULL),
		('audience_share', (f.signals).audience_share::text, '',
			'the room''s part of the item''s demand of 28 days', NULL),
		('audience_factor', CASE WHEN (f.signals).audience_ratio IS NOT NULL
			THEN (1 + (f.signals).audience_share * ((f.signals).audience_ratio
				^ (f.signals).audience_elasticity - 1))::text END, '', NULL,
			'1 + audience_share * (audience_ratio ^ audience_elasticity - 1)'),
		('outlook', CASE WHEN o.factor IS NOT NULL
			THEN (f.signals).outlook::text END, '',
			'starts_at, ends_at, factor and planned units of what is known of the time ahead',
			NULL),
		('outlook_factor', o.factor::text, '',
			'mean of the factors over the horizon, weighted by the demand expected without them',
			NULL),
		('outlook_units', o.units::text, 'units',
			'planned units that fall into the horizon', NULL),
		('forecast', a.forecast::text, 'units', NULL, CASE
			WHEN o.factor IS NULL THEN means
			ELSE 'base_forecast * outlook_factor + outlook_units' END),
		('sd', sd::text, 'units', NULL, 'sqrt(steady_var)'),
		('threshold_var', (a.forecast_sd ^ 2)::text, 'units^2', NULL,
			CASE WHEN o.factor IS NULL THEN 'sd ^ 2'
				ELSE 'sd ^ 2 * outlook_factor ^ 2 + outlook_units' END
				|| ' + (forecast / horizon * lead_time_sd) ^ 2'),
		('forecast_sd', a.forecast_sd::text, 'units', NULL,
			'sqrt(threshold_var)'),
		('count_quantile', reorder_point(a.service_level, a.forecast,
				a.forecast_sd, 1, 0, 'negative_binomial')::text, 'units', CASE
			WHEN a.forecast_sd ^ 2 > 1.001 * a.forecast
				THEN 'smallest k with P(0) + ... + P(k) >= service_level; P(0) = (1 - q) ^ r, P(k) = P(k - 1) * q * (r + k - 1) / k, q = 1 - forecast / threshold_var, r = forecast ^ 2 / (threshold_var - forecast)'
			ELSE 'smallest k with P(0) + ... + P(k) >= service_level; P(0) = exp(-forecast), P(k) = P(k - 1) * forecast / k'
			END, NULL),
		('z', safety_stock(a.service_level, 0, 1, 1, 0)::text, '',
			'what a standard normal value exceeds with probability 1 - service_level',
			NULL),
		('threshold', a.threshold::text, 'units', CASE
			WHEN a.fixed_threshold IS NOT NULL
				THEN rows ->> 'fixed_threshold'
			WHEN f.typical IS NOT NULL
				THEN 'median threshold of the location: the item has no history'
			END, CASE WHEN coalesce(a.fixed_threshold, f.typical) IS NULL
			THEN 'floor(count_share * count_quantile + (1 - count_share) * greatest(0, forecast + z * forecast_sd) + 0.5)'
			END),
		('safety_stock', a.safety_stock::text, 'units', NULL,
			'threshold - forecast'),
		('cycle_demand', a.cycle_demand::text, 'units',
			CASE WHEN o.factor IS NULL
			THEN 'as forecast_now, for order_cycle instead of horizon'
			ELSE 'as forecast_now, for order_cycle instead of horizon, with the outlook'
			END, NULL),
		('target', a.target::text, 'units', NULL,
			'greatest(threshold + cycle_demand, 1.5 * threshold)'),
		('ratio', CASE WHEN a.threshold > 0
			THEN (a.stock_position / a.threshold)::text END, '', NULL,
			'stock_position / threshold'),
		('exit_margin', a.exit_margin::text, '',
			coalesce(rows ->> 'exit_margin', 'default'), NULL),
		('position_tier', a.position_tier::text, '',
			CASE WHEN a.stock_position >= a.target
				THEN 'normal: stock_position has reached the target' END,
			CASE WHEN a.stock_position < a.target
				THEN format('alert_level(stock_position, threshold, %L, exit_margin)',
					coalesce(f.previous, 'normal')) END),
		('surge_ratio', CASE WHEN (f.signals).audience_ratio IS NOT NULL
			THEN a.surge_ratio::text END, '',
			coalesce(rows ->> 'surge_ratio', 'default'), NULL),
		('surge_cover', CASE WHEN (f.signals).audience_ratio IS NOT NULL
			THEN days_of(a.surge_cover) END, 'days',
			coalesce(rows ->> 'surge_cover', 'default'), NULL),
		('hold', CASE WHEN a.reason = 'held' THEN a.hold::text END, '',
			rows ->> 'hold', NULL),
		('worsened_at', CASE WHEN a.reason = 'held'
			THEN a.worsened_at::text END, '',
			'when the tier last became worse', NULL),
		('tier', a.tier::text, '', CASE a.reason
			WHEN 'audience_surge' THEN 'orange: audience_ratio is surge_ratio or more, and the shelf lasts surge_cover or less'
			WHEN 'held' THEN format('%s: it stays until worsened_at + hold',
				a.tier)
			WHEN 'shelf' THEN CASE WHEN a.available <= 0
				THEN 'red: nothing available while it sells'
				WHEN a.tier = 'red'
				THEN 'red: sold out before half of the wait for next_arrival_at'
				ELSE 'orange: sold out before next_arrival_at' END
			WHEN 'no_stock_record' THEN 'normal: its stock is not known' END,
			CASE WHEN a.reason NOT IN ('shelf', 'no_stock_record', 'held',
				'audience_surge')
				THEN 'position_tier' END),
		('reason', a.reason, '', 'why tier is what it is', NULL),
		('stockout_eta', coalesce(a.stockout_eta::text, 'beyond a year'), '',
			'when the expected demand, a burst''s rest included, reaches available',
			NULL),
		('order_by', coalesce(a.order_by::text, 'beyond a year'), '',
			CASE WHEN ordered IS DISTINCT FROM a.order_by
				THEN 'last moment to order, by cut-off time and holidays, before the expected demand reaches stock_position - threshold'
			ELSE 'when the expected demand reaches stock_position - threshold'
			END, NULL),
		('burst_evidence', CASE WHEN a.burst_evidence <> 22
			THEN a.burst_evidence::text END, '', rows ->> 'burst_evidence',
			NULL),
		('units_at_risk', a.units_at_risk::text, 'units',
			'expected demand of the lead time that is neither available nor on order',
			NULL),
		('gmv_at_risk', a.gmv_at_risk::text, 'money', NULL,
			'units_at_risk * price'),
		('turnover', a.turnover::text, 'per year', NULL,
			'cycle_demand / on_hand * 365 / order_cycle'),
		('buffer', a.buffer::text, '', CASE WHEN NOT by_route
				THEN coalesce(rows ->> 'buffer', 'default') END,
			CASE WHEN by_route THEN '0.2 + 0.1 * late_share' END),
		('moq', a.moq::text, 'units',
			coalesce(rows ->> 'moq', 'supplier ' || CASE
				WHEN first.moq IS NOT NULL THEN first.supplier END, 'default'),
			NULL),
		('multiple', a.multiple::text, 'units',
			coalesce(rows ->> 'multiple', 'supplier ' || CASE
				WHEN first.multiple IS NOT NULL THEN first.supplier END, 'default'),
			NULL),
		('maximum', a.maximum::text, 'units',
			coalesce(rows ->> 'maximum', 'default'), NULL),
		('need', need::text, 'units', NULL,
			'(target - stock_position) * (1 + buffer)'),
		('reorder_qty', a.reorder_qty::text, 'units', CASE
			WHEN NOT f.known THEN '0: its stock is not known'
			WHEN need IS NULL AND a.surge
				THEN '0: stock_position is not below target'
			WHEN need IS NULL
				THEN '0: stock_position is not below threshold'
			WHEN a.reorder_qty = 0 THEN '0: moq is more than maximum' END,
			CASE WHEN need IS NULL OR a.reorder_qty = 0 THEN NULL
				WHEN a.multiple = 0 THEN 'least(greatest(need, moq), maximum)'
				WHEN a.maximum = 'Infinity'
					THEN 'ceil(greatest(need, moq) / multiple) * multiple'
				ELSE 'least(ceil(greatest(need, moq) / multiple), floor(maximum / multiple)) * multiple'
				END),
		('lack', CASE WHEN a.lack > 0 THEN a.lack::text END, 'units', CASE
			WHEN a.stock_position >= order_below
				OR a.lack <> a.target - a.stock_position
				THEN 'expected demand until next_arrival_at (lead_time where nothing has a date) - available'
			END, CASE WHEN a.stock_position < order_below
				AND a.lack = a.target - a.stock_position
			THEN 'target - stock_position' END),
		('transfer_from', array_to_string(h.transfer_from, ', '), '',
			'see transfers_of(), as of the last decisions', NULL),
		('transfer_qty', h.transfer_qty::text, 'units',
			'what those locations can spare of lack, in whole packs', NULL),
		('rest', rest::text, 'units', NULL,
			'(target - stock_position - transfer_qty) * (1 + buffer)'),
		('buy_qty', CASE WHEN h.transfer_qty IS NOT NULL
			THEN reorder_qty(a.stock_position + h.transfer_qty, order_below,
				a.target, a.buffer, a.moq, a.multiple, a.maximum)::text END,
			'units', CASE WHEN rest IS NULL
				THEN '0: with transfer_qty, stock_position is not below threshold (a surge: target)'
			END,
			CASE WHEN rest IS NULL OR a.reorder_qty = 0 THEN NULL
				WHEN a.multiple = 0 THEN 'least(greatest(rest, moq), maximum)'
				WHEN a.maximum = 'Infinity'
					THEN 'ceil(greatest(rest, moq) / multiple) * multiple'
				ELSE 'least(ceil(greatest(rest, moq) / multiple), floor(maximum / multiple)) * multiple'
				END),
		('next_supplier', h.next_supplier, '', 'the second by rank', NULL),
		('next_supplier_qty', h.next_supplier_qty::text, 'units',
			'lack * (1 + buffer), in whole packs of the next supplier', NULL),
		('next_supplier_value', h.next_supplier_value::text, 'money',
			'next_supplier_qty * its unit_cost, in the shop''s own currency',
			NULL),
		('next_supplier_sooner', days_of(h.next_supplier_sooner), 'days',
			'lead_time - the next supplier''s', NULL),
		('assumed', array_to_string(a.assumed || CASE WHEN f.overdue
			THEN '{on_hand}' ELSE '{}' END::text[], ', '), '',
			'defaults that no row of policy replaces', NULL)
	)
	SELECT 1 AS part, row_number() OVER () AS place, x.*,
		NULL AS calculation
	FROM stock x
	UNION ALL
	SELECT 2, s.place, s.name, s.value::text, s.unit, s.formula, NULL,
		s.calculation
	FROM demand_steps(f.demand, as_of, span) WITH ORDINALITY
		s (name, value, unit, formula, calculation, place)
	UNION ALL
	SELECT 3, n.k, format('forecast_%s', n.name), d.mean::text, 'units',
		format('as forecast_now, at the same time %s days before', n.k),
		NULL, NULL
	FROM forecast_days(days) n
	CROSS JOIN LATERAL demand_forecast(f.demand,
		as_of - n.k * interval '1 day', span) d
	WHERE n.k > 0
	UNION ALL
	SELECT 4, row_number() OVER (), x.*, NULL
	FROM line x
	ORDER BY 1, 2
	LOOP
		CONTINUE WHEN v.value IS NULL;
		step := step + 1;
		name := v.name;
		value := v.value;
		unit := v.unit;
		formula := coalesce(v.expression, v.source);
		calculation := coalesce(v.calculation,
			in_numbers(v.expression, names, amounts));
		names := names || name;
		amounts := amounts || value;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.explain(text, text, timestamptz) IS
'Every number behind an item''s tier and quantity in the order of the calculation, computed at as_of (the decider''s clock at the earliest) from the state and what waits in the inbox. formula says how a number follows from those above it, or where it comes from; calculation is the formula in numbers, which a pocket calculator or SELECT can redo; NULL where it is no expression. An unknown item is an error.';
