/*-------------------------------------------------------------------------
 *
 * forecast.c
 *	  Demand over any horizon, its quantiles, and when it has eaten a stock.
 *
 * A stretch of time is measured twice: in days, and in the demand of those
 * days; within a day both run at the pace of the hour factors.  So means and
 * variances are continuous in both ends, and over whole days they are what
 * the weekday factors alone give.
 *
 * Demand cannot fall as the horizon grows, but the year index could make the
 * mean fall, and the growing spread the integer quantile.  Where they would,
 * the value of the best whole number of days before holds.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "distribution.h"
#include "forecast.h"

#define DAY_SHARE		0.65	/* of the daily level */
#define DAY_VARIANCE	0.3		/* of the daily variance */
#define INDEX_PRIOR		256.0
#define INDEX_POWER		0.7
#define INDEX_LOW		0.33
#define INDEX_HIGH		3.0
#define INDEX_DAYS		364		/* the year that keeps the weekday */
#define INDEX_BASE		56		/* days before it to compare with */
#define HALF_LIFE_HOURS 1.0		/* of a burst */
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
	int64_t		day = usec / USECS_PER_UTC_DAY;
	int64_t		rest = usec % USECS_PER_UTC_DAY;
	int			hour = (int) (rest / USECS_PER_UTC_HOUR);
	double		part;
	double		factor;
	Moment		at;

	part = model->hour_sum[hour] + model->hour[hour] / 24 *
		((double) (rest % USECS_PER_UTC_HOUR) / USECS_PER_UTC_HOUR);
	factor = model->day_sum[day % 7 + 1] - model->day_sum[day % 7];
	at.days = day + part;
	at.demand = (double) (day / 7) * model->day_sum[7] +
		model->day_sum[day % 7] + factor * part;
	return at;
}

/* Units from 61 weeks ago until this many days from today. */
static double
units_until(const DemandModel *model, double days)
{
	double		place = 61 + (days + model->weekday) / 7;
	int			i;

	place = fmin(fmax(place, 0), 61);
	i = (int) place;
	return model->past[i] + (place - i) * (model->past[i + 1] - model->past[i]);
}

/*
 * How the same days a year ago compared with the eight weeks before them.
 */
static double
year_ratio(const DemandModel *model, double start, double end)
{
	double		then = units_until(model, end - INDEX_DAYS) -
		units_until(model, start - INDEX_DAYS);
	double		before = (units_until(model, -INDEX_DAYS) -
						  units_until(model, -INDEX_DAYS - INDEX_BASE)) *
		(end - start) / INDEX_BASE;
	double		ratio;

	/* more returned than sold may turn the signs; the limits hold it */
	then = then / model->phi + INDEX_PRIOR;
	before = before / model->phi + INDEX_PRIOR;
	ratio = before != 0 ? then / before : 1;
	return fmin(fmax(ratio, INDEX_LOW), INDEX_HIGH);
}

/* The factor for forecasts that follows from it. */
static double
year_index(double ratio)
{
	return ratio == 1 ? 1 : exp(INDEX_POWER * log(ratio));
}

/* The variance of smoothing over h periods, h >= 0. */
static double
smoothing_variance(const DemandVariance *v, double h)
{
	return ((v->c[2] * h + v->c[1]) * h + v->c[0]) * h;
}

/* Mean and variance from start to end, as if no year were like another. */
static DemandForecast
forecast_plain(const DemandModel *model, Moment start, Moment end)
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

/* Mean and variance from start to end, just by the formula. */
static DemandForecast
forecast_between(const DemandModel *model, Moment start, Moment end)
{
	DemandForecast f = forecast_plain(model, start, end);

	if (model->yearly)
	{
		double		index = year_index(year_ratio(model, start.days,
												  end.days));

		f.mean *= index;
		f.var *= index * index;
	}
	return f;
}

/*
 * Forecast of whole days, raised to those of fewer days where the year index
 * lets it fall; what a year index can do at most ends the search.
 */
static DemandForecast
forecast_whole_days(const DemandModel *model, int64_t from, int days)
{
	static const double most = 2.16;	/* INDEX_HIGH ^ INDEX_POWER, and more */
	Moment		start = moment_at(model, from);
	Moment		whole = moment_at(model, from + days * USECS_PER_UTC_DAY);
	DemandForecast f = forecast_plain(model, start, whole);
	double		ratio;
	double		index;

	if (!model->yearly)
		return f;
	ratio = year_ratio(model, start.days, whole.days);
	index = year_index(ratio);
	f.mean *= index;
	f.var *= index * index;
	for (int day = days - 1; day > 0; day--)
	{
		Moment		end = moment_at(model, from + day * USECS_PER_UTC_DAY);
		DemandForecast g = forecast_plain(model, start, end);
		double		then;
		double		bound;

		if (g.mean * most <= f.mean && g.var * most * most <= f.var)
			break;

		/* x^a <= 1 + a (x - 1): no power for what cannot be the most */
		then = year_ratio(model, start.days, end.days);
		bound = index * (1 + INDEX_POWER * (then / ratio - 1));
		if (g.mean * bound <= f.mean && g.var * bound * bound <= f.var)
			continue;
		then = year_index(then);
		f.mean = fmax(f.mean, g.mean * then);
		f.var = fmax(f.var, g.var * then * then);
	}
	return f;
}

/* The next longer forecast, raised to the one of a day less. */
static DemandForecast
forecast_next_day(const DemandModel *model, int64_t from, int days,
				  DemandForecast less)
{
	DemandForecast f = forecast_between(model, moment_at(model, from),
										moment_at(model, from +
												  days * USECS_PER_UTC_DAY));

	f.mean = fmax(f.mean, less.mean);
	f.var = fmax(f.var, less.var);
	return f;
}

/*
 * Forecast that ends within a day, at the pace of that day between the two of
 * whole days around it: a year index of parts of days could turn back.
 */
static DemandForecast
forecast_part_day(const DemandModel *model, int64_t from, int64_t horizon,
				  DemandForecast less, DemandForecast more)
{
	int64_t		whole = horizon / USECS_PER_UTC_DAY * USECS_PER_UTC_DAY;
	Moment		a = moment_at(model, from + whole);
	Moment		b = moment_at(model, from + whole + USECS_PER_UTC_DAY);
	Moment		end = moment_at(model, from + horizon);
	double		demand = (end.demand - a.demand) / (b.demand - a.demand);
	double		days = (end.days - a.days) / (b.days - a.days);
	DemandForecast f;

	f.mean = less.mean + (more.mean - less.mean) * demand;
	f.var = less.var + (more.var - less.var) * days;
	return f;
}

/*
 * Units in [as_of, as_of + horizon).
 */
DemandForecast
demand_model_forecast(const DemandModel *model, int64_t horizon)
{
	int64_t		from = model->into_day;
	int			days = (int) (horizon / USECS_PER_UTC_DAY);
	DemandForecast less = {0, 0};

	if (!model->yearly)
		return forecast_between(model, moment_at(model, from),
								moment_at(model, from + horizon));
	if (days > 0)
		less = forecast_whole_days(model, from, days);
	if (horizon % USECS_PER_UTC_DAY == 0)
		return less;
	return forecast_part_day(model, from, horizon, less,
							 forecast_next_day(model, from, days + 1, less));
}

/*
 * Units in whole days from the UTC midnight at or before as_of.
 */
DemandForecast
demand_model_forecast_days(const DemandModel *model, int days)
{
	return forecast_whole_days(model, 0, days);
}

/*
 * Share of the count in a quantile.  A count that varies by much more than
 * its mean is nearly always none, and has its variance in a tail too far away
 * to be seen at usual probabilities; the wider demand of a week varies, the
 * more the normal counts.  The share is the same for all horizons, so that
 * quantiles rise with them.
 */
static double
count_share(const DemandModel *model)
{
	DemandForecast f = forecast_plain(model, moment_at(model, 0),
									  moment_at(model, 7 * USECS_PER_UTC_DAY));

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
	DemandForecast shorter[FORECAST_DAYS + 1];
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
	if (model->yearly)
	{
		shorter[0].mean = shorter[0].var = 0;
		for (int day = 1; day <= days; day++)
			shorter[day] = forecast_next_day(model, model->into_day, day,
											 shorter[day - 1]);
	}
	for (int day = days; day > 0 && left > 0; day--)
	{
		DemandForecast g = model->yearly ? shorter[day] :
			forecast_whole_days(model, model->into_day, day);
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
	double		share = count_share(model);
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
	return combine(count_share(model), count_quantile(f.mean, f.var, p), f,
				   normal_quantile(p));
}

/* Expected units of a burst until so long after as_of. */
static double
burst_units(const DemandModel *model, int64_t usec)
{
	double		half_lives;

	if (model->excess <= 0)
		return 0;
	half_lives = (double) usec / USECS_PER_UTC_HOUR / HALF_LIFE_HOURS;
	return model->excess * HALF_LIFE_HOURS / M_LN2 *
		-expm1(-half_lives * M_LN2);
}

/*
 * Demand until so long after as_of, of which f is the forecast: expected, or
 * a quantile where p > 0; 0 where that is too far from the stock to matter.
 */
static double
demand_until(const DemandModel *model, int64_t usec, DemandForecast f,
			 double share, double stock, double p)
{
	double		burst = burst_units(model, usec);

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
first_reached(const DemandModel *model, double stock, double p)
{
	Moment		start = moment_at(model, model->into_day);
	DemandForecast less;
	DemandForecast more = {0, 0};
	double		share = p > 0 ? count_share(model) : 0;
	int64_t		low;
	int64_t		high;
	int			day = 0;

	if (stock <= 0)
		return 0;
	do
	{
		if (++day > FORECAST_DAYS)
			return -1;
		less = more;
		more = forecast_next_day(model, model->into_day, day, less);
		high = day * USECS_PER_UTC_DAY;
	} while (demand_until(model, high, more, share, stock, p) < stock);
	low = high - USECS_PER_UTC_DAY;
	while (high - low > 1)
	{
		int64_t		mid = low + (high - low) / 2;
		DemandForecast f;

		if (model->yearly)
			f = forecast_part_day(model, model->into_day, mid, less, more);
		else
			f = forecast_between(model, start,
								 moment_at(model, model->into_day + mid));
		if (demand_until(model, mid, f, share, stock, p) < stock)
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
demand_model_eta(const DemandModel *model, double stock)
{
	return first_reached(model, stock, 0);
}

/*
 * Microseconds until demand reaches the stock with probability p, -1 for
 * never: the first time at which the quantile at 1 - p reaches it.
 */
int64_t
demand_model_eta_probable(const DemandModel *model, double stock, double p)
{
	return first_reached(model, stock, 1 - p);
}
