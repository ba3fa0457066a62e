/*-------------------------------------------------------------------------
 *
 * outlook.c
 *	  A forecast with what is known of the time ahead.
 *
 * Parts of the time ahead are cut where one of them begins or ends: factors
 * that overlap multiply, planned units add.  A mean is the sum of the means
 * between the cuts, so it is exact and never falls as the horizon grows.  A
 * standard deviation grows as the mean without the planned units does; those
 * are taken as planned but for chance, so that their variance is their number.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdlib.h>

#include "outlook.h"

/* For qsort(): by time. */
static int
compare_moments(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

/* Keep what lies ahead and within reach of a forecast. */
static int64_t
ahead(int64_t usec)
{
	if (usec < 0)
		return 0;
	return usec < FORECAST_LIMIT_USEC ? usec : FORECAST_LIMIT_USEC;
}

/*
 * Cut parts that may overlap into such that do not, in order; of a part that
 * has begun all its units are still to come.  Writes at most OUTLOOK_PARTS(n)
 * and returns how many.
 */
int
outlook_split(const OutlookPart *part, int n, OutlookPart *result)
{
	int64_t    *cut = malloc(sizeof(int64_t) * (2 * n + 1));
	int			cuts = 0;
	int			parts = 0;

	if (cut == NULL)
		return -1;
	for (int i = 0; i < n; i++)
	{
		cut[cuts++] = ahead(part[i].start);
		cut[cuts++] = ahead(part[i].end);
	}
	qsort(cut, cuts, sizeof(int64_t), compare_moments);
	for (int c = 0; c + 1 < cuts; c++)
	{
		OutlookPart piece = {cut[c], cut[c + 1], 1, 0};
		int			inside = 0;

		if (piece.start == piece.end)
			continue;
		for (int i = 0; i < n; i++)
		{
			int64_t		start = part[i].start > 0 ? part[i].start : 0;

			if (start > piece.start || part[i].end < piece.end)
				continue;
			inside++;
			piece.factor *= part[i].factor;
			if (part[i].units > 0)
				piece.units += part[i].units *
					((double) (piece.end - piece.start) /
					 ((double) part[i].end - (double) start));
		}
		piece.factor = fmin(piece.factor, OUTLOOK_FACTOR_MAX);
		if (inside > 0)
			result[parts++] = piece;
	}
	free(cut);
	return parts;
}

/*
 * By how much the mean until so long after as_of is to be multiplied, and how
 * many planned units come on top.
 */
OutlookEffect
outlook_effect(const DemandModel *model, const DemandOutlook *outlook,
			   int64_t horizon)
{
	OutlookEffect effect = {1, 0};
	double		all;
	double		more = 0;

	if (outlook == NULL || outlook->n == 0)
		return effect;
	all = demand_model_forecast(model, horizon).mean;
	for (int i = 0; i < outlook->n; i++)
	{
		const OutlookPart *part = &outlook->part[i];
		int64_t		end = part->end < horizon ? part->end : horizon;

		if (end <= part->start)
			break;
		effect.units += part->units * ((double) (end - part->start) /
									   (double) (part->end - part->start));
		if (part->factor != 1)
			more += (part->factor - 1) *
				(demand_model_forecast(model, end).mean -
				 demand_model_forecast(model, part->start).mean);
	}
	if (all > 0)
		effect.factor = fmax(1 + more / all, 0);
	return effect;
}

/*
 * A forecast with what the outlook does to it.
 */
DemandForecast
outlook_apply(OutlookEffect effect, DemandForecast f)
{
	f.mean = f.mean * effect.factor + effect.units;
	f.var = f.var * effect.factor * effect.factor + effect.units;
	return f;
}
