/*-------------------------------------------------------------------------
 *
 * forecast_sql.h
 *	  From a value of type demand to the model of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_FORECAST_SQL_H
#define REPLENISH_FORECAST_SQL_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "forecast.h"
#include "outlook.h"

/*
 * The model at as_of, good until the next call; an error that names as_of if
 * it is out of range.
 */
extern const DemandModel *demand_model_at(Datum demand, TimestampTz as_of);

/* a horizon in microseconds; an error unless within 0 and 366 days */
extern int64 forecast_horizon(const Interval *span, const char *argname);

/* whether one of the first n arguments is NULL */
extern bool arg_has_null(FunctionCallInfo fcinfo, int n);

/*
 * An optional argument of type outlook[], after as_of; an error that names it
 * if one of its values is out of range.
 */
extern DemandOutlook arg_outlook(FunctionCallInfo fcinfo, int n,
								 TimestampTz as_of);

#endif							/* REPLENISH_FORECAST_SQL_H */
