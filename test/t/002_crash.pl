# Crashes under load: after each restart the recount agrees with the state and
# the inbox, no order is lost or counted twice, and events have neither a gap
# nor a number that was given twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use BusyShop;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', 'checkpoint_timeout = 30s');
$node->start;
make_shop($node);

my $seen = 0;
for my $round (1 .. 5)
{
	my @out;
	my @load = (
		start_load($node, 'order', 4, \@out),
		start_load($node, 'tick', 1, \@out));

	# not before something of this round is in
	$node->poll_query_until('postgres',
		"SELECT coalesce(max(id), 0) > $seen + 20 FROM orders")
	  or die 'no load: ' . join "\n", map { $$_ } @out;
	sleep 0.2 + rand 1;
	$node->stop('immediate');
	$_->finish for @load;
	$node->start;

	sound($node, "round $round");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) FROM (
				SELECT xid < lag(xid) OVER (ORDER BY seq) AS backwards
				FROM replenish.event) e
			WHERE backwards}),
		'0', "round $round: in the order of their transactions");
	counted($node, "round $round");
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
	is(quietly($node, "SELECT id FROM replenish.event WHERE sku = '$sku'"),
		$told, "$mode: an event that was heard of is there after a crash");
	is(quietly($node, 'SELECT count(*) FROM replenish.verify()'),
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
