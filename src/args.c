/*-------------------------------------------------------------------------
 *
 * args.c
 *	  Checks of SQL arguments; each error names the argument.
 *
 * The summaries know neither months of different length nor moments without
 * a date, so these are refused at the door rather than guessed at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "args.h"
#include "common/int.h"
#include "utils/float.h"

/*
 * Microseconds of an interval in which a day is 24 hours; raises an error
 * for months and years, whose length depends on where they start, and for
 * what int64 cannot hold.
 */
int64
arg_interval_usec(const Interval *span, const char *argname)
{
	int64		usec;

	if (span->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not contain months or years",
						argname),
				 errhint("Give it in days (of 24 hours), hours or minutes.")));
	if (pg_mul_s64_overflow((int64) span->day, USECS_PER_DAY, &usec) ||
		pg_add_s64_overflow(usec, span->time, &usec))
		ereport(ERROR,
				(errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW),
				 errmsg("argument \"%s\" is out of range", argname)));
	return usec;
}

/*
 * Microseconds since 1970-01-01 UTC; raises an error for infinity and for
 * moments before 1970 or from 3000 on.
 */
int64
arg_moment_usec(TimestampTz at, const char *argname)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a finite moment", argname)));
	if (at < -ARG_EPOCH_USEC || at >= ARG_MOMENT_LIMIT - ARG_EPOCH_USEC)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"%s\" is out of range", argname),
				 errdetail("Moments from 1970-01-01 to 2999-12-31 UTC are allowed.")));
	return at + ARG_EPOCH_USEC;
}

/* The moment at which a minute since 1970-01-01 UTC begins. */
TimestampTz
arg_moment_from_minute(int64 minute)
{
	return minute * USECS_PER_MINUTE - ARG_EPOCH_USEC;
}

/* Raises an error unless the value is a finite number. */
void
arg_check_quantity(double value, const char *argname)
{
	if (isnan(value) || isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a finite number", argname)));
}

/* Raises an error unless the value is a finite number, zero or more. */
void
arg_check_not_negative(double value, const char *argname)
{
	arg_check_quantity(value, argname);
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative", argname)));
}

/* Raises an error unless the value is a finite number above zero. */
void
arg_check_positive(double value, const char *argname)
{
	arg_check_not_negative(value, argname);
	if (value == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be positive", argname)));
}

/* Raises an error unless the value lies strictly between 0 and 1. */
void
arg_check_probability(double value, const char *argname)
{
	if (!(value > 0 && value < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be between 0 and 1, both excluded",
						argname)));
}

/* A result, or the usual error if finite arguments led out of range. */
Datum
arg_finite_result(double value)
{
	if (!isfinite(value))
		float_overflow_error();
	return Float8GetDatum(value);
}
