# A crash loses nothing and counts nothing twice, and the worker comes back
# with the first order.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "replenish.evaluate = 'worker'");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION replenish;
	CREATE TABLE orders (sku text, qty int, at timestamptz);
	CREATE TABLE stock (sku text, on_hand int);
	SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
	SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
	INSERT INTO stock SELECT 'item ' || g, 100 FROM generate_series(1, 20) g;
});

# What three sessions write, again and again.
my @scripts;
for my $i (1 .. 3)
{
	push @scripts, $node->basedir . "/writer$i.sql";
	append_to_file(
		$scripts[-1],
		join('',
			map {
				my $sku = 'item ' . (($_ * 7 + $i) % 20 + 1);
				"INSERT INTO orders VALUES ('$sku', $i, now());\n"
				  . "UPDATE stock SET on_hand = on_hand - $i"
				  . " WHERE sku = '$sku';\n"
			} 1 .. 20000));
}

# The server is killed while they write, five times over.
for my $round (1 .. 5)
{
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM orders');
	my @sessions = map {
		my ($out, $err) = ('', '');
		IPC::Run::start(
			[
				'psql', '-XAtq', '-f', $_, '-d', $node->connstr('postgres')
			],
			'>', \$out, '2>', \$err);
	} @scripts;
	# Not before something has been written in this round.
	$node->poll_query_until('postgres',
		"SELECT count(*) > $before + 50 * $round FROM orders");
	$node->stop('immediate');
	eval { $_->finish } for @sessions;
	$node->start;
	is( $node->safe_psql(
			'postgres', 'SELECT count(*) FROM replenish.verify()'),
		'0',
		"no difference after crash $round");
}

ok( $node->poll_query_until(
		'postgres', q{
	SELECT count(*) = 0 FROM replenish.inbox}),
	'the worker is back and takes what was left');
is( $node->safe_psql('postgres', 'SELECT count(*) FROM replenish.verify()'),
	'0', 'no difference after that');
is( $node->safe_psql(
		'postgres', q{
	SELECT count(*) FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS before
		FROM replenish.event) e WHERE seq <> before + 1}),
	'0', 'events are numbered without gaps');

$node->stop;
done_testing();
