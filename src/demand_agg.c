/*-------------------------------------------------------------------------
 *
 * demand_agg.c
 *	  The aggregates over demand.
 *
 * Their state is the type itself, in its open form (see demand_acc.h), and
 * is changed in place.  Where it has to grow, the executor copies the new
 * chunk into its own context and frees the old one, so nothing is freed here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "args.h"
#include "demand_acc.h"
#include "nodes/execnodes.h"
#include "utils/timestamp.h"

/*
 * Refuse to be called by anything but an aggregate: we write to argument 0.
 * Each row asks, most of them without a call.
 */
static inline void
check_context(FunctionCallInfo fcinfo)
{
	if (likely(fcinfo->context != NULL && IsA(fcinfo->context, AggState)))
		return;
	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function belongs to an aggregate and cannot be called by itself")));
}

/*
 * The state as an accumulator that may be changed.  Usually it is one; what
 * comes from elsewhere, such as a user's INITCOND, is taken apart.
 */
static DemandAcc *
get_state(FunctionCallInfo fcinfo)
{
	struct varlena *value;
	DemandRings rings;
	bool		fits;

	if (PG_ARGISNULL(0))
		return demand_acc_create();
	value = (struct varlena *) PG_GETARG_POINTER(0);
	if (likely(demand_is_open(value)))
		return (DemandAcc *) value;
	PG_GETARG_DEMAND(0, &rings);
	return demand_acc_put_rings(demand_acc_create(), &rings, 1, &fits);
}

/* demand_arg_micros, with a short way for whole units. */
static inline int64
get_micros(double qty, const char *argname)
{
	if (likely(qty >= -1e9 && qty <= 1e9 && qty == (double) (int64) qty))
		return (int64) qty * DEMAND_MICROS;
	return demand_arg_micros(qty, argname);
}

/* demand_arg_minute, with a short way for moments in range. */
static inline int64
get_minute(TimestampTz at, const char *argname)
{
	uint64		usec = (uint64) at + (uint64) ARG_EPOCH_USEC;

	if (likely(usec < (uint64) ARG_MOMENT_LIMIT))
		return (int64) (usec / (uint64) USECS_PER_UTC_MINUTE);
	return demand_arg_minute(at, argname);
}

/* The state unchanged, or NULL. */
static Datum
keep_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(replenish_demand_accum);

/* demand_agg: add a row's quantity at its moment; NULLs don't count. */
Datum
replenish_demand_accum(PG_FUNCTION_ARGS)
{
	DemandAcc  *acc;
	int64		minute;
	int64		micros;
	bool		fits;

	check_context(fcinfo);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return keep_state(fcinfo);
	micros = get_micros(PG_GETARG_FLOAT8(1), "qty");
	minute = get_minute(PG_GETARG_TIMESTAMPTZ(2), "at");
	acc = demand_acc_put(get_state(fcinfo), minute, micros, &fits);
	if (!fits)
		demand_overflow();
	PG_RETURN_POINTER(acc);
}

PG_FUNCTION_INFO_V1(replenish_demand_combine);

/*
 * demand_merge, and the partial states of both aggregates: add a summary,
 * open or packed.
 */
Datum
replenish_demand_combine(PG_FUNCTION_ARGS)
{
	DemandAcc  *acc;
	DemandRings rings;
	bool		fits;

	check_context(fcinfo);
	if (PG_ARGISNULL(1))
		return keep_state(fcinfo);
	/* a group of one is the value itself */
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
	PG_GETARG_DEMAND(1, &rings);
	acc = demand_acc_put_rings(get_state(fcinfo), &rings, 1, &fits);
	if (!fits)
		demand_overflow();
	PG_RETURN_POINTER(acc);
}

PG_FUNCTION_INFO_V1(replenish_demand_final);

/* The packed summary of a state, which stays as it is. */
Datum
replenish_demand_final(PG_FUNCTION_ARGS)
{
	struct varlena *value = (struct varlena *) PG_GETARG_POINTER(0);
	DemandRings rings;

	if (demand_is_open(value))
		PG_RETURN_POINTER(demand_acc_pack((DemandAcc *) value));
	if (VARSIZE_ANY_EXHDR(value) > 0 &&
		*(uint8 *) VARDATA_ANY(value) == DEMAND_PACKED_VERSION)
		PG_RETURN_POINTER(value);
	PG_GETARG_DEMAND(0, &rings);
	PG_RETURN_DEMAND(&rings);
}

/* What a half-life makes of an age, kept from row to row. */
typedef struct Decay
{
	Interval	half_life;		/* as it was given */
	double		per_usec;		/* half-lives in a microsecond */
	double		per_hour;		/* weight of a unit just sold */
} Decay;

/* The decay of the half-life in argument 4, made anew when that changes. */
static const Decay *
get_decay(FunctionCallInfo fcinfo)
{
	const Interval *given = PG_GETARG_INTERVAL_P(4);
	Decay	   *decay = (Decay *) fcinfo->flinfo->fn_extra;
	int64		usec;

	if (likely(decay != NULL && decay->half_life.time == given->time &&
			   decay->half_life.day == given->day &&
			   decay->half_life.month == given->month))
		return decay;
	usec = arg_interval_usec(given, "half_life");
	if (usec <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be positive", "half_life")));
	if (decay == NULL)
		decay = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Decay));
	decay->half_life = *given;
	decay->per_usec = 1.0 / (double) usec;
	decay->per_hour = M_LN2 * (double) USECS_PER_HOUR / (double) usec;
	fcinfo->flinfo->fn_extra = decay;
	return decay;
}

/* arg_moment_usec, with a short way for moments in range. */
static inline int64
get_moment(TimestampTz at, const char *argname)
{
	uint64		usec = (uint64) at + (uint64) ARG_EPOCH_USEC;

	if (likely(usec < (uint64) ARG_MOMENT_LIMIT))
		return (int64) usec;
	return arg_moment_usec(at, argname);
}

PG_FUNCTION_INFO_V1(replenish_velocity_accum);

/*
 * demand_velocity over raw rows: add qty * 2^(-(as_of - at) / half_life) *
 * ln 2 / half_life, per hour.  Rows at or after as_of count as zero, rows
 * with a NULL not at all.
 */
Datum
replenish_velocity_accum(PG_FUNCTION_ARGS)
{
	double		state = PG_ARGISNULL(0) ? 0 : PG_GETARG_FLOAT8(0);
	double		qty;
	int64		age;
	const Decay *decay;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		PG_ARGISNULL(4))
		return keep_state(fcinfo);
	qty = PG_GETARG_FLOAT8(1);
	if (unlikely(!isfinite(qty)))
		arg_check_quantity(qty, "qty");
	age = get_moment(PG_GETARG_TIMESTAMPTZ(3), "as_of") -
		get_moment(PG_GETARG_TIMESTAMPTZ(2), "at");
	decay = get_decay(fcinfo);
	if (age <= 0)
		PG_RETURN_FLOAT8(state);
	state += qty * exp2(-(double) age * decay->per_usec) * decay->per_hour;
	if (unlikely(!isfinite(state)))
		arg_check_quantity(state, "qty");
	PG_RETURN_FLOAT8(state);
}
