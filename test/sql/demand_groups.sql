-- The laws of adding, taking back and multiplying demand.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET search_path = public, replenish;

-- 40 summaries with different windows, spans and amounts, returns included
CREATE TABLE demand_law AS
SELECT g, demand_agg(((i * 7919 + g * 31) % 2000 - 300) / 16.0,
	'2026-11-22 10:30Z'::timestamptz - make_interval(mins =>
		g * 997 % 50000 +
		(pow(i::bigint * 104729 % 1009 / 1009.0, 3) * 60 * pow(1.3, g))::int)) AS d
FROM generate_series(1, 40) g, generate_series(1, 5 + g * 3) i
GROUP BY g;
CREATE TABLE demand_law_pair AS
SELECT a.g AS x, b.g AS y, a.d AS a, b.d AS b,
	(((a.d + b.d)::text::json ->> 'end')::timestamptz) AS sum_end
FROM demand_law a, demand_law b;

SELECT count(*) AS pairs,
	count(DISTINCT (a - a)::text) > 1 AS windows_differ,
	bool_and(a + b = b + a) AS commutative,
	bool_and((a + b) - b = demand_at(a, sum_end)) AS taken_back,
	bool_and((a - b) + b = demand_at(a, sum_end)) AS put_back,
	bool_and(a - b = a + b * -1) AS minus_is_plus_negative,
	bool_and((a + b) * 3 = a * 3 + b * 3) AS distributive,
	bool_and(a + '{}' = a AND '{}' + a = a AND a - '{}' = a) AS identity,
	bool_and(a * 1 = a AND a + a = a * 2 AND a * -1 * -1 = a) AS factors,
	bool_and(a * 0 = a - a) AS nothing,
	bool_and(demand_at(a + b, '2027-01-01Z') =
		demand_at(a, '2027-01-01Z') +
		demand_at(b, '2027-01-01Z')) AS moving_is_linear
FROM demand_law_pair;
SELECT count(*) AS triples, bool_and((a + b) + d = a + (b + d)) AS associative,
	bool_and((a - b) - d = a - (b + d)) AS taken_back_together
FROM demand_law_pair, demand_law WHERE x < y AND g % 5 = 0;

-- every sum agrees with its own parts: hours of minutes, days of hours, ...
SELECT bool_and((d * f)::text::demand = d * f) AS survives_storage
FROM demand_law, (VALUES (2.0), (0.37), (-1e-3), (1e6)) v(f);
SELECT count(*) AS days, bool_and(abs(day.units - hour.units) < 1e-9) AS add_up
FROM (SELECT g, d * 0.37 AS d FROM demand_law) s,
	LATERAL (SELECT bucket, units FROM demand_buckets(d)
		WHERE resolution = '1 day') day,
	LATERAL (SELECT coalesce(sum(units), 0) AS units
		FROM demand_buckets(d)
		WHERE resolution = '1 hour' AND
			bucket >= day.bucket AND bucket < day.bucket + interval '1 day') hour
WHERE day.bucket > ((d::text::json ->> 'end')::timestamptz - interval '7 days');

-- one event in and out
SELECT bool_and(demand_add(demand_add(d, 12.25, at), -12.25, at) =
	demand_at(d, at)) AS in_and_out
FROM demand_law, (VALUES ('2026-11-20 07:07Z'::timestamptz),
	('2026-11-22 10:31Z'), ('2025-01-01Z'), ('2027-01-01Z')) v(at);

-- rounding to a millionth
SELECT '{"end":"2026-11-22T10:30Z","minutes":{"0":0.000003,"1":-0.000003}}'::demand * 0.5;
SELECT demand_add('{}', 0.0000004, '2026-11-22 10:30Z');

-- refused
SELECT '{}'::demand * 'NaN';
SELECT '{}'::demand * '-Infinity';
SELECT '{"end":"2026-11-22T10:30Z","minutes":{"0":9000000000000}}'::demand * 2;
SELECT '{"end":"2026-11-22T10:30Z","minutes":{"0":9000000000000}}'::demand +
	'{"end":"2026-11-22T10:31Z","minutes":{"0":9000000000000}}';
SELECT '{"end":"2026-11-22T10:30Z","minutes":{"0":-9000000000000}}'::demand -
	'{"end":"2026-11-16T00:00Z","minutes":{"0":9000000000000}}';
-- NULL is unknown
SELECT '{}'::demand + NULL IS NULL AND
	'{}'::demand - NULL IS NULL AND
	'{}'::demand * NULL::float8 IS NULL AND
	demand_add('{}', NULL, now()) IS NULL AND
	demand_at('{}', NULL) IS NULL AS unknown;

DROP TABLE demand_law_pair, demand_law;
