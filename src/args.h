/*-------------------------------------------------------------------------
 *
 * args.h
 *	  Checks of SQL arguments; each error names the argument.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_ARGS_H
#define REPLENISH_ARGS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* between PostgreSQL's epoch, 2000-01-01, and 1970-01-01 */
#define ARG_EPOCH_USEC \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* 3000-01-01 00:00 UTC in microseconds since 1970 */
#define ARG_MOMENT_LIMIT	INT64CONST(32503680000000000)

/* microseconds of an interval, with days of 24 hours; months are refused */
extern int64 arg_interval_usec(const Interval *span, const char *argname);

/* microseconds since 1970-01-01 UTC; outside 1970 to 3000 is refused */
extern int64 arg_moment_usec(TimestampTz at, const char *argname);

/* the moment at which a minute, counted from 1970-01-01 UTC, begins */
extern TimestampTz arg_moment_from_minute(int64 minute);

/* neither NaN nor infinite */
extern void arg_check_quantity(double value, const char *argname);

/* finite, and zero or more */
extern void arg_check_not_negative(double value, const char *argname);

/* finite, and more than zero */
extern void arg_check_positive(double value, const char *argname);

/* strictly between 0 and 1 */
extern void arg_check_probability(double value, const char *argname);

/* a result, or the usual error if finite arguments led out of range */
extern Datum arg_finite_result(double value);

#endif							/* REPLENISH_ARGS_H */
