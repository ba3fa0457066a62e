-- Policy: item, SKU, location, channel, scenario, default; each field by itself
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE sale (sku text, qty integer, at timestamptz, channel text, place text);
CREATE TABLE stock (sku text, units integer, place text);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel', location => 'place');
SELECT replenish.watch_stock('stock', 'sku', 'units', location => 'place');
-- LAMP sells most on the live channel, RING on the web, IDLE nowhere
INSERT INTO sale SELECT s, q, '2026-03-01 00:00+00'::timestamptz - i * interval '6 hours', c, 'eu'
FROM generate_series(1, 200) i,
	(VALUES ('LAMP', 'live', 3), ('LAMP', 'web', 1), ('RING', 'live', 1), ('RING', 'web', 2)) k (s, c, q);
INSERT INTO stock SELECT s, 100, p FROM unnest('{LAMP,RING,IDLE}'::text[]) s, unnest('{eu,us}'::text[]) p;
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT sku, location, channel, scenario FROM replenish.status ORDER BY 1, 2;

-- the channel's scenario: what is decided again is what sells most on it
INSERT INTO replenish.channel VALUES ('live', 'show');
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT sku, location, channel, scenario FROM replenish.status ORDER BY 1, 2;
-- one field each, from the least to the most specific row
INSERT INTO replenish.policy (service_level, lead_time, buffer, exit_margin, moq, maximum)
VALUES (0.90, '40 days', 0.5, 0.15, 5, 1000);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
INSERT INTO replenish.policy (channel, lead_time, buffer, exit_margin, moq) VALUES ('live', '35 days', 0.4, 0.14, 4);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
INSERT INTO replenish.policy (location, lead_time, buffer, exit_margin) VALUES ('eu', '30 days', 0.3, 0.13);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
INSERT INTO replenish.policy (sku, lead_time, buffer) VALUES ('LAMP', '25 days', 0.2);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
INSERT INTO replenish.policy (sku, location, lead_time) VALUES ('LAMP', 'eu', '20 days');
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT name, value, formula FROM replenish.explain('LAMP', 'eu', '2026-03-01 00:00+00')
WHERE name IN ('channel', 'scenario', 'service_level', 'lead_time', 'lead_time_sd', 'review_period', 'order_cycle',
	'buffer', 'exit_margin', 'moq', 'multiple', 'maximum', 'burst_evidence') ORDER BY step;
SELECT name, value, formula FROM replenish.explain('RING', 'us', '2026-03-01 00:00+00')
WHERE name IN ('channel', 'scenario', 'service_level', 'lead_time', 'review_period', 'buffer', 'exit_margin', 'moq',
	'maximum', 'burst_evidence') ORDER BY step;
-- a scenario's row of the shop's own replaces the one that came with it
SELECT scenario, burst_evidence, hold, review_period, order_cycle, holding_cost, rank_by, built_in
FROM replenish.policy WHERE scenario IS NOT NULL ORDER BY 1;
INSERT INTO replenish.policy (scenario, service_level) VALUES ('show', 0.99);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT name, value, formula FROM replenish.explain('LAMP', 'eu', '2026-03-01 00:00+00')
WHERE name IN ('service_level', 'review_period') ORDER BY step;
UPDATE replenish.policy SET hold = '1 hour' WHERE scenario = 'commerce';
SELECT scenario, service_level, hold, built_in FROM replenish.policy WHERE scenario IS NOT NULL ORDER BY 1;
-- nobody sells so, nothing is decided
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
-- a channel that nobody declared, or that has a scenario without a row, has none
UPDATE replenish.channel SET scenario = 'auction' WHERE channel = 'live';
INSERT INTO replenish.channel VALUES ('radio', 'show');
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT name, value, formula FROM replenish.explain('LAMP', 'eu', '2026-03-01 00:00+00')
WHERE name IN ('channel', 'scenario', 'service_level', 'review_period') ORDER BY step;
-- two rows of equal rank cannot be, and one of two ranks neither
INSERT INTO replenish.policy (channel) VALUES ('live');
INSERT INTO replenish.policy (scenario) VALUES ('show');
INSERT INTO replenish.policy (channel, scenario) VALUES ('live', 'show');
INSERT INTO replenish.policy (sku, channel) VALUES ('LAMP', 'live');
INSERT INTO replenish.policy (channel, burst_evidence) VALUES ('x', 1);
INSERT INTO replenish.policy (channel, hold) VALUES ('x', '-1 hour');
INSERT INTO replenish.policy (channel, rank_by) VALUES ('x', 'profit');
-- locations are only names: one that was never declared has its policy all the same
INSERT INTO replenish.policy (location, service_level) VALUES ('nowhere', 0.99);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');

SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
