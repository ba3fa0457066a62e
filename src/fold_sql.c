/*-------------------------------------------------------------------------
 *
 * fold_sql.c
 *	  SQL functions over folds: the inbox taken, the inbox read, a watched
 *	  table recounted; and the sum that never fails.
 *
 *-------------------------------------------------------------------------
 */
#include "fold.h"

#include "access/table.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "args.h"
#include "demand_acc.h"

PG_FUNCTION_INFO_V1(replenish_drain);
PG_FUNCTION_INFO_V1(replenish_pending);
PG_FUNCTION_INFO_V1(replenish_inbox_waits);
PG_FUNCTION_INFO_V1(replenish_trim_inbox);
PG_FUNCTION_INFO_V1(replenish_wake);
PG_FUNCTION_INFO_V1(replenish_recount);
PG_FUNCTION_INFO_V1(replenish_absorb);
PG_FUNCTION_INFO_V1(replenish_demand_since);

/* The minute of a clock that was given as an argument. */
static int64
clock_argument(FunctionCallInfo fcinfo, int argno)
{
	return arg_moment_usec(PG_GETARG_TIMESTAMPTZ(argno), "clock") /
		USECS_PER_MINUTE;
}

/* A fold for the clock and, if it is there, the argument sold_since. */
static Fold *
begin_fold(FunctionCallInfo fcinfo, int clock_argno)
{
	int64		clock = clock_argument(fcinfo, clock_argno);
	int64		sold_since = PG_INT64_MAX;

	/* in 1.0 it was not there */
	if (PG_NARGS() > clock_argno + 1 && !PG_ARGISNULL(clock_argno + 1))
		sold_since = clock_argument(fcinfo, clock_argno + 1);
	InitMaterializedSRF(fcinfo, 0);
	return fold_create(clock, sold_since,
					   (ReturnSetInfo *) fcinfo->resultinfo);
}

/* drain(clock, sold_since, backlog): take every movement from the inbox. */
Datum
replenish_drain(PG_FUNCTION_ARGS)
{
	Fold	   *fold = begin_fold(fcinfo, 0);
	int64		backlog = PG_NARGS() > 2 ? PG_GETARG_INT64(2) : 0;

	inbox_scan(GetActiveSnapshot(), INBOX_DRAIN, backlog, fold_add, fold);
	fold_emit(fold);
	return (Datum) 0;
}

/* pending(clock, sold_since): the same, left where it is. */
Datum
replenish_pending(PG_FUNCTION_ARGS)
{
	Fold	   *fold = begin_fold(fcinfo, 0);

	inbox_scan(GetActiveSnapshot(), INBOX_READ, PG_INT64_MAX, fold_add, fold);
	fold_emit(fold);
	return (Datum) 0;
}

/* inbox_waits(): whether there is any movement. */
Datum
replenish_inbox_waits(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(inbox_has_rows(GetActiveSnapshot()));
}

/* trim_inbox(now): give back what nobody can see any more. */
Datum
replenish_trim_inbox(PG_FUNCTION_ARGS)
{
	inbox_trim(PG_GETARG_TIMESTAMPTZ(0));
	PG_RETURN_VOID();
}

/* wake(): have the worker look when this transaction has committed. */
Datum
replenish_wake(PG_FUNCTION_ARGS)
{
	(void) worker_ensure();
	wake_at_commit();
	PG_RETURN_VOID();
}

/*
 * recount(relation, arguments, clock, sold_since): what the table's rows add up to, read
 * as its triggers with these arguments would have read them.
 */
Datum
replenish_recount(PG_FUNCTION_ARGS)
{
	Fold	   *fold = begin_fold(fcinfo, 2);
	Relation	rel;
	Source		source;

	source_parse_array(PG_GETARG_ARRAYTYPE_P(1), &source);
	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	scan_source(rel, &source, GetActiveSnapshot(), 1, false, fold_add, fold);
	table_close(rel, NoLock);
	fold_emit(fold);
	return (Datum) 0;
}

/* absorb(state, delta): their sum, or the state where that does not fit. */
Datum
replenish_absorb(PG_FUNCTION_ARGS)
{
	DemandRings state;
	DemandRings delta;

	PG_GETARG_DEMAND(0, &state);
	PG_GETARG_DEMAND(1, &delta);
	if (!demand_merge(&state, &delta, 1))
		ereport(WARNING,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("demand is larger than a summary can hold"),
				 errdetail("What was added to one item is left out."),
				 errhint("Correct the quantities, then CALL replenish.repair().")));
	PG_RETURN_DEMAND(&state);
}

/*
 * demand_since(demand, since): without the buckets that begin before that
 * moment; one that lies across it goes as well, but for its finer parts.
 */
Datum
replenish_demand_since(PG_FUNCTION_ARGS)
{
	int64		since = arg_moment_usec(PG_GETARG_TIMESTAMPTZ(1), "since") /
		USECS_PER_MINUTE;
	DemandRings rings;

	PG_GETARG_DEMAND(0, &rings);
	if (rings.end != DEMAND_NO_END)
		for (int i = 0; i < DEMAND_LEVELS; i++)
		{
			DemandLevel level = (DemandLevel) i;
			int64		newest = demand_bucket(level, rings.end);
			int			to = demand_stored_to(level, rings.end);

			for (int age = demand_stored_from(level, rings.end); age < to; age++)
				if (demand_bucket_start(level, newest - age) < since)
					*demand_at_age(&rings, level, age) = 0;
		}
	/* sums of fewer amounts than before, but of any sign */
	if (!demand_rebuild(&rings))
		demand_overflow();
	PG_RETURN_DEMAND(&rings);
}
