/*-------------------------------------------------------------------------
 *
 * model.c
 *	  Level, rhythm, variance and present speed of a demand series.
 *
 * The level is simple exponential smoothing (Brown 1956) of days and of
 * weeks, for six smoothing constants each in one pass, weighted by how well
 * each would have forecast this series.  Weekdays and hours are factors that
 * are shrunk towards 1 by as much as the series is noisy.  A value beyond
 * eight standard deviations of the others is capped; what was cut off is
 * spread over all days.  The variance of H periods is that of smoothing
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

#define ALPHAS			6		/* smoothing constants side by side */
#define WARM_DAYS		14		/* a younger item counts as this old */
#define DAYS_USED		91
#define WEEKS_USED		105
#define MIN_WEEKS		4		/* whole weeks before weeks are smoothed */
#define MIN_CAP_WEEKS	8
#define CAP_SD			8.0
#define DAY_TEMPER		1.0		/* half the exponent of the weights, */
#define WEEK_TEMPER		0.075	/* per observation */
#define DAY_SHARE		0.65	/* of the daily in the level */
#define DOW_PRIOR		16.0
#define DAY_PRIOR		10.0	/* observations that say variance = level */
#define WEEK_PRIOR		16.0
#define INDEX_AGE		420
#define YEAR_WEEKS		61		/* weeks back that the year index looks */
#define HOURS_USED		167
#define BURST_EVIDENCE	16.0
#define BURST_UNITS		4.0
#define BURST_MINUTES	5		/* a bulk order is not a burst */
#define BURST_SPEED		25.0	/* units that make a speed */

static const double day_alpha[ALPHAS] = {.005, .02, .05, .1, .2, .35};
static const double week_alpha[ALPHAS] = {.02, .07, .15, .3, .5, .8};

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
 * Mean plus eight standard deviations, at least Poisson's, of the values
 * without the largest of them; there are at least 3.
 */
static double
spike_cap(const Sample *s)
{
	const double *x = s->x;
	int			n = s->n;
	int			largest = 0;
	double		mean;
	double		squares;
	double		off;

	for (int i = 1; i < n; i++)
		if (x[i] > x[largest])
			largest = i;
	off = x[largest] - s->mean;
	mean = s->mean - off / (n - 1);
	squares = s->squares - off * off * n / (n - 1);

	/* where the largest drowns the others, start again without it */
	if (squares < 1e-3 * s->squares)
	{
		mean = squares = 0;
		for (int i = 0; i < n; i++)
			mean += i == largest ? 0 : x[i];
		mean /= n - 1;
		for (int i = 0; i < n; i++)
			squares += i == largest ? 0 : (x[i] - mean) * (x[i] - mean);
	}
	return mean + CAP_SD * sqrt(fmax(fmax(squares / (n - 2), mean), 0));
}

/*
 * Turn sums of squared errors into mean squared errors and weights, which
 * fall with the n-th power of the error (tempered Bayesian averaging).
 */
static void
weigh(double *error, int n, double temper, double *weight)
{
	double		best = INFINITY;
	double		total = 0;

	for (int j = 0; j < ALPHAS; j++)
	{
		error[j] = (error[j] + 1e-9) / n;
		best = fmin(best, error[j]);
	}
	for (int j = 0; j < ALPHAS; j++)
	{
		double		power = temper * n;

		/* ln x >= 1 - 1/x: no logarithm for what cannot be seen */
		if (error[j] == best)
			weight[j] = 1;
		else if (power * (1 - best / error[j]) > 45)
			weight[j] = 0;
		else
			weight[j] = exp(-power * log(error[j] / best));
		total += weight[j];
	}
	for (int j = 0; j < ALPHAS; j++)
		weight[j] /= total;
}

/*
 * Variance of H periods over smoothing constants of these weights, errors
 * and levels: sum of w s2 H (1 + a (H - 1) + a^2 (H - 1) (2 H - 1) / 6), in
 * powers of H, and how far the levels lie apart.
 */
static DemandVariance
mix_variance(const double *alpha, const double *weight, const double *sigma2,
			 const double *level, double mean)
{
	DemandVariance v = {{0, 0, 0}, 0};

	for (int j = 0; j < ALPHAS; j++)
	{
		double		a = alpha[j];
		double		ws = weight[j] * sigma2[j];
		double		apart = level[j] - mean;

		v.c[0] += ws * (1 - a + a * a / 6);
		v.c[1] += ws * (a - a * a / 2);
		v.c[2] += ws * a * a / 3;
		v.spread += weight[j] * apart * apart;
	}
	return v;
}

/*
 * Weekday factors from the newest nn days, newest last.
 */
static void
weekday_factors(DemandModel *model, const double *tail, int nn, double mean)
{
	double		units[7] = {0};
	double		expected = mean * nn / 7.0 / model->phi;
	double		sum = 0;
	int			wd = (model->weekday + 7 * 14 - nn) % 7;

	for (int i = 0; i < nn; i++)
	{
		units[wd] += tail[i];
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
 * Hour factors from the past 167 hours, as far as the item has lived.
 */
static void
hour_factors(DemandModel *model, const DemandSeries *series, int hour)
{
	double		units[24] = {0};
	double		sum = 0;
	double		mean;
	int			lived;
	int			n;
	int			h = hour;

	for (int i = 0; i < 24; i++)
		model->hour[i] = 1;
	lived = DEMAND_HOURS - 1;
	if (series->age < 8)
		while (lived > 0 && series->hour[lived] == 0)
			lived--;
	n = lived / 24 * 24;
	if (n > HOURS_USED)
		n = HOURS_USED;
	if (n == 0 || !(model->level > 0))
		return;

	for (int k = 1; k <= n; k++)
	{
		h = h == 0 ? 23 : h - 1;
		units[h] += series->hour[k];
		sum += series->hour[k];
	}
	mean = sum / n;
	if (!(mean > 0))
		return;
	sum = 0;
	for (int i = 0; i < 24; i++)
	{
		/* of 167 hours, the present one comes once less than the others */
		int			times = n / 24 + (n % 24 != 0 && i != hour);

		model->hour[i] = (fmax(units[i], 0) + 2 * mean + 1) /
			(times * mean + 2 * mean + 1);
		sum += model->hour[i];
	}
	for (int i = 0; i < 24; i++)
		model->hour[i] *= 24 / sum;
}

/*
 * Find a burst: the window of full minutes, up to now, that the base rate
 * explains worst; and its speed.
 */
static void
find_burst(DemandModel *model, const DemandSeries *series)
{
	double		sum[DEMAND_MINUTES];
	double		best = 0;
	int			window = 0;
	int			selling = 0;

	model->velocity = model->base;
	model->excess = 0;
	model->burst_age = 0;

	sum[0] = 0;
	for (int k = 1; k < DEMAND_MINUTES; k++)
	{
		double		units = sum[k] = sum[k - 1] + series->minute[k];
		double		expected = model->base / 60 * k;
		double		bound;
		double		evidence;

		if (units < BURST_UNITS || units <= expected)
			continue;

		/* ln x <= x - 1: no logarithm for what cannot win */
		bound = 2 * (units - expected) * (units - expected) /
			fmax(expected, 1e-9);
		if (bound < BURST_EVIDENCE || bound <= best)
			continue;
		evidence = 2 * (units * log(units / fmax(expected, 1e-9)) -
						(units - expected));
		if (evidence >= BURST_EVIDENCE && evidence > best)
		{
			best = evidence;
			window = k;
		}
	}
	for (int k = 1; k <= window; k++)
		selling += series->minute[k] > 0;
	if (selling < BURST_MINUTES)
		return;

	model->burst_age = window;
	for (int k = 3; k < window; k++)
		if (sum[k] >= BURST_SPEED)
		{
			window = k;
			break;
		}
	model->velocity = 60 * sum[window] / window;
	model->excess = fmax(model->velocity - model->base, 0);
}

/*
 * Build the model from a series.
 */
void
demand_model_build(DemandModel *model, const DemandSeries *series)
{
	double		days[DAYS_USED];	/* oldest first */
	double		weeks[WEEKS_USED];
	double	   *tail;
	double		level[ALPHAS];
	double		error[ALPHAS] = {0};
	double		weight[ALPHAS];
	double		wlevel[ALPHAS];
	double		werror[ALPHAS] = {0};
	double		wweight[ALPHAS];
	double		inverse[7];
	double		start = -1;		/* of daily smoothing; negative: unknown */
	Sample		sample;			/* of whole weeks of days */
	double		mean;
	double		var;
	double		cap;
	double		cut = 0;		/* units above the cap */
	double		cut_var = 0;	/* and their part of the variance */
	double		share;
	int			age = series->age > 0 ? series->age : 0;
	bool		young = age < WARM_DAYS;
	int			old = young ? WARM_DAYS : age;
	int			n = old < DAYS_USED ? old : DAYS_USED;
	int			nn = n / 7 * 7;
	int			nw;
	int			wd;
	int64_t		today = series->as_of / USECS_PER_UTC_DAY;
	int			hour;

	/* the calendar; 1970-01-01 was a Thursday */
	model->into_day = series->as_of % USECS_PER_UTC_DAY;
	if (model->into_day < 0)
	{
		model->into_day += USECS_PER_UTC_DAY;
		today--;
	}
	model->weekday = (int) (((today + 3) % 7 + 7) % 7);
	hour = (int) (model->into_day / USECS_PER_UTC_HOUR);

	for (int i = 0; i < n; i++)
		days[i] = series->day[n - i];
	if (young)
		days[n - 1] += series->day[0];	/* today is much of what is known */

	/* mean and variance over whole weeks */
	tail = days + (n - nn);
	sample = sample_make(tail, nn);
	mean = sample.mean;
	var = sample.squares / (nn - 1);
	model->phi = mean > 0 ? fmax(var / mean, 1) : 1;
	if (mean > 0)
		weekday_factors(model, tail, nn, mean);
	else
		for (int i = 0; i < 7; i++)
			model->dow[i] = 1;

	/* smooth the weeks */
	nw = (old - model->weekday) / 7;
	if (nw > WEEKS_USED)
		nw = WEEKS_USED;
	model->have_weeks = nw >= MIN_WEEKS;
	if (model->have_weeks)
	{
		double		first = 0;

		for (int i = 0; i < nw; i++)
			weeks[i] = series->week[nw - i];
		for (int i = 0; i < MIN_WEEKS; i++)
			first += series->week[nw - i] / MIN_WEEKS;
		cap = INFINITY;
		if (nw >= MIN_CAP_WEEKS)
		{
			Sample		whole = sample_make(weeks, nw);

			cap = spike_cap(&whole);
		}
		for (int j = 0; j < ALPHAS; j++)
			wlevel[j] = first;
		for (int i = 0; i < nw; i++)
		{
			double		x = weeks[i] < cap ? weeks[i] : cap;

			for (int j = 0; j < ALPHAS; j++)
			{
				double		e = x - wlevel[j];

				/* the short form of level += alpha * e, for speed */
				werror[j] += e * e;
				wlevel[j] = wlevel[j] * (1 - week_alpha[j]) + week_alpha[j] * x;
			}
			if (nw - 1 - i == n / 7)
				start = wlevel[2] / 7;
		}
		weigh(werror, nw, WEEK_TEMPER, wweight);
		model->level_weekly = 0;
		for (int j = 0; j < ALPHAS; j++)
			model->level_weekly += wweight[j] * fmax(wlevel[j], 0) / 7;
	}

	/* smooth the days, without their weekdays */
	if (start < 0)
	{
		start = 0;
		for (int i = 0; i < WARM_DAYS; i++)
			start += days[i];
		start /= WARM_DAYS;
	}
	cap = spike_cap(&sample);
	for (int i = 0; i < 7; i++)
		inverse[i] = 1 / model->dow[i];
	for (int j = 0; j < ALPHAS; j++)
		level[j] = start;
	wd = (model->weekday + 7 * 14 - n) % 7;
	for (int i = 0; i < n; i++)
	{
		double		x = days[i];
		double		f = model->dow[wd];
		double		y;

		if (x > cap)
		{
			cut += x - cap;
			cut_var += (x - mean) * (x - mean) - (cap - mean) * (cap - mean);
			x = cap;
		}
		y = x * inverse[wd];
		for (int j = 0; j < ALPHAS; j++)
		{
			double		e = x - level[j] * f;

			error[j] += e * e;
			level[j] = level[j] * (1 - day_alpha[j]) + day_alpha[j] * y;
		}
		wd = wd == 6 ? 0 : wd + 1;
	}
	weigh(error, n, DAY_TEMPER, weight);
	cut_var /= n;
	model->level_daily = cut / n;
	for (int j = 0; j < ALPHAS; j++)
		model->level_daily += weight[j] * fmax(level[j], 0);

	if (!model->have_weeks)
		model->level_weekly = model->level_daily;
	share = model->have_weeks ? DAY_SHARE : 1;
	model->level = share * model->level_daily +
		(1 - share) * model->level_weekly;

	/* the variance */
	for (int j = 0; j < ALPHAS; j++)
		error[j] = (n * (error[j] + cut_var) + DAY_PRIOR * model->level) /
			(n + DAY_PRIOR);
	model->daily = mix_variance(day_alpha, weight, error, level,
								model->level_daily);
	if (model->have_weeks)
	{
		for (int j = 0; j < ALPHAS; j++)
		{
			wlevel[j] /= 7;
			werror[j] = (nw * werror[j] + WEEK_PRIOR * 7 * model->level) /
				(nw + WEEK_PRIOR);
		}
		model->weekly = mix_variance(week_alpha, wweight, werror, wlevel,
									 model->level_weekly);
	}
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

	/* now */
	hour_factors(model, series, hour);
	model->day_sum[0] = 0;
	for (int i = 0; i < 7; i++)
		model->day_sum[i + 1] = model->day_sum[i] +
			model->dow[(model->weekday + i) % 7];
	model->hour_sum[0] = 0;
	for (int i = 0; i < 24; i++)
		model->hour_sum[i + 1] = model->hour_sum[i] + model->hour[i] / 24;
	model->base = model->level * model->dow[model->weekday] *
		model->hour[hour] / 24;
	find_burst(model, series);
}
