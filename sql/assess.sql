---------------------------------------------------------------------------
-- Assessing: the parameters of one item, and everything that follows from
-- them and its state.
---------------------------------------------------------------------------

-- The whole calculation for one item, from its state; see explain().  The
-- planner puts it in line, so each pass pays for it once; OFFSET 0 keeps what
-- is used several times from being computed as often.
CREATE FUNCTION replenish.assess(as_of timestamptz, sku text, location text,
	demand replenish.demand, stock_known boolean, on_hand numeric,
	reserved numeric, on_order numeric, previous replenish.tier,
	typical_threshold float8, signals replenish.signals,
	last_tier replenish.tier, worsened_at timestamptz,
	out_since timestamptz)
	RETURNS TABLE (service_level float8, lead_time interval,
		lead_time_sd interval, review_period interval, order_cycle interval,
		buffer float8, exit_margin float8, moq float8, multiple float8,
		maximum float8, fixed_threshold float8, available float8, stock_position float8,
		velocity float8, sold_24h float8, same_period float8, forecast float8,
		forecast_sd float8, threshold float8, safety_stock float8,
		cycle_demand float8, target float8, position_tier replenish.tier,
		tier replenish.tier, reason text, stockout_eta timestamptz,
		order_by timestamptz, reorder_qty float8, assumed text[],
		next_check timestamptz, scenario text, burst_evidence float8,
		hold interval, holding_cost float8, rank_by text,
		worsened_at timestamptz, units_at_risk float8, gmv_at_risk float8,
		turnover float8, sold_today float8, lack float8,
		out_since timestamptz, surge boolean, surge_ratio float8, surge_cover interval)
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT service.level, lead.lead_time, lead.lead_time_sd,
			p.review_period, p.order_cycle, lead.buffer, p.exit_margin,
			pack.moq, pack.multiple,
			limits.maximum, p.fixed_threshold, stock.available,
			stock.stock_position,
			velocity, sold_24h, same_period, f.mean, f.sd,
			line.threshold, line.threshold - f.mean, cycle.mean, line.target,
			position_tier,
			CASE WHEN held.by THEN last_tier ELSE seen.tier END,
			CASE WHEN NOT stock_known THEN 'no_stock_record'
				WHEN held.by THEN 'held'
				WHEN surge.tier > greatest(shelf.tier, position_tier)
					THEN 'audience_surge'
				WHEN shelf.tier > position_tier THEN 'shelf'
				WHEN position_tier <> 'normal' THEN 'position'
				WHEN line.threshold = 0 THEN 'no_demand'
				ELSE 'covered' END,
			eta, CASE WHEN (signals).cut_off
				THEN replenish.last_order_at(assess.location, order_by, as_of)
				ELSE order_by END,
			CASE WHEN stock_known THEN reorder_qty ELSE 0 END,
			CASE WHEN service.by_margin
					THEN pg_catalog.array_remove(lead.assumed, 'service_level')
					ELSE lead.assumed END
				|| CASE WHEN (signals).no_rate THEN '{currency}'
					ELSE '{}' END::text[]
				|| CASE WHEN stock_known THEN '{}' ELSE '{on_hand}' END::text[]
				|| CASE WHEN p.fixed_threshold IS NULL AND line.is_typical
					THEN '{threshold}' ELSE '{}' END::text[],
			-- the nearer the end of the shelf, the sooner again; at the latest
			-- when the day is complete
			least((signals).changes_at,
				CASE WHEN held.by THEN assess.worsened_at + p.hold END, CASE WHEN f.mean > 0 OR velocity <> 0 OR line.is_typical THEN
				least((signals).next_arrival_at + interval '1 minute', as_of + CASE WHEN stock.available > 0
						THEN least(greatest(coalesce((eta - as_of) / 20,
							interval '1 day'), interval '1 minute'),
							interval '1 day')
						ELSE interval '1 day' END,
					pg_catalog.date_trunc('day', as_of, 'UTC')
						+ interval '1 day' + interval '1 second'
						* (pg_catalog.hashtext(assess.sku) & 1023))
			END),
			p.scenario, p.burst_evidence, p.hold, p.holding_cost, p.rank_by,
			CASE WHEN seen.tier > last_tier THEN as_of
				WHEN seen.tier = 'normal' AND NOT held.by THEN NULL
				ELSE assess.worsened_at END,
			risk.units, risk.units * (signals).price,
			CASE WHEN on_hand > 0 AND p.order_cycle > interval '0'
				THEN cycle.mean / on_hand::float8 * 31536000
					/ extract(epoch FROM p.order_cycle)::float8 END,
			CASE WHEN today.began < as_of THEN replenish.demand_velocity(demand,
					as_of, as_of - today.began)
				* extract(epoch FROM as_of - today.began)::float8 / 3600
				ELSE 0 END,
			CASE WHEN stock_known THEN greatest(
				CASE WHEN stock.stock_position < line.threshold
					THEN line.target - stock.stock_position END,
				-- the shelf until something comes
				CASE WHEN surge.tier > 'normal'
					THEN line.target - stock.stock_position END,
				CASE WHEN shelf.tier > 'normal' THEN
					(replenish.demand_forecast(d.usual, as_of,
						least(greatest(coalesce((signals).next_arrival_at - as_of,
							lead.lead_time), interval '0'),
							interval '366 days'), (signals).outlook)).mean
					- stock.available END, 0) END,
			CASE WHEN stock_known AND stock.available <= 0
				THEN coalesce(assess.out_since, as_of) END,
			surge.tier > 'normal', p.surge_ratio, p.surge_cover
		FROM (SELECT * FROM replenish.resolve_policy(assess.sku,
			assess.location, (signals).channel) OFFSET 0) p
		-- its supplier's, or the record of its route, where policy is silent
		CROSS JOIN LATERAL (SELECT
			CASE WHEN 'lead_time' = ANY (p.assumed)
				THEN (signals).lead_time END AS lead_time,
			CASE WHEN 'lead_time_sd' = ANY (p.assumed)
				THEN (signals).lead_time_sd END AS lead_time_sd,
			CASE WHEN 'buffer' = ANY (p.assumed) AND (signals).receipts >= 5
				THEN 0.2 + 0.1 * (signals).late_share END AS buffer) route
		CROSS JOIN LATERAL (SELECT
			least(coalesce(route.lead_time, p.lead_time)
				* coalesce((signals).lead_time_factor, 1), interval '366 days')
				AS lead_time,
			least(coalesce(route.lead_time_sd, p.lead_time_sd)
				* coalesce((signals).lead_time_factor, 1), interval '366 days')
				AS lead_time_sd,
			coalesce(route.buffer, p.buffer) AS buffer,
			CASE WHEN (signals).lead_time IS NULL
					AND (signals).lead_time_sd IS NULL THEN p.assumed
				ELSE ARRAY(SELECT a.name FROM pg_catalog.unnest(p.assumed)
					WITH ORDINALITY a (name, n)
					WHERE CASE a.name
						WHEN 'lead_time' THEN (signals).lead_time IS NULL
						WHEN 'lead_time_sd' THEN (signals).lead_time_sd IS NULL
						WHEN 'buffer' THEN route.buffer IS NULL
						ELSE true END
					ORDER BY a.n) END AS assumed) lead
		CROSS JOIN LATERAL (SELECT coalesce(p.moq, (signals).moq, 0)
				AS moq,
			coalesce(p.multiple, (signals).multiple, 1) AS multiple) pack
		CROSS JOIN LATERAL (SELECT CASE
			WHEN 'service_level' = ANY (p.assumed)
				THEN replenish.margin_service_level((signals).price,
					(signals).cost, p.holding_cost, p.order_cycle)
			END AS level) margin
		CROSS JOIN LATERAL (SELECT coalesce(margin.level, p.service_level)
			AS level, margin.level IS NOT NULL AS by_margin) service
		-- fields from different rows of policy may contradict each other
		CROSS JOIN LATERAL (SELECT greatest(p.maximum, pack.moq) AS maximum,
			least(p.review_period, interval '366 days' - lead.lead_time)
				AS review_period) limits
		CROSS JOIN LATERAL (SELECT (on_hand - reserved)::float8 AS available,
			(on_hand - reserved + on_order
				+ coalesce((signals).on_order, 0))::float8
				AS stock_position) stock
		-- what shows and factors did to it is not expected again
		CROSS JOIN LATERAL (SELECT coalesce((signals).demand, assess.demand)
			AS usual, coalesce((signals).wanted, assess.demand) AS wanted) d
		CROSS JOIN LATERAL replenish.demand_threshold(d.usual, as_of,
			lead.lead_time, lead.lead_time_sd, limits.review_period,
			service.level, (signals).outlook) f
		CROSS JOIN LATERAL replenish.demand_forecast(d.usual, as_of,
			p.order_cycle, (signals).outlook) cycle
		CROSS JOIN LATERAL replenish.burst_velocity(d.wanted, as_of,
			p.burst_evidence) velocity
		CROSS JOIN LATERAL replenish.demand_velocity(demand, as_of,
			interval '24 hours') rate_24h
		CROSS JOIN LATERAL (SELECT rate_24h * 24 AS sold_24h) day
		CROSS JOIN LATERAL replenish.demand_same_period(d.wanted, as_of,
			interval '24 hours', interval '7 days') same_period
		CROSS JOIN LATERAL (SELECT
			p.fixed_threshold IS NULL AND typical_threshold IS NOT NULL
				AS is_typical,
			coalesce(p.fixed_threshold, typical_threshold, f.threshold)
				AS threshold) base
		CROSS JOIN LATERAL (SELECT base.is_typical, base.threshold,
			greatest(base.threshold + cycle.mean, 1.5 * base.threshold)
				AS target) line
		CROSS JOIN LATERAL replenish.alert_level(stock.stock_position,
			line.threshold,
			CASE WHEN stock.stock_position >= line.target THEN 'normal'
				ELSE previous END,
			p.exit_margin) position_tier
		CROSS JOIN LATERAL replenish.stockout_eta(stock.available, d.usual,
			as_of, NULL, (signals).outlook, p.burst_evidence) eta
		-- what is at sea fills no shelf: empty before the next arrival is
		-- orange, before half of the wait is over red
		CROSS JOIN LATERAL (SELECT CASE
			WHEN line.threshold <= 0 THEN 'normal'
			WHEN stock.available <= 0 AND velocity > 0 THEN 'red'
			WHEN eta < as_of + ((signals).next_arrival_at - as_of) / 2
				THEN 'red'
			WHEN eta < (signals).next_arrival_at THEN 'orange'
			ELSE 'normal' END::replenish.tier AS tier) shelf
		-- a full room and a shelf that lasts days: both, or it is nothing
		CROSS JOIN LATERAL (SELECT CASE WHEN line.threshold > 0
				AND (signals).audience_ratio >= p.surge_ratio
				AND eta <= as_of + p.surge_cover THEN 'orange'
			ELSE 'normal' END::replenish.tier AS tier) surge
		CROSS JOIN LATERAL (SELECT CASE WHEN NOT stock_known THEN 'normal'
			ELSE greatest(shelf.tier, position_tier, surge.tier) END
			AS tier) seen
		CROSS JOIN LATERAL (SELECT coalesce(stock_known
			AND seen.tier < last_tier AND stock.stock_position < line.target
			AND as_of < assess.worsened_at + p.hold, false) AS by) held
		-- what will be missing when what is ordered now comes
		CROSS JOIN LATERAL (SELECT CASE WHEN stock_known THEN greatest(0,
			(replenish.demand_forecast(d.usual, as_of, lead.lead_time,
				(signals).outlook)).mean - stock.stock_position) END
			AS units OFFSET 0) risk
		CROSS JOIN LATERAL (SELECT pg_catalog.date_trunc('day', as_of,
			coalesce((signals).zone, 'UTC')) AS began) today
		CROSS JOIN LATERAL replenish.stockout_eta(
			greatest(stock.stock_position - line.threshold, 0), d.usual,
			as_of, NULL, (signals).outlook, p.burst_evidence) order_by
		-- a surge orders up to the target though the threshold is not reached
		CROSS JOIN LATERAL replenish.reorder_qty(stock.stock_position,
			CASE WHEN surge.tier > 'normal' THEN line.target
				ELSE line.threshold END, line.target, lead.buffer, pack.moq, pack.multiple,
			limits.maximum) reorder_qty;
	END;
COMMENT ON FUNCTION replenish.assess(timestamptz, text, text, replenish.demand, boolean, numeric, numeric, numeric, replenish.tier, float8, replenish.signals, replenish.tier, timestamptz, timestamptz) IS
'Everything that is decided about one item, from its state: threshold and target, both tiers and their reason, quantity, sell-out and the next moment at which time alone could change them. typical_threshold stands in for the computed threshold of an item without history; NULL for any other. signals is what signals_of() knows of it; last_tier was its tier before, worsened_at when that last became worse, out_since when the last of it went (NULL: there was some).';
