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

#include "nodes/execnodes.h"

typedef struct Fold Fold;

extern Fold *fold_create(int64 clock_minute, int64 sold_since,
						 ReturnSetInfo *result);
extern void fold_add(const Movement *move, void *fold);
extern void fold_emit(Fold *fold);

#endif							/* REPLENISH_FOLD_H */
