/*-------------------------------------------------------------------------
 *
 * count.c
 *	  Quantiles of counts: Poisson and negative binomial.
 *
 * A quantile of a count is the smallest integer whose cumulative probability
 * is not below p, exactly, at any mean.  Small counts are summed from zero.
 * Larger ones take an expansion that all quantiles of a count share; where
 * that cannot tell between two integers, they start from the cumulative
 * probability at a guess, improve the guess by Newton's method and walk the
 * last few integers.  So nothing grows with the mean.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "distribution.h"
#include "special.h"

/* means at or below this count as no demand at all */
#define MEAN_NONE		1e-12

/* variance over mean up to which a count is Poisson */
#define POISSON_RATIO	1.001

/* counts whose mean + 3 sd stays below this are summed from zero */
#define SUM_LIMIT		600.0
#define SUM_QUICK		300.0	/* and below this, before all else */
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

/* the expansion has at most so many terms, enough for that many sd */
#define TERMS			20
#define EXPANDED_SD		4.0

/* how near to an integer it is not trusted, in units */
#define DOUBT			1e-3

static const double inverse[TERMS + 2] = {
	0, 1, 1. / 2, 1. / 3, 1. / 4, 1. / 5, 1. / 6, 1. / 7, 1. / 8, 1. / 9,
	1. / 10, 1. / 11, 1. / 12, 1. / 13, 1. / 14, 1. / 15, 1. / 16, 1. / 17,
	1. / 18, 1. / 19, 1. / 20, 1. / 21
};

/*
 * Temme's expansion of a sum of probabilities: up to where the probability is
 * exp(-s^2 / 2) of the largest one, it is that of a standard normal s plus
 * the normal density times the series "extra".
 */
typedef struct Expansion
{
	double		mode;			/* of the density, plus a half */
	double		sd;
	double		place[TERMS + 1];	/* from the mode in sd, powers of s */
	double		extra[TERMS + 1];
	int			terms;
} Expansion;

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
			k = isinf(high) ? 2 * low + 1 :
				low < 1 ? floor(sqrt(high)) : low + floor((high - low) / 2);
		if (k < 0)
			k = 0;

		pmf = count_pmf(c, k);
		count_tails(c, k, pmf, &atmost, &more);
		over = p < 0.5 ? atmost - p : (1 - p) - more;
		step = newton_step(over, pmf);

		if (fabs(step) <= WALK_LIMIT && k < 1e15)
		{
			int			left = 4 * (int) WALK_LIMIT;

			if (over < 0)
			{
				while (over < 0 && left-- > 0)
				{
					k += 1;
					pmf *= count_ratio(c, k);
					if (over + pmf == over)
						return k;
					over += pmf;
				}
				if (over >= 0)
					return k;
			}
			else
			{
				while (k > 0 && over - pmf >= 0 && left-- > 0)
				{
					over -= pmf;
					pmf /= count_ratio(c, k);
					k -= 1;
				}
				if (k <= 0 || over - pmf < 0)
					return k;
			}

			/* a tail that thins out on the way is longer than it looked */
			step = newton_step(over, pmf);
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
 * Make the expansion of a count.  With v = k + 1/2 and w = v + r - 1, both by
 * Stirling's formula, the logarithm of a density is v ln v - w ln w - v ln q
 * and 1/24 of its own second derivative D, and D is 1/t with
 * t = v + v^2 / (r - 1).  So its slope u and v itself, both in units of the
 * sd, follow from u v' = s and u' t = v'.  False where it converges badly.
 */
static bool
count_expand(const Count *c, Expansion *x)
{
	double		bend = c->poisson ? 0 : 1 / (c->r - 1);
	double		slope[TERMS + 1];	/* u */
	double		ratio[TERMS + 1];	/* t over that at the mode */
	double		place[TERMS + 1];
	double		rest[TERMS + 2];
	double		radius;			/* of convergence */
	double		error;
	double		t1;
	double		small;
	double		whole;

	if (c->mean < 25 || c->r < 8)
		return false;
	x->mode = c->poisson ? c->mean : c->q / c->pr * (c->r - 1);
	x->sd = sqrt(x->mode + x->mode * x->mode * bend);
	radius = sqrt(c->poisson ? 2 * c->mean :
				  (c->r - 1) * fmin(-2 * log(c->pr), 2 * TWO_PI));
	if (!(x->sd < 1e7))
		return false;
	x->terms = 1;
	for (error = x->sd; error > 0.01 * DOUBT; error *= EXPANDED_SD / radius)
		if (++x->terms > TERMS)
			return false;

	t1 = (1 + 2 * x->mode * bend) / x->sd;
	place[0] = slope[0] = 0;
	place[1] = slope[1] = 1;
	ratio[0] = 1;
	for (int n = 1; n < x->terms; n++)
	{
		double		square = 0; /* of the place */
		double		a = 0;
		double		b = 0;

		/*
		 * The n-th powers in u' t = v', where u_n+1 is not in a, and those in
		 * u v' = s after them, where neither it nor v_n+1 is in b.
		 */
		for (int i = 1; i < n; i++)
			square += place[i] * place[n - i];
		ratio[n] = t1 * place[n] + bend * square;
		for (int i = 1; i <= n; i++)
			a += ratio[i] * slope[n + 1 - i] * (n + 1 - i);
		for (int i = 2; i <= n; i++)
			b += slope[i] * place[n + 2 - i] * (n + 2 - i);
		slope[n + 1] = -(a + b) * inverse[n + 2];
		place[n + 1] = slope[n + 1] + a * inverse[n + 1];
	}

	/* the integral of the density, without its part that is a normal's */
	small = 1 / (24 * x->sd * x->sd);
	rest[x->terms] = rest[x->terms - 1] = 0;
	for (int k = x->terms - 1; k >= 1; k--)
		rest[k - 1] = (k + 1) * rest[k + 1] -
			(k + 1) * (place[k + 1] + small * slope[k + 1]);
	whole = 1 + small - rest[1];

	/* from the integral to the sum: Euler and Maclaurin */
	whole = 1 / whole;
	for (int k = 0; k <= x->terms; k++)
		x->extra[k] = (rest[k] + small * slope[k]) * whole;
	memcpy(x->place, place, sizeof(place));
	return true;
}

/*
 * The quantile by the expansion; false where it is in doubt.  *shift is how
 * far s lies from the normal quantile, on entry of a p nearby.
 */
static bool
count_expanded(const Expansion *x, double p, double *shift, double *k)
{
	double		z = normal_quantile(p);
	double		d = *shift;
	double		s = z + d;
	double		small = 1e-3 * DOUBT / x->sd;
	double		place;

	if (fabs(z) > EXPANDED_SD)
		return false;
	for (int round = 0;; round++)
	{
		double		extra = x->extra[x->terms];
		double		slope = 0;
		double		term = d;
		double		before = 0;
		double		normal = 0;
		double		step;

		if (round == 8)
			return false;
		for (int i = x->terms - 1; i >= 0; i--)
		{
			slope = slope * s + extra;
			extra = extra * s + x->extra[i];
		}

		/* normal probability between z and s, over the density at s */
		for (int n = 2; n < TERMS; n++)
		{
			double		next = (s * term - (n - 2) * inverse[n - 1] * d *
								before) * d * inverse[n];

			normal += term;
			if (fabs(next) + fabs(term) < small)
				break;
			before = term;
			term = next;
		}
		step = -(normal + extra) / (1 - s * extra + slope);
		step += s / 2 * step * step;
		d += step;
		s = z + d;
		if (!(fabs(d) < 0.5))
			return false;
		if (step * step * x->sd < 0.01 * DOUBT)
			break;
	}
	*shift = d;
	place = x->place[x->terms];
	for (int i = x->terms - 1; i >= 0; i--)
		place = place * s + x->place[i];
	place = x->mode + x->sd * place - 1;
	*k = ceil(place);
	return *k >= 0 && fabs(place - rint(place)) > DOUBT;
}

/*
 * Smallest integers whose cumulative probability is not below each p.
 */
void
count_quantiles(double mean, double var, int n, const double *p, double *k)
{
	Count		c;
	CountSum	sum = {0, 0, 0};
	Expansion	expansion = {0};
	double		shift = 0;
	double		done = 2;
	double		most;
	bool		small;
	bool		expanded;

	if (!(mean > MEAN_NONE))
	{
		for (int i = 0; i < n; i++)
			k[i] = 0;
		return;
	}
	c = count_make(mean, var);
	most = mean + 3 * sqrt(var > mean ? var : mean);
	small = most < SUM_LIMIT;
	expanded = most > SUM_QUICK && count_expand(&c, &expansion);
	for (int i = 0; i < n; i++)
	{
		if (expanded && count_expanded(&expansion, p[i], &shift, &k[i]))
			continue;
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
 * Probability that a count is more than k, and how far those counts are above
 * the mean.  With ratio = p(k + 1) / p(k), the sum of j p(j) beyond k is the
 * mean times their probability and (k + 1) p(k) ratio / (1 - q).
 */
void
count_tail(double mean, double var, double k, double *more, double *above)
{
	Count		c = count_make(mean, var);
	double		pmf = count_pmf(&c, k);
	double		atmost;

	count_tails(&c, k, pmf, &atmost, more);
	*above = (k + 1) * count_ratio(&c, k + 1) * pmf / c.pr;
}
