/*-------------------------------------------------------------------------
 *
 * demand.c
 *	  The algebra of the demand summary: add, merge, scale, move the window.
 *
 * A ring of N buckets holds bucket b while e - N < b <= e, where e is the
 * bucket of the window's end, in slot b modulo N: moving the window forward
 * zeroes what falls out and touches nothing else.
 *
 * A coarse bucket whose finer buckets are all still in their own ring is
 * their sum and is called covered: the stored forms leave it out.  As seen
 * from the end these are always the current hour, the days 0 to 7 and the
 * weeks 0 to 12 or 13.
 *
 *-------------------------------------------------------------------------
 */
#include "demand.h"

#include <math.h>
#include <string.h>

static const int ring_size[DEMAND_LEVELS] = {
	DEMAND_MINUTES, DEMAND_HOURS, DEMAND_DAYS, DEMAND_WEEKS
};

/* where each ring starts in DemandRings.amount */
static const int ring_start[DEMAND_LEVELS] = {
	0,
	DEMAND_MINUTES,
	DEMAND_MINUTES + DEMAND_HOURS,
	DEMAND_MINUTES + DEMAND_HOURS + DEMAND_DAYS
};

/* what is younger than this is in the ring, wherever its bucket begins */
static const int64_t safe_minutes[DEMAND_LEVELS] = {
	DEMAND_MINUTES,
	(DEMAND_HOURS - 1) * 60,
	(DEMAND_DAYS - 1) * 1440,
	(DEMAND_WEEKS - 1) * 10080
};

/* how many buckets of the next finer level make one */
static const int finer_count[DEMAND_LEVELS] = {1, 60, 24, 7};

/* A sum of 64-bit numbers that cannot overflow: halves of 32 bits each. */
typedef struct WideSum
{
	int64_t		high;
	int64_t		low;
} WideSum;

/* Add one number to the sum. */
static inline void
wide_add(WideSum *sum, int64_t value)
{
	sum->high += value >> 32;
	sum->low += value & INT64_C(0xffffffff);
}

/* The sum as one number; false if 64 bits cannot hold it. */
static inline bool
wide_value(const WideSum *sum, int64_t *value)
{
	int64_t		high = sum->high + (sum->low >> 32);

	if (high < INT32_MIN || high > INT32_MAX)
		return false;
	*value = high * (INT64_C(1) << 32) + (sum->low & INT64_C(0xffffffff));
	return true;
}

/*
 * Units to millionths, rounded to the nearest; false for what is not a
 * number or larger than DEMAND_MAX_UNITS.
 */
bool
demand_micros(double units, int64_t *micros)
{
	int64_t		whole;

	if (!(units >= -DEMAND_MAX_UNITS && units <= DEMAND_MAX_UNITS))
		return false;
	/* apart, because units * 10^6 may need more bits than a double has */
	whole = (int64_t) units;
	*micros = whole * DEMAND_MICROS;
	if (units != (double) whole)
		*micros += (int64_t) rint((units - (double) whole) * DEMAND_MICROS);
	return true;
}

/* The bucket that holds a minute. */
static inline int64_t
bucket_of(DemandLevel level, int64_t minute)
{
	/* minutes fit into 32 bits, where division is several times faster */
	uint32_t	m = (uint32_t) minute;

	switch (level)
	{
		case DEMAND_MINUTE:
			return m;
		case DEMAND_HOUR:
			return m / 60;
		case DEMAND_DAY:
			return m / 1440;
		case DEMAND_WEEK:
			break;
	}
	return (m / 1440 + 3) / 7;	/* 1970-01-01 was a Thursday */
}

/* The index in DemandRings.amount of a bucket's slot. */
static inline int
slot_of(DemandLevel level, int64_t bucket)
{
	uint32_t	b = (uint32_t) bucket;

	switch (level)
	{
		case DEMAND_MINUTE:
			return (int) (b % DEMAND_MINUTES);
		case DEMAND_HOUR:
			return DEMAND_MINUTES + (int) (b % DEMAND_HOURS);
		case DEMAND_DAY:
			return DEMAND_MINUTES + DEMAND_HOURS + (int) (b % DEMAND_DAYS);
		case DEMAND_WEEK:
			break;
	}
	return DEMAND_MINUTES + DEMAND_HOURS + DEMAND_DAYS +
		(int) (b % DEMAND_WEEKS);
}

/* The slot of the bucket before the one in this slot. */
static inline int
slot_before(DemandLevel level, int slot)
{
	return slot > ring_start[level] ? slot - 1 :
		slot + ring_size[level] - 1;
}

/* The bucket of a level that holds a minute. */
int64_t
demand_bucket(DemandLevel level, int64_t minute)
{
	return bucket_of(level, minute);
}

/* The first minute of a bucket; that of week 0 lies before 1970. */
int64_t
demand_bucket_start(DemandLevel level, int64_t bucket)
{
	switch (level)
	{
		case DEMAND_MINUTE:
			return bucket;
		case DEMAND_HOUR:
			return bucket * 60;
		case DEMAND_DAY:
			return bucket * 1440;
		case DEMAND_WEEK:
			break;
	}
	return (bucket * 7 - 3) * 1440;
}

/* How many buckets a level's ring holds. */
int
demand_level_size(DemandLevel level)
{
	return ring_size[level];
}

/* The index in DemandRings.amount of a bucket that is in the window. */
int
demand_slot(DemandLevel level, int64_t bucket)
{
	return slot_of(level, bucket);
}

/* How many finer buckets of the coarse bucket at the end precede the end's. */
static inline int
end_position(DemandLevel level, int64_t end)
{
	int64_t		first = demand_bucket_start(level, bucket_of(level, end));
	int64_t		fine = demand_bucket_start((DemandLevel) (level - 1), 1) -
		demand_bucket_start((DemandLevel) (level - 1), 0);

	return (int) ((end - first) / fine);
}

/* The smallest age of a bucket that is not covered by finer ones. */
int
demand_stored_from(DemandLevel level, int64_t end)
{
	int			count = finer_count[level];

	if (level == DEMAND_MINUTE)
		return 0;
	return (ring_size[level - 1] - end_position(level, end) + count - 1) /
		count;
}

/* One more than the largest age of a bucket; none lies before 1970. */
int
demand_stored_to(DemandLevel level, int64_t end)
{
	int64_t		bucket = bucket_of(level, end);

	return bucket < ring_size[level] ? (int) bucket + 1 : ring_size[level];
}

/* The amount in the bucket that many buckets before the one at the end. */
int64_t *
demand_at_age(DemandRings *rings, DemandLevel level, int age)
{
	int			slot = slot_of(level, bucket_of(level, rings->end)) - age;

	return &rings->amount[slot < ring_start[level] ?
						  slot + ring_size[level] : slot];
}

/* The summary of nothing: no amounts, no window. */
void
demand_init(DemandRings *rings)
{
	memset(rings, 0, sizeof(*rings));
	rings->end = DEMAND_NO_END;
}

/* Move the window's end forward; an earlier end changes nothing. */
void
demand_advance(DemandRings *rings, int64_t end)
{
	if (end <= rings->end)
		return;
	if (rings->end != DEMAND_NO_END)
	{
		for (int i = 0; i < DEMAND_LEVELS; i++)
		{
			DemandLevel level = (DemandLevel) i;
			int64_t		from = bucket_of(level, rings->end);
			int64_t		to = bucket_of(level, end);

			if (to == from)
				break;			/* then the coarser ones are the same too */
			if (to - from >= ring_size[level])
				memset(&rings->amount[ring_start[level]], 0,
					   sizeof(int64_t) * (size_t) ring_size[level]);
			else
				for (int64_t b = from + 1; b <= to; b++)
					rings->amount[slot_of(level, b)] = 0;
		}
	}
	rings->end = end;
}

/* A bucket's new amount; no slot if the bucket is not in the window. */
typedef struct Change
{
	int			slot;
	int64_t		amount;
} Change;

/*
 * What adding an amount at a minute, not after the end, does to one ring;
 * false on overflow.  In line, so that each level gets its own constants.
 */
static inline bool
plan_change(const DemandRings *rings, DemandLevel level, int64_t minute,
			int64_t micros, Change *change)
{
	int64_t		bucket = bucket_of(level, minute);

	if (rings->end - minute >= safe_minutes[level] &&
		bucket <= bucket_of(level, rings->end) - ring_size[level])
	{
		change->slot = -1;
		return true;
	}
	change->slot = slot_of(level, bucket);
	return !__builtin_add_overflow(rings->amount[change->slot], micros,
								   &change->amount);
}

/*
 * Whether an amount at a minute after the end fits into the buckets that it
 * would share with what is there.
 */
static bool
fits_after_end(const DemandRings *rings, int64_t minute, int64_t micros)
{
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64_t		bucket = bucket_of(level, minute);
		int64_t		ignored;

		if (bucket == bucket_of(level, rings->end) &&
			__builtin_add_overflow(rings->amount[slot_of(level, bucket)],
								   micros, &ignored))
			return false;
	}
	return true;
}

/*
 * Add an amount at a minute, moving the window's end there if it is newer;
 * false also for a minute that is out of range.
 */
bool
demand_add(DemandRings *rings, int64_t minute, int64_t micros)
{
	Change		change[DEMAND_LEVELS];

	if (minute < 0 || minute > DEMAND_MAX_MINUTE)
		return false;
	if (minute > rings->end)
	{
		if (rings->end != DEMAND_NO_END &&
			!fits_after_end(rings, minute, micros))
			return false;
		demand_advance(rings, minute);
	}
	if (!plan_change(rings, DEMAND_MINUTE, minute, micros, &change[0]) ||
		!plan_change(rings, DEMAND_HOUR, minute, micros, &change[1]) ||
		!plan_change(rings, DEMAND_DAY, minute, micros, &change[2]) ||
		!plan_change(rings, DEMAND_WEEK, minute, micros, &change[3]))
		return false;
	for (int i = 0; i < DEMAND_LEVELS; i++)
		if (change[i].slot >= 0)
			rings->amount[change[i].slot] = change[i].amount;
	return true;
}

/*
 * Add (sign > 0) or take back (sign < 0) another summary; the window's end
 * becomes the later of the two.
 */
bool
demand_merge(DemandRings *into, const DemandRings *from, int sign)
{
	DemandRings result;

	if (from->end == DEMAND_NO_END)
		return true;
	result = *into;
	demand_advance(&result, from->end);
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int64_t		bucket = bucket_of(level, from->end);
		int64_t		kept = ring_size[level] -
			(bucket_of(level, result.end) - bucket);
		int			slot = slot_of(level, bucket);

		/* the newest of the other's buckets that are still in the window */
		for (; kept > 0; kept--, slot = slot_before(level, slot))
		{
			int64_t		amount = from->amount[slot];
			int64_t    *sum = &result.amount[slot];

			if (amount == 0)
				continue;
			if (sign < 0 ? __builtin_sub_overflow(*sum, amount, sum) :
				__builtin_add_overflow(*sum, amount, sum))
				return false;
		}
	}
	*into = result;
	return true;
}

/* One amount times a factor, to the nearest millionth; false if too large. */
static bool
scale_amount(int64_t *amount, double factor)
{
	double		product;

	/* whole factors (a bundle's units, a sign) are exact at any size */
	if (fabs(factor) < 9e15 && factor == rint(factor))
		return !__builtin_mul_overflow(*amount, (int64_t) factor, amount);
	product = rint((double) *amount * factor);
	if (!(fabs(product) < 9.2e18))
		return false;
	*amount = (int64_t) product;
	return true;
}

/*
 * Multiply by a finite factor: each amount that is not the sum of finer ones
 * is rounded to the nearest millionth, and those sums are made anew.
 */
bool
demand_scale(DemandRings *rings, double factor)
{
	DemandRings result = *rings;

	if (rings->end == DEMAND_NO_END)
		return true;
	for (int i = 0; i < DEMAND_LEVELS; i++)
	{
		DemandLevel level = (DemandLevel) i;
		int			to = demand_stored_to(level, rings->end);

		for (int age = demand_stored_from(level, rings->end); age < to; age++)
			if (!scale_amount(demand_at_age(&result, level, age), factor))
				return false;
	}
	if (!demand_rebuild(&result))
		return false;
	*rings = result;
	return true;
}

/*
 * Make every covered bucket the sum of its finer ones.  On failure the
 * covered buckets are undefined.
 */
bool
demand_rebuild(DemandRings *rings)
{
	if (rings->end == DEMAND_NO_END)
		return true;
	for (int i = DEMAND_HOUR; i <= DEMAND_WEEK; i++)
	{
		DemandLevel level = (DemandLevel) i;
		DemandLevel finer = (DemandLevel) (i - 1);
		int			from = demand_stored_from(level, rings->end);
		int			slot = slot_of(level, bucket_of(level, rings->end));
		int			fine = slot_of(finer, bucket_of(finer, rings->end));
		int			count = end_position(level, rings->end) + 1;

		for (int age = 0; age < from; age++)
		{
			WideSum		sum = {0, 0};

			for (; count > 0; count--)
			{
				if (rings->amount[fine] != 0)
					wide_add(&sum, rings->amount[fine]);
				fine = slot_before(finer, fine);
			}
			if (!wide_value(&sum, &rings->amount[slot]))
				return false;
			slot = slot_before(level, slot);
			count = finer_count[level];
		}
	}
	return true;
}
