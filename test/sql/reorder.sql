-- How much to order and how alarmed to be, with every boundary.
SET timezone = 'UTC';

CREATE FUNCTION pg_temp.qty(position_ float8, threshold float8, target float8,
	buffer float8, moq float8, multiple float8, maximum float8 DEFAULT 'Infinity')
RETURNS float8 LANGUAGE sql AS
'SELECT replenish.reorder_qty($1, $2, $3, $4, $5, $6, $7)';

-- nothing at or above the threshold; then need, buffer, MOQ, pack, maximum
SELECT pg_temp.qty(p, threshold, target, buffer, moq, pack, most) AS qty,
	p, threshold, target, buffer, moq, pack, most, what
FROM (VALUES
	(1, 0, 20, 20, 0, 50, 3, 'Infinity'::float8, 'MOQ, then packs of 3'),
	(2, 0, 20, 20, 0, 0, 3, 'Infinity', 'packs of 3'),
	(3, 100, 20, 20, 0, 0, 3, 'Infinity', 'enough is there'),
	(4, 20, 20, 40, 0, 0, 0, 'Infinity', 'exactly at the threshold'),
	(5, 19.999999, 20, 40, 0, 0, 0, 'Infinity', 'a millionth below it'),
	(6, 50, 100, 250, .25, 0, 0, 'Infinity', 'the buffer, once'),
	(7, -30, 100, 250, 0, 0, 0, 'Infinity', 'owed to customers'),
	(8, 0, 10, 12.0000001, 0, 0, 12, 'Infinity', 'a dozen'),
	(9, 0, 10, 12.000001, 0, 0, 12, 'Infinity', 'a dozen and a millionth'),
	(10, 0, 10, 12, 0, 12.0000001, 12, 'Infinity', 'an MOQ of a dozen'),
	(11, 0, .3, .3, 0, 0, .1, 'Infinity', 'tenths'),
	(12, 0, 100, 100, 0, 0, 12, 50, 'the maximum, down to packs'),
	(13, 0, 100, 100, 0, 0, 12, 48, 'the maximum, four packs'),
	(14, 0, 100, 100, 0, 0, 0, 30.5, 'the maximum, no packs'),
	(15, 0, 100, 100, 0, 50, 30, 55, 'no pack between MOQ and maximum'),
	(16, 0, 100, 100, 0, 50, 30, 60, 'one pack between them'),
	(17, 0, 100, 100, 0, 0, 7, 0, 'a maximum of nothing'),
	(18, 0, 0, 0, 0, 10, 1, 'Infinity', 'a threshold of nothing'),
	(19, -1, 0, 0, 0, 10, 1, 'Infinity', 'below nothing'),
	(20, 0, 100, 100, 0, 80, 0, 80, 'MOQ and maximum the same'))
	v (n, p, threshold, target, buffer, moq, pack, most, what)
ORDER BY n;

-- the defaults: a quarter more, any quantity
SELECT replenish.reorder_qty(0, 100, 100) AS qty,
	replenish.reorder_qty(NULL, 100, 100) AS unknown;

-- 1 350 and not 1 450: the buffer is applied once
SELECT replenish.reorder_qty(200, 400, 1280, .25) AS qty;

-- never below the MOQ, off the multiple or above the maximum, unless 0
SELECT count(*) AS cases,
	bool_and(q = 0 OR q >= moq) AS moq_kept,
	bool_and(abs(q / pack - round(q / pack)) < 1e-9) AS multiple_kept,
	bool_and(q <= most) AS maximum_kept,
	bool_and(q > 0 OR p >= 60 OR floor(most / pack) * pack < moq
		OR most < pack) AS ordered_if_possible,
	bool_and(p + q >= 100 - 1e-6 OR q = 0 OR most - q < pack) AS enough
FROM generate_series(-20, 120, 7) p, unnest('{0,1,17,50}'::float8[]) moq,
	unnest('{1,2.5,12,30}'::float8[]) pack,
	unnest('{50,64,1000,Infinity}'::float8[]) most,
	replenish.reorder_qty(p, 60, 100, .25, moq, pack, most) q;

-- what is ordered ends the alert, with and without a buffer
SELECT bool_and(replenish.alert_level(p + replenish.reorder_qty(p, threshold,
	greatest(threshold + cycle, 1.5 * threshold), buffer), threshold) = 'normal')
	AS ends
FROM generate_series(-13.7::numeric, 90, 3.1) p,
	unnest('{.7,1,33.3,100,12345.678901}'::float8[]) threshold,
	unnest('{0,.1,33.37}'::float8[]) cycle, unnest('{0,.25}'::float8[]) buffer
WHERE p < threshold;

SELECT replenish.reorder_qty('NaN', 1, 1);
SELECT replenish.reorder_qty(0, -1, 1);
SELECT replenish.reorder_qty(0, 'Infinity', 'Infinity');
SELECT replenish.reorder_qty(0, 10, 9);
SELECT replenish.reorder_qty(0, 10, 10, -.1);
SELECT replenish.reorder_qty(0, 10, 10, 0, -1);
SELECT replenish.reorder_qty(0, 10, 10, 0, 0, 'Infinity');
SELECT replenish.reorder_qty(0, 10, 10, 0, 0, 0, 'NaN');
SELECT replenish.reorder_qty(0, 10, 10, 0, 0, 0, '-Infinity');
SELECT replenish.reorder_qty(100, 10, 10, 0, 50, 0, 49);

-- tiers: strictly below 150, 100 and 50 per cent
SELECT position_, replenish.alert_level(position_, 200) AS tier
FROM unnest('{-5,0,99.999999,99.9999999,100,199.999999,200,299.999999,300,1000}'
	::float8[]) position_
ORDER BY position_;

-- nothing expected: normal until something is owed
SELECT position_, previous, replenish.alert_level(position_, 0, previous) AS tier
FROM unnest('{-.000001,0,5}'::float8[]) position_,
	unnest('{normal,red}'::replenish.tier[]) previous
ORDER BY position_, previous;

-- a tier is left only past its line and a tenth
SELECT ratio, replenish.alert_level(ratio * 1000, 1000, 'normal') AS normal,
	replenish.alert_level(ratio * 1000, 1000, 'yellow') AS yellow,
	replenish.alert_level(ratio * 1000, 1000, 'orange') AS orange,
	replenish.alert_level(ratio * 1000, 1000, 'red') AS red
FROM unnest('{.49,.5,.55,.550001,.99,1,1.1,1.100001,1.49,1.5,1.65,1.650001,2}'
	::float8[]) ratio
ORDER BY ratio;

-- without a margin the previous tier does not matter
SELECT bool_and(replenish.alert_level(p, 100, previous, 0) =
	replenish.alert_level(p, 100)) AS same
FROM generate_series(0, 200, 5) p,
	unnest(enum_range(NULL::replenish.tier)) previous;

-- a walk down and up again: 10 per cent saves the flutter around the lines
WITH RECURSIVE walk (step, position_, tier) AS (
	SELECT 0, 180::float8, 'normal'::replenish.tier
	UNION ALL
	SELECT step + 1, p, replenish.alert_level(p, 100, tier)
	FROM walk, LATERAL (SELECT ('{151,149,151,148,160,166,149,99,101,99,109,111,
		120,49,51,54,56,40,200}'::float8[])[step + 1]) s (p)
	WHERE p IS NOT NULL)
SELECT step, position_, tier FROM walk ORDER BY step;

SELECT replenish.alert_level('NaN', 1);
SELECT replenish.alert_level(1, -1);
SELECT replenish.alert_level(1, 1, 'red', -.1);
SELECT replenish.alert_level(1, 'Infinity');
SELECT replenish.alert_level(NULL, 1) IS NULL AS unknown;
SELECT 'normal' < 'yellow'::replenish.tier AND 'yellow' < 'orange'::replenish.tier
	AND 'orange' < 'red'::replenish.tier AS ordered;

-- the threshold of a demand: horizon, service level and lead time all count
CREATE TEMP TABLE item AS
SELECT replenish.demand_agg(1 + i % 4, t) AS d
FROM generate_series(timestamptz '2026-05-01', '2026-11-01', '5 hours')
	WITH ORDINALITY s (t, i);
SELECT what, t.threshold, round(t.mean::numeric, 1) AS mean,
	round(t.sd::numeric, 1) AS sd,
	abs(t.threshold - t.mean - t.safety_stock) < 1e-9 AS sum
FROM item, (VALUES (1, 'default', '30 days', '8 days', '7 days', .95),
	(2, 'safer', '30 days', '8 days', '7 days', .99),
	(3, 'certain lead time', '30 days', '0', '7 days', .95),
	(4, 'review at once', '30 days', '8 days', '0', .95),
	(5, 'half', '30 days', '0', '7 days', .5),
	(6, 'at once', '0', '8 days', '0', .95)) v (n, what, lead, sd, review, p),
	replenish.demand_threshold(d, '2026-11-01', lead::interval, sd::interval,
		review::interval, p) t
ORDER BY n;

SELECT replenish.demand_threshold(d, '2026-11-01', '-1 day', '0', '0', .9) FROM item;
SELECT replenish.demand_threshold(d, '2026-11-01', '1 day', '-1 hour', '0', .9) FROM item;
SELECT replenish.demand_threshold(d, '2026-11-01', '1 day', '1 mon', '0', .9) FROM item;
SELECT replenish.demand_threshold(d, '2026-11-01', '200 days', '0', '200 days', .9) FROM item;
SELECT replenish.demand_threshold(d, '2026-11-01', '1 day', '0', '1 year', .9) FROM item;
SELECT replenish.demand_threshold(d, '2026-11-01', '1 day', '0', '0', 1) FROM item;
