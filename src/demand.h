/*-------------------------------------------------------------------------
 *
 * demand.h
 *	  The demand summary: rings of exact bucket sums at falling resolution.
 *	  Knows nothing of PostgreSQL.
 *
 * A summary is what a multiset of (minute, amount) leaves behind when it is
 * seen through a window that ends at the newest minute: the sums per minute,
 * hour, day and week, each as far back as its ring reaches.  The window only
 * ever moves forward, so neither the order of the additions nor that of the
 * merges can show in the result.
 *
 * Minutes count from 1970-01-01 00:00 UTC; an amount is in millionths of a
 * unit.  A function that returns bool returns false, and leaves its target
 * as it was, when a sum would not fit into 64 bits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_DEMAND_H
#define REPLENISH_DEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "series.h"
#include "text_scan.h"

#define DEMAND_MICROS		1000000 /* millionths in a unit */
#define DEMAND_MAX_UNITS	1e12	/* largest quantity of one event */
#define DEMAND_MAX_MINUTE	INT64_C(541727999)	/* the last of the year 2999 */
#define DEMAND_NO_END		INT64_C(-1) /* of a summary without a window */

typedef enum DemandLevel
{
	DEMAND_MINUTE,
	DEMAND_HOUR,
	DEMAND_DAY,
	DEMAND_WEEK
} DemandLevel;

#define DEMAND_LEVELS	4
#define DEMAND_BUCKETS \
	(DEMAND_MINUTES + DEMAND_HOURS + DEMAND_DAYS + DEMAND_WEEKS)

/* the working form; all amounts are zero where there is no end */
typedef struct DemandRings
{
	int64_t		end;			/* newest minute covered, or DEMAND_NO_END */
	int64_t		amount[DEMAND_BUCKETS]; /* see demand_slot() */
} DemandRings;

/* a stretch of time and what was sold in it; pieces do not overlap */
typedef struct DemandPiece
{
	int64_t		start;			/* first minute */
	int64_t		minutes;		/* length */
	int64_t		micros;			/* never zero */
} DemandPiece;

/* version byte of the packed form */
#define DEMAND_PACKED_VERSION	1
/* no packed form is longer */
#define DEMAND_PACKED_MAX		(32 + 12 * DEMAND_BUCKETS)
/* no text form is longer, its closing zero included */
#define DEMAND_TEXT_MAX			(128 + 32 * DEMAND_BUCKETS)

/* demand.c */
extern bool demand_micros(double units, int64_t *micros);
extern int64_t demand_bucket(DemandLevel level, int64_t minute);
extern int64_t demand_bucket_start(DemandLevel level, int64_t bucket);
extern int	demand_level_size(DemandLevel level);
extern int	demand_slot(DemandLevel level, int64_t bucket);
extern int	demand_stored_from(DemandLevel level, int64_t end);
extern int	demand_stored_to(DemandLevel level, int64_t end);
extern int64_t *demand_at_age(DemandRings *rings, DemandLevel level, int age);
extern void demand_init(DemandRings *rings);
extern void demand_advance(DemandRings *rings, int64_t end);
extern bool demand_add(DemandRings *rings, int64_t minute, int64_t micros);
extern bool demand_merge(DemandRings *into, const DemandRings *from, int sign);
extern bool demand_scale(DemandRings *rings, double factor);
extern bool demand_rebuild(DemandRings *rings);

/* demand_read.c */
extern int	demand_pieces(const DemandRings *rings, int64_t first,
						  int64_t last, DemandPiece *out, bool *exact);
extern bool demand_units(const DemandRings *rings, int64_t from_usec,
						 int64_t to_usec, double *units);
extern bool demand_series(const DemandRings *rings, int64_t as_of_usec,
						  DemandSeries *out);

/* demand_pack.c */
extern size_t demand_pack(const DemandRings *rings, uint8_t *out);
extern bool demand_unpack(const uint8_t *bytes, size_t length,
						  DemandRings *rings, const char **problem);

/* demand_text.c */
extern size_t demand_to_text(const DemandRings *rings, char *out);
extern bool demand_from_text(const char *text, size_t length,
							 DemandRings *rings, TextError *error);

#endif							/* REPLENISH_DEMAND_H */
