/* pagemap.c: see pagemap.h. Touches its root, its leaves and its lock only. */
#include "pagemap.h"

#include "os.h"

struct pagemap_leaf *pagemap_root[1u << PAGEMAP_ROOT_BITS];
static struct lock map_lock;

void pagemap_start(void) { lock_init(&map_lock); /* the root is empty when a process begins */ }

static struct pagemap_leaf *leaf_for(uintptr_t slot) {
    struct pagemap_leaf **entry = &pagemap_root[slot >> PAGEMAP_LEAF_BITS];
    if (*entry == NULL) {
        struct pagemap_leaf *leaf = os_map(sizeof *leaf);
        if (leaf == NULL)
            return NULL;
        __atomic_store_n(entry, leaf, __ATOMIC_RELEASE);
    }
    return *entry;
}

static void set_slots(const void *start, size_t bytes, uint8_t committed) {
    uintptr_t first = (uintptr_t)start >> PAGEMAP_SLOT_SHIFT;
    uintptr_t end = ((uintptr_t)start + bytes) >> PAGEMAP_SLOT_SHIFT;
    for (uintptr_t slot = first; slot < end; slot++) {
        struct pagemap_leaf *leaf = pagemap_root[slot >> PAGEMAP_LEAF_BITS];
        uintptr_t low = slot & ((1u << PAGEMAP_LEAF_BITS) - 1);
        __atomic_store_n(&leaf->committed[low], committed, __ATOMIC_RELAXED);
    }
}

bool pagemap_enter(const void *start, size_t bytes) {
    uintptr_t first = (uintptr_t)start >> PAGEMAP_SLOT_SHIFT;
    uintptr_t last = ((uintptr_t)start + bytes - 1) >> PAGEMAP_SLOT_SHIFT;
    bool ready = true;
    lock_acquire(&map_lock);
    for (uintptr_t slot = first; ready && slot <= last; slot++)
        ready = leaf_for(slot) != NULL;
    if (ready)
        set_slots(start, bytes, 1);
    lock_release(&map_lock);
    return ready;
}

void pagemap_remove(const void *start, size_t bytes) {
    lock_acquire(&map_lock);
    set_slots(start, bytes, 0);
    lock_release(&map_lock);
}

struct lock *pagemap_lock(void) {
    return &map_lock;
}
