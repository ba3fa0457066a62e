/*-------------------------------------------------------------------------
 *
 * velocity.c
 *	  How fast an item sells now: the rhythm of the hours, and bursts.
 *
 * A burst is the window of minutes that the base rate explains worst, by the
 * likelihood ratio of a Poisson process whose rate changed when the window
 * began.  A single bulk order also has a large ratio, hence the rule that a
 * burst sells in several minutes.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "forecast.h"

#define HOURS_USED		167
#define BURST_EVIDENCE	16.0
#define BURST_UNITS		4.0
#define BURST_MINUTES	5		/* a bulk order is not a burst */
#define BURST_SPEED		25.0	/* units that make a speed */

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
 * Fill in what the model says about the hours of a day and about now; the
 * level and the weekdays are there already.
 */
void
demand_model_now(DemandModel *model, const DemandSeries *series)
{
	int			hour = (int) (model->into_day / USECS_PER_UTC_HOUR);

	hour_factors(model, series, hour);
	model->hour_sum[0] = 0;
	for (int i = 0; i < 24; i++)
		model->hour_sum[i + 1] = model->hour_sum[i] + model->hour[i] / 24;
	model->base = model->level * model->dow[model->weekday] *
		model->hour[hour] / 24;
	find_burst(model, series);
}
