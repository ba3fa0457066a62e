/*-------------------------------------------------------------------------
 *
 * inbox.c
 *	  The one door: append movements to the inbox.
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
 *-------------------------------------------------------------------------
 */
#include "inbox.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

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

static const char *const inbox_names[] = {"inbox_even", "inbox_odd", "backlog"};

/* One of the inbox's tables, or InvalidOid. */
static Oid
inbox_oid(int which)
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
Relation
inbox_open(int which, LOCKMODE lockmode)
{
	Oid			relid = inbox_oid(which);

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
int
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
		rel = inbox_try_open(inbox_oid(doors[i]));
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
 * for a page instead of one for a row.  Never where the free space map knows of
 * room: nobody looks there any more.
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
		heap_insert(rel, form_row(desc, &moves[0]), cid, HEAP_INSERT_SKIP_FSM,
					NULL);
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
		heap_multi_insert(rel, slots, n, cid, HEAP_INSERT_SKIP_FSM, NULL);
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
