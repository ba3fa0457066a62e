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
