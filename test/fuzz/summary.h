/*-------------------------------------------------------------------------
 *
 * summary.h
 *	  What the fuzz targets of the demand summary have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_FUZZ_SUMMARY_H
#define REPLENISH_FUZZ_SUMMARY_H

#include "demand.h"

/* Stop here, for the fuzzer to see. */
extern void expect(bool holds);

/* Expect of a summary what holds for every one; "which" chooses a part. */
extern void examine(const DemandRings *rings, unsigned which);

/* A summary as a shop's orders leave it, or at a limit. */
extern void make_summary(DemandRings *rings, unsigned seed);

/* Change something in a summary that leaves it one. */
extern void change_summary(DemandRings *rings, unsigned seed);

/* libFuzzer's own mutation of bytes, and what the targets give it. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
extern size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
									  size_t max_size, unsigned int seed);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif							/* REPLENISH_FUZZ_SUMMARY_H */
