/*-------------------------------------------------------------------------
 *
 * lead_time_sql.c
 *	  Type lead_time, its aggregates, and estimates from it, in SQL.
 *
 * A value of the type is the record itself, of fixed length, so an aggregate
 * changes its state in place, and a window that moves takes back what leaves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "args.h"
#include "common/hashfn.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lead_time.h"
#include "libpq/pqformat.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#define PG_GETARG_LEAD_TIME(n) ((LeadTime *) PG_GETARG_POINTER(n))

/* A copy in the current memory context; NULL is the record of nothing. */
static LeadTime *
copy_of(const LeadTime *record)
{
	LeadTime   *result = palloc0(sizeof(LeadTime));

	if (record != NULL)
		*result = *record;
	return result;
}

/* An argument that may be NULL. */
static LeadTime *
optional(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_LEAD_TIME(n);
}

/* Raise the error for a sum that does not fit. */
static void
check_fits(bool fits)
{
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("lead_time out of range"),
				 errdetail("A sum does not fit into 64 bits.")));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_in);

/* Text to lead_time. */
Datum
replenish_lead_time_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	LeadTime	record;
	TextError	error;

	if (!lead_time_from_text(text, strlen(text), &record, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type lead_time: \"%s\"",
						text),
				 errdetail("After %d bytes, %s.", (int) error.position,
						   error.problem)));
	PG_RETURN_POINTER(copy_of(&record));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_out);

/* Lead_time to text. */
Datum
replenish_lead_time_out(PG_FUNCTION_ARGS)
{
	char	   *text = palloc(LEAD_TIME_TEXT_MAX);

	lead_time_to_text(PG_GETARG_LEAD_TIME(0), text);
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_recv);

/* Bytes to lead_time. */
Datum
replenish_lead_time_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			length = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, length);
	LeadTime	record;
	const char *problem;

	if (!lead_time_unpack((const uint8 *) bytes, length, &record, &problem))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type lead_time"),
				 errdetail("In the binary form, %s.", problem)));
	PG_RETURN_POINTER(copy_of(&record));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_send);

/* Lead_time to bytes. */
Datum
replenish_lead_time_send(PG_FUNCTION_ARGS)
{
	bytea	   *result = palloc(VARHDRSZ + LEAD_TIME_BYTES);

	SET_VARSIZE(result, VARHDRSZ + LEAD_TIME_BYTES);
	lead_time_pack(PG_GETARG_LEAD_TIME(0), (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

/* Whether two records are the same. */
static bool
same(FunctionCallInfo fcinfo)
{
	return memcmp(PG_GETARG_POINTER(0), PG_GETARG_POINTER(1),
				  sizeof(LeadTime)) == 0;
}

PG_FUNCTION_INFO_V1(replenish_lead_time_eq);

/* lead_time = lead_time */
Datum
replenish_lead_time_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(same(fcinfo));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_ne);

/* lead_time <> lead_time */
Datum
replenish_lead_time_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!same(fcinfo));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_hash);

/* Hash of a record. */
Datum
replenish_lead_time_hash(PG_FUNCTION_ARGS)
{
	return hash_any((unsigned char *) PG_GETARG_POINTER(0), sizeof(LeadTime));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_hash_extended);

/* The same with a seed. */
Datum
replenish_lead_time_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((unsigned char *) PG_GETARG_POINTER(0),
							 sizeof(LeadTime), (uint64) PG_GETARG_INT64(1));
}

/*
 * The record of one shipment.  A moment that is infinite makes no lead time,
 * just as one that is earlier than the order does.
 */
static LeadTime
record_of(TimestampTz ordered_at, TimestampTz received_at)
{
	LeadTime	one = {0};
	int64		usec;

	if (TIMESTAMP_NOT_FINITE(ordered_at) || TIMESTAMP_NOT_FINITE(received_at) ||
		__builtin_sub_overflow(received_at, ordered_at, &usec))
		(void) lead_time_add_impossible(&one);
	else
		(void) lead_time_add(&one, usec);
	return one;
}

/* Sum or difference of two records. */
static Datum
combine(FunctionCallInfo fcinfo, int sign)
{
	LeadTime   *result = copy_of(PG_GETARG_LEAD_TIME(0));

	check_fits(lead_time_merge(result, PG_GETARG_LEAD_TIME(1), sign));
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_plus);

/* lead_time + lead_time */
Datum
replenish_lead_time_plus(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_minus);

/* lead_time - lead_time */
Datum
replenish_lead_time_minus(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, -1);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_add);

/* One shipment more. */
Datum
replenish_lead_time_add(PG_FUNCTION_ARGS)
{
	LeadTime   *result = copy_of(PG_GETARG_LEAD_TIME(0));
	LeadTime	one = record_of(PG_GETARG_TIMESTAMPTZ(1),
								PG_GETARG_TIMESTAMPTZ(2));

	check_fits(lead_time_merge(result, &one, 1));
	PG_RETURN_POINTER(result);
}

/*
 * Change the state of an aggregate, which is argument 0, in place; where there
 * is none yet, the executor copies what is returned into its own context.
 */
static Datum
change_state(FunctionCallInfo fcinfo, const LeadTime *change, int sign)
{
	LeadTime   *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function belongs to an aggregate and cannot be called by itself")));
	if (change == NULL)
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = PG_ARGISNULL(0) ? copy_of(NULL) : PG_GETARG_LEAD_TIME(0);
	check_fits(lead_time_merge(state, change, sign));
	PG_RETURN_POINTER(state);
}

/* lead_time_agg: the row's moments; NULLs don't count. */
static Datum
change_by_row(FunctionCallInfo fcinfo, int sign)
{
	LeadTime	one;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return change_state(fcinfo, NULL, sign);
	one = record_of(PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(2));
	return change_state(fcinfo, &one, sign);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_accum);

/* lead_time_agg: a row more */
Datum
replenish_lead_time_accum(PG_FUNCTION_ARGS)
{
	return change_by_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_accum_inv);

/* lead_time_agg over a moving frame: a row leaves it */
Datum
replenish_lead_time_accum_inv(PG_FUNCTION_ARGS)
{
	return change_by_row(fcinfo, -1);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_final);

/* The result of a moving frame, which starts with nothing and not with NULL. */
Datum
replenish_lead_time_final(PG_FUNCTION_ARGS)
{
	LeadTime   *state = PG_GETARG_LEAD_TIME(0);

	if (state->n == 0 && state->impossible == 0)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_combine);

/* lead_time_merge, and the partial states of both aggregates */
Datum
replenish_lead_time_combine(PG_FUNCTION_ARGS)
{
	return change_state(fcinfo, optional(fcinfo, 1), 1);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_n);

/* How many observations. */
Datum
replenish_lead_time_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_LEAD_TIME(0)->n);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_impossible);

/* How many rows that are none. */
Datum
replenish_lead_time_impossible(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_LEAD_TIME(0)->impossible);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_mean);

/* Mean in days, by this record alone. */
Datum
replenish_lead_time_mean(PG_FUNCTION_ARGS)
{
	LeadTimeEstimate own;

	if (!lead_time_own(PG_GETARG_LEAD_TIME(0), &own))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(own.mean);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_sd);

/* Standard deviation in days, by this record alone. */
Datum
replenish_lead_time_sd(PG_FUNCTION_ARGS)
{
	LeadTimeEstimate own;

	if (!lead_time_own(PG_GETARG_LEAD_TIME(0), &own) || isnan(own.sd))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(own.sd);
}

PG_FUNCTION_INFO_V1(replenish_lead_time_estimate);

/* lead_time_estimate(route, parent, whole, season): mean and sd in days */
Datum
replenish_lead_time_estimate(PG_FUNCTION_ARGS)
{
	LeadTimeEstimate estimate;
	TupleDesc	tupdesc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	estimate = lead_time_estimate(optional(fcinfo, 2), optional(fcinfo, 1),
								  optional(fcinfo, 0), optional(fcinfo, 3));
	values[0] = Float8GetDatum(estimate.mean);
	values[1] = Float8GetDatum(estimate.sd);
	tupdesc = BlessTupleDesc(tupdesc);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

PG_FUNCTION_INFO_V1(replenish_lead_time_quantile);

/* lead_time_quantile(mean, sd, p): days */
Datum
replenish_lead_time_quantile(PG_FUNCTION_ARGS)
{
	LeadTimeEstimate estimate;
	double		p = PG_GETARG_FLOAT8(2);
	double		days;

	estimate.mean = PG_GETARG_FLOAT8(0);
	arg_check_not_negative(estimate.mean, "mean");
	estimate.sd = PG_GETARG_FLOAT8(1);
	arg_check_not_negative(estimate.sd, "sd");
	arg_check_probability(p, "p");
	days = lead_time_quantile(estimate, p);
	if (!isfinite(days))
		float_overflow_error();
	PG_RETURN_FLOAT8(days);
}
