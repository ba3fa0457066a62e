-- Level, forecast, quantiles, velocity and threshold agree with the
-- executable reference to nine digits on series of many kinds.
SET timezone = 'UTC';

-- each event lies so many minutes before 2026-11-04 10:00, a Wednesday
CREATE TEMP TABLE sales (series text, back int, units float8);
INSERT INTO sales
SELECT s, n * 431 + n * n % 97 * 3, 1 + n % 3
FROM generate_series(1, 600) n, unnest('{steady,bulk,burst}'::text[]) s
UNION ALL
SELECT 'bulk', 20000, 400
UNION ALL
SELECT 'burst', 1 + n / 4, 1 FROM generate_series(1, 120) n
UNION ALL
SELECT 'sparse', n * 13577, 1 + n * n % 4 FROM generate_series(1, 9) n
UNION ALL
SELECT 'young', n * 331 + n * n % 50, 2 FROM generate_series(1, 20) n
UNION ALL
SELECT 'season', n * 890,
	1 + n % 7 + CASE WHEN n BETWEEN 520 AND 590 THEN 6 ELSE 0 END
FROM generate_series(1, 1005) n
UNION ALL
SELECT 'returns', n * 300, CASE WHEN n % 5 = 2 THEN -2 ELSE 2 END
FROM generate_series(1, 200) n
UNION ALL
SELECT 'weekdays', n * 1440 + n * 7919 % 600, 10
FROM generate_series(1, 84) n WHERE (86 - n) % 7 < 5
UNION ALL
SELECT 'one sale', 3000, 5;

CREATE TEMP TABLE demands AS
SELECT series, replenish.demand_agg(units,
	timestamptz '2026-11-04 10:00' - back * interval '1 minute') AS d
FROM sales GROUP BY series;

-- what the reference says about whole days from midnight, about the
-- velocity at 10:00, and about a lead time of so many days with an sd of 4
-- (whose mean and variance are steadier than those of the forecast)
CREATE TEMP TABLE expected (series text, days int, mean float8, var float8,
	q50 float8, q95 float8, velocity float8, threshold float8,
	week_mean float8, week_var float8);
INSERT INTO expected VALUES
	('steady', 28, 187.11782389139987, 106.76143656843958,
	 187.00012016079887, 209.99399658870695,
	 0.3127995129924243, 240, 187.1744511326202, 925.182758106896),
	('sparse', 56, 9.191483455464889, 56.728675357244065,
	 7.266259327872317, 23.70600866693819,
	 0.006912946360281079, 24, 9.029471503446699, 59.900352933835514),
	('young', 7, 31.111111111111114, 1035.6543209876545,
	 22.13010692371693, 93.77558441268872,
	 0.09675516224188786, 104, 31.111111111111114, 1351.703703703704),
	('season', 28, 224.04135134033191, 3651.7593650124004,
	 219.03746401916163, 331.9363840375152,
	 0.13084836129419614, 310, 215.53609011431905, 2836.8246550923964),
	('bulk', 14, 93.64366018845422, 6883.024682725555,
	 74.32050808719302, 253.90976162959248,
	 0.3149257101328339, 308, 93.67513929402276, 11984.122127459239),
	('burst', 7, 46.77945597284996, 17.881111995590373,
	 46.999775081724316, 57.99565030084697,
	 231.42857142857144, 98, 46.79361278315505, 738.5715850899824),
	('returns', 14, 80.72235365602468, 91.42545026134769,
	 80.99938951476386, 96.99879043417614,
	 0.25947076882665293, 124, 79.38485376052412, 611.509035977201),
	('weekdays', 3, 25.87685936112309, 13.29061856035139,
	 25.999788285350856, 34.99462444129466,
	 0.18256791604704536, 75, 20.107525204564503, 731.4885999580534),
	('one sale', 13, 10.833333333333334, 288.8888888888889,
	 5.6142887918558495, 43.53307667176392,
	 0.03246753246753247, 44, 10.833333333333334, 300.0);

SELECT series,
	abs(f.mean / e.mean - 1) < 1e-9 AS mean,
	abs(f.sd ^ 2 / e.var - 1) < 1e-9 AS var,
	abs(q[1] / e.q50 - 1) < 1e-9 AS median,
	abs(q[2] / e.q95 - 1) < 1e-9 AS q95,
	abs(replenish.demand_velocity(d, '2026-11-04 10:00') / e.velocity - 1)
		< 1e-9 AS velocity,
	t.threshold = e.threshold AS threshold,
	abs(t.mean / e.week_mean - 1) < 1e-9 AS week_mean,
	t.safety_stock = t.threshold - t.mean AS safety_stock,
	abs(t.sd ^ 2 / e.week_var - 1) < 1e-9 AS sd
FROM expected e JOIN demands USING (series),
	make_interval(days => e.days) horizon,
	replenish.demand_forecast(d, '2026-11-04', horizon) f,
	replenish.demand_quantiles(d, '2026-11-04', horizon, '{.5,.95}') q,
	replenish.demand_threshold(d, '2026-11-04', horizon, '4 days', '0', .95) t
ORDER BY series;
