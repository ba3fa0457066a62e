-- What other locations can give before anything is bought, and the next supplier
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE sale (sku text, qty integer, at timestamptz, place text);
CREATE TABLE stock (sku text, units integer, place text);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', location => 'place');
SELECT replenish.watch_stock('stock', 'sku', 'units', location => 'place');
INSERT INTO replenish.policy (buffer, order_cycle) VALUES (0, '30 days');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('LAMP', 100);
-- three a month each: thresholds of 100, targets of 150
INSERT INTO sale SELECT 'LAMP', 1, '2026-03-01 00:00+00'::timestamptz - i * interval '10 days', p
FROM generate_series(1, 20) i, unnest('{nl,de,us}'::text[]) p;
-- red in the Netherlands, months of cover in Germany and in the USA
INSERT INTO stock VALUES ('LAMP', 20, 'nl'), ('LAMP', 200, 'de'), ('LAMP', 1000, 'us');
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT location, available, threshold, target, tier, reorder_qty FROM replenish.status ORDER BY 1;
-- nothing was said about who can send to whom: nothing is transferred
SELECT location, lack, reorder_qty, transfer_from, transfer_qty, buy_qty FROM replenish.supply;
-- two days by lorry: Germany gives what it has above its own target, and the rest is bought
INSERT INTO replenish.lane VALUES ('de', 'nl', '2 days');
SELECT location, lack, reorder_qty, transfer_from, transfer_qty, transfer_arrives_at, buy_qty FROM replenish.supply;
-- 20 + 50 is below the threshold of 100, so 150 - 70 is bought; a pocket calculator agrees
SELECT name, value, formula, calculation FROM replenish.explain('LAMP', 'nl', '2026-03-01 00:00+00')
WHERE name IN ('lack', 'transfer_from', 'transfer_qty', 'rest', 'buy_qty') ORDER BY step;
-- with America's by ship, nothing
INSERT INTO replenish.lane VALUES ('us', 'nl', '20 days', 40);
SELECT location, lack, transfer_from, transfer_qty, transfer_arrives_at, buy_qty FROM replenish.supply;
SELECT * FROM replenish.transfer;
-- in whole packs, and not less than is worth it
INSERT INTO replenish.policy (sku, location, multiple) VALUES ('LAMP', 'nl', 30);
UPDATE replenish.lane SET minimum = 101 WHERE from_location = 'us';
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT from_location, units FROM replenish.transfer;
SELECT reorder_qty, transfer_qty, buy_qty FROM replenish.supply;
-- less than is worth it is not sent
UPDATE replenish.lane SET minimum = 1000 WHERE from_location = 'us';
SELECT from_location, units FROM replenish.transfer;
-- units are promised once: the worse one is served first
UPDATE stock SET units = 60 WHERE place = 'de';
UPDATE replenish.lane SET minimum = 0;
INSERT INTO replenish.lane VALUES ('us', 'de', '20 days');
DELETE FROM replenish.policy WHERE multiple = 30;
UPDATE stock SET units = 300 WHERE place = 'us';
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT location, tier, lack FROM replenish.supply ORDER BY 1;
SELECT * FROM replenish.transfer;
-- what is set aside for a channel there is not given
INSERT INTO replenish.channel_allotment VALUES ('LAMP', 'us', 'default', 250, '2026-03-01 00:00+00');
SELECT * FROM replenish.transfer;
-- a giver in need gives nothing, and one that is negative neither
UPDATE stock SET units = -5 WHERE place = 'us';
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT location, tier, lack, transfer_qty, buy_qty FROM replenish.supply ORDER BY 1;
-- a lane from a place that is nobody's, or to itself
INSERT INTO replenish.lane VALUES ('atlantis', 'nl', '1 day');
SELECT count(*) FROM replenish.transfer;
INSERT INTO replenish.lane VALUES ('nl', 'nl', '1 day');
INSERT INTO replenish.lane VALUES ('us', 'fr', '-1 day');
INSERT INTO replenish.lane VALUES ('us', 'fr', '1 month');

-- suppliers: the first one's pack and lead time, where policy says nothing
INSERT INTO replenish.supplier (sku, rank, supplier, lead_time, lead_time_sd, moq, multiple, unit_cost, currency) VALUES
	('LAMP', 1, 'Ningbo Lighting', '40 days', '10 days', 200, 50, 3, 'USD'),
	('LAMP', 2, 'Poznan Lampy', '6 days', '1 day', 10, 10, 5, 'EUR');
INSERT INTO replenish.exchange_rate VALUES ('USD', 7), ('EUR', 8);
DELETE FROM replenish.lane;
SELECT events FROM replenish.tick('2026-03-01 00:00+00');
SELECT location, tier, lead_time, reorder_qty FROM replenish.status ORDER BY 1;
SELECT name, value, formula FROM replenish.explain('LAMP', 'nl', '2026-03-01 00:00+00')
WHERE name IN ('supplier', 'lead_time', 'lead_time_sd', 'moq', 'multiple', 'next_supplier', 'next_supplier_qty',
	'next_supplier_value', 'next_supplier_sooner') ORDER BY step;
-- orange names the next one: 130 lack, 13 packs of 10, at 5 EUR of 8, 34 days sooner
SELECT location, tier, lack, next_supplier, next_supplier_qty, next_supplier_value, next_supplier_sooner
FROM replenish.supply ORDER BY 1;
-- and so does the event
UPDATE stock SET units = 500 WHERE place = 'nl';
SELECT events FROM replenish.tick('2026-03-01 00:00+00');
UPDATE stock SET units = 90 WHERE place = 'nl';
SELECT events FROM replenish.tick('2026-03-01 00:00+00');
SELECT to_tier, facts ->> 'next_supplier' AS next_supplier, facts -> 'next_supplier_qty' AS qty,
	facts -> 'next_supplier_value' AS value, facts ->> 'next_supplier_sooner' AS sooner
FROM replenish.event ORDER BY seq DESC LIMIT 1;
-- a location's own suppliers replace the others; a policy goes before them
INSERT INTO replenish.supplier (sku, location, rank, supplier, lead_time) VALUES ('LAMP', 'nl', 5, 'Venlo Light', '3 days');
INSERT INTO replenish.policy (sku, location, moq) VALUES ('LAMP', 'nl', 25);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT name, value, formula FROM replenish.explain('LAMP', 'nl', '2026-03-01 00:00+00')
WHERE name IN ('supplier', 'lead_time', 'lead_time_sd', 'moq', 'multiple', 'next_supplier') ORDER BY step;
-- what rows may not say
INSERT INTO replenish.supplier (sku, rank, supplier) VALUES ('LAMP', 1, 'Again');
INSERT INTO replenish.supplier (sku, rank, supplier) VALUES ('LAMP', 0, 'None');
INSERT INTO replenish.supplier (sku, rank, supplier, lead_time) VALUES ('LAMP', 3, 'Back', '-1 day');
INSERT INTO replenish.supplier (sku, rank, supplier, moq) VALUES ('LAMP', 3, 'Much', 'Infinity');
SELECT * FROM replenish.verify();

SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
