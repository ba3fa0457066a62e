-- a table whose owner hopes that somebody with more rights looks at it: none of his code runs
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE public.caught (who text, how text);
GRANT INSERT ON public.caught TO PUBLIC;
CREATE ROLE regress_evil;
CREATE SCHEMA trap AUTHORIZATION regress_evil;
SET ROLE regress_evil;
CREATE FUNCTION trap.note(how text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO public.caught VALUES (current_user, how); RETURN true; END $$;
-- an enum with a cast of its own, a domain with a check, operators, a generated column, a policy
CREATE TYPE trap.code AS ENUM ('A', 'B');
CREATE FUNCTION trap.code_text(trap.code) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('cast'); RETURN 'C'; END $$;
CREATE CAST (trap.code AS text) WITH FUNCTION trap.code_text(trap.code) AS IMPLICIT;
CREATE DOMAIN trap.units AS numeric CHECK (value < 1000 OR trap.note('domain'));
CREATE FUNCTION trap.same(trap.code, trap.code) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN RETURN trap.note('operator'); END $$;
CREATE OPERATOR trap.= (LEFTARG = trap.code, RIGHTARG = trap.code, FUNCTION = trap.same);
CREATE OPERATOR trap.< (LEFTARG = trap.units, RIGHTARG = trap.units, FUNCTION = pg_catalog.numeric_lt);
CREATE FUNCTION trap.later(timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RETURN $1; END $$;
CREATE TABLE trap.orders (id int PRIMARY KEY, sku trap.code, qty trap.units, placed timestamptz,
	at timestamptz GENERATED ALWAYS AS (trap.later(placed)) STORED, status trap.code, price numeric);
CREATE TABLE trap.stock (sku trap.code PRIMARY KEY, on_hand trap.units);
INSERT INTO trap.orders (id, sku, qty, placed, status, price)
SELECT n, CASE n % 2 WHEN 0 THEN 'A' ELSE 'B' END::trap.code, 1,
	'2026-11-20 12:00+00'::timestamptz - n * interval '1 hour', 'A', 3
FROM generate_series(1, 300) n;
INSERT INTO trap.stock VALUES ('A', 5), ('B', 600);
ALTER TABLE trap.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY peek ON trap.orders USING (trap.note('policy'));
-- what the extension calls, as somebody would like it to find
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('search_path'); RETURN pg_catalog.now(); END $$;
CREATE FUNCTION trap.count_rows(regclass, text[], integer, boolean) RETURNS void LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('search_path'); END $$;
RESET ROLE;
TRUNCATE public.caught;
SET search_path = trap, pg_catalog, public;
SELECT kind FROM replenish.suggest_watch() WHERE call ~ 'trap\.' ORDER BY 1;
SELECT what, rows FROM replenish.preview('trap.orders', 'sku', 'qty', 'at', status => 'status',
	counted => '{A}', price => 'price', stock => 'trap.stock') WHERE what IN ('rows', 'counted') ORDER BY 1;
SELECT what, rows FROM replenish.preview_stock('trap.stock', 'sku', 'on_hand') WHERE what = 'rows';
SELECT replenish.watch_orders('trap.orders', 'sku', 'qty', 'at', status => 'status', counted => '{A}', price => 'price');
SELECT replenish.watch_stock('trap.stock', 'sku', 'on_hand');
CALL replenish.backfill('trap.orders');
CALL replenish.backfill('trap.stock');
SELECT replenish.tick('2026-11-20 12:00+00');
SELECT rank, sku, tier, price FROM replenish.first_look();
SELECT replenish.go_live('2026-11-20 12:00+00') IS NULL AS live_already;
UPDATE trap.orders SET qty = 2 WHERE id < 5;
ALTER TABLE trap.orders RENAME COLUMN sku TO code;
ALTER TABLE trap.orders RENAME TO sales;
SELECT replenish.tick('2026-11-20 12:01+00');
SELECT count(*) FROM replenish.verify();
CALL replenish.repair();
SELECT count(*) > 5 AS said FROM replenish.health();
SELECT count(*) > 20 AS explained FROM replenish.explain('A');
SELECT * FROM public.caught;
RESET search_path;
DROP EXTENSION replenish CASCADE;
DROP SCHEMA trap CASCADE;
DROP ROLE regress_evil;
DROP TABLE public.caught;
CREATE EXTENSION replenish;
