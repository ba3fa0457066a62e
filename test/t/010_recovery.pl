# A shop under load is copied, dumped, archived and lost: a standby that is
# promoted, a base backup that is recovered to a moment in the middle, and a
# dump that is restored into a new cluster each hold what their tables say.
# No event is missing or doubled, what was prepared can be committed, and the
# first session has a worker again, which goes on from there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use BusyShop;
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
make_shop($primary);
my $dir = PostgreSQL::Test::Utils::tempdir();
my @said;
my $load = start_load($primary, 'order', 4, \@said);

# Wait until the load has brought so many further events about.
sub wait_events
{
	my ($n) = @_;
	my $seen =
	  $primary->safe_psql('postgres', 'SELECT count(*) FROM replenish.event');
	$primary->poll_query_until('postgres',
		"SELECT count(*) >= $seen + $n FROM replenish.event")
	  or die "no events: ${$said[0]}";
	return;
}

my $workers = q{SELECT count(*) FROM pg_stat_activity
	WHERE backend_type = 'replenish worker'};

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
my $middle = $primary->safe_psql('postgres',
	"SELECT pg_walfile_name(pg_create_restore_point('middle'))");
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

# the primary is lost, in the middle of everything but its archive
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
$primary->poll_query_until('postgres',
	"SELECT last_archived_wal >= '$middle' FROM pg_stat_archiver")
  or die 'the middle is not archived';
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
