/*-------------------------------------------------------------------------
 *
 * demand_read.c
 *	  Questions to a demand summary: units in a window, the series by age.
 *
 * What a summary knows is cut into pieces that do not overlap, each at the
 * finest resolution that still reaches it: the kept minutes, then the hours
 * before them, then the days, then the weeks.  The bucket that straddles the
 * border to a finer ring is the part outside it, less what the finer ring
 * still shows.
 *
 *-------------------------------------------------------------------------
 */
#include "demand.h"

#include <string.h>

/* Amount of a bucket that may have left the window or not begun: then 0. */
static inline int64_t
amount_in(const DemandRings *rings, DemandLevel level, int64_t bucket)
{
	int64_t		newest = demand_bucket(level, rings->end);

	if (bucket > newest || bucket < 0 ||
		bucket <= newest - demand_level_size(level))
		return 0;
	return rings->amount[demand_slot(level, bucket)];
}

/* value -= less, at the limits of 64 bits where it does not fit */
static bool
subtract(int64_t *value, int64_t less)
{
	int64_t		result;

	if (__builtin_sub_overflow(*value, less, &result))
	{
		*value = less < 0 ? INT64_MAX : INT64_MIN;
		return false;
	}
	*value = result;
	return true;
}

/*
 * The summary's pieces that are not empty and touch the minutes from first to
 * last, newest first; returns how many.  "out" has room for DEMAND_BUCKETS.
 * Of all pieces, adding each piece's amount at its first
 * minute to a summary with the same end gives the summary back, provided
 * that *exact: an amount that does not fit is cut to what does.
 */
int
demand_pieces(const DemandRings *rings, int64_t first, int64_t last,
			  DemandPiece *out, bool *exact)
{
	int			n = 0;
	int64_t		seen;			/* first minute of the finer ring */

	*exact = true;
	if (rings->end == DEMAND_NO_END)
		return 0;
	seen = rings->end + 1;
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64_t		newest = demand_bucket(level, rings->end);
		int			from = demand_stored_from(level, rings->end);
		int			to = demand_stored_to(level, rings->end);
		int64_t		skip = newest - demand_bucket(level, last);
		int64_t		until = newest - demand_bucket(level, first) + 1;

		for (int age = skip > from ? (int) skip : from;
			 age < to && age < until; age++)
		{
			int64_t		bucket = newest - age;
			int64_t		start = demand_bucket_start(level, bucket);
			int64_t		stop = demand_bucket_start(level, bucket + 1);
			int64_t		micros = rings->amount[demand_slot(level, bucket)];

			if (stop > seen && i > 0)
			{
				DemandLevel finer = (DemandLevel) (i - 1);

				for (int64_t b = demand_bucket(finer, seen);
					 b < demand_bucket(finer, stop); b++)
					if (!subtract(&micros, amount_in(rings, finer, b)))
						*exact = false;
				stop = seen;
			}
			if (micros == 0)
				continue;
			if (start < 0)
				start = 0;		/* the week of 1970-01-01 */
			out[n].start = start;
			out[n].minutes = stop - start;
			out[n].micros = micros;
			n++;
		}
		if (to > 0)
			seen = demand_bucket_start(level, newest - to + 1);
	}
	return n;
}

/*
 * Units in [from, to), in microseconds since 1970, every part of it read at
 * the finest resolution kept and in proportion where only part of a bucket
 * is asked for.  The newest minute counts whole once "to" is inside it: it is
 * still filling.  False if the window starts before what is kept.
 */
bool
demand_units(const DemandRings *rings, int64_t from_usec, int64_t to_usec,
			 double *units)
{
	DemandPiece pieces[DEMAND_BUCKETS];
	bool		exact;
	int			n;
	double		sum = 0;

	*units = 0;
	if (rings->end == DEMAND_NO_END)
		return true;
	if (from_usec < USECS_PER_UTC_MINUTE *
		demand_bucket_start(DEMAND_WEEK,
							demand_bucket(DEMAND_WEEK, rings->end) -
							(DEMAND_WEEKS - 1)))
		return false;
	if (from_usec >= to_usec)
		return true;
	n = demand_pieces(rings, from_usec / USECS_PER_UTC_MINUTE,
					  (to_usec - 1) / USECS_PER_UTC_MINUTE, pieces, &exact);
	for (int i = 0; i < n; i++)
	{
		int64_t		start = pieces[i].start * USECS_PER_UTC_MINUTE;
		int64_t		length = pieces[i].minutes * USECS_PER_UTC_MINUTE;
		int64_t		stop = start + length;

		if (pieces[i].start == rings->end && to_usec > start &&
			to_usec < stop)
		{
			stop = to_usec;
			length = stop - start;
		}
		if (start < from_usec)
			start = from_usec;
		if (stop > to_usec)
			stop = to_usec;
		if (start >= stop)
			continue;
		if (stop - start == length)
			sum += (double) pieces[i].micros;
		else
			sum += (double) pieces[i].micros *
				((double) (stop - start) / (double) length);
	}
	*units = sum / DEMAND_MICROS;
	return true;
}

/* Units by age from as_of's bucket into a ring of the series, all zero. */
static void
fill_ring(const DemandRings *rings, DemandLevel level, int64_t minute,
		  double *out)
{
	int64_t		newest = demand_bucket(level, rings->end);
	int64_t		shift = demand_bucket(level, minute) - newest;
	int			size = demand_level_size(level);
	int			start = demand_slot(level, 0);
	int			slot = demand_slot(level, newest);

	/* age counts from the end here, from as_of in the series */
	for (int age = 0; age < size && age + shift < size; age++)
	{
		int64_t		amount = rings->amount[slot];

		if (amount != 0 && age + shift >= 0)
			out[age + shift] = (double) amount / DEMAND_MICROS;
		slot = slot > start ? slot - 1 : start + size - 1;
	}
}

/*
 * Days from the oldest day or week that is not empty to as_of's day: exact
 * while it shows among the days, else counted from the last day of the oldest
 * piece of a week, so that an incomplete first week does not pass as a full
 * one.  -1 if all are empty.
 */
static int
find_age(const DemandRings *rings, int64_t minute)
{
	int64_t		today = demand_bucket(DEMAND_DAY, minute);
	int64_t		newest_day = demand_bucket(DEMAND_DAY, rings->end);
	int64_t		first_day = newest_day - (DEMAND_DAYS - 1);
	int64_t		this_week = demand_bucket(DEMAND_WEEK, minute);

	for (int age = DEMAND_WEEKS - 1;
		 age >= demand_stored_from(DEMAND_WEEK, rings->end); age--)
	{
		int64_t		week = demand_bucket(DEMAND_WEEK, rings->end) - age;
		int64_t		rest = amount_in(rings, DEMAND_WEEK, week);
		int64_t		last = demand_bucket_start(DEMAND_WEEK, week + 1) / 1440 - 1;

		if (week < 0 || week > this_week)
			continue;
		if (last >= first_day)
		{
			for (int64_t day = first_day; day <= last; day++)
				(void) subtract(&rest, amount_in(rings, DEMAND_DAY, day));
			last = first_day - 1;
		}
		if (rest != 0)
			return last < today ? (int) (today - last) : 0;
	}
	for (int64_t day = first_day; day <= today && day <= newest_day; day++)
		if (amount_in(rings, DEMAND_DAY, day) != 0)
			return (int) (today - day);
	return -1;
}

/*
 * The summary as seen at as_of (microseconds since 1970): buckets that begin
 * after it are left out, the one that holds it is taken whole.  False if
 * as_of is out of range.
 */
bool
demand_series(const DemandRings *rings, int64_t as_of_usec, DemandSeries *out)
{
	int64_t		minute = as_of_usec / USECS_PER_UTC_MINUTE;
	int64_t		shift;

	memset(out, 0, sizeof(*out));
	out->as_of = as_of_usec;
	out->age = -1;
	if (as_of_usec < 0 || minute > DEMAND_MAX_MINUTE)
		return false;
	if (rings->end == DEMAND_NO_END)
		return true;
	fill_ring(rings, DEMAND_MINUTE, minute, out->minute);
	fill_ring(rings, DEMAND_HOUR, minute, out->hour);
	fill_ring(rings, DEMAND_DAY, minute, out->day);
	fill_ring(rings, DEMAND_WEEK, minute, out->week);
	out->age = find_age(rings, minute);
	shift = demand_bucket(DEMAND_DAY, minute) -
		demand_bucket(DEMAND_DAY, rings->end);
	if (shift < 0)
		out->lost = shift > -DEMAND_DAYS ? (int) -shift : DEMAND_DAYS;
	return true;
}
