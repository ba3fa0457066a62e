# Crashes under load: after each restart the recount agrees with the state and
# the inbox, no order is lost or counted twice, and events have neither a gap
# nor a number that was given twice.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', "checkpoint_timeout = 30s\nreplenish.quiet_start = off\n");
$node->start;
$node->safe_psql('postgres', q{
	SET replenish.evaluate = manual;
	CREATE EXTENSION replenish;
	CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		sku text, qty numeric, at timestamptz DEFAULT now(), channel text);
	CREATE TABLE stock (sku text, moved integer);
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at',
		channel => 'channel');
	SELECT replenish.watch_stock('stock', 'sku', 'moved');
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	INSERT INTO stock SELECT 'S' || i, 100 FROM generate_series(1, 20) i;
});

my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/order.sql", q{
\set a random(1, 20)
\set b random(1, 20)
\set n random(1, 1000000)
BEGIN;
INSERT INTO orders (sku, qty, channel) VALUES ('S' || :a, 1, 'show'), ('S' || :b, 2.5, 'shop');
INSERT INTO stock VALUES ('S' || :a, -30), ('S' || :b, 29);
SAVEPOINT s;
UPDATE orders SET qty = qty + 1, sku = 'S' || :b WHERE id IN (SELECT id FROM orders WHERE id % 7 = :n % 7 ORDER BY id DESC LIMIT 1);
DELETE FROM orders WHERE id = (SELECT max(id) - 5 FROM orders);
\if :n % 3 = 0
ROLLBACK TO s;
\endif
COMMIT;
});
append_to_file("$dir/tick.sql", "SELECT replenish.tick();\n\\sleep 20 ms\n");

sub start_load
{
	my ($out) = @_;
	my @load;
	for my $what ([ 'order', 4 ], [ 'tick', 1 ])
	{
		my $log = '';
		push @$out, \$log;
		local $ENV{PGHOST} = $node->host;
		local $ENV{PGPORT} = $node->port;
		push @load, IPC::Run::start(
			[
				'pgbench', '-n', '-c', $what->[1], '-T', '60',
				'-f', "$dir/$what->[0].sql", 'postgres'
			],
			'>&', \$log);
	}
	return @load;
}

my $seen = 0;
for my $round (1 .. 5)
{
	my @out;
	my @load = start_load(\@out);

	# not before something of this round is in
	$node->poll_query_until('postgres',
		"SELECT coalesce(max(id), 0) > $seen + 20 FROM orders")
	  or die 'no load: ' . join "\n", map { $$_ } @out;
	sleep 0.2 + rand 1;
	$node->stop('immediate');
	$_->finish for @load;
	$node->start;

	is( $node->safe_psql('postgres',
			'SET replenish.evaluate = manual;'
			  . ' SELECT count(*) FROM replenish.verify()'),
		'0', "round $round: the recount finds no difference");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) = max(seq) - min(seq) + 1 AND min(seq) = 1
				AND max(seq) = (SELECT last_seq FROM replenish.decider)
				AND count(DISTINCT id) = count(*)
			FROM replenish.event}),
		't', "round $round: events are numbered without gaps");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) FROM (
				SELECT xid < lag(xid) OVER (ORDER BY seq) AS backwards
				FROM replenish.event) e
			WHERE backwards}),
		'0', "round $round: in the order of their transactions");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) FROM (
				SELECT from_tier <> lag(to_tier, 1, 'normal')
					OVER (PARTITION BY sku, location ORDER BY seq) AS jumps
				FROM replenish.event) e
			WHERE jumps}),
		'0', "round $round: each begins where the one before it ended");
	$node->safe_psql('postgres',
		'SET replenish.evaluate = manual; SELECT replenish.tick()');
	is( $node->safe_psql('postgres', q{
			SELECT (SELECT sum(qty) FROM orders) = sum(b.units)::numeric
			FROM replenish.item_demand d
			CROSS JOIN LATERAL replenish.demand_buckets(d.demand) b
			WHERE b.resolution = '1 day'}),
		't', "round $round: as much is counted as was ordered");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) FROM replenish.status s
			FULL JOIN (SELECT sku, sum(moved) AS moved FROM stock
				GROUP BY sku) t ON t.sku = s.sku
			WHERE s.on_hand IS DISTINCT FROM t.moved}),
		'0', "round $round: and the stock is what was moved");
	$seen = $node->safe_psql('postgres', 'SELECT max(id) FROM orders');
}
note $node->safe_psql('postgres',
	q{SELECT (SELECT count(*) FROM orders) || ' orders, '
		|| (SELECT count(*) FROM replenish.event) || ' events'});
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM replenish.event'),
	'>', 20, 'there was something to decide');

# Where no commit waits for its flush, a crash takes orders back, but never an
# event that somebody was told of: its number would be given to another one.
$node->append_conf('postgresql.conf', 'wal_writer_delay = 10s');
$node->safe_psql('postgres',
	'ALTER DATABASE postgres SET synchronous_commit = off');
$node->restart;
foreach my $mode (qw(worker immediate manual))
{
	my $sku = "told by $mode";
	my $listener = $node->background_psql('postgres');
	$listener->query_safe('LISTEN replenish');
	$node->safe_psql('postgres', "SET replenish.evaluate = $mode;"
		  . " INSERT INTO stock VALUES ('$sku', 1);"
		  . ($mode eq 'manual' ? 'SELECT replenish.tick()' : ''));
	my $told;
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;
	until ($told || time > $until)
	{
		$listener->query("SELECT 'tick'") =~
		  /"id" ?: ?"([0-9a-f-]+)"[^\n]*$sku/ and $told = $1;
		sleep 0.02 unless $told;
	}
	$node->stop('immediate');
	$listener->{run}->finish;
	$node->start;
	is( $node->safe_psql('postgres', 'SET replenish.evaluate = manual;'
			  . " SELECT id FROM replenish.event WHERE sku = '$sku'"),
		$told, "$mode: an event that was heard of is there after a crash");
	is( $node->safe_psql('postgres', 'SET replenish.evaluate = manual;'
			  . ' SELECT count(*) FROM replenish.verify()'),
		'0', "$mode: and the recount finds no difference");
}

# Where the library is preloaded for the database, the first connection of
# anybody brings the worker back.
$node->safe_psql('postgres', q{
	SET synchronous_commit = on;
	CREATE ROLE anybody LOGIN;
	ALTER DATABASE postgres SET session_preload_libraries = 'replenish'});
$node->stop('immediate');
$node->start;
my $workers = q{SELECT count(*) FROM pg_stat_activity
	WHERE backend_type = 'replenish worker'};
is($node->safe_psql('template1', $workers), '0', 'no worker after a crash');
$node->safe_psql('postgres', 'SELECT 1', extra_params => [ '-U', 'anybody' ]);
ok($node->poll_query_until('template1', "SELECT ($workers) = 1"),
	'with the library preloaded, a connection brings it back');

$node->stop;
done_testing();
