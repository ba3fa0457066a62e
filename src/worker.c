/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that decides by itself.
 *
 * It sleeps until an order's commit sets its latch, or for a second: that
 * catches prepared transactions, what is due by the clock, a dropped
 * extension and a database that somebody wants to drop.  For these it looks
 * within a long pass as well, which is rolled back then.  A pass that finds
 * nothing writes nothing.  Under load it lingers between passes, because
 * waking at every commit costs the orders more than the passes do.
 *
 * What goes wrong is noted for health(): a pass that failed, and, before the
 * first one, that a worker has begun; see failure.c.
 *
 * One worker per database lives by a lock of the user method: unlike a lock of
 * the default method, an error does not release it and an exit does.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include <sys/resource.h>

#include "access/xact.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Longest sleep, and the shortest time between two passes. */
#define POLL_MS			1000
#define LINGER_MS		10

/*
 * Behind an old snapshot every version of a row that is decided again and
 * again has to be passed by.  What a pass takes longer than for so many
 * decisions is rested four times as long: a fifth of a core, at most.
 */
#define DECISIONS_PER_MS	10
#define REST_FACTOR		4
#define REST_MAX_MS		500

/* Within a pass it is looked so often who waits. */
#define YIELD_MS		250

/* Longest pause after a pass that failed; doubles from POLL_MS. */
#define BACKOFF_MAX_MS	60000

static bool am_worker = false;
static bool begun = false;		/* it is noted that this worker begins */
static bool noted = true;		/* there may be a note to take back */
static char failed_pass[1024];	/* what the last one failed with, or '' */

/*
 * Exit quietly: there is nothing for this worker to do here any more.  The
 * transaction is rolled back on the way, wherever it is.
 */
static void
leave(void)
{
	proc_exit(0);
}

/* Take the lock that makes this the only worker of its database, or leave. */
static void
become_only_worker(Oid extension)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, extension,
					   LOCK_WORKER);
	tag.locktag_lockmethodid = USER_LOCKMETHOD;
	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		leave();
}

/* Call one of our functions that note something, where it is installed. */
static void
note(const char *function, const char *arg)
{
	Oid			argtypes[] = {TEXTOID};
	Datum		args[] = {CStringGetTextDatum(arg)};
	List	   *names = list_make2(makeString("replenish"),
								   makeString(pstrdup(function)));

	if (!OidIsValid(LookupFuncName(names, 1, argtypes, true)))
		return;
	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT replenish.%s($1)", function), 1,
							  argtypes, args, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run %s()", function);
	SPI_finish();
}

/* Begin a transaction whose statements see the newest rows. */
static void
begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	/* whatever the database's defaults */
	XactIsoLevel = XACT_READ_COMMITTED;
	XactReadOnly = false;
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/*
 * Say whether somebody waits for a lock on an object, or has it, that leaves no
 * room for this one.  It is not kept: whoever came to wait for it meanwhile
 * would have others wait behind him, sessions that begin among them.
 */
static bool
is_object_wanted(Oid database, Oid class, Oid object, LOCKMODE mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, database, class, object, 0);
	if (LockAcquire(&tag, mode, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, mode, false);
	return false;
}

/*
 * Leave when somebody waits to drop, rename or copy the database, from wherever
 * we are in a pass: there is no way back.  Who leaves in his first one has not
 * died of it.
 */
static void
yield_database(void)
{
	if (!is_object_wanted(InvalidOid, DatabaseRelationId, MyDatabaseId,
						  RowExclusiveLock))
		return;
	if (begun && noted)
	{
		/* an error exits */
		PG_exception_stack = NULL;
		error_context_stack = NULL;
		AbortOutOfAnyTransaction();
		begin();
		note("worker_goes_on", "");
		commit();
	}
	leave();
}

/*
 * In the worker, leave in the middle of a pass when somebody waits for the
 * database or to drop the extension; now and then, however often it is called.
 * In any other process, nothing.
 */
void
worker_yield(void)
{
	static TimestampTz looked_at = 0;
	TimestampTz now;

	if (!am_worker)
		return;
	now = GetCurrentTimestamp();
	if (!TimestampDifferenceExceeds(looked_at, now, YIELD_MS))
		return;
	looked_at = now;
	yield_database();
	if (is_object_wanted(MyDatabaseId, ExtensionRelationId,
						 replenish_extension_oid(), AccessShareLock))
		leave();
}

/*
 * Run a query of one row, which is then SPI's; it is planned once and for all.
 */
static void
ask(const char *query, SPIPlanPtr *plan, bool read_only)
{
	if (*plan == NULL)
	{
		*plan = SPI_prepare(query, 0, NULL);
		if (*plan == NULL || SPI_keepplan(*plan) != 0)
			elog(ERROR, "could not prepare: %s", query);
	}
	if (SPI_execute_plan(*plan, NULL, NULL, read_only, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not run: %s", query);
}

/* A column of the row that was asked for. */
static Datum
answer(int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column,
						 &isnull);
}

/* Run tick() where there is something to do; return how many it decided. */
static int64
run_pass(void)
{
	static SPIPlanPtr due = NULL;
	static SPIPlanPtr tick = NULL;
	int64		decided = 0;

	SPI_connect();
	ask("SELECT replenish.is_due(pg_catalog.now())", &due, true);
	if (DatumGetBool(answer(1)))
	{
		ask("SELECT decided, events FROM replenish.tick(pg_catalog.now())",
			&tick, false);
		decided = DatumGetInt64(answer(1));

		/*
		 * What a crash undoes is simply done again, except that nobody may be
		 * told of an event whose number could be given to another one.
		 */
		if (DatumGetInt64(answer(2)) == 0)
			(void) set_config_option("synchronous_commit", "off", PGC_USERSET,
									 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
									 false);
	}
	SPI_finish();
	return decided;
}

/* The processor time that this process has had, in milliseconds. */
static int64
cpu_ms(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64CONST(1000) +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/*
 * One transaction; returns how long to linger after it.  A worker whose
 * extension was dropped, made anew or updated leaves instead of running old
 * code; so does one that is not wanted.
 */
static int
one_pass(void)
{
	static Oid	known = InvalidOid;
	static char *known_version = NULL;
	static int64 before = 0;
	int64		excess;
	Oid			extension;
	char	   *version;
	int64		spent = cpu_ms();

	begin();
	yield_database();
	extension = replenish_extension_oid();
	if (!OidIsValid(extension) || replenish_evaluate == EVALUATE_MANUAL)
		leave();
	version = replenish_extension_version(extension);
	if (!OidIsValid(known))
	{
		become_only_worker(extension);
		known = extension;
		known_version = MemoryContextStrdup(TopMemoryContext, version);
		note("worker_begins", "It died before it had decided once.");
		commit();
		begun = true;
		begin();
	}
	else if (extension != known || strcmp(version, known_version) != 0)
		leave();
	pgstat_report_activity(STATE_RUNNING, "replenish.tick()");
	spent += run_pass() / DECISIONS_PER_MS;
	if (noted)
		note("worker_goes_on", "");
	commit();
	noted = false;
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	/* the first time, plans are made */
	excess = Min(cpu_ms() - spent, before);
	before = cpu_ms() - spent;
	return Min(Max(excess * REST_FACTOR, LINGER_MS), REST_MAX_MS);
}

/* Note what the last pass failed with, in a transaction of its own. */
static void
note_failure(void)
{
	char	   *error = pstrdup(failed_pass);

	/* should this fail as well, the server's log has it */
	failed_pass[0] = '\0';
	noted = true;
	begin();
	note("worker_failed", error);
	commit();
}

/*
 * Wait after a pass that failed, without trying another, but ready to exit for
 * whoever stops the server or wants the database.
 */
static void
pause_after_failure(int pause_ms)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													pause_ms);
	long		left_ms;

	while ((left_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
													  until)) > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(left_ms, POLL_MS), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		StartTransactionCommand();
		yield_database();
		CommitTransactionCommand();
		/* orders that come now must not make this a busy loop */
		pg_usleep(LINGER_MS * 1000L);
	}
}

/*
 * What the database's or its owner's defaults say is meant for the shop's
 * sessions: with another role nothing could be decided, and a limit of time
 * would only have the same work begun again.
 */
static void
set_defaults(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"role", "none"},
		{"session_replication_role", "origin"},
		{"lock_timeout", "0"},
		{"transaction_timeout", "0"}
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		if (GetConfigOption(settings[i][0], true, false) != NULL)
			SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET,
							PGC_S_SESSION);
}

/* Where the worker begins; 'arg' is the database's oid. */
void
replenish_worker_main(Datum arg)
{
	sigjmp_buf	on_error;
	static int	pause_ms = 0;	/* after a failed pass */
	int			linger_ms;
	MemoryContext context;

	am_worker = true;
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg),
											  InvalidOid, 0);
	set_defaults();
	context = AllocSetContextCreate(TopMemoryContext, "replenish worker",
									ALLOCSET_DEFAULT_SIZES);

	if (sigsetjmp(on_error, 1) != 0)
	{
		error_context_stack = NULL;
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(context);
		strlcpy(failed_pass, CopyErrorData()->message, sizeof(failed_pass));
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
		pause_ms = Min(Max(POLL_MS, pause_ms * 2), BACKOFF_MAX_MS);
		pgstat_report_activity(STATE_IDLE, NULL);
	}
	PG_exception_stack = &on_error;

	for (;;)
	{
		MemoryContextSwitchTo(context);
		MemoryContextReset(context);
		if (failed_pass[0] != '\0')
			note_failure();
		if (pause_ms > 0)
			pause_after_failure(pause_ms);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		MemoryContextSwitchTo(context);
		MemoryContextReset(context);
		linger_ms = one_pass();
		pause_ms = 0;

		/* linger: commits that come meanwhile share the next pass */
		pg_usleep(linger_ms * 1000L);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 POLL_MS, PG_WAIT_EXTENSION);
	}
}
