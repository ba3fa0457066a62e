# A streaming standby answers whoever reads, tells writers clearly that it is
# one, and after promotion decides by itself from where the primary was.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', 'replenish.quiet_start = off');
$primary->start;
$primary->safe_psql('postgres', q{
	SET replenish.evaluate = manual;
	CREATE EXTENSION replenish;
	CREATE TABLE orders (sku text, qty integer,
		at timestamptz DEFAULT now());
	CREATE TABLE stock (sku text, moved integer);
	CREATE TABLE more (sku text, qty integer, at timestamptz);
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
	SELECT replenish.watch_stock('stock', 'sku', 'moved');
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	INSERT INTO stock VALUES ('A', 1000), ('B', 1000);
	INSERT INTO orders SELECT 'A', 1, now() - i * interval '1 hour'
		FROM generate_series(1, 100) i;
	SELECT replenish.tick();
	INSERT INTO stock VALUES ('A', -980);
	SELECT replenish.tick();
});
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;

# what waits in the inbox reaches the standby as well
$primary->safe_psql('postgres', q{
	SET replenish.evaluate = manual;
	INSERT INTO stock VALUES ('B', -920);
	INSERT INTO orders VALUES ('B', 920);
});
$primary->wait_for_catchup($standby, 'replay',
	$primary->lsn('insert'));

# reading
sub both
{
	my ($sql, $what) = @_;
	my $answer = $primary->safe_psql('postgres',
		"SET replenish.evaluate = manual; $sql");
	isnt($answer, '', "$what: the primary answers");
	is($standby->safe_psql('postgres', $sql), $answer, "$what: so does the standby");
	return;
}

both('SELECT * FROM replenish.status ORDER BY sku', 'status');
both('SELECT * FROM replenish.sku_status ORDER BY sku', 'sku_status');
both('SELECT * FROM replenish.watched ORDER BY id', 'watched');
both('SELECT * FROM replenish.events_after(0)', 'events_after()');
both('SELECT count(*) FROM replenish.verify()', 'verify()');
both("SELECT name, value FROM replenish.explain('A')
	WHERE name IN ('available', 'threshold', 'tier', 'reorder_qty')
	ORDER BY step", 'explain()');
is( $standby->safe_psql('postgres', q{
		SELECT available FROM replenish.status WHERE sku = 'B'}),
	'80', 'what waits is in the quantities');
is( $standby->safe_psql('postgres', q{
		SELECT ok, detail FROM replenish.health() WHERE what = 'worker'}),
	't|A standby has none.', 'health() misses no worker there');
is($standby->safe_psql('postgres', 'SELECT replenish.worker_pid() IS NULL'),
	't', 'there is none');

# writing
foreach my $call (
	'SELECT replenish.tick()',
	"SELECT replenish.record_demand('A', 1)",
	"SELECT replenish.watch_orders('more', 'sku', 'qty', 'at')",
	"SELECT replenish.unwatch('orders')",
	'CALL replenish.repair()',
	"CALL replenish.backfill('orders')")
{
	my ($rc, $out, $err) = $standby->psql('postgres', $call);
	isnt($rc, 0, "$call is refused");
	like($err, qr/ERROR:  cannot .* (?:during recovery|in a read-only transaction)/, 'with a clear message');
}

# promotion
$primary->stop('immediate');
$standby->promote;
$standby->safe_psql('postgres', 'SELECT * FROM replenish.status');
ok( $standby->poll_query_until('postgres', q{
		SELECT count(*) = 2 AND max(seq) = 2 FROM replenish.event}),
	'after promotion the first session starts the worker');
is( $standby->safe_psql('postgres',
		"SELECT sku, from_tier, to_tier FROM replenish.events_after(1)"),
	'B|normal|orange', 'which decides what the primary had not');
$standby->safe_psql('postgres', q{
	INSERT INTO orders VALUES ('A', 5);
	INSERT INTO stock VALUES ('A', 980);
});
ok( $standby->poll_query_until('postgres', q{
		SELECT count(*) = 3 AND max(seq) = 3 FROM replenish.event}),
	'new orders are decided');
is( $standby->safe_psql('postgres', q{
		SET replenish.evaluate = manual;
		SELECT count(*) FROM replenish.verify()}),
	'0', 'the recount agrees');

$standby->stop;
done_testing();
