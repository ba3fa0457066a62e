/*-------------------------------------------------------------------------
 *
 * textbook_sql.c
 *	  SQL functions for the classical formulas and for classes of demand.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "args.h"
#include "demand_acc.h"
#include "fmgr.h"
#include "funcapi.h"
#include "series.h"
#include "textbook.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

/* A demand that can be calculated with. */
static TextbookDemand
check_range(TextbookDemand d)
{
	if (!isfinite(d.mean) || !isfinite(d.sd * d.sd))
		float_overflow_error();
	return d;
}

/* The argument "distribution". */
static DemandShape
get_shape(FunctionCallInfo fcinfo, int arg)
{
	text	   *name = PG_GETARG_TEXT_PP(arg);
	int			length = VARSIZE_ANY_EXHDR(name);
	static const struct
	{
		const char *name;
		DemandShape shape;
	}			shapes[] = {
		{"normal", SHAPE_NORMAL},
		{"gamma", SHAPE_GAMMA},
		{"negative_binomial", SHAPE_NEGATIVE_BINOMIAL},
	};

	for (int i = 0; i < (int) lengthof(shapes); i++)
		if (length == (int) strlen(shapes[i].name) &&
			memcmp(VARDATA_ANY(name), shapes[i].name, length) == 0)
			return shapes[i].shape;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" is not a known distribution: \"%s\"",
					"distribution", text_to_cstring(name)),
			 errhint("Known are \"normal\", \"gamma\" and \"negative_binomial\".")));
}

/* demand_mean, demand_sd, lead_time_mean, lead_time_sd and distribution */
static TextbookDemand
get_lead_time_demand(FunctionCallInfo fcinfo, int arg)
{
	static const char *const names[] = {"demand_mean", "demand_sd",
	"lead_time_mean", "lead_time_sd"};
	double		value[4];

	for (int i = 0; i < 4; i++)
	{
		value[i] = PG_GETARG_FLOAT8(arg + i);
		arg_check_not_negative(value[i], names[i]);
	}
	return check_range(textbook_lead_time_demand(value[0], value[1], value[2],
												 value[3],
												 get_shape(fcinfo, arg + 4)));
}

PG_FUNCTION_INFO_V1(replenish_safety_stock);

/* safety_stock(): for a service level per order cycle */
Datum
replenish_safety_stock(PG_FUNCTION_ARGS)
{
	double		p = PG_GETARG_FLOAT8(0);
	TextbookDemand d;

	arg_check_probability(p, "service_level");
	d = get_lead_time_demand(fcinfo, 1);
	return arg_finite_result(textbook_safety_stock(&d, p));
}

PG_FUNCTION_INFO_V1(replenish_reorder_point);

/* reorder_point(): for a service level per order cycle */
Datum
replenish_reorder_point(PG_FUNCTION_ARGS)
{
	double		p = PG_GETARG_FLOAT8(0);
	TextbookDemand d;

	arg_check_probability(p, "service_level");
	d = get_lead_time_demand(fcinfo, 1);
	return arg_finite_result(textbook_quantile(&d, p));
}

PG_FUNCTION_INFO_V1(replenish_fill_rate);

/* fill_rate(): share of demand met from stock */
Datum
replenish_fill_rate(PG_FUNCTION_ARGS)
{
	double		reorder_point = PG_GETARG_FLOAT8(0);
	double		order_qty = PG_GETARG_FLOAT8(1);
	TextbookDemand d;

	arg_check_quantity(reorder_point, "reorder_point");
	arg_check_positive(order_qty, "order_qty");
	d = get_lead_time_demand(fcinfo, 2);
	return arg_finite_result(textbook_fill_rate(&d, reorder_point, order_qty,
												PG_GETARG_BOOL(7)));
}

PG_FUNCTION_INFO_V1(replenish_safety_stock_for_fill_rate);

/* safety_stock_for_fill_rate(): the inverse */
Datum
replenish_safety_stock_for_fill_rate(PG_FUNCTION_ARGS)
{
	double		fill_rate = PG_GETARG_FLOAT8(0);
	double		order_qty = PG_GETARG_FLOAT8(1);
	TextbookDemand d;

	arg_check_probability(fill_rate, "fill_rate");
	arg_check_positive(order_qty, "order_qty");
	d = get_lead_time_demand(fcinfo, 2);
	return arg_finite_result(textbook_fill_rate_point(&d, fill_rate,
													  order_qty,
													  PG_GETARG_BOOL(7)) -
							 d.mean);
}

PG_FUNCTION_INFO_V1(replenish_economic_order_quantity);

/* economic_order_quantity(): the square root formula */
Datum
replenish_economic_order_quantity(PG_FUNCTION_ARGS)
{
	double		demand = PG_GETARG_FLOAT8(0);
	double		order_cost = PG_GETARG_FLOAT8(1);
	double		holding_cost = PG_GETARG_FLOAT8(2);

	arg_check_not_negative(demand, "demand");
	arg_check_not_negative(order_cost, "order_cost");
	arg_check_positive(holding_cost, "holding_cost");
	return arg_finite_result(textbook_order_quantity(demand, order_cost,
													 holding_cost));
}

PG_FUNCTION_INFO_V1(replenish_newsvendor);

/* newsvendor(): one order for one season */
Datum
replenish_newsvendor(PG_FUNCTION_ARGS)
{
	double		price = PG_GETARG_FLOAT8(0);
	double		cost = PG_GETARG_FLOAT8(1);
	double		salvage = PG_GETARG_FLOAT8(2);
	TextbookDemand d;
	Newsvendor	n;
	TupleDesc	tupdesc;
	Datum		values[5];
	bool		nulls[5] = {false, false, false, false, false};

	arg_check_not_negative(price, "price");
	arg_check_not_negative(cost, "cost");
	arg_check_quantity(salvage, "salvage");
	if (salvage >= cost)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be below argument \"%s\"",
						"salvage", "cost"),
				 errdetail("What loses nothing when it is left over would be ordered without end.")));
	d.mean = PG_GETARG_FLOAT8(3);
	arg_check_not_negative(d.mean, "demand_mean");
	d.sd = PG_GETARG_FLOAT8(4);
	arg_check_not_negative(d.sd, "demand_sd");
	d.shape = get_shape(fcinfo, 5);
	d = check_range(d);
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	n = textbook_newsvendor(&d, price, cost, salvage);
	values[0] = arg_finite_result(n.order_qty);
	values[1] = arg_finite_result(n.critical_ratio);
	values[2] = arg_finite_result(n.sales);
	values[3] = arg_finite_result(n.leftover);
	values[4] = arg_finite_result(n.profit);
	tupdesc = BlessTupleDesc(tupdesc);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

/* How many of the periods count: from the oldest that is not empty. */
static int
periods_used(const double *units, int n)
{
	while (n > 0 && units[n - 1] == 0)
		n--;
	return n;
}

PG_FUNCTION_INFO_V1(replenish_demand_pattern);

/* demand_pattern(): smooth, erratic, intermittent or lumpy */
Datum
replenish_demand_pattern(PG_FUNCTION_ARGS)
{
	static const char *const label[] = {
		[PATTERN_SMOOTH] = "smooth",
		[PATTERN_ERRATIC] = "erratic",
		[PATTERN_INTERMITTENT] = "intermittent",
		[PATTERN_LUMPY] = "lumpy"
	};
	int64		period = arg_interval_usec(PG_GETARG_INTERVAL_P(1), "period");
	DemandRings rings;
	DemandSeries series;
	DemandPattern pattern;

	if (period != USECS_PER_DAY && period != 7 * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be 1 day or 7 days", "period")));
	PG_GETARG_DEMAND(0, &rings);
	if (rings.end == DEMAND_NO_END)
		PG_RETURN_NULL();
	if (!demand_series(&rings, rings.end * USECS_PER_UTC_MINUTE, &series))
		elog(ERROR, "no series at " INT64_FORMAT, rings.end);
	if (period != USECS_PER_DAY)
		pattern = textbook_pattern(series.week,
								   periods_used(series.week, DEMAND_WEEKS));
	else if (series.age < DEMAND_DAYS)
		pattern = textbook_pattern(series.day,
								   periods_used(series.day, DEMAND_DAYS));
	else
		pattern = textbook_pattern(series.day, DEMAND_DAYS);
	if (pattern == PATTERN_NONE)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(label[pattern]));
}
