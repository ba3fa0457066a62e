/*-------------------------------------------------------------------------
 *
 * working.h
 *	  The working of a forecast, number by number.  Knows nothing of
 *	  PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_WORKING_H
#define REPLENISH_WORKING_H

#include "forecast.h"

/* one number: how it follows from others, and that with their values */
typedef struct WorkingStep
{
	const char *name;
	double		value;
	const char *unit;
	const char *formula;
	const char *calculation;	/* NULL where it is no expression */
} WorkingStep;

typedef void (*WorkingSink) (const WorkingStep *step, void *arg);

/* each number behind the forecast for [as_of, as_of + horizon), in order */
extern void demand_model_steps(const DemandModel *model, int64_t horizon,
							   WorkingSink sink, void *arg);

#endif							/* REPLENISH_WORKING_H */
