/*-------------------------------------------------------------------------
 *
 * core_test.c
 *	  Unit test of the demand summary's core, without PostgreSQL.
 *
 * Random streams of events are compared with an oracle that keeps every event
 * and sums what the definition of the window says.  Prints one line per topic
 * and the number of topics passed and failed.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demand.h"

#define MAX_EVENTS	400

typedef struct Event
{
	int64_t		minute;
	int64_t		micros;
} Event;

typedef struct Stream
{
	int			count;
	Event		event[MAX_EVENTS];
} Stream;

static long passed = 0;
static long failed = 0;
static int	topics_passed = 0;
static int	topics_failed = 0;
static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

/* Count a check, and show the first failures. */
static void
check(bool good, const char *what)
{
	if (good)
		passed++;
	else if (failed++ < 20)
		printf("FAILED: %s\n", what);
}

/* Print what a topic has checked. */
static void
topic(const char *name, void (*run) (void))
{
	long		before = passed + failed;
	long		bad = failed;

	run();
	printf("%-44s %8ld checks%s\n", name, passed + failed - before,
		   failed > bad ? "  FAILED" : "");
	if (failed > bad)
		topics_failed++;
	else
		topics_passed++;
}

/* A random number below the limit (xorshift: the same on every machine). */
static uint64_t
below(uint64_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return limit > 0 ? seed % limit : 0;
}

/* A random stream: its span from minutes to years, its amounts all sizes. */
static void
make_stream(Stream *stream)
{
	static const int64_t spans[] = {
		1, 50, 60, 61, 3000, 192 * 60, 30000, 92 * 1440, 300000, 1100000, 3000000
	};
	static const int64_t units[] = {1, 1000, 500000, 1000000, 1000000, 7000000};
	int64_t		span = spans[below(11)];
	int64_t		unit = units[below(6)];
	int64_t		start = below(8) == 0 ? 0 : (int64_t) below(500000000);

	stream->count = (int) below(below(4) == 0 ? MAX_EVENTS : 30);
	for (int i = 0; i < stream->count; i++)
	{
		stream->event[i].minute = start + (int64_t) below((uint64_t) span);
		stream->event[i].micros = unit *
			((int64_t) below(below(10) == 0 ? 1000000 : 9) - 2);
	}
}

/* Add all events of a stream from one to another index. */
static void
add_events(DemandRings *rings, const Stream *stream, int from, int to)
{
	for (int i = from; i < to; i++)
		check(demand_add(rings, stream->event[i].minute,
						 stream->event[i].micros), "add fits");
}

/* The stream's summary. */
static void
summarize(DemandRings *rings, const Stream *stream)
{
	demand_init(rings);
	add_events(rings, stream, 0, stream->count);
}

/* Whether two working forms are the same. */
static bool
same(const DemandRings *a, const DemandRings *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What the definition says about one bucket. */
static int64_t
oracle(const Stream *stream, DemandLevel level, int64_t bucket)
{
	int64_t		sum = 0;

	for (int i = 0; i < stream->count; i++)
	{
		int64_t		minute = stream->event[i].minute;

		if (minute >= demand_bucket_start(level, bucket) &&
			minute < demand_bucket_start(level, bucket + 1))
			sum += stream->event[i].micros;
	}
	return sum;
}

/* Every bucket of every ring equals the oracle's. */
static bool
matches(DemandRings *rings, const Stream *stream)
{
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64_t		newest = demand_bucket(level, rings->end);

		for (int age = 0; age < demand_level_size(level); age++)
			if (*demand_at_age(rings, level, age) !=
				oracle(stream, level, newest - age))
				return false;
	}
	return true;
}

/* The calendar: what a bucket is. */
static void
test_calendar(void)
{
	/* 2026-11-22 10:30 UTC, a Sunday */
	int64_t		minute = INT64_C(29922390);
	int64_t		monday = INT64_C(29922390) - 10 * 60 - 30 - 6 * 1440;

	check(demand_bucket_start(DEMAND_WEEK, demand_bucket(DEMAND_WEEK, minute)) ==
		  monday, "weeks start on Monday");
	check(demand_bucket(DEMAND_WEEK, 3 * 1440) == 0 &&
		  demand_bucket(DEMAND_WEEK, 4 * 1440) == 1, "1970-01-05 was a Monday");
	for (int i = 0; i < 1000; i++)
	{
		int64_t		m = (int64_t) below(DEMAND_MAX_MINUTE);

		for (int l = 0; l < DEMAND_LEVELS; l++)
		{
			DemandLevel level = (DemandLevel) l;
			int64_t		bucket = demand_bucket(level, m);

			check(demand_bucket_start(level, bucket) <= m &&
				  m < demand_bucket_start(level, bucket + 1),
				  "a bucket holds its minute");
		}
		check(demand_stored_from(DEMAND_HOUR, m) == 1 &&
			  demand_stored_from(DEMAND_DAY, m) == 8, "covered hours and days");
	}
}

/* Random streams against the oracle, in order, shuffled and moved on. */
static void
test_oracle(void)
{
	for (int round = 0; round < 3000; round++)
	{
		Stream		stream;
		DemandRings rings;
		DemandRings other;

		make_stream(&stream);
		summarize(&rings, &stream);
		if (stream.count == 0)
		{
			check(rings.end == DEMAND_NO_END, "nothing has no end");
			continue;
		}
		check(matches(&rings, &stream), "the rings are what the oracle says");
		for (int i = stream.count - 1; i > 0; i--)
		{
			int			k = (int) below((uint64_t) i + 1);
			Event		swap = stream.event[i];

			stream.event[i] = stream.event[k];
			stream.event[k] = swap;
		}
		summarize(&other, &stream);
		check(same(&rings, &other), "the order does not matter");
		demand_advance(&other, other.end +
					   (int64_t) below(below(2) ? 200 : 1200000));
		check(matches(&other, &stream), "a moved window is the oracle's");
		demand_advance(&other, other.end - 1000);
		check(matches(&other, &stream), "a window does not move back");
	}
}

/* The laws of an abelian group, for a fixed end. */
static void
test_group(void)
{
	for (int round = 0; round < 3000; round++)
	{
		Stream		stream;
		DemandRings all;
		DemandRings a;
		DemandRings b;
		DemandRings sum;
		DemandRings other;
		int			half;

		make_stream(&stream);
		half = (int) below((uint64_t) stream.count + 1);
		summarize(&all, &stream);
		demand_init(&a);
		add_events(&a, &stream, 0, half);
		demand_init(&b);
		add_events(&b, &stream, half, stream.count);
		sum = a;
		check(demand_merge(&sum, &b, 1), "merge fits");
		check(same(&sum, &all), "a + b is the summary of both");
		other = b;
		check(demand_merge(&other, &a, 1) && same(&other, &all), "a + b = b + a");
		check(demand_merge(&sum, &b, -1), "taking back fits");
		demand_advance(&a, all.end);
		check(same(&sum, &a), "(a + b) - b is a, its window moved");
		check(demand_merge(&sum, &a, -1), "a - a fits");
		demand_init(&other);
		demand_advance(&other, all.end);
		check(same(&sum, &other), "a - a is empty");
		other = all;
		check(demand_merge(&other, &all, 1) && demand_scale(&all, 2) &&
			  same(&all, &other), "a + a = a * 2");
		check(demand_scale(&all, -0.25) && demand_rebuild(&other) &&
			  all.end == other.end, "a fraction keeps the window");
		other = all;
		check(demand_rebuild(&other) && same(&other, &all),
			  "a scaled summary agrees with itself");
	}
}

/* Stored forms: identity, and agreement with rings that were never stored. */
static void
test_forms(void)
{
	for (int round = 0; round < 3000; round++)
	{
		Stream		stream;
		DemandRings rings;
		DemandRings other;
		TextError error;
		DemandPiece pieces[DEMAND_BUCKETS];
		uint8_t		packed[DEMAND_PACKED_MAX];
		uint8_t		again[DEMAND_PACKED_MAX];
		char		text[DEMAND_TEXT_MAX];
		const char *problem;
		size_t		length;
		size_t		size;
		bool		exact;
		int			n;

		make_stream(&stream);
		summarize(&rings, &stream);
		length = demand_pack(&rings, packed);
		check(demand_unpack(packed, length, &other, &problem) &&
			  same(&rings, &other), "unpack(pack(x)) = x");
		check(demand_pack(&other, again) == length &&
			  memcmp(packed, again, length) == 0, "pack(unpack(bytes)) = bytes");
		size = demand_to_text(&rings, text);
		check(size == strlen(text) && size < DEMAND_TEXT_MAX, "text's length");
		check(demand_from_text(text, size, &other, &error) &&
			  same(&rings, &other), "in(out(x)) = x");
		for (size_t cut = 0; cut < length; cut += 1 + length / 16)
			check(!demand_unpack(packed, cut, &other, &problem) || cut == 3,
				  "a cut form is refused");
		packed[length] = 0;
		check(!demand_unpack(packed, length + 1, &other, &problem),
			  "a trailing byte is refused");

		/* what was stored behaves like what was not */
		check(demand_unpack(packed, length, &other, &problem), "still there");
		demand_advance(&rings, rings.end + (int64_t) below(300000));
		demand_advance(&other, rings.end);
		check(same(&rings, &other), "stored windows slide like direct ones");

		n = demand_pieces(&rings, 0, INT64_MAX / 2, pieces, &exact);
		demand_init(&other);
		demand_advance(&other, rings.end);
		for (int i = 0; i < n; i++)
			check(demand_add(&other, pieces[i].start, pieces[i].micros),
				  "a piece fits");
		check(exact && same(&rings, &other), "pieces make up the whole");
	}
}

/* Mutated bytes: refused, or the one form of what they are taken for. */
static void
test_mutations(void)
{
	long		taken = 0;

	for (int round = 0; round < 60000; round++)
	{
		Stream		stream;
		DemandRings rings;
		uint8_t		packed[DEMAND_PACKED_MAX];
		const char *problem;
		size_t		length;

		make_stream(&stream);
		if (stream.count > 20)
			stream.count = 20;
		demand_init(&rings);
		for (int i = 0; i < stream.count; i++)
			(void) demand_add(&rings, stream.event[i].minute,
							  stream.event[i].micros);
		length = demand_pack(&rings, packed);
		for (int k = (int) below(3); k >= 0; k--)
			packed[below(length)] ^= (uint8_t) (1 << below(8));
		if (!demand_unpack(packed, length, &rings, &problem))
			check(problem != NULL, "a refusal says why");
		else
		{
			uint8_t		again[DEMAND_PACKED_MAX];

			taken++;
			check(demand_pack(&rings, again) == length &&
				  memcmp(packed, again, length) == 0,
				  "mutated bytes are taken only in canonical form");
		}
	}
	check(taken > 1000, "some mutations were taken");
}

/* Sums that do not fit change nothing. */
static void
test_overflow(void)
{
	DemandRings rings;
	DemandRings before;
	int64_t		big = INT64_MAX / 2 + 1;

	demand_init(&rings);
	check(demand_add(&rings, 1000000, big), "a large amount fits");
	before = rings;
	check(!demand_add(&rings, 1000000, big) && same(&rings, &before),
		  "the same minute overflows");
	check(!demand_add(&rings, 1000001, big) && same(&rings, &before),
		  "a newer minute of the same hour overflows");
	check(!demand_add(&rings, 999000, big) && same(&rings, &before),
		  "an older minute of the same week overflows");
	check(!demand_merge(&rings, &before, 1) && same(&rings, &before),
		  "a sum overflows");
	check(!demand_scale(&rings, 2) && same(&rings, &before) &&
		  !demand_scale(&rings, 2.5) && same(&rings, &before),
		  "a product overflows");
	check(demand_add(&rings, 1100000, big), "another week has room");
	check(!demand_add(&rings, -1, 1) &&
		  !demand_add(&rings, DEMAND_MAX_MINUTE + 1, 1), "minutes out of range");

	/* partial sums may overflow where the whole does not */
	demand_init(&rings);
	check(demand_add(&rings, 600000, INT64_MAX) &&
		  demand_add(&rings, 600001, -5) && demand_add(&rings, 600002, 5),
		  "a full bucket");
	before = rings;
	check(demand_rebuild(&rings) && same(&rings, &before),
		  "a full bucket is rebuilt");
}

/* Units to millionths. */
static void
test_micros(void)
{
	int64_t		micros;

	check(demand_micros(0.1, &micros) && micros == 100000, "0.1");
	check(demand_micros(-2.5, &micros) && micros == -2500000, "-2.5");
	check(demand_micros(1e12, &micros) &&
		  micros == INT64_C(1000000000000000000), "1e12");
	check(demand_micros(99999999999.123456, &micros) &&
		  llabs(micros - INT64_C(99999999999123456)) <= 8, "many digits");
	check(!demand_micros(1.0000001e12, &micros), "too large");
	check(!demand_micros(NAN, &micros), "NaN");
	check(!demand_micros(-INFINITY, &micros), "-Infinity");
	for (int i = 0; i < 10000; i++)
	{
		int64_t		wanted = (int64_t) below(1000000000000) - 500000000000;

		check(demand_micros((double) wanted / DEMAND_MICROS, &micros) &&
			  micros == wanted, "six decimals are exact");
	}
}

/* Windows and the series by age, against sums over the events. */
static void
test_reading(void)
{
	for (int round = 0; round < 2000; round++)
	{
		Stream		stream;
		DemandRings rings;
		DemandSeries series;
		int64_t		end;
		int64_t		as_of;
		double		units;
		double		wanted = 0;

		make_stream(&stream);
		if (stream.count == 0)
			continue;
		summarize(&rings, &stream);
		end = rings.end;

		/* whole minutes of the last hour, then whole hours, then days */
		for (int i = 0; i < 3; i++)
		{
			static const int64_t size[] = {1, 60, 1440};
			static const int reach[] = {60, 192, 92};
			int64_t		to = (end / size[i] + 1) * size[i];
			int64_t		from = to - size[i] * (int64_t) (1 + below((uint64_t) reach[i]));

			if (from < 0)
				continue;
			to -= size[i] * (int64_t) below((uint64_t) ((to - from) / size[i]));
			wanted = 0;
			for (int k = 0; k < stream.count; k++)
				if (stream.event[k].minute >= from && stream.event[k].minute < to)
					wanted += (double) stream.event[k].micros;
			check(demand_units(&rings, from * USECS_PER_UTC_MINUTE,
							   to * USECS_PER_UTC_MINUTE, &units) &&
				  fabs(units - wanted / 1e6) < 1e-6, "units in whole buckets");
		}
		check(!demand_units(&rings, (end - 107 * 10080) * USECS_PER_UTC_MINUTE,
							end * USECS_PER_UTC_MINUTE, &units),
			  "what is not kept is unknown");

		as_of = end + (int64_t) below(below(2) ? 100 : 100000) -
			(int64_t) below(below(2) ? 50 : 20000);
		if (as_of < 0)
			as_of = 0;
		check(demand_series(&rings, as_of * USECS_PER_UTC_MINUTE, &series),
			  "series");
		for (int k = 0; k < 4; k++)
		{
			DemandLevel level = (DemandLevel) k;
			const double *got = k == 0 ? series.minute : k == 1 ? series.hour :
				k == 2 ? series.day : series.week;
			bool		good = true;

			for (int age = 0; age < demand_level_size(level); age++)
			{
				int64_t		bucket = demand_bucket(level, as_of) - age;
				int64_t		amount = 0;

				if (bucket >= 0 && bucket <= demand_bucket(level, end) &&
					bucket > demand_bucket(level, end) -
					demand_level_size(level))
					amount = oracle(&stream, level, bucket);
				good &= got[age] == (double) amount / 1e6;
			}
			check(good, "series by age");
		}
	}
}

/* The age of an item. */
static void
test_age(void)
{
	/* 2026-11-22, a Sunday; the first sale on a Wednesday n weeks ago */
	int64_t		now = INT64_C(29922390);
	DemandRings rings;
	DemandSeries series;

	demand_init(&rings);
	check(demand_series(&rings, now * USECS_PER_UTC_MINUTE, &series) &&
		  series.age == -1, "no age without demand");
	for (int weeks = 0; weeks < 105; weeks++)
	{
		int64_t		first = now - 4 * 1440 - weeks * INT64_C(10080);
		int			exact = 4 + weeks * 7;

		demand_init(&rings);
		check(demand_add(&rings, first, 1000000) &&
			  demand_add(&rings, now, 1000000), "two sales");
		check(demand_series(&rings, now * USECS_PER_UTC_MINUTE, &series),
			  "series");
		/* then from the last day of what the week alone still shows */
		check(series.age == (exact < 92 ? exact :
							 exact - 4 < 92 ? 92 : exact - 4), "age");
	}
}

/* Texts that are taken and texts that are not. */
static void
test_texts(void)
{
	static const char *const good[] = {
		"{}", " { } ", "{\"end\":\"1970-01-01T00:00Z\"}",
		"{\"end\":\"2999-12-31T23:59Z\",\"weeks\":{\"105\":-0.000001}}",
		"{\"end\" : \"2024-02-29T12:00Z\" ,\n\t\"minutes\" : { \"0\" : 1 } }",
		"{\"end\":\"2026-11-22T10:30Z\",\"minutes\":{}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"minutes\":{\"0\":9223372036854.775807}}"
	};
	static const char *const bad[] = {
		"", "{", "}", "{}x", "{\"end\":\"2026-11-22T10:30\"}",
		"{\"end\":\"2025-02-29T10:30Z\"}", "{\"end\":\"1969-12-31T23:59Z\"}",
		"{\"end\":\"3000-01-01T00:00Z\"}", "{\"end\":\"2026-11-22T24:00Z\"}",
		"{\"minutes\":{\"0\":1}}",
		"{\"end\":\"2026-11-22T10:30Z\",}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"0\":1}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"192\":1}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"1\":1},\"minutes\":{\"1\":1}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":1,\"2\":1}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"02\":1}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":01}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":1.}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":.5}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":1e3}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":0.0000001}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"hours\":{\"2\":9223372036854.775808}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"minutes\":{\"0\":9e9}}",
		"{\"end\":\"2026-11-22T10:30Z\",\"minutes\":{\"0\":9223372036854,\"1\":1}}",
		"{\"end\":\"1970-01-01T00:05Z\",\"minutes\":{\"6\":1}}"
	};
	DemandRings rings;
	TextError error;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(demand_from_text(good[i], strlen(good[i]), &rings, &error),
			  good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(!demand_from_text(bad[i], strlen(bad[i]), &rings, &error) &&
			  error.position <= strlen(bad[i]) && error.problem != NULL,
			  bad[i]);
}

/* Run all topics. */
int
main(void)
{
	topic("calendar", test_calendar);
	topic("units and millionths", test_micros);
	topic("rings against the oracle", test_oracle);
	topic("group laws", test_group);
	topic("packed and text form", test_forms);
	topic("mutated bytes", test_mutations);
	topic("overflow", test_overflow);
	topic("windows and series", test_reading);
	topic("age", test_age);
	topic("texts", test_texts);
	printf("%d passed, %d failed\n", topics_passed, topics_failed);
	return failed > 0;
}
