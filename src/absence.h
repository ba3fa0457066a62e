/*-------------------------------------------------------------------------
 *
 * absence.h
 *	  Demand hidden by an empty shelf.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_ABSENCE_H
#define REPLENISH_ABSENCE_H

#include "demand.h"

/* a summary of one unit in each minute from first until before end */
extern void absence_span(DemandRings *rings, int64_t first, int64_t end);

/*
 * Add what would have been asked for in the minutes that 'out' has units of;
 * false if a sum would not fit.
 */
extern bool absence_fill(DemandRings *demand, const DemandRings *out);

#endif							/* REPLENISH_ABSENCE_H */
