-- When a stock runs out: at a speed, by expectation, with a probability.
SET timezone = 'UTC';

-- at a speed, in hours
SELECT stock, speed, replenish.stockout_eta(stock, speed) AS eta
FROM (VALUES (120::float8, 5::float8), (1, 3), (0, 5), (-4, 5), (7, 0), (7, -1),
	(1e6, .2), (1e9, 1e-3), (0, 0), (NULL, 1), (1, NULL)) v (stock, speed)
ORDER BY stock, speed;
SELECT replenish.stockout_eta('NaN', 1);
SELECT replenish.stockout_eta(1, 'Infinity');

-- a steady item: 24 units a day, one an hour
CREATE TEMP TABLE item (name text, d replenish.demand);
INSERT INTO item
SELECT 'steady', replenish.demand_agg(1, t)
FROM generate_series(timestamptz '2026-08-03 00:30', '2026-11-01 23:59',
	'1 hour') t
UNION ALL
SELECT 'lumpy', replenish.demand_agg(1 + i * i % 40, t)
FROM generate_series(timestamptz '2026-08-03 00:30', '2026-11-01 23:59',
	'17 hours') WITH ORDINALITY s (t, i)
UNION ALL
SELECT 'show', replenish.demand_agg(1, t)
FROM (SELECT generate_series(timestamptz '2026-08-03 00:30',
		'2026-11-01 23:59', '1 hour')
	UNION ALL SELECT m FROM generate_series(timestamptz '2026-11-01 23:30',
		'2026-11-01 23:59', '1 minute') m, generate_series(1, 4)) s (t)
UNION ALL
SELECT 'unsold', replenish.demand_agg(0, '2026-11-01');

SELECT stock, date_trunc('minute', replenish.stockout_eta(stock, d,
	'2026-11-02')) AS eta
FROM item, unnest('{-3,0,.5,1,24,100,1000,8000,100000}'::float8[]) stock
WHERE name = 'steady' ORDER BY stock;

-- at that moment the expectation is the stock, a microsecond before it is not
SELECT name, stock,
	(replenish.demand_forecast(d, as_of, eta - as_of)).mean >= stock AS reached,
	(replenish.demand_forecast(d, as_of, eta - as_of - interval '1 us')).mean
		< stock AS first
FROM item, unnest('{.25,3,77,1234.5}'::float8[]) stock,
	(VALUES (timestamptz '2026-11-02 13:17:05')) v (as_of),
	replenish.stockout_eta(stock, d, as_of) eta
WHERE name IN ('steady', 'lumpy') ORDER BY name, stock;

-- a burst of 240 units an hour brings it nearer: 478 units more in two hours,
-- and then half of 239 / ln 2
SELECT stock, date_trunc('minute', replenish.stockout_eta(stock, show.d,
		'2026-11-02')) AS show,
	date_trunc('minute', replenish.stockout_eta(stock, steady.d,
		'2026-11-02')) AS steady
FROM item show, item steady, unnest('{40,172,300,400,700}'::float8[]) stock
WHERE show.name = 'show' AND steady.name = 'steady' ORDER BY stock;

-- the surer, the later
SELECT name, stock, p, date_trunc('hour', eta) AS eta,
	replenish.demand_quantile(d, '2026-11-02', eta - timestamptz '2026-11-02',
		1 - p) >= stock AS reached,
	replenish.demand_quantile(d, '2026-11-02', eta - timestamptz '2026-11-02'
		- interval '1 us', 1 - p) < stock AS first
FROM item, unnest('{20,150}'::float8[]) stock,
	unnest('{.01,.1,.5,.9,.99}'::float8[]) p,
	replenish.stockout_eta(stock, d, '2026-11-02', p) eta
WHERE name IN ('steady', 'lumpy') ORDER BY name, stock, p;

-- never, and at once
SELECT replenish.stockout_eta(1, d, '2026-11-02') AS unsold,
	replenish.stockout_eta(1, d, '2026-11-02', .01) AS surely_unsold,
	replenish.stockout_eta(0, d, '2026-11-02', .99) AS empty,
	replenish.stockout_eta(1, NULL::replenish.demand, '2026-11-02') AS unknown
FROM item WHERE name = 'unsold';

SELECT replenish.stockout_eta('Infinity', d, '2026-11-02') FROM item;
SELECT replenish.stockout_eta(1, d, '2026-11-02', 0) FROM item;
SELECT replenish.stockout_eta(1, d, '-infinity', .5) FROM item;
