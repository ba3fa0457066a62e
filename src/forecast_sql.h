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
#include "forecast.h"

/*
 * The model at as_of, good until the next call; an error that names as_of if
 * it is out of range.
 */
extern const DemandModel *demand_model_at(Datum demand, TimestampTz as_of);

/* a horizon in microseconds; an error unless within 0 and 366 days */
extern int64 forecast_horizon(const Interval *span, const char *argname);

#endif							/* REPLENISH_FORECAST_SQL_H */
