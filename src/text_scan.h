/*-------------------------------------------------------------------------
 *
 * text_scan.h
 *	  Stepping through a text form, which is JSON with its members in order.
 *	  Knows nothing of PostgreSQL.
 *
 * Each step returns false, and has noted what is wrong and where, when the
 * text does not go on as it must; nothing behind its end is looked at.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_TEXT_SCAN_H
#define REPLENISH_TEXT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* where and why a text is not what it should be */
typedef struct TextError
{
	size_t		position;		/* bytes before the culprit */
	const char *problem;		/* the sentence's predicate, without period */
} TextError;

typedef struct Scanner
{
	const char *start;
	const char *at;
	const char *stop;
	TextError *error;
} Scanner;

/* Note what is wrong at the current position; always false. */
static inline bool
fail(Scanner *in, const char *problem)
{
	in->error->position = (size_t) (in->at - in->start);
	in->error->problem = problem;
	return false;
}

/* Step over white space as JSON has it. */
static inline void
skip_space(Scanner *in)
{
	while (in->at < in->stop && (*in->at == ' ' || *in->at == '\t' ||
								 *in->at == '\n' || *in->at == '\r'))
		in->at++;
}

/* The next character that is not white space, or zero at the end. */
static inline char
peek(Scanner *in)
{
	skip_space(in);
	return in->at < in->stop ? *in->at : '\0';
}

/* Step over one character after white space. */
static inline bool
take(Scanner *in, char wanted, const char *problem)
{
	if (peek(in) != wanted)
		return fail(in, problem);
	in->at++;
	return true;
}

/* Step over a quoted name and the colon if it is the next, else stay. */
static inline bool
take_name(Scanner *in, const char *name)
{
	const char *back = in->at;
	size_t		length = strlen(name);

	if (peek(in) == '"' && (size_t) (in->stop - in->at) >= length + 2 &&
		memcmp(in->at + 1, name, length) == 0 && in->at[length + 1] == '"')
	{
		in->at += length + 2;
		if (peek(in) == ':')
		{
			in->at++;
			return true;
		}
	}
	in->at = back;
	return false;
}

/* Whether the next character is a digit. */
static inline bool
at_digit(const Scanner *in)
{
	return in->at < in->stop && *in->at >= '0' && *in->at <= '9';
}

/* Step over one character without white space before it. */
static inline bool
take_next(Scanner *in, char wanted)
{
	if (in->at >= in->stop || *in->at != wanted)
		return false;
	in->at++;
	return true;
}

/*
 * Step over a number with at most so many decimals, and say it in units of
 * the last of them; "too_many" is the problem of one with more.
 */
static inline bool
take_decimal(Scanner *in, int most, const char *too_many, int64_t *result)
{
	int64_t		value = 0;
	int			decimals = 0;
	bool		negative;

	skip_space(in);
	negative = take_next(in, '-');
	if (!at_digit(in))
		return fail(in, "a number was expected");
	if (*in->at == '0' && in->stop - in->at > 1 &&
		in->at[1] >= '0' && in->at[1] <= '9')
		return fail(in, "a number must not start with a superfluous zero");

	/* collect below zero, where there is one number more */
	while (at_digit(in))
	{
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, *in->at - '0', &value))
			return fail(in, "the number is out of range");
		in->at++;
	}
	if (take_next(in, '.'))
	{
		if (!at_digit(in))
			return fail(in, "a digit was expected");
		for (; at_digit(in); decimals++)
		{
			if (decimals == most)
				return fail(in, too_many);
			if (__builtin_mul_overflow(value, 10, &value) ||
				__builtin_sub_overflow(value, *in->at - '0', &value))
				return fail(in, "the number is out of range");
			in->at++;
		}
	}
	for (; decimals < most; decimals++)
		if (__builtin_mul_overflow(value, 10, &value))
			return fail(in, "the number is out of range");
	if (!negative && __builtin_sub_overflow((int64_t) 0, value, &value))
		return fail(in, "the number is out of range");
	*result = value;
	return true;
}

#endif							/* REPLENISH_TEXT_SCAN_H */
