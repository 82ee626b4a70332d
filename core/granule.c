/* granule.c: what granule.h declares and the verifier has no words for. No lock: changes nothing. */
#include "granule.h"

/* The empty statement is an effect in gcc's eyes: it drops calls of functions that have none. */
void granule_prefetch(const struct granule *g, uint32_t i) {
    __builtin_prefetch(&g[i]);
    __asm__ volatile("");
}
