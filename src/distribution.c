/*-------------------------------------------------------------------------
 *
 * distribution.c
 *	  The gamma distribution: probabilities and quantiles.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>

#include "distribution.h"
#include "special.h"

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
		step = newton_step(over, shape * poisson_term(shape, x));

		/* beyond the quantile the density promises next to nothing near it */
		step = fmin(fmax(step, -1 - fabs(y) / 2), 1 + fabs(y) / 2);
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
