/*-------------------------------------------------------------------------
 *
 * recount.c
 *	  What the rows of a watched table add up to.
 *
 * Sums are exact, so who read which row cannot show in them, unless a sum
 * leaves its number on the way: then the result depends on the order of the
 * rows, and what was counted with workers is counted again, without.
 *
 *-------------------------------------------------------------------------
 */
#include "recount.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_inherits.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(replenish_recount);

/* Rows counted between two reports of progress. */
#define REPORT_ROWS		100000

/* Begin with a fold of nothing. */
void
recount_start_fold(Recount *recount, FoldSink sink, void *sink_arg)
{
	MemoryContext old;

	if (recount->fold_context == NULL)
		recount->fold_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish recount",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(recount->fold_context);
	old = MemoryContextSwitchTo(recount->fold_context);
	recount->fold = fold_create(recount->clock_minute, recount->sold_since,
								sink, sink_arg);
	MemoryContextSwitchTo(old);
}

/* Tell whoever looks at pg_stat_activity how far it is; see counting(). */
static void
report_progress(Recount *recount, uint64 rows)
{
	char	   *message = psprintf("replenish is counting %s: " UINT64_FORMAT " rows",
								   recount->name, rows);

	pgstat_report_activity(STATE_RUNNING, message);
	pfree(message);
	recount->reported = rows;
}

/* Report progress where there is much to report. */
void
recount_report(Recount *recount)
{
	uint64		rows = recount->shared == NULL ? recount->rows :
		recount_total(recount);

	if (rows / REPORT_ROWS != recount->reported / REPORT_ROWS)
		report_progress(recount, rows);
}

/* Count one movement in the leader. */
void
recount_add(const Movement *move, void *arg)
{
	Recount    *recount = arg;

	fold_add(move, recount->fold);
	if (++recount->rows % PAUSE_ROWS != 0)
		return;
	if (recount->shared != NULL)
		(void) recount_receive(recount);
	recount_report(recount);
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

/* The tables with rows of their own in a relation's tree, opened before. */
static List *
find_parts(Relation rel, Snapshot snapshot)
{
	List	   *relids = list_make1_oid(RelationGetRelid(rel));
	List	   *parts = NIL;

	/* the list grows under way */
	for (int i = 0; i < list_length(relids); i++)
	{
		Oid			relid = list_nth_oid(relids, i);
		Relation	part = try_relation_open(relid, AccessShareLock);

		if (part == NULL)
			continue;			/* dropped since then */
		relids = append_children(relids, relid, snapshot);
		if (scan_has_rows(part))
			parts = lappend_oid(parts, relid);
		table_close(part, NoLock);
	}
	return parts;
}

/*
 * How many workers a scan of all parts together is worth: as many as a
 * maintenance command would have for a table of that size.
 */
static int
choose_workers(List *parts)
{
	RelOptInfo *all = makeNode(RelOptInfo);
	double		pages = 0;
	int			wanted = 0;
	ListCell   *lc;

	if (IsInParallelMode() || !IsUnderPostmaster || parts == NIL)
		return 0;
	foreach(lc, parts)
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);
		int			setting = RelationGetParallelWorkers(rel, -1);
		bool		is_heap = rel->rd_rel->relam == HEAP_TABLE_AM_OID;

		if (setting < 0)
			pages += RelationGetNumberOfBlocks(rel);
		wanted = Max(wanted, setting);
		table_close(rel, NoLock);
		/* others may leave parallel scans out */
		if (!is_heap)
			return 0;
	}
	all->reloptkind = RELOPT_BASEREL;
	all->rel_parallel_workers = -1;
	return Max(Min(wanted, max_parallel_maintenance_workers),
			   compute_parallel_worker(all, pages, -1,
									   max_parallel_maintenance_workers));
}

/* Count without help. */
static void
count_alone(Recount *recount, List *parts)
{
	ListCell   *lc;

	foreach(lc, parts)
	{
		Relation	part = table_open(lfirst_oid(lc), NoLock);

		scan_own_rows(part, &recount->source, GetActiveSnapshot(), 1, false,
					  recount_add, recount);
		table_close(part, NoLock);
	}
}

/*
 * recount(relation, arguments, clock, sold_since): what the rows of a table
 * and of what inherits from it add up to, read as its triggers with these
 * arguments would have read them.
 */
Datum
replenish_recount(PG_FUNCTION_ARGS)
{
	ArrayType  *arguments = PG_GETARG_ARRAYTYPE_P(1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Recount		recount = {0};
	Relation	rel;
	List	   *parts;
	int			nworkers;

	fold_arguments(fcinfo, 2, &recount.clock_minute, &recount.sold_since);
	source_parse_array(arguments, &recount.source);
	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	recount.name = RelationGetRelationName(rel);
	report_progress(&recount, 0);
	parts = find_parts(rel, GetActiveSnapshot());
	nworkers = choose_workers(parts);
	recount_start_fold(&recount, fold_return_row, result);
	if (nworkers == 0 ||
		!recount_in_parallel(&recount, parts, arguments, nworkers))
		count_alone(&recount, parts);
	else if (!fold_is_exact(recount.fold))
	{
		tuplestore_clear(result->setResult);
		recount_start_fold(&recount, fold_return_row, result);
		recount.rows = 0;
		count_alone(&recount, parts);
	}
	fold_emit(recount.fold);
	MemoryContextDelete(recount.fold_context);
	table_close(rel, NoLock);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	return (Datum) 0;
}
