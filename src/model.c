/*-------------------------------------------------------------------------
 *
 * model.c
 *	  Level, weekdays and variance of a demand series.
 *
 * The level is simple exponential smoothing (Brown 1956) of days and of
 * weeks, for six smoothing constants each in one pass, weighted by how well
 * each would have forecast this series.  Weekdays are factors, shrunk towards
 * 1 by as much as the series is noisy.  Spikes are capped, and what was cut
 * off is spread over all days; but a lone one is no demand and counts in the
 * variance only.  The variance of H periods is that of smoothing
 * (Johnston and Harrison 1986), a polynomial in H.
 *
 * Negative totals, more returned than sold, are taken as they are; what they
 * lead to is cut at zero wherever it would become a level or a factor.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "forecast.h"
#include "spike.h"

#define ALPHAS			6		/* smoothing constants side by side */
#define WARM_DAYS		14		/* a younger item counts as this old */
#define DAYS_USED		91
#define WEEKS_USED		105
#define MIN_WEEKS		4		/* whole weeks before weeks are smoothed */
#define MIN_CAP_WEEKS	8
#define DAY_TEMPER		1.0		/* half the exponent of the weights, */
#define WEEK_TEMPER		0.075	/* per observation */
#define DAY_SHARE		0.65	/* of the daily in the level */
#define DOW_PRIOR		16.0
#define DAY_PRIOR		10.0	/* observations that say variance = level */
#define WEEK_PRIOR		16.0
#define INDEX_AGE		420
#define YEAR_WEEKS		61		/* weeks back that the year index looks */

static const double day_alpha[ALPHAS] = {.005, .02, .05, .1, .2, .35};
static const double week_alpha[ALPHAS] = {.02, .07, .15, .3, .5, .8};

/* what smoothing leaves behind, per smoothing constant; units per day */
typedef struct Smoothing
{
	int			n;				/* periods */
	double		level[ALPHAS];
	double		error[ALPHAS];	/* squared, of one period */
	double		weight[ALPHAS];
	double		mean;			/* the level of all, never negative */
} Smoothing;

/* what was cut off spikes, per day */
typedef struct Excess
{
	double		units;			/* that are demand */
	double		var;			/* part of the variance */
} Excess;

/* n values: their mean, and the sum of squares around it */
typedef struct Sample
{
	const double *x;
	int			n;
	double		mean;
	double		squares;
} Sample;

/*
 * Sum of the values, or of their squared distances from the mean; four sums
 * side by side, so that no addition waits for the one before.
 */
static double
sample_sum(const Sample *s, bool squared)
{
	double		sum[4] = {0, 0, 0, 0};
	const double *x = s->x;
	double		mean = s->mean;
	int			i = 0;

	if (squared)
	{
		for (; i + 4 <= s->n; i += 4)
			for (int j = 0; j < 4; j++)
				sum[j] += (x[i + j] - mean) * (x[i + j] - mean);
		for (; i < s->n; i++)
			sum[0] += (x[i] - mean) * (x[i] - mean);
	}
	else
	{
		for (; i + 4 <= s->n; i += 4)
			for (int j = 0; j < 4; j++)
				sum[j] += x[i + j];
		for (; i < s->n; i++)
			sum[0] += x[i];
	}
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Describe n values. */
static Sample
sample_make(const double *x, int n)
{
	Sample		s = {x, n, 0, 0};

	s.mean = sample_sum(&s, false) / n;
	s.squares = sample_sum(&s, true);
	return s;
}

/*
 * Turn sums of squared errors into mean squared errors and weights, which
 * fall with the n-th power of the error (tempered Bayesian averaging).
 */
static void
weigh(Smoothing *s, double temper)
{
	double		power = temper * s->n;
	double		best = INFINITY;
	double		total = 0;

	for (int j = 0; j < ALPHAS; j++)
	{
		s->error[j] = (s->error[j] + 1e-9) / s->n;
		best = fmin(best, s->error[j]);
	}
	for (int j = 0; j < ALPHAS; j++)
	{
		/* ln x >= 1 - 1/x: no logarithm for what cannot be seen */
		if (s->error[j] == best)
			s->weight[j] = 1;
		else if (power * (1 - best / s->error[j]) > 45)
			s->weight[j] = 0;
		else
			s->weight[j] = exp(-power * log(s->error[j] / best));
		total += s->weight[j];
	}
	for (int j = 0; j < ALPHAS; j++)
		s->weight[j] /= total;
}

/*
 * Variance of H periods over the smoothing constants: the weighted sum of
 * s2 H (1 + a (H - 1) + a^2 (H - 1) (2 H - 1) / 6) in powers of H, and how
 * far the levels lie apart.  The squared error s2 of one period is shrunk to
 * the demand of a period, as if that many more had been Poisson.
 */
static DemandVariance
mix_variance(const Smoothing *s, const double *alpha, double prior,
			 double period)
{
	DemandVariance v = {{0, 0, 0}, 0};

	for (int j = 0; j < ALPHAS; j++)
	{
		double		a = alpha[j];
		double		s2 = s->weight[j] * (s->n * s->error[j] + prior * period) /
			(s->n + prior);
		double		apart = s->level[j] - s->mean;

		v.c[0] += s2 * (1 - a + a * a / 6);
		v.c[1] += s2 * (a - a * a / 2);
		v.c[2] += s2 * a * a / 3;
		v.spread += s->weight[j] * apart * apart;
	}
	return v;
}

/*
 * Variance over mean, and weekday factors, from days in whole weeks.
 */
static void
weekday_factors(DemandModel *model, const Sample *sample)
{
	double		units[7] = {0};
	double		expected;
	double		sum = 0;
	int			wd = (model->weekday + 7 * 14 - sample->n) % 7;

	model->phi = 1;
	for (int i = 0; i < 7; i++)
		model->dow[i] = 1;
	if (sample->mean <= 0)
		return;

	model->phi = fmax(sample->squares / (sample->n - 1) / sample->mean, 1);
	expected = sample->mean * sample->n / 7.0 / model->phi;
	for (int i = 0; i < sample->n; i++)
	{
		units[wd] += sample->x[i];
		wd = wd == 6 ? 0 : wd + 1;
	}
	for (int i = 0; i < 7; i++)
	{
		model->dow[i] = (fmax(units[i], 0) / model->phi + DOW_PRIOR) /
			(expected + DOW_PRIOR);
		sum += model->dow[i];
	}
	for (int i = 0; i < 7; i++)
		model->dow[i] *= 7 / sum;
}

/*
 * Take the spikes out of n days, oldest first, and out of the weeks, newest
 * first, what of them is no demand.
 */
static Excess
tame_days(double *days, int n, double *weeks, int weekday)
{
	Sample		all = sample_make(days, n);
	Spike		spike = spike_find(days, n, all.mean, all.squares);
	double		to = spike.usual + spike.share * (spike.cap - spike.usual);
	Excess		excess = {0, 0};

	for (int i = 0; i < n; i++)
		if (days[i] > spike.cap)
		{
			double		off = days[i] - to;

			excess.units += spike.share * off / n;
			excess.var += off * (days[i] + to - 2 * all.mean) / n;
			weeks[(n - i - weekday + 6) / 7] -= (1 - spike.share) * off;
			days[i] = to;
		}
	return excess;
}

/*
 * Smooth the n newest whole weeks.  Where daily smoothing would start, so
 * many weeks ago, note the level per day.
 */
static void
smooth_weeks(Smoothing *s, const double *newest, int n, int ago,
			 double *start)
{
	double		weeks[WEEKS_USED];	/* oldest first */
	double		first = 0;
	double		cap = INFINITY;

	for (int i = 0; i < n; i++)
		weeks[i] = newest[n - i];
	for (int i = 0; i < MIN_WEEKS; i++)
		first += weeks[i] / MIN_WEEKS;
	if (n >= MIN_CAP_WEEKS)
	{
		Sample		all = sample_make(weeks, n);

		cap = spike_find(weeks, n, all.mean, all.squares).cap;
	}

	s->n = n;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->level[j] = first;
		s->error[j] = 0;
	}
	for (int i = 0; i < n; i++)
	{
		double		x = weeks[i] < cap ? weeks[i] : cap;

		for (int j = 0; j < ALPHAS; j++)
		{
			double		e = x - s->level[j];

			/* in this form no level waits for the error */
			s->error[j] += e * e;
			s->level[j] = s->level[j] * (1 - week_alpha[j]) + week_alpha[j] * x;
		}
		if (n - 1 - i == ago)
			*start = s->level[2] / 7;
	}
	weigh(s, WEEK_TEMPER);
	s->mean = 0;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->level[j] /= 7;
		s->mean += s->weight[j] * fmax(s->level[j], 0);
	}
}

/*
 * Smooth n days, oldest first, without their spikes, with their weekdays
 * taken out.
 */
static void
smooth_days(Smoothing *s, const DemandModel *model, const double *days, int n,
			Excess excess, double start)
{
	double		inverse[7];
	int			wd = (model->weekday + 7 * 14 - n) % 7;

	for (int i = 0; i < 7; i++)
		inverse[i] = 1 / model->dow[i];
	s->n = n;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->level[j] = start;
		s->error[j] = 0;
	}
	for (int i = 0; i < n; i++)
	{
		double		x = days[i];
		double		f = model->dow[wd];
		double		y = x * inverse[wd];

		for (int j = 0; j < ALPHAS; j++)
		{
			double		e = x - s->level[j] * f;

			s->error[j] += e * e;
			s->level[j] = s->level[j] * (1 - day_alpha[j]) + day_alpha[j] * y;
		}
		wd = wd == 6 ? 0 : wd + 1;
	}
	weigh(s, DAY_TEMPER);
	s->mean = excess.units;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->error[j] += excess.var;
		s->mean += s->weight[j] * fmax(s->level[j], 0);
	}
}

/* Where as_of is in the week, and in its day. */
static void
place_in_week(DemandModel *model, int64_t as_of)
{
	int64_t		today = as_of / USECS_PER_UTC_DAY;

	model->into_day = as_of % USECS_PER_UTC_DAY;
	if (model->into_day < 0)
	{
		model->into_day += USECS_PER_UTC_DAY;
		today--;
	}

	/* 1970-01-01 was a Thursday */
	model->weekday = (int) (((today + 3) % 7 + 7) % 7);
}

/*
 * Build the model from a series.
 */
void
demand_model_build(DemandModel *model, const DemandSeries *series)
{
	double		days[DAYS_USED];	/* oldest first */
	int			age = series->age > 0 ? series->age : 0;
	bool		young = age < WARM_DAYS;
	bool		have_weeks;
	int			old = young ? WARM_DAYS : age;
	int			n = old < DAYS_USED ? old : DAYS_USED;
	int			nn = n / 7 * 7;
	int			nw;
	double		weeks[DEMAND_WEEKS];
	Excess		excess;
	Sample		sample;			/* of the days in whole weeks */
	Smoothing	daily;
	Smoothing	weekly;
	double		start = -1;		/* of daily smoothing; negative: unknown */
	double		share;

	place_in_week(model, series->as_of);

	for (int i = 0; i < n; i++)
		days[i] = series->day[n - i];
	if (young)
		days[n - 1] += series->day[0];	/* today is much of what is known */
	memcpy(weeks, series->week, sizeof(weeks));
	excess = tame_days(days, n, weeks, model->weekday);
	sample = sample_make(days + (n - nn), nn);
	weekday_factors(model, &sample);
	model->day_sum[0] = 0;
	for (int i = 0; i < 7; i++)
		model->day_sum[i + 1] = model->day_sum[i] +
			model->dow[(model->weekday + i) % 7];

	/* the level */
	nw = (old - model->weekday) / 7;
	if (nw > WEEKS_USED)
		nw = WEEKS_USED;
	have_weeks = nw >= MIN_WEEKS;
	if (have_weeks)
		smooth_weeks(&weekly, weeks, nw, n / 7, &start);
	if (start < 0)
	{
		start = 0;
		for (int i = 0; i < WARM_DAYS; i++)
			start += days[i] / WARM_DAYS;
	}
	smooth_days(&daily, model, days, n, excess, start);
	model->level_daily = daily.mean;
	model->level_weekly = have_weeks ? weekly.mean : daily.mean;
	share = have_weeks ? DAY_SHARE : 1;
	model->level = share * model->level_daily +
		(1 - share) * model->level_weekly;

	/* the variance */
	model->daily = mix_variance(&daily, day_alpha, DAY_PRIOR, model->level);
	model->have_weeks = have_weeks;
	if (have_weeks)
		model->weekly = mix_variance(&weekly, week_alpha, WEEK_PRIOR,
									 7 * model->level);
	else
		memset(&model->weekly, 0, sizeof(model->weekly));
	model->young = young ? 2.0 * (WARM_DAYS - age) / WARM_DAYS : 0;

	/* a year ago */
	model->yearly = age >= INDEX_AGE;
	if (model->yearly)
	{
		model->past[0] = 0;
		for (int i = 0; i < YEAR_WEEKS; i++)
			model->past[i + 1] = model->past[i] + series->week[YEAR_WEEKS - i];
		model->past[YEAR_WEEKS + 1] = model->past[YEAR_WEEKS];
	}

	demand_model_now(model, series);
}
