/*-------------------------------------------------------------------------
 *
 * text_fuzz.c
 *	  Fuzz target (libFuzzer) for the text form of the demand summary.
 *
 * What is taken holds what holds for every summary; what is not is said with
 * a place within the text.
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
	TextError error;

	if (demand_from_text((const char *) data, size, &rings, &error))
		examine(&rings, data[size / 2] + (unsigned) size);
	else
		expect(error.problem != NULL && error.position <= size);
	return 0;
}

/* Characters changed, a summary changed, or one made: whole, or broken. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
						unsigned int seed)
{
	DemandRings rings;
	TextError error;
	char		text[DEMAND_TEXT_MAX];
	size_t		length;

	if (seed % 4 < 3)
		return LLVMFuzzerMutate(data, size, max_size);
	if (seed % 64 == 3 ||
		!demand_from_text((const char *) data, size, &rings, &error))
		make_summary(&rings, seed);
	else
		change_summary(&rings, seed);
	length = demand_to_text(&rings, text);
	if (length > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, text, length);
	if (seed % 16 == 7)
		data[(seed / 16) % length] =
			(uint8_t) "0123456789-.,:{}\" \tTZ"[(seed / 4096) % 21];
	return length;
}
