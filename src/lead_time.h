/*-------------------------------------------------------------------------
 *
 * lead_time.h
 *	  The lead-time record of a route, and what it says about the next
 *	  shipment.  Knows nothing of PostgreSQL.
 *
 * A record is what a multiset of (ordered, received) leaves behind: how many
 * there were, and the sum and the sum of squares of ln(1 + days), exactly, in
 * fixed point.  So neither the order of the rows nor that of the merges can
 * show in it, and what was added can be taken back, even before it was added.
 *
 * A lead time from 0 to LEAD_TIME_DAYS is an observation.  What was received
 * before it was ordered, and what took longer, is an error of whoever wrote it
 * down: it is counted, and changes no estimate.
 *
 * A function that returns bool returns false, and leaves its target as it
 * was, when a sum would not fit into 64 bits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_LEAD_TIME_H
#define REPLENISH_LEAD_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text_scan.h"

/* the longest lead time: ten years */
#define LEAD_TIME_DAYS		3653
/* logarithms are in units of 1e-8 */
#define LEAD_TIME_SCALE		100000000
/* of a record of nothing, and of policies that say nothing */
#define LEAD_TIME_DEFAULT_MEAN	30.0
#define LEAD_TIME_DEFAULT_SD	8.0

/* sums over observations of x = ln(1 + days) */
typedef struct LeadTime
{
	int64_t		n;				/* observations */
	int64_t		sum;			/* of x, in 1e-8 */
	int64_t		squares;		/* of x squared, in 1e-8, rounded down */
	int64_t		rest;			/* of that, in 1e-16, 0 to 1e8 - 1 */
	int64_t		impossible;		/* rows that are no observation */
} LeadTime;

/* a distribution of lead times, in days */
typedef struct LeadTimeEstimate
{
	double		mean;
	double		sd;
} LeadTimeEstimate;

/* version byte of the binary form, and its length */
#define LEAD_TIME_VERSION	1
#define LEAD_TIME_BYTES		(1 + 5 * 8)
/* no text form is longer, its closing zero included */
#define LEAD_TIME_TEXT_MAX	256

/* lead_time.c */
extern bool lead_time_add(LeadTime *record, int64_t usec);
extern bool lead_time_add_impossible(LeadTime *record);
extern bool lead_time_merge(LeadTime *into, const LeadTime *from, int sign);
extern bool lead_time_own(const LeadTime *record, LeadTimeEstimate *out);
extern LeadTimeEstimate lead_time_estimate(const LeadTime *whole,
										   const LeadTime *parent,
										   const LeadTime *route,
										   const LeadTime *season);
extern double lead_time_quantile(LeadTimeEstimate estimate, double p);

/* lead_time_text.c */
extern size_t lead_time_to_text(const LeadTime *record, char *out);
extern bool lead_time_from_text(const char *text, size_t length,
								LeadTime *record, TextError *error);
extern void lead_time_pack(const LeadTime *record, uint8_t *out);
extern bool lead_time_unpack(const uint8_t *bytes, size_t length,
							 LeadTime *record, const char **problem);

#endif							/* REPLENISH_LEAD_TIME_H */
