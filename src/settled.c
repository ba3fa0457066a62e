/*-------------------------------------------------------------------------
 *
 * settled.c
 *	  What of the inbox is done with: pages not looked at again, and pages
 *	  given back.
 *
 * What was taken from the inbox stays on its pages until nobody can see it,
 * which an old snapshot can put off for hours.  A page is settled when every
 * row on it is gone for all who come later, and none will be added; a pass
 * begins behind the settled pages, so that it costs what is new only.
 *
 * That none is added follows from two rules.  Rows are only ever appended to
 * the last page, or to the page that a session extended the table by, which it
 * remembers (see inbox_append()).  And to close the pages there are, all
 * sessions are told to forget theirs: who comes later appends behind them, and
 * who was there before has ended when nobody of those who held the table's
 * lock at that moment is left.
 *
 * This is known by one session for itself, and never relied upon where a row
 * would be lost: rows that somebody inserts by hand are found by the sweep.
 *
 *-------------------------------------------------------------------------
 */
#include "inbox.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/storage.h"
#include "miscadmin.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Pages that the table out of turn may keep: more where a standby may have to
 * cancel whoever reads it, say a dump, before it can do the same.
 */
#define TRIM_PAGES		32
#define TRIM_PAGES_STREAMED 8192

/* So far into a minute, every order has seen that it has begun. */
#define TRIM_AFTER_SECS	5

/* Pages are closed so many at a time: each session leaves one unfilled. */
#define CLOSE_PAGES		128

/* So many pages wait for whoever still sees rows on them, to be pruned. */
#define PATIENT_PAGES	16

typedef struct Settled
{
	uint64		file;			/* the table's storage, 0 while unknown */
	BlockNumber upto;			/* pages before this one are settled */
	XLogRecPtr	lsn;			/* of the last one of them */
	BlockNumber closed;			/* pages before this one get no more rows */
	BlockNumber closing;		/* nor these, once the writers are gone */
	VirtualTransactionId *writers;	/* ended by an invalid one; or NULL */
} Settled;

static Settled settled[INBOX_TABLES];

/* When a page was last changed. */
static XLogRecPtr
page_changed(Relation rel, BlockNumber block)
{
	Buffer		buffer = ReadBuffer(rel, block);
	XLogRecPtr	lsn = BufferGetLSNAtomic(buffer);

	ReleaseBuffer(buffer);
	return lsn;
}

/* Forget all that is known of a table. */
static void
forget(Settled *s)
{
	if (s->writers != NULL)
		pfree(s->writers);
	memset(s, 0, sizeof(Settled));
}

/*
 * What is known of a table, if it is still true.  Where the table was cut off
 * or made anew meanwhile, the last settled page is gone or another one; that
 * page changes for other reasons, too, but seldom.
 */
static Settled *
get_settled(Relation rel, int which)
{
	Settled    *s = &settled[which];

	if (s->file != storage_number(rel) ||
		s->upto > RelationGetNumberOfBlocks(rel) ||
		s->closing > RelationGetNumberOfBlocks(rel) ||
		(s->upto > 0 && s->lsn != page_changed(rel, s->upto - 1)))
		forget(s);
	return s;
}

/* The first page of a table of the inbox that a pass has to look at. */
BlockNumber
settled_end(Relation rel, int which)
{
	return get_settled(rel, which)->upto;
}

/*
 * Say whether every row of a page is gone for all who come later; *pruned
 * tells whether no row is left at all.
 */
static bool
rows_are_gone(Relation rel, BlockNumber block, bool *pruned)
{
	Buffer		buffer = ReadBuffer(rel, block);
	Page		page = BufferGetPage(buffer);
	bool		gone = true;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	*pruned = true;
	for (OffsetNumber i = FirstOffsetNumber;
		 gone && i <= PageGetMaxOffsetNumber(page); i++)
	{
		ItemId		item = PageGetItemId(page, i);
		HeapTupleData tuple;
		HTSV_Result state;

		if (!ItemIdIsNormal(item))
			continue;
		*pruned = false;
		tuple.t_tableOid = RelationGetRelid(rel);
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		ItemPointerSet(&tuple.t_self, block, i);
		/* whether some snapshot still sees it makes no difference here */
		state = HeapTupleSatisfiesVacuum(&tuple, FirstNormalTransactionId,
										 buffer);
		gone = state == HEAPTUPLE_DEAD || state == HEAPTUPLE_RECENTLY_DEAD;
	}
	UnlockReleaseBuffer(buffer);
	return gone;
}

/* Say whether all have ended that might still write to pages being closed. */
static bool
writers_are_gone(Settled *s)
{
	for (VirtualTransactionId *writer = s->writers;
		 VirtualTransactionIdIsValid(*writer); writer++)
		if (!VirtualXactLock(*writer, false))
			return false;
	return true;
}

/* Begin to close all pages but the last. */
static void
close_pages(Relation rel, Settled *s)
{
	LOCKTAG		tag;
	VirtualTransactionId *writers;
	int			nwriters;

	/* who takes the table's lock from now on has heard of it */
	CacheInvalidateSmgr(storage_key(rel));
	RelationSetTargetBlock(rel, InvalidBlockNumber);
	s->file = storage_number(rel);
	s->closing = RelationGetNumberOfBlocks(rel) - 1;
	SET_LOCKTAG_RELATION(tag, MyDatabaseId, RelationGetRelid(rel));
	writers = GetLockConflicts(&tag, ShareLock, &nwriters);
	s->writers = MemoryContextAlloc(TopMemoryContext, (nwriters + 1) *
									sizeof(VirtualTransactionId));
	memcpy(s->writers, writers, (nwriters + 1) * sizeof(VirtualTransactionId));
}

/*
 * Find out how far a table of the inbox is settled by now.  For the decider,
 * outside of any scan.
 */
static void
settle(Relation rel, int which)
{
	Settled    *s = get_settled(rel, which);
	BlockNumber before = s->upto;
	bool		pruned;

	if (s->writers != NULL && writers_are_gone(s))
	{
		pfree(s->writers);
		s->writers = NULL;
		s->closed = s->closing;
	}
	while (s->upto < s->closed && rows_are_gone(rel, s->upto, &pruned) &&
		   (pruned || s->upto + PATIENT_PAGES < s->closed))
		s->upto++;
	if (s->upto > before)
		s->lsn = page_changed(rel, s->upto - 1);
	/* what is not logged bears no mark of a change */
	if (s->writers == NULL && RelationNeedsWAL(rel) &&
		RelationGetNumberOfBlocks(rel) > s->closed + CLOSE_PAGES)
		close_pages(rel, s);
}

/*
 * Say whether VACUUM has left nothing in a table.  From its end: there are the
 * rows that it did not come to yet.
 */
static bool
is_vacant(Relation rel)
{
	TableScanDesc scan = table_beginscan_strat(rel, SnapshotAny, 0, NULL, true,
											   false);
	bool		vacant = heap_getnext(scan, BackwardScanDirection) == NULL;

	table_endscan(scan);
	return vacant;
}

/* Say whether anybody receives our log. */
static bool
is_streamed(void)
{
	for (int i = 0; i < max_wal_senders; i++)
		if (WalSndCtl->walsnds[i].pid != 0)
			return true;
	return false;
}

/*
 * Empty a table once VACUUM has removed every row, and as VACUUM would cut off
 * its end: at once, and whether or not this transaction commits.  What VACUUM
 * removed no snapshot could see, here or on a standby.
 */
static void
empty_vacant(Relation rel)
{
	BlockNumber keep = is_streamed() ? TRIM_PAGES_STREAMED : TRIM_PAGES;

	/* a cursor of our own may have it open: then later */
	if (rel->rd_refcnt == 1 && RelationGetNumberOfBlocks(rel) > keep &&
		is_vacant(rel) && ConditionalLockRelation(rel, AccessExclusiveLock))
	{
		/* whoever wrote to it meanwhile is gone: look once more */
		if (is_vacant(rel))
			RelationTruncate(rel, 0);
		UnlockRelation(rel, AccessExclusiveLock);
	}
}

/*
 * Find out what of the inbox needs no looking at again, and give back the
 * pages of the table out of turn at a moment.
 */
void
inbox_trim(TimestampTz now)
{
	bool		turned = now % USECS_PER_MINUTE >=
		TRIM_AFTER_SECS * USECS_PER_SEC;

	for (int which = 0; which < INBOX_TABLES; which++)
	{
		Relation	rel = inbox_open(which, AccessShareLock);

		if (rel == NULL)
			continue;
		settle(rel, which);
		if (turned && which != inbox_in_turn(now))
			empty_vacant(rel);
		table_close(rel, NoLock);
	}
}
