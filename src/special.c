/*-------------------------------------------------------------------------
 *
 * special.c
 *	  Functions behind the distributions: normal quantile, incomplete gamma
 *	  and beta.
 *
 * The incomplete integrals are a continued fraction or a series where one
 * parameter is small, and Gauss-Legendre quadrature around the mode where
 * both are large, so that the cost is bounded.  Densities are formed from
 * deviances and Stirling errors (C. Loader, "Fast and accurate computation
 * of binomial probabilities", 2000), because differences of log-gamma values
 * lose all digits for large counts.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "distribution.h"
#include "special.h"

#define HALF_LOG_2PI	0.91893853320467274178

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
double
stirling_error(double x)
{
	double		xx = x * x;

	if (x <= 15.0)
		return lgamma(x + 1.0) - (x + 0.5) * log(x) + x - HALF_LOG_2PI;
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / xx)
									 / xx) / xx) / xx) / x;
}

/* x ln(x / m) + m - x without cancellation, for x > 0 and m > 0 */
double
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
double
poisson_term(double a, double x)
{
	return exp(-stirling_error(a) - deviance(a, x)) / sqrt(TWO_PI * a);
}

/*
 * Integral from u to infinity (u >= 0), or from minus infinity to u (u < 0),
 * of exp(-D(t)), where D grows like weight * t^2 / 2 around 0.  The cumulants
 * are those of the exponential family whose D it is: 1, 1, 1, ... for gamma,
 * Bernoulli's divided by its variance for beta; t0 is the beta mode, 0 for
 * gamma.
 */
double
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
void
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

double
newton_step(double over, double density)
{
	if (density > 0)
		return -over / density;
	return over < 0 ? INFINITY : -INFINITY;
}

/* The continued fraction of the incomplete beta function, Lentz's method. */
double
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
