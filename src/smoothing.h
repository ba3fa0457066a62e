/*-------------------------------------------------------------------------
 *
 * smoothing.h
 *	  Six memories of a series side by side.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_SMOOTHING_H
#define REPLENISH_SMOOTHING_H

#include "model.h"

extern void smooth_weeks(DemandSmoothing *s, const double *newest, int n,
						 int ago, double *start);
extern void smooth_days(DemandSmoothing *s, const DemandModel *model,
						const double *days, int n, const double *start,
						double start_days);

/* weights from the evidence against each memory, and the level of all */
extern void smooth_weigh(DemandSmoothing *s);

extern DemandVariance smooth_variance(const DemandSmoothing *s,
									  const double *alpha, double prior,
									  double period);

#endif							/* REPLENISH_SMOOTHING_H */
