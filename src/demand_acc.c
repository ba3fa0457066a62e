/*-------------------------------------------------------------------------
 *
 * demand_acc.c
 *	  Demand being added up, and the way between Datums and rings.
 *
 * Most groups of a GROUP BY see a handful of events, so an accumulator
 * starts with room for three in 64 bytes and doubles; at 4 kB the rings are
 * no larger and it becomes dense.  Chunks are powers of two because that is
 * what the allocator hands out anyway.
 *
 * While it is a list nothing is summed, so an overflow would come to light
 * only at the end, when nobody can tell whose fault it was.  Therefore the
 * list keeps the sum of all sizes and becomes dense before that overflows:
 * then each addition is checked by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "args.h"
#include "demand_acc.h"
#include "utils/memutils.h"

/* an event; the amount in halves, which keeps the size at 12 bytes */
typedef struct AccEvent
{
	int32		minute;
	int32		micros[2];
} AccEvent;

#define ACC_HEADER		MAXALIGN(sizeof(DemandAcc))
#define ACC_FIRST_SIZE	64
#define ACC_LIST_SIZE	2048	/* the largest list; then come the rings */
#define ACC_DENSE_SIZE	(ACC_HEADER + sizeof(DemandRings))

#define ACC_EVENTS(acc)	((AccEvent *) ((char *) (acc) + ACC_HEADER))
#define ACC_RINGS(acc)	((DemandRings *) ((char *) (acc) + ACC_HEADER))
#define ACC_ROOM(size)	((int) (((size) - ACC_HEADER) / sizeof(AccEvent)))

/* The amount of an event. */
static inline int64
event_micros(const AccEvent *event)
{
	int64		micros;

	memcpy(&micros, event->micros, sizeof(micros));
	return micros;
}

/* The size of an amount. */
static inline uint64
size_of(int64 micros)
{
	return micros < 0 ? 0 - (uint64) micros : (uint64) micros;
}

/* A zeroed chunk of that size in the current memory context. */
static DemandAcc *
make_acc(Size size)
{
	DemandAcc  *acc = palloc0(size);

	SET_VARSIZE(acc, size);
	acc->version = DEMAND_OPEN_VERSION;
	acc->end = (int32) DEMAND_NO_END;
	acc->last = -1;
	return acc;
}

/* A new accumulator of nothing. */
DemandAcc *
demand_acc_create(void)
{
	return make_acc(ACC_FIRST_SIZE);
}

/* A larger list with the same events, in the current memory context. */
static DemandAcc *
grown(const DemandAcc *acc)
{
	Size		size = VARSIZE(acc) * 2;
	DemandAcc  *result = make_acc(size);

	memcpy(result, acc, ACC_HEADER + acc->used * sizeof(AccEvent));
	SET_VARSIZE(result, size);
	return result;
}

/* The same as rings, in the current memory context. */
static DemandAcc *
densified(const DemandAcc *acc)
{
	DemandAcc  *result = make_acc(ACC_DENSE_SIZE);

	result->dense = 1;
	demand_acc_rings(acc, ACC_RINGS(result));
	return result;
}

/*
 * Add an amount at a minute and return where the accumulator is now: in
 * place, or in a new chunk of the current memory context, the old one being
 * left to the caller.  *fits is false, and nothing changed, on overflow.
 */
DemandAcc *
demand_acc_put(DemandAcc *acc, int64 minute, int64 micros, bool *fits)
{
	AccEvent   *event;

	*fits = true;
	if (!acc->dense)
	{
		if (size_of(micros) > (uint64) (PG_INT64_MAX - acc->magnitude))
			acc = densified(acc);
		else
		{
			event = ACC_EVENTS(acc) + acc->used;
			if (acc->last == minute)
			{
				int64		sum = event_micros(event - 1) + micros;

				memcpy(event[-1].micros, &sum, sizeof(sum));
				acc->magnitude += (int64) size_of(micros);
				return acc;
			}
			if (acc->used >= ACC_ROOM(VARSIZE(acc)))
			{
				if (VARSIZE(acc) < ACC_LIST_SIZE)
				{
					acc = grown(acc);
					event = ACC_EVENTS(acc) + acc->used;
				}
				else
					acc = densified(acc);
			}
			if (!acc->dense)
			{
				event->minute = (int32) minute;
				memcpy(event->micros, &micros, sizeof(micros));
				acc->last = (int32) minute;
				acc->used++;
				acc->magnitude += (int64) size_of(micros);
				if (minute > acc->end)
					acc->end = (int32) minute;
				return acc;
			}
		}
	}
	*fits = demand_add(ACC_RINGS(acc), minute, micros);
	return acc;
}

/*
 * Add or take back a whole summary; otherwise as demand_acc_put.
 */
DemandAcc *
demand_acc_put_rings(DemandAcc *acc, const DemandRings *rings, int sign,
					 bool *fits)
{
	*fits = true;
	if (rings->end == DEMAND_NO_END)
		return acc;
	if (!acc->dense)
	{
		DemandPiece pieces[DEMAND_BUCKETS];
		bool		exact;
		int			n = demand_pieces(rings, 0, INT64_MAX / 2, pieces, &exact);
		uint64		room = (uint64) (PG_INT64_MAX - acc->magnitude);
		bool		list = exact &&
		acc->used + n <= ACC_ROOM(ACC_LIST_SIZE);

		for (int i = 0; i < n && list; i++)
		{
			uint64		size = size_of(pieces[i].micros);

			list = size <= room;
			room -= size;
		}
		if (list)
		{
			/* an event at a piece's first minute stands for all of it */
			for (int i = 0; i < n; i++)
				acc = demand_acc_put(acc, pieces[i].start,
									 sign < 0 ? -pieces[i].micros :
									 pieces[i].micros, fits);
			if (rings->end > acc->end)
				acc->end = (int32) rings->end;
			return acc;
		}
		acc = densified(acc);
	}
	*fits = demand_merge(ACC_RINGS(acc), rings, sign);
	return acc;
}

/* Let go of the chunk an accumulator has moved from. */
static void
replace_acc(DemandAcc **acc, DemandAcc *moved)
{
	if (moved != *acc)
	{
		pfree(*acc);
		*acc = moved;
	}
}

/* Add an amount at a minute; false, and nothing changed, on overflow. */
bool
demand_acc_add(DemandAcc **acc, int64 minute, int64 micros)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(*acc));
	bool		fits;

	replace_acc(acc, demand_acc_put(*acc, minute, micros, &fits));
	MemoryContextSwitchTo(old);
	return fits;
}

/* Add or take back rings; false, and nothing changed, on overflow. */
bool
demand_acc_add_rings(DemandAcc **acc, const DemandRings *rings, int sign)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(*acc));
	bool		fits;

	replace_acc(acc, demand_acc_put_rings(*acc, rings, sign, &fits));
	MemoryContextSwitchTo(old);
	return fits;
}

/*
 * Add another accumulator; false, and that part of it left out, on overflow.
 * A list is taken event by event: most are short.
 */
bool
demand_acc_add_acc(DemandAcc **acc, const DemandAcc *other)
{
	int32		end = (int32) DEMAND_NO_END;
	bool		fits = true;

	if (other->dense)
		return demand_acc_add_rings(acc, ACC_RINGS(other), 1);
	for (int i = 0; i < other->used; i++)
	{
		const AccEvent *event = ACC_EVENTS(other) + i;

		fits &= demand_acc_add(acc, event->minute, event_micros(event));
		end = Max(end, event->minute);
	}
	/* the window may reach further than the events */
	if (other->end > end)
		fits &= demand_acc_add(acc, other->end, 0);
	return fits;
}

/* How many of its first bytes an accumulator consists of. */
Size
demand_acc_used_bytes(const DemandAcc *acc)
{
	return acc->dense ? ACC_DENSE_SIZE :
		ACC_HEADER + acc->used * sizeof(AccEvent);
}

/* The rings of what was added up. */
void
demand_acc_rings(const DemandAcc *acc, DemandRings *rings)
{
	if (acc->dense)
	{
		memcpy(rings, ACC_RINGS(acc), sizeof(*rings));
		return;
	}
	demand_init(rings);
	rings->end = acc->end;
	for (int i = 0; i < acc->used; i++)
	{
		const AccEvent *event = ACC_EVENTS(acc) + i;

		if (!demand_add(rings, event->minute, event_micros(event)))
			elog(ERROR, "sum of a demand list overflows");
	}
}

/* The packed value of what was added up, in the current memory context. */
struct varlena *
demand_acc_pack(const DemandAcc *acc)
{
	DemandRings rings;

	if (acc->dense)
		return demand_pack_value(ACC_RINGS(acc));
	demand_acc_rings(acc, &rings);
	return demand_pack_value(&rings);
}

/*
 * Rings of an open value that has travelled: its header may have been
 * shortened and its alignment lost, as between a parallel worker and its
 * leader.  Returns what is wrong with it, or NULL.
 */
static const char *
unpack_travelled(const struct varlena *value, DemandRings *rings)
{
	Size		size = VARSIZE_ANY_EXHDR(value) + VARHDRSZ;
	DemandAcc  *acc = palloc0(Max(size, ACC_FIRST_SIZE));

	SET_VARSIZE(acc, size);
	memcpy(VARDATA(acc), VARDATA_ANY(value), size - VARHDRSZ);
	if (acc->dense ? size != ACC_DENSE_SIZE :
		size < ACC_HEADER || acc->used > ACC_ROOM(size))
		return "its length is wrong";
	demand_acc_rings(acc, rings);
	pfree(acc);
	return NULL;
}

/*
 * Any value of type demand to rings; returns what is wrong with it where it is
 * damaged, else NULL.
 */
static const char *
try_unpack(Datum demand, DemandRings *rings)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(demand);
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(value);
	const char *problem = NULL;

	if (VARSIZE_ANY_EXHDR(value) > 0 && *bytes == DEMAND_OPEN_VERSION)
	{
		if (demand_is_open(value))
			demand_acc_rings((const DemandAcc *) value, rings);
		else
			problem = unpack_travelled(value, rings);
	}
	else if (demand_unpack(bytes, VARSIZE_ANY_EXHDR(value), rings, &problem))
		problem = NULL;
	if ((Pointer) value != DatumGetPointer(demand))
		pfree(value);
	return problem;
}

/* Any value of type demand to rings; raises an error if it is damaged. */
void
demand_unpack_datum(Datum demand, DemandRings *rings)
{
	const char *problem = try_unpack(demand, rings);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid value of type demand"),
				 errdetail("In its stored form, %s.", problem)));
}

/* The same, but false if it is damaged. */
bool
demand_is_sound(Datum demand, DemandRings *rings)
{
	return try_unpack(demand, rings) == NULL;
}

/*
 * Add or take back a value of type demand; false, and nothing changed, on
 * overflow or if it is damaged.
 */
bool
demand_acc_add_datum(DemandAcc **acc, Datum demand, int sign)
{
	DemandRings rings;

	return demand_is_sound(demand, &rings) &&
		demand_acc_add_rings(acc, &rings, sign);
}

/* The packed value of rings, in the current memory context. */
struct varlena *
demand_pack_value(const DemandRings *rings)
{
	uint8		bytes[DEMAND_PACKED_MAX];
	size_t		length = demand_pack(rings, bytes);
	struct varlena *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	return value;
}

/* Raise the error for a sum that does not fit. */
void
demand_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("demand is out of range"),
			 errdetail("A bucket holds at most 9.2e12 units.")));
}

/* Millionths of a quantity; raises an error that names the argument. */
int64
demand_arg_micros(double qty, const char *argname)
{
	int64		micros;

	if (!demand_micros(qty, &micros))
	{
		arg_check_quantity(qty, argname);
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"%s\" is out of range", argname),
				 errdetail("Quantities from -1e12 to 1e12 units are allowed.")));
	}
	return micros;
}

/* The minute of a moment; raises an error that names the argument. */
int64
demand_arg_minute(TimestampTz at, const char *argname)
{
	return arg_moment_usec(at, argname) / USECS_PER_UTC_MINUTE;
}
