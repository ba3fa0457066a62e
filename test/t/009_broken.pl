# Broken is not down: with each of the parts broken that somebody could break,
# orders and stock go in, in their own transactions and in longer ones; other
# items go on being decided; health() says what is wrong, since when and what
# to do; and after the repair verify() finds no difference, or repair() says
# what it has changed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('broken');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
autovacuum = off
max_prepared_transactions = 0
replenish.quiet_start = off
restart_after_crash = on
replenish.evaluate = manual
});
# Before version 17 a queue of notifications holds 8 GB: FULL_QUEUE=1 fills it
# (a minute), and a function that says so stands for it otherwise.
my $short_queue = $node->pg_version >= 17;
$node->append_conf('postgresql.conf', 'max_notify_queue_pages = 64')
  if $short_queue;
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION replenish;
	CREATE ROLE seller LOGIN;
	CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		sku text, qty numeric, at timestamptz DEFAULT now() - interval '5 minutes');
	CREATE TABLE stock (sku text, moved numeric);
	GRANT ALL ON orders, stock TO seller;
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
	SELECT replenish.watch_stock('stock', 'sku', 'moved');
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	INSERT INTO stock VALUES ('A', 1000), ('B', 1000), ('C', 1000);
	SELECT replenish.tick();
});

my $psql_error;

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# What a shop does: orders and stock, alone and in a transaction, as somebody
# who may do no more.  It fails if any statement does.
sub shop
{
	my ($what, $settings) = @_;
	my ($out, $err) = ('', '');
	my $before = $node->safe_psql('postgres',
		'SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM stock)');
	my $rc = $node->psql('postgres', ($settings // '') . q{
			INSERT INTO orders (sku, qty) VALUES ('A', 1), ('B', 2);
			INSERT INTO stock VALUES ('A', -1);
			BEGIN;
			INSERT INTO orders (sku, qty) VALUES ('C', 3);
			SAVEPOINT s;
			UPDATE orders SET qty = qty + 1 WHERE id = (SELECT max(id) FROM orders);
			UPDATE stock SET moved = moved - 1 WHERE moved > 0;
			ROLLBACK TO s;
			UPDATE stock SET moved = moved - 1 WHERE sku = 'B';
			DELETE FROM orders WHERE id = (SELECT min(id) FROM orders);
			COMMIT;},
		extra_params => [ '-U', 'seller' ],
		stdout => \$out,
		stderr => \$err,
		on_error_stop => 1);
	$psql_error = $err;
	my $after = $node->safe_psql('postgres',
		'SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM stock)');
	is("$rc: " . ($after - $before), '0: 3', "orders and stock go in with $what")
	  or diag $err;
	return;
}

# What health() says of something, if it is not content with it: the detail and
# what to do, and whether it says since when where it can.
sub unhealthy
{
	my ($what, $detail, $hint, $name, $since) = @_;
	my $said = sql("SELECT concat_ws('|', detail, hint,
			CASE WHEN since IS NULL THEN 'never'
			WHEN since <= clock_timestamp() THEN 'since then' END)
		FROM replenish.health() WHERE NOT ok AND what ~ '$what'");
	$since //= 'since then';
	like($said, qr/$detail.*\|.*$hint.*\|$since/s, "health() tells of $name");
	return;
}

sub healthy
{
	my ($name) = @_;
	is(sql('SELECT count(*) FROM replenish.verify()'),
		'0', "verify() finds no difference after $name");
	is(sql("SELECT string_agg(what || ': ' || detail, '; ')
			FROM replenish.health() WHERE NOT ok AND what <> 'worker'"),
		'', "health() is content after $name");
	return;
}

# That an item is decided, whatever is wrong with another: its stock moves
# across its threshold, away or back.
sub goes_on
{
	my ($sku, $name) = @_;
	my $tier = sql("INSERT INTO stock SELECT sku,
			CASE tier WHEN 'normal' THEN -10 ELSE 1000 END - on_hand
		FROM replenish.status WHERE sku = '$sku';
		SELECT tier FROM replenish.item WHERE sku = '$sku';
		SET client_min_messages = error;
		SELECT replenish.tick();
		SELECT tier FROM replenish.item WHERE sku = '$sku'");
	like($tier, qr/^(normal\n.*\nred|red\n.*\nnormal)$/s,
		"others are decided with $name");
	return;
}

sub repaired
{
	my ($name) = @_;
	my $err = '';
	$node->psql('postgres', 'CALL replenish.repair()', stderr => \$err,
		on_error_die => 1);
	sql('SELECT replenish.tick()');
	return $err;
}

shop('nothing broken');
sql('SELECT replenish.tick()');
healthy('that');

# In another database somebody keeps the decider waiting from here on.
$node->safe_psql('postgres', 'CREATE DATABASE stuck');
$node->safe_psql('stuck', q{
	CREATE EXTENSION replenish;
	CREATE TABLE orders (sku text, qty numeric, at timestamptz DEFAULT now());
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
	INSERT INTO orders VALUES ('A', 1)});
my $keeper = $node->background_psql('stuck');
$keeper->query_safe('BEGIN; LOCK TABLE replenish.policy IN ACCESS EXCLUSIVE MODE');
my $decider = $node->background_psql('stuck');
$decider->query_until(qr/begins/, "\\echo begins\nSELECT replenish.tick();\n");

#
# The inbox: a table of it is gone, is something else, or somebody's own.
#
for my $way (
	[
		'a table of the inbox renamed',
		'ALTER TABLE replenish.inbox_%s RENAME TO elsewhere',
		'ALTER TABLE replenish.elsewhere RENAME TO inbox_%s'
	],
	[
		'a rule, a check and a trigger on the inbox',
		q{ALTER TABLE replenish.inbox_%s ADD CONSTRAINT none CHECK (false) NOT VALID;
		ALTER TABLE replenish.inbox_%1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
		CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
		CREATE TRIGGER no BEFORE INSERT ON replenish.inbox_%1$s FOR EACH ROW EXECUTE FUNCTION no();
		REVOKE ALL ON replenish.inbox_%1$s FROM PUBLIC, postgres;},
		q{ALTER TABLE replenish.inbox_%s DROP CONSTRAINT none, DISABLE ROW LEVEL SECURITY,
			NO FORCE ROW LEVEL SECURITY;
		DROP FUNCTION no() CASCADE;
		GRANT ALL ON replenish.inbox_%1$s TO postgres;}
	])
{
	my ($name, $break, $mend) = @$way;
	for my $half (qw(even odd))
	{
		sql(sprintf $break, $half);
		shop("$name ($half)");
		unhealthy('^inbox$', "inbox_$half is not", 'Make it what it was', $name)
		  if $name =~ /renamed/;
		goes_on('B', $name);
		goes_on('B', $name);
		sql(sprintf $mend, $half);
		sql('SELECT replenish.tick()');
		healthy("$name ($half)");
	}
}

# all of it at once: what cannot be recorded is known, and is made good
sql(q{ALTER TABLE replenish.inbox_even RENAME TO even;
	ALTER TABLE replenish.inbox_odd RENAME TO odd;
	ALTER TABLE replenish.backlog RENAME TO log});
shop('no inbox at all');
like($psql_error, qr/WARNING:  the inbox of replenish takes nothing now/,
	'whoever orders is warned');
unhealthy('^inbox$', 'inbox_even is not', 'Make it what it was', 'no inbox');
unhealthy('^source public.orders$', 'could not take [1-9]', 'CALL replenish.repair',
	'orders that could not be recorded');
unhealthy('^source public.stock$', 'could not take [1-9]', 'CALL replenish.repair',
	'stock that could not be recorded');
my ($rc) = $node->psql('postgres', q{SELECT replenish.record_demand('A', 1)},
	stderr => \my $recorded);
like($recorded, qr/ERROR:  the inbox of replenish takes nothing now/,
	'a program that keeps no table is told');
sql(q{ALTER TABLE replenish.even RENAME TO inbox_even;
	ALTER TABLE replenish.odd RENAME TO inbox_odd;
	ALTER TABLE replenish.log RENAME TO backlog});
isnt(sql('SELECT count(*) FROM replenish.verify()'),
	'0', 'verify() finds what is missing');
like(repaired(), qr/orders: [1-9][0-9]* differences appended.*stock: [1-9]/s,
	'repair() says what it has changed');
healthy('the repair');

# columns as no order expects them
sql(q{ALTER TABLE replenish.inbox_even RENAME TO even;
	ALTER TABLE replenish.inbox_odd RENAME TO odd;
	CREATE TABLE replenish.inbox_even (LIKE replenish.even);
	CREATE TABLE replenish.inbox_odd (LIKE replenish.odd);
	ALTER TABLE replenish.inbox_even ALTER amount TYPE text;
	ALTER TABLE replenish.inbox_odd DROP summary, DROP channel;});
shop('an inbox of other columns');
goes_on('C', 'an inbox of other columns');
goes_on('C', 'an inbox of other columns');
unhealthy('^inbox$', 'inbox_even is not', 'Make it what it was',
	'an inbox of other columns');
sql(q{DROP TABLE replenish.inbox_even, replenish.inbox_odd;
	ALTER TABLE replenish.even RENAME TO inbox_even;
	ALTER TABLE replenish.odd RENAME TO inbox_odd;});
sql('SELECT replenish.tick()');
healthy('other columns');

# somebody has locked it, and waits for the very order
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE replenish.inbox_even, replenish.inbox_odd, replenish.backlog');
shop('the inbox locked', 'SET lock_timeout = 0; SET statement_timeout = 60000;');
unhealthy('^inbox$', 'It is locked: by process \d+', 'end who locks it',
	'a lock on the inbox');
$holder->query_safe('COMMIT');
like(repaired(), qr/differences appended/, 'what came meanwhile is found');
healthy('the lock');

#
# A schema under another name: there is no inbox to be found.
#
sql('ALTER SCHEMA replenish RENAME TO r');
shop('the schema renamed');
sql('ALTER SCHEMA r RENAME TO replenish');
repaired();
healthy('the schema renamed');

#
# The SQL is of another version than the library.
#
sql(q{UPDATE pg_extension SET extversion = '2.0' WHERE extname = 'replenish'});
shop('another version');
is(sql(q{SELECT concat_ws('|', ok, detail, hint) FROM replenish.health() WHERE what = 'version'}),
	'f|The loaded library is of version 1.1, the SQL is of version 2.0.'
	  . '|ALTER EXTENSION replenish UPDATE; sessions that are older than the new library are to connect again.',
	'health() tells of another version');
sql(q{UPDATE pg_extension SET extversion = '1.1' WHERE extname = 'replenish'});
sql('SELECT replenish.tick()');
healthy('another version');
# a session that has an older library loaded has not all functions
sql(q{UPDATE pg_proc SET prosrc = 'replenish_not_yet'
	WHERE oid = 'replenish.library_version'::regproc});
is(sql(q{SELECT detail FROM replenish.health() WHERE what = 'version'}),
	'The loaded library is an older one, the SQL is of version 1.1.',
	'health() tells of an older library');
sql(q{UPDATE pg_proc SET prosrc = 'replenish_library_version'
	WHERE oid = 'replenish.library_version'::regproc});

# no library: PostgreSQL itself finds no trigger function, and says which
sql(q{UPDATE pg_proc SET probin = '$libdir/replenish_gone'
	WHERE probin = '$libdir/replenish'});
$node->psql('postgres', q{INSERT INTO orders (sku, qty) VALUES ('A', 1)},
	stderr => \my $missing);
# from 18 on the message is without the macro
like($missing, qr/could not access file "(\$libdir\/)?replenish_gone"/,
	'without a library an order fails, and says which file is missing');
# as the README says
sql(q{ALTER TABLE orders DISABLE TRIGGER USER; ALTER TABLE stock DISABLE TRIGGER USER});
shop('no library and the triggers disabled');
sql(q{UPDATE pg_proc SET probin = '$libdir/replenish'
	WHERE probin = '$libdir/replenish_gone'});
unhealthy('^source public.orders$', 'A trigger is missing or disabled',
	'rewatch.*repair', 'the triggers that are disabled');
sql(q{ALTER TABLE orders ENABLE TRIGGER USER; ALTER TABLE stock ENABLE TRIGGER USER;
	SELECT replenish.rewatch('orders'); SELECT replenish.rewatch('stock')});
repaired();
healthy('the library is back');

#
# A policy that cannot be computed with, a summary and stock that are damaged:
# the item stays as it was, and the others are decided.
#
sql(q{CREATE FUNCTION replenish.divided(sku text) RETURNS float8 LANGUAGE sql
		AS 'SELECT CASE WHEN sku = ''A'' THEN 1 / (length(sku) - 1) END';
	CREATE TABLE kept AS SELECT pg_get_functiondef('replenish.resolve_policy(text, text, text)'::regprocedure) AS definition;
	DO $$ BEGIN EXECUTE (SELECT replace(definition, 'i.fixed_threshold, s.fixed_threshold',
		'replenish.divided(resolve_policy.sku), i.fixed_threshold, s.fixed_threshold') FROM kept); END $$});
shop('a policy that divides by zero');
sql(q{INSERT INTO stock VALUES ('A', -5000)});
goes_on('B', 'a policy that divides by zero');
goes_on('C', 'a policy that divides by zero');
is(sql(q{SELECT tier FROM replenish.item WHERE sku = 'A'}),
	'normal', 'its own item keeps its last decision');
is(sql(q{SELECT s.on_hand = (SELECT sum(moved) FROM stock WHERE sku = 'A')
	FROM replenish.status s WHERE sku = 'A'}), 't', 'and its present stock');
unhealthy('^item A at default$', 'division by zero', 'policy', 'the item');
sql(q{DO $$ BEGIN EXECUTE (SELECT definition FROM kept); END $$;
	SELECT replenish.touch('A', NULL); SELECT replenish.tick()});
is(sql(q{SELECT tier FROM replenish.item WHERE sku = 'A'}),
	'red', 'it is decided when the policy is corrected');
sql(q{INSERT INTO stock VALUES ('A', 5000); SELECT replenish.tick();
	DROP FUNCTION replenish.divided(text)});
healthy('the policy');

sql(q{CREATE CAST (bytea AS replenish.demand) WITHOUT FUNCTION;
	UPDATE replenish.item_demand SET demand = '\x0102030405'::bytea::replenish.demand WHERE sku = 'A';
	UPDATE replenish.item_stock SET on_hand = 'NaN' WHERE sku = 'C';
	DROP CAST (bytea AS replenish.demand)});
shop('a damaged summary');
goes_on('B', 'a damaged summary');
goes_on('B', 'a damaged summary');
unhealthy('^item A at default$', 'invalid value of type demand', 'repair', 'the summary');
unhealthy('^item C at default$', 'NaN|must be', 'repair', 'the stock');
isnt(sql('SELECT count(*) FROM replenish.verify()'),
	'0', 'verify() finds what is damaged');
my $said = repaired();
like($said, qr/orders: 1 damaged rows of the state removed.*stock: 1 damaged rows/s,
	'repair() says what it has removed');
healthy('what was damaged');

#
# The decider cannot do anything, or is stuck.
#
sql('ALTER TABLE replenish.event RENAME TO happened');
for my $mode (qw(immediate worker auto))
{
	shop("no table of events, $mode", '');
	$node->safe_psql('postgres', "ALTER SYSTEM SET replenish.evaluate = $mode");
	$node->reload;
	shop("no table of events, $mode");
	$node->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM replenish.failure WHERE what = 'tick'});
	unhealthy('^decider$', 'Nothing is decided: relation "event" does not exist',
		'Correct what', "a decider that fails, $mode");
}
sql('ALTER TABLE replenish.happened RENAME TO event');
shop('a decider that works again');
ok( $node->poll_query_until('postgres',
		q{SELECT NOT EXISTS (SELECT FROM replenish.failure) AND NOT replenish.inbox_waits()}),
	'it catches up by itself');
healthy('a decider that failed');

# somebody keeps it waiting
$holder->query_safe('BEGIN; LOCK TABLE replenish.policy IN ACCESS EXCLUSIVE MODE');
shop('a decider that waits');
ok( $node->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM replenish.deciding() d WHERE cardinality(d.waits_for) > 0}),
	'the worker waits');
my $pid = $holder->query_safe('SELECT pg_backend_pid()');
is(sql('SELECT waits_for[1] FROM replenish.deciding()'),
	$pid, 'and it is known for whom');
shop('a decider that waits');
$holder->query_safe('COMMIT');
ok($node->poll_query_until('postgres', 'SELECT NOT replenish.inbox_waits()'),
	'it catches up when the lock is gone');
healthy('the lock of policies');

#
# A worker that takes the server with it each time it starts.
#
$node->safe_psql('postgres', q{
	ALTER SYSTEM SET replenish.evaluate = manual;
	SELECT pg_reload_conf();
	SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE backend_type = 'replenish worker';
	CREATE FUNCTION replenish.die() RETURNS boolean LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN true; END';
	CREATE TABLE kept_due AS SELECT pg_get_functiondef('replenish.is_due(timestamptz)'::regprocedure) AS definition;
	DO $$ BEGIN EXECUTE (SELECT replace(definition, 'RETURN inbox_waits()',
		'RETURN replenish.die() OR inbox_waits()') FROM kept_due); END $$;
	ALTER SYSTEM SET replenish.evaluate = auto;
	SELECT pg_reload_conf()});
my $began = time;
my $shops = 0;
while (time - $began < 12)
{
	$node->safe_psql('postgres', q{INSERT INTO orders (sku, qty) VALUES ('A', 1)});
	$shops++;
}
my $starts = sql(q{SELECT times FROM replenish.failure WHERE what = 'worker'});
cmp_ok($starts, '>=', 2, 'a worker that dies is started again');
cmp_ok($starts, '<=', 5, "but not by each of $shops orders");
shop('a worker that dies');
unhealthy('^worker$', "It was started $starts times", 'The server', 'the worker that dies');
sql(q{DO $$ BEGIN EXECUTE (SELECT definition FROM kept_due); END $$;
	DELETE FROM replenish.failure WHERE what = 'worker'});
sleep 1.1;
shop('a worker that lives');
ok( $node->poll_query_until('postgres',
		q{SELECT NOT replenish.inbox_waits() AND NOT EXISTS (SELECT FROM replenish.failure)}),
	'it decides when it may live');
healthy('the worker that died');

# what was kept waiting: not a word before half a minute has passed
ok( $node->poll_query_until('stuck',
		q{SELECT count(*) > 0 FROM replenish.health() WHERE what = 'decider'}),
	'health() tells of a decider that is stuck');
my ($since, $waiting, $awaited) = split /\|/, $node->safe_psql('stuck',
	q{SELECT now() - since > '30 seconds', detail, substring(hint from 'SELECT pg_terminate_backend.[0-9]+.')
	FROM replenish.health() WHERE what = 'decider' AND NOT ok});
my $keeper_pid = $keeper->query_safe('SELECT pg_backend_pid()');
is("$since, $awaited", "t, SELECT pg_terminate_backend($keeper_pid)",
	'since when, and what to do');
like($waiting, qr/^Process \d+ has been deciding since then; it waits for process $keeper_pid\.$/,
	'and who waits for whom');
$node->safe_psql('stuck', "SET lock_timeout = '1ms'; INSERT INTO orders VALUES ('A', 1), ('B', 1)");
$node->safe_psql('stuck', $awaited);
is($decider->query('SELECT 1'), "(1,0)\n1", 'it goes on when that is done');
$decider->quit;
eval { $keeper->quit };
ok($node->poll_query_until('stuck', 'SELECT NOT replenish.inbox_waits()'),
	'and what was ordered meanwhile is decided');
# the inbox may be empty a moment before what was in it is decided
ok( $node->poll_query_until('stuck',
		q{SELECT (SELECT count(*) FROM replenish.verify()),
		(SELECT count(*) FROM replenish.item), (SELECT count(*) FROM replenish.health()
			WHERE what IN ('decider', 'inbox') AND NOT ok)}, '0|2|0'),
	'all of it');

# no slot for it: the orders decide
$node->safe_psql('postgres', 'ALTER SYSTEM SET max_worker_processes = 0');
$node->restart;
shop('no slot for the worker');
is(sql('SELECT replenish.inbox_waits()'), 'f', 'without a slot the orders decide');
unhealthy('^worker$', 'None runs', 'max_worker_processes', 'a worker without a slot');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET max_worker_processes});
$node->restart;
shop('slots again');
ok($node->poll_query_until('postgres', 'SELECT replenish.worker_pid() IS NOT NULL'),
	'with a slot the worker is back');
healthy('no slot');

#
# The queue of notifications is full.
#
$node->safe_psql('postgres', 'ALTER SYSTEM SET replenish.evaluate = manual; SELECT pg_reload_conf()');
ok($node->poll_query_until('postgres', 'SELECT replenish.worker_pid() IS NULL'),
	'no worker from here');
my $sleeper;
if ($short_queue || $ENV{FULL_QUEUE})
{
	my $refused = '';
	$sleeper = $node->background_psql('postgres');
	$sleeper->query_safe("LISTEN elsewhere; SET application_name = 'sleeper'; BEGIN");
	$node->psql('postgres', q{DO $$ BEGIN LOOP
			PERFORM pg_notify('elsewhere', repeat('x', 7990) || i)
				FROM generate_series(1, 10) i;
			COMMIT;
		END LOOP; END $$}, stderr => \$refused);
	like($refused, qr/too many notifications/, 'a queue is filled');
	unhealthy('^notification queue$', '% is used', 'pg_stat_activity', 'that', 'never');
}
else
{
	sql(q{CREATE TABLE kept_notify AS SELECT pg_get_functiondef('replenish.can_notify()'::regprocedure) AS definition;
		CREATE OR REPLACE FUNCTION replenish.can_notify() RETURNS boolean LANGUAGE sql AS 'SELECT false'});
}
my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN replenish');
my $last = sql('SELECT max(seq) FROM replenish.event');
shop('a full queue');
goes_on('B', 'a full queue');
goes_on('B', 'a full queue');
# nor does the order that decides announce, or the worker
sql(q{SET replenish.evaluate = immediate;
	INSERT INTO stock SELECT sku, 1000 - on_hand FROM replenish.status WHERE sku = 'B'});
$node->safe_psql('postgres', 'ALTER SYSTEM SET replenish.evaluate = worker; SELECT pg_reload_conf()');
sql(q{SET replenish.evaluate = worker;
	INSERT INTO stock SELECT sku, -10 - on_hand FROM replenish.status WHERE sku = 'B'});
ok($node->poll_query_until('postgres',
		"SELECT count(*) >= 4 FROM replenish.event WHERE seq > $last"),
	'events are recorded');
unhealthy('^notifications$', 'not announced', 'pg_stat_activity', 'the queue');
unlike($listener->query('SELECT 1'), qr/sequence/, 'and none is announced');
if ($sleeper)
{
	# as it says
	sql(q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE application_name = 'sleeper' AND state = 'idle in transaction'});
	eval { $sleeper->quit };
}
else
{
	sql(q{DO $$ BEGIN EXECUTE (SELECT definition FROM kept_notify); END $$});
}
ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (
		SELECT FROM replenish.failure WHERE what = 'notify')}),
	'when there is room, the worker announces it');
my $heard = $listener->query('SELECT 1');
my $heard_all = () = $heard =~ /"sequence" : "0*(\d+)"/g;
is($heard_all, 4, 'all that was not announced') or diag $heard;
healthy('the queue');
$listener->quit;

# commands that are not followed
sql('ALTER EVENT TRIGGER replenish_follow DISABLE');
shop('an event trigger disabled');
is(sql(q{SELECT ok FROM replenish.health() WHERE what = 'event trigger replenish_follow'}),
	'f', 'health() tells of an event trigger');
sql('ALTER EVENT TRIGGER replenish_follow ENABLE ALWAYS; SELECT replenish.tick()');
healthy('the event trigger');

$holder->quit;
$node->stop;
done_testing();
