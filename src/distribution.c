/*-------------------------------------------------------------------------
 *
 * distribution.c
 *	  Quantiles of the distributions that demand is forecast with.
 *
 * A quantile of a count is the smallest integer whose cumulative probability
 * is not below p, exactly, at any mean.  Small counts are summed from zero.
 * Larger ones start from the cumulative probability at a guess, improve the
 * guess by Newton's method and walk the last few integers, so that nothing
 * grows with the mean.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "distribution.h"
#include "special.h"

/* means at or below this count as no demand at all */
#define MEAN_NONE		1e-12

/* variance over mean up to which a count is Poisson */
#define POISSON_RATIO	1.001

/* counts whose mean + 3 sd stays below this are summed from zero */
#define SUM_LIMIT		600.0
#define SUM_STEPS		4096

/* the last integers of a search are walked when this few */
#define WALK_LIMIT		32.0

/* a count's distribution; r is infinite for Poisson */
typedef struct Count
{
	double		mean;
	double		r;				/* shape of the gamma mixture */
	double		pr;				/* mean over variance */
	double		q;				/* 1 - pr, without cancellation */
	bool		poisson;
} Count;

/* where a summation from zero stands */
typedef struct CountSum
{
	double		k;
	double		pmf;			/* probability of k */
	double		cdf;			/* probability of at most k */
} CountSum;

/* Describe counts with this mean and variance. */
static Count
count_make(double mean, double var)
{
	Count		c;

	c.mean = mean;
	c.poisson = var <= mean * POISSON_RATIO;
	c.r = c.poisson ? INFINITY : mean / (var - mean) * mean;
	c.pr = c.poisson ? 1.0 : mean / var;
	c.q = c.poisson ? 0.0 : (var - mean) / var;

	/* so little demand spread so wide that the shape underflows */
	if (c.r < DBL_MIN)
		c.r = DBL_MIN;
	return c;
}

/* probability of exactly k */
static double
count_pmf(const Count *c, double k)
{
	double		n;

	if (c->poisson)
		return k > 0 ? poisson_term(k, c->mean) : exp(-c->mean);
	if (k <= 0)
		return exp(c->r * (c->q < 0.5 ? log1p(-c->q) : log(c->pr)));
	n = c->r + k;
	return sqrt(c->r / (TWO_PI * k * n)) *
		exp(stirling_error(n) - stirling_error(c->r) - stirling_error(k) -
			deviance(c->r, n * c->pr) - deviance(k, n * c->q));
}

/* probability of k over the probability of k - 1 */
static inline double
count_ratio(const Count *c, double k)
{
	return c->poisson ? c->mean / k : (k - 1 + c->r) / k * c->q;
}

/*
 * Probabilities of at most k and of more than k, where pmf is that of k; the
 * smaller one has full relative precision.
 */
static void
count_tails(const Count *c, double k, double pmf, double *atmost, double *more)
{
	double		a = c->r;
	double		b = k + 1;

	if (c->poisson)
	{
		gamma_tails(b, c->mean, more, atmost);
		return;
	}
	if ((a > LARGE_SHAPE && b > LARGE_SHAPE) ||
		(c->pr < 0.01 && c->pr * (a + b + 2) >= a + 1))
	{
		/*
		 * Either both parameters are large, or the limit is so small that the
		 * fraction of the complement would cancel.  The distance from the
		 * mode to the limit is in logits.
		 */
		double		u = log1p((b - c->mean) / c->mean);
		double		n = a + b;
		double		tail = tail_integral(u, a * (b / n), a / n) *
			sqrt(a / TWO_PI * (b / n)) *
			exp(stirling_error(n) - stirling_error(a) - stirling_error(b));

		if (u < 0)
		{
			*atmost = tail;
			*more = 1 - tail;
		}
		else
		{
			*atmost = 1 - tail;
			*more = tail;
		}
		return;
	}
	if (c->pr * (a + b + 2) < a + 1)
	{
		*atmost = pmf * c->q * (a + k) * beta_fraction(a, b, c->pr);
		*more = 1 - *atmost;
	}
	else
	{
		*more = pmf * c->q * (a + k) * beta_fraction(b, a, c->q);
		*atmost = 1 - *more;
	}
}

/* A first guess at the quantile, good to a few per cent of the sd or so. */
static double
count_guess(const Count *c, double p)
{
	double		z = normal_quantile(p);
	double		sd = sqrt(c->mean / c->pr);
	double		skew;

	/* very skewed: the gamma that is mixed, without the Poisson around it */
	if (c->r < 2)
		return c->mean * gamma_quantile(c->r, p) / c->r;
	skew = (1 + c->q) / (c->pr * sd);
	return c->mean - 0.5 + sd * (z + skew * (z * z - 1) / 6);
}

/*
 * The quantile from a guess: Newton within a bracket, then a walk.
 */
static double
count_search(const Count *c, double p)
{
	double		low = -1;		/* at most this: probability below p */
	double		high = INFINITY;	/* at most this: p or more */
	double		k = floor(count_guess(c, p));

	for (int round = 0; round < 200; round++)
	{
		double		pmf;
		double		atmost;
		double		more;
		double		over;
		double		step;

		/* keep within the bracket; halve it when the step leaves it */
		if (!(k > low))
			k = isinf(high) ? low + 1 : low + ceil((high - low) / 2);
		else if (!(k < high))
			k = low < 1 ? floor(sqrt(high)) : low + floor((high - low) / 2);
		if (k < 0)
			k = 0;

		pmf = count_pmf(c, k);
		count_tails(c, k, pmf, &atmost, &more);
		over = p < 0.5 ? atmost - p : (1 - p) - more;
		step = pmf > 0 ? -over / pmf : (over < 0 ? INFINITY : -INFINITY);

		if (fabs(step) <= WALK_LIMIT && k < 1e15)
		{
			if (over < 0)
			{
				while (over < 0)
				{
					k += 1;
					pmf *= count_ratio(c, k);
					if (over + pmf == over)
						break;
					over += pmf;
				}
			}
			else
			{
				while (k > 0 && over - pmf >= 0)
				{
					over -= pmf;
					pmf /= count_ratio(c, k);
					k -= 1;
				}
			}
			return k;
		}
		if (fabs(step) <= 1e-14 * k)
			return floor(k + step);
		if (over < 0)
			low = k;
		else
			high = k;
		if (high - low <= 1)
			return high;
		k = floor(k + step);
	}
	return high;
}

/*
 * Continue a summation until p is reached; false where it takes too long or
 * probabilities run out before p does.
 */
static bool
count_sum(const Count *c, CountSum *sum, double p)
{
	/* a sum cannot tell such a p from one */
	if (p > 1 - 1e-9)
		return false;
	while (sum->cdf < p)
	{
		if (sum->k >= SUM_STEPS || (sum->pmf < 1e-18 && sum->k > c->mean))
			return false;
		sum->k += 1;
		sum->pmf *= count_ratio(c, sum->k);
		sum->cdf += sum->pmf;
	}
	return true;
}

/*
 * Smallest integers whose cumulative probability is not below each p.
 */
void
count_quantiles(double mean, double var, int n, const double *p, double *k)
{
	Count		c;
	CountSum	sum = {0, 0, 0};
	double		done = 2;
	bool		small;

	if (!(mean > MEAN_NONE))
	{
		for (int i = 0; i < n; i++)
			k[i] = 0;
		return;
	}
	c = count_make(mean, var);
	small = mean + 3 * sqrt(var > mean ? var : mean) < SUM_LIMIT;
	for (int i = 0; i < n; i++)
	{
		if (small)
		{
			if (p[i] < done)
			{
				sum.k = 0;
				sum.pmf = sum.cdf = count_pmf(&c, 0);
			}
			done = p[i];
			if (count_sum(&c, &sum, p[i]))
			{
				k[i] = sum.k;
				continue;
			}
			done = 2;
		}
		k[i] = count_search(&c, p[i]);
	}
}

/*
 * Smallest integer whose cumulative probability is not below p.
 */
double
count_quantile(double mean, double var, double p)
{
	double		k;

	count_quantiles(mean, var, 1, &p, &k);
	return k;
}

/*
 * Probability that a count is at most k.
 */
double
count_cdf(double mean, double var, double k)
{
	Count		c;
	double		atmost;
	double		more;

	if (k < 0)
		return 0;
	if (!(mean > MEAN_NONE))
		return 1;
	c = count_make(mean, var);
	k = floor(k);
	count_tails(&c, k, count_pmf(&c, k), &atmost, &more);
	return atmost;
}

/*
 * Probability that a gamma value of this shape and rate 1 is at most x.
 */
double
gamma_cdf(double shape, double x)
{
	double		lower;
	double		upper;

	if (!(x > 0))
		return 0;
	gamma_tails(shape, x, &lower, &upper);
	return lower;
}

/*
 * Gamma quantile to full precision: Wilson and Hilferty's cube or the first
 * term of the series as a start, then Newton in the logarithm within a
 * bracket.
 */
double
gamma_quantile(double shape, double p)
{
	double		z = normal_quantile(p);
	double		cube = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));
	double		low = -INFINITY;
	double		high = INFINITY;
	double		y;				/* ln (x / shape) */

	if (shape > 0.3 && cube > 0.1)
		y = 3 * log(cube);
	else
		y = (log(p) + lgamma(shape + 1)) / shape - log(shape);
	for (int round = 0; round < 200; round++)
	{
		double		x = shape * exp(y);
		double		lower;
		double		upper;
		double		over;
		double		step;

		/* so near to nothing that x underflows: the series is exact there */
		if (x < DBL_MIN)
			return x;
		gamma_tails(shape, x, &lower, &upper);
		over = p < 0.5 ? lower - p : (1 - p) - upper;
		if (over < 0)
			low = y;
		else
			high = y;
		step = -over / (shape * poisson_term(shape, x));
		y += step;
		if (fabs(step) < 1e-16 * fmax(1, fabs(y)))
			break;
		if (!(y > low && y < high))
			y = isinf(low) ? high - 1 - fabs(high) / 2 :
				isinf(high) ? low + 1 + fabs(low) / 2 : (low + high) / 2;
		if (high - low < 1e-16 * fmax(1, fabs(y)))
			break;
	}
	return shape * exp(y);
}
