/*-------------------------------------------------------------------------
 *
 * source_read.c
 *	  Read a row of a watched table as movements, without ever throwing.
 *
 * A value that cannot be counted becomes a movement of kind MOVE_FAULT that
 * carries the sign of the row, so that the faults of a source are the rows of
 * its table that are not counted.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "catalog/pg_type_d.h"

#include "demand.h"
#include "key.h"

/* Fault codes of single rows; value.c has those of values. */
#define FAULT_SKU_BLANK		"blank_sku"
#define FAULT_SKU_LONG		"long_sku"
#define FAULT_LOCATION_LONG	"long_location"
#define FAULT_CHANNEL_LONG	"long_channel"
#define FAULT_ORDER_BLANK	"blank_order"
#define FAULT_ORDER_LONG	"long_order"

/* What is in a room, where others have a location. */
#define AUDIENCE_VIEWERS	"viewers"
#define AUDIENCE_SAMPLES	"samples"

/* The zone of a column's moments at a location, where their type has none. */
static pg_tz *
zone_of(const SourceReader *reader, SourceColumn role, const Key *location)
{
	const Source *source = reader->source;
	const char *zone = source->zone;

	if (reader->type[role] == TIMESTAMPTZOID)
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

/*
 * Read a location or channel; what is absent is the default, and nothing where
 * the column is the header's or the other way round.
 */
static const char *
read_place(SourceReader *reader, SourceColumn role, const Datum *values,
		   const bool *nulls, const char *fault, Key *key)
{
	if (reader->attnum[role] == 0 &&
		(reader->source->kind == SOURCE_LINES ||
		 reader->source->kind == SOURCE_HEADERS))
		return NULL;
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

/* Read a key that must be there. */
static const char *
read_key(SourceReader *reader, SourceColumn role, const Datum *values,
		 const bool *nulls, const char *blank, const char *overlong, Key *key)
{
	if (nulls[role])
		return blank;
	if (!value_key(values[role], reader->type[role], reader->buffer[role],
				   key))
		return overlong;
	return key_is_blank(key) ? blank : NULL;
}

/* Read the keys that every movement of a row has. */
static const char *
read_keys(SourceReader *reader, const Datum *values, const bool *nulls,
		  Movement *move)
{
	SourceKind	kind = reader->source->kind;
	const char *fault = NULL;

	if (kind != SOURCE_HEADERS && reader->attnum[COL_SKU] != 0)
		fault = read_key(reader, COL_SKU, values, nulls, FAULT_SKU_BLANK,
						 FAULT_SKU_LONG, &move->sku);
	if (fault == NULL && (kind == SOURCE_LINES || kind == SOURCE_HEADERS))
		fault = read_key(reader, COL_ORDER, values, nulls, FAULT_ORDER_BLANK,
						 FAULT_ORDER_LONG, &move->order);
	if (fault == NULL)
		fault = read_place(reader, COL_LOCATION, values, nulls,
						   FAULT_LOCATION_LONG, &move->location);
	if (fault == NULL && kind != SOURCE_STOCK)
		fault = read_place(reader, COL_CHANNEL, values, nulls,
						   FAULT_CHANNEL_LONG, &move->channel);
	return fault;
}

/* Read a moment of a row whose location is known. */
static const char *
read_moment(SourceReader *reader, SourceColumn role, const Datum *values,
			const Key *location, int32 *minute)
{
	return value_moment(values[role], reader->type[role],
						zone_of(reader, role, location), minute);
}

/* Read the moment that a row must have; one that is the other table's is 0. */
static const char *
read_at(SourceReader *reader, const Datum *values, const bool *nulls,
		Movement *move)
{
	if (reader->attnum[COL_AT] == 0)
		return NULL;
	if (nulls[COL_AT])
		return FAULT_MOMENT;
	return read_moment(reader, COL_AT, values, &move->location, &move->minute);
}

/* The movement of one order line, or of one order's header. */
static const char *
read_order(SourceReader *reader, const Datum *values, const bool *nulls,
		   Movement *moves, int *nmoves)
{
	const char *fault;

	fault = read_keys(reader, values, nulls, &moves[0]);
	if (fault == NULL)
		fault = read_at(reader, values, nulls, &moves[0]);
	if (fault != NULL)
		return fault;
	*nmoves = 1;
	if (reader->source->kind == SOURCE_HEADERS)
	{
		moves[0].kind = moves[0].kind == MOVE_DELETED ?
			MOVE_HEADER_DELETED : MOVE_HEADER;
		moves[0].amount = 1;
		return NULL;
	}
	if (reader->source->kind == SOURCE_LINES)
		moves[0].kind = moves[0].kind == MOVE_DELETED ?
			MOVE_LINE_DELETED : MOVE_LINE;
	if (nulls[COL_QTY])
		return FAULT_QUANTITY;
	return value_quantity(values[COL_QTY], reader->type[COL_QTY],
						  &moves[0].amount);
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
	if (fault == NULL)
		fault = read_at(reader, values, nulls, &moves[0]);
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
	if (reader->attnum[COL_AT] != 0)
	{
		moves[*nmoves] = moves[0];
		moves[*nmoves].kind = MOVE_SNAPSHOT_ROWS;
		moves[(*nmoves)++].amount = 1;
	}
	return NULL;
}

/*
 * When it is expected, 0 where that is not said.  A date is over when its day
 * is.
 */
static const char *
read_expected(SourceReader *reader, const Datum *values, const bool *nulls,
			  const Key *location, int32 *minute)
{
	const char *fault;

	*minute = 0;
	if (nulls[COL_EXPECTED_AT])
		return NULL;
	fault = read_moment(reader, COL_EXPECTED_AT, values, location, minute);
	if (fault == NULL && reader->type[COL_EXPECTED_AT] == DATEOID)
		*minute += MINS_PER_HOUR * HOURS_PER_DAY - 1;
	return fault;
}

/*
 * The movements of one purchase order or shipment: what is still to come, and
 * how long it took when it has come.  What was received beyond what was
 * ordered is not owed to anybody.
 */
static const char *
read_inbound(SourceReader *reader, const Datum *values, const bool *nulls,
			 Movement *moves, int *nmoves)
{
	Movement   *open = &moves[0];
	int64		received = 0;
	int32		expected;
	const char *fault;

	fault = read_keys(reader, values, nulls, open);
	if (fault == NULL)
		fault = read_expected(reader, values, nulls, &open->location,
							  &expected);
	if (fault == NULL)
		fault = nulls[COL_QTY] ? FAULT_QUANTITY :
			value_quantity(values[COL_QTY], reader->type[COL_QTY],
						   &open->amount);
	if (fault == NULL && !nulls[COL_RECEIVED])
		fault = value_quantity(values[COL_RECEIVED],
							   reader->type[COL_RECEIVED], &received);
	if (fault != NULL)
		return fault;
	if (open->amount < 0 || received < 0)
		return FAULT_QUANTITY;
	open->kind = MOVE_INBOUND;
	open->minute = expected;
	/* where nobody says how much has come, all of it has come at once */
	if (!nulls[COL_RECEIVED_AT] && reader->attnum[COL_RECEIVED] == 0)
		received = open->amount;
	open->amount -= Min(received, open->amount);
	*nmoves = 1;
	if (!nulls[COL_RECEIVED_AT] && !nulls[COL_AT])
	{
		Movement   *receipt = &moves[1];
		int32		ordered_at;
		int32		received_at;

		fault = read_moment(reader, COL_AT, values, &open->location,
							&ordered_at);
		if (fault == NULL)
			fault = read_moment(reader, COL_RECEIVED_AT, values,
								&open->location, &received_at);
		if (fault != NULL)
			return fault;
		*receipt = *open;
		receipt->kind = expected > 0 && received_at > expected ? MOVE_LATE :
			MOVE_ON_TIME;
		receipt->minute = received_at - ordered_at;
		receipt->amount = 1;
		*nmoves = 2;
	}
	return NULL;
}

/*
 * The movements of a count of viewers: the count, and that it was one.  Both
 * are summed as demand is, each under its name in place of a location.
 */
static const char *
read_audience(SourceReader *reader, const Datum *values, const bool *nulls,
			  Movement *moves, int *nmoves)
{
	Movement   *viewers = &moves[0];
	Movement   *samples = &moves[1];
	const char *fault;

	fault = read_keys(reader, values, nulls, viewers);
	if (fault == NULL)
		fault = read_at(reader, values, nulls, viewers);
	if (fault == NULL)
		fault = nulls[COL_QTY] ? FAULT_QUANTITY :
			value_quantity(values[COL_QTY], reader->type[COL_QTY],
						   &viewers->amount);
	if (fault != NULL)
		return fault;
	if (viewers->amount < 0)
		return FAULT_QUANTITY;
	viewers->kind = viewers->kind == MOVE_DELETED ? MOVE_AUDIENCE_DELETED :
		MOVE_AUDIENCE;
	viewers->location.data = AUDIENCE_VIEWERS;
	viewers->location.len = strlen(AUDIENCE_VIEWERS);
	*samples = *viewers;
	samples->location.data = AUDIENCE_SAMPLES;
	samples->location.len = strlen(AUDIENCE_SAMPLES);
	samples->amount = DEMAND_MICROS;
	*nmoves = 2;
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
		if (source->kind == SOURCE_STOCK)
			fault = read_stock(reader, values, nulls, moves, &nmoves);
		else if (source->kind == SOURCE_INBOUND)
			fault = read_inbound(reader, values, nulls, moves, &nmoves);
		else if (source->kind == SOURCE_AUDIENCE)
			fault = read_audience(reader, values, nulls, moves, &nmoves);
		else
			fault = read_order(reader, values, nulls, moves, &nmoves);
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
