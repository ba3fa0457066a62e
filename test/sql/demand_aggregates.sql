-- demand_agg, demand_merge and the aggregate demand_velocity: neither the
-- order of rows nor the shape of the plan shows in the result.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET search_path = public, replenish;

-- 60 000 rows of 7 items, reproducible without random(): many resolutions
CREATE TABLE demand_rows AS
SELECT i, i % 7 AS item,
	((i * 7919 % 1000) - 100) / 8.0::float8 AS qty,
	'2026-11-22 10:30:17Z'::timestamptz -
		make_interval(mins => (pow(i::bigint * 104729 % 60000 / 60000.0, 4) * 1100000)::int)
	AS at
FROM generate_series(1, 60000) i;
ANALYZE demand_rows;

-- a forced parallel plan equals the serial one to the bit
SET max_parallel_workers_per_gather = 0;
CREATE TABLE demand_serial AS
SELECT item, demand_agg(qty, at) AS d
FROM demand_rows GROUP BY item;
CREATE TABLE demand_serial_all AS
SELECT demand_agg(qty, at) AS d FROM demand_rows;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE demand_rows SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT demand_agg(qty, at) FROM demand_rows;
SELECT demand_send(demand_agg(qty, at)) =
	(SELECT demand_send(d) FROM demand_serial_all) AS parallel_is_serial
FROM demand_rows;
SELECT count(*) AS items, bool_and(demand_send(p.d) =
	demand_send(s.d)) AS parallel_is_serial
FROM (SELECT item, demand_agg(qty, at) AS d
	FROM demand_rows GROUP BY item) p
JOIN demand_serial s USING (item);

-- few rows per group and worker: the partial states are small lists
SELECT count(*) AS groups, bool_and(p.d = s.d) AS parallel_is_serial
FROM (SELECT i % 20000 AS g, demand_agg(qty, at) AS d
	FROM demand_rows GROUP BY 1) p
JOIN (SELECT i % 20000 AS g, demand_agg(qty, at ORDER BY i) AS d
	FROM demand_rows GROUP BY 1) s USING (g);
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- any order of the rows
SELECT count(DISTINCT d::text) AS different, min(d::text) =
	(SELECT d::text FROM demand_serial_all) AS same
FROM (SELECT demand_agg(qty, at ORDER BY at) AS d FROM demand_rows
	UNION ALL
	SELECT demand_agg(qty, at ORDER BY at DESC) FROM demand_rows
	UNION ALL
	SELECT demand_agg(qty, at ORDER BY i * 7307 % 60013) FROM demand_rows
	UNION ALL
	SELECT demand_agg(qty, at ORDER BY md5(i::text)) FROM demand_rows) s;

-- merge trees of any shape
SELECT k, demand_merge(d) = (SELECT d FROM demand_serial_all) AS same
FROM generate_series(1, 4) k, LATERAL (
	SELECT demand_agg(qty, at) AS d FROM demand_rows
	GROUP BY (i * k) % (ARRAY[1, 7, 300, 20000])[k]) s
GROUP BY k ORDER BY k;
SELECT demand_merge(d) = (SELECT d FROM demand_serial_all) AS same
FROM (SELECT item % 2 AS half, demand_merge(d) AS d
	FROM demand_serial GROUP BY 1) s;
SELECT demand_merge(d ORDER BY item DESC) =
	demand_merge(d ORDER BY item) AS same FROM demand_serial;

-- adding one by one is the same as the aggregate
CREATE AGGREGATE pg_temp.demand_fold(float8, timestamptz) (
	SFUNC = demand_add, STYPE = demand, INITCOND = '{}');
SELECT pg_temp.demand_fold(qty, at) = demand_agg(qty, at) AS same
FROM demand_rows WHERE i <= 3000;

-- an aggregate of one's own over the same functions: a packed start, and the
-- open state as the result, which everything can read
CREATE AGGREGATE pg_temp.demand_open(float8, timestamptz) (
	SFUNC = demand_accum, STYPE = demand,
	INITCOND = '{"end":"2026-11-22T10:30Z","hours":{"3":1000}}');
SELECT n, d = e AS equal, e = d AS equal_too, d::text = e::text AS same_text,
	demand_send(d) = demand_send(e) AS same_bytes,
	demand_hash(d) = demand_hash(e) AS same_hash,
	d - e = demand_at('{}', '2026-11-22 10:30Z') AS nothing_left
FROM (SELECT n, pg_temp.demand_open(qty, at) AS d,
	demand_agg(qty, at) +
		'{"end":"2026-11-22T10:30Z","hours":{"3":1000}}' AS e
	FROM demand_rows, (VALUES (2), (50), (2000)) v(n) WHERE i <= n
	GROUP BY n) s ORDER BY n;

-- running totals: the state stays usable after each result
SELECT i, d = (SELECT demand_agg(qty, at) FROM demand_rows r
	WHERE r.i <= s.i) AS same
FROM (SELECT i, demand_agg(qty, at) OVER (ORDER BY i) AS d
	FROM demand_rows WHERE i <= 400) s
WHERE i IN (1, 3, 4, 100, 399, 400) ORDER BY i;

-- NULLs are left out, nothing gives NULL
SELECT demand_agg(qty, at) IS NULL AS null_without_rows
FROM demand_rows WHERE false;
SELECT demand_agg(qty, at) FROM (VALUES
	(NULL::float8, '2026-11-22 12:00Z'::timestamptz), (5, NULL)) v(qty, at);
SELECT demand_agg(qty, at) FROM (VALUES
	(NULL::float8, '2026-11-22 12:00Z'::timestamptz), (5, NULL),
	(2, '2026-11-22 10:30Z'), (NULL, NULL)) v(qty, at);
SELECT demand_merge(d) FROM (VALUES (NULL::demand),
	('{"end":"2026-11-22T10:30Z","minutes":{"0":1}}'), (NULL),
	('{"end":"2026-11-22T10:31Z","minutes":{"0":1}}')) v(d);
SELECT demand_merge(d) FROM (VALUES (NULL::demand)) v(d);

-- sums are exact where floats are not
SELECT demand_agg(0.1, '2026-11-22 10:30Z') FROM generate_series(1, 10000);

-- refused
SELECT demand_agg('NaN', '2026-11-22 10:30Z');
SELECT demand_agg('Infinity', '2026-11-22 10:30Z');
SELECT demand_agg(1.1e12, '2026-11-22 10:30Z');
SELECT demand_agg(1, 'infinity');
SELECT demand_agg(1, '-infinity');
SELECT demand_agg(1, '1969-12-31 23:59:59Z');
SELECT demand_agg(1, '3000-01-01 00:00Z');
SELECT demand_agg(1e12, '2026-11-22 10:30Z') FROM generate_series(1, 10);
SELECT demand_merge(d) FROM (VALUES
	('{"end":"2026-11-22T10:30Z","minutes":{"0":9000000000000}}'::demand),
	('{"end":"2026-11-22T10:31Z","minutes":{"0":9000000000000}}')) v(d);
SELECT demand_accum('{}', 1, '2026-11-22 10:30Z');
SELECT demand_combine('{}', '{}');

-- velocity over raw rows: one unit right now and one a half-life ago
SELECT round(demand_velocity(qty, at, '2026-11-22 12:00Z',
	'1 hour')::numeric, 12) AS velocity,
	round((ln(2) * (power(2, -1) + 3 * power(2, -2.5)))::numeric, 12) AS by_hand
FROM (VALUES (1::float8, '2026-11-22 11:00Z'::timestamptz),
	(3, '2026-11-22 09:30Z')) v(qty, at);
-- constant demand of 6 an hour is a velocity of 6
SELECT round(demand_velocity(1, at, '2026-11-22 12:00Z',
	'1 day')::numeric, 2)
FROM generate_series('2026-10-22 12:05Z'::timestamptz, '2026-11-22 11:55Z',
	'10 minutes') at;
-- rows at or after as_of count as zero, NULLs not at all
SELECT demand_velocity(1, at, '2026-11-22 12:00Z', '1 day')
FROM (VALUES ('2026-11-22 12:00Z'::timestamptz), ('2026-11-23 12:00Z')) v(at);
SELECT demand_velocity(NULL, '2026-11-22 11:00Z',
	'2026-11-22 12:00Z', '1 day') IS NULL AS nothing,
	demand_velocity(1, '2026-11-22 11:00Z', NULL, '1 day') IS NULL
	AS unknown;
SELECT demand_velocity(1, '2026-11-22 11:00Z', '2026-11-22 12:00Z', '1 month');
SELECT demand_velocity(1, '2026-11-22 11:00Z', '2026-11-22 12:00Z', '0');
SELECT demand_velocity('NaN', '2026-11-22 11:00Z', '2026-11-22 12:00Z', '1 day');
SELECT demand_velocity(1, '2026-11-22 11:00Z', 'infinity', '1 day');
SELECT demand_velocity(1, '2026-11-22 11:00Z', '2026-11-22 12:00Z', '2000000000 days');

DROP TABLE demand_rows, demand_serial, demand_serial_all;
