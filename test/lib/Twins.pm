# The same shop twice in one database, in the schemas watched and twin: the
# first is watched.  What fails in the one and not in the other is our fault.

package Twins;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(make_twins place_orders);

my $shop = q{
	CREATE TABLE sale (id serial PRIMARY KEY, sku text, qty integer,
		status text DEFAULT 'paid', at timestamptz DEFAULT now() - interval '1 hour');
	CREATE TABLE header (id serial PRIMARY KEY, status text DEFAULT 'paid',
		at timestamptz DEFAULT now() - interval '1 hour');
	CREATE TABLE line (id serial, order_id integer
		REFERENCES header ON DELETE CASCADE, sku text, qty integer);
	CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer);
	CREATE TABLE returned (sku text, qty integer,
		at timestamptz DEFAULT now() - interval '1 hour');
	INSERT INTO stock SELECT 'S' || i, 1000 FROM generate_series(1, 20) i;
	INSERT INTO sale (sku, qty) SELECT 'S' || i, i
		FROM generate_series(1, 20) i;
};

# Make both shops, with all that is in the one counted.
sub make_twins
{
	my ($node) = @_;

	$node->safe_psql('postgres', qq{
		SET client_min_messages = error;
		SET replenish.evaluate = manual;
		CREATE EXTENSION replenish;
		CREATE SCHEMA twin;
		SET search_path = twin;
		$shop
		CREATE SCHEMA watched;
		SET search_path = watched;
		$shop
		CREATE TABLE other (sku text, qty integer, at timestamptz, old integer);
		SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at',
			status => 'status', counted => '{paid}');
		SELECT replenish.watch_orders('line', 'sku', 'qty', 'at',
			status => 'status', counted => '{paid}', header => 'header',
			header_key => 'order_id');
		SELECT replenish.watch_orders('returned', 'sku', 'qty', 'at');
		SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
		CALL replenish.repair();
		INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
		SELECT replenish.tick();
	});
	return;
}

# Every form of statement; those of an order that is a transaction are one.
my @orders = (
	single => q{INSERT INTO sale (sku, qty) VALUES ('S1', 1)},
	'multi-row' => q{INSERT INTO sale (sku, qty)
		VALUES ('S1', 1), ('S2', 2), ('S1', 3)},
	select => q{INSERT INTO sale (sku, qty)
		SELECT 'S' || i, i FROM generate_series(1, 20) i},
	copy => "COPY sale (sku, qty) FROM STDIN;\nS1\t2\nS3\t1\n\\.",
	upsert => q{INSERT INTO sale (id, sku, qty) VALUES (1, 'S1', 1)
		ON CONFLICT (id) DO UPDATE SET qty = sale.qty + 1},
	ignored => q{INSERT INTO sale (id, sku, qty) VALUES (1, 'S1', 1)
		ON CONFLICT (id) DO NOTHING},
	merge => q{MERGE INTO sale s USING (VALUES (2, 'S2'), (-1, 'S3')) v (id, sku)
		ON s.id = v.id WHEN MATCHED THEN UPDATE SET qty = s.qty + 1
		WHEN NOT MATCHED THEN INSERT (sku, qty) VALUES (v.sku, 1)},
	correct => q{UPDATE sale SET qty = qty + 1 WHERE id BETWEEN 3 AND 6},
	cancel => q{UPDATE sale SET status = 'cancelled'
		WHERE id = (SELECT max(id) FROM sale)},
	delete => q{DELETE FROM sale
		WHERE id IN (SELECT id FROM sale ORDER BY id DESC LIMIT 30)},
	'header and lines' => q{BEGIN;
		INSERT INTO header DEFAULT VALUES;
		INSERT INTO line (order_id, sku, qty) SELECT max(h.id), 'S1', 1
			FROM header h;
		INSERT INTO line (order_id, sku, qty) SELECT max(h.id), 'S2', 2
			FROM header h;
		COMMIT},
	'written at once' => q{WITH h AS (INSERT INTO header DEFAULT VALUES
			RETURNING id)
		INSERT INTO line (order_id, sku, qty)
		SELECT id, sku, 1 FROM h, (VALUES ('S3'), ('S1'), ('S2')) v (sku)},
	'change of status' => q{UPDATE header SET status = 'cancelled'
		WHERE id = (SELECT max(id) FROM header)},
	cascade => q{DELETE FROM header
		WHERE id = (SELECT min(id) FROM header)},
	'stock of one' => q{UPDATE stock SET on_hand = on_hand - 1
		WHERE sku = 'S1'},
	'stock of all' => q{UPDATE stock SET on_hand = on_hand + 1},
	'stock of a new one' => q{INSERT INTO stock
		SELECT 'N' || count(*), 50 FROM stock},
	'order and stock' => q{BEGIN;
		INSERT INTO sale (sku, qty) VALUES ('S5', 1), ('S4', 1);
		UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'S5';
		SAVEPOINT s;
		UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'S4';
		ROLLBACK TO s;
		COMMIT},
	serializable => q{BEGIN ISOLATION LEVEL SERIALIZABLE;
		INSERT INTO sale (sku, qty)
			SELECT sku, 1 FROM stock WHERE sku IN ('S6', 'S7');
		COMMIT},
	temporary => q{BEGIN;
		CREATE TEMP TABLE basket ON COMMIT DROP AS SELECT 'S8' AS sku, 1 AS qty;
		INSERT INTO sale (sku, qty) TABLE basket;
		DROP TABLE basket;
		COMMIT},
	'return' => q{INSERT INTO returned (sku, qty) VALUES ('S9', 1)},
	truncate => q{TRUNCATE returned},
	record => q{SELECT pg_temp.record('S1')});

# Place all orders in one of the shops and say which failed or warned, and how.
sub place_orders
{
	my ($node, $schema, $settings) = @_;
	my $record = $schema eq 'watched' ?
	  'SELECT replenish.record_demand($1, 1)' : 'SELECT NULL::void';
	my $sql = "SET search_path = $schema; $settings;\n"
	  . 'CREATE FUNCTION pg_temp.record(text) RETURNS void'
	  . " LANGUAGE sql AS '$record';\n";
	my ($out, $err, %failed, %warned);
	my $name = '';

	for (my $i = 0; $i < @orders; $i += 2)
	{
		my $end = $orders[ $i + 1 ] =~ /\\\.$/ ? '' : ';';

		$sql .= "\\warn order: $orders[$i]\n$orders[$i + 1]$end\n";
	}
	$node->psql('postgres', $sql, stdout => \$out, stderr => \$err,
		on_error_stop => 0);
	foreach my $line (split /\n/, $err)
	{
		$name = $1 if $line =~ /^order: (.*)/;
		$failed{$name} //= $1 if $line =~ /(?:ERROR|FATAL|PANIC):\s+(.*)/;
		$warned{$name} //= $1 if $line =~ /WARNING:\s+(.*)/;
	}
	die "not all orders were placed: $err" if $name ne 'record';
	return (\%failed, \%warned);
}

1;
