# No waiting that would not be there without us.  The same shop twice in one
# database: one is watched, its twin is not.  Somebody holds every lock that an
# order could meet, and all forms of statements go in to both with lock_timeout
# = 1ms: none fails in the watched shop that does not fail in its twin, whoever
# decides.  Afterwards all is counted.
#
# When all three tables that an order can be appended to are locked at once, it
# goes in unrecorded, with a warning: see 009_broken.pl.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Twins;

my $node = PostgreSQL::Test::Cluster->new('no_waiting');
$node->init(allows_streaming => 1);
$node->append_conf(
	'postgresql.conf', q{
autovacuum = off
max_connections = 40
max_prepared_transactions = 5
replenish.quiet_start = off
});
$node->start;

make_twins($node);

# Who holds what.  "sql" is run in an open transaction that is rolled back in
# the end, and may name the shop as SHOP: it is then run for both.
my @doors = qw(replenish.inbox_even replenish.inbox_odd replenish.backlog);
my $ours = q{SELECT c.oid::regclass::text FROM pg_class c
	WHERE c.relnamespace = 'replenish'::regnamespace AND c.relkind = 'r'
		AND c.relname NOT IN ('inbox_even', 'inbox_odd', 'backlog')};
my $hasty = 'SET lock_timeout = 1';

# Lock tables without a part in any deadlock.
sub lock_sql
{
	my ($which, $mode) = @_;
	return qq{DO \$\$
		DECLARE
			tables text := (SELECT string_agg(t, ', ') FROM ($which) n (t));
		BEGIN
			LOOP
				BEGIN
					EXECUTE format('LOCK TABLE %s IN $mode MODE NOWAIT', tables);
					RETURN;
				EXCEPTION WHEN lock_not_available THEN
					PERFORM pg_sleep(0.01);
				END;
			END LOOP;
		END \$\$};
}

sub lock_doors
{
	my ($mode, @which) = @_;
	return lock_sql(
		join(' UNION ALL ', map { "SELECT '$doors[$_]'" } @which), $mode);
}

my $order = q{INSERT INTO SHOP.sale (sku, qty) VALUES ('S1', 1), ('S2', 1);
	UPDATE SHOP.stock SET on_hand = on_hand - 1 WHERE sku = 'S1'};
my $recounted = q{; SELECT count(*) FROM twin.sale, twin.returned;
	SELECT count(*) FROM twin.stock; SELECT count(*) FROM twin.line, twin.header};
my @holders = (
	'nobody' => 'SELECT 1',
	'a tick' => q{INSERT INTO SHOP.sale (sku, qty) VALUES ('S1', 2000);
		SELECT replenish.tick()},
	'another order' => $order,
	'an order that decides' => "SET LOCAL replenish.evaluate = immediate; $order",
	'a stock-taker' => 'UPDATE SHOP.stock SET on_hand = on_hand + 1',
	'backfill' => q{DELETE FROM replenish.item_stock;
		CALL replenish.backfill('watched.stock');
		CALL replenish.backfill('watched.sale')} . $recounted,
	'verify' => 'SELECT * FROM replenish.verify()' . $recounted,
	'repair' => q{DELETE FROM replenish.item_stock;
		CALL replenish.repair()} . $recounted,
	'a dump' => 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; '
	  . lock_sql(
		q{SELECT c.oid::regclass::text FROM pg_class c
		WHERE c.relkind IN ('r', 'p')
			AND c.relnamespace::regnamespace::text IN
				('watched', 'twin', 'replenish')}, 'ACCESS SHARE'),
	'watch_orders' =>
	  q{SELECT replenish.watch_orders('watched.other', 'sku', 'qty', 'at')},
	'rewatch and unwatch' =>
	  q{SELECT replenish.watch_stock('watched.other', 'sku', 'qty');
		SELECT replenish.rewatch('watched.other');
		SELECT replenish.unwatch('watched.other')},
	'go_live' => q{SELECT replenish.become_decider();
		UPDATE replenish.decider SET live_at = NULL;
		SELECT replenish.go_live()},
	'changed settings' => q{
		INSERT INTO replenish.policy (sku, moq) VALUES ('S1', 5);
		UPDATE replenish.policy SET buffer = 0.5;
		INSERT INTO replenish.location VALUES ('east', 'Asia/Tokyo');
		INSERT INTO replenish.sku_alias VALUES (NULL, 'S2', 'S1', 2);
		INSERT INTO replenish.location_rule VALUES (NULL, 'default', 'east')},
	'emptied settings' => q{
		TRUNCATE replenish.policy, replenish.sku_alias, replenish.location_rule},
	'ANALYZE' => 'ANALYZE',
	'REINDEX' => q{REINDEX TABLE replenish.item;
		REINDEX TABLE replenish.item_demand; REINDEX TABLE replenish.decider},
	'CLUSTER' => q{CLUSTER replenish.item USING item_pkey;
		CLUSTER replenish.item_stock USING item_stock_pkey},
	'DDL of the shop' => q{CREATE TABLE watched.more (a integer);
		ALTER TABLE watched.other DROP COLUMN old},
	'a report' => q{SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
		SELECT * FROM replenish.status; SELECT * FROM replenish.sku_status;
		SELECT * FROM replenish.explain('S1'); SELECT * FROM replenish.health();
		SELECT * FROM replenish.events_after(0);
		SELECT * FROM replenish.verify()} . $recounted,
	'a replica' => "SET LOCAL session_replication_role = replica; $order",
	'all of our tables locked' => lock_sql($ours, 'ACCESS EXCLUSIVE'),
	'both halves of the inbox locked' => lock_doors('ACCESS EXCLUSIVE', 0, 1),
	'even half and backlog locked' => lock_doors('ACCESS EXCLUSIVE', 0, 2),
	'odd half and backlog locked' => lock_doors('ACCESS EXCLUSIVE', 1, 2));

# Place the orders in both shops while somebody holds something; say which
# failed in the twin.
sub meet
{
	my ($mode, $what, $settings) = @_;
	my ($twin) = place_orders($node, 'twin', $settings);
	my ($watched, $warned) = place_orders($node, 'watched', $settings);
	my %added;

	foreach my $name (keys %$watched)
	{
		$added{$name} = $watched->{$name} if !exists $twin->{$name};
	}
	# an order that cannot decide says so
	%added = (%added, %$warned) if $mode ne 'immediate';
	is_deeply(\%added, {}, "$mode: no order fails for $what");
	return join ', ', sort keys %$twin;
}

sub session
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->set_query_timer_restart();
	$session->query_safe(
		'SET client_min_messages = error; SET replenish.evaluate = manual');
	return $session;
}

# Begin something that will have to wait.
sub begin
{
	my ($session, $sql) = @_;
	return $session->query_until(qr/begun/, "\\echo begun\n$sql;\n");
}

sub wait_for
{
	my ($n, $what) = @_;
	$node->poll_query_until('postgres', "SELECT count(*) = $n FROM $what")
	  or die "waited in vain for $what";
	return;
}

# Change who decides; a worker that lives would go on.
sub evaluate
{
	my ($mode) = @_;
	my $workers = "pg_stat_activity WHERE backend_type = 'replenish worker'";

	$node->safe_psql('postgres',
		"ALTER DATABASE postgres SET replenish.evaluate = $mode;"
		  . " SELECT pg_terminate_backend(pid) FROM $workers");
	wait_for(0, $workers);
	return;
}

my $holder = session();
my %failed;
foreach my $mode (qw(manual auto immediate))
{
	evaluate($mode);
	for (my $i = 0; $i < @holders; $i += 2)
	{
		my ($what, $sql) = @holders[ $i, $i + 1 ];

		# whatever was left is decided, so that the holder need not wait
		$node->poll_query_until('postgres', 'SELECT NOT replenish.inbox_waits()')
		  or die
		  if $mode eq 'auto';
		$sql =~ s/([^;]*)SHOP([^;]*)/"$1twin$2;$1watched$2"/eg;
		$holder->query_safe("BEGIN; $sql");
		$failed{$what} = meet($mode, $what, $hasty);
		$holder->query_safe('ROLLBACK');
	}
}
# the test would see it
is($failed{nobody}, '', 'all orders go in where nobody holds anything');
is($failed{'a dump'}, 'truncate', 'a dump keeps a TRUNCATE waiting');
is($failed{'a stock-taker'}, 'order and stock, stock of all, stock of one',
	'a stock-taker keeps those waiting who want the same rows');

# who waits for a lock himself keeps those waiting who come later
evaluate('manual');
my @vacuum = (session(), session());
$holder->query_safe("BEGIN; LOCK TABLE $doors[0], $doors[1] IN ACCESS SHARE MODE");
begin($vacuum[$_], "VACUUM FULL $doors[$_]") foreach 0, 1;
wait_for(2, 'pg_locks WHERE NOT granted');
meet('manual', 'VACUUM FULL that waits', $hasty);
$holder->query_safe('ROLLBACK');
$_->query_safe('SELECT 1') foreach @vacuum;

# VACUUM in the middle of its work: it waits for somebody to leave a page
my $touch = "(amount, minute, source, kind, sku, location, channel)"
  . " VALUES (0, 0, 0, 't', 'S1', '', '')";
$holder->query_safe("SELECT replenish.tick(); VACUUM $doors[0], $doors[1];
	INSERT INTO $doors[0] $touch; INSERT INTO $doors[1] $touch");
$holder->query_safe("BEGIN;
	DECLARE even CURSOR FOR TABLE $doors[0]; FETCH even;
	DECLARE odd CURSOR FOR TABLE $doors[1]; FETCH odd");
begin($vacuum[$_], "VACUUM (FREEZE) $doors[$_]") foreach 0, 1;
wait_for(2, "pg_stat_activity WHERE wait_event = 'BufferPin'");
meet('manual', 'VACUUM', $hasty);
$holder->query_safe('ROLLBACK');
$_->query_safe('SELECT 1') foreach @vacuum;

# an order that is prepared
(my $both = $order) =~ s/([^;]*)SHOP([^;]*)/"$1twin$2;$1watched$2"/eg;
$holder->query_safe("BEGIN; $both; PREPARE TRANSACTION 'order'");
is( meet('manual', 'a prepared order', $hasty),
	'stock of all, stock of one', 'but those of the same rows in both shops');
$holder->query_safe("COMMIT PREPARED 'order'");

# the worker in the middle of a tick: what it took is deleted, not committed
evaluate('auto');
$holder->query_safe('BEGIN; LOCK TABLE replenish.event IN ACCESS EXCLUSIVE MODE');
$node->safe_psql('postgres',
	"UPDATE watched.stock SET on_hand = 10 WHERE sku = 'S20'");
wait_for(1, q{pg_stat_activity WHERE backend_type = 'replenish worker'
	AND wait_event_type = 'Lock'});
meet('auto', 'a worker in the middle of a tick', $hasty);
$holder->query_safe('ROLLBACK');

# who decides waits for nobody long, though nothing tells it not to
evaluate('immediate');
$holder->query_safe('BEGIN; ' . lock_sql($ours, 'ACCESS EXCLUSIVE'));
is(meet('immediate', 'locked tables without lock_timeout',
		"SET statement_timeout = '30s'"), '', 'nor in the twin');
$holder->query_safe('ROLLBACK');

# Commits that notify wait for each other.  One waits for a standby that is
# not there; the order that has decided does not give up for that.
$node->safe_psql('postgres', 'SELECT replenish.tick()');
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'");
$node->reload;
sleep 2;    # commits wait from when the checkpointer has heard of it
begin($vacuum[0], q{BEGIN; INSERT INTO twin.returned (sku) VALUES ('S1');
	NOTIFY other; COMMIT});
wait_for(1, "pg_stat_activity WHERE wait_event = 'SyncRep'");
my $hurried = session();
begin($hurried, q{SET synchronous_commit = local; SET lock_timeout = 1;
	SET replenish.evaluate = immediate;
	UPDATE watched.stock SET on_hand = 5000 WHERE sku = 'S20'});
wait_for(1, "pg_locks WHERE locktype = 'object' AND NOT granted");
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''");
$node->reload;
is($hurried->query('SHOW lock_timeout'), '1ms', 'its lock_timeout is back');
is($hurried->{stderr}, '', 'an order that notifies does not fail for others');
is($hurried->query(q{SELECT on_hand FROM watched.stock WHERE sku = 'S20'}),
	5000, 'it is there');
$_->quit foreach @vacuum, $hurried;

# many orders of many tables at once meet where the inbox grows
evaluate('manual');
my $clients = 16;
foreach my $shop (qw(twin watched))
{
	my @tables = map { "$shop.t$_" } 0 .. $clients - 1;
	$node->safe_psql('postgres', join '', map {
		"CREATE TABLE $_ (sku text, qty integer,"
		  . ' at timestamptz DEFAULT now());' } @tables);
	$node->safe_psql('postgres', join '', map {
		"SELECT replenish.watch_orders('$_', 'sku', 'qty', 'at');" } @tables)
	  if $shop eq 'watched';
	local $ENV{PGOPTIONS} = '-c lock_timeout=1ms';
	$node->pgbench("-n -c $clients -j 2 -t 60", 0,
		[ qr{processed: 960/960} ], [ qr/^$/ ], "$shop: many orders at once",
		{ "$shop-orders" => "INSERT INTO $shop.t:client_id"
			  . " SELECT repeat('x', 200) || i, 1 FROM generate_series(1, 30) i" });
}

# nowhere to be written to: the order goes in, and says so
$holder->query_safe('BEGIN; ' . lock_doors('ACCESS EXCLUSIVE', 0 .. 2));
my ($out, $err);
is( $node->psql('postgres', q{SET lock_timeout = 1; BEGIN;
	INSERT INTO watched.sale (sku, qty) VALUES ('S1', 1); ROLLBACK},
		stderr => \$err), 0, 'with all of the inbox locked an order goes in');
like($err, qr/WARNING: .*inbox of replenish takes nothing now/,
	'with a warning');
$holder->query_safe('ROLLBACK');
$holder->quit;

# all is counted, and comes to the same as in the twin
is($node->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'all is counted');
$node->safe_psql('postgres', 'SELECT replenish.tick()');
is($node->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'and when it is decided');
is($node->safe_psql('postgres', q{
		SELECT sku, on_hand FROM replenish.item
		WHERE sku IN (SELECT sku FROM watched.stock) ORDER BY 1}),
	$node->safe_psql('postgres', q{
		SELECT sku, on_hand FROM watched.stock ORDER BY sku COLLATE "C"}),
	'the stock is the stock');
$node->stop;
done_testing();
