---------------------------------------------------------------------------
-- Attaching: triggers on the shop's tables, without standing in their way.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.capture() RETURNS trigger
	AS 'MODULE_PATHNAME', 'replenish_capture'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.capture() IS
'The trigger function on watched tables. It appends what moved to the inbox as the invoking user, who needs no rights on anything of this extension. What a watch knows is in its arguments; see replenish.trigger_arguments(). Triggers for each statement count what sessions write, triggers for each row what comes by logical replication or under session_replication_role = replica.';

CREATE FUNCTION replenish.count_rows(relation regclass, arguments text[],
	sign integer, deleted boolean) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_count_rows'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.count_rows(regclass, text[], integer, boolean) IS
'Appends to the inbox what a table''s own rows, not those of its partitions or children, are to a source with these trigger arguments: with sign 1 they have come, with -1 they have gone. With deleted, those that are older than keep change nothing. Row security does not apply; the caller keeps writers off.';

CREATE FUNCTION replenish.own_command(command text) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_own_command'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.own_command(text) IS
'Runs a command as the current user, unseen by follow(): what this extension does to the shop''s tables itself.';

-- What the triggers of a part of a source carry, packed as one argument;
-- recount() reads a table by the same.
CREATE FUNCTION replenish.trigger_arguments(s replenish.source, part text)
	RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT ARRAY[s.id::text, part, CASE WHEN NOT header THEN s.sku ELSE '' END,
			CASE WHEN header = ('location' = ANY (moved))
				THEN coalesce(s.location, '') ELSE '' END,
			CASE WHEN header = ('channel' = ANY (moved))
				THEN coalesce(s.channel, '') ELSE '' END,
			CASE WHEN header = ('status' = ANY (moved))
				THEN coalesce(s.status, '') ELSE '' END,
			CASE WHEN NOT header THEN coalesce(s.qty, '') ELSE '' END,
			CASE WHEN header = ('at' = ANY (moved))
				THEN coalesce(s.at, '') ELSE '' END,
			coalesce(s.on_hand, ''), coalesce(s.reserved, ''),
			coalesce(s.on_order, ''), s.zone]
			|| CASE part WHEN 'lines' THEN ARRAY[s.header_key::text]
				WHEN 'header' THEN ARRAY[s.header_id::text]
				WHEN 'inbound' THEN ARRAY[coalesce(s.expected_at, ''),
					coalesce(s.received_at, ''), coalesce(s.received, '')]::text[]
				ELSE '{}' END
			|| pg_catalog.cardinality(counted)::text || counted || s.zones
		FROM (SELECT part = 'header' AS header,
				coalesce(s.on_header, '{}') AS moved) h
		CROSS JOIN LATERAL (SELECT CASE WHEN header = ('status' = ANY (moved))
			THEN coalesce(s.counted, '{}') ELSE '{}' END AS counted) c;
	END;
COMMENT ON FUNCTION replenish.trigger_arguments(replenish.source, text) IS
'What the triggers on a part of a source (orders, lines, header, stock, inbound or audience) carry, there as one argument with commas between: id, part, columns (empty where there is none), zone, of lines and headers the column that joins them, of inbound its own three, number of counted statuses, those statuses, then pairs of location and zone. Columns that the header has are left out of the lines'', and the other way round.';

CREATE VIEW replenish.capturing AS
	SELECT t.tgrelid::pg_catalog.regclass AS relation, t.tgname AS name,
		CASE WHEN p.packed ~ '^[1-9][0-9]{0,8},'
			THEN pg_catalog.split_part(p.packed, ',', 1)::integer END AS id,
		pg_catalog.split_part(p.packed, ',', 2) AS part, t.tgenabled AS fires
	FROM pg_catalog.pg_trigger t
	CROSS JOIN LATERAL (SELECT pg_catalog.encode(t.tgargs, 'escape')) p (packed)
	WHERE t.tgfoid = 'replenish.capture'::pg_catalog.regproc
		AND NOT t.tgisinternal;
COMMENT ON VIEW replenish.capturing IS
'The triggers of this extension on the shop''s tables: which part of which source they feed, and when they fire, as in pg_trigger.tgenabled. id is NULL where somebody wrote the arguments by hand.';

CREATE FUNCTION replenish.source_of(relation regclass) RETURNS integer
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT c.id FROM replenish.capturing c
		WHERE c.relation = source_of.relation AND c.id IS NOT NULL
		LIMIT 1;
	END;
COMMENT ON FUNCTION replenish.source_of(regclass) IS
'The number of the source that a table''s triggers feed; NULL for a table that is not watched.';

CREATE FUNCTION replenish.table_name(relation regclass) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	-- names are compared with those that other sessions wrote down
	SET quote_all_identifiers = off
	BEGIN ATOMIC
		SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = table_name.relation;
	END;
COMMENT ON FUNCTION replenish.table_name(regclass) IS
'The name of a table with its schema, whatever the search path; source.name.';

CREATE FUNCTION replenish.pack_arguments(arguments text[]) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.string_agg(pg_catalog.regexp_replace(a.value,
			E'([\\\\,])', E'\\\\\\1', 'g'), ',' ORDER BY a.n)
		FROM pg_catalog.unnest(arguments) WITH ORDINALITY a (value, n);
	END;
COMMENT ON FUNCTION replenish.pack_arguments(text[]) IS
'Arguments of a trigger as one, with commas between, and a backslash before each comma or backslash that is part of one.';

-- CREATE OR REPLACE needs no stronger lock than CREATE does.
CREATE FUNCTION replenish.put_triggers(relation regclass, arguments text[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	call text := format('EXECUTE FUNCTION replenish.capture(%L)',
		pack_arguments(arguments));
	fires text := 'ENABLE ALWAYS TRIGGER replenish_truncate';
BEGIN
	PERFORM own_command(format('CREATE OR REPLACE TRIGGER replenish_insert
		AFTER INSERT ON %s REFERENCING NEW TABLE AS replenish_new
		FOR EACH STATEMENT %s', relation, call));
	PERFORM own_command(format('CREATE OR REPLACE TRIGGER replenish_update
		AFTER UPDATE ON %s REFERENCING OLD TABLE AS replenish_old
		NEW TABLE AS replenish_new FOR EACH STATEMENT %s', relation, call));
	PERFORM own_command(format('CREATE OR REPLACE TRIGGER replenish_delete
		AFTER DELETE ON %s REFERENCING OLD TABLE AS replenish_old
		FOR EACH STATEMENT %s', relation, call));
	PERFORM own_command(format('CREATE OR REPLACE TRIGGER replenish_truncate
		BEFORE TRUNCATE ON %s FOR EACH STATEMENT %s', relation, call));
	-- on a partitioned table it would be copied to new partitions, for which
	-- whoever makes them needs the right to execute capture()
	IF (SELECT c.relkind <> 'p' FROM pg_class c WHERE c.oid = relation) THEN
		fires := fires || ', ENABLE REPLICA TRIGGER replenish_apply';
		PERFORM own_command(format('CREATE OR REPLACE TRIGGER replenish_apply
			AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW %s',
			relation, call));
	END IF;
	PERFORM own_command(format('ALTER TABLE ONLY %s %s', relation, fires));
END $$;
COMMENT ON FUNCTION replenish.put_triggers(regclass, text[]) IS
'Puts the triggers on one table of a source, or renews them: for each statement, before TRUNCATE whoever truncates, and, on what has rows of its own, for each row of what is applied as a replica.';

CREATE FUNCTION replenish.is_trigger_name(name name) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT name IN ('replenish_insert', 'replenish_update',
			'replenish_delete', 'replenish_truncate', 'replenish_apply');
	END;
COMMENT ON FUNCTION replenish.is_trigger_name(name) IS
'Whether a trigger is called as those of put_triggers() are.';

CREATE FUNCTION replenish.drop_triggers(relation regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	trigger name;
BEGIN
	FOR trigger IN SELECT t.tgname FROM pg_trigger t
		WHERE t.tgrelid = relation AND t.tgfoid = 'replenish.capture'::regproc
			-- a copy goes with its parent's
			AND t.tgparentid = 0 AND NOT t.tgisinternal
		ORDER BY t.tgname
	LOOP
		PERFORM own_command(format('DROP TRIGGER %I ON %s', trigger, relation));
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.drop_triggers(regclass) IS
'Removes every trigger of this extension from one table, whatever its name.';

CREATE FUNCTION replenish.who_holds(relations regclass[], mode text)
	RETURNS text
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(coalesce('process ' || h.pid || ' (' || coalesce(
			nullif(a.application_name, ''), a.backend_type, '?') || ')',
			'prepared transaction "' || x.gid || '"')
		|| coalesce(', open for ' || date_trunc('second', clock_timestamp()
			- coalesce(a.xact_start, x.prepared)), ''), '; ' ORDER BY h.pid, x.gid)
	FROM (SELECT DISTINCT l.pid,
			CASE WHEN l.pid IS NULL THEN l.virtualtransaction END AS owner
		FROM pg_locks l
		WHERE l.locktype = 'relation' AND l.relation = ANY (relations)
			AND l.database = (SELECT d.oid FROM pg_database d
				WHERE d.datname = current_database())
			AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
			AND (who_holds.mode = 'ACCESS EXCLUSIVE'
				OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))) h
	LEFT JOIN pg_stat_activity a ON a.pid = h.pid
	LEFT JOIN pg_locks o ON o.locktype = 'transactionid' AND o.pid IS NULL
		AND o.virtualtransaction = h.owner
	LEFT JOIN pg_prepared_xacts x ON x.transaction = o.transactionid;
$$;
COMMENT ON FUNCTION replenish.who_holds(regclass[], text) IS
'Who keeps a lock of that mode (SHARE ROW EXCLUSIVE or ACCESS EXCLUSIVE) on any of these tables from being taken, and for how long their transactions have been open; NULL where nobody does.';

CREATE FUNCTION replenish.lock_register() RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	-- whoever follows DDL may still update
	LOCK TABLE source IN SHARE UPDATE EXCLUSIVE MODE;
END $$;
COMMENT ON FUNCTION replenish.lock_register() IS
'Waits until no other session registers a source. For lock_trees().';

-- An order that comes while this waits for the lock waits as well, and only
-- until the attempt is over; deadlocks are over before anybody looks for them.
CREATE FUNCTION replenish.lock_trees(roots regclass[], mode text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	before text := current_setting('lock_timeout');
	attempt interval := least(interval '40 ms',
		current_setting('deadlock_timeout')::interval / 2);
	begun timestamptz := clock_timestamp();
	tell timestamptz := begun + interval '1 second';
	until timestamptz;
	tables regclass[];
	relation regclass;
BEGIN
	LOOP
		BEGIN
			-- first what is no shop's: orders must not wait for another watch
			IF mode = 'SHARE ROW EXCLUSIVE' THEN
				relation := 'source'::regclass;
				PERFORM set_config('lock_timeout',
					ceil(extract(epoch FROM attempt) * 1000)::text, true);
				PERFORM lock_register();
			END IF;
			SELECT array_agg(t.relation ORDER BY r.n, t.n)
			FROM unnest(roots) WITH ORDINALITY r (root, n)
			CROSS JOIN LATERAL tree_of(r.root) WITH ORDINALITY t (relation, n)
			JOIN pg_class c ON c.oid = t.relation AND c.relkind <> 'f'
			INTO tables;
			until := clock_timestamp() + attempt;
			FOREACH relation IN ARRAY tables LOOP
				PERFORM set_config('lock_timeout', greatest(1, ceil(extract(
					epoch FROM until - clock_timestamp()) * 1000))::text, true);
				EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', relation, mode);
			END LOOP;
			IF EXISTS (SELECT FROM unnest(roots) r (root)
				CROSS JOIN LATERAL tree_of(r.root) t (relation)
				JOIN pg_class c ON c.oid = t.relation AND c.relkind <> 'f'
				WHERE t.relation <> ALL (tables)) THEN
				RAISE lock_not_available;
			END IF;
			PERFORM set_config('lock_timeout', before, true);
			RETURN;
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			NULL;
		END;
		IF before::interval > interval '0'
			AND clock_timestamp() >= begun + before::interval THEN
			RAISE EXCEPTION 'could not lock table % within lock_timeout', relation
				USING ERRCODE = 'lock_not_available',
					DETAIL = format('It is in use by %s.',
						coalesce(who_holds(tables || relation, mode), 'others'));
		END IF;
		IF clock_timestamp() >= tell THEN
			RAISE NOTICE 'waiting for a lock on table %', relation
				USING DETAIL = format('It is in use by %s.',
					coalesce(who_holds(tables || relation, mode), 'others')),
					HINT = 'Orders are not kept waiting; cancel this and try again when it suits.';
			tell := clock_timestamp() + interval '5 seconds';
		END IF;
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.lock_trees(regclass[], text) IS
'Locks tables and all below them in short attempts, so that nobody queues behind them for longer; says every few seconds what it waits for; gives up with an error when lock_timeout has passed altogether, or when it is cancelled.';

CREATE FUNCTION replenish.bound_of(relation regclass, s replenish.source)
	RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	SET datestyle = 'ISO'
	BEGIN ATOMIC
		WITH RECURSIVE up (child, parent) AS (
			SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
			WHERE i.inhrelid = bound_of.relation
			UNION ALL
			SELECT i.inhrelid, i.inhparent
			FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.parent
		)
		SELECT min(CASE WHEN a.atttypid = 'timestamptz'::pg_catalog.regtype
			THEN b.upto::timestamptz
			-- the zones of locations are at most 26 hours apart
			ELSE b.upto::timestamp AT TIME ZONE s.zone + interval '26 hours' END)
		FROM up
		JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = up.parent
			AND p.partstrat = 'r' AND p.partnatts = 1
		JOIN pg_catalog.pg_attribute a ON a.attrelid = up.parent
			AND a.attnum = p.partattrs[0] AND a.attname = s.at
			AND a.atttypid IN ('timestamptz'::pg_catalog.regtype,
				'timestamp'::pg_catalog.regtype, 'date'::pg_catalog.regtype)
		JOIN pg_catalog.pg_class c ON c.oid = up.child
		CROSS JOIN LATERAL pg_catalog.substring(
			pg_catalog.pg_get_expr(c.relpartbound, c.oid),
			' TO [(]''([^'']*)''[)]$') b (upto)
		WHERE b.upto IS NOT NULL;
	END;
COMMENT ON FUNCTION replenish.bound_of(regclass, replenish.source) IS
'The moment before which all rows of a partition are, by the bounds of a partitioning of one column, the source''s moment; NULL where they say nothing.';

CREATE FUNCTION replenish.note_table(relation regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	SET quote_all_identifiers = off
	-- orders wait for the caller
	SET lock_timeout = '50ms' AS $$
#variable_conflict use_column
DECLARE
	s source;
	table_part text;
	is_root boolean;
BEGIN
	SELECT o.* FROM source o
	WHERE o.id = source_of(note_table.relation) AND o.active INTO s;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT c.part FROM capturing c
	WHERE c.relation = note_table.relation AND c.id = s.id LIMIT 1
	INTO table_part;
	is_root := table_name(note_table.relation)
		= CASE table_part WHEN 'header' THEN s.header ELSE s.name END;
	INSERT INTO followed AS f (source, name, part, relation, columns, upto)
	SELECT s.id, table_name(note_table.relation), table_part,
		note_table.relation::oid, CASE WHEN is_root THEN (
			SELECT jsonb_object_agg(v.argument, jsonb_build_object(
				'name', v.col, 'attnum', a.attnum,
				'type', format_type(a.atttypid, a.atttypmod)))
			FROM part_columns(s, table_part) v
			JOIN pg_attribute a ON a.attrelid = note_table.relation
				AND a.attname = v.col AND a.attnum > 0 AND NOT a.attisdropped)
		END, bound_of(note_table.relation, s)
	ON CONFLICT ON CONSTRAINT followed_pkey DO UPDATE
		SET part = excluded.part, relation = excluded.relation,
			columns = excluded.columns, upto = excluded.upto,
			detached_at = NULL
		WHERE (f.part, f.relation, f.columns, f.upto, f.detached_at)
			IS DISTINCT FROM (excluded.part, excluded.relation,
				excluded.columns, excluded.upto, NULL);
END $$;
COMMENT ON FUNCTION replenish.note_table(regclass) IS
'Writes down in followed how a table with triggers of a source is now; nothing for any other.';

-- A parallel restore makes a table's triggers when that table is filled, whether
-- ours are or not.
CREATE FUNCTION replenish.note_restored() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_TABLE_NAME = 'source' THEN
		-- of 1.0, which knew no other
		UPDATE source o SET watched_as = o.name
		WHERE o.id = NEW.id AND o.watched_as IS NULL;
		PERFORM note_table(to_regclass(f.name)) FROM followed f
		WHERE f.source = NEW.id AND f.relation <> to_regclass(f.name)::oid
			AND source_of(to_regclass(f.name)) = f.source;
	ELSIF NEW.relation <> to_regclass(NEW.name)::oid
		AND source_of(to_regclass(NEW.name)) = NEW.source THEN
		PERFORM note_table(to_regclass(NEW.name));
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.note_restored() IS
'Trigger on followed and source: takes note of tables whose triggers were restored before these two, and fills in what a dump of 1.0 has not.';
CREATE TRIGGER followed_restored AFTER INSERT ON replenish.followed
	FOR EACH ROW EXECUTE FUNCTION replenish.note_restored();
CREATE TRIGGER source_restored AFTER INSERT ON replenish.source
	FOR EACH ROW EXECUTE FUNCTION replenish.note_restored();

CREATE FUNCTION replenish.touch_source(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	-- a decider may be adding to its stock at this moment
	PERFORM append(0, 0, id, 't', '', '', 'source');
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_source(integer) IS
'Has the items that a source has stock of decided again at the next tick.';

-- Writes a source down; a table that was watched before gets its number back.
CREATE FUNCTION replenish.register_source(s replenish.source)
	RETURNS replenish.source
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	-- orders wait for the caller
	SET lock_timeout = '50ms' AS $$
DECLARE
	known source;
BEGIN
	-- one at a time
	PERFORM lock_register();
	-- active or not: a table that was dropped could not be unwatched; one that
	-- takes the name of another continues it
	SELECT * FROM source o
	WHERE o.kind = s.kind AND s.name IN (o.name, o.watched_as)
		AND o.id NOT IN (SELECT w.id FROM watched w)
	ORDER BY o.name = s.name DESC, o.id LIMIT 1 INTO known;
	s.id := coalesce(known.id, (SELECT coalesce(max(o.id), 0) + 1 FROM source o));
	-- what it has contributed may not be what its rows say now; a new number
	-- has contributed nothing, and looking for that keeps orders waiting
	IF known.id IS NOT NULL AND (
			EXISTS (SELECT FROM item_demand d WHERE d.source = s.id)
			OR EXISTS (SELECT FROM item_stock t WHERE t.source = s.id)
			OR EXISTS (SELECT FROM postponed l WHERE l.source = s.id)
			OR EXISTS (SELECT FROM order_line l WHERE l.source = s.id)
			OR EXISTS (SELECT FROM order_header h WHERE h.source = s.id)
			OR EXISTS (SELECT FROM item_inbound i WHERE i.source = s.id)
			OR EXISTS (SELECT FROM receipt r WHERE r.source = s.id)
			OR EXISTS (SELECT FROM room_audience a WHERE a.source = s.id)
			OR EXISTS (SELECT FROM pending(clock(), NULL) p
				WHERE p.source = s.id AND p.kind <> 'touch'))
		-- from now on demand is kept by the minute, from before it is not
		OR s.kind = 'stock' AND s.at IS NOT NULL
			AND EXISTS (SELECT FROM item_demand) THEN
		s.backfilled_at := NULL;
	END IF;
	s.counted_once := s.backfilled_at IS NOT NULL
		OR coalesce(known.counted_once, false);
	DELETE FROM source o WHERE o.id = s.id;
	DELETE FROM followed f WHERE f.source = s.id;
	DELETE FROM unread u WHERE u.source = s.id;
	INSERT INTO source SELECT s.*;
	-- its stock counts again
	IF known.id IS NOT NULL THEN
		PERFORM touch_source(s.id);
	END IF;
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.register_source(replenish.source) IS
'Writes a source down and returns it with its number; the number of a table that was watched before is given again, also where the table was dropped and made anew, or another has taken the name that it was watched under, so that what it contributed is still its own. For watch_orders() and the like.';

CREATE FUNCTION replenish.attach(relation regclass, header regclass,
	s replenish.source) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	roots regclass[] := array_remove(ARRAY[relation, header], NULL);
	other regclass;
	has_rows boolean;
BEGIN
	IF current_setting('transaction_isolation')
		IN ('repeatable read', 'serializable') THEN
		RAISE EXCEPTION 'cannot watch a table in a transaction with isolation level REPEATABLE READ or SERIALIZABLE'
			USING ERRCODE = 'active_sql_transaction',
				HINT = 'Watch it in a READ COMMITTED transaction.';
	END IF;
	PERFORM check_tree(r.root) FROM unnest(roots) r (root);
	-- no row may come between the registration and the triggers, and no
	-- other watch
	PERFORM lock_trees(roots, 'SHARE ROW EXCLUSIVE');
	SELECT t.relation FROM unnest(roots) WITH ORDINALITY r (root, n)
	CROSS JOIN LATERAL tree_of(r.root) WITH ORDINALITY t (relation, n)
	WHERE source_of(t.relation) IS NOT NULL
	ORDER BY r.n, t.n LIMIT 1 INTO other;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION 'table % is already watched', other
			USING ERRCODE = 'duplicate_object',
				HINT = 'Call replenish.unwatch() first to watch it in another way.';
	END IF;
	PERFORM check_tree(r.root) FROM unnest(roots) r (root);
	-- moments without a zone mean what they mean now, for ever
	s.zone := coalesce(
		(SELECT l.time_zone FROM location l WHERE l.location = 'default'),
		current_setting('TimeZone'));
	s.zones := CASE WHEN s.location IS NULL THEN '{}' ELSE coalesce(
		(SELECT array_agg(z.value ORDER BY l.location, z.n)
		FROM location l CROSS JOIN LATERAL
			(VALUES (1, l.location::text), (2, l.time_zone)) z (n, value)
		WHERE l.time_zone <> s.zone), '{}') END;
	s.name := table_name(relation);
	s.header := table_name(header);
	s.watched_as := s.name;
	s.header_as := s.header;
	s.active := true;
	s.watched_at := clock_timestamp();
	-- row security may hide rows from their own table's owner
	EXECUTE format('SELECT bool_or(c.relrowsecurity AND c.relforcerowsecurity)
			OR EXISTS (SELECT FROM %s) %s
		FROM pg_class c WHERE c.oid = ANY ($1)', relation,
		coalesce('OR EXISTS (SELECT FROM ' || header || ')', ''))
		USING roots INTO has_rows;
	s.backfilled_at := CASE WHEN NOT has_rows THEN s.watched_at END;
	s := register_source(s);
	PERFORM put_triggers(t.relation, trigger_arguments(s,
		CASE WHEN r.root = header THEN 'header'
			WHEN header IS NOT NULL THEN 'lines' ELSE s.kind END))
	FROM unnest(roots) WITH ORDINALITY r (root, n)
	CROSS JOIN LATERAL tree_of(r.root) WITH ORDINALITY t (relation, n)
	ORDER BY r.n, t.n;
	PERFORM note_table(t.relation) FROM unnest(roots) r (root)
	CROSS JOIN LATERAL tree_of(r.root) t (relation);
	IF has_rows THEN
		RAISE NOTICE 'the rows that are already in % are not counted yet', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	ELSIF s.backfilled_at IS NULL AND s.at IS NOT NULL AND s.kind = 'stock' THEN
		RAISE NOTICE 'what was ordered before now is not taken off the snapshots in % yet', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	ELSIF s.backfilled_at IS NULL THEN
		RAISE NOTICE 'what % contributed before is still counted', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	END IF;
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.attach(regclass, regclass, replenish.source) IS
'Registers a source and puts its triggers on a table and its header, if it has one, and on all below them. For watch_orders() and watch_stock().';
