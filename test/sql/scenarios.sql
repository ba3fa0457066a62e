-- Scenarios: the same sales, and what each makes of them; money at risk and turnover
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET extra_float_digits = 0;
CREATE TABLE sale (sku text, qty integer, at timestamptz, channel text);
CREATE TABLE stock (sku text PRIMARY KEY, units integer);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel');
SELECT replenish.watch_stock('stock', 'sku', 'units');
INSERT INTO replenish.channel VALUES ('room', 'show'), ('desk', 'one_to_one'), ('shop', 'commerce');
-- ten a day each on a channel of its own
INSERT INTO sale SELECT s, 1, '2026-03-01 20:00+00'::timestamptz - i * interval '2.4 hours', c
FROM generate_series(1, 1000) i, (VALUES ('SHOW', 'room'), ('DESK', 'desk'), ('SHOP', 'shop'), ('NONE', 'web')) k (s, c);
INSERT INTO stock VALUES ('SHOW', 900), ('DESK', 900), ('SHOP', 900), ('NONE', 900);
INSERT INTO replenish.sku_price (sku, price, cost) SELECT sku, 30, 20 FROM stock;
SELECT decided FROM replenish.tick('2026-03-01 20:00+00');
-- the service level is worth the margin against holding the stock
SELECT sku, scenario, rank_by, threshold, target FROM replenish.status ORDER BY sku;
SELECT sku, (SELECT value FROM replenish.explain(s.sku, as_of => s.decided_at) WHERE name = 'service_level') AS service_level,
	(SELECT formula FROM replenish.explain(s.sku, as_of => s.decided_at) WHERE name = 'service_level') AS formula
FROM replenish.status s ORDER BY sku;
SELECT sku, round(1 - h * 20 * cycle / 365 / (30 - 20), 10) AS "by hand"
FROM (VALUES ('DESK', 0.3, 30), ('SHOP', 0.25, 30), ('SHOW', 0.6, 14)) k (sku, h, cycle);

-- five in two minutes: a burst where shows are sold, not yet where they are not
INSERT INTO sale SELECT s, 1, '2026-03-01 20:01+00'::timestamptz + i * interval '30 seconds', c
FROM generate_series(0, 4) i, (VALUES ('SHOW', 'room'), ('DESK', 'desk'), ('SHOP', 'shop'), ('NONE', 'web')) k (s, c);
SELECT decided FROM replenish.tick('2026-03-01 20:03:30+00');
SELECT sku, velocity > 20 AS burst FROM replenish.status ORDER BY sku;
-- twenty are one everywhere
INSERT INTO sale SELECT s, 1, '2026-03-01 20:04+00'::timestamptz + i * interval '30 seconds', c
FROM generate_series(0, 19) i, (VALUES ('SHOW', 'room'), ('DESK', 'desk'), ('SHOP', 'shop'), ('NONE', 'web')) k (s, c);
SELECT decided FROM replenish.tick('2026-03-01 20:14:30+00');
SELECT sku, velocity > 20 AS burst FROM replenish.status ORDER BY sku;

-- a tier that became worse is held: not in a show, longest where nobody hurries
UPDATE stock SET units = 0;
SELECT events FROM replenish.tick('2026-03-01 21:00+00');
UPDATE stock SET units = 500;
SELECT events FROM replenish.tick('2026-03-01 21:10+00');
SELECT sku, tier, reason FROM replenish.status ORDER BY sku;
SELECT next_check FROM replenish.item WHERE sku = 'DESK';
SELECT events FROM replenish.tick('2026-03-01 21:15+00');
SELECT sku, tier, reason FROM replenish.status ORDER BY sku;
SELECT name, value, formula FROM replenish.explain('SHOP', as_of => '2026-03-01 21:15+00')
WHERE name IN ('hold', 'worsened_at', 'position_tier', 'tier', 'reason') ORDER BY step;
-- enough for the target ends it at once
UPDATE stock SET units = 5000 WHERE sku = 'SHOP';
SELECT events FROM replenish.tick('2026-03-01 21:16+00');
SELECT sku, tier, reason FROM replenish.status WHERE sku = 'SHOP';

-- money at risk is the units that will be missing when an order comes, times
-- the price; turnover is of the stock on hand
UPDATE stock SET units = 100;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-02 12:00+00');
SELECT sku, round(gmv_at_risk::numeric) = round(30 * units_at_risk::numeric) AS money,
	round(units_at_risk::numeric, -1) AS units, round(turnover::numeric) AS turnover, rank_by,
	priority = CASE rank_by WHEN 'money' THEN gmv_at_risk WHEN 'units' THEN units_at_risk ELSE turnover END AS priority
FROM replenish.status ORDER BY sku;
SELECT name, value::numeric(12,2), calculation FROM replenish.explain('SHOW', as_of => '2026-03-02 12:00+00')
WHERE name IN ('units_at_risk', 'gmv_at_risk') ORDER BY step;
-- a price in another currency needs a rate; a channel's own price goes first
UPDATE replenish.sku_price SET currency = 'USD' WHERE sku IN ('SHOW', 'SHOP');
UPDATE replenish.sku_price SET currency = 'EUR' WHERE sku = 'NONE';
INSERT INTO replenish.sku_price (sku, channel, price) VALUES ('DESK', 'desk', 60);
INSERT INTO replenish.exchange_rate VALUES ('USD', 7);
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-02 12:00+00');
SELECT sku, round((gmv_at_risk / units_at_risk)::numeric, 6) AS price, 'currency' = ANY (assumed) AS no_rate
FROM replenish.status ORDER BY sku;
-- sold at a loss, or for nothing
SELECT replenish.margin_service_level(20, 20, 0.25, '30 days'), replenish.margin_service_level(0, 0, 0.25, '30 days'),
	replenish.margin_service_level(30, 0, 0.25, '30 days'), replenish.margin_service_level(30, NULL, 0.25, '30 days'),
	replenish.margin_service_level(30, 20, 0, '30 days'), replenish.margin_service_level(20.01, 20, 1, '366 days');
INSERT INTO replenish.sku_price (sku, price) VALUES ('X', -1);
INSERT INTO replenish.sku_price (sku, price) VALUES ('X', 'NaN');
INSERT INTO replenish.sku_price (sku, price) VALUES ('SHOW', 1);
INSERT INTO replenish.exchange_rate VALUES ('XXX', 0);
SELECT * FROM replenish.verify();

SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
