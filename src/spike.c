/*-------------------------------------------------------------------------
 *
 * spike.c
 *	  Spikes: days that are out of line, and how much of them is demand.
 *
 * A value beyond eight standard deviations of the others is a spike.  A show
 * says nothing about the next month, but bulk orders that come again and again
 * do.  Which of the two a spike is, the tail of the others tells: where the
 * largest values of an item lie apart by large factors, one more such factor
 * is nothing new.  The mean log excess of the next largest (Hill 1975) is what
 * to expect of it, as log spacings of a Pareto tail are exponential (Renyi
 * 1953); a value that is four times as far from the others stands alone.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdbool.h>

#include "spike.h"

#define CAP_SD			8.0
#define TAIL			6		/* values that tell the tail */
#define ALONE			4.0		/* expected gaps; one gap less is not alone */

/*
 * Sum of the values, or of their squared distances from the mean; four sums
 * side by side, so that no addition waits for the one before.
 */
static double
sample_sum(const Sample *s, bool squared)
{
	double		sum[4] = {0, 0, 0, 0};
	const double *x = s->x;
	double		mean = s->mean;
	int			i = 0;

	if (squared)
	{
		for (; i + 4 <= s->n; i += 4)
			for (int j = 0; j < 4; j++)
				sum[j] += (x[i + j] - mean) * (x[i + j] - mean);
		for (; i < s->n; i++)
			sum[0] += (x[i] - mean) * (x[i] - mean);
	}
	else
	{
		for (; i + 4 <= s->n; i += 4)
			for (int j = 0; j < 4; j++)
				sum[j] += x[i + j];
		for (; i < s->n; i++)
			sum[0] += x[i];
	}
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Describe n values. */
Sample
sample_make(const double *x, int n)
{
	Sample		s = {x, n, 0, 0};

	s.mean = sample_sum(&s, false) / n;
	s.squares = sample_sum(&s, true);
	return s;
}

/*
 * How much of a spike, the largest value, counts as demand.
 */
static double
spike_share(const double *x, int n, int largest)
{
	double		top[TAIL + 1] = {0};	/* of the others, descending */
	double		product = 1;
	double		gap;

	for (int i = 0; i < n; i++)
	{
		double		value = x[i];

		if (value <= top[TAIL] || i == largest)
			continue;
		for (int j = 0; j <= TAIL; j++)
			if (value > top[j])
			{
				double		less = top[j];

				top[j] = value;
				value = less;
			}
	}
	if (top[TAIL] <= 0)
		return 1;				/* who knows what is usual? */

	/* one more of each: counts of 1 and 2 are not worlds apart */
	for (int j = 0; j < TAIL; j++)
		product *= (top[j] + 1) / (top[TAIL] + 1);
	gap = TAIL * log((x[largest] + 1) / (top[0] + 1));
	return fmin(fmax(ALONE - gap / fmax(log(product), 1e-9), 0), 1);
}

/*
 * Where spikes begin, and how much of them is demand.
 */
Spike
spike_find(const Sample *s)
{
	const double *x = s->x;
	int			n = s->n;
	double		mean = s->mean;
	Spike		spike;
	int			largest = 0;
	double		rest;
	double		off;

	for (int i = 1; i < n; i++)
		if (x[i] > x[largest])
			largest = i;
	off = x[largest] - mean;
	mean -= off / (n - 1);
	rest = s->squares - off * off * n / (n - 1);

	/* where the largest drowns the others, start again without it */
	if (rest < 1e-3 * s->squares)
	{
		mean = rest = 0;
		for (int i = 0; i < n; i++)
			mean += i == largest ? 0 : x[i];
		mean /= n - 1;
		for (int i = 0; i < n; i++)
			rest += i == largest ? 0 : (x[i] - mean) * (x[i] - mean);
	}
	spike.usual = mean;
	spike.cap = mean + CAP_SD * sqrt(fmax(fmax(rest / (n - 2), mean), 0));
	spike.share = x[largest] > spike.cap ? spike_share(x, n, largest) : 1;
	return spike;
}
