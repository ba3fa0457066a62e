-- suggest_watch(): the calls to paste for the tables of shops as they are, and why
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET client_min_messages = warning;
-- statements and reasons are long
\pset format unaligned
\pset fieldsep '\n  '
-- what is printed can be pasted: it watches, and previews what it would count
CREATE FUNCTION paste() RETURNS TABLE (pasted text, counted text) LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank LOOP
		IF c.kind = 'orders' THEN
			EXECUTE replace(replace(c.call, 'SELECT replenish.watch_orders', 'SELECT p.detail FROM replenish.preview'),
				';', ' p WHERE p.what = ''counted''') INTO counted;
		ELSE
			EXECUTE replace(replace(c.call, 'SELECT replenish.watch_stock', 'SELECT p.rows || '' items'' FROM replenish.preview_stock'),
				';', ' p WHERE p.what = ''items''') INTO counted;
		END IF;
		EXECUTE c.call;
		pasted := split_part(c.call, ',', 1);
		RETURN NEXT;
	END LOOP;
	PERFORM replenish.unwatch(w.relation) FROM replenish.watched w;
END $$;
CREATE SCHEMA shop;
SET search_path = shop, public;
-- nothing to suggest
SELECT * FROM replenish.suggest_watch();
-- the table of the example
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, sku text, qty integer, ordered_at timestamptz, room text);
CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer, on_order integer DEFAULT 0);
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
INSERT INTO orders (sku, qty, ordered_at, room)
SELECT 'LAMP-' || i % 3, 1, '2024-03-01 12:00+00'::timestamptz + i * interval '1 hour', 'live' FROM generate_series(1, 12) i;
INSERT INTO stock VALUES ('LAMP-0', 5), ('LAMP-1', 5), ('MUG', 5);
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
DROP TABLE orders, stock;
-- Odoo: integers for products, headers, virtual places in stock_quant, and much that only looks like orders
CREATE TABLE product_product (id serial PRIMARY KEY, default_code text);
CREATE TABLE sale_order (id serial PRIMARY KEY, name text, date_order timestamp, create_date timestamp,
	write_date timestamp, state text, warehouse_id integer, team_id integer);
CREATE TABLE sale_order_line (id serial PRIMARY KEY, order_id integer REFERENCES sale_order, name text,
	product_id integer REFERENCES product_product, product_uom_qty numeric, qty_delivered numeric,
	qty_invoiced numeric, price_unit numeric, state text, create_date timestamp, write_date timestamp);
CREATE TABLE stock_quant (id serial PRIMARY KEY, product_id integer REFERENCES product_product, location_id integer,
	lot_id integer, quantity numeric, reserved_quantity numeric, in_date timestamp);
CREATE TABLE stock_move (id serial PRIMARY KEY, product_id integer, product_uom_qty numeric, quantity numeric,
	date timestamp, state text, location_id integer);
CREATE TABLE purchase_order_line (id serial PRIMARY KEY, order_id integer, product_id integer,
	product_qty numeric, price_unit numeric, date_order timestamp, state text);
CREATE TABLE account_move_line (id serial PRIMARY KEY, product_id integer, quantity numeric, date date);
INSERT INTO product_product (default_code) SELECT 'FURN_' || i FROM generate_series(1, 6) i;
INSERT INTO sale_order (date_order, create_date, write_date, state, warehouse_id)
SELECT '2024-03-01 09:00'::timestamp + i * interval '7 hours', '2024-03-01', '2024-03-09',
	(ARRAY['draft', 'sent', 'sale', 'done', 'cancel'])[1 + i % 5], 1 FROM generate_series(1, 15) i;
INSERT INTO sale_order_line (order_id, product_id, product_uom_qty, price_unit, state, create_date)
SELECT o.id, 1 + (o.id + k) % 5, k, 99.5, o.state, o.create_date FROM sale_order o, generate_series(1, 2) k;
INSERT INTO stock_quant (product_id, location_id, quantity, reserved_quantity)
SELECT p, 8, 20, 2 FROM generate_series(1, 6) p UNION ALL SELECT p, 5, -20, 0 FROM generate_series(1, 6) p;
INSERT INTO stock_move (product_id, product_uom_qty, quantity, date, state) SELECT 1, 1, 1, '2024-03-01', 'done';
INSERT INTO purchase_order_line (product_id, product_qty, date_order, state) SELECT 1, 10, '2024-03-01', 'purchase';
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
DROP TABLE sale_order_line, sale_order, stock_quant, stock_move, purchase_order_line, account_move_line, product_product;
-- a Shopify export: quoted names, one table, statuses on the first line of an order only
CREATE TABLE "Shopify Orders" ("Name" text, "Email" text, "Financial Status" text, "Fulfillment Status" text,
	"Created at" timestamptz, "Cancelled at" timestamptz, "Lineitem quantity" integer, "Lineitem name" text,
	"Lineitem price" numeric, "Lineitem sku" text, "Source" text);
CREATE TABLE "Inventory Export" ("Handle" text, "SKU" text, "Location" text, "Incoming" integer, "Committed" integer,
	"Available" integer, "On hand" integer);
INSERT INTO "Shopify Orders" SELECT '#' || i / 2, NULL, CASE WHEN i % 2 = 0 THEN 'paid' END, NULL,
	'2024-03-01 12:00+00'::timestamptz + i * interval '3 hours', NULL, 1, 'Tee', 19, 'TEE-' || i % 4, 'web'
FROM generate_series(1, 16) i;
INSERT INTO "Inventory Export" SELECT 'tee', 'TEE-' || i, 'Berlin', 1, 1, 4, 5 FROM generate_series(0, 4) i;
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
DROP TABLE "Shopify Orders", "Inventory Export";
-- WooCommerce: no foreign keys, the status in another table, SKUs only in stock
CREATE TABLE wc_order_stats (order_id bigint PRIMARY KEY, parent_id bigint, date_created timestamp, date_created_gmt timestamp,
	num_items_sold integer, status text);
CREATE TABLE wc_order_product_lookup (order_item_id bigint PRIMARY KEY, order_id bigint, product_id bigint, variation_id bigint,
	customer_id bigint, date_created timestamp, product_qty integer, product_net_revenue float8);
CREATE TABLE wc_product_meta_lookup (product_id bigint PRIMARY KEY, sku text, stock_quantity float8, stock_status text, total_sales bigint);
CREATE TABLE wc_order_coupon_lookup (order_id bigint, coupon_id bigint, date_created timestamp, discount_amount float8);
INSERT INTO wc_order_stats SELECT 100 + i, 0, '2024-03-01 12:00'::timestamp + i * interval '5 hours', NULL, 1,
	(ARRAY['wc-processing', 'wc-completed', 'wc-pending', 'wc-cancelled', 'wc-refunded', 'wc-on-hold', 'wc-checkout-draft'])[1 + i % 7]
FROM generate_series(1, 14) i;
INSERT INTO wc_order_product_lookup SELECT i, 100 + i, 20 + i % 3, 0, 7, '2024-03-01 12:00'::timestamp + i * interval '5 hours', 2, 10
FROM generate_series(1, 14) i;
INSERT INTO wc_product_meta_lookup SELECT 20 + i, 'woo-' || i, 10, 'instock', 5 FROM generate_series(0, 3) i;
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
DROP TABLE wc_order_stats, wc_order_product_lookup, wc_product_meta_lookup, wc_order_coupon_lookup;
-- Magento: two tables of stock, quotes that are no orders
CREATE TABLE sales_order (entity_id integer PRIMARY KEY, state varchar(32), status varchar(32), store_id smallint,
	created_at timestamp, updated_at timestamp, increment_id varchar(50));
CREATE TABLE sales_order_item (item_id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES sales_order, parent_item_id integer,
	store_id smallint, created_at timestamp, updated_at timestamp, product_id integer, sku varchar(255), name varchar(255),
	qty_backordered numeric(12,4), qty_canceled numeric(12,4), qty_invoiced numeric(12,4), qty_ordered numeric(12,4),
	qty_refunded numeric(12,4), qty_shipped numeric(12,4), price numeric(12,4));
CREATE TABLE quote_item (item_id integer PRIMARY KEY, quote_id integer, created_at timestamp, product_id integer, sku varchar(255),
	qty numeric(12,4), price numeric(12,4));
CREATE TABLE cataloginventory_stock_item (item_id integer PRIMARY KEY, product_id integer, stock_id smallint, qty numeric(12,4),
	min_qty numeric(12,4), is_in_stock smallint);
CREATE TABLE inventory_source_item (source_item_id integer PRIMARY KEY, source_code varchar(255), sku varchar(64),
	quantity numeric(12,4), status smallint);
INSERT INTO sales_order SELECT i, (ARRAY['new', 'processing', 'complete', 'closed', 'canceled', 'pending_payment'])[1 + i % 6], 'x', 1,
	'2024-03-01 12:00'::timestamp + i * interval '5 hours', now(), '00' || i FROM generate_series(1, 12) i;
INSERT INTO sales_order_item SELECT i, i, NULL, 1, '2024-03-01 12:00'::timestamp + i * interval '5 hours', now(), 1 + i % 4,
	'24-MB0' || 1 + i % 4, 'Bag', 0, 0, 1, 2, 0, 1, 34 FROM generate_series(1, 12) i;
INSERT INTO quote_item SELECT i, i, '2024-03-01', 1, '24-MB01', 1, 34 FROM generate_series(1, 12) i;
INSERT INTO cataloginventory_stock_item SELECT i, i, 1, 100, 0, 1 FROM generate_series(1, 5) i;
INSERT INTO inventory_source_item SELECT i, 'default', '24-MB0' || i, 100, 1 FROM generate_series(1, 5) i;
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
DROP TABLE sales_order_item, sales_order, quote_item, cataloginventory_stock_item, inventory_source_item;
-- a Chinese shop: headers and lines by the number of the order, warehouses on both sides
CREATE TABLE 订单 (订单号 text PRIMARY KEY, 下单时间 timestamp, 渠道 text, 状态 text, 仓库 text);
CREATE TABLE 订单明细 (订单号 text, 商品编码 text, 数量 integer, 单价 numeric);
CREATE TABLE 库存 (商品编码 text, 仓库 text, 库存数量 integer, 锁定库存 integer, 在途 integer);
CREATE TABLE 采购订单 (商品编码 text, 数量 integer, 下单时间 timestamp);
INSERT INTO 订单 SELECT 'D' || i, '2024-03-01 12:00'::timestamp + i * interval '5 hours', '抖音',
	(ARRAY['已付款', '已发货', '待付款', '已取消', '退款中'])[1 + i % 5], (ARRAY['深圳仓', '洛杉矶仓'])[1 + i % 2] FROM generate_series(1, 15) i;
INSERT INTO 订单明细 SELECT 'D' || i, '茶-' || i % 4, 2, 39.9 FROM generate_series(1, 15) i;
INSERT INTO 库存 SELECT '茶-' || i % 4, (ARRAY['深圳仓', '洛杉矶仓'])[1 + i / 4], 50, 2, 10 FROM generate_series(0, 7) i;
INSERT INTO 采购订单 VALUES ('茶-1', 100, '2024-03-01');
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
DROP TABLE 订单, 订单明细, 库存, 采购订单;
-- pinyin, camelCase, an enum, a partitioned table, a nightly feed with a row per night
CREATE TYPE order_state AS ENUM ('neu', 'bezahlt', 'storniert', 'Retoure');
CREATE TABLE "xiaoshouDingdan" ("shangpinBianma" text, shuliang integer, "xiadanShijian" timestamptz NOT NULL,
	qudao text, "zhuangtai" order_state) PARTITION BY RANGE ("xiadanShijian");
CREATE TABLE dingdan_2024 PARTITION OF "xiaoshouDingdan" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE kucun_feed (huohao text, kucun numeric, kuaizhao_shijian timestamptz, UNIQUE (huohao, kuaizhao_shijian));
INSERT INTO "xiaoshouDingdan" SELECT 'cha' || i % 3, 1, '2024-03-01 12:00+00'::timestamptz + i * interval '2 hours', 'douyin', 'bezahlt'
FROM generate_series(1, 12) i;
INSERT INTO kucun_feed SELECT 'cha' || i % 3, 9, '2024-03-01 03:00+00'::timestamptz + i / 3 * interval '1 day' FROM generate_series(0, 8) i;
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
SELECT * FROM paste();
-- what is watched is not suggested again; statuses that are numbers; quantities that are text are no quantities
SELECT replenish.watch_stock('kucun_feed', 'huohao', 'kucun', at => 'kuaizhao_shijian');
DROP TABLE "xiaoshouDingdan";
CREATE TABLE sales (item_code integer, units real, sold_at date, status smallint, store_id integer);
INSERT INTO sales SELECT i % 3, 1.5, '2024-03-01'::date + i, i % 3, 1 FROM generate_series(1, 12) i;
CREATE TABLE imported_orders (sku text, qty text, ordered_at text);
SELECT * FROM replenish.suggest_watch() ORDER BY kind, rank;
-- with the caller's own rights: who may read nothing is told nothing, who does not own is told so
CREATE ROLE regress_looker;
GRANT USAGE ON SCHEMA shop, replenish TO regress_looker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA replenish TO regress_looker;
GRANT SELECT ON ALL TABLES IN SCHEMA replenish TO regress_looker;
SET ROLE regress_looker;
SELECT * FROM replenish.suggest_watch();
RESET ROLE;
GRANT SELECT ON sales TO regress_looker;
SET ROLE regress_looker;
BEGIN READ ONLY;
SELECT call, split_part(reason, E'\n', -1) AS last_reason FROM replenish.suggest_watch();
COMMIT;
RESET ROLE;
DROP OWNED BY regress_looker;
DROP ROLE regress_looker;
RESET search_path;
DROP FUNCTION paste;
DROP EXTENSION replenish CASCADE;
DROP SCHEMA shop CASCADE;
CREATE EXTENSION replenish;
