# A client that LISTENs hears each change of tier, in the worker's mode and in
# immediate mode, as a small JSON object; many changes at once are a single
# notification; what is rolled back is never heard of.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('listen');
$node->init;
$node->append_conf('postgresql.conf', 'replenish.quiet_start = off');
$node->start;
$node->safe_psql('postgres', q{
	SET replenish.evaluate = manual;
	CREATE EXTENSION replenish;
	CREATE TABLE stock (sku text, place text, moved integer);
	SELECT replenish.watch_stock('stock', 'sku', 'moved', location => 'place');
	INSERT INTO replenish.policy (fixed_threshold) VALUES (100);
	INSERT INTO stock VALUES ('A', NULL, 1000);
	SELECT replenish.tick();
});

my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN replenish');

# Wait until so many notifications have come, and return them in order.
sub hear
{
	my ($n) = @_;
	my @heard;
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;
	while (@heard < $n && time < $until)
	{
		my $out = $listener->query("SELECT 'tick'");
		push @heard, $1
		  while $out =~
		  /^Asynchronous notification "replenish" with payload "(.*)" received/mg;
		sleep 0.02 if @heard < $n;
	}
	return @heard;
}

sub order
{
	my ($mode, $sql) = @_;
	$node->safe_psql('postgres', "SET replenish.evaluate = $mode; $sql");
	return;
}

# the worker's mode
my $begun = time;
order('worker', "INSERT INTO stock VALUES ('A', NULL, -980)");
my @heard = hear(1);
note sprintf '%.0f ms', (time - $begun) * 1000;
is(scalar @heard, 1, 'worker: one change, one notification');
my $message = eval { decode_json($heard[0]) };
ok($message, 'its payload is JSON') or diag $@;
cmp_ok(length $heard[0], '<', 2000, 'of less than 2000 bytes');
is($message->{specversion}, '1.0', 'a CloudEvent 1.0');
is($message->{source}, '/replenish/postgres', 'its source is the database');
is($message->{type}, 'io.replenish.stock.tier.changed.v1', 'type');
is($message->{subject}, 'item/A/location/default', 'subject');
like($message->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'time');
is($message->{sequence}, '00000000000000000001', 'sequence');
is($message->{severitytext}, 'FATAL', 'severitytext');
is($message->{severitynumber}, 21, 'severitynumber');
is( $node->safe_psql('postgres', 'SELECT id FROM replenish.event'),
	$message->{id}, 'its id is the event\'s');
my $data = $message->{data};
is( join(' ', map { "$_=$data->{$_}" }
		  qw(seq sku location epoch from to direction reason available threshold)),
	'seq=1 sku=A location=default epoch=1 from=normal to=red '
	  . 'direction=worse reason=position available=20 threshold=100',
	'data');
ok(exists $data->{stockout_at}, 'stockout_at is there');
cmp_ok($data->{reorder_qty}, '>', 100, 'so is a quantity to order');
order('worker', "INSERT INTO stock VALUES ('A', NULL, 980)");
@heard = hear(1);
is(scalar @heard, 1, 'worker: the end of it is heard as well');
$data = decode_json($heard[0])->{data};
is("$data->{seq} $data->{from} $data->{to} $data->{direction}",
	'2 red normal better', 'as getting better');

# immediate mode, in which the notification leaves with the commit
$node->safe_psql('postgres',
	'ALTER DATABASE postgres SET replenish.evaluate = manual');
$node->restart;
$listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN replenish');
order('immediate', "INSERT INTO stock VALUES ('A', NULL, -980)");
@heard = hear(1);
is(scalar @heard, 1, 'immediate: one change, one notification');
$data = decode_json($heard[0])->{data};
is("$data->{seq} $data->{from} $data->{to}", '3 normal red', 'of the change');

# rolled back, and only then an order that commits: that one is heard first
order('immediate', "BEGIN; INSERT INTO stock VALUES ('A', NULL, 980); ROLLBACK");
order('immediate', "BEGIN; SAVEPOINT s; INSERT INTO stock VALUES ('A', NULL, 980);"
	  . ' ROLLBACK TO s; COMMIT');
order('immediate', "INSERT INTO stock VALUES ('A', NULL, 60)");
@heard = hear(1);
is(scalar @heard, 1, 'immediate: an order rolled back is not heard of');
$data = decode_json($heard[0])->{data};
is("$data->{seq} $data->{from} $data->{to}", '4 red orange',
	'what comes next is, under the next number');

# 32 changes are heard one by one, more as one
order('manual', q{
	INSERT INTO stock SELECT 'S' || i, NULL, 10 FROM generate_series(1, 32) i;
	SELECT replenish.tick()});
@heard = hear(32);
is( join(' ', map { decode_json($_)->{data}{seq} } @heard),
	join(' ', 5 .. 36), '32 changes are 32 notifications in order');
order('manual', q{
	INSERT INTO stock SELECT 'S' || i, NULL, 50 FROM generate_series(1, 33) i;
	SELECT replenish.tick()});
@heard = hear(1);
is(scalar @heard, 1, '33 changes are one notification');
$message = decode_json($heard[0]);
is($message->{type}, 'io.replenish.batch.v1', 'of a batch');
is($message->{sequence}, sprintf('%020d', 69), 'up to the last event');
is( join(' ', map { "$_=$message->{data}{$_}" }
		  qw(first_seq last_seq count worst_tier)),
	'first_seq=37 last_seq=69 count=33 worst_tier=orange', 'which says which');
is( $node->safe_psql('postgres',
		'SELECT count(*), min(seq), max(seq) FROM replenish.events_after(36)'),
	'33|37|69', 'they are all there to be read');

# the longest and worst keys
foreach my $char ('x', '"', '\\', "\x01", "\xe4\xb8\xad")
{
	my $key = $char x int(255 / length $char);
	my $hex = unpack 'H*', $key;
	order('manual', qq{
		INSERT INTO stock SELECT k, k, 10
			FROM convert_from('\\x$hex', 'UTF8') k;
		SELECT replenish.tick()});
	@heard = hear(1);
	is(scalar @heard, 1, 'an item with a name of 255 bytes is heard of');
	cmp_ok(length $heard[0], '<', 2000, 'in less than 2000 bytes');
	$message = eval { decode_json($heard[0]) };
	ok($message, 'of JSON') or diag $@;
	is( $message->{type},
		$char =~ /["\\\x01]/ ? 'io.replenish.batch.v1'
		: 'io.replenish.stock.tier.changed.v1',
		'that says it all, or where to read it');
}

$listener->quit;
$node->stop;
done_testing();
