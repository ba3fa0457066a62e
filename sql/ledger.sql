---------------------------------------------------------------------------
-- Ledgers: what is kept for recounts, for snapshots of stock, for orders of
-- lines and headers, and of the tables that are watched.
---------------------------------------------------------------------------

-- What a recount found, on its way into the state; the decider takes it in
-- parts, so that it never stands in the way of orders.
CREATE TABLE replenish.backlog (LIKE replenish.inbox_even);
SELECT pg_catalog.pg_extension_config_dump('replenish.backlog', '');

COMMENT ON TABLE replenish.backlog IS
'Differences that backfill() or repair() found, as rows of the inbox, until the decider has taken them; see the view progress.';

-- Items that wait for the rest of a backlog.
CREATE TABLE replenish.undecided (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	PRIMARY KEY (sku, location)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.undecided', '');

COMMENT ON TABLE replenish.undecided IS
'Items of which a part of the backlog has come; they are decided when all of it has, for half of what is known of an item would raise alerts that nobody needs.';

-- Demand of the last days minute by minute: what a snapshot of stock does not
-- know of yet.  Kept only where a table of snapshots is watched.
CREATE TABLE replenish.sold (
	sku text COLLATE "C" NOT NULL,
	minute integer NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	amount bigint NOT NULL,
	PRIMARY KEY (sku, minute, location, channel, source)
);
CREATE INDEX sold_minute_idx ON replenish.sold (minute);
SELECT pg_catalog.pg_extension_config_dump('replenish.sold', '');

COMMENT ON TABLE replenish.sold IS
'Demand of the last eight days in micro-units by minute since 1970 UTC, to be taken off snapshots of stock; empty where none are watched.';

-- When each table of snapshots was last filled, and how often it is.
CREATE TABLE replenish.rhythm (
	source integer PRIMARY KEY,
	minute integer NOT NULL,
	gap integer
);
SELECT pg_catalog.pg_extension_config_dump('replenish.rhythm', '');

COMMENT ON TABLE replenish.rhythm IS
'The minute of the newest snapshot of each source, and its usual distance to the one before in minutes; NULL while there was only one.';

-- Orders whose lines and headers are two tables: both sides of the join.
CREATE TABLE replenish.order_header (
	source integer NOT NULL,
	order_key text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	minute integer NOT NULL,
	rows bigint NOT NULL,
	PRIMARY KEY (source, order_key, location, channel, minute)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.order_header', '');

COMMENT ON TABLE replenish.order_header IS
'Headers of orders whose status counts, by their key: what of place, channel and minute the header has; the rest is empty or 0.';

CREATE TABLE replenish.order_line (
	source integer NOT NULL,
	order_key text COLLATE "C" NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	minute integer NOT NULL,
	amount bigint NOT NULL,
	PRIMARY KEY (source, order_key, sku, location, channel, minute)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.order_line', '');

COMMENT ON TABLE replenish.order_line IS
'Lines of orders that have headers, in micro-units by the key of their order: what of place, channel and minute the line has; the rest is empty or 0. An order''s demand is each of its lines times each of its headers, as in an inner join.';

-- The tables of each source's trees, as they were when last looked at: what
-- has come, gone, or got another name since then shows against it.
CREATE TABLE replenish.followed (
	source integer NOT NULL,
	name text NOT NULL,
	part text NOT NULL,
	relation oid NOT NULL,
	columns jsonb,
	upto timestamptz,
	detached_at timestamptz,
	PRIMARY KEY (source, name)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.followed', '');

COMMENT ON TABLE replenish.followed IS
'Every table that has the triggers of a source, or had them before it was detached. name is trusted after a restore, relation only while that table has them. columns: of the root, by argument, each column''s name, attnum and type. upto: the moment before which all rows of a partition are, if its bounds say so.';

-- Append only, so that nobody who repairs keeps a command waiting.
CREATE TABLE replenish.unread (
	source integer NOT NULL,
	name text NOT NULL
);
SELECT pg_catalog.pg_extension_config_dump('replenish.unread', '');

COMMENT ON TABLE replenish.unread IS
'Tables older than keep that left a source''s trees, or came back to them, and were not read for it, until repair() has recounted the source: it may have other faults than are counted.';

-- Append only, by whoever orders: see src/failure.c.
CREATE TABLE replenish.lost (
	source integer NOT NULL,
	rows bigint NOT NULL,
	at timestamptz NOT NULL
);
SELECT pg_catalog.pg_extension_config_dump('replenish.lost', '');

COMMENT ON TABLE replenish.lost IS
'Movements that the inbox could not take, by source, until repair() has recounted it.';

CREATE TABLE replenish.failure (
	what text COLLATE "C" NOT NULL,
	sku text COLLATE "C",
	location text COLLATE "C",
	times bigint NOT NULL,
	since timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	retry_at timestamptz,
	first_seq bigint,
	error text NOT NULL
);

COMMENT ON TABLE replenish.failure IS
'What went wrong and still does. what: worker, it died at its start and is not started again before retry_at; tick, nothing could be decided; item, one item could not; notify, the events from first_seq on were not announced. See health().';
