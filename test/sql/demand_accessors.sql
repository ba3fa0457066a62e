-- Reading a demand: buckets, plain velocity, the same period before.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET search_path = public, replenish;

-- one unit every minute for 12 days, and 7 a day for two years before
CREATE TABLE demand_steady AS
SELECT demand_agg(qty, at) AS d FROM (
	SELECT 1::float8 AS qty, at FROM generate_series(
		'2026-11-10 10:30Z'::timestamptz, '2026-11-22 10:29Z', '1 minute') at
	UNION ALL
	SELECT 7, at FROM generate_series(
		'2024-06-01 12:00Z'::timestamptz, '2026-11-09 12:00Z', '1 day') at) s;

-- all the buckets there are
SELECT resolution, count(*) AS n, min(bucket) AS oldest, max(bucket) AS newest,
	min(units) AS least, max(units) AS most
FROM demand_steady, demand_buckets(d)
GROUP BY resolution ORDER BY resolution;
-- they come by resolution, then oldest first
SELECT bool_and((resolution, bucket) > (r, b) OR r IS NULL) AS in_order
FROM (SELECT resolution, bucket, lag(resolution) OVER w AS r,
	lag(bucket) OVER w AS b
	FROM demand_steady, demand_buckets(d)
		WITH ORDINALITY AS x(resolution, bucket, units, n)
	WINDOW w AS (ORDER BY n)) s;
SELECT * FROM demand_buckets('{}');
SELECT * FROM demand_buckets(NULL);
SELECT * FROM demand_buckets('{"end":"2026-11-22T10:30Z"}');
-- the week of 1970-01-01 began in 1969
SELECT * FROM demand_buckets('{"end":"1970-01-01T00:00Z","minutes":{"0":1}}');

-- velocity: 60 units an hour, whatever the window
SELECT over, round(demand_velocity(d, '2026-11-22 10:30Z', over)::numeric, 9)
FROM demand_steady, (VALUES (interval '1 minute'), ('90 seconds'), ('1 hour'),
	('61 minutes'), ('5 hours 20 minutes'), ('8 days'), ('9 days 3 hours'),
	('11 days 10 hours 30 minutes')) v(over) ORDER BY over;
-- beyond the twelve days, seven a day; the first day or week in proportion
SELECT over, round((demand_velocity(d, '2026-11-22 10:30Z', over) *
	extract(epoch FROM over) / 3600 - 12 * 1440)::numeric, 6) AS units_before
FROM demand_steady, (VALUES (interval '13 days'), ('20 days'), ('100 days'),
	('200 days')) v(over) ORDER BY over;
-- moments inside a minute: the newest minute counts whole, the first in part
SELECT demand_velocity('{"end":"2026-11-22T10:30Z","minutes":{"0":4,"10":6}}',
	as_of, over) * extract(epoch FROM over) / 3600 AS units, as_of, over
FROM (VALUES ('2026-11-22 10:30:00Z'::timestamptz, interval '1 hour'),
	('2026-11-22 10:30:15Z', '1 hour'),
	('2026-11-22 10:31:00Z', '1 hour'),
	('2026-11-22 10:30:45Z', '10 minutes'),
	('2026-11-22 10:20:30Z', '1 hour'),
	('2026-11-22 12:30:00Z', '1 hour'),
	('2026-11-22 12:30:00Z', '1 day')) v(as_of, over) ORDER BY as_of, over;
-- what is not kept is unknown, nothing at all is nothing
SELECT demand_velocity(d, '2026-11-22 10:30Z', '737 days') IS NOT NULL AS kept,
	demand_velocity(d, '2026-11-22 10:30Z', '742 days') IS NULL AS gone,
	demand_velocity(d, '2026-11-22 10:30Z', '2000000 days') IS NULL AS far_gone,
	demand_velocity('{}', '2026-11-22 10:30Z', '1 day') AS nothing
FROM demand_steady;

-- the same period before: to the hour a week ago, to the week a year ago
CREATE TABLE demand_show AS
SELECT demand_agg(qty, at) AS d FROM (VALUES
	(100::float8, '2026-11-22 10:05Z'::timestamptz),
	(60, '2026-11-15 09:40Z'), (30, '2026-11-15 10:10Z'),
	(50, '2026-10-01 12:00Z'),
	(70, '2025-11-20 12:00Z')) v(qty, at);
SELECT 'minutes' AS read_in, demand_same_period(d, '2026-11-22 10:30Z', '1 hour', '0') AS units FROM demand_show
UNION ALL SELECT 'hours, whole', demand_same_period(d, '2026-11-22 10:00Z', '1 hour', '7 days') FROM demand_show
UNION ALL SELECT 'hours, halves', demand_same_period(d, '2026-11-22 10:30Z', '1 hour', '7 days') FROM demand_show
UNION ALL SELECT 'days', demand_same_period(d, '2026-11-22 00:00Z', '1 day', '51 days') FROM demand_show
UNION ALL SELECT 'weeks', demand_same_period(d, '2026-11-23 00:00Z', '7 days', '364 days') FROM demand_show
UNION ALL SELECT 'weeks, a day', demand_same_period(d, '2026-11-22 00:00Z', '1 day', '364 days') FROM demand_show
UNION ALL SELECT 'beyond', demand_same_period(d, '2026-11-22 00:00Z', '7 days', '740 days') FROM demand_show
UNION ALL SELECT 'overflow', demand_same_period(d, '2026-11-22 00:00Z', '100000000 days', '100000000 days') FROM demand_show;

-- moving the window
SELECT demand_at('{}', '2026-11-22 10:30:59Z');
SELECT demand_at('{"end":"2026-11-22T10:30Z","minutes":{"0":4}}', at)
FROM (VALUES ('2026-11-21 10:30Z'::timestamptz), ('2026-11-22 11:29Z'),
	('2026-11-22 11:30Z'), ('2026-11-30 09:59Z'), ('2026-11-30 10:00Z'),
	('2026-12-01 10:00Z'), ('2027-02-25 00:00Z'), ('2028-12-03 00:00Z'),
	('2028-12-04 00:00Z')) v(at) ORDER BY at;

-- arguments are refused by name
SELECT demand_velocity('{}', '2026-11-22 10:30Z', '0');
SELECT demand_velocity('{}', '2026-11-22 10:30Z', '1 month');
SELECT demand_velocity('{}', 'infinity', '1 day');
SELECT demand_same_period('{}', '2026-11-22 10:30Z', '-1 day', '7 days');
SELECT demand_same_period('{}', '2026-11-22 10:30Z', '1 day', '-7 days');
SELECT demand_same_period('{}', '2026-11-22 10:30Z', '1 day', '1 year');
SELECT demand_at('{}', '-infinity');
SELECT demand_add('{}', 'NaN', '2026-11-22 10:30Z');
SELECT demand_add('{}', 1, '3000-01-01Z');

DROP TABLE demand_steady, demand_show;
