-- what no shop means and every shop sends: the order goes in, and nobody else suffers
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE orders (id serial PRIMARY KEY, sku text, qty float8, at timestamptz);
CREATE TABLE stock (sku text, on_hand numeric);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
INSERT INTO stock VALUES ('A', 1000);
SELECT * FROM replenish.tick('2026-11-20 12:00+00');
-- in one stream: now, years back, years ahead, at the edges of what is kept
INSERT INTO orders (sku, qty, at)
SELECT 'A', 1, '2026-11-20 12:00+00'::timestamptz + d * interval '1 day'
FROM unnest(ARRAY[0, -1, -400, -3650, 0, 400, 3650, -20000, 0, 300000]) d;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT * FROM replenish.verify();
SELECT sum(units) AS kept, max(bucket) AS newest FROM replenish.item_demand d
CROSS JOIN LATERAL replenish.demand_buckets(d.demand) WHERE resolution = '7 days';
-- a date ahead moves no window: what sold today still shows
SELECT sold_24h, tier FROM replenish.status;
SELECT what, detail FROM replenish.health() WHERE what ~ 'future|fault' ORDER BY what;
-- the clock of the server goes back, and ahead by years, and back again
SELECT * FROM replenish.tick('2026-11-19 12:00+00');
INSERT INTO stock VALUES ('A', -1000);
SELECT * FROM replenish.tick('2001-01-01 00:00+00');
SELECT sku, tier, decided_at FROM replenish.item;
SELECT decided FROM replenish.tick('2038-01-20 00:00+00');
INSERT INTO stock VALUES ('A', 1000);
INSERT INTO orders (sku, qty, at) VALUES ('A', 1, '2026-11-20 12:01+00');
SELECT decided FROM replenish.tick('2026-11-20 12:01+00');
SELECT * FROM replenish.verify();
SELECT ok, detail, hint FROM replenish.health() WHERE what = 'clock';
-- as health() says
UPDATE replenish.decider SET clock = '2026-11-20 12:01+00';
SET client_min_messages = warning;
CALL replenish.repair();
RESET client_min_messages;
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:02+00');
SELECT * FROM replenish.verify();
SELECT sold_24h, tier, decided_at FROM replenish.status;
SELECT seq, to_tier, occurred_at FROM replenish.event ORDER BY seq;
-- a moment is a moment
SELECT replenish.tick(NULL);
SELECT replenish.tick('infinity');
SELECT replenish.tick('4000-01-01');
-- policies that are none
\set VERBOSITY terse
INSERT INTO replenish.policy (sku, lead_time) VALUES ('A', '-1 day');
INSERT INTO replenish.policy (sku, lead_time) VALUES ('A', '1 month');
INSERT INTO replenish.policy (sku, lead_time) VALUES ('A', '400 days');
INSERT INTO replenish.policy (sku, review_period) VALUES ('A', '-1 day');
INSERT INTO replenish.policy (sku, service_level) VALUES ('A', 0);
INSERT INTO replenish.policy (sku, service_level) VALUES ('A', 1);
INSERT INTO replenish.policy (sku, service_level) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, buffer) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, exit_margin) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, moq) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, moq) VALUES ('A', 'Infinity');
INSERT INTO replenish.policy (sku, multiple) VALUES ('A', -1);
INSERT INTO replenish.policy (sku, multiple) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, maximum) VALUES ('A', 0);
INSERT INTO replenish.policy (sku, maximum) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('A', 'NaN');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('A', -1);
\set VERBOSITY default
-- and those at the edges of what is one: each is decided
INSERT INTO stock SELECT 'P' || i, 5 FROM generate_series(1, 9) i;
INSERT INTO orders (sku, qty, at) SELECT 'P' || i, 3, '2026-11-20 11:00+00' FROM generate_series(1, 9) i;
INSERT INTO replenish.policy (sku, lead_time) VALUES ('P1', '0');
INSERT INTO replenish.policy (sku, lead_time, lead_time_sd, review_period, order_cycle) VALUES ('P2', '0', '0', '0', '0');
INSERT INTO replenish.policy (sku, lead_time, review_period) VALUES ('P3', '366 days', '0');
INSERT INTO replenish.policy (sku, lead_time_sd) VALUES ('P4', '366 days');
INSERT INTO replenish.policy (sku, service_level) VALUES ('P5', 1e-300), ('P6', 0.9999999999999999);
INSERT INTO replenish.policy (sku, multiple, moq, maximum) VALUES ('P7', 0, 0, 1e-9);
INSERT INTO replenish.policy (sku, multiple, moq, maximum) VALUES ('P8', 1e12, 1e12, 'Infinity');
INSERT INTO replenish.policy (sku, fixed_threshold, buffer) VALUES ('P9', 1e12, 10);
DELETE FROM replenish.policy WHERE sku IS NULL;
SELECT decided FROM replenish.tick('2026-11-20 12:03+00');
SELECT count(*) AS failures FROM replenish.failure;
SELECT sku, threshold >= 0 AND threshold < 'Infinity' AND reorder_qty >= 0
	AND reorder_qty < 'Infinity' AND target >= threshold AS sound
FROM replenish.item WHERE sku ~ '^P' ORDER BY sku;
-- quantities: the least, the most, and no numbers
INSERT INTO orders (sku, qty, at) SELECT 'Q', q, '2026-11-20 12:00+00'
FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity', '1e308', '-1e308', '4.9e-324', '-0', '0', '1e12', '-1e12']::float8[]) q;
INSERT INTO stock VALUES ('Q', 'NaN'), ('Q', 1e100), ('Q', -0.0), ('Q', 1e-100), ('Q', 7), ('Q', NULL);
-- keys: nothing, nothing to be seen, more than a page, and what must be escaped
INSERT INTO orders (sku, qty, at) SELECT k, 1, '2026-11-20 12:00+00'
FROM unnest(ARRAY[NULL, '', ' ', E'\t\r\n\x0b\f', E'\x01', E'a\x07b', repeat('long', 262144),
	repeat('x', 255), repeat('x', 256), '"', E'\\', ',', '{}', E'a\nb', '%s', '$1', '''; DROP TABLE orders; --',
	E'\u00a0', E'\u200b', '🧦']) k;
SELECT decided FROM replenish.tick('2026-11-20 12:04+00');
SELECT what, detail FROM replenish.health() WHERE what ~ '^fault' ORDER BY what;
SELECT count(*) FROM replenish.item;
SELECT sku, on_hand FROM replenish.item WHERE sku = 'Q';
SELECT * FROM replenish.verify();
SELECT count(*) AS told, bool_and(length(replenish.notification(e)) < 2000 OR octet_length(e.sku) > 200) AS short FROM replenish.event e;
SELECT bool_and(replenish.notification(e)::json ->> 'subject' = 'item/' || e.sku || '/location/default') AS escaped FROM replenish.event e;
-- the long one was no error, and is counted when it is corrected
UPDATE orders SET sku = 'short' WHERE length(sku) > 255;
SELECT decided FROM replenish.tick('2026-11-20 12:05+00');
SELECT detail FROM replenish.health() WHERE what ~ 'long_sku';
SELECT * FROM replenish.verify();
-- the same on the table of headers and lines: keys of orders
CREATE TABLE heads (id text PRIMARY KEY, at timestamptz);
CREATE TABLE lines (order_id text, sku text, qty numeric);
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at', header => 'heads', header_key => 'order_id');
INSERT INTO heads VALUES (repeat('o', 1000), '2026-11-20 12:00+00'), (repeat('o', 255), '2026-11-20 12:00+00'),
	('1:2', '2026-11-20 12:00+00'), ('', '2026-11-20 12:00+00');
INSERT INTO lines VALUES (repeat('o', 1000), 'L', 1), (repeat('o', 255), repeat('l', 255), 1),
	('1:2', '3:4', 1), ('', 'L', 1), (NULL, 'L', 1), ('nowhere', 'L', 1);
SELECT decided FROM replenish.tick('2026-11-20 12:06+00');
SELECT what, detail FROM replenish.health() WHERE what ~ '^fault.*(lines|heads)' ORDER BY what;
SELECT left(d.sku, 3), d.demand FROM replenish.item_demand d JOIN replenish.source s ON s.id = d.source
WHERE s.header IS NOT NULL ORDER BY 1;
SELECT * FROM replenish.verify('lines');
-- a hundred thousand SKUs in one statement, and as many changed back and deleted
INSERT INTO orders (sku, qty, at) SELECT 'M' || i, 1, '2026-11-20 12:00+00' FROM generate_series(1, 100000) i;
SELECT count(*) FROM replenish.inbox;
SELECT decided FROM replenish.tick('2026-11-20 12:07+00');
UPDATE orders SET sku = 'N' || id WHERE sku ~ '^M.*7$';
DELETE FROM orders WHERE sku ~ '^N';
SELECT decided FROM replenish.tick('2026-11-20 12:08+00');
SELECT * FROM replenish.verify('orders');
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, stock, heads, lines;
CREATE EXTENSION replenish;
