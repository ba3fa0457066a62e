/*-------------------------------------------------------------------------
 *
 * forecast.h
 *	  What a demand series says about the time after it.  Knows nothing of
 *	  PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_FORECAST_H
#define REPLENISH_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#include "series.h"

#define USECS_PER_UTC_HOUR	(60 * USECS_PER_UTC_MINUTE)
#define USECS_PER_UTC_DAY	(24 * USECS_PER_UTC_HOUR)

/* how far ahead a forecast reaches */
#define FORECAST_DAYS		366
#define FORECAST_WEEKS		54	/* that 366 days can touch */
#define FORECAST_LIMIT_USEC (FORECAST_DAYS * USECS_PER_UTC_DAY)

/* variance of H periods: ((c[2] H + c[1]) H + c[0]) H, beside the spread */
typedef struct DemandVariance
{
	double		c[3];
	double		spread;			/* times H squared */
} DemandVariance;

/* likelihood ratio that makes a burst, unless the caller says another */
#define BURST_EVIDENCE		22.0

#define DEMAND_ALPHAS	6		/* smoothing constants side by side */

/* what smoothing leaves behind, per smoothing constant; units per day */
typedef struct DemandSmoothing
{
	int			n;				/* periods */
	double		level[DEMAND_ALPHAS];
	double		error[DEMAND_ALPHAS];	/* squared, of one period, mean */
	double		stretch[DEMAND_ALPHAS]; /* of weeks: of four of them together */
	double		evidence[DEMAND_ALPHAS];	/* against it */
	double		weight[DEMAND_ALPHAS];
	double		mean;			/* the level of all, never negative */
	double		average;		/* of all periods */
} DemandSmoothing;

/* what the model was made of, for those who want to see its working */
typedef struct DemandWorking
{
	int			age;			/* in days */
	int			days;			/* that the weekdays were told from */
	double		mean;			/* of those */
	double		var;
	double		weekday_units[7];
	double		spike_cap;		/* 0 where no day was looked at */
	double		spike_share;
	double		spike_units;	/* per day */
	double		spike_var;
	double		lived;			/* of a young item: days, */
	double		units;			/* units, and their sum of squares */
	double		squares;
	DemandSmoothing daily;
	DemandSmoothing weekly;
} DemandWorking;

typedef struct DemandModel
{
	/* the level: units per day */
	double		level;
	double		level_daily;	/* from smoothing days */
	double		level_weekly;	/* from smoothing weeks */
	double		phi;			/* variance over mean of a day, at least 1 */
	double		dow[7];			/* weekday factors from Monday; mean 1 */
	double		hour[24];		/* hour factors, UTC; mean 1 */

	/* the clock: days from the midnight before as_of, by expected demand */
	int			weekday;		/* of as_of; Monday is 0 */
	int64_t		into_day;		/* microseconds since that midnight */
	double		day_sum[8];		/* factors of the first i days of a week */
	double		hour_sum[25];	/* part of a day's demand before hour i */

	/* the variance */
	DemandVariance daily;
	DemandVariance weekly;
	bool		have_weeks;
	double		doubt;			/* times all of it, at least 1 */
	double		young;			/* times the squared mean, for new items */

	/* the year index of the weeks ahead, summed from the present one */
	bool		yearly;
	double		year_sum[FORECAST_WEEKS + 1];

	DemandWorking working;

	/* now: units per hour */
	double		base;			/* without a burst */
	double		velocity;		/* with it */
	double		excess;			/* velocity over base, never negative */
	int			burst_age;		/* minutes since it began, 0 without one */
} DemandModel;

typedef struct DemandForecast
{
	double		mean;
	double		var;
} DemandForecast;

struct DemandOutlook;			/* see outlook.h; NULL is none */

/* all that is needed for any horizon; the series is not needed afterwards */
extern void demand_model_build(DemandModel *model, const DemandSeries *series,
							   double burst_evidence);

/* the part of it that is about the hours and now; see velocity.c */
extern void demand_model_now(DemandModel *model, const DemandSeries *series,
							 double burst_evidence);

/* days, as demand goes, from Monday until so long after as_of's midnight */
extern double demand_model_days(const DemandModel *model, int64_t usec);

/* units in [as_of, as_of + horizon); 0 <= horizon <= FORECAST_LIMIT_USEC */
extern DemandForecast demand_model_forecast(const DemandModel *model,
											int64_t horizon);

/* a steadier variance of the same units, for thresholds */
extern double demand_model_steady_variance(const DemandModel *model,
										   int64_t horizon);

/* units in whole days from the UTC midnight at or before as_of */
extern DemandForecast demand_model_forecast_days(const DemandModel *model,
												 int days);

/* the share of the count in a quantile */
extern double demand_model_count_share(const DemandModel *model);

/* quantile of this mean and variance, in the shape of the item's quantiles */
extern double demand_model_shape(const DemandModel *model,
								 DemandForecast forecast, double p);

/* quantiles of the units in [as_of, as_of + horizon) */
extern void demand_model_quantiles(const DemandModel *model, int64_t horizon,
								   int n, const double *p, double *quantile);

/*
 * Microseconds from as_of until the expected demand, burst included, reaches
 * the stock; -1 when it does not within FORECAST_LIMIT_USEC.
 */
extern int64_t demand_model_eta(const DemandModel *model,
								const struct DemandOutlook *outlook,
								double stock);

/* the same for demand that reaches the stock with probability p */
extern int64_t demand_model_eta_probable(const DemandModel *model,
										 const struct DemandOutlook *outlook,
										 double stock, double p);

#endif							/* REPLENISH_FORECAST_H */
