/*-------------------------------------------------------------------------
 *
 * fold.h
 *	  Movements summed per item.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_FOLD_H
#define REPLENISH_FOLD_H

#include "replenish.h"

#include "lib/stringinfo.h"

#include "demand_acc.h"

/* What a group of movements adds up to. */
typedef enum FoldClass
{
	FOLD_DEMAND,
	FOLD_STOCK,
	FOLD_POSTPONED,
	FOLD_FAULT,
	FOLD_TOUCH,
	FOLD_SOLD,
	FOLD_LINE,					/* no group, but a line as it is */
	FOLD_HEADER,				/* a header likewise */
	FOLD_INBOUND,
	FOLD_ON_TIME,				/* receipts by their lead time */
	FOLD_LATE,
	FOLD_AUDIENCE				/* summed as demand is */
} FoldClass;

/* whether a class is summed over time */
#define FOLD_HAS_SUMMARY(class) \
	((class) == FOLD_DEMAND || (class) == FOLD_AUDIENCE)

/* The plain sums of a group: those of stock, or one. */
enum
{
	SUM_ON_HAND,
	SUM_RESERVED,
	SUM_ON_ORDER,
	SUM_ROWS,
	N_SUMS,
	SUM_ONLY = 0
};

typedef struct FoldKey
{
	FoldClass	class;
	int32		source;
	int32		minute;			/* 0 where the class has none */
	Key			sku;
	Key			location;
	Key			channel;
} FoldKey;

/* One row of what a fold adds up to. */
typedef struct FoldRow
{
	FoldKey		key;
	Key			order;			/* FOLD_LINE, FOLD_HEADER only */
	bool		deleted;		/* FOLD_LINE, FOLD_HEADER only */
	int64		amount[N_SUMS];
	uint64		size;			/* of all single amounts together, their signs
								 * left aside */
	const DemandAcc *acc;		/* FOLD_HAS_SUMMARY() only */
} FoldRow;

/* Where the rows go; called in a memory context that is soon reset. */
typedef void (*FoldSink) (const FoldRow *row, void *arg);

/* ---- fold.c ---- */

typedef struct Fold Fold;

extern Fold *fold_create(int64 clock_minute, int64 sold_since, FoldSink sink,
						 void *sink_arg);
extern void fold_add(const Movement *move, void *fold);
extern void fold_add_row(Fold *fold, const FoldRow *row);
extern bool fold_is_exact(const Fold *fold);
extern void fold_emit(Fold *fold);

/* ---- fold_rows.c: rows for SQL, rows for another process ---- */

extern void fold_return_row(const FoldRow *row, void *result);
extern void fold_pack_row(const FoldRow *row, StringInfo packed);
extern void fold_add_packed(Fold *fold, const char *packed, Size length);

/* ---- fold_sql.c ---- */

extern void fold_arguments(FunctionCallInfo fcinfo, int argno,
						   int64 *clock_minute, int64 *sold_since);

#endif							/* REPLENISH_FOLD_H */
