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
 * Only built-in types are read, with our own code: no function, cast or domain
 * of the table's owner runs here.  A value that cannot be counted becomes a
 * movement of kind MOVE_FAULT that carries the sign of the row, so that the
 * faults of a source are the rows of its table that are not counted.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include <math.h>

#include "access/detoast.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define MICROS_PER_UNIT		INT64CONST(1000000)
#define QUANTITY_MAX		INT64CONST(1000000000000)

/* Moments are counted from 1970 up to the year 3000, UTC. */
#define UNIX_EPOCH_USECS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)
#define MOMENT_END_DAYS		376200	/* 3000-01-01 */

/* Fault codes: health() explains each. */
#define FAULT_COLUMN		"missing_column"
#define FAULT_TYPE			"column_type"
#define FAULT_SKU_BLANK		"blank_sku"
#define FAULT_SKU_LONG		"long_sku"
#define FAULT_LOCATION_LONG	"long_location"
#define FAULT_CHANNEL_LONG	"long_channel"
#define FAULT_QUANTITY		"bad_quantity"
#define FAULT_MOMENT		"bad_moment"

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

/* Say whether keys of this base type can be read. */
static bool
is_key_type(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
		case BOOLOID:
			return true;
		default:
			return get_typtype(type) == TYPTYPE_ENUM;
	}
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
			return is_key_type(type);
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

/* Write an unsigned number that ends at 'end'; return where it begins. */
static char *
put_digits(char *end, uint64 value)
{
	do
		*--end = '0' + value % 10;
	while ((value /= 10) != 0);
	return end;
}

/* Read a key of any supported type; false if it is longer than any key. */
static bool
read_key(Datum value, Oid type, char *buffer, Key *key)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			{
				int64		v = type == INT2OID ? DatumGetInt16(value) :
					type == INT4OID ? DatumGetInt32(value) :
					DatumGetInt64(value);
				char	   *end = buffer + 32;
				char	   *p = put_digits(end, v < 0 ? -(uint64) v : (uint64) v);

				if (v < 0)
					*--p = '-';
				key->data = p;
				key->len = end - p;
				return true;
			}
		case UUIDOID:
			{
				static const char hex[] = "0123456789abcdef";
				const pg_uuid_t *uuid = DatumGetUUIDP(value);
				char	   *p = buffer;

				for (int i = 0; i < UUID_LEN; i++)
				{
					if (i == 4 || i == 6 || i == 8 || i == 10)
						*p++ = '-';
					*p++ = hex[uuid->data[i] >> 4];
					*p++ = hex[uuid->data[i] & 0x0F];
				}
				key->data = buffer;
				key->len = p - buffer;
				return true;
			}
		case BOOLOID:
			key->data = DatumGetBool(value) ? "true" : "false";
			key->len = strlen(key->data);
			return true;
		case NAMEOID:
			key->data = NameStr(*DatumGetName(value));
			key->len = strlen(key->data);
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			{
				struct varlena *v = (struct varlena *) DatumGetPointer(value);

				/* never fetch a megabyte to find that it is too long */
				if (type != BPCHAROID &&
					toast_raw_datum_size(value) > KEY_MAX + VARHDRSZ)
					return false;
				v = pg_detoast_datum_packed(v);
				key->data = VARDATA_ANY(v);
				key->len = VARSIZE_ANY_EXHDR(v);
				if (type == BPCHAROID)
					while (key->len > 0 && key->data[key->len - 1] == ' ')
						key->len--;
				return key->len <= KEY_MAX;
			}
		default:
			key->data = DatumGetCString(DirectFunctionCall1(enum_out, value));
			key->len = strlen(key->data);
			return true;
	}
}

/* Say whether a key has nothing but white space. */
bool
key_is_blank(const Key *key)
{
	for (int i = 0; i < key->len; i++)
		if (!isspace((unsigned char) key->data[i]))
			return false;
	return true;
}

/*
 * Turn a number into micro-units; return a fault code, or NULL if it is good.
 */
const char *
source_check_quantity(double qty, int64 *micros)
{
	if (!isfinite(qty) || fabs(qty) > (double) QUANTITY_MAX)
		return FAULT_QUANTITY;
	*micros = llrint(qty * (double) MICROS_PER_UNIT);
	return NULL;
}

/*
 * The same for numeric, exact: its text has no exponent, and what comes after
 * six decimals rounds half away from zero, as numeric does itself.
 */
static const char *
numeric_micros(Datum value, int64 *micros)
{
	const char *p = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	bool		negative = *p == '-';
	int64		sum = 0;
	int			decimals = -1;	/* digits seen after the point */

	if (negative)
		p++;
	if (*p < '0' || *p > '9')
		return FAULT_QUANTITY;	/* NaN, Infinity */
	for (; *p != '\0' && decimals < 6; p++)
	{
		if (*p == '.')
		{
			decimals = 0;
			continue;
		}
		sum = sum * 10 + (*p - '0');
		if (decimals >= 0)
			decimals++;
		else if (sum > QUANTITY_MAX)
			return FAULT_QUANTITY;
	}
	for (decimals = Max(decimals, 0); decimals < 6; decimals++)
		sum *= 10;
	if (*p >= '5')
		sum++;
	if (sum > QUANTITY_MAX * MICROS_PER_UNIT)
		return FAULT_QUANTITY;
	*micros = negative ? -sum : sum;
	return NULL;
}

/* Read a quantity of any supported type as micro-units. */
static const char *
read_quantity(Datum value, Oid type, int64 *micros)
{
	int64		v;

	switch (type)
	{
		case INT2OID:
			v = DatumGetInt16(value);
			break;
		case INT4OID:
			v = DatumGetInt32(value);
			break;
		case INT8OID:
			v = DatumGetInt64(value);
			break;
		case FLOAT4OID:
			return source_check_quantity(DatumGetFloat4(value), micros);
		case FLOAT8OID:
			return source_check_quantity(DatumGetFloat8(value), micros);
		default:
			return numeric_micros(value, micros);
	}
	if (v > QUANTITY_MAX || v < -QUANTITY_MAX)
		return FAULT_QUANTITY;
	*micros = v * MICROS_PER_UNIT;
	return NULL;
}

/* Turn a moment into its minute; return a fault code, or NULL if it is good. */
const char *
source_check_moment(TimestampTz at, int32 *minute)
{
	int64		usecs;

	if (TIMESTAMP_NOT_FINITE(at) ||
		pg_add_s64_overflow(at, UNIX_EPOCH_USECS, &usecs) ||
		usecs < 0 || usecs >= MOMENT_END_DAYS * USECS_PER_DAY)
		return FAULT_MOMENT;
	*minute = usecs / USECS_PER_MINUTE;
	return NULL;
}

/* The zone of moments at a location. */
static pg_tz *
zone_of(const Source *source, const Key *location)
{
	const char *zone = source->zone;

	for (int i = 0; i < source->nzones; i++)
	{
		const char *name = source->zones[2 * i];

		if (strlen(name) == (size_t) location->len &&
			memcmp(name, location->data, location->len) == 0)
			zone = source->zones[2 * i + 1];
	}
	return pg_tzset(zone);
}

/* Read a moment of any supported type as a minute. */
static const char *
read_moment(const Source *source, Datum value, Oid type, const Key *location,
			int32 *minute)
{
	Timestamp	local;
	struct pg_tm tm;
	fsec_t		fsec;
	pg_tz	   *zone;

	if (type == TIMESTAMPTZOID)
		return source_check_moment(DatumGetTimestampTz(value), minute);
	if (type == DATEOID)
	{
		DateADT		date = DatumGetDateADT(value);

		/* far beyond what is counted: keep the multiplication in range */
		if (DATE_NOT_FINITE(date) || date < -MOMENT_END_DAYS ||
			date > MOMENT_END_DAYS)
			return FAULT_MOMENT;
		local = date * USECS_PER_DAY;
	}
	else
		local = DatumGetTimestamp(value);
	zone = zone_of(source, location);
	if (zone == NULL || TIMESTAMP_NOT_FINITE(local) ||
		timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		return FAULT_MOMENT;
	if (pg_add_s64_overflow(local,
							DetermineTimeZoneOffset(&tm, zone) * USECS_PER_SEC,
							&local))
		return FAULT_MOMENT;
	return source_check_moment(local, minute);
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
	else if (!read_key(values[role], reader->type[role], reader->buffer[role],
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
	if (!read_key(values[COL_SKU], reader->type[COL_SKU],
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
	fault = read_quantity(values[COL_QTY], reader->type[COL_QTY],
						  &moves[0].amount);
	if (fault != NULL)
		return fault;
	if (nulls[COL_AT])
		return FAULT_MOMENT;
	fault = read_moment(reader->source, values[COL_AT], reader->type[COL_AT],
						&moves[0].location, &moves[0].minute);
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
		fault = read_quantity(values[role], reader->type[role], &micros);
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
				!read_key(values[COL_STATUS], reader->type[COL_STATUS],
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
