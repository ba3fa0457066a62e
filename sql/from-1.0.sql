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
		CHECK (kind IN ('orders', 'stock', 'inbound', 'audience'));
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
ALTER TABLE replenish.policy
	ADD channel text COLLATE "C"
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	ADD scenario text COLLATE "C"
		CHECK (pg_catalog.octet_length(scenario) BETWEEN 1 AND 255),
	ADD burst_evidence float8 CHECK (burst_evidence >= 4
		AND burst_evidence <= 1000),
	ADD hold interval CHECK (replenish.is_span(hold)
		AND hold <= interval '366 days'),
	ADD holding_cost float8 CHECK (holding_cost >= 0 AND holding_cost <= 100),
	ADD rank_by text CHECK (rank_by IN ('units', 'money', 'turnover')),
	ADD surge_ratio float8 CHECK (surge_ratio > 0 AND surge_ratio <= 1000),
	ADD surge_cover interval CHECK (replenish.is_span(surge_cover)
		AND surge_cover <= interval '366 days'),
	ADD built_in boolean NOT NULL DEFAULT false,
	DROP CONSTRAINT policy_sku_location_key,
	ADD UNIQUE NULLS NOT DISTINCT (sku, location, channel, scenario),
	ADD CHECK (pg_catalog.num_nonnulls(channel, scenario)
		+ (pg_catalog.num_nonnulls(sku, location) > 0)::integer <= 1);
SELECT pg_catalog.pg_extension_config_dump('replenish.policy',
	'WHERE NOT built_in');
ALTER TABLE replenish.location ADD cut_off time;

CREATE INDEX item_demand_channel_idx ON replenish.item_demand (channel);
CREATE INDEX postponed_empty_idx ON replenish.postponed (source)
	WHERE amount = 0;

ALTER TABLE replenish.item
	ADD snapshot_at timestamptz,
	ADD next_arrival_at timestamptz,
	ADD worsened_at timestamptz,
	ADD channel text COLLATE "C",
	ADD scenario text,
	ADD units_at_risk float8,
	ADD gmv_at_risk float8,
	ADD turnover float8,
	ADD rank_by text,
	ADD sold_today float8,
	ADD lack float8,
	ADD buffer float8,
	ADD moq float8,
	ADD multiple float8,
	ADD maximum float8,
	ADD out_since timestamptz;
ALTER TABLE replenish.event
	ALTER sku DROP NOT NULL,
	ALTER location DROP NOT NULL;

-- who was told of events goes on being told
ALTER TABLE replenish.decider ADD live_at timestamptz;
ALTER TABLE replenish.decider ALTER live_at SET DEFAULT '-infinity';
UPDATE replenish.decider SET live_at = started_at;

-- nobody decides while this runs
ALTER TABLE replenish.policy DISABLE TRIGGER policy_changed;
CREATE FUNCTION replenish.make_scenarios() RETURNS void
	LANGUAGE sql VOLATILE
	BEGIN ATOMIC
		INSERT INTO replenish.policy (scenario, burst_evidence, hold,
			review_period, order_cycle, holding_cost, rank_by, built_in)
		VALUES
			('show', 12, interval '0', interval '1 day', interval '14 days',
				0.6, 'money', true),
			('one_to_one', 22, interval '15 minutes', interval '3 days',
				interval '30 days', 0.3, 'units', true),
			('commerce', 40, interval '6 hours', interval '7 days',
				interval '30 days', 0.25, 'turnover', true);
	END;
COMMENT ON FUNCTION replenish.make_scenarios() IS
'Makes the rows of policy for the scenarios show, one_to_one and commerce. For CREATE EXTENSION only.';
SELECT replenish.make_scenarios();
ALTER TABLE replenish.policy ENABLE TRIGGER policy_changed;
CREATE OR REPLACE FUNCTION replenish.policy_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch_policy(OLD.sku, OLD.location, OLD.channel, OLD.scenario);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch_policy(NEW.sku, NEW.location, NEW.channel, NEW.scenario);
	END IF;
	RETURN NULL;
END $$;

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
DROP FUNCTION replenish.resolve_policy(text, text);

