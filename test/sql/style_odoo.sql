-- a shop as Odoo keeps it: integer keys, state and time on the order, stock in quants per location
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE sale_order (id serial PRIMARY KEY, name text, state text,
	date_order timestamp, warehouse_id integer);
CREATE TABLE sale_order_line (id serial PRIMARY KEY,
	order_id integer NOT NULL REFERENCES sale_order ON DELETE CASCADE,
	product_id integer, product_uom_qty numeric, price_unit numeric,
	display_type text);
CREATE TABLE stock_quant (id serial PRIMARY KEY, product_id integer,
	location_id integer, quantity numeric, reserved_quantity numeric);
INSERT INTO sale_order (name, state, date_order, warehouse_id) VALUES
	('S00041', 'done', '2026-11-18 09:14:07', 1),
	('S00042', 'sale', '2026-11-19 16:40:55', 1),
	('S00043', 'draft', '2026-11-20 08:02:31', 1),
	('S00044', 'sale', '2026-11-20 10:45:00', 2),
	('S00045', 'cancel', '2026-11-20 11:01:12', 1);
INSERT INTO sale_order_line (order_id, product_id, product_uom_qty, price_unit, display_type) VALUES
	(1, 17, 4, 39.90, NULL), (1, 23, 1, 129, NULL),
	(2, 17, 2, 39.90, NULL), (2, NULL, 0, 0, 'line_note'),
	(3, 23, 3, 129, NULL),
	(4, 17, 10, 35.50, NULL), (4, 31, 2.5, 8.20, NULL),
	(5, 31, 100, 8.20, NULL);
-- 8 and 18 are the stock of the two warehouses, 5 is where customers are
INSERT INTO stock_quant (product_id, location_id, quantity, reserved_quantity) VALUES
	(17, 8, 60, 6), (17, 8, 15, 0), (17, 18, 12, 10), (23, 8, 9, 3),
	(31, 18, 40, 2.5), (17, 5, 4, 0);

SELECT replenish.watch_orders('sale_order_line', 'product_id', 'product_uom_qty', 'date_order',
	location => 'warehouse_id', status => 'state', counted => '{sale,done}',
	price => 'price_unit', header => 'sale_order', header_key => 'order_id');
SELECT replenish.watch_stock('stock_quant', 'product_id', 'quantity',
	location => 'location_id', reserved => 'reserved_quantity');
CALL replenish.backfill('sale_order_line');
CALL replenish.backfill('stock_quant');
-- orders name the warehouse, quants the location in it
INSERT INTO replenish.location_rule (place, location) VALUES ('1', '8'), ('2', '18');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, reserved, available, sold_24h, reason
FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();
-- the note under an order is no product
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%' ORDER BY what;

-- a quotation is confirmed, an order cancelled, a line corrected, one unlinked with its lines
UPDATE sale_order SET state = 'sale', date_order = '2026-11-20 11:58:00' WHERE name = 'S00043';
UPDATE sale_order SET state = 'cancel' WHERE name = 'S00042';
UPDATE sale_order_line SET product_uom_qty = 7 WHERE order_id = 4 AND product_id = 17;
DELETE FROM sale_order WHERE name = 'S00045';
-- an order of the other warehouse goes out: quants move
WITH moved AS (UPDATE stock_quant SET quantity = quantity - 7, reserved_quantity = reserved_quantity - 7
	WHERE product_id = 17 AND location_id = 18 RETURNING product_id)
INSERT INTO stock_quant (product_id, location_id, quantity, reserved_quantity)
SELECT product_id, 5, 7, 0 FROM moved;
DELETE FROM sale_order_line WHERE display_type = 'line_note';
SELECT count(*) AS differences FROM replenish.verify();
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:10+00');
SELECT sku, location, on_hand, reserved, available, sold_24h, reason
FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();
SELECT count(*) AS faults FROM replenish.health() WHERE what LIKE 'fault%';

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE sale_order, sale_order_line, stock_quant;
CREATE EXTENSION replenish;
