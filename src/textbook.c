/*-------------------------------------------------------------------------
 *
 * textbook.c
 *	  The classical formulas of inventory control, for people with their own
 *	  numbers.
 *
 * doc/formulas.md has each with its source.  All that is said of service
 * comes from two functions of the demand in question: its quantile and its
 * loss, the expected part of it that a stock does not cover.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>

#include "distribution.h"
#include "textbook.h"

/* mean over sd beyond which a demand has no spread to speak of */
#define CERTAIN			1e8

/* the lines between the classes (Syntetos, Boylan and Croston 2005) */
#define PATTERN_INTERVAL	1.32	/* periods per period with demand */
#define PATTERN_CV2			0.49	/* squared coefficient of variation */

/*
 * Demand over a lead time: the mean is d L, the variance that of L periods
 * and that of the lead time.
 */
TextbookDemand
textbook_lead_time_demand(double demand_mean, double demand_sd,
						  double lead_time_mean, double lead_time_sd,
						  DemandShape shape)
{
	TextbookDemand d;

	d.mean = demand_mean * lead_time_mean;
	d.sd = hypot(sqrt(lead_time_mean) * demand_sd, demand_mean * lead_time_sd);
	d.shape = shape;
	return d;
}

/* Whether a continuous demand is as good as its mean. */
static bool
is_certain(const TextbookDemand *d)
{
	if (d->shape == SHAPE_GAMMA)
		return d->mean <= 0 || d->sd * CERTAIN <= d->mean;
	return d->shape == SHAPE_NORMAL && d->sd <= 0;
}

/*
 * Demand that is not exceeded with probability p; of counts, the smallest
 * whole number.
 */
double
textbook_quantile(const TextbookDemand *d, double p)
{
	double		ratio;

	if (is_certain(d))
		return d->mean;
	switch (d->shape)
	{
		case SHAPE_GAMMA:
			ratio = d->mean / d->sd;
			return gamma_quantile(ratio * ratio, p) * d->sd / ratio;
		case SHAPE_NEGATIVE_BINOMIAL:
			return count_quantile(d->mean, d->sd * d->sd, p);
		case SHAPE_NORMAL:
			break;
	}
	return d->mean + normal_quantile(p) * d->sd;
}

/*
 * What the quantile holds beyond the mean.
 */
double
textbook_safety_stock(const TextbookDemand *d, double p)
{
	if (d->shape == SHAPE_NORMAL)
		return normal_quantile(p) * d->sd;
	return textbook_quantile(d, p) - d->mean;
}

/*
 * The expected part of demand beyond x.
 */
double
textbook_loss(const TextbookDemand *d, double x)
{
	double		ratio;

	if (is_certain(d))
		return fmax(d->mean - x, 0);
	switch (d->shape)
	{
		case SHAPE_GAMMA:
			ratio = d->mean / d->sd;
			return gamma_loss(ratio * ratio, x / d->sd * ratio) * d->sd / ratio;
		case SHAPE_NEGATIVE_BINOMIAL:
			return count_loss(d->mean, d->sd * d->sd, x);
		case SHAPE_NORMAL:
			break;
	}
	return normal_loss((x - d->mean) / d->sd) * d->sd;
}

/*
 * Units expected to become short in a cycle, where order_qty units are
 * ordered as soon as the position falls to the reorder point.  Exactly, those
 * are not among them that were short before the last order arrived.
 */
static double
cycle_shortage(const TextbookDemand *d, double reorder_point,
			   double order_qty, bool exact)
{
	double		shortage = textbook_loss(d, reorder_point);

	if (exact)
		shortage -= textbook_loss(d, reorder_point + order_qty);
	return shortage;
}

/*
 * Share of demand that is met from stock; 0 where more is short in a cycle
 * than is ordered.
 */
double
textbook_fill_rate(const TextbookDemand *d, double reorder_point,
				   double order_qty, bool exact)
{
	double		shortage = cycle_shortage(d, reorder_point, order_qty, exact);

	if (shortage <= 0)
		return 1;
	if (shortage >= order_qty)
		return 0;
	return 1 - shortage / order_qty;
}

/*
 * The least reorder point, 0 or more and whole for counts, with which the
 * fill rate is reached.
 */
double
textbook_fill_rate_point(const TextbookDemand *d, double fill_rate,
						 double order_qty, bool exact)
{
	bool		whole = d->shape == SHAPE_NEGATIVE_BINOMIAL;
	double		most = (1 - fill_rate) * order_qty; /* to be short of */
	double		low = 0;
	double		high;
	double		step = ceil(d->sd) + 1;

	if (cycle_shortage(d, low, order_qty, exact) <= most)
		return low;
	for (high = floor(d->mean) + 1;
		 cycle_shortage(d, high, order_qty, exact) > most; high += step)
	{
		low = high;
		step *= 2;
	}
	for (;;)
	{
		double		mid = low + (high - low) / 2;

		if (whole)
			mid = floor(mid);
		if (!(mid > low && mid < high))
			return high;
		if (cycle_shortage(d, mid, order_qty, exact) > most)
			low = mid;
		else
			high = mid;
	}
}

/*
 * The square root formula.
 */
double
textbook_order_quantity(double demand, double order_cost, double holding_cost)
{
	return sqrt(2 * demand * order_cost / holding_cost);
}

/*
 * The best single order for a demand, whose leftovers bring the salvage
 * value, which is below the cost.  Nothing where that earns the most.
 */
Newsvendor
textbook_newsvendor(const TextbookDemand *d, double price, double cost,
					double salvage)
{
	Newsvendor	n = {0, 0, 0, 0, 0};

	if (price <= cost)
		return n;
	n.critical_ratio = (price - cost) / (price - salvage);
	n.order_qty = fmax(textbook_quantile(d, fmin(n.critical_ratio,
												 1 - DBL_EPSILON)), 0);
	if (n.order_qty <= 0)
		return n;
	n.sales = d->mean - textbook_loss(d, n.order_qty);
	n.leftover = n.order_qty - n.sales;
	n.profit = (price - cost) * n.sales - (cost - salvage) * n.leftover;
	return n;
}

/*
 * The class of a demand: by how many of the periods it comes in, and by how
 * much it varies when it comes.  One period tells neither.
 */
DemandPattern
textbook_pattern(const double *units, int n)
{
	int			sold = 0;
	double		mean = 0;
	double		squares = 0;	/* of the deviations from the mean */
	bool		rare;
	bool		varied;

	for (int i = 0; i < n; i++)
		if (units[i] > 0)
		{
			double		off = units[i] - mean;

			mean += off / ++sold;
			squares += off * (units[i] - mean);
		}
	if (n < 2 || sold == 0)
		return PATTERN_NONE;
	rare = n >= PATTERN_INTERVAL * sold;
	varied = sold > 1 && squares / (sold - 1) >= PATTERN_CV2 * mean * mean;
	if (varied)
		return rare ? PATTERN_LUMPY : PATTERN_ERRATIC;
	return rare ? PATTERN_INTERMITTENT : PATTERN_SMOOTH;
}
