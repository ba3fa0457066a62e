/*-------------------------------------------------------------------------
 *
 * inbox_read.c
 *	  Visit the movements in the inbox and the backlog, to take or to see them.
 *
 * A SERIALIZABLE reader checks each tuple's visibility itself instead of
 * scanning with the snapshot: such a scan takes no predicate locks, so that a
 * report never makes an order fail.  Any other reads a page at a time, and
 * prunes it: what a burst left behind is looked at once, not at every pass.
 *
 *-------------------------------------------------------------------------
 */
#include "inbox.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Settled pages that each scan looks at all the same; see settled.c. */
#define SWEEP_PAGES		8

/* The worker looks after so many rows who waits for it to leave. */
#define YIELD_ROWS		1000

static void
read_text(Datum value, Key *key)
{
	struct varlena *text = pg_detoast_datum_packed((struct varlena *)
												   DatumGetPointer(value));

	key->data = VARDATA_ANY(text);
	key->len = VARSIZE_ANY_EXHDR(text);
}

/* Take them apart again; what nobody of us has written is all order. */
static void
split_order(Movement *move)
{
	const char *colon = memchr(move->sku.data, ':', move->sku.len);
	int			len;

	move->order = move->sku;
	move->sku.len = 0;
	if (colon == NULL)
		return;
	len = atoi(move->order.data);
	move->order.len -= ++colon - move->order.data;
	move->order.data = colon;
	if (len < 0 || len > move->order.len)
		return;
	move->sku.data = colon + len;
	move->sku.len = move->order.len - len;
	move->order.len = len;
}

/* The movement that a row of the inbox holds. */
static void
read_row(HeapTuple tuple, TupleDesc desc, Movement *move)
{
	Datum		values[INBOX_NATTS];
	bool		nulls[INBOX_NATTS];

	heap_deform_tuple(tuple, desc, values, nulls);
	move->amount = DatumGetInt64(values[INBOX_AMOUNT]);
	move->minute = DatumGetInt32(values[INBOX_MINUTE]);
	move->source = DatumGetInt32(values[INBOX_SOURCE]);
	move->kind = (MovementKind) DatumGetChar(values[INBOX_KIND]);
	read_text(values[INBOX_SKU], &move->sku);
	read_text(values[INBOX_LOCATION], &move->location);
	read_text(values[INBOX_CHANNEL], &move->channel);
	move->summary = nulls[INBOX_SUMMARY] ? NULL :
		(struct varlena *) DatumGetPointer(values[INBOX_SUMMARY]);
	memset(&move->order, 0, sizeof(Key));
	if (has_order(move))
		split_order(move);
}

/* Say whether a movement is to be visited. */
static bool
is_wanted(const Movement *move, InboxUse use)
{
	return use == INBOX_DRAIN_ORDERS ? has_order(move) :
		use == INBOX_DRAIN_REST ? !has_order(move) : true;
}

/*
 * Visit at most so many rows in some blocks of one of the tables.  Returns
 * their number, and in *last the block of the last one.
 */
static int64
scan_blocks(Relation rel, BlockNumber from, BlockNumber to, Snapshot snapshot,
			InboxUse use, int64 limit, MovementVisitor visit, void *arg,
			BlockNumber *last)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish inbox row",
													  ALLOCSET_SMALL_SIZES);
	bool		own_check = IsolationIsSerializable();
	/* what is new is at the end */
	ScanDirection direction = use == INBOX_PEEK ? BackwardScanDirection :
		ForwardScanDirection;
	TableScanDesc scan;
	HeapTuple	tuple;
	int64		rows = 0;

	scan = table_beginscan_strat(rel, own_check ? SnapshotAny : snapshot, 0,
								 NULL, true, false);
	heap_setscanlimits(scan, from, to - from);
	while (rows < limit &&
		   (tuple = heap_getnext(scan, direction)) != NULL)
	{
		if (own_check)
		{
			Buffer		buffer = ((HeapScanDesc) scan)->rs_cbuf;
			bool		visible;

			LockBuffer(buffer, BUFFER_LOCK_SHARE);
			visible = HeapTupleSatisfiesVisibility(tuple, snapshot, buffer);
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
			if (!visible)
				continue;
		}
		if (visit != NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(row_context);
			Movement	move;
			bool		wanted;

			read_row(tuple, RelationGetDescr(rel), &move);
			MemoryContextSwitchTo(old);
			wanted = is_wanted(&move, use);
			if (wanted)
				visit(&move, arg);
			MemoryContextReset(row_context);
			if (!wanted)
				continue;
		}
		rows++;
		*last = ItemPointerGetBlockNumber(&tuple->t_self);
		if (use >= INBOX_DRAIN)
			simple_heap_delete(rel, &tuple->t_self);
		CHECK_FOR_INTERRUPTS();
		if (rows % YIELD_ROWS == 0)
			worker_yield();
	}
	table_endscan(scan);
	MemoryContextDelete(row_context);
	return rows;
}

/*
 * Where a scan of one of the tables begins; it goes on to the end, and then
 * from *again for so many blocks as it returns.
 *
 * A long backlog is taken in many parts: each begins where the one before
 * ended, so that what is taken is not read again by all that follow.  Of the
 * others the settled pages are left out, for whose snapshot is not older than
 * that they were settled; but for a few, in turn.
 */
static BlockNumber
scan_start(Relation rel, int which, InboxUse use, BlockNumber last,
		   BlockNumber *again, BlockNumber *nagain)
{
	static BlockNumber swept[INBOX_TABLES];
	BlockNumber start;

	*again = 0;
	*nagain = 0;
	if (which == BACKLOG)
	{
		/* VACUUM may have cut off where the one before ended */
		*nagain = last < RelationGetNumberOfBlocks(rel) ? last : 0;
		return *nagain;
	}
	if (use == INBOX_READ)
		return 0;
	start = settled_end(rel, which);
	*again = swept[which] < start ? swept[which] : 0;
	*nagain = Min(SWEEP_PAGES, start - *again);
	swept[which] = *again + *nagain;
	return start;
}

/*
 * Visit at most so many rows of one of the tables; see inbox_scan().
 */
static int64
scan_table(int which, Snapshot snapshot, InboxUse use, int64 limit,
		   MovementVisitor visit, void *arg)
{
	static BlockNumber next[INBOX_USES];	/* in the backlog */
	BlockNumber ignored = 0;
	BlockNumber *last = which == BACKLOG ? &next[use] : &ignored;
	Relation	rel = inbox_open(which, use == INBOX_READ || use == INBOX_PEEK ?
								 AccessShareLock : RowExclusiveLock);
	BlockNumber start;
	BlockNumber end;
	BlockNumber again;
	BlockNumber nagain;
	int64		rows;

	/* what is in it waits until somebody has mended it: health() tells */
	if (rel == NULL)
		return 0;
	start = scan_start(rel, which, use, *last, &again, &nagain);
	end = RelationGetNumberOfBlocks(rel);
	/* no scan may begin at the end of its table */
	rows = start < end ? scan_blocks(rel, start, end, snapshot, use, limit,
									 visit, arg, last) : 0;
	if (rows < limit && nagain > 0)
		rows += scan_blocks(rel, again, again + nagain, snapshot, use,
							limit - rows, visit, arg, last);
	table_close(rel, NoLock);
	return rows;
}

/*
 * Visit every row of the inbox that the snapshot sees, and so many of the
 * backlog.  Only the decider drains, and nobody else removes rows, so the
 * removal never waits.
 */
void
inbox_scan(Snapshot snapshot, InboxUse use, int64 backlog,
		   MovementVisitor visit, void *arg)
{
	for (int which = 0; which <= BACKLOG; which++)
		(void) scan_table(which, snapshot, use,
						  which == BACKLOG ? backlog : PG_INT64_MAX, visit,
						  arg);
}

/* Say whether the snapshot sees any row in the inbox or the backlog. */
bool
inbox_has_rows(Snapshot snapshot)
{
	for (int which = 0; which <= BACKLOG; which++)
		if (scan_table(which, snapshot, INBOX_PEEK, 1, NULL, NULL) > 0)
			return true;
	return false;
}

/* Say whether the snapshot sees any row in the backlog. */
bool
backlog_has_rows(Snapshot snapshot)
{
	return scan_table(BACKLOG, snapshot, INBOX_PEEK, 1, NULL, NULL) > 0;
}
