# A shop under load, and what must be so of it after whatever befell its server.

package BusyShop;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(make_shop start_load quietly sound counted);

my %script = (
	order => q{
\set a random(1, 20)
\set b random(1, 20)
\set n random(1, 1000000)
BEGIN;
INSERT INTO orders (sku, qty, channel) VALUES ('S' || :a, 1, 'show'), ('S' || :b, 2.5, 'shop');
INSERT INTO stock VALUES ('S' || :a, -30), ('S' || :b, 29);
SAVEPOINT s;
UPDATE orders SET qty = qty + 1, sku = 'S' || :b WHERE id IN (SELECT id FROM orders WHERE id % 7 = :n % 7 ORDER BY id DESC LIMIT 1);
DELETE FROM orders WHERE id = (SELECT max(id) - 5 FROM orders);
\if :n % 3 = 0
ROLLBACK TO s;
\endif
COMMIT;
\sleep 2 ms
},
	tick => "SELECT replenish.tick();\n\\sleep 20 ms\n");

# Make the shop, whose every item is on the edge.
sub make_shop
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
		ALTER DATABASE postgres SET replenish.quiet_start = off;
		SET replenish.evaluate = manual;
		CREATE EXTENSION replenish;
		CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			sku text, qty numeric, at timestamptz DEFAULT now(), channel text);
		CREATE TABLE stock (sku text, moved integer);
		SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at',
			channel => 'channel');
		SELECT replenish.watch_stock('stock', 'sku', 'moved');
		INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
		INSERT INTO stock SELECT 'S' || i, 100 FROM generate_series(1, 20) i;
	});
	return;
}

# So many clients do what a script says until the server goes; what they say is
# appended to an array.
sub start_load
{
	my ($node, $what, $clients, $out) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$what.sql";
	my $said = '';

	push @$out, \$said;
	append_to_file($file, $script{$what});
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return IPC::Run::start(
		[
			'pgbench', '-n', '-c', $clients, '-T', '600', '--max-tries', '10',
			'-f', $file, 'postgres'
		],
		'>&', \$said);
}

# Each statement in a session that has no worker started.
sub quietly
{
	my ($node, $sql) = @_;

	return $node->safe_psql('postgres',
		"SET replenish.evaluate = manual; $sql");
}

# What must be so of a server as it is found.
sub sound
{
	my ($node, $what) = @_;

	is(quietly($node, 'SELECT count(*) FROM replenish.verify()'),
		'0', "$what: the recount finds no difference");
	is( quietly($node, q{
			SELECT count(*) = max(seq) AND min(seq) = 1
				AND max(seq) = (SELECT last_seq FROM replenish.decider)
				AND count(DISTINCT id) = count(*)
			FROM replenish.event}),
		't', "$what: events are numbered without gaps");
	is( quietly($node, q{
			SELECT count(*) FROM (
				SELECT from_tier <> lag(to_tier, 1, 'normal')
					OVER (PARTITION BY sku, location ORDER BY seq) AS jumps
				FROM replenish.event) e
			WHERE jumps}),
		'0', "$what: each begins where the one before it ended");
	is( quietly($node, q{
			SELECT count(*) FROM replenish.item i
			WHERE i.tier <> coalesce((SELECT e.to_tier FROM replenish.event e
				WHERE e.sku = i.sku ORDER BY e.seq DESC LIMIT 1), 'normal')}),
		'0', "$what: and the last one says how it is");
	return;
}

# The same when all is decided; and what the tables add up to, by plain sums.
sub counted
{
	my ($node, $what) = @_;

	ok( $node->poll_query_until('postgres',
			'SELECT NOT replenish.inbox_waits()'),
		"$what: all that waited is decided");
	sound($node, "$what, decided");
	is( quietly($node, q{
			SELECT count(*) FROM (
				SELECT sku, sum(qty) AS qty FROM orders GROUP BY sku) o
			FULL JOIN (
				SELECT d.sku, sum(b.units)::numeric AS qty
				FROM replenish.item_demand d,
					replenish.demand_buckets(d.demand) b
				WHERE b.resolution = '1 day' GROUP BY d.sku) c USING (sku)
			WHERE coalesce(o.qty, 0) <> coalesce(c.qty, 0)}),
		'0', "$what: as much is counted as was ordered");
	is( quietly($node, q{
			SELECT count(*) FROM replenish.status s
			FULL JOIN (SELECT sku, sum(moved) AS moved FROM stock
				GROUP BY sku) t ON t.sku = s.sku
			WHERE coalesce(s.on_hand, 0) <> coalesce(t.moved, 0)}),
		'0', "$what: and the stock is what was moved");
	return;
}

1;
