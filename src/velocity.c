/*-------------------------------------------------------------------------
 *
 * velocity.c
 *	  How fast an item sells now: the rhythm of the hours, and bursts.
 *
 * A burst is the window of minutes that the base rate explains worst, by the
 * likelihood ratio of a Poisson process whose rate changed when the window
 * began.  As a single bulk order also has a large ratio, the minutes with
 * sales have to show the same.  Its speed is that of the minutes since the
 * pace last changed, so that a show's end is seen as its beginning is.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "forecast.h"

#define HOURS_USED		167
#define BURST_UNITS		4.0
#define PACE_EVIDENCE	8.0		/* that the pace changed */
#define FASTER_MINUTES	2		/* that show a faster pace */
#define PAUSE_MINUTES	5		/* longer than this shows a slower one */
#define SPEED_UNITS		25.0	/* that make a speed, one by one */
#define SLOWEST			1.5		/* times the base rate */

/* the minutes before now, summed from the newest; [0] is nothing */
typedef struct Minutes
{
	double		units[DEMAND_MINUTES];
	double		squares[DEMAND_MINUTES];
	int			selling[DEMAND_MINUTES];	/* minutes with sales */
} Minutes;

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

/* Likelihood ratio of Poisson counts: seen where so much was expected. */
static double
evidence(double seen, double expected)
{
	return 2 * (seen * log(seen / fmax(expected, 1e-9)) - (seen - expected));
}

/*
 * The window of full minutes, up to now, whose units the base rate explains
 * worst; 0 where it explains all, where too few minutes sold, or where the
 * evidence of units or of selling minutes is less than needed.
 *
 * A bulk order has many units, but one minute.  Minutes with sales are
 * compared with hours with sales, which tells orders from units and needs
 * no list of orders.
 */
static int
burst_window(const DemandModel *model, const DemandSeries *series,
			 const Minutes *m, double needed)
{
	double		base = model->base / 60;
	double		pace = 1;		/* selling hours, at least one, per minute */
	double		best = needed;
	int			window = 0;

	for (int k = 1; k <= HOURS_USED; k++)
		pace += series->hour[k] > 0;
	pace /= HOURS_USED * 60;
	for (int k = 2; k < DEMAND_MINUTES; k++)
	{
		double		units = m->units[k];
		double		off = units - base * k;
		double		found;

		if (series->minute[k] <= 0 || units < BURST_UNITS || off <= 0 ||
			m->selling[k] <= pace * k)
			continue;

		/* ln x <= x - 1: no logarithm for what cannot win */
		if (2 * off * off <= best * fmax(base * k, 1e-9) ||
			evidence(m->selling[k], pace * k) < needed)
			continue;
		found = evidence(units, base * k);
		if (found > best)
		{
			best = found;
			window = k;
		}
	}
	return window;
}

/*
 * The part of a window, up to now, that sells at one pace: what is left when
 * no change within it is likely (binary segmentation; Scott and Knott 1974).
 * The evidence is divided by the variance over mean of minutes, as orders of
 * several units make it look larger.
 */
static int
steady_window(const Minutes *m, int window)
{
	int			split;

	do
	{
		double		units = m->units[window];
		double		mean = units / window;
		double		best = PACE_EVIDENCE;

		split = 0;
		for (int k = FASTER_MINUTES; k < window; k++)
		{
			double		seen = fmax(m->units[k], 0);
			double		before = units - seen;
			double		squares;
			double		found;

			if (before <= 0 ||
				(k <= PAUSE_MINUTES && seen * window < units * k))
				continue;
			squares = m->squares[window] - seen * seen / k -
				before * before / (window - k);
			found = 2 * (before * log(before / (window - k) / mean) +
						 (seen > 0 ? seen * log(seen / k / mean) : 0)) /
				fmax(squares / units, 1);
			if (found > best)
			{
				best = found;
				split = k;
			}
		}
		if (split > 0)
			window = split;
	} while (split > 0 && m->units[window] > 0);
	return window;
}

/*
 * Units per minute in a window whose first minute sold, and whose last but
 * for a pause: from order to order, so that it does not matter that both were
 * chosen for selling.
 */
static double
speed_of(const Minutes *m, int window, int pause)
{
	double		gaps = m->selling[window] - 1;

	if (gaps < 1)
		return m->units[window] / fmax(window - pause, 1);
	return m->units[window] * gaps / (gaps + 1) / (window - pause - 1);
}

/*
 * Find a burst, and its speed: that of the newest minutes that sold at one
 * pace and have enough units, times their variance over mean.  A short pause
 * does not slow it, a longer one ends it.
 */
static void
find_burst(DemandModel *model, const DemandSeries *series, double needed)
{
	Minutes		m;
	int			begin;
	int			window;
	int			pause = 0;
	int			k;
	double		speed;

	model->velocity = model->base;
	model->excess = 0;
	model->burst_age = 0;

	m.units[0] = m.squares[0] = m.selling[0] = 0;
	for (k = 1; k < DEMAND_MINUTES; k++)
	{
		double		units = series->minute[k];

		m.units[k] = m.units[k - 1] + units;
		m.squares[k] = m.squares[k - 1] + units * units;
		m.selling[k] = m.selling[k - 1] + (units > 0);
	}
	if (m.selling[DEMAND_MINUTES - 1] < 2)
		return;
	begin = burst_window(model, series, &m, needed);
	if (begin == 0)
		return;

	window = steady_window(&m, begin);
	if (m.units[window] <= 0 || m.selling[window] == 0)
		return;
	while (pause < PAUSE_MINUTES && series->minute[pause + 1] <= 0)
		pause++;
	for (k = pause + FASTER_MINUTES; k < window; k++)
	{
		double		units = m.units[k];
		double		ratio = m.squares[k] / fmax(units, 1e-9) - units / k;

		if (units >= SPEED_UNITS * fmax(ratio, 1))
			window = k;
	}
	while (series->minute[window] <= 0)
		window--;
	speed = 60 * speed_of(&m, window, fmin(pause, window - 1));
	if (speed <= SLOWEST * model->base)
		return;
	model->velocity = speed;
	model->excess = speed - model->base;
	model->burst_age = begin;
}

/*
 * Fill in what the model says about the hours of a day and about now; the
 * level and the weekdays are there already.
 */
void
demand_model_now(DemandModel *model, const DemandSeries *series,
				 double burst_evidence)
{
	int			hour = (int) (model->into_day / USECS_PER_UTC_HOUR);

	hour_factors(model, series, hour);
	model->hour_sum[0] = 0;
	for (int i = 0; i < 24; i++)
		model->hour_sum[i + 1] = model->hour_sum[i] + model->hour[i] / 24;
	model->base = model->level * model->dow[model->weekday] *
		model->hour[hour] / 24;
	find_burst(model, series, burst_evidence);
}
