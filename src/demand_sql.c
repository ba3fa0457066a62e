/*-------------------------------------------------------------------------
 *
 * demand_sql.c
 *	  Operators on demand and what can be read from it by SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "absence.h"
#include "args.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "demand_acc.h"
#include "funcapi.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* What a demand's bytes are when packed, whatever form it is in. */
static struct varlena *
canonical(Datum demand)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(demand);
	DemandRings rings;

	if (VARSIZE_ANY_EXHDR(value) == 0 ||
		*(uint8 *) VARDATA_ANY(value) != DEMAND_OPEN_VERSION)
		return value;
	demand_unpack_datum(demand, &rings);
	return demand_pack_value(&rings);
}

/* Whether two summaries are the same. */
static bool
same_demand(Datum a, Datum b)
{
	struct varlena *x = canonical(a);
	struct varlena *y = canonical(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

PG_FUNCTION_INFO_V1(replenish_demand_eq);

/* demand = demand */
Datum
replenish_demand_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(same_demand(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(replenish_demand_ne);

/* demand <> demand */
Datum
replenish_demand_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!same_demand(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(replenish_demand_hash);

/* Hash of the packed form. */
Datum
replenish_demand_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = canonical(PG_GETARG_DATUM(0));

	return hash_any((unsigned char *) VARDATA_ANY(value),
					(int) VARSIZE_ANY_EXHDR(value));
}

PG_FUNCTION_INFO_V1(replenish_demand_hash_extended);

/* The same with a seed. */
Datum
replenish_demand_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = canonical(PG_GETARG_DATUM(0));

	return hash_any_extended((unsigned char *) VARDATA_ANY(value),
							 (int) VARSIZE_ANY_EXHDR(value),
							 (uint64) PG_GETARG_INT64(1));
}

/* Sum or difference of two summaries. */
static Datum
combine(FunctionCallInfo fcinfo, int sign)
{
	DemandRings a;
	DemandRings b;

	PG_GETARG_DEMAND(0, &a);
	PG_GETARG_DEMAND(1, &b);
	if (!demand_merge(&a, &b, sign))
		demand_overflow();
	PG_RETURN_DEMAND(&a);
}

PG_FUNCTION_INFO_V1(replenish_demand_plus);

/* demand + demand */
Datum
replenish_demand_plus(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(replenish_demand_minus);

/* demand - demand */
Datum
replenish_demand_minus(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, -1);
}

PG_FUNCTION_INFO_V1(replenish_demand_times);

/* demand * float8 */
Datum
replenish_demand_times(PG_FUNCTION_ARGS)
{
	double		factor = PG_GETARG_FLOAT8(1);
	DemandRings rings;

	arg_check_quantity(factor, "factor");
	PG_GETARG_DEMAND(0, &rings);
	if (!demand_scale(&rings, factor))
		demand_overflow();
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_times_part);

/*
 * demand_times(demand, factor, starts_at, ends_at): only what is in
 * [starts_at, ends_at); of a bucket that is partly inside, that part.
 */
Datum
replenish_demand_times_part(PG_FUNCTION_ARGS)
{
	double		factor = PG_GETARG_FLOAT8(1);
	int64		first = demand_arg_minute(PG_GETARG_TIMESTAMPTZ(2), "starts_at");
	int64		end = demand_arg_minute(PG_GETARG_TIMESTAMPTZ(3), "ends_at");
	DemandRings rings;
	DemandPiece pieces[DEMAND_BUCKETS];
	bool		exact;
	int			n;

	arg_check_quantity(factor, "factor");
	if (end < first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"ends_at\" must not be before \"starts_at\"")));
	PG_GETARG_DEMAND(0, &rings);
	if (end == first)
		PG_RETURN_DEMAND(&rings);
	n = demand_pieces(&rings, first, end - 1, pieces, &exact);
	for (int i = 0; i < n; i++)
	{
		int64		start = pieces[i].start;
		int64		stop = start + pieces[i].minutes;
		int64		inside = Min(stop, end) - Max(start, first);
		double		units = (factor - 1) * pieces[i].micros /
			DEMAND_MICROS * inside / pieces[i].minutes;
		int64		micros;

		if (inside > 0 &&
			(!demand_micros(units, &micros) ||
			 !demand_add(&rings, start, micros)))
			demand_overflow();
	}
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_span);

/* demand_span(starts_at, ends_at): one unit in each minute */
Datum
replenish_demand_span(PG_FUNCTION_ARGS)
{
	int64		first = demand_arg_minute(PG_GETARG_TIMESTAMPTZ(0), "starts_at");
	int64		end = demand_arg_minute(PG_GETARG_TIMESTAMPTZ(1), "ends_at");
	DemandRings rings;

	absence_span(&rings, first, end);
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_in_stock);

/* demand_in_stock(demand, absence): with what an empty shelf hid */
Datum
replenish_demand_in_stock(PG_FUNCTION_ARGS)
{
	DemandRings rings;
	DemandRings out;

	PG_GETARG_DEMAND(0, &rings);
	PG_GETARG_DEMAND(1, &out);
	if (!absence_fill(&rings, &out))
		demand_overflow();
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_add);

/* One event more. */
Datum
replenish_demand_add(PG_FUNCTION_ARGS)
{
	int64		micros = demand_arg_micros(PG_GETARG_FLOAT8(1), "qty");
	int64		minute = demand_arg_minute(PG_GETARG_TIMESTAMPTZ(2), "at");
	DemandRings rings;

	PG_GETARG_DEMAND(0, &rings);
	if (!demand_add(&rings, minute, micros))
		demand_overflow();
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_at);

/* The same demand in a window that ends at as_of. */
Datum
replenish_demand_at(PG_FUNCTION_ARGS)
{
	int64		minute = demand_arg_minute(PG_GETARG_TIMESTAMPTZ(1), "as_of");
	DemandRings rings;

	PG_GETARG_DEMAND(0, &rings);
	demand_advance(&rings, minute);
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_buckets);

/* Every bucket that is not empty, at every resolution, oldest first. */
Datum
replenish_demand_buckets(PG_FUNCTION_ARGS)
{
	static const int32 minutes[DEMAND_LEVELS] = {1, 60, 0, 0};
	static const int32 days[DEMAND_LEVELS] = {0, 0, 1, 7};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DemandRings rings;

	InitMaterializedSRF(fcinfo, 0);
	PG_GETARG_DEMAND(0, &rings);
	for (int i = 0; i < DEMAND_LEVELS && rings.end != DEMAND_NO_END; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64		newest = demand_bucket(level, rings.end);
		Interval	resolution = {0};

		resolution.time = minutes[i] * USECS_PER_MINUTE;
		resolution.day = days[i];
		for (int age = demand_stored_to(level, rings.end) - 1; age >= 0; age--)
		{
			int64		start = demand_bucket_start(level, newest - age);
			int64		micros = rings.amount[demand_slot(level, newest - age)];
			Datum		values[3];
			bool		nulls[3] = {false, false, false};

			if (micros == 0)
				continue;
			values[0] = IntervalPGetDatum(&resolution);
			values[1] = TimestampTzGetDatum(arg_moment_from_minute(start));
			values[2] = Float8GetDatum((double) micros / DEMAND_MICROS);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 values, nulls);
		}
	}
	return (Datum) 0;
}

/* The argument "over" in microseconds, which must be positive. */
static int64
get_over(FunctionCallInfo fcinfo, int n)
{
	int64		over = arg_interval_usec(PG_GETARG_INTERVAL_P(n), "over");

	if (over <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be positive", "over")));
	return over;
}

PG_FUNCTION_INFO_V1(replenish_demand_velocity_over);

/* Plain units per hour in [as_of - over, as_of). */
Datum
replenish_demand_velocity_over(PG_FUNCTION_ARGS)
{
	int64		to = arg_moment_usec(PG_GETARG_TIMESTAMPTZ(1), "as_of");
	int64		over = get_over(fcinfo, 2);
	DemandRings rings;
	double		units;

	PG_GETARG_DEMAND(0, &rings);
	if (!demand_units(&rings, to - over, to, &units))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(units / ((double) over / USECS_PER_HOUR));
}

PG_FUNCTION_INFO_V1(replenish_demand_same_period);

/* Units in [as_of - ago - over, as_of - ago). */
Datum
replenish_demand_same_period(PG_FUNCTION_ARGS)
{
	int64		as_of = arg_moment_usec(PG_GETARG_TIMESTAMPTZ(1), "as_of");
	int64		over = get_over(fcinfo, 2);
	int64		ago = arg_interval_usec(PG_GETARG_INTERVAL_P(3), "ago");
	int64		from;
	DemandRings rings;
	double		units;

	if (ago < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative", "ago")));
	PG_GETARG_DEMAND(0, &rings);
	if (pg_sub_s64_overflow(as_of - ago, over, &from) ||
		!demand_units(&rings, from, as_of - ago, &units))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(units);
}
