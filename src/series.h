/*-------------------------------------------------------------------------
 *
 * series.h
 *	  What a demand summary says at one moment, by age: all that the
 *	  forecaster sees of it.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_SERIES_H
#define REPLENISH_SERIES_H

#include <stdint.h>

/* the windows: this many buckets, the one that holds the end included */
#define DEMAND_MINUTES	60
#define DEMAND_HOURS	192
#define DEMAND_DAYS		92
#define DEMAND_WEEKS	106

#define USECS_PER_UTC_MINUTE	INT64_C(60000000)

typedef struct DemandSeries
{
	int64_t		as_of;			/* microseconds since 1970-01-01 00:00 UTC */
	int			age;			/* days since the oldest bucket that is not
								 * empty; -1 when all are empty */
	int			lost;			/* oldest days that the ring has forgotten,
								 * where its window ends after as_of */
	/* units per bucket; [0] is the bucket that holds as_of, [1] the one before */
	double		minute[DEMAND_MINUTES];
	double		hour[DEMAND_HOURS];
	double		day[DEMAND_DAYS];
	double		week[DEMAND_WEEKS];	/* weeks start on Monday */
} DemandSeries;

#endif							/* REPLENISH_SERIES_H */
