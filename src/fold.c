/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  Movements summed per item: what the decider adds to its state.
 *
 * Demand up to the clock becomes one summary per source, item and channel;
 * demand that is dated later stays apart by minute, so that a wrong date can
 * never push the window of a summary ahead.  A sum that no number can hold
 * becomes a fault instead of an error: one poisoned item stops no other.
 *
 *-------------------------------------------------------------------------
 */
#include "fold.h"

#include "common/int.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "demand_acc.h"
#include "key.h"

/* What a group of movements adds up to. */
typedef enum FoldClass
{
	FOLD_DEMAND,
	FOLD_STOCK,
	FOLD_POSTPONED,
	FOLD_FAULT,
	FOLD_TOUCH
} FoldClass;

static const char *const class_names[] = {
	"demand", "stock", "postponed", "fault", "touch"
};

/* Columns of drain(), pending() and recount(). */
enum
{
	OUT_KIND,
	OUT_SOURCE,
	OUT_SKU,
	OUT_LOCATION,
	OUT_CHANNEL,
	OUT_DEMAND,
	OUT_ON_HAND,
	OUT_RESERVED,
	OUT_ON_ORDER,
	OUT_MINUTE,
	OUT_AMOUNT,
	N_OUT
};

typedef struct FoldKey
{
	FoldClass	class;
	int32		source;
	int32		minute;			/* FOLD_POSTPONED only */
	Key			sku;
	Key			location;
	Key			channel;
} FoldKey;

typedef struct FoldGroup
{
	uint32		status;			/* simplehash's own */
	uint32		hash;
	FoldKey		key;
	DemandAcc  *acc;			/* FOLD_DEMAND only */
	int64		amount[3];		/* on hand, reserved, on order; or one sum */
} FoldGroup;

/* How long the deletions of a source take demand back. */
typedef struct FoldKeep
{
	int32		source;
	int64		minutes;
} FoldKeep;

struct Fold
{
	MemoryContext context;
	struct groups_hash *groups;
	int64		clock_minute;
	FoldKeep   *keeps;			/* NULL until the first deletion */
	int			nkeeps;
};

static uint32
hash_group(const FoldKey *key)
{
	uint32		hash = hash_combine(murmurhash32(key->source),
									murmurhash32(key->minute ^ key->class));

	hash = key_hash(hash, &key->sku);
	hash = key_hash(hash, &key->location);
	return key_hash(hash, &key->channel);
}

static bool
same_group(const FoldKey *a, const FoldKey *b)
{
	return a->class == b->class && a->source == b->source &&
		a->minute == b->minute && key_equal(&a->sku, &b->sku) &&
		key_equal(&a->location, &b->location) &&
		key_equal(&a->channel, &b->channel);
}

#define SH_PREFIX groups
#define SH_ELEMENT_TYPE FoldGroup
#define SH_KEY_TYPE FoldKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_group(&key)
#define SH_EQUAL(tb, a, b) same_group(&a, &b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Make an empty fold for a clock in the current memory context. */
Fold *
fold_create(int64 clock_minute)
{
	Fold	   *fold = palloc0(sizeof(Fold));

	fold->context = CurrentMemoryContext;
	fold->groups = groups_create(CurrentMemoryContext, 256, NULL);
	fold->clock_minute = clock_minute;
	return fold;
}

/* The group of a key, made if there is none yet. */
static FoldGroup *
fold_group(Fold *fold, FoldClass class, const Movement *move, int32 minute)
{
	FoldKey		key = {class, move->source, minute, move->sku,
	move->location, move->channel};
	FoldGroup  *group;
	bool		found;

	group = groups_insert(fold->groups, key, &found);
	if (!found)
	{
		key_move(&group->key.sku, palloc(move->sku.len + 1));
		key_move(&group->key.location, palloc(move->location.len + 1));
		key_move(&group->key.channel, palloc(move->channel.len + 1));
		group->acc = class == FOLD_DEMAND ? demand_acc_create() : NULL;
		memset(group->amount, 0, sizeof(group->amount));
	}
	return group;
}

/* Read how long each source keeps its rows. */
static void
fold_read_keeps(Fold *fold)
{
	SPI_connect();
	if (SPI_execute("SELECT id, (extract(epoch FROM keep) / 60)::bigint "
					"FROM replenish.source WHERE keep IS NOT NULL",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read replenish.source");
	fold->nkeeps = SPI_processed;
	fold->keeps = MemoryContextAlloc(fold->context,
									 (SPI_processed + 1) * sizeof(FoldKeep));
	for (int i = 0; i < fold->nkeeps; i++)
	{
		bool		isnull;
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		fold->keeps[i].source = DatumGetInt32(SPI_getbinval(row, desc, 1,
															&isnull));
		fold->keeps[i].minutes = DatumGetInt64(SPI_getbinval(row, desc, 2,
															 &isnull));
	}
	SPI_finish();
}

/*
 * Say whether the deletion of a row is housekeeping: rows older than their
 * source keeps them may go without taking their demand with them.
 */
static bool
is_housekeeping(Fold *fold, const Movement *move)
{
	if (fold->keeps == NULL)
		fold_read_keeps(fold);
	for (int i = 0; i < fold->nkeeps; i++)
		if (fold->keeps[i].source == move->source)
			return move->minute < fold->clock_minute - fold->keeps[i].minutes;
	return false;
}

/* Count one fault of a source. */
static void
fold_fault(Fold *fold, const Movement *move, const char *code)
{
	Movement	fault = {0};

	fault.source = move->source;
	fault.channel.data = code;
	fault.channel.len = strlen(code);
	fold_group(fold, FOLD_FAULT, &fault, 0)->amount[0]++;
}

/* Add to one of a group's plain sums. */
static bool
add_amount(FoldGroup *group, int which, int64 amount)
{
	return !pg_add_s64_overflow(group->amount[which], amount,
								&group->amount[which]);
}

/* Add one movement; 'arg' is the Fold. */
void
fold_add(const Movement *move, void *arg)
{
	Fold	   *fold = arg;
	MemoryContext old = MemoryContextSwitchTo(fold->context);
	FoldGroup  *group;
	bool		fits = true;

	switch (move->kind)
	{
		case MOVE_DELETED:
			if (is_housekeeping(fold, move))
				break;
			pg_fallthrough;
		case MOVE_DEMAND:
			if (move->minute > fold->clock_minute)
			{
				group = fold_group(fold, FOLD_POSTPONED, move, move->minute);
				fits = add_amount(group, 0, move->amount);
				break;
			}
			group = fold_group(fold, FOLD_DEMAND, move, 0);
			fits = demand_acc_add(&group->acc, move->minute, move->amount);
			break;
		case MOVE_SUMMARY:
			group = fold_group(fold, FOLD_DEMAND, move, 0);
			fits = demand_acc_add_datum(&group->acc,
										PointerGetDatum(move->summary), 1);
			break;
		case MOVE_ON_HAND:
		case MOVE_RESERVED:
		case MOVE_ON_ORDER:
			group = fold_group(fold, FOLD_STOCK, move, 0);
			fits = add_amount(group, move->kind == MOVE_ON_HAND ? 0 :
							  move->kind == MOVE_RESERVED ? 1 : 2,
							  move->amount);
			break;
		case MOVE_FAULT:
			group = fold_group(fold, FOLD_FAULT, move, 0);
			fits = add_amount(group, 0, move->amount);
			break;
		case MOVE_TOUCH:
			(void) fold_group(fold, FOLD_TOUCH, move, 0);
			break;
	}
	if (!fits)
		fold_fault(fold, move, "sum_too_large");
	MemoryContextSwitchTo(old);
}

static Datum
text_datum(const Key *key)
{
	return PointerGetDatum(cstring_to_text_with_len(key->data, key->len));
}

/* Micro-units as a number without needless decimals. */
static Datum
units_datum(int64 micros)
{
	Numeric		units = int64_div_fast_to_numeric(micros, 6);

	return DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(units));
}

/* Return every group as a row of drain(), pending() or recount(). */
void
fold_emit(Fold *fold, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish fold row",
													  ALLOCSET_SMALL_SIZES);
	groups_iterator iterator;
	FoldGroup  *group;

	groups_start_iterate(fold->groups, &iterator);
	while ((group = groups_iterate(fold->groups, &iterator)) != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		FoldClass	class = group->key.class;
		Datum		values[N_OUT];
		bool		nulls[N_OUT];

		memset(nulls, true, sizeof(nulls));
		values[OUT_KIND] = CStringGetTextDatum(class_names[class]);
		values[OUT_SOURCE] = Int32GetDatum(group->key.source);
		values[OUT_SKU] = text_datum(&group->key.sku);
		values[OUT_LOCATION] = text_datum(&group->key.location);
		values[OUT_CHANNEL] = text_datum(&group->key.channel);
		memset(nulls, false, (OUT_CHANNEL + 1) * sizeof(bool));
		if (class == FOLD_DEMAND)
		{
			values[OUT_DEMAND] = PointerGetDatum(demand_acc_pack(group->acc));
			nulls[OUT_DEMAND] = false;
		}
		else if (class == FOLD_STOCK)
		{
			for (int i = 0; i < 3; i++)
			{
				values[OUT_ON_HAND + i] = units_datum(group->amount[i]);
				nulls[OUT_ON_HAND + i] = false;
			}
		}
		else if (class != FOLD_TOUCH)
		{
			values[OUT_MINUTE] = Int32GetDatum(group->key.minute);
			nulls[OUT_MINUTE] = false;
			values[OUT_AMOUNT] = Int64GetDatum(group->amount[0]);
			nulls[OUT_AMOUNT] = false;
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextDelete(row_context);
}
