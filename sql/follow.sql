---------------------------------------------------------------------------
-- Following: what DDL does to watched tables is counted, or said at once.
--
-- What there is now is held against the table followed, which is how it was
-- when last looked at: so a restore, which builds tables piece by piece, is no
-- news.  The event triggers that call this are in ddl.sql.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.is_own() RETURNS boolean
	AS 'MODULE_PATHNAME', 'replenish_is_own'
	LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.is_own() IS
'Whether the command that runs is one of own_command().';

CREATE FUNCTION replenish.alterations(command pg_ddl_command,
	OUT what text, OUT name text, OUT computed boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_alterations'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.alterations(pg_ddl_command) IS
'What the catalogs do not tell of a command afterwards: type, a column whose type it changes, and whether by an expression; enable and disable, a trigger, or all where name is NULL; label, a value of an enum that it renames.';

-- What is said to the one who does it is written down for the others.
CREATE FUNCTION replenish.tell(id integer, message text, detail text,
	hint text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	BEGIN
		UPDATE source SET stale = tell.message,
			stale_since = coalesce(stale_since, clock_timestamp())
		WHERE id = tell.id AND active AND stale IS DISTINCT FROM tell.message;
	EXCEPTION WHEN lock_not_available THEN
		NULL;					-- somebody else tells something of it now
	END;
	RAISE WARNING '%', message USING DETAIL = detail, HINT = hint;
END $$;
COMMENT ON FUNCTION replenish.tell(integer, text, text, text) IS
'Warns whoever alters a watched table, and marks its source as stale for health().';

CREATE FUNCTION replenish.follow_names(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	f record;
BEGIN
	FOR f IN SELECT o.name, n.name AS name_now FROM followed o
		JOIN pg_class c ON c.oid = o.relation
		JOIN pg_namespace s ON s.oid = c.relnamespace
		CROSS JOIN LATERAL format('%I.%I', s.nspname, c.relname) n (name)
		WHERE o.source = follow_names.id AND o.detached_at IS NULL
			AND n.name <> o.name
			-- after a restore the number may be another table's
			AND EXISTS (SELECT FROM capturing t
				WHERE t.relation = o.relation AND t.id = o.source)
	LOOP
		DELETE FROM followed o
		WHERE o.source = follow_names.id AND o.name = f.name_now;
		UPDATE followed o SET name = f.name_now
		WHERE o.source = follow_names.id AND o.name = f.name;
		UPDATE source s SET name = f.name_now
		WHERE s.id = follow_names.id AND s.name = f.name;
		UPDATE source s SET header = f.name_now
		WHERE s.id = follow_names.id AND s.header = f.name;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.follow_names(integer) IS
'Writes down the new names of a source''s tables that have been renamed or moved to another schema.';

CREATE FUNCTION replenish.keeps_values(argument text, type_before text,
	type_now text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE
			-- keys are compared as text
			WHEN argument NOT IN ('qty', 'at', 'price', 'on_hand', 'reserved',
				'on_order') THEN true
			WHEN argument = 'at' THEN type_before = 'date'
				AND type_now = 'timestamp without time zone'
			WHEN type_before IN ('smallint', 'integer', 'bigint') THEN type_now
				IN ('smallint', 'integer', 'bigint', 'numeric', 'double precision')
			ELSE type_before = 'real' AND type_now = 'double precision' END;
	END;
COMMENT ON FUNCTION replenish.keeps_values(text, text, text) IS
'Whether a watched column''s values are sure to mean the same after a change of its type without USING.';

CREATE FUNCTION replenish.follow_columns(id integer, root regclass,
	computed text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	c record;
	s source;
	table_part text;
	again text := format('SELECT replenish.unwatch(%L), watch it again, then CALL replenish.backfill(%1$L).', root);
	renamed boolean := false;
BEGIN
	FOR c IN SELECT f.part, k.key AS argument, k.value ->> 'name' AS name,
			k.value ->> 'type' AS type, a.attname AS name_now,
			format_type(a.atttypid, a.atttypmod) AS type_now
		FROM followed f
		CROSS JOIN LATERAL jsonb_each(f.columns) k
		LEFT JOIN pg_attribute a ON a.attrelid = f.relation
			AND a.attnum = (k.value ->> 'attnum')::smallint
			AND NOT a.attisdropped
		WHERE f.source = follow_columns.id AND f.relation = root
			AND f.detached_at IS NULL
		ORDER BY k.key
	LOOP
		table_part := c.part;
		IF c.name_now IS NULL THEN
			IF c.argument = 'price' THEN
				UPDATE source s SET price = NULL WHERE s.id = follow_columns.id;
			ELSIF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = root
				AND a.attname = c.name AND NOT a.attisdropped) THEN
				PERFORM tell(id, format('column "%s" of watched table %s is another one now',
						c.name, root),
					'Its values may not be those that were counted.',
					format('CALL replenish.repair(%L).', root));
			ELSE
				PERFORM tell(id, format('column "%s" of watched table %s was dropped',
						c.name, root),
					'No row of the table can be counted from now on.', again);
			END IF;
			CONTINUE;
		END IF;
		IF c.name_now <> c.name THEN
			renamed := true;
			-- arguments are called as the columns of source are
			EXECUTE format('UPDATE source SET %I = $1 WHERE id = $2', c.argument)
				USING c.name_now, id;
		END IF;
		IF c.type_now = c.type AND c.name <> ALL (computed) THEN
			CONTINUE;
		END IF;
		BEGIN
			PERFORM check_column(root, c.name_now, c.argument);
			IF c.argument <> 'price' AND (c.name = ANY (computed)
				OR NOT keeps_values(c.argument, regexp_replace(c.type, '[(].*[)]', ''),
					regexp_replace(c.type_now, '[(].*[)]', ''))) THEN
				PERFORM tell(id, format('column "%s" of watched table %s has other values now',
						c.name_now, root),
					'What was counted before may differ from them.',
					format('CALL replenish.repair(%L).', root));
			END IF;
		EXCEPTION WHEN datatype_mismatch OR feature_not_supported THEN
			PERFORM tell(id, format('column "%s" of watched table %s cannot be read any more',
					c.name_now, root),
				format('It has type %s. No row of the table can be counted from now on.',
					c.type_now),
				'Give it a type that can be read, then CALL replenish.repair().');
		END;
	END LOOP;
	IF renamed THEN
		SELECT * FROM source o WHERE o.id = follow_columns.id INTO s;
		PERFORM put_triggers(t.relation, trigger_arguments(s, table_part))
		FROM tree_of(root) WITH ORDINALITY t (relation, n) ORDER BY t.n;
	END IF;
	-- also a column that is there again
	PERFORM note_table(root);
END $$;
COMMENT ON FUNCTION replenish.follow_columns(integer, regclass, text[]) IS
'Follows renamed columns of the root of a watched tree, and warns of columns that are gone, cannot be read, or have other values; computed are those whose type was changed by an expression.';

CREATE FUNCTION replenish.follow_fires(id integer, relation regclass,
	what text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	fires text;
	root regclass;
BEGIN
	IF 'disable' = ANY (what) AND EXISTS (SELECT FROM capturing c
		WHERE c.relation = follow_fires.relation AND c.fires = 'D') THEN
		SELECT t.root FROM watched_table t
		WHERE t.relation = follow_fires.relation AND t.id = follow_fires.id
		INTO root;
		PERFORM tell(id, format('triggers of watched table %s were disabled',
				relation),
			'What happens to its rows is not counted.',
			format('SELECT replenish.rewatch(%L); then CALL replenish.repair(%1$L).',
				coalesce(root, relation)));
	END IF;
	-- ENABLE TRIGGER ALL has them fire as any other
	SELECT string_agg(v.action, ', ' ORDER BY v.action)
	FROM capturing c JOIN (VALUES
		('replenish_truncate', 'A', 'ENABLE ALWAYS TRIGGER replenish_truncate'),
		('replenish_apply', 'R', 'ENABLE REPLICA TRIGGER replenish_apply'))
		v (name, fires, action) ON v.name = c.name AND c.fires <> v.fires::"char"
	WHERE c.relation = follow_fires.relation AND c.id = follow_fires.id
		AND c.fires <> 'D' AND 'enable' = ANY (what)
	INTO fires;
	IF fires IS NOT NULL THEN
		PERFORM own_command(format('ALTER TABLE %s %s', relation, fires));
	END IF;
END $$;
COMMENT ON FUNCTION replenish.follow_fires(integer, regclass, text[]) IS
'Warns where triggers of a watched table were disabled, and has those that were enabled fire as they should.';

CREATE FUNCTION replenish.follow_trigger(trigger oid) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	t pg_trigger;
	id integer;
BEGIN
	SELECT * FROM pg_trigger o WHERE o.oid = trigger
		AND o.tgfoid = 'replenish.capture'::regproc INTO t;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	id := source_of(t.tgrelid);
	-- or note_restored() takes note
	IF EXISTS (SELECT FROM followed f WHERE f.source = id) THEN
		PERFORM note_table(t.tgrelid);
	END IF;
	IF id IS NOT NULL AND NOT is_trigger_name(t.tgname) THEN
		PERFORM tell(id, format('watched table %s has a trigger %s, which replenish did not make',
				table_name(t.tgrelid), t.tgname),
			'With the others it may count rows twice.',
			format('SELECT replenish.rewatch(%L); then CALL replenish.repair(%1$L).',
				table_name(t.tgrelid)));
	END IF;
END $$;
COMMENT ON FUNCTION replenish.follow_trigger(oid) IS
'Takes note of triggers that a restore creates, and warns of those that somebody made or renamed.';

CREATE FUNCTION replenish.is_housekept(s replenish.source, part text,
	upto timestamptz) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT is_housekept.part = 'orders' AND coalesce(is_housekept.upto <= (
			SELECT pg_catalog.date_trunc('minute', d.clock)
				- pg_catalog.make_interval(secs => extract(epoch FROM s.keep))
			FROM replenish.decider d), false);
	END;
COMMENT ON FUNCTION replenish.is_housekept(replenish.source, text, timestamptz) IS
'Whether a table of a source is known to have only rows whose demand stays when they go: they are before upto, and that is older than keep.';

CREATE FUNCTION replenish.follow_going(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	f record;
	s source;
BEGIN
	SELECT * FROM source o WHERE o.id = follow_going.id INTO s;
	FOR f IN
		WITH trees AS (
			SELECT p.part, p.relation AS root, t.relation
			FROM watched_part p CROSS JOIN LATERAL tree_of(p.relation) t (relation)
			WHERE p.id = follow_going.id
				-- a restore may not have come to the root yet
				AND table_name(p.relation) IN (s.name, s.header)
		)
		SELECT o.name, o.part, o.relation::regclass, r.root,
			is_housekept(s, o.part, o.upto) AS is_old
		FROM followed o
		JOIN (SELECT DISTINCT t.part, t.root FROM trees t) r ON r.part = o.part
		WHERE o.source = follow_going.id AND o.detached_at IS NULL
			AND o.relation NOT IN (SELECT t.relation FROM trees t)
			AND EXISTS (SELECT FROM capturing c
				WHERE c.relation = o.relation AND c.id = o.source)
		ORDER BY o.name
	LOOP
		BEGIN
			EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE',
				f.relation);
			-- no demand would change, and orders wait
			IF f.is_old THEN
				INSERT INTO unread (source, name) VALUES (id, f.name);
			ELSE
				PERFORM count_rows(f.relation, trigger_arguments(s, f.part), -1,
					true);
			END IF;
			PERFORM drop_triggers(f.relation);
			UPDATE followed o SET detached_at = clock_timestamp()
			WHERE o.source = follow_going.id AND o.name = f.name;
		EXCEPTION WHEN OTHERS THEN
			PERFORM tell(id, format('table %s left watched table %s and is still counted',
					f.name, f.root),
				format('Its triggers could not be removed: %s.', SQLERRM),
				format('SELECT replenish.unwatch(%L); then CALL replenish.repair(%L).',
					f.relation, f.root));
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.follow_going(integer) IS
'Takes back the rows of tables that were detached from a source''s trees, but for those older than keep, and removes their triggers.';

CREATE FUNCTION replenish.follow_coming(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	t record;
	s source;
BEGIN
	SELECT * FROM source o WHERE o.id = follow_coming.id INTO s;
	FOR t IN
		SELECT p.part, p.relation AS root, o.relation, c.relkind,
			f.detached_at IS NOT NULL AS was_here,
			f.detached_at IS NOT NULL AND is_housekept(s, p.part,
				bound_of(o.relation, s)) AS is_old,
			EXISTS (SELECT FROM followed r WHERE r.source = p.id
				AND r.name = CASE p.part WHEN 'header' THEN s.header
					ELSE s.name END) AS root_known,
			(SELECT min(e.id) FROM capturing e
				WHERE e.relation = o.relation AND e.id <> p.id) AS other
		FROM watched_part p
		CROSS JOIN LATERAL tree_of(p.relation) WITH ORDINALITY o (relation, n)
		JOIN pg_class c ON c.oid = o.relation
		JOIN pg_namespace k ON k.oid = c.relnamespace
		LEFT JOIN followed f ON f.source = p.id
			AND f.name = format('%I.%I', k.nspname, c.relname)
		WHERE p.id = follow_coming.id
			AND table_name(p.relation) IN (s.name, s.header)
			AND (f.name IS NULL OR f.detached_at IS NOT NULL)
		ORDER BY p.part DESC, o.n
	LOOP
		IF NOT t.root_known THEN
			-- never looked at before: what is there was there
			PERFORM note_table(t.relation);
			CONTINUE;
		END IF;
		IF t.relkind = 'f' THEN
			RAISE EXCEPTION 'cannot add foreign table % to watched table %', t.relation, t.root
				USING ERRCODE = 'feature_not_supported',
					DETAIL = 'What is written to it would be refused.',
					HINT = format('Call replenish.unwatch(%L) first.', t.root);
		END IF;
		IF t.other IS NOT NULL THEN
			PERFORM tell(id, format('table %s is watched already and became a part of watched table %s',
					t.relation, t.root),
				'What is written to it by its own name is counted as before.',
				format('Have it watched once, then SELECT replenish.rewatch(%L); and CALL replenish.repair(%1$L).',
					t.root));
			CONTINUE;
		END IF;
		BEGIN
			PERFORM put_triggers(t.relation, trigger_arguments(s, t.part));
			-- what it took along when it went: not what was older than keep
			IF t.is_old THEN
				INSERT INTO unread (source, name)
				VALUES (id, table_name(t.relation));
			ELSE
				PERFORM count_rows(t.relation, trigger_arguments(s, t.part), 1,
					t.was_here);
			END IF;
			PERFORM note_table(t.relation);
		EXCEPTION WHEN OTHERS THEN
			PERFORM tell(id, format('table %s became a part of watched table %s and is not counted',
					t.relation, t.root),
				format('Its triggers could not be created: %s.', SQLERRM),
				format('SELECT replenish.rewatch(%L); then CALL replenish.repair(%1$L).',
					t.root));
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.follow_coming(integer) IS
'Puts triggers on tables that have become a part of a source''s trees, and counts the rows that they bring. A foreign table is refused with an error: orders that are routed to it would be.';

CREATE FUNCTION replenish.follow_stranger(relation regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	o record;
BEGIN
	FOR o IN SELECT DISTINCT c.id, c.relation FROM pg_inherits i
		JOIN capturing c ON c.relation = i.inhrelid
		JOIN source s ON s.id = c.id AND s.active
		WHERE i.inhparent = follow_stranger.relation
		ORDER BY c.id, c.relation
	LOOP
		PERFORM tell(o.id, format('watched table %s became a part of table %s, which is not watched',
				o.relation, relation),
			format('What is written to %s is not counted.', relation),
			format('SELECT replenish.unwatch(%L), watch %s instead, then CALL replenish.backfill(%2$L).',
				o.relation, relation));
	END LOOP;
	FOR o IN SELECT s.id, n.name, n.watched_as,
			CASE WHEN n.part = 'header' THEN format('%s with header %s', s.name,
				relation) ELSE relation::text END AS again,
			CASE WHEN n.part = 'header' THEN s.name
				ELSE relation::text END AS orders
		FROM source s CROSS JOIN LATERAL (VALUES ('', s.name, s.watched_as),
			('header', s.header, s.header_as)) n (part, name, watched_as)
		WHERE s.active AND n.watched_as <> n.name
			AND n.watched_as = table_name(follow_stranger.relation)
		ORDER BY s.id, n.part
	LOOP
		PERFORM tell(o.id, format('table %s is not watched', relation),
			format('The table that was watched under this name is now %s. What is written to %s is not counted.',
				o.name, relation),
			format('To have it go on as the same: SELECT replenish.unwatch(%L), watch %s, then CALL replenish.backfill(%L).',
				o.name, o.again, o.orders));
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.follow_stranger(regclass) IS
'Warns where a table that is not watched has taken a watched table under itself, or the name under which another, or a header, was watched.';

CREATE FUNCTION replenish.follow_labels(type oid, renamed boolean)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	c record;
BEGIN
	FOR c IN SELECT s.id, p.relation, v.argument, v.col,
			CASE WHEN v.argument = 'status'
				THEN missing_statuses(s, p.relation) END AS missing
		FROM source s JOIN watched_part p ON p.id = s.id
		CROSS JOIN LATERAL part_columns(s, p.part) v
		JOIN pg_attribute a ON a.attrelid = p.relation AND a.attname = v.col
			AND a.atttypid = type
		ORDER BY s.id, p.part, v.argument
	LOOP
		IF c.missing IS NOT NULL THEN
			PERFORM tell(c.id, format('status %s of watched table %s does not exist any more',
					c.missing, c.relation),
				'Rows of the status that took its place are not counted.',
				format('SELECT replenish.unwatch(%L), watch it with its present statuses, then CALL replenish.backfill(%1$L).',
					c.relation));
		ELSIF renamed AND c.argument <> 'status' THEN
			PERFORM tell(c.id, format('column "%s" of watched table %s has other values now',
					c.col, c.relation),
				'What was counted before may differ from them.',
				format('CALL replenish.repair(%L).', c.relation));
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.follow_labels(oid, boolean) IS
'Warns where a value of an enum that watched columns have was renamed.';
