\echo Use "CREATE EXTENSION replenish" to load this file. \quit

-- Whoever may create in the schema that comes first on the installer's path
-- must not slip an operator into what is parsed here.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA replenish;

COMMENT ON SCHEMA replenish IS
'What is about to sell out, when, how alarmed to be and how much to order.';
-- The demand summary: one value per item and channel, made of bucket sums
-- (src/demand.h).  A day is 24 hours everywhere, weeks start on Monday, UTC.

CREATE TYPE replenish.demand;

CREATE FUNCTION replenish.demand_in(cstring) RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_in(cstring) IS
'Text to demand; anything but the form that demand_out writes is an error.';

CREATE FUNCTION replenish.demand_out(replenish.demand) RETURNS cstring
AS 'MODULE_PATHNAME', 'replenish_demand_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_out(replenish.demand) IS
'Demand to text, exact and independent of settings: JSON with the newest minute (UTC) and the units by age in minutes, hours, days and weeks, without what is the sum of finer buckets.';

CREATE FUNCTION replenish.demand_recv(internal) RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_recv(internal) IS
'Bytes to demand; every byte is checked.';

CREATE FUNCTION replenish.demand_send(replenish.demand) RETURNS bytea
AS 'MODULE_PATHNAME', 'replenish_demand_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_send(replenish.demand) IS
'Demand to bytes: the packed form, whose first byte is its version.';

-- Storage "main": a value is tens of bytes to about a kilobyte and is always
-- read whole, so it belongs into the row; only a row that outgrows a quarter
-- of a page is compressed, and only one that outgrows a page moved out.
CREATE TYPE replenish.demand (
	INPUT = replenish.demand_in,
	OUTPUT = replenish.demand_out,
	RECEIVE = replenish.demand_recv,
	SEND = replenish.demand_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE replenish.demand IS
'Demand summary: exact units (six decimals) per minute, hour, day and week in a window that ends at the newest event and reaches back 60 minutes, 192 hours, 92 days and 106 weeks (UTC, weeks from Monday). Summaries add up exactly, in any order.';

-- Equality.  Only a hash class, which DISTINCT, GROUP BY, UNION and joins can
-- use: there is no order that would mean anything.

CREATE FUNCTION replenish.demand_eq(replenish.demand, replenish.demand)
RETURNS boolean
AS 'MODULE_PATHNAME', 'replenish_demand_eq'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_eq(replenish.demand, replenish.demand) IS
'Whether two summaries have the same window and the same amounts; implements =.';

CREATE FUNCTION replenish.demand_ne(replenish.demand, replenish.demand)
RETURNS boolean
AS 'MODULE_PATHNAME', 'replenish_demand_ne'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_ne(replenish.demand, replenish.demand) IS
'Whether two summaries differ in their window or an amount; implements <>.';

CREATE FUNCTION replenish.demand_hash(replenish.demand) RETURNS integer
AS 'MODULE_PATHNAME', 'replenish_demand_hash'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_hash(replenish.demand) IS
'Hash of a summary, for GROUP BY, DISTINCT and joins.';

CREATE FUNCTION replenish.demand_hash_extended(replenish.demand, bigint)
RETURNS bigint
AS 'MODULE_PATHNAME', 'replenish_demand_hash_extended'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.demand_hash_extended(replenish.demand, bigint) IS
'Hash of a summary with a seed, for hash partitioning.';

CREATE OPERATOR replenish.= (
	LEFTARG = replenish.demand, RIGHTARG = replenish.demand,
	FUNCTION = replenish.demand_eq,
	COMMUTATOR = OPERATOR(replenish.=), NEGATOR = OPERATOR(replenish.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR replenish.= (replenish.demand, replenish.demand) IS
'same window and same amounts';

CREATE OPERATOR replenish.<> (
	LEFTARG = replenish.demand, RIGHTARG = replenish.demand,
	FUNCTION = replenish.demand_ne,
	COMMUTATOR = OPERATOR(replenish.<>), NEGATOR = OPERATOR(replenish.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR replenish.<> (replenish.demand, replenish.demand) IS
'another window or another amount';

CREATE OPERATOR CLASS replenish.demand_ops
DEFAULT FOR TYPE replenish.demand USING hash AS
	OPERATOR 1 replenish.= ,
	FUNCTION 1 replenish.demand_hash(replenish.demand),
	FUNCTION 2 replenish.demand_hash_extended(replenish.demand, bigint);
COMMENT ON OPERATOR FAMILY replenish.demand_ops USING hash IS
'Equality of summaries.';
COMMENT ON OPERATOR CLASS replenish.demand_ops USING hash IS
'Equality of summaries, for DISTINCT, GROUP BY, UNION and joins.';

-- Arithmetic

CREATE FUNCTION replenish.demand_plus(replenish.demand, replenish.demand)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_plus'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_plus(replenish.demand, replenish.demand) IS
'Sum of two summaries, bucket by bucket and exact; the window ends at the later of the two ends. A bucket beyond 9.2e12 units is an error. Implements +.';

CREATE OPERATOR replenish.+ (
	LEFTARG = replenish.demand, RIGHTARG = replenish.demand,
	FUNCTION = replenish.demand_plus, COMMUTATOR = OPERATOR(replenish.+)
);
COMMENT ON OPERATOR replenish.+ (replenish.demand, replenish.demand) IS
'add demand';

CREATE FUNCTION replenish.demand_minus(replenish.demand, replenish.demand)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_minus'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.demand_minus(replenish.demand, replenish.demand) IS
'Takes the second summary out of the first, bucket by bucket and exact; the window ends at the later of the two ends: (a + b) - b = demand_at(a, end of a + b). Implements -.';

CREATE OPERATOR replenish.- (
	LEFTARG = replenish.demand, RIGHTARG = replenish.demand,
	FUNCTION = replenish.demand_minus
);
COMMENT ON OPERATOR replenish.- (replenish.demand, replenish.demand) IS
'take demand back';

CREATE FUNCTION replenish.demand_times(replenish.demand, factor float8)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_times'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_times(replenish.demand, float8) IS
'The summary with every amount times a finite factor, such as the units in a bundle. Exact for whole factors; otherwise every amount that is not the sum of finer buckets is rounded to a millionth. Implements *.';

CREATE OPERATOR replenish.* (
	LEFTARG = replenish.demand, RIGHTARG = float8,
	FUNCTION = replenish.demand_times
);
COMMENT ON OPERATOR replenish.* (replenish.demand, float8) IS
'multiply demand';

CREATE FUNCTION replenish.demand_add(demand replenish.demand, qty float8,
	at timestamptz)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_add'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.demand_add(replenish.demand, float8, timestamptz) IS
'The summary with one event more: qty units (to the nearest millionth, at most 1e12 in size; negative for a return) at a moment of the years 1970 to 2999. A newer moment moves the window.';

CREATE FUNCTION replenish.demand_at(demand replenish.demand,
	as_of timestamptz)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_at'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_at(replenish.demand, timestamptz) IS
'The summary with its window moved forward to end at the minute of as_of; unchanged if it ends later.';

-- Aggregates.  Their state is the type itself, so that partial states travel
-- between parallel workers and between servers.

CREATE FUNCTION replenish.demand_accum(replenish.demand, qty float8,
	at timestamptz)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_accum'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.demand_accum(replenish.demand, float8, timestamptz) IS
'Transition function of demand_agg; an error outside of an aggregate.';

CREATE FUNCTION replenish.demand_combine(replenish.demand, replenish.demand)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_combine'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.demand_combine(replenish.demand, replenish.demand) IS
'Transition function of demand_merge and combine function of the demand aggregates; an error outside of an aggregate.';

CREATE FUNCTION replenish.demand_final(replenish.demand)
RETURNS replenish.demand
AS 'MODULE_PATHNAME', 'replenish_demand_final'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_final(replenish.demand) IS
'Final function of the demand aggregates: the packed form of their state.';

CREATE AGGREGATE replenish.demand_agg(qty float8, at timestamptz) (
	SFUNC = replenish.demand_accum,
	STYPE = replenish.demand,
	SSPACE = 512,
	FINALFUNC = replenish.demand_final,
	COMBINEFUNC = replenish.demand_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE replenish.demand_agg(float8, timestamptz) IS
'Summary of all rows: qty units (to the nearest millionth, at most 1e12 in size; negative for a return) at a moment of the years 1970 to 2999. Rows with a NULL are left out; NULL without rows. The window ends at the newest row; the order of the rows does not matter.';

CREATE AGGREGATE replenish.demand_merge(demand replenish.demand) (
	SFUNC = replenish.demand_combine,
	STYPE = replenish.demand,
	SSPACE = 2048,
	FINALFUNC = replenish.demand_final,
	COMBINEFUNC = replenish.demand_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE replenish.demand_merge(replenish.demand) IS
'Sum of all summaries; NULLs are left out; NULL without rows.';

CREATE FUNCTION replenish.velocity_accum(float8, qty float8, at timestamptz,
	as_of timestamptz, half_life interval)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_velocity_accum'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.velocity_accum(float8, float8, timestamptz,
	timestamptz, interval) IS
'Transition function of the aggregate demand_velocity.';

CREATE AGGREGATE replenish.demand_velocity(qty float8, at timestamptz,
	as_of timestamptz, half_life interval) (
	SFUNC = replenish.velocity_accum,
	STYPE = float8,
	COMBINEFUNC = float8pl,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE replenish.demand_velocity(float8, timestamptz,
	timestamptz, interval) IS
'Exponentially weighted units per hour: the sum of qty * 2^(-(as_of - at) / half_life) * ln 2 / half_life. Rows at or after as_of count as zero, rows with a NULL not at all; NULL without rows. half_life must be positive and without months.';

-- Reading

CREATE FUNCTION replenish.demand_buckets(demand replenish.demand,
	OUT resolution interval, OUT bucket timestamptz, OUT units float8)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'replenish_demand_buckets'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION replenish.demand_buckets(replenish.demand) IS
'Every bucket that is not empty, at every resolution (1 minute, 1 hour, 1 day, 7 days), by resolution and then oldest first: where it begins and its units. Each unit shows at every resolution that reaches it.';

CREATE FUNCTION replenish.demand_velocity(demand replenish.demand,
	as_of timestamptz, over interval)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_demand_velocity_over'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.demand_velocity(replenish.demand, timestamptz, interval) IS
'Plain units per hour in [as_of - over, as_of). Every part of the window is read at the finest resolution kept there: minutes for the newest hour, hours for 8 days, days for 92 days, weeks before; a bucket that is only partly inside counts in proportion, but the newest minute counts whole. NULL if the window starts before the oldest week kept. over must be positive and without months.';

CREATE FUNCTION replenish.demand_same_period(demand replenish.demand,
	as_of timestamptz, over interval, ago interval)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_demand_same_period'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_same_period(replenish.demand,
	timestamptz, interval, interval) IS
'Units in [as_of - ago - over, as_of - ago), read as demand_velocity does: to the hour a week ago, to the week (in proportion) a year ago. NULL if the window starts before the oldest week kept. over must be positive, ago not negative, both without months.';

-- Looking ahead

CREATE FUNCTION replenish.demand_velocity(demand replenish.demand,
	as_of timestamptz)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_demand_velocity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION replenish.demand_velocity(replenish.demand, timestamptz) IS
'The model''s units per hour at as_of: level times weekday and hour factor; while a burst lasts (the last hour''s minutes are far above that, on at least five of them), its speed. Zero without demand, never NULL.';

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
'Units not exceeded in [as_of, as_of + horizon) with probability p (0 < p < 1): half the quantile of a negative binomial (Poisson where the variance is not above the mean), half that of a normal distribution cut at 0, both with the forecast''s mean and sd. Rises with p; for p of .5 and more it is not below that of fewer whole days.';

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
'When the expected demand after as_of has eaten on_hand units: the forecast''s mean, along weekdays and hours, plus what is left of a burst, whose excess halves every 60 minutes. as_of when nothing is on hand; NULL beyond 366 days.';

CREATE FUNCTION replenish.stockout_eta(on_hand float8,
	demand replenish.demand, as_of timestamptz, p float8)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'replenish_stockout_eta_probable'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION replenish.stockout_eta(float8, replenish.demand,
	timestamptz, float8) IS
'By when the shelf of on_hand units is empty with probability p (0 < p < 1): the first moment at which demand_quantile at 1 - p, plus the expected rest of a burst, reaches on_hand. Small p gives the early, cautious moment. as_of when nothing is on hand; NULL beyond 366 days.';

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
'Dynamic reorder point: the quantile at service_level (0 < p < 1) of a negative binomial with the mean of the demand over lead_time + review_period (the mean lead time; together at most 366 days of 24 hours, no months) and its variance plus (mean per day)^2 * lead_time_sd^2. safety_stock = threshold - mean; sd is the root of that variance.';

CREATE FUNCTION replenish.safety_stock(service_level float8,
	demand_mean float8, demand_sd float8,
	lead_time_mean float8, lead_time_sd float8,
	distribution text DEFAULT 'normal')
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_safety_stock'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.safety_stock(float8, float8, float8, float8,
	float8, text) IS
'Textbook safety stock: reorder_point less the mean demand over the lead time. For normal that is z(service_level) * sqrt(lead_time_mean * demand_sd^2 + demand_mean^2 * lead_time_sd^2). Demand per period, lead time in the same periods; distribution: normal, gamma or negative_binomial.';

CREATE FUNCTION replenish.reorder_point(service_level float8,
	demand_mean float8, demand_sd float8,
	lead_time_mean float8, lead_time_sd float8,
	distribution text DEFAULT 'normal')
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_reorder_point'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.reorder_point(float8, float8, float8, float8,
	float8, text) IS
'Textbook reorder point: the quantile at service_level (0 < p < 1) of the demand over the lead time, with mean demand_mean * lead_time_mean and variance lead_time_mean * demand_sd^2 + demand_mean^2 * lead_time_sd^2. Demand per period, lead time in the same periods; distribution: normal, gamma, or negative_binomial (whole units; Poisson where the variance is not above the mean).';

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
---------------------------------------------------------------------------
-- State: what was sensed, what was summed, what was decided.
--
-- Only the decider writes here (and, into the inbox, whoever orders).  Keys are
-- text in the "C" collation: compared by their bytes, on every server alike.
---------------------------------------------------------------------------

-- One row per watched table.  A row stays when its table is unwatched, so that
-- what it contributed keeps its owner; its number is never given again.
CREATE TABLE replenish.source (
	id integer PRIMARY KEY CHECK (id > 0),
	kind text NOT NULL CHECK (kind IN ('orders', 'stock')),
	name text NOT NULL,
	active boolean NOT NULL,
	sku name NOT NULL,
	location name,
	channel name,
	status name,
	counted text[],
	qty name,
	at name,
	price name,
	on_hand name,
	reserved name,
	on_order name,
	keep interval,
	zone text NOT NULL,
	zones text[] NOT NULL,
	watched_at timestamptz NOT NULL,
	backfilled_at timestamptz,
	counted_once boolean NOT NULL
);
SELECT pg_catalog.pg_extension_config_dump('replenish.source', '');

COMMENT ON TABLE replenish.source IS
'Tables that are or were watched, one row each; see the view watched. zone is the time zone of moments without one, zones the locations that have another, both as they were when the table was watched. counted_once: all its rows were counted at some time, so that those older than keep may have gone since.';

-- Append only, no index, in turn by the minute: see src/inbox.c.
CREATE TABLE replenish.inbox_even (
	amount bigint NOT NULL,
	minute integer NOT NULL,
	source integer NOT NULL,
	kind "char" NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	summary replenish.demand
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
SELECT pg_catalog.pg_extension_config_dump('replenish.inbox_even', '');

CREATE TABLE replenish.inbox_odd (LIKE replenish.inbox_even)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
SELECT pg_catalog.pg_extension_config_dump('replenish.inbox_odd', '');

COMMENT ON TABLE replenish.inbox_even IS
'Half of the inbox: orders are appended here in even minutes. See the view inbox.';
COMMENT ON TABLE replenish.inbox_odd IS
'Half of the inbox: orders are appended here in odd minutes. See the view inbox.';

CREATE VIEW replenish.inbox AS
	SELECT * FROM replenish.inbox_even
	UNION ALL
	SELECT * FROM replenish.inbox_odd;

COMMENT ON VIEW replenish.inbox IS
'Movements that no decider has taken yet, in micro-units and minutes since 1970 UTC; empty when all is decided. kind: d demand, x demand deleted, s a whole summary, h on hand, r reserved, o on order, f rows that cannot be counted, t look at the item again.';

-- Demand that is dated later than the decider's clock, until its minute comes.
CREATE TABLE replenish.postponed (
	source integer NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	minute integer NOT NULL,
	amount bigint NOT NULL,
	PRIMARY KEY (source, sku, location, channel, minute)
);
CREATE INDEX postponed_minute_idx ON replenish.postponed (minute);
SELECT pg_catalog.pg_extension_config_dump('replenish.postponed', '');

COMMENT ON TABLE replenish.postponed IS
'Demand dated after the decider''s clock, in micro-units and minutes since 1970 UTC; it is counted when its minute has come. health() shows what is more than a day ahead.';

CREATE TABLE replenish.item_demand (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	demand replenish.demand NOT NULL,
	PRIMARY KEY (sku, location, channel, source)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.item_demand', '');

COMMENT ON TABLE replenish.item_demand IS
'The demand summary of each item and channel, by the source that it came from (0 is record_demand()).';

CREATE TABLE replenish.item_stock (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	on_hand numeric NOT NULL,
	reserved numeric NOT NULL,
	on_order numeric NOT NULL,
	PRIMARY KEY (sku, location, source)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.item_stock', '');

COMMENT ON TABLE replenish.item_stock IS
'Units on hand, reserved and on order of each item, by the source that they came from.';

CREATE TABLE replenish.fault (
	source integer NOT NULL,
	code text NOT NULL,
	rows bigint NOT NULL,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	PRIMARY KEY (source, code)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.fault', '');

COMMENT ON TABLE replenish.fault IS
'Rows of watched tables that cannot be counted now, by source and reason; see health().';

-- What was decided, one row per item.
CREATE TABLE replenish.item (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	since timestamptz NOT NULL,
	on_hand numeric NOT NULL,
	reserved numeric NOT NULL,
	on_order numeric NOT NULL,
	velocity float8 NOT NULL,
	sold_24h float8 NOT NULL,
	same_period float8,
	forecast float8 NOT NULL,
	forecast_sd float8 NOT NULL,
	lead_time interval NOT NULL,
	threshold float8 NOT NULL,
	safety_stock float8 NOT NULL,
	target float8 NOT NULL,
	tier replenish.tier NOT NULL,
	position_tier replenish.tier NOT NULL,
	reason text NOT NULL,
	epoch integer NOT NULL,
	stockout_eta timestamptz,
	order_by timestamptz,
	reorder_qty float8 NOT NULL,
	assumed text[] NOT NULL,
	decided_at timestamptz NOT NULL,
	next_check timestamptz,
	PRIMARY KEY (sku, location)
) WITH (fillfactor = 80);
CREATE INDEX item_next_check_idx ON replenish.item (next_check);
CREATE INDEX item_alarm_idx ON replenish.item (tier, sku, location)
	WHERE tier <> 'normal';
SELECT pg_catalog.pg_extension_config_dump('replenish.item', '');

COMMENT ON TABLE replenish.item IS
'The last decision on each item; read it through the view status. next_check is when time alone could change it.';

-- What stands in for the threshold of an item that is new, at each location.
CREATE TABLE replenish.typical (
	location text COLLATE "C" PRIMARY KEY,
	threshold float8,
	computed_at timestamptz NOT NULL
);
SELECT pg_catalog.pg_extension_config_dump('replenish.typical', '');

COMMENT ON TABLE replenish.typical IS
'The median threshold in units of a location''s items that have demand, at most a day old when a new item needs it; NULL where there are none.';

CREATE TABLE replenish.event (
	seq bigint PRIMARY KEY,
	id uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
	xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
	type text NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	epoch integer NOT NULL,
	from_tier replenish.tier NOT NULL,
	to_tier replenish.tier NOT NULL,
	reason text NOT NULL,
	occurred_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	facts jsonb NOT NULL
);
CREATE INDEX event_item_idx ON replenish.event (sku, location, seq);
SELECT pg_catalog.pg_extension_config_dump('replenish.event', '');

COMMENT ON TABLE replenish.event IS
'Every change of tier, append only. seq has no gaps and its order is the order in which rows become visible, so a reader that remembers the last seq misses nothing. occurred_at is the decider''s clock, facts the numbers it decided on.';

-- The decider's own row: its clock, which never goes back, and its numbering.
CREATE TABLE replenish.decider (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	clock timestamptz NOT NULL,
	started_at timestamptz NOT NULL,
	last_seq bigint NOT NULL,
	decided_at timestamptz NOT NULL
) WITH (fillfactor = 50);
SELECT pg_catalog.pg_extension_config_dump('replenish.decider', '');

COMMENT ON TABLE replenish.decider IS
'The decider''s clock (the latest as_of that it decided anything for) and the first one, the number of its last event, and when it last decided.';
---------------------------------------------------------------------------
-- Settings: tables that a shop edits with plain SQL.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.is_time_zone(name text) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT EXISTS (SELECT FROM pg_catalog.pg_timezone_names z
			WHERE z.name = is_time_zone.name);
	END;
COMMENT ON FUNCTION replenish.is_time_zone(text) IS
'Whether a name is in pg_timezone_names. PostgreSQL itself also accepts POSIX strings such as FOO+3, with the sign reversed, which nobody means.';

CREATE TABLE replenish.location (
	location text COLLATE "C" PRIMARY KEY
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	time_zone text NOT NULL CHECK (replenish.is_time_zone(time_zone))
);
SELECT pg_catalog.pg_extension_config_dump('replenish.location', '');

COMMENT ON TABLE replenish.location IS
'Warehouses. time_zone gives moments without a zone their meaning, as it is when the table that holds them is watched. The location of rows that name none is ''default''.';

CREATE FUNCTION replenish.is_span(span interval) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.date_part('year', span) = 0
			AND pg_catalog.date_part('month', span) = 0
			AND span >= interval '0';
	END;
COMMENT ON FUNCTION replenish.is_span(interval) IS
'Whether an interval is a length of time: not negative, and without months, which have no fixed length.';

CREATE TABLE replenish.policy (
	sku text COLLATE "C"
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	location text COLLATE "C"
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	service_level float8 CHECK (service_level > 0 AND service_level < 1),
	lead_time interval CHECK (replenish.is_span(lead_time)
		AND lead_time <= interval '366 days'),
	lead_time_sd interval CHECK (replenish.is_span(lead_time_sd)
		AND lead_time_sd <= interval '366 days'),
	review_period interval CHECK (replenish.is_span(review_period)
		AND review_period <= interval '366 days'),
	order_cycle interval CHECK (replenish.is_span(order_cycle)
		AND order_cycle <= interval '366 days'),
	buffer float8 CHECK (buffer >= 0 AND buffer <= 10),
	exit_margin float8 CHECK (exit_margin >= 0 AND exit_margin <= 1),
	moq float8 CHECK (moq >= 0 AND moq <= 1e12),
	multiple float8 CHECK (multiple >= 0 AND multiple <= 1e12),
	maximum float8 CHECK (maximum > 0 AND maximum < 'NaN'),
	fixed_threshold float8 CHECK (fixed_threshold >= 0
		AND fixed_threshold <= 1e12),
	UNIQUE NULLS NOT DISTINCT (sku, location),
	CHECK (maximum >= moq),
	CHECK (lead_time + review_period <= interval '366 days')
);
SELECT pg_catalog.pg_extension_config_dump('replenish.policy', '');

COMMENT ON TABLE replenish.policy IS
'The parameters of decisions. A row is for one item, or with location NULL for a SKU everywhere, or with sku NULL for a location, or with both NULL for all; each field is taken from the most specific row where it is not NULL, and what is in none is the built-in default.';
COMMENT ON COLUMN replenish.policy.service_level IS
'Probability of not selling out while a replenishment is on its way; default 0.95.';
COMMENT ON COLUMN replenish.policy.lead_time IS
'Mean time from ordering a replenishment to having it on the shelf; default 30 days.';
COMMENT ON COLUMN replenish.policy.lead_time_sd IS
'Standard deviation of the lead time; default 8 days.';
COMMENT ON COLUMN replenish.policy.review_period IS
'Time between two looks at whether to order; default 7 days.';
COMMENT ON COLUMN replenish.policy.order_cycle IS
'Time that one order is to last beyond the threshold; default 30 days.';
COMMENT ON COLUMN replenish.policy.buffer IS
'Share added to what is ordered, against delays; default 0.25.';
COMMENT ON COLUMN replenish.policy.exit_margin IS
'Share by which a line must be passed before the tier gets better; default 0.1.';
COMMENT ON COLUMN replenish.policy.moq IS
'Smallest quantity that can be ordered, in units; default 0.';
COMMENT ON COLUMN replenish.policy.multiple IS
'Pack size: orders are multiples of it, in units; default 1, whole units; 0 is any quantity.';
COMMENT ON COLUMN replenish.policy.maximum IS
'Largest quantity of one order, in units; default none.';
COMMENT ON COLUMN replenish.policy.fixed_threshold IS
'A threshold in units that replaces the computed one; default none.';

-- A change of policy is felt at the next tick by the items that it concerns.
CREATE FUNCTION replenish.policy_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch(OLD.sku, OLD.location);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch(NEW.sku, NEW.location);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.policy_changed() IS
'Trigger on policy: has the items that a changed row concerns decided again.';

CREATE FUNCTION replenish.touch(sku text, location text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	SELECT 0, 0, 0, 't', i.sku, i.location, ''
	FROM item i
	WHERE (touch.sku IS NULL OR i.sku = touch.sku)
		AND (touch.location IS NULL OR i.location = touch.location);
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch(text, text) IS
'Has items decided again at the next tick: one item, with location NULL a SKU everywhere, with sku NULL a location, with both NULL all.';

CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.policy FOR EACH ROW
	EXECUTE FUNCTION replenish.policy_changed();
CREATE TRIGGER policy_truncated AFTER TRUNCATE
	ON replenish.policy FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.policy_changed();

COMMENT ON TRIGGER policy_changed ON replenish.policy IS
'Has the items that a changed row concerns decided again.';
COMMENT ON TRIGGER policy_truncated ON replenish.policy IS
'Has all items decided again.';
---------------------------------------------------------------------------
-- Assessing: the parameters of one item, and everything that follows from
-- them and its state.
---------------------------------------------------------------------------

-- Where nobody has said anything else.
CREATE FUNCTION replenish.resolve_policy(sku text, location text)
	RETURNS TABLE (service_level float8, lead_time interval,
		lead_time_sd interval, review_period interval, order_cycle interval,
		buffer float8, exit_margin float8, moq float8, multiple float8,
		maximum float8, fixed_threshold float8, assumed text[])
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(i.service_level, s.service_level, l.service_level,
				d.service_level, 0.95),
			coalesce(i.lead_time, s.lead_time, l.lead_time, d.lead_time,
				interval '30 days'),
			coalesce(i.lead_time_sd, s.lead_time_sd, l.lead_time_sd,
				d.lead_time_sd, interval '8 days'),
			coalesce(i.review_period, s.review_period, l.review_period,
				d.review_period, interval '7 days'),
			coalesce(i.order_cycle, s.order_cycle, l.order_cycle,
				d.order_cycle, interval '30 days'),
			coalesce(i.buffer, s.buffer, l.buffer, d.buffer, 0.25),
			coalesce(i.exit_margin, s.exit_margin, l.exit_margin,
				d.exit_margin, 0.1),
			coalesce(i.moq, s.moq, l.moq, d.moq, 0),
			coalesce(i.multiple, s.multiple, l.multiple, d.multiple, 1),
			coalesce(i.maximum, s.maximum, l.maximum, d.maximum, 'Infinity'),
			coalesce(i.fixed_threshold, s.fixed_threshold, l.fixed_threshold,
				d.fixed_threshold),
			pg_catalog.array_remove(ARRAY[
				CASE WHEN coalesce(i.service_level, s.service_level,
					l.service_level, d.service_level) IS NULL
					THEN 'service_level' END,
				CASE WHEN coalesce(i.lead_time, s.lead_time, l.lead_time,
					d.lead_time) IS NULL THEN 'lead_time' END,
				CASE WHEN coalesce(i.lead_time_sd, s.lead_time_sd,
					l.lead_time_sd, d.lead_time_sd) IS NULL
					THEN 'lead_time_sd' END,
				CASE WHEN coalesce(i.review_period, s.review_period,
					l.review_period, d.review_period) IS NULL
					THEN 'review_period' END,
				CASE WHEN coalesce(i.order_cycle, s.order_cycle, l.order_cycle,
					d.order_cycle) IS NULL THEN 'order_cycle' END,
				CASE WHEN coalesce(i.buffer, s.buffer, l.buffer, d.buffer)
					IS NULL THEN 'buffer' END], NULL)
		FROM (VALUES (1)) one
		LEFT JOIN replenish.policy i
			ON i.sku = resolve_policy.sku AND i.location = resolve_policy.location
		LEFT JOIN replenish.policy s
			ON s.sku = resolve_policy.sku AND s.location IS NULL
		LEFT JOIN replenish.policy l
			ON l.sku IS NULL AND l.location = resolve_policy.location
		LEFT JOIN replenish.policy d
			ON d.sku IS NULL AND d.location IS NULL;
	END;
COMMENT ON FUNCTION replenish.resolve_policy(text, text) IS
'The parameters in force for an item, each from the most specific row of policy, else the default; assumed names those that are in no row.';

-- The whole calculation for one item, from its state; see explain().  The
-- planner puts it in line, so each pass pays for it once.
CREATE FUNCTION replenish.assess(as_of timestamptz, sku text, location text,
	demand replenish.demand, stock_known boolean, on_hand numeric,
	reserved numeric, on_order numeric, previous replenish.tier,
	typical_threshold float8)
	RETURNS TABLE (service_level float8, lead_time interval,
		lead_time_sd interval, review_period interval, order_cycle interval,
		buffer float8, exit_margin float8, moq float8, multiple float8,
		maximum float8, fixed_threshold float8, available float8, stock_position float8,
		velocity float8, sold_24h float8, same_period float8, forecast float8,
		forecast_sd float8, threshold float8, safety_stock float8,
		cycle_demand float8, target float8, position_tier replenish.tier,
		tier replenish.tier, reason text, stockout_eta timestamptz,
		order_by timestamptz, reorder_qty float8, assumed text[],
		next_check timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT p.service_level, p.lead_time, p.lead_time_sd, p.review_period,
			p.order_cycle, p.buffer, p.exit_margin, p.moq, p.multiple,
			limits.maximum, p.fixed_threshold, stock.available,
			stock.stock_position,
			velocity, sold_24h, same_period, f.mean, f.sd,
			line.threshold, line.threshold - f.mean, cycle.mean, line.target,
			position_tier,
			CASE WHEN NOT stock_known THEN 'normal'
				WHEN shelf.empty THEN 'red'
				ELSE position_tier END,
			CASE WHEN NOT stock_known THEN 'no_stock_record'
				WHEN shelf.empty AND position_tier <> 'red' THEN 'shelf'
				WHEN position_tier <> 'normal' THEN 'position'
				WHEN line.threshold = 0 THEN 'no_demand'
				ELSE 'covered' END,
			eta, order_by,
			CASE WHEN stock_known THEN reorder_qty ELSE 0 END,
			p.assumed
				|| CASE WHEN stock_known THEN '{}' ELSE '{on_hand}' END::text[]
				|| CASE WHEN p.fixed_threshold IS NULL AND line.is_typical
					THEN '{threshold}' ELSE '{}' END::text[],
			-- the nearer the end of the shelf, the sooner again; at the latest
			-- when the day is complete
			CASE WHEN f.mean > 0 OR velocity <> 0 OR line.is_typical THEN
				least(as_of + CASE WHEN stock.available > 0
						THEN least(greatest(coalesce((eta - as_of) / 20,
							interval '1 day'), interval '1 minute'),
							interval '1 day')
						ELSE interval '1 day' END,
					pg_catalog.date_trunc('day', as_of, 'UTC')
						+ interval '1 day' + interval '1 second'
						* (pg_catalog.hashtext(assess.sku) & 1023))
			END
		FROM replenish.resolve_policy(assess.sku, assess.location) p
		-- fields from different rows of policy may contradict each other
		CROSS JOIN LATERAL (SELECT greatest(p.maximum, p.moq) AS maximum,
			least(p.review_period, interval '366 days' - p.lead_time)
				AS review_period) limits
		CROSS JOIN LATERAL (SELECT (on_hand - reserved)::float8 AS available,
			(on_hand - reserved + on_order)::float8 AS stock_position) stock
		CROSS JOIN LATERAL replenish.demand_threshold(demand, as_of,
			p.lead_time, p.lead_time_sd, limits.review_period,
			p.service_level) f
		CROSS JOIN LATERAL replenish.demand_forecast(demand, as_of,
			p.order_cycle) cycle
		CROSS JOIN LATERAL replenish.demand_velocity(demand, as_of) velocity
		CROSS JOIN LATERAL replenish.demand_velocity(demand, as_of,
			interval '24 hours') rate_24h
		CROSS JOIN LATERAL (SELECT rate_24h * 24 AS sold_24h) day
		CROSS JOIN LATERAL replenish.demand_same_period(demand, as_of,
			interval '24 hours', interval '7 days') same_period
		CROSS JOIN LATERAL (SELECT
			p.fixed_threshold IS NULL AND typical_threshold IS NOT NULL
				AS is_typical,
			coalesce(p.fixed_threshold, typical_threshold, f.threshold)
				AS threshold) base
		CROSS JOIN LATERAL (SELECT base.is_typical, base.threshold,
			greatest(base.threshold + cycle.mean, 1.5 * base.threshold)
				AS target) line
		CROSS JOIN LATERAL replenish.alert_level(stock.stock_position,
			line.threshold,
			CASE WHEN stock.stock_position >= line.target THEN 'normal'
				ELSE previous END,
			p.exit_margin) position_tier
		CROSS JOIN LATERAL (SELECT stock.available <= 0 AND line.threshold > 0
			AND velocity > 0 AS empty) shelf
		CROSS JOIN LATERAL replenish.stockout_eta(stock.available, demand,
			as_of) eta
		CROSS JOIN LATERAL replenish.stockout_eta(
			greatest(stock.stock_position - line.threshold, 0), demand,
			as_of) order_by
		CROSS JOIN LATERAL replenish.reorder_qty(stock.stock_position,
			line.threshold, line.target, p.buffer, p.moq, p.multiple,
			limits.maximum) reorder_qty;
	END;
COMMENT ON FUNCTION replenish.assess(timestamptz, text, text, replenish.demand, boolean, numeric, numeric, numeric, replenish.tier, float8) IS
'Everything that is decided about one item, from its state: threshold and target, both tiers and their reason, quantity, sell-out and the next moment at which time alone could change them. typical_threshold stands in for the computed threshold of an item without history; NULL for any other.';
---------------------------------------------------------------------------
-- Notifying: what an event says to whoever listens.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.notification(event replenish.event) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.json_build_object(
			'specversion', '1.0',
			'id', event.id,
			'source', '/replenish/' || pg_catalog.current_database(),
			'type', event.type,
			'subject', 'item/' || event.sku || '/location/' || event.location,
			'time', pg_catalog.to_char(event.occurred_at AT TIME ZONE 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
			'sequence', pg_catalog.lpad(event.seq::text, 20, '0'),
			'severitytext', CASE event.to_tier WHEN 'red' THEN 'FATAL'
				WHEN 'orange' THEN 'ERROR' WHEN 'yellow' THEN 'WARN'
				ELSE 'INFO' END,
			'severitynumber', CASE event.to_tier WHEN 'red' THEN 21
				WHEN 'orange' THEN 17 WHEN 'yellow' THEN 13 ELSE 9 END,
			'data', pg_catalog.json_build_object(
				'seq', event.seq, 'sku', event.sku,
				'location', event.location, 'epoch', event.epoch,
				'from', event.from_tier, 'to', event.to_tier,
				'direction', CASE WHEN event.to_tier > event.from_tier
					THEN 'worse' ELSE 'better' END,
				'reason', event.reason,
				'available', event.facts -> 'available',
				'threshold', event.facts -> 'threshold',
				'stockout_at', event.facts -> 'stockout_eta',
				'reorder_qty', event.facts -> 'reorder_qty'))::text;
	END;
COMMENT ON FUNCTION replenish.notification(replenish.event) IS
'The payload of an event''s notification on channel replenish: a CloudEvents 1.0 JSON object. time is the decider''s clock in UTC.';

CREATE FUNCTION replenish.batch_notification(first bigint, last bigint)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.json_build_object(
			'specversion', '1.0',
			'id', pg_catalog.gen_random_uuid(),
			'source', '/replenish/' || pg_catalog.current_database(),
			'type', 'io.replenish.batch.v1',
			'sequence', pg_catalog.lpad(last::text, 20, '0'),
			'data', pg_catalog.json_build_object('first_seq', first,
				'last_seq', last, 'count', last - first + 1, 'worst_tier',
				(SELECT max(e.to_tier) FROM replenish.event e
					WHERE e.seq BETWEEN first AND last)))::text;
	END;
COMMENT ON FUNCTION replenish.batch_notification(bigint, bigint) IS
'The payload of one notification for the events first to last: where they are to be read and the worst tier among them.';

CREATE FUNCTION replenish.announce(first bigint, last bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF last - first < 32 THEN
		-- keys that are long or full of escapes do not fit
		PERFORM pg_notify('replenish', CASE WHEN octet_length(n.payload) < 2000
			THEN n.payload ELSE batch_notification(n.seq, n.seq) END)
		FROM (SELECT e.seq, notification(e) AS payload
			FROM event e WHERE e.seq BETWEEN first AND last) n
		ORDER BY n.seq;
	ELSE
		PERFORM pg_notify('replenish', batch_notification(first, last));
	END IF;
END $$;
COMMENT ON FUNCTION replenish.announce(bigint, bigint) IS
'Notifies channel replenish of the events first to last: one notification each, or a single summary of more than 32. One that would take 2000 bytes or more goes as a summary of itself. For the decider only.';
---------------------------------------------------------------------------
-- Deciding: from the inbox to state, from state to tiers, from tiers to events.
---------------------------------------------------------------------------

CREATE TYPE replenish.item_key AS (
	sku text COLLATE "C",
	location text COLLATE "C"
);
COMMENT ON TYPE replenish.item_key IS 'An item: one SKU at one location.';

CREATE FUNCTION replenish.become_decider() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_become_decider'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.become_decider() IS
'Waits until no other session decides; this one does until its transaction ends. Refused in REPEATABLE READ and SERIALIZABLE transactions and during recovery.';

CREATE FUNCTION replenish.wake() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_wake'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.wake() IS
'Has the worker look at the inbox when this transaction has committed.';

CREATE FUNCTION replenish.inbox_waits() RETURNS boolean
	AS 'MODULE_PATHNAME', 'replenish_inbox_waits'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.inbox_waits() IS
'Whether any movement waits in the inbox.';

CREATE FUNCTION replenish.trim_inbox(now timestamptz) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_trim_inbox'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.trim_inbox(timestamptz) IS
'Gives the pages of the half of the inbox that is not in turn at that moment back to the system, where it has many and nobody can see a row in it any more. It never waits, and no order waits for it. For the decider only.';

CREATE FUNCTION replenish.drain(clock timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_drain'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.drain(timestamptz) IS
'Takes every movement from the inbox, exactly once, summed. kind demand: a summary up to the clock, by source, sku, location and channel; stock: units by source, sku and location; postponed: demand dated after the clock, in micro-units by minute; fault: rows that cannot be counted, their reason in channel and their number in amount; touch: items to look at again. For the decider only.';

CREATE FUNCTION replenish.pending(clock timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_pending'
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 20
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION replenish.pending(timestamptz) IS
'What drain() would take, left where it is. It takes no predicate locks, so that a SERIALIZABLE report never makes an order fail.';

CREATE FUNCTION replenish.absorb(state replenish.demand,
	delta replenish.demand) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_absorb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.absorb(replenish.demand, replenish.demand) IS
'The sum of two summaries, for the decider: where a bucket would overflow it warns and returns the first as it was, so that one poisoned item stops no other.';

-- Adds the inbox to the state and returns the items that it touched.
CREATE FUNCTION replenish.fold_inbox(clock timestamptz)
	RETURNS replenish.item_key[]
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	touched item_key[];
BEGIN
	WITH taken AS MATERIALIZED (
		SELECT * FROM drain(clock)
	), demand_kept AS (
		INSERT INTO item_demand AS d (sku, location, channel, source, demand)
		SELECT t.sku, t.location, t.channel, t.source, t.demand
		FROM taken t WHERE t.kind = 'demand'
		ON CONFLICT ON CONSTRAINT item_demand_pkey DO UPDATE
			SET demand = absorb(d.demand, excluded.demand)
	), stock_kept AS (
		INSERT INTO item_stock AS s (sku, location, source,
			on_hand, reserved, on_order)
		SELECT t.sku, t.location, t.source, t.on_hand, t.reserved, t.on_order
		FROM taken t WHERE t.kind = 'stock'
		ON CONFLICT ON CONSTRAINT item_stock_pkey DO UPDATE
			SET on_hand = trim_scale(s.on_hand + excluded.on_hand),
				reserved = trim_scale(s.reserved + excluded.reserved),
				on_order = trim_scale(s.on_order + excluded.on_order)
	), later_kept AS (
		INSERT INTO postponed AS l (source, sku, location, channel, minute,
			amount)
		SELECT t.source, t.sku, t.location, t.channel, t.minute, t.amount
		FROM taken t WHERE t.kind = 'postponed'
		ON CONFLICT ON CONSTRAINT postponed_pkey DO UPDATE
			-- as absorb(): what no number can hold stops no other item
			SET amount = CASE WHEN l.amount::numeric + excluded.amount
					BETWEEN -9e18 AND 9e18 THEN l.amount + excluded.amount
				ELSE l.amount END
	), faults_kept AS (
		INSERT INTO fault AS f (source, code, rows, first_at, last_at)
		SELECT t.source, t.channel, t.amount, clock, clock
		FROM taken t WHERE t.kind = 'fault'
		ON CONFLICT ON CONSTRAINT fault_pkey DO UPDATE
			SET rows = f.rows + excluded.rows,
				first_at = CASE WHEN f.rows = 0 THEN excluded.first_at
					ELSE f.first_at END,
				last_at = excluded.last_at
	)
	SELECT array_agg(DISTINCT (t.sku, t.location)::item_key)
	FROM taken t
	WHERE t.kind IN ('demand', 'stock', 'touch')
	INTO touched;
	-- wrong dates that were put right
	DELETE FROM postponed WHERE amount = 0;
	RETURN touched;
END $$;
COMMENT ON FUNCTION replenish.fold_inbox(timestamptz) IS
'Adds everything in the inbox to the state and returns the items to decide. For the decider only.';

-- Brings what was dated ahead, and is not any more, back through the door.
CREATE FUNCTION replenish.admit_postponed(clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	WITH due AS (
		DELETE FROM postponed
		WHERE minute <= floor(extract(epoch FROM clock) / 60)
		RETURNING *
	)
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	SELECT amount, minute, source, 'd', sku, location, channel
	FROM due;
END $$;
COMMENT ON FUNCTION replenish.admit_postponed(timestamptz) IS
'Puts demand whose minute has come back into the inbox. For the decider only.';

-- New is what came after the first day, a fortnight ago at most.
CREATE FUNCTION replenish.is_new(since timestamptz, clock timestamptz,
	started_at timestamptz) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(since, clock)
			> greatest(clock - interval '14 days', started_at + interval '1 day');
	END;
COMMENT ON FUNCTION replenish.is_new(timestamptz, timestamptz, timestamptz) IS
'Whether an item that was first seen at since (NULL: now) is new at the clock: at most 14 days old, and not from the day on which the first decision was made.';

CREATE FUNCTION replenish.refresh_typical(keys replenish.item_key[],
	clock timestamptz, started_at timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF NOT is_new(NULL, clock, started_at) THEN
		RETURN;
	END IF;
	INSERT INTO typical AS t (location, threshold, computed_at)
	SELECT n.location, (SELECT percentile_disc(0.5)
			WITHIN GROUP (ORDER BY i.threshold)
		FROM item i
		WHERE i.location = n.location AND i.threshold > 0
			AND NOT 'threshold' = ANY (i.assumed)), clock
	FROM (SELECT DISTINCT k.location FROM unnest(keys) k
		LEFT JOIN item i ON i.sku = k.sku AND i.location = k.location
		WHERE is_new(i.since, clock, started_at)
			AND NOT EXISTS (SELECT FROM item_demand d
				WHERE d.sku = k.sku AND d.location = k.location)
			AND NOT EXISTS (SELECT FROM typical o WHERE o.location = k.location
				AND o.computed_at > clock - interval '1 day')) n
	ON CONFLICT ON CONSTRAINT typical_pkey DO UPDATE
		SET threshold = excluded.threshold, computed_at = excluded.computed_at;
END $$;
COMMENT ON FUNCTION replenish.refresh_typical(replenish.item_key[], timestamptz, timestamptz) IS
'Computes the median threshold of the locations where the given items are new and have no demand, unless it is less than a day old. For the decider only.';

-- Few items of many: never read a whole table, whatever its statistics say.
CREATE FUNCTION replenish.decide(keys replenish.item_key[], clock timestamptz,
	started_at timestamptz, last_seq bigint) RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	-- the same facts whoever decides; and a day is 24 hours
	SET timezone = 'UTC'
	SET intervalstyle = 'postgres'
	SET extra_float_digits = 1
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off AS $$
DECLARE
	events bigint;
BEGIN
	PERFORM refresh_typical(keys, clock, started_at);
	WITH assessed AS MATERIALIZED (
		SELECT k.sku, k.location, a.*, stock.on_hand, stock.reserved,
			stock.on_order, coalesce(i.since, clock) AS since,
			coalesce(i.tier, 'normal') AS old_tier,
			coalesce(i.epoch, 0)
				+ (coalesce(i.tier, 'normal') = 'normal'
					AND a.tier <> 'normal')::integer AS epoch
		FROM unnest(keys) k
		LEFT JOIN item i ON i.sku = k.sku AND i.location = k.location
		CROSS JOIN LATERAL (
			SELECT coalesce(demand_merge(d.demand), '{}') AS demand,
				count(*) = 0 AS none
			FROM item_demand d
			WHERE d.sku = k.sku AND d.location = k.location) history
		CROSS JOIN LATERAL (
			SELECT count(*) > 0 AS known,
				coalesce(sum(s.on_hand), 0) AS on_hand,
				coalesce(sum(s.reserved), 0) AS reserved,
				coalesce(sum(s.on_order), 0) AS on_order
			FROM item_stock s
			JOIN source o ON o.id = s.source AND o.active
			WHERE s.sku = k.sku AND s.location = k.location) stock
		LEFT JOIN typical ON typical.location = k.location AND history.none
			AND stock.known AND is_new(i.since, clock, started_at)
		CROSS JOIN LATERAL assess(clock, k.sku, k.location, history.demand,
			stock.known, stock.on_hand, stock.reserved, stock.on_order,
			coalesce(i.position_tier, 'normal'), typical.threshold) a
	), kept AS (
		INSERT INTO item AS i (sku, location, since, on_hand, reserved,
			on_order, velocity, sold_24h, same_period, forecast, forecast_sd,
			lead_time, threshold, safety_stock, target, tier, position_tier,
			reason, epoch, stockout_eta, order_by, reorder_qty, assumed,
			decided_at, next_check)
		SELECT a.sku, a.location, a.since, a.on_hand, a.reserved,
			a.on_order, a.velocity, coalesce(a.sold_24h, 0), a.same_period,
			a.forecast, a.forecast_sd, a.lead_time, a.threshold,
			a.safety_stock, a.target, a.tier, a.position_tier, a.reason,
			a.epoch, a.stockout_eta, a.order_by, a.reorder_qty, a.assumed,
			clock, a.next_check
		FROM assessed a
		ON CONFLICT ON CONSTRAINT item_pkey DO UPDATE SET
			on_hand = excluded.on_hand,
			reserved = excluded.reserved,
			on_order = excluded.on_order,
			velocity = excluded.velocity,
			sold_24h = excluded.sold_24h,
			same_period = excluded.same_period,
			forecast = excluded.forecast,
			forecast_sd = excluded.forecast_sd,
			lead_time = excluded.lead_time,
			threshold = excluded.threshold,
			safety_stock = excluded.safety_stock,
			target = excluded.target,
			tier = excluded.tier,
			position_tier = excluded.position_tier,
			reason = excluded.reason,
			epoch = excluded.epoch,
			stockout_eta = excluded.stockout_eta,
			order_by = excluded.order_by,
			reorder_qty = excluded.reorder_qty,
			assumed = excluded.assumed,
			decided_at = excluded.decided_at,
			-- an indexed column: leave it alone while it is early enough
			next_check = CASE WHEN i.next_check > clock
				THEN least(i.next_check, excluded.next_check)
				ELSE excluded.next_check END
	), changed AS (
		INSERT INTO event (seq, type, sku, location, epoch, from_tier, to_tier,
			reason, occurred_at, facts)
		SELECT last_seq + row_number() OVER (ORDER BY a.sku, a.location),
			'io.replenish.stock.tier.changed.v1', a.sku, a.location, a.epoch,
			a.old_tier, a.tier, a.reason, clock,
			jsonb_build_object('available', a.available,
				'stock_position', a.stock_position, 'threshold', a.threshold,
				'target', a.target, 'velocity', a.velocity,
				'forecast', a.forecast, 'forecast_sd', a.forecast_sd,
				'stockout_eta', a.stockout_eta, 'reorder_qty', a.reorder_qty,
				'service_level', a.service_level, 'lead_time', a.lead_time,
				'lead_time_sd', a.lead_time_sd,
				'review_period', a.review_period, 'assumed', a.assumed)
		FROM assessed a WHERE a.tier <> a.old_tier
		RETURNING 1
	)
	SELECT count(*) FROM changed INTO events;
	RETURN events;
END $$;
COMMENT ON FUNCTION replenish.decide(replenish.item_key[], timestamptz, timestamptz, bigint) IS
'Decides the given items, each once, at the clock; started_at is when the first decision was made; appends an event for each change of tier, numbered from last_seq + 1, and returns how many. For the decider only.';

CREATE FUNCTION replenish.is_due(as_of timestamptz) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off AS $$
BEGIN
	RETURN inbox_waits()
		OR EXISTS (SELECT FROM item WHERE next_check <= as_of)
		OR EXISTS (SELECT FROM postponed
			WHERE minute <= floor(extract(epoch FROM as_of) / 60));
END $$;
COMMENT ON FUNCTION replenish.is_due(timestamptz) IS
'Whether tick() would find anything to do at that moment.';

CREATE FUNCTION replenish.tick(as_of timestamptz DEFAULT now(),
	OUT decided bigint, OUT events bigint)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	clock timestamptz;
	started_at timestamptz;
	first_seq bigint;
	touched item_key[];
BEGIN
	IF as_of IS NULL OR NOT isfinite(as_of)
		OR as_of < '1970-01-01 00:00:00+00' OR as_of >= '3000-01-01 00:00:00+00' THEN
		RAISE EXCEPTION 'argument "as_of" must be a moment from 1970 to 2999'
			USING ERRCODE = 'datetime_field_overflow';
	END IF;
	PERFORM become_decider();
	SELECT greatest(d.clock, as_of), d.started_at, d.last_seq + 1
	FROM decider d INTO clock, started_at, first_seq;
	clock := coalesce(clock, as_of);
	started_at := coalesce(started_at, clock);
	first_seq := coalesce(first_seq, 1);
	decided := 0;
	events := 0;

	PERFORM trim_inbox(clock_timestamp());
	PERFORM admit_postponed(clock);
	IF inbox_waits() THEN
		touched := fold_inbox(clock);
	END IF;
	LOOP
		-- what was touched first, then what is due, a thousand at a time
		IF touched IS NULL THEN
			SELECT array_agg((d.sku, d.location)::item_key)
			FROM (SELECT i.sku, i.location FROM item i
				WHERE i.next_check <= clock
				ORDER BY i.next_check LIMIT 1000) d
			INTO touched;
			EXIT WHEN touched IS NULL;
		END IF;
		events := events
			+ decide(touched, clock, started_at, first_seq - 1 + events);
		decided := decided + cardinality(touched);
		touched := NULL;
	END LOOP;

	IF decided > 0 THEN
		INSERT INTO decider AS d (clock, started_at, last_seq, decided_at)
		VALUES (clock, started_at, first_seq - 1 + events, clock_timestamp())
		ON CONFLICT (one) DO UPDATE SET clock = excluded.clock,
			last_seq = excluded.last_seq, decided_at = excluded.decided_at;
	END IF;
	IF events > 0 THEN
		PERFORM announce(first_seq, first_seq - 1 + events);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.tick(timestamptz) IS
'Decides: takes what waits in the inbox, decides the items that it touches and those whose time has come, appends an event for each change of tier and notifies channel replenish. as_of is the decider''s clock; one earlier than the last is taken as the last. Waits for another decider; refused in REPEATABLE READ and SERIALIZABLE transactions. Returns how many items were decided and how many events that made.';
---------------------------------------------------------------------------
-- Checking what a person asks to have watched, with clear errors.
---------------------------------------------------------------------------

-- Whether a column exists and can be read in its role, with a clear error.
CREATE FUNCTION replenish.check_column(relation regclass, col name,
	argument text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	att pg_attribute;
	base oid;
	allowed text;
	hint text;
BEGIN
	IF col IS NULL THEN
		RETURN;
	END IF;
	SELECT * FROM pg_attribute a
	WHERE a.attrelid = relation AND a.attname = col AND a.attnum > 0
		AND NOT a.attisdropped INTO att;
	IF NOT FOUND THEN
		SELECT 'Its columns are ' || string_agg(quote_ident(a.attname), ', '
			ORDER BY a.attnum) || '.'
		FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0
			AND NOT a.attisdropped INTO hint;
		RAISE EXCEPTION 'column "%" of table % does not exist', col, relation
			USING ERRCODE = 'undefined_column',
				DETAIL = format('It was given as argument "%s".', argument),
				HINT = hint;
	END IF;
	-- a virtual generated column has no value in a trigger
	IF att.attgenerated = 'v' THEN
		RAISE EXCEPTION 'column "%" of table % is a virtual generated column', col, relation
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Use a stored column.';
	END IF;
	WITH RECURSIVE types AS (
		SELECT t.oid, t.typbasetype, t.typtype FROM pg_type t
		WHERE t.oid = att.atttypid
		UNION ALL
		SELECT t.oid, t.typbasetype, t.typtype
		FROM types d JOIN pg_type t ON t.oid = d.typbasetype
		WHERE d.typtype = 'd'
	)
	SELECT t.oid FROM types t WHERE t.typtype <> 'd' INTO base;
	allowed := CASE
		WHEN argument IN ('qty', 'on_hand', 'reserved', 'on_order', 'price')
			THEN 'smallint, integer, bigint, numeric, real, double precision'
		WHEN argument = 'at'
			THEN 'timestamp with time zone, timestamp without time zone, date'
		ELSE 'text, character varying, character, name, smallint, integer, bigint, uuid, boolean'
	END;
	IF format_type(base, NULL) <> ALL (string_to_array(allowed, ', '))
		AND NOT (argument IN ('sku', 'location', 'channel', 'status')
			AND EXISTS (SELECT FROM pg_type t
				WHERE t.oid = base AND t.typtype = 'e')) THEN
		RAISE EXCEPTION 'column "%" of table % has type %', col, relation,
			format_type(att.atttypid, att.atttypmod)
			USING ERRCODE = 'datatype_mismatch',
				DETAIL = format('Argument "%s" takes a column of type %s%s.',
					argument, allowed, CASE WHEN argument IN ('sku',
					'location', 'channel', 'status') THEN ', or an enum'
					ELSE '' END);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_column(regclass, name, text) IS
'Raises an error that names the column unless it exists and its type can be read as the given argument of watch_orders() or watch_stock().';

-- Faults count rows, and an UPDATE leaves as many as there were: a column that
-- has gone must be seen without them.
CREATE FUNCTION replenish.column_trouble(relation regclass, id integer)
	RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT v.argument, v.col FROM source s CROSS JOIN LATERAL (VALUES
			('sku', s.sku), ('qty', s.qty), ('at', s.at),
			('location', s.location), ('channel', s.channel),
			('status', s.status), ('on_hand', s.on_hand),
			('reserved', s.reserved), ('on_order', s.on_order)) v (argument, col)
		WHERE s.id = column_trouble.id AND v.col IS NOT NULL
	LOOP
		PERFORM check_column(relation, c.col, c.argument);
	END LOOP;
	RETURN NULL;
EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
	RETURN SQLERRM;
END $$;
COMMENT ON FUNCTION replenish.column_trouble(regclass, integer) IS
'What is wrong with the first column of a watched table that can no longer be read; NULL where all can. For health().';

-- Whether the caller may have a table watched, with a clear error.
CREATE FUNCTION replenish.check_relation(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class pg_class;
	kind text;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION 'argument "source" must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * FROM pg_class c WHERE c.oid = relation INTO class;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table with OID % does not exist', relation::oid
			USING ERRCODE = 'undefined_table';
	END IF;
	kind := CASE class.relkind WHEN 'v' THEN 'a view'
		WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
		WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index'
		WHEN 'I' THEN 'an index' WHEN 'c' THEN 'a composite type'
		WHEN 't' THEN 'a TOAST table' END;
	IF kind IS NOT NULL THEN
		RAISE EXCEPTION 'cannot watch % because it is %', relation, kind
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Watch the table that the orders are written to.';
	END IF;
	IF class.relpersistence = 't' THEN
		RAISE EXCEPTION 'cannot watch temporary table %', relation
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Use replenish.record_demand() for what is kept in no permanent table.';
	END IF;
	IF class.relpersistence = 'u' THEN
		RAISE EXCEPTION 'cannot watch unlogged table %', relation
			USING ERRCODE = 'wrong_object_type',
				DETAIL = 'A crash would empty it and leave what was counted.';
	END IF;
	IF class.relnamespace IN ('pg_catalog'::regnamespace,
		(SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'replenish')) THEN
		RAISE EXCEPTION 'cannot watch system table %', relation
			USING ERRCODE = 'wrong_object_type';
	END IF;
	IF NOT pg_has_role(class.relowner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', relation
			USING ERRCODE = 'insufficient_privilege';
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_relation(regclass) IS
'Raises an error that names the table unless it is a permanent table of the calling role that can be watched.';

-- Whether statement triggers on a table see what happens to its rows.
CREATE FUNCTION replenish.check_tree(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other regclass;
BEGIN
	SELECT i.inhparent::regclass FROM pg_inherits i
	JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhrelid = relation AND c.relispartition INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch partition %', relation
			USING ERRCODE = 'wrong_object_type',
				DETAIL = format('What is written to %s does not fire the triggers of its partitions.', other),
				HINT = format('Watch table %s, and write to it.', other);
	END IF;
	SELECT coalesce(nullif(i.inhparent, relation), i.inhrelid)::regclass
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
	WHERE relation IN (i.inhparent, i.inhrelid) AND c.relkind <> 'p'
	ORDER BY 1 LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because of its inheritance', relation
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('What is written to one of %s and %s shows in both, but fires the triggers of only one.', relation, other),
				HINT = 'Use a partitioned table.';
	END IF;
	SELECT t.relid FROM pg_partition_tree(relation) t
	JOIN pg_class c ON c.oid = t.relid
	WHERE c.relkind = 'f' ORDER BY t.relid LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because its partition % is a foreign table', relation, other
			USING ERRCODE = 'feature_not_supported',
				DETAIL = 'Rows that were routed to it would be refused.',
				HINT = 'Detach the partition first.';
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_tree(regclass) IS
'Raises an error that names the table if it is a partition, has parents or children by inheritance, or has foreign tables among its partitions.';
---------------------------------------------------------------------------
-- Watching: triggers on the shop's tables.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.capture() RETURNS trigger
	AS 'MODULE_PATHNAME', 'replenish_capture'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.capture() IS
'The trigger function on watched tables. It appends what moved to the inbox as the invoking user, who needs no rights on anything of this extension. What a watch knows is in its arguments; see replenish.trigger_arguments().';

CREATE FUNCTION replenish.record_demand(sku text, qty float8,
	at timestamptz DEFAULT now(), location text DEFAULT NULL,
	channel text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_record_demand'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.record_demand(text, float8, timestamptz, text, text) IS
'Records qty units of demand for a SKU at a moment, for programs that keep no table of orders; a negative quantity takes demand back. Without location or channel, both are ''default''. Blank or overlong keys, NULL or infinite values are errors.';

-- What the triggers of a source carry, as one argument; recount() reads a table
-- by the same.
CREATE FUNCTION replenish.trigger_arguments(s replenish.source) RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT ARRAY[s.id::text, s.kind, s.sku::text,
			coalesce(s.location::text, ''), coalesce(s.channel::text, ''),
			coalesce(s.status::text, ''), coalesce(s.qty::text, ''),
			coalesce(s.at::text, ''), coalesce(s.on_hand::text, ''),
			coalesce(s.reserved::text, ''), coalesce(s.on_order::text, ''),
			s.zone, pg_catalog.cardinality(coalesce(s.counted, '{}'))::text]
			|| coalesce(s.counted, '{}') || s.zones;
	END;
COMMENT ON FUNCTION replenish.trigger_arguments(replenish.source) IS
'What a source''s triggers carry, there as one argument with commas between: id, kind, columns (empty where there is none), zone, number of counted statuses, those statuses, then pairs of location and zone.';

CREATE FUNCTION replenish.source_of(relation regclass) RETURNS integer
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT n.id::integer
		FROM pg_catalog.pg_trigger t
		CROSS JOIN LATERAL (SELECT pg_catalog.split_part(
			pg_catalog.encode(t.tgargs, 'escape'), ',', 1) AS id) n
		-- whoever may execute capture() can give it any argument
		WHERE t.tgrelid = source_of.relation
			AND t.tgfoid = 'replenish.capture'::pg_catalog.regproc
			AND NOT t.tgisinternal AND n.id ~ '^[1-9][0-9]{0,8}$'
		LIMIT 1;
	END;
COMMENT ON FUNCTION replenish.source_of(regclass) IS
'The number of the source that a table''s triggers feed; NULL for a table that is not watched.';

CREATE FUNCTION replenish.table_name(relation regclass) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = table_name.relation;
	END;
COMMENT ON FUNCTION replenish.table_name(regclass) IS
'The name of a table with its schema, whatever the search path; source.name.';

CREATE FUNCTION replenish.touch_source(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	SELECT DISTINCT 0, 0, 0, 't'::"char", s.sku, s.location, ''
	FROM item_stock s WHERE s.source = touch_source.id;
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_source(integer) IS
'Has the items that a source has stock of decided again at the next tick.';

-- Writes a source down; a table that was watched before gets its number back.
CREATE FUNCTION replenish.register_source(s replenish.source)
	RETURNS replenish.source
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	known source;
BEGIN
	LOCK TABLE source IN SHARE ROW EXCLUSIVE MODE;
	-- active or not: a table that was dropped could not be unwatched
	SELECT * FROM source o
	WHERE o.kind = s.kind AND o.name = s.name
		AND o.id NOT IN (SELECT w.id FROM watched w)
	ORDER BY o.id LIMIT 1 INTO known;
	s.id := coalesce(known.id, (SELECT coalesce(max(o.id), 0) + 1 FROM source o));
	-- what it has contributed may not be what its rows say now
	IF EXISTS (SELECT FROM item_demand d WHERE d.source = s.id)
		OR EXISTS (SELECT FROM item_stock t WHERE t.source = s.id)
		OR EXISTS (SELECT FROM postponed l WHERE l.source = s.id)
		OR EXISTS (SELECT FROM pending(clock()) p WHERE p.source = s.id) THEN
		s.backfilled_at := NULL;
	END IF;
	s.counted_once := s.backfilled_at IS NOT NULL
		OR coalesce(known.counted_once, false);
	DELETE FROM source o WHERE o.id = s.id;
	INSERT INTO source SELECT s.*;
	-- its stock counts again
	PERFORM touch_source(s.id);
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.register_source(replenish.source) IS
'Writes a source down and returns it with its number; the number of a table that was watched before is given again, also where the table was dropped and made anew, so that what it contributed is still its own. For watch_orders() and watch_stock().';

CREATE FUNCTION replenish.attach(relation regclass, s replenish.source)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	arguments text;
	has_rows boolean;
BEGIN
	PERFORM check_relation(relation);
	IF current_setting('transaction_isolation')
		IN ('repeatable read', 'serializable') THEN
		RAISE EXCEPTION 'cannot watch a table in a transaction with isolation level REPEATABLE READ or SERIALIZABLE'
			USING ERRCODE = 'active_sql_transaction',
				HINT = 'Watch it in a READ COMMITTED transaction.';
	END IF;
	-- no row may come between the registration and the triggers, and no
	-- other watch
	EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
	PERFORM check_tree(relation);
	IF source_of(relation) IS NOT NULL THEN
		RAISE EXCEPTION 'table % is already watched', relation
			USING ERRCODE = 'duplicate_object',
				HINT = 'Call replenish.unwatch() first to watch it in another way.';
	END IF;
	-- moments without a zone mean what they mean now, for ever
	s.zone := coalesce(
		(SELECT l.time_zone FROM location l WHERE l.location = 'default'),
		current_setting('TimeZone'));
	s.zones := CASE WHEN s.location IS NULL THEN '{}' ELSE coalesce(
		(SELECT array_agg(z.value ORDER BY l.location, z.n)
		FROM location l CROSS JOIN LATERAL
			(VALUES (1, l.location::text), (2, l.time_zone)) z (n, value)
		WHERE l.time_zone <> s.zone), '{}') END;
	s.name := table_name(relation);
	s.active := true;
	s.watched_at := clock_timestamp();
	-- row security may hide rows from their own table's owner
	EXECUTE format('SELECT relrowsecurity AND relforcerowsecurity
		OR EXISTS (SELECT FROM %s) FROM pg_class WHERE oid = $1', relation)
		USING relation INTO has_rows;
	s.backfilled_at := CASE WHEN NOT has_rows THEN s.watched_at END;
	s := register_source(s);
	SELECT quote_literal(string_agg(regexp_replace(a.value, E'([\\\\,])',
		E'\\\\\\1', 'g'), ',' ORDER BY a.n))
	FROM unnest(trigger_arguments(s)) WITH ORDINALITY a (value, n)
	INTO arguments;
	EXECUTE format('CREATE TRIGGER replenish_insert AFTER INSERT ON %s
		REFERENCING NEW TABLE AS replenish_new FOR EACH STATEMENT
		EXECUTE FUNCTION replenish.capture(%s)', relation, arguments);
	EXECUTE format('CREATE TRIGGER replenish_update AFTER UPDATE ON %s
		REFERENCING OLD TABLE AS replenish_old NEW TABLE AS replenish_new
		FOR EACH STATEMENT EXECUTE FUNCTION replenish.capture(%s)',
		relation, arguments);
	EXECUTE format('CREATE TRIGGER replenish_delete AFTER DELETE ON %s
		REFERENCING OLD TABLE AS replenish_old FOR EACH STATEMENT
		EXECUTE FUNCTION replenish.capture(%s)', relation, arguments);
	EXECUTE format('CREATE TRIGGER replenish_truncate BEFORE TRUNCATE ON %s
		FOR EACH STATEMENT EXECUTE FUNCTION replenish.capture(%s)',
		relation, arguments);
	IF has_rows THEN
		RAISE NOTICE 'the rows that are already in % are not counted yet', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	ELSIF s.backfilled_at IS NULL THEN
		RAISE NOTICE 'what % contributed before is still counted', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	END IF;
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.attach(regclass, replenish.source) IS
'Registers a source and creates its four triggers. For watch_orders() and watch_stock().';

CREATE FUNCTION replenish.watch_orders(source regclass, sku name, qty name,
	at name, location name DEFAULT NULL, channel name DEFAULT NULL,
	status name DEFAULT NULL, counted text[] DEFAULT NULL,
	price name DEFAULT NULL, header regclass DEFAULT NULL,
	header_key name DEFAULT NULL, keep interval DEFAULT '90 days')
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	PERFORM check_relation(source);
	IF header IS NOT NULL OR header_key IS NOT NULL THEN
		RAISE EXCEPTION 'argument "header" is not supported by this version'
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Watch a table whose lines carry their own moment.';
	END IF;
	IF sku IS NULL OR qty IS NULL OR at IS NULL THEN
		RAISE EXCEPTION 'arguments "sku", "qty" and "at" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF (status IS NULL) <> (counted IS NULL)
		OR array_position(counted, NULL) IS NOT NULL
		OR cardinality(counted) = 0 THEN
		RAISE EXCEPTION 'arguments "status" and "counted" go together'
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'counted lists the values of the status column that are demand.';
	END IF;
	IF keep IS NULL OR NOT is_span(keep) THEN
		RAISE EXCEPTION 'argument "keep" must be a length of time without months'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, qty, 'qty');
	PERFORM check_column(source, at, 'at');
	PERFORM check_column(source, location, 'location');
	PERFORM check_column(source, channel, 'channel');
	PERFORM check_column(source, status, 'status');
	PERFORM check_column(source, price, 'price');
	s.kind := 'orders';
	s.sku := sku;
	s.qty := qty;
	s.at := at;
	s.location := location;
	s.channel := channel;
	s.status := status;
	s.counted := counted;
	s.price := price;
	s.keep := keep;
	PERFORM attach(source, s);
END $$;
COMMENT ON FUNCTION replenish.watch_orders(regclass, name, name, name, name, name, name, text[], name, regclass, name, interval) IS
'Watches a table of order lines: from now on each insert, update, delete and truncate of it is demand of its SKU, or takes demand back. sku, qty, at, location, channel, status and price name columns; with status only rows whose status is in counted are demand; rows older than keep may be deleted without taking their demand back. Moments without a zone are in the time zone of their location as it is now. The caller must own the table; header is refused in this version. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.watch_stock(source regclass, sku name, on_hand name,
	location name DEFAULT NULL, reserved name DEFAULT NULL,
	on_order name DEFAULT NULL, at name DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	PERFORM check_relation(source);
	IF at IS NOT NULL THEN
		RAISE EXCEPTION 'argument "at" is not supported by this version'
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Watch a table that holds the present stock.';
	END IF;
	IF sku IS NULL OR on_hand IS NULL THEN
		RAISE EXCEPTION 'arguments "sku" and "on_hand" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, on_hand, 'on_hand');
	PERFORM check_column(source, location, 'location');
	PERFORM check_column(source, reserved, 'reserved');
	PERFORM check_column(source, on_order, 'on_order');
	s.kind := 'stock';
	s.sku := sku;
	s.on_hand := on_hand;
	s.location := location;
	s.reserved := reserved;
	s.on_order := on_order;
	PERFORM attach(source, s);
END $$;
COMMENT ON FUNCTION replenish.watch_stock(regclass, name, name, name, name, name, name) IS
'Watches a table of stock: sku, on_hand, location, reserved and on_order name columns, in units; several rows may make up one item. An item whose last row goes has none on hand. The caller must own the table; at is refused in this version. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.retire_source(id integer, name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	-- whoever has dropped the triggers owns the table
	IF EXISTS (SELECT FROM watched w WHERE w.id = retire_source.id) THEN
		RAISE EXCEPTION 'source % still has triggers', id
			USING ERRCODE = 'object_in_use',
				HINT = 'Call replenish.unwatch().';
	END IF;
	UPDATE source SET active = false, name = retire_source.name
	WHERE id = retire_source.id;
	PERFORM touch_source(id);
END $$;
COMMENT ON FUNCTION replenish.retire_source(integer, text) IS
'Marks a source as no longer watched, under the name that its table has now: its stock counts no more, its demand stays history. Refused while triggers feed it. For unwatch().';

CREATE FUNCTION replenish.mark_backfilled(id integer) RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp AS $$
	UPDATE replenish.source s
	SET backfilled_at = pg_catalog.clock_timestamp(), counted_once = true
	WHERE s.id = $1;
$$;
COMMENT ON FUNCTION replenish.mark_backfilled(integer) IS
'Notes that all rows of a source are counted. For repair().';

CREATE FUNCTION replenish.unwatch(source regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	number integer;
	trigger name;
BEGIN
	PERFORM check_relation(source);
	number := source_of(source);
	IF number IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object';
	END IF;
	FOR trigger IN SELECT t.tgname FROM pg_trigger t
		WHERE t.tgrelid = source AND t.tgfoid = 'replenish.capture'::regproc
		ORDER BY t.tgname
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', trigger, source);
	END LOOP;
	PERFORM retire_source(number, table_name(source));
END $$;
COMMENT ON FUNCTION replenish.unwatch(regclass) IS
'Removes the triggers from a watched table. Its demand stays as history; its stock counts no more. Watching the table again takes both up where they were. The caller must own the table.';

CREATE VIEW replenish.watched AS
	SELECT s.id, t.relation, s.kind, s.sku, s.location, s.channel, s.status,
		s.counted, s.qty, s.at, s.price, s.on_hand, s.reserved, s.on_order,
		s.keep, s.zone, s.watched_at, s.backfilled_at, t.enabled
	FROM replenish.source s
	JOIN (SELECT g.tgrelid::pg_catalog.regclass AS relation,
			replenish.source_of(g.tgrelid) AS id,
			count(*) = 4 AND bool_and(g.tgenabled IN ('O', 'A'))
				AS enabled
		FROM pg_catalog.pg_trigger g
		WHERE g.tgfoid = 'replenish.capture'::pg_catalog.regproc
			AND NOT g.tgisinternal
		GROUP BY g.tgrelid) t ON t.id = s.id
	WHERE s.active;
COMMENT ON VIEW replenish.watched IS
'The tables that are watched now and how they are read. enabled is false where a trigger is missing or disabled; backfilled_at is NULL where rows from before the watch are not counted.';
---------------------------------------------------------------------------
-- Verifying: recount the watched tables at one snapshot, compare with the
-- state and the inbox, and append what differs.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.lock_repair() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_lock_repair'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.lock_repair() IS
'Waits until no other session repairs or backfills; this one does until its transaction ends.';

CREATE FUNCTION replenish.recount(relation regclass, arguments text[],
	clock timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_recount'
	LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.recount(regclass, text[], timestamptz) IS
'What the rows of a watched table add up to, read by the code of its triggers; columns as of drain(). Row security does not apply, so it is not for everybody.';

CREATE FUNCTION replenish.demand_since(demand replenish.demand,
	since timestamptz) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_demand_since'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_since(replenish.demand, timestamptz) IS
'A summary without the buckets that begin before a moment.';

CREATE FUNCTION replenish.difference(id integer)
	RETURNS TABLE (kind text, sku text, location text, channel text,
		minute integer, expected_demand replenish.demand,
		actual_demand replenish.demand, expected numeric, actual numeric)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	-- a day of keep is 24 hours
	SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	s source;
	relation regclass;
	clock timestamptz;
	since timestamptz;
BEGIN
	SELECT * FROM source o WHERE o.id = difference.id INTO s;
	SELECT w.relation FROM watched w WHERE w.id = s.id INTO relation;
	SELECT d.clock FROM decider d INTO clock;
	clock := coalesce(clock, now());
	-- rows older than this may have gone without taking their demand back
	since := CASE WHEN s.counted_once THEN clock - s.keep END;
	IF since < '1970-01-01 00:00:00+00' THEN
		since := NULL;
	END IF;
	RETURN QUERY
	WITH expected AS (
		SELECT * FROM recount(relation, trigger_arguments(s), clock)
	), waiting AS (
		SELECT * FROM pending(clock) p WHERE p.source = s.id
	), demand_expected AS (
		SELECT e.sku, e.location, e.channel, e.demand FROM expected e
		WHERE e.kind = 'demand'
	), demand_actual AS (
		SELECT a.sku, a.location, a.channel, demand_merge(a.demand) AS demand
		FROM (SELECT d.sku, d.location, d.channel, d.demand
				FROM item_demand d WHERE d.source = s.id
			UNION ALL
			SELECT w.sku, w.location, w.channel, w.demand
				FROM waiting w WHERE w.kind = 'demand') a
		GROUP BY a.sku, a.location, a.channel
	), demand_both AS (
		SELECT b.sku, b.location, b.channel,
			CASE WHEN since IS NULL THEN b.expected
				ELSE demand_since(b.expected, since) END AS expected,
			CASE WHEN since IS NULL THEN b.actual
				ELSE demand_since(b.actual, since) END AS actual
		FROM (SELECT coalesce(e.sku, a.sku) AS sku,
				coalesce(e.location, a.location) AS location,
				coalesce(e.channel, a.channel) AS channel,
				-- both seen through the later window: x - x is nothing, with
				-- the window of x
				coalesce(e.demand, '{}')
					+ coalesce(a.demand - a.demand, '{}') AS expected,
				coalesce(a.demand, '{}')
					+ coalesce(e.demand - e.demand, '{}') AS actual
			FROM demand_expected e
			FULL JOIN demand_actual a ON a.sku = e.sku
				AND a.location = e.location AND a.channel = e.channel) b
	), plain_expected AS (
		SELECT e.kind, e.sku, e.location, e.channel, e.minute, v.what, v.amount
		FROM expected e CROSS JOIN LATERAL (VALUES
			('on_hand', e.on_hand), ('reserved', e.reserved),
			('on_order', e.on_order),
			(e.kind, CASE WHEN e.kind = 'fault' THEN e.amount
				ELSE e.amount / 1000000.0 END)) v (what, amount)
		WHERE v.amount IS NOT NULL
	), plain_actual AS (
		SELECT a.sku, a.location, a.channel, a.minute, a.what,
			sum(a.amount) AS amount
		FROM (SELECT t.sku, t.location, '' AS channel, NULL::integer AS minute,
				v.what, v.amount
			FROM item_stock t CROSS JOIN LATERAL (VALUES
				('on_hand', t.on_hand), ('reserved', t.reserved),
				('on_order', t.on_order)) v (what, amount)
			WHERE t.source = s.id
			UNION ALL
			SELECT '', '', f.code, 0, 'fault', f.rows
			FROM fault f WHERE f.source = s.id
			UNION ALL
			SELECT l.sku, l.location, l.channel, l.minute, 'postponed',
				l.amount / 1000000.0
			FROM postponed l WHERE l.source = s.id
			UNION ALL
			SELECT w.sku, w.location, w.channel, w.minute, v.what, v.amount
			FROM waiting w CROSS JOIN LATERAL (VALUES
				('on_hand', w.on_hand), ('reserved', w.reserved),
				('on_order', w.on_order),
				(w.kind, CASE WHEN w.kind = 'fault' THEN w.amount
					ELSE w.amount / 1000000.0 END)) v (what, amount)
			WHERE v.amount IS NOT NULL) a
		GROUP BY a.sku, a.location, a.channel, a.minute, a.what
	)
	SELECT 'demand', b.sku, b.location, b.channel, NULL::integer,
		b.expected, b.actual, NULL::numeric, NULL::numeric
	FROM demand_both b WHERE b.expected <> b.actual
	UNION ALL
	SELECT coalesce(e.what, a.what), coalesce(e.sku, a.sku),
		coalesce(e.location, a.location), coalesce(e.channel, a.channel),
		coalesce(e.minute, a.minute), NULL, NULL,
		coalesce(e.amount, 0), a.amount
	FROM plain_expected e
	FULL JOIN plain_actual a ON a.what = e.what AND a.sku = e.sku
		AND a.location = e.location AND a.channel = e.channel
		AND coalesce(a.minute, 0) = coalesce(e.minute, 0)
	-- that stock is known to be zero is a fact as well
	WHERE coalesce(e.amount, 0) <> coalesce(a.amount, 0)
		OR e.what = 'on_hand' AND a.amount IS NULL;
END $$;
COMMENT ON FUNCTION replenish.difference(integer) IS
'Where the recount of a source''s table and its state with the inbox differ, at the snapshot of the query. Demand older than the source''s keep is left out once it has been backfilled.';

CREATE FUNCTION replenish.verify(source regclass DEFAULT NULL)
	RETURNS TABLE (relation regclass, sku text, location text, channel text,
		what text, at timestamptz, expected numeric, actual numeric)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	w record;
BEGIN
	IF verify.source IS NOT NULL AND source_of(verify.source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', verify.source
			USING ERRCODE = 'undefined_object';
	END IF;
	FOR w IN SELECT o.id, o.relation FROM watched o
		WHERE verify.source IS NULL OR o.relation = verify.source
		ORDER BY o.relation::text
	LOOP
		-- a TRUNCATE shows to snapshots that are older than its commit
		EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', w.relation);
		RETURN QUERY
		SELECT w.relation, d.sku, d.location, d.channel,
			CASE WHEN d.kind <> 'demand' THEN d.kind
				ELSE 'demand per ' || CASE b.resolution
					WHEN '1 minute' THEN 'minute' WHEN '1 hour' THEN 'hour'
					WHEN '1 day' THEN 'day' ELSE 'week' END END,
			coalesce(b.bucket, to_timestamp(nullif(d.minute, 0) * 60.0)),
			coalesce(b.expected, d.expected), coalesce(b.actual, d.actual)
		FROM difference(w.id) d
		LEFT JOIN LATERAL (
			SELECT coalesce(e.resolution, a.resolution) AS resolution,
				coalesce(e.bucket, a.bucket) AS bucket,
				coalesce(e.units, 0)::numeric AS expected,
				coalesce(a.units, 0)::numeric AS actual
			FROM demand_buckets(d.expected_demand) e
			FULL JOIN demand_buckets(d.actual_demand) a
				ON a.resolution = e.resolution AND a.bucket = e.bucket
			WHERE e.units IS DISTINCT FROM a.units) b
			ON d.kind = 'demand'
		ORDER BY d.sku, d.location, d.channel, 5, 6;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.verify(regclass) IS
'Recounts the watched tables (or one of them), each at one snapshot, and returns each number in which the state with the inbox differs: none, unless something was never counted. actual is NULL where the state has no record at all; at is a bucket''s start. Rows that were deleted when they were older than keep are not looked for.';

-- One operation for backfill() and repair(): append the difference.
CREATE FUNCTION replenish.append_difference(id integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	appended bigint;
	trouble text;
BEGIN
	SELECT column_trouble(w.relation, w.id) FROM watched w
	WHERE w.id = append_difference.id INTO trouble;
	IF trouble IS NOT NULL THEN
		-- no row can be read: not the same as a table without rows
		RAISE WARNING '%', trouble
			USING ERRCODE = 'undefined_column',
				DETAIL = 'What was counted before stays as it is.',
				HINT = 'Unwatch the table, watch it again, then CALL replenish.backfill().';
		RETURN 0;
	END IF;
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel,
		summary)
	SELECT CASE d.kind WHEN 'demand' THEN 0
			WHEN 'fault' THEN d.expected - coalesce(d.actual, 0)
			ELSE (d.expected - coalesce(d.actual, 0)) * 1000000 END,
		coalesce(d.minute, 0), id,
		CASE d.kind WHEN 'demand' THEN 's' WHEN 'on_hand' THEN 'h'
			WHEN 'reserved' THEN 'r' WHEN 'on_order' THEN 'o'
			WHEN 'postponed' THEN 'd' WHEN 'fault' THEN 'f' END,
		d.sku, d.location, d.channel,
		CASE WHEN d.kind = 'demand'
			THEN d.expected_demand - d.actual_demand END
	FROM difference(id) d;
	GET DIAGNOSTICS appended = ROW_COUNT;
	PERFORM mark_backfilled(id);
	PERFORM wake();
	RETURN appended;
END $$;
COMMENT ON FUNCTION replenish.append_difference(integer) IS
'Appends to the inbox what a source''s state lacks or has too much, and returns the number of differences; a table whose columns cannot be read is left alone with a warning. For backfill() and repair().';

CREATE PROCEDURE replenish.repair(source regclass DEFAULT NULL)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	w record;
	appended bigint;
BEGIN
	IF source IS NOT NULL AND source_of(source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object',
				HINT = 'Call replenish.watch_orders() or replenish.watch_stock() first.';
	END IF;
	PERFORM lock_repair();
	FOR w IN SELECT o.id, o.relation FROM watched o
		WHERE repair.source IS NULL OR o.relation = repair.source ORDER BY o.id
	LOOP
		-- a TRUNCATE shows to snapshots that are older than its commit
		EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', w.relation);
		appended := append_difference(w.id);
		IF appended > 0 THEN
			RAISE NOTICE '%: % differences appended', w.relation, appended;
		END IF;
	END LOOP;
END $$;
COMMENT ON PROCEDURE replenish.repair(regclass) IS
'Recounts the watched tables (or one of them) at one snapshot and appends what differs to the inbox, where the decider takes it; says how many differences there were. It never waits for orders, nor they for it. Refused in REPEATABLE READ and SERIALIZABLE transactions.';

CREATE PROCEDURE replenish.backfill(source regclass)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF source IS NULL THEN
		RAISE EXCEPTION 'argument "source" must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF source_of(source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object',
				HINT = 'Call replenish.watch_orders() or replenish.watch_stock() first.';
	END IF;
	PERFORM lock_repair();
	-- as in repair()
	EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', source);
	PERFORM append_difference(source_of(source));
END $$;
COMMENT ON PROCEDURE replenish.backfill(regclass) IS
'Counts the rows of a watched table that were there before it was watched: the same operation as repair(), for one table, without the notice.';
---------------------------------------------------------------------------
-- Reading: views and functions for people, BI tools and applications.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.clock() RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce((SELECT d.clock FROM replenish.decider d),
			pg_catalog.now());
	END;
COMMENT ON FUNCTION replenish.clock() IS
'The decider''s clock: the latest moment that it decided anything for; now() before the first decision.';

-- No security barrier: no row is hidden, and the barrier would keep a tier
-- from being looked up in its index.
CREATE VIEW replenish.status AS
	SELECT i.sku, i.location, q.on_hand, q.reserved,
		q.on_hand - q.reserved AS available, q.on_order,
		q.on_hand - q.reserved + q.on_order AS stock_position,
		i.velocity, i.sold_24h, i.same_period, i.forecast, i.forecast_sd,
		i.lead_time, i.threshold, i.safety_stock, i.target, i.tier,
		i.stockout_eta, i.stockout_eta - i.decided_at AS cover, i.order_by,
		i.reorder_qty, i.reason, i.epoch, i.assumed, i.decided_at
	FROM replenish.item i
	LEFT JOIN (
		SELECT p.sku, p.location, sum(p.on_hand) AS on_hand,
			sum(p.reserved) AS reserved, sum(p.on_order) AS on_order
		FROM replenish.pending(pg_catalog.now()) p
		JOIN replenish.source s ON s.id = p.source AND s.active
		WHERE p.kind = 'stock'
		GROUP BY p.sku, p.location
	) w ON w.sku = i.sku AND w.location = i.location
	CROSS JOIN LATERAL (
		SELECT pg_catalog.trim_scale(i.on_hand + coalesce(w.on_hand, 0))
				AS on_hand,
			pg_catalog.trim_scale(i.reserved + coalesce(w.reserved, 0))
				AS reserved,
			pg_catalog.trim_scale(i.on_order + coalesce(w.on_order, 0))
				AS on_order) q;
COMMENT ON VIEW replenish.status IS
'One row per item. Quantities are units, as they are now: the last decision plus what still waits in the inbox. All else is as of decided_at.';
COMMENT ON COLUMN replenish.status.available IS 'on_hand - reserved, units.';
COMMENT ON COLUMN replenish.status.stock_position IS
'available + on_order, units.';
COMMENT ON COLUMN replenish.status.velocity IS
'Units per hour asked for now, bursts included.';
COMMENT ON COLUMN replenish.status.sold_24h IS
'Units asked for in the 24 hours before decided_at.';
COMMENT ON COLUMN replenish.status.same_period IS
'Units asked for in the same 24 hours a week earlier.';
COMMENT ON COLUMN replenish.status.forecast IS
'Units expected to be asked for in lead time plus review period.';
COMMENT ON COLUMN replenish.status.forecast_sd IS
'Standard deviation of that demand, the lead time''s own included, units.';
COMMENT ON COLUMN replenish.status.threshold IS
'Reorder point: the units that are enough for lead time plus review period with the probability service_level.';
COMMENT ON COLUMN replenish.status.safety_stock IS
'threshold - forecast, units.';
COMMENT ON COLUMN replenish.status.target IS
'Order-up-to level: threshold plus the demand expected in an order cycle, and never below 1.5 thresholds, units.';
COMMENT ON COLUMN replenish.status.tier IS
'normal, yellow (position below 150 % of the threshold), orange (below 100 %) or red (below 50 %, or nothing available while it sells).';
COMMENT ON COLUMN replenish.status.stockout_eta IS
'When expected demand has eaten what is available; NULL beyond a year.';
COMMENT ON COLUMN replenish.status.cover IS
'stockout_eta - decided_at: how long the available stock lasts.';
COMMENT ON COLUMN replenish.status.order_by IS
'When expected demand takes the stock position to the threshold: the latest moment to order; NULL beyond a year.';
COMMENT ON COLUMN replenish.status.reorder_qty IS
'Units to order now; 0 while the position is not below the threshold.';
COMMENT ON COLUMN replenish.status.reason IS
'Why this tier: position, shelf, covered, no_demand or no_stock_record.';
COMMENT ON COLUMN replenish.status.epoch IS
'How many times the item has left normal.';
COMMENT ON COLUMN replenish.status.assumed IS
'Parameters that are defaults and not yet the shop''s own.';

CREATE VIEW replenish.sku_status AS
	SELECT s.sku, count(*) AS locations, sum(s.on_hand) AS on_hand,
		sum(s.reserved) AS reserved, sum(s.available) AS available,
		sum(s.on_order) AS on_order, sum(s.stock_position) AS stock_position,
		sum(s.velocity) AS velocity, sum(s.sold_24h) AS sold_24h,
		sum(s.same_period) AS same_period, sum(s.forecast) AS forecast,
		sum(s.threshold) AS threshold, sum(s.target) AS target,
		max(s.tier) AS worst_tier, min(s.stockout_eta) AS first_stockout_eta,
		min(s.order_by) AS order_by, sum(s.reorder_qty) AS reorder_qty,
		max(s.decided_at) AS decided_at
	FROM replenish.status s
	GROUP BY s.sku;
COMMENT ON VIEW replenish.sku_status IS
'One row per SKU over all its locations and channels: quantities and rates are sums; worst_tier, first_stockout_eta and order_by are those of the location that is worst off.';

CREATE FUNCTION replenish.events_after(seq bigint, max integer DEFAULT 1000)
	RETURNS SETOF replenish.event
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF seq IS NULL THEN
		RAISE EXCEPTION 'argument "seq" must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Use 0 to read from the first event.';
	END IF;
	IF max IS NULL OR max < 0 THEN
		RAISE EXCEPTION 'argument "max" must not be negative or null'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY SELECT e.* FROM event e
		WHERE e.seq > events_after.seq ORDER BY e.seq LIMIT max;
END $$;
COMMENT ON FUNCTION replenish.events_after(bigint, integer) IS
'The events after a sequence number, oldest first, at most max. It writes nothing and works on a standby: remember the last seq and call again.';

CREATE FUNCTION replenish.explain(sku text, location text DEFAULT 'default',
	as_of timestamptz DEFAULT now())
	RETURNS TABLE (step integer, name text, value text, unit text,
		formula text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	history demand;
	stock record;
	a record;
	previous tier;
	typical float8;
BEGIN
	SELECT i.position_tier,
		CASE WHEN 'threshold' = ANY (i.assumed) THEN i.threshold END
	FROM item i
	WHERE i.sku = explain.sku AND i.location = explain.location
	INTO previous, typical;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no item "%" at location "%"', sku, location
			USING ERRCODE = 'no_data_found',
				HINT = 'See replenish.status for the items that are known.';
	END IF;
	as_of := greatest(as_of, clock());
	SELECT coalesce(demand_merge(d.demand), '{}') FROM (
		SELECT t.demand FROM item_demand t
		WHERE t.sku = explain.sku AND t.location = explain.location
		UNION ALL
		SELECT p.demand FROM pending(as_of) p
		WHERE p.kind = 'demand' AND p.sku = explain.sku
			AND p.location = explain.location) d
	INTO history;
	SELECT count(*) > 0 AS known, coalesce(sum(q.on_hand), 0) AS on_hand,
		coalesce(sum(q.reserved), 0) AS reserved,
		coalesce(sum(q.on_order), 0) AS on_order
	FROM (
		SELECT t.source, t.on_hand, t.reserved, t.on_order FROM item_stock t
		WHERE t.sku = explain.sku AND t.location = explain.location
		UNION ALL
		SELECT p.source, p.on_hand, p.reserved, p.on_order
		FROM pending(as_of) p
		WHERE p.kind = 'stock' AND p.sku = explain.sku
			AND p.location = explain.location) q
	JOIN source o ON o.id = q.source AND o.active
	INTO stock;
	SELECT * FROM assess(as_of, explain.sku, explain.location, history,
		stock.known, stock.on_hand, stock.reserved, stock.on_order,
		previous, typical) INTO a;
	RETURN QUERY
	SELECT row_number() OVER ()::integer, v.name, v.value, v.unit, v.formula
	FROM (VALUES
		('as_of', as_of::text, '', 'the moment of this calculation'),
		('on_hand', trim_scale(stock.on_hand)::text, 'units', CASE
			WHEN stock.known THEN 'sum over the watched stock tables'
			ELSE 'no watched stock table has this item' END),
		('reserved', trim_scale(stock.reserved)::text, 'units',
			'sum over the watched stock tables'),
		('on_order', trim_scale(stock.on_order)::text, 'units',
			'sum over the watched stock tables'),
		('available', a.available::text, 'units', 'on_hand - reserved'),
		('stock_position', a.stock_position::text, 'units',
			'available + on_order'),
		('velocity', a.velocity::text, 'units/hour',
			'demand_velocity(demand, as_of)'),
		('sold_24h', a.sold_24h::text, 'units',
			'24 * demand_velocity(demand, as_of, ''24 hours'')'),
		('service_level', a.service_level::text, '', 'policy'),
		('lead_time', a.lead_time::text, '', 'policy'),
		('lead_time_sd', a.lead_time_sd::text, '', 'policy'),
		('review_period', a.review_period::text, '', 'policy'),
		('horizon', (a.lead_time + a.review_period)::text, '',
			'lead_time + review_period'),
		('forecast', a.forecast::text, 'units',
			'mean of demand_forecast(demand, as_of, horizon)'),
		('forecast_sd', a.forecast_sd::text, 'units',
			'sqrt(sd of demand_forecast(demand, as_of, horizon) ^ 2 + (forecast / horizon * lead_time_sd) ^ 2)'),
		('threshold', a.threshold::text, 'units', CASE
			WHEN typical IS NOT NULL
				THEN 'median threshold of the location: the item has no history'
			WHEN a.fixed_threshold IS NOT NULL THEN 'policy'
			ELSE 'negative binomial quantile of (forecast, forecast_sd) at service_level' END),
		('safety_stock', a.safety_stock::text, 'units',
			'threshold - forecast'),
		('order_cycle', a.order_cycle::text, '', 'policy'),
		('cycle_demand', a.cycle_demand::text, 'units',
			'mean of demand_forecast(demand, as_of, order_cycle)'),
		('target', a.target::text, 'units',
			'greatest(threshold + cycle_demand, 1.5 * threshold)'),
		('exit_margin', a.exit_margin::text, '', 'policy'),
		('position_tier', a.position_tier::text, '', CASE
			WHEN a.stock_position >= a.target
				THEN 'normal: stock_position has reached the target'
			ELSE format('alert_level(stock_position, threshold, %L, exit_margin)',
				previous) END),
		('tier', a.tier::text, '', CASE a.reason
			WHEN 'shelf' THEN 'red: nothing available while it sells'
			WHEN 'no_stock_record' THEN 'normal: its stock is not known'
			ELSE 'position_tier' END),
		('reason', a.reason, '', ''),
		('stockout_eta', coalesce(a.stockout_eta::text, 'beyond a year'), '',
			'stockout_eta(available, demand, as_of)'),
		('order_by', coalesce(a.order_by::text, 'beyond a year'), '',
			'stockout_eta(greatest(stock_position - threshold, 0), demand, as_of)'),
		('buffer', a.buffer::text, '', 'policy'),
		('moq', a.moq::text, 'units', 'policy'),
		('multiple', a.multiple::text, 'units', 'policy'),
		('maximum', a.maximum::text, 'units', 'policy'),
		('reorder_qty', a.reorder_qty::text, 'units',
			'reorder_qty(stock_position, threshold, target, buffer, moq, multiple, maximum)'),
		('assumed', array_to_string(a.assumed, ', '), '',
			'defaults that no row of policy replaces')
	) v (name, value, unit, formula);
END $$;
COMMENT ON FUNCTION replenish.explain(text, text, timestamptz) IS
'Every number behind an item''s tier and quantity in the order of the calculation, computed at as_of (the decider''s clock at the earliest) from the state and what waits in the inbox. An unknown item is an error.';

CREATE FUNCTION replenish.worker_pid() RETURNS integer
	AS 'MODULE_PATHNAME', 'replenish_worker_pid'
	LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.worker_pid() IS
'The process id of this database''s worker; NULL where none lives.';

CREATE FUNCTION replenish.health()
	RETURNS TABLE (what text, ok boolean, since timestamptz, detail text,
		hint text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	-- first what loads the library: the setting is known only then
	worker integer := worker_pid();
	mode text := current_setting('replenish.evaluate');
	d decider;
	waiting bigint;
BEGIN
	SELECT * FROM decider INTO d;
	SELECT count(*) FROM pending(clock()) INTO waiting;

	RETURN QUERY SELECT 'worker', worker IS NOT NULL OR mode IN ('manual', 'immediate')
			OR pg_is_in_recovery(), NULL::timestamptz,
		CASE WHEN worker IS NOT NULL THEN format('It runs as process %s.', worker)
			WHEN pg_is_in_recovery() THEN 'A standby has none.'
			ELSE format('None runs; replenish.evaluate is %s.', mode) END,
		CASE WHEN worker IS NULL AND mode IN ('auto', 'worker')
			THEN 'The next order starts it; see that max_worker_processes leaves a slot.' END;

	RETURN QUERY SELECT 'inbox', waiting = 0 OR d.decided_at > now() - interval '1 minute',
		d.decided_at, format('%s sums wait to be decided.', waiting),
		CASE WHEN waiting > 0 THEN 'The worker or replenish.tick() takes them.' END;

	RETURN QUERY SELECT 'clock', coalesce(d.clock <= now() + interval '1 minute', true),
		d.clock, CASE WHEN d.clock > now() + interval '1 minute'
			THEN 'The decider''s clock is ahead of the present.'
			ELSE 'The decider''s clock is not ahead of the present.' END,
		CASE WHEN d.clock > now() + interval '1 minute'
			THEN 'UPDATE replenish.decider SET clock = now(); then CALL replenish.repair().' END;

	RETURN QUERY SELECT 'source ' || s.name,
		coalesce(w.enabled, false) AND w.backfilled_at IS NOT NULL
			AND t.trouble IS NULL,
		s.watched_at,
		CASE WHEN w.id IS NULL THEN 'Its triggers are gone.'
			WHEN NOT w.enabled THEN 'A trigger is missing or disabled.'
			WHEN t.trouble IS NOT NULL THEN format('No row is counted: %s.', t.trouble)
			WHEN w.backfilled_at IS NULL THEN 'The rows from before the watch are not counted.'
			ELSE 'It is watched.' END,
		CASE WHEN w.id IS NULL THEN format('Watch the table again, then CALL replenish.backfill(); or, where it is gone for good, UPDATE replenish.source SET active = false WHERE id = %s; SELECT replenish.touch(NULL, NULL);', s.id)
			WHEN NOT w.enabled THEN format('ALTER TABLE %s ENABLE TRIGGER USER; then CALL replenish.repair().', w.relation)
			WHEN t.trouble IS NOT NULL THEN 'Unwatch the table, watch it again, then CALL replenish.backfill().'
			WHEN w.backfilled_at IS NULL THEN format('CALL replenish.backfill(%L);', w.relation) END
	FROM source s LEFT JOIN watched w ON w.id = s.id
	LEFT JOIN LATERAL column_trouble(w.relation, w.id) t (trouble) ON true
	WHERE s.active ORDER BY s.id;

	RETURN QUERY SELECT format('fault %s of %s', f.code, coalesce(s.name, 'record_demand()')),
		false, f.first_at, format('%s rows are not counted.', f.rows),
		CASE f.code
			WHEN 'missing_column' THEN 'A column that was watched is gone: unwatch the table and watch it again.'
			WHEN 'column_type' THEN 'A watched column has changed its type: unwatch the table and watch it again.'
			WHEN 'blank_sku' THEN 'The SKU is NULL or blank.'
			WHEN 'long_sku' THEN 'The SKU is longer than 255 bytes.'
			WHEN 'long_location' THEN 'The location is longer than 255 bytes.'
			WHEN 'long_channel' THEN 'The channel is longer than 255 bytes.'
			WHEN 'bad_quantity' THEN 'The quantity is NULL, NaN, infinite or beyond 1e12.'
			WHEN 'bad_moment' THEN 'The moment is NULL, infinite, before 1970 or after 2999.'
			WHEN 'sum_too_large' THEN 'The sum of the quantities is larger than any summary can hold.'
		END
	FROM fault f LEFT JOIN source s ON s.id = f.source
	WHERE f.rows > 0 ORDER BY f.source, f.code;

	RETURN QUERY SELECT format('fault future_moment of %s', coalesce(s.name, 'record_demand()')),
		false, NULL::timestamptz,
		format('%s sums are dated more than a day ahead, the last at %s.', count(*),
			to_timestamp(max(l.minute) * 60.0)),
		'They are counted when their minute comes, or corrected before.'
	FROM postponed l LEFT JOIN source s ON s.id = l.source
	WHERE l.minute > extract(epoch FROM clock() + interval '1 day') / 60
	GROUP BY l.source, s.name ORDER BY l.source;

	RETURN QUERY SELECT 'notification queue', pg_notification_queue_usage() < 0.5,
		NULL::timestamptz,
		format('%s %% is used.', round((pg_notification_queue_usage() * 100)::numeric, 1)),
		CASE WHEN pg_notification_queue_usage() >= 0.5
			THEN 'A session that listens stays in a transaction: see pg_stat_activity.' END;
END $$;
COMMENT ON FUNCTION replenish.health() IS
'What works and what does not: ok, since when, the facts, and what to do. A fault is a row of a watched table that cannot be counted; it is gone when the row is corrected.';
---------------------------------------------------------------------------
-- Privileges: the pure functions are everybody's who may use the schema; what
-- watches, decides or reads the shop's sums is granted one by one.
---------------------------------------------------------------------------

DO $$
DECLARE
	routine regprocedure;
BEGIN
	FOR routine IN
		SELECT p.oid FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = 'replenish' AND p.proname = ANY (ARRAY[
			'absorb', 'admit_postponed', 'announce', 'append_difference',
			'assess', 'attach', 'backfill', 'batch_notification',
			'become_decider', 'capture',
			'check_column', 'check_relation', 'check_tree', 'clock',
			'column_trouble', 'decide', 'difference',
			'drain', 'events_after', 'explain', 'fold_inbox', 'health',
			'inbox_waits', 'is_due', 'is_new', 'lock_repair', 'mark_backfilled',
			'pending', 'policy_changed', 'record_demand', 'recount',
			'register_source', 'repair', 'resolve_policy', 'retire_source',
			'source_of', 'table_name', 'tick', 'touch', 'touch_source',
			'trigger_arguments', 'trim_inbox',
			'refresh_typical', 'unwatch', 'verify', 'wake', 'watch_orders',
			'watch_stock', 'worker_pid'])
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC',
			routine);
	END LOOP;
END $$;
