-- Textbook safety stock and reorder point against values computed elsewhere.

-- demand 100 with sd 22 per day, lead time 12 days with sd 3
SELECT round(replenish.safety_stock(.95, 100, 22, 12, 3)::numeric, 9) AS ss,
	round(replenish.reorder_point(.95, 100, 22, 12, 3)::numeric, 9) AS rop;

-- demand 50 with sd 5, lead time 6 with sd 2, at 90 per cent
SELECT distribution,
	round(replenish.reorder_point(.9, 50, 5, 6, 2, distribution)::numeric, 9)
		AS rop,
	round(replenish.safety_stock(.9, 50, 5, 6, 2, distribution)::numeric, 9)
		AS ss
FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution
ORDER BY distribution;

-- closed forms: an exponential (gamma with sd = mean), a geometric (negative
-- binomial of shape 1) and Poisson counts
SELECT p, abs(replenish.reorder_point(p, 10, 10, 1, 0, 'gamma')
		+ 10 * ln(1 - p)) < 1e-9 * 10 AS exponential,
	replenish.reorder_point(p, 10, sqrt(110), 1, 0, 'negative_binomial')
		= ceil(ln(1 - p) / ln(10 / 11.0)) - 1 AS geometric,
	replenish.reorder_point(p, 3, sqrt(3), 1, 0, 'negative_binomial') AS poisson
FROM unnest('{.2,.5,.9,.95,.999}'::float8[]) p ORDER BY p;

-- the square root of the lead time, not the lead time
SELECT round((replenish.safety_stock(.95, 100, 20, 16, 0) /
	replenish.safety_stock(.95, 100, 20, 1, 0))::numeric, 12) AS ratio;

-- a lead time that varies needs more
SELECT replenish.safety_stock(.95, 100, 22, 12, 0)
	< replenish.safety_stock(.95, 100, 22, 12, 3) AS more;

-- nothing varies, nothing is asked for, nothing has to be waited for
SELECT distribution, replenish.reorder_point(.95, 10, 0, 5, 0, distribution)
		AS certain,
	replenish.reorder_point(.95, 0, 0, 5, 1, distribution) AS no_demand,
	replenish.reorder_point(.95, 10, 3, 0, 0, distribution) AS at_once
FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution
ORDER BY distribution;

-- a million units, or a sd of a hundred times the mean, are no trouble
SELECT distribution,
	replenish.reorder_point(.95, 1e9, 1e6, 30, 5, distribution)
		BETWEEN 3.7e10 AND 4e10 AS large,
	replenish.reorder_point(.95, 1, 100, 1, 0, distribution) >= 0 AS wild
FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution
ORDER BY distribution;

SELECT replenish.safety_stock(.95, 100, 22, 12, 3, NULL) IS NULL AS unknown;
SELECT replenish.safety_stock(0, 100, 22, 12, 3);
SELECT replenish.safety_stock(.95, -100, 22, 12, 3);
SELECT replenish.safety_stock(.95, 100, 'NaN', 12, 3);
SELECT replenish.reorder_point(.95, 100, 22, 'Infinity', 3);
SELECT replenish.reorder_point(.95, 100, 22, 12, -3);
SELECT replenish.reorder_point(.95, 1e300, 22, 1e300, 3);
SELECT replenish.reorder_point(.95, 100, 22, 12, 3, 'lognormal');
