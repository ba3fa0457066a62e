-- explain(): every number can be redone, by SELECT as by a pocket calculator
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE stock (sku text, on_hand numeric, coming numeric);
CREATE TABLE orders (sku text, qty numeric, at timestamptz);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', on_order => 'coming');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', keep => '2000 days');
-- a steady item, a rare one, one with a lone show, one of three days, one of
-- two years with a season, one that sells right now, one with returns only
INSERT INTO orders
SELECT 'steady', 3 + i * 7919 % 5, '2026-11-20 12:00+00'::timestamptz - i * interval '7 hours 11 minutes'
FROM generate_series(1, 400) i
UNION ALL
SELECT 'rare', 1 + i % 3, '2026-11-20 12:00+00'::timestamptz - i * interval '13 days 5 hours'
FROM generate_series(1, 20) i
UNION ALL
SELECT 'show', 2 + i % 4, '2026-11-20 12:00+00'::timestamptz - i * interval '17 hours'
FROM generate_series(1, 200) i
UNION ALL
SELECT 'show', 900, '2026-11-02 20:00+00'
UNION ALL
SELECT 'new', 5 + i, '2026-11-20 12:00+00'::timestamptz - i * interval '11 hours'
FROM generate_series(1, 6) i
UNION ALL
SELECT 'season', round(10 + 6 * sin(i / 58.0)), '2026-11-20 12:00+00'::timestamptz - i * interval '1 day'
FROM generate_series(1, 730) i
UNION ALL
SELECT 'live', 2, '2026-11-20 12:00+00'::timestamptz - i * interval '1 day'
FROM generate_series(1, 100) i
UNION ALL
SELECT 'live', 4, '2026-11-20 12:00+00'::timestamptz - i * interval '1 minute'
FROM generate_series(1, 20) i
UNION ALL
SELECT 'returned', -1, '2026-11-20 12:00+00'::timestamptz - i * interval '9 days'
FROM generate_series(1, 9) i;
INSERT INTO stock SELECT s, 40, 7 FROM unnest('{steady,rare,show,new,season,live,returned,packs,fixed,idle}'::text[]) s;
-- orders in packs, with a limit, and a threshold that somebody set
INSERT INTO orders SELECT s, 4, '2026-11-20 12:00+00'::timestamptz - i * interval '9 hours'
FROM generate_series(1, 300) i, unnest('{packs,fixed}'::text[]) s;
INSERT INTO replenish.policy (sku, moq, multiple, maximum) VALUES ('packs', 100, 36, 300);
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('fixed', 77);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
-- every calculation gives its value
CREATE FUNCTION redo(calculation text) RETURNS text LANGUAGE plpgsql
	SET search_path = replenish, pg_catalog AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT (' || calculation || ')::text' INTO result;
	RETURN result;
END $$;
CREATE TABLE explained AS
SELECT i.sku, e.* FROM replenish.item i
CROSS JOIN LATERAL replenish.explain(i.sku, as_of => '2026-11-20 12:00+00') e;
SELECT sku, count(*) > 20 AS many, count(calculation) > 10 AS redone,
	count(*) FILTER (WHERE CASE WHEN calculation IS NULL THEN false WHEN value ~ '^[-0-9.e+]+$'
		THEN abs(value::float8 - redo(calculation)::float8) > 1e-9 * greatest(abs(value::float8), 1)
		ELSE value <> redo(calculation) END) AS wrong
FROM explained GROUP BY sku ORDER BY sku;
-- what a name stands for was said before
SELECT e.sku, e.name, t.token FROM explained e
CROSS JOIN LATERAL (SELECT m[1] AS token FROM regexp_matches(e.calculation, '[a-z_]{3,}', 'g') m) t
WHERE t.token NOT IN ('greatest', 'least', 'sqrt', 'exp', 'floor', 'ceil', 'alert_level')
	AND t.token NOT IN ('normal', 'yellow', 'orange', 'red')
ORDER BY 1, 2 LIMIT 5;
-- and explain() ends where status does
SELECT count(*) AS same FROM replenish.status s
JOIN explained t ON t.sku = s.sku AND t.name = 'threshold' AND t.value::float8 = s.threshold
JOIN explained q ON q.sku = s.sku AND q.name = 'reorder_qty' AND q.value::float8 = s.reorder_qty
JOIN explained r ON r.sku = s.sku AND r.name = 'tier' AND r.value = s.tier::text
JOIN explained f ON f.sku = s.sku AND f.name = 'forecast' AND f.value::float8 = s.forecast;
-- the sums over days and weeks, from the days and weeks themselves
CREATE TABLE day AS
SELECT i.sku, g.ago, coalesce(sum(b.units), 0) AS units
FROM replenish.item i CROSS JOIN generate_series(0, 91) g (ago)
LEFT JOIN replenish.item_demand d ON d.sku = i.sku
LEFT JOIN LATERAL replenish.demand_buckets(d.demand) b ON b.resolution = '1 day'
	AND b.bucket = date_trunc('day', timestamptz '2026-11-20 12:00+00') - g.ago * interval '1 day'
GROUP BY i.sku, g.ago;
CREATE FUNCTION number(sku text, name text) RETURNS float8 LANGUAGE sql STABLE
	RETURN (SELECT e.value::float8 FROM explained e WHERE e.sku = number.sku AND e.name = number.name);
SELECT sku, abs(number(sku, 'day_mean') - avg(units)) < 1e-9 AS mean,
	abs(number(sku, 'day_var') - var_samp(units)) < 1e-9 AS var,
	abs(number(sku, 'doubt') - (1 + 1.645 * (1 - 1 / number(sku, 'dispersion'))
		* sqrt(greatest(sum((units - m) ^ 4) / sum((units - m) ^ 2) ^ 2 - 1.0 / 91, 0)))) < 1e-9 AS doubt
FROM day CROSS JOIN LATERAL (SELECT avg(o.units) AS m FROM day o
	WHERE o.sku = day.sku AND o.ago BETWEEN 1 AND 91) a
WHERE ago BETWEEN 1 AND 91 AND sku IN ('steady', 'rare', 'season')
GROUP BY sku ORDER BY sku;
-- the six memories, week by week and day by day
CREATE FUNCTION remember(item text, today date) RETURNS TABLE (name text, value float8) LANGUAGE plpgsql AS $$
DECLARE
	day_gain float8[] := '{.005,.02,.05,.1,.2,.35}';
	week_gain float8[] := '{.0345,.1319,.3017,.5217,.7903,.951}';
	monday date := date_trunc('week', today);
	weeks float8[] := ARRAY(SELECT coalesce(b.units, 0)
		FROM generate_series(1, 105) g (ago)
		CROSS JOIN (SELECT d.demand FROM replenish.item_demand d WHERE d.sku = item) d
		LEFT JOIN LATERAL replenish.demand_buckets(d.demand) b ON b.resolution = '7 days'
			AND b.bucket = (monday - 7 * g.ago)::timestamptz
		WHERE monday - 7 * g.ago >= today - number(item, 'age')::integer
		ORDER BY g.ago DESC);
	n integer := cardinality(weeks);
	level float8;
	start float8;
	errors float8;
	stretches float8;
	days integer;
	seen float8;
	factor float8;
	d record;
BEGIN
	FOR j IN 1..6 LOOP
		level := (weeks[1] + weeks[2] + weeks[3] + weeks[4]) / 4;
		errors := 0;
		stretches := 0;
		FOR i IN 1..n LOOP
			IF i = n - 9 + 1 THEN
				start := level / 7;
			END IF;
			IF i + 3 <= n THEN
				stretches := stretches + (weeks[i] + weeks[i + 1] + weeks[i + 2] + weeks[i + 3] - 4 * level) ^ 2;
			END IF;
			errors := errors + (weeks[i] - level) ^ 2;
			level := level + greatest(week_gain[j], 1.0 / i) * (weeks[i] - level);
		END LOOP;
		RETURN QUERY VALUES ('week_level_' || j, level / 7), ('week_error_' || j, errors / n),
			('stretch_error_' || j, stretches / (n - 3));
		level := start;
		errors := 0;
		days := 0;
		FOR d IN SELECT y.units, extract(isodow FROM today - y.ago)::integer AS weekday FROM day y
			WHERE y.sku = item AND y.ago BETWEEN 1 AND 63 + (today - monday) ORDER BY y.ago DESC
		LOOP
			factor := number(item, 'factor_' || ('{mon,tue,wed,thu,fri,sat,sun}'::text[])[d.weekday]);
			errors := errors + (d.units - level * factor) ^ 2;
			level := level + day_gain[j] * (d.units / factor - level);
			days := days + 1;
		END LOOP;
		RETURN QUERY VALUES ('day_level_' || j, level), ('day_error_' || j, errors / days);
	END LOOP;
END $$;
SELECT i.sku, count(*) AS numbers, count(*) FILTER (WHERE abs(m.value - e.value::float8) > 1e-8) AS wrong
FROM (VALUES ('steady'), ('season')) i (sku)
CROSS JOIN LATERAL remember(i.sku, '2026-11-20') m
JOIN explained e ON e.sku = i.sku AND e.name = m.name
GROUP BY i.sku ORDER BY i.sku;
-- the count's quantile, by adding up its probabilities
CREATE FUNCTION count_quantile(mean float8, var float8, p float8) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	q float8 := 1 - mean / var;
	r float8 := mean ^ 2 / (var - mean);
	probability float8 := exp(r * ln(1 - q));
	sum float8 := probability;
	k integer := 0;
BEGIN
	WHILE sum < p LOOP
		k := k + 1;
		probability := probability * q * (r + k - 1) / k;
		sum := sum + probability;
	END LOOP;
	RETURN k;
END $$;
SELECT sku, number(sku, 'count_quantile') = count_quantile(number(sku, 'forecast'),
	number(sku, 'threshold_var'), number(sku, 'service_level')) AS same
FROM replenish.item WHERE sku IN ('steady', 'rare', 'show', 'new', 'season', 'live') ORDER BY sku;
-- a young item in full
SELECT name, round(value::numeric, 6) AS value, unit, formula FROM explained
WHERE sku = 'new' AND name IN ('units', 'lived', 'level', 'forecast_now', 'var_now', 'threshold', 'safety_stock') ORDER BY step;
-- orders in packs
SELECT name, round(value::numeric, 3) AS value, formula, regexp_replace(calculation, '(\.\d{3})\d+', '\1', 'g') AS calculation FROM explained
WHERE sku = 'packs' AND name IN ('need', 'reorder_qty') ORDER BY step;
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP FUNCTION redo, remember, number, count_quantile;
DROP TABLE stock, orders, explained, day;
CREATE EXTENSION replenish;
