-- who may do what: orders need nothing, everything else is granted
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
CREATE ROLE regress_shopper;
CREATE ROLE regress_owner;
CREATE ROLE regress_reader;
CREATE SCHEMA shop AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA shop TO regress_shopper;
SET ROLE regress_owner;
CREATE TABLE shop.orders (sku text, qty integer, at timestamptz DEFAULT now());
CREATE TABLE shop.stock (sku text, on_hand integer);
GRANT INSERT ON shop.orders TO regress_shopper;
-- nobody may do anything by default, not even look
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at');
SELECT * FROM replenish.status;
RESET ROLE;
GRANT USAGE ON SCHEMA replenish TO regress_owner, regress_reader, regress_shopper;
SET ROLE regress_owner;
SELECT replenish.reorder_qty(0, 20, 20, 0, 50, 3);
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at');
SELECT replenish.record_demand('A', 1);
SELECT replenish.tick();
SELECT replenish.verify();
CALL replenish.repair();
SELECT * FROM replenish.status;
SELECT * FROM replenish.inbox;
CREATE TRIGGER forged AFTER INSERT ON shop.orders REFERENCING NEW TABLE AS n
	FOR EACH STATEMENT EXECUTE FUNCTION replenish.capture('1', 'orders');
RESET ROLE;
-- no function that reads or writes the shop's sums is everybody's: others can do no more than
-- their caller, who may read none of our tables
SELECT p.oid::regprocedure AS "open to PUBLIC" FROM pg_proc p
JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'replenish'::regnamespace
	AND (p.prosecdef OR l.lanname = 'c' AND p.provolatile <> 'i'
		OR p.prorettype = 'trigger'::regtype
		OR p.proname IN ('watch_orders', 'watch_stock', 'unwatch', 'rewatch'))
	AND has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY p.oid::regprocedure::text;
SELECT c.oid::regclass FROM pg_class c
WHERE c.relnamespace = 'replenish'::regnamespace AND c.relkind IN ('r', 'v')
	AND has_table_privilege('public', c.oid, 'SELECT');
-- who may watch
GRANT EXECUTE ON FUNCTION replenish.watch_orders, replenish.watch_stock, replenish.unwatch,
	replenish.rewatch, replenish.capture, replenish.lock_register,
	replenish.register_source, replenish.note_table,
	replenish.retire_source, replenish.own_command, replenish.who_holds, replenish.wake,
	replenish.verify, replenish.tick TO regress_owner;
GRANT EXECUTE ON PROCEDURE replenish.backfill, replenish.repair TO regress_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA replenish TO regress_owner;
GRANT EXECUTE ON FUNCTION replenish.waiting_stock() TO regress_owner;
SET ROLE regress_owner;
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at');
SELECT replenish.watch_stock('shop.stock', 'sku', 'on_hand');
INSERT INTO shop.stock VALUES ('A', 10);
SELECT decided FROM replenish.tick();
SELECT * FROM replenish.verify();
SELECT sku, on_hand FROM replenish.status;
RESET ROLE;
CREATE TABLE shop.not_mine (sku text, qty integer, at timestamptz);
SET ROLE regress_owner;
SELECT replenish.watch_orders('shop.not_mine', 'sku', 'qty', 'at');
SELECT replenish.unwatch('shop.not_mine');
RESET ROLE;
-- a role that may only insert places an order, in every mode
REVOKE USAGE ON SCHEMA replenish FROM regress_shopper;
SET ROLE regress_shopper;
INSERT INTO shop.orders VALUES ('A', 1);
RESET ROLE;
SET replenish.evaluate = immediate;
SET ROLE regress_shopper;
INSERT INTO shop.orders VALUES ('A', 2);
SELECT current_user;
-- but not choose one
SET replenish.evaluate = manual;
RESET ROLE;
SET replenish.evaluate = manual;
SET ROLE regress_shopper;
COPY shop.orders (sku, qty) FROM stdin;
A	3
\.
SELECT * FROM shop.orders;
SELECT * FROM replenish.inbox;
RESET ROLE;
SELECT count(*) FROM replenish.inbox;
SELECT decided FROM replenish.tick();
SELECT sum(units) FROM replenish.item_demand, replenish.demand_buckets(demand)
WHERE resolution = '7 days';
-- row security hides rows from the shopper, not from the count
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON shop.orders FOR ALL TO regress_shopper USING (qty < 10) WITH CHECK (true);
SET ROLE regress_shopper;
INSERT INTO shop.orders VALUES ('A', 100);
RESET ROLE;
SELECT decided FROM replenish.tick();
SELECT * FROM replenish.verify();
-- who may read
GRANT SELECT ON replenish.status, replenish.sku_status TO regress_reader;
GRANT EXECUTE ON FUNCTION replenish.waiting_stock() TO regress_reader;
DELETE FROM shop.orders WHERE qty = 100;
SET ROLE regress_reader;
SELECT sku, on_hand FROM replenish.status;
SELECT sku, locations FROM replenish.sku_status;
SELECT * FROM replenish.item;
SELECT * FROM shop.orders;
RESET ROLE;
-- hostile names on the path of whoever calls
CREATE SCHEMA evil;
CREATE FUNCTION evil.bad(numeric, numeric) RETURNS numeric LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'evil operator'; END $$;
CREATE OPERATOR evil.- (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = evil.bad);
CREATE OPERATOR evil.+ (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = evil.bad);
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'evil function'; END $$;
CREATE FUNCTION evil.drain(timestamptz) RETURNS integer LANGUAGE sql AS 'SELECT 1/0';
SET search_path = evil, pg_catalog, public;
INSERT INTO shop.orders VALUES ('A', 1, pg_catalog.clock_timestamp());
SELECT decided OPERATOR(pg_catalog.>) 0 FROM replenish.tick();
SELECT count(*) FROM replenish.verify();
SELECT sku, on_hand FROM replenish.status;
SELECT count(*) OPERATOR(pg_catalog.>) 0 FROM replenish.explain('A');
SELECT count(*) OPERATOR(pg_catalog.>) 0 FROM replenish.health();
RESET search_path;
DROP SCHEMA evil CASCADE;
-- nor on the path of whoever installs
BEGIN;
CREATE FUNCTION public.bad(interval, integer) RETURNS interval LANGUAGE sql AS 'SELECT $1';
CREATE OPERATOR public.* (LEFTARG = interval, RIGHTARG = integer, FUNCTION = public.bad);
DROP EXTENSION replenish CASCADE;
CREATE EXTENSION replenish;
SELECT d.objid::regprocedure FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
WHERE d.refclassid = 'pg_operator'::regclass AND o.oprnamespace = 'public'::regnamespace
	AND d.classid = 'pg_proc'::regclass;
ROLLBACK;
DROP EXTENSION replenish CASCADE;
DROP SCHEMA shop CASCADE;
DROP ROLE regress_shopper, regress_owner, regress_reader;
CREATE EXTENSION replenish;
