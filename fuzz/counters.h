/* counters.h: how many runs and operations a target has done, for whoever watches from outside
 * (fuzz/run): two 64-bit numbers in the file that FUZZ_STATS names, kept up to date.
 */
#ifndef CP_COUNTERS_H
#define CP_COUNTERS_H

#include <stdint.h>

/* Call it once, in LLVMFuzzerInitialize. */
void counters_open(void);

void counters_add(uint64_t operations);

#endif
