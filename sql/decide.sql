---------------------------------------------------------------------------
-- Deciding: from the inbox to state, from state to tiers, from tiers to events.
---------------------------------------------------------------------------

CREATE TYPE replenish.item_key AS (
	sku text COLLATE "C",
	location text COLLATE "C"
);
COMMENT ON TYPE replenish.item_key IS 'An item: one SKU at one location.';

CREATE FUNCTION replenish.become_decider() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_become_decider'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.become_decider() IS
'Waits until no other session decides; this one does until its transaction ends. Refused in REPEATABLE READ and SERIALIZABLE transactions and during recovery.';

CREATE FUNCTION replenish.wake() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_wake'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.wake() IS
'Has the worker look at the inbox when this transaction has committed.';

CREATE FUNCTION replenish.inbox_waits() RETURNS boolean
	AS 'MODULE_PATHNAME', 'replenish_inbox_waits'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.inbox_waits() IS
'Whether any movement waits in the inbox.';

CREATE FUNCTION replenish.trim_inbox(now timestamptz) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_trim_inbox'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.trim_inbox(timestamptz) IS
'Gives the pages of the half of the inbox that is not in turn at that moment back to the system, where it has many and nobody can see a row in it any more. It never waits, and no order waits for it. For the decider only.';

CREATE FUNCTION replenish.drain(clock timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_drain'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.drain(timestamptz) IS
'Takes every movement from the inbox, exactly once, summed. kind demand: a summary up to the clock, by source, sku, location and channel; stock: units by source, sku and location; postponed: demand dated after the clock, in micro-units by minute; fault: rows that cannot be counted, their reason in channel and their number in amount; touch: items to look at again. For the decider only.';

CREATE FUNCTION replenish.pending(clock timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_pending'
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 20
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION replenish.pending(timestamptz) IS
'What drain() would take, left where it is. It takes no predicate locks, so that a SERIALIZABLE report never makes an order fail.';

CREATE FUNCTION replenish.absorb(state replenish.demand,
	delta replenish.demand) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_absorb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.absorb(replenish.demand, replenish.demand) IS
'The sum of two summaries, for the decider: where a bucket would overflow it warns and returns the first as it was, so that one poisoned item stops no other.';

-- Adds the inbox to the state and returns the items that it touched.
CREATE FUNCTION replenish.fold_inbox(clock timestamptz)
	RETURNS replenish.item_key[]
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	touched item_key[];
BEGIN
	WITH taken AS MATERIALIZED (
		SELECT * FROM drain(clock)
	), demand_kept AS (
		INSERT INTO item_demand AS d (sku, location, channel, source, demand)
		SELECT t.sku, t.location, t.channel, t.source, t.demand
		FROM taken t WHERE t.kind = 'demand'
		ON CONFLICT ON CONSTRAINT item_demand_pkey DO UPDATE
			SET demand = absorb(d.demand, excluded.demand)
	), stock_kept AS (
		INSERT INTO item_stock AS s (sku, location, source,
			on_hand, reserved, on_order)
		SELECT t.sku, t.location, t.source, t.on_hand, t.reserved, t.on_order
		FROM taken t WHERE t.kind = 'stock'
		ON CONFLICT ON CONSTRAINT item_stock_pkey DO UPDATE
			SET on_hand = trim_scale(s.on_hand + excluded.on_hand),
				reserved = trim_scale(s.reserved + excluded.reserved),
				on_order = trim_scale(s.on_order + excluded.on_order)
	), later_kept AS (
		INSERT INTO postponed AS l (source, sku, location, channel, minute,
			amount)
		SELECT t.source, t.sku, t.location, t.channel, t.minute, t.amount
		FROM taken t WHERE t.kind = 'postponed'
		ON CONFLICT ON CONSTRAINT postponed_pkey DO UPDATE
			-- as absorb(): what no number can hold stops no other item
			SET amount = CASE WHEN l.amount::numeric + excluded.amount
					BETWEEN -9e18 AND 9e18 THEN l.amount + excluded.amount
				ELSE l.amount END
	), faults_kept AS (
		INSERT INTO fault AS f (source, code, rows, first_at, last_at)
		SELECT t.source, t.channel, t.amount, clock, clock
		FROM taken t WHERE t.kind = 'fault'
		ON CONFLICT ON CONSTRAINT fault_pkey DO UPDATE
			SET rows = f.rows + excluded.rows,
				first_at = CASE WHEN f.rows = 0 THEN excluded.first_at
					ELSE f.first_at END,
				last_at = excluded.last_at
	)
	SELECT array_agg(DISTINCT (t.sku, t.location)::item_key)
	FROM taken t
	WHERE t.kind IN ('demand', 'stock', 'touch')
	INTO touched;
	-- wrong dates that were put right
	DELETE FROM postponed WHERE amount = 0;
	RETURN touched;
END $$;
COMMENT ON FUNCTION replenish.fold_inbox(timestamptz) IS
'Adds everything in the inbox to the state and returns the items to decide. For the decider only.';

-- Brings what was dated ahead, and is not any more, back through the door.
CREATE FUNCTION replenish.admit_postponed(clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	WITH due AS (
		DELETE FROM postponed
		WHERE minute <= floor(extract(epoch FROM clock) / 60)
		RETURNING *
	)
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	SELECT amount, minute, source, 'd', sku, location, channel
	FROM due;
END $$;
COMMENT ON FUNCTION replenish.admit_postponed(timestamptz) IS
'Puts demand whose minute has come back into the inbox. For the decider only.';

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
	SET jit = off AS $$
DECLARE
	events bigint;
BEGIN
	PERFORM refresh_typical(keys, clock, started_at);
	WITH assessed AS MATERIALIZED (
		SELECT k.sku, k.location, a.*, stock.on_hand, stock.reserved,
			stock.on_order, coalesce(i.since, clock) AS since,
			coalesce(i.tier, 'normal') AS old_tier,
			coalesce(i.epoch, 0)
				+ (coalesce(i.tier, 'normal') = 'normal'
					AND a.tier <> 'normal')::integer AS epoch
		FROM unnest(keys) k
		LEFT JOIN item i ON i.sku = k.sku AND i.location = k.location
		CROSS JOIN LATERAL (
			SELECT coalesce(demand_merge(d.demand), '{}') AS demand,
				count(*) = 0 AS none
			FROM item_demand d
			WHERE d.sku = k.sku AND d.location = k.location) history
		CROSS JOIN LATERAL (
			SELECT count(*) > 0 AS known,
				coalesce(sum(s.on_hand), 0) AS on_hand,
				coalesce(sum(s.reserved), 0) AS reserved,
				coalesce(sum(s.on_order), 0) AS on_order
			FROM item_stock s
			JOIN source o ON o.id = s.source AND o.active
			WHERE s.sku = k.sku AND s.location = k.location) stock
		LEFT JOIN typical ON typical.location = k.location AND history.none
			AND stock.known AND is_new(i.since, clock, started_at)
		CROSS JOIN LATERAL assess(clock, k.sku, k.location, history.demand,
			stock.known, stock.on_hand, stock.reserved, stock.on_order,
			coalesce(i.position_tier, 'normal'), typical.threshold) a
	), kept AS (
		INSERT INTO item AS i (sku, location, since, on_hand, reserved,
			on_order, velocity, sold_24h, same_period, forecast, forecast_sd,
			lead_time, threshold, safety_stock, target, tier, position_tier,
			reason, epoch, stockout_eta, order_by, reorder_qty, assumed,
			decided_at, next_check)
		SELECT a.sku, a.location, a.since, a.on_hand, a.reserved,
			a.on_order, a.velocity, coalesce(a.sold_24h, 0), a.same_period,
			a.forecast, a.forecast_sd, a.lead_time, a.threshold,
			a.safety_stock, a.target, a.tier, a.position_tier, a.reason,
			a.epoch, a.stockout_eta, a.order_by, a.reorder_qty, a.assumed,
			clock, a.next_check
		FROM assessed a
		ON CONFLICT ON CONSTRAINT item_pkey DO UPDATE SET
			on_hand = excluded.on_hand,
			reserved = excluded.reserved,
			on_order = excluded.on_order,
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
				'review_period', a.review_period, 'assumed', a.assumed)
		FROM assessed a
		WHERE a.tier <> a.old_tier AND last_seq IS NOT NULL
		RETURNING 1
	)
	SELECT count(*) FROM changed INTO events;
	RETURN events;
END $$;
COMMENT ON FUNCTION replenish.decide(replenish.item_key[], timestamptz, timestamptz, bigint) IS
'Decides the given items, each once, at the clock; started_at is when the first decision was made; appends an event for each change of tier, numbered from last_seq + 1, and returns how many; with last_seq NULL nothing is announced. For the decider only.';

CREATE FUNCTION replenish.is_due(as_of timestamptz) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off AS $$
BEGIN
	RETURN inbox_waits()
		OR EXISTS (SELECT FROM item WHERE next_check <= as_of)
		OR EXISTS (SELECT FROM postponed
			WHERE minute <= floor(extract(epoch FROM as_of) / 60));
END $$;
COMMENT ON FUNCTION replenish.is_due(timestamptz) IS
'Whether tick() would find anything to do at that moment.';

CREATE FUNCTION replenish.tick(as_of timestamptz DEFAULT now(),
	OUT decided bigint, OUT events bigint)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	clock timestamptz;
	started_at timestamptz;
	first_seq bigint;
	live_at timestamptz;
	touched item_key[];
BEGIN
	IF as_of IS NULL OR NOT isfinite(as_of)
		OR as_of < '1970-01-01 00:00:00+00' OR as_of >= '3000-01-01 00:00:00+00' THEN
		RAISE EXCEPTION 'argument "as_of" must be a moment from 1970 to 2999'
			USING ERRCODE = 'datetime_field_overflow';
	END IF;
	PERFORM become_decider();
	SELECT greatest(d.clock, as_of), d.started_at, d.last_seq + 1, d.live_at
	FROM decider d INTO clock, started_at, first_seq, live_at;
	clock := coalesce(clock, as_of);
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
		touched := fold_inbox(clock);
	END IF;
	LOOP
		-- what was touched first, then what is due, a thousand at a time
		IF touched IS NULL THEN
			SELECT array_agg((d.sku, d.location)::item_key)
			FROM (SELECT i.sku, i.location FROM item i
				WHERE i.next_check <= clock
				ORDER BY i.next_check LIMIT 1000) d
			INTO touched;
			EXIT WHEN touched IS NULL;
		END IF;
		events := events + decide(touched, clock, started_at,
			CASE WHEN live_at IS NOT NULL THEN first_seq - 1 + events END);
		decided := decided + cardinality(touched);
		touched := NULL;
	END LOOP;

	IF decided > 0 THEN
		INSERT INTO decider AS d (clock, started_at, last_seq, decided_at,
			live_at)
		VALUES (clock, started_at, first_seq - 1 + events, clock_timestamp(),
			live_at)
		ON CONFLICT (one) DO UPDATE SET clock = excluded.clock,
			last_seq = excluded.last_seq, decided_at = excluded.decided_at,
			live_at = excluded.live_at;
	END IF;
	IF events > 0 THEN
		PERFORM announce(first_seq, first_seq - 1 + events);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.tick(timestamptz) IS
'Decides: takes what waits in the inbox, decides the items that it touches and those whose time has come, appends an event for each change of tier and notifies channel replenish, unless the start is quiet; see go_live(). as_of is the decider''s clock; one earlier than the last is taken as the last. Waits for another decider; refused in REPEATABLE READ and SERIALIZABLE transactions. Returns how many items were decided and how many events that made.';
