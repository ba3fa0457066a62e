/*-------------------------------------------------------------------------
 *
 * model_test.c
 *	  Spikes and bursts: what a forecast keeps of them, and how they end.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "forecast.h"
#include "spike.h"

#define MONDAY	INT64_C(1793577600000000)	/* 2026-11-02, 00:00 UTC */
#define DAYS	300

static int	passed = 0;
static int	failed = 0;
static int	topics_passed = 0;
static int	topics_failed = 0;
static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

/* Count one check; print it when it fails. */
static void
check(int ok, const char *what, double a, double b, double got)
{
	if (ok)
		passed++;
	else if (failed++ < 20)
		printf("FAILED %s(%g, %g): %.17g\n", what, a, b, got);
}

/* Run one topic and print what it has checked. */
static void
topic(const char *name, void (*run) (void))
{
	int			before = passed + failed;
	int			bad = failed;

	run();
	printf("%-44s %8d checks%s\n", name, passed + failed - before,
		   failed > bad ? "  FAILED" : "");
	if (failed > bad)
		topics_failed++;
	else
		topics_passed++;
}

/* A number from 0 to 1, below 1. */
static double
chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) * 0x1p-53;
}

/* A Poisson count. */
static double
poisson(double mean)
{
	double		left = exp(-mean);
	double		count = -1;

	for (double p = 1; p > left; count++)
		p *= chance();
	return count;
}

/* The series at the midnight after n days, oldest first. */
static void
series_of_days(DemandSeries *s, const double *days, int n, int64_t midnight)
{
	int			weekday = (int) ((midnight / USECS_PER_UTC_DAY + 3) % 7);

	memset(s, 0, sizeof(*s));
	s->as_of = midnight;
	s->age = n;
	for (int back = 1; back <= n; back++)
	{
		int			week = (back - weekday + 6) / 7;

		if (back < DEMAND_DAYS)
			s->day[back] = days[n - back];
		if (week < DEMAND_WEEKS)
			s->week[week] += days[n - back];
		if (back < 8)
			s->hour[back * 24 - 12] = days[n - back];
	}
}

/* What spike_find() says of n values. */
static Spike
spike_of(const double *x, int n)
{
	Sample		sample = sample_make(x, n);

	return spike_find(&sample);
}

/* A spike is no demand where it stands alone, and only there. */
static void
check_spikes(void)
{
	double		x[91];
	Spike		spike;

	for (int i = 0; i < 91; i++)
		x[i] = 2 + i % 3;
	check(spike_of(x, 91).share == 1, "no spike", 0, 0, spike_of(x, 91).cap);
	for (double size = 30; size < 1e12; size *= 10)
	{
		x[40] = size;
		spike = spike_of(x, 91);
		check(spike.share == 0, "lone spike", size, 0, spike.share);
		check(fabs(spike.usual - 3) < .02, "usual", size, 0, spike.usual);
		x[80] = .75 * size;
		spike = spike_of(x, 91);
		check(spike.share == 1, "two spikes", size, 0, spike.share);
		x[80] = 2 + 80 % 3;
	}

	/* sizes that lie apart by halves; and an item that has hardly sold */
	for (int i = 0; i < 91; i++)
		x[i] = i < 12 ? ldexp(1, i) : 0;
	spike = spike_of(x, 91);
	check(spike.share == 1, "long tail", 0, 0, spike.share);
	for (int i = 0; i < 91; i++)
		x[i] = i == 50 ? 100 : i % 20 == 0;
	spike = spike_of(x, 91);
	check(spike.share == 1, "few sales", 0, 0, spike.share);
}

/*
 * A show that sold one to eight quiet weeks leaves the next 28 days within a
 * tenth of what they were, from the same day on; but weekly shows are demand.
 */
static void
check_shows(void)
{
	static const double rate[] = {2, 5, 20, 100};
	static const int after[] = {1, 7, 30};

	for (int i = 0; i < 4; i++)
		for (int weeks = 1; weeks <= 8; weeks *= 2)
			for (int k = 0; k < 3; k++)
			{
				double		days[DAYS];
				double		show = rate[i] * 7 * weeks;
				DemandSeries s;
				DemandModel model;
				double		quiet;
				double		change;
				double		sold = 0;

				for (int day = 0; day < DAYS; day++)
					days[day] = poisson(rate[i]);
				series_of_days(&s, days, DAYS, MONDAY);
				demand_model_build(&model, &s, BURST_EVIDENCE);
				quiet = demand_model_forecast(&model,
											  28 * USECS_PER_UTC_DAY).mean;

				s.as_of += 20 * USECS_PER_UTC_HOUR;
				s.day[0] = s.week[0] = s.hour[0] = show;
				demand_model_build(&model, &s, BURST_EVIDENCE);
				change = demand_model_forecast(&model,
											   28 * USECS_PER_UTC_DAY).mean /
					quiet - 1;
				check(fabs(change) < .1, "the same day", rate[i], weeks, change);

				days[DAYS - after[k]] += show;
				series_of_days(&s, days, DAYS, MONDAY);
				demand_model_build(&model, &s, BURST_EVIDENCE);
				change = demand_model_forecast(&model,
											   28 * USECS_PER_UTC_DAY).mean /
					quiet - 1;
				check(fabs(change) < .1 || weeks == 1, "days after", rate[i],
					  weeks, change);

				for (int day = 0; day < DAYS; day++)
				{
					days[day] += day % 7 == 5 ? show : 0;
					sold += day % 7 == 5 ? show + rate[i] : 6 * rate[i] / 6;
				}
				series_of_days(&s, days, DAYS, MONDAY);
				demand_model_build(&model, &s, BURST_EVIDENCE);
				change = demand_model_forecast(&model,
											   28 * USECS_PER_UTC_DAY).mean /
					(sold / DAYS * 28) - 1;
				check(fabs(change) < .15, "weekly shows", rate[i], weeks,
					  change);
			}
}

/* Whatever the minutes hold, returns included, what comes out makes sense. */
static void
check_minutes(void)
{
	for (int i = 0; i < 20000; i++)
	{
		DemandSeries s;
		DemandModel model;
		double		rate = exp(10 * chance() - 5);
		double		size = exp(20 * chance() - 3);
		double		busy = chance();
		int64_t		less;
		int64_t		more;

		memset(&s, 0, sizeof(s));
		s.as_of = MONDAY + (int64_t) (chance() * 7) * USECS_PER_UTC_HOUR;
		s.age = 60;
		for (int k = 1; k <= 60; k++)
		{
			s.day[k] = poisson(rate);
			s.week[(k + 6) / 7] += s.day[k];
			if (k < 8)
				s.hour[k * 24 - 12] = s.day[k];
		}
		for (int k = 1; k < DEMAND_MINUTES; k++)
			if (chance() < busy)
				s.minute[k] = size * (chance() < .1 ? -chance() : chance());
		demand_model_build(&model, &s, BURST_EVIDENCE);
		check(isfinite(model.velocity) && model.velocity >= model.base,
			  "velocity", rate, size, model.velocity);
		check((model.burst_age > 0) == (model.excess > 0) &&
			  model.burst_age < DEMAND_MINUTES, "burst", rate, size,
			  model.burst_age);
		check(fabs(model.base + model.excess - model.velocity) <=
			  1e-12 * model.velocity, "excess", rate, size, model.excess);
		less = demand_model_eta(&model, NULL, 100 * size);
		more = demand_model_eta(&model, NULL, 200 * size);
		check(more < 0 || (less >= 0 && less <= more), "eta", rate, size,
			  (double) less);
	}
}

int
main(void)
{
	topic("spikes", check_spikes);
	topic("shows", check_shows);
	topic("minutes", check_minutes);
	printf("%d passed, %d failed\n", topics_passed, topics_failed);
	return failed > 0;
}
