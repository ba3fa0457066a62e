/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Every row of a watched table, read as its triggers would read it.
 *
 * Used where there is no transition table: before a TRUNCATE, when a partition
 * comes or goes, and to recount a table for verify() and backfill().  The
 * parts of a partitioned table are read one by one, each with its own order of
 * columns.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * Say whether a relation has rows of its own that count.  What has no storage,
 * or is some session's temporary child of a shop's table, has none.
 */
bool
scan_has_rows(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION &&
		rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP;
}

/*
 * The snapshot to scan a table with.  In a SERIALIZABLE transaction a scan with
 * a snapshot of its own would take predicate locks, for which orders could fail
 * to serialize; see inbox.c.
 */
Snapshot
scan_snapshot(Snapshot snapshot)
{
	return IsolationIsSerializable() ? SnapshotAny : snapshot;
}

/*
 * Visit the movements of the rows that a snapshot sees and a scan with its
 * scan_snapshot() returns, and end the scan.
 */
void
scan_rows(Relation rel, TableScanDesc scan, Snapshot snapshot,
		  const Source *source, int sign, bool deleted,
		  MovementVisitor visit, void *arg)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish row",
													  ALLOCSET_SMALL_SIZES);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	bool		own_check = scan_snapshot(snapshot) != snapshot;
	SourceReader reader;

	source_bind(source, RelationGetDescr(rel), &reader);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old;
		Movement	moves[ROW_MOVEMENTS];
		int			n;

		CHECK_FOR_INTERRUPTS();
		if (own_check && !table_tuple_satisfies_snapshot(rel, slot, snapshot))
			continue;
		old = MemoryContextSwitchTo(row_context);
		n = source_read(&reader, slot, sign, deleted, moves);
		MemoryContextSwitchTo(old);
		for (int i = 0; i < n; i++)
			visit(&moves[i], arg);
		MemoryContextReset(row_context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
}

/*
 * Visit the movements of a relation's own rows.  Row security does not apply:
 * the caller answers for who may ask.
 */
void
scan_own_rows(Relation rel, const Source *source, Snapshot snapshot, int sign,
			  bool deleted, MovementVisitor visit, void *arg)
{
	if (scan_has_rows(rel))
		scan_rows(rel,
				  table_beginscan_strat(rel, scan_snapshot(snapshot), 0, NULL,
										true, true),
				  snapshot, source, sign, deleted, visit, arg);
}
