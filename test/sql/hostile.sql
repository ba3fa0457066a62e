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
-- the same at home: his session, his temporary objects, his settings, and orders that decide at once
GRANT USAGE ON SCHEMA replenish TO regress_evil;
GRANT EXECUTE ON FUNCTION replenish.watch_orders, replenish.watch_stock, replenish.unwatch, replenish.rewatch,
	replenish.capture, replenish.lock_register, replenish.register_source, replenish.note_table,
	replenish.retire_source, replenish.own_command, replenish.who_holds, replenish.wake, replenish.verify,
	replenish.health, replenish.explain, replenish.waiting_stock TO regress_evil;
GRANT EXECUTE ON PROCEDURE replenish.repair, replenish.backfill TO regress_evil;
GRANT SELECT ON replenish.source, replenish.location, replenish.watched, replenish.watched_part,
	replenish.watched_table, replenish.capturing, replenish.status TO regress_evil;
SET ROLE regress_evil;
CREATE DOMAIN trap.name AS text CHECK (trap.note('domain of a key'));
CREATE FUNCTION trap.idx(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN PERFORM trap.note('index'); RETURN $1; END $$;
CREATE FUNCTION trap.default_at() RETURNS timestamptz LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('default'); RETURN '2026-11-20 12:00+00'; END $$;
-- operators and functions on everybody's types
CREATE FUNCTION trap.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN RETURN trap.note('text operator'); END $$;
CREATE FUNCTION trap.cat(text, text) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('text operator'); RETURN 'x'; END $$;
CREATE FUNCTION trap.before(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN RETURN trap.note('moment operator'); END $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.eq);
CREATE OPERATOR trap.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.cat);
CREATE OPERATOR trap.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = trap.before);
CREATE FUNCTION trap.max(integer) RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('function'); RETURN 1; END $$;
CREATE FUNCTION trap.clock() RETURNS timestamptz LANGUAGE plpgsql AS
	$$ BEGIN PERFORM trap.note('clock'); RETURN '2038-01-01'; END $$;
-- names that would be commands, and columns that would be arguments
CREATE TABLE trap."t""; SELECT 1/0; --%s" ("a"",\b" trap.name, "%s" trap.units,
	"at;" timestamptz DEFAULT trap.default_at(), "st,at" trap.code DEFAULT 'A');
CREATE INDEX ON trap."t""; SELECT 1/0; --%s" (trap.idx("a"",\b"));
CREATE TABLE trap.child (CHECK (trap.note('check'))) INHERITS (trap."t""; SELECT 1/0; --%s");
CREATE TRIGGER replenish_zero BEFORE INSERT OR UPDATE OR DELETE ON trap.child FOR EACH ROW
	EXECUTE FUNCTION suppress_redundant_updates_trigger();
DROP TRIGGER replenish_zero ON trap.child;
ALTER TABLE trap.child ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY peek ON trap.child USING (trap.note('policy of a child'));
CREATE TEMPORARY TABLE source (id integer, name text, active boolean, kind text);
CREATE TEMPORARY TABLE item (sku text, location text, next_check timestamptz);
CREATE TEMPORARY TABLE decider (clock timestamptz);
CREATE TEMPORARY TABLE inbox_even (amount bigint, minute int, source int, kind "char", sku text, location text, channel text, summary text);
CREATE TEMPORARY TABLE failure (what text);
CREATE FUNCTION pg_temp.clock() RETURNS timestamptz LANGUAGE sql AS 'SELECT trap.clock()';
CREATE FUNCTION pg_temp.put(integer, "char", text, text, text, integer, bigint) RETURNS void LANGUAGE sql AS 'SELECT trap.note(''put'')::text::void';
DO $$
BEGIN
	PERFORM set_config('standard_conforming_strings', 'off', false),
		set_config('escape_string_warning', 'off', false);
EXCEPTION WHEN feature_not_supported THEN
	NULL;						-- from 19 on no session can
END $$;
SET search_path = pg_temp, trap, public, pg_catalog;
SET quote_all_identifiers = on;
SET transform_null_equals = on;
SET array_nulls = off;
SET check_function_bodies = off;
SET enable_indexscan = off;
SET row_security = on;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = sql_standard;
SET default_transaction_read_only = off;
SELECT replenish.watch_orders('trap."t""; SELECT 1/0; --%s"', E'a",\\b', '%s', 'at;', status => 'st,at', counted => '{A}');
RESET ROLE;
-- each order decides at once, with the rights of the decider
SET replenish.evaluate = immediate;
SET ROLE regress_evil;
INSERT INTO trap."t""; SELECT 1/0; --%s" VALUES ('evil', 1), ('eviler', 2);
INSERT INTO trap.child VALUES ('child', 5);
UPDATE trap.child SET "%s" = 6;
ALTER TABLE trap."t""; SELECT 1/0; --%s" RENAME COLUMN "%s" TO "$1";
ALTER TABLE trap."t""; SELECT 1/0; --%s" RENAME TO "x'', DROP; --";
INSERT INTO trap.child VALUES ('more', 7);
SELECT sku, tier FROM replenish.status WHERE sku OPERATOR(pg_catalog.~) 'evil|child|more' ORDER BY 1;
CALL replenish.repair(E'trap."x\'\', DROP; --"');
SELECT count(*) FROM replenish.verify(E'trap."x\'\', DROP; --"');
SELECT count(*) OPERATOR(pg_catalog.>) 5 AS said FROM replenish.health();
SELECT count(*) OPERATOR(pg_catalog.>) 5 AS explained FROM replenish.explain('evil');
SELECT count(*) FROM pg_temp.source;
TRUNCATE trap.child;
SELECT replenish.unwatch(E'trap."x\'\', DROP; --"');
RESET ROLE;
RESET standard_conforming_strings;
RESET search_path;
RESET ALL;
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
-- nothing of his has run but as himself
SELECT DISTINCT how FROM public.caught WHERE who = 'regress_evil' ORDER BY how;
SELECT * FROM public.caught WHERE who <> 'regress_evil';
REVOKE USAGE ON SCHEMA replenish FROM regress_evil;
DISCARD TEMP;
DROP EXTENSION replenish CASCADE;
DROP SCHEMA trap CASCADE;
DROP OWNED BY regress_evil;
DROP ROLE regress_evil;
DROP TABLE public.caught;
CREATE EXTENSION replenish;
