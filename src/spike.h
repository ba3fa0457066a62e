/*-------------------------------------------------------------------------
 *
 * spike.h
 *	  Values of a demand series that are out of line.  Knows nothing of
 *	  PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_SPIKE_H
#define REPLENISH_SPIKE_H

typedef struct Spike
{
	double		cap;			/* a value above it is a spike */
	double		usual;			/* mean of the values without the largest */
	double		share;			/* of a spike that counts as demand, 0 to 1 */
} Spike;

/* n values, at least 3; their mean, and the sum of squares around it */
extern Spike spike_find(const double *x, int n, double mean, double squares);

#endif							/* REPLENISH_SPIKE_H */
