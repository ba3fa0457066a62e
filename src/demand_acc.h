/*-------------------------------------------------------------------------
 *
 * demand_acc.h
 *	  Demand being added up, and the way between Datums and rings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_DEMAND_ACC_H
#define REPLENISH_DEMAND_ACC_H

#include "postgres.h"

#include "compat.h"
#include "datatype/timestamp.h"
#include "demand.h"
#include "fmgr.h"

/*
 * An accumulator is itself a value of type demand, in its open form: a few
 * events as they came or, once they are many, the rings.  Everything that
 * reads a demand reads this too; it is never stored by us.
 */
typedef struct DemandAcc
{
	int32		vl_len_;		/* varlena header, always four bytes */
	uint8		version;		/* DEMAND_OPEN_VERSION */
	uint8		dense;			/* 1: the rings follow; 0: events follow */
	uint16		used;			/* number of events */
	int32		end;			/* newest minute; of events only */
	int32		last;			/* minute of the last event: kept here because
								 * to look at the list costs a cache miss */
	int64		magnitude;		/* sum of the events' sizes, so that no sum of
								 * them can overflow */
} DemandAcc;

/* first byte of the open form, where the packed one has its version */
#define DEMAND_OPEN_VERSION		0x81

/* a new one, of nothing, in the current memory context */
extern DemandAcc *demand_acc_create(void);

/*
 * Add in place; false, with nothing changed, if a sum would not fit.  Where
 * it must grow, it moves within its memory context and *acc with it.
 */
extern bool demand_acc_add(DemandAcc **acc, int64 minute, int64 micros);
extern bool demand_acc_add_rings(DemandAcc **acc, const DemandRings *rings,
								 int sign);
extern bool demand_acc_add_datum(DemandAcc **acc, Datum demand, int sign);

/*
 * Add all that another one holds, or was copied from its first bytes; false
 * if some of it did not fit, which is left out.
 */
extern bool demand_acc_add_acc(DemandAcc **acc, const DemandAcc *other);
extern Size demand_acc_used_bytes(const DemandAcc *acc);

/* the same where the old chunk is not ours to free: returns where it is now */
extern DemandAcc *demand_acc_put(DemandAcc *acc, int64 minute, int64 micros,
								 bool *fits);
extern DemandAcc *demand_acc_put_rings(DemandAcc *acc,
									   const DemandRings *rings, int sign,
									   bool *fits);

extern void demand_acc_rings(const DemandAcc *acc, DemandRings *rings);
extern struct varlena *demand_acc_pack(const DemandAcc *acc);

/* whether a detoasted value is an accumulator that can be used in place */
static inline bool
demand_is_open(const struct varlena *value)
{
	return VARATT_IS_4B_U(value) &&
		VARSIZE(value) >= sizeof(DemandAcc) &&
		((const DemandAcc *) value)->version == DEMAND_OPEN_VERSION &&
		(uintptr_t) value % sizeof(int64) == 0;
}

/* any value of type demand, toasted or open, to rings and back */
extern void demand_unpack_datum(Datum demand, DemandRings *rings);
extern bool demand_is_sound(Datum demand, DemandRings *rings);
extern struct varlena *demand_pack_value(const DemandRings *rings);

/* raise the error for a sum that does not fit */
pg_noreturn extern void demand_overflow(void);

/* checked arguments as the summary takes them */
extern int64 demand_arg_micros(double qty, const char *argname);
extern int64 demand_arg_minute(TimestampTz at, const char *argname);

#define PG_GETARG_DEMAND(n, rings) \
	demand_unpack_datum(PG_GETARG_DATUM(n), rings)
#define PG_RETURN_DEMAND(rings) \
	PG_RETURN_POINTER(demand_pack_value(rings))

#endif							/* REPLENISH_DEMAND_ACC_H */
