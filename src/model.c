/*-------------------------------------------------------------------------
 *
 * model.c
 *	  Level, weekdays and variance of a demand series.
 *
 * The level is simple exponential smoothing (Brown 1956) with six memories,
 * from three days to half a year, first of weeks and then, for the newest, of
 * days.  Each counts by how well it would have forecast the next four weeks
 * from each week on (and each next day): orders say little about the level
 * of a day, but much about that of a month.  The average over models
 * (Bates and Granger 1969) goes by powers of the errors.  An item that is
 * too young for that has the mean of its days.  Weekdays are factors, shrunk
 * towards 1 by as much as the series is noisy.  What is cut off spikes counts
 * as far as it is demand; see model_spike.c.  The variance of H periods is
 * that of smoothing (Johnston and Harrison 1986), a polynomial in H.
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
#define YOUNG_DAYS		4.0		/* without a sale, before the first one */
#define MIN_DAYS		14		/* before weekdays are told apart */
#define DAYS_USED		91		/* for the weekdays */
#define DAY_WEEKS		9		/* smoothed as days; earlier ones as weeks */
#define WEEKS_USED		105
#define GROWN_DAYS		28		/* before days and weeks are smoothed */
#define MIN_CAP_WEEKS	8
#define STRETCH			4		/* weeks whose sum a level has to forecast */
#define DAY_TEMPER		1.0		/* exponents of the errors in the weights, */
#define STRETCH_TEMPER	0.4		/* per observation: of a day, of a stretch */
#define WEEK_TEMPER		0.1		/* and of a stretch for the weekly level */
#define DAY_SHARE		0.75	/* of the daily in the level */
#define START_DAYS		2		/* that a first level of days counts */
#define DOW_PRIOR		16.0
#define DAY_PRIOR		10.0	/* observations that say variance = level */
#define WEEK_PRIOR		16.0
#define DOUBT_SE		1.645	/* standard errors of the variance: 95 % */
#define INDEX_AGE		420
#define YEAR_WEEKS		60		/* weeks back that the year index looks */
#define INDEX_BASE		8		/* of them, to compare with */
#define INDEX_SPAN		3		/* weeks that the index of a week looks at */
#define INDEX_PRIOR		128.0	/* units that say no season */
#define INDEX_LIMIT		3.0

static const double day_alpha[ALPHAS] = {.005, .02, .05, .1, .2, .35};

/* the same memory in weeks: 1 - (1 - a)^7 */
static const double week_alpha[ALPHAS] = {
	.0345, .1319, .3017, .5217, .7903, .951
};

/* what smoothing leaves behind, per smoothing constant; units per day */
typedef struct Smoothing
{
	int			n;				/* periods */
	double		level[ALPHAS];
	double		error[ALPHAS];	/* squared, of one period, mean */
	double		weight[ALPHAS];
	double		mean;			/* the level of all, never negative */
	double		average;		/* of all periods */
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
 * Weights from evidence, the less the better, of each smoothing constant; and
 * the level that they give.
 */
static void
weigh(Smoothing *s, const double *evidence)
{
	double		best = INFINITY;
	double		total = 0;

	for (int j = 0; j < ALPHAS; j++)
		best = fmin(best, evidence[j]);
	for (int j = 0; j < ALPHAS; j++)
		total += s->weight[j] = exp(best - evidence[j]);
	s->mean = 0;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->weight[j] /= total;
		s->mean += s->weight[j] * fmax(s->level[j], 0);
	}
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
 * By how much a variance is taken to be larger than it was: what it has more
 * than Poisson's, at the upper limit of a one-sided 95 % confidence interval.
 * The standard error of a variance is sqrt((k - 1) / n) of it, where k is the
 * kurtosis: with rare large orders most samples hold too few of them, and
 * their variance says too little.
 */
static double
variance_doubt(const Sample *s, double phi)
{
	double		fourth = 0;

	if (phi <= 1 || s->squares <= 0)
		return 1;
	for (int i = 0; i < s->n; i++)
	{
		double		square = (s->x[i] - s->mean) * (s->x[i] - s->mean);

		fourth += square * square;
	}
	return 1 + DOUBT_SE * (1 - 1 / phi) *
		sqrt(fmax(fourth / s->squares / s->squares - 1.0 / s->n, 0));
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
 * Smooth the n newest whole weeks, each constant no slower than the mean of
 * all weeks so far.  Note the levels per day from which to smooth days, that
 * many whole weeks ago, and the mean squared error with which each constant
 * would have forecast the sum of a stretch of weeks.
 */
static void
smooth_weeks(Smoothing *s, const double *newest, int n, int ago,
			 double *start, double *stretch)
{
	double		weeks[WEEKS_USED];	/* oldest first */
	double		sum = 0;		/* of the stretch that begins here */
	int			stretches = n < STRETCH ? 1 : n - STRETCH + 1;
	Sample		all;
	double		cap = INFINITY;
	double		level[ALPHAS];
	double		error[ALPHAS] = {0};
	double		errors[ALPHAS] = {0};

	for (int i = 0; i < n; i++)
		weeks[i] = newest[n - i];
	all = sample_make(weeks, n);
	if (n >= MIN_CAP_WEEKS)
	{
		cap = spike_find(weeks, n, all.mean, all.squares).cap;
		for (int i = 0; i < n; i++)
			weeks[i] = weeks[i] < cap ? weeks[i] : cap;
	}
	for (int i = 0; i < STRETCH; i++)
		sum += i < n ? weeks[i] : 0;
	for (int j = 0; j < ALPHAS; j++)
		level[j] = sum / (n < STRETCH ? n : STRETCH);
	for (int i = 0; i < n; i++)
	{
		double		x = weeks[i];
		double		slowest = 1.0 / (i + 1);
		double		whole = i + STRETCH <= n;

		if (i == n - ago)
			memcpy(start, level, sizeof(level));
		for (int j = 0; j < ALPHAS; j++)
		{
			double		e = x - level[j];
			double		es = whole * (sum - STRETCH * level[j]);
			double		gain = week_alpha[j] > slowest ? week_alpha[j] : slowest;

			error[j] += e * e;
			errors[j] += es * es;

			/* in this form no level waits for the error */
			level[j] = level[j] * (1 - gain) + gain * x;
		}
		if (i + STRETCH < n)
			sum += weeks[i + STRETCH] - x;
	}
	if (ago == 0)
		memcpy(start, level, sizeof(level));

	s->n = n;
	s->average = all.mean / 7;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->level[j] = level[j] / 7;
		s->error[j] = (error[j] + 1e-9) / n;
		start[j] /= 7;
		stretch[j] = (errors[j] + 1e-9) / stretches;
	}
}

/*
 * Smooth n days, oldest first, with their weekdays taken out.  The levels at
 * the start count as so many days.
 */
static void
smooth_days(Smoothing *s, const DemandModel *model, const double *days, int n,
			const double *start, double start_days)
{
	double		inverse[7];
	double		level[ALPHAS];
	double		error[ALPHAS] = {0};
	int			wd = (model->weekday + 7 * 14 - n) % 7;

	for (int i = 0; i < 7; i++)
		inverse[i] = 1 / model->dow[i];
	memcpy(level, start, sizeof(level));
	for (int i = 0; i < n; i++)
	{
		double		x = days[i];
		double		f = model->dow[wd];
		double		y = x * inverse[wd];
		double		slowest = 1 / (i + 1 + start_days);

		for (int j = 0; j < ALPHAS; j++)
		{
			double		e = x - level[j] * f;
			double		gain = day_alpha[j] > slowest ? day_alpha[j] : slowest;

			error[j] += e * e;
			level[j] = level[j] * (1 - gain) + gain * y;
		}
		wd = wd == 6 ? 0 : wd + 1;
	}
	s->n = n;
	for (int j = 0; j < ALPHAS; j++)
	{
		s->level[j] = level[j];
		s->error[j] = (error[j] + 1e-9) / n;
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
 * Level and variance of an item that has not lived four whole weeks: the mean
 * of all its days, as if it had not sold for four more.  It is known because
 * it sold, so that its first days promise too much; and how much it sells in
 * the weeks after, its days tell little about: as much as one observation of
 * the level tells in four days.
 */
static void
model_young(DemandModel *model, double today, const double *days, int n,
			Excess excess)
{
	double		lived = n + (double) model->into_day / USECS_PER_UTC_DAY;
	double		units = today + excess.units * n;
	double		squares = today * today + excess.var * n;

	for (int i = 0; i < n; i++)
	{
		units += days[i];
		squares += days[i] * days[i];
	}
	model->level = fmax(units, 0) / (lived + YOUNG_DAYS);
	model->level_daily = model->level_weekly = model->level;
	model->daily.c[0] = squares / (lived + YOUNG_DAYS);
	model->young = YOUNG_DAYS / fmax(lived, 1);
}

/*
 * Level and variance of an item from its n newest days, oldest first and
 * without their spikes, and from its nw newest whole weeks, newest first.
 */
static void
model_grown(DemandModel *model, const double *days, int n,
			const double *weeks, int nw, Excess excess)
{
	bool		started = nw > DAY_WEEKS;	/* days follow on weeks */
	int			all = DAY_WEEKS * 7 + model->weekday;
	int			m = started && all < n ? all : n;
	Smoothing	daily;
	Smoothing	weekly;
	double		start[ALPHAS];	/* of daily smoothing */
	double		stretch[ALPHAS];
	double		evidence[ALPHAS];

	smooth_weeks(&weekly, weeks, nw, started ? DAY_WEEKS : 0, start, stretch);
	for (int j = 0; j < ALPHAS; j++)
	{
		stretch[j] = (nw - STRETCH + 1) * log(stretch[j]);
		evidence[j] = WEEK_TEMPER * stretch[j];
	}
	weigh(&weekly, evidence);

	days += n - m;
	if (!started)
		for (int j = 0; j < ALPHAS; j++)
			start[j] = weekly.average;
	smooth_days(&daily, model, days, m, start,
				started ? INFINITY : START_DAYS);
	for (int j = 0; j < ALPHAS; j++)
		evidence[j] = DAY_TEMPER * m * log(daily.error[j]) +
			STRETCH_TEMPER * stretch[j];
	weigh(&daily, evidence);
	daily.mean += excess.units;
	for (int j = 0; j < ALPHAS; j++)
		daily.error[j] += excess.var;

	model->level_daily = daily.mean;
	model->level_weekly = weekly.mean;
	model->level = DAY_SHARE * daily.mean + (1 - DAY_SHARE) * weekly.mean;
	model->daily = mix_variance(&daily, day_alpha, DAY_PRIOR, model->level);
	model->weekly = mix_variance(&weekly, week_alpha, WEEK_PRIOR,
								 7 * model->level);
}

/*
 * The year index of the weeks ahead: the root of how the same week a year ago,
 * with those beside it, compared with the eight weeks before the present one
 * a year ago.  A year is 52 weeks, which keeps the weekdays.
 */
static void
year_index(DemandModel *model, const double *week)
{
	const double *w = week + YEAR_WEEKS - INDEX_BASE;	/* a year ago */
	double		prior = INDEX_PRIOR * model->phi;
	double		before = 0;
	double		ratio = 1;

	for (int i = 1; i <= INDEX_BASE; i++)
		before += w[i];
	before = before * INDEX_SPAN / INDEX_BASE + prior;
	before = 1 / (before > prior ? before : prior);

	model->year_sum[0] = 0;
	for (int i = 0; i < FORECAST_WEEKS; i++)
	{
		/* the last weeks have no weeks behind them, but the present one */
		if (w - i - 1 > week)
			ratio = (w[1 - i] + w[-i] + w[-i - 1] + prior) * before;
		ratio = ratio < 1 / INDEX_LIMIT ? 1 / INDEX_LIMIT :
			ratio > INDEX_LIMIT ? INDEX_LIMIT : ratio;
		model->year_sum[i + 1] = model->year_sum[i] + sqrt(ratio);
	}
}

/*
 * Build the part of the model that is about days and weeks.
 */
void
demand_model_level(DemandModel *model, const DemandSeries *series)
{
	double		days[DAYS_USED];	/* oldest first */
	int			age = series->age > 0 ? series->age : 0;
	int			kept = series->lost < DAYS_USED ? DAYS_USED - series->lost : 0;
	int			n = age < kept ? age : kept;
	int			nn = n / 7 * 7;
	int			nw;
	double		weeks[DEMAND_WEEKS];
	Excess		excess = {0, 0};
	Sample		sample = {0};	/* of the days in whole weeks */

	place_in_week(model, series->as_of);

	for (int i = 0; i < n; i++)
		days[i] = series->day[n - i];
	memcpy(weeks, series->week, sizeof(weeks));
	if (n >= MIN_DAYS)
	{
		excess = tame_days(days, n, weeks, model->weekday);
		sample = sample_make(days + (n - nn), nn);
	}
	weekday_factors(model, &sample);
	model->doubt = variance_doubt(&sample, model->phi);
	model->day_sum[0] = 0;
	for (int i = 0; i < 7; i++)
		model->day_sum[i + 1] = model->day_sum[i] + model->dow[i];

	/* level and variance */
	nw = (age - model->weekday) / 7;
	if (nw > WEEKS_USED)
		nw = WEEKS_USED;
	model->have_weeks = n >= GROWN_DAYS;
	model->young = 0;
	memset(&model->daily, 0, sizeof(model->daily));
	memset(&model->weekly, 0, sizeof(model->weekly));
	if (model->have_weeks)
		model_grown(model, days, n, weeks, nw, excess);
	else
		model_young(model, series->day[0], days, n, excess);

	model->yearly = age >= INDEX_AGE;
	if (model->yearly)
		year_index(model, series->week);
}

/*
 * Build the model from a series.
 */
void
demand_model_build(DemandModel *model, const DemandSeries *series)
{
	demand_model_level(model, series);
	demand_model_now(model, series);
}
