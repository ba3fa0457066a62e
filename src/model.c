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
 * as far as it is demand; see spike.c.  The variance of H periods is
 * that of smoothing (Johnston and Harrison 1986), a polynomial in H.
 *
 * Negative totals, more returned than sold, are taken as they are; what they
 * lead to is cut at zero wherever it would become a level or a factor.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "model.h"
#include "smoothing.h"
#include "spike.h"

/* what was cut off spikes, per day */
typedef struct Excess
{
	double		units;			/* that are demand */
	double		var;			/* part of the variance */
} Excess;

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
	DemandWorking *w = &model->working;
	double	   *units = w->weekday_units;
	double		expected;
	double		sum = 0;
	int			wd = (model->weekday + 7 * 14 - sample->n) % 7;

	w->days = sample->n;
	w->mean = sample->mean;
	w->var = sample->n > 1 ? sample->squares / (sample->n - 1) : 0;
	memset(units, 0, sizeof(w->weekday_units));

	model->phi = 1;
	for (int i = 0; i < 7; i++)
		model->dow[i] = 1;
	if (sample->mean <= 0)
		return;

	model->phi = fmax(w->var / w->mean, 1);
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
tame_days(DemandModel *model, double *days, int n, double *weeks)
{
	Sample		all = sample_make(days, n);
	Spike		spike = spike_find(&all);
	double		to = spike.usual + spike.share * (spike.cap - spike.usual);
	Excess		excess = {0, 0};

	for (int i = 0; i < n; i++)
		if (days[i] > spike.cap)
		{
			double		off = days[i] - to;

			excess.units += spike.share * off / n;
			excess.var += off * (days[i] + to - 2 * all.mean) / n;
			weeks[(n - i - model->weekday + 6) / 7] -= (1 - spike.share) * off;
			days[i] = to;
		}
	model->working.spike_cap = spike.cap;
	model->working.spike_share = spike.share;
	return excess;
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
	model->working.lived = lived;
	model->working.units = units;
	model->working.squares = squares;
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
	DemandSmoothing *daily = &model->working.daily;
	DemandSmoothing *weekly = &model->working.weekly;
	double		start[DEMAND_ALPHAS];	/* of daily smoothing */
	int			stretches = nw - STRETCH + 1;

	smooth_weeks(weekly, weeks, nw, started ? DAY_WEEKS : 0, start);
	for (int j = 0; j < DEMAND_ALPHAS; j++)
	{
		weekly->evidence[j] = WEEK_TEMPER * stretches * log(weekly->stretch[j]);
		daily->evidence[j] = weekly->evidence[j] * (STRETCH_TEMPER / WEEK_TEMPER);
	}
	smooth_weigh(weekly);

	days += n - m;
	if (!started)
		for (int j = 0; j < DEMAND_ALPHAS; j++)
			start[j] = weekly->average;
	smooth_days(daily, model, days, m, start,
				started ? INFINITY : START_DAYS);
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		daily->evidence[j] += DAY_TEMPER * m * log(daily->error[j]);
	smooth_weigh(daily);
	daily->mean += excess.units;
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		daily->error[j] += excess.var;

	model->level_daily = daily->mean;
	model->level_weekly = weekly->mean;
	model->level = DAY_SHARE * daily->mean + (1 - DAY_SHARE) * weekly->mean;
	model->daily = smooth_variance(daily, demand_day_alpha, DAY_PRIOR, model->level);
	model->weekly = smooth_variance(weekly, demand_week_alpha, WEEK_PRIOR,
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
 * Build the model from a series.
 */
void
demand_model_build(DemandModel *model, const DemandSeries *series,
				   double burst_evidence)
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
	model->working.age = age;
	model->working.spike_cap = 0;

	for (int i = 0; i < n; i++)
		days[i] = series->day[n - i];
	memcpy(weeks, series->week, sizeof(weeks));
	if (n >= MIN_DAYS)
	{
		excess = tame_days(model, days, n, weeks);
		sample = sample_make(days + (n - nn), nn);
	}
	model->working.spike_units = excess.units;
	model->working.spike_var = excess.var;
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
	demand_model_now(model, series, burst_evidence);
}
