-- the outlook: factors on the demand ahead, and planned units
SET timezone = 'UTC';
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
\set at '''2026-11-20 00:00+00''::timestamptz'
-- 24 units a day, one an hour
SELECT replenish.demand_agg(1, :at - i * interval '1 hour') AS d
FROM generate_series(1, 2400) i \gset
CREATE FUNCTION ahead(a integer, b integer, factor float8, units float8 DEFAULT NULL)
	RETURNS replenish.outlook LANGUAGE sql IMMUTABLE AS $$
	SELECT '2026-11-20 00:00+00'::timestamptz + a * interval '1 day',
		'2026-11-20 00:00+00'::timestamptz + b * interval '1 day', factor, units $$;
-- what each does to the week ahead, and when 84 units are gone
SELECT t.what, round(e.factor::numeric, 4) AS factor, round(e.units::numeric, 4) AS units,
	round((f.mean / b.mean)::numeric, 4) AS mean, round((f.sd / b.sd)::numeric, 4) AS sd,
	f.mean = b.mean * e.factor + e.units AS follows,
	date_trunc('second', replenish.stockout_eta(84, :'d', :at, NULL, t.o)) AS eta
FROM (VALUES ('none', NULL), ('empty', '{}'),
	('double', ARRAY[ahead(0, 7, 2)]),
	('nothing at all', ARRAY[ahead(0, 7, 0)]),
	('closed for the first day', ARRAY[ahead(0, 1, 0)]),
	('overlapping factors multiply', ARRAY[ahead(0, 7, 2), ahead(0, 7, 3)]),
	('past', ARRAY[ahead(-3, -1, 5, 100)]),
	('beyond', ARRAY[ahead(30, 40, 5, 100)]),
	('NULL element', ARRAY[NULL]::replenish.outlook[]),
	('a show on the second day', ARRAY[ahead(1, 2, NULL, 240)]),
	('half of it in the week', ARRAY[ahead(6, 8, NULL, 240)]),
	('under way, all to come', ARRAY[ahead(-1, 1, NULL, 48)]),
	('two shows add', ARRAY[ahead(1, 2, NULL, 24), ahead(1, 3, NULL, 48)]))
	t (what, o)
CROSS JOIN LATERAL replenish.outlook_effect(:'d', :at, '7 days', t.o) e
CROSS JOIN LATERAL replenish.demand_forecast(:'d', :at, '7 days', t.o) f
CROSS JOIN LATERAL replenish.demand_forecast(:'d', :at, '7 days') b;
-- the threshold follows
SELECT u.threshold AS usual, d.threshold AS doubled, s.threshold AS show
FROM replenish.demand_threshold(:'d', :at, '7 days', '0', '0', 0.95) u,
replenish.demand_threshold(:'d', :at, '7 days', '0', '0', 0.95, ARRAY[ahead(0, 7, 2)]) d,
replenish.demand_threshold(:'d', :at, '7 days', '0', '0', 0.95, ARRAY[ahead(1, 2, NULL, 240)]) s;
-- the stock is reached exactly where the expected demand says
SELECT abs(f.mean - 150) < 0.0001 AS exact
FROM (SELECT ARRAY[ahead(1, 2, 3), ahead(1, 4, 0.5, 60)] AS o) o,
replenish.stockout_eta(150, :'d', :at, NULL, o) eta,
replenish.demand_forecast(:'d', :at, eta - :at, o) f;
-- bad input
SELECT replenish.outlook_effect(:'d', :at, '7 days', ARRAY[ahead(0, 7, -1)]);
SELECT replenish.outlook_effect(:'d', :at, '7 days', ARRAY[ahead(0, 7, 'NaN')]);
SELECT replenish.outlook_effect(:'d', :at, '7 days', ARRAY[ahead(0, 7, 1, -5)]);
SELECT replenish.outlook_effect(:'d', :at, '7 days', ARRAY[ahead(0, NULL, 1, 5)]);
SELECT replenish.outlook_effect(:'d', :at, '7 days', ARRAY[ahead(3, 2, 1, 5)]);
SELECT replenish.demand_forecast(NULL, :at, '7 days', ARRAY[ahead(0, 7, 1)]) IS NULL AS missing;
DROP FUNCTION ahead;
