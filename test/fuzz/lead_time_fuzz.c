/*-------------------------------------------------------------------------
 *
 * lead_time_fuzz.c
 *	  Fuzz target (libFuzzer) for the two forms of the lead-time record, and
 *	  for what is calculated from records that no shipments can have.
 *
 * What begins with a version is read as bytes, all else as text.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lead_time.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop here, for the fuzzer to see. */
static void
expect(bool holds)
{
	if (!holds)
		abort();
}

/* Both forms lead back to the same record. */
static void
examine_forms(const LeadTime *record)
{
	LeadTime	other;
	char		text[LEAD_TIME_TEXT_MAX];
	uint8_t		bytes[LEAD_TIME_BYTES];
	TextError	error;
	const char *problem;
	size_t		length = lead_time_to_text(record, text);

	expect(length < sizeof(text));
	expect(lead_time_from_text(text, length, &other, &error));
	expect(memcmp(&other, record, sizeof(other)) == 0);
	lead_time_pack(record, bytes);
	expect(lead_time_unpack(bytes, sizeof(bytes), &other, &problem));
	expect(memcmp(&other, record, sizeof(other)) == 0);
}

/* What is added can be taken back, and the rest stays one. */
static void
examine_sums(const LeadTime *record)
{
	LeadTime	other = *record;
	LeadTime	one = {0};

	expect(lead_time_add(&one, 12345678901234));
	if (!lead_time_merge(&other, &one, 1))
		return;
	expect(other.rest >= 0 && other.rest < LEAD_TIME_SCALE);
	expect(lead_time_merge(&other, &one, -1));
	expect(memcmp(&other, record, sizeof(other)) == 0);
	if (lead_time_merge(&other, record, -1))
		expect(other.n == 0 && other.sum == 0 && other.squares == 0 &&
			   other.rest == 0 && other.impossible == 0);
}

/* A number of days that can be a mean, a sd or a quantile. */
static void
expect_days(double days)
{
	expect(days >= 0 && days <= LEAD_TIME_DAYS);
}

/* Whatever it claims, it says something finite, wherever it stands. */
static void
examine_estimates(const LeadTime *record)
{
	LeadTime	usual = {0};
	LeadTimeEstimate own;
	LeadTimeEstimate e;

	if (lead_time_own(record, &own))
	{
		expect_days(own.mean);
		if (record->n > 1)
			expect_days(own.sd);
	}
	for (int i = 0; i < 5; i++)
		expect(lead_time_add(&usual, 12345678901234 / (i + 1)));
	for (int place = 0; place < 16; place++)
	{
		e = lead_time_estimate(place & 1 ? record : &usual,
							   place & 2 ? record : &usual,
							   place & 4 ? record : &usual,
							   place & 8 ? record : NULL);
		expect_days(e.mean);
		expect_days(e.sd);
		expect(isfinite(lead_time_quantile(e, .95)));
		expect(lead_time_quantile(e, .5) <= lead_time_quantile(e, .95));
	}
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	LeadTime	record;
	TextError	error;
	const char *problem = NULL;

	if (size > 0 && data[0] < ' ')
	{
		uint8_t		bytes[LEAD_TIME_BYTES];

		if (!lead_time_unpack(data, size, &record, &problem))
		{
			expect(problem != NULL);
			return 0;
		}
		lead_time_pack(&record, bytes);
		expect(size == sizeof(bytes) && memcmp(bytes, data, size) == 0);
	}
	else if (!lead_time_from_text((const char *) data, size, &record, &error))
	{
		expect(error.problem != NULL && error.position <= size);
		return 0;
	}
	examine_forms(&record);
	examine_sums(&record);
	examine_estimates(&record);
	return 0;
}
