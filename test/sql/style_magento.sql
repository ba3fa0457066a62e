-- a shop as Magento keeps it: parent and child lines of one product, cancelled quantities, stores and stock sources
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE sales_order (entity_id integer PRIMARY KEY, increment_id text, state text,
	status text, store_id smallint, created_at timestamp);
-- a configurable product is there twice: itself, and the simple one that was chosen
CREATE TABLE sales_order_item (item_id integer PRIMARY KEY, order_id integer REFERENCES sales_order,
	parent_item_id integer, product_type text, sku text, qty_ordered numeric(12,4),
	qty_canceled numeric(12,4) DEFAULT 0, price numeric(20,4),
	qty_sold numeric(12,4) GENERATED ALWAYS AS (CASE
		WHEN product_type IN ('simple', 'virtual') THEN qty_ordered - qty_canceled
		ELSE 0 END) STORED);
CREATE TABLE inventory_source_item (source_code text, sku text, quantity numeric(12,4),
	status smallint, PRIMARY KEY (source_code, sku));
INSERT INTO sales_order VALUES
	(1, '000000001', 'complete', 'complete', 1, '2026-11-19 13:00:05'),
	(2, '000000002', 'processing', 'processing', 2, '2026-11-20 08:20:00'),
	(3, '000000003', 'new', 'pending', 1, '2026-11-20 09:41:33'),
	(4, '000000004', 'holded', 'fraud', 1, '2026-11-20 10:00:00');
INSERT INTO sales_order_item (item_id, order_id, parent_item_id, product_type, sku, qty_ordered, price) VALUES
	(1, 1, NULL, 'configurable', 'MH01-M-Blue', 2, 52), (2, 1, 1, 'simple', 'MH01-M-Blue', 2, 0),
	(3, 1, NULL, 'simple', '24-MB01', 1, 34),
	(4, 2, NULL, 'configurable', 'MH01-L-Red', 5, 52), (5, 2, 4, 'simple', 'MH01-L-Red', 5, 0),
	(6, 3, NULL, 'simple', '24-MB01', 3, 34), (7, 3, NULL, 'virtual', 'GIFT-25', 1, 25),
	(8, 4, NULL, 'simple', '24-MB01', 90, 34);
INSERT INTO inventory_source_item VALUES
	('eu', 'MH01-M-Blue', 14, 1), ('eu', '24-MB01', 20, 1), ('us', 'MH01-L-Red', 6, 1),
	('us', '24-MB01', 2, 1), ('eu', 'MH01-L-Red', 0, 0);

SELECT replenish.watch_orders('sales_order_item', 'sku', 'qty_sold', 'created_at',
	location => 'store_id', status => 'state', counted => '{new,processing,complete}',
	price => 'price', header => 'sales_order', header_key => 'order_id');
SELECT replenish.watch_stock('inventory_source_item', 'sku', 'quantity', location => 'source_code');
INSERT INTO replenish.location_rule (place, location) VALUES ('1', 'eu'), ('2', 'us');
CALL replenish.backfill('sales_order_item');
CALL replenish.backfill('inventory_source_item');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();

-- a part is cancelled, the fraud cleared, a shipment taken from its source
UPDATE sales_order_item SET qty_canceled = 4 WHERE item_id IN (4, 5);
UPDATE sales_order SET state = 'processing', status = 'processing' WHERE entity_id = 4;
UPDATE inventory_source_item SET quantity = quantity - 1 WHERE sku = 'MH01-L-Red' AND source_code = 'us';
-- an order is given to the other store
UPDATE sales_order SET store_id = 2 WHERE entity_id = 3;
SELECT decided FROM replenish.tick('2026-11-20 12:05+00');
SELECT sku, location, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE sales_order, sales_order_item, inventory_source_item;
CREATE EXTENSION replenish;
