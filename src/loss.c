/*-------------------------------------------------------------------------
 *
 * loss.c
 *	  What demand is expected beyond a stock.
 *
 * The loss of a distribution at x is E max(X - x, 0).  Each of these has a
 * closed form in a tail and the density next to it; far out, where the two
 * cancel, what is lost is below 1e-16 of the spread.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "distribution.h"
#include "special.h"

/* so many tails away nothing is left that a double can hold */
#define TAILS			1e3

/*
 * Loss of a standard normal value: its density less x times its tail.
 */
double
normal_loss(double x)
{
	double		density = exp(-x * x / 2) / sqrt(TWO_PI);
	double		tail = erfc(x * M_SQRT1_2) / 2;

	return fmax(density - x * tail, 0);
}

/*
 * Loss of a gamma value of this shape and rate 1.  The tail of shape + 1 is
 * that of the shape and a Poisson term more.
 */
double
gamma_loss(double shape, double x)
{
	double		lower;
	double		upper;

	if (!(x > 0))
		return shape - x;
	if (x > shape + TAILS * (1 + sqrt(shape)))
		return 0;
	gamma_tails(shape, x, &lower, &upper);
	return fmax((shape - x) * upper + shape * poisson_term(shape, x), 0);
}

/*
 * Loss of a count with this mean and variance, linear between whole numbers.
 */
double
count_loss(double mean, double var, double x)
{
	double		more;
	double		above;

	if (x < 0 || !(mean > 0))
		return fmax(mean - x, 0);
	if (x > mean + TAILS * (1 + sqrt(var) + var / mean))
		return 0;
	count_tail(mean, var, floor(x), &more, &above);
	return fmax(above + (mean - x) * more, 0);
}
