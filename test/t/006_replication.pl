# Watched tables of a logical-replication subscriber: the initial copy and all
# that is applied afterwards count once each, in partitions too, whoever
# decides; and so does what the subscriber's own sessions write.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $shop = PostgreSQL::Test::Cluster->new('shop');
$shop->init(allows_streaming => 'logical');
$shop->start;
my $head = PostgreSQL::Test::Cluster->new('head_office');
$head->init(allows_streaming => 'logical');
$head->start;

my $tables = q{
	CREATE TABLE orders (id integer PRIMARY KEY, at timestamptz, status text);
	CREATE TABLE lines (id integer, sku text, order_id integer, qty numeric,
		PRIMARY KEY (id, sku)) PARTITION BY LIST (sku);
	CREATE TABLE lines_a PARTITION OF lines FOR VALUES IN ('A');
	CREATE TABLE lines_rest PARTITION OF lines DEFAULT;
	CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer);
};
$shop->safe_psql('postgres', $tables);
$head->safe_psql('postgres', $tables);
$shop->safe_psql('postgres', q{
	INSERT INTO orders SELECT i, now() - i * interval '1 hour', 'paid'
		FROM generate_series(1, 20) i;
	INSERT INTO lines SELECT i, CASE WHEN i % 2 = 0 THEN 'A' ELSE 'B' END,
		1 + i / 2, i FROM generate_series(1, 40) i;
	INSERT INTO stock VALUES ('A', 1000), ('B', 1000);
	CREATE PUBLICATION all_of_it FOR ALL TABLES;
});
$head->safe_psql('postgres', q{
	ALTER DATABASE postgres SET replenish.evaluate = manual;
	CREATE EXTENSION replenish;
});
$head->safe_psql('postgres', q{
	SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at',
		status => 'status', counted => '{paid}', header => 'orders',
		header_key => 'order_id');
	SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
	INSERT INTO replenish.policy (fixed_threshold) VALUES (1);
});
my $connection = $shop->connstr . ' dbname=postgres';
$head->safe_psql('postgres',
	"CREATE SUBSCRIPTION here CONNECTION '$connection' PUBLICATION all_of_it");
$head->wait_for_subscription_sync($shop, 'here');

# The subscriber's demand and stock are the shop's, and a recount agrees.
sub counted
{
	my ($what) = @_;
	my $units = q{
		SELECT l.sku, trim_scale(sum(l.qty)) FROM lines l
		JOIN orders o ON o.id = l.order_id AND o.status = 'paid'
		GROUP BY 1 HAVING sum(l.qty) <> 0 ORDER BY 1};
	my $on_hand = 'SELECT sku, sum(on_hand) FROM stock GROUP BY 1 ORDER BY 1';

	$shop->wait_for_catchup('here');
	is($head->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
		'0', "$what: the recount agrees with what waits");
	$head->safe_psql('postgres', 'SELECT replenish.tick()');
	is($head->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
		'0', "$what: and with what is decided");
	is( $head->safe_psql('postgres', q{
			SELECT d.sku, sum(b.units) FROM replenish.item_demand d,
				replenish.demand_buckets(d.demand) b
			WHERE b.resolution = '7 days' GROUP BY 1
			HAVING sum(b.units) <> 0 ORDER BY 1}),
		$shop->safe_psql('postgres', $units),
		"$what: as many units as in the shop");
	is( $head->safe_psql('postgres', q{
			SELECT sku, on_hand FROM replenish.item
			WHERE sku IN (SELECT sku FROM stock) ORDER BY 1}),
		$shop->safe_psql('postgres', $on_hand), "$what: and as much stock");
	return;
}

isnt( $head->safe_psql('postgres', 'SELECT count(*) FROM replenish.inbox'),
	'0', 'the initial copy was seen');
counted('the initial copy');

$shop->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO orders VALUES (100, now(), 'new');
	INSERT INTO lines VALUES (100, 'A', 100, 7), (101, 'C', 100, 2.5);
	UPDATE stock SET on_hand = on_hand - 7 WHERE sku = 'A';
	COMMIT;
	UPDATE orders SET status = 'paid' WHERE id = 100;
	UPDATE lines SET qty = qty + 1;
	UPDATE lines SET sku = 'C' WHERE id = 100;
	DELETE FROM lines WHERE id = 2;
	DELETE FROM orders WHERE id = 3;
	DELETE FROM stock WHERE sku = 'B';
	INSERT INTO stock VALUES ('B', 5);
});
counted('what is applied');

$head->safe_psql('postgres', q{
	UPDATE orders SET status = 'cancelled' WHERE id = 5;
	INSERT INTO lines_a VALUES (1000, 'A', 6, 3);
});
is($head->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'what is written here is counted as well');
$shop->safe_psql('postgres', q{
	UPDATE orders SET status = 'cancelled' WHERE id = 5;
	INSERT INTO lines_a VALUES (1001, 'A', 6, 3);
});
$head->safe_psql('postgres', 'DELETE FROM lines WHERE id = 1000');
counted('both at once');

# a partition that comes, and one that is emptied, on both sides
$head->safe_psql('postgres', $_) foreach (
	q{CREATE TABLE lines_d PARTITION OF lines FOR VALUES IN ('D')});
$shop->safe_psql('postgres',
	q{CREATE TABLE lines_d PARTITION OF lines FOR VALUES IN ('D')});
$head->safe_psql('postgres', 'ALTER SUBSCRIPTION here REFRESH PUBLICATION');
$head->wait_for_subscription_sync($shop, 'here');
$shop->safe_psql('postgres', q{
	INSERT INTO lines VALUES (200, 'D', 6, 9);
	TRUNCATE lines_rest, stock;
	INSERT INTO stock VALUES ('A', 3);
});
counted('TRUNCATE and a new partition');

# through the root, as a publisher may choose, and decided by what is applied
$shop->safe_psql('postgres',
	'ALTER PUBLICATION all_of_it SET (publish_via_partition_root = true)');
$head->safe_psql('postgres', q{
	ALTER SUBSCRIPTION here REFRESH PUBLICATION WITH (copy_data = false)});
$head->safe_psql('postgres',
	'ALTER DATABASE postgres SET replenish.evaluate = immediate');
$head->safe_psql('postgres', 'ALTER SUBSCRIPTION here DISABLE');
ok( $head->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM pg_stat_activity
		WHERE backend_type LIKE 'logical replication%worker'}),
	'the apply worker ends');
$head->safe_psql('postgres', 'ALTER SUBSCRIPTION here ENABLE');
$shop->safe_psql('postgres', q{
	INSERT INTO lines VALUES (300, 'A', 6, 1), (301, 'E', 6, 1);
	UPDATE lines SET qty = 2 WHERE id >= 300;
	UPDATE stock SET on_hand = 2;
});
$shop->wait_for_catchup('here');
is($head->safe_psql('postgres', 'SELECT replenish.inbox_waits()'),
	'f', 'what is applied is decided at once in immediate mode');
counted('through the root');
my $log = slurp_file($head->logfile);
# a row trigger on a part leaks a reference to it, whoever's it is, which from 17
# on is said in other words
unlike($log, qr/ERROR:|WARNING:(?!  relcache reference leak|  resource was not closed: relation)/,
	'the subscriber has nothing to complain of');

$head->stop;
$shop->stop;
done_testing();
