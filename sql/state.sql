---------------------------------------------------------------------------
-- State: what was sensed, what was summed, what was decided.
--
-- Only the decider writes here (and, into the inbox, whoever orders).  Keys are
-- text in the "C" collation: compared by their bytes, on every server alike.
---------------------------------------------------------------------------

CREATE TYPE replenish.item_key AS (
	sku text COLLATE "C",
	location text COLLATE "C"
);
COMMENT ON TYPE replenish.item_key IS 'An item: one SKU at one location.';

-- One row per watched table.  A row stays when its table is unwatched, so that
-- what it contributed keeps its owner; its number is never given again.
CREATE TABLE replenish.source (
	id integer PRIMARY KEY CHECK (id > 0),
	kind text NOT NULL CHECK (kind IN ('orders', 'stock', 'inbound', 'audience')),
	name text NOT NULL,
	active boolean NOT NULL,
	sku name NOT NULL,
	location name,
	channel name,
	status name,
	counted text[],
	qty name,
	at name,
	price name,
	on_hand name,
	reserved name,
	on_order name,
	keep interval,
	zone text NOT NULL,
	zones text[] NOT NULL,
	watched_at timestamptz NOT NULL,
	backfilled_at timestamptz,
	counted_once boolean NOT NULL,
	-- of orders whose lines and headers are two tables
	header text,
	header_key name,
	header_id name,
	on_header text[],
	watched_as text,
	header_as text,
	stale_since timestamptz,
	stale text,
	found bigint,
	-- of purchase orders, with when they were ordered in at and their route in
	-- channel
	expected_at name,
	received_at name,
	received name
);
SELECT pg_catalog.pg_extension_config_dump('replenish.source', '');

COMMENT ON TABLE replenish.source IS
'Tables that are or were watched, one row each; see the view watched. zone is the time zone of moments without one, zones the locations that have another, both as they were when the table was watched. counted_once: all its rows were counted at some time, so that those older than keep may have gone since. header is the table of the orders whose lines name watches: header_key of a line is header_id of its header, and on_header are the arguments whose columns the header has. watched_as and header_as are the names that the table and its header had when it was watched. stale_since and stale: when and why its sums stopped being exact; CALL repair() makes them so again. found is how many differences the last recount found.';

-- Append only, no index, in turn by the minute: see src/inbox.c.
CREATE TABLE replenish.inbox_even (
	amount bigint NOT NULL,
	minute integer NOT NULL,
	source integer NOT NULL,
	kind "char" NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	summary replenish.demand
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
SELECT pg_catalog.pg_extension_config_dump('replenish.inbox_even', '');

CREATE TABLE replenish.inbox_odd (LIKE replenish.inbox_even)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
SELECT pg_catalog.pg_extension_config_dump('replenish.inbox_odd', '');

COMMENT ON TABLE replenish.inbox_even IS
'Half of the inbox: orders are appended here in even minutes. See the view inbox.';
COMMENT ON TABLE replenish.inbox_odd IS
'Half of the inbox: orders are appended here in odd minutes. See the view inbox.';

-- Demand that is dated later than the decider's clock, until its minute comes.
CREATE TABLE replenish.postponed (
	source integer NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	minute integer NOT NULL,
	amount bigint NOT NULL,
	PRIMARY KEY (source, sku, location, channel, minute)
);
CREATE INDEX postponed_minute_idx ON replenish.postponed (minute);
CREATE INDEX postponed_empty_idx ON replenish.postponed (source)
	WHERE amount = 0;
SELECT pg_catalog.pg_extension_config_dump('replenish.postponed', '');

COMMENT ON TABLE replenish.postponed IS
'Demand dated after the decider''s clock, in micro-units and minutes since 1970 UTC; it is counted when its minute has come. health() shows what is more than a day ahead.';

CREATE TABLE replenish.item_demand (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	demand replenish.demand NOT NULL,
	PRIMARY KEY (sku, location, channel, source)
) WITH (fillfactor = 80);
CREATE INDEX item_demand_channel_idx ON replenish.item_demand (channel);
SELECT pg_catalog.pg_extension_config_dump('replenish.item_demand', '');

COMMENT ON TABLE replenish.item_demand IS
'The demand summary of each SKU, location and channel as the tables name them, by the source that it came from (0 is record_demand()). sku_alias and location_rule say which items they are.';

CREATE TABLE replenish.item_stock (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	minute integer NOT NULL DEFAULT 0,
	on_hand numeric NOT NULL,
	reserved numeric NOT NULL,
	on_order numeric NOT NULL,
	rows bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (sku, location, source, minute)
) WITH (fillfactor = 80);
CREATE INDEX item_stock_empty_idx ON replenish.item_stock (source)
	WHERE rows = 0 AND minute > 0;
SELECT pg_catalog.pg_extension_config_dump('replenish.item_stock', '');

COMMENT ON TABLE replenish.item_stock IS
'Units on hand, reserved and on order of each item, by the source that they came from. minute is 0, or that of a snapshot since 1970 UTC, and rows the number of rows that make up the snapshot.';

CREATE TABLE replenish.fault (
	source integer NOT NULL,
	code text NOT NULL,
	rows bigint NOT NULL,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	PRIMARY KEY (source, code)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.fault', '');

COMMENT ON TABLE replenish.fault IS
'Rows of watched tables that cannot be counted now, by source and reason; see health().';

-- What was decided, one row per item.
CREATE TABLE replenish.item (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	since timestamptz NOT NULL,
	on_hand numeric NOT NULL,
	reserved numeric NOT NULL,
	on_order numeric NOT NULL,
	snapshot_at timestamptz,
	velocity float8 NOT NULL,
	sold_24h float8 NOT NULL,
	same_period float8,
	forecast float8 NOT NULL,
	forecast_sd float8 NOT NULL,
	lead_time interval NOT NULL,
	threshold float8 NOT NULL,
	safety_stock float8 NOT NULL,
	target float8 NOT NULL,
	tier replenish.tier NOT NULL,
	position_tier replenish.tier NOT NULL,
	reason text NOT NULL,
	epoch integer NOT NULL,
	stockout_eta timestamptz,
	order_by timestamptz,
	reorder_qty float8 NOT NULL,
	assumed text[] NOT NULL,
	decided_at timestamptz NOT NULL,
	next_check timestamptz,
	next_arrival_at timestamptz,
	worsened_at timestamptz,
	channel text COLLATE "C",
	scenario text,
	units_at_risk float8,
	gmv_at_risk float8,
	turnover float8,
	rank_by text,
	sold_today float8,
	lack float8,
	buffer float8,
	moq float8,
	multiple float8,
	maximum float8,
	out_since timestamptz,
	PRIMARY KEY (sku, location)
) WITH (fillfactor = 80);
CREATE INDEX item_next_check_idx ON replenish.item (next_check);
CREATE INDEX item_alarm_idx ON replenish.item (tier, sku, location)
	WHERE tier <> 'normal';
SELECT pg_catalog.pg_extension_config_dump('replenish.item', '');

COMMENT ON TABLE replenish.item IS
'The last decision on each item; read it through the view status. next_check is when time alone could change it.';

-- What stands in for the threshold of an item that is new, at each location.
CREATE TABLE replenish.typical (
	location text COLLATE "C" PRIMARY KEY,
	threshold float8,
	computed_at timestamptz NOT NULL
);
SELECT pg_catalog.pg_extension_config_dump('replenish.typical', '');

COMMENT ON TABLE replenish.typical IS
'The median threshold in units of a location''s items that have demand, at most a day old when a new item needs it; NULL where there are none.';

CREATE TABLE replenish.event (
	seq bigint PRIMARY KEY,
	id uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
	xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
	type text NOT NULL,
	sku text COLLATE "C",
	location text COLLATE "C",
	epoch integer NOT NULL,
	from_tier replenish.tier NOT NULL,
	to_tier replenish.tier NOT NULL,
	reason text NOT NULL,
	occurred_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	facts jsonb NOT NULL
);
CREATE INDEX event_item_idx ON replenish.event (sku, location, seq);
SELECT pg_catalog.pg_extension_config_dump('replenish.event', '');

COMMENT ON TABLE replenish.event IS
'Every change of tier, append only. seq has no gaps and its order is the order in which rows become visible, so a reader that remembers the last seq misses nothing. occurred_at is the decider''s clock, facts the numbers it decided on.';

-- The decider's own row: its clock, which never goes back, and its numbering.
CREATE TABLE replenish.decider (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	clock timestamptz NOT NULL,
	started_at timestamptz NOT NULL,
	last_seq bigint NOT NULL,
	decided_at timestamptz NOT NULL,
	-- whose dump says nothing of it was announcing
	live_at timestamptz DEFAULT '-infinity'
) WITH (fillfactor = 50);
SELECT pg_catalog.pg_extension_config_dump('replenish.decider', '');

COMMENT ON TABLE replenish.decider IS
'The decider''s clock (the latest as_of that it decided anything for) and the first one, the number of its last event, and when it last decided. live_at is when it began to announce; NULL during a quiet start.';
