/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  The movements of one statement, summed before they are appended.
 *
 * An order of five lines makes five movements at most; an UPDATE that leaves
 * key, minute and quantity alone makes none.  Most statements have one row, so
 * the first few keys are compared one by one and a hash table is only made for
 * more.  A statement of a million keys is flushed in parts: amounts add up
 * wherever they are summed.
 *
 *-------------------------------------------------------------------------
 */
#include "replenish.h"

#include "common/int.h"
#include "utils/memutils.h"

#include "key.h"

/* Keys compared one by one before a hash table is made. */
#define LINEAR_KEYS		8

/* Keys held in memory before they are appended. */
#define BATCH_KEYS		(LINEAR_KEYS * 8 * 8 * 8 * 8)

typedef struct BatchEntry
{
	Movement	move;
	int			rows;			/* rows that came less rows that went */
} BatchEntry;

typedef struct BatchSlot
{
	uint32		status;			/* simplehash's own */
	uint32		hash;
	BatchEntry *entry;
} BatchSlot;

struct Batch
{
	MemoryContext context;		/* the entries and their keys */
	struct place_hash *hash;		/* NULL while there are few keys */
	BatchEntry *entries;
	int			nentries;
	int			capacity;
	bool		appended;		/* something reached the inbox */
};

static bool
same_place(const BatchEntry *a, const BatchEntry *b)
{
	return a->move.kind == b->move.kind && a->move.minute == b->move.minute &&
		key_equal(&a->move.sku, &b->move.sku) &&
		key_equal(&a->move.location, &b->move.location) &&
		key_equal(&a->move.channel, &b->move.channel) &&
		key_equal(&a->move.order, &b->move.order);
}

static uint32
hash_place(const BatchEntry *entry)
{
	uint32		hash = hash_combine(murmurhash32(entry->move.minute),
									entry->move.kind);

	hash = key_hash(hash, &entry->move.sku);
	hash = key_hash(hash, &entry->move.location);
	hash = key_hash(hash, &entry->move.channel);
	return entry->move.order.len == 0 ? hash :
		key_hash(hash, &entry->move.order);
}

#define SH_PREFIX place
#define SH_ELEMENT_TYPE BatchSlot
#define SH_KEY_TYPE BatchEntry *
#define SH_KEY entry
#define SH_HASH_KEY(tb, key) hash_place(key)
#define SH_EQUAL(tb, a, b) same_place(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Make an empty batch in the current memory context. */
Batch *
batch_create(void)
{
	Batch	   *batch = palloc0(sizeof(Batch));

	batch->context = AllocSetContextCreate(CurrentMemoryContext,
										   "replenish batch",
										   ALLOCSET_DEFAULT_SIZES);
	return batch;
}

/* Find the entry with the same place, or NULL; leaves its hash for later. */
static BatchEntry *
batch_find(Batch *batch, BatchEntry *wanted, uint32 *hash)
{
	if (batch->hash != NULL)
	{
		BatchSlot  *slot;

		*hash = hash_place(wanted);
		slot = place_lookup_hash(batch->hash, wanted, *hash);
		return slot == NULL ? NULL : slot->entry;
	}
	for (int i = 0; i < batch->nentries; i++)
		if (same_place(&batch->entries[i], wanted))
			return &batch->entries[i];
	return NULL;
}

/* Enter one entry into the hash table. */
static void
batch_index(Batch *batch, BatchEntry *entry, uint32 hash)
{
	bool		found;

	place_insert_hash(batch->hash, entry, hash, &found)->entry = entry;
}

/* Make room for the first entries. */
static void
batch_start(Batch *batch)
{
	batch->capacity = LINEAR_KEYS;
	batch->entries = MemoryContextAlloc(batch->context,
										LINEAR_KEYS * sizeof(BatchEntry));
}

/* Make room for eight times as many entries, and index them anew. */
static void
batch_grow(Batch *batch)
{
	int			capacity = batch->capacity * 8;

	batch->entries = repalloc(batch->entries, capacity * sizeof(BatchEntry));
	batch->capacity = capacity;
	if (batch->hash != NULL)
		place_destroy(batch->hash);
	batch->hash = place_create(batch->context, capacity, NULL);
	for (int i = 0; i < batch->nentries; i++)
		batch_index(batch, &batch->entries[i],
					hash_place(&batch->entries[i]));
}

/* Keep a new entry: the keys must outlive the row they came from. */
static void
batch_keep(Batch *batch, const BatchEntry *wanted, uint32 hash)
{
	bool		indexed = batch->hash != NULL;
	BatchEntry *entry;
	char	   *keys;

	if (batch->entries == NULL)
		batch_start(batch);
	else if (batch->nentries == batch->capacity)
		batch_grow(batch);
	entry = &batch->entries[batch->nentries++];
	*entry = *wanted;
	keys = MemoryContextAlloc(batch->context, entry->move.sku.len +
							  entry->move.location.len +
							  entry->move.channel.len +
							  entry->move.order.len + 1);
	keys = key_move(&entry->move.sku, keys);
	keys = key_move(&entry->move.location, keys);
	keys = key_move(&entry->move.channel, keys);
	key_move(&entry->move.order, keys);
	if (batch->hash != NULL)
		batch_index(batch, entry, indexed ? hash : hash_place(entry));
}

/* Add one movement; 'sign' tells whether its row came (1) or went (-1). */
void
batch_add(Batch *batch, const Movement *move, int sign)
{
	BatchEntry	wanted = {*move, sign};
	uint32		hash = 0;
	BatchEntry *entry = batch_find(batch, &wanted, &hash);

	if (entry != NULL &&
		pg_add_s64_overflow(entry->move.amount, move->amount,
							&wanted.move.amount))
	{
		/* more than one number can hold: append what there is */
		batch_flush(batch);
		entry = NULL;
		wanted.move.amount = move->amount;
	}
	if (entry != NULL)
	{
		entry->move.amount = wanted.move.amount;
		entry->rows += sign;
		return;
	}
	if (batch->nentries == BATCH_KEYS)
		batch_flush(batch);
	batch_keep(batch, &wanted, hash);
}

/*
 * Append what has been summed and start again.  What nets to nothing is left
 * out, but for stock that is new and zero: that it is known matters.  Says
 * whether this batch has appended anything.
 */
bool
batch_flush(Batch *batch)
{
	Movement   *moves;
	int			nmoves = 0;

	if (batch->nentries == 0)
		return batch->appended;
	moves = MemoryContextAlloc(batch->context,
							   batch->nentries * sizeof(Movement));
	for (int i = 0; i < batch->nentries; i++)
	{
		const BatchEntry *entry = &batch->entries[i];

		if (entry->move.amount != 0 ||
			(entry->move.kind == MOVE_ON_HAND && entry->rows != 0))
			moves[nmoves++] = entry->move;
	}
	if (!inbox_append(moves, nmoves))
		failure_lost(moves[0].source, nmoves);
	else
		batch->appended |= nmoves > 0;
	MemoryContextReset(batch->context);
	batch->hash = NULL;
	batch->entries = NULL;
	batch->nentries = 0;
	batch->capacity = 0;
	return batch->appended;
}
