-- the quiet start: everything is decided, nothing is announced; first_look() and go_live()
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET replenish.quiet_start = on;
SET timezone = 'UTC';
CREATE TABLE orders (sku text, qty integer, at timestamptz, price numeric, place text);
CREATE TABLE stock (sku text, place text, on_hand integer, on_order integer);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', 'place', price => 'price');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', 'place', on_order => 'on_order');
-- eight weeks: a lamp sells ten a day, a dear clock one, a mug five, a pen one in ten days
INSERT INTO orders SELECT p.sku, p.qty, '2026-11-20 12:00+00'::timestamptz - n * interval '1 day',
	p.price, p.place
FROM generate_series(1, 56) n, LATERAL (VALUES ('lamp', 10, 20.0, 'HK'), ('clock', 1, 900, 'HK'),
	('mug', 5, 3, 'HK'), ('mug', 5, 3, 'SZ'), ('gift', 4, NULL, 'HK'), ('stray', 2, 7, 'HK'),
	('pen', (n % 10 = 0)::integer, 1, 'HK')) p (sku, qty, price, place);
INSERT INTO stock VALUES ('lamp', 'HK', 60, 100), ('clock', 'HK', 5, 0), ('mug', 'HK', -4, 0),
	('mug', 'SZ', 5000, 0), ('gift', 'HK', 10, 0), ('pen', 'HK', 0, 0), ('idle', 'HK', 0, 0);
-- what a price was long ago does not matter, nor what cannot be one
INSERT INTO orders VALUES ('lamp', 500, '2026-06-01 12:00+00', 99999, 'HK'),
	('lamp', 1, '2026-11-20 11:00+00', 'NaN', 'HK'), ('lamp', 1, '2026-11-20 11:00+00', -5, 'HK'),
	('lamp', -1, '2026-11-20 11:00+00', 1000, 'HK');
SELECT decided > 0 AS decided, events FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, tier, epoch FROM replenish.status WHERE tier <> 'normal' ORDER BY 1, 2;
SELECT * FROM replenish.events_after(0);
SELECT live_at, last_seq FROM replenish.decider;
SELECT ok, since, detail, hint FROM replenish.health() WHERE what = 'announcing';
-- changes are not announced either
UPDATE stock SET on_hand = 5000 WHERE sku = 'gift';
SELECT events FROM replenish.tick('2026-11-20 12:01+00');
UPDATE stock SET on_hand = 10 WHERE sku = 'gift';
SELECT events FROM replenish.tick('2026-11-20 12:02+00');
-- money first, then units without a price; what has no stock record is last
SELECT rank, sku, location, tier, available, on_order, per_day, stockout_eta::date AS sold_out,
	reorder_qty, price, money_at_risk
FROM replenish.first_look() ORDER BY rank;
SELECT rank, sku, why FROM replenish.first_look() ORDER BY rank;
-- money at risk is price times the units missing until a delivery
SELECT l.sku, l.money_at_risk::numeric = round((l.price * (f.mean - l.available - l.on_order))::numeric, 2) AS same
FROM replenish.first_look() l
CROSS JOIN LATERAL (SELECT replenish.demand_merge(demand) AS demand FROM replenish.item_demand d
	WHERE d.sku = l.sku AND d.location = l.location) d
CROSS JOIN LATERAL replenish.demand_forecast(d.demand, '2026-11-20 12:02+00', '30 days') f
WHERE l.money_at_risk > 0 AND l.price = round(l.price) ORDER BY l.rank;
SELECT sku, location FROM replenish.first_look(2) ORDER BY rank;
SELECT sku FROM replenish.first_look(0);
SELECT replenish.first_look(-1);
SELECT replenish.first_look(NULL);
-- who may read the views and not the table sees no prices; a locked table gives none
CREATE ROLE regress_looker;
GRANT USAGE ON SCHEMA replenish TO regress_looker;
GRANT SELECT ON ALL TABLES IN SCHEMA replenish TO regress_looker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA replenish TO regress_looker;
SET ROLE regress_looker;
SELECT rank, sku, location, price, money_at_risk FROM replenish.first_look(3) ORDER BY rank;
RESET ROLE;
-- nor is what stands where the price was
BEGIN;
SET LOCAL client_min_messages = error;
ALTER TABLE orders ALTER price TYPE text;
SELECT rank, sku, price FROM replenish.first_look(1) ORDER BY rank;
ROLLBACK;
DROP OWNED BY regress_looker;
DROP ROLE regress_looker;
-- one summary, of what waits in the inbox too
UPDATE stock SET on_hand = 2 WHERE sku = 'clock';
SELECT replenish.go_live('2026-11-20 12:03+00');
SELECT seq, type, sku, location, epoch, from_tier, to_tier, reason, occurred_at,
	facts - 'first_look' AS facts
FROM replenish.event ORDER BY seq;
SELECT n, l FROM replenish.event, jsonb_array_elements(facts -> 'first_look') WITH ORDINALITY x (l, n)
ORDER BY n;
SELECT bool_and(l.sku = x.l ->> 'sku' AND l.location = x.l ->> 'location') AS "as first_look() has it",
	count(*)
FROM replenish.event e, jsonb_array_elements(e.facts -> 'first_look') WITH ORDINALITY x (l, n)
JOIN replenish.first_look() l ON l.rank = x.n;
SELECT e.facts::text ~ 'price|money|22500' AS "tells prices" FROM replenish.event e;
SELECT n::jsonb - 'id' - 'source' AS notification, octet_length(n) < 2000 AS small
FROM replenish.event e, replenish.notification(e) n;
SELECT live_at, last_seq FROM replenish.decider;
SELECT ok, since, detail, hint FROM replenish.health() WHERE what = 'announcing';
-- once is enough
SELECT replenish.go_live('2026-11-20 12:03+00');
-- what was red and stays red says nothing more; what changes does
UPDATE stock SET on_hand = 1 WHERE sku = 'clock';
SELECT events FROM replenish.tick('2026-11-20 12:04+00');
UPDATE stock SET on_hand = 900 WHERE sku = 'clock';
SELECT events FROM replenish.tick('2026-11-20 12:05+00');
SELECT seq, sku, epoch, from_tier, to_tier FROM replenish.events_after(1) ORDER BY seq;
-- a start that is rolled back was none
SELECT * FROM replenish.verify();
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
CREATE EXTENSION replenish;
RESET client_min_messages;
BEGIN;
SELECT replenish.go_live('2026-11-20 12:00+00');
ROLLBACK;
SELECT count(*) FROM replenish.event;
-- refused where tick() is
SELECT replenish.go_live(NULL);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT replenish.go_live();
ROLLBACK;
-- with nothing watched the summary is empty, and what comes is announced
SELECT replenish.go_live('2026-11-20 12:00+00');
SELECT to_tier, facts FROM replenish.event;
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', 'place');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('new', 100);
INSERT INTO stock VALUES ('new', 'HK', 10, 0);
SELECT events FROM replenish.tick('2026-11-20 12:10+00');
SELECT seq, sku, to_tier FROM replenish.event ORDER BY seq;
-- with the setting off the first decision is announced, and go_live() has nothing to do
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
CREATE EXTENSION replenish;
RESET client_min_messages;
SET replenish.quiet_start = off;
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', 'place');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('new', 100);
UPDATE stock SET on_hand = 11 WHERE sku = 'new';
CALL replenish.backfill('stock');
SELECT events FROM replenish.tick('2026-11-20 12:00+00');
SELECT live_at FROM replenish.decider;
SELECT replenish.go_live('2026-11-20 12:00+00');
-- on again changes nothing: live is live
SET replenish.quiet_start = on;
UPDATE stock SET on_hand = 5000 WHERE sku = 'new';
SELECT events FROM replenish.tick('2026-11-20 12:01+00');
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, stock;
CREATE EXTENSION replenish;
