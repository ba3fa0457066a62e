-- a shop as Shopify exports it: one flat table with quoted names, an order's status on its first line only
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE orders_export ("Name" text, "Email" text, "Financial Status" text,
	"Fulfillment Status" text, "Created at" timestamptz, "Lineitem quantity" integer,
	"Lineitem name" text, "Lineitem price" numeric, "Lineitem sku" text,
	"Shipping Country" text, "Cancelled at" timestamptz, "Source" text);
CREATE TABLE inventory_export ("Handle" text, "SKU" text, "Location" text,
	"On hand" integer, "Committed" integer, "Incoming" integer);
SELECT replenish.watch_orders('orders_export', 'Lineitem sku', 'Lineitem quantity', 'Created at',
	channel => 'Source', status => 'Financial Status',
	counted => '{paid,partially_refunded,pending}', price => 'Lineitem price');
SELECT replenish.watch_stock('inventory_export', 'SKU', 'On hand',
	reserved => 'Committed', on_order => 'Incoming');
-- times with the zone of the shop
COPY orders_export FROM stdin (FORMAT csv, HEADER);
Name,Email,Financial Status,Fulfillment Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Shipping Country,Cancelled at,Source
#1041,ann@example.com,paid,fulfilled,2026-11-19 18:31:20 -0500,1,Candle - Cedar,18.00,CND-CEDAR,US,,web
#1041,ann@example.com,,,2026-11-19 18:31:20 -0500,2,Candle - Fig,18.00,CND-FIG,,,web
#1042,li@example.com,pending,unfulfilled,2026-11-20 02:10:44 -0500,6,Candle - Fig,18.00,CND-FIG,CA,,tiktok
#1043,joe@example.com,voided,unfulfilled,2026-11-20 03:00:01 -0500,12,Gift box,49.00,BOX-3,US,2026-11-20 03:20:00 -0500,web
#1044,eva@example.com,paid,unfulfilled,2026-11-20 05:45:10 -0500,1,Gift box,49.00,BOX-3,US,,tiktok
#1044,eva@example.com,,,2026-11-20 05:45:10 -0500,1,Gift wrapping,4.00,,,,tiktok
#1045,zoe@example.com,partially_refunded,fulfilled,2026-11-20 06:15:59 -0500,3,Candle - Cedar,18.00,CND-CEDAR,MX,,web
#1046,kim@example.com,refunded,fulfilled,2026-11-20 06:30:00 -0500,2,Candle - Fig,18.00,CND-FIG,US,,pos
\.
COPY inventory_export FROM stdin (FORMAT csv, HEADER);
Handle,SKU,Location,On hand,Committed,Incoming
candle,CND-CEDAR,Brooklyn,40,3,0
candle,CND-FIG,Brooklyn,9,8,60
gift-box,BOX-3,Brooklyn,15,1,0
candle,CND-CEDAR,Pop-up,4,0,0
\.
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, reserved, on_order, sold_24h, reason FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

-- further lines of an order get the status of its first: they count from then on
UPDATE orders_export l SET "Financial Status" = f."Financial Status"
FROM orders_export f
WHERE l."Financial Status" IS NULL AND f."Name" = l."Name" AND f."Financial Status" IS NOT NULL;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, reserved, on_order, sold_24h, reason FROM replenish.status ORDER BY sku;
-- wrapping has no SKU: it is said, and nothing else suffers
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%' ORDER BY what;

-- the next export holds everything again, with an order cancelled and one new
CREATE TABLE next_export (LIKE orders_export);
INSERT INTO next_export SELECT * FROM orders_export;
UPDATE next_export SET "Financial Status" = 'refunded' WHERE "Name" = '#1042';
INSERT INTO next_export VALUES ('#1047', 'max@example.com', 'paid', NULL,
	'2026-11-20 06:58:12 -0500', 5, 'Candle - Fig', 18, 'CND-FIG', 'US', NULL, 'tiktok');
BEGIN;
TRUNCATE orders_export;
INSERT INTO orders_export SELECT * FROM next_export;
COMMIT;
SELECT count(*) AS differences FROM replenish.verify();
SELECT decided FROM replenish.tick('2026-11-20 12:05+00');
SELECT sku, on_hand, reserved, on_order, sold_24h, reason FROM replenish.status ORDER BY sku;
SELECT d.sku, d.channel, sum(b.units) AS units
FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
WHERE b.resolution = '1 day' GROUP BY 1, 2 HAVING sum(b.units) <> 0 ORDER BY 1, 2;
SELECT count(*) AS differences FROM replenish.verify();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders_export, next_export, inventory_export;
CREATE EXTENSION replenish;
