---------------------------------------------------------------------------
-- Folding: from the inbox to state.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.fitting_sum(state bigint, delta numeric)
	RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN state + delta BETWEEN -9e18 AND 9e18
			THEN (state + delta)::bigint ELSE state END;
	END;
COMMENT ON FUNCTION replenish.fitting_sum(bigint, numeric) IS
'The sum of two amounts, or the first where no number can hold it: as absorb(), one poisoned item stops no other.';

-- Joins the lines and headers in the inbox with what is there; the result is
-- demand, which takes the same door.  The join is bilinear, so what changes is
--   new headers x old lines + old headers x new lines + new x new
-- with counts of any sign, in whatever order the two sides came.
CREATE FUNCTION replenish.join_orders(clock timestamptz, backlog bigint)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	-- few rows of many: never a whole table, whatever its statistics say
	SET enable_seqscan = off
	SET jit = off
	-- the plan is always the same one, and costs more than what it does
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	appended bigint;
	-- where the rows are that came and went
	empty_lines tid[];
	empty_headers tid[];
BEGIN
	WITH taken AS MATERIALIZED (
		SELECT * FROM drain(join_orders.clock, NULL, join_orders.backlog, true)
	), lines AS (
		SELECT t.source, t.order_key, t.sku, t.location, t.channel,
			t.minute, t.deleted, t.amount
		FROM taken t WHERE t.kind = 'line'
	), headers AS (
		SELECT t.source, t.order_key, t.location, t.channel, t.minute,
			t.deleted, t.amount AS rows
		FROM taken t WHERE t.kind = 'header'
	), joined AS (
		SELECT h.source, l.sku, h.location || l.location AS location,
			h.channel || l.channel AS channel, h.minute + l.minute AS minute,
			h.deleted, h.rows::numeric * l.amount AS amount
		FROM headers h JOIN order_line l USING (source, order_key)
		UNION ALL
		SELECT h.source, l.sku, h.location || l.location,
			h.channel || l.channel, h.minute + l.minute,
			l.deleted, h.rows::numeric * l.amount
		FROM lines l JOIN order_header h USING (source, order_key)
		UNION ALL
		SELECT h.source, l.sku, h.location || l.location,
			h.channel || l.channel, h.minute + l.minute,
			h.deleted OR l.deleted, h.rows::numeric * l.amount
		FROM lines l JOIN headers h USING (source, order_key)
	), lines_kept AS (
		INSERT INTO order_line AS o (source, order_key, sku, location,
			channel, minute, amount)
		SELECT source, order_key, sku, location, channel, minute,
			fitting_sum(0, sum(amount))
		FROM lines
		GROUP BY source, order_key, sku, location, channel, minute
		HAVING sum(amount) <> 0
		ON CONFLICT ON CONSTRAINT order_line_pkey DO UPDATE
			SET amount = fitting_sum(o.amount, excluded.amount)
		RETURNING o.ctid AS place, o.amount
	), headers_kept AS (
		INSERT INTO order_header AS o (source, order_key, location, channel,
			minute, rows)
		SELECT source, order_key, location, channel, minute, sum(rows)
		FROM headers
		GROUP BY source, order_key, location, channel, minute
		HAVING sum(rows) <> 0
		ON CONFLICT ON CONSTRAINT order_header_pkey DO UPDATE
			SET rows = o.rows + excluded.rows
		RETURNING o.ctid AS place, o.rows
	)
	SELECT count(append(n.amount::bigint, minute, source, n.kind, sku,
		-- a column that neither of them has
		coalesce(nullif(location, ''), 'default'), n.channel)),
		(SELECT array_agg(k.place) FROM lines_kept k WHERE k.amount = 0),
		(SELECT array_agg(k.place) FROM headers_kept k WHERE k.rows = 0)
	FROM (SELECT source, sku, location, channel, minute, deleted,
			sum(amount) AS amount
		FROM joined
		GROUP BY source, sku, location, channel, minute, deleted) j
	CROSS JOIN LATERAL (SELECT amount,
			coalesce(nullif(channel, ''), 'default') AS channel,
			CASE WHEN deleted THEN 'x' ELSE 'd' END::"char" AS kind
		WHERE amount BETWEEN -9e18 AND 9e18 AND amount <> 0
		UNION ALL
		SELECT 1, 'sum_too_large', 'f'
		WHERE amount NOT BETWEEN -9e18 AND 9e18) n
	INTO appended, empty_lines, empty_headers;
	-- an index of them would keep, behind an old snapshot, all there ever were
	DELETE FROM order_line WHERE ctid = ANY (empty_lines);
	DELETE FROM order_header WHERE ctid = ANY (empty_headers);
END $$;
COMMENT ON FUNCTION replenish.join_orders(timestamptz, bigint) IS
'Takes the lines and headers of orders from the inbox, and from so many rows of the backlog, adds them to order_line and order_header, and appends to the inbox what that changes in the demand. For the decider only.';

CREATE FUNCTION replenish.note_load(source integer, minutes integer[])
	RETURNS void
	LANGUAGE sql VOLATILE
	SET search_path = pg_catalog, pg_temp
	BEGIN ATOMIC
		-- a load may take a while: small steps are within one
		INSERT INTO replenish.rhythm AS r (source, minute, gap)
		SELECT note_load.source, max(g.minute),
			percentile_disc(0.5) WITHIN GROUP (ORDER BY g.gap)
		FROM (SELECT n.minute, n.minute - lag(n.minute) OVER (ORDER BY n.minute)
				AS gap
			FROM (SELECT m.minute FROM unnest(minutes) m (minute)
				UNION
				SELECT k.minute FROM replenish.rhythm k
				WHERE k.source = note_load.source) n) g
		LEFT JOIN replenish.rhythm k ON k.source = note_load.source
		WHERE g.minute >= coalesce(k.minute, g.minute)
			AND (g.gap IS NULL OR g.minute = k.minute
				OR g.gap >= greatest(10, k.gap / 4))
		ON CONFLICT ON CONSTRAINT rhythm_pkey DO UPDATE
			SET minute = excluded.minute,
				-- longer at once, shorter when it stays so
				gap = coalesce(greatest(excluded.gap,
					(3 * r.gap + excluded.gap) / 4), r.gap)
			WHERE excluded.minute > r.minute;
	END;
COMMENT ON FUNCTION replenish.note_load(integer, integer[]) IS
'Notes that snapshots of these minutes came to a source, in rhythm. For the decider only.';

-- Adds the inbox to the state and returns the items that it touched.
CREATE FUNCTION replenish.fold_inbox(clock timestamptz, backlog bigint)
	RETURNS replenish.item_key[]
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off
	SET jit = off
	-- the plan is always the same one, and costs more than what it does
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	since timestamptz := sold_since(clock);
	touched item_key[];
	loads bigint;
	inbound bigint;
	rooms room_key[];
BEGIN
	IF EXISTS (SELECT FROM source WHERE header IS NOT NULL) THEN
		PERFORM join_orders(clock, backlog);
	END IF;
	WITH taken AS MATERIALIZED (
		SELECT * FROM drain(clock, since, backlog, false)
	), demand_kept AS (
		INSERT INTO item_demand AS d (sku, location, channel, source, demand)
		SELECT t.sku, t.location, t.channel, t.source, t.demand
		FROM taken t WHERE t.kind = 'demand'
		ON CONFLICT ON CONSTRAINT item_demand_pkey DO UPDATE
			SET demand = absorb(d.demand, excluded.demand)
	), audience_kept AS (
		INSERT INTO room_audience AS a (channel, sku, measure, source, counts)
		SELECT t.channel, t.sku, t.location, t.source, t.demand
		FROM taken t WHERE t.kind = 'audience'
		ON CONFLICT ON CONSTRAINT room_audience_pkey DO UPDATE
			SET counts = absorb(a.counts, excluded.counts)
	), sold_kept AS (
		INSERT INTO sold AS q (sku, minute, location, channel, source, amount)
		SELECT t.sku, t.minute, t.location, t.channel, t.source, t.amount
		FROM taken t WHERE t.kind = 'sold'
		ON CONFLICT ON CONSTRAINT sold_pkey DO UPDATE
			-- as absorb(): what no number can hold stops no other item
			SET amount = fitting_sum(q.amount, excluded.amount)
	), stock_kept AS (
		INSERT INTO item_stock AS s (sku, location, source, minute,
			on_hand, reserved, on_order, rows)
		SELECT t.sku, t.location, t.source, t.minute, t.on_hand,
			t.reserved, t.on_order, t.amount
		FROM taken t WHERE t.kind = 'stock'
		ON CONFLICT ON CONSTRAINT item_stock_pkey DO UPDATE
			SET on_hand = trim_scale(s.on_hand + excluded.on_hand),
				reserved = trim_scale(s.reserved + excluded.reserved),
				on_order = trim_scale(s.on_order + excluded.on_order),
				rows = s.rows + excluded.rows
	), later_kept AS (
		INSERT INTO postponed AS l (source, sku, location, channel, minute,
			amount)
		SELECT t.source, t.sku, t.location, t.channel, t.minute, t.amount
		FROM taken t WHERE t.kind = 'postponed'
		ON CONFLICT ON CONSTRAINT postponed_pkey DO UPDATE
			SET amount = fitting_sum(l.amount, excluded.amount)
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
	SELECT array_agg((n.sku, n.location)::item_key), (
		SELECT count(note_load(l.source, l.minutes))
		FROM (SELECT t.source, array_agg(t.minute) AS minutes FROM taken t
			WHERE t.kind = 'stock' AND t.minute > 0 AND t.amount > 0
				AND t.minute <= minute_of(clock)
			GROUP BY t.source) l), (
		SELECT count(fold_inbound(t.kind, t.source, t.sku, t.location,
			t.channel, t.minute, t.amount))
		FROM taken t WHERE t.kind IN ('inbound', 'on time', 'late')), (
		SELECT array_agg(DISTINCT (t.sku, t.channel)::room_key)
		FROM taken t WHERE t.kind = 'audience')
	FROM (
		SELECT m.sku, p.location
		FROM taken t
		CROSS JOIN LATERAL real_skus(t.sku, t.channel) m
		CROSS JOIN LATERAL real_location(t.location, t.channel) p
		WHERE t.kind IN ('demand', 'sold')
		UNION
		SELECT m.sku, t.location
		FROM taken t CROSS JOIN LATERAL real_skus(t.sku, NULL) m
		WHERE t.kind IN ('stock', 'inbound', 'on time', 'late')
		UNION
		SELECT m.sku, m.location
		FROM taken t
		CROSS JOIN LATERAL touched_items(t.source, t.sku, t.location, t.channel) m
		WHERE t.kind = 'touch') n
	INTO touched, loads, inbound, rooms;
	IF rooms IS NOT NULL THEN
		touched := ARRAY(SELECT unnest(touched)
			UNION SELECT look_into_rooms(rooms, clock));
		touched := nullif(touched, '{}');
	END IF;
	-- what came and went
	DELETE FROM postponed WHERE amount = 0;
	IF inbound > 0 THEN
		PERFORM prune_inbound();
	END IF;
	IF since IS NOT NULL THEN
		DELETE FROM item_stock WHERE rows = 0 AND minute > 0
			AND on_hand = 0 AND reserved = 0 AND on_order = 0;
	END IF;
	RETURN touched;
END $$;
COMMENT ON FUNCTION replenish.fold_inbox(timestamptz, bigint) IS
'Adds everything in the inbox, and so many rows of the backlog, to the state and returns the items to decide. For the decider only.';

-- Brings what was dated ahead, and is not any more, back through the door.
CREATE FUNCTION replenish.admit_postponed(clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off AS $$
DECLARE
	admitted bigint;
BEGIN
	WITH due AS (
		DELETE FROM postponed
		WHERE minute <= minute_of(clock)
		RETURNING *
	)
	SELECT count(append(d.amount, d.minute, d.source, CASE WHEN EXISTS (
			SELECT FROM source o WHERE o.id = d.source AND o.kind = 'audience')
		THEN 'a' ELSE 'd' END::"char", d.sku, d.location, d.channel))
	FROM due d INTO admitted;
END $$;
COMMENT ON FUNCTION replenish.admit_postponed(timestamptz) IS
'Puts demand whose minute has come back into the inbox. For the decider only.';

