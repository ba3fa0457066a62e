-- replenish.evaluate: who decides; the plain case, all of it in the order's transaction
\set SHOW_CONTEXT never
LOAD 'replenish';
SET replenish.evaluate = sometimes;
SET replenish.unknown = 1;
SET replenish.evaluate = manual;
CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer);
CREATE TABLE orders (sku text, qty integer, at timestamptz DEFAULT now());
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
INSERT INTO replenish.policy (fixed_threshold) VALUES (10);
-- manual: nothing happens until tick()
INSERT INTO stock VALUES ('A', 100);
SELECT count(*) FROM replenish.item;
SELECT events FROM replenish.tick();
SELECT sku, tier FROM replenish.status;
SELECT replenish.worker_pid();
-- immediate: the writing statement decides
SET replenish.evaluate = immediate;
BEGIN;
UPDATE stock SET on_hand = 4;
SELECT sku, tier, on_hand FROM replenish.status;
SELECT seq, from_tier, to_tier FROM replenish.event;
-- such a transaction cannot be prepared
PREPARE TRANSACTION 'never';
SELECT sku, tier, on_hand FROM replenish.status;
SELECT count(*) FROM replenish.event;
UPDATE stock SET on_hand = 4;
SELECT seq, from_tier, to_tier FROM replenish.event;
INSERT INTO orders VALUES ('A', 1);
SELECT sku, demand IS NOT NULL FROM replenish.item_demand;
SELECT replenish.record_demand('B', 1);
SELECT sku FROM replenish.item ORDER BY sku;
SELECT count(*) FROM replenish.inbox;
-- but never in a transaction that keeps its snapshot: there it appends
BEGIN ISOLATION LEVEL SERIALIZABLE;
UPDATE stock SET on_hand = 20;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE stock SET on_hand = 21;
COMMIT;
SELECT count(*) FROM replenish.inbox;
SELECT sku, tier, on_hand FROM replenish.status WHERE sku = 'A';
SELECT * FROM replenish.verify();
-- the next statement takes it all
UPDATE stock SET on_hand = 22;
SELECT sku, tier, on_hand FROM replenish.status WHERE sku = 'A';
-- what goes wrong inside is a warning: the order goes in, and waits in the inbox
ALTER TABLE replenish.item RENAME TO broken;
UPDATE stock SET on_hand = 7;
SELECT on_hand FROM stock;
SELECT count(*) FROM replenish.inbox;
ALTER TABLE replenish.broken RENAME TO item;
SELECT on_hand FROM replenish.status WHERE sku = 'A';
-- the next one decides
UPDATE stock SET on_hand = 5;
SELECT sku, tier, on_hand FROM replenish.status WHERE sku = 'A';
-- so is a decision that takes longer than the statement may
ALTER TABLE replenish.item ADD CONSTRAINT slow
	CHECK (on_hand <> 6 OR pg_sleep(60) IS NOT NULL);
SET statement_timeout = '1s';
UPDATE stock SET on_hand = 6;
RESET statement_timeout;
ALTER TABLE replenish.item DROP CONSTRAINT slow;
SELECT on_hand FROM stock;
UPDATE stock SET on_hand = 8;
SELECT count(*) FROM replenish.inbox;
SELECT sku, tier, on_hand FROM replenish.status WHERE sku = 'A';
SELECT * FROM replenish.verify();
-- savepoints
BEGIN;
SAVEPOINT a;
UPDATE stock SET on_hand = 1;
ROLLBACK TO a;
UPDATE stock SET on_hand = 9;
COMMIT;
SELECT sku, tier, on_hand FROM replenish.status WHERE sku = 'A';
SELECT seq, from_tier, to_tier FROM replenish.event ORDER BY seq;
SELECT * FROM replenish.verify();
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE stock, orders;
CREATE EXTENSION replenish;
