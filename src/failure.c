/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  What went wrong where nobody asked, kept for health().
 *
 * Orders append what they could not record, and why they could not decide, as
 * they append to the inbox: with no rights, no index and no waiting.  Where not
 * even that is possible, the server's log has it.
 *
 * A worker notes that it starts before it does anything else, and takes the
 * note back when it has decided once.  So a worker that dies each time, even if
 * it takes the server with it, is not started again by each order.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(replenish_inbox_broken);
PG_FUNCTION_INFO_V1(replenish_library_version);

/* Attributes of replenish.lost, and of replenish.failure, in their order. */
enum
{
	LOST_SOURCE,
	LOST_ROWS,
	LOST_AT,
	LOST_NATTS
};

enum
{
	FAILURE_WHAT,
	FAILURE_SKU,
	FAILURE_LOCATION,
	FAILURE_TIMES,
	FAILURE_SINCE,
	FAILURE_LAST_AT,
	FAILURE_RETRY_AT,
	FAILURE_FIRST_SEQ,
	FAILURE_ERROR,
	FAILURE_NATTS
};

static const Oid lost_types[] = {INT4OID, INT8OID, TIMESTAMPTZOID};
static const Oid failure_types[] = {TEXTOID, TEXTOID, TEXTOID, INT8OID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, TEXTOID};

/*
 * Open one of our tables without waiting for it; NULL if that is not possible,
 * or if it is not as this library knows it.
 */
static Relation
open_own(const char *name, const Oid *types, int ntypes, LOCKMODE lockmode)
{
	Oid			schema = get_namespace_oid("replenish", true);
	Oid			relid = OidIsValid(schema) ?
		get_relname_relid(name, schema) : InvalidOid;
	Relation	rel;

	if (!OidIsValid(relid) || !ConditionalLockRelationOid(relid, lockmode))
		return NULL;
	rel = try_relation_open(relid, NoLock);
	if (rel != NULL && is_own_table(rel, types, ntypes))
		return rel;
	if (rel != NULL)
		relation_close(rel, NoLock);
	UnlockRelationOid(relid, lockmode);
	return NULL;
}

/* Append a row to one of them and close it. */
static void
append_row(Relation rel, Datum *values, bool *nulls)
{
	heap_insert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls),
				GetCurrentCommandId(true), 0, NULL);
	table_close(rel, NoLock);
}

/* Movements of a source could not be recorded: its sums are not exact now. */
void
failure_lost(int32 source, int64 rows)
{
	Relation	rel = open_own("lost", lost_types, LOST_NATTS,
							   RowExclusiveLock);
	Datum		values[LOST_NATTS];
	bool		nulls[LOST_NATTS] = {false};

	if (rel != NULL)
	{
		values[LOST_SOURCE] = Int32GetDatum(source);
		values[LOST_ROWS] = Int64GetDatum(rows);
		values[LOST_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
		append_row(rel, values, nulls);
	}
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the inbox of replenish takes nothing now"),
			 errdetail("Its tables are locked, or not as this library knows them: " INT64_FORMAT " movements were not recorded.",
					   rows),
			 errhint("See replenish.health(), then CALL replenish.repair().")));
}

/* An order could not decide; 'what' is as in replenish.failure. */
void
failure_append(const char *what, const char *error)
{
	Relation	rel = open_own("failure", failure_types, FAILURE_NATTS,
							   RowExclusiveLock);
	Datum		values[FAILURE_NATTS] = {0};
	bool		nulls[FAILURE_NATTS] = {false};

	if (rel == NULL)
		return;
	nulls[FAILURE_SKU] = nulls[FAILURE_LOCATION] = true;
	nulls[FAILURE_RETRY_AT] = nulls[FAILURE_FIRST_SEQ] = true;
	values[FAILURE_WHAT] = CStringGetTextDatum(what);
	values[FAILURE_TIMES] = Int64GetDatum(1);
	values[FAILURE_SINCE] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[FAILURE_LAST_AT] = values[FAILURE_SINCE];
	values[FAILURE_ERROR] = CStringGetTextDatum(error);
	append_row(rel, values, nulls);
}

/* Say whether a row of replenish.failure is the worker's; when to try again. */
static bool
is_workers(TupleTableSlot *slot, TimestampTz *retry_at)
{
	bool		no_what;
	bool		no_last;
	bool		no_retry;
	Datum		what = slot_getattr(slot, FAILURE_WHAT + 1, &no_what);
	Datum		last = slot_getattr(slot, FAILURE_LAST_AT + 1, &no_last);
	Datum		retry = slot_getattr(slot, FAILURE_RETRY_AT + 1, &no_retry);

	/* what ended with the server need not have died */
	if (no_what || no_last || no_retry ||
		DatumGetTimestampTz(last) < PgStartTime ||
		strcmp(TextDatumGetCString(what), "worker") != 0)
		return false;
	*retry_at = DatumGetTimestampTz(retry);
	return true;
}

/* Until when no worker is to be started, because the last ones died. */
TimestampTz
failure_retry_at(void)
{
	Relation	rel = open_own("failure", failure_types, FAILURE_NATTS,
							   AccessShareLock);
	TimestampTz found = DT_NOBEGIN;
	Snapshot	snapshot;
	TupleTableSlot *slot;
	TableScanDesc scan;

	if (rel == NULL)
		return found;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan_strat(rel, scan_snapshot(snapshot), 0, NULL, true,
								 true);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		TimestampTz retry_at;

		if (table_tuple_satisfies_snapshot(rel, slot, snapshot) &&
			is_workers(slot, &retry_at))
			found = Max(found, retry_at);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return found;
}

/* inbox_broken(): the table of the inbox that is not as it should be, or NULL. */
Datum
replenish_inbox_broken(PG_FUNCTION_ARGS)
{
	const char *name = inbox_broken();

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(CStringGetTextDatum(name));
}

/* library_version(): the version of the SQL that this library belongs to. */
Datum
replenish_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(CStringGetTextDatum(REPLENISH_VERSION));
}
