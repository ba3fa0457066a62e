/*-------------------------------------------------------------------------
 *
 * forecast_sql.c
 *	  SQL functions that look ahead: velocity, forecast, quantiles, stockout.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "demand_acc.h"
#include "fmgr.h"
#include "forecast_sql.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "working.h"

/* a plain stockout beyond this many hours is no answer: 1000 years */
#define STOCKOUT_LIMIT_HOURS	(1000 * 365.25 * 24)

/* summaries up to this size are remembered with their model */
#define REMEMBERED_BYTES	2048

/* of argument burst_evidence */
#define BURST_EVIDENCE_MIN	4.0
#define BURST_EVIDENCE_MAX	1000.0

/*
 * The model of a demand at as_of, with bursts told by so much evidence.  A decision asks one summary a handful of
 * questions in a row, so the last model is remembered; the result is good
 * until the next call.
 */
static const DemandModel *
model_at(Datum demand, TimestampTz as_of, double burst_evidence)
{
	static DemandModel model;
	static TimestampTz model_as_of;
	static double model_evidence;
	static Size model_size = 0; /* 0: nothing is remembered */
	static char model_bytes[REMEMBERED_BYTES];

	int64		usec = arg_moment_usec(as_of, "as_of");
	struct varlena *value = PG_DETOAST_DATUM_PACKED(demand);
	Size		size = VARSIZE_ANY_EXHDR(value);
	DemandRings rings;
	DemandSeries series;

	if (size == model_size && as_of == model_as_of &&
		burst_evidence == model_evidence &&
		memcmp(VARDATA_ANY(value), model_bytes, size) == 0)
		return &model;
	model_size = 0;
	demand_unpack_datum(PointerGetDatum(value), &rings);
	if (!demand_series(&rings, usec, &series))
		elog(ERROR, "no series at " INT64_FORMAT, usec);
	demand_model_build(&model, &series, burst_evidence);
	if (size <= REMEMBERED_BYTES)
	{
		memcpy(model_bytes, VARDATA_ANY(value), size);
		model_as_of = as_of;
		model_evidence = burst_evidence;
		model_size = size;
	}
	return &model;
}

const DemandModel *
demand_model_at(Datum demand, TimestampTz as_of)
{
	return model_at(demand, as_of, BURST_EVIDENCE);
}

/* An optional argument burst_evidence; the usual where it is NULL. */
static double
arg_burst_evidence(FunctionCallInfo fcinfo, int n)
{
	double		evidence = BURST_EVIDENCE;

	if (PG_NARGS() > n && !PG_ARGISNULL(n))
		evidence = PG_GETARG_FLOAT8(n);
	if (!(evidence >= BURST_EVIDENCE_MIN && evidence <= BURST_EVIDENCE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be between %g and %g",
						"burst_evidence", BURST_EVIDENCE_MIN,
						BURST_EVIDENCE_MAX)));
	return evidence;
}

/*
 * A horizon in microseconds.
 */
int64
forecast_horizon(const Interval *span, const char *argname)
{
	int64		usec = arg_interval_usec(span, argname);

	if (usec < 0 || usec > FORECAST_LIMIT_USEC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be between 0 and %d days",
						argname, FORECAST_DAYS)));
	return usec;
}

PG_FUNCTION_INFO_V1(replenish_demand_velocity);

/* demand_velocity(demand, as_of): units per hour now, bursts included */
Datum
replenish_demand_velocity(PG_FUNCTION_ARGS)
{
	const DemandModel *model;

	model = demand_model_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1));
	PG_RETURN_FLOAT8(model->velocity);
}

PG_FUNCTION_INFO_V1(replenish_burst_velocity);

/* burst_velocity(demand, as_of, burst_evidence): demand_velocity() with it */
Datum
replenish_burst_velocity(PG_FUNCTION_ARGS)
{
	if (arg_has_null(fcinfo, 2))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(model_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1),
							  arg_burst_evidence(fcinfo, 2))->velocity);
}

PG_FUNCTION_INFO_V1(replenish_demand_forecast);

/* demand_forecast(demand, as_of, horizon, outlook): mean and sd */
Datum
replenish_demand_forecast(PG_FUNCTION_ARGS)
{
	int64		horizon;
	DemandOutlook outlook;
	const DemandModel *model;
	DemandForecast f;
	TupleDesc	tupdesc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (arg_has_null(fcinfo, 3))
		PG_RETURN_NULL();
	horizon = forecast_horizon(PG_GETARG_INTERVAL_P(2), "horizon");
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	model = demand_model_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1));
	outlook = arg_outlook(fcinfo, 3, PG_GETARG_TIMESTAMPTZ(1));
	f = outlook_apply(outlook_effect(model, &outlook, horizon),
					  demand_model_forecast(model, horizon));
	values[0] = Float8GetDatum(f.mean);
	values[1] = Float8GetDatum(sqrt(f.var));
	tupdesc = BlessTupleDesc(tupdesc);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

PG_FUNCTION_INFO_V1(replenish_demand_quantile);

/* demand_quantile(demand, as_of, horizon, p, outlook) */
Datum
replenish_demand_quantile(PG_FUNCTION_ARGS)
{
	int64		horizon;
	double		p;
	double		quantile;
	DemandOutlook outlook;
	const DemandModel *model;

	if (arg_has_null(fcinfo, 4))
		PG_RETURN_NULL();
	horizon = forecast_horizon(PG_GETARG_INTERVAL_P(2), "horizon");
	p = PG_GETARG_FLOAT8(3);
	arg_check_probability(p, "p");
	model = demand_model_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1));
	outlook = arg_outlook(fcinfo, 4, PG_GETARG_TIMESTAMPTZ(1));
	if (outlook.n > 0)
		quantile = demand_model_shape(model,
									  outlook_apply(outlook_effect(model, &outlook, horizon),
													demand_model_forecast(model, horizon)), p);
	else
		demand_model_quantiles(model, horizon, 1, &p, &quantile);
	PG_RETURN_FLOAT8(quantile);
}

PG_FUNCTION_INFO_V1(replenish_demand_quantiles);

/* demand_quantiles(demand, as_of, horizon, p[]): in the order of p */
Datum
replenish_demand_quantiles(PG_FUNCTION_ARGS)
{
	int64		horizon = forecast_horizon(PG_GETARG_INTERVAL_P(2), "horizon");
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(3);
	const DemandModel *model;
	Datum	   *element;
	double	   *p;
	double	   *quantile;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"%s\" must have one dimension", "p")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not contain NULL", "p")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &element, NULL, &n);
	p = palloc(sizeof(double) * Max(n, 1));
	quantile = palloc(sizeof(double) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		p[i] = DatumGetFloat8(element[i]);
		arg_check_probability(p[i], "p");
	}

	model = demand_model_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1));
	demand_model_quantiles(model, horizon, n, p, quantile);
	for (int i = 0; i < n; i++)
		element[i] = Float8GetDatum(quantile[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(element, n, FLOAT8OID,
										  sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(replenish_stockout_interval);

/* stockout_eta(on_hand, velocity): how long at that speed */
Datum
replenish_stockout_interval(PG_FUNCTION_ARGS)
{
	double		on_hand = PG_GETARG_FLOAT8(0);
	double		velocity = PG_GETARG_FLOAT8(1);
	double		hours;
	Interval   *result;

	arg_check_quantity(on_hand, "on_hand");
	arg_check_quantity(velocity, "velocity");
	if (velocity <= 0)
		PG_RETURN_NULL();
	hours = Max(on_hand, 0) / velocity;
	if (!(hours <= STOCKOUT_LIMIT_HOURS))
		PG_RETURN_NULL();

	/* in hours only: a day of the calendar may be longer or shorter */
	result = palloc0(sizeof(Interval));
	result->time = (int64) rint(hours * USECS_PER_HOUR);
	PG_RETURN_INTERVAL_P(result);
}

PG_FUNCTION_INFO_V1(replenish_stockout_eta);

/* stockout_eta(on_hand, demand, as_of): by the expected demand */
Datum
replenish_stockout_eta(PG_FUNCTION_ARGS)
{
	double		on_hand = PG_GETARG_FLOAT8(0);
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(2);
	const DemandModel *model;
	int64		usec;

	arg_check_quantity(on_hand, "on_hand");
	model = demand_model_at(PG_GETARG_DATUM(1), as_of);
	usec = demand_model_eta(model, NULL, on_hand);
	if (usec < 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(as_of + usec);
}

PG_FUNCTION_INFO_V1(replenish_stockout_eta_probable);

/*
 * stockout_eta(on_hand, demand, as_of, p, outlook, burst_evidence): empty by
 * then with probability p; with p NULL, by the expected demand
 */
Datum
replenish_stockout_eta_probable(PG_FUNCTION_ARGS)
{
	double		on_hand;
	TimestampTz as_of;
	DemandOutlook outlook;
	const DemandModel *model;
	int64		usec;

	if (arg_has_null(fcinfo, 3))
		PG_RETURN_NULL();
	on_hand = PG_GETARG_FLOAT8(0);
	as_of = PG_GETARG_TIMESTAMPTZ(2);
	arg_check_quantity(on_hand, "on_hand");
	if (!PG_ARGISNULL(3))
		arg_check_probability(PG_GETARG_FLOAT8(3), "p");
	model = model_at(PG_GETARG_DATUM(1), as_of, arg_burst_evidence(fcinfo, 5));
	outlook = arg_outlook(fcinfo, 4, as_of);
	if (PG_ARGISNULL(3))
		usec = demand_model_eta(model, &outlook, on_hand);
	else
		usec = demand_model_eta_probable(model, &outlook, on_hand,
										 PG_GETARG_FLOAT8(3));
	if (usec < 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(as_of + usec);
}

/* Return one step of demand_steps(); 'arg' is the result. */
static void
return_step(const WorkingStep *step, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		values[5];
	bool		nulls[5] = {false, false, false, false, false};

	values[0] = CStringGetTextDatum(step->name);
	values[1] = Float8GetDatum(step->value);
	values[2] = CStringGetTextDatum(step->unit);
	values[3] = CStringGetTextDatum(step->formula);
	nulls[4] = step->calculation == NULL;
	values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(step->calculation);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(replenish_demand_steps);

/* demand_steps(demand, as_of, horizon): the working of demand_forecast */
Datum
replenish_demand_steps(PG_FUNCTION_ARGS)
{
	int64		horizon = forecast_horizon(PG_GETARG_INTERVAL_P(2), "horizon");
	const DemandModel *model;

	model = demand_model_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1));
	InitMaterializedSRF(fcinfo, 0);
	demand_model_steps(model, horizon, return_step, fcinfo->resultinfo);
	return (Datum) 0;
}
