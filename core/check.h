/* check.h: the heap walker, the run-time twin of invariants.h: the same names, over a region, an
 * arena, or the process. It reads only; the locks of what it walks are held by the caller. The
 * first breach found is data (struct cp_breach in chunkproof.h).
 *
 *   name         who checks it here
 *   tiled .. sealed, coalesced, purged      one pass over the chunks of a region
 *   linked, binned, sorted, mapped-bins     one pass over its bins, compared with the first
 *   fast, counted                           likewise
 *   owned                                   chunks' flags, heaps' arenas, caches (cache_check)
 *   apart                                   heaps, mappings (mapped_check), the break
 */
#ifndef CP_CHECK_H
#define CP_CHECK_H

#include "arena.h"
#include "chunkproof.h"
#include "report.h"

bool check_region(const struct region *r, struct cp_breach *breach);
bool check_arena(const struct arena *a, struct cp_breach *breach);

/* Every arena and mapping, with every lock held already; and with them the thread's own cache. */
bool check_shared(struct cp_breach *breach);
bool check_process(struct cp_breach *breach);

/* Report what is wrong with a pointer given to `operation` ("free", ...) that is no allocated
 * block: the one of the faults in report.h that fits. */
CP_COLD _Noreturn void check_diagnose(const void *p, const char *operation);

#endif
