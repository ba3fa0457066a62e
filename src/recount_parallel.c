/*-------------------------------------------------------------------------
 *
 * recount_parallel.c
 *	  A watched table counted again with the help of workers.
 *
 * The leader and its workers share the scan of each part of the table, at one
 * snapshot, and each folds the rows that it gets.  A worker sends the rows of
 * its fold to the leader, which adds them to its own: at the end, when the
 * fold has become large, and of lines and headers as they come.
 *
 *-------------------------------------------------------------------------
 */
#include "recount.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_toc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

extern PGDLLEXPORT void replenish_recount_worker(dsm_segment *segment,
												 shm_toc *toc);

/* Rows are sent when they fill this much; several must fit into a queue. */
#define MESSAGE_SIZE	8192
#define QUEUE_SIZE		((Size) 131072)

/* How often the leader looks for progress while it waits. */
#define WAIT_MS			1000

/* What is in the shared memory. */
#define TOC_SHARED		UINT64CONST(1)
#define TOC_ARGUMENTS	UINT64CONST(2)
#define TOC_QUEUES		UINT64CONST(3)
#define TOC_USAGE		UINT64CONST(4)
#define TOC_QUERY		UINT64CONST(5)
#define TOC_ENTRIES		5

/* A part of the table that is scanned together. */
typedef struct SharedPart
{
	Oid			relid;
	Size		scan;			/* where its scan is, from the beginning */
} SharedPart;

struct RecountShared
{
	int64		clock_minute;
	int64		sold_since;
	Size		fold_size;		/* from which a worker sends what it has */
	pg_atomic_uint64 rows;		/* counted by the workers */
	int			nparts;
	SharedPart	part[FLEXIBLE_ARRAY_MEMBER];
};

/* What a worker used, for the statistics of the leader's statement. */
typedef struct WorkerUsage
{
	BufferUsage buffers;
	WalUsage	wal;
} WorkerUsage;

/* Count this process's share of the table. */
static void
count_share(Recount *recount, MovementVisitor visit)
{
	RecountShared *shared = recount->shared;

	for (int i = 0; i < shared->nparts; i++)
	{
		const SharedPart *part = &shared->part[i];
		Relation	rel = table_open(part->relid, AccessShareLock);
		ParallelTableScanDesc scan = (ParallelTableScanDesc)
			((char *) shared + part->scan);

		scan_rows(rel, beginscan_parallel(rel, scan), GetActiveSnapshot(),
				  &recount->source, 1, false, visit, recount);
		/* the leader has it locked anyway */
		table_close(rel, AccessShareLock);
	}
}

/* ---- a worker ---- */

/* Send the rows that are packed. */
static void
send_packed(Recount *recount)
{
	StringInfo	packed = &recount->packed;

	if (packed->len > 0 &&
		shm_mq_send(recount->queue, packed->len, packed->data, false,
					false) != SHM_MQ_SUCCESS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not send what was counted to the leader")));
	resetStringInfo(packed);
}

/* The sink of a worker's fold. */
static void
send_row(const FoldRow *row, void *arg)
{
	Recount    *recount = arg;

	fold_pack_row(row, &recount->packed);
	if (recount->packed.len >= MESSAGE_SIZE)
		send_packed(recount);
}

/* Count one movement in a worker. */
static void
worker_add(const Movement *move, void *arg)
{
	Recount    *recount = arg;

	fold_add(move, recount->fold);
	if (++recount->rows % PAUSE_ROWS != 0)
		return;
	pg_atomic_fetch_add_u64(&recount->shared->rows, PAUSE_ROWS);
	if (MemoryContextMemAllocated(recount->fold_context, true) >
		recount->shared->fold_size)
	{
		fold_emit(recount->fold);
		recount_start_fold(recount, send_row, recount);
	}
}

/* What a worker does; called by PostgreSQL. */
void
replenish_recount_worker(dsm_segment *segment, shm_toc *toc)
{
	Recount		recount = {0};
	char	   *queues = shm_toc_lookup(toc, TOC_QUEUES, false);
	WorkerUsage *usage = shm_toc_lookup(toc, TOC_USAGE, false);
	shm_mq	   *queue = (shm_mq *) (queues + ParallelWorkerNumber * QUEUE_SIZE);

	debug_query_string = shm_toc_lookup(toc, TOC_QUERY, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	InstrStartParallelQuery();
	shm_mq_set_sender(queue, MyProc);
	recount.queue = shm_mq_attach(queue, segment, NULL);
	recount.shared = shm_toc_lookup(toc, TOC_SHARED, false);
	recount.clock_minute = recount.shared->clock_minute;
	recount.sold_since = recount.shared->sold_since;
	source_parse_array(shm_toc_lookup(toc, TOC_ARGUMENTS, false),
					   &recount.source);
	initStringInfo(&recount.packed);
	recount_start_fold(&recount, send_row, &recount);
	count_share(&recount, worker_add);
	fold_emit(recount.fold);
	send_packed(&recount);
	shm_mq_detach(recount.queue);
	usage += ParallelWorkerNumber;
	InstrEndParallelQuery(&usage->buffers, &usage->wal);
}

/* ---- the leader ---- */

/* Rows counted so far, by the leader and the workers. */
uint64
recount_total(Recount *recount)
{
	return recount->rows + pg_atomic_read_u64(&recount->shared->rows);
}

/*
 * Take what the workers have sent by now.  Says whether any of them goes on.
 */
bool
recount_receive(Recount *recount)
{
	bool		open = false;

	for (int i = 0; i < recount->nqueues; i++)
		while (recount->queues[i] != NULL)
		{
			Size		length;
			void	   *data;
			shm_mq_result result = shm_mq_receive(recount->queues[i], &length,
												  &data, true);

			if (result == SHM_MQ_WOULD_BLOCK)
			{
				open = true;
				break;
			}
			if (result == SHM_MQ_SUCCESS)
				fold_add_packed(recount->fold, data, length);
			else
				recount->queues[i] = NULL;
			CHECK_FOR_INTERRUPTS();
		}
	return open;
}

/* Take the rest of what the workers send. */
static void
receive_rest(Recount *recount)
{
	while (recount_receive(recount))
	{
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 WAIT_MS, WAIT_EVENT_PARALLEL_FINISH);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		recount_report(recount);
	}
}

/* The shared memory for a recount of these parts. */
static Size
shared_size(List *parts, Snapshot snapshot)
{
	Size		size = MAXALIGN(offsetof(RecountShared, part) +
								list_length(parts) * sizeof(SharedPart));
	ListCell   *lc;

	foreach(lc, parts)
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);

		size = add_size(size,
						MAXALIGN(table_parallelscan_estimate(rel, snapshot)));
		table_close(rel, NoLock);
	}
	return size;
}

/* Fill it: each part gets a scan. */
static void
init_shared(RecountShared *shared, const Recount *recount, List *parts,
			Snapshot snapshot, int nworkers)
{
	Size		scan = MAXALIGN(offsetof(RecountShared, part) +
								list_length(parts) * sizeof(SharedPart));
	ListCell   *lc;

	shared->clock_minute = recount->clock_minute;
	shared->sold_since = recount->sold_since;
	shared->fold_size = maintenance_work_mem * (Size) 1024 / nworkers;
	pg_atomic_init_u64(&shared->rows, 0);
	shared->nparts = 0;
	foreach(lc, parts)
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);
		SharedPart *part = &shared->part[shared->nparts++];

		part->relid = lfirst_oid(lc);
		part->scan = scan;
		table_parallelscan_initialize(rel, (ParallelTableScanDesc)
									  ((char *) shared + scan), snapshot);
		scan += MAXALIGN(table_parallelscan_estimate(rel, snapshot));
		table_close(rel, NoLock);
	}
}

/* Copy something into the shared memory. */
static void
share(ParallelContext *pcxt, uint64 key, const void *from, Size size)
{
	void	   *to = shm_toc_allocate(pcxt->toc, size);

	memcpy(to, from, size);
	shm_toc_insert(pcxt->toc, key, to);
}

/* Fill the shared memory; each worker gets a queue. */
static void
init_parallel(ParallelContext *pcxt, Recount *recount, List *parts,
			  Snapshot snapshot, Size size, const ArrayType *arguments)
{
	char	   *queues = shm_toc_allocate(pcxt->toc,
										  QUEUE_SIZE * pcxt->nworkers);
	Size		usage_size = sizeof(WorkerUsage) * pcxt->nworkers;
	WorkerUsage *usage = shm_toc_allocate(pcxt->toc, usage_size);

	recount->shared = shm_toc_allocate(pcxt->toc, size);
	init_shared(recount->shared, recount, parts, snapshot, pcxt->nworkers);
	shm_toc_insert(pcxt->toc, TOC_SHARED, recount->shared);
	share(pcxt, TOC_ARGUMENTS, arguments, VARSIZE(arguments));
	if (debug_query_string != NULL)
		share(pcxt, TOC_QUERY, debug_query_string,
			  strlen(debug_query_string) + 1);
	memset(usage, 0, usage_size);
	shm_toc_insert(pcxt->toc, TOC_USAGE, usage);
	for (int i = 0; i < pcxt->nworkers; i++)
		shm_mq_set_receiver(shm_mq_create(queues + i * QUEUE_SIZE, QUEUE_SIZE),
							MyProc);
	shm_toc_insert(pcxt->toc, TOC_QUEUES, queues);
}

/* Start the workers and listen to those that could be started. */
static void
launch_workers(ParallelContext *pcxt, Recount *recount)
{
	char	   *queues = shm_toc_lookup(pcxt->toc, TOC_QUEUES, false);

	LaunchParallelWorkers(pcxt);
	recount->queues = palloc0(pcxt->nworkers * sizeof(shm_mq_handle *));
	recount->nqueues = pcxt->nworkers_launched;
	for (int i = 0; i < recount->nqueues; i++)
		recount->queues[i] = shm_mq_attach((shm_mq *) (queues + i * QUEUE_SIZE),
										   pcxt->seg,
										   pcxt->worker[i].bgwhandle);
	ereport(DEBUG1,
			(errmsg_internal("counting table \"%s\" with %d of %d parallel workers",
							 recount->name, pcxt->nworkers_launched,
							 pcxt->nworkers)));
}

/* Add what the workers used to what this statement has used. */
static void
add_usage(const ParallelContext *pcxt)
{
	WorkerUsage *usage = shm_toc_lookup(pcxt->toc, TOC_USAGE, false);

	for (int i = 0; i < pcxt->nworkers_launched; i++)
		InstrAccumParallelQuery(&usage[i].buffers, &usage[i].wal);
}

/*
 * Count with the help of workers; false, with nothing counted, if there are
 * none to be had.
 */
bool
recount_in_parallel(Recount *recount, List *parts, const ArrayType *arguments,
					int nworkers)
{
	Snapshot	snapshot = scan_snapshot(GetActiveSnapshot());
	Size		size = shared_size(parts, snapshot);
	ParallelContext *pcxt;
	bool		counted = false;

	EnterParallelMode();
	pcxt = CreateParallelContext("replenish", "replenish_recount_worker",
								 nworkers);
	shm_toc_estimate_chunk(&pcxt->estimator, size);
	shm_toc_estimate_chunk(&pcxt->estimator, VARSIZE(arguments));
	shm_toc_estimate_chunk(&pcxt->estimator, QUEUE_SIZE * nworkers);
	shm_toc_estimate_chunk(&pcxt->estimator, sizeof(WorkerUsage) * nworkers);
	if (debug_query_string != NULL)
		shm_toc_estimate_chunk(&pcxt->estimator,
							   strlen(debug_query_string) + 1);
	shm_toc_estimate_keys(&pcxt->estimator, TOC_ENTRIES);
	InitializeParallelDSM(pcxt);
	/* without shared memory there can be no workers */
	if (pcxt->seg != NULL)
	{
		init_parallel(pcxt, recount, parts, snapshot, size, arguments);
		launch_workers(pcxt, recount);
	}
	if (pcxt->nworkers_launched > 0)
	{
		if (parallel_leader_participation)
			count_share(recount, recount_add);
		receive_rest(recount);
		/* raises the error of a worker that ended before it was done */
		WaitForParallelWorkersToFinish(pcxt);
		add_usage(pcxt);
		counted = true;
	}
	recount->shared = NULL;
	recount->nqueues = 0;
	DestroyParallelContext(pcxt);
	ExitParallelMode();
	return counted;
}

