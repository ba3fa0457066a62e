/*-------------------------------------------------------------------------
 *
 * special.h
 *	  Functions behind the distributions.  Knows nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_SPECIAL_H
#define REPLENISH_SPECIAL_H

#define TWO_PI			6.28318530717958647693

/* shapes above this are integrated by quadrature */
#define LARGE_SHAPE		2000.0

/* ln(x!) minus Stirling's approximation of it, for x > 0 */
extern double stirling_error(double x);

/* x ln(x / m) + m - x without cancellation, for x > 0 and m > 0 */
extern double deviance(double x, double m);

/* x^a e^-x / gamma(a + 1), for a > 0 and x > 0 */
extern double poisson_term(double a, double x);

/* tail beyond u of a density around 0; see there */
extern double tail_integral(double u, double weight, double t0);

/* both tails of the gamma distribution of this shape at x > 0 */
extern void gamma_tails(double shape, double x, double *lower, double *upper);

/*
 * Newton's step against so much too much probability.  Where the density is
 * too small for a number, as far as the caller lets it go.
 */
extern double newton_step(double over, double density);

/* the continued fraction of the incomplete beta function, over a */
extern double beta_fraction(double a, double b, double x);

#endif							/* REPLENISH_SPECIAL_H */
