-- Velocity now: the rhythm of hours and days, and bursts above it.
SET timezone = 'UTC';
SET search_path = replenish, public;

-- eight units a day for eight weeks, until 2026-11-02 20:00, a Monday
CREATE TEMP TABLE base AS
SELECT demand_agg(1, t) AS d
FROM generate_series(timestamptz '2026-09-07 00:20', '2026-11-02 19:59',
	'3 hours') t;

-- a show: 4 units a minute for half an hour; the same with a pause now, and
-- after its end; one order as large, and two; and what is too little
CREATE TEMP TABLE case_ AS
SELECT name, d + (SELECT demand_agg(units, t) FROM generate_series(
	'2026-11-02'::timestamptz + first, '2026-11-02'::timestamptz + last,
	every) t) AS d
FROM base, (VALUES
	('show', 4, interval '19:30', interval '19:59', interval '1 minute'),
	('show in a pause', 4, '19:25', '19:54', '1 minute'),
	('show that ended', 4, '19:20', '19:53', '1 minute'),
	('show of packs', 48, '19:30', '19:59', '2 minutes'),
	('three minutes', 40, '19:57', '19:59', '1 minute'),
	('two bulk orders', 60, '19:58', '19:59', '1 minute'),
	('bulk order', 120, '19:58', '19:58', '1 minute'),
	('three units', .5, '19:54', '19:59', '1 minute')
) AS v(name, units, first, last, every)
UNION ALL
SELECT 'quiet', d FROM base;

-- bursts raise the velocity, but not what is no burst; nor the forecast
SELECT name, round(v::numeric, 2) AS velocity, v > 10 * quiet AS burst,
	round((f.mean / (demand_forecast(base.d, '2026-11-02 20:00',
		'28 days')).mean)::numeric, 3) AS forecast_over_quiet
FROM case_ c, base,
	demand_velocity(c.d, '2026-11-02 20:00') v,
	demand_velocity(base.d, '2026-11-02 20:00') quiet,
	demand_forecast(c.d, '2026-11-02 20:00', '28 days') f
ORDER BY name;

-- the show's speed is that of the shortest window with 25 units: 7 minutes
SELECT demand_velocity(d, '2026-11-02 20:00') = 4 * 60 AS speed
FROM case_ WHERE name = 'show';

-- after its end the speed holds for as long as a pause lasts, and no longer
SELECT after, round(demand_velocity(d,
	timestamptz '2026-11-02 20:00' + after)::numeric, 2) AS velocity
FROM case_, unnest('{0,4 min,5 min,6 min,20 min,58 min,3 hours}'::interval[]) after
WHERE name = 'show' ORDER BY after;

-- a show that slows down to a tenth of its speed, and speeds up again
SELECT after, round(demand_velocity(d + (SELECT demand_agg(
		CASE WHEN t < '2026-11-02 20:00' THEN 40
			WHEN t < '2026-11-02 20:20' THEN 4 ELSE 40 END, t)
		FROM generate_series(timestamptz '2026-11-02 19:30',
			timestamptz '2026-11-02 19:59' + after, '1 minute') t),
	timestamptz '2026-11-02 20:00' + after)::numeric) AS velocity
FROM base, unnest('{0,5 min,6 min,20 min,21 min,22 min,30 min}'::interval[])
	after
ORDER BY after;

-- while a show is on, its stock lasts as its speed says; what two hours of it
-- leave lasts far longer
SELECT stock, stockout_eta(stock, d, '2026-11-02 20:00')
	- timestamptz '2026-11-02 20:00' AS lasts
FROM case_, unnest('{120,240,480,720}'::float8[]) stock
WHERE name = 'show' ORDER BY stock;

-- the minute that is still filling does not count
SELECT demand_velocity(demand_add(d, 1000,
		'2026-11-02 20:00:20'), '2026-11-02 20:00:40') =
	demand_velocity(d, '2026-11-02 20:00:40') AS same
FROM case_ WHERE name = 'show';

-- hours that sell are faster than those that don't, and the velocities of a
-- day make up its forecast, but for what the model learns during the day
SELECT bool_or(v > 1.5 * average) AS fast, bool_or(v < .5 * average) AS slow,
	round((avg(v) / min(average))::numeric, 1) AS mean
FROM (SELECT demand_velocity(d, t) AS v, (demand_forecast(d,
		'2026-11-02 00:00', '1 day')).mean / 24 AS average
	FROM (SELECT demand_agg(2, t) AS d FROM generate_series(
			timestamptz '2026-09-07', '2026-11-01 23:59', '20 minutes') t
			WHERE extract(hour FROM t) BETWEEN 18 AND 22) s,
		generate_series(timestamptz '2026-11-02 00:30', '2026-11-02 23:30',
			'1 hour') t) s;

-- returns are no burst, and nothing is slower than nothing
SELECT demand_velocity(demand_agg(-5, t),
	'2026-11-02 20:00') AS returns
FROM generate_series(timestamptz '2026-11-02 19:10', '2026-11-02 19:50',
	'1 minute') t;

-- an item that never sold before can burst too
SELECT demand_velocity(demand_agg(1, t),
	'2026-11-02 20:00') = 60 AS new_item
FROM generate_series(timestamptz '2026-11-02 19:30', '2026-11-02 19:59',
	'1 minute') t;

-- the next day and later, a show of a few quiet weeks has left nothing in the
-- forecast; but one that comes every two weeks has
SELECT shows, after, ratio BETWEEN .9 AND 1.1 AS as_before,
	ratio > 1.2 AS more
FROM (VALUES ('one', interval '90 days'), ('every two weeks', '14 days'))
		AS v(shows, every),
	unnest('{1 day,7 days,30 days}'::interval[]) after,
	LATERAL (SELECT timestamptz '2026-11-02' + after AS at) now,
	LATERAL (SELECT demand_agg(1 + extract(day FROM t)::int % 3, t) AS d
		FROM generate_series(timestamptz '2026-05-02 00:20',
			timestamptz '2026-11-02' + after - interval '1 second', '3 hours')
			t) quiet,
	LATERAL (SELECT demand_agg(2, t - n * every + minute * interval '1 minute')
			AS show
		FROM (VALUES (timestamptz '2026-11-01 19:00')) v(t),
			generate_series(0, 5) n, generate_series(0, 119) minute
		WHERE n = 0 OR every < '90 days') show,
	LATERAL (SELECT (demand_forecast(d + show, at, '28 days')).mean
		/ (demand_forecast(d, at, '28 days')).mean AS ratio) forecasts
ORDER BY shows DESC, after;
