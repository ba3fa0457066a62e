-- Published examples, each to the last digit that was printed; of what
-- libraries print with all digits of a float8, the first 13.

CREATE TEMP TABLE example (n serial, source text, what text, printed numeric,
	ours float8, off float8 DEFAULT 0);
-- units short in an order cycle of 1000 units
CREATE FUNCTION pg_temp.loss(x float8, mean float8, sd float8,
	distribution text DEFAULT 'normal')
RETURNS float8 LANGUAGE sql AS
'SELECT 1000 * (1 - replenish.fill_rate(x, 1000, mean, sd, 1, 0, distribution))';

SET search_path = replenish, public;

-- safety stock and reorder point at a service level
INSERT INTO example (source, what, printed, ours) VALUES
('Stevenson, Operations Management, 14th ed., example 12.8', 'safety stock',
	9.40, safety_stock(.97, 50, 5, 1, 0)),
('the same', 'reorder point', 59.40, reorder_point(.97, 50, 5, 1, 0)),
('Chopra and Meindl, 4th ed., exercise 11.1', 'safety stock',
	465, safety_stock(.95, 300, 200, 2, 0)),
('the same', 'reorder point', 1065, reorder_point(.95, 300, 200, 2, 0)),
('Chopra and Meindl, exercise 11.2 (reviewed each 3 weeks)', 'safety stock',
	736, safety_stock(.95, 300, 200, 2 + 3, 0)),
('the same', 'order up to', 2236, reorder_point(.95, 300, 200, 2 + 3, 0)),
('Chopra and Meindl, exercise 11.5 (lead time varies)', 'safety stock',
	709, safety_stock(.95, 250, 150, 2, 1.5)),
('Chopra and Meindl, exercise 12.3', 'safety stock',
	863, safety_stock(.8889, 2000, 500, 2, 0)),
('Cachon and Terwiesch, McClure Books, e (NewsvendorModel.jl 0.2.2)',
	'quantile', 331.5882901561, reorder_point(.95, 200, 80, 1, 0)),
('Cachon and Terwiesch, EcoTable Tea, f (NewsvendorModel.jl)', 'quantile',
	7, reorder_point(.9, 4.5, sqrt(4.5), 1, 0, 'negative_binomial')),
('Snyder and Shen, example 4.4 (stockpyl 1.0.2)', 'order up to',
	264.7668943742, reorder_point(.7 / .88, 50, 8, 4 + 1, 0)),
('Snyder and Shen, example 5.5 (stockpyl, r_q_eoqss_approximation)',
	'reorder point', 190.3369965716,
	reorder_point(7.5 / 7.725, 1300, 150, 1 / 12.0, 0)),
('SCperf 1.1.1, ROP(0.9, 2500, 500, 6)', 'reorder point',
	16569.57, reorder_point(.9, 2500, 500, 6, 0)),
('SCperf 1.1.1, SS(0.95, 0.7, 2)', 'safety stock',
	1.63, safety_stock(.95, 1, .7, 2, 0)),
('inventorize 1.1.1, reorderpoint, normal', 'reorder point',
	315.6957370732, reorder_point(.9, 50, 5, 6, 0)),
('the same, gamma', 'reorder point',
	315.7989026500, reorder_point(.9, 50, 5, 6, 0, 'gamma')),
('inventorize, reorderpoint_leadtime_variability, normal', 'reorder point',
	429.1127426468, reorder_point(.9, 50, 5, 6, 2)),
('the same, gamma', 'reorder point',
	434.1733450834, reorder_point(.9, 50, 5, 6, 2, 'gamma')),
('the same, nbinom', 'reorder point',
	434, reorder_point(.9, 50, 5, 6, 2, 'negative_binomial')),
('the same, nbinom', 'safety stock',
	134, safety_stock(.9, 50, 5, 6, 2, 'negative_binomial'));

-- the same by books that look z up with two digits, so that they may be off by
-- 0.005 standard deviations
INSERT INTO example (source, what, printed, ours, off) VALUES
('Stevenson, problem of the walnut fudge ice cream', 'reorder point',
	8.39, reorder_point(.9, 21, 3.5, 2 / 7.0, 0), .005 * 3.5 * sqrt(2 / 7.0)),
('Heizer and Render, chapter 12, surgery packs', 'reorder point',
	513.6, reorder_point(.9, 60, 0, 6, 2), .005 * 120);

-- loss and fill rate
INSERT INTO example (source, what, printed, ours) VALUES
('Chopra and Meindl, exercise 11.4', 'short in a cycle', 43.86,
	1000 * (1 - fill_rate(600, 1000, 250, 150, 2, 0))),
('the same', 'fill rate', .96, fill_rate(600, 1000, 250, 150, 2, 0)),
('inventorize 1.1.1, inventorymetricsCSL', 'fill rate', 0.9986617796173,
	fill_rate(1627.94342806017, 4500, 20000, 1200, 3 / 52.0, 0)),
('the same', 'short in a cycle', 6.021991721964,
	4500 * (1 - fill_rate(1627.94342806017, 4500, 20000, 1200, 3 / 52.0, 0))),
('inventorize, inventorymetricsIFR (4 digits, as far as it solves)', 'safety stock',
	859.3, safety_stock_for_fill_rate(.9, 5000, 35000, 9000, 3 / 52.0, 0)),
('inventorize, safteystock_IFR_normal (the same)', 'safety stock',
	707.4, safety_stock_for_fill_rate(.97, 9000, 1e5, 5000, 4 / 52.0, 0)),
('inventorize, EUSnorm_singleperiod', 'loss', 3436.136378683,
	1e5 * (1 - fill_rate(35000, 1e5, 32000, 12000, 1, 0))),
('stockpyl 1.0.2, standard_normal_loss(1.3)', 'loss', 0.045527962087,
	pg_temp.loss(1.3, 0, 1)),
('stockpyl, normal_loss(18.6, 15, 3)', 'loss', 0.1683073521515,
	pg_temp.loss(18.6, 15, 3)),
('stockpyl, exponential_loss(1, 0.2)', 'loss', 4.093653765390,
	pg_temp.loss(1, 5, 5, 'gamma')),
('stockpyl, gamma_loss(4, 2, 3)', 'loss', 2.635971381157,
	pg_temp.loss(4, 6, sqrt(18), 'gamma')),
('stockpyl, poisson_loss(18, 15)', 'loss', 0.5176095282585,
	pg_temp.loss(18, 15, sqrt(15), 'negative_binomial')),
('stockpyl, geometric_loss(7, 0.2), which counts from 1', 'loss', 1.048576000000,
	pg_temp.loss(6, 4, sqrt(20), 'negative_binomial')),
('stockpyl, negative_binomial_loss(14, 4, 0.2)', 'loss', 4.447304632028,
	pg_temp.loss(14, 16, sqrt(80), 'negative_binomial')),
('stockpyl, negative_binomial_loss(14, mean=23, sd=8)', 'loss', 9.326459980157,
	pg_temp.loss(14, 23, 8, 'negative_binomial')),
('Cachon and Terwiesch, EcoTable Tea, d (NewsvendorModel.jl)', 'sales of 4',
	3.411917495757, 4.5 - pg_temp.loss(4, 4.5, sqrt(4.5), 'negative_binomial')),
('the same, e', 'leftover of 6',
	1.823116515479, 1.5 + pg_temp.loss(6, 4.5, sqrt(4.5), 'negative_binomial'));

-- order quantity
INSERT INTO example (source, what, printed, ours) VALUES
('Heizer and Render, example 12.3, Sharp, Inc.', 'order quantity',
	200, economic_order_quantity(1000, 10, .5)),
('the same, learning exercise', 'order quantity',
	219, economic_order_quantity(1200, 10, .5)),
('Heizer and Render, problem of the workbooks', 'order quantity',
	493.71, economic_order_quantity(19500, 25, 4)),
('Hopp and Spearman, chapter 2, MedEquip', 'order quantity',
	169, economic_order_quantity(1000, 500, 35)),
('Simchi-Levi and others, example 2-2, fasteners', 'order quantity',
	2828, economic_order_quantity(50000, 20, .25)),
('Hillier and Lieberman, 7th ed. (SCperf 1.1.1, EOQ)', 'order quantity',
	25298, economic_order_quantity(8000, 12000, .3)),
('Snyder and Shen, example 3.1 (stockpyl 1.0.2)', 'order quantity',
	304.0467800264, economic_order_quantity(1300, 8, .225)),
('Snyder and Shen, problem 3.1 (stockpyl)', 'order quantity',
	1728.109844994, economic_order_quantity(182500, 2250, 275)),
('inventorize 1.1.1, eoq(5000, 400, 140, 0.2)', 'order quantity',
	377.9644730092, economic_order_quantity(5000, 400, 140 * .2));

-- one order for one season; profits of books that round the quantity first
-- are left out
INSERT INTO example (source, what, printed, ours)
SELECT source, what, printed, ours
FROM (VALUES
	('Porteus (SCperf 1.1.1, Newsboy)', 4, 1, 0, 100, 30::float8, 'normal',
		'{120.23,.75,NULL,NULL,261.87}'::numeric[]),
	('Gallego (SCperf, Newsboy)', 4, 1, 0, 100, 20, 'normal',
		'{113.49,.75,NULL,NULL,274.58}'),
	('Cachon and Terwiesch, O''Neill Hammer 3/2 (NewsvendorModel.jl 0.2.2)',
		190, 110, 90, 3192, 1181, 'normal', '{4186,.80,NULL,NULL,222296.50}'),
	('Cachon and Terwiesch, McClure Books, d (NewsvendorModel.jl)',
		20, 12, 8, 200, 80, 'normal', '{234,NULL,NULL,NULL,NULL}'),
	('Cachon and Terwiesch, EcoTable Tea, c (NewsvendorModel.jl)',
		55, 32, 20, 4.5, sqrt(4.5), 'negative_binomial',
		'{5,NULL,NULL,NULL,NULL}'),
	('Nahmias and Olsen, 7th ed., Mac''s newsstand (NewsvendorModel.jl)',
		75, 25, 10, 11.73076923076923, 4.740792457192357, 'normal',
		'{15,.77,NULL,NULL,NULL}'),
	('Wikipedia, "Newsvendor model" (NewsvendorModel.jl)',
		7, 5, 0, 50, 20, 'normal', '{39,.29,NULL,NULL,NULL}'),
	('Chopra and Meindl, exercise 12.1, Green Thumb', 200, 150, 30, 100, 40,
		'normal', '{78.34,.2941,NULL,7.41,2657}'),
	('Chopra and Meindl, exercise 12.2', 200, 150, 30, 100, 15,
		'normal', '{91.88,.2941,NULL,2.78,4121}'),
	('Snyder and Shen, example 4.2 (stockpyl 1.0.2)', 1, .3, .12, 50, 8,
		'normal', '{56.60395592743,NULL,NULL,NULL,33.00239480682}'),
	('the same with Poisson demand (stockpyl)', 1, .3, .12, 50, sqrt(50),
		'negative_binomial', '{56,NULL,NULL,NULL,33.20276478819}'),
	('Snyder and Shen, problem 4.1 (stockpyl)', 122, 43, 0, 900, 60,
		'normal', '{922.7214038235,NULL,NULL,NULL,68381.80321822}'),
	('Snyder and Shen, problem 4.3b (stockpyl)', 7, 2.5, 1.5, 50, 10,
		'normal', '{59.08457868537,NULL,NULL,NULL,210.4768082523}'),
	('Snyder and Shen, example 4.7 (stockpyl)', 5, 1, 0, 6, sqrt(6),
		'negative_binomial', '{8,NULL,NULL,NULL,20.42989305423}'),
	('Snyder and Shen, problem 4.8a (stockpyl)', 470, 200, 0, 18, sqrt(18),
		'negative_binomial', '{19,NULL,NULL,NULL,4073.911559065}'),
	('inventorize 1.1.1, MPN_singleperiod', 24, 10.9, 7, 32000, 11000,
		'normal', '{40148.64011725,NULL,30534.0520292,9614.5880880,362499.1880396}'),
	('inventorize, MPP_singleperiod', 24, 10.9, 7, 32000, sqrt(32000),
		'negative_binomial', '{32132,NULL,31976.0045582,NULL,NULL}')
	) v (source, price, cost, salvage, mean, sd, distribution, book)
CROSS JOIN LATERAL newsvendor(price::float8, cost::float8, salvage::float8,
	mean::float8, sd, distribution) o
CROSS JOIN LATERAL (VALUES ('quantity', book[1], order_qty),
	('critical ratio', book[2], critical_ratio),
	('expected sales', book[3], expected_sales),
	('expected leftover', book[4], expected_leftover),
	('expected profit', book[5], expected_profit)) p (what, printed, ours)
WHERE printed IS NOT NULL;

SELECT n, source, what, printed,
	round(ours::numeric, scale(printed)) AS ours,
	abs(ours::numeric - printed) <=
		greatest(0.5000001 * 10.0 ^ -scale(printed), off) AS agrees
FROM example ORDER BY n;
SELECT count(*) > 30 AS enough,
	count(*) FILTER (WHERE off > 0) AS with_rounded_z FROM example;

-- months without, 20, 30, without, without and 50 units: an interval of 5/3
-- (a forum's example), and the class of it
SELECT demand_pattern(demand_agg(qty, at), '7 days') AS pattern
FROM (VALUES (20, 1), (30, 2), (50, 5)) v (qty, week),
	LATERAL (SELECT timestamptz '2026-06-01 12:00Z' + week * interval '7 days') t (at);
