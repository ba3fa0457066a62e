/*-------------------------------------------------------------------------
 *
 * distribution.c
 *	  Quantiles of the distributions that demand is forecast with.
 *
 * A quantile of a count is the smallest integer whose cumulative probability
 * is not below p, exactly, at any mean.  Small counts are summed from zero.
 * Larger ones start from the cumulative probability at a guess, improve the
 * guess by Newton's method and walk the last few integers.  The cumulative
 * probability is an incomplete beta or gamma integral: a continued fraction
 * or a series where one parameter is small, Gauss-Legendre quadrature around
 * the mode where both are large, so that nothing grows with the mean.
 *
 * Probabilities are formed from deviances and Stirling errors (C. Loader,
 * "Fast and accurate computation of binomial probabilities", 2000), because
 * differences of log-gamma values lose all digits for large counts.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "distribution.h"

#define HALF_LOG_2PI	0.91893853320467274178
#define TWO_PI			6.28318530717958647693

/* means at or below this count as no demand at all */
#define MEAN_NONE		1e-12

/* variance over mean up to which a count is Poisson */
#define POISSON_RATIO	1.001

/* counts whose mean + 3 sd stays below this are summed from zero */
#define SUM_LIMIT		600.0
#define SUM_STEPS		4096

/* shapes above this are integrated by quadrature */
#define LARGE_SHAPE		2000.0

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

/* polynomial with n coefficients, the highest power first */
static inline double
polynomial(const double *c, int n, double x)
{
	double		sum = c[0];

	for (int i = 1; i < n; i++)
		sum = sum * x + c[i];
	return sum;
}

/*
 * Standard normal quantile to full precision: M. Wichura's AS 241 (1988).
 */
double
normal_quantile(double p)
{
	static const double a[] = {2509.0809287301226727, 33430.575583588128105,
		67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
		1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080};
	static const double b[] = {5226.4952788528545610, 28729.085735721942674,
		39307.895800092710610, 21213.794301586595867, 5394.1960214247511077,
	687.18700749205790830, 42.313330701600911252, 1.0};
	static const double c[] = {7.74545014278341407640e-4,
		2.27238449892691845833e-2, 2.41780725177450611770e-1,
		1.27045825245236838258, 3.64784832476320460504,
	5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734};
	static const double d[] = {1.05075007164441684324e-9,
		5.47593808499534494600e-4, 1.51986665636164571966e-2,
		1.48103976427480074590e-1, 6.89767334985100004550e-1,
	1.67638483018380384940, 2.05319162663775882187, 1.0};
	static const double e[] = {2.01033439929228813265e-7,
		2.71155556874348757815e-5, 1.24266094738807843860e-3,
		2.65321895265761230930e-2, 2.96560571828504891230e-1,
	1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720};
	static const double f[] = {2.04426310338993978564e-15,
		1.42151175831644588870e-7, 1.84631831751005468180e-5,
		7.86869131145613259100e-4, 1.48753612908506148525e-2,
	1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0};
	double		centred = p - 0.5;
	double		r;
	double		z;

	if (fabs(centred) <= 0.425)
	{
		r = 0.180625 - centred * centred;
		return centred * polynomial(a, 8, r) / polynomial(b, 8, r);
	}
	r = sqrt(-log(centred < 0 ? p : 1.0 - p));
	if (r <= 5.0)
		z = polynomial(c, 8, r - 1.6) / polynomial(d, 8, r - 1.6);
	else
		z = polynomial(e, 8, r - 5.0) / polynomial(f, 8, r - 5.0);
	return centred < 0 ? -z : z;
}

/* ln(x!) minus Stirling's approximation of it, for x > 0 */
static double
stirling_error(double x)
{
	double		xx = x * x;

	if (x <= 15.0)
		return lgamma(x + 1.0) - (x + 0.5) * log(x) + x - HALF_LOG_2PI;
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / xx)
									 / xx) / xx) / xx) / x;
}

/* x ln(x / m) + m - x without cancellation, for x > 0 and m > 0 */
static double
deviance(double x, double m)
{
	double		diff = x - m;
	double		v;
	double		term;
	double		sum;

	if (fabs(diff) >= 0.1 * (x + m))
		return x * log(x / m) + m - x;
	v = diff / (x + m);
	sum = diff * v;
	term = 2 * x * v;
	v = v * v;
	for (int j = 3; j < 1000; j += 2)
	{
		double		next;

		term *= v;
		next = sum + term / j;
		if (next == sum)
			break;
		sum = next;
	}
	return sum;
}

/* x^a e^-x / gamma(a + 1), for a > 0 and x > 0 */
static double
poisson_term(double a, double x)
{
	return exp(-stirling_error(a) - deviance(a, x)) / sqrt(TWO_PI * a);
}

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
 * Integral from u to infinity (u >= 0), or from minus infinity to u (u < 0),
 * of exp(-D(t)), where D grows like weight * t^2 / 2 around 0.  The cumulants
 * are those of the exponential family whose D it is: 1, 1, 1, ... for gamma,
 * Bernoulli's divided by its variance for beta; t0 is the beta mode, 0 for
 * gamma.
 */
static double
tail_integral(double u, double weight, double t0)
{
	static const double node[] = {0.1488743389816312, 0.4333953941292472,
	0.6794095682990244, 0.8650633666889845, 0.9739065285171717};
	static const double heft[] = {0.2955242247147529, 0.2692667193099963,
	0.2190863625159820, 0.1494513491505806, 0.0666713443086881};
	double		v = t0 * (1 - t0);
	double		skew = 1 - 2 * t0;
	double		c3 = skew / 6;
	double		c4 = (1 - 6 * v) / 24;
	double		c5 = skew * (1 - 12 * v) / 120;
	double		c6 = (1 - 30 * v + 120 * v * v) / 720;
	double		c7 = skew * (1 - 60 * v + 360 * v * v) / 5040;
	double		half = fmin(1 / sqrt(weight), 0.4);
	double		dir = u < 0 ? -1 : 1;
	double		sum = 0;

	for (int panel = 0; panel < 100; panel++)
	{
		double		mid = u + dir * half * (2 * panel + 1);
		double		part = 0;

		for (int i = 0; i < 10; i++)
		{
			double		t = mid + half * (i < 5 ? node[i] : -node[i - 5]);
			double		d;

			if (fabs(t) < 0.02)
				d = t * t * (0.5 + t * (c3 + t * (c4 + t * (c5 + t * (c6 + t * c7)))));
			else if (v > 0)
				d = (log1p(t0 * expm1(t)) - t0 * t) / v;
			else
				d = expm1(t) - t;
			part += heft[i % 5] * exp(-weight * d);
		}
		sum += part;
		if (part < 1e-17 * sum)
			break;
	}
	return sum * half;
}

/*
 * Both tails of the gamma distribution of this shape at x > 0; the smaller
 * one has full relative precision.
 */
static void
gamma_tails(double a, double x, double *lower, double *upper)
{
	double		scale;

	if (a > LARGE_SHAPE)
	{
		double		u = log1p((x - a) / a);
		double		tail = tail_integral(u, a, 0.0) * sqrt(a / TWO_PI) *
			exp(-stirling_error(a));

		if (u < 0)
		{
			*lower = tail;
			*upper = 1 - tail;
		}
		else
		{
			*lower = 1 - tail;
			*upper = tail;
		}
		return;
	}

	scale = poisson_term(a, x);
	if (x < a + 1)
	{
		double		term = 1;
		double		sum = 1;

		for (int n = 1; n < 10000 && term > sum * 1e-17; n++)
		{
			term *= x / (a + n);
			sum += term;
		}
		*lower = scale * sum;
		*upper = 1 - *lower;
	}
	else
	{
		/* Legendre's continued fraction, by Lentz's method */
		double		b = x + 1 - a;
		double		c = 1e300;
		double		d = 1 / b;
		double		h = d;

		for (int n = 1; n < 10000; n++)
		{
			double		an = n * (a - n);
			double		delta;

			b += 2;
			d = an * d + b;
			d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
			c = b + an / c;
			if (fabs(c) < 1e-300)
				c = 1e-300;
			delta = d * c;
			h *= delta;
			if (fabs(delta - 1) < 1e-16)
				break;
		}
		*upper = scale * a * h;
		*lower = 1 - *upper;
	}
}

/* The continued fraction of the incomplete beta function, Lentz's method. */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		h;

	d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
	h = d;
	for (int m = 1; m < 10000; m++)
	{
		double		m2 = 2.0 * m;
		double		even = m * (b - m) * x / ((a + m2 - 1) * (a + m2));
		double		odd = -(a + m) * (a + b + m) * x / ((a + m2) * (a + m2 + 1));
		double		delta;

		d = 1 + even * d;
		d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
		c = 1 + even / c;
		if (fabs(c) < 1e-300)
			c = 1e-300;
		h *= d * c;
		d = 1 + odd * d;
		d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
		c = 1 + odd / c;
		if (fabs(c) < 1e-300)
			c = 1e-300;
		delta = d * c;
		h *= delta;
		if (fabs(delta - 1) < 1e-16)
			break;
	}
	return h / a;
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
