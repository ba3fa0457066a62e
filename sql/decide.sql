---------------------------------------------------------------------------
-- Deciding: from state to tiers, from tiers to events.
---------------------------------------------------------------------------

-- New is what came after the first day, a fortnight ago at most.
CREATE FUNCTION replenish.is_new(since timestamptz, clock timestamptz,
	started_at timestamptz) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(since, clock)
			> greatest(clock - interval '14 days', started_at + interval '1 day');
	END;
COMMENT ON FUNCTION replenish.is_new(timestamptz, timestamptz, timestamptz) IS
'Whether an item that was first seen at since (NULL: now) is new at the clock: at most 14 days old, and not from the day on which the first decision was made.';

CREATE FUNCTION replenish.refresh_typical(keys replenish.item_key[],
	clock timestamptz, started_at timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF NOT is_new(NULL, clock, started_at) THEN
		RETURN;
	END IF;
	INSERT INTO typical AS t (location, threshold, computed_at)
	SELECT n.location, (SELECT percentile_disc(0.5)
			WITHIN GROUP (ORDER BY i.threshold)
		FROM item i
		WHERE i.location = n.location AND i.threshold > 0
			AND NOT 'threshold' = ANY (i.assumed)), clock
	FROM (SELECT DISTINCT k.location FROM unnest(keys) k
		LEFT JOIN item i ON i.sku = k.sku AND i.location = k.location
		WHERE is_new(i.since, clock, started_at)
			AND NOT EXISTS (SELECT FROM item_demand d
				WHERE d.sku = k.sku AND d.location = k.location)
			AND NOT EXISTS (SELECT FROM typical o WHERE o.location = k.location
				AND o.computed_at > clock - interval '1 day')) n
	ON CONFLICT ON CONSTRAINT typical_pkey DO UPDATE
		SET threshold = excluded.threshold, computed_at = excluded.computed_at;
END $$;
COMMENT ON FUNCTION replenish.refresh_typical(replenish.item_key[], timestamptz, timestamptz) IS
'Computes the median threshold of the locations where the given items are new and have no demand, unless it is less than a day old. For the decider only.';

-- Few items of many: never read a whole table, whatever its statistics say.
CREATE FUNCTION replenish.decide(keys replenish.item_key[], clock timestamptz,
	started_at timestamptz, last_seq bigint) RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	-- the same facts whoever decides; and a day is 24 hours
	SET timezone = 'UTC'
	SET intervalstyle = 'postgres'
	SET extra_float_digits = 1
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
	-- the plan is always the same one, and costs more than what it does
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	events bigint;
	back bigint;
	used signal_use := signals_in_use(clock);
BEGIN
	PERFORM refresh_typical(keys, clock, started_at);
	PERFORM record_shows(keys, clock);
	WITH assessed AS MATERIALIZED (
		SELECT k.sku, k.location, a.*, i.out_since AS was_out_since, stock.on_hand,
			stock.reserved,
			stock.on_order + coalesce(signals.on_order, 0) AS on_order,
			signals.next_arrival_at, signals.channel, stock.snapshot_at, stock.coming_at,
			history.none AND NOT stock.known AND stock.coming_at IS NULL
				AND signals.on_order IS NULL AS nothing,
			a.assumed || CASE WHEN stock.overdue THEN '{on_hand}'
				ELSE '{}' END::text[] AS all_assumed,
			coalesce(i.since, clock) AS since,
			coalesce(i.tier, 'normal') AS old_tier,
			-- one that was gone for a while goes on counting
			coalesce(i.epoch, (SELECT e.epoch FROM event e
				WHERE e.sku = k.sku AND e.location = k.location
				ORDER BY e.seq DESC LIMIT 1), 0)
				+ (coalesce(i.tier, 'normal') = 'normal'
					AND a.tier <> 'normal')::integer AS epoch
		FROM unnest(keys) k
		LEFT JOIN item i ON i.sku = k.sku AND i.location = k.location
		CROSS JOIN LATERAL demand_of(k.sku, k.location) history
		CROSS JOIN LATERAL stock_of(k.sku, k.location, clock, history.demand,
			false) stock
		CROSS JOIN LATERAL signals_of(k.sku, k.location, clock, false,
			history.demand, coalesce(i.out_since, 'infinity'),
			signals_used(used, i.out_since)) signals
		LEFT JOIN typical ON typical.location = k.location AND history.none
			AND stock.known AND is_new(i.since, clock, started_at)
		CROSS JOIN LATERAL assess(clock, k.sku, k.location, history.demand,
			stock.known, stock.on_hand, stock.reserved,
			stock.on_order, coalesce(i.position_tier, 'normal'),
			typical.threshold, signals, coalesce(i.tier, 'normal'),
			i.worsened_at, i.out_since) a
	), gone AS (
		-- nothing is known of it any more, but for what it was
		DELETE FROM item i USING assessed a
		WHERE i.sku = a.sku AND i.location = a.location AND a.nothing
	), kept AS (
		INSERT INTO item AS i (sku, location, since, on_hand, reserved,
			on_order, snapshot_at, velocity, sold_24h, same_period, forecast, forecast_sd,
			lead_time, threshold, safety_stock, target, tier, position_tier,
			reason, epoch, stockout_eta, order_by, reorder_qty, assumed,
			decided_at, next_check, next_arrival_at, worsened_at, channel,
			scenario, units_at_risk, gmv_at_risk, turnover, rank_by,
			sold_today, lack, buffer, moq, multiple, maximum, out_since)
		SELECT a.sku, a.location, a.since, a.on_hand, a.reserved,
			a.on_order, a.snapshot_at, a.velocity, coalesce(a.sold_24h, 0), a.same_period,
			a.forecast, a.forecast_sd, a.lead_time, a.threshold,
			a.safety_stock, a.target, a.tier, a.position_tier, a.reason,
			a.epoch, a.stockout_eta, a.order_by, a.reorder_qty, a.all_assumed,
			clock, least(a.next_check, a.coming_at), a.next_arrival_at, a.worsened_at,
			a.channel, a.scenario, a.units_at_risk, a.gmv_at_risk, a.turnover,
			a.rank_by, a.sold_today, a.lack, a.buffer, a.moq, a.multiple,
			a.maximum, a.out_since
		FROM assessed a WHERE NOT a.nothing
		ON CONFLICT ON CONSTRAINT item_pkey DO UPDATE SET
			on_hand = excluded.on_hand,
			reserved = excluded.reserved,
			on_order = excluded.on_order,
			snapshot_at = excluded.snapshot_at,
			velocity = excluded.velocity,
			sold_24h = excluded.sold_24h,
			same_period = excluded.same_period,
			forecast = excluded.forecast,
			forecast_sd = excluded.forecast_sd,
			lead_time = excluded.lead_time,
			threshold = excluded.threshold,
			safety_stock = excluded.safety_stock,
			target = excluded.target,
			tier = excluded.tier,
			position_tier = excluded.position_tier,
			reason = excluded.reason,
			epoch = excluded.epoch,
			stockout_eta = excluded.stockout_eta,
			order_by = excluded.order_by,
			reorder_qty = excluded.reorder_qty,
			assumed = excluded.assumed,
			decided_at = excluded.decided_at,
			next_arrival_at = excluded.next_arrival_at,
			worsened_at = excluded.worsened_at,
			channel = excluded.channel,
			scenario = excluded.scenario,
			units_at_risk = excluded.units_at_risk,
			gmv_at_risk = excluded.gmv_at_risk,
			turnover = excluded.turnover,
			rank_by = excluded.rank_by,
			sold_today = excluded.sold_today,
			lack = excluded.lack,
			buffer = excluded.buffer,
			moq = excluded.moq,
			multiple = excluded.multiple,
			maximum = excluded.maximum,
			out_since = excluded.out_since,
			-- an indexed column: leave it alone while it is early enough
			next_check = CASE WHEN i.next_check > clock
				THEN least(i.next_check, excluded.next_check)
				ELSE excluded.next_check END
	), changed AS (
		INSERT INTO event (seq, type, sku, location, epoch, from_tier, to_tier,
			reason, occurred_at, facts)
		SELECT last_seq + row_number() OVER (ORDER BY a.sku, a.location),
			'io.replenish.stock.tier.changed.v1', a.sku, a.location, a.epoch,
			a.old_tier, a.tier, a.reason, clock,
			jsonb_build_object('available', a.available,
				'stock_position', a.stock_position, 'threshold', a.threshold,
				'target', a.target, 'velocity', a.velocity,
				'forecast', a.forecast, 'forecast_sd', a.forecast_sd,
				'stockout_eta', a.stockout_eta, 'reorder_qty', a.reorder_qty,
				'service_level', a.service_level, 'lead_time', a.lead_time,
				'lead_time_sd', a.lead_time_sd,
				'review_period', a.review_period,
				'next_arrival_at', a.next_arrival_at,
				'units_at_risk', a.units_at_risk, 'gmv_at_risk', a.gmv_at_risk,
				'assumed', a.all_assumed)
		FROM assessed a
		WHERE a.tier <> a.old_tier AND last_seq IS NOT NULL
		RETURNING 1
	)
	SELECT (SELECT count(*) FROM changed), (
		-- it is here again
		SELECT count(note_absence(a.sku, a.location, a.was_out_since, clock))
		FROM assessed a
		WHERE a.was_out_since IS NOT NULL AND a.out_since IS NULL
			AND NOT a.nothing)
	INTO events, back;
	IF events > 0 AND (EXISTS (SELECT FROM lane)
			OR EXISTS (SELECT FROM supplier)) THEN
		-- what the others can give is known now
		UPDATE event e SET facts = e.facts || s.facts
		FROM (SELECT n.seq, jsonb_strip_nulls(to_jsonb(o)) AS facts
			FROM event n CROSS JOIN LATERAL supply_of(n.sku, n.location) o
			WHERE n.seq > last_seq AND n.to_tier <> 'normal') s
		WHERE e.seq = s.seq;
	END IF;
	RETURN events;
END $$;
COMMENT ON FUNCTION replenish.decide(replenish.item_key[], timestamptz, timestamptz, bigint) IS
'Decides the given items, each once, at the clock; started_at is when the first decision was made; appends an event for each change of tier, numbered from last_seq + 1, and returns how many; with last_seq NULL nothing is announced. For the decider only.';

-- What is on the shelf shows at once: the views add what still waits.
CREATE FUNCTION replenish.refresh_quantities(keys replenish.item_key[],
	clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	used signal_use := signals_in_use(clock);
BEGIN
	UPDATE item i SET on_hand = stock.on_hand, reserved = stock.reserved,
		on_order = stock.on_order + coalesce(inbound.on_order, 0),
		snapshot_at = stock.snapshot_at
	FROM unnest(keys) k
	CROSS JOIN LATERAL demand_of(k.sku, k.location) history
	CROSS JOIN LATERAL stock_of(k.sku, k.location, clock, history.demand,
		false) stock
	CROSS JOIN LATERAL signals_of(k.sku, k.location, clock, false,
		history.demand, 'infinity', used) inbound
	WHERE i.sku = k.sku AND i.location = k.location
		AND (i.on_hand, i.reserved, i.on_order, i.snapshot_at)
			IS DISTINCT FROM (stock.on_hand, stock.reserved,
				stock.on_order + coalesce(inbound.on_order, 0),
				stock.snapshot_at);
EXCEPTION WHEN OTHERS THEN
	-- what is wrong with one of them shows when it is decided
	IF NOT is_items_fault(SQLSTATE) THEN
		RAISE;
	END IF;
END $$;
COMMENT ON FUNCTION replenish.refresh_quantities(replenish.item_key[], timestamptz) IS
'Brings the quantities of the given items up to date without deciding them; of none of them where the values of one cause an error. For the decider only.';

-- Half of what is known of an item would raise alerts that nobody needs.
CREATE FUNCTION replenish.put_off(keys replenish.item_key[], clock timestamptz)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	INSERT INTO undecided (sku, location)
	SELECT k.sku, k.location FROM unnest(keys) k
	ON CONFLICT ON CONSTRAINT undecided_pkey DO NOTHING;
	PERFORM refresh_quantities(keys, clock);
END $$;
COMMENT ON FUNCTION replenish.put_off(replenish.item_key[], timestamptz) IS
'Has the given items decided when the whole backlog has come; their quantities are brought up to date at once. For the decider only.';

-- An item that cannot be decided stops no other: halve until it is alone.
CREATE FUNCTION replenish.decide_each(keys replenish.item_key[],
	clock timestamptz, started_at timestamptz, last_seq bigint)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	middle integer := cardinality(keys) / 2;
	events bigint;
BEGIN
	BEGIN
		events := decide(keys, clock, started_at, last_seq);
		DELETE FROM failure f USING unnest(keys) k
		WHERE f.what = 'item' AND f.sku = k.sku AND f.location = k.location;
		RETURN events;
	EXCEPTION WHEN OTHERS THEN
		IF NOT is_items_fault(SQLSTATE) THEN
			RAISE;
		END IF;
		IF cardinality(keys) = 1 THEN
			RAISE WARNING 'replenish could not decide item "%" at "%": %',
				keys[1].sku, keys[1].location, SQLERRM
				USING HINT = 'See replenish.health().';
			PERFORM item_failed(keys[1].sku, keys[1].location, clock, SQLERRM);
			RETURN 0;
		END IF;
	END;
	events := decide_each(keys[:middle], clock, started_at, last_seq);
	RETURN events + decide_each(keys[middle + 1:], clock, started_at,
		last_seq + events);
END $$;
COMMENT ON FUNCTION replenish.decide_each(replenish.item_key[], timestamptz, timestamptz, bigint) IS
'As decide(), but an item whose values cause an error is left as it was and noted in failure; what is wrong with all of them is an error. For the decider only.';

CREATE FUNCTION replenish.take_undecided(max bigint)
	RETURNS replenish.item_key[]
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off AS $$
DECLARE
	taken item_key[];
BEGIN
	WITH gone AS (
		DELETE FROM undecided u
		USING (SELECT o.sku, o.location FROM undecided o
			ORDER BY o.sku, o.location LIMIT take_undecided.max) n
		WHERE u.sku = n.sku AND u.location = n.location
		RETURNING u.sku, u.location
	)
	SELECT array_agg((g.sku, g.location)::item_key) FROM gone g INTO taken;
	RETURN taken;
END $$;
COMMENT ON FUNCTION replenish.take_undecided(bigint) IS
'Takes at most so many of the items that were put off; NULL where there are none. For the decider only.';

-- Behind an old snapshot the index keeps every moment that an item was ever
-- due at: what came before the last decision is not searched again.
CREATE FUNCTION replenish.due_items(since timestamptz, clock timestamptz,
	max bigint)
	RETURNS replenish.item_key[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT array_agg((d.sku, d.location)::item_key)
		FROM (SELECT i.sku, i.location FROM item i
			WHERE i.next_check > due_items.since
				AND i.next_check <= due_items.clock
				AND NOT EXISTS (SELECT FROM undecided u
					WHERE u.sku = i.sku AND u.location = i.location)
			ORDER BY i.next_check LIMIT due_items.max) d);
END $$;
COMMENT ON FUNCTION replenish.due_items(timestamptz, timestamptz, bigint) IS
'At most so many of the items that are to be decided after the moment since and by the clock though nothing moved, the earliest first; NULL where there are none. For the decider only.';

CREATE FUNCTION replenish.prune_sold(clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off AS $$
BEGIN
	DELETE FROM sold
	WHERE minute < minute_of(coalesce(sold_since(clock), clock));
END $$;
COMMENT ON FUNCTION replenish.prune_sold(timestamptz) IS
'Forgets the demand by the minute that no snapshot asks for any more. For the decider only.';

CREATE FUNCTION replenish.is_due(as_of timestamptz) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN inbox_waits()
		OR EXISTS (SELECT FROM undecided)
		OR EXISTS (SELECT FROM item
			WHERE next_check > coalesce((SELECT d.clock FROM decider d),
					'-infinity')
				AND next_check <= as_of)
		OR EXISTS (SELECT FROM postponed
			WHERE minute <= minute_of(as_of))
		OR EXISTS (SELECT FROM failure WHERE what = 'notify')
			AND can_notify();
END $$;
COMMENT ON FUNCTION replenish.is_due(timestamptz) IS
'Whether tick() would find anything to do at that moment.';

CREATE FUNCTION replenish.tick(as_of timestamptz DEFAULT now(),
	OUT decided bigint, OUT events bigint)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	clock timestamptz;
	previous_clock timestamptz;
	started_at timestamptz;
	first_seq bigint;
	live_at timestamptz;
	touched item_key[];
	part bigint;
	-- of a backlog: the items of this part, whether there is more, how many of
	-- the items that were put off are decided now
	counted item_key[];
	waiting boolean := false;
	put_off_left bigint := 0;
BEGIN
	IF as_of IS NULL OR NOT isfinite(as_of)
		OR as_of < '1970-01-01 00:00:00+00' OR as_of >= '3000-01-01 00:00:00+00' THEN
		RAISE EXCEPTION 'argument "as_of" must be a moment from 1970 to 2999'
			USING ERRCODE = 'datetime_field_overflow';
	END IF;
	-- it also loads the library, without which the settings are not known
	PERFORM become_decider();
	-- whoever ticks by himself is not to tick twice; a worker never stays long
	part := CASE current_setting('replenish.evaluate')
		WHEN 'manual' THEN NULL ELSE 2000 END;
	SELECT d.clock, d.started_at, d.last_seq + 1, d.live_at
	FROM decider d INTO previous_clock, started_at, first_seq, live_at;
	clock := greatest(previous_clock, as_of);
	IF live_at IS NULL AND NOT current_setting('replenish.quiet_start')::boolean THEN
		live_at := clock;
	END IF;
	started_at := coalesce(started_at, clock);
	first_seq := coalesce(first_seq, 1);
	decided := 0;
	events := 0;

	PERFORM trim_inbox(clock_timestamp());
	PERFORM admit_postponed(clock);
	IF inbox_waits() THEN
		touched := fold_inbox(clock, 0);
	END IF;
	IF backlog_waits() THEN
		counted := fold_inbox(clock, coalesce(part, 1000000000));
		waiting := backlog_waits();
		IF waiting THEN
			PERFORM put_off(counted, clock);
		ELSE
			touched := ARRAY(SELECT unnest(touched)
				UNION SELECT unnest(counted));
		END IF;
	END IF;
	IF EXISTS (SELECT FROM undecided) THEN
		IF waiting THEN
			-- what moved meanwhile waits with the rest
			SELECT array_agg(k) FILTER (WHERE u.sku IS NOT NULL),
				array_agg(k) FILTER (WHERE u.sku IS NULL)
			FROM unnest(touched) k
			LEFT JOIN undecided u ON u.sku = k.sku AND u.location = k.location
			INTO counted, touched;
			PERFORM put_off(counted, clock);
		ELSE
			DELETE FROM undecided u USING unnest(touched) t
			WHERE u.sku = t.sku AND u.location = t.location;
			put_off_left := coalesce(part, 1000000000);
		END IF;
	END IF;
	LOOP
		-- what was touched first, then what was put off, then what is due, a
		-- thousand at a time
		IF touched IS NULL AND put_off_left > 0 THEN
			touched := take_undecided(least(put_off_left, 1000));
			put_off_left := put_off_left - 1000;
		END IF;
		IF touched IS NULL THEN
			-- a decision leaves nothing due by its clock; each hour it is made
			-- sure of that
			touched := due_items(CASE WHEN previous_clock
					>= date_trunc('hour', clock) THEN previous_clock
				ELSE '-infinity' END, clock, 1000);
			EXIT WHEN touched IS NULL;
		END IF;
		events := events + decide_each(touched, clock, started_at,
			CASE WHEN live_at IS NOT NULL THEN first_seq - 1 + events END);
		decided := decided + cardinality(touched);
		touched := NULL;
	END LOOP;

	-- the rest of a backlog, and what came meanwhile
	IF inbox_waits() OR EXISTS (SELECT FROM undecided) THEN
		PERFORM wake();
	END IF;
	-- what was taken was taken for this clock, decided or not
	IF decided > 0 OR waiting THEN
		-- with the clock, or verify() would look for what is gone
		IF date_trunc('hour', clock) > previous_clock THEN
			PERFORM prune_sold(clock);
			PERFORM prune_shows(clock);
		END IF;
		INSERT INTO decider AS d (clock, started_at, last_seq, decided_at,
			live_at)
		VALUES (clock, started_at, first_seq - 1 + events, clock_timestamp(),
			live_at)
		ON CONFLICT (one) DO UPDATE SET clock = excluded.clock,
			last_seq = excluded.last_seq, decided_at = excluded.decided_at,
			live_at = excluded.live_at;
	END IF;
	IF events > 0 OR EXISTS (SELECT FROM failure WHERE what = 'notify') THEN
		PERFORM announce_all(first_seq, first_seq - 1 + events);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.tick(timestamptz) IS
'Decides: takes what waits in the inbox and the backlog (of this 2000 rows at a time, unless replenish.evaluate is manual), decides the items that it touches, those of a backlog when all of it has come, and those whose time has come, appends an event for each change of tier and notifies channel replenish, unless the start is quiet; see go_live(). as_of is the decider''s clock; one earlier than the last is taken as the last. Waits for another decider; refused in REPEATABLE READ and SERIALIZABLE transactions. Returns how many items were decided and how many events that made.';
