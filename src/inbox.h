/*-------------------------------------------------------------------------
 *
 * inbox.h
 *	  The tables of the inbox, for the files that write, read and trim them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_INBOX_H
#define REPLENISH_INBOX_H

#include "replenish.h"

#include "storage/lockdefs.h"

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

/* The tables that take turns, by the minute's parity; and the backlog. */
#define INBOX_TABLES	2
#define BACKLOG			INBOX_TABLES

/* Say whether a movement belongs to an order, to be joined later. */
static inline bool
has_order(const Movement *move)
{
	return move->kind == MOVE_LINE || move->kind == MOVE_LINE_DELETED ||
		move->kind == MOVE_HEADER || move->kind == MOVE_HEADER_DELETED;
}

extern Relation inbox_open(int which, LOCKMODE lockmode);
extern int	inbox_in_turn(TimestampTz now);
extern BlockNumber settled_end(Relation rel, int which);

#endif							/* REPLENISH_INBOX_H */
