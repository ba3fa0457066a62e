/*-------------------------------------------------------------------------
 *
 * demand_io.c
 *	  Input and output of type demand, as text and as bytes.
 *
 * The only code here that meets what a client made up; the readers behind it
 * take nothing but the one form that each summary has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "demand_acc.h"
#include "libpq/pqformat.h"

PG_FUNCTION_INFO_V1(replenish_demand_in);

/* Text to demand. */
Datum
replenish_demand_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	DemandRings rings;
	TextError error;

	if (!demand_from_text(text, strlen(text), &rings, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type demand: \"%s\"", text),
				 errdetail("After %d bytes, %s.", (int) error.position,
						   error.problem)));
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_out);

/* Demand to text. */
Datum
replenish_demand_out(PG_FUNCTION_ARGS)
{
	DemandRings rings;
	char		text[DEMAND_TEXT_MAX];

	PG_GETARG_DEMAND(0, &rings);
	demand_to_text(&rings, text);
	PG_RETURN_CSTRING(pstrdup(text));
}

PG_FUNCTION_INFO_V1(replenish_demand_recv);

/* Bytes of the packed form to demand. */
Datum
replenish_demand_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			length = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, length);
	DemandRings rings;
	const char *problem;

	if (!demand_unpack((const uint8 *) bytes, length, &rings, &problem))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type demand"),
				 errdetail("In the packed form, %s.", problem)));
	PG_RETURN_DEMAND(&rings);
}

PG_FUNCTION_INFO_V1(replenish_demand_send);

/* Demand to bytes of the packed form. */
Datum
replenish_demand_send(PG_FUNCTION_ARGS)
{
	DemandRings rings;

	PG_GETARG_DEMAND(0, &rings);
	/* a bytea is such a varlena too */
	PG_RETURN_DEMAND(&rings);
}
