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
 * wants anything.  Where another lock is in the way, orders change tables.
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
#include "catalog/pg_type.h"
#include "catalog/storage.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
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

/*
 * Room for the longest text of a row, which is the keys of a line: a length of
 * three digits, a colon, an order and a SKU.
 */
typedef union TextSpace
{
	int32		aligned;
	char		data[VARHDRSZ + 4 + 2 * KEY_MAX];
} TextSpace;

/* The tables that take turns, by the minute's parity, and the backlog. */
static const char *const inbox_names[] = {"inbox_even", "inbox_odd", "backlog"};

#define BACKLOG		2

/* Pages that the table out of turn may keep. */
#define TRIM_PAGES		32

/* So far into a minute, every order has seen that it has begun. */
#define TRIM_AFTER_SECS	5

/* The oid of one of the inbox's tables, or InvalidOid. */
static Oid
inbox_relid(int which)
{
	Oid			schema = get_namespace_oid("replenish", true);

	return OidIsValid(schema) ?
		get_relname_relid(inbox_names[which], schema) : InvalidOid;
}

/*
 * Say whether a table of ours is as this library knows it: a heap of these
 * types, where InvalidOid stands for our own.
 */
bool
is_own_table(Relation rel, const Oid *types, int ntypes)
{
	TupleDesc	desc = RelationGetDescr(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_tableam != GetHeapamTableAmRoutine() ||
		desc->natts != ntypes)
		return false;
	for (int i = 0; i < ntypes; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		/* a dropped column has no type */
		if (OidIsValid(types[i]) ? att->atttypid != types[i] :
			att->attisdropped || att->attlen != -1)
			return false;
	}
	return true;
}

/* Close a table and return NULL if it is not as this library knows it. */
static Relation
inbox_check(Relation rel, LOCKMODE lockmode)
{
	static const Oid types[] = {INT8OID, INT4OID, INT4OID, CHAROID, TEXTOID,
	TEXTOID, TEXTOID, InvalidOid};

	StaticAssertStmt(lengthof(types) == INBOX_NATTS, "a type for each column");
	if (rel == NULL || is_own_table(rel, types, INBOX_NATTS))
		return rel;
	relation_close(rel, lockmode);
	return NULL;
}

/* Open one of the inbox's tables; NULL if it is not as this library knows it. */
static Relation
inbox_open(int which, LOCKMODE lockmode)
{
	Oid			relid = inbox_relid(which);

	return OidIsValid(relid) ?
		inbox_check(try_relation_open(relid, lockmode), lockmode) : NULL;
}

/* Open one of them to append to; NULL also if that would mean to wait. */
static Relation
inbox_try_open(Oid relid)
{
	Relation	rel;

	if (!OidIsValid(relid) ||
		!ConditionalLockRelationOid(relid, RowExclusiveLock))
		return NULL;
	rel = inbox_check(try_relation_open(relid, NoLock), NoLock);
	if (rel == NULL)
		UnlockRelationOid(relid, RowExclusiveLock);
	return rel;
}

/* The table in turn at a moment. */
static int
inbox_in_turn(TimestampTz now)
{
	return (now / USECS_PER_MINUTE) % 2 != 0;
}

/*
 * Open a table to append to; NULL where there is none.  Where somebody rewrites,
 * reindexes or locks the one in turn, or has made something else of it, the
 * order takes another, and waits for none: who holds them all may wait for the
 * order.
 */
static Relation
inbox_open_door(void)
{
	int			in_turn = inbox_in_turn(GetCurrentTimestamp());
	int			doors[] = {in_turn, 1 - in_turn, BACKLOG};
	Relation	rel = NULL;

	for (int i = 0; i < (int) lengthof(doors) && rel == NULL; i++)
		rel = inbox_try_open(inbox_relid(doors[i]));
	return rel;
}

/*
 * Lay a key out as text; keys longer than any key never get here.  Nothing is
 * allocated: a statement may bring millions.
 */
static Datum
key_datum(const Key *key, TextSpace *space)
{
	char	   *to = space->data;

	if (key->len + VARHDRSZ_SHORT <= VARATT_SHORT_MAX)
	{
		SET_VARSIZE_SHORT(to, key->len + VARHDRSZ_SHORT);
		to += VARHDRSZ_SHORT;
	}
	else
	{
		SET_VARSIZE(to, key->len + VARHDRSZ);
		to += VARHDRSZ;
	}
	if (key->len > 0)
		memcpy(to, key->data, key->len);
	return PointerGetDatum(space->data);
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
order_datum(const Movement *move, TextSpace *space)
{
	char	   *to = space->data + VARHDRSZ;

	to += sprintf(to, "%d:", move->order.len);
	memcpy(to, move->order.data, move->order.len);
	to += move->order.len;
	if (move->sku.len > 0)
		memcpy(to, move->sku.data, move->sku.len);
	to += move->sku.len;
	SET_VARSIZE(space->data, to - space->data);
	return PointerGetDatum(space->data);
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
	TextSpace	sku,
				location,
				channel;

	values[INBOX_AMOUNT] = Int64GetDatum(move->amount);
	values[INBOX_MINUTE] = Int32GetDatum(move->minute);
	values[INBOX_SOURCE] = Int32GetDatum(move->source);
	values[INBOX_KIND] = CharGetDatum((char) move->kind);
	values[INBOX_SKU] = has_order(move) ? order_datum(move, &sku) :
		key_datum(&move->sku, &sku);
	values[INBOX_LOCATION] = key_datum(&move->location, &location);
	values[INBOX_CHANNEL] = key_datum(&move->channel, &channel);
	values[INBOX_SUMMARY] = PointerGetDatum(move->summary);
	nulls[INBOX_SUMMARY] = move->summary == NULL;
	return heap_form_tuple(desc, values, nulls);
}

/*
 * Insert rows.  One is cheaper alone, more are cheaper together: one WAL record
 * for a page instead of one for a row.
 */
static void
insert_rows(Relation rel, const Movement *moves, int nmoves)
{
	TupleDesc	desc = RelationGetDescr(rel);
	CommandId	cid = GetCurrentCommandId(true);
	TupleTableSlot **slots;
	int			nslots = Min(nmoves, INSERT_ROWS);

	if (nmoves == 1)
	{
		heap_insert(rel, form_row(desc, &moves[0]), cid, 0, NULL);
		return;
	}
	slots = palloc(nslots * sizeof(TupleTableSlot *));
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

/*
 * Append movements; false where the inbox takes none.  Orders of different
 * tables meet here, where the inbox grows: that lock is held for a moment
 * only, and no order gives up on it.
 */
bool
inbox_append(const Movement *moves, int nmoves)
{
	Relation	rel;
	int			patience = LockTimeout;

	if (nmoves == 0)
		return true;
	rel = inbox_open_door();
	if (rel == NULL)
		return false;
	LockTimeout = 0;
	PG_TRY();
	{
		insert_rows(rel, moves, nmoves);
	}
	PG_FINALLY();
	{
		LockTimeout = patience;
	}
	PG_END_TRY();
	table_close(rel, NoLock);
	return true;
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

	/* what is in it waits until somebody has mended it: health() tells */
	if (rel == NULL)
		return 0;
	end = RelationGetNumberOfBlocks(rel);
	/* VACUUM may have cut off where the one before ended */
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

/* The name of a table of the inbox that is not as it should be, or NULL. */
const char *
inbox_broken(void)
{
	for (int which = 0; which < (int) lengthof(inbox_names); which++)
	{
		Relation	rel = inbox_open(which, AccessShareLock);

		if (rel == NULL)
			return inbox_names[which];
		relation_close(rel, AccessShareLock);
	}
	return NULL;
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
