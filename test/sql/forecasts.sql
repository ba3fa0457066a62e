-- Forecasts of any horizon at any moment: shape, limits, refusals.
SET timezone = 'UTC';

-- 60 days of sales, more on Saturdays and in the evening; an item that has
-- not sold, one that sold once, and one with nothing but returns
CREATE TEMP TABLE item (name text, d replenish.demand);
INSERT INTO item
SELECT 'rhythm', replenish.demand_agg(CASE WHEN extract(isodow FROM t) = 6
	THEN 9 ELSE 3 END, t)
FROM generate_series(timestamptz '2026-09-02 18:30',
	'2026-11-01 09:30', '3 hours') t
WHERE extract(hour FROM t) BETWEEN 15 AND 21
UNION ALL
SELECT 'unsold', replenish.demand_agg(0, '2026-10-01')
UNION ALL
SELECT 'sold once', replenish.demand_agg(1, '2026-10-01 12:00')
UNION ALL
SELECT 'returns only', replenish.demand_agg(-3, t)
FROM generate_series(timestamptz '2026-09-02', '2026-10-30', '5 days') t
UNION ALL
SELECT 'millionths', replenish.demand_agg(1e-6, t)
FROM generate_series(timestamptz '2026-09-02', '2026-10-30', '1 day') t
UNION ALL
SELECT 'millions of millions', replenish.demand_agg(1e12, t)
FROM generate_series(timestamptz '2026-09-02', '2026-10-30', '1 day') t
UNION ALL
SELECT 'a quiet year and a burst', replenish.demand_agg(40, t)
FROM (SELECT timestamptz '2025-10-01' UNION ALL
	SELECT generate_series(timestamptz '2026-10-31 23:00',
		'2026-10-31 23:50', '1 minute')) s (t);

-- finite and not negative, for the next minute as for the next year, and
-- long after the last sale
SELECT name,
	bool_and(f.mean >= 0 AND f.mean < 'Infinity') AS mean,
	bool_and(f.sd >= 0 AND f.sd < 'Infinity') AS sd,
	bool_and(q >= 0 AND q < 'Infinity') AS quantile,
	bool_and(replenish.demand_velocity(d, as_of) >= 0) AS velocity
FROM item,
	unnest('{2026-11-01,2026-11-01 10:07:33,2027-04-01,2036-01-01}'
		::timestamptz[]) as_of,
	unnest('{0,1 minute,5 hours,1 day,9.5 days,366 days}'::interval[]) horizon,
	unnest('{.01,.5,.999}'::float8[]) p,
	replenish.demand_forecast(d, as_of, horizon) f,
	replenish.demand_quantile(d, as_of, horizon, p) q
GROUP BY name ORDER BY name;

-- nothing sold, only returned, or long ago: nothing is expected, though the
-- returns leave a spread
SELECT name, f.mean, round(f.sd::numeric, 3) AS sd,
	round(replenish.demand_quantile(d, as_of, '30 days', .95)::numeric, 3) AS q95
FROM item, unnest('{2026-11-01,2036-01-01}'::timestamptz[]) as_of,
	replenish.demand_forecast(d, as_of, '30 days') f
WHERE name IN ('unsold', 'returns only') OR as_of > '2030-01-01'
ORDER BY name, as_of;

-- the scale of the quantities is the scale of the forecast
SELECT name, round((f.mean / unit)::numeric, 3) AS units
FROM item JOIN (VALUES ('millionths', 1e-6::float8),
	('millions of millions', 1e12)) v (name, unit) USING (name),
	replenish.demand_forecast(d, '2026-10-31', '10 days') f
ORDER BY name;

-- mean and sd rise with the horizon without a jump, quantiles with p
SELECT name,
	bool_and(mean >= lag_mean) AS mean_rises,
	bool_and(sd >= lag_sd) AS sd_rises,
	bool_and(mean - lag_mean <= .02 * greatest(far_mean, 1e-9)) AS no_jump,
	bool_and(q[1] <= q[2] AND q[2] <= q[3] AND q[3] <= q[4]) AS p_rises
FROM (SELECT name, h, f.*, q, lag(f.mean, 1, 0::float8) OVER w AS lag_mean,
		lag(f.sd, 1, 0::float8) OVER w AS lag_sd,
		(replenish.demand_forecast(d, '2026-11-01 10:07', '60 days')).mean
			AS far_mean
	FROM item, generate_series(0, 60 * 24 * 2, 7) h,
		replenish.demand_forecast(d, '2026-11-01 10:07', h * interval '30 min') f,
		replenish.demand_quantiles(d, '2026-11-01 10:07', h * interval '30 min',
			'{.1,.5,.9,.99}') q
	WINDOW w AS (PARTITION BY name ORDER BY h)) s
GROUP BY name ORDER BY name;

-- quantiles for p of .5 and more rise with the days
SELECT name, p, bool_and(q >= before) AS rises
FROM (SELECT name, p, q, lag(q, 1, 0::float8) OVER
		(PARTITION BY name, p ORDER BY days) AS before
	FROM item, unnest('{.5,.8,.95,.99}'::float8[]) p,
		generate_series(1, 366) days,
		replenish.demand_quantile(d, '2026-11-01 10:07',
			make_interval(days => days), p) q) s
WHERE name <> 'unsold'
GROUP BY name, p ORDER BY name, p;

-- what has passed of a day plus what is left of it is the day, but for what
-- the hours since midnight taught; the evening holds the sales
SELECT round(((rest.mean + past.mean) / whole.mean)::numeric, 2) AS parts,
	round((rest.mean / whole.mean)::numeric, 2) AS after_two,
	round((night.mean / whole.mean)::numeric, 2) AS after_ten,
	round((week.mean / whole.mean)::numeric, 1) AS week_in_sundays
FROM item,
	replenish.demand_forecast(d, '2026-11-01', '1 day') whole,
	replenish.demand_forecast(d, '2026-11-01', '14 hours') past,
	replenish.demand_forecast(d, '2026-11-01 14:00', '10 hours') rest,
	replenish.demand_forecast(d, '2026-11-01 22:00', '2 hours') night,
	replenish.demand_forecast(d, '2026-11-01', '7 days') week
WHERE name = 'rhythm';

-- Saturday sells the most
SELECT to_char(day, 'FMDay') AS best
FROM item, generate_series(timestamptz '2026-11-02', '2026-11-08', '1 day') day
WHERE name = 'rhythm'
ORDER BY (replenish.demand_forecast(d, '2026-11-02', day + '1 day'
		- timestamptz '2026-11-02')).mean -
	(replenish.demand_forecast(d, '2026-11-02', day
		- timestamptz '2026-11-02')).mean DESC
LIMIT 1;

-- one call for many p is as many calls for one, in any order, over a batch
SELECT q = ARRAY(SELECT replenish.demand_quantile(d, '2026-11-01 10:07',
		'17 days 5 hours', x) FROM unnest(p) WITH ORDINALITY u (x, i) ORDER BY i)
	AS same, cardinality(q) AS n
FROM item, (SELECT array_agg((i * 37 % 40 + 1) / 42.0::float8 ORDER BY i) AS p
	FROM generate_series(0, 39) i) s,
	replenish.demand_quantiles(d, '2026-11-01 10:07', '17 days 5 hours', p) q
WHERE name = 'rhythm';

SELECT replenish.demand_quantiles(d, '2026-11-01', '1 day', '{}') AS none
FROM item WHERE name = 'rhythm';

-- NULL in, NULL out
SELECT replenish.demand_velocity(NULL, '2026-11-01') IS NULL AS velocity,
	replenish.demand_quantile(d, '2026-11-01', NULL, .5) IS NULL AS quantile,
	replenish.demand_quantiles(d, '2026-11-01', '1 day', NULL) IS NULL
		AS quantiles,
	(replenish.demand_forecast(d, NULL, '1 day')).mean IS NULL AS forecast
FROM item WHERE name = 'rhythm';

-- what cannot be answered is refused by name
\set q '(SELECT d FROM item WHERE name = ''rhythm'')'
SELECT replenish.demand_forecast(:q, '2026-11-01', '-1 day');
SELECT replenish.demand_forecast(:q, '2026-11-01', '367 days');
SELECT replenish.demand_forecast(:q, '2026-11-01', '1 month');
SELECT replenish.demand_forecast(:q, 'infinity', '1 day');
SELECT replenish.demand_velocity(:q, '1969-01-01');
SELECT replenish.demand_quantile(:q, '2026-11-01', '1 day', 1);
SELECT replenish.demand_quantile(:q, '2026-11-01', '1 day', 'NaN');
SELECT replenish.demand_quantiles(:q, '2026-11-01', '1 day', '{.5,NULL}');
SELECT replenish.demand_quantiles(:q, '2026-11-01', '1 day', '{.5,0}');
SELECT replenish.demand_quantiles(:q, '2026-11-01', '1 day', '{{.5},{.6}}');
