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

-- Adds the inbox to the state and returns the items that it touched.  Lines and
-- headers come first: joined with what is there, they are demand, which takes
-- the same door.  The join is bilinear, so what changes is
--   new headers x old lines + old headers x new lines + new x new
-- with counts of any sign, in whatever order the two sides came.
CREATE FUNCTION replenish.fold_inbox(clock timestamptz, backlog bigint)
	RETURNS replenish.item_key[]
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	-- few rows of many: never a whole table, whatever its statistics say
	SET enable_seqscan = off
	SET jit = off AS $$
DECLARE
	since timestamptz := sold_since(clock);
	touched item_key[];
	touched_now item_key[];
	joined_now boolean;
BEGIN
	LOOP
		WITH taken AS MATERIALIZED (
			SELECT * FROM drain(clock, since, backlog)
		), demand_kept AS (
			INSERT INTO item_demand AS d (sku, location, channel, source, demand)
			SELECT t.sku, t.location, t.channel, t.source, t.demand
			FROM taken t WHERE t.kind = 'demand'
			ON CONFLICT ON CONSTRAINT item_demand_pkey DO UPDATE
				SET demand = absorb(d.demand, excluded.demand)
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
		), joined_kept AS (
			INSERT INTO inbox_even (amount, minute, source, kind, sku, location,
				channel)
			SELECT n.amount, minute, source, n.kind, sku,
				-- a column that neither of them has
				coalesce(nullif(location, ''), 'default'), n.channel
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
			RETURNING 1
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
		), headers_kept AS (
			INSERT INTO order_header AS o (source, order_key, location, channel,
				minute, rows)
			SELECT source, order_key, location, channel, minute, sum(rows)
			FROM headers
			GROUP BY source, order_key, location, channel, minute
			HAVING sum(rows) <> 0
			ON CONFLICT ON CONSTRAINT order_header_pkey DO UPDATE
				SET rows = o.rows + excluded.rows
		), rhythms_kept AS (
			-- a load may take a while: small steps are within one
			INSERT INTO rhythm AS r (source, minute, gap)
			SELECT g.source, max(g.minute),
				percentile_disc(0.5) WITHIN GROUP (ORDER BY g.gap)
			FROM (SELECT n.source, n.minute, n.usual, n.minute
					- lag(n.minute) OVER (PARTITION BY n.source ORDER BY n.minute)
						AS gap
				FROM (SELECT DISTINCT t.source, t.minute, k.gap AS usual
					FROM taken t LEFT JOIN rhythm k ON k.source = t.source
					WHERE t.kind = 'stock' AND t.amount > 0
						AND t.minute > coalesce(k.minute, 0)
						AND t.minute <= floor(extract(epoch FROM clock) / 60)
					UNION ALL
					SELECT k.source, k.minute, k.gap FROM rhythm k
					WHERE k.source IN (SELECT t.source FROM taken t)) n) g
			WHERE g.gap IS NULL OR g.gap >= greatest(10, g.usual / 4)
			GROUP BY g.source
			ON CONFLICT ON CONSTRAINT rhythm_pkey DO UPDATE
				SET minute = excluded.minute,
					-- longer at once, shorter when it stays so
					gap = coalesce(greatest(excluded.gap,
						(3 * r.gap + excluded.gap) / 4), r.gap)
		)
		SELECT array_agg((n.sku, n.location)::item_key),
			EXISTS (SELECT FROM joined_kept)
		FROM (
			SELECT m.sku, p.location
			FROM taken t
			CROSS JOIN LATERAL real_skus(t.sku, t.channel) m
			CROSS JOIN LATERAL real_location(t.location, t.channel) p
			WHERE t.kind IN ('demand', 'sold')
			UNION
			SELECT m.sku, t.location
			FROM taken t CROSS JOIN LATERAL real_skus(t.sku, NULL) m
			WHERE t.kind = 'stock'
			UNION
			SELECT m.sku, m.location
			FROM taken t
			CROSS JOIN LATERAL touched_items(t.sku, t.location, t.channel) m
			WHERE t.kind = 'touch' AND t.channel <> 'source'
			UNION
			SELECT m.sku, s.location
			FROM taken t JOIN item_stock s ON s.source = t.source
			CROSS JOIN LATERAL real_skus(s.sku, NULL) m
			WHERE t.kind = 'touch' AND t.channel = 'source') n
		INTO touched_now, joined_now;
		touched := ARRAY(SELECT unnest(touched)
			UNION SELECT unnest(touched_now));
		EXIT WHEN NOT joined_now;
		backlog := 0;
	END LOOP;
	-- what came and went
	DELETE FROM postponed WHERE amount = 0;
	DELETE FROM order_line WHERE amount = 0;
	DELETE FROM order_header WHERE rows = 0;
	DELETE FROM item_stock WHERE rows = 0 AND minute > 0
		AND on_hand = 0 AND reserved = 0 AND on_order = 0;
	RETURN touched;
END $$;
COMMENT ON FUNCTION replenish.fold_inbox(timestamptz, bigint) IS
'Adds everything in the inbox, and so many rows of the backlog, to the state and returns the items to decide. For the decider only.';

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

