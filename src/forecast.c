/*-------------------------------------------------------------------------
 *
 * forecast.c
 *	  Demand over any horizon, its quantiles, and when it has eaten a stock.
 *
 * A stretch of time is measured twice: in days, and in the demand of those
 * days; within a day both run at the pace of the hour factors, and from week
 * to week at that of the year index.  So means and variances are continuous
 * in both ends, never fall as the horizon grows, and over whole days they are
 * what the weekday factors alone give.
 *
 * The growing spread could make the integer quantile fall.  Where it would,
 * that of the best whole number of days before holds.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "distribution.h"
#include "model.h"
#include "outlook.h"

#define SHOW_HOURS		2.0		/* that a burst goes on */
#define HALF_LIFE_HOURS 0.5		/* of a burst after that */
#define BATCH			16		/* quantiles computed together */

/* a moment, as days and as demand since the midnight before as_of */
typedef struct Moment
{
	double		days;
	double		demand;			/* in units of the level */
} Moment;

/* Place a moment on both clocks. */
static Moment
moment_at(const DemandModel *model, int64_t usec)
{
	int			day = model->weekday + (int) (usec / USECS_PER_UTC_DAY);
	int			week = day / 7;
	int			weekday = day % 7;
	int64_t		rest = usec % USECS_PER_UTC_DAY;
	int			hour = (int) (rest / USECS_PER_UTC_HOUR);
	double		part;
	double		factor;
	Moment		at;

	part = model->hour_sum[hour] + model->hour[hour] / 24 *
		((double) (rest % USECS_PER_UTC_HOUR) / USECS_PER_UTC_HOUR);
	factor = model->day_sum[weekday + 1] - model->day_sum[weekday];
	at.days = 7 * week + weekday + part;
	at.demand = week * model->day_sum[7] + model->day_sum[weekday] +
		factor * part;
	if (model->yearly)
	{
		double		before = model->year_sum[week];
		double		index = model->year_sum[week + 1] - before;

		at.days = 7 * before + (at.days - 7 * week) * index;
		at.demand = model->day_sum[7] * before +
			(at.demand - week * model->day_sum[7]) * index;
	}
	return at;
}

/* Days from Monday of as_of's week until so long after its midnight. */
double
demand_model_days(const DemandModel *model, int64_t usec)
{
	return moment_at(model, usec).days;
}

/* The variance of smoothing over h periods, h >= 0. */
static double
smoothing_variance(const DemandVariance *v, double h)
{
	return ((v->c[2] * h + v->c[1]) * h + v->c[0]) * h;
}

/* Mean and variance from start to end. */
static DemandForecast
forecast_between(const DemandModel *model, Moment start, Moment end)
{
	DemandForecast f;
	double		days = end.days - start.days;
	double		demand = end.demand - start.demand;

	f.mean = model->level * demand;
	f.var = smoothing_variance(&model->daily, days) +
		model->daily.spread * days * days;
	if (model->have_weeks)
	{
		double		weeks = days / 7;
		double		apart = model->level_daily - model->level_weekly;
		double		var;

		/* within the first week the errors are those of one week */
		if (weeks >= 1)
			var = smoothing_variance(&model->weekly, weeks);
		else
			var = smoothing_variance(&model->weekly, 1) * weeks;
		var += model->weekly.spread * days * days;
		f.var = DAY_VARIANCE * f.var + (1 - DAY_VARIANCE) * var +
			DAY_SHARE * (1 - DAY_SHARE) * demand * demand * apart * apart;
	}
	f.var = model->doubt * f.var + model->young * f.mean * f.mean;
	f.var = fmax(f.var, 0);
	return f;
}

/*
 * Units in [as_of, as_of + horizon).
 */
DemandForecast
demand_model_forecast(const DemandModel *model, int64_t horizon)
{
	int64_t		from = model->into_day;

	return forecast_between(model, moment_at(model, from),
							moment_at(model, from + horizon));
}

/*
 * A variance of the units in [as_of, as_of + horizon) for thresholds: from the
 * errors of a day and of a week, which hardly differ between the memories, and
 * one memory for all items.  Over a month or two the item's own memory counts
 * squared, and the evidence for it moves from day to day; a threshold that
 * moves without the demand costs stock.  A young item has no errors yet.
 */
double
demand_model_steady_variance(const DemandModel *model, int64_t horizon)
{
	double		days = demand_model_days(model, model->into_day + horizon) -
		demand_model_days(model, model->into_day);
	double		growth = 1 + STEADY_ALPHA * (days - 1) +
		STEADY_ALPHA * STEADY_ALPHA * (days - 1) * (2 * days - 1) / 6;

	if (!model->have_weeks)
		return demand_model_forecast(model, horizon).var;
	return days * growth *
		(DAY_VARIANCE * smoothing_variance(&model->daily, 1) +
		 (1 - DAY_VARIANCE) * smoothing_variance(&model->weekly, 1) / 7);
}

/*
 * Units in whole days from the UTC midnight at or before as_of.
 */
DemandForecast
demand_model_forecast_days(const DemandModel *model, int days)
{
	return forecast_between(model, moment_at(model, 0),
							moment_at(model, days * USECS_PER_UTC_DAY));
}

/*
 * Share of the count in a quantile.  A count that varies by much more than
 * its mean is nearly always none, and has its variance in a tail too far away
 * to be seen at usual probabilities; the wider demand of a week varies, the
 * more the normal counts.  The share is the same for all horizons, so that
 * quantiles rise with them.
 */
double
demand_model_count_share(const DemandModel *model)
{
	DemandForecast f = forecast_between(model, moment_at(model, 0),
										moment_at(model,
												  7 * USECS_PER_UTC_DAY));

	return f.mean > 0 ? f.mean / sqrt(f.mean * f.mean + f.var / 4) : 0;
}

/*
 * The quantile that belongs to a mean and a variance, from that of the count
 * and that of a normal value, cut at zero.
 */
static double
combine(double share, double count, DemandForecast f, double z)
{
	return share * count + (1 - share) * fmax(0, f.mean + z * sqrt(f.var));
}

/*
 * Whether a count of the shorter forecast may have a higher quantile than one
 * of the longer, which has at least its mean and variance.  Not if it has
 * neither the greater shape nor the greater ratio of variance to mean, for
 * then each of its probabilities lies lower.  Nor if the mean grew by a whole
 * unit, which outweighs the step to an integer, and faster than the shape
 * fell, and neither is extreme.
 */
static bool
may_exceed(DemandForecast shorter, DemandForecast longer)
{
	double		s = fmax(shorter.var - shorter.mean, 0);
	double		l = fmax(longer.var - longer.mean, 0);
	double		ss = shorter.mean * shorter.mean;
	double		ll = longer.mean * longer.mean;

	if (ss * l <= ll * s &&
		shorter.var * longer.mean <= longer.var * shorter.mean)
		return false;
	return longer.mean - shorter.mean < 1 || ll < 0.5 * l ||
		ss * shorter.mean * l > ll * longer.mean * s;
}

/*
 * Raise quantiles for p of .5 and more to those of fewer whole days.
 */
static void
raise_quantiles(const DemandModel *model, DemandForecast f, double share,
				int days, int n, const double *p, const double *z,
				double *quantile)
{
	Moment		start = moment_at(model, model->into_day);
	bool		done[BATCH];
	double		most[BATCH];	/* Cantelli's bound, in sd above the mean */
	double		tail[BATCH];	/* -ln(1 - p), for Chernoff's */
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		done[i] = p[i] < 0.5;
		most[i] = sqrt(p[i] / (1 - p[i]));
		tail[i] = -log(1 - p[i]);
		left += !done[i];
	}
	for (int day = days; day > 0 && left > 0; day--)
	{
		DemandForecast g = forecast_between(model, start,
											moment_at(model, model->into_day +
													  day * USECS_PER_UTC_DAY));
		double		var = fmax(g.var, g.mean);
		double		sd = sqrt(var);
		double		ratio = g.mean > 0 ? var / g.mean : INFINITY;
		double		count[BATCH];

		/*
		 * No fewer days can reach what is there, by Cantelli's bound alone or
		 * with Chernoff's: a count's n-th cumulant is at most (n - 1)! var
		 * (var / mean)^(n - 2), as that of a gamma value is.  As var / mean
		 * may be larger for fewer days, that holds for twice the ratio down
		 * to half the mean, and Cantelli's below.
		 */
		for (int i = 0; i < n; i++)
		{
			double		normal = (1 - share) * z[i] * sd;
			double		far = share * most[i] * sd + normal;
			double		near = share * (sqrt(2 * tail[i]) * sd +
										2 * tail[i] * ratio) + normal;

			if (!done[i] &&
				(g.mean + far <= quantile[i] ||
				 (g.mean + near <= quantile[i] &&
				  0.5 * g.mean + far <= quantile[i])))
			{
				done[i] = true;
				left--;
			}
		}
		if (left == 0 || !may_exceed(g, f))
			continue;
		count_quantiles(g.mean, g.var, n, p, count);
		for (int i = 0; i < n; i++)
			if (!done[i])
				quantile[i] = fmax(quantile[i],
								   combine(share, count[i], g, z[i]));
	}
}

/*
 * Quantiles of the units in [as_of, as_of + horizon).  For p of .5 and more
 * none is below that of fewer whole days.
 */
void
demand_model_quantiles(const DemandModel *model, int64_t horizon, int n,
					   const double *p, double *quantile)
{
	DemandForecast f = demand_model_forecast(model, horizon);
	double		share = demand_model_count_share(model);
	int			days = 0;

	if (horizon > 0)
		days = (int) ((horizon - 1) / USECS_PER_UTC_DAY);
	for (int i = 0; i < n; i += BATCH)
	{
		int			m = n - i < BATCH ? n - i : BATCH;
		double		z[BATCH] = {0};

		count_quantiles(f.mean, f.var, m, p + i, quantile + i);
		for (int j = 0; j < m; j++)
		{
			z[j] = normal_quantile(p[i + j]);
			quantile[i + j] = combine(share, quantile[i + j], f, z[j]);
		}
		raise_quantiles(model, f, share, days, m, p + i, z, quantile + i);
	}
}

/*
 * The quantile of demand with this mean and variance, in the shape that the
 * item's quantiles have.
 */
double
demand_model_shape(const DemandModel *model, DemandForecast f, double p)
{
	return combine(demand_model_count_share(model), count_quantile(f.mean, f.var, p), f,
				   normal_quantile(p));
}

/*
 * Expected units of a burst until so long after as_of: it goes on as long as
 * a show does, and then fades.  If it ends before, the next look will tell.
 */
static double
burst_units(const DemandModel *model, int64_t usec)
{
	double		hours = (double) usec / USECS_PER_UTC_HOUR;
	double		half_lives = fmax(hours - SHOW_HOURS, 0) / HALF_LIFE_HOURS;

	if (model->excess <= 0)
		return 0;
	return model->excess * (fmin(hours, SHOW_HOURS) -
							HALF_LIFE_HOURS / M_LN2 *
							expm1(-half_lives * M_LN2));
}

/*
 * Demand from start, which is as_of, until so long after it: expected, or a
 * quantile where p > 0; 0 where that is too far from the stock to matter.
 */
static double
demand_until(const DemandModel *model, const DemandOutlook *outlook,
			 Moment start, int64_t usec, double share, double stock, double p)
{
	DemandForecast f = forecast_between(model, start,
										moment_at(model, model->into_day +
												  usec));
	double		burst = burst_units(model, usec);

	f = outlook_apply(outlook_effect(model, outlook, usec), f);
	if (p <= 0)
		return f.mean + burst;

	/* Cantelli's bound spares the quantile of horizons far too short */
	if (f.mean + sqrt(fmax(f.var, f.mean) * p / (1 - p)) + burst < stock)
		return 0;
	return combine(share, count_quantile(f.mean, f.var, p), f,
				   normal_quantile(p)) + burst;
}

/*
 * First microsecond at which demand_until() reaches the stock: first among
 * whole days, then by halving the day before.
 */
static int64_t
first_reached(const DemandModel *model, const DemandOutlook *outlook,
			  double stock, double p)
{
	Moment		start = moment_at(model, model->into_day);
	double		share = p > 0 ? demand_model_count_share(model) : 0;
	int64_t		low;
	int64_t		high = 0;

	if (stock <= 0)
		return 0;
	do
	{
		low = high;
		if (low == FORECAST_LIMIT_USEC)
			return -1;
		high = low + USECS_PER_UTC_DAY;
	} while (demand_until(model, outlook, start, high, share, stock,
						  p) < stock);
	while (high - low > 1)
	{
		int64_t		mid = low + (high - low) / 2;

		if (demand_until(model, outlook, start, mid, share, stock, p) < stock)
			low = mid;
		else
			high = mid;
	}
	return high;
}

/*
 * Microseconds until the expected demand reaches the stock, -1 for never.
 */
int64_t
demand_model_eta(const DemandModel *model, const DemandOutlook *outlook,
				 double stock)
{
	return first_reached(model, outlook, stock, 0);
}

/*
 * Microseconds until demand reaches the stock with probability p, -1 for
 * never: the first time at which the quantile at 1 - p reaches it.
 */
int64_t
demand_model_eta_probable(const DemandModel *model,
						  const DemandOutlook *outlook,
						  double stock, double p)
{
	return first_reached(model, outlook, stock, 1 - p);
}
