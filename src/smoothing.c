/*-------------------------------------------------------------------------
 *
 * smoothing.c
 *	  Six memories of a series side by side: simple exponential smoothing
 *	  (Brown 1956) of weeks and of days, no slower than a running mean.
 *
 * Which memory suits the series, its errors tell; see smooth_weigh().
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "smoothing.h"
#include "spike.h"

const double demand_day_alpha[DEMAND_ALPHAS] = {
	.005, .02, .05, .1, .2, .35
};

/* the same memory in weeks: 1 - (1 - a)^7 */
const double demand_week_alpha[DEMAND_ALPHAS] = {
	.0345, .1319, .3017, .5217, .7903, .951
};

/*
 * Weights from the evidence against each smoothing constant, and the level that
 * they give.
 */
void
smooth_weigh(DemandSmoothing *s)
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
DemandVariance
smooth_variance(const DemandSmoothing *s, const double *alpha, double prior,
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
 * Smooth the n newest whole weeks, each constant no slower than the mean of
 * all weeks so far.  Note the levels per day from which to smooth days, that
 * many whole weeks ago, and the mean squared error with which each constant
 * would have forecast the sum of a stretch of weeks.
 */
void
smooth_weeks(DemandSmoothing *s, const double *newest, int n, int ago,
			 double *start)
{
	double		weeks[WEEKS_USED] = {0};	/* oldest first */
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
		cap = spike_find(&all).cap;
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
void
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
