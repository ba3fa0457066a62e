/*-------------------------------------------------------------------------
 *
 * reader_fuzz.c
 *	  Fuzz target (libFuzzer) for the readers on the order path: a trigger's
 *	  argument, the keys of a line in the inbox, numbers and moments.
 *
 * They are the extension's own sources, with PostgreSQL's frontend library
 * for memory and strings, and the few functions below in the place of the
 * server's; nothing else of the server is reached.
 *
 *-------------------------------------------------------------------------
 */
#include "../../src/source.c"
#include "../../src/source_read.c"
#include "../../src/inbox.c"
#include "../../src/inbox_read.c"
#include "../../src/value.c"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop here, for the fuzzer to see. */
static void
expect(bool holds)
{
	if (!holds)
		abort();
}

/* The only function that is called this way is numeric_out(). */
Datum
DirectFunctionCall1Coll(PGFunction func, Oid collation, Datum arg1)
{
	return arg1;
}

/* A copy that ends with a zero byte and where its room ends. */
static char *
as_string(const uint8_t *data, size_t size)
{
	char	   *result = palloc(size + 1);

	memcpy(result, data, size);
	result[size] = '\0';
	return result;
}

/* Pack arguments as replenish.pack_arguments() does. */
static char *
pack(int nargs, char **args)
{
	size_t		length = 0;
	char	   *result;
	char	   *to;

	for (int i = 0; i < nargs; i++)
		length += 2 * strlen(args[i]) + 1;
	result = to = palloc(length + 1);
	for (int i = 0; i < nargs; i++)
	{
		if (i > 0)
			*to++ = ',';
		for (const char *p = args[i]; *p != '\0'; p++)
		{
			if (*p == ',' || *p == '\\')
				*to++ = '\\';
			*to++ = *p;
		}
	}
	*to = '\0';
	return result;
}

/* A trigger's argument: anything is taken apart, and what is packed, exactly. */
static void
try_argument(const uint8_t *data, size_t size)
{
	char	   *packed = as_string(data, size);
	char	  **args;
	char	  **again;
	int			nargs = source_unpack(packed, &args);
	Source		source;

	source_parse(nargs, args, &source);
	if (source.counted != NULL)
	{
		expect(source.ncounted >= 0 && source.nzones >= 0);
		expect(source.zones + 2 * source.nzones <= args + nargs);
		for (int i = 0; i < source.ncounted; i++)
			expect(strlen(source.counted[i]) <= size);
		expect(strlen(source.zone) <= size);
	}
	pfree(packed);
	packed = pack(nargs, args);
	expect(source_unpack(packed, &again) == nargs);
	for (int i = 0; i < nargs; i++)
		expect(strcmp(args[i], again[i]) == 0);
	pfree(packed);
	pfree(args[0]);
	pfree(args);
	pfree(again[0]);
	pfree(again);
}

/* A key lies within bytes. */
static void
expect_within(const Key *key, const char *bytes, size_t size)
{
	expect(key->len == 0 || (key->data >= bytes && key->len > 0 &&
							 key->data + key->len <= bytes + size));
}

/* The keys of a line: all bytes are taken apart, and what is put together. */
static void
try_order_keys(const uint8_t *data, size_t size)
{
	Movement	move = {0};
	Movement	read = {0};
	char	   *bytes = palloc(size + (size == 0));
	TextSpace	space;
	Datum		joined;

	memcpy(bytes, data, size);
	read.sku.data = bytes;
	read.sku.len = (int) size;
	split_order(&read);
	expect_within(&read.order, bytes, size);
	expect_within(&read.sku, bytes, size);
	move.order.data = bytes;
	move.order.len = size > 0 ? (int) (data[0] % size) : 0;
	move.sku.data = bytes + move.order.len;
	move.sku.len = Min((int) size - move.order.len, KEY_MAX);
	joined = order_datum(&move, &space);
	read.sku.data = VARDATA(DatumGetPointer(joined));
	read.sku.len = VARSIZE(DatumGetPointer(joined)) - VARHDRSZ;
	split_order(&read);
	expect(key_equal(&read.order, &move.order));
	expect(key_equal(&read.sku, &move.sku));
	pfree(bytes);
}

/* Whether a text is one that numeric_out() writes of a number. */
static bool
is_number(const char *p)
{
	size_t		digits;

	p += *p == '-';
	digits = strspn(p, "0123456789");
	if (digits == 0 || (p[0] == '0' && digits > 1))
		return false;
	p += digits;
	if (*p == '\0')
		return true;
	digits = strspn(p + 1, "0123456789");
	return *p == '.' && digits > 0 && p[1 + digits] == '\0';
}

/* What numeric_micros() should say, summed in wider numbers. */
static bool
wanted_micros(const char *p, int64 *micros)
{
	bool		negative = *p == '-';
	__int128	sum = 0;
	int			decimals = -1;

	for (p += negative; *p != '\0'; p++)
	{
		if (*p == '.')
			decimals = 0;
		else if (decimals < 6)
		{
			sum = sum * 10 + (*p - '0');
			if (sum > (__int128) QUANTITY_MAX * MICROS_PER_UNIT * 10)
				return false;
			decimals += decimals >= 0;
		}
		else
		{
			sum += *p >= '5';
			break;
		}
	}
	for (decimals = Max(decimals, 0); decimals < 6; decimals++)
		sum *= 10;
	*micros = (int64) (negative ? -sum : sum);
	return sum <= (__int128) QUANTITY_MAX * MICROS_PER_UNIT;
}

/* Numbers and moments: in range, exact, or a fault. */
static void
try_values(const uint8_t *data, size_t size)
{
	char	   *number = as_string(data, size);
	int64		micros = 0;
	int64		wanted = 0;
	int32		minute = -1;

	if (is_number(number))
	{
		const char *fault = numeric_micros(CStringGetDatum(number), &micros);

		expect(wanted_micros(number, &wanted) == (fault == NULL));
		expect(fault != NULL || micros == wanted);
	}
	else if (strcmp(number, "NaN") == 0 || strcmp(number, "Infinity") == 0 ||
			 strcmp(number, "-Infinity") == 0)
		expect(numeric_micros(CStringGetDatum(number), &micros) != NULL);
	pfree(number);
	if (size >= sizeof(int64))
	{
		int64		bits;
		double		qty;

		memcpy(&bits, data, sizeof(bits));
		memcpy(&qty, data, sizeof(qty));
		expect(value_check_quantity(qty, &micros) != NULL ||
			   fabs((double) micros - qty * 1e6) <= 1 + fabs(qty) * 1e-9);
		if (value_check_moment(bits, &minute) == NULL)
			expect(minute >= 0 && minute < MOMENT_END_DAYS * 1440);
		if (value_quantity(Int64GetDatum(bits), INT8OID, &micros) == NULL)
			expect(micros / MICROS_PER_UNIT == bits);
	}
}

/* One input; its first byte chooses the reader. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 3)
	{
		case 0:
			try_argument(data + 1, size - 1);
			break;
		case 1:
			try_order_keys(data + 1, size - 1);
			break;
		default:
			try_values(data + 1, size - 1);
			break;
	}
	return 0;
}
