/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  Movements summed per item: what the decider adds to its state.
 *
 * Demand up to the clock becomes one summary per source, item and channel;
 * demand that is dated later stays apart by minute, so that a wrong date can
 * never push the window of a summary ahead.  A sum that no number can hold
 * becomes a fault instead of an error: one poisoned item stops no other.
 * Lines and headers of orders are passed on one by one: what they add up to
 * shows when they are joined.
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
	FOLD_TOUCH,
	FOLD_SOLD,
	FOLD_LINE,
	FOLD_HEADER
} FoldClass;

static const char *const class_names[] = {
	"demand", "stock", "postponed", "fault", "touch", "sold", "line", "header"
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
	OUT_ORDER_KEY,
	OUT_DELETED,
	N_OUT
};

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

typedef struct FoldGroup
{
	uint32		status;			/* simplehash's own */
	uint32		hash;
	FoldKey		key;
	DemandAcc  *acc;			/* FOLD_DEMAND only */
	int64		amount[N_SUMS];
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
	ReturnSetInfo *result;		/* where the rows go */
	int64		clock_minute;
	int64		sold_since;		/* minute from which demand is also kept by the
								 * minute, for snapshots of stock */
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

/*
 * Make an empty fold for a clock in the current memory context; its rows will
 * go to 'result'.
 */
Fold *
fold_create(int64 clock_minute, int64 sold_since, ReturnSetInfo *result)
{
	Fold	   *fold = palloc0(sizeof(Fold));

	fold->context = CurrentMemoryContext;
	fold->groups = groups_create(CurrentMemoryContext, 256, NULL);
	fold->result = result;
	fold->clock_minute = clock_minute;
	fold->sold_since = sold_since;
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

/* Keep an amount by its minute, where a snapshot of stock may ask for it. */
static bool
fold_sold(Fold *fold, const Movement *move)
{
	if (move->minute < fold->sold_since)
		return true;
	return add_amount(fold_group(fold, FOLD_SOLD, move, move->minute),
					  SUM_ONLY, move->amount);
}

/* Add demand: of the past to a summary, dated ahead by its minute. */
static bool
fold_demand(Fold *fold, const Movement *move)
{
	FoldGroup  *group;

	if (move->minute > fold->clock_minute)
		return add_amount(fold_group(fold, FOLD_POSTPONED, move, move->minute),
						  SUM_ONLY, move->amount);
	group = fold_group(fold, FOLD_DEMAND, move, 0);
	return demand_acc_add(&group->acc, move->minute, move->amount) &&
		fold_sold(fold, move);
}

/* Add an amount of stock. */
static bool
fold_stock(Fold *fold, const Movement *move, int sum)
{
	return add_amount(fold_group(fold, FOLD_STOCK, move, move->minute), sum,
					  move->amount);
}

static Datum
text_datum(const Key *key)
{
	return PointerGetDatum(cstring_to_text_with_len(key->data, key->len));
}

/* Begin a row of drain(), pending() or recount(). */
static void
begin_row(FoldClass class, int32 source, const Key *sku, const Key *location,
		  const Key *channel, Datum *values, bool *nulls)
{
	memset(nulls, true, N_OUT * sizeof(bool));
	values[OUT_KIND] = CStringGetTextDatum(class_names[class]);
	values[OUT_SOURCE] = Int32GetDatum(source);
	values[OUT_SKU] = text_datum(sku);
	values[OUT_LOCATION] = text_datum(location);
	values[OUT_CHANNEL] = text_datum(channel);
	memset(nulls, false, (OUT_CHANNEL + 1) * sizeof(bool));
}

/* Set one column of a row. */
static void
set_column(Datum *values, bool *nulls, int column, Datum value)
{
	values[column] = value;
	nulls[column] = false;
}

/* Pass a line or a header on as it is. */
static void
fold_pass(Fold *fold, FoldClass class, const Movement *move, bool deleted)
{
	Datum		values[N_OUT];
	bool		nulls[N_OUT];

	begin_row(class, move->source, &move->sku, &move->location,
			  &move->channel, values, nulls);
	set_column(values, nulls, OUT_MINUTE, Int32GetDatum(move->minute));
	set_column(values, nulls, OUT_AMOUNT, Int64GetDatum(move->amount));
	set_column(values, nulls, OUT_ORDER_KEY, text_datum(&move->order));
	set_column(values, nulls, OUT_DELETED, BoolGetDatum(deleted));
	tuplestore_putvalues(fold->result->setResult, fold->result->setDesc,
						 values, nulls);
	for (int i = 0; i < N_OUT; i++)
		if (!nulls[i] && i != OUT_SOURCE && i != OUT_MINUTE &&
			i != OUT_AMOUNT && i != OUT_DELETED)
			pfree(DatumGetPointer(values[i]));
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
			if (!is_housekeeping(fold, move))
				fits = fold_demand(fold, move);
			break;
		case MOVE_DEMAND:
			fits = fold_demand(fold, move);
			break;
		case MOVE_LINE:
			fold_pass(fold, FOLD_LINE, move, false);
			break;
		case MOVE_LINE_DELETED:
			fold_pass(fold, FOLD_LINE, move, true);
			break;
		case MOVE_HEADER:
			fold_pass(fold, FOLD_HEADER, move, false);
			break;
		case MOVE_HEADER_DELETED:
			fold_pass(fold, FOLD_HEADER, move, true);
			break;
		case MOVE_SUMMARY:
			group = fold_group(fold, FOLD_DEMAND, move, 0);
			fits = demand_acc_add_datum(&group->acc,
										PointerGetDatum(move->summary), 1);
			break;
		case MOVE_SOLD:
			fits = fold_sold(fold, move);
			break;
		case MOVE_ON_HAND:
			fits = fold_stock(fold, move, SUM_ON_HAND);
			break;
		case MOVE_RESERVED:
			fits = fold_stock(fold, move, SUM_RESERVED);
			break;
		case MOVE_ON_ORDER:
			fits = fold_stock(fold, move, SUM_ON_ORDER);
			break;
		case MOVE_SNAPSHOT_ROWS:
			fits = fold_stock(fold, move, SUM_ROWS);
			break;
		case MOVE_FAULT:
			fits = add_amount(fold_group(fold, FOLD_FAULT, move, 0), SUM_ONLY,
							  move->amount);
			break;
		case MOVE_TOUCH:
			(void) fold_group(fold, FOLD_TOUCH, move, 0);
			break;
	}
	if (!fits)
		fold_fault(fold, move, "sum_too_large");
	MemoryContextSwitchTo(old);
}

/* Micro-units as a number without needless decimals. */
static Datum
units_datum(int64 micros)
{
	Numeric		units = int64_div_fast_to_numeric(micros, 6);

	return DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(units));
}

/* Return every group as a row. */
void
fold_emit(Fold *fold)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "replenish fold row",
													  ALLOCSET_SMALL_SIZES);
	groups_iterator iterator;
	FoldGroup  *group;

	groups_start_iterate(fold->groups, &iterator);
	while ((group = groups_iterate(fold->groups, &iterator)) != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		const FoldKey *key = &group->key;
		Datum		values[N_OUT];
		bool		nulls[N_OUT];

		begin_row(key->class, key->source, &key->sku, &key->location,
				  &key->channel, values, nulls);
		if (key->class == FOLD_DEMAND)
			set_column(values, nulls, OUT_DEMAND,
					   PointerGetDatum(demand_acc_pack(group->acc)));
		else if (key->class != FOLD_TOUCH)
		{
			int			sum = SUM_ONLY;

			if (key->class == FOLD_STOCK)
			{
				for (int i = SUM_ON_HAND; i <= SUM_ON_ORDER; i++)
					set_column(values, nulls, OUT_ON_HAND + i,
							   units_datum(group->amount[i]));
				sum = SUM_ROWS;
			}
			set_column(values, nulls, OUT_MINUTE, Int32GetDatum(key->minute));
			set_column(values, nulls, OUT_AMOUNT,
					   Int64GetDatum(group->amount[sum]));
		}
		tuplestore_putvalues(fold->result->setResult, fold->result->setDesc,
							 values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextDelete(row_context);
}
