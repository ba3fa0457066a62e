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
 * Folds of parts of a table add up to the fold of all of it, in any order, as
 * long as no sum can ever leave its number on the way: fold_is_exact().
 *
 *-------------------------------------------------------------------------
 */
#include "fold.h"

#include "common/int.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "key.h"

typedef struct FoldGroup
{
	uint32		status;			/* simplehash's own */
	uint32		hash;
	FoldKey		key;
	DemandAcc  *acc;			/* FOLD_HAS_SUMMARY() only */
	int64		amount[N_SUMS];
	uint64		size;			/* see FoldRow */
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
	MemoryContext row_context;	/* reset after each row */
	struct groups_hash *groups;
	FoldSink	sink;
	void	   *sink_arg;
	bool		exact;			/* see fold_is_exact() */
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
 * go to 'sink'.
 */
Fold *
fold_create(int64 clock_minute, int64 sold_since, FoldSink sink,
			void *sink_arg)
{
	Fold	   *fold = palloc0(sizeof(Fold));

	fold->context = CurrentMemoryContext;
	fold->row_context = AllocSetContextCreate(fold->context,
											  "replenish fold row",
											  ALLOCSET_SMALL_SIZES);
	fold->groups = groups_create(fold->context, 256, NULL);
	fold->sink = sink;
	fold->sink_arg = sink_arg;
	fold->exact = true;
	fold->clock_minute = clock_minute;
	fold->sold_since = sold_since;
	return fold;
}

/* The group of a key, made if there is none yet. */
static FoldGroup *
find_group(Fold *fold, const FoldKey *key)
{
	FoldGroup  *group;
	bool		found;

	group = groups_insert(fold->groups, *key, &found);
	if (!found)
	{
		char	   *keys = palloc(key->sku.len + key->location.len +
								  key->channel.len + 1);

		keys = key_move(&group->key.sku, keys);
		keys = key_move(&group->key.location, keys);
		key_move(&group->key.channel, keys);
		group->acc = FOLD_HAS_SUMMARY(key->class) ? demand_acc_create() :
			NULL;
		memset(group->amount, 0, sizeof(group->amount));
		group->size = 0;
	}
	return group;
}

/* The key of a movement's group. */
static FoldKey
key_of(FoldClass class, const Movement *move, int32 minute)
{
	FoldKey		key = {class, move->source, minute, move->sku,
	move->location, move->channel};

	return key;
}

/* The group that a movement belongs to. */
static FoldGroup *
fold_group(Fold *fold, FoldClass class, const Movement *move, int32 minute)
{
	FoldKey		key = key_of(class, move, minute);

	return find_group(fold, &key);
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

/* Keep account of how large the sums of a group may become on their way. */
static void
grow_size(Fold *fold, FoldGroup *group, uint64 size)
{
	if (pg_add_u64_overflow(group->size, size, &group->size))
		group->size = PG_UINT64_MAX;
	if (group->size > PG_INT64_MAX)
		fold->exact = false;
}

/* The size of an amount. */
static inline uint64
size_of(int64 amount)
{
	return amount < 0 ? 0 - (uint64) amount : (uint64) amount;
}

/* Add to one of a group's plain sums; what does not fit is left out. */
static bool
add_amount(Fold *fold, FoldGroup *group, int which, int64 amount)
{
	int64		sum;

	grow_size(fold, group, size_of(amount));
	if (pg_add_s64_overflow(group->amount[which], amount, &sum))
		return false;
	group->amount[which] = sum;
	return true;
}

/* Add to the one sum of a group. */
static bool
fold_plain(Fold *fold, FoldClass class, const Movement *move, int32 minute)
{
	return add_amount(fold, fold_group(fold, class, move, minute), SUM_ONLY,
					  move->amount);
}

/* Keep an amount by its minute, where a snapshot of stock may ask for it. */
static bool
fold_sold(Fold *fold, const Movement *move)
{
	if (move->minute < fold->sold_since)
		return true;
	return fold_plain(fold, FOLD_SOLD, move, move->minute);
}

/* Add what is summed over time; what is dated ahead, by its minute. */
static bool
fold_timed(Fold *fold, FoldClass class, const Movement *move)
{
	FoldGroup  *group;

	if (move->minute > fold->clock_minute)
		return fold_plain(fold, FOLD_POSTPONED, move, move->minute);
	group = fold_group(fold, class, move, 0);
	grow_size(fold, group, size_of(move->amount));
	return demand_acc_add(&group->acc, move->minute, move->amount);
}

/* Add demand. */
static bool
fold_demand(Fold *fold, const Movement *move)
{
	return fold_timed(fold, FOLD_DEMAND, move) &&
		(move->minute > fold->clock_minute || fold_sold(fold, move));
}

/* Add a whole summary. */
static bool
fold_summary(Fold *fold, FoldClass class, const Movement *move)
{
	FoldGroup  *group = fold_group(fold, class, move, 0);

	return move->summary != NULL &&
		demand_acc_add_datum(&group->acc, PointerGetDatum(move->summary), 1);
}

/* Add an amount of stock. */
static bool
fold_stock(Fold *fold, const Movement *move, int sum)
{
	return add_amount(fold, fold_group(fold, FOLD_STOCK, move, move->minute),
					  sum, move->amount);
}

/* Hand a row over. */
static void
give_row(Fold *fold, const FoldRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(fold->row_context);

	fold->sink(row, fold->sink_arg);
	MemoryContextSwitchTo(old);
	MemoryContextReset(fold->row_context);
}

/* Pass a line or a header on as it is. */
static void
fold_pass(Fold *fold, FoldClass class, const Movement *move, bool deleted)
{
	FoldRow		row = {0};

	row.key = key_of(class, move, move->minute);
	row.order = move->order;
	row.deleted = deleted;
	row.amount[SUM_ONLY] = move->amount;
	give_row(fold, &row);
}

/* Add one movement; 'arg' is the Fold. */
void
fold_add(const Movement *move, void *arg)
{
	Fold	   *fold = arg;
	MemoryContext old = MemoryContextSwitchTo(fold->context);
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
			fits = fold_summary(fold, FOLD_DEMAND, move);
			break;
		case MOVE_AUDIENCE_DELETED:
			if (!is_housekeeping(fold, move))
				fits = fold_timed(fold, FOLD_AUDIENCE, move);
			break;
		case MOVE_AUDIENCE:
			fits = fold_timed(fold, FOLD_AUDIENCE, move);
			break;
		case MOVE_AUDIENCE_SUMMARY:
			fits = fold_summary(fold, FOLD_AUDIENCE, move);
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
		case MOVE_INBOUND:
			fits = fold_plain(fold, FOLD_INBOUND, move, move->minute);
			break;
		case MOVE_ON_TIME:
			fits = fold_plain(fold, FOLD_ON_TIME, move, move->minute);
			break;
		case MOVE_LATE:
			fits = fold_plain(fold, FOLD_LATE, move, move->minute);
			break;
		case MOVE_FAULT:
			fits = fold_plain(fold, FOLD_FAULT, move, 0);
			break;
		case MOVE_TOUCH:
			(void) fold_group(fold, FOLD_TOUCH, move, 0);
			break;
	}
	if (!fits)
		fold_fault(fold, move, "sum_too_large");
	MemoryContextSwitchTo(old);
}

/*
 * Add a row of another fold.  What does not fit is left out: only where this
 * fold is not exact.
 */
void
fold_add_row(Fold *fold, const FoldRow *row)
{
	MemoryContext old;
	FoldGroup  *group;

	if (row->key.class == FOLD_LINE || row->key.class == FOLD_HEADER)
	{
		give_row(fold, row);
		return;
	}
	old = MemoryContextSwitchTo(fold->context);
	group = find_group(fold, &row->key);
	grow_size(fold, group, row->size);
	if (row->acc != NULL)
		(void) demand_acc_add_acc(&group->acc, row->acc);
	for (int i = 0; i < N_SUMS; i++)
		(void) pg_add_s64_overflow(group->amount[i], row->amount[i],
								   &group->amount[i]);
	MemoryContextSwitchTo(old);
}

/*
 * Say whether no order of the same single amounts could have given other
 * sums, because even their sizes together fit.
 */
bool
fold_is_exact(const Fold *fold)
{
	return fold->exact;
}

/* Hand over every group as a row. */
void
fold_emit(Fold *fold)
{
	groups_iterator iterator;
	FoldGroup  *group;

	groups_start_iterate(fold->groups, &iterator);
	while ((group = groups_iterate(fold->groups, &iterator)) != NULL)
	{
		FoldRow		row = {0};

		row.key = group->key;
		memcpy(row.amount, group->amount, sizeof(row.amount));
		row.size = group->size;
		row.acc = group->acc;
		give_row(fold, &row);
		CHECK_FOR_INTERRUPTS();
	}
}
