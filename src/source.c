/*-------------------------------------------------------------------------
 *
 * source.c
 *	  What a watch knows: how the rows of a table are to be read.
 *
 * It travels in the argument of the triggers, so that the order path looks
 * nothing up.  In order: id, kind, the columns of SourceColumn ('' where there
 * is none), the zone of moments without one, the columns that only its kind
 * has, the number of counted statuses, those statuses, then pairs of location
 * and zone where a location's zone is another.  It is one argument, because
 * every statement copies those of all the table's triggers.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Fault codes of all rows of a table. */
#define FAULT_COLUMN		"missing_column"
#define FAULT_TYPE			"column_type"

/* Columns that every kind of source names, and where they begin. */
#define COMMON_COLUMNS		COL_ORDER
#define FIRST_COLUMN		2

/*
 * The kinds: their names as arguments, the column that tells a source from an
 * argument that is too short, and the columns that only they have.
 */
static const struct
{
	const char *name;
	SourceColumn needed;
	SourceColumn own;
	int			nown;
}			source_kinds[] = {
	[SOURCE_ORDERS] = {"orders", COL_SKU, COL_ORDER, 0},
	[SOURCE_LINES] = {"lines", COL_SKU, COL_ORDER, 1},
	[SOURCE_HEADERS] = {"header", COL_ORDER, COL_ORDER, 1},
	[SOURCE_STOCK] = {"stock", COL_SKU, COL_ORDER, 0},
	[SOURCE_INBOUND] = {"inbound", COL_SKU, COL_EXPECTED_AT, 3},
	[SOURCE_AUDIENCE] = {"audience", COL_QTY, COL_ORDER, 0},
};

/*
 * Take a trigger's argument apart: values between commas, a backslash before
 * a comma or a backslash that is part of one.  Returns their number.
 */
int
source_unpack(const char *packed, char ***args)
{
	char	   *to = palloc(strlen(packed) + 1);
	int			nargs = 1;

	for (const char *p = packed; *p != '\0'; p++)
		nargs += *p == ',';
	*args = palloc(nargs * sizeof(char *));
	(*args)[0] = to;
	nargs = 1;
	for (const char *p = packed; *p != '\0'; p++)
	{
		if (*p == ',')
		{
			*to++ = '\0';
			(*args)[nargs++] = to;
			continue;
		}
		if (*p == '\\' && p[1] != '\0')
			p++;
		*to++ = *p;
	}
	*to = '\0';
	return nargs;
}

/*
 * Read what a watch knows.  It was written by watch_orders() or another of
 * its kind; what is too short leaves the source without columns, which
 * source_bind() reports.
 */
void
source_parse(int nargs, char **args, Source *source)
{
	int			next = FIRST_COLUMN;
	int			nown;
	int			rest;

	memset(source, 0, sizeof(*source));
	if (nargs <= FIRST_COLUMN)
		return;
	source->id = atoi(args[0]);
	for (int i = 0; i < (int) lengthof(source_kinds); i++)
		if (strcmp(args[1], source_kinds[i].name) == 0)
			source->kind = (SourceKind) i;
	nown = source_kinds[source->kind].nown;
	/* the columns, the zone, the number of statuses */
	rest = nargs - next - COMMON_COLUMNS - nown - 2;
	if (rest < 0)
		return;
	for (int i = 0; i < COMMON_COLUMNS; i++, next++)
		source->column[i] = args[next][0] == '\0' ? NULL : args[next];
	source->zone = args[next++];
	for (int i = 0; i < nown; i++, next++)
		source->column[source_kinds[source->kind].own + i] =
			args[next][0] == '\0' ? NULL : args[next];
	source->ncounted = atoi(args[next++]);
	source->ncounted = Max(0, Min(source->ncounted, rest));
	source->counted = args + next;
	source->zones = source->counted + source->ncounted;
	source->nzones = (rest - source->ncounted) / 2;
}

/* The same of arguments that are given as an array of text. */
void
source_parse_array(ArrayType *array, Source *source)
{
	Datum	   *elements;
	char	  **args;
	int			nargs;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL,
					  &nargs);
	args = palloc(nargs * sizeof(char *));
	for (int i = 0; i < nargs; i++)
		args[i] = TextDatumGetCString(elements[i]);
	source_parse(nargs, args, source);
}

/* Say whether a column can be read in its role. */
static bool
is_readable(SourceColumn role, Oid type)
{
	switch (role)
	{
		case COL_SKU:
		case COL_LOCATION:
		case COL_CHANNEL:
		case COL_STATUS:
		case COL_ORDER:
			return value_is_key_type(type);
		case COL_AT:
		case COL_EXPECTED_AT:
		case COL_RECEIVED_AT:
			return type == TIMESTAMPTZOID || type == TIMESTAMPOID ||
				type == DATEOID;
		default:
			return type == INT2OID || type == INT4OID || type == INT8OID ||
				type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
	}
}

/*
 * Find the source's columns in a relation.  A column that has gone or changed
 * its type makes every row a fault, never an error.
 */
void
source_bind(const Source *source, TupleDesc desc, SourceReader *reader)
{
	reader->source = source;
	reader->missing = source->column[source_kinds[source->kind].needed] == NULL ?
		FAULT_COLUMN : NULL;
	for (int role = 0; role < N_COLUMNS; role++)
	{
		reader->attnum[role] = 0;
		if (source->column[role] == NULL)
			continue;
		for (int i = 0; i < desc->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, i);

			if (!att->attisdropped &&
				strcmp(NameStr(att->attname), source->column[role]) == 0)
			{
				reader->attnum[role] = att->attnum;
				/* built-in types first: they need no look-up */
				reader->type[role] = att->atttypid;
				if (att->atttypid >= FirstGenbkiObjectId)
					reader->type[role] = getBaseType(att->atttypid);
				break;
			}
		}
		if (reader->attnum[role] == 0)
			reader->missing = FAULT_COLUMN;
		else if (!is_readable(role, reader->type[role]))
			reader->missing = FAULT_TYPE;
	}
}
