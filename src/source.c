/*-------------------------------------------------------------------------
 *
 * source.c
 *	  Read a row of a watched table as movements, without ever throwing.
 *
 * What a watch knows travels in the argument of its triggers, so that the
 * order path looks nothing up.  In order: id, kind, the columns of
 * SourceColumn ('' where there is none), the zone of moments without one, the
 * number of counted statuses, those statuses, then pairs of location and zone
 * where a location's zone is another.  It is one argument, because every
 * statement copies those of all the table's triggers.
 *
 * A value that cannot be counted becomes a movement of kind MOVE_FAULT that
 * carries the sign of the row, so that the faults of a source are the rows of
 * its table that are not counted.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "key.h"

/* Fault codes of whole rows; value.c has those of values. */
#define FAULT_COLUMN		"missing_column"
#define FAULT_TYPE			"column_type"
#define FAULT_SKU_BLANK		"blank_sku"
#define FAULT_SKU_LONG		"long_sku"
#define FAULT_LOCATION_LONG	"long_location"
#define FAULT_CHANNEL_LONG	"long_channel"

/* Arguments before the counted statuses. */
#define FIXED_ARGS			(2 + N_COLUMNS + 2)

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
 * Read what a watch knows.  It was written by watch_orders() or
 * watch_stock(); what is too short leaves the source without columns, which
 * source_bind() reports.
 */
void
source_parse(int nargs, char **args, Source *source)
{
	int			rest;

	memset(source, 0, sizeof(*source));
	if (nargs < FIXED_ARGS)
		return;
	source->id = atoi(args[0]);
	source->kind = strcmp(args[1], "stock") == 0 ? SOURCE_STOCK : SOURCE_ORDERS;
	for (int i = 0; i < N_COLUMNS; i++)
		source->column[i] = args[2 + i][0] == '\0' ? NULL : args[2 + i];
	source->zone = args[2 + N_COLUMNS];
	rest = nargs - FIXED_ARGS;
	source->ncounted = Max(0, Min(atoi(args[FIXED_ARGS - 1]), rest));
	source->counted = args + FIXED_ARGS;
	source->zones = source->counted + source->ncounted;
	source->nzones = (rest - source->ncounted) / 2;
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
			return value_is_key_type(type);
		case COL_AT:
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
	reader->missing = source->column[COL_SKU] == NULL ? FAULT_COLUMN : NULL;
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

/* The zone of moments at a location, where their type has none. */
static pg_tz *
zone_of(const SourceReader *reader, const Key *location)
{
	const Source *source = reader->source;
	const char *zone = source->zone;

	if (reader->type[COL_AT] == TIMESTAMPTZOID)
		return NULL;

	for (int i = 0; i < source->nzones; i++)
	{
		const char *name = source->zones[2 * i];

		if (strlen(name) == (size_t) location->len &&
			memcmp(name, location->data, location->len) == 0)
			zone = source->zones[2 * i + 1];
	}
	return pg_tzset(zone);
}

/* Say whether a status is one of those that are demand. */
static bool
is_counted(const Source *source, const Key *status)
{
	for (int i = 0; i < source->ncounted; i++)
		if (strlen(source->counted[i]) == (size_t) status->len &&
			memcmp(source->counted[i], status->data, status->len) == 0)
			return true;
	return false;
}

/* Read a location or channel; what is absent is the default. */
static const char *
read_place(SourceReader *reader, SourceColumn role, const Datum *values,
		   const bool *nulls, const char *fault, Key *key)
{
	if (reader->attnum[role] == 0 || nulls[role])
		key->len = 0;
	else if (!value_key(values[role], reader->type[role], reader->buffer[role],
					   key))
		return fault;
	if (key_is_blank(key))
	{
		key->data = DEFAULT_KEY;
		key->len = strlen(DEFAULT_KEY);
	}
	return NULL;
}

/* Read the keys that every movement of a row has. */
static const char *
read_keys(SourceReader *reader, const Datum *values, const bool *nulls,
		  Movement *move)
{
	const char *fault;

	if (nulls[COL_SKU])
		return FAULT_SKU_BLANK;
	if (!value_key(values[COL_SKU], reader->type[COL_SKU],
				  reader->buffer[COL_SKU], &move->sku))
		return FAULT_SKU_LONG;
	if (key_is_blank(&move->sku))
		return FAULT_SKU_BLANK;
	fault = read_place(reader, COL_LOCATION, values, nulls,
					   FAULT_LOCATION_LONG, &move->location);
	if (fault == NULL && reader->source->kind == SOURCE_ORDERS)
		fault = read_place(reader, COL_CHANNEL, values, nulls,
						   FAULT_CHANNEL_LONG, &move->channel);
	return fault;
}

/* The movement of one order line. */
static const char *
read_order(SourceReader *reader, const Datum *values, const bool *nulls,
		   Movement *moves, int *nmoves)
{
	const char *fault;

	fault = read_keys(reader, values, nulls, &moves[0]);
	if (fault != NULL)
		return fault;
	if (nulls[COL_QTY])
		return FAULT_QUANTITY;
	fault = value_quantity(values[COL_QTY], reader->type[COL_QTY],
						  &moves[0].amount);
	if (fault != NULL)
		return fault;
	if (nulls[COL_AT])
		return FAULT_MOMENT;
	fault = value_moment(values[COL_AT], reader->type[COL_AT],
						 zone_of(reader, &moves[0].location),
						 &moves[0].minute);
	*nmoves = 1;
	return fault;
}

/* The movements of one row of stock: on hand always, so that it is known. */
static const char *
read_stock(SourceReader *reader, const Datum *values, const bool *nulls,
		   Movement *moves, int *nmoves)
{
	static const MovementKind kinds[] = {
		MOVE_ON_HAND, MOVE_RESERVED, MOVE_ON_ORDER
	};
	const char *fault;

	fault = read_keys(reader, values, nulls, &moves[0]);
	if (fault != NULL)
		return fault;
	if (nulls[COL_ON_HAND])
		return FAULT_QUANTITY;
	*nmoves = 0;
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		int			role = COL_ON_HAND + i;
		Movement   *move = &moves[*nmoves];
		int64		micros;

		if (reader->attnum[role] == 0 || nulls[role])
			continue;
		fault = value_quantity(values[role], reader->type[role], &micros);
		if (fault != NULL)
			return fault;
		*move = moves[0];
		move->kind = kinds[i];
		move->amount = micros;
		(*nmoves)++;
	}
	return NULL;
}

/*
 * Read one row as movements, at most ROW_MOVEMENTS; return their number.
 * 'sign' is -1 for what is taken back, 'deleted' tells a row that went from a
 * row that changed.  The keys point into the row or into the reader.
 */
int
source_read(SourceReader *reader, TupleTableSlot *slot, int sign, bool deleted,
			Movement *moves)
{
	const Source *source = reader->source;
	const char *fault = reader->missing;
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS];
	int			nmoves = 0;

	memset(&moves[0], 0, sizeof(Movement));
	moves[0].source = source->id;
	moves[0].kind = deleted ? MOVE_DELETED : MOVE_DEMAND;
	if (fault == NULL)
	{
		for (int role = 0; role < N_COLUMNS; role++)
		{
			nulls[role] = true;
			if (reader->attnum[role] != 0)
				values[role] = slot_getattr(slot, reader->attnum[role],
											&nulls[role]);
		}
		if (reader->attnum[COL_STATUS] != 0)
		{
			Key			status;

			if (nulls[COL_STATUS] ||
				!value_key(values[COL_STATUS], reader->type[COL_STATUS],
						  reader->buffer[COL_STATUS], &status) ||
				!is_counted(source, &status))
				return 0;
		}
		if (source->kind == SOURCE_ORDERS)
			fault = read_order(reader, values, nulls, moves, &nmoves);
		else
			fault = read_stock(reader, values, nulls, moves, &nmoves);
	}
	if (fault != NULL)
	{
		memset(&moves[0], 0, sizeof(Movement));
		moves[0].source = source->id;
		moves[0].kind = MOVE_FAULT;
		moves[0].amount = 1;
		moves[0].channel.data = fault;
		moves[0].channel.len = strlen(fault);
		nmoves = 1;
	}
	for (int i = 0; i < nmoves; i++)
		moves[i].amount *= sign;
	return nmoves;
}
