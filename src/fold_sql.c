/*-------------------------------------------------------------------------
 *
 * fold_sql.c
 *	  SQL functions over folds: the inbox taken, the inbox read, lines and
 *	  headers joined; and the sum that never fails.
 *
 *-------------------------------------------------------------------------
 */
#include "fold.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "args.h"
#include "demand_acc.h"

PG_FUNCTION_INFO_V1(replenish_drain);
PG_FUNCTION_INFO_V1(replenish_pending);
PG_FUNCTION_INFO_V1(replenish_inbox_waits);
PG_FUNCTION_INFO_V1(replenish_backlog_waits);
PG_FUNCTION_INFO_V1(replenish_trim_inbox);
PG_FUNCTION_INFO_V1(replenish_wake);
PG_FUNCTION_INFO_V1(replenish_rejoin);
PG_FUNCTION_INFO_V1(replenish_absorb);
PG_FUNCTION_INFO_V1(replenish_absorb_units);
PG_FUNCTION_INFO_V1(replenish_is_sound);
PG_FUNCTION_INFO_V1(replenish_demand_since);

/* The minute of a moment that was given as an argument. */
static int64
minute_argument(FunctionCallInfo fcinfo, int argno)
{
	return arg_moment_usec(PG_GETARG_TIMESTAMPTZ(argno), "clock") /
		USECS_PER_MINUTE;
}

/*
 * Read the argument clock and, if it is there, sold_since behind it; make
 * ready for the rows of a fold.
 */
void
fold_arguments(FunctionCallInfo fcinfo, int argno, int64 *clock_minute,
			   int64 *sold_since)
{
	*clock_minute = minute_argument(fcinfo, argno);
	*sold_since = PG_INT64_MAX;
	/* in 1.0 it was not there */
	if (PG_NARGS() > argno + 1 && !PG_ARGISNULL(argno + 1))
		*sold_since = minute_argument(fcinfo, argno + 1);
	InitMaterializedSRF(fcinfo, 0);
}

/* A fold with these arguments that returns its rows. */
static Fold *
begin_fold(FunctionCallInfo fcinfo, int clock_argno)
{
	int64		clock;
	int64		sold_since;

	fold_arguments(fcinfo, clock_argno, &clock, &sold_since);
	return fold_create(clock, sold_since, fold_return_row, fcinfo->resultinfo);
}

/*
 * drain(clock, sold_since, backlog, orders): take the lines and headers of
 * orders, or all else, from the inbox.
 */
Datum
replenish_drain(PG_FUNCTION_ARGS)
{
	Fold	   *fold = begin_fold(fcinfo, 0);
	int64		backlog = 0;
	InboxUse	use = INBOX_DRAIN;

	if (PG_NARGS() > 3)
	{
		backlog = PG_GETARG_INT64(2);
		use = PG_GETARG_BOOL(3) ? INBOX_DRAIN_ORDERS : INBOX_DRAIN_REST;
	}
	inbox_scan(GetActiveSnapshot(), use, backlog, fold_add, fold);
	fold_emit(fold);
	return (Datum) 0;
}

/* pending(clock, sold_since): the same, left where it is. */
Datum
replenish_pending(PG_FUNCTION_ARGS)
{
	Fold	   *fold = begin_fold(fcinfo, 0);

	/* a session that only reads may be older than the promotion of its server */
	(void) worker_ensure();
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

/* backlog_waits(): whether there is any in the backlog. */
Datum
replenish_backlog_waits(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(backlog_has_rows(GetActiveSnapshot()));
}

/* trim_inbox(now): find out what is settled, give back what nobody can see any more. */
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

/* Rows of a join taken at once. */
#define JOIN_ROWS		100000

/* Both sides of the join of one source; what no number can hold is left out. */
static const char rejoin_query[] =
	"SELECT n.sku, n.location, n.channel, n.minute, n.amount::bigint "
	"FROM (SELECT l.sku, "
	"coalesce(nullif(h.location || l.location, ''), 'default') AS location, "
	"coalesce(nullif(h.channel || l.channel, ''), 'default') AS channel, "
	"h.minute + l.minute AS minute, "
	"sum(h.rows::numeric * l.amount) AS amount "
	"FROM replenish.order_header h "
	"JOIN replenish.order_line l USING (source, order_key) "
	"WHERE h.source = $1 GROUP BY 1, 2, 3, 4) n "
	"WHERE n.amount BETWEEN -9e18 AND 9e18 AND n.amount <> 0";

/* A text of the present row as a key; its bytes live as long as the row. */
static Key
spi_key(HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, SPI_tuptable->tupdesc, column,
									  &isnull);
	struct varlena *text = pg_detoast_datum_packed((struct varlena *)
												   DatumGetPointer(value));
	Key			key = {VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)};

	return key;
}

/*
 * rejoin(source, clock, sold_since): what a source's lines and headers add up
 * to when they are joined.
 */
Datum
replenish_rejoin(PG_FUNCTION_ARGS)
{
	Oid			argtypes[] = {INT4OID};
	Datum		args[] = {PG_GETARG_DATUM(0)};
	Fold	   *fold = begin_fold(fcinfo, 1);
	Portal		portal;

	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, rejoin_query, 1, argtypes, args,
									   NULL, true, 0);
	do
	{
		SPI_cursor_fetch(portal, true, JOIN_ROWS);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			TupleDesc	desc = SPI_tuptable->tupdesc;
			Movement	move = {0};
			bool		isnull;

			move.source = PG_GETARG_INT32(0);
			move.kind = MOVE_DEMAND;
			move.sku = spi_key(row, 1);
			move.location = spi_key(row, 2);
			move.channel = spi_key(row, 3);
			move.minute = DatumGetInt32(SPI_getbinval(row, desc, 4, &isnull));
			move.amount = DatumGetInt64(SPI_getbinval(row, desc, 5, &isnull));
			fold_add(&move, fold);
		}
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	fold_emit(fold);
	return (Datum) 0;
}

/* Say that what was added to an item does not fit. */
static void
warn_left_out(void)
{
	ereport(WARNING,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("demand is larger than a summary can hold"),
			 errdetail("What was added to one item is left out."),
			 errhint("Correct the quantities, then CALL replenish.repair().")));
}

/*
 * absorb(state, delta): their sum, or the state where that does not fit or one
 * of them is damaged.
 */
Datum
replenish_absorb(PG_FUNCTION_ARGS)
{
	DemandRings state;
	DemandRings delta;

	worker_yield();
	/* damaged, it stops its item when that is decided */
	if (!demand_is_sound(PG_GETARG_DATUM(0), &state))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (!demand_is_sound(PG_GETARG_DATUM(1), &delta) ||
		!demand_merge(&state, &delta, 1))
		warn_left_out();
	PG_RETURN_DEMAND(&state);
}

/*
 * is_sound(demand, clock): whether a summary can be read, and does not look at
 * what happens before the clock from a time after it.
 */
Datum
replenish_is_sound(PG_FUNCTION_ARGS)
{
	DemandRings rings;

	PG_RETURN_BOOL(demand_is_sound(PG_GETARG_DATUM(0), &rings) &&
				   (rings.end == DEMAND_NO_END ||
					rings.end <= minute_argument(fcinfo, 1)));
}

/*
 * absorb_units(state, demand, units): the state with the demand added so many
 * times, or without it where that does not fit.  For item_demand_agg().
 */
Datum
replenish_absorb_units(PG_FUNCTION_ARGS)
{
	double		units = 1;
	DemandRings rings;
	DemandAcc  *state;
	bool		fits = true;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function \"%s\" is for aggregates only",
						"replenish.absorb_units")));
	if (!PG_ARGISNULL(2))
		units = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
												   PG_GETARG_DATUM(2)));
	/* a group of one is mostly the value itself */
	if (PG_ARGISNULL(0) && !PG_ARGISNULL(1) && units == 1)
		PG_RETURN_POINTER(PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
	if (PG_ARGISNULL(0))
		state = demand_acc_create();
	else if (demand_is_open((struct varlena *) PG_GETARG_POINTER(0)))
		state = (DemandAcc *) PG_GETARG_POINTER(0);
	else
	{
		PG_GETARG_DEMAND(0, &rings);
		state = demand_acc_put_rings(demand_acc_create(), &rings, 1, &fits);
	}
	if (!PG_ARGISNULL(1))
	{
		PG_GETARG_DEMAND(1, &rings);
		if (units != 1)
			fits = demand_scale(&rings, units);
		if (fits)
			state = demand_acc_put_rings(state, &rings, 1, &fits);
		if (!fits)
			warn_left_out();
	}
	PG_RETURN_POINTER(state);
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
