-- What a demand is: text and binary form, and what is refused.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET search_path = public, replenish;

-- text in and out is the identity
CREATE TEMP TABLE sample (id int, d demand);
INSERT INTO sample VALUES
	(1, '{}'),
	(2, '{"end":"2026-11-22T10:30Z"}'),
	(3, '{"end":"2026-11-22T10:30Z","minutes":{"0":3,"5":1.5},"hours":{"1":8,"191":1},"days":{"8":-2,"91":0.000001},"weeks":{"14":7,"105":100}}'),
	(4, '{"end":"1970-01-01T00:05Z","minutes":{"0":1,"5":2}}'),
	(5, '{"end":"2999-12-31T23:59Z","weeks":{"105":-9223372036854.775808}}'),
	(6, ' { "end" : "2024-02-29T00:00Z" , "hours" : { "2" : 10 , "3" : 0 } , "days" : { } } ');
SELECT id, d FROM sample ORDER BY id;
SELECT id, d::text::demand = d AS same,
	d::text::json IS NOT NULL AS is_json
FROM sample ORDER BY id;

-- nothing in it depends on settings
SET TimeZone = 'Asia/Shanghai';
SET extra_float_digits = -15;
SELECT d FROM sample WHERE id = 3;
RESET extra_float_digits;
SET TimeZone = 'UTC';

-- sums of finer buckets are made, not stored
SELECT (b).resolution, (b).bucket, (b).units
FROM (SELECT demand_buckets(
	'{"end":"2026-11-22T10:30Z","minutes":{"0":3,"5":1.5}}') AS b) s
ORDER BY 1, 2;

-- binary out
SELECT id, demand_send(d) FROM sample ORDER BY id;

-- bad texts: where and why
CREATE FUNCTION pg_temp.why(bad text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	detail text;
BEGIN
	PERFORM bad::demand;
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
		detail = PG_EXCEPTION_DETAIL;
	RETURN state || ' ' || detail;
END $$;
SELECT n, bad, pg_temp.why(bad) FROM (VALUES
	(1, ''),
	(2, '[]'),
	(3, '{"end":"2026-11-22T10:30Z"} x'),
	(4, '{"end":"2026-11-22 10:30"}'),
	(5, '{"end":"2025-02-29T10:30Z"}'),
	(6, '{"minutes":{"0":1}}'),
	(7, '{"end":"2026-11-22T10:30Z","months":{"0":1}}'),
	(8, '{"end":"2026-11-22T10:30Z","hours":{"1":1},"minutes":{"0":1}}'),
	(9, '{"end":"2026-11-22T10:30Z","hours":{"0":1}}'),
	(10, '{"end":"2026-11-22T10:30Z","days":{"7":1}}'),
	(11, '{"end":"2026-11-22T10:30Z","minutes":{"60":1}}'),
	(12, '{"end":"2026-11-22T10:30Z","minutes":{"5":1,"3":1}}'),
	(13, '{"end":"2026-11-22T10:30Z","minutes":{"x":1}}'),
	(14, '{"end":"2026-11-22T10:30Z","minutes":{"5":NaN}}'),
	(15, '{"end":"2026-11-22T10:30Z","minutes":{"5":1e3}}'),
	(16, '{"end":"2026-11-22T10:30Z","minutes":{"5":0.0000001}}'),
	(17, '{"end":"2026-11-22T10:30Z","minutes":{"5":9223372036855}}'),
	(18, '{"end":"2026-11-22T10:30Z","minutes":{"5":9223372036854,"6":1}}'),
	(19, '{"end":"1970-01-01T00:05Z","minutes":{"6":1}}')
) v(n, bad) ORDER BY n;
SELECT '{"end":"2026-11-22T10:30Z","minutes":[]}'::demand;

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
	CREATE TEMP TABLE taken (d demand);
	BEGIN
		EXECUTE format('COPY taken FROM PROGRAM %L (FORMAT binary)',
			'printf ''' || octal || '''');
		detail := (SELECT d FROM taken);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
			detail = PG_EXCEPTION_DETAIL;
	END;
	DROP TABLE taken;
	RETURN state || ' ' || detail;
END $$;
SELECT id, pg_temp.take(demand_send(d)) = 'taken ' || d AS same
FROM sample ORDER BY id;

-- bad bytes
SELECT n, pg_temp.take(bytes) FROM (VALUES
	(1, '\x010006'::bytea),
	(2, '\x'),
	(3, '\x0100'),
	(4, '\x020006'),
	(5, '\x810006'),
	(6, '\x010106'),
	(7, '\x010007'),
	(8, '\x010005'),
	(9, '\x010006d6a8a20e00000000'),
	(10, '\x010006d6a8a20e0000000000'),
	(11, '\x010006d6a8a20e000000'),
	(12, '\x010006d6a8a28e0000000000'),
	(13, '\x010006ffffffff7f00000000'),
	(14, '\x010006d6a8a20e010006000000'),
	(15, '\x010006d6a8a20e010000000000'),
	(16, '\x010006d6a8a20e01f00106000000'),
	(17, '\x010006d6a8a20e0103ff7f06000000'),
	(18, '\x010005d6a8a20e01003c000000'),
	(19, '\x010006d6a8a20e0100868000000000'),
	(20, '\x010006d6a8a20e0100ffffffffffffffffff01000000')
) v(n, bytes) ORDER BY n;

-- equality: DISTINCT, GROUP BY, joins
SELECT count(*), count(DISTINCT d::text) FROM
	(SELECT d FROM sample UNION ALL SELECT d FROM sample) s;
SELECT count(*) FROM (SELECT d FROM sample UNION SELECT d FROM sample) s;
SELECT a.id, b.id FROM sample a JOIN sample b ON a.d = b.d ORDER BY 1, 2;
SELECT a.id, b.id FROM sample a JOIN sample b ON a.d <> b.d
WHERE a.id < b.id AND a.id > 3 ORDER BY 1, 2;

-- sizes: a slow mover, one with nothing but its window, a hot item whose
-- buckets are all filled
SELECT pg_column_size(demand_agg(1 + i % 3,
	'2026-11-22 10:30Z'::timestamptz - i * interval '37 days 5 hours')) < 80
	AS slow_mover_is_small
FROM generate_series(0, 19) i;
SELECT pg_column_size('{"end":"2026-11-22T10:30Z"}'::demand) <= 16
	AS empty_is_tiny;
SELECT pg_column_size(d) BETWEEN 500 AND 1100 AS hot_item_about_1_kb,
	count(*) AS buckets
FROM (SELECT demand_agg(1 + i % 7,
		'2026-11-22 10:30Z'::timestamptz - i * interval '13 minutes') +
	demand_agg(i % 10 + 1,
		'2026-11-22 10:30Z'::timestamptz - i % 60 * interval '1 minute') AS d
	FROM generate_series(0, 85000) i) s,
	demand_buckets(d)
GROUP BY d;
