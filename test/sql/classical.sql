-- The classical formulas between the published examples: closed forms, limits,
-- what follows from one another, and bad input.

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

-- the last digits of a service level: finite, and more for more
SELECT distribution, bool_and(q > before AND q < 'Infinity') AS rises
FROM (SELECT distribution, q, lag(q, 1, '-Infinity') OVER (PARTITION BY distribution, mean ORDER BY p) AS before
	FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution,
		unnest('{40,4e9}'::float8[]) mean,
		unnest('{.0000001,.05,.5,.95,.999,.9999999,.999999999999}'::float8[]) p,
		LATERAL replenish.reorder_point(p, mean, mean / 3, 1, .4, distribution) q) q
GROUP BY distribution ORDER BY distribution;
-- so little demand spread so wide that the search for a quantile once walked on
-- for hours
SELECT replenish.reorder_point(.9999999999999999, 2.8854741219017511e-05,
	sqrt(7476754.6332121808), 1, 0, 'negative_binomial') > 0 AS found;
-- and the start of that for a gamma, beyond its end, sent Newton back to nothing
SELECT mean, sd, abs(replenish.reorder_point(p, mean, sd, 1, 0, 'gamma') / (-mean * ln(1 - p)) - 1) < 1e-12 AS found
FROM (VALUES (1, 1), (1e6, 1e6)) v (mean, sd), unnest('{.999999999999,.9999999999999999}'::float8[]) p;
-- no lead time, and no certainty of that: only a normal demand can be negative
SELECT distribution, replenish.reorder_point(.05, 10, 3, 0, 2, distribution) < 0 AS below
FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution
ORDER BY distribution;

-- loss and quantile know of each other: a unit more at the quantile leaves 1 - p
-- less to be short of
CREATE FUNCTION pg_temp.short_of(x float8, mean float8, sd float8, distribution text)
RETURNS float8 LANGUAGE sql AS
'SELECT 1e6 * (1 - replenish.fill_rate(x, 1e6, mean, sd, 1, 0, distribution))';
SELECT distribution, max(abs((pg_temp.short_of(q - h, mean, cv * mean, distribution)
		- pg_temp.short_of(q + h, mean, cv * mean, distribution)) / (2 * h) - (1 - p))) < 1e-5 AS slope
FROM unnest('{normal,gamma}'::text[]) distribution, unnest('{3,70,5000}'::float8[]) mean,
	unnest('{.1,.5,1}'::float8[]) cv, unnest('{.05,.5,.9,.99}'::float8[]) p,
	LATERAL replenish.reorder_point(p, mean, cv * mean, 1, 0, distribution) q,
	LATERAL (VALUES (mean * cv * 1e-4)) s (h)
GROUP BY distribution ORDER BY distribution;
SELECT bool_and(pg_temp.short_of(q, mean, sd, 'negative_binomial')
		- pg_temp.short_of(q + 1, mean, sd, 'negative_binomial') < 1 - p + 1e-8
	AND (q = 0 OR pg_temp.short_of(q - 1, mean, sd, 'negative_binomial')
		- pg_temp.short_of(q, mean, sd, 'negative_binomial') > 1 - p - 1e-8)) AS counts
FROM (VALUES (.4, .7), (.4, 5), (12, 3), (12, 9), (300, 20), (300, 90), (8000, 4000)) v (mean, sd),
	unnest('{.05,.5,.9,.99}'::float8[]) p,
	LATERAL replenish.reorder_point(p, mean, sd, 1, 0, 'negative_binomial') q;

-- fill rates are shares, rise with both quantities, and exact ones are not below
SELECT distribution, bool_and(f BETWEEN 0 AND 1 AND e BETWEEN f - 1e-12 AND 1) AS shares,
	bool_and(f >= f_before AND e >= e_before) AS rise
FROM (SELECT distribution, f, e, lag(f, 1, 0) OVER w AS f_before, lag(e, 1, 0) OVER w AS e_before
	FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution,
		unnest('{-50,0,20.5,100,400,1e12}'::float8[]) point,
		unnest('{1e-6,1,30,500,1e12}'::float8[]) qty,
		LATERAL (VALUES (replenish.fill_rate(point, qty, 10, 7, 9, 2, distribution),
			replenish.fill_rate(point, qty, 10, 7, 9, 2, distribution, true))) r (f, e)
	WINDOW w AS (PARTITION BY distribution, qty ORDER BY point)) f
GROUP BY distribution ORDER BY distribution;
-- exactly, and one by one, the share of (r, Q) is the mean chance of being in
-- stock at r, r + 1, ... of a Poisson demand (Hopp and Spearman)
SELECT abs(replenish.fill_rate(r, q, 5, sqrt(5), 1, 0, 'negative_binomial', true)
	- (SELECT avg((SELECT sum(exp(-5) * 5 ^ j / factorial(j)) FROM generate_series(0, x) j))
		FROM generate_series(r, r + q - 1) x)) < 1e-12 AS poisson
FROM (VALUES (3, 4), (6, 1), (0, 20)) v (r, q);
-- the least safety stock for a fill rate is one, and the least
SELECT distribution, exact, bool_and(f >= share - 1e-9) AS enough,
	bool_and(point < 1e-9 OR below < share) AS least, count(*) FILTER (WHERE point < 1e-9) AS none
FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution, unnest('{f,t}'::boolean[]) exact,
	unnest('{.0000001,.3,.9,.99,.9999999}'::float8[]) share, unnest('{.5,25,300,1e9}'::float8[]) qty,
	LATERAL (VALUES (10 * 9 + replenish.safety_stock_for_fill_rate(share, qty, 10, 7, 9, 2,
		distribution, exact))) p (point),
	LATERAL (VALUES (replenish.fill_rate(point, qty, 10, 7, 9, 2, distribution, exact),
		replenish.fill_rate(point - CASE distribution WHEN 'negative_binomial' THEN 1 ELSE 1e-3 END,
			qty, 10, 7, 9, 2, distribution, exact))) f (f, below)
GROUP BY distribution, exact ORDER BY distribution, exact;
-- demand that is certain, and none
SELECT distribution, replenish.fill_rate(40, 100, 10, 0, 5, 0, distribution) AS certain,
	replenish.fill_rate(0, 100, 0, 0, 5, 1, distribution) AS nothing,
	replenish.safety_stock_for_fill_rate(.95, 100, 10, 0, 5, 0, distribution) AS stock,
	replenish.safety_stock_for_fill_rate(.95, 100, 0, 0, 5, 1, distribution) AS none
FROM unnest('{normal,gamma}'::text[]) distribution ORDER BY distribution;

SELECT replenish.fill_rate('NaN', 10, 100, 22, 12, 3);
SELECT replenish.fill_rate(10, 0, 100, 22, 12, 3);
SELECT replenish.fill_rate(10, -1, 100, 22, 12, 3);
SELECT replenish.fill_rate(10, 'Infinity', 100, 22, 12, 3);
SELECT replenish.fill_rate(10, 10, 100, 22, -12, 3);
SELECT replenish.fill_rate(10, 10, 1e200, 22, 12, 3, 'gamma');
SELECT replenish.fill_rate(10, 10, 100, 22, 12, 3, 'Normal');
SELECT replenish.safety_stock_for_fill_rate(0, 10, 100, 22, 12, 3);
SELECT replenish.safety_stock_for_fill_rate(1, 10, 100, 22, 12, 3);
SELECT replenish.safety_stock_for_fill_rate(.9, 0, 100, 22, 12, 3);

-- order quantities
SELECT replenish.economic_order_quantity(0, 10, 1) AS nothing_sold,
	replenish.economic_order_quantity(1000, 0, 1) AS free_orders,
	replenish.economic_order_quantity(1e12, 1e6, 1e-6) AS vast,
	replenish.economic_order_quantity(NULL, 10, 1) IS NULL AS unknown;
SELECT replenish.economic_order_quantity(1000, 10, 0);
SELECT replenish.economic_order_quantity(-1, 10, 1);
SELECT replenish.economic_order_quantity(1, 'NaN', 1);
SELECT replenish.economic_order_quantity(1e300, 1e300, 1);

-- nothing else earns more: sales are the demand less what is short
SELECT distribution, bool_and(expected_profit >= other - 1e-6) AS best,
	bool_and(abs(expected_sales + expected_leftover - order_qty) < 1e-9) AS sum
FROM unnest('{normal,gamma,negative_binomial}'::text[]) distribution,
	(VALUES (20, 8, 2, 60, 25), (20, 19, 2, 60, 25), (5, 1, -2, 300, 200), (5, 1, .999, 4, 9))
		v (price, cost, salvage, mean, sd),
	LATERAL replenish.newsvendor(price, cost, salvage, mean, sd, distribution) n,
	unnest('{-50,-1,1,3,80}'::float8[]) more,
	LATERAL (VALUES (greatest(order_qty + more, 0))) q (qty),
	LATERAL (VALUES (mean - pg_temp.short_of(qty, mean, sd, distribution))) s (sales),
	LATERAL (VALUES (price * sales + salvage * (qty - sales) - cost * qty)) o (other)
GROUP BY distribution ORDER BY distribution;
SELECT what, n.* FROM (VALUES (1, 'earns nothing', 10, 10, 2, 50::float8, 20::float8),
	(2, 'loses', 10, 12, 2, 50, 20), (3, 'certain', 10, 6, 2, 50, 0),
	(4, 'no demand', 10, 6, 2, 0, 0), (5, 'hardly worth it', 10, 9.9, 0, 50, 100))
	v (i, what, price, cost, salvage, mean, sd),
	LATERAL replenish.newsvendor(price, cost, salvage, mean, sd) n ORDER BY i;
SELECT order_qty < 1e15 AS finite FROM replenish.newsvendor(1e12, 1, .9999999999999999, 1e6, 1e6);
SELECT replenish.newsvendor(10, 6, 6, 50, 20);
SELECT replenish.newsvendor(-10, 6, 2, 50, 20);
SELECT replenish.newsvendor(10, -6, -8, 50, 20);
SELECT replenish.newsvendor(10, 6, '-Infinity', 50, 20);
SELECT replenish.newsvendor(10, 6, 2, -50, 20);
SELECT replenish.newsvendor(10, 6, 2, 50, 'NaN');
SELECT replenish.newsvendor(10, 6, 2, 50, 20, '');
SELECT replenish.newsvendor(NULL, 6, 2, 50, 20) IS NULL AS unknown;

-- the classes of demand, by day and by week
SELECT what, replenish.demand_pattern(d) AS days, replenish.demand_pattern(d, '7 days') AS weeks
FROM (SELECT what, replenish.demand_agg(qty, timestamptz '2026-11-01 12:00Z' - i * every) AS d
	FROM generate_series(0, 90) i, LATERAL (VALUES
		('10 or so a day', 9 + i % 3, interval '1 day'),
		('2 or 60 a day', CASE WHEN i % 9 = 0 THEN 60 ELSE 2 END, '1 day'),
		('10 or so each third day', 9 + i % 3, '3 days'),
		('2 or 60 each third day', CASE WHEN i % 9 = 0 THEN 60 ELSE 2 END, '3 days'),
		('10 or so in a month', 9 + i % 3, '30 days'),
		('only returns', -1, '1 day')) v (what, qty, every)
	GROUP BY what
	UNION ALL SELECT 'once', replenish.demand_agg(5, '2026-11-01 12:00Z')
	UNION ALL SELECT 'once, two months ago', replenish.demand_at(
		replenish.demand_agg(5, '2026-09-01 12:00Z'), '2026-11-01 12:00Z')
	UNION ALL SELECT 'nothing', replenish.demand_agg(0, '2026-11-01 12:00Z')) v (what, d)
ORDER BY what;
-- 25 of 33 days: an interval of exactly 1.32
SELECT replenish.demand_pattern(replenish.demand_agg(qty, timestamptz '2026-10-01 12:00Z' + day * interval '1 day'))
FROM (SELECT 10, day FROM generate_series(2, 24) day UNION ALL VALUES (10, 1), (10, 33)) v (qty, day);
SELECT replenish.demand_pattern(replenish.demand_agg(1, now()), '1 month');
SELECT replenish.demand_pattern(replenish.demand_agg(1, now()), '2 days');
