/*-------------------------------------------------------------------------
 *
 * outlook_sql.c
 *	  The SQL type outlook[] as an argument.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "args.h"
#include "executor/executor.h"
#include "forecast_sql.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* units beyond this are no plan, and would leave the range of a float8 */
#define OUTLOOK_UNITS_MAX	1e15

/* Whether one of the first n arguments is NULL. */
bool
arg_has_null(FunctionCallInfo fcinfo, int n)
{
	for (int i = 0; i < n; i++)
		if (PG_ARGISNULL(i))
			return true;
	return false;
}

/* Microseconds from as_of to a moment that may be infinite. */
static int64
usec_after(TimestampTz at, TimestampTz as_of)
{
	if (TIMESTAMP_IS_NOBEGIN(at))
		return -FORECAST_LIMIT_USEC;
	if (TIMESTAMP_IS_NOEND(at))
		return 2 * FORECAST_LIMIT_USEC;
	return at - as_of;
}

/* A value of the type outlook as a part of the time after as_of. */
static OutlookPart
outlook_part(HeapTupleHeader row, TimestampTz as_of)
{
	OutlookPart part;
	Datum		value[4];
	bool		null[4];

	for (int i = 0; i < 4; i++)
		value[i] = GetAttributeByNum(row, i + 1, &null[i]);
	part.start = usec_after(null[0] ? DT_NOBEGIN :
							DatumGetTimestampTz(value[0]), as_of);
	part.end = usec_after(null[1] ? DT_NOEND :
						  DatumGetTimestampTz(value[1]), as_of);
	part.factor = null[2] ? 1 : DatumGetFloat8(value[2]);
	part.units = null[3] ? 0 : DatumGetFloat8(value[3]);
	if (!(part.factor >= 0 && part.factor <= OUTLOOK_FACTOR_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a factor in argument \"%s\" must be between 0 and %g",
						"outlook", OUTLOOK_FACTOR_MAX)));
	if (!(part.units >= 0 && part.units <= OUTLOOK_UNITS_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("units in argument \"%s\" must be between 0 and %g",
						"outlook", OUTLOOK_UNITS_MAX)));
	if (part.units > 0 && (null[1] || TIMESTAMP_IS_NOEND(DatumGetTimestampTz(value[1]))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("units in argument \"%s\" must have an end",
						"outlook")));
	if (part.end < part.start)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a part of argument \"%s\" must not end before it starts",
						"outlook")));
	return part;
}

/*
 * An optional argument of type outlook[]: none where the function has no such
 * argument, or it is NULL or empty; elements that are NULL say nothing.
 */
DemandOutlook
arg_outlook(FunctionCallInfo fcinfo, int n, TimestampTz as_of)
{
	DemandOutlook outlook = {0, NULL};
	ArrayType  *array;
	OutlookPart *part;
	OutlookPart *split;
	Datum	   *element;
	bool	   *null;
	int16		len;
	bool		by_value;
	char		align;
	int			count;
	int			parts = 0;

	if (PG_NARGS() <= n || PG_ARGISNULL(n))
		return outlook;
	array = PG_GETARG_ARRAYTYPE_P(n);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &len, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), len, by_value, align,
					  &element, &null, &count);
	part = palloc(sizeof(OutlookPart) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		OutlookPart p;

		if (null[i])
			continue;
		p = outlook_part(DatumGetHeapTupleHeader(element[i]), as_of);
		if (p.end > 0 && p.start < FORECAST_LIMIT_USEC && p.end > p.start)
			part[parts++] = p;
	}
	if (parts == 0)
		return outlook;
	split = palloc(sizeof(OutlookPart) * OUTLOOK_PARTS(parts));
	outlook.n = outlook_split(part, parts, split);
	outlook.part = split;
	if (outlook.n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return outlook;
}

PG_FUNCTION_INFO_V1(replenish_outlook_effect);

/* outlook_effect(demand, as_of, horizon, outlook): factor and units */
Datum
replenish_outlook_effect(PG_FUNCTION_ARGS)
{
	int64		horizon;
	DemandOutlook outlook;
	OutlookEffect effect;
	TupleDesc	tupdesc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (arg_has_null(fcinfo, 3))
		PG_RETURN_NULL();
	horizon = forecast_horizon(PG_GETARG_INTERVAL_P(2), "horizon");
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	outlook = arg_outlook(fcinfo, 3, PG_GETARG_TIMESTAMPTZ(1));
	effect = outlook_effect(demand_model_at(PG_GETARG_DATUM(0),
											PG_GETARG_TIMESTAMPTZ(1)),
							&outlook, horizon);
	values[0] = Float8GetDatum(effect.factor);
	values[1] = Float8GetDatum(effect.units);
	tupdesc = BlessTupleDesc(tupdesc);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}
