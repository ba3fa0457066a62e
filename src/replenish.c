/*-------------------------------------------------------------------------
 *
 * replenish.c
 *	  What happens when the library is loaded: settings and callbacks.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/guc.h"

REPLENISH_MODULE_MAGIC;

int			replenish_evaluate = EVALUATE_AUTO;
static bool quiet_start = true;

static const struct config_enum_entry evaluate_options[] = {
	{"auto", EVALUATE_AUTO, false},
	{"worker", EVALUATE_WORKER, false},
	{"immediate", EVALUATE_IMMEDIATE, false},
	{"manual", EVALUATE_MANUAL, false},
	{NULL, 0, false}
};

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	/*
	 * Whoever decides holds the others off until the transaction ends: that is
	 * not for every session to choose.
	 */
	DefineCustomEnumVariable("replenish.evaluate",
							 "Who decides after an order.",
							 "auto: the background worker, or the writing statement where none can run; "
							 "worker: the background worker only; "
							 "immediate: the writing statement; "
							 "manual: whoever calls replenish.tick().",
							 &replenish_evaluate,
							 EVALUATE_AUTO,
							 evaluate_options,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	/* tick() reads it by its name */
	DefineCustomBoolVariable("replenish.quiet_start",
							 "Announces nothing before replenish.go_live().",
							 "With off, the first decision is announced like "
							 "any other.",
							 &quiet_start,
							 true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("replenish");
	wake_init();

	/*
	 * After a restart the worker comes back with the first session that
	 * touches us, or that preloads the library for its database.  A parallel
	 * worker comes with a session that has done so, and does not know its
	 * settings yet.
	 */
	if (IsUnderPostmaster && !IsBinaryUpgrade && !IsParallelWorker() &&
		IsTransactionState() &&
		OidIsValid(MyDatabaseId) && !creating_extension &&
		OidIsValid(replenish_extension_oid()))
		(void) worker_ensure();
}
