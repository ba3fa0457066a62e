/*-------------------------------------------------------------------------
 *
 * lead_time_test.c
 *	  Lead-time records against a calculation that keeps every shipment.
 *
 * Random shipments are added, merged and taken back in random order; what the
 * record then says is compared with two passes over those that are left, in
 * long double.  Prints one line per topic and the number of topics.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lead_time.h"

#define MANY	300
#define DAY		INT64_C(86400000000)

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

/* Whether two numbers agree to a part of the larger, or to a centisecond. */
static bool
near(long double a, long double b, long double part)
{
	return fabsl(a - b) <= part * fmaxl(fabsl(a), fabsl(b)) + 1e-7L;
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

/* A random number below the limit. */
static uint64_t
below(uint64_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % limit;
}

/* A lead time: hours to years, some of them none. */
static int64_t
random_span(void)
{
	int64_t		most = INT64_C(1) << (30 + below(19));

	return (int64_t) below((uint64_t) most) - (below(10) == 0 ? most / 2 : 0);
}

/* n random shipments. */
static void
random_spans(int64_t *span, int n)
{
	for (int i = 0; i < n; i++)
		span[i] = random_span();
}

/* The record of n shipments. */
static LeadTime
record_of(const int64_t *span, int n)
{
	LeadTime	record = {0};

	for (int i = 0; i < n; i++)
		check(lead_time_add(&record, span[i]), "a shipment fits");
	return record;
}

/* ln(1 + days) of those that are lead times; returns how many. */
static int
logarithms(const int64_t *span, int n, long double *x)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (span[i] >= 0 && span[i] <= LEAD_TIME_DAYS * DAY)
			x[count++] = logl(1 + span[i] / (long double) DAY);
	return count;
}

/* Mean of numbers. */
static long double
mean_of(const long double *x, int n)
{
	long double sum = 0;

	for (int i = 0; i < n; i++)
		sum += x[i];
	return sum / n;
}

/* Sum of squared deviations from a place. */
static long double
deviations(const long double *x, int n, long double from)
{
	long double sum = 0;

	for (int i = 0; i < n; i++)
		sum += (x[i] - from) * (x[i] - from);
	return sum;
}

/* Neither order nor merges show, and what was added can be taken back. */
static void
check_sums(void)
{
	for (int round = 0; round < 300; round++)
	{
		int64_t		span[MANY];
		int			n = 1 + (int) below(MANY);
		int			cut = (int) below((uint64_t) n + 1);
		LeadTime	all;
		LeadTime	first;
		LeadTime	sum;

		random_spans(span, n);
		all = record_of(span, n);
		first = record_of(span, cut);
		sum = record_of(span + cut, n - cut);
		check(lead_time_merge(&sum, &first, 1), "a merge fits");
		check(memcmp(&sum, &all, sizeof(sum)) == 0, "merged as added");
		check(lead_time_merge(&sum, &all, -1), "taking back fits");
		check(sum.n == 0 && sum.sum == 0 && sum.squares == 0 &&
			  sum.rest == 0 && sum.impossible == 0, "nothing is left");
		check(lead_time_merge(&sum, &first, -1) &&
			  lead_time_merge(&sum, &all, 1) &&
			  lead_time_merge(&sum, &first, 1) &&
			  memcmp(&sum, &all, sizeof(sum)) == 0, "taken before added");
		for (int i = n - 1; i > 0; i--)
		{
			int			k = (int) below((uint64_t) i + 1);
			int64_t		kept = span[i];

			span[i] = span[k];
			span[k] = kept;
		}
		sum = record_of(span, n);
		check(memcmp(&sum, &all, sizeof(sum)) == 0, "in any order");
	}
}

/* Mean and sd of the record alone. */
static void
check_own(void)
{
	for (int round = 0; round < 1000; round++)
	{
		int64_t		span[MANY];
		long double x[MANY];
		int			n = 1 + (int) below(round % 2 ? 5 : MANY);
		LeadTime	record;
		LeadTimeEstimate own;
		int			count;
		long double m;
		long double v;
		bool		any;

		random_spans(span, n);
		record = record_of(span, n);
		count = logarithms(span, n, x);
		check(record.n == count && record.impossible == n - count, "counts");
		any = lead_time_own(&record, &own);
		check(any == (count > 0), "something is known of some");
		if (!any)
			continue;
		m = mean_of(x, count);
		v = count > 1 ? deviations(x, count, m) / (count - 1) : 0;
		check(near(own.mean, fminl(expl(m + v / 2) - 1, LEAD_TIME_DAYS), 1e-6L),
			  "own mean");
		if (count == 1)
			check(isnan(own.sd), "no sd of one");
		else
			check(near(own.sd, fminl(expl(m + v / 2) * sqrtl(expl(v) - 1),
									 LEAD_TIME_DAYS), 1e-5L), "own sd");
	}
}

/*
 * The estimate, as a mean of all observations and what is believed before,
 * the latter with its weight, and their deviations from that mean.
 */
static LeadTimeEstimate
estimate_of(long double x[4][MANY], const int *n)
{
	static const long double mean_weight[] = {1, 5, 8, 8};
	LeadTimeEstimate out;
	long double v = logl(1 + (8 / 31.0L) * (8 / 31.0L));
	long double m = logl(31) - v / 2;
	long double inflation = 0;

	for (int level = 0; level < 4; level++)
	{
		bool		first = inflation == 0;
		long double k = first ? 1 : mean_weight[level];
		long double q = first ? 3 : 20;
		long double to;
		long double own;
		long double sum = q * v;

		if (level == 2 && !first)
			inflation = (1 + 1 / k) * (q / (q - 2));
		if (n[level] == 0)
			continue;
		own = mean_of(x[level], n[level]);
		to = (k * m + n[level] * own) / (k + n[level]);
		if (first)
			sum += deviations(x[level], n[level], own);
		else
			sum += deviations(x[level], n[level], to) + k * (m - to) * (m - to);
		m = to;
		v = sum / (q + n[level]);
		inflation = (1 + 1 / (k + n[level])) *
			((q + n[level]) / (q + n[level] - 2));
	}
	if (inflation == 0)
	{
		out.mean = 30;
		out.sd = 8;
		return out;
	}
	v *= inflation;
	out.mean = (double) fminl(expl(m + v / 2) - 1, LEAD_TIME_DAYS);
	out.sd = (double) fminl(expl(m + v / 2) * sqrtl(expl(v) - 1),
							LEAD_TIME_DAYS);
	return out;
}

/* Every combination of records that are there, empty, and missing. */
static void
check_estimates(void)
{
	for (int round = 0; round < 3000; round++)
	{
		long double x[4][MANY];
		int			n[4];
		LeadTime	record[4];
		const LeadTime *given[4];
		LeadTimeEstimate want;
		LeadTimeEstimate got;

		for (int level = 0; level < 4; level++)
		{
			int64_t		span[MANY];
			int			some = round >> level & 1 ?
				(int) below(below(2) ? 4 : MANY) : 0;

			random_spans(span, some);
			record[level] = record_of(span, some);
			n[level] = logarithms(span, some, x[level]);
			given[level] = some == 0 && below(2) ? NULL : &record[level];
		}
		want = estimate_of(x, n);
		got = lead_time_estimate(given[0], given[1], given[2], given[3]);
		check(near(got.mean, want.mean, 1e-6L), "estimated mean");
		check(near(got.sd, want.sd, 1e-5L), "estimated sd");
	}
}

/* What the quantile is of, by erfc. */
static void
check_quantiles(void)
{
	for (double mean = .01; mean < 4000; mean *= 3.3)
		for (double sd = .01; sd < 4000; sd *= 4.1)
			for (double p = .01; p < 1; p += .07)
			{
				LeadTimeEstimate e = {mean, sd};
				double		q = lead_time_quantile(e, p);
				long double s2 = log1pl((sd / (1 + mean)) * (sd / (1 + mean)));
				long double z = (log1pl(q) - log1pl(mean) + s2 / 2) / sqrtl(s2);

				long double at = .5L * erfcl(-z / sqrtl(2));

				/* where it is cut at zero, more than p lies below */
				check(q > 0 ? near(at, p, 1e-6L) : at >= p - 1e-9L,
					  "probability below the quantile");
			}
}

/* Both forms lead back to the same record; what is cut off is refused. */
static void
check_forms(void)
{
	for (int round = 0; round < 2000; round++)
	{
		LeadTime	record;
		LeadTime	other;
		char		text[LEAD_TIME_TEXT_MAX];
		uint8_t		bytes[LEAD_TIME_BYTES];
		TextError	error;
		const char *problem;
		size_t		length;

		record.n = (int64_t) (below(UINT64_MAX) >> below(64));
		record.sum = (int64_t) below(UINT64_MAX) >> below(64);
		record.squares = (int64_t) below(UINT64_MAX) >> below(64);
		record.rest = (int64_t) below(LEAD_TIME_SCALE) * (int64_t) below(2);
		record.impossible = -(int64_t) below(3);
		length = lead_time_to_text(&record, text);
		check(length < sizeof(text) && strlen(text) == length, "room");
		check(lead_time_from_text(text, length, &other, &error) &&
			  memcmp(&record, &other, sizeof(other)) == 0, "text and back");
		check(!lead_time_from_text(text, below(length), &other, &error),
			  "a text is whole");
		lead_time_pack(&record, bytes);
		check(lead_time_unpack(bytes, sizeof(bytes), &other, &problem) &&
			  memcmp(&record, &other, sizeof(other)) == 0, "bytes and back");
		check(!lead_time_unpack(bytes, below(sizeof(bytes)), &other, &problem),
			  "bytes are whole");
	}
}

/* At the limits of what is a lead time, and of 64 bits. */
static void
check_limits(void)
{
	static const int64_t none[] = {-1, INT64_MIN, INT64_MAX,
	LEAD_TIME_DAYS * DAY + 100000};
	LeadTime	record = {0};
	LeadTime	full = {.n = 1,.squares = INT64_MAX,.rest = 99999999};
	LeadTime	kept = full;
	LeadTime	one = {.rest = 1};

	for (int i = 0; i < 4; i++)
		check(lead_time_add(&record, none[i]) && record.n == 0 &&
			  record.impossible == i + 1, "is no lead time");
	check(lead_time_add(&record, 0) && record.n == 1 && record.sum == 0,
		  "at once is one");
	check(lead_time_add(&record, LEAD_TIME_DAYS * DAY) && record.n == 2,
		  "ten years are one");
	check(!lead_time_merge(&full, &one, 1), "a carry may not fit");
	check(memcmp(&full, &kept, sizeof(full)) == 0, "and changes nothing");
}

int
main(void)
{
	topic("sums", check_sums);
	topic("own mean and sd", check_own);
	topic("estimates", check_estimates);
	topic("quantiles", check_quantiles);
	topic("forms", check_forms);
	topic("limits", check_limits);
	printf("%d passed, %d failed\n", topics_passed, topics_failed);
	return failed > 0;
}
