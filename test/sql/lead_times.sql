-- Lead times: the record, what is refused, and what it says.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET search_path = public, replenish;

-- text in and out is the identity, and so is binary out to binary in
CREATE TEMP TABLE sample (id int, l lead_time);
INSERT INTO sample VALUES
	(1, '{}'),
	(2, '{"n":3,"sum":13.60517043,"squares":61.70368739,"rest":1126432,"impossible":1}'),
	(3, '{"n":-1,"sum":-3.4,"squares":-12,"rest":99999999}'),
	(4, ' { "sum" : 92233720368.54775807 , "squares" : -92233720368.54775808 , "impossible" : 0 } '),
	(5, '{"n":-9223372036854775808,"impossible":9223372036854775807}');
SELECT id, l, l::text::lead_time = l AS same, l::text::json IS NOT NULL AS is_json
FROM sample ORDER BY id;
SELECT id, lead_time_send(l) FROM sample ORDER BY id;

-- bad texts: where and why
CREATE FUNCTION pg_temp.why(bad text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	detail text;
BEGIN
	PERFORM bad::lead_time;
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
		detail = PG_EXCEPTION_DETAIL;
	RETURN state || ' ' || detail;
END $$;
SELECT n, bad, pg_temp.why(bad) FROM (VALUES
	(1, ''),
	(2, '{"n":1'),
	(3, '{"n":1} x'),
	(4, '{"n":1.5}'),
	(5, '{"sum":1,"n":1}'),
	(6, '{"n":1,"n":1}'),
	(7, '{"mean":1}'),
	(8, '{"n":NaN}'),
	(9, '{"sum":0.123456789}'),
	(10, '{"rest":-1}'),
	(11, '{"rest":100000000}'),
	(12, '{"n":9223372036854775808}'),
	(13, '{"sum":1e3}')
) v(n, bad) ORDER BY n;
SELECT '[]'::lead_time;

-- binary in, through COPY: its header, one field, its end
CREATE FUNCTION pg_temp.take(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	image bytea := '\x5047434f50590aff0d0a00'::bytea ||
		int4send(0) || int4send(0) || int2send(1::int2) ||
		int4send(length(bytes)) || bytes || int2send((-1)::int2);
	octal text := (SELECT string_agg('\' || (b >> 6) || (b >> 3 & 7) || (b & 7),
			'' ORDER BY n)
		FROM (SELECT n, get_byte(image, n) AS b
			FROM generate_series(0, length(image) - 1) n) s);
	state text := 'taken';
	detail text;
BEGIN
	CREATE TEMP TABLE taken (l lead_time);
	BEGIN
		EXECUTE format('COPY taken FROM PROGRAM %L (FORMAT binary)',
			'printf ''' || octal || '''');
		detail := (SELECT l FROM taken);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
			detail = PG_EXCEPTION_DETAIL;
	END;
	DROP TABLE taken;
	RETURN state || ' ' || detail;
END $$;
SELECT id, pg_temp.take(lead_time_send(l)) = 'taken ' || l AS same
FROM sample ORDER BY id;
SELECT n, pg_temp.take(bad) FROM (VALUES
	(1, ''::bytea),
	(2, '\x02' || substr(lead_time_send('{"n":1}'), 2)),
	(3, substr(lead_time_send('{"n":1}'), 1, 40)),
	(4, lead_time_send('{"n":1}') || '\x00'),
	(5, set_byte(lead_time_send('{"n":1}'), 25, 255))
) v(n, bad) ORDER BY n;

-- a year of shipments on 20 routes, reproducible without random()
CREATE TABLE shipment AS
SELECT i, i % 20 AS route, at AS ordered_at,
	at + make_interval(secs => 86400 * exp(3 + (i % 20) / 20.0 +
		(i * 7919 % 1000 - 500) / 800.0)) AS received_at
FROM generate_series(1, 30000) i,
	LATERAL (SELECT '2026-01-01'::timestamptz + i * interval '17 minutes') o(at);
ANALYZE shipment;

-- neither the plan nor the order of rows or merges shows
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS
SELECT route, lead_time_agg(ordered_at, received_at) AS l
FROM shipment GROUP BY route;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE shipment SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT lead_time_agg(ordered_at, received_at) FROM shipment;
SELECT lead_time_agg(ordered_at, received_at) =
	(SELECT lead_time_merge(l) FROM serial) AS parallel_is_serial
FROM shipment;
SELECT count(*) AS routes, bool_and(p.l = s.l) AS parallel_is_serial
FROM (SELECT route, lead_time_agg(ordered_at, received_at) AS l
	FROM shipment GROUP BY route) p
JOIN serial s USING (route);
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT count(*) AS orders, count(DISTINCT l::text) AS different
FROM (SELECT lead_time_agg(ordered_at, received_at ORDER BY i) AS l FROM shipment
	UNION ALL
	SELECT lead_time_agg(ordered_at, received_at ORDER BY i DESC) FROM shipment
	UNION ALL
	SELECT lead_time_agg(ordered_at, received_at ORDER BY md5(i::text)) FROM shipment
	UNION ALL
	SELECT lead_time_merge(l ORDER BY route DESC) FROM serial) s;

-- what is added can be taken back, even first
SELECT bool_and(l + o - o = l) AS taken_back, bool_and(l - o + o = l) AS even_first
FROM serial, (SELECT l AS o FROM serial WHERE route = 7) s;
SELECT lead_time_add(lead_time_add('{}', '2026-03-01', '2026-03-15'), '2026-03-01', '2026-05-01')
	= lead_time_agg(o, r) AS one_by_one,
	lead_time_agg(o, r) - lead_time_add('{}', '2026-03-01', '2026-05-01')
	= lead_time_add('{}', '2026-03-01', '2026-03-15') AS one_back
FROM (VALUES ('2026-03-01'::timestamptz, '2026-03-15'::timestamptz), ('2026-03-01', '2026-05-01')) v(o, r);

-- a moving frame takes out what leaves it and is the same as a sum anew, gaps
-- and rows that are none included
CREATE TEMP TABLE moving AS
SELECT i, ordered_at, CASE WHEN i % 4 = 0 OR i BETWEEN 40 AND 50 THEN NULL
	WHEN i % 7 = 0 THEN ordered_at - interval '1 day'
	ELSE received_at END AS received_at
FROM shipment WHERE i <= 100;
SELECT count(*) AS frames, count(l) AS not_null, bool_and(l IS NOT DISTINCT FROM (
	SELECT lead_time_agg(m.ordered_at, m.received_at) FROM moving m
	WHERE m.i BETWEEN s.i - 5 AND s.i)) AS same
FROM (SELECT i, lead_time_agg(ordered_at, received_at)
	OVER (ORDER BY i ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS l FROM moving) s;

-- mean and sd against the plain sums of the same logarithms
SELECT count(*) AS routes,
	max(abs(lead_time_mean(l) / (exp(m + v / 2) - 1) - 1)) < 1e-7 AS means,
	max(abs(lead_time_sd(l) / (exp(m + v / 2) * sqrt(exp(v) - 1)) - 1)) < 1e-6 AS sds
FROM serial JOIN (SELECT route, avg(x) AS m, var_samp(x) AS v
	FROM (SELECT route, ln(1 + extract(epoch FROM received_at - ordered_at)::float8 / 86400) AS x
		FROM shipment) d GROUP BY route) o USING (route);
-- shipments of the same length have no sd, one has none that is known
SELECT n, round(lead_time_mean(l)::numeric, 4) AS mean, lead_time_sd(l) AS sd
FROM (SELECT n, lead_time_agg('2026-03-01', '2026-03-31')
	FROM (VALUES (1), (2), (500)) v(n), generate_series(1, n) GROUP BY n) s(n, l) ORDER BY n;

-- what is no lead time is counted and changes no estimate; what has not been
-- received is not even counted
SELECT o, r, l, lead_time_n(l) AS n, lead_time_impossible(l) AS impossible,
	round(lead_time_mean(l)::numeric, 4) AS mean, lead_time_sd(l) AS sd,
	(SELECT round(e.mean) || ' ± ' || round(e.sd) FROM lead_time_estimate(l) e) AS estimate
FROM (SELECT i, o, r, lead_time_agg(o, r) AS l FROM (VALUES
	(1, '2026-03-01'::timestamptz, '2026-02-28'::timestamptz),
	(2, '2026-03-01', '2026-03-01'),
	(3, '2026-03-01', '9999-12-31'),
	(4, '2026-03-01', 'infinity'),
	(5, '-infinity', '2026-03-01'),
	(6, '4713-01-01 BC', '294276-12-31'),
	(7, '1969-06-01', '1969-06-11'),
	(8, '2026-03-01', NULL),
	(9, NULL, '2026-03-01')) v(i, o, r) GROUP BY i, o, r) s ORDER BY i;
SELECT lead_time_mean(l) = lead_time_mean(l + wrong) AS same_mean,
	lead_time_sd(l) = lead_time_sd(l + wrong) AS same_sd, lead_time_impossible(l + wrong) AS impossible
FROM serial, (SELECT lead_time_agg('2026-03-02', '2026-03-01') AS wrong FROM generate_series(1, 1000)) w
WHERE route = 3;
SELECT lead_time_agg(ordered_at, received_at) IS NULL AS null_without_rows FROM shipment WHERE false;
SELECT lead_time_merge(l) FROM (VALUES (NULL::lead_time), ('{"n":1,"sum":2}'), (NULL)) v(l);

-- the estimate, step by step as its comment says it
CREATE FUNCTION pg_temp.by_hand(VARIADIC records float8[]) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE			-- n, mean and squared deviations of whole, parent, route, season
	v float8 := ln(1 + (8 / 31.0::float8) ^ 2);
	m float8 := ln(31.0::float8) - v / 2;
	k float8;
	q float8;
	n float8;
	first boolean := true;
BEGIN
	FOR i IN 0 .. 3 LOOP
		IF i = 2 AND NOT first THEN
			n := 0;
			k := 8;
			q := 20;
		END IF;
		CONTINUE WHEN records[3 * i + 1] IS NULL;
		k := CASE WHEN first THEN 1 WHEN i = 1 THEN 5 ELSE 8 END;
		q := CASE WHEN first THEN 3 ELSE 20 END;
		n := records[3 * i + 1];
		v := (q * v + records[3 * i + 3] + CASE WHEN first THEN 0
			ELSE (records[3 * i + 2] - m) ^ 2 * n * k / (n + k) END) / (n + q);
		m := (n * records[3 * i + 2] + k * m) / (n + k);
		first := false;
	END LOOP;
	v := v * (1 + 1 / (n + k)) * (n + q) / (n + q - 2);
	RETURN ARRAY[exp(m + v / 2) - 1, exp(m + v / 2) * sqrt(exp(v) - 1)];
END $$;
CREATE TEMP TABLE known AS
SELECT w, lead_time_agg(o, o + d * interval '1 day') AS l, count(*)::float8 AS n,
	avg(ln(1 + d)) AS m, var_pop(ln(1 + d)) * count(*) AS d
FROM (VALUES ('route', 61.5::float8), ('route', 70), ('route', 30), ('season', 70), ('parent', 61.5),
	('parent', 70), ('parent', 30), ('parent', 22), ('parent', 25), ('whole', 40), ('whole', 12),
	('whole', 61.5), ('whole', 70), ('whole', 30), ('whole', 22), ('whole', 25), ('one', 90)) v(w, d),
	(VALUES ('2026-03-01'::timestamptz)) f(o) GROUP BY w;
SELECT what, round(e.mean::numeric, 4) AS mean, round(e.sd::numeric, 4) AS sd,
	abs(e.mean - hand[1]) < 1e-5 AND abs(e.sd - hand[2]) < 1e-5 AS by_hand
FROM known r, known s, known p, known w, known o, LATERAL (VALUES
	(1, 'all four', r.l, p.l, w.l, s.l,
		pg_temp.by_hand(w.n, w.m, w.d, p.n, p.m, p.d, r.n, r.m, r.d, s.n, s.m, s.d)),
	(2, 'no season', r.l, p.l, w.l, NULL,
		pg_temp.by_hand(w.n, w.m, w.d, p.n, p.m, p.d, r.n, r.m, r.d)),
	(3, 'an empty season', r.l, p.l, w.l, '{}',
		pg_temp.by_hand(w.n, w.m, w.d, p.n, p.m, p.d, r.n, r.m, r.d)),
	(4, 'no parent', r.l, NULL, w.l, NULL,
		pg_temp.by_hand(w.n, w.m, w.d, NULL, NULL, NULL, r.n, r.m, r.d)),
	(5, 'the route alone', r.l, NULL, NULL, NULL,
		pg_temp.by_hand(NULL, NULL, NULL, NULL, NULL, NULL, r.n, r.m, r.d)),
	(6, 'a new route: its parent', NULL, p.l, w.l, NULL,
		pg_temp.by_hand(w.n, w.m, w.d, p.n, p.m, p.d)),
	(7, 'fewer than none: its parent', '{}' - r.l, p.l, w.l, NULL,
		pg_temp.by_hand(w.n, w.m, w.d, p.n, p.m, p.d)),
	(8, 'a new parent: the whole', '{}', '{}', w.l, NULL,
		pg_temp.by_hand(w.n, w.m, w.d)),
	(9, 'one shipment of 90 days', o.l, NULL, NULL, NULL,
		pg_temp.by_hand(o.n, o.m, o.d))) v(i, what, route, parent, whole, season, hand),
	lead_time_estimate(route, parent, whole, season) e
WHERE r.w = 'route' AND s.w = 'season' AND p.w = 'parent' AND w.w = 'whole' AND o.w = 'one'
ORDER BY i;
SELECT * FROM lead_time_estimate(NULL);

-- the more there is of a route, the more the estimate is the route's own
SELECT n, round(e.mean::numeric, 1) AS mean, round(e.sd::numeric, 1) AS sd
FROM (VALUES (0), (1), (5), (20), (100), (10000)) v(n),
	LATERAL (SELECT lead_time_agg('2026-03-01', '2026-05-30') AS route FROM generate_series(1, n)) r,
	LATERAL (SELECT lead_time_merge(l) AS whole FROM serial) w,
	lead_time_estimate(route, NULL, whole) e ORDER BY n;

-- a record that no shipments can have says something finite
SELECT l, round(lead_time_mean(l)::numeric, 3) AS own_mean, round(lead_time_sd(l)::numeric, 3) AS own_sd,
	round(e.mean::numeric, 3) AS mean, round(e.sd::numeric, 3) AS sd FROM (VALUES
	('{"n":2,"sum":8.2,"squares":92233720368}'::lead_time),
	('{"n":2,"squares":5}'), ('{"n":1,"sum":-5}'), ('{"n":3,"sum":92233720368,"squares":-1}'),
	('{"n":9223372036854775807,"sum":1}'), ('{"n":0,"sum":5,"squares":5}')) v(l), lead_time_estimate(l) e;

-- quantiles: their inverse, that the mean and sd are those of the distribution
-- they are of (summed over 4000 of them), and the edges
SELECT round(lead_time_quantile(30, 8, .5)::numeric, 6) AS median,
	round((31 / sqrt(1 + (8 / 31.0) ^ 2) - 1)::numeric, 6) AS by_hand,
	round(lead_time_quantile(30, 8, .95)::numeric, 6) AS q95,
	lead_time_quantile(30, 0, .9) AS certain, lead_time_quantile(0, 0, .9) AS at_once,
	lead_time_quantile(.1, 1, .01) AS not_negative;
SELECT abs(avg(q) - 30) < .01 AS mean, abs(stddev_pop(q) - 8) < .02 AS sd
FROM generate_series(1, 4000) i, lead_time_quantile(30, 8, (i - .5) / 4000) q;
SELECT lead_time_quantile(-1, 8, .5);
SELECT lead_time_quantile('NaN', 8, .5);
SELECT lead_time_quantile(30, 'Infinity', .5);
SELECT lead_time_quantile(30, 8, 1);
SELECT lead_time_quantile(30, 8, NULL) IS NULL AS unknown;
SELECT lead_time_quantile(0, 1e300, .95) AS sd_alone, lead_time_quantile(1e-9, 1e-9, .95) > 0 AS tiny,
	lead_time_quantile(30, 8, 1e-300) AS hardly, round(lead_time_quantile(30, 8, .9999999)) AS nearly_sure;
SELECT lead_time_quantile(1e308, 1e308, .99);

-- from the record to the threshold
SELECT round(t.mean::numeric) AS units, t.safety_stock > 0 AS some_safety
FROM known, lead_time_estimate(l) e, demand_threshold('{"end":"2026-11-22T10:30Z","days":{"20":90,"40":60}}',
	'2026-11-22 10:30Z', e.mean * interval '1 day', e.sd * interval '1 day', '7 days', .95) t
WHERE w = 'route';

-- functions of the aggregates are for them only, and sums that do not fit are
-- refused
SELECT lead_time_accum('{}', '2026-03-01', '2026-03-15');
SELECT lead_time_accum_inv('{}', '2026-03-01', '2026-03-15');
SELECT lead_time_combine('{}', '{}');
SELECT '{"n":9223372036854775807}'::lead_time + '{"n":1}';
SELECT '{"squares":-92233720368.54775808}'::lead_time - '{"rest":1}';
SELECT lead_time_merge(l) FROM (VALUES ('{"sum":92233720368}'::lead_time), ('{"sum":1}')) v(l);

DROP TABLE shipment, serial;
