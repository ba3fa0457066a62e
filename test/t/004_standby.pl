# A standby answers every reader, decides nothing, and takes over.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "replenish.evaluate = 'worker'");
$primary->start;
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION replenish;
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	CREATE TABLE stock (sku text PRIMARY KEY, on_hand int);
	SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
	INSERT INTO stock VALUES ('a', 1000), ('b', 40);
});
$primary->poll_query_until('postgres',
	'SELECT count(*) = 2 FROM replenish.item');
$primary->wait_for_catchup($standby);

is( $standby->safe_psql(
		'postgres',
		'SELECT sku, tier, on_hand FROM replenish.status ORDER BY sku'),
	"a|normal|1000\nb|red|40",
	'status on the standby');
is( $standby->safe_psql(
		'postgres', 'SELECT sku, to_tier FROM replenish.events_after(0, 10)'),
	'b|red',
	'events on the standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'verify() on the standby');
my ($code, $out, $err) =
  $standby->psql('postgres', 'SELECT replenish.tick()');
isnt($code, 0, 'tick() is refused there');
like($err, qr/recovery|read-only/, 'with a reason');

$primary->stop;
$standby->promote;
$standby->safe_psql('postgres',
	"UPDATE stock SET on_hand = 40 WHERE sku = 'a'");
ok( $standby->poll_query_until(
		'postgres', "SELECT tier = 'red' FROM replenish.item WHERE sku = 'a'"),
	'once promoted, its own worker decides');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'no difference there');
is( $standby->safe_psql(
		'postgres', 'SELECT count(*) - max(seq) FROM replenish.event'),
	'0', 'the numbering of events goes on');

$standby->stop;
done_testing();
