/*-------------------------------------------------------------------------
 *
 * demand_fuzz.c
 *	  Fuzz target (libFuzzer) for the two readers of the demand summary.
 *
 * The input is taken as a packed form and as a text.  What is taken must be
 * canonical, survive the way through the other form, and agree with itself
 * when it is rebuilt, moved, added and taken back.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "demand.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop here, for the fuzzer to see. */
static void
expect(bool holds)
{
	if (!holds)
		abort();
}

/* What holds for every summary. */
static void
examine(const DemandRings *rings)
{
	DemandRings other;
	DemandTextError error;
	DemandPiece pieces[DEMAND_BUCKETS];
	DemandSeries series;
	uint8_t		packed[DEMAND_PACKED_MAX];
	char		text[DEMAND_TEXT_MAX];
	const char *problem;
	double		units;
	bool		exact;
	size_t		length = demand_pack(rings, packed);

	expect(length <= sizeof(packed));
	expect(demand_unpack(packed, length, &other, &problem));
	expect(memcmp(&other, rings, sizeof(other)) == 0);
	length = demand_to_text(rings, text);
	expect(length < sizeof(text));
	expect(demand_from_text(text, length, &other, &error));
	expect(memcmp(&other, rings, sizeof(other)) == 0);

	if (demand_merge(&other, rings, 1))
	{
		expect(demand_merge(&other, rings, -1));
		expect(memcmp(&other, rings, sizeof(other)) == 0);
	}
	if (demand_scale(&other, -1) && demand_merge(&other, rings, 1))
		expect(demand_pieces(&other, 0, INT64_MAX / 2, pieces, &exact) == 0);
	other = *rings;
	(void) demand_scale(&other, 0.7);
	demand_advance(&other, rings->end + 100000);
	expect(demand_rebuild(&other));
	expect(demand_pieces(rings, 0, INT64_MAX / 2, pieces, &exact) <= DEMAND_BUCKETS);
	expect(demand_series(rings, (rings->end + 1) * USECS_PER_UTC_MINUTE - 1,
						 &series) == (rings->end >= 0));
	(void) demand_units(rings, INT64_MIN / 2, rings->end, &units);
	(void) demand_units(rings, (rings->end - 500000) * USECS_PER_UTC_MINUTE,
						(rings->end - 5) * USECS_PER_UTC_MINUTE, &units);
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DemandRings rings;
	DemandTextError error;
	const char *problem = NULL;

	if (demand_unpack(data, size, &rings, &problem))
	{
		uint8_t		packed[DEMAND_PACKED_MAX];

		expect(demand_pack(&rings, packed) == size);
		expect(memcmp(packed, data, size) == 0);
		examine(&rings);
	}
	else
		expect(problem != NULL);

	if (demand_from_text((const char *) data, size, &rings, &error))
		examine(&rings);
	else
		expect(error.problem != NULL && error.position <= size);
	return 0;
}
