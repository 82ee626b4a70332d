/* report.h: what happens when a fault is detected: one line on standard error that names the
 * fault, the pointer and the chunk, then abort. Never allocates, takes no lock, never returns.
 *
 * The names below are the ones the README's table and the misuse tests use.
 */
#ifndef CP_REPORT_H
#define CP_REPORT_H

#include "chunkproof.h"
#include "config.h"

enum fault {
    FAULT_MISALIGNED, /* pointer that no malloc returns: not a multiple of 16 */
    FAULT_FOREIGN, /* pointer outside all memory this allocator manages */
    FAULT_INTERIOR, /* pointer into a block, not to its start */
    FAULT_DOUBLE_FREE, /* the chunk is in a cache, a fast bin, a bin or in top */
    FAULT_HEADER, /* header whose seal matches no state */
    FAULT_FOOTER, /* prev_size or prev_inuse that disagrees with the chunk before */
    FAULT_LINK, /* fd or bk that is not answered by its neighbour */
    FAULT_NEXTSIZE, /* the same in the nextsize ring */
    FAULT_FAST, /* fast bin that leads to a chunk that is not a cached one of its size */
    FAULT_TOP, /* top chunk or fence overwritten */
    FAULT_CACHE, /* thread cache that holds a chunk that is not cached */
    FAULT_SIZED_FREE, /* free_sized or free_aligned_sized with a size the block cannot have */
    FAULT_BREACH, /* the walker found an invariant broken (CHUNKPROOF_CHECK) */
    FAULT_COUNT
};

const char *fault_name(enum fault fault);

/* `pointer`: what the program passed or the address of what is damaged. `chunk`: header
 * concerned, or NULL; it is read only if `readable`. */
/*@ // On a heap that holds the invariants no fault is found: proofs show that no call is reached.
    requires never: \false;
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
CP_COLD _Noreturn void report_fault(enum fault fault, const void *pointer, const void *chunk,
                                    const char *detail);

/* The same for a breach: FAULT_BREACH. */
CP_COLD _Noreturn void report_breach(const struct cp_breach *breach);

/* A line of text to standard error without stdio. Understands %s %p %u %x %z (size_t) only. */
void report_line(const char *format, ...);

#endif
