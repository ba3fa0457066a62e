/*-------------------------------------------------------------------------
 *
 * summary.c
 *	  What the fuzz targets of the demand summary have in common.
 *
 * Bytes that are changed at random are hardly ever a summary with sums in all
 * of its rings.  So the fuzzer also makes summaries out of random orders, and
 * changes those it has in ways that leave them summaries: the readers see
 * their writers' work, whole and with a byte broken, at every limit.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "summary.h"

/* A random number below the limit, from xorshift's state. */
static uint64_t
below(uint64_t *state, uint64_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % limit;
}

/* Stop here, for the fuzzer to see. */
void
expect(bool holds)
{
	if (!holds)
		abort();
}

/* Both forms lead back to the same summary. */
static void
examine_forms(const DemandRings *rings)
{
	DemandRings other;
	TextError error;
	uint8_t		packed[DEMAND_PACKED_MAX];
	char		text[DEMAND_TEXT_MAX];
	const char *problem;
	size_t		length = demand_pack(rings, packed);

	expect(length <= sizeof(packed));
	expect(demand_unpack(packed, length, &other, &problem));
	expect(memcmp(&other, rings, sizeof(other)) == 0);
	length = demand_to_text(rings, text);
	expect(length < sizeof(text));
	expect(demand_from_text(text, length, &other, &error));
	expect(memcmp(&other, rings, sizeof(other)) == 0);
}

/* What is added can be taken back. */
static void
examine_sums(const DemandRings *rings)
{
	DemandRings other = *rings;
	DemandPiece pieces[DEMAND_BUCKETS];
	bool		exact;

	if (demand_merge(&other, rings, 1))
	{
		expect(demand_merge(&other, rings, -1));
		expect(memcmp(&other, rings, sizeof(other)) == 0);
	}
	if (demand_scale(&other, -1) && demand_merge(&other, rings, 1))
		expect(demand_pieces(&other, 0, INT64_MAX / 2, pieces, &exact) == 0);
	other = *rings;
	(void) demand_scale(&other, 0.7);
	expect(demand_rebuild(&other));
}

/* A window that moves on keeps its sums right. */
static void
examine_moved(const DemandRings *rings, unsigned which)
{
	static const int64_t steps[] = {1, 59, 1439, 11000, 100000, 900000, 2000000};
	DemandRings other = *rings;
	DemandRings moved;

	if (rings->end == DEMAND_NO_END)
		return;
	demand_advance(&other, rings->end + steps[which % 7]);
	moved = other;
	if (demand_rebuild(&moved))
		expect(memcmp(&other, &moved, sizeof(other)) == 0);
}

/* Everything that is read from it. */
static void
examine_reading(const DemandRings *rings)
{
	DemandPiece pieces[DEMAND_BUCKETS];
	DemandSeries series;
	double		units;
	bool		exact;

	expect(demand_pieces(rings, 0, INT64_MAX / 2, pieces, &exact) <=
		   DEMAND_BUCKETS);
	expect(demand_series(rings, (rings->end + 1) * USECS_PER_UTC_MINUTE - 1,
						 &series) == (rings->end >= 0));
	(void) demand_units(rings, INT64_MIN / 2, rings->end, &units);
	(void) demand_units(rings, (rings->end - 500000) * USECS_PER_UTC_MINUTE,
						(rings->end - 5) * USECS_PER_UTC_MINUTE, &units);
}

/* Expect of a summary what holds for every one; "which" chooses a part. */
void
examine(const DemandRings *rings, unsigned which)
{
	switch (which % 4)
	{
		case 0:
			examine_forms(rings);
			break;
		case 1:
			examine_sums(rings);
			break;
		case 2:
			examine_moved(rings, which / 4);
			break;
		default:
			examine_reading(rings);
			break;
	}
}

/* A random amount of any size and number of decimals. */
static int64_t
random_amount(uint64_t *state)
{
	static const int64_t unit[] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 1000000, 1000000
	};
	int64_t		amount = (int64_t) below(state, UINT64_C(1) << below(state, 40));

	amount = (amount + 1) * unit[below(state, 9)];
	if (below(state, 64) == 0)
		amount = INT64_MAX - (int64_t) below(state, 3);
	return below(state, 8) == 0 ? -amount : amount;
}

/* Add some orders that lie in the last so many minutes. */
static void
add_orders(DemandRings *rings, uint64_t *state, int64_t latest)
{
	int64_t		span = (int64_t) below(state, UINT64_C(1) << below(state, 23)) + 1;
	int			count = (int) below(state, UINT64_C(1) << below(state, 8)) + 1;

	for (; count > 0; count--)
		(void) demand_add(rings, latest - (int64_t) below(state, (uint64_t) span),
						  random_amount(state));
}

/* A summary as a shop's orders leave it, or at a limit. */
void
make_summary(DemandRings *rings, unsigned seed)
{
	uint64_t	state = (seed + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	int64_t		latest;

	(void) below(&state, 1);
	switch (below(&state, 8))
	{
		case 0:
			latest = (int64_t) below(&state, 200000);
			break;
		case 1:
			latest = DEMAND_MAX_MINUTE - (int64_t) below(&state, 3);
			break;
		default:
			latest = 27000000 + (int64_t) below(&state, 6000000);
			break;
	}
	demand_init(rings);
	for (int times = (int) below(&state, 4); times >= 0; times--)
		add_orders(rings, &state, latest);
}

/* Change something in a summary that leaves it one. */
void
change_summary(DemandRings *rings, unsigned seed)
{
	uint64_t	state = (seed + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	DemandRings other = *rings;
	int64_t		end = rings->end == DEMAND_NO_END ? 29000000 : rings->end;
	DemandLevel level;
	int			from;
	int			to;

	(void) below(&state, 1);
	switch (below(&state, 6))
	{
		case 0:
			add_orders(&other, &state, end);
			break;
		case 1:
			end += (int64_t) below(&state, UINT64_C(1) << below(&state, 22));
			demand_advance(&other, end < DEMAND_MAX_MINUTE ? end :
						   DEMAND_MAX_MINUTE);
			break;
		case 2:
			(void) demand_scale(&other, (double) below(&state, 2000) / 100 - 5);
			break;
		case 3:
			make_summary(&other, seed + 1);
			if (!demand_merge(&other, rings, below(&state, 2) == 0 ? 1 : -1))
				return;
			break;
		default:
			/* one bucket that is stored, at either end of its ring or within */
			if (rings->end == DEMAND_NO_END)
				return;
			level = (DemandLevel) below(&state, DEMAND_LEVELS);
			from = demand_stored_from(level, rings->end);
			to = demand_stored_to(level, rings->end);
			if (from >= to)
				return;
			if (below(&state, 2) == 0)
				from += (int) below(&state, (uint64_t) (to - from));
			else if (below(&state, 2) == 0)
				from = to - 1;
			*demand_at_age(&other, level, from) =
				below(&state, 4) == 0 ? 0 : random_amount(&state);
			if (!demand_rebuild(&other))
				return;
			break;
	}
	*rings = other;
}
