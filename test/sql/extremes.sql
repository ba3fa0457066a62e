-- Demand that hardly is one, moments and horizons out of all proportion, and
-- the last digits of a service level: finite, ordered answers or an error that
-- names the argument.  What the numbers are is for other tests.
\set VERBOSITY terse
SET timezone = 'UTC';
SET search_path = replenish, public;

-- each ends by 2026-11-01 12:00
CREATE TEMP TABLE item (what text PRIMARY KEY, d demand);
INSERT INTO item
SELECT what, demand_agg(qty, timestamptz '2026-11-01 12:00' - ago)
FROM (
	SELECT 'one sale', 1::float8, interval '3 days'
	UNION ALL SELECT 'all on one day', i % 3, i * interval '7 minutes'
		FROM generate_series(1, 60) i
	UNION ALL SELECT 'all in one minute', 1, '40 days' FROM generate_series(1, 50)
	UNION ALL SELECT 'only returns', -1, i * interval '5 days'
		FROM generate_series(1, 30) i
	UNION ALL SELECT 'more returned than sold',
		CASE WHEN i % 3 = 0 THEN -9 ELSE 2 END, i * interval '31 hours'
		FROM generate_series(1, 60) i
	UNION ALL SELECT 'sold and all returned', CASE WHEN i % 2 = 0 THEN -4 ELSE 4 END,
		i * interval '1 day' FROM generate_series(1, 80) i
	UNION ALL SELECT 'a year of nothing, then a burst',
		CASE WHEN i = 0 THEN 1 ELSE 20 END,
		CASE WHEN i = 0 THEN interval '370 days' ELSE i * interval '1 minute' END
		FROM generate_series(0, 45) i
	UNION ALL SELECT 'of a millionth', 1e-6, i * interval '9 hours'
		FROM generate_series(1, 300) i
	UNION ALL SELECT 'of 1e12', 1e12, i * interval '9 days'
		FROM generate_series(1, 9) i
	UNION ALL SELECT 'of both', CASE WHEN i % 2 = 0 THEN 1e-6 ELSE 1e12 END,
		i * interval '11 days' FROM generate_series(1, 16) i
	UNION ALL SELECT 'every hour for two years', 1 + i % 5, i * interval '1 hour'
		FROM generate_series(1, 17520) i
	UNION ALL SELECT 'sold two years ago', 3, '725 days'
	) sale (what, qty, ago)
GROUP BY what
UNION ALL SELECT 'no sale', demand_agg(0, '2026-11-01 12:00');
-- of no rows nothing is known, not even that nothing was sold
SELECT demand_agg(1, now()) IS NULL AS unknown WHERE false;

-- from the first moment that is accepted to the last, before, within and long
-- after the sales; and from no horizon to the longest
CREATE TEMP TABLE moment AS SELECT unnest('{1970-01-01,2020-02-29 23:59:59.999999,
	2026-10-29 12:00,2026-11-01 12:00,2026-11-02,2027-11-01 12:00,
	2999-12-31 23:59:59}'::timestamptz[]) AS as_of;
CREATE TEMP TABLE ahead AS SELECT horizon, row_number() OVER () AS n
FROM unnest('{0,00:00:00.000001,00:01,06:00,1 day,30 days,366 days}'::interval[]) horizon;
\set levels '''{1e-300,.0000001,.05,.5,.95,.999,.9999999,.9999999999999999}'''

CREATE FUNCTION pg_temp.finite(VARIADIC x float8[]) RETURNS boolean
LANGUAGE sql AS
'SELECT bool_and(v > ''-Infinity'' AND v < ''Infinity'') FROM unnest(x) v';

-- forecast and quantiles: neither negative nor missing; the mean rises with the
-- horizon, quantiles with their level
SELECT what, bool_and(pg_temp.finite(f.mean, f.sd) AND f.mean >= 0 AND f.sd >= 0) AS forecast,
	bool_and(f.mean >= before AND (n > 1 OR f.mean = 0)) AS rises,
	bool_and(pg_temp.finite(VARIADIC q) AND q[1] >= 0) AS quantiles,
	bool_and(q = ARRAY(SELECT unnest(q) ORDER BY 1)) AS ordered,
	bool_and(demand_quantile(d, as_of, horizon, .9999999) = q[7]) AS each
FROM (SELECT *, lag(f.mean, 1, 0) OVER (PARTITION BY what, as_of ORDER BY n) AS before
	FROM item, moment, ahead,
	LATERAL demand_forecast(d, as_of, horizon) f,
	LATERAL demand_quantiles(d, as_of, horizon, :levels) q) f (what, d, as_of,
		horizon, n, mean, sd, q, before)
GROUP BY what ORDER BY what;

-- velocity, and the moments of a sell-out: not before as_of, later with more
-- stock, and none beyond a year
SELECT what, bool_and(pg_temp.finite(v) AND v >= 0) AS velocity,
	bool_and(pg_temp.finite(plain)) AS plain,
	bool_and(nothing = as_of) AS nothing_left,
	bool_and(coalesce(eta BETWEEN as_of AND as_of + '366 days', true)) AS eta,
	bool_and(coalesce(later >= eta, true) AND (eta IS NOT NULL OR later IS NULL)) AS later,
	bool_and(coalesce(early BETWEEN as_of AND as_of + '366 days', true)) AS early,
	bool_and(coalesce(early <= late, true) AND (early IS NOT NULL OR late IS NULL)) AS cautious
FROM item, moment, LATERAL (SELECT demand_velocity(d, as_of),
	demand_velocity(d, as_of, '1 hour'),
	stockout_eta(-1, d, as_of), stockout_eta(5, d, as_of), stockout_eta(1e12, d, as_of),
	stockout_eta(5, d, as_of, .0000001), stockout_eta(5, d, as_of, .9999999))
	e (v, plain, nothing, eta, later, early, late)
GROUP BY what ORDER BY what;

-- thresholds: parts that add up, and more for more certainty
SELECT what, bool_and(pg_temp.finite(t.threshold, t.safety_stock, t.mean, t.sd)
		AND t.threshold >= 0 AND t.mean >= 0 AND t.sd >= 0) AS threshold,
	bool_and(abs(t.threshold - t.mean - t.safety_stock) <= 1e-9 * (1 + t.mean)) AS sum,
	bool_and(t.threshold >= before) AS rises
FROM (SELECT *, lag(t.threshold, 1, 0) OVER (PARTITION BY what, as_of, lead ORDER BY p) AS before
	FROM item, moment, (VALUES ('0'::interval, '0'::interval), ('30 days', '8 days'),
		('366 days', '366 days')) l (lead, lead_sd), unnest(:levels::float8[]) p,
	LATERAL demand_threshold(d, as_of, lead, lead_sd, '0', p) t) t (what, d, as_of,
		lead, lead_sd, p, threshold, safety_stock, mean, sd, before)
GROUP BY what ORDER BY what;

-- nothing that sold is nothing expected
SELECT what, demand_velocity(d, '2026-11-01 12:00') AS velocity,
	(demand_forecast(d, '2026-11-01 12:00', '30 days')).mean AS mean,
	stockout_eta(1, d, '2026-11-01 12:00') AS eta,
	demand_same_period(d, '2026-11-01 12:00', '1 day', '7 days') AS last_week
FROM item WHERE what IN ('no sale', 'only returns') ORDER BY what;
-- nor is anything known before the first sale
SELECT bool_and(demand_velocity(d, '2020-01-01') = 0
	AND (demand_forecast(d, '2020-01-01', '30 days')).mean = 0
	AND stockout_eta(1, d, '2020-01-01') IS NULL) AS nothing FROM item;

-- who asks for what there is not is told which argument it was
SELECT d FROM item WHERE what = 'one sale' \gset
SELECT demand_forecast(:'d', '2026-11-01', '366 days 00:00:00.000001');
SELECT demand_forecast(:'d', '2026-11-01', '-00:00:00.000001');
SELECT demand_forecast(:'d', '2026-11-01', '1 month');
SELECT demand_forecast(:'d', '2026-11-01', '178000000 years');
SELECT demand_forecast(:'d', '1969-12-31 23:59:59', '1 day');
SELECT demand_forecast(:'d', '3000-01-01', '1 day');
SELECT demand_forecast(:'d', '-infinity', '1 day');
SELECT demand_quantile(:'d', 'infinity', '1 day', .5);
SELECT demand_quantile(:'d', '2026-11-01', '1 day', 0);
SELECT demand_quantile(:'d', '2026-11-01', '1 day', 1);
SELECT demand_quantile(:'d', '2026-11-01', '1 day', 'Infinity');
SELECT demand_quantiles(:'d', '2026-11-01', '367 days', '{.5}');
SELECT demand_quantiles(:'d', '2026-11-01', '1 day', '{.5,1}');
SELECT demand_velocity(:'d', 'infinity');
SELECT demand_velocity(:'d', '2026-11-01', '0');
SELECT demand_velocity(:'d', '2026-11-01', '-1 day');
SELECT demand_velocity(:'d', '2026-11-01', '3000 days');
SELECT stockout_eta('NaN', :'d'::demand, '2026-11-01');
SELECT stockout_eta('-Infinity', :'d'::demand, '2026-11-01');
SELECT stockout_eta(5, :'d'::demand, '3000-01-01');
SELECT stockout_eta(5, :'d'::demand, '2026-11-01', 0);
SELECT stockout_eta(5, :'d'::demand, '2026-11-01', 1);
SELECT stockout_eta(5, 'Infinity'::float8);
SELECT demand_threshold(:'d', '2026-11-01', '1 day', '1 day', '1 day', 0);
SELECT demand_threshold(:'d', '2026-11-01', '1 day', '1 day', '1 day', 1);
SELECT demand_threshold(:'d', '2026-11-01', '1 day', '-1 day', '1 day', .5);
SELECT demand_threshold(:'d', '2026-11-01', '-1 day', '1 day', '1 day', .5);
SELECT demand_threshold(:'d', '2026-11-01', '1 day', '1 day', '-1 day', .5);
SELECT demand_threshold(:'d', '2026-11-01', '366 days', '1 day', '1 minute', .5);
SELECT demand_agg('NaN', '2026-11-01');
SELECT demand_agg(1e13, '2026-11-01');
SELECT demand_agg(1, 'infinity');
SELECT demand_agg(1, '1969-12-31');
SELECT demand_velocity(1, '2026-10-31'::timestamptz, '2026-11-01', '0');
SELECT demand_velocity(1, '2026-10-31'::timestamptz, '2026-11-01', '1 month');
SELECT demand_velocity(1, '2026-10-31'::timestamptz, 'infinity', '1 day');
SELECT demand_same_period(:'d', '2026-11-01', '0', '7 days');
SELECT demand_same_period(:'d', '2026-11-01', '1 day', '-7 days');
SELECT demand_same_period(:'d', '2026-11-01', '1 day', '3000 days') IS NULL AS beyond;
SELECT stockout_eta(1e308, 1e-308) IS NULL AS never, stockout_eta(-5, 1) AS now,
	stockout_eta(5, 0) IS NULL AND stockout_eta(5, -1) IS NULL AS nothing_sells;
