/*-------------------------------------------------------------------------
 *
 * demand_pack.c
 *	  The packed form of a demand summary, as it is stored and sent.
 *
 *	version (1)		byte
 *	reserved (0)	byte
 *	decimals		byte: all amounts are multiples of 10^decimals millionths
 *	end				varint, minutes; it and the rest are absent without a window
 *	4 rings			each: byte, number of runs; then the runs, newest first
 *	a run			varint: gap * 4 + min(length - 1, 3); with 3 a varint,
 *					length - 4; then so many amounts as zigzag varints
 *
 * A run is as long as amounts that are not zero follow each other; its gap
 * counts the zeros before it, less the one that must separate two runs.
 * Buckets that are covered by finer ones are left out.  So there is exactly
 * one packed form of each summary, the reader takes nothing else, and no
 * sequence of bytes can express sums that contradict each other.
 *
 *-------------------------------------------------------------------------
 */
#include "demand.h"

static const int64_t power_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

#define MAX_DECIMALS	6

typedef struct Reader
{
	const uint8_t *at;
	const uint8_t *stop;
} Reader;

/*
 * value / 10^decimals.  A division by a constant is a multiplication, and
 * whole units, the common case, come first.
 */
static inline int64_t
strip_decimals(int64_t value, int decimals)
{
	if (decimals == MAX_DECIMALS)
		return value / 1000000;
	return value / power_of_ten[decimals];
}

/* Append a varint: seven bits a byte, lowest first. */
static inline uint8_t *
put_varint(uint8_t *out, uint64_t value)
{
	while (value >= 0x80)
	{
		*out++ = (uint8_t) (value | 0x80);
		value >>= 7;
	}
	*out++ = (uint8_t) value;
	return out;
}

/* Append an amount; the sign moves to the lowest bit. */
static inline uint8_t *
put_amount(uint8_t *out, int64_t value)
{
	return put_varint(out, ((uint64_t) value << 1) ^
					  (value < 0 ? UINT64_MAX : 0));
}

/* Read a varint; false if it is cut off, too large or longer than need be. */
static inline bool
get_varint(Reader *in, uint64_t *value)
{
	uint64_t	result = 0;

	for (int shift = 0; shift < 64 && in->at < in->stop; shift += 7)
	{
		uint8_t		byte = *in->at++;

		if (shift == 63 && byte > 1)
			return false;
		result |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			*value = result;
			return byte != 0 || shift == 0;
		}
	}
	return false;
}

/* Read an amount. */
static inline bool
get_amount(Reader *in, int64_t *value)
{
	uint64_t	zigzag;

	if (!get_varint(in, &zigzag))
		return false;
	*value = (int64_t) ((zigzag >> 1) ^ ((zigzag & 1) ? UINT64_MAX : 0));
	return true;
}

/*
 * Append the runs of one ring: "count" amounts, newest first.
 */
static uint8_t *
put_ring(uint8_t *out, const int64_t *amounts, int count, int decimals)
{
	uint8_t    *runs = out++;
	int			done = 0;

	/* at most every other bucket starts a run: below 128 */
	*runs = 0;
	for (int i = 0; i < count; i++)
	{
		int			first = i;
		int			gap = i - done;
		int			length;

		if (amounts[i] == 0)
			continue;
		while (i < count && amounts[i] != 0)
			i++;
		length = i - first;
		if (*runs > 0)
			gap--;
		out = put_varint(out, (uint64_t) (gap * 4 +
										  (length < 4 ? length - 1 : 3)));
		if (length >= 4)
			out = put_varint(out, (uint64_t) (length - 4));
		for (int k = first; k < i; k++)
			out = put_amount(out, strip_decimals(amounts[k], decimals));
		*runs += 1;
		done = i;
	}
	return out;
}

/*
 * Write the packed form to "out", which has room for DEMAND_PACKED_MAX, and
 * return its length.
 */
size_t
demand_pack(const DemandRings *rings, uint8_t *out)
{
	int64_t		amounts[DEMAND_BUCKETS];
	int			count[DEMAND_LEVELS];
	const int64_t *next = amounts;
	uint8_t    *start = out;
	int			decimals = MAX_DECIMALS;
	int			n = 0;

	*out++ = DEMAND_PACKED_VERSION;
	*out++ = 0;
	if (rings->end == DEMAND_NO_END)
	{
		*out++ = MAX_DECIMALS;
		return (size_t) (out - start);
	}
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int			first = n;
		int			from = demand_stored_from(level, rings->end);
		int			to = demand_stored_to(level, rings->end);
		int			size = demand_level_size(level);
		int			first_slot = demand_slot(level, 0);
		int			slot = demand_slot(level, demand_bucket(level, rings->end));

		slot -= from;
		for (int age = from; age < to; age++, slot--)
		{
			int64_t		amount;

			if (slot < first_slot)
				slot += size;
			amount = rings->amount[slot];
			amounts[n++] = amount;
			if (amount == 0)
				continue;
			while (strip_decimals(amount, decimals) *
				   power_of_ten[decimals] != amount)
				decimals--;
		}
		count[i] = n - first;
	}
	*out++ = (uint8_t) decimals;
	out = put_varint(out, (uint64_t) rings->end);
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		out = put_ring(out, next, count[i], decimals);
		next += count[i];
	}
	return (size_t) (out - start);
}

/*
 * Read the runs of one ring; adds what the amounts say about the decimals to
 * *finer.  Returns NULL or what is wrong.
 */
static const char *
get_ring(Reader *in, DemandRings *rings, DemandLevel level, int decimals,
		 bool *finer)
{
	int			age = demand_stored_from(level, rings->end);
	int			to = demand_stored_to(level, rings->end);
	int			size = demand_level_size(level);
	int			first_slot = demand_slot(level, 0);
	int			end_slot = demand_slot(level, demand_bucket(level, rings->end));
	int			runs;

	if (in->at >= in->stop)
		return "it is cut off";
	runs = *in->at++;
	for (int run = 0; run < runs; run++)
	{
		uint64_t	token;
		uint64_t	length;

		if (!get_varint(in, &token))
			return "a run's header is malformed";
		length = (token & 3) + 1;
		if (length == 4)
		{
			if (!get_varint(in, &length))
				return "a run's length is malformed";
			if (length > DEMAND_BUCKETS)
				return "a run is longer than its ring";
			length += 4;
		}
		token >>= 2;
		if (run > 0)
			token++;
		if (token > DEMAND_BUCKETS || age + (int) token + (int) length > to)
			return "a run is outside its ring";
		age += (int) token;
		for (; length > 0; length--, age++)
		{
			int			slot = end_slot - age;
			int64_t		amount;

			if (slot < first_slot)
				slot += size;
			if (!get_amount(in, &amount))
				return "an amount is malformed";
			if (amount == 0)
				return "an amount is zero";
			if (amount % 10 != 0)
				*finer = true;
			if (__builtin_mul_overflow(amount, power_of_ten[decimals],
									   &rings->amount[slot]))
				return "an amount is out of range";
		}
	}
	return NULL;
}

/*
 * Read a packed form.  Takes nothing but what demand_pack writes; false
 * with *problem otherwise, and then the rings are undefined.
 */
bool
demand_unpack(const uint8_t *bytes, size_t length, DemandRings *rings,
			  const char **problem)
{
	Reader		in = {bytes, bytes + length};
	uint64_t	end;
	int			decimals;
	bool		finer = false;

	demand_init(rings);
	*problem = "it is cut off";
	if (length < 3)
		return false;
	*problem = "its version is unknown";
	if (in.at[0] != DEMAND_PACKED_VERSION)
		return false;
	*problem = "a reserved byte is not zero";
	if (in.at[1] != 0)
		return false;
	decimals = in.at[2];
	*problem = "its number of decimals is out of range";
	if (decimals > MAX_DECIMALS)
		return false;
	in.at += 3;
	if (in.at == in.stop)
	{
		*problem = "its number of decimals is not the largest";
		return decimals == MAX_DECIMALS;
	}
	*problem = "its end is malformed or out of range";
	if (!get_varint(&in, &end) || end > (uint64_t) DEMAND_MAX_MINUTE)
		return false;
	rings->end = (int64_t) end;
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		*problem = get_ring(&in, rings, (DemandLevel) i, decimals, &finer);
		if (*problem != NULL)
			return false;
	}
	*problem = "bytes follow its last ring";
	if (in.at != in.stop)
		return false;
	*problem = "its number of decimals is not the largest";
	if (!finer && decimals < MAX_DECIMALS)
		return false;
	*problem = "a sum is out of range";
	return demand_rebuild(rings);
}
