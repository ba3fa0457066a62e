/*-------------------------------------------------------------------------
 *
 * distribution.h
 *	  Quantiles of the distributions that demand is forecast with.  Knows
 *	  nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_DISTRIBUTION_H
#define REPLENISH_DISTRIBUTION_H

/* z such that a standard normal value is at most z with probability p */
extern double normal_quantile(double p);

/* probability that a gamma value of this shape and rate 1 is at most x */
extern double gamma_cdf(double shape, double x);

/* x such that a gamma value of this shape and rate 1 is at most x with p */
extern double gamma_quantile(double shape, double p);

/*
 * Counts with this mean and variance: negative binomial, or Poisson where
 * the variance does not exceed the mean by more than one part in a thousand.
 */
extern double count_cdf(double mean, double var, double k);
extern double count_quantile(double mean, double var, double p);

/* the same for n probabilities; fastest when they rise */
extern void count_quantiles(double mean, double var, int n, const double *p,
							double *k);

/*
 * Probability of more than k, for a whole k of 0 or more and a mean above 0,
 * and how far those counts are above the mean: the sum of (j - mean) p(j).
 */
extern void count_tail(double mean, double var, double k, double *more,
					   double *above);

/* the expected excess over x, E max(X - x, 0), of the same distributions */
extern double normal_loss(double x);
extern double gamma_loss(double shape, double x);
extern double count_loss(double mean, double var, double x);

#endif							/* REPLENISH_DISTRIBUTION_H */
