---------------------------------------------------------------------------
-- The outlook: what is known of the time ahead and not of the past.
---------------------------------------------------------------------------

CREATE TYPE replenish.outlook AS (
	starts_at timestamptz,
	ends_at timestamptz,
	factor float8,
	units float8
);
COMMENT ON TYPE replenish.outlook IS
'From starts_at (NULL: always) until before ends_at (NULL: for ever) the expected demand is multiplied by factor (0 to 1000; NULL: 1) and units (0 or more; NULL: 0) are added, spread evenly over the part of it that lies ahead. Factors that overlap multiply, to 1000 at most; units add.';

CREATE FUNCTION replenish.demand_forecast(demand replenish.demand,
	as_of timestamptz, horizon interval, outlook replenish.outlook[],
	OUT mean float8, OUT sd float8)
AS 'MODULE_PATHNAME', 'replenish_demand_forecast'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_forecast(replenish.demand, timestamptz,
	interval, replenish.outlook[]) IS
'demand_forecast() with an outlook: mean = factor * mean + units, sd = sqrt((factor * sd)^2 + units), with factor and units from outlook_effect(). An outlook of NULL or without parts changes nothing; any other NULL gives NULL.';

CREATE FUNCTION replenish.demand_quantile(demand replenish.demand,
	as_of timestamptz, horizon interval, p float8,
	outlook replenish.outlook[])
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_demand_quantile'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_quantile(replenish.demand, timestamptz,
	interval, float8, replenish.outlook[]) IS
'demand_quantile() with an outlook: the quantile that belongs to the mean and sd of demand_forecast() with it; not compared with that of fewer days. An outlook of NULL or without parts changes nothing; any other NULL gives NULL.';

CREATE FUNCTION replenish.stockout_eta(on_hand float8,
	demand replenish.demand, as_of timestamptz, p float8,
	outlook replenish.outlook[], burst_evidence float8 DEFAULT NULL)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'replenish_stockout_eta_probable'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION replenish.stockout_eta(float8, replenish.demand,
	timestamptz, float8, replenish.outlook[], float8) IS
'stockout_eta() with an outlook, and bursts told as burst_velocity() does: the first moment at which the demand with it reaches on_hand, with probability p (0 < p < 1), or expected where p is NULL. A burst under way is not multiplied. An outlook of NULL or without parts changes nothing; any other NULL gives NULL.';

CREATE FUNCTION replenish.demand_threshold(demand replenish.demand,
	as_of timestamptz, lead_time interval, lead_time_sd interval,
	review_period interval, service_level float8,
	outlook replenish.outlook[],
	OUT threshold float8, OUT safety_stock float8,
	OUT mean float8, OUT sd float8)
AS 'MODULE_PATHNAME', 'replenish_demand_threshold'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_threshold(replenish.demand, timestamptz,
	interval, interval, interval, float8, replenish.outlook[]) IS
'demand_threshold() with an outlook: outlook_effect() over lead_time + review_period from as_of is applied to the mean and sd of the forecasts as in demand_forecast(), before the lead time''s variance is added. An outlook of NULL or without parts changes nothing; any other NULL gives NULL.';

CREATE FUNCTION replenish.outlook_effect(demand replenish.demand,
	as_of timestamptz, horizon interval, outlook replenish.outlook[],
	OUT factor float8, OUT units float8)
AS 'MODULE_PATHNAME', 'replenish_outlook_effect'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.outlook_effect(replenish.demand, timestamptz,
	interval, replenish.outlook[]) IS
'What an outlook does to the demand expected in [as_of, as_of + horizon): factor is the mean of its factors, weighted by the demand expected without it (1 where none is); units are the planned units that fall into it. Errors: a factor that is not 0 to 1000, units that are not 0 to 1e15 or have no end, a part that ends before it starts.';

-- What a known cause did to the past is not to be expected again.
CREATE FUNCTION replenish.demand_times(demand replenish.demand, factor float8,
	starts_at timestamptz, ends_at timestamptz)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_times_part'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_times(replenish.demand, float8, timestamptz, timestamptz) IS
'The summary with what was asked for in [starts_at, ends_at), to the minute, times a finite factor. Every part is taken at the finest resolution kept; of a bucket that is only partly inside, that part in proportion.';

CREATE FUNCTION replenish.burst_velocity(demand replenish.demand,
	as_of timestamptz, burst_evidence float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_burst_velocity'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.burst_velocity(replenish.demand, timestamptz, float8) IS
'demand_velocity(demand, as_of) where a burst is one from so much evidence on (4 to 1000; NULL: 22), twice the logarithm of the likelihood ratio of units and of minutes with sales: less is sooner and oftener in vain.';
