
-- Looking ahead

CREATE FUNCTION replenish.demand_velocity(demand replenish.demand,
	as_of timestamptz)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_demand_velocity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_velocity(replenish.demand, timestamptz) IS
'The model''s units per hour at as_of: level times weekday and hour factor; while a burst lasts (units and minutes with sales of the last hour are both far above that), its speed since the pace last changed; a pause of up to five minutes does not end it. Zero without demand, never NULL.';

CREATE FUNCTION replenish.demand_forecast(demand replenish.demand,
	as_of timestamptz, horizon interval,
	OUT mean float8, OUT sd float8)
AS 'MODULE_PATHNAME', 'replenish_demand_forecast'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION
replenish.demand_forecast(replenish.demand, timestamptz, interval) IS
'Mean and standard deviation of the units asked for in [as_of, as_of + horizon), a burst left out. horizon: 0 to 366 days of 24 hours, no months. Exponential smoothing of days and weeks, averaged over smoothing constants by their past errors, with weekday and hour factors (UTC) and, from 420 days of age, the year''s index; both numbers rise with the horizon. Without demand the mean is 0 and the sd next to nothing.';

CREATE FUNCTION replenish.demand_quantile(demand replenish.demand,
	as_of timestamptz, horizon interval, p float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_demand_quantile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_quantile(replenish.demand, timestamptz,
	interval, float8) IS
'Units not exceeded in [as_of, as_of + horizon) with probability p (0 < p < 1): share * the quantile of a negative binomial (Poisson where the variance is not above the mean) + (1 - share) * that of a normal distribution cut at 0, both with the forecast''s mean and sd; share = 1 / sqrt(1 + cv^2 / 4), cv = sd / mean of the whole week from the UTC midnight at or before as_of (share 0 for a mean of 0). Rises with p; for p of .5 and more it is not below that of fewer whole days.';

CREATE FUNCTION replenish.demand_quantiles(demand replenish.demand,
	as_of timestamptz, horizon interval, p float8[])
RETURNS float8[]
AS 'MODULE_PATHNAME', 'replenish_demand_quantiles'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_quantiles(replenish.demand, timestamptz,
	interval, float8[]) IS
'demand_quantile for each p, in their order, at the cost of little more than one. An empty array gives an empty array; NULL elements are refused.';

CREATE FUNCTION replenish.stockout_eta(on_hand float8, velocity float8)
RETURNS interval
AS 'MODULE_PATHNAME', 'replenish_stockout_interval'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.stockout_eta(float8, float8) IS
'How long on_hand units last at velocity units per hour, in hours (a calendar day may have 23 or 25). 0 when nothing is on hand; NULL when nothing sells (velocity 0 or below) or it would take more than 1000 years.';

CREATE FUNCTION replenish.stockout_eta(on_hand float8,
	demand replenish.demand, as_of timestamptz)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'replenish_stockout_eta'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION
replenish.stockout_eta(float8, replenish.demand, timestamptz) IS
'When the expected demand after as_of has eaten on_hand units: the forecast''s mean, along weekdays and hours, plus a burst, whose excess lasts two hours more and then halves every 30 minutes. as_of when nothing is on hand; NULL beyond 366 days.';

CREATE FUNCTION replenish.stockout_eta(on_hand float8,
	demand replenish.demand, as_of timestamptz, p float8)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'replenish_stockout_eta_probable'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION replenish.stockout_eta(float8, replenish.demand,
	timestamptz, float8) IS
'By when the shelf of on_hand units is empty with probability p (0 < p < 1): the first moment at which demand_quantile at 1 - p, plus the expected rest of a burst, reaches on_hand. Small p gives the early, cautious moment. as_of when nothing is on hand; NULL beyond 366 days.';
