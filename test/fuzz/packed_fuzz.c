/*-------------------------------------------------------------------------
 *
 * packed_fuzz.c
 *	  Fuzz target (libFuzzer) for the packed form of the demand summary,
 *	  which is its binary input.
 *
 * What is taken must be the one packed form of what it says.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "summary.h"

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DemandRings rings;
	const char *problem = NULL;

	if (demand_unpack(data, size, &rings, &problem))
	{
		uint8_t		packed[DEMAND_PACKED_MAX];

		expect(demand_pack(&rings, packed) == size);
		expect(memcmp(packed, data, size) == 0);
		examine(&rings, data[size - 1] + (unsigned) size);
	}
	else
		expect(problem != NULL);
	return 0;
}

/* Bytes changed, a summary changed, or one made: whole, or a byte broken. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
						unsigned int seed)
{
	DemandRings rings;
	uint8_t		packed[DEMAND_PACKED_MAX];
	const char *problem;
	size_t		length;

	if (seed % 4 < 2)
		return LLVMFuzzerMutate(data, size, max_size);
	if (seed % 64 == 2 || !demand_unpack(data, size, &rings, &problem))
		make_summary(&rings, seed);
	else
		change_summary(&rings, seed);
	length = demand_pack(&rings, packed);
	if (length > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, packed, length);
	if (seed % 16 == 3)
		data[(seed / 16) % length] ^= (uint8_t) (1 << (seed / 4096) % 8);
	return length;
}
