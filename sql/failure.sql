---------------------------------------------------------------------------
-- Failures: what went wrong where nobody asked, for health().
---------------------------------------------------------------------------

CREATE FUNCTION replenish.library_version() RETURNS text
	AS 'MODULE_PATHNAME', 'replenish_library_version'
	LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION replenish.library_version() IS
'The version of the extension''s SQL that the loaded library belongs to.';

CREATE FUNCTION replenish.inbox_broken() RETURNS text
	AS 'MODULE_PATHNAME', 'replenish_inbox_broken'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.inbox_broken() IS
'The first of the tables inbox_even, inbox_odd and backlog that is not as the loaded library knows it; NULL where all are. Waits for whoever has one locked.';

-- What lies in one item's rows stops that item; all else stops the decision.
CREATE FUNCTION replenish.is_items_fault(sqlstate text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		-- not: missing or forbidden objects, locks, conflicts, resources,
		-- cancels, the system
		SELECT pg_catalog.left(sqlstate, 2) NOT IN ('0A', '25', '28', '3D',
			'3F', '40', '42', '53', '55', '57', '58');
	END;
COMMENT ON FUNCTION replenish.is_items_fault(text) IS
'Whether an error of this SQLSTATE may come from the values of one item, so that the others can be decided without it.';

CREATE FUNCTION replenish.item_failed(sku text, location text,
	clock timestamptz, error text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	UPDATE failure f SET times = f.times + 1, last_at = clock,
		error = item_failed.error
	WHERE f.what = 'item' AND f.sku = item_failed.sku
		AND f.location = item_failed.location;
	IF NOT FOUND THEN
		INSERT INTO failure (what, sku, location, times, since, last_at, error)
		VALUES ('item', item_failed.sku, item_failed.location, 1, clock, clock,
			item_failed.error);
	END IF;
	-- what is due would be due for ever
	UPDATE item i SET next_check = clock + interval '1 hour'
	WHERE i.sku = item_failed.sku AND i.location = item_failed.location;
	PERFORM refresh_quantities(ARRAY[(item_failed.sku,
		item_failed.location)::item_key], clock);
END $$;
COMMENT ON FUNCTION replenish.item_failed(text, text, timestamptz, text) IS
'Notes that an item could not be decided at the clock, and with what error; it is tried again with the next movement, or in an hour. For the decider only.';

CREATE FUNCTION replenish.worker_begins(error text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	before failure;
	present timestamptz := clock_timestamp();
BEGIN
	-- a standby that was promoted, or a restored server, asks nobody
	DELETE FROM failure f WHERE f.what = 'worker' RETURNING f.* INTO before;
	-- one that ended with the server need not have died
	IF before.last_at < pg_postmaster_start_time() THEN
		before := NULL;
	END IF;
	INSERT INTO failure (what, times, since, last_at, retry_at, error)
	VALUES ('worker', coalesce(before.times, 0) + 1,
		coalesce(before.since, present), present,
		-- 0, 2, 6, 14 ... seconds, at most an hour: the server may have been
		-- stopped just then
		present + least(interval '1 second'
			* (power(2, least(coalesce(before.times, 0) + 1, 20)) - 2),
			interval '1 hour'), worker_begins.error);
END $$;
COMMENT ON FUNCTION replenish.worker_begins(text) IS
'Notes that a worker begins, before it does anything that it could die of, and until when no other is started if it does. For the worker only.';

CREATE FUNCTION replenish.worker_failed(error text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	-- it lives
	DELETE FROM failure f WHERE f.what = 'worker';
	UPDATE failure f SET times = f.times + 1, last_at = clock_timestamp(),
		error = worker_failed.error
	WHERE f.what = 'tick';
	IF NOT FOUND THEN
		INSERT INTO failure (what, times, since, last_at, error)
		VALUES ('tick', 1, clock_timestamp(), clock_timestamp(),
			worker_failed.error);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.worker_failed(text) IS
'Notes the error with which the worker''s last pass failed. For the worker only.';

CREATE FUNCTION replenish.worker_goes_on(error text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	DELETE FROM failure f WHERE f.what IN ('worker', 'tick');
END $$;
COMMENT ON FUNCTION replenish.worker_goes_on(text) IS
'Takes back the notes of the worker''s failures: a pass has succeeded. The argument is not used. For the worker only.';

-- Who decides, or waits to: the lock is one that only this extension takes.
CREATE FUNCTION replenish.deciding()
	RETURNS TABLE (pid integer, since timestamptz, waits_for integer[])
	LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	BEGIN ATOMIC
		SELECT a.pid, a.xact_start, pg_blocking_pids(a.pid)
		FROM pg_locks l
		JOIN pg_extension e ON e.extname = 'replenish' AND e.oid = l.objid
		JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'object' AND l.objsubid = 3 AND l.granted
			AND l.classid = 'pg_extension'::regclass
			AND l.database = (SELECT d.oid FROM pg_database d
				WHERE d.datname = current_database());
	END;
COMMENT ON FUNCTION replenish.deciding() IS
'The session that decides now, since when its transaction is open, and the sessions that it waits for. For health().';

-- What could not be decided, and what was not announced or recorded.
CREATE FUNCTION replenish.failures()
	RETURNS TABLE (what text, ok boolean, since timestamptz, detail text,
		hint text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	worker failure;
BEGIN
	RETURN QUERY SELECT 'decider', false, d.since,
		format('Process %s has been deciding since then%s.', d.pid,
			CASE WHEN cardinality(d.waits_for) > 0 THEN format(
				'; it waits for process %s', array_to_string(d.waits_for, ', '))
			END),
		CASE WHEN cardinality(d.waits_for) > 0 THEN format(
			'See what process %s does in pg_stat_activity, and end it if need be: SELECT pg_terminate_backend(%1$s). What was ordered meanwhile is decided then.',
			d.waits_for[1])
		ELSE 'Its transaction is open: commit it, or end it.' END
	FROM deciding() d WHERE d.since < clock_timestamp() - interval '30 seconds';

	RETURN QUERY SELECT 'decider', false, min(f.since),
		format('Nothing is decided: %s.', (array_agg(f.error
			ORDER BY f.last_at DESC))[1]),
		'Correct what the message names; it is tried again within a minute.'
	FROM failure f WHERE f.what = 'tick' HAVING count(*) > 0;

	SELECT * FROM failure f WHERE f.what = 'worker'
	ORDER BY f.last_at DESC LIMIT 1 INTO worker;
	IF worker.times > 1 THEN
		RETURN QUERY SELECT 'worker', false, worker.since,
			format('It was started %s times. %s The next one is not started before %s.',
				worker.times, worker.error, worker.retry_at),
			'The server''s log says why. SELECT replenish.tick() decides meanwhile; DELETE FROM replenish.failure WHERE what = ''worker'' has the next order start it.';
	END IF;

	RETURN QUERY SELECT format('item %s at %s', f.sku, f.location), false,
		f.since, format('It cannot be decided: %s.', f.error),
		'Correct its policy; where its summary or stock is damaged, CALL replenish.repair(). It is tried again with its next order, or within an hour.'
	FROM failure f WHERE f.what = 'item'
	ORDER BY f.since, f.sku, f.location LIMIT 20;

	RETURN QUERY SELECT 'items', false, min(f.since),
		format('%s items cannot be decided.', count(*)),
		'Those of the longest time are shown: see replenish.failure.'
	FROM failure f WHERE f.what = 'item' HAVING count(*) > 20;

	RETURN QUERY SELECT 'notifications', false, min(f.since),
		'Events are recorded, but not announced: the queue is full.',
		'End the session that listens and stays in a transaction: see pg_stat_activity. What was not announced is announced then.'
	FROM failure f WHERE f.what = 'notify' HAVING count(*) > 0;
END $$;
COMMENT ON FUNCTION replenish.failures() IS
'What health() says of failures: of the decider, the worker, single items, notifications. Empty where there are none.';
