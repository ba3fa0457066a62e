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
