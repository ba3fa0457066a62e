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

#include "model.h"
#include "spike.h"

const double demand_day_alpha[DEMAND_ALPHAS] = {
	.005, .02, .05, .1, .2, .35
};

/* the same memory in weeks: 1 - (1 - a)^7 */
const double demand_week_alpha[DEMAND_ALPHAS] = {
	.0345, .1319, .3017, .5217, .7903, .951
};

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
 * Weights from the evidence against each smoothing constant, and the level that
 * they give.
 */
static void
weigh(DemandSmoothing *s)
{
	double		best = INFINITY;
	double		total = 0;

	for (int j = 0; j < DEMAND_ALPHAS; j++)
		best = fmin(best, s->evidence[j]);
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		total += s->weight[j] = exp(best - s->evidence[j]);
	s->mean = 0;
	for (int j = 0; j < DEMAND_ALPHAS; j++)
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
mix_variance(const DemandSmoothing *s, const double *alpha, double prior,
			 double period)
{
	DemandVariance v = {{0, 0, 0}, 0};

	for (int j = 0; j < DEMAND_ALPHAS; j++)
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
	Spike		spike = spike_find(days, n, all.mean, all.squares);
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

/*
 * Smooth the n newest whole weeks, each constant no slower than the mean of
 * all weeks so far.  Note the levels per day from which to smooth days, that
 * many whole weeks ago, and the mean squared error with which each constant
 * would have forecast the sum of a stretch of weeks.
 */
static void
smooth_weeks(DemandSmoothing *s, const double *newest, int n, int ago,
			 double *start)
{
	double		weeks[WEEKS_USED];	/* oldest first */
	double		sum = 0;		/* of the stretch that begins here */
	int			stretches = n < STRETCH ? 1 : n - STRETCH + 1;
	Sample		all;
	double		cap = INFINITY;
	double		level[DEMAND_ALPHAS];
	double		error[DEMAND_ALPHAS] = {0};
	double		errors[DEMAND_ALPHAS] = {0};

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
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		level[j] = sum / (n < STRETCH ? n : STRETCH);
	for (int i = 0; i < n; i++)
	{
		double		x = weeks[i];
		double		slowest = 1.0 / (i + 1);
		double		whole = i + STRETCH <= n;

		if (i == n - ago)
			memcpy(start, level, sizeof(level));
		for (int j = 0; j < DEMAND_ALPHAS; j++)
		{
			double		e = x - level[j];
			double		es = whole * (sum - STRETCH * level[j]);
			double		gain = demand_week_alpha[j] > slowest ? demand_week_alpha[j] : slowest;

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
	for (int j = 0; j < DEMAND_ALPHAS; j++)
	{
		s->level[j] = level[j] / 7;
		s->error[j] = (error[j] + 1e-9) / n;
		start[j] /= 7;
		s->stretch[j] = (errors[j] + 1e-9) / stretches;
	}
}

/*
 * Smooth n days, oldest first, with their weekdays taken out.  The levels at
 * the start count as so many days.
 */
static void
smooth_days(DemandSmoothing *s, const DemandModel *model, const double *days, int n,
			const double *start, double start_days)
{
	double		inverse[7];
	double		level[DEMAND_ALPHAS];
	double		error[DEMAND_ALPHAS] = {0};
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

		for (int j = 0; j < DEMAND_ALPHAS; j++)
		{
			double		e = x - level[j] * f;
			double		gain = demand_day_alpha[j] > slowest ? demand_day_alpha[j] : slowest;

			error[j] += e * e;
			level[j] = level[j] * (1 - gain) + gain * y;
		}
		wd = wd == 6 ? 0 : wd + 1;
	}
	s->n = n;
	for (int j = 0; j < DEMAND_ALPHAS; j++)
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
	weigh(weekly);

	days += n - m;
	if (!started)
		for (int j = 0; j < DEMAND_ALPHAS; j++)
			start[j] = weekly->average;
	smooth_days(daily, model, days, m, start,
				started ? INFINITY : START_DAYS);
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		daily->evidence[j] += DAY_TEMPER * m * log(daily->error[j]);
	weigh(daily);
	daily->mean += excess.units;
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		daily->error[j] += excess.var;

	model->level_daily = daily->mean;
	model->level_weekly = weekly->mean;
	model->level = DAY_SHARE * daily->mean + (1 - DAY_SHARE) * weekly->mean;
	model->daily = mix_variance(daily, demand_day_alpha, DAY_PRIOR, model->level);
	model->weekly = mix_variance(weekly, demand_week_alpha, WEEK_PRIOR,
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
demand_model_build(DemandModel *model, const DemandSeries *series)
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
	demand_model_now(model, series);
}
