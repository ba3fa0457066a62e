/*-------------------------------------------------------------------------
 *
 * value.c
 *	  Read one value of the shop's as a key, a quantity or a moment.
 *
 * Only built-in types are read, with our own code, and nothing throws: no
 * function, cast or domain of the table's owner runs here.  What cannot be
 * read is answered with the code of the fault.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/int.h"
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

/* Say whether keys of this base type can be read. */
bool
value_is_key_type(Oid type)
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

/* Write an unsigned number that ends at 'end'; return where it begins. */
static char *
put_digits(char *end, uint64 value)
{
	do
		*--end = '0' + value % 10;
	while ((value /= 10) != 0);
	return end;
}

/*
 * Read a key of any supported type; false if it is longer than any key.  It
 * points into the value, or into 'buffer' where that is no text.
 */
bool
value_key(Datum value, Oid type, char *buffer, Key *key)
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

/*
 * Turn a number into micro-units; return a fault code, or NULL if it is good.
 */
const char *
value_check_quantity(double qty, int64 *micros)
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

/* Read a quantity of any supported type as micro-units, or say why not. */
const char *
value_quantity(Datum value, Oid type, int64 *micros)
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
			return value_check_quantity(DatumGetFloat4(value), micros);
		case FLOAT8OID:
			return value_check_quantity(DatumGetFloat8(value), micros);
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
value_check_moment(TimestampTz at, int32 *minute)
{
	int64		usecs;

	if (TIMESTAMP_NOT_FINITE(at) ||
		pg_add_s64_overflow(at, UNIX_EPOCH_USECS, &usecs) ||
		usecs < 0 || usecs >= MOMENT_END_DAYS * USECS_PER_DAY)
		return FAULT_MOMENT;
	*minute = usecs / USECS_PER_MINUTE;
	return NULL;
}

/*
 * Read a moment of any supported type as a minute, or say why not; 'zone' is
 * that of types without one.
 */
const char *
value_moment(Datum value, Oid type, pg_tz *zone, int32 *minute)
{
	Timestamp	local;
	struct pg_tm tm;
	fsec_t		fsec;

	if (type == TIMESTAMPTZOID)
		return value_check_moment(DatumGetTimestampTz(value), minute);
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
	if (zone == NULL || TIMESTAMP_NOT_FINITE(local) ||
		timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		return FAULT_MOMENT;
	if (pg_add_s64_overflow(local,
							DetermineTimeZoneOffset(&tm, zone) * USECS_PER_SEC,
							&local))
		return FAULT_MOMENT;
	return value_check_moment(local, minute);
}
