-- ALTER EXTENSION UPDATE: the same as a new installation, with watches, settings and state intact
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
-- everything that makes up the extension, as text
CREATE VIEW made AS
SELECT 'function' AS kind, p.oid::regprocedure::text AS name,
	concat_ws(' ', pg_get_function_result(p.oid), p.provolatile, p.proparallel,
		p.proisstrict, p.prosecdef, p.prorows, p.proconfig,
		(SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(p.proacl) a),
		coalesce(pg_get_function_sqlbody(p.oid), p.prosrc),
		obj_description(p.oid, 'pg_proc')) AS definition
FROM pg_proc p WHERE p.pronamespace = to_regnamespace('replenish')
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, c.relname,
	concat_ws(' ', CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END,
		c.relacl, c.reloptions, c.relreplident, c.oid = ANY (e.extconfig),
		obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_extension e ON e.extname = 'replenish'
WHERE c.relnamespace = to_regnamespace('replenish') AND c.relkind IN ('r', 'v')
UNION ALL
SELECT 'column', c.relname || '.' || a.attname,
	concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull,
		a.attcollation, pg_get_expr(d.adbin, d.adrelid),
		col_description(c.oid, a.attnum))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace('replenish') AND c.relkind IN ('r', 'v')
	AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = to_regnamespace('replenish')
UNION ALL
SELECT 'constraint', n.conrelid::regclass || ' ' || n.conname, pg_get_constraintdef(n.oid)
FROM pg_constraint n WHERE n.connamespace = to_regnamespace('replenish')
UNION ALL
SELECT 'trigger', t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled,
		obj_description(t.oid, 'pg_trigger'))
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = to_regnamespace('replenish') AND NOT t.tgisinternal
UNION ALL
SELECT 'event trigger', t.evtname, concat_ws(' ', t.evtevent, t.evtfoid::regproc, t.evtenabled,
		t.evttags, obj_description(t.oid, 'pg_event_trigger'))
FROM pg_event_trigger t
UNION ALL
SELECT 'member', pg_describe_object(d.classid, d.objid, 0), ''
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'replenish'
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';
CREATE TABLE new_made AS SELECT * FROM made;
-- a shop that came with 1.0
DROP EXTENSION replenish;
CREATE EXTENSION replenish VERSION '1.0';
CREATE TABLE orders (id int PRIMARY KEY, sku text, qty int, at timestamptz, room text);
CREATE TABLE stock (sku text PRIMARY KEY, on_hand int);
CREATE TABLE sales (sku text, qty int, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE sales_11 PARTITION OF sales FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', channel => 'room');
SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at', keep => '30 days');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
INSERT INTO replenish.policy (sku, lead_time) VALUES ('A', '14 days');
INSERT INTO replenish.location VALUES ('default', 'Asia/Shanghai');
INSERT INTO stock VALUES ('A', 100), ('B', 5);
INSERT INTO orders SELECT n, 'A', 1, '2026-11-20 12:00+00'::timestamptz - n * interval '1 hour', 'live'
FROM generate_series(1, 500) n;
INSERT INTO sales VALUES ('B', 7, '2026-11-20 09:00+00'), ('B', NULL, '2026-11-20 09:00+00');
SELECT * FROM replenish.tick('2026-11-20 12:00+00');
CREATE VIEW bi AS SELECT sku, tier, stockout_eta FROM replenish.status;
CREATE TABLE before AS SELECT * FROM replenish.item;
-- the library is newer than the SQL: orders and decisions go on
INSERT INTO orders VALUES (501, 'A', 3, '2026-11-20 11:59+00', 'live');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
INSERT INTO orders VALUES (502, 'B', 1, '2026-11-20 12:01+00', 'live');
UPDATE stock SET on_hand = 99 WHERE sku = 'A';
SELECT count(*) FROM replenish.verify();
CALL replenish.repair();
ALTER EXTENSION replenish UPDATE TO '1.1';
-- nothing is missing, nothing is left over, nothing differs
SELECT coalesce(o.kind, n.kind) AS kind, coalesce(o.name, n.name) AS name,
	CASE WHEN n.name IS NULL THEN 'only after an update' WHEN o.name IS NULL
		THEN 'only when new' ELSE 'differs' END AS what
FROM made o FULL JOIN new_made n USING (kind, name)
WHERE o.definition IS DISTINCT FROM n.definition ORDER BY 1, 2;
-- what the shop had
SELECT relation, kind, sku, channel, keep, zone, enabled, backfilled_at IS NOT NULL AS backfilled
FROM replenish.watched ORDER BY relation::text;
SELECT sku, lead_time FROM replenish.policy;
SELECT count(*) FROM replenish.verify();
SELECT * FROM bi ORDER BY sku;
SELECT decided, events FROM replenish.tick('2026-11-20 12:02+00');
SELECT count(*) FROM replenish.verify();
SELECT i.sku, i.on_hand, i.epoch, i.since = b.since AS same FROM replenish.item i
JOIN before b USING (sku, location) ORDER BY i.sku;
SELECT seq, sku, to_tier FROM replenish.events_after(0);
SELECT live_at IS NOT NULL AS live FROM replenish.decider;
-- the triggers are this version's: partitions by their own name, replicas
INSERT INTO sales_11 VALUES ('B', 2, '2026-11-20 12:02+00');
SET session_replication_role = replica;
INSERT INTO orders VALUES (503, 'B', 1, '2026-11-20 12:02+00', 'live');
RESET session_replication_role;
SELECT decided FROM replenish.tick('2026-11-20 12:02+00');
SELECT count(*) FROM replenish.verify();
SELECT sum(units) FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
WHERE d.sku = 'B' AND b.resolution = '1 minute';
SELECT what, ok FROM replenish.health() WHERE what ~ 'source|fault';
DROP VIEW bi;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, stock, sales, before, new_made;
DROP VIEW made;
CREATE EXTENSION replenish;
-- whatever tables are by default, those that the library writes to are heaps
SET client_min_messages = error;
DROP EXTENSION replenish CASCADE;
CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
SET default_table_access_method = other;
CREATE EXTENSION replenish;
SELECT DISTINCT a.amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam
WHERE c.relnamespace = 'replenish'::regnamespace AND c.relkind = 'r';
DROP ACCESS METHOD other;
