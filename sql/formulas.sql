-- The classical formulas, for people with their own numbers; doc/formulas.md
-- has the sources in full.

CREATE FUNCTION replenish.safety_stock(service_level float8,
	demand_mean float8, demand_sd float8,
	lead_time_mean float8, lead_time_sd float8,
	distribution text DEFAULT 'normal')
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_safety_stock'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.safety_stock(float8, float8, float8, float8,
	float8, text) IS
'Units of safety stock with which a cycle ends without a stockout with probability service_level (0 < p < 1): reorder_point less the mean demand over the lead time. For normal that is z * sd, with z the standard normal quantile at service_level and sd = sqrt(lead_time_mean * demand_sd^2 + demand_mean^2 * lead_time_sd^2). demand_mean and demand_sd in units per period, lead_time_mean and lead_time_sd in the same periods (with a review period added to the mean where stock is not watched all the time); distribution: normal, gamma or negative_binomial, see reorder_point. Negative or not finite numbers are errors; NULL gives NULL. Silver, Pyke and Thomas (2017), chapter 6.';

CREATE FUNCTION replenish.reorder_point(service_level float8,
	demand_mean float8, demand_sd float8,
	lead_time_mean float8, lead_time_sd float8,
	distribution text DEFAULT 'normal')
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_reorder_point'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.reorder_point(float8, float8, float8, float8,
	float8, text) IS
'Units at which to order again: the quantile at service_level (0 < p < 1) of the demand over the lead time, with mean demand_mean * lead_time_mean and variance lead_time_mean * demand_sd^2 + demand_mean^2 * lead_time_sd^2. Arguments as in safety_stock. distribution: normal; gamma with shape mean^2 / variance; or negative_binomial by the same moments (whole units, the smallest that reaches the level; Poisson where the variance is not above the mean, also where it is 0). Silver, Pyke and Thomas (2017), chapter 6; gamma: Burgin (1975).';

CREATE FUNCTION replenish.fill_rate(reorder_point float8, order_qty float8,
	demand_mean float8, demand_sd float8,
	lead_time_mean float8, lead_time_sd float8,
	distribution text DEFAULT 'normal', exact boolean DEFAULT false)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_fill_rate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.fill_rate(float8, float8, float8, float8,
	float8, float8, text, boolean) IS
'Expected share (0 to 1) of demand that is served from stock when order_qty units (above 0) are ordered each time the stock position falls to reorder_point (mean demand over the lead time plus safety stock; units, may be negative): 1 - n(reorder_point) / order_qty, and not below 0, with n(x) = E max(D - x, 0) the loss of the demand D over the lead time; for normal n(x) = sd * (phi(k) - k * (1 - Phi(k))) with k = (x - mean) / sd. That counts a backorder which outlasts its cycle again, so it says too little where order_qty is below some 3 sd; exact takes n(reorder_point + order_qty) off n(reorder_point). Other arguments as in safety_stock. Silver, Pyke and Thomas (2017), chapter 6; exact: Hadley and Whitin (1963), chapter 4.';

CREATE FUNCTION replenish.safety_stock_for_fill_rate(fill_rate float8,
	order_qty float8, demand_mean float8, demand_sd float8,
	lead_time_mean float8, lead_time_sd float8,
	distribution text DEFAULT 'normal', exact boolean DEFAULT false)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_safety_stock_for_fill_rate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.safety_stock_for_fill_rate(float8, float8,
	float8, float8, float8, float8, text, boolean) IS
'Units of safety stock with which fill_rate() reaches this fill_rate (0 < share < 1): the least reorder point of 0 or more that does, whole for negative_binomial, less the mean demand over the lead time. Negative where order_qty alone nearly does. Other arguments as in fill_rate, whose formula is solved by bisection.';

CREATE FUNCTION replenish.economic_order_quantity(demand float8,
	order_cost float8, holding_cost float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_economic_order_quantity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.economic_order_quantity(float8, float8, float8) IS
'Units per order with the least cost of ordering and holding: sqrt(2 * demand * order_cost / holding_cost). demand in units per period, order_cost in money per order, holding_cost (above 0) in money per unit held for such a period. Not rounded. Harris (1913).';

CREATE FUNCTION replenish.newsvendor(price float8, cost float8,
	salvage float8, demand_mean float8, demand_sd float8,
	distribution text DEFAULT 'normal',
	OUT order_qty float8, OUT critical_ratio float8,
	OUT expected_sales float8, OUT expected_leftover float8,
	OUT expected_profit float8)
AS 'MODULE_PATHNAME', 'replenish_newsvendor'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.newsvendor(float8, float8, float8, float8,
	float8, text) IS
'The one order for a show or a season that earns the most: order_qty is the quantile at critical_ratio = (price - cost) / (price - salvage) of a demand with this mean and sd (units in the whole season), never below 0. price and cost in money per unit; salvage is what a unit left over brings, below cost, negative where its disposal costs. expected_sales = mean - n(order_qty), with n as in fill_rate; expected_leftover = order_qty - expected_sales; expected_profit = (price - cost) * expected_sales - (cost - salvage) * expected_leftover. All but critical_ratio are 0 where nothing is ordered, and it is 0 too where price is not above cost. distribution: normal, gamma or negative_binomial (whole units) as in reorder_point. Arrow, Harris and Marschak (1951); Silver, Pyke and Thomas (2017), chapter 9.';

CREATE FUNCTION replenish.demand_pattern(demand replenish.demand,
	period interval DEFAULT '1 day')
RETURNS text
AS 'MODULE_PATHNAME', 'replenish_demand_pattern'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_pattern(replenish.demand, interval) IS
'The class of a demand: smooth, erratic (CV^2 of 0.49 and more), intermittent (ADI of 1.32 and more) or lumpy (both). ADI is the number of periods over the number of periods with demand (units above 0), CV^2 the squared sample standard deviation over the squared mean of the units in those. period: 1 day (of the last 92) or 7 days (of the last 106 weeks from Monday), in UTC, from the first period that is not empty to the newest, both included; demand_at(demand, as_of) moves the end. NULL when nothing sold or when there is only one period. Syntetos, Boylan and Croston (2005).';
