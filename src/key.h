/*-------------------------------------------------------------------------
 *
 * key.h
 *	  Small things done to keys: compare, hash, copy.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_KEY_H
#define REPLENISH_KEY_H

#include "replenish.h"

#include <ctype.h>

#include "common/hashfn.h"

/* Say whether a key has nothing but white space. */
static inline bool
key_is_blank(const Key *key)
{
	for (int i = 0; i < key->len; i++)
		if (!isspace((unsigned char) key->data[i]))
			return false;
	return true;
}

/* Keys are the same byte by byte. */
static inline bool
key_equal(const Key *a, const Key *b)
{
	return a->len == b->len &&
		(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Add a key to a hash. */
static inline uint32
key_hash(uint32 hash, const Key *key)
{
	return hash_combine(hash, hash_bytes((const unsigned char *) key->data,
										 key->len));
}

/* Move a key's bytes to 'to'; return where they end. */
static inline char *
key_move(Key *key, char *to)
{
	if (key->len > 0)
		memcpy(to, key->data, key->len);
	key->data = to;
	return to + key->len;
}

#endif							/* REPLENISH_KEY_H */
