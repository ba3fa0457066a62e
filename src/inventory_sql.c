/*-------------------------------------------------------------------------
 *
 * inventory_sql.c
 *	  SQL functions for thresholds, order quantities and tiers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "args.h"
#include "catalog/pg_enum.h"
#include "demand_acc.h"
#include "fmgr.h"
#include "forecast_sql.h"
#include "funcapi.h"
#include "inventory.h"
#include "replenish.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* the values of the enum tier, looked up once per call site */
typedef struct TierOids
{
	Oid			value[STOCK_TIERS];
} TierOids;

PG_FUNCTION_INFO_V1(replenish_demand_threshold);

/*
 * demand_threshold(..., outlook): the dynamic reorder point and its parts
 */
Datum
replenish_demand_threshold(PG_FUNCTION_ARGS)
{
	int64		lead;
	int64		lead_sd;
	int64		review;
	double		service_level;
	TimestampTz as_of;
	DemandOutlook outlook;
	DemandRings rings;
	StockThreshold t;
	TupleDesc	tupdesc;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	if (arg_has_null(fcinfo, 6))
		PG_RETURN_NULL();
	as_of = PG_GETARG_TIMESTAMPTZ(1);
	lead = forecast_horizon(PG_GETARG_INTERVAL_P(2), "lead_time");
	lead_sd = arg_interval_usec(PG_GETARG_INTERVAL_P(3), "lead_time_sd");
	review = forecast_horizon(PG_GETARG_INTERVAL_P(4), "review_period");
	service_level = PG_GETARG_FLOAT8(5);
	if (lead_sd < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative",
						"lead_time_sd")));
	arg_check_probability(service_level, "service_level");
	if (lead + review > FORECAST_LIMIT_USEC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments \"%s\" and \"%s\" must not exceed %d days together",
						"lead_time", "review_period", FORECAST_DAYS)));
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	outlook = arg_outlook(fcinfo, 6, as_of);
	demand_unpack_datum(PG_GETARG_DATUM(0), &rings);
	t = demand_threshold(&rings, arg_moment_usec(as_of, "as_of"),
						 demand_model_at(PG_GETARG_DATUM(0), as_of), &outlook,
						 lead + review, (double) lead_sd / USECS_PER_DAY,
						 service_level);
	values[0] = Float8GetDatum(t.threshold);
	values[1] = Float8GetDatum(t.safety_stock);
	values[2] = Float8GetDatum(t.mean);
	values[3] = Float8GetDatum(t.sd);
	tupdesc = BlessTupleDesc(tupdesc);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

PG_FUNCTION_INFO_V1(replenish_reorder_qty);

/* reorder_qty(): how much to order */
Datum
replenish_reorder_qty(PG_FUNCTION_ARGS)
{
	double		position = PG_GETARG_FLOAT8(0);
	double		threshold = PG_GETARG_FLOAT8(1);
	double		target = PG_GETARG_FLOAT8(2);
	OrderRule	rule;

	arg_check_quantity(position, "stock_position");
	arg_check_not_negative(threshold, "threshold");
	arg_check_not_negative(target, "target");
	rule.buffer = PG_GETARG_FLOAT8(3);
	arg_check_not_negative(rule.buffer, "buffer");
	rule.moq = PG_GETARG_FLOAT8(4);
	arg_check_not_negative(rule.moq, "moq");
	rule.multiple = PG_GETARG_FLOAT8(5);
	arg_check_not_negative(rule.multiple, "multiple");
	rule.maximum = PG_GETARG_FLOAT8(6);
	if (!isinf(rule.maximum) || rule.maximum < 0)
		arg_check_not_negative(rule.maximum, "maximum");
	if (target < threshold)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be below argument \"%s\"",
						"target", "threshold")));
	if (rule.maximum < rule.moq)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be below argument \"%s\"",
						"maximum", "moq")));
	return arg_finite_result(reorder_quantity(position, threshold, target, &rule));
}

/* The values of the enum that this function returns, from the cache. */
static const TierOids *
tier_oids(FunctionCallInfo fcinfo)
{
	TierOids   *oids = (TierOids *) fcinfo->flinfo->fn_extra;
	Oid			type;

	if (oids != NULL)
		return oids;
	type = get_func_rettype(fcinfo->flinfo->fn_oid);
	oids = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(TierOids));
	for (int i = 0; i < STOCK_TIERS; i++)
	{
		oids->value[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
										 ObjectIdGetDatum(type),
										 CStringGetDatum(stock_tier_label[i]));
		if (!OidIsValid(oids->value[i]))
			elog(ERROR, "enum %u has no value \"%s\"", type,
				 stock_tier_label[i]);
	}
	fcinfo->flinfo->fn_extra = oids;
	return oids;
}

PG_FUNCTION_INFO_V1(replenish_alert_level);

/* alert_level(): the tier of a position */
Datum
replenish_alert_level(PG_FUNCTION_ARGS)
{
	double		position = PG_GETARG_FLOAT8(0);
	double		threshold = PG_GETARG_FLOAT8(1);
	Oid			previous = PG_GETARG_OID(2);
	double		exit_margin = PG_GETARG_FLOAT8(3);
	const TierOids *oids = tier_oids(fcinfo);
	StockTier	tier = TIER_NORMAL;

	/* each decision comes by here */
	worker_yield();
	arg_check_quantity(position, "stock_position");
	arg_check_not_negative(threshold, "threshold");
	arg_check_not_negative(exit_margin, "exit_margin");
	while (oids->value[tier] != previous)
		if (++tier == STOCK_TIERS)
			elog(ERROR, "unknown tier %u", previous);
	tier = position_tier(position, threshold, tier, exit_margin);
	PG_RETURN_OID(oids->value[tier]);
}
