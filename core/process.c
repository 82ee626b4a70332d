/* process.c: see process.h. Starts every part in order; knows all locks, hence owns fork.
 *
 * Fork. Before it, all locks are taken in order, so that the child's copy of the heap is whole;
 * both sides release them. Two cases need more care than a loop:
 *
 *   - fork in a signal handler that interrupted malloc or free: the thread itself holds a lock
 *     and will go on, in parent and child, when the handler returns. That lock is left alone;
 *     of the others only those are taken that can be had without waiting long, for their holder
 *     may itself wait for ours.
 *   - a lock that could not be taken then is held by a thread the child does not have. The
 *     child's copy of that arena may be in mid-change: it is given up (never allocated from, frees
 *     into it are dropped) rather than waited for.
 */
#include "process.h"

#include "arena.h"
#include "cache.h"
#include "mapped.h"
#include "options.h"
#include "os.h"
#include "pagemap.h"

enum { FORK_TRIES = 20000 };

static struct lock start_lock;
static bool started;
static bool hooks_set;

/* Locks the forking thread held before fork: its own list, since several threads may fork in
 * handlers at a time. A thread nests three at most. */
enum { HELD_MAX = 4 };
static _Thread_local struct {
    const struct lock *held[HELD_MAX];
    unsigned count;
} interrupted;

/* ---- All locks ---------------------------------------------------------------------------------- */

/* The lock after `l` in the one order, the first for NULL; NULL after the last. */
static struct lock *next_lock(const struct lock *l) {
    if (l == NULL)
        return cache_lock();
    if (l == cache_lock())
        return arena_list_lock();
    if (l == arena_list_lock())
        return &arena_main()->lock;
    if (l == mapped_lock())
        return pagemap_lock();
    if (l == pagemap_lock())
        return NULL;
    const struct arena *a = arena_of_lock(l);
    struct arena *next = arena_next(a);
    return next == arena_main() ? mapped_lock() : &next->lock;
}

void allocator_lock_all(void) {
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        lock_acquire(l);
}

/* The list's lock last: until then no arena joins the ring that is walked here. */
void allocator_unlock_all(void) {
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (l != arena_list_lock())
            lock_release(l);
    lock_release(arena_list_lock());
}

/* ---- Fork --------------------------------------------------------------------------------------- */

static bool was_held(const struct lock *l) {
    for (unsigned h = 0; h < interrupted.count; h++)
        if (interrupted.held[h] == l)
            return true;
    return false;
}

static void note_held(void) {
    interrupted.count = 0;
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (lock_is_mine(l) && interrupted.count < HELD_MAX)
            interrupted.held[interrupted.count++] = l;
}

static void try_for_long(struct lock *l) {
    for (unsigned attempt = 0; attempt < FORK_TRIES && !lock_try(l); attempt++)
        __asm__ volatile("" ::: "memory");
}

static void before_fork(void) {
    note_held();
    if (interrupted.count == 0) {
        allocator_lock_all();
        return;
    }
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (!was_held(l))
            try_for_long(l);
}

static void release_taken(void) {
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (lock_is_mine(l) && !was_held(l))
            lock_release(l);
}

static void after_fork_in_child(void) {
    for (struct arena *a = arena_main();;) {
        if (!lock_is_mine(&a->lock) && __atomic_load_n(&a->lock.word, __ATOMIC_RELAXED) != 0)
            a->lost = true;
        a = arena_next(a);
        if (a == arena_main())
            break;
    }
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (!was_held(l))
            lock_init(l);
}

/* ---- Start -------------------------------------------------------------------------------------- */

void allocator_start(void) {
    options_start();
    pagemap_start();
    arena_start();
    mapped_start();
    cache_start();
    __atomic_store_n(&started, true, __ATOMIC_RELEASE);
}

void allocator_ensure_started(void) {
    if (__atomic_load_n(&started, __ATOMIC_ACQUIRE))
        return;
    lock_acquire(&start_lock);
    if (!started)
        allocator_start();
    lock_release(&start_lock);
}

/* Registering may allocate, so it is done here and not in a first malloc. */
__attribute__((constructor)) static void library_loaded(void) {
    allocator_ensure_started();
    if (!hooks_set)
        os_fork_hooks(before_fork, release_taken, after_fork_in_child);
    hooks_set = true;
}
