/*-------------------------------------------------------------------------
 *
 * model.h
 *	  The constants of the forecast; doc/forecasting.md says how they were
 *	  chosen.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_MODEL_H
#define REPLENISH_MODEL_H

#include "forecast.h"

#define YOUNG_DAYS		4.0		/* without a sale, before the first one */
#define MIN_DAYS		14		/* before weekdays are told apart */
#define DAYS_USED		91		/* for the weekdays */
#define DAY_WEEKS		9		/* smoothed as days; earlier ones as weeks */
#define WEEKS_USED		105
#define GROWN_DAYS		28		/* before days and weeks are smoothed */
#define MIN_CAP_WEEKS	8
#define STRETCH			4		/* weeks whose sum a level has to forecast */
#define DAY_TEMPER		1.0		/* exponents of the errors in the weights, */
#define STRETCH_TEMPER	0.4		/* per observation: of a day, of a stretch */
#define WEEK_TEMPER		0.1		/* and of a stretch for the weekly level */
#define DAY_SHARE		0.75	/* of the daily in the level */
#define DAY_VARIANCE	0.3		/* of the daily in the variance */
#define STEADY_ALPHA	0.05	/* the memory in a threshold's variance */
#define START_DAYS		2		/* that a first level of days counts */
#define DOW_PRIOR		16.0
#define DAY_PRIOR		10.0	/* observations that say variance = level */
#define WEEK_PRIOR		16.0
#define DOUBT_SE		1.645	/* standard errors of the variance: 95 % */
#define INDEX_AGE		420
#define YEAR_WEEKS		60		/* weeks back that the year index looks */
#define INDEX_BASE		8		/* of them, to compare with */
#define INDEX_SPAN		3		/* weeks that the index of a week looks at */
#define INDEX_PRIOR		128.0	/* units that say no season */
#define INDEX_LIMIT		3.0

/* the smoothing constants of days, and of weeks with the same memory */
extern const double demand_day_alpha[DEMAND_ALPHAS];
extern const double demand_week_alpha[DEMAND_ALPHAS];

#endif							/* REPLENISH_MODEL_H */
