# The worker: decides by itself, sees prepared orders, comes back, and is in
# nobody's way.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
replenish.evaluate = 'worker'
max_prepared_transactions = 5
});
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql(
	'shop', q{
	CREATE EXTENSION replenish;
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	CREATE TABLE stock (sku text PRIMARY KEY, on_hand int);
	SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
	INSERT INTO stock VALUES ('a', 1000), ('b', 1000);
});

my $workers = q{SELECT count(*) FROM pg_stat_activity
	WHERE backend_type = 'replenish worker' AND datname = 'shop'};

# Wait until the item's tier is as given, without ever calling tick().
sub tier_becomes
{
	my ($sku, $tier, $what) = @_;
	ok( $node->poll_query_until(
			'shop',
			"SELECT tier = '$tier' FROM replenish.item WHERE sku = '$sku'"),
		$what);
}

tier_becomes('a', 'normal', 'an item is decided without being asked for');
is($node->safe_psql('postgres', $workers), '1', 'by one worker');
$node->safe_psql('shop', "UPDATE stock SET on_hand = 40 WHERE sku = 'a'");
tier_becomes('a', 'red', 'a commit is noticed');

$node->safe_psql(
	'shop', q{
	BEGIN;
	UPDATE stock SET on_hand = 120 WHERE sku = 'b';
	PREPARE TRANSACTION 'order'});
$node->safe_psql('shop', "COMMIT PREPARED 'order'");
tier_becomes('b', 'yellow', 'so is a prepared one');

# Killed, and the server restarted: back with the first order.
my $pid = $node->safe_psql('postgres', q{
	SELECT pid FROM pg_stat_activity WHERE backend_type = 'replenish worker'});
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
$node->poll_query_until('postgres', "SELECT ($workers) = 0");
$node->safe_psql('shop', "UPDATE stock SET on_hand = 1000 WHERE sku = 'a'");
tier_becomes('a', 'normal', 'back after it was terminated');
$node->restart;
is($node->safe_psql('postgres', $workers), '0', 'not there after a restart');
$node->safe_psql('shop', "UPDATE stock SET on_hand = 90 WHERE sku = 'a'");
tier_becomes('a', 'orange', 'back with the first order');
is($node->safe_psql('postgres', $workers), '1', 'still only one worker');

# In nobody's way.
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE shop');
pass('its database can be a template');
$node->safe_psql('shop', "UPDATE stock SET on_hand = 80 WHERE sku = 'a'");
$node->safe_psql('postgres', 'ALTER DATABASE shop RENAME TO store');
pass('its database can be renamed');
$node->safe_psql('store', "UPDATE stock SET on_hand = 30 WHERE sku = 'a'");
ok( $node->poll_query_until(
		'store', "SELECT tier = 'red' FROM replenish.item WHERE sku = 'a'"),
	'and goes on under its new name');
$node->safe_psql('store', 'DROP EXTENSION replenish CASCADE');
ok( $node->poll_query_until(
		'postgres', q{
	SELECT count(*) = 0 FROM pg_stat_activity
	WHERE backend_type = 'replenish worker'}),
	'it leaves when its extension is dropped');
$node->safe_psql('store', "UPDATE stock SET on_hand = 1 WHERE sku = 'a'");
pass('orders go on without the extension');
$node->safe_psql('copy', "UPDATE stock SET on_hand = 1 WHERE sku = 'a'");
$node->safe_psql('postgres', 'DROP DATABASE copy');
pass('its database can be dropped');

$node->stop;
done_testing();
