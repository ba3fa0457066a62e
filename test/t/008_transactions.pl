# Orders in every kind of transaction: functions, procedures that commit,
# savepoints, cursors, prepared statements, parallel plans, triggers of the
# shop's own, two-phase commit and all isolation levels.  In the watched shop
# nothing fails that does not fail in its twin, and what is counted is what a
# plain sum says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Twins;

my $node = PostgreSQL::Test::Cluster->new('transactions');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
autovacuum = off
max_prepared_transactions = 10
replenish.quiet_start = off
});
$node->start;
make_twins($node);

# What the shop has of its own.
my $own = q{
	CREATE FUNCTION place(sku text, qty integer) RETURNS integer
		LANGUAGE plpgsql AS $$
	DECLARE
		n integer;
	BEGIN
		INSERT INTO header DEFAULT VALUES RETURNING id INTO n;
		INSERT INTO line (order_id, sku, qty) VALUES (n, sku, qty);
		UPDATE stock SET on_hand = on_hand - qty WHERE stock.sku = place.sku;
		RETURN n;
	END $$;
	CREATE FUNCTION place_sql(sku text, qty integer) RETURNS void
		LANGUAGE sql AS 'INSERT INTO sale (sku, qty) VALUES ($1, $2),
			($1, $2); UPDATE sale SET qty = qty + 1 WHERE sku = $1';
	CREATE PROCEDURE place_all(n integer) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM place('S' || i, i);
			IF i % 3 = 0 THEN
				ROLLBACK;
			ELSE
				COMMIT;
			END IF;
		END LOOP;
	END $$;
	CREATE FUNCTION biggest() RETURNS TABLE (sku text, qty integer)
		LANGUAGE plpgsql AS $$
	BEGIN
		RETURN QUERY SELECT p.sku, max(p.qty) FROM past p GROUP BY p.sku;
	END $$;
	CREATE TABLE past (sku text, qty integer) WITH (parallel_workers = 2);
	INSERT INTO past SELECT 'S' || i % 20, i % 7 FROM generate_series(1, 5000) i;
	CREATE VIEW cheap AS SELECT id, sku, qty FROM sale;
	-- triggers of the shop's, before and after ours by their names
	CREATE TABLE gift (sku text, qty integer);
	CREATE FUNCTION give() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO sale (sku, qty) VALUES (NEW.sku, 1);
		RETURN NEW;
	END $$;
	CREATE TRIGGER give AFTER INSERT ON gift FOR EACH ROW
		EXECUTE FUNCTION give();
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON gift
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION give();
	CREATE FUNCTION round_up() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		NEW.qty := NEW.qty + NEW.qty % 2;
		RETURN CASE WHEN NEW.qty < 100 THEN NEW END;
	END $$;
	CREATE TRIGGER aaa BEFORE INSERT OR UPDATE ON returned FOR EACH ROW
		EXECUTE FUNCTION round_up();
	CREATE FUNCTION replace() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF pg_trigger_depth() = 1 THEN
			INSERT INTO returned (sku, qty) VALUES ('S19', 2);
			UPDATE returned SET qty = 4 WHERE sku = 'S19';
		END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER aab AFTER INSERT ON returned EXECUTE FUNCTION replace();
	CREATE TRIGGER zzz AFTER INSERT ON returned EXECUTE FUNCTION replace();
};
foreach my $shop (qw(twin watched))
{
	(my $sql = $own) =~ s/(LANGUAGE)/SET search_path = $shop $1/g;
	# a procedure that commits may have no setting
	$sql =~ s/(place_all\(n integer\)) SET search_path = \w+/$1/;
	$node->safe_psql('postgres', "SET search_path = $shop; $sql");
}

my $parallel = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; };
my @transactions = (
	functions => q{SELECT place('S1', 3), place_sql('S2', 2);
		SELECT place(sku, 1) FROM stock WHERE sku < 'S15'},
	procedure => 'CALL place_all(10)',
	'DO' => q{DO $$ BEGIN
			FOR i IN 1 .. 3 LOOP
				PERFORM place('S4', i);
				COMMIT;
				INSERT INTO sale (sku, qty) VALUES ('S4', i);
				ROLLBACK;
			END LOOP;
		END $$},
	savepoints => q{BEGIN; INSERT INTO sale (sku, qty) VALUES ('S5', 1);
		SAVEPOINT a; INSERT INTO sale (sku, qty) VALUES ('S5', 10);
		SAVEPOINT b; UPDATE sale SET qty = qty + 1 WHERE sku = 'S5';
		ROLLBACK TO b; DELETE FROM sale WHERE sku = 'S5' AND qty = 10;
		RELEASE a; SAVEPOINT c; TRUNCATE sale; ROLLBACK TO c; COMMIT;
		BEGIN; SAVEPOINT a; INSERT INTO sale (sku, qty) VALUES ('S5', 7);
		ROLLBACK TO a; COMMIT},
	'many subtransactions' => q{DO $$ BEGIN
			FOR i IN 1 .. 100 LOOP
				BEGIN
					INSERT INTO sale (sku, qty) VALUES ('S6', i);
					IF i % 3 = 0 THEN
						PERFORM 1 / 0;
					END IF;
				EXCEPTION WHEN division_by_zero THEN
					INSERT INTO sale (sku, qty) VALUES ('S6', -1);
				END;
			END LOOP;
		END $$},
	cursors => q{BEGIN; DECLARE c CURSOR FOR SELECT * FROM sale
			WHERE sku = 'S6' ORDER BY id FOR UPDATE;
		FETCH 2 FROM c; UPDATE sale SET qty = qty + 5 WHERE CURRENT OF c;
		FETCH 1 FROM c; DELETE FROM sale WHERE CURRENT OF c;
		DECLARE held CURSOR WITH HOLD FOR SELECT sku, qty FROM sale; COMMIT;
		FETCH 3 FROM held; INSERT INTO sale (sku, qty) VALUES ('S6', 1);
		DO $$ DECLARE
			c CURSOR FOR SELECT * FROM sale WHERE sku = 'S6' FOR UPDATE;
		BEGIN
			FOR r IN c LOOP
				UPDATE sale SET qty = r.qty + 1 WHERE CURRENT OF c;
			END LOOP;
		END $$},
	prepared => q{PREPARE new AS INSERT INTO sale (sku, qty) VALUES ($1, $2);
		PREPARE more AS UPDATE sale SET qty = qty + $2 WHERE sku = $1;
		SET plan_cache_mode = force_generic_plan;
		EXECUTE new ('S7', 1); EXECUTE more ('S7', 2); EXECUTE new ('S8', 1);
		SET plan_cache_mode = force_custom_plan;
		EXECUTE new ('S7', 1); EXECUTE more ('S7', 2); EXECUTE new ('S8', 1)},
	parallel => $parallel . q{INSERT INTO sale (sku, qty) SELECT * FROM biggest();
		INSERT INTO sale (sku, qty) SELECT sku, count(*) FROM past GROUP BY sku;
		CREATE TEMP TABLE basket AS SELECT sku, sum(qty) AS qty FROM past
			GROUP BY sku;
		INSERT INTO sale (sku, qty) TABLE basket;
		DO $$ DECLARE r record; BEGIN
			FOR r IN SELECT sku, max(qty) AS qty FROM past GROUP BY sku LOOP
				INSERT INTO sale (sku, qty) VALUES (r.sku, r.qty);
			END LOOP;
		END $$},
	'writing in WITH' => q{WITH new AS (INSERT INTO sale (sku, qty)
			VALUES ('S9', 4), ('S10', 5) RETURNING *),
		old AS (DELETE FROM sale WHERE sku = 'S8' RETURNING *),
		more AS (UPDATE sale SET qty = qty + 1 WHERE sku = 'S7' RETURNING *)
		INSERT INTO returned (sku, qty)
		SELECT sku, -qty FROM new UNION ALL SELECT sku, -qty FROM old
		UNION ALL SELECT sku, -1 FROM more},
	'a view' => q{INSERT INTO cheap (sku, qty) VALUES ('S11', 1);
		UPDATE cheap SET qty = 3 WHERE sku = 'S11'},
	'triggers' => q{INSERT INTO returned (sku, qty)
			VALUES ('S12', 3), ('S12', 1000);
		UPDATE returned SET qty = 7 WHERE sku = 'S12'},
	'deferred triggers' => q{INSERT INTO gift VALUES ('S13', 1);
		BEGIN; INSERT INTO gift VALUES ('S13', 1), ('S14', 1);
		SET CONSTRAINTS late IMMEDIATE; INSERT INTO gift VALUES ('S13', 1);
		SAVEPOINT a; INSERT INTO gift VALUES ('S13', 1); ROLLBACK TO a; COMMIT;
		BEGIN; INSERT INTO gift VALUES ('S13', 1); ROLLBACK},
	'a chain' => q{BEGIN; INSERT INTO sale (sku, qty) VALUES ('S15', 1);
		COMMIT AND CHAIN; INSERT INTO sale (sku, qty) VALUES ('S15', 2);
		ROLLBACK AND CHAIN; INSERT INTO sale (sku, qty) VALUES ('S15', 4);
		NOTIFY other; COMMIT},
	'a pipeline' => q{INSERT INTO sale (sku, qty) VALUES ('S16', 1) \; INSERT
			INTO sale (sku, qty) VALUES ('S16', 2) \; UPDATE sale SET qty = 5
			WHERE sku = 'S16'},
	frozen => "BEGIN; TRUNCATE returned;\n"
	  . "COPY returned (sku, qty) FROM STDIN (FREEZE);\nS17\t4\nS18\t6\n\\.\n"
	  . 'COMMIT',
	'repeatable read' => q{BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT place('S19', 2); SAVEPOINT a; SELECT place('S19', 2);
		ROLLBACK TO a; TRUNCATE returned; COMMIT},
	serializable => q{SET default_transaction_isolation = serializable;
		SELECT place('S20', 2); CALL place_all(4);
		BEGIN; UPDATE sale SET qty = qty + 1 WHERE sku = 'S16'; TRUNCATE returned;
		INSERT INTO returned (sku, qty) VALUES ('S20', 2); COMMIT});

# What is counted is what a plain sum says, in both shops.
my $sums = q{SELECT sku, sum(qty) FROM (
		SELECT sku, qty FROM SHOP.sale WHERE status = 'paid'
		UNION ALL SELECT sku, qty FROM SHOP.returned
		UNION ALL SELECT l.sku, l.qty FROM SHOP.line l
			JOIN SHOP.header h ON h.id = l.order_id WHERE h.status = 'paid') d
	GROUP BY sku HAVING sum(qty) <> 0 ORDER BY sku COLLATE "C"};
my $on_hand = q{SELECT sku, on_hand FROM SHOP.stock ORDER BY sku COLLATE "C"};

sub in_shop
{
	my ($shop, $sql) = @_;
	$sql =~ s/SHOP/$shop/g;
	return $node->safe_psql('postgres', $sql);
}

sub compare
{
	my ($mode, $what) = @_;

	is(in_shop('watched', $sums), in_shop('twin', $sums),
		"$mode, $what: the same orders went in to both shops");
	is(in_shop('watched', 'SELECT count(*) FROM replenish.verify()'),
		'0', "$mode, $what: all is counted");
	in_shop('watched', 'SELECT replenish.tick()') if $mode ne 'auto';
	$node->poll_query_until('postgres', 'SELECT NOT replenish.inbox_waits()')
	  or die 'the inbox is never empty';
	is( in_shop('watched', q{
			SELECT d.sku, trim_scale(sum(b.units)::numeric)
			FROM replenish.item_demand d,
				replenish.demand_buckets(d.demand) b
			WHERE b.resolution = '7 days' GROUP BY d.sku
			HAVING sum(b.units) <> 0 ORDER BY d.sku}),
		in_shop('watched', $sums), "$mode, $what: the sums are right");
	is( in_shop('watched', q{SELECT sku, on_hand FROM replenish.item
			WHERE sku IN (SELECT sku FROM watched.stock) ORDER BY sku}),
		in_shop('watched', $on_hand), "$mode, $what: and so is the stock");
	return;
}

sub evaluate
{
	my ($mode) = @_;
	in_shop('', "ALTER DATABASE postgres SET replenish.evaluate = $mode");
	return;
}

is( $node->safe_psql('postgres',
		"$parallel EXPLAIN SELECT sku, max(qty) FROM watched.past GROUP BY sku")
	  =~ /Gather/, 1, 'there are parallel plans');
foreach my $mode (qw(manual immediate auto))
{
	evaluate($mode);
	foreach my $shop (qw(twin watched))
	{
		my ($out, $err);
		my $sql = join '', map { "$transactions[$_];\n\\c\n"
			  . "SET search_path = $shop;\n" }
		  grep { $_ % 2 } 0 .. $#transactions;
		$node->psql('postgres', "SET search_path = $shop;\n$sql",
			stdout => \$out, stderr => \$err, on_error_stop => 0);
		is($err, '', "$mode, $shop: nothing fails or warns");
	}
	compare($mode, 'all kinds of transactions');
}

# Prepared orders.  The worker, which no commit wakes here, hears of them.
sub prepare
{
	my ($shop, $name, $more, $sku) = @_;
	return in_shop($shop, qq{SET search_path = SHOP; BEGIN;
		SELECT place('$sku', 2); SAVEPOINT a; SELECT place('S2', 1);
		ROLLBACK TO a; INSERT INTO sale (sku, qty) VALUES ('S2', 9);
		$more; PREPARE TRANSACTION 'SHOP $name'});
}

sub prepare_both
{
	my ($name, $more, $sku) = @_;
	prepare($_, $name, $more // '', $sku // 'S1') foreach qw(twin watched);
	return;
}

sub finish_both
{
	my ($how, $name) = @_;
	in_shop($_, "$how PREPARED 'SHOP $name'") foreach qw(twin watched);
	return;
}

prepare_both('one');
compare('auto', 'an order that is prepared');
finish_both('COMMIT', 'one');
compare('auto', 'one that is committed by another session');
prepare_both('two', 'TRUNCATE returned');
finish_both('ROLLBACK', 'two');
compare('auto', 'one that is rolled back');

# over a restart, after which nobody has come yet whom the worker would serve
prepare_both('three', 'TRUNCATE returned');
$node->restart;
finish_both('COMMIT', 'three');
is(in_shop('', 'SELECT count(*) > 0 FROM replenish.inbox'),
	't', 'after a restart it waits');
is( in_shop('', q{SELECT s.available = t.on_hand FROM replenish.status s
		JOIN watched.stock t USING (sku) WHERE sku = 'S1'}),
	't', 'for the first who reads, and reads it');
compare('auto', 'an order that was prepared before a restart');

# over a crash, with a worker that comes back with the first connection
in_shop('', 'ALTER DATABASE postgres SET session_preload_libraries = replenish');
prepare_both('four');
prepare_both('five', '', 'S3');
$node->stop('immediate');
$node->start;
finish_both('ROLLBACK', 'four');
finish_both('COMMIT', 'five');
ok( $node->poll_query_until('postgres',
		'SELECT count(*) = 0 FROM replenish.inbox'),
	'after a crash the first connection brings the worker back');
compare('auto', 'orders that were prepared before a crash');

# Pairs of orders in every order of their steps.  Each reads what the other
# writes, and both want the same stock, with reports and recounts beside the
# watched ones that the twins do not have.
my %session =
  map { $_ => $node->background_psql('postgres', on_error_stop => 0) }
  qw(twin1 twin2 watched1 watched2 report);
$_->set_query_timer_restart() foreach values %session;
foreach my $name (grep { /\d/ } keys %session)
{
	(my $shop = $name) =~ s/\d//;
	$session{$name}->query_safe("SET search_path = $shop; SET lock_timeout = 1");
}

# Run one step and return its error.
sub step
{
	my ($name, $sql) = @_;
	my $session = $session{$name};

	$session->{stderr} = '';
	$session->query($sql);
	return $session->{stderr} =~ /(ERROR: .*)/ ? $1 : 'ok';
}

sub interleave
{
	my ($left, $right) = @_;
	return '1' x $left . '2' x $right if $left == 0 || $right == 0;
	return (map({ "1$_" } interleave($left - 1, $right)),
		map({ "2$_" } interleave($left, $right - 1)));
}

my $failures = 0;
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	foreach my $order (interleave(3, 3))
	{
		my %steps = map {
			my $other = 3 - $_;
			$_ => [
				"BEGIN ISOLATION LEVEL $level;"
				  . " SELECT sum(qty) FROM sale WHERE sku = 'S$other'",
				"INSERT INTO sale (sku, qty) VALUES ('S$_', 1);"
				  . " UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'S"
				  . ($level eq 'SERIALIZABLE' ? $_ : 1) . "'",
				'COMMIT' ]
		} 1, 2;
		my (@twin, @watched);
		my $n = 0;

		foreach my $who (split //, $order)
		{
			my $sql = shift @{ $steps{$who} };

			push @twin, step("twin$who", $sql);
			push @watched, step("watched$who", $sql);
			$session{report}->query_safe(q{
				BEGIN ISOLATION LEVEL SERIALIZABLE;
				SELECT count(*) FROM replenish.status;
				SELECT count(*) FROM replenish.explain('S1');
				SELECT count(*) FROM replenish.verify()})
			  if ++$n == 2;
		}
		$session{report}->query_safe('COMMIT');
		is_deeply(\@watched, \@twin, "$level, $order: as without us");
		$failures += grep { /serialize/ } @twin;
	}
}
cmp_ok($failures, '>', 10, 'they do get into each other\'s way');
$_->quit foreach values %session;
compare('auto', 'pairs of orders');

$node->stop;
done_testing();
