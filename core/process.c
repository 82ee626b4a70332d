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
#include "returned.h"

enum { FORK_TRIES = 20000 };

static struct lock start_lock;
static bool started;
static bool hooks_set;

/* How many forks this thread is in: more than one when a handler that interrupted fork forks. A
 * lock taken for a fork is marked with its level, so each releases what it took. */
static _Thread_local uint32_t fork_level;

/* ---- All locks ---------------------------------------------------------------------------------- */

/* The lock after `l` in the one order, the first for NULL; NULL after the last. */
static struct lock *next_lock(struct lock *l) {
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
    struct arena *next = arena_next(arena_of_lock(l));
    return next == arena_main() ? mapped_lock() : &next->lock;
}

static bool is_an_arenas(const struct lock *l) {
    return l != cache_lock() && l != arena_list_lock() && l != mapped_lock() && l != pagemap_lock();
}

static bool holds_any(void) {
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (lock_is_mine(l))
            return true;
    return false;
}

/* Free what was returned to the arenas while they were locked. Not in a handler that interrupted
 * the allocator: its thread may hold what that needs; then the next to leave each arena does it. */
static void take_in_returned(void) {
    if (holds_any())
        return;
    struct arena *a = arena_main();
    do {
        arena_take_in(a);
        a = arena_next(a);
    } while (a != arena_main());
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
    take_in_returned();
}

/* ---- Fork --------------------------------------------------------------------------------------- */

static bool try_for_long(struct lock *l) {
    for (unsigned attempt = 0; attempt < FORK_TRIES; attempt++)
        if (lock_try(l))
            return true;
    return false;
}

static void before_fork(void) {
    fork_level++;
    bool may_wait = !holds_any();
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l)) {
        if (may_wait)
            lock_acquire(l);
        else if (lock_is_mine(l) || !try_for_long(l))
            continue;
        l->fork_level = fork_level;
    }
}

static bool taken_for_this_fork(const struct lock *l) {
    return lock_is_mine(l) && l->fork_level == fork_level;
}

/* The list's lock last: until then no arena joins the ring that is walked here. */
static void after_fork(void) {
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l))
        if (l != arena_list_lock() && taken_for_this_fork(l)) {
            l->fork_level = 0;
            lock_release(l);
        }
    struct lock *list = arena_list_lock();
    if (taken_for_this_fork(list)) {
        list->fork_level = 0;
        lock_release(list);
    }
    fork_level--;
    take_in_returned();
}

/* Locks of threads that the child does not have: their arenas are given up. */
static void after_fork_in_child(void) {
    for (struct lock *l = next_lock(NULL); l != NULL; l = next_lock(l)) {
        if (lock_is_mine(l) || __atomic_load_n(&l->word, __ATOMIC_RELAXED) == 0)
            continue;
        if (is_an_arenas(l))
            arena_of_lock(l)->lost = true;
        lock_init(l);
    }
    after_fork();
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
        os_fork_hooks(before_fork, after_fork, after_fork_in_child);
    hooks_set = true;
}
