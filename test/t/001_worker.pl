# The worker: it starts by itself with the first order of a role that may only
# insert, decides at commit, comes back after a restart, a crash and a
# termination, is alone, is quiet when there is nothing to do, knows of
# prepared orders, stands in nobody's way, and can be done without.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('worker');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
autovacuum = off
checkpoint_timeout = 1h
log_min_messages = debug1
max_connections = 60
max_prepared_transactions = 5
replenish.quiet_start = off
restart_after_crash = on
});
$node->start;

# Each statement in a session of its own that has no worker started.
sub quietly
{
	my ($db, $sql) = @_;
	return $node->safe_psql($db, "SET replenish.evaluate = manual; $sql");
}

# An order by the role that may only insert.
sub order
{
	my ($db, $qty) = @_;
	$node->safe_psql($db, "INSERT INTO stock VALUES ('A', $qty)",
		extra_params => [ '-U', 'seller' ]);
	return;
}

# The item is sold out and filled again in turn: each order is an event.
my %events;

sub order_and_wait
{
	my ($db, $what) = @_;
	my $n = ++$events{$db};
	order($db, $n % 2 ? -980 : 980);
	ok($node->poll_query_until($db,
			"SELECT count(*) = $n FROM replenish.event"), $what);
	return;
}

sub worker_query
{
	my ($db) = @_;
	return "SELECT pid FROM pg_catalog.pg_stat_activity"
	  . " WHERE backend_type = 'replenish worker' AND datname = '$db'";
}

sub wait_workers
{
	my ($db, $n) = @_;
	return $node->poll_query_until('postgres',
		"SELECT count(*) = $n FROM (" . worker_query($db) . ") w");
}

sub make_shop
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, q{
		SET replenish.evaluate = manual;
		CREATE EXTENSION replenish;
		CREATE TABLE stock (sku text, moved integer);
		GRANT INSERT ON stock TO seller;
		SELECT replenish.watch_stock('stock', 'sku', 'moved');
		INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
		INSERT INTO stock VALUES ('A', 1000);
		SELECT replenish.tick();
	});
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE seller LOGIN');
make_shop('shop');

# starting
ok(wait_workers('shop', 0), 'watching in manual mode starts no worker');
order_and_wait('shop', 'the first order starts the worker, which decides it');
ok(wait_workers('shop', 1), 'there is one worker');
order_and_wait('shop', 'it decides at the next commit as well');
is($node->safe_psql('shop', 'SELECT replenish.worker_pid()'),
	$node->safe_psql('postgres', worker_query('shop')),
	'worker_pid() is its process');
is( $node->safe_psql('shop',
		"SELECT ok FROM replenish.health() WHERE what = 'worker'"),
	't', 'health() is content with it');

# what a database has for the shop's sessions is not meant for the worker
make_shop('defaults');
$node->safe_psql('postgres', "ALTER DATABASE defaults SET $_")
  for 'role = seller', 'session_replication_role = replica';
{
	local $ENV{PGOPTIONS} = '-c role=none';
	order_and_wait('defaults', 'it decides where another role is the default');
}
$node->safe_psql('postgres', 'DROP DATABASE defaults');

# restart: what waited is decided as soon as anybody reads
quietly('shop', "INSERT INTO stock VALUES ('A', -980)");
$node->restart;
is($node->safe_psql('postgres', worker_query('shop')),
	'', 'no worker after a restart');
$node->safe_psql('shop', 'SELECT * FROM replenish.status');
$events{shop}++;
ok( $node->poll_query_until('shop',
		"SELECT count(*) = $events{shop} FROM replenish.event"),
	'the first session that reads brings it back');

# termination, seen by a session that knew the worker
my $session = $node->background_psql('shop');
$session->query_safe('SELECT replenish.worker_pid()');
$node->safe_psql('postgres',
	'SELECT pg_terminate_backend(pid) FROM ('
	  . worker_query('shop') . ') w');
ok(wait_workers('shop', 0), 'the worker can be terminated');
$session->query_safe("INSERT INTO stock VALUES ('A', 980)");
$events{shop}++;
ok( $node->poll_query_until('shop',
		"SELECT count(*) = $events{shop} FROM replenish.event"),
	'an order in an old session is decided after that');
$session->quit;
order_and_wait('shop', 'and one in a new session');
ok(wait_workers('shop', 1), 'the worker is back');

# kill -9: the server restarts, and does not take the worker with it
my $pid = $node->safe_psql('postgres', worker_query('shop'));
kill 'KILL', $pid;
ok($node->poll_query_until('postgres',
		"SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity"
		  . " WHERE pid = $pid)"), 'the server is back after a crash');
order_and_wait('shop', 'and so is the worker with the next order');

# quiet: nothing to do is nothing written and next to nothing done
ok(wait_workers('shop', 1), 'a worker lives');
$session = $node->background_psql('shop');
my $quiet = 0;
my $worker = $session->query_safe(worker_query('shop'));

sub context_switches
{
	my $status = -r "/proc/$worker/status" ?
	  slurp_file("/proc/$worker/status") : '';
	return $status =~ /^voluntary_ctxt_switches:\s*(\d+)/m ? $1 : undef;
}

my $switches;
for my $try (1 .. 6)
{
	my $before = context_switches();
	my $lsn = $session->query_safe('SELECT pg_current_wal_insert_lsn()');
	sleep 5;
	$quiet = $lsn eq
	  $session->query_safe('SELECT pg_current_wal_insert_lsn()');
	my $after = context_switches();
	$switches = $after - $before if defined $before && defined $after;
	last if $quiet;
}
ok($quiet, 'five idle seconds write no WAL');
SKIP:
{
	skip 'no count of context switches here', 1 unless defined $switches;
	cmp_ok($switches, '<', 50, "and sleep nearly through");
	note "$switches context switches in 5 seconds";
}
$session->quit;

# two-phase commit
$events{shop}++;
my $change = $events{shop} % 2 ? -980 : 980;
$node->safe_psql('shop', qq{
	BEGIN;
	INSERT INTO stock VALUES ('A', $change);
	PREPARE TRANSACTION 'order';
});
$node->safe_psql('shop', "COMMIT PREPARED 'order'");
my $committed = time;
ok( $node->poll_query_until('shop',
		"SELECT count(*) = $events{shop} FROM replenish.event"),
	'a prepared order is decided after COMMIT PREPARED');
my $seconds = time - $committed;
cmp_ok($seconds, '<', 10, 'soon');
note sprintf('%.1f seconds after COMMIT PREPARED', $seconds);
$node->safe_psql('shop', qq{
	BEGIN;
	INSERT INTO stock VALUES ('A', 1);
	PREPARE TRANSACTION 'order';
});
$node->safe_psql('shop', "ROLLBACK PREPARED 'order'");
is(quietly('shop', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'nothing is left of one that is rolled back');

# a worker that is slow to start costs an order neither its time nor its
# right to be prepared
$node->safe_psql('postgres',
	'SELECT pg_terminate_backend(pid) FROM ('
	  . worker_query('shop') . ') w');
ok(wait_workers('shop', 0), 'no worker');
$session = $node->background_psql('shop');
$session->query_safe('SELECT 1');
my $postmaster =
  (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
kill 'STOP', $postmaster;
$events{shop}++;
$change = $events{shop} % 2 ? -980 : 980;
my $prepared = eval {
	$session->query_safe(qq{
		BEGIN;
		INSERT INTO stock VALUES ('A', $change);
		INSERT INTO stock VALUES ('A', 1);
		PREPARE TRANSACTION 'order';
	});
	1;
};
my $error = $@;
kill 'CONT', $postmaster;
ok($prepared, 'an order can be prepared while its worker is not there yet')
  or diag $error;
$session->query_safe("COMMIT PREPARED 'order'") if $prepared;
$session->quit;
ok( $node->poll_query_until('shop',
		"SELECT count(*) = $events{shop} FROM replenish.event"),
	'and is decided when the worker is');

# alone: thirty sessions begin at once
$node->safe_psql('postgres',
	'SELECT pg_terminate_backend(pid) FROM ('
	  . worker_query('shop') . ') w');
ok(wait_workers('shop', 0), 'no worker');
my $log_offset = -s $node->logfile;
my $script = PostgreSQL::Test::Utils::tempdir() . '/order.sql';
append_to_file($script, "INSERT INTO stock VALUES ('A', 0), ('A', 1), ('A', -1);\n");
$node->command_ok(
	[ 'pgbench', '-n', '-c', '30', '-j', '2', '-t', '4', '-f', $script, 'shop' ],
	'thirty sessions order at once');
ok(wait_workers('shop', 1), 'they have one worker');
my @started = slurp_file($node->logfile, $log_offset) =~
  /starting background worker process "replenish worker/g;
cmp_ok(scalar @started, '<=', 2, 'and did not start a crowd');
is( $node->safe_psql('shop', q{
		SELECT count(*) FROM pg_catalog.pg_locks
		WHERE classid = 'pg_extension'::regclass AND objsubid = 2}),
	'0', 'nobody holds the lock of the launch');
is(quietly('shop', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'all is counted');

# in nobody's way
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE shop');
pass('a database with a worker can be copied');
$events{copy} = $events{shop};
order_and_wait('copy', 'the copy has a worker of its own');
ok(wait_workers('copy', 1), 'which lives');
$node->safe_psql('postgres', 'ALTER DATABASE copy RENAME TO copied');
pass('a database with a worker can be renamed');
$events{copied} = delete $events{copy};
order_and_wait('copied', 'and goes on');
ok(wait_workers('copied', 1), 'with a worker');
$node->safe_psql('copied', 'SET client_min_messages = error; '
	  . 'DROP EXTENSION replenish CASCADE');
ok(wait_workers('copied', 0), 'the worker leaves when the extension goes');
order('copied', 1);
pass('orders go on without it');
$node->safe_psql('copied', 'CREATE EXTENSION replenish');
$node->safe_psql('copied', "SELECT replenish.record_demand('A', 1)");
ok(wait_workers('copied', 1), 'a new extension has a new worker');
$node->safe_psql('postgres', 'DROP DATABASE copied');
pass('a database with a worker can be dropped');

# a worker that fails: it tries again, ever more seldom, and is still polite
make_shop('broken');
$node->safe_psql('broken',
	'ALTER TABLE replenish.event RENAME TO happened');
$log_offset = -s $node->logfile;
order('broken', -980);
$node->wait_for_log(qr/relation "event" does not exist/, $log_offset);
$node->safe_psql('broken', 'ALTER TABLE replenish.happened RENAME TO event');
ok($node->poll_query_until('broken',
		'SELECT count(*) = 1 FROM replenish.event'),
	'what failed is decided when its cause is gone');
$node->safe_psql('broken',
	'ALTER TABLE replenish.event RENAME TO happened');
$log_offset = -s $node->logfile;
order('broken', 980);
# pauses of 1, 2 and 4 seconds, then one of 8
$node->wait_for_log(qr/(?:relation "event" does not exist.*?){4}/s,
	$log_offset);
$node->safe_psql('postgres', 'DROP DATABASE broken');
pass('a database whose worker waits after a failure can be dropped');

# stopping
order('shop', 1);
ok(wait_workers('shop', 1), 'a worker lives');
my $begun = time;
$node->stop('fast');
cmp_ok(time - $begun, '<', 20, 'a fast shutdown does not wait for it');

# no slot for a worker
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->start;
order('shop', 1);
is( $node->safe_psql('shop',
		'SELECT replenish.worker_pid() IS NULL, replenish.inbox_waits()'),
	't|t', 'without a slot for a worker an order that could be prepared waits');
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 0');
$node->restart;
order('shop', 1);
is( $node->safe_psql('shop',
		'SELECT replenish.worker_pid() IS NULL, replenish.inbox_waits()'),
	't|f', 'without a slot for a worker the order decides');
$events{shop}++;
order('shop', $events{shop} % 2 ? -980 : 980);
is( $node->safe_psql('shop', 'SELECT count(*) FROM replenish.event'),
	$events{shop}, 'and its event comes with its commit');
is( $node->safe_psql('shop',
		"SELECT ok FROM replenish.health() WHERE what = 'worker'"),
	'f', 'health() tells of it');
$node->adjust_conf('postgresql.conf', 'max_worker_processes', '8');

# manual for a whole database
$node->safe_psql('postgres',
	'ALTER DATABASE shop SET replenish.evaluate = manual');
$node->restart;
$events{shop}++;
order('shop', $events{shop} % 2 ? -980 : 980);
$node->safe_psql('shop', 'SELECT * FROM replenish.status');
sleep 1.5;
is($node->safe_psql('postgres', worker_query('shop')),
	'', 'a database in manual mode has no worker');
is($node->safe_psql('shop', 'SELECT replenish.inbox_waits()'),
	't', 'its orders wait');
is($node->safe_psql('shop', 'SELECT events FROM replenish.tick()'),
	'1', 'for tick()');

# what was told is still known after a crash, though nothing else flushed it
$node->safe_psql('postgres', 'ALTER DATABASE shop RESET replenish.evaluate');
$node->append_conf('postgresql.conf', 'wal_writer_delay = 10s');
$node->restart;
order_and_wait('shop', 'an event before a crash');
my $told = $node->safe_psql('shop',
	'SELECT id FROM replenish.event ORDER BY seq DESC LIMIT 1');
$node->stop('immediate');
$node->start;
is( $node->safe_psql('shop',
		'SELECT id FROM replenish.event ORDER BY seq DESC LIMIT 1'),
	$told, 'is the same event after it');
is( $node->safe_psql('shop', q{
		SELECT count(*) = max(seq) - min(seq) + 1 AND min(seq) = 1
		FROM replenish.event}),
	't', 'no number is missing');
is(quietly('shop', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'all is counted');

$node->stop;
done_testing();
