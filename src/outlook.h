/*-------------------------------------------------------------------------
 *
 * outlook.h
 *	  What is known of the time ahead and not of the past: factors on the
 *	  expected demand, and planned units.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_OUTLOOK_H
#define REPLENISH_OUTLOOK_H

#include <stdint.h>

#include "forecast.h"

/* the most that a factor may be, and several of them together */
#define OUTLOOK_FACTOR_MAX	1000.0

/* from start until before end, in microseconds after as_of */
typedef struct OutlookPart
{
	int64_t		start;
	int64_t		end;
	double		factor;
	double		units;			/* in the part of it that lies ahead */
} OutlookPart;

/* parts in order that do not overlap */
typedef struct DemandOutlook
{
	int			n;
	const OutlookPart *part;
} DemandOutlook;

/* what it does to the forecast of a horizon */
typedef struct OutlookEffect
{
	double		factor;			/* of the mean without it */
	double		units;			/* added to that */
} OutlookEffect;

/* how many parts outlook_split() may write for n */
#define OUTLOOK_PARTS(n)	(2 * (n))

/* parts that may overlap into such that do not; returns how many */
extern int	outlook_split(const OutlookPart *part, int n, OutlookPart *result);

/* units in [as_of, as_of + horizon) with the outlook; NULL is none */
extern DemandForecast outlook_apply(OutlookEffect effect, DemandForecast f);
extern OutlookEffect outlook_effect(const DemandModel *model,
									const DemandOutlook *outlook,
									int64_t horizon);

#endif							/* REPLENISH_OUTLOOK_H */
