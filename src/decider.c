/*-------------------------------------------------------------------------
 *
 * decider.c
 *	  One decider at a time, and who it is.
 *
 * tick() itself is SQL; here is what keeps it alone.  The lock is on a part of
 * the extension's own object that no SQL command can name, so no other role
 * can hold it.  It is kept to the end of the transaction: what a decider has
 * taken from the inbox must be seen as taken before the next one looks.
 *
 * In 'immediate' mode the writing statement tries to be the decider: it never
 * waits for the lock, hardly for any other (somebody may be emptying a table
 * of settings), and whatever goes wrong inside is rolled back to a
 * subtransaction and becomes a warning, so that the order itself goes in.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(replenish_become_decider);
PG_FUNCTION_INFO_V1(replenish_await_decider);
PG_FUNCTION_INFO_V1(replenish_lock_repair);

/* How long an order that decides waits for a lock at most, in milliseconds. */
#define PATIENCE	10

/* After the second failure in a row of a session's attempts; doubles. */
#define PAUSE_MS		1000
#define PAUSE_MAX_MS	60000

/* The extension's oid, or InvalidOid where it is not installed. */
Oid
replenish_extension_oid(void)
{
	return get_extension_oid("replenish", true);
}

/* The version of its SQL that is installed. */
char *
replenish_extension_version(Oid extension)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *version = "";

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, Anum_pg_extension_extversion,
										 RelationGetDescr(rel), &isnull);

		version = TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return version;
}

/* The lock 'number' of this database's extension. */
static LOCKTAG
extension_lock(uint16 number)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId,
					   replenish_extension_oid(), number);
	return tag;
}

/*
 * What needs the newest committed rows in every statement cannot run in a
 * transaction that keeps its first snapshot.
 */
static void
require_fresh_snapshots(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s during recovery", function),
				 errhint("Run it on the primary.")));
	PreventCommandIfReadOnly(function);
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("cannot execute %s in a transaction with isolation level REPEATABLE READ or SERIALIZABLE",
						function),
				 errhint("Run it in a READ COMMITTED transaction.")));
}

/*
 * become_decider(): wait until no other session decides.  From here to the end
 * of the transaction this one does.
 */
Datum
replenish_become_decider(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	require_fresh_snapshots("replenish.tick()");
	tag = extension_lock(LOCK_DECIDER);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	forbid_prepare();
	PG_RETURN_VOID();
}

/*
 * await_decider(): wait until whoever decides now has done so.  Every later
 * decision sees what is committed by now.
 */
Datum
replenish_await_decider(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag = extension_lock(LOCK_DECIDER);

	require_fresh_snapshots("replenish.backfill()");
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	(void) LockRelease(&tag, ExclusiveLock, false);
	PG_RETURN_VOID();
}

/*
 * lock_repair(): wait until no other session recounts.  Two recounts that
 * overlap would both append the same difference.
 */
Datum
replenish_lock_repair(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	require_fresh_snapshots("replenish.repair()");
	tag = extension_lock(LOCK_REPAIR);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	forbid_prepare();
	PG_RETURN_VOID();
}

/*
 * Give up a lock that is not to be had soon, until the end of the
 * subtransaction.
 */
static void
wait_hardly(void)
{
	char		patience[12];

	if (LockTimeout > 0 && LockTimeout <= PATIENCE)
		return;
	snprintf(patience, sizeof(patience), "%d", PATIENCE);
	(void) set_config_option("lock_timeout", patience, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Run tick() at the present moment, as its owner. */
static void
run_tick(void)
{
	Oid			argtypes[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(GetCurrentTimestamp())};
	int			rc;

	SPI_connect();
	rc = SPI_execute_with_args("SELECT replenish.tick($1)", 1, argtypes,
							   values, NULL, false, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "tick failed: %s", SPI_result_code_string(rc));
	SPI_finish();
}

/*
 * Say whether an error is meant for the statement, not for us.  A cancel is;
 * but a statement whose time is up while we decide has done its own work.
 */
static bool
is_for_statement(const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		return error->message_id == NULL ||
			strcmp(error->message_id,
				   "canceling statement due to statement timeout") != 0;
	return error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN;
}

/*
 * Decide within this statement if that is asked for and possible: the mode is
 * 'immediate', or 'auto' with no worker to be had; each statement of the
 * transaction sees the newest rows; and nobody else decides.
 */
bool
decider_try_now(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	LOCKTAG		tag;
	LockAcquireResult lock;
	Oid			user;
	int			security;
	volatile bool done = false;
	static bool deciding = false;
	static TimestampTz retry_at = 0;	/* after a failure */
	static int	pause_ms = 0;
	static bool failed_before = false;

	/* an order that a trigger of ours or on our events has written waits */
	if (replenish_evaluate == EVALUATE_MANUAL || deciding)
		return false;
	if (replenish_evaluate != EVALUATE_IMMEDIATE &&
		(worker_ensure() || replenish_evaluate == EVALUATE_WORKER))
		return false;
	if (IsolationUsesXactSnapshot())
		return false;
	/* where orders may be prepared, only who asks for it gives that up */
	if (replenish_evaluate == EVALUATE_AUTO && max_prepared_xacts > 0)
		return false;
	if (retry_at > GetCurrentStatementStartTimestamp())
		return false;
	tag = extension_lock(LOCK_DECIDER);
	lock = LockAcquire(&tag, ExclusiveLock, false, true);
	if (lock == LOCKACQUIRE_NOT_AVAIL)
		return false;

	GetUserIdAndSecContext(&user, &security);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	deciding = true;
	PG_TRY();
	{
		SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID,
							   security | SECURITY_LOCAL_USERID_CHANGE);
		wait_hardly();
		run_tick();
		SetUserIdAndSecContext(user, security);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		SetUserIdAndSecContext(user, security);
		CurrentResourceOwner = owner;
		/* whoever decides next need not wait for the end of this transaction */
		if (lock == LOCKACQUIRE_OK)
			(void) LockRelease(&tag, ExclusiveLock, false);
		deciding = false;
		if (is_for_statement(error))
			ReThrowError(error);
		/* what waits for a lock may be had by the next order */
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		{
			pause_ms = failed_before ?
				Min(Max(PAUSE_MS, pause_ms * 2), PAUSE_MAX_MS) : 0;
			failed_before = true;
			retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												   pause_ms);
			failure_append("tick", error->message);
		}
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("replenish could not decide now: %s", error->message),
				 errhint("The order is recorded; the next replenish.tick() decides.")));
	}
	PG_END_TRY();
	deciding = false;
	if (done)
	{
		pause_ms = 0;
		failed_before = false;
		forgo_lock_timeout();
	}
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}
