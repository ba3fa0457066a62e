---------------------------------------------------------------------------
-- The event triggers: which of the shop's commands are followed, and how.
--
-- No command of the shop's fails for them, but for one that would make orders
-- fail.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.follow_table(relation regclass, what text[],
	computed text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	ids integer[];
	own_id integer;
BEGIN
	-- what it is a part of, and what it was a part of
	SELECT array_agg(DISTINCT c.id) FROM (SELECT follow_table.relation
		UNION
		SELECT i.inhparent::regclass FROM pg_inherits i
		WHERE i.inhrelid = follow_table.relation) r (relation)
	JOIN capturing c ON c.relation = r.relation
	JOIN source s ON s.id = c.id AND s.active
	-- of which a restore has brought what was known
	WHERE EXISTS (SELECT FROM followed f WHERE f.source = s.id)
	INTO ids;
	own_id := source_of(relation);
	IF own_id IS NULL THEN
		PERFORM follow_stranger(relation);
	END IF;
	IF ids IS NULL THEN
		RETURN;
	END IF;
	PERFORM follow_names(i.id) FROM unnest(ids) i (id);
	IF own_id IS NOT NULL THEN
		PERFORM follow_fires(own_id, relation, what);
		PERFORM follow_columns(own_id, relation, computed);
	END IF;
	PERFORM follow_going(i.id) FROM unnest(ids) i (id);
	PERFORM follow_coming(i.id) FROM unnest(ids) i (id);
END $$;
COMMENT ON FUNCTION replenish.follow_table(regclass, text[], text[]) IS
'Follows what a command did to a table; what and computed are what alterations() says of it.';

CREATE FUNCTION replenish.follow() RETURNS event_trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	SET quote_all_identifiers = off
	-- the command may keep orders waiting
	SET lock_timeout = '50ms' AS $$
DECLARE
	c record;
BEGIN
	IF is_own() THEN
		RETURN;
	END IF;
	FOR c IN SELECT e.objid, e.object_type, a.what, a.computed
		FROM pg_event_trigger_ddl_commands() e
		CROSS JOIN LATERAL (SELECT
				coalesce(array_agg(o.what), '{}') AS what,
				coalesce(array_agg(o.name) FILTER (WHERE o.computed), '{}')
					AS computed
			FROM alterations(e.command) o) a
		WHERE NOT e.in_extension
			AND coalesce(e.schema_name, '') NOT IN ('pg_temp', 'replenish')
			AND e.object_type IN ('table', 'table column', 'foreign table',
				'schema', 'trigger', 'type')
	LOOP
		CASE c.object_type
			WHEN 'schema' THEN
				PERFORM follow_names(s.id) FROM source s WHERE s.active;
			WHEN 'type' THEN
				PERFORM follow_labels(c.objid, 'label' = ANY (c.what));
			WHEN 'trigger' THEN
				PERFORM follow_trigger(c.objid);
			ELSE
				PERFORM follow_table(c.objid, c.what, c.computed);
		END CASE;
	END LOOP;
EXCEPTION
	WHEN feature_not_supported THEN
		RAISE;
	WHEN OTHERS THEN
		RAISE WARNING 'replenish could not follow %', TG_TAG
			USING DETAIL = SQLERRM || '.',
				HINT = 'See replenish.health(), then CALL replenish.repair().';
END $$;
COMMENT ON FUNCTION replenish.follow() IS
'Event trigger on the end of commands that may concern a watched table: see follow_table(), follow_names() and follow_labels().';

CREATE FUNCTION replenish.follow_drop() RETURNS event_trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	SET quote_all_identifiers = off
	SET timezone = 'UTC'		-- a day of keep is 24 hours
	SET lock_timeout = '50ms' AS $$
#variable_conflict use_column
DECLARE
	d record;
BEGIN
	-- an order may drop a temporary table: it looks at nothing of ours
	IF is_own() OR NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() e
		WHERE NOT e.is_temporary
			AND e.object_type IN ('table', 'trigger', 'table column')) THEN
		RETURN;
	END IF;
	FOR d IN
		WITH dropped AS (
			SELECT e.objid, e.object_type, e.original, e.address_names[3] AS name,
				format('%I.%I', e.address_names[1], e.address_names[2]) AS in_table
			FROM pg_event_trigger_dropped_objects() e
			WHERE NOT e.is_temporary
				AND e.object_type IN ('table', 'trigger', 'table column')
		)
		SELECT o.object_type, o.objid, o.name, f.source AS id, f.part,
			f.name AS table_name,
			f.name IN (s.name, s.header) AS is_root, s.kind, f.detached_at,
			CASE f.part WHEN 'header' THEN s.header ELSE s.name END AS root,
			-- what can be told from its bounds to be housekeeping
			coalesce(f.upto <= date_trunc('minute', clock()) - s.keep, false)
				AND TG_TAG <> 'ALTER TABLE' AS is_old,
			NOT o.original AND EXISTS (SELECT FROM dropped t
				JOIN followed r ON r.name = t.in_table AND r.source = f.source
				WHERE t.object_type = 'table' AND t.original) AS is_below
		FROM dropped o
		JOIN followed f ON f.name = o.in_table
		JOIN source s ON s.id = f.source AND s.active
		WHERE CASE o.object_type
			WHEN 'table' THEN (f.relation = o.objid OR NOT EXISTS (
					SELECT FROM pg_class c WHERE c.oid = f.relation))
			ELSE NOT EXISTS (SELECT FROM dropped t WHERE t.object_type = 'table'
				AND t.in_table = o.in_table) END
			AND (o.object_type <> 'trigger'
				OR o.original AND is_trigger_name(o.name::name))
			-- one word for the whole tree
			AND (f.name IN (s.name, s.header) OR NOT EXISTS (
				SELECT FROM dropped t WHERE t.object_type = 'table'
					AND t.in_table = CASE f.part WHEN 'header' THEN s.header
						ELSE s.name END))
		ORDER BY f.source, f.name
	LOOP
		IF d.object_type = 'table column' THEN
			PERFORM follow_columns(d.id, d.objid, '{}');
			CONTINUE;
		END IF;
		IF d.object_type = 'trigger' THEN
			PERFORM tell(d.id, format('trigger %s of watched table %s was dropped',
					d.name, d.table_name),
				'What happens to its rows is not counted.',
				format('SELECT replenish.rewatch(%L); then CALL replenish.repair(%1$L).',
					d.root));
			CONTINUE;
		END IF;
		DELETE FROM followed f
		WHERE f.source = d.id AND f.name = d.table_name;
		IF d.is_root THEN
			DELETE FROM followed f WHERE f.source = d.id AND f.part = d.part;
			PERFORM tell(d.id, format('watched table %s was dropped', d.root),
				'What it contributed is still counted.',
				'See what replenish.health() says of it.');
		ELSIF d.detached_at IS NULL AND d.is_old THEN
			INSERT INTO unread (source, name) VALUES (d.id, d.table_name);
		ELSIF d.detached_at IS NULL AND NOT d.is_below THEN
			PERFORM tell(d.id, format('table %s, a part of watched table %s, was dropped',
					d.table_name, d.root),
				'What its rows contributed is still counted.',
				format('CALL replenish.repair(%L); detach or truncate a table before it is dropped to have that done at once.',
					d.root));
		END IF;
	END LOOP;
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING 'replenish could not follow %', TG_TAG
		USING DETAIL = SQLERRM || '.',
			HINT = 'See replenish.health(), then CALL replenish.repair().';
END $$;
COMMENT ON FUNCTION replenish.follow_drop() IS
'Event trigger on drops: warns where a watched table, a column or a trigger of it, or a part of it that may have had rows younger than keep was dropped.';

CREATE EVENT TRIGGER replenish_follow ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER SCHEMA',
		'ALTER TYPE', 'CREATE TABLE', 'CREATE TABLE AS', 'CREATE FOREIGN TABLE',
		'CREATE SCHEMA', 'ALTER TRIGGER', 'CREATE TRIGGER', 'SELECT INTO')
	EXECUTE FUNCTION replenish.follow();
CREATE EVENT TRIGGER replenish_follow_drop ON sql_drop
	WHEN TAG IN ('ALTER TABLE', 'DROP DOMAIN', 'DROP EXTENSION', 'DROP OWNED',
		'DROP SCHEMA', 'DROP TABLE', 'DROP TRIGGER', 'DROP TYPE')
	EXECUTE FUNCTION replenish.follow_drop();
-- DDL that is replicated runs as a replica
ALTER EVENT TRIGGER replenish_follow ENABLE ALWAYS;
ALTER EVENT TRIGGER replenish_follow_drop ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER replenish_follow IS
'Follows what commands do to watched tables.';
COMMENT ON EVENT TRIGGER replenish_follow_drop IS
'Follows what is dropped of watched tables.';
