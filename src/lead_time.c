/*-------------------------------------------------------------------------
 *
 * lead_time.c
 *	  Sums of lead times, and estimates that borrow from wider records.
 *
 * x = ln(1 + days) is taken to be normal.  The day more leaves long lead times
 * as the logarithm has them and keeps a delivery on the same day, or a careless
 * date, from counting as infinitely short.
 *
 * An estimate goes from the widest record to the narrowest.  Each level takes
 * the one above as if it were so many observations more: conjugate updating of
 * a normal's mean and variance (Gelman et al., Bayesian Data Analysis, section
 * "normal data with a conjugate prior distribution").  What is predicted is the
 * next shipment, so the variance is that of the predictive t distribution; a
 * normal with this variance, unlike the t, has a mean when it is exponentiated.
 *
 * Whoever watches purchase orders keeps one record per route: it adds what is
 * received, takes back with - what is corrected, and counts late arrivals, of
 * which a record knows nothing, beside it.  The records of a parent route, of
 * all routes and of a season are merged when they are read.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "distribution.h"
#include "lead_time.h"

#define USECS_PER_DAY_OF_24_HOURS	86400e6

/* what the level above counts as, in observations: for the mean ... */
#define PARENT_STRENGTH		5.0 /* the whole above a parent route */
#define ROUTE_STRENGTH		8.0 /* a parent above a route, a route above its
								 * season */
#define DEFAULT_STRENGTH	1.0 /* the default above the widest record; how far
								 * it is off says nothing of the variance */

/* ... and for the variance, which varies less from route to route */
#define VARIANCE_STRENGTH	20.0
#define DEFAULT_VARIANCE_STRENGTH	3.0

/* a variance below this part of the squared mean is rounding */
#define ROUNDING			1e-14

/* what is believed about x after some of the records */
typedef struct Belief
{
	double		mean;
	double		variance;
	double		weight;			/* observations behind the mean */
	double		freedom;		/* and behind the variance; 0: nothing seen */
} Belief;

/* mean and sum of squared deviations of a record's x */
typedef struct Moments
{
	double		n;
	double		mean;
	double		deviations;
} Moments;

/*
 * a + sign * b for squares, which are in two parts; false if it does not fit.
 */
static bool
add_squares(LeadTime *a, int64_t squares, int64_t rest, int sign)
{
	int64_t		sum;
	int64_t		low = sign > 0 ? a->rest + rest : a->rest - rest;
	int			carry = low >= LEAD_TIME_SCALE ? 1 : low < 0 ? -1 : 0;

	if (sign > 0 ? __builtin_add_overflow(a->squares, squares, &sum) :
		__builtin_sub_overflow(a->squares, squares, &sum))
		return false;
	if (__builtin_add_overflow(sum, (int64_t) carry, &a->squares))
		return false;
	a->rest = low - (int64_t) carry * LEAD_TIME_SCALE;
	return true;
}

/* Add another record, or take it back with sign -1. */
bool
lead_time_merge(LeadTime *into, const LeadTime *from, int sign)
{
	LeadTime	sum = *into;
	bool		over;

	if (sign > 0)
		over = __builtin_add_overflow(sum.n, from->n, &sum.n) ||
			__builtin_add_overflow(sum.sum, from->sum, &sum.sum) ||
			__builtin_add_overflow(sum.impossible, from->impossible,
								   &sum.impossible);
	else
		over = __builtin_sub_overflow(sum.n, from->n, &sum.n) ||
			__builtin_sub_overflow(sum.sum, from->sum, &sum.sum) ||
			__builtin_sub_overflow(sum.impossible, from->impossible,
								   &sum.impossible);
	if (over || !add_squares(&sum, from->squares, from->rest, sign))
		return false;
	*into = sum;
	return true;
}

/* Count a row that is no observation. */
bool
lead_time_add_impossible(LeadTime *record)
{
	LeadTime	one = {.impossible = 1};

	return lead_time_merge(record, &one, 1);
}

/* Add one shipment, by its microseconds from order to receipt. */
bool
lead_time_add(LeadTime *record, int64_t usec)
{
	double		days = (double) usec / USECS_PER_DAY_OF_24_HOURS;
	LeadTime	one = {.n = 1};

	if (days < 0 || days > LEAD_TIME_DAYS)
		return lead_time_add_impossible(record);
	one.sum = llrint(log1p(days) * LEAD_TIME_SCALE);

	/* at most 8.3e8, the square of which fits */
	one.squares = one.sum * one.sum / LEAD_TIME_SCALE;
	one.rest = one.sum * one.sum % LEAD_TIME_SCALE;
	return lead_time_merge(record, &one, 1);
}

/*
 * What a record says; false if it has no observation.  Sums that no shipments
 * can have, as a text may claim, are brought to the nearest that they can.
 */
static bool
moments(const LeadTime *record, Moments *out)
{
	double		square;
	double		variance;

	if (record == NULL || record->n <= 0)
		return false;
	out->n = (double) record->n;
	out->mean = (double) record->sum / LEAD_TIME_SCALE / out->n;
	out->mean = fmin(fmax(out->mean, 0), log1p(LEAD_TIME_DAYS));
	square = ((double) record->squares +
			  (double) record->rest / LEAD_TIME_SCALE) /
		LEAD_TIME_SCALE / out->n;
	variance = square - out->mean * out->mean;
	if (variance < fmax(ROUNDING * square, 0))
		variance = 0;
	out->deviations = record->n > 1 ? variance * out->n : 0;
	return true;
}

/*
 * The lead time itself where its x is normal; neither number is above the
 * longest lead time, which only senseless records lead to.
 */
static LeadTimeEstimate
in_days(double mean, double variance)
{
	LeadTimeEstimate out;
	double		scale = exp(mean + variance / 2);

	out.mean = fmin(scale - 1, LEAD_TIME_DAYS);
	out.sd = fmin(scale * sqrt(expm1(variance)), LEAD_TIME_DAYS);
	return out;
}

/* Its inverse. */
static void
from_days(LeadTimeEstimate estimate, double *mean, double *variance)
{
	double		ratio = estimate.sd / (1 + estimate.mean);

	/* the square of the largest does not fit */
	*variance = ratio > 1e8 ? 2 * log(ratio) : log1p(ratio * ratio);
	*mean = log1p(estimate.mean) - *variance / 2;
}

/*
 * Mean and sd by the record alone; false if it has no observation.  The sd of
 * a single one is NaN.
 */
bool
lead_time_own(const LeadTime *record, LeadTimeEstimate *out)
{
	Moments		m;

	if (!moments(record, &m))
		return false;
	*out = in_days(m.mean, m.n > 1 ? m.deviations / (m.n - 1) : 0);
	if (!(m.n > 1))
		out->sd = NAN;
	return true;
}

/* Go one level down, where the one above counts as so many observations. */
static void
learn(Belief *belief, const LeadTime *record, double strength,
	  double variance_strength)
{
	Moments		m;
	double		away;
	double		apart;

	if (!moments(record, &m))
		return;
	away = m.mean - belief->mean;
	apart = away * away * m.n * (strength / (strength + m.n));
	if (belief->freedom == 0)
	{
		strength = DEFAULT_STRENGTH;
		variance_strength = DEFAULT_VARIANCE_STRENGTH;
		apart = 0;
	}
	belief->weight = strength + m.n;
	belief->freedom = variance_strength + m.n;
	belief->mean += away * (m.n / belief->weight);
	belief->variance = (variance_strength * belief->variance + m.deviations +
						apart) / belief->freedom;
}

/*
 * The next shipment, by all records; any may be NULL or have no observation.
 * Without any it is the default.
 */
LeadTimeEstimate
lead_time_estimate(const LeadTime *whole, const LeadTime *parent,
				   const LeadTime *route, const LeadTime *season)
{
	LeadTimeEstimate assumed = {LEAD_TIME_DEFAULT_MEAN, LEAD_TIME_DEFAULT_SD};
	Belief		belief = {0};

	from_days(assumed, &belief.mean, &belief.variance);
	learn(&belief, whole, DEFAULT_STRENGTH, DEFAULT_VARIANCE_STRENGTH);
	learn(&belief, parent, PARENT_STRENGTH, VARIANCE_STRENGTH);

	/* of a new route, no more is known than how routes differ */
	belief.weight = ROUTE_STRENGTH;
	if (belief.freedom > 0)
		belief.freedom = VARIANCE_STRENGTH;
	learn(&belief, route, ROUTE_STRENGTH, VARIANCE_STRENGTH);
	learn(&belief, season, ROUTE_STRENGTH, VARIANCE_STRENGTH);
	if (belief.freedom == 0)
		return assumed;

	/* what is not known of the mean, and of the variance */
	belief.variance *= 1 + 1 / belief.weight;
	belief.variance *= belief.freedom / (belief.freedom - 2);
	return in_days(belief.mean, belief.variance);
}

/*
 * Days within which a shipment is there with probability p, 0 < p < 1, where
 * lead times have this mean and sd, neither of them negative.
 */
double
lead_time_quantile(LeadTimeEstimate estimate, double p)
{
	double		mean;
	double		variance;

	from_days(estimate, &mean, &variance);
	return fmax(expm1(mean + sqrt(variance) * normal_quantile(p)), 0);
}
