/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Every row of a watched table, read as its triggers would read it.
 *
 * Used where there is no transition table: before a TRUNCATE, when a partition
 * comes or goes, and to recount a table for verify() and backfill().  A
 * partitioned table is read partition by partition, each with its own order of
 * columns.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Visit the movements of a relation's own rows.  What has no storage, or is
 * some session's temporary child of a shop's table, has none.
 */
void
scan_own_rows(Relation rel, const Source *source, Snapshot snapshot, int sign,
			  bool deleted, MovementVisitor visit, void *arg)
{
	MemoryContext row_context;
	TupleTableSlot *slot;
	TableScanDesc scan;
	SourceReader reader;

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		return;
	row_context = AllocSetContextCreate(CurrentMemoryContext, "replenish row",
										ALLOCSET_SMALL_SIZES);
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan_strat(rel, snapshot, 0, NULL, true, true);
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
 * Find the partitions or children of a relation that a snapshot sees, and
 * append those that are not in the list yet.  The relation cache knows newer
 * ones: what came with them is not in the inbox of that snapshot.
 */
static List *
append_children(List *relids, Oid parent, Snapshot snapshot)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(parent));
	scan = systable_beginscan(inherits, InheritsParentIndexId, true, snapshot,
							  1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		relids = list_append_unique_oid(relids,
										((Form_pg_inherits) GETSTRUCT(row))->inhrelid);
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return relids;
}

/*
 * Visit the movements of every row of a table and of what inherits from it,
 * as the snapshot sees both.  Row security does not apply: the caller answers
 * for who may ask.
 */
void
scan_source(Relation rel, const Source *source, Snapshot snapshot, int sign,
			bool deleted, MovementVisitor visit, void *arg)
{
	List	   *relids = list_make1_oid(RelationGetRelid(rel));

	/* the list grows under way */
	for (int i = 0; i < list_length(relids); i++)
	{
		Oid			relid = list_nth_oid(relids, i);
		Relation	part = try_relation_open(relid, AccessShareLock);

		if (part == NULL)
			continue;			/* dropped since then */
		relids = append_children(relids, relid, snapshot);
		scan_own_rows(part, source, snapshot, sign, deleted, visit, arg);
		table_close(part, NoLock);
	}
}
