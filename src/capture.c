/*-------------------------------------------------------------------------
 *
 * capture.c
 *	  The triggers on the shop's tables, and the same door for programs.
 *
 * One function serves every statement form.  It reads the transition tables,
 * sums what moved, and appends it: an update is the old rows with the sign
 * turned and the new ones as they are, so nothing is ever set, only added, and
 * the order in which transactions arrive cannot matter.
 *
 * What a session writes is seen by triggers for each statement.  The apply of
 * logical replication fires none of these, so in its role triggers for each
 * row take their place.  Each kind keeps still in the other's role, however
 * somebody enabled it: no row is counted twice.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/table.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "args.h"
#include "key.h"

PG_FUNCTION_INFO_V1(replenish_capture);
PG_FUNCTION_INFO_V1(replenish_count_rows);
PG_FUNCTION_INFO_V1(replenish_append);
PG_FUNCTION_INFO_V1(replenish_record_demand);

/* Where movements go while a table is scanned. */
typedef struct Sink
{
	Batch	   *batch;
	int			sign;
} Sink;

static void
sink_movement(const Movement *move, void *arg)
{
	Sink	   *sink = arg;

	batch_add(sink->batch, move, sink->sign);
}

/* Add the movements of one row; 'row_context' is for reading it. */
static void
capture_row(SourceReader *reader, TupleTableSlot *slot, int sign, bool deleted,
			MemoryContext row_context, Batch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(row_context);
	Movement	moves[ROW_MOVEMENTS];
	int			n = source_read(reader, slot, sign, deleted, moves);

	MemoryContextSwitchTo(old);
	for (int i = 0; i < n; i++)
		batch_add(batch, &moves[i], sign);
	/* a numeric is read as text: a million of them are not kept */
	MemoryContextReset(row_context);
}

/* Add the rows of a transition table. */
static void
capture_rows(Tuplestorestate *rows, Relation rel, const Source *source,
			 int sign, bool deleted, Batch *batch)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish row",
													  ALLOCSET_SMALL_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);
	SourceReader reader;

	source_bind(source, RelationGetDescr(rel), &reader);
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		capture_row(&reader, slot, sign, deleted, row_context, batch);
		CHECK_FOR_INTERRUPTS();
	}
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
}

/* Add what happened to one row, as a trigger for each row sees it. */
static void
capture_event(TriggerData *trigger, const Source *source, Batch *batch)
{
	TriggerEvent event = trigger->tg_event;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish row",
													  ALLOCSET_SMALL_SIZES);
	SourceReader reader;

	source_bind(source, RelationGetDescr(trigger->tg_relation), &reader);
	/* the slots hold the old and the new row, or the only one */
	if (!TRIGGER_FIRED_BY_INSERT(event))
		capture_row(&reader, trigger->tg_trigslot, -1,
					TRIGGER_FIRED_BY_DELETE(event), row_context, batch);
	if (!TRIGGER_FIRED_BY_DELETE(event))
		capture_row(&reader, TRIGGER_FIRED_BY_INSERT(event) ?
					trigger->tg_trigslot : trigger->tg_newslot, 1, false,
					row_context, batch);
	MemoryContextDelete(row_context);
}

/*
 * Add a relation's own rows as they are now, also those that the snapshot of
 * the statement does not see; the caller keeps writers off.
 */
static void
capture_present(Relation rel, const Source *source, int sign, bool deleted,
				Batch *batch)
{
	Sink		sink = {batch, sign};

	PushActiveSnapshot(GetLatestSnapshot());
	scan_own_rows(rel, source, GetActiveSnapshot(), sign, deleted,
				  sink_movement, &sink);
	PopActiveSnapshot();
}

/* Append what a batch holds and see that somebody decides. */
static void
deliver(Batch *batch)
{
	if (batch_flush(batch) && !decider_try_now())
		wake_at_commit();
}

/*
 * The trigger function: see watch_orders() and watch_stock().  A TRUNCATE
 * fires the triggers of every partition or child that it empties, so each
 * takes back its own rows only.
 */
Datum
replenish_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	rel;
	TriggerEvent event;
	Trigger    *definition;
	Source		source;
	char	  **args;
	int			nargs;
	Batch	   *batch;
	bool		for_row;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"replenish.capture")));
	event = trigger->tg_event;
	for_row = TRIGGER_FIRED_FOR_ROW(event) != 0;
	/* what it returns before a row would be taken for no row */
	if (for_row && !TRIGGER_FIRED_AFTER(event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired for statement, or after row",
						"replenish.capture"),
				 errhint("Use replenish.watch_orders() or replenish.watch_stock().")));
	if (!TRIGGER_FIRED_BY_TRUNCATE(event) &&
		for_row !=
		(SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA))
		return PointerGetDatum(NULL);
	rel = trigger->tg_relation;
	definition = trigger->tg_trigger;
	nargs = source_unpack(definition->tgnargs == 1 ? definition->tgargs[0] : "",
						  &args);
	source_parse(nargs, args, &source);
	batch = batch_create();
	if (TRIGGER_FIRED_BY_TRUNCATE(event))
		capture_present(rel, &source, -1, true, batch);
	else if (for_row)
		capture_event(trigger, &source, batch);
	if (trigger->tg_oldtable != NULL)
		capture_rows(trigger->tg_oldtable, rel, &source, -1,
					 TRIGGER_FIRED_BY_DELETE(event), batch);
	if (trigger->tg_newtable != NULL)
		capture_rows(trigger->tg_newtable, rel, &source, 1, false, batch);
	deliver(batch);
	return PointerGetDatum(NULL);
}

/*
 * count_rows(relation, arguments, sign, deleted): a relation's own rows come
 * to a watched table, or go from it, without a statement on them.
 */
Datum
replenish_count_rows(PG_FUNCTION_ARGS)
{
	int			sign = PG_GETARG_INT32(2) < 0 ? -1 : 1;
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	Batch	   *batch = batch_create();
	Source		source;

	source_parse_array(PG_GETARG_ARRAYTYPE_P(1), &source);
	capture_present(rel, &source, sign, PG_GETARG_BOOL(3), batch);
	deliver(batch);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* Complain of a key that is longer than any. */
static void
check_key_length(const Key *key, const char *argname)
{
	if (key->len > KEY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("argument \"%s\" is longer than %d bytes", argname,
						KEY_MAX),
				 errdetail("It has %d bytes.", key->len)));
}

/* Read a key argument; NULL or blank is the default where there is one. */
static void
key_argument(FunctionCallInfo fcinfo, int argno, const char *argname,
			 const char *fallback, Key *key)
{
	key->len = 0;
	if (!PG_ARGISNULL(argno))
	{
		text	   *value = PG_GETARG_TEXT_PP(argno);

		key->data = VARDATA_ANY(value);
		key->len = VARSIZE_ANY_EXHDR(value);
	}
	if (key_is_blank(key) && fallback != NULL)
	{
		key->data = fallback;
		key->len = strlen(fallback);
	}
	else if (key_is_blank(key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be blank", argname)));
	check_key_length(key, argname);
}

/* Append what could be recounted from nowhere. */
static void
append_or_fail(const Movement *move)
{
	if (!inbox_append(move, 1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the inbox of replenish takes nothing now"),
				 errdetail("Its tables are locked, or not as this library knows them."),
				 errhint("See replenish.health(), then try again.")));
}

/* A key argument as it is. */
static Key
text_argument(FunctionCallInfo fcinfo, int argno, const char *argname)
{
	text	   *value = PG_GETARG_TEXT_PP(argno);
	Key			key = {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};

	check_key_length(&key, argname);
	return key;
}

/*
 * append(amount, minute, source, kind, sku, location, channel): what our own
 * SQL has to say, but no line or header of an order.
 */
Datum
replenish_append(PG_FUNCTION_ARGS)
{
	Movement	move = {0};

	move.amount = PG_GETARG_INT64(0);
	move.minute = PG_GETARG_INT32(1);
	move.source = PG_GETARG_INT32(2);
	move.kind = (MovementKind) PG_GETARG_CHAR(3);
	move.sku = text_argument(fcinfo, 4, "sku");
	move.location = text_argument(fcinfo, 5, "location");
	move.channel = text_argument(fcinfo, 6, "channel");
	append_or_fail(&move);
	PG_RETURN_VOID();
}

/*
 * record_demand(sku, qty, at, location, channel): demand from a program that
 * keeps no table.  Unlike an order, the caller is told what is wrong.
 */
Datum
replenish_record_demand(PG_FUNCTION_ARGS)
{
	Movement	move = {0};
	double		qty;

	PreventCommandDuringRecovery("replenish.record_demand()");
	PreventCommandIfReadOnly("replenish.record_demand()");
	move.kind = MOVE_DEMAND;
	key_argument(fcinfo, 0, "sku", NULL, &move.sku);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "qty")));
	qty = PG_GETARG_FLOAT8(1);
	if (value_check_quantity(qty, &move.amount) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"%s\" must be a number from -1e12 to 1e12",
						"qty")));
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "at")));
	move.minute = arg_moment_usec(PG_GETARG_TIMESTAMPTZ(2), "at") /
		USECS_PER_MINUTE;
	key_argument(fcinfo, 3, "location", DEFAULT_KEY, &move.location);
	key_argument(fcinfo, 4, "channel", DEFAULT_KEY, &move.channel);
	if (move.amount != 0)
	{
		append_or_fail(&move);
		if (!decider_try_now())
			wake_at_commit();
	}
	PG_RETURN_VOID();
}
