# A shop under load is copied, dumped, archived and lost: a standby that is
# promoted, a base backup that is recovered to a moment in the middle, and a
# dump that is restored into a new cluster each hold what their tables say.
# No event is missing or doubled, what was prepared can be committed, and the
# first session has a worker again, which goes on from there.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, has_archiving => 1);
$primary->append_conf(
	'postgresql.conf', q{
max_prepared_transactions = 10
log_min_messages = debug1
});
$primary->start;
$primary->safe_psql('postgres', q{
	ALTER DATABASE postgres SET replenish.quiet_start = off;
	CREATE EXTENSION replenish;
	CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		sku text, qty numeric, at timestamptz DEFAULT now());
	CREATE TABLE stock (sku text, moved integer);
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
	SELECT replenish.watch_stock('stock', 'sku', 'moved');
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	INSERT INTO stock SELECT 'S' || i, 100 FROM generate_series(1, 20) i;
});

my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/order.sql", q{
\set a random(1, 20)
\set b random(1, 20)
BEGIN;
INSERT INTO orders (sku, qty) VALUES ('S' || :a, 1), ('S' || :b, 2.5);
INSERT INTO stock VALUES ('S' || :a, -30), ('S' || :b, 29);
UPDATE orders SET qty = qty + 1 WHERE id = (SELECT max(id) - :a FROM orders);
DELETE FROM orders WHERE id = (SELECT max(id) - 5 * :b FROM orders);
COMMIT;
\sleep 2 ms
});
my ($out, $load) = ('');
{
	local $ENV{PGHOST} = $primary->host;
	local $ENV{PGPORT} = $primary->port;
	$load = IPC::Run::start(
		[
			'pgbench', '-n', '-c', '4', '-T', '600', '-f', "$dir/order.sql",
			'postgres'
		],
		'>&', \$out);
}

# Wait until the load has brought so many further events about.
sub wait_events
{
	my ($n) = @_;
	my $seen =
	  $primary->safe_psql('postgres', 'SELECT count(*) FROM replenish.event');
	$primary->poll_query_until('postgres',
		"SELECT count(*) >= $seen + $n FROM replenish.event")
	  or die "no events: $out";
	return;
}

# Each statement in a session that has no worker started.
sub quietly
{
	my ($node, $sql) = @_;
	return $node->safe_psql('postgres',
		"SET replenish.evaluate = manual; $sql");
}

my $workers = q{SELECT count(*) FROM pg_stat_activity
	WHERE backend_type = 'replenish worker'};

# What must be so of a server that has come from the primary, as it is now.
sub sound
{
	my ($node, $what) = @_;

	is(quietly($node, 'SELECT count(*) FROM replenish.verify()'),
		'0', "$what: the recount finds no difference");
	is( quietly($node, q{
			SELECT count(*) = max(seq) AND min(seq) = 1
				AND max(seq) = (SELECT last_seq FROM replenish.decider)
				AND count(DISTINCT id) = count(*)
			FROM replenish.event}),
		't', "$what: events are numbered without gaps");
	is( quietly($node, q{
			SELECT count(*) FROM (
				SELECT from_tier <> lag(to_tier, 1, 'normal')
					OVER (PARTITION BY sku, location ORDER BY seq) AS jumps
				FROM replenish.event) e
			WHERE jumps}),
		'0', "$what: each begins where the one before it ended");
	is( quietly($node, q{
			SELECT count(*) FROM replenish.item i
			WHERE i.tier <> coalesce((SELECT e.to_tier FROM replenish.event e
				WHERE e.sku = i.sku ORDER BY e.seq DESC LIMIT 1), 'normal')}),
		'0', "$what: and the last one says how it is");
	return;
}

# The same when all is decided; and what the tables add up to, by plain sums.
sub counted
{
	my ($node, $what) = @_;

	ok( $node->poll_query_until('postgres',
			'SELECT NOT replenish.inbox_waits()'),
		"$what: all that waited is decided");
	sound($node, "$what, decided");
	is( quietly($node, q{
			SELECT count(*) FROM (
				SELECT sku, sum(qty) AS qty FROM orders GROUP BY sku) o
			FULL JOIN (
				SELECT d.sku, sum(b.units)::numeric AS qty
				FROM replenish.item_demand d,
					replenish.demand_buckets(d.demand) b
				WHERE b.resolution = '1 day' GROUP BY d.sku) c USING (sku)
			WHERE coalesce(o.qty, 0) <> coalesce(c.qty, 0)}),
		'0', "$what: as much is counted as was ordered");
	is( quietly($node, q{
			SELECT count(*) FROM replenish.status s
			FULL JOIN (SELECT sku, sum(moved) AS moved FROM stock
				GROUP BY sku) t ON t.sku = s.sku
			WHERE coalesce(s.on_hand, 0) <> coalesce(t.moved, 0)}),
		'0', "$what: and the stock is what was moved");
	return;
}

# What was prepared is committed by somebody who does not wake the worker.
sub commit_prepared
{
	my ($node, $what) = @_;

	is(quietly($node, q{SELECT count(*) FROM replenish.item
			WHERE sku = 'prepared'}), '0',
		"$what: what is prepared is not counted");
	quietly($node, q{COMMIT PREPARED 'order'});
	ok( $node->poll_query_until('postgres', q{SELECT count(*) = 1
			FROM replenish.event WHERE sku = 'prepared'}),
		"$what: what was prepared can be committed, and the worker hears");
	return;
}

# While orders go in: a base backup, a standby, a prepared order, a restore
# point, and a dump.
wait_events(10);
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
wait_events(10);
$primary->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO stock VALUES ('prepared', 7);
	PREPARE TRANSACTION 'order'});
$primary->safe_psql('postgres',
	"INSERT INTO orders (sku, qty) VALUES ('before', 1);"
	  # the load deletes what it finds
	  . " CREATE TABLE mark AS SELECT 'before' AS sku");
$primary->safe_psql('postgres', "SELECT pg_create_restore_point('middle')");
$primary->safe_psql('postgres',
	"INSERT INTO orders (sku, qty) VALUES ('after', 1);"
	  . " INSERT INTO mark VALUES ('after')");
$primary->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/shop.dump", 'postgres' ],
	'pg_dump under load');
wait_events(10);

# the standby answers meanwhile, and no worker starts there
my $reader = $standby->background_psql('postgres');
for my $i (1 .. 5)
{
	wait_events(2);
	$reader->query_safe('SELECT * FROM replenish.status');
	$reader->query_safe('SELECT * FROM replenish.events_after(0)');
}
is($reader->query_safe($workers), '0', 'standby: there is no worker');
ok($standby->poll_query_until('postgres',
		'SELECT max(seq) > 30 FROM replenish.event'), 'standby: events arrive');
is(quietly($standby, 'SELECT count(*) FROM replenish.verify()'),
	'0', 'standby: the recount finds no difference under load');
unlike(slurp_file($standby->logfile), qr/background worker process "replenish/,
	'standby: none was ever asked for');

# the primary is lost, in the middle of everything
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
$primary->stop('immediate');
$load->finish;

# promotion
$standby->promote;
sound($standby, 'promoted');
is(quietly($standby, $workers), '0', 'promoted: no worker so far');
$reader->query_safe('SELECT * FROM replenish.status');
ok($standby->poll_query_until('postgres', "SELECT ($workers) = 1"),
	'promoted: a session from before that goes on reading brings it');
counted($standby, 'promoted');
commit_prepared($standby, 'promoted');
$reader->quit;
$standby->stop;

# a base backup, recovered to a moment in the middle
my $recovered = PostgreSQL::Test::Cluster->new('recovered');
$recovered->init_from_backup($primary, 'copy', has_restoring => 1,
	standby => 0);
$recovered->append_conf(
	'postgresql.conf', q{
recovery_target_name = 'middle'
recovery_target_action = 'promote'
});
$recovered->start;
ok( $recovered->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'),
	'recovered: to a moment in the middle');
is( quietly($recovered, q{SELECT string_agg(sku, ' ' ORDER BY sku) FROM mark}),
	'before', 'recovered: the tables are as they were then');
sound($recovered, 'recovered');
is(quietly($recovered, $workers), '0', 'recovered: no worker so far');
$recovered->safe_psql('postgres', 'SELECT * FROM replenish.status');
ok($recovered->poll_query_until('postgres', "SELECT ($workers) = 1"),
	'recovered: the first session that reads has a worker');
counted($recovered, 'recovered');
commit_prepared($recovered, 'recovered');
$recovered->stop;

# a dump, restored into a new cluster
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
$new->start;
$new->command_ok([ 'pg_restore', '-e', '-d', 'postgres', "$dir/shop.dump" ],
	'pg_restore into a new cluster');
sound($new, 'restored');
is(quietly($new, $workers), '0', 'restored: no worker so far');
my $seq = quietly($new, 'SELECT max(seq) FROM replenish.event');
$new->safe_psql('postgres', q{
	INSERT INTO stock SELECT 'S1', 1000 - sum(moved) FROM stock
	WHERE sku = 'S1'});
# decided by itself: together with the next it might change nothing
$new->poll_query_until('postgres', q{SELECT tier = 'normal'
	FROM replenish.item WHERE sku = 'S1'})
  or die 'nothing is decided';
$new->safe_psql('postgres', q{INSERT INTO stock VALUES ('S1', -990)});
ok( $new->poll_query_until('postgres', qq{
		SELECT count(*) > 0 FROM replenish.event
		WHERE seq > $seq AND sku = 'S1' AND to_tier = 'red'}),
	'restored: the first order has a worker, and events go on');
counted($new, 'restored');
$new->stop;

done_testing();
