/*-------------------------------------------------------------------------
 *
 * distribution_test.c
 *	  Quantiles against sums and integrals that share no code with them.
 *
 * Small and middling counts are compared with a plain summation of the
 * probabilities in long double; large ones with Cornish and Fisher's
 * expansion and with the definition of a quantile; the normal and the gamma
 * with erfc and with closed forms.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>

#include "distribution.h"

static int	passed = 0;
static int	failed = 0;
static int	topics_passed = 0;
static int	topics_failed = 0;

/* Count one comparison; print it when it fails. */
static void
check(int ok, const char *what, double a, double b, double c, double got,
	  double want)
{
	if (ok)
		passed++;
	else
	{
		failed++;
		printf("FAILED %s(%.17g, %.17g, %.17g): %.17g, expected %.17g\n",
			   what, a, b, c, got, want);
	}
}

/* Run one topic and print what it has checked. */
static void
topic(const char *name, void (*run) (void))
{
	int			before = passed + failed;
	int			bad = failed;

	run();
	printf("%-44s %8d checks%s\n", name, passed + failed - before,
		   failed > bad ? "  FAILED" : "");
	if (failed > bad)
		topics_failed++;
	else
		topics_passed++;
}

/*
 * Smallest k whose summed probability is not below p, by plain summation in
 * logarithms; *gap tells how near the sum came to p on either side.
 */
static double
summed_quantile(double mean, double var, double p, double *gap)
{
	int			poisson = var <= 1.001 * mean;
	long double r = poisson ? 0 : (long double) mean * mean / (var - mean);
	long double q = poisson ? 0 : (long double) (var - mean) / var;
	long double lp = poisson ? -(long double) mean : r * log1pl(-q);
	long double sum = expl(lp);
	long double before = 0;
	double		k = 0;

	while (sum < p)
	{
		k += 1;
		lp += poisson ? logl(mean / (long double) k) :
			logl((k - 1 + r) / (long double) k * q);
		before = sum;
		sum += expl(lp);
		if (k > mean && lp < -80)
			break;
	}
	*gap = (double) fminl(sum - p, p - before);
	return k;
}

/* Counts up to about a million against summation. */
static void
check_counts(void)
{
	static const double means[] = {1e-9, 1e-3, .05, .3, 1, 2.5, 7, 20, 63.7,
	150, 333, 599, 700, 1500, 2500, 10000, 123456.7};
	static const double ratios[] = {.5, 1, 1.0009, 1.0011, 1.1, 1.5, 2, 4,
	10, 40, 300, 5000};
	static const double ps[] = {1e-9, .001, .025, .1, .3, .5, .5001, .8, .9,
	.95, .975, .99, .999, .999999, 1 - 1e-12};
	double		many[sizeof(ps) / sizeof(ps[0])];
	int			n = sizeof(ps) / sizeof(ps[0]);

	for (unsigned i = 0; i < sizeof(means) / sizeof(means[0]); i++)
		for (unsigned j = 0; j < sizeof(ratios) / sizeof(ratios[0]); j++)
		{
			double		mean = means[i];
			double		var = mean * ratios[j];

			if (mean + 8 * sqrt(var) > 1e6)
				continue;
			count_quantiles(mean, var, n, ps, many);
			for (int h = 0; h < n; h++)
			{
				double		gap;
				double		want = summed_quantile(mean, var, ps[h], &gap);
				double		got = count_quantile(mean, var, ps[h]);

				/* a sum that meets p to the last digits decides nothing */
				if (gap < 1e-15 + 1e-17 * want)
					continue;
				check(got == want, "count_quantile", mean, var, ps[h], got,
					  want);
				check(many[h] == want, "count_quantiles", mean, var, ps[h],
					  many[h], want);
			}
		}
}

/* Counts without bound: the definition, and Cornish and Fisher. */
static void
check_large_counts(void)
{
	static const double ps[] = {.001, .05, .5, .8, .95, .999};

	for (double mean = 1e3; mean < 1e15; mean *= 7.3)
		for (double ratio = 1; ratio < 1e13; ratio *= 11.7)
			for (unsigned h = 0; h < sizeof(ps) / sizeof(ps[0]); h++)
			{
				double		p = ps[h];
				double		var = mean * ratio;
				double		k = count_quantile(mean, var, p);
				double		r = mean / (ratio - 1);
				double		at = count_cdf(mean, var, k);
				double		below = count_cdf(mean, var, k - 1);

				check(at >= p - 1e-13 && (k == 0 || below < p + 1e-13),
					  "count_cdf", mean, var, p, at, p);
				if (ratio == 1 || r > 1e4)
				{
					double		z = normal_quantile(p);
					double		sd = sqrt(var);
					double		s = (2 * ratio - 1) / sd;
					double		kurt = ratio == 1 ? 1 / mean :
						6 / r + 1 / var;
					double		want = mean - .5 + sd * (z + s * (z * z - 1) / 6 +
														 kurt * z * (z * z - 3) / 24 -
														 s * s * z * (2 * z * z - 5) / 36);

					check(fabs(k - want) <= 1 + sd * 30 * s * s * s,
						  "count_quantile, expansion", mean, var, p, k, want);
				}
				else if (r < 1e3 && mean > 1e9)
				{
					double		x = gamma_quantile(r, p) * mean / r;

					/* the Poisson around the gamma is not to be seen here */
					check(fabs(k - x) <= 1 + .05 * sqrt(var) * sqrt(1 / ratio),
						  "count_quantile, gamma", mean, var, p, k, x);
				}
			}
}

/* Every probability from quantile to quantile is the sum of its terms. */
static void
check_differences(void)
{
	for (double mean = 700; mean < 1e9; mean *= 4.1)
		for (double ratio = 1; ratio < 1e4; ratio *= 3.9)
		{
			double		var = mean * ratio;
			double		r = mean / (ratio - 1);
			double		k = floor(mean - 12);
			double		sum = 0;
			double		diff = count_cdf(mean, var, k + 20) -
				count_cdf(mean, var, k);

			for (int i = 1; i <= 20; i++)
			{
				long double x = k + i;

				sum += ratio == 1 ?
					expl(x * logl(mean) - mean - lgammal(x + 1)) :
					expl(lgammal(x + r) - lgammal(r) - lgammal(x + 1) +
						 r * logl(1 / (long double) ratio) +
						 x * log1pl(-1 / (long double) ratio));
			}
			check(fabs(diff - sum) < 1e-13 + 1e-7 * sum, "count_cdf difference",
				  mean, var, k, diff, sum);
		}
}

/* The normal quantile against erfc. */
static void
check_normal(void)
{
	for (double p = 1e-300; p < .5; p = p < 1e-3 ? p * 1.9 : p + .00077)
	{
		double		z = normal_quantile(p);
		double		back = .5 * erfc(-z / sqrt(2));

		check(fabs(back / p - 1) < 1e-14 * (1 + z * z), "normal_quantile", p,
			  0, 0, back, p);
		if (p > 1e-10)
			check(fabs(normal_quantile(1 - p) + z) < 1e-15 / p,
				  "normal_quantile", 1 - p, 0, 0, normal_quantile(1 - p), -z);
	}
	check(normal_quantile(.5) == 0, "normal_quantile", .5, 0, 0,
		  normal_quantile(.5), 0);
}

/* The gamma against its closed forms and against itself. */
static void
check_gamma(void)
{
	static const double ps[] = {1e-12, .001, .1, .5, .9, .95, .999, 1 - 1e-9};

	for (unsigned h = 0; h < sizeof(ps) / sizeof(ps[0]); h++)
	{
		double		p = ps[h];
		double		x = gamma_quantile(1, p);
		double		z = normal_quantile(.5 + p / 2);

		check(fabs(x / -log1p(-p) - 1) < 1e-12, "gamma_quantile", 1, p, 0, x,
			  -log1p(-p));
		x = gamma_quantile(.5, p);
		check(fabs(x / (z * z / 2) - 1) < 1e-3 * (p < 1e-9) + 1e-8,
			  "gamma_quantile", .5, p, 0, x, z * z / 2);
		for (double shape = 1e-3; shape < 1e14; shape *= 3.7)
		{
			x = gamma_quantile(shape, p);
			if (x > 1e-300)
				check(fabs(gamma_cdf(shape, x) - p) <
					  1e-13 + 1e-16 * sqrt(shape), "gamma_cdf", shape, p, x,
					  gamma_cdf(shape, x), p);
		}
	}
	for (double x = .01; x < 60; x *= 1.3)
	{
		double		want = -expm1(-x) - x * exp(-x);

		check(fabs(gamma_cdf(2, x) - want) < 1e-15 + 1e-12 * want, "gamma_cdf",
			  2, x, 0, gamma_cdf(2, x), want);
	}

	/* both sides of the change of method agree */
	for (double z = -6; z <= 6; z += .37)
	{
		double		low = gamma_cdf(2000, 2000 + z * sqrt(2000));
		double		high = gamma_cdf(2000 * (1 + 1e-15), 2000 + z * sqrt(2000));

		check(fabs(low - high) < 1e-11 * low,
			  "gamma_cdf at the seam", 2000, z, 0, low, high);
	}
}

int
main(void)
{
	topic("normal", check_normal);
	topic("gamma", check_gamma);
	topic("counts", check_counts);
	topic("large counts", check_large_counts);
	topic("differences", check_differences);
	printf("%d passed, %d failed\n", topics_passed, topics_failed);
	return failed > 0;
}
