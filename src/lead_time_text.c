/*-------------------------------------------------------------------------
 *
 * lead_time_text.c
 *	  The text and the binary form of a lead-time record, both exact.
 *
 *	{"n":3,"sum":13.60517043,"squares":61.70368739,"rest":1126432,"impossible":1}
 *
 * "sum" and "squares" are of ln(1 + days); "rest", a whole number, is what the
 * squares have beyond their eighth decimal, in 1e-16.  Members that are zero
 * are left out; {} is the record of nothing.  The reader takes white space, and
 * zero for what could be left out.
 *
 * In bytes: the version (1), then the same five numbers in this order and
 * without a point, 8 bytes each, the highest first.
 *
 *-------------------------------------------------------------------------
 */
#include "lead_time.h"

#include <stdio.h>

#define MEMBERS		5
#define REST		3

/* the members in order, and their decimals; REST is that of the rest */
static const struct
{
	const char *name;
	int			decimals;
	size_t		offset;
}			member[MEMBERS] = {
	{"n", 0, offsetof(LeadTime, n)},
	{"sum", 8, offsetof(LeadTime, sum)},
	{"squares", 8, offsetof(LeadTime, squares)},
	{"rest", 0, offsetof(LeadTime, rest)},
	{"impossible", 0, offsetof(LeadTime, impossible)},
};

/* The number behind a member. */
static int64_t *
at_member(LeadTime *record, int i)
{
	return (int64_t *) ((char *) record + member[i].offset);
}

/* Write a number, the last digits of which are decimals. */
static char *
put_decimal(char *out, int64_t value, int decimals)
{
	uint64_t	size = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;

	if (value < 0)
		*out++ = '-';
	if (decimals == 0)
		return out + sprintf(out, "%llu", (unsigned long long) size);
	out += sprintf(out, "%llu.%0*llu",
				   (unsigned long long) (size / LEAD_TIME_SCALE), decimals,
				   (unsigned long long) (size % LEAD_TIME_SCALE));
	while (out[-1] == '0')
		out--;
	return out[-1] == '.' ? out - 1 : out;
}

/*
 * Write the text form, closed by a zero byte, to "out", which has room for
 * LEAD_TIME_TEXT_MAX; returns its length.
 */
size_t
lead_time_to_text(const LeadTime *record, char *out)
{
	LeadTime	copy = *record;
	char	   *start = out;

	*out++ = '{';
	for (int i = 0; i < MEMBERS; i++)
	{
		int64_t		value = *at_member(&copy, i);

		if (value == 0)
			continue;
		out += sprintf(out, "%s\"%s\":", out == start + 1 ? "" : ",",
					   member[i].name);
		out = put_decimal(out, value, member[i].decimals);
	}
	*out++ = '}';
	*out = '\0';
	return (size_t) (out - start);
}

/* Whether the rest is one. */
static bool
rest_is_sound(const LeadTime *record)
{
	return record->rest >= 0 && record->rest < LEAD_TIME_SCALE;
}

/* Read the members after the opening brace, the closing brace included. */
static bool
get_members(Scanner *in, LeadTime *record)
{
	int			next = 0;

	if (peek(in) == '}')
	{
		in->at++;
		return true;
	}
	for (;;)
	{
		while (next < MEMBERS && !take_name(in, member[next].name))
			next++;
		if (next == MEMBERS)
			return fail(in, "one of \"n\", \"sum\", \"squares\", \"rest\", \"impossible\" was expected, in this order");
		if (!take_decimal(in, member[next].decimals,
						  member[next].decimals == 0 ?
						  "a whole number was expected" :
						  "a number has at most eight decimals",
						  at_member(record, next)))
			return false;
		if (next == REST && !rest_is_sound(record))
			return fail(in, "the rest is not one of 0 to 99999999");
		next++;
		if (peek(in) != ',')
			break;
		in->at++;
	}
	return take(in, '}', "a comma or a closing brace was expected");
}

/*
 * Read a text form of that many bytes; false with *error if it is none, and
 * then the record is undefined.
 */
bool
lead_time_from_text(const char *text, size_t length, LeadTime *record,
					TextError *error)
{
	Scanner		in = {text, text, text + length, error};

	*error = (TextError) {0};
	*record = (LeadTime) {0};
	if (!take(&in, '{', "an opening brace was expected") ||
		!get_members(&in, record))
		return false;
	if (peek(&in) != '\0' || in.at < in.stop)
		return fail(&in, "the end of the text was expected");
	return true;
}

/* Write the binary form to "out", which has room for LEAD_TIME_BYTES. */
void
lead_time_pack(const LeadTime *record, uint8_t *out)
{
	LeadTime	copy = *record;

	*out++ = LEAD_TIME_VERSION;
	for (int i = 0; i < MEMBERS; i++)
		for (int shift = 56; shift >= 0; shift -= 8)
			*out++ = (uint8_t) ((uint64_t) *at_member(&copy, i) >> shift);
}

/* Read a binary form; false with *problem if it is none. */
bool
lead_time_unpack(const uint8_t *bytes, size_t length, LeadTime *record,
				 const char **problem)
{
	*problem = "its version is unknown";
	if (length < 1 || bytes[0] != LEAD_TIME_VERSION)
		return false;
	*problem = "it does not have 41 bytes";
	if (length != LEAD_TIME_BYTES)
		return false;
	for (int i = 0; i < MEMBERS; i++)
	{
		uint64_t	value = 0;

		for (int k = 0; k < 8; k++)
			value = value << 8 | bytes[1 + 8 * i + k];
		*at_member(record, i) = (int64_t) value;
	}
	*problem = "its rest is out of range";
	return rest_is_sound(record);
}
