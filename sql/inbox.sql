---------------------------------------------------------------------------
-- The inbox as functions: taken, read, trimmed; and sums that never fail.
---------------------------------------------------------------------------

CREATE VIEW replenish.inbox AS
	SELECT * FROM replenish.inbox_even
	UNION ALL
	SELECT * FROM replenish.inbox_odd;

COMMENT ON VIEW replenish.inbox IS
'Movements that no decider has taken yet, in micro-units and minutes since 1970 UTC; empty when all is decided. kind: d demand, x demand deleted, s a whole summary, h on hand, r reserved, o on order, f rows that cannot be counted, t look at the item again (blank: all), l lines of an order, k the same deleted, H its headers, X the same deleted, n rows of a snapshot, q demand that only snapshots miss. The sku of lines and headers is the key of the order, with its length in bytes and a colon before it, then the SKU.';

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

CREATE FUNCTION replenish.append(amount bigint, minute integer, source integer,
	kind "char", sku text, location text, channel text) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_append'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.append(bigint, integer, integer, "char", text, text, text) IS
'Appends one movement to the inbox as an order does, to whichever of its tables takes it; an error where none does. An INSERT could put it where the decider comes by seldom. See the view inbox; for the extension''s own functions only.';

CREATE FUNCTION replenish.inbox_waits() RETURNS boolean
	AS 'MODULE_PATHNAME', 'replenish_inbox_waits'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.inbox_waits() IS
'Whether any movement waits in the inbox or the backlog.';

CREATE FUNCTION replenish.backlog_waits() RETURNS boolean
	AS 'MODULE_PATHNAME', 'replenish_backlog_waits'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.backlog_waits() IS
'Whether any difference waits in the backlog.';

CREATE FUNCTION replenish.trim_inbox(now timestamptz) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_trim_inbox'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.trim_inbox(timestamptz) IS
'Gives the pages of the half of the inbox that is not in turn at that moment back to the system, where it has many and nobody can see a row in it any more. It never waits, and no order waits for it. For the decider only.';

-- An integer, for what is compared with a numeric finds no index.
CREATE FUNCTION replenish.minute_of(moment timestamptz) RETURNS integer
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.floor(extract(epoch FROM moment) / 60)::integer;
	END;
COMMENT ON FUNCTION replenish.minute_of(timestamptz) IS
'The minute of a moment, since 1970 UTC, as the inbox and the state have it.';

CREATE FUNCTION replenish.drain(clock timestamptz, sold_since timestamptz,
	backlog bigint, orders boolean,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint, OUT order_key text, OUT deleted boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_drain'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.drain(timestamptz, timestamptz, bigint, boolean) IS
'Takes the lines and headers of orders, or all else, from the inbox and from so many rows of the backlog, exactly once, summed. kind demand: a summary up to the clock, by source, sku, location and channel; audience: the same of viewers, and of counts of them, which of the two in location; stock: units by source, sku, location and minute of the snapshot, its rows in amount; postponed: demand dated after the clock, in micro-units by minute; sold: demand from sold_since (NULL: never) on, likewise; inbound: what is on order, in micro-units by the minute in which it is expected, its route in channel; on time and late: receipts by the minutes since they were ordered, their number in amount; fault: rows that cannot be counted, their reason in channel and their number in amount; touch: items to look at again; line and header: those of orders that are to be joined, one by one, micro-units or rows in amount. For the decider only.';

CREATE FUNCTION replenish.pending(clock timestamptz,
	sold_since timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint, OUT order_key text, OUT deleted boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_pending'
	LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 20
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION replenish.pending(timestamptz, timestamptz) IS
'What drain() would take with the whole backlog, left where it is. It takes no predicate locks, so that a SERIALIZABLE report never makes an order fail.';

CREATE FUNCTION replenish.absorb(state replenish.demand,
	delta replenish.demand) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_absorb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.absorb(replenish.demand, replenish.demand) IS
'The sum of two summaries, for the decider: where a bucket would overflow it warns and returns the first as it was, and one that is damaged stays so, so that one poisoned item stops no other.';

CREATE FUNCTION replenish.is_sound(demand replenish.demand,
	clock timestamptz) RETURNS boolean
	AS 'MODULE_PATHNAME', 'replenish_is_sound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.is_sound(replenish.demand, timestamptz) IS
'Whether a summary can be read and holds nothing later than the clock. One that cannot be read is an error to every other function; one that was made when the clock was wrong has no room for what happens before.';

CREATE FUNCTION replenish.absorb_units(state replenish.demand,
	demand replenish.demand, units numeric) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_absorb_units'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION replenish.absorb_units(replenish.demand, replenish.demand, numeric) IS
'Transition function of item_demand_agg; an error outside of an aggregate.';

CREATE AGGREGATE replenish.item_demand_agg(demand replenish.demand,
	units numeric) (
	SFUNC = replenish.absorb_units,
	STYPE = replenish.demand,
	FINALFUNC = replenish.demand_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE replenish.item_demand_agg(replenish.demand, numeric) IS
'The demand of one item from the summaries of its codes, each times its units; where a bucket would overflow, a summary is left out with a warning, so that one poisoned item stops no other. NULL without any.';

