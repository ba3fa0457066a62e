/*-------------------------------------------------------------------------
 *
 * follow.c
 *	  What following the shop's DDL needs that SQL cannot do by itself.
 *
 * The commands that put triggers on tables and take them off again are
 * commands like any other, and event triggers see them.  What this extension
 * does itself needs no following: it goes through own_command(), and is_own()
 * tells while that runs.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "tcop/deparse_utility.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(replenish_own_command);
PG_FUNCTION_INFO_V1(replenish_is_own);
PG_FUNCTION_INFO_V1(replenish_alterations);

/* Columns of alterations(). */
enum
{
	ALTERATION_WHAT,
	ALTERATION_NAME,
	ALTERATION_COMPUTED,
	N_ALTERATIONS
};

static bool own = false;

/* own_command(command): run a command of our own, as the current user. */
Datum
replenish_own_command(PG_FUNCTION_ARGS)
{
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		before = own;

	SPI_connect();
	own = true;
	PG_TRY();
	{
		if (SPI_execute(command, false, 0) < 0)
			elog(ERROR, "could not run \"%s\"", command);
	}
	PG_FINALLY();
	{
		own = before;
	}
	PG_END_TRY();
	SPI_finish();
	PG_RETURN_VOID();
}

/* is_own(): whether the command that runs is one of our own. */
Datum
replenish_is_own(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(own);
}

/*
 * Say what a part of ALTER TABLE does that is not to be seen in the catalogs
 * afterwards; NULL for all else.
 */
static const char *
alteration(const AlterTableCmd *cmd)
{
	switch (cmd->subtype)
	{
		case AT_AlterColumnType:
			return "type";
		case AT_DisableTrig:
		case AT_DisableTrigAll:
		case AT_DisableTrigUser:
			return "disable";
		case AT_EnableTrig:
		case AT_EnableAlwaysTrig:
		case AT_EnableReplicaTrig:
		case AT_EnableTrigAll:
		case AT_EnableTrigUser:
			return "enable";
		default:
			return NULL;
	}
}

/* Return one row of alterations(). */
static void
put_alteration(ReturnSetInfo *result, const char *what, const char *name,
			   bool computed)
{
	Datum		values[N_ALTERATIONS] = {0};
	bool		nulls[N_ALTERATIONS] = {false};

	values[ALTERATION_WHAT] = CStringGetTextDatum(what);
	nulls[ALTERATION_NAME] = name == NULL;
	if (name != NULL)
		values[ALTERATION_NAME] = CStringGetTextDatum(name);
	values[ALTERATION_COMPUTED] = BoolGetDatum(computed);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * alterations(command): the parts of an ALTER TABLE that change a column's
 * type, or enable or disable triggers (the name is NULL for all of them); and
 * the label of an enum that an ALTER TYPE gives another name.
 */
Datum
replenish_alterations(PG_FUNCTION_ARGS)
{
	CollectedCommand *command = (CollectedCommand *) PG_GETARG_POINTER(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	if (command->type == SCT_Simple && IsA(command->parsetree, AlterEnumStmt))
	{
		AlterEnumStmt *alter = castNode(AlterEnumStmt, command->parsetree);

		if (alter->oldVal != NULL)
			put_alteration(result, "label", alter->oldVal, false);
	}
	if (command->type != SCT_AlterTable)
		return (Datum) 0;
	foreach(lc, command->d.alterTable.subcmds)
	{
		CollectedATSubcmd *part = lfirst(lc);
		AlterTableCmd *cmd = castNode(AlterTableCmd, part->parsetree);
		const char *what = alteration(cmd);
		bool		computed = false;

		if (what == NULL)
			continue;
		if (cmd->subtype == AT_AlterColumnType)
		{
			ColumnDef  *def = castNode(ColumnDef, cmd->def);

			computed = def->raw_default != NULL || def->cooked_default != NULL;
		}
		put_alteration(result, what, cmd->name, computed);
	}
	return (Datum) 0;
}
