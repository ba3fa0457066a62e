# The worker stands in nobody's way: not idle, and not in the middle of a pass
# that would take long.  Its database is moved, copied, renamed and dropped,
# its extension dropped, its server stopped in any way and upgraded; the pass
# is broken off, and what it had taken is decided by the next one.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $items = 30000;
my $node = PostgreSQL::Test::Cluster->new('long_life');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
autovacuum = off
fsync = off
allow_in_place_tablespaces = on
replenish.quiet_start = off
});
$node->start;

# Each statement in a session of its own that has no worker started.
sub quietly
{
	my ($db, $sql) = @_;
	return $node->safe_psql($db, "SET replenish.evaluate = manual; $sql");
}

sub worker_query
{
	my ($db) = @_;
	return "SELECT pid FROM pg_catalog.pg_stat_activity"
	  . " WHERE backend_type = 'replenish worker' AND datname = '$db'";
}

sub make_shop
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	quietly($db, qq{
		CREATE EXTENSION replenish;
		CREATE TABLE stock (sku text, moved integer);
		SELECT replenish.watch_stock('stock', 'sku', 'moved');
		INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
		INSERT INTO stock VALUES ('A', 1000);
		SELECT replenish.tick();
	});
	return;
}

# The worker is in the middle of deciding more items than it can in a moment.
sub keep_busy
{
	my ($db) = @_;
	quietly($db, "INSERT INTO stock SELECT 'sku ' || i, 50"
		  . " FROM generate_series(1, $items) i")
	  if quietly($db, "SELECT count(*) < $items FROM stock") eq 't';
	$node->safe_psql($db, "INSERT INTO stock VALUES ('A', 0)");
	return $node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_catalog.pg_stat_activity"
		  . " WHERE backend_type = 'replenish worker' AND datname = '$db'"
		  . " AND state = 'active' AND xact_start"
		  . " < pg_catalog.clock_timestamp() - interval '0.2 s'");
}

# Nothing of a pass is there before all of it is.
sub is_broken_off
{
	my ($db, $what) = @_;
	is(quietly($db, 'SELECT replenish.inbox_waits(), count(*)'
			  . ' FROM replenish.event'), 't|0', $what);
	return;
}

# an idle one
make_shop('shop');
$node->safe_psql('shop', "INSERT INTO stock VALUES ('A', 1)");
ok($node->poll_query_until('shop', "SELECT count(*) = 1 FROM ("
		  . worker_query('shop') . ') w'), 'a worker lives');
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION ''");
$node->safe_psql('postgres', 'ALTER DATABASE shop SET TABLESPACE elsewhere');
pass('a database with a worker can be moved');
$node->safe_psql('postgres', 'ALTER DATABASE shop SET TABLESPACE pg_default');
# pg_upgrade takes no tablespaces to the same version
$node->safe_psql('postgres', 'DROP TABLESPACE elsewhere');
is(quietly('shop', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'all of it');

# a busy one
make_shop('busy');
ok(keep_busy('busy'), 'a worker is in the middle of a long pass');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE busy');
is_broken_off('copy', 'a database is copied without waiting for its end');
is_broken_off('busy', 'which is rolled back');
ok(keep_busy('busy'), 'the next order starts it again');
$node->safe_psql('postgres', 'ALTER DATABASE busy RENAME TO renamed');
is_broken_off('renamed', 'a database is renamed without waiting for its end');
ok(keep_busy('renamed'), 'the next order starts it again');
$node->safe_psql('postgres', 'DROP DATABASE renamed');
pass('a database can be dropped in the middle of a pass');

# whoever drops the extension has the shop's tables locked while he waits
ok(keep_busy('copy'), 'a worker is in the middle of a long pass');
my $worker = $node->safe_psql('postgres', worker_query('copy'));
$node->safe_psql('copy', 'SET client_min_messages = error; '
	  . 'DROP EXTENSION replenish CASCADE');
is( $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_catalog.pg_stat_activity"
		  . " WHERE pid = $worker"),
	'0', 'the extension can be dropped in the middle of a pass');
$node->safe_psql('copy', "INSERT INTO stock VALUES ('A', 1)");
$node->safe_psql('postgres', 'DROP DATABASE copy');

# behind an old snapshot: an order costs the pass that takes it no more than
# before, however much was taken, decided and deleted since; counted in pages
# and index entries, which does not depend on what else the machine does
make_shop('old');
quietly('old', q{
	CREATE TABLE sale (sku text, qty integer, at timestamptz);
	CREATE TABLE basket (id integer PRIMARY KEY, at timestamptz);
	CREATE TABLE line (basket integer, sku text, qty integer);
	SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at');
	SELECT replenish.watch_orders('line', 'sku', 'qty', 'at',
		header => 'basket', header_key => 'basket');
	CREATE FUNCTION looked_at() RETURNS bigint LANGUAGE sql VOLATILE AS $$
		SELECT sum(pg_stat_get_xact_blocks_fetched(c.oid)
			+ pg_stat_get_xact_tuples_returned(c.oid))::bigint
		FROM pg_class c WHERE c.relnamespace = 'replenish'::regnamespace
			AND c.relkind IN ('r', 'i')
	$$;
	CREATE FUNCTION cost_of_a_pass() RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE
		now timestamptz := clock FROM replenish.decider;
		first bigint := looked_at();
	BEGIN
		PERFORM replenish.is_due(now);
		PERFORM replenish.tick(now);
		RETURN looked_at() - first;
	END $$;
	-- a minute in which much is sold, and what was sold before is cancelled
	CREATE PROCEDURE one_minute(n integer) LANGUAGE plpgsql AS $$
	DECLARE
		now timestamptz := now() + n * interval '1 minute';
	BEGIN
		INSERT INTO sale SELECT 'S' || i % 50, 1, now - i * interval '1 minute'
			FROM generate_series(1, 500) i;
		DELETE FROM line WHERE basket <= (n - 1) * 10;
		DELETE FROM basket WHERE id <= (n - 1) * 10;
		INSERT INTO basket SELECT n * 10 - i, now FROM generate_series(0, 9) i;
		INSERT INTO line SELECT n * 10 - i, 'S' || j, 1
			FROM generate_series(0, 9) i, generate_series(1, 5) j;
		COMMIT;
		PERFORM replenish.tick(now);
		COMMIT;
	END $$;
	CREATE PROCEDURE minutes(first integer, last integer) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN first .. last LOOP
			CALL one_minute(i);
		END LOOP;
	END $$;
	INSERT INTO stock SELECT 'S' || i, 150 FROM generate_series(0, 49) i;
	CALL minutes(1, 10);
});

# what a pass looks at that takes one order of an item that sells seldom
my $session = $node->background_psql('old');
$session->query_safe('SET replenish.evaluate = manual');

sub cost_of_a_pass
{
	my @costs;
	for my $try (1 .. 5)
	{
		$session->query_safe("INSERT INTO sale VALUES ('A', 1, now())");
		push @costs, $session->query_safe('SELECT cost_of_a_pass()');
	}
	return (sort { $a <=> $b } @costs)[2];
}

my $before = cost_of_a_pass();
my $reader = $node->background_psql('old');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $seen = $reader->query_safe('SELECT count(*) FROM replenish.item_demand');
# what a decider knows of its inbox, it knows for itself
$session->query_safe('CALL minutes(11, 110)');
my $behind = cost_of_a_pass();
note "$before pages and entries before, $behind behind an old snapshot";
cmp_ok($behind, '<', 2 * $before,
	'behind an old snapshot a pass looks at little more than before');
is($reader->query_safe('SELECT count(*) FROM replenish.item_demand'),
	$seen, 'which sees what it saw');
$reader->quit;
$session->quit;
is(quietly('old', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'all is counted');

# stopping the server
for my $mode ('fast', 'smart')
{
	ok(keep_busy('shop'), 'a worker is in the middle of a long pass');
	my $begun = time;
	$node->stop($mode);
	note sprintf('%.1f seconds', time - $begun);
	$node->start;
	is_broken_off('shop', "a $mode shutdown does not wait for its end");
}
is(quietly('shop', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'nothing is lost');
ok(keep_busy('shop'), 'the next order starts it again');
ok($node->poll_query_until('shop', "SELECT count(*) = $items"
		  . ' FROM replenish.event'), 'and it comes to its end at last');

# pg_upgrade, here to the same version, looks while the server runs, with a
# worker that lives, and then takes the database with what waits in it
my $new = PostgreSQL::Test::Cluster->new('upgraded');
$new->init;
$new->append_conf('postgresql.conf', 'autovacuum = off');
my $bindir = $node->config_data('--bindir');
my @upgrade = (
	'pg_upgrade', '--no-sync', '--link',
	'-d', $node->data_dir, '-D', $new->data_dir,
	'-b', $ENV{PRIVATE_BINDIR} // $bindir,
	'-B', $ENV{PRIVATE_BINDIR} // $bindir,
	'-s', $new->host, '-p', $node->port, '-P', $new->port);
chdir PostgreSQL::Test::Utils::tempdir();
command_ok([ @upgrade, '--check' ],
	'pg_upgrade --check finds nothing wrong with a worker that lives');
quietly('shop', "INSERT INTO stock VALUES ('A', -980)");
$node->stop;
command_ok(\@upgrade, 'pg_upgrade takes it over');
$new->start;
is( $new->safe_psql('shop', 'SET replenish.evaluate = manual;'
		  . ' SELECT replenish.inbox_waits()'),
	't', 'with what waited');
is( $new->safe_psql('shop', 'SET replenish.evaluate = manual;'
		  . ' SELECT count(*) FROM replenish.verify()'),
	'0', 'all of it');
$new->safe_psql('shop', "INSERT INTO stock VALUES ('A', 0)");
ok($new->poll_query_until('shop', "SELECT tier <> 'normal'"
		  . " FROM replenish.status WHERE sku = 'A'"),
	'and the worker goes on there');
$new->stop;

done_testing();
