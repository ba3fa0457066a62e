/*-------------------------------------------------------------------------
 *
 * inventory.h
 *	  When to order, how much, and how alarmed to be.  Knows nothing of
 *	  PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_INVENTORY_H
#define REPLENISH_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "demand.h"
#include "outlook.h"

/* the dynamic reorder point, and what it was made of */
typedef struct StockThreshold
{
	double		threshold;
	double		safety_stock;	/* threshold - mean */
	double		mean;			/* demand over lead time and review period */
	double		sd;				/* of that, the lead time's own included */
} StockThreshold;

/*
 * now is the model of the rings at as_of; horizon is the mean lead time plus
 * the review period
 */
extern StockThreshold demand_threshold(const DemandRings *rings,
									   int64_t as_of_usec,
									   const DemandModel *now,
									   const DemandOutlook *outlook,
									   int64_t horizon,
									   double lead_time_sd_days,
									   double service_level);

/* what constrains an order */
typedef struct OrderRule
{
	double		buffer;			/* share added to what is needed */
	double		moq;			/* smallest order, 0: any */
	double		multiple;		/* pack size, 0: any quantity */
	double		maximum;		/* largest order, may be infinite */
} OrderRule;

extern double reorder_quantity(double position, double threshold,
							   double target, const OrderRule *rule);

typedef enum StockTier
{
	TIER_NORMAL,
	TIER_YELLOW,
	TIER_ORANGE,
	TIER_RED
} StockTier;

#define STOCK_TIERS		4

extern const char *const stock_tier_label[STOCK_TIERS];

extern StockTier position_tier(double position, double threshold,
							   StockTier previous, double exit_margin);

#endif							/* REPLENISH_INVENTORY_H */
