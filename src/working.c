/*-------------------------------------------------------------------------
 *
 * working.c
 *	  The working of a forecast, number by number.
 *
 * What model.c and forecast.c compute is told here once more as formulas, for
 * people who want to do it themselves; a test does.  A calculation is an
 * expression that SQL understands, with as many digits as a comparison of it
 * with the number needs.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "model.h"
#include "working.h"

#define TEXT_MAX		4096

/* where the steps go, and the texts of the present one */
typedef struct Working
{
	WorkingSink sink;
	void	   *arg;
	char		name[64];
	char		calculation[TEXT_MAX];
	int			length;
} Working;

static const char *const weekday_names[7] = {
	"mon", "tue", "wed", "thu", "fri", "sat", "sun"
};

static void put(Working *w, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* Write a part of the calculation of the next step. */
static void
put(Working *w, const char *format,...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(w->calculation + w->length, TEXT_MAX - w->length,
					   format, args);
	va_end(args);
	if (length > 0 && length < TEXT_MAX - w->length)
		w->length += length;
}

/* Hand a step over, with what was put as its calculation. */
static void
tell(Working *w, const char *name, double value, const char *unit,
	 const char *formula)
{
	WorkingStep step = {name, value, unit, formula,
	w->length > 0 ? w->calculation : NULL};

	w->sink(&step, w->arg);
	w->length = 0;
}

/* The same for one of several of a kind. */
static void
tell_of(Working *w, const char *name, const char *which, double value,
		const char *unit, const char *formula)
{
	snprintf(w->name, sizeof(w->name), "%s_%s", name, which);
	tell(w, w->name, value, unit, formula);
}

/* Variance, weekdays and spikes of the days. */
static void
tell_days(Working *w, const DemandModel *model)
{
	const DemandWorking *k = &model->working;
	double		sum = 0;

	tell(w, "age", k->age, "days",
		 "since the oldest day that is known to have sold");
	if (k->spike_cap > 0)
	{
		tell(w, "spike_cap", k->spike_cap, "units",
			 "mean of the days without the largest + 8 * their standard deviation, at least a Poisson count's");
		if (k->spike_units != 0 || k->spike_var != 0)
		{
			tell(w, "spike_share", k->spike_share, "",
				 "of a day above spike_cap that counts as demand: 1 where the item's other large days tell of more such, 0 where it stands alone");
			tell(w, "spike_units", k->spike_units, "units/day",
				 "what was cut off days above spike_cap and counts, over all days");
			tell(w, "spike_var", k->spike_var, "units^2",
				 "what those days add to the variance of a day");
		}
	}
	if (k->mean <= 0)
		return;
	tell(w, "day_mean", k->mean, "units",
		 "mean of the last whole weeks' days, at most 13 weeks");
	tell(w, "day_var", k->var, "units^2", "variance of those days");
	put(w, "greatest(1.0 * %.15g / %.15g, 1)", k->var, k->mean);
	tell(w, "dispersion", model->phi, "", "greatest(day_var / day_mean, 1)");
	for (int i = 0; i < 7; i++)
		sum += (fmax(k->weekday_units[i], 0) / model->phi + DOW_PRIOR) /
			(k->mean * k->days / 7 / model->phi + DOW_PRIOR);
	for (int i = 0; i < 7; i++)
	{
		put(w, "(1.0 * greatest(%.15g, 0) / %.15g + %g) / (%.15g * %d.0 / 7 / %.15g + %g) * 7 / %.15g",
			k->weekday_units[i], model->phi, DOW_PRIOR, k->mean, k->days,
			model->phi, DOW_PRIOR, sum);
		tell_of(w, "factor", weekday_names[i], model->dow[i], "",
				"(greatest(units on that weekday, 0) / dispersion + 16) / (day_mean * days / 7 / dispersion + 16) * 7 / sum of the seven");
	}
	tell(w, "doubt", model->doubt, "",
		 "1 + 1.645 * (1 - 1 / dispersion) * sqrt(fourth powers / squares^2 - 1 / days) of the days' distances from day_mean");
}

/* One set of memories: levels, errors, weights, and the level of all. */
static void
tell_smoothing(Working *w, const DemandModel *model, bool daily)
{
	const DemandSmoothing *s = daily ? &model->working.daily :
		&model->working.weekly;
	const DemandSmoothing *weekly = &model->working.weekly;
	const double *alpha = daily ? demand_day_alpha : demand_week_alpha;
	const char *kind = daily ? "day" : "week";
	int			stretches = weekly->n - STRETCH + 1;
	double		least = s->evidence[0];
	double		total = 0;
	char		name[32];
	char		formula[300];

	for (int j = 1; j < DEMAND_ALPHAS; j++)
		least = fmin(least, s->evidence[j]);
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		total += exp(least - s->evidence[j]);
	for (int j = 0; j < DEMAND_ALPHAS; j++)
	{
		char		which[2] = {(char) ('1' + j), '\0'};

		snprintf(name, sizeof(name), "%s_level", kind);
		if (!daily)
			snprintf(formula, sizeof(formula),
					 "level + gain * (units - level), week by week over the last %d whole weeks, from the mean of the first 4, / 7; gain %g, or 1 / weeks so far where that is more",
					 s->n, alpha[j]);
		else if (weekly->n > DAY_WEEKS)
			snprintf(formula, sizeof(formula),
					 "level + gain * (units / factor - level), day by day over the last %d days, from what week_level_%s was before them; gain %g",
					 s->n, which, alpha[j]);
		else
			snprintf(formula, sizeof(formula),
					 "level + gain * (units / factor - level), day by day over the last %d days, from the mean of all weeks; gain %g, or 1 / (days so far + %d) where that is more",
					 s->n, alpha[j], START_DAYS);
		tell_of(w, name, which, s->level[j], "units/day", formula);
		snprintf(name, sizeof(name), "%s_error", kind);
		tell_of(w, name, which, s->error[j], "units^2", daily ?
				"mean square of units - level * factor, a day ahead, + spike_var" :
				"mean square of units - level, a week ahead");
		if (!daily)
			tell_of(w, "stretch_error", which, s->stretch[j], "units^2",
					"mean square of four weeks' units - four weeks' level");
	}
	for (int j = 0; j < DEMAND_ALPHAS; j++)
	{
		char		which[2] = {(char) ('1' + j), '\0'};

		if (daily)
			put(w, "%g * %d * ln(%.15g) + ", DAY_TEMPER, s->n,
				s->error[j] - model->working.spike_var);
		put(w, "%g * %d * ln(%.15g)", daily ? STRETCH_TEMPER : WEEK_TEMPER,
			stretches, weekly->stretch[j]);
		snprintf(name, sizeof(name), "%s_evidence", kind);
		tell_of(w, name, which, s->evidence[j], "", daily ?
				"days * ln(day_error - spike_var) + 0.4 * stretches * ln(stretch_error)" :
				"0.1 * stretches * ln(stretch_error)");
	}
	for (int j = 0; j < DEMAND_ALPHAS; j++)
	{
		char		which[2] = {(char) ('1' + j), '\0'};

		put(w, "exp(%.15g - (%.15g)) / %.15g", least, s->evidence[j], total);
		snprintf(name, sizeof(name), "%s_weight", kind);
		tell_of(w, name, which, s->weight[j], "",
				"exp(least evidence - evidence) / sum of the six");
	}
	for (int j = 0; j < DEMAND_ALPHAS; j++)
		put(w, "%s%.15g * greatest(%.15g, 0)", j == 0 ? "" : " + ",
			s->weight[j], s->level[j]);
	if (daily && model->working.spike_units != 0)
		put(w, " + %.15g", model->working.spike_units);
	tell(w, daily ? "level_daily" : "level_weekly", s->mean, "units/day",
		 daily ? "sum of day_weight * greatest(day_level, 0), + spike_units" :
		 "sum of week_weight * greatest(week_level, 0)");
}

/* The level, and how fast the item sells now. */
static void
tell_level(Working *w, const DemandModel *model)
{
	int			hour = (int) (model->into_day / USECS_PER_UTC_HOUR);

	if (model->have_weeks)
	{
		tell_smoothing(w, model, false);
		tell_smoothing(w, model, true);
		put(w, "%g * %.15g + %g * %.15g", DAY_SHARE, model->level_daily,
			1 - DAY_SHARE, model->level_weekly);
		tell(w, "level", model->level, "units/day",
			 "0.75 * level_daily + 0.25 * level_weekly");
	}
	else
	{
		tell(w, "units", model->working.units, "units",
			 "all that was sold so far, lone spikes cut");
		tell(w, "lived", model->working.lived, "days",
			 "since the first day that sold");
		put(w, "1.0 * greatest(%.15g, 0) / (%.15g + %g)", model->working.units,
			model->working.lived, YOUNG_DAYS);
		tell(w, "level", model->level, "units/day",
			 "greatest(units, 0) / (lived + 4)");
	}
	tell(w, "weekday_factor", model->dow[model->weekday], "",
		 "the factor of today's weekday (UTC)");
	tell(w, "hour_factor", model->hour[hour], "",
		 "(units in this hour of the days + 2 * mean + 1) / (expected + 2 * mean + 1) over the past 167 hours, scaled to mean 1");
	put(w, "1.0 * %.15g * %.15g * %.15g / 24", model->level,
		model->dow[model->weekday], model->hour[hour]);
	tell(w, "base_velocity", model->base, "units/hour",
		 "level * weekday_factor * hour_factor / 24");
	if (model->burst_age > 0)
		tell(w, "burst_minutes", model->burst_age, "minutes",
			 "since demand rose further above base_velocity than chance explains");
	if (model->burst_age == 0)
		put(w, "%.15g", model->base);
	tell(w, "velocity", model->velocity, "units/hour",
		 model->burst_age > 0 ?
		 "units per hour since the burst's pace last changed" :
		 "base_velocity");
}

/* The variance of the days or weeks ahead by one set of memories. */
static double
tell_variance(Working *w, const DemandModel *model, bool daily, double days)
{
	const DemandSmoothing *s = daily ? &model->working.daily :
		&model->working.weekly;
	const double *alpha = daily ? demand_day_alpha : demand_week_alpha;
	const DemandVariance *v = daily ? &model->daily : &model->weekly;
	double		prior = daily ? DAY_PRIOR : WEEK_PRIOR;
	double		period = daily ? model->level : 7 * model->level;
	double		h = daily ? days : days / 7;
	double		whole = daily ? h : fmax(h, 1);	/* errors are of a week */
	double		value = ((v->c[2] * whole + v->c[1]) * whole + v->c[0]) * h +
		v->spread * days * days;

	for (int j = 0; j < DEMAND_ALPHAS; j++)
		put(w, "%s%.12g * ((%d.0 * %.12g + %g * %.12g) / %g * %.12g * (1 + %g * (%.12g) + %g ^ 2 * (%.12g) * (%.12g) / 6) + (%.12g * (%.12g - %.12g)) ^ 2)",
			j == 0 ? "" : " + ", s->weight[j], s->n, s->error[j], prior,
			period, s->n + prior, h, alpha[j], whole - 1, alpha[j], whole - 1,
			2 * whole - 1, days, s->level[j], s->mean);
	tell(w, daily ? "var_daily" : "var_weekly", value, "units^2", daily ?
		 "sum of day_weight * ((n * day_error + 10 * level) / (n + 10) * H * (1 + gain * (H - 1) + gain^2 * (H - 1) * (2 * H - 1) / 6) + (H * (day_level - level_daily))^2), H = days_ahead" :
		 "the same by weeks: 16 * 7 * level / (n + 16), H = days_ahead / 7");
	return value;
}

/* The variance of one day or week by one set of memories. */
static double
tell_one(Working *w, const DemandModel *model, bool daily)
{
	const DemandSmoothing *s = daily ? &model->working.daily :
		&model->working.weekly;
	double		prior = daily ? DAY_PRIOR : WEEK_PRIOR;
	double		period = daily ? model->level : 7 * model->level;
	double		value = 0;

	for (int j = 0; j < DEMAND_ALPHAS; j++)
	{
		value += s->weight[j] * (s->n * s->error[j] + prior * period) /
			(s->n + prior);
		put(w, "%s%.15g * (%d.0 * %.15g + %g * %.15g) / %g",
			j == 0 ? "" : " + ", s->weight[j], s->n, s->error[j], prior,
			period, s->n + prior);
	}
	tell(w, daily ? "one_day_var" : "one_week_var", value, "units^2", daily ?
		 "sum of day_weight * (n * day_error + 10 * level) / (n + 10)" :
		 "sum of week_weight * (n * week_error + 16 * 7 * level) / (n + 16)");
	return value;
}

/* The forecast over the horizon. */
static void
tell_horizon(Working *w, const DemandModel *model, int64_t horizon)
{
	int64_t		end = model->into_day + horizon;
	DemandForecast f = demand_model_forecast(model, horizon);
	double		part[7] = {0};
	double		days = 0;
	double		demand = 0;
	int			parts = 0;

	for (int64_t from = model->into_day; from < end;)
	{
		int64_t		to = (from / USECS_PER_UTC_DAY + 1) * USECS_PER_UTC_DAY;
		int			day = (int) (from / USECS_PER_UTC_DAY);

		to = to < end ? to : end;
		part[(model->weekday + day) % 7] +=
			demand_model_days(model, to) - demand_model_days(model, from);
		from = to;
	}
	for (int i = 0; i < 7; i++)
	{
		days += part[i];
		demand += part[i] * model->dow[i];
		if (part[i] != 0)
			put(w, "%s%.15g", parts++ == 0 ? "" : " + ", part[i]);
	}
	tell(w, "days_ahead", days, "days", model->yearly ?
		 "days of each weekday in the horizon, parts of a day by its hours' factors, weeks by their year index" :
		 "days of each weekday in the horizon, parts of a day by its hours' factors");
	parts = 0;
	for (int i = 0; i < 7; i++)
		if (part[i] != 0)
			put(w, "%s%.15g * %.15g", parts++ == 0 ? "" : " + ", part[i],
				model->dow[i]);
	tell(w, "demand_ahead", demand, "days",
		 "the same, each times its weekday's factor");
	put(w, "%.15g * %.15g", model->level, demand);
	tell(w, "forecast_now", f.mean, "units", "level * demand_ahead");
	if (model->have_weeks)
	{
		double		daily = tell_variance(w, model, true, days);
		double		weekly = tell_variance(w, model, false, days);

		put(w, "%.15g * (%g * %.15g + %g * %.15g + %g * %g * (%.15g * (%.15g - %.15g)) ^ 2)",
			model->doubt, DAY_VARIANCE, daily, 1 - DAY_VARIANCE, weekly,
			DAY_SHARE, 1 - DAY_SHARE, demand, model->level_daily,
			model->level_weekly);
		tell(w, "var_now", f.var, "units^2",
			 "doubt * (0.3 * var_daily + 0.7 * var_weekly + 0.75 * 0.25 * (demand_ahead * (level_daily - level_weekly))^2)");
	}
	else
	{
		tell(w, "squares", model->working.squares, "units^2",
			 "sum of the squares of the days, lone spikes cut");
		put(w, "1.0 * %.15g * %.15g / (%.15g + %g) * %.15g + %g / greatest(%.15g, 1.0) * %.15g ^ 2",
			model->doubt, model->working.squares, model->working.lived,
			YOUNG_DAYS, days, YOUNG_DAYS, model->working.lived, f.mean);
		tell(w, "var_now", f.var, "units^2",
			 "doubt * squares / (lived + 4) * days_ahead + 4 / greatest(lived, 1) * forecast_now^2");
	}
}

/* The variance that a threshold has. */
static void
tell_steady(Working *w, const DemandModel *model, int64_t horizon)
{
	double		days = demand_model_days(model, model->into_day + horizon) -
		demand_model_days(model, model->into_day);
	double		var = demand_model_steady_variance(model, horizon);
	double		day;
	double		week;
	double		growth = 1 + STEADY_ALPHA * (days - 1) +
		STEADY_ALPHA * STEADY_ALPHA * (days - 1) * (2 * days - 1) / 6;

	if (!model->have_weeks)
	{
		put(w, "%.15g", var);
		tell(w, "steady_var", var, "units^2", "var_now");
		return;
	}
	day = tell_one(w, model, true);
	week = tell_one(w, model, false);
	put(w, "1 + %g * (%.15g - 1) + %g ^ 2 * (%.15g - 1) * (2 * %.15g - 1) / 6",
		STEADY_ALPHA, days, STEADY_ALPHA, days, days);
	tell(w, "steady_growth", growth, "",
		 "1 + 0.05 * (days_ahead - 1) + 0.05^2 * (days_ahead - 1) * (2 * days_ahead - 1) / 6");
	put(w, "%.15g * %.15g * (%g * %.15g + %g * %.15g / 7)", days, growth,
		DAY_VARIANCE, day, 1 - DAY_VARIANCE, week);
	tell(w, "steady_var", var, "units^2",
		 "days_ahead * steady_growth * (0.3 * one_day_var + 0.7 * one_week_var / 7)");
}

/* How a quantile is shaped. */
static void
tell_shape(Working *w, const DemandModel *model)
{
	DemandForecast f = demand_model_forecast_days(model, 7);

	tell(w, "week_mean", f.mean, "units",
		 "as forecast_now, for the seven days from today's midnight (UTC)");
	tell(w, "week_var", f.var, "units^2", "as var_now, for the same days");
	if (f.mean > 0)
		put(w, "%.15g / sqrt(%.15g ^ 2 + %.15g / 4)", f.mean, f.mean, f.var);
	tell(w, "count_share", demand_model_count_share(model), "",
		 "week_mean / sqrt(week_mean^2 + week_var / 4)");
}

/*
 * Tell each number behind the forecast for [as_of, as_of + horizon).
 */
void
demand_model_steps(const DemandModel *model, int64_t horizon,
				   WorkingSink sink, void *arg)
{
	Working		w;

	w.sink = sink;
	w.arg = arg;
	w.length = 0;
	tell_days(&w, model);
	tell_level(&w, model);
	tell_horizon(&w, model, horizon);
	tell_steady(&w, model, horizon);
	tell_shape(&w, model);
}
