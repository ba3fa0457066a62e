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

/* n values: their mean, and the sum of squares around it */
typedef struct Sample
{
	const double *x;
	int			n;
	double		mean;
	double		squares;
} Sample;

/* describe n values */
extern Sample sample_make(const double *x, int n);

typedef struct Spike
{
	double		cap;			/* a value above it is a spike */
	double		usual;			/* mean of the values without the largest */
	double		share;			/* of a spike that counts as demand, 0 to 1 */
} Spike;

/* of at least 3 values */
extern Spike spike_find(const Sample *s);

#endif							/* REPLENISH_SPIKE_H */
