# Dump and restore, as plain SQL and in parallel, while movements wait in the
# inbox: the new database has the same state, settings, watches and events,
# waits for the same movements, and goes on from there.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->append_conf('postgresql.conf', 'replenish.quiet_start = off');
$node->start;

# Whoever looks must not have a worker change what is compared.
sub quietly
{
	my ($db, $sql) = @_;
	return $node->safe_psql($db, "SET replenish.evaluate = manual; $sql");
}

$node->safe_psql('postgres', 'CREATE DATABASE shop');

# pg_dump reads summaries, so its session would start the worker here
$node->safe_psql('postgres',
	'ALTER DATABASE shop SET replenish.evaluate = manual');
quietly('shop', q{
	CREATE EXTENSION replenish;
	CREATE SCHEMA "the shop";
	CREATE TABLE "the shop".orders (id integer PRIMARY KEY, sku text,
		qty numeric, at timestamptz DEFAULT now(), status text);
	CREATE TABLE stock (sku text, place text, moved integer);
	INSERT INTO replenish.location VALUES
		('default', 'UTC'), ('osaka', 'Asia/Tokyo');
	SELECT replenish.watch_orders('"the shop".orders', 'sku', 'qty', 'at',
		status => 'status', counted => '{paid,sent}');
	SELECT replenish.watch_stock('stock', 'sku', 'moved', location => 'place');
	-- lines in partitions and a header in another schema; children
	CREATE TABLE "the shop".headers (old text, number integer PRIMARY KEY,
		at timestamptz, room text);
	ALTER TABLE "the shop".headers DROP COLUMN old;
	CREATE TABLE lines (number integer REFERENCES "the shop".headers,
		sku text, qty integer, day date) PARTITION BY RANGE (day);
	CREATE TABLE lines_old PARTITION OF lines
		FOR VALUES FROM ('2020-01-01') TO (CURRENT_DATE);
	CREATE TABLE lines_new PARTITION OF lines
		FOR VALUES FROM (CURRENT_DATE) TO (MAXVALUE) PARTITION BY LIST (sku);
	CREATE TABLE lines_new_rest PARTITION OF lines_new DEFAULT;
	SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at',
		channel => 'room', header => '"the shop".headers',
		header_key => 'number');
	CREATE TABLE bins (sku text, units integer);
	CREATE TABLE more_bins (shelf text) INHERITS (bins);
	SELECT replenish.watch_stock('bins', 'sku', 'units');
	CREATE TABLE sales (sku text, qty integer, at timestamptz)
		PARTITION BY RANGE (at);
	CREATE TABLE sales_old PARTITION OF sales
		FOR VALUES FROM ('2020-01-01') TO (CURRENT_DATE - 200);
	CREATE TABLE sales_new PARTITION OF sales
		FOR VALUES FROM (CURRENT_DATE - 200) TO (MAXVALUE);
	SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at');
	INSERT INTO "the shop".headers VALUES (1, now() - interval '1 day', 'live');
	INSERT INTO lines VALUES (1, 'A', 3, CURRENT_DATE - 1),
		(1, 'B', 4, CURRENT_DATE);
	INSERT INTO bins VALUES ('A', 1);
	INSERT INTO more_bins VALUES ('A', 2, 'x');
	INSERT INTO sales VALUES ('A', 1, now() - interval '300 days'),
		('A', 2, now() - interval '1 day');
	-- no trigger fires for what is not enabled, and a restore keeps it so
	ALTER TABLE sales_old DISABLE TRIGGER replenish_insert;
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	INSERT INTO replenish.policy (sku, location, service_level, moq)
		VALUES ('A', 'osaka', 0.99, 12);
	INSERT INTO stock VALUES ('A', 'default', 1000), ('B', 'default', 1000),
		('A', 'osaka', 120);
	INSERT INTO "the shop".orders SELECT i, 'A', i,
		now() - i * interval '3 hours', 'paid' FROM generate_series(1, 300) i;
	INSERT INTO "the shop".orders VALUES (1000, 'A', 7, now() + interval '2 days',
		'paid'), (1001, '', 1, now(), 'paid');
	SELECT replenish.tick();
	INSERT INTO stock VALUES ('B', 'default', -980);
	SELECT replenish.tick();
	-- what waits in the inbox
	INSERT INTO stock VALUES ('A', 'default', -920), ('C', 'osaka', 5);
	UPDATE "the shop".orders SET status = 'sent' WHERE id <= 10;
	UPDATE "the shop".orders SET status = 'cancelled' WHERE id BETWEEN 11 AND 20;
	DELETE FROM "the shop".orders WHERE id = 21;
	CALL replenish.backfill('stock');
});

# Everything that an extension's table holds, whatever tables there are; but
# for the numbers that the server gave to tables and columns.
my $everything = q{
	SELECT c.relname, md5(pg_catalog.query_to_xml(
		'SELECT t::text FROM replenish.' || quote_ident(c.relname)
			|| ' t ORDER BY 1', false, false, '')::text)
	FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'replenish' AND c.relkind = 'r'
		AND c.relname NOT LIKE 'inbox%' AND c.relname <> 'followed'
	UNION ALL
	SELECT 'followed ' || f.source || ' ' || f.name, md5(concat_ws(' ', f.part,
		f.upto, f.detached_at, (SELECT jsonb_agg((k.key, k.value - 'attnum')
			ORDER BY k.key) FROM jsonb_each(f.columns) k)))
	FROM replenish.followed f
	ORDER BY 1};

# What is where, as the server has it now.
my $triggers = q{
	SELECT c.relation, c.name, c.id, c.part, c.fires
	FROM replenish.capturing c ORDER BY c.relation::text, c.name};
my $followed = q{
	SELECT f.name, f.relation = f.name::regclass, k.key, a.attnum > 0
	FROM replenish.followed f
	LEFT JOIN LATERAL jsonb_each(f.columns) k ON true
	LEFT JOIN pg_attribute a ON a.attrelid = f.name::regclass
		AND a.attnum = (k.value ->> 'attnum')::smallint
		AND a.attname = k.value ->> 'name'
	ORDER BY f.name, k.key};

# A policy that is restored has the items it concerns decided again.
my $inbox = q{SELECT * FROM replenish.inbox i WHERE kind <> 't' ORDER BY i::text};
my $before = quietly('shop', $everything);
my $waits = quietly('shop', $inbox);
my $status = quietly('shop', 'SELECT * FROM replenish.status ORDER BY 1, 2');
my $had_triggers = quietly('shop', $triggers);
my $had_followed = quietly('shop', $followed);
my $watched = quietly('shop',
	'SELECT * FROM replenish.watched ORDER BY relation::text');
is(quietly('shop', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'the recount agrees before');
is(quietly('shop', 'SELECT replenish.inbox_waits()'),
	't', 'with movements in the inbox');
isnt(quietly('shop', 'SELECT count(*) FROM replenish.event'),
	'0', 'and events');

my $dir = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(plain parallel);
$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", 'shop' ], 'pg_dump');
$node->command_checks_all(
	[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql", 'plain' ],
	0, [],
	# what is disabled there is disabled here
	[ qr/\A[^\n]*WARNING:  triggers of watched table public.sales_old were disabled\n[^\n]*\n[^\n]*\n\z/ ],
	'psql reads the plain dump');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/shop.dump", 'shop' ],
	'pg_dump -Fc');
$node->command_ok(
	[ 'pg_restore', '-e', '-j', '2', '-d', 'parallel', "$dir/shop.dump" ],
	'pg_restore -j 2');

# a table's triggers may be made before what is known of it is restored, or in
# the middle, for a parallel restore makes them when that table is filled
my ($toc) = run_command([ 'pg_restore', '-l', "$dir/shop.dump" ]);
my %part;
foreach (grep { !/^;/ } split /\n/, $toc)
{
	my $part =
		/ TRIGGER / && !/ EVENT / ? 'triggers'
	  : / TABLE DATA replenish source / ? 'source'
	  : / TABLE DATA replenish / ? 'ours'
	  : / TABLE DATA / ? 'theirs'
	  : $part{theirs} ? 'rest' : 'tables';
	$part{$part} .= "$_\n";
}
my %order = (
	before => [qw(tables theirs triggers ours source rest)],
	middle => [qw(tables theirs source triggers ours rest)]);
foreach my $db (sort keys %order)
{
	append_to_file("$dir/$db", join '', @part{ @{ $order{$db} } });
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok(
		[ 'pg_restore', '-e', '-L', "$dir/$db", '-d', $db, "$dir/shop.dump" ],
		"triggers $db: pg_restore");
	is(quietly($db, $everything), $before,
		"triggers $db: every table is the same");
	is(quietly($db, $followed), $had_followed,
		"triggers $db: and known by their new numbers");
}

foreach my $db (qw(plain parallel))
{
	is( $node->safe_psql('postgres', qq{
			SELECT count(*) FROM pg_catalog.pg_stat_activity
			WHERE backend_type = 'replenish worker' AND datname = '$db'}),
		'0', "$db: no worker meddles with the restore");
	is(quietly($db, $everything), $before, "$db: every table is the same");
	is(quietly($db, $inbox), $waits, "$db: the same movements wait");
	is(quietly($db, 'SELECT * FROM replenish.status ORDER BY 1, 2'),
		$status, "$db: so is the status");
	is( quietly($db,
			'SELECT * FROM replenish.watched ORDER BY relation::text'),
		$watched, "$db: and what is watched");
	is(quietly($db, 'SELECT count(*) FROM replenish.verify()'),
		'0', "$db: the recount agrees");
	is(quietly($db, $triggers), $had_triggers,
		"$db: the triggers are the same");
	is(quietly($db, $followed), $had_followed,
		"$db: and known by their new numbers");
	quietly($db, q{
		ALTER TABLE sales RENAME TO sold;
		ALTER TABLE sold RENAME sku TO article;
		ALTER TABLE "the shop".headers RENAME room TO channel;
		ALTER TABLE sold DETACH PARTITION sales_old;
		CREATE TABLE lines_new_a PARTITION OF lines_new FOR VALUES IN ('A');
		INSERT INTO lines VALUES (1, 'A', 5, CURRENT_DATE);
		INSERT INTO more_bins VALUES ('B', 3, 'y');
		INSERT INTO sold VALUES ('B', 3, now());
		UPDATE "the shop".headers SET channel = 'web'});
	is( quietly($db, q{
			SELECT s.name, s.sku, s.channel, w.enabled FROM replenish.source s
			JOIN replenish.watched w ON w.id = s.id
			WHERE s.header IS NOT NULL OR s.name = 'public.sold' ORDER BY 1}),
		"public.lines|sku|channel|t\npublic.sold|article||t",
		"$db: what happens to the tables is followed");
	is(quietly($db, 'SELECT count(*) FROM replenish.verify()'),
		'0', "$db: and counted");
	my $seq =
	  quietly($db, 'SELECT max(seq) FROM replenish.event');
	my $waiting = quietly($db, 'SELECT count(*) FROM replenish.inbox');
	quietly($db, qq{
		INSERT INTO "the shop".orders VALUES (2000, 'B', 3, now(), 'paid')});
	is(quietly($db, 'SELECT count(*) FROM replenish.inbox'),
		$waiting + 1, "$db: a new order is counted once");
	is(quietly($db, 'SELECT count(*) FROM replenish.verify()'),
		'0', "$db: and rightly");

	# from here on with a worker, as it is after any restore
	$node->safe_psql($db, q{INSERT INTO stock VALUES ('B', 'default', 980)});
	ok( $node->poll_query_until($db, q{
			SELECT tier = 'normal' FROM replenish.item
			WHERE sku = 'B' AND location = 'default'}),
		"$db: the next movement is decided by a worker");
	is( quietly($db, qq{
			SELECT count(*) = max(seq) - $seq AND min(seq) = $seq + 1
				AND count(*) > 1
			FROM replenish.events_after($seq)}),
		't', "$db: events go on without a gap");
	is(quietly($db, 'SELECT count(*) FROM replenish.verify()'),
		'0', "$db: the recount agrees at the end");
}
is(quietly('shop', $everything), $before, 'the old database has not moved');

# what a dump of 1.0 does not say is filled in where 1.1 is installed
$node->safe_psql('postgres', qq{CREATE DATABASE $_;
	ALTER DATABASE $_ SET replenish.evaluate = manual}) for 'elder', 'younger';
quietly('elder', q{
	CREATE EXTENSION replenish VERSION '1.0';
	CREATE TABLE orders (sku text, qty numeric, at timestamptz);
	CREATE TABLE stock (sku text, units integer);
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
	SELECT replenish.watch_stock('stock', 'sku', 'units');
	INSERT INTO orders SELECT 'A', 1, now() - i * interval '1 hour'
		FROM generate_series(1, 300) i;
	INSERT INTO stock VALUES ('A', 50);
	SELECT replenish.tick();
	INSERT INTO orders VALUES ('A', 5, now())});
my $dump = $node->backup_dir . '/elder.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'elder' ], 'a shop with 1.0 is dumped');
$node->command_ok(
	[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'younger', '-f', $dump ],
	'and restored where 1.1 is installed');
quietly('younger', q{INSERT INTO orders VALUES ('A', 2, now())});
is( quietly('younger', q{
		SELECT (SELECT count(*) FROM replenish.verify()),
			(SELECT count(*) FROM replenish.followed),
			(SELECT count(*) FROM replenish.health() WHERE NOT ok
				AND hint LIKE 'SELECT replenish.rewatch%')}),
	'0|0|2', 'its orders are counted, and health() says what is to be done');
quietly('younger', q{
	SELECT replenish.rewatch('orders'), replenish.rewatch('stock');
	ALTER TABLE orders RENAME qty TO quantity;
	INSERT INTO orders VALUES ('A', 3, now());
	UPDATE stock SET units = 40;
	SELECT replenish.tick()});
is( quietly('younger', q{
		SELECT (SELECT count(*) FROM replenish.verify()),
			(SELECT count(*) FROM replenish.health() WHERE NOT ok),
			(SELECT on_hand FROM replenish.status),
			(SELECT live_at IS NOT NULL FROM replenish.decider)}),
	'0|0|40|t', 'then all is followed, and announced as before');

$node->stop;
done_testing();
