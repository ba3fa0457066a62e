/*-------------------------------------------------------------------------
 *
 * forecast_cost.c
 *	  What a model and a forecast with five quantiles cost, without a server.
 *
 * Several kinds of items, each the best of several rounds, in nanoseconds.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "forecast.h"

#define ROUNDS	15
#define REPEAT	2000

/* Nanoseconds of a clock that only runs forward. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Fill a series with demand of this size per selling day. */
static void
fill(DemandSeries *s, int age, double size, int every)
{
	unsigned	seed = 1;

	memset(s, 0, sizeof(*s));
	s->as_of = INT64_C(1793527200000000);	/* a Sunday in 2026, 10:00 */
	s->age = age;
	for (int i = 0; i <= age; i++)
	{
		double		units;

		seed = seed * 1664525u + 1013904223u;
		if (every > 1 && (seed >> 16) % every != 0)
			continue;
		units = 1 + (seed >> 20) % 1000 / 500.0 * size;
		units = (double) (int64_t) units;
		if (i < DEMAND_DAYS)
			s->day[i] += units;
		if (i == 0 || (i + 0) / 7 < DEMAND_WEEKS)
			s->week[(i + 0) / 7] += units;
		if (i * 24 < DEMAND_HOURS)
			s->hour[i * 24 + seed % 24 * (i < 7)] += units;
	}
}

int
main(void)
{
	static const struct
	{
		const char *name;
		int			age;
		double		size;
		int			every;
	}			kinds[] = {
		{"one every ten days", 200, 1, 10},
		{"three a day, 60 days old", 60, 3, 1},
		{"three a day, 300 days old", 300, 3, 1},
		{"three a day, two years old", 730, 3, 1},
		{"forty a day", 300, 40, 1},
		{"four hundred a day", 300, 400, 1},
		{"hundred thousand a day", 300, 1e5, 1},
	};
	static const double p[] = {.5, .8, .9, .95, .975};

	printf("%-28s %10s %10s %10s %10s\n", "nanoseconds", "model", "forecast",
		   "quantiles", "sum");
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
	{
		DemandSeries series;
		DemandModel model;
		double		best[3] = {1e18, 1e18, 1e18};
		double		sink = 0;

		fill(&series, kinds[k].age, kinds[k].size, kinds[k].every);
		for (int round = 0; round < ROUNDS; round++)
		{
			double		t[4];
			double		q[5];

			t[0] = now();
			for (int i = 0; i < REPEAT; i++)
			{
				series.day[1] += 1e-9;
				demand_model_build(&model, &series, BURST_EVIDENCE);
				sink += model.level;
			}
			t[1] = now();
			for (int i = 0; i < REPEAT; i++)
				sink += demand_model_forecast(&model, 28 * USECS_PER_UTC_DAY +
											  i).mean;
			t[2] = now();
			for (int i = 0; i < REPEAT; i++)
			{
				demand_model_quantiles(&model, 28 * USECS_PER_UTC_DAY - i, 5,
									   p, q);
				sink += q[4];
			}
			t[3] = now();
			for (int i = 0; i < 3; i++)
				if ((t[i + 1] - t[i]) / REPEAT < best[i])
					best[i] = (t[i + 1] - t[i]) / REPEAT;
		}
		printf("%-28s %10.0f %10.0f %10.0f %10.0f%s\n", kinds[k].name, best[0],
			   best[1], best[2], best[0] + best[1] + best[2],
			   sink < 0 ? " " : "");
	}
	return 0;
}
