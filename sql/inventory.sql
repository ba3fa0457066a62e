
-- When to order, how much, and how alarmed to be

CREATE TYPE replenish.tier AS ENUM ('normal', 'yellow', 'orange', 'red');
COMMENT ON TYPE replenish.tier IS
'How alarmed to be: below 150 % (yellow), 100 % (orange) or 50 % (red) of the threshold.';

CREATE FUNCTION replenish.demand_threshold(demand replenish.demand,
	as_of timestamptz, lead_time interval, lead_time_sd interval,
	review_period interval, service_level float8,
	OUT threshold float8, OUT safety_stock float8,
	OUT mean float8, OUT sd float8)
AS 'MODULE_PATHNAME', 'replenish_demand_threshold'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_threshold(replenish.demand, timestamptz,
	interval, interval, interval, float8) IS
'Dynamic reorder point: the quantile at service_level (0 < p < 1), shaped as those of demand_quantile, of the demand over lead_time + review_period (the mean lead time; together at most 366 days of 24 hours, no months). Its mean is the mean of those that demand_forecast has now and at the same time of 2, 4, ... 12 days before, each weekday once (as far as the item was four weeks old by then). Its variance is made of the errors of one day and one week, see steady_var of explain() (that of demand_forecast while the item is younger than four weeks), plus (mean per day)^2 * lead_time_sd^2. safety_stock = threshold - mean; sd is the root of that variance.';

CREATE FUNCTION replenish.reorder_qty(stock_position float8,
	threshold float8, target float8, buffer float8 DEFAULT 0.25,
	moq float8 DEFAULT 0, multiple float8 DEFAULT 0,
	maximum float8 DEFAULT 'Infinity')
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_reorder_qty'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.reorder_qty(float8, float8, float8, float8,
	float8, float8, float8) IS
'Units to order: 0 while stock_position is not below threshold, else (target - stock_position) * (1 + buffer), at least moq, rounded up to multiple (0: any quantity, fractions included), at most maximum rounded down to multiple. Less than half a millionth of a unit is not counted. 0 also where no multiple lies between moq and maximum; a maximum below moq and a target below threshold are errors.';

CREATE FUNCTION replenish.alert_level(stock_position float8,
	threshold float8, previous replenish.tier DEFAULT 'normal',
	exit_margin float8 DEFAULT 0.1)
RETURNS replenish.tier
AS 'MODULE_PATHNAME', 'replenish_alert_level'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.alert_level(float8, float8, replenish.tier,
	float8) IS
'Tier of a stock position: strictly below 150 %, 100 % or 50 % of threshold is yellow, orange or red. A tier up to previous stays until the position is above its line * (1 + exit_margin); exactly there it stays, unless exit_margin is 0, when previous does not matter. Threshold 0: normal while the position is not negative, else red. Less than half a millionth of a unit is not counted.';
