-- Velocity now: the rhythm of hours and days, and bursts above it.
SET timezone = 'UTC';
SET search_path = replenish, public;

-- eight units a day for eight weeks, until 2026-11-02 20:00, a Monday
CREATE TEMP TABLE base AS
SELECT demand_agg(1, t) AS d
FROM generate_series(timestamptz '2026-09-07 00:20', '2026-11-02 19:59',
	'3 hours') t;

-- a show: 4 units a minute for half an hour; one order as large; a few
-- orders in few minutes; a show that began 20 minutes before its end
CREATE TEMP TABLE case_ AS
SELECT 'quiet' AS name, d FROM base
UNION ALL
SELECT 'show', d + (SELECT demand_agg(4, t) FROM generate_series(
	timestamptz '2026-11-02 19:30', '2026-11-02 19:59', '1 minute') t) FROM base
UNION ALL
SELECT 'bulk order', demand_add(d, 120, '2026-11-02 19:45') FROM base
UNION ALL
SELECT 'four minutes', d + (SELECT demand_agg(30, t) FROM
	generate_series(timestamptz '2026-11-02 19:45', '2026-11-02 19:48',
	'1 minute') t) FROM base
UNION ALL
SELECT 'five minutes', d + (SELECT demand_agg(24, t) FROM
	generate_series(timestamptz '2026-11-02 19:45', '2026-11-02 19:49',
	'1 minute') t) FROM base
UNION ALL
SELECT 'three units', d + (SELECT demand_agg(.5, t) FROM
	generate_series(timestamptz '2026-11-02 19:50', '2026-11-02 19:55',
	'1 minute') t) FROM base;

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

-- it wears off within the hour that the minutes reach back
SELECT after, round(demand_velocity(d,
	timestamptz '2026-11-02 20:00' + after)::numeric, 2) AS velocity
FROM case_, unnest('{0,20 min,40 min,58 min,62 min,3 hours}'::interval[]) after
WHERE name = 'show' ORDER BY after;

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
