/* pagemap.h: which megabytes of the address space are committed memory of mapped regions.
 *
 * `free` must know, before it reads a header, that the address can be read and is ours: so a wild
 * pointer ends in a report, not in SIGSEGV. The break's region is told by two bounds (arena.h),
 * mappings of their own by mapped.c; every other region commits memory in whole megabytes and
 * enters each here.
 *
 * Reading takes no lock: leaves appear once and stay, and a program that holds a valid pointer
 * got it after its megabyte was entered. Entering and removing take the map's lock.
 */
#ifndef CP_PAGEMAP_H
#define CP_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "lock.h"

#define PAGEMAP_SLOT_SHIFT 20u
#define PAGEMAP_LEAF_BITS 14u
#define PAGEMAP_ROOT_BITS 13u /* 47 bits of address in all */

struct pagemap_leaf {
    uint8_t committed[1u << PAGEMAP_LEAF_BITS];
};

extern struct pagemap_leaf *pagemap_root[1u << PAGEMAP_ROOT_BITS];

static inline bool pagemap_holds(uintptr_t address) {
    uintptr_t slot = address >> PAGEMAP_SLOT_SHIFT;
    uintptr_t top = slot >> PAGEMAP_LEAF_BITS;
    if (top >> PAGEMAP_ROOT_BITS != 0)
        return false;
    const struct pagemap_leaf *leaf = __atomic_load_n(&pagemap_root[top], __ATOMIC_ACQUIRE);
    if (leaf == NULL)
        return false;
    uintptr_t low = slot & ((1u << PAGEMAP_LEAF_BITS) - 1);
    return __atomic_load_n(&leaf->committed[low], __ATOMIC_RELAXED) != 0;
}

/* Enter or remove whole megabytes. Entering may need a leaf: false when there is no memory. */
bool pagemap_enter(const void *start, size_t bytes);
void pagemap_remove(const void *start, size_t bytes);

void pagemap_start(void);
/* For fork and the walker, which take every lock there is. */
struct lock *pagemap_lock(void);

#endif
