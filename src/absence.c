/*-------------------------------------------------------------------------
 *
 * absence.c
 *	  Demand hidden by an empty shelf.
 *
 * The time out of stock is a summary like the demand, of one unit in each
 * minute without stock, so that both age alike and merge exactly.  What was
 * hidden in a stretch of it is that time at the rate of the weeks around,
 * which is what they sold over the time that they had stock: a day wholly out
 * counts neither as zero nor as a rate of zero over zero.  The weeks are as
 * near as they can be while one whole week of them had stock; beyond half a
 * year there is nothing to go by, and an item that is gone stays gone.
 *
 *-------------------------------------------------------------------------
 */
#include "absence.h"

#include <math.h>

#define WEEK_MINUTES	INT64_C(10080)
#define SETTLED_MINUTES	60		/* the newest are the velocity's */

/* how many weeks before and after are looked at, until enough had stock */
static const int reach[] = {4, 8, 16, 26};

/* what each week sold, and how long it had stock; by age */
typedef struct Weeks
{
	int			n;
	double		sold[DEMAND_WEEKS];
	double		minutes[DEMAND_WEEKS];
} Weeks;

/*
 * Make a summary of one unit in each minute from first until before end.
 */
void
absence_span(DemandRings *rings, int64_t first, int64_t end)
{
	demand_init(rings);
	if (end <= first)
		return;
	demand_advance(rings, end - 1);
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64_t		newest = demand_bucket(level, end - 1);
		int			size = demand_stored_to(level, end - 1);

		for (int age = 0; age < size; age++)
		{
			int64_t		from = demand_bucket_start(level, newest - age);
			int64_t		to = demand_bucket_start(level, newest - age + 1);

			if (from < first)
				from = first;
			if (to > end)
				to = end;
			if (to <= from)
				break;
			rings->amount[demand_slot(level, newest - age)] =
				(to - from) * DEMAND_MICROS;
		}
	}
}

/* Sum up the weeks since the first of which anything is known. */
static void
sum_weeks(const DemandRings *demand, const DemandRings *out, Weeks *weeks)
{
	int64_t		end = demand->end;
	int64_t		newest = demand_bucket(DEMAND_WEEK, end);
	int			size = demand_stored_to(DEMAND_WEEK, end);

	weeks->n = 0;
	for (int age = 0; age < size; age++)
	{
		int			slot = demand_slot(DEMAND_WEEK, newest - age);
		double		length = age > 0 ? WEEK_MINUTES :
			end + 1 - demand_bucket_start(DEMAND_WEEK, newest);

		weeks->sold[age] = fmax((double) demand->amount[slot] / DEMAND_MICROS,
								0);
		weeks->minutes[age] = fmax(length - (double) out->amount[slot] /
								   DEMAND_MICROS, 0);
		if (demand->amount[slot] != 0 || out->amount[slot] != 0)
			weeks->n = age + 1;
	}
}

/* Units per minute with stock in the weeks around one; 0 where nobody knows. */
static double
usual_rate(const Weeks *weeks, int age)
{
	for (size_t i = 0; i < sizeof(reach) / sizeof(reach[0]); i++)
	{
		double		sold = 0;
		double		minutes = 0;
		int			from = age > reach[i] ? age - reach[i] : 0;

		for (int w = from; w <= age + reach[i] && w < weeks->n; w++)
		{
			if (weeks->minutes[w] <= 0)
				continue;
			sold += weeks->sold[w];
			minutes += weeks->minutes[w];
		}
		if (minutes >= WEEK_MINUTES)
			return sold / minutes;
	}
	return 0;
}

/*
 * Add what would have been asked for in the minutes that 'out' has units of.
 */
bool
absence_fill(DemandRings *demand, const DemandRings *out)
{
	DemandRings gone = *out;
	DemandRings filled = *demand;
	DemandPiece pieces[DEMAND_BUCKETS];
	Weeks		weeks;
	int64_t		newest;
	bool		exact;
	int			n;

	if (out->end == DEMAND_NO_END || demand->end == DEMAND_NO_END)
		return true;
	demand_advance(&gone, filled.end);
	demand_advance(&filled, gone.end);
	sum_weeks(&filled, &gone, &weeks);
	newest = demand_bucket(DEMAND_WEEK, filled.end);
	n = demand_pieces(&gone, 0, gone.end - SETTLED_MINUTES, pieces, &exact);
	for (int i = 0; i < n; i++)
	{
		int64_t		start = pieces[i].start;
		int			age = (int) (newest - demand_bucket(DEMAND_WEEK, start));
		double		units = usual_rate(&weeks, age) *
			((double) pieces[i].micros / DEMAND_MICROS);
		int64_t		micros;

		/* a bucket that reaches into the newest minutes is theirs */
		if (start > filled.end - SETTLED_MINUTES || units <= 0)
			continue;
		if (!demand_micros(units, &micros) ||
			!demand_add(&filled, start, micros))
			return false;
	}
	*demand = filled;
	return true;
}
