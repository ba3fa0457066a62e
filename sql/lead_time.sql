
---------------------------------------------------------------------------
-- Lead times: from ordering a replenishment to having it on the shelf.  One
-- record per route, exact and mergeable (src/lead_time.h), and the estimate
-- that a route's record gives together with those of wider ones.
---------------------------------------------------------------------------

CREATE TYPE replenish.lead_time;

CREATE FUNCTION replenish.lead_time_in(cstring) RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_in(cstring) IS
'Text to lead_time; anything but the form that lead_time_out writes is an error.';

CREATE FUNCTION replenish.lead_time_out(replenish.lead_time) RETURNS cstring
AS 'MODULE_PATHNAME', 'replenish_lead_time_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_out(replenish.lead_time) IS
'Lead_time to text, exact and independent of settings: JSON with the number of observations (n), the sum and the sum of squares of ln(1 + days) (the latter with a rest in 1e-16), and the number of impossible rows; zeros are left out.';

CREATE FUNCTION replenish.lead_time_recv(internal) RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_recv(internal) IS
'Bytes to lead_time; version, length and range are checked.';

CREATE FUNCTION replenish.lead_time_send(replenish.lead_time) RETURNS bytea
AS 'MODULE_PATHNAME', 'replenish_lead_time_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_send(replenish.lead_time) IS
'Lead_time to bytes; the first is the version of the form.';

CREATE TYPE replenish.lead_time (
	INPUT = replenish.lead_time_in,
	OUTPUT = replenish.lead_time_out,
	RECEIVE = replenish.lead_time_recv,
	SEND = replenish.lead_time_send,
	INTERNALLENGTH = 40,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE replenish.lead_time IS
'Lead-time record of a route: how many lead times of 0 to 3653 days (of 24 hours) there were, the exact sum and sum of squares of ln(1 + days), and how many rows were impossible: received before ordered, later than that, or at an infinite moment; these change no estimate. Records add up exactly, in any order.';

-- Equality, for joins, DISTINCT and EXCEPT; there is no order that would mean
-- anything.

CREATE FUNCTION replenish.lead_time_eq(replenish.lead_time, replenish.lead_time)
RETURNS boolean
AS 'MODULE_PATHNAME', 'replenish_lead_time_eq'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_eq(replenish.lead_time, replenish.lead_time) IS
'Whether two records are the same. Implements =.';

CREATE FUNCTION replenish.lead_time_ne(replenish.lead_time, replenish.lead_time)
RETURNS boolean
AS 'MODULE_PATHNAME', 'replenish_lead_time_ne'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_ne(replenish.lead_time, replenish.lead_time) IS
'Whether two records differ. Implements <>.';

CREATE FUNCTION replenish.lead_time_hash(replenish.lead_time) RETURNS integer
AS 'MODULE_PATHNAME', 'replenish_lead_time_hash'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_hash(replenish.lead_time) IS
'Hash of a record, for GROUP BY, DISTINCT and joins.';

CREATE FUNCTION replenish.lead_time_hash_extended(replenish.lead_time, bigint)
RETURNS bigint
AS 'MODULE_PATHNAME', 'replenish_lead_time_hash_extended'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_hash_extended(replenish.lead_time, bigint) IS
'Hash of a record with a seed, for hash partitioning.';

CREATE OPERATOR replenish.= (
	LEFTARG = replenish.lead_time, RIGHTARG = replenish.lead_time,
	FUNCTION = replenish.lead_time_eq,
	COMMUTATOR = OPERATOR(replenish.=), NEGATOR = OPERATOR(replenish.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR replenish.= (replenish.lead_time, replenish.lead_time) IS
'same record';

CREATE OPERATOR replenish.<> (
	LEFTARG = replenish.lead_time, RIGHTARG = replenish.lead_time,
	FUNCTION = replenish.lead_time_ne,
	COMMUTATOR = OPERATOR(replenish.<>), NEGATOR = OPERATOR(replenish.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR replenish.<> (replenish.lead_time, replenish.lead_time) IS
'another record';

CREATE OPERATOR CLASS replenish.lead_time_ops
DEFAULT FOR TYPE replenish.lead_time USING hash AS
	OPERATOR 1 replenish.= ,
	FUNCTION 1 replenish.lead_time_hash(replenish.lead_time),
	FUNCTION 2 replenish.lead_time_hash_extended(replenish.lead_time, bigint);
COMMENT ON OPERATOR FAMILY replenish.lead_time_ops USING hash IS
'Equality of lead-time records.';
COMMENT ON OPERATOR CLASS replenish.lead_time_ops USING hash IS
'Equality of lead-time records, for DISTINCT, GROUP BY, UNION and joins.';

-- Arithmetic

CREATE FUNCTION replenish.lead_time_plus(replenish.lead_time,
	replenish.lead_time)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_plus'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_plus(replenish.lead_time, replenish.lead_time) IS
'Sum of two records, exact. A sum beyond 64 bits is an error. Implements +.';

CREATE OPERATOR replenish.+ (
	LEFTARG = replenish.lead_time, RIGHTARG = replenish.lead_time,
	FUNCTION = replenish.lead_time_plus, COMMUTATOR = OPERATOR(replenish.+)
);
COMMENT ON OPERATOR replenish.+ (replenish.lead_time, replenish.lead_time) IS
'add lead times';

CREATE FUNCTION replenish.lead_time_minus(replenish.lead_time,
	replenish.lead_time)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_minus'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_minus(replenish.lead_time, replenish.lead_time) IS
'Takes the second record out of the first, exact: (a + b) - b = a. What is taken out before it was added leaves a record of fewer than no observations, which says nothing. Implements -.';

CREATE OPERATOR replenish.- (
	LEFTARG = replenish.lead_time, RIGHTARG = replenish.lead_time,
	FUNCTION = replenish.lead_time_minus
);
COMMENT ON OPERATOR replenish.- (replenish.lead_time, replenish.lead_time) IS
'take lead times back';

CREATE FUNCTION replenish.lead_time_add(lead_time replenish.lead_time,
	ordered_at timestamptz, received_at timestamptz)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_add'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_add(replenish.lead_time, timestamptz, timestamptz) IS
'The record with one shipment more; ''{}'' is the record of none. A lead time below 0 or above 3653 days, or an infinite moment, is counted as impossible.';

-- Aggregates.  Their state is the type itself, so that partial states travel
-- between parallel workers and between servers; a frame that moves takes out
-- what leaves it.

CREATE FUNCTION replenish.lead_time_accum(replenish.lead_time,
	ordered_at timestamptz, received_at timestamptz)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_accum'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_accum(replenish.lead_time, timestamptz, timestamptz) IS
'Transition function of lead_time_agg; an error outside of an aggregate.';

CREATE FUNCTION replenish.lead_time_accum_inv(replenish.lead_time,
	ordered_at timestamptz, received_at timestamptz)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_accum_inv'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_accum_inv(replenish.lead_time, timestamptz, timestamptz) IS
'Inverse transition function of lead_time_agg; an error outside of an aggregate.';

CREATE FUNCTION replenish.lead_time_final(replenish.lead_time)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_final'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_final(replenish.lead_time) IS
'Final function of lead_time_agg over a moving frame: NULL for no rows.';

CREATE FUNCTION replenish.lead_time_combine(replenish.lead_time,
	replenish.lead_time)
RETURNS replenish.lead_time
AS 'MODULE_PATHNAME', 'replenish_lead_time_combine'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION
replenish.lead_time_combine(replenish.lead_time, replenish.lead_time) IS
'Transition function of lead_time_merge and combine function of the lead-time aggregates; an error outside of an aggregate.';

CREATE AGGREGATE replenish.lead_time_agg(ordered_at timestamptz,
	received_at timestamptz) (
	SFUNC = replenish.lead_time_accum,
	STYPE = replenish.lead_time,
	COMBINEFUNC = replenish.lead_time_combine,
	MSFUNC = replenish.lead_time_accum,
	MINVFUNC = replenish.lead_time_accum_inv,
	MSTYPE = replenish.lead_time,
	MFINALFUNC = replenish.lead_time_final,
	MINITCOND = '{}',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE replenish.lead_time_agg(timestamptz, timestamptz) IS
'Record of all rows that were received: received_at - ordered_at, in days of 24 hours, from 0 to 3653. Earlier, later or infinite moments are counted as impossible; rows with a NULL (not yet received) are left out; NULL without rows. The order of the rows does not matter.';

CREATE AGGREGATE replenish.lead_time_merge(lead_time replenish.lead_time) (
	SFUNC = replenish.lead_time_combine,
	STYPE = replenish.lead_time,
	COMBINEFUNC = replenish.lead_time_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE replenish.lead_time_merge(replenish.lead_time) IS
'Sum of all records; NULLs are left out; NULL without rows.';

-- Reading

CREATE FUNCTION replenish.lead_time_n(lead_time replenish.lead_time)
RETURNS bigint
AS 'MODULE_PATHNAME', 'replenish_lead_time_n'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_n(replenish.lead_time) IS
'Number of lead times observed.';

CREATE FUNCTION replenish.lead_time_impossible(lead_time replenish.lead_time)
RETURNS bigint
AS 'MODULE_PATHNAME', 'replenish_lead_time_impossible'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_impossible(replenish.lead_time) IS
'Number of rows whose lead time was below 0 or above 3653 days or had an infinite moment; no estimate knows of them.';

CREATE FUNCTION replenish.lead_time_mean(lead_time replenish.lead_time)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_lead_time_mean'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_mean(replenish.lead_time) IS
'Mean lead time in days by this record alone: exp(m + s^2 / 2) - 1 with the mean m and the sample variance s^2 (0 for one observation) of ln(1 + days), at most 3653. NULL without observations.';

CREATE FUNCTION replenish.lead_time_sd(lead_time replenish.lead_time)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_lead_time_sd'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_sd(replenish.lead_time) IS
'Standard deviation of the lead time in days by this record alone: (1 + mean) * sqrt(exp(s^2) - 1) with the sample variance s^2 of ln(1 + days), at most 3653. NULL below two observations.';

CREATE FUNCTION replenish.lead_time_estimate(route replenish.lead_time,
	parent replenish.lead_time DEFAULT NULL,
	whole replenish.lead_time DEFAULT NULL,
	season replenish.lead_time DEFAULT NULL,
	OUT mean float8, OUT sd float8)
AS 'MODULE_PATHNAME', 'replenish_lead_time_estimate'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_estimate(replenish.lead_time,
	replenish.lead_time, replenish.lead_time, replenish.lead_time) IS
'Mean and standard deviation in days of the next shipment''s lead time (times interval ''1 day'': the arguments of demand_threshold). parent is the record of a group of routes, whole that of all, season that part of route''s which is like now; NULL or no observations: as if it were not given. From the widest to the narrowest, a record of n observations with mean y and sum of squared deviations d of ln(1 + days) takes what was believed before, mean m and variance v, as k more for the mean and q more for the variance: m becomes (n y + k m) / (n + k), v becomes (q v + d + (y - m)^2 n k / (n + k)) / (n + q) with k = 5 for parent, 8 for route and season, q = 20; for the first record that there is, what is believed before is 30 days with sd 8, k = 1 and q = 3, and the term with (y - m)^2 is left out. At last v is multiplied by (1 + 1 / (n + k)) * (n + q) / (n + q - 2), for the predictive variance, with n, k and q of season or else of route, which has n = 0 where it is new. The mean is exp(m + v / 2) - 1, the sd (1 + mean) * sqrt(exp(v) - 1), both at most 3653. 30 and 8 where there is no observation at all.';

CREATE FUNCTION replenish.lead_time_quantile(mean float8, sd float8,
	p float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'replenish_lead_time_quantile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.lead_time_quantile(float8, float8, float8) IS
'Days within which a shipment is received with probability p (0 < p < 1), where 1 + days is log-normal and the lead time has this mean and sd, in days, neither negative: exp(m + z(p) * s) - 1, at least 0, with s^2 = ln(1 + (sd / (1 + mean))^2) and m = ln(1 + mean) - s^2 / 2. An error where that is beyond float8.';
