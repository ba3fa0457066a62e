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
CREATE TEMP TABLE expected (series text, days int, mean float8, var float8,
	q50 float8, q95 float8, velocity float8, threshold float8);
INSERT INTO expected VALUES
	('steady', 28, 186.89582162879964, 122.59865775399301,
	 186.94791081439982, 207.55417234105278, 0.3124283981612425, 237),
	('sparse', 56, 9.14543651895707, 42.454335333804956,
	 8.572718259478535, 20.931403943961893, 0.006878314300758133, 22),
	('young', 7, 55.677358973337945, 4311.915161317111,
	 44.338679486668966, 175.8434798272782, 0.17243241251485822, 203),
	('season', 28, 230.64981463951588, 2542.2945477724757,
	 228.82490731975793, 316.2926308288568, 0.13156616726862688, 338),
	('bulk', 14, 138.0098388969999, 9762.30173433858,
	 126.50491944849995, 315.26427514715783, 0.5254972850436653, 346),
	('burst', 7, 46.72395540719991, 17.658541159670772,
	 46.861977703599955, 55.81798517044018, 231.42857142857142, 98),
	('returns', 14, 80.47625386380533, 79.31005558662774,
	 80.23812693190266, 95.56234705653614, 0.25867971530302386, 125),
	('weekdays', 3, 25.747153852876803, 12.3907045843641,
	 25.873576926438403, 32.768554891806026, 0.18165281023726063, 95),
	('one sale', 13, 4.657433373577367, 213.38310519823233,
	 2.3287166867886833, 27.842430345391815, 0.014785502773261483, 27);

SELECT series,
	abs(f.mean / e.mean - 1) < 1e-9 AS mean,
	abs(f.sd ^ 2 / e.var - 1) < 1e-9 AS var,
	abs(q[1] / e.q50 - 1) < 1e-9 AS median,
	abs(q[2] / e.q95 - 1) < 1e-9 AS q95,
	abs(replenish.demand_velocity(d, '2026-11-04 10:00') / e.velocity - 1)
		< 1e-9 AS velocity,
	t.threshold = e.threshold AS threshold,
	t.safety_stock = t.threshold - f.mean AS safety_stock,
	abs(t.sd ^ 2 / (e.var + (4 * e.mean / e.days) ^ 2) - 1) < 1e-9 AS sd
FROM expected e JOIN demands USING (series),
	make_interval(days => e.days) horizon,
	replenish.demand_forecast(d, '2026-11-04', horizon) f,
	replenish.demand_quantiles(d, '2026-11-04', horizon, '{.5,.95}') q,
	replenish.demand_threshold(d, '2026-11-04', horizon, '4 days', '0', .95) t
ORDER BY series;
