# What pg_dump writes is enough: state, pending movements, settings, triggers
# and the numbering of events come back.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "replenish.evaluate = 'manual'");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION replenish;
	INSERT INTO replenish.policy (sku, service_level) VALUES ('a', 0.99);
	INSERT INTO replenish.location VALUES ('east', 'America/New_York');
	CREATE TABLE orders (sku text, loc text, qty numeric, at timestamptz);
	CREATE TABLE stock (sku text, loc text, on_hand numeric);
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', location => 'loc');
	SELECT replenish.watch_stock('stock', 'sku', 'on_hand', location => 'loc');
	INSERT INTO stock SELECT s, l, 500
		FROM unnest('{a,b,c}'::text[]) s, unnest('{east,west}'::text[]) l;
	INSERT INTO orders SELECT s, l, 1 + g % 3, now() - g * interval '3 hours'
		FROM generate_series(1, 400) g,
			unnest('{a,b,c}'::text[]) s, unnest('{east,west}'::text[]) l;
	SELECT replenish.tick();
	-- and something that nobody has taken yet
	INSERT INTO orders VALUES ('a', 'east', 7, now()), ('new', 'west', 1, now());
	UPDATE stock SET on_hand = 20 WHERE sku = 'b';
});

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ],
	'dump');
$node->safe_psql('postgres', 'CREATE DATABASE again');
$node->command_ok(
	[
		'psql', '-Xqv', 'ON_ERROR_STOP=1', '-f', $dump, '-d',
		$node->connstr('again')
	],
	'restore without an error');

for my $what (
	'SELECT * FROM replenish.item ORDER BY sku, location',
	'SELECT * FROM replenish.item_demand ORDER BY sku, location, channel',
	'SELECT * FROM replenish.item_stock ORDER BY sku, location',
	# restoring a policy asks for another look at its items: kind t
	q{SELECT * FROM replenish.inbox WHERE kind <> 't'
		ORDER BY sku, location, kind, amount},
	'SELECT * FROM replenish.event ORDER BY seq',
	'SELECT * FROM replenish.policy',
	'SELECT * FROM replenish.location',
	'SELECT * FROM replenish.decider')
{
	is( $node->safe_psql('again', $what),
		$node->safe_psql('postgres', $what), "same: $what");
}
is( $node->safe_psql('again', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'no difference after restore');

$node->safe_psql('again',
	"INSERT INTO orders VALUES ('c', 'west', 5, now()); SELECT replenish.tick()"
);
is( $node->safe_psql('again', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'the restored triggers count');
is( $node->safe_psql(
		'again', 'SELECT count(*) - max(seq) FROM replenish.event'),
	'0', 'the numbering of events goes on');
cmp_ok(
	$node->safe_psql('again', 'SELECT count(*) FROM replenish.event'),
	'>',
	$node->safe_psql('postgres', 'SELECT count(*) FROM replenish.event'),
	'what was pending at the dump is decided after it');

$node->stop;
done_testing();
