---------------------------------------------------------------------------
-- Notifying: what an event says to whoever listens.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.notification(event replenish.event) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.json_build_object(
			'specversion', '1.0',
			'id', event.id,
			'source', '/replenish/' || pg_catalog.current_database(),
			'type', event.type,
			'subject', coalesce('item/' || event.sku || '/location/'
				|| event.location, 'items'),
			'time', pg_catalog.to_char(event.occurred_at AT TIME ZONE 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
			'sequence', pg_catalog.lpad(event.seq::text, 20, '0'),
			'severitytext', CASE event.to_tier WHEN 'red' THEN 'FATAL'
				WHEN 'orange' THEN 'ERROR' WHEN 'yellow' THEN 'WARN'
				ELSE 'INFO' END,
			'severitynumber', CASE event.to_tier WHEN 'red' THEN 21
				WHEN 'orange' THEN 17 WHEN 'yellow' THEN 13 ELSE 9 END,
			'data', CASE WHEN event.type = 'io.replenish.summary.v1'
			THEN (pg_catalog.jsonb_build_object('seq', event.seq,
				'worst_tier', event.to_tier, 'reason', event.reason)
				|| event.facts - 'first_look')::json
			ELSE pg_catalog.json_build_object(
				'seq', event.seq, 'sku', event.sku,
				'location', event.location, 'epoch', event.epoch,
				'from', event.from_tier, 'to', event.to_tier,
				'direction', CASE WHEN event.to_tier > event.from_tier
					THEN 'worse' ELSE 'better' END,
				'reason', event.reason,
				'available', event.facts -> 'available',
				'threshold', event.facts -> 'threshold',
				'stockout_at', event.facts -> 'stockout_eta',
				'reorder_qty', event.facts -> 'reorder_qty') END)::text;
	END;
COMMENT ON FUNCTION replenish.notification(replenish.event) IS
'The payload of an event''s notification on channel replenish: a CloudEvents 1.0 JSON object; of a summary its sums without its list. time is the decider''s clock in UTC.';

CREATE FUNCTION replenish.batch_notification(first bigint, last bigint)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.json_build_object(
			'specversion', '1.0',
			'id', pg_catalog.gen_random_uuid(),
			'source', '/replenish/' || pg_catalog.current_database(),
			'type', 'io.replenish.batch.v1',
			'sequence', pg_catalog.lpad(last::text, 20, '0'),
			'data', pg_catalog.json_build_object('first_seq', first,
				'last_seq', last, 'count', last - first + 1, 'worst_tier',
				(SELECT max(e.to_tier) FROM replenish.event e
					WHERE e.seq BETWEEN first AND last)))::text;
	END;
COMMENT ON FUNCTION replenish.batch_notification(bigint, bigint) IS
'The payload of one notification for the events first to last: where they are to be read and the worst tier among them.';

CREATE FUNCTION replenish.announce(first bigint, last bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	-- nobody may be told of an event whose number could be given to another
	-- one: until the end of the transaction, which announces
	IF current_setting('synchronous_commit') = 'off' THEN
		PERFORM set_config('synchronous_commit', 'local', true);
	END IF;
	IF last - first < 32 THEN
		-- keys that are long or full of escapes do not fit
		PERFORM pg_notify('replenish', CASE WHEN octet_length(n.payload) < 2000
			THEN n.payload ELSE batch_notification(n.seq, n.seq) END)
		FROM (SELECT e.seq, notification(e) AS payload
			FROM event e WHERE e.seq BETWEEN first AND last) n
		ORDER BY n.seq;
	ELSE
		PERFORM pg_notify('replenish', batch_notification(first, last));
	END IF;
END $$;
COMMENT ON FUNCTION replenish.announce(bigint, bigint) IS
'Notifies channel replenish of the events first to last: one notification each, or a single summary of more than 32. One that would take 2000 bytes or more goes as a summary of itself. The transaction is flushed when it commits, whatever synchronous_commit is. For the decider only.';

CREATE FUNCTION replenish.can_notify() RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	BEGIN ATOMIC
		SELECT pg_catalog.pg_notification_queue_usage() < 0.5;
	END;
COMMENT ON FUNCTION replenish.can_notify() IS
'Whether there is room in the queue of notifications, the rest of which is left to others: where it is full, a commit that notifies fails.';

CREATE FUNCTION replenish.announce_all(first bigint, last bigint)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	missed bigint;
BEGIN
	SELECT min(f.first_seq) FROM failure f WHERE f.what = 'notify' INTO missed;
	IF can_notify() THEN
		PERFORM announce(least(missed, first), last);
		IF missed IS NOT NULL THEN
			DELETE FROM failure f WHERE f.what = 'notify';
		END IF;
	ELSIF missed IS NULL THEN
		INSERT INTO failure (what, times, since, last_at, first_seq, error)
		VALUES ('notify', 1, clock_timestamp(), clock_timestamp(), first,
			'the queue of notifications is full');
	END IF;
END $$;
COMMENT ON FUNCTION replenish.announce_all(bigint, bigint) IS
'Announces the events first to last and those before them that could not be announced; notes where it is to begin when the queue of notifications is full. For the decider only.';
