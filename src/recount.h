/*-------------------------------------------------------------------------
 *
 * recount.h
 *	  A watched table counted again, alone or with workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_RECOUNT_H
#define REPLENISH_RECOUNT_H

#include "fold.h"

#include "storage/shm_mq.h"

/* Rows counted between two looks around. */
#define PAUSE_ROWS		1024

typedef struct RecountShared RecountShared;

/* A recount, as the leader or a worker sees it. */
typedef struct Recount
{
	Source		source;
	int64		clock_minute;
	int64		sold_since;
	MemoryContext fold_context;
	Fold	   *fold;
	uint64		rows;			/* movements counted by this process */
	RecountShared *shared;		/* NULL where the leader counts alone */
	/* the leader's */
	const char *name;			/* of the table */
	uint64		reported;
	int			nqueues;
	shm_mq_handle **queues;		/* NULL once the worker has finished */
	/* a worker's */
	shm_mq_handle *queue;
	StringInfoData packed;		/* rows to be sent */
} Recount;

/* ---- recount.c ---- */

extern void recount_start_fold(Recount *recount, FoldSink sink,
							   void *sink_arg);
extern void recount_add(const Movement *move, void *recount);
extern void recount_report(Recount *recount);

/* ---- recount_parallel.c ---- */

extern bool recount_in_parallel(Recount *recount, List *parts,
								const ArrayType *arguments, int nworkers);
extern uint64 recount_total(Recount *recount);
extern bool recount_receive(Recount *recount);

#endif							/* REPLENISH_RECOUNT_H */
