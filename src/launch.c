/*-------------------------------------------------------------------------
 *
 * launch.c
 *	  Find the worker of this database, start it, wake it at commit.
 *
 * There is no shared memory of ours, so that nothing has to be preloaded.  A
 * backend finds the worker by a scan of the process array, remembers where it
 * was, and sets its latch when a transaction that appended something has
 * committed.  Where none lives, one backend at a time registers one.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(replenish_worker_pid);

/* Between two attempts of one backend to start a worker that is not there. */
#define LAUNCH_INTERVAL_MS	1000

/* A new worker is found within this time, or the attempt is given up. */
#define LAUNCH_WAIT_MS		50

/* A remembered worker is looked for anew after this time. */
#define FIND_INTERVAL_MS	1000

static PGPROC *worker_proc = NULL;	/* where the worker was last found */
static int	worker_pid = 0;
static TimestampTz found_at = 0;
static TimestampTz tried_at = 0;

static bool wake_wanted = false;	/* this transaction appended something */
static bool prepare_forbidden = false;	/* this transaction has decided */
static bool order_decided = false;	/* this transaction is an order that has */
static int	patience = -1;		/* its lock_timeout, while that is not in force */

/* Say whether a process slot still holds the worker that was found there. */
static bool
is_worker_alive(void)
{
	/* a dead process may leave its pid, but no longer owns its latch */
	return worker_proc != NULL && worker_proc->pid == worker_pid &&
		worker_proc->procLatch.owner_pid == worker_pid &&
		worker_proc->databaseId == MyDatabaseId;
}

/* Look for the worker among all processes. */
static bool
find_worker(void)
{
	worker_proc = NULL;
	for (uint32 i = 0; i < ProcGlobal->allProcCount; i++)
	{
		PGPROC	   *proc = &ProcGlobal->allProcs[i];
		int			pid = proc->pid;
		const char *type;

		if (pid == 0 || proc->databaseId != MyDatabaseId ||
			proc->procLatch.owner_pid != pid || pid == MyProcPid)
			continue;
		type = GetBackgroundWorkerTypeByPid(pid);
		if (type != NULL && strcmp(type, WORKER_TYPE) == 0)
		{
			worker_proc = proc;
			worker_pid = pid;
			found_at = GetCurrentTimestamp();
			return true;
		}
	}
	return false;
}

/* Say whether a worker lives, by memory for a while. */
static bool
worker_lives(void)
{
	if (is_worker_alive() &&
		!TimestampDifferenceExceeds(found_at, GetCurrentTimestamp(),
									FIND_INTERVAL_MS))
		return true;
	return find_worker();
}

/* Register a worker for this database; NULL where there is no slot for it. */
static BackgroundWorkerHandle *
register_worker(void)
{
	BackgroundWorkerHandle *handle;
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	snprintf(worker.bgw_name, BGW_MAXLEN, "replenish worker for database %u",
			 MyDatabaseId);
	snprintf(worker.bgw_type, BGW_MAXLEN, WORKER_TYPE);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	/* restarted by the next order: a dropped database must not be tried on */
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name),
			 "replenish");
	snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name),
			 "replenish_worker_main");
	worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
	return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : NULL;
}

/*
 * Wait a little until a worker that was registered can be found.  It may be
 * slow to start: what we append it finds when it looks first.  But one that
 * has left again is not waited for, nor relied on.
 */
static bool
await_worker(BackgroundWorkerHandle *handle)
{
	for (int i = 0; i < LAUNCH_WAIT_MS; i++)
	{
		pid_t		pid;
		bool		has_left = GetBackgroundWorkerPid(handle, &pid) ==
			BGWH_STOPPED;

		if (find_worker())
			return true;
		if (has_left)
			return false;
		pg_usleep(1000L);
	}
	return true;
}

/*
 * Make sure that a worker lives where one is wanted, and say whether one does
 * or is about to.  One backend at a time registers it and holds the others off
 * until it can be found; nobody waits for that lock.
 */
bool
worker_ensure(void)
{
	static bool coming = false; /* what the last attempt came to */
	BackgroundWorkerHandle *handle;
	LOCKTAG		tag;

	if (worker_lives())
		return true;
	if (replenish_evaluate != EVALUATE_AUTO &&
		replenish_evaluate != EVALUATE_WORKER)
		return false;
	/* a session that restores a dump checks no bodies: let it finish alone */
	if (MyBackendType != B_BACKEND || RecoveryInProgress() ||
		!check_function_bodies)
		return false;
	if (!TimestampDifferenceExceeds(tried_at, GetCurrentTimestamp(),
									LAUNCH_INTERVAL_MS))
		return coming;
	tried_at = GetCurrentTimestamp();
	/* those before it died: that somebody decides is not for orders to try */
	coming = true;
	if (failure_retry_at() > tried_at)
		return true;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId,
					   replenish_extension_oid(), LOCK_LAUNCH);
	/* whoever holds it is starting the worker */
	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	coming = find_worker() ||
		((handle = register_worker()) != NULL && await_worker(handle));
	LockRelease(&tag, ExclusiveLock, true);
	return coming;
}

/* worker_pid(): the worker's process id, or NULL. */
Datum
replenish_worker_pid(PG_FUNCTION_ARGS)
{
	if (!worker_lives())
		PG_RETURN_NULL();
	PG_RETURN_INT32(worker_pid);
}

/* Say whether this process is the worker: it has more to do, then. */
static bool
is_worker(void)
{
	return MyBgworkerEntry != NULL &&
		strcmp(MyBgworkerEntry->bgw_type, WORKER_TYPE) == 0;
}

/* Wake the worker when this transaction has committed. */
void
wake_at_commit(void)
{
	wake_wanted = true;
}

/* This transaction has decided: its lock must not outlive its session. */
void
forbid_prepare(void)
{
	prepare_forbidden = true;
}

/*
 * This transaction is an order that has decided.  Commits that notify wait for
 * each other; that is no lock for which an order gives up.
 */
void
forgo_lock_timeout(void)
{
	order_decided = true;
}

/* Forget what concerned the transaction that has ended. */
static void
forget_transaction(void)
{
	if (patience >= 0)
		LockTimeout = patience;
	patience = -1;
	wake_wanted = false;
	prepare_forbidden = false;
	order_decided = false;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (order_decided)
			{
				patience = LockTimeout;
				LockTimeout = 0;
			}
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (prepare_forbidden)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has decided or repaired"),
						 errhint("Set replenish.evaluate to \"worker\" where orders are prepared.")));
			break;
		case XACT_EVENT_COMMIT:
			if (wake_wanted && is_worker())
				SetLatch(MyLatch);
			else if (wake_wanted && replenish_evaluate != EVALUATE_MANUAL &&
					 worker_lives())
				SetLatch(&worker_proc->procLatch);
			pg_fallthrough;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			/* whoever commits a prepared order is found by the worker's poll */
			forget_transaction();
			break;
		default:
			break;
	}
}

/* Hear of the ends of transactions. */
void
wake_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}
