/* mapped.h: chunks that are a mapping of their own.
 *
 *   mapping start                                    payload = header + 16 bytes
 *   v                                                v
 *   +------------------------------------------------+---------------------------------+
 *   | nothing (alignments above 16 bytes)   | header | payload ... to the mapping's end |
 *   +------------------------------------------------+---------------------------------+
 *   `----------------- first page ------------------'
 *
 * The header is in the mapping's first page; its size field counts pages, FLAG_MAPPED is set.
 * All live mappings stand in a table (open addressing by page), so that a pointer is known to be
 * one before its header is read. The table's lock guards table and counters; the pages
 * themselves belong to whoever holds the block.
 */
#ifndef CP_MAPPED_H
#define CP_MAPPED_H

#include "chunkproof.h"
#include "granule.h"
#include "lock.h"

/* Zeroed memory of its own for `request_bytes`, payload aligned to `align_bytes` (power of two,
 * 16 or more). NULL when the system has none or M_MMAP_MAX are in use. */
struct granule *mapped_allocate(size_t request_bytes, size_t align_bytes);

/* Whether p is the payload of a live mapping; *header then. */
bool mapped_find(const void *p, struct granule **header);

/* Unmap. The header has been found by mapped_find. A fault if its seal is broken. */
void mapped_free(struct granule *header);

/* Resize, moving if `may_move`; NULL and unchanged when that cannot be. */
struct granule *mapped_resize(struct granule *header, size_t request_bytes);

/* Bytes the user may use. */
size_t mapped_usable(const struct granule *header);

struct mapped_counts {
    size_t count, bytes, count_max, bytes_max;
};
struct mapped_counts mapped_counts(void);

/* Walk: entries are sealed headers in pages of their own (sealed, apart, counted, owned). The
 * lock is held by the caller. */
bool mapped_check(struct cp_breach *breach);

/* The mapping that contains p, its header; NULL when none does. For fault reports. */
struct granule *mapped_containing(const void *p);

void mapped_start(void);
struct lock *mapped_lock(void);

#endif
