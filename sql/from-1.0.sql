\echo Use "ALTER EXTENSION replenish UPDATE" to load this file. \quit

---------------------------------------------------------------------------
-- From 1.0: what the tables lack, and the functions whose results have other
-- columns now.  The parts of the install script that hold only functions,
-- views and new tables follow.
---------------------------------------------------------------------------

SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL default_table_access_method = heap;

ALTER TABLE replenish.source
	ADD header text,
	ADD header_key name,
	ADD header_id name,
	ADD on_header text[],
	ADD watched_as text,
	ADD header_as text,
	ADD stale_since timestamptz,
	ADD stale text,
	ADD found bigint,
	ADD expected_at name,
	ADD received_at name,
	ADD received name,
	DROP CONSTRAINT source_kind_check,
	ADD CONSTRAINT source_kind_check
		CHECK (kind IN ('orders', 'stock', 'inbound'));
UPDATE replenish.source SET watched_as = name;

ALTER TABLE replenish.item_stock
	ADD minute integer NOT NULL DEFAULT 0,
	ADD rows bigint NOT NULL DEFAULT 0;
ALTER TABLE replenish.item_stock
	DROP CONSTRAINT item_stock_pkey,
	ADD PRIMARY KEY (sku, location, source, minute);
CREATE INDEX item_stock_empty_idx ON replenish.item_stock (source)
	WHERE rows = 0 AND minute > 0;

ALTER TABLE replenish.policy REPLICA IDENTITY FULL;
ALTER TABLE replenish.location ADD cut_off time;

CREATE INDEX postponed_empty_idx ON replenish.postponed (source)
	WHERE amount = 0;

ALTER TABLE replenish.item
	ADD snapshot_at timestamptz,
	ADD next_arrival_at timestamptz;
ALTER TABLE replenish.event
	ALTER sku DROP NOT NULL,
	ALTER location DROP NOT NULL;

-- who was told of events goes on being told
ALTER TABLE replenish.decider ADD live_at timestamptz;
ALTER TABLE replenish.decider ALTER live_at SET DEFAULT '-infinity';
UPDATE replenish.decider SET live_at = started_at;

DROP FUNCTION replenish.drain(timestamptz);
DROP FUNCTION replenish.explain(text, text, timestamptz);
DROP FUNCTION replenish.fold_inbox(timestamptz);
DROP FUNCTION replenish.recount(regclass, text[], timestamptz);
DROP FUNCTION replenish.difference(integer);
DROP FUNCTION replenish.mark_backfilled(integer);
DROP FUNCTION replenish.trigger_arguments(replenish.source);
DROP FUNCTION replenish.attach(regclass, replenish.source);
DROP FUNCTION replenish.assess(timestamptz, text, text, replenish.demand,
	boolean, numeric, numeric, numeric, replenish.tier, float8);

