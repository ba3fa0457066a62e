/*-------------------------------------------------------------------------
 *
 * demand_text.c
 *	  The text form of a demand summary: JSON, exact, the same everywhere.
 *
 *	{"end":"2026-11-22T10:30Z","minutes":{"0":3,"5":1.5},"hours":{"1":8}}
 *
 * "end" is the newest minute, in UTC; the members of "minutes", "hours",
 * "days" and "weeks" are units by age, counted back in buckets from the one
 * that holds the end.  What is the sum of finer buckets is not written and
 * not taken; empty rings and buckets are left out; {} is the empty summary.
 * The reader takes white space, and zero for what could be left out.
 *
 *-------------------------------------------------------------------------
 */
#include "demand.h"

#include <stdio.h>
#include <string.h>

#include "text_scan.h"

static const char *const ring_name[DEMAND_LEVELS] = {
	"minutes", "hours", "days", "weeks"
};

/* Days from 1970-01-01 to January 1st of a year after 1969. */
static int
days_before_year(int year)
{
	int			last = year - 1;

	return 365 * (year - 1970) + (last / 4 - last / 100 + last / 400) -
		(1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* The number of days in a month, 1 to 12. */
static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2)
		return days_before_year(year + 1) - days_before_year(year) - 337;
	return days[month - 1];
}

/* Write an amount as a decimal number without trailing zeros. */
static char *
put_amount(char *out, int64_t micros)
{
	uint64_t	size = micros < 0 ? 0 - (uint64_t) micros : (uint64_t) micros;
	int			rest = (int) (size % DEMAND_MICROS);

	out += sprintf(out, "%s%llu", micros < 0 ? "-" : "",
				   (unsigned long long) (size / DEMAND_MICROS));
	if (rest != 0)
	{
		out += sprintf(out, ".%06d", rest);
		while (out[-1] == '0')
			out--;
	}
	return out;
}

/* Write a minute as a moment in UTC. */
static char *
put_moment(char *out, int64_t minute)
{
	int			day = (int) (minute / 1440);
	int			clock = (int) (minute % 1440);
	int			year = 1970 + day / 366;
	int			month = 1;

	while (days_before_year(year + 1) <= day)
		year++;
	day -= days_before_year(year);
	while (day >= days_in_month(year, month))
		day -= days_in_month(year, month++);
	return out + sprintf(out, "%04d-%02d-%02dT%02d:%02dZ",
						 year, month, day + 1, clock / 60, clock % 60);
}

/*
 * Write the text form, closed by a zero byte, to "out", which has room for
 * DEMAND_TEXT_MAX; returns its length.
 */
size_t
demand_to_text(const DemandRings *rings, char *out)
{
	char	   *start = out;

	if (rings->end == DEMAND_NO_END)
	{
		strcpy(out, "{}");
		return 2;
	}
	out += sprintf(out, "{\"end\":\"");
	out = put_moment(out, rings->end);
	*out++ = '"';
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64_t		newest = demand_bucket(level, rings->end);
		int			to = demand_stored_to(level, rings->end);
		bool		open = false;

		for (int age = demand_stored_from(level, rings->end); age < to; age++)
		{
			int64_t		micros = rings->amount[demand_slot(level, newest - age)];

			if (micros == 0)
				continue;
			if (open)
				*out++ = ',';
			else
				out += sprintf(out, ",\"%s\":{", ring_name[level]);
			open = true;
			out += sprintf(out, "\"%d\":", age);
			out = put_amount(out, micros);
		}
		if (open)
			*out++ = '}';
	}
	*out++ = '}';
	*out = '\0';
	return (size_t) (out - start);
}

/* Step over exactly so many digits. */
static bool
take_digits(Scanner *in, int count, int *value)
{
	*value = 0;
	for (; count > 0; count--)
	{
		if (!at_digit(in))
			return false;
		*value = *value * 10 + (*in->at++ - '0');
	}
	return true;
}

/* Read a quoted moment of the form YYYY-MM-DDTHH:MMZ. */
static bool
get_moment(Scanner *in, int64_t *minute)
{
	int			year;
	int			month;
	int			day;
	int			hour;
	int			min;
	int64_t		days;

	skip_space(in);
	if (!take_next(in, '"') ||
		!take_digits(in, 4, &year) || !take_next(in, '-') ||
		!take_digits(in, 2, &month) || !take_next(in, '-') ||
		!take_digits(in, 2, &day) || !take_next(in, 'T') ||
		!take_digits(in, 2, &hour) || !take_next(in, ':') ||
		!take_digits(in, 2, &min) || !take_next(in, 'Z') ||
		!take_next(in, '"'))
		return fail(in, "a moment like \"2026-11-22T10:30Z\" was expected");
	if (year < 1970 || year > 2999 || month < 1 || month > 12 ||
		day < 1 || day > days_in_month(year, month) || hour > 23 || min > 59)
		return fail(in, "the moment is not one of the years 1970 to 2999");
	days = days_before_year(year) + day - 1;
	while (--month > 0)
		days += days_in_month(year, month);
	*minute = days * 1440 + hour * 60 + min;
	return true;
}

/* Read a quoted age, larger than the one before. */
static bool
get_age(Scanner *in, DemandLevel level, int64_t end, int before, int *age)
{
	if (!take(in, '"', "a quoted age was expected"))
		return false;
	if (!at_digit(in))
		return fail(in, "an age, a whole number, was expected");
	*age = 0;
	while (at_digit(in) && *age < DEMAND_BUCKETS)
	{
		if (*age == 0 && in->at[-1] == '0')
			return fail(in, "an age must not start with a superfluous zero");
		*age = *age * 10 + (*in->at++ - '0');
	}
	if (*age <= before)
		return fail(in, "the ages of a ring must rise");
	if (*age < demand_stored_from(level, end))
		return fail(in, "a bucket of this age is the sum of finer ones and must not be given");
	if (*age >= demand_stored_to(level, end))
		return fail(in, "a bucket of this age is outside the window");
	if (!take_next(in, '"'))
		return fail(in, "a quotation mark was expected");
	return take(in, ':', "a colon was expected");
}

/* Read one ring after its name. */
static bool
get_ring(Scanner *in, DemandRings *rings, DemandLevel level)
{
	int			age = -1;

	if (!take(in, '{', "an opening brace was expected"))
		return false;
	if (peek(in) == '}')
	{
		in->at++;
		return true;
	}
	for (;;)
	{
		if (!get_age(in, level, rings->end, age, &age) ||
			!take_decimal(in, 6, "a number has at most six decimals",
						  demand_at_age(rings, level, age)))
			return false;
		if (peek(in) != ',')
			break;
		in->at++;
	}
	return take(in, '}', "a comma or a closing brace was expected");
}

/* Read the members after the opening brace, the closing brace included. */
static bool
get_members(Scanner *in, DemandRings *rings)
{
	int			next = DEMAND_MINUTE;

	if (peek(in) == '}')
	{
		in->at++;
		return true;
	}
	if (!take_name(in, "end"))
		return fail(in, "the member \"end\" was expected");
	if (!get_moment(in, &rings->end))
		return false;
	while (peek(in) == ',')
	{
		in->at++;
		while (next <= DEMAND_WEEK && !take_name(in, ring_name[next]))
			next++;
		if (next > DEMAND_WEEK)
			return fail(in, "one of \"minutes\", \"hours\", \"days\", \"weeks\" was expected, in this order");
		if (!get_ring(in, rings, (DemandLevel) next))
			return false;
		next++;
	}
	return take(in, '}', "a comma or a closing brace was expected");
}

/*
 * Read a text form of that many bytes; false with *error if it is none, and
 * then the rings are undefined.
 */
bool
demand_from_text(const char *text, size_t length, DemandRings *rings,
				 TextError *error)
{
	Scanner		in;

	error->position = 0;
	error->problem = NULL;
	in.start = text;
	in.at = text;
	in.stop = text + length;
	in.error = error;
	demand_init(rings);
	if (!take(&in, '{', "an opening brace was expected") ||
		!get_members(&in, rings))
		return false;
	if (peek(&in) != '\0' || in.at < in.stop)
		return fail(&in, "the end of the text was expected");
	if (!demand_rebuild(rings))
		return fail(&in, "a sum of these numbers is out of range");
	return true;
}
