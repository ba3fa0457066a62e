/*-------------------------------------------------------------------------
 *
 * textbook.h
 *	  The classical formulas of inventory control, for people with their own
 *	  numbers.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_TEXTBOOK_H
#define REPLENISH_TEXTBOOK_H

#include <stdbool.h>

/* how demand is distributed */
typedef enum DemandShape
{
	SHAPE_NORMAL,
	SHAPE_GAMMA,
	SHAPE_NEGATIVE_BINOMIAL
} DemandShape;

typedef struct TextbookDemand
{
	double		mean;
	double		sd;
	DemandShape shape;
} TextbookDemand;

/* over a lead time, from demand per period and lead time in periods */
extern TextbookDemand textbook_lead_time_demand(double demand_mean,
												double demand_sd,
												double lead_time_mean,
												double lead_time_sd,
												DemandShape shape);

/* what is not exceeded with probability p; what that holds over the mean */
extern double textbook_quantile(const TextbookDemand *d, double p);
extern double textbook_safety_stock(const TextbookDemand *d, double p);

/* expected part of demand that is not met from x units: E max(D - x, 0) */
extern double textbook_loss(const TextbookDemand *d, double x);

/*
 * Share of demand met from stock, and the least reorder point that reaches
 * one; exact where a shortage may outlast its cycle.
 */
extern double textbook_fill_rate(const TextbookDemand *d,
								 double reorder_point, double order_qty,
								 bool exact);
extern double textbook_fill_rate_point(const TextbookDemand *d,
									   double fill_rate, double order_qty,
									   bool exact);

/* order quantity with the least cost of ordering and holding */
extern double textbook_order_quantity(double demand, double order_cost,
									  double holding_cost);

/* one order for one season */
typedef struct Newsvendor
{
	double		order_qty;
	double		critical_ratio;
	double		sales;			/* expected, as all that follows */
	double		leftover;
	double		profit;
} Newsvendor;

extern Newsvendor textbook_newsvendor(const TextbookDemand *d, double price,
									  double cost, double salvage);

/* the classes of demand, PATTERN_NONE where they do not show */
typedef enum DemandPattern
{
	PATTERN_NONE,
	PATTERN_SMOOTH,
	PATTERN_ERRATIC,
	PATTERN_INTERMITTENT,
	PATTERN_LUMPY
} DemandPattern;

/* of the units in n periods */
extern DemandPattern textbook_pattern(const double *units, int n);

#endif							/* REPLENISH_TEXTBOOK_H */
