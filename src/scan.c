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
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

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

/* Visit the movements of the rows that a scan returns, and end it. */
void
scan_rows(Relation rel, TableScanDesc scan, const Source *source, int sign,
		  bool deleted, MovementVisitor visit, void *arg)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish row",
													  ALLOCSET_SMALL_SIZES);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	SourceReader reader;

	source_bind(source, RelationGetDescr(rel), &reader);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		Movement	moves[ROW_MOVEMENTS];
		int			n = source_read(&reader, slot, sign, deleted, moves);

		MemoryContextSwitchTo(old);
		for (int i = 0; i < n; i++)
			visit(&moves[i], arg);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
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
				  table_beginscan_strat(rel, snapshot, 0, NULL, true, true),
				  source, sign, deleted, visit, arg);
}
