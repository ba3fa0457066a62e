/*-------------------------------------------------------------------------
 *
 * inbox.c
 *	  The one door: append movements to the inbox, and read them.
 *
 * Appending is a direct heap insertion as whoever runs the statement: no
 * rights on our tables are needed, no index is kept, no lock is taken but the
 * one every insert takes, nothing is looked up.  The rows are ordinary rows, so
 * rollback, savepoints, two-phase commit and crashes need nothing from us.
 *
 * The inbox is two tables that take turns by the minute.  What was taken from
 * it leaves dead rows behind, and no table gives its pages back without a lock
 * that an order could wait for; but of the table that is not in turn no order
 * wants anything.
 *
 * A SERIALIZABLE reader checks each tuple's visibility itself instead of
 * scanning with the snapshot: such a scan takes no predicate locks, so that a
 * report never makes an order fail.  Any other reads a page at a time, and
 * prunes it: what a burst left behind is looked at once, not at every pass.
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
#include "catalog/storage.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Attributes of replenish.inbox, in their order. */
enum
{
	INBOX_AMOUNT,
	INBOX_MINUTE,
	INBOX_SOURCE,
	INBOX_KIND,
	INBOX_SKU,
	INBOX_LOCATION,
	INBOX_CHANNEL,
	INBOX_SUMMARY,
	INBOX_NATTS
};

/* Rows inserted at once. */
#define INSERT_ROWS		500

/* A short text with its one-byte header, as it lies in a heap tuple. */
typedef struct ShortText
{
	char		data[VARHDRSZ_SHORT + KEY_MAX + VARHDRSZ];
} ShortText;

/* The tables that take turns, by the minute's parity, and the backlog. */
static const char *const inbox_names[] = {"inbox_even", "inbox_odd", "backlog"};

#define BACKLOG		2

/* Pages that the table out of turn may keep. */
#define TRIM_PAGES		32

/* So far into a minute, every order has seen that it has begun. */
#define TRIM_AFTER_SECS	5

/* Open one of the inbox's tables; NULL if it is not as this library knows it. */
static Relation
inbox_open(int which, LOCKMODE lockmode)
{
	Oid			schema = get_namespace_oid("replenish", true);
	Oid			relid = OidIsValid(schema) ?
		get_relname_relid(inbox_names[which], schema) : InvalidOid;
	Relation	rel = OidIsValid(relid) ?
		try_relation_open(relid, lockmode) : NULL;

	if (rel != NULL &&
		(rel->rd_rel->relkind != RELKIND_RELATION ||
		 RelationGetNumberOfAttributes(rel) != INBOX_NATTS))
	{
		relation_close(rel, lockmode);
		return NULL;
	}
	return rel;
}

/* The table in turn at a moment. */
static int
inbox_in_turn(TimestampTz now)
{
	return (now / USECS_PER_MINUTE) % 2 != 0;
}

/* Lay a key out as text; keys longer than any key never get here. */
static Datum
key_datum(const Key *key, ShortText *space)
{
	if (key->len + VARHDRSZ_SHORT <= VARATT_SHORT_MAX)
	{
		SET_VARSIZE_SHORT(space->data, key->len + VARHDRSZ_SHORT);
		if (key->len > 0)
			memcpy(space->data + VARHDRSZ_SHORT, key->data, key->len);
		return PointerGetDatum(space->data);
	}
	return PointerGetDatum(cstring_to_text_with_len(key->data, key->len));
}

/* Say whether a movement belongs to an order, to be joined later. */
static bool
has_order(const Movement *move)
{
	return move->kind == MOVE_LINE || move->kind == MOVE_LINE_DELETED ||
		move->kind == MOVE_HEADER || move->kind == MOVE_HEADER_DELETED;
}

/*
 * The keys of a line or header in the place of its SKU: the order's, with its
 * length before it, then the SKU.  A column for it would cost each row of each
 * order eight bytes.
 */
static Datum
order_datum(const Movement *move)
{
	StringInfoData keys;

	initStringInfo(&keys);
	appendStringInfo(&keys, "%d:", move->order.len);
	appendBinaryStringInfo(&keys, move->order.data, move->order.len);
	if (move->sku.len > 0)
		appendBinaryStringInfo(&keys, move->sku.data, move->sku.len);
	return PointerGetDatum(cstring_to_text_with_len(keys.data, keys.len));
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

/* Form the inbox's row of a movement. */
static HeapTuple
form_row(TupleDesc desc, const Movement *move)
{
	Datum		values[INBOX_NATTS];
	bool		nulls[INBOX_NATTS] = {false};
	ShortText	sku,
				location,
				channel;

	values[INBOX_AMOUNT] = Int64GetDatum(move->amount);
	values[INBOX_MINUTE] = Int32GetDatum(move->minute);
	values[INBOX_SOURCE] = Int32GetDatum(move->source);
	values[INBOX_KIND] = CharGetDatum((char) move->kind);
	values[INBOX_SKU] = has_order(move) ? order_datum(move) :
		key_datum(&move->sku, &sku);
	values[INBOX_LOCATION] = key_datum(&move->location, &location);
	values[INBOX_CHANNEL] = key_datum(&move->channel, &channel);
	values[INBOX_SUMMARY] = PointerGetDatum(move->summary);
	nulls[INBOX_SUMMARY] = move->summary == NULL;
	return heap_form_tuple(desc, values, nulls);
}

/*
 * Append movements.  One row is cheaper alone, more are cheaper together:
 * one WAL record for a page instead of one for a row.
 */
void
inbox_append(const Movement *moves, int nmoves)
{
	Relation	rel;
	TupleDesc	desc;
	CommandId	cid;

	if (nmoves == 0)
		return;
	rel = inbox_open(inbox_in_turn(GetCurrentTimestamp()), RowExclusiveLock);
	if (rel == NULL)
	{
		/* half an upgrade, or none: the order goes in, verify() will tell */
		ereport(WARNING,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the inbox of replenish is not as this library knows it"),
				 errdetail("%d movements were not recorded.", nmoves),
				 errhint("Run ALTER EXTENSION replenish UPDATE, then CALL replenish.repair().")));
		return;
	}
	desc = RelationGetDescr(rel);
	cid = GetCurrentCommandId(true);
	if (nmoves == 1)
		heap_insert(rel, form_row(desc, &moves[0]), cid, 0, NULL);
	else
	{
		int			nslots = Min(nmoves, INSERT_ROWS);
		TupleTableSlot **slots = palloc(nslots * sizeof(TupleTableSlot *));

		for (int i = 0; i < nslots; i++)
			slots[i] = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
		for (int done = 0; done < nmoves; done += INSERT_ROWS)
		{
			int			n = Min(nmoves - done, INSERT_ROWS);

			for (int i = 0; i < n; i++)
				ExecStoreHeapTuple(form_row(desc, &moves[done + i]), slots[i],
								   true);
			heap_multi_insert(rel, slots, n, cid, 0, NULL);
			for (int i = 0; i < n; i++)
				ExecClearTuple(slots[i]);
			CHECK_FOR_INTERRUPTS();
		}
		for (int i = 0; i < nslots; i++)
			ExecDropSingleTupleTableSlot(slots[i]);
	}
	table_close(rel, NoLock);
}

static void
read_text(Datum value, Key *key)
{
	struct varlena *text = pg_detoast_datum_packed((struct varlena *)
												   DatumGetPointer(value));

	key->data = VARDATA_ANY(text);
	key->len = VARSIZE_ANY_EXHDR(text);
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
	TableScanDesc scan;
	HeapTuple	tuple;
	int64		rows = 0;

	scan = table_beginscan_strat(rel, own_check ? SnapshotAny : snapshot, 0,
								 NULL, true, false);
	heap_setscanlimits(scan, from, to - from);
	while (rows < limit &&
		   (tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
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
		if (use != INBOX_READ)
			simple_heap_delete(rel, &tuple->t_self);
		CHECK_FOR_INTERRUPTS();
	}
	table_endscan(scan);
	MemoryContextDelete(row_context);
	return rows;
}

/*
 * Visit at most so many rows of one of the tables; see inbox_scan().  A long
 * backlog is taken in many parts: each begins where the one before ended, so
 * that what is taken is not read again by all that follow.
 */
static int64
scan_table(int which, Snapshot snapshot, InboxUse use, int64 limit,
		   MovementVisitor visit, void *arg)
{
	static BlockNumber next[] = {0, 0, 0, 0};	/* by use */
	BlockNumber ignored = 0;
	BlockNumber *last = which == BACKLOG ? &next[use] : &ignored;
	Relation	rel = inbox_open(which, use == INBOX_READ ?
								 AccessShareLock : RowExclusiveLock);
	BlockNumber start;
	BlockNumber end;
	int64		rows;

	/* 1.0 had no backlog */
	if (rel == NULL && which == BACKLOG)
		return 0;
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the inbox of replenish is not as this library knows it"),
				 errhint("Run ALTER EXTENSION replenish UPDATE.")));
	end = RelationGetNumberOfBlocks(rel);
	/* the table may have been cut off since, and no scan begins at its end */
	start = *last < end ? *last : 0;
	rows = scan_blocks(rel, start, end, snapshot, use, limit, visit, arg,
					   last);
	if (rows < limit && start > 0)
		rows += scan_blocks(rel, 0, start, snapshot, use, limit - rows, visit,
							arg, last);
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
	for (int which = 0; which < (int) lengthof(inbox_names); which++)
		(void) scan_table(which, snapshot, use,
						  which == BACKLOG ? backlog : PG_INT64_MAX, visit,
						  arg);
}

/* Say whether the snapshot sees any row in the inbox or the backlog. */
bool
inbox_has_rows(Snapshot snapshot)
{
	for (int which = 0; which < (int) lengthof(inbox_names); which++)
		if (scan_table(which, snapshot, INBOX_READ, 1, NULL, NULL) > 0)
			return true;
	return false;
}

/* Say whether the snapshot sees any row in the backlog. */
bool
backlog_has_rows(Snapshot snapshot)
{
	return scan_table(BACKLOG, snapshot, INBOX_READ, 1, NULL, NULL) > 0;
}

/* Say whether VACUUM has left nothing in a table. */
static bool
is_vacant(Relation rel)
{
	TableScanDesc scan = table_beginscan_strat(rel, SnapshotAny, 0, NULL, true,
											   false);
	bool		vacant = heap_getnext(scan, ForwardScanDirection) == NULL;

	table_endscan(scan);
	return vacant;
}

/*
 * Empty the table out of turn at a moment, once VACUUM has removed every row,
 * and as VACUUM would cut off its end: at once, and whether or not this
 * transaction commits.  What VACUUM removed no snapshot could see, here or on
 * a standby.
 */
void
inbox_trim(TimestampTz now)
{
	Relation	rel;

	if (now % USECS_PER_MINUTE < TRIM_AFTER_SECS * USECS_PER_SEC)
		return;
	rel = inbox_open(1 - inbox_in_turn(now), AccessShareLock);
	if (rel == NULL)
		return;
	/* a cursor of our own may have it open: then later */
	if (rel->rd_refcnt == 1 && RelationGetNumberOfBlocks(rel) > TRIM_PAGES &&
		is_vacant(rel) && ConditionalLockRelation(rel, AccessExclusiveLock))
	{
		/* whoever wrote to it meanwhile is gone: look once more */
		if (is_vacant(rel))
			RelationTruncate(rel, 0);
		UnlockRelation(rel, AccessExclusiveLock);
	}
	table_close(rel, NoLock);
}
