/*-------------------------------------------------------------------------
 *
 * inventory.c
 *	  When to order, how much, and how alarmed to be.
 *
 * Quantities have six decimals where they are stored and many more digits
 * here, so two of them that differ by less than half of the last decimal are
 * the same quantity that was computed in two ways: 12.0000001 units are a
 * dozen, and a position that was ordered up to a line is on it.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>

#include "distribution.h"
#include "inventory.h"

const char *const stock_tier_label[STOCK_TIERS] = {
	"normal", "yellow", "orange", "red"
};

/* how many forecasts make a threshold, and how many days apart */
#define STEADY_FORECASTS	7
#define STEADY_STEP			2

/* a position below this share of the threshold is in the tier */
static const double tier_line[STOCK_TIERS] = {INFINITY, 1.5, 1.0, 0.5};

/*
 * How much a quantity of this size may be off without being another one;
 * proportionally less for quantities below 1.
 */
static double
noise(double quantity)
{
	double		size = fabs(quantity);

	return fmax(fmin(size, 1) * 5e-7, size * 4 * DBL_EPSILON);
}

/*
 * Mean and variance over the horizon for a threshold.  A day's orders lower
 * the position and raise the forecast at once; an order-up-to level that
 * follows at once as well orders for them twice, and what it has ordered stays
 * (Chen, Drezner, Ryan and Simchi-Levi 2000).  So the mean is that of the
 * forecasts of now and of the same time of every second day in the two weeks
 * before, which is each weekday once.  A young item has no such days.
 */
static DemandForecast
steady_forecast(const DemandRings *rings, int64_t as_of_usec,
				const DemandModel *now, int64_t horizon)
{
	DemandForecast f = demand_model_forecast(now, horizon);
	int			n = 1;

	for (; now->have_weeks && n < STEADY_FORECASTS; n++)
	{
		DemandSeries series;
		DemandModel then;

		if (!demand_series(rings,
						   as_of_usec - n * STEADY_STEP * USECS_PER_UTC_DAY,
						   &series))
			break;
		demand_model_build(&then, &series, BURST_EVIDENCE);
		if (!then.have_weeks)
			break;
		f.mean += demand_model_forecast(&then, horizon).mean;
	}
	f.mean /= n;
	f.var = demand_model_steady_variance(now, horizon);
	return f;
}

/*
 * Threshold: the quantile at the service level of the demand over the
 * horizon, whose variance is the forecast's plus what the lead time adds.  The
 * outlook does to the mean of the forecasts what it does to that of now.
 */
StockThreshold
demand_threshold(const DemandRings *rings, int64_t as_of_usec,
				 const DemandModel *now, const DemandOutlook *outlook,
				 int64_t horizon,
				 double lead_time_sd_days, double service_level)
{
	DemandForecast f = steady_forecast(rings, as_of_usec, now, horizon);
	double		days = (double) horizon / USECS_PER_UTC_DAY;
	double		rate;
	StockThreshold t;

	f = outlook_apply(outlook_effect(now, outlook, horizon), f);
	rate = horizon > 0 ? f.mean / days : 0;
	f.var += rate * rate * lead_time_sd_days * lead_time_sd_days;
	t.threshold = floor(demand_model_shape(now, f, service_level) + 0.5);
	t.safety_stock = t.threshold - f.mean;
	t.mean = f.mean;
	t.sd = sqrt(f.var);
	return t;
}

/*
 * How much to order: 0 while the position is not below the threshold, else
 * what the target lacks and the buffer, at least the MOQ, up to the multiple,
 * and at most the maximum down to the multiple.  0 as well where no multiple
 * lies between MOQ and maximum: there is nothing that may be ordered.
 */
double
reorder_quantity(double position, double threshold, double target,
				 const OrderRule *rule)
{
	double		wanted;
	double		most = rule->maximum;

	if (position >= threshold - noise(threshold))
		return 0;
	wanted = fmax((target - position) * (1 + rule->buffer), rule->moq);
	if (rule->multiple > 0)
	{
		wanted = ceil((wanted - noise(wanted)) / rule->multiple) *
			rule->multiple;
		if (!isinf(most))
			most = floor((most + noise(most)) / rule->multiple) *
				rule->multiple;
	}
	if (wanted > most)
		wanted = most;
	if (wanted < rule->moq - noise(rule->moq))
		return 0;
	return wanted;
}

/*
 * Tier of a position: strictly below 150, 100 or 50 % of the threshold, and
 * no better than the tiers up to the previous one that it has not left, by
 * passing their line times 1 + margin.  Exactly there is not past it, unless
 * the margin is 0, which makes the previous tier count for nothing.
 */
StockTier
position_tier(double position, double threshold, StockTier previous,
			  double exit_margin)
{
	StockTier	tier = TIER_RED;

	if (threshold <= 0)
		return position < 0 ? TIER_RED : TIER_NORMAL;
	for (; tier > TIER_NORMAL; tier--)
	{
		double		line = threshold * tier_line[tier];
		double		leave = line * (1 + exit_margin);

		if (position < line - noise(line))
			break;
		if (tier <= previous && exit_margin > 0 &&
			position <= leave + noise(leave))
			break;
	}
	return tier;
}
