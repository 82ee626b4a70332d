/* lock_sim.c: core/lock.h for the simulated world.
 *
 * Taking, trying and releasing a lock are switch points. A thread that wants a lock another one
 * holds waits; when no thread can go on, that is a deadlock found. lock_try can be made to answer
 * "held by another" (SIM_TRYLOCK), which is how one thread sees contention and other arenas.
 *
 * Oracles: "lock" (a lock released by who does not hold it, or wanted by who does), "lock-order"
 * (waiting for a lock while holding one that comes after it, see core/README.md), "deadlock".
 */
#include "lock.h"

#include <stdio.h>

#include "arena.h"
#include "cache.h"
#include "states.h"
#include "mapped.h"
#include "pagemap.h"
#include "race.h"
#include "sched.h"
#include "sim.h"

enum { HELD_MAX = 1100 }; /* the walker and fork hold all: an arena for each operation, and four */

/* A thread that failed to take a lock so often in a row lets others run. */
enum { TRIES_BEFORE_YIELD = 64 };

static struct holder {
    unsigned count;
    struct {
        const struct lock *lock;
        unsigned rank;
    } held[HELD_MAX];
    const struct lock *wants; /* while it waits */
    unsigned tries; /* failed, in a row */
} holders[FIBERS_MAX + 1];

static unsigned held; /* by all threads */

static struct holder *self(void) { return &holders[sim_thread()]; }

/* An arena's lock lies in the world, where it may be the first word of a page that is written. */
static void set_word(struct lock *l, unsigned thread) {
    sim_mark(&l->word);
    l->word = thread;
}

/* ---- order ------------------------------------------------------------------------------------ */

enum rank { RANK_REGISTRY = 1, RANK_LIST, RANK_ARENA, RANK_MAPPED = 1 << 20, RANK_PAGEMAP };

/* Place in the one order; 0: a lock that has none. Arenas follow each other as in the ring. */
static unsigned rank(const struct lock *l) {
    if (l == cache_lock())
        return RANK_REGISTRY;
    if (l == arena_list_lock())
        return RANK_LIST;
    if (l == mapped_lock())
        return RANK_MAPPED;
    if (l == pagemap_lock())
        return RANK_PAGEMAP;
    unsigned at = RANK_ARENA;
    const struct arena *a = arena_main();
    do {
        if (l == &a->lock)
            return at;
        at++;
        a = arena_next(a);
    } while (a != NULL && a != arena_main());
    return 0;
}

static const char *name(const struct lock *l, char text[32]) {
    unsigned r = rank(l);
    if (r >= RANK_ARENA && r < RANK_MAPPED)
        snprintf(text, 32, "of arena %u", ((const struct arena *)(const void *)l)->number);
    else
        snprintf(text, 32, "%s",
                 r == RANK_REGISTRY  ? "of the cache registry"
                 : r == RANK_LIST    ? "of the arena list"
                 : r == RANK_MAPPED  ? "of the mappings"
                 : r == RANK_PAGEMAP ? "of the page map"
                                     : "(not in the order)");
    return text;
}

/* Five kinds, in order; all arenas are one. */
static unsigned kind(unsigned rank) {
    return rank < RANK_ARENA ? rank : rank < RANK_MAPPED ? RANK_ARENA : rank - RANK_MAPPED + 4;
}

/* The order locks are taken in is a state that an engine is to see. */
static void show_order(const struct holder *h, unsigned wanted, bool waited) {
    unsigned had = h->count == 0 ? 0 : kind(h->held[h->count - 1].rank);
    state_reached((waited ? STATE_WAITS : STATE_LOCKS) + had * 8 + kind(wanted));
}

static void hold(struct lock *l) {
    struct holder *h = self();
    set_word(l, sim_thread());
    if (h->count == HELD_MAX)
        sim_break("lock", "thread %u holds more than %d locks", sim_thread(), HELD_MAX);
    h->held[h->count].rank = rank(l); /* those behind a new arena move up, in the same order */
    show_order(h, h->held[h->count].rank, false);
    h->held[h->count++].lock = l;
    h->tries = 0;
    held++;
    race_acquire(l);
}

static bool let_go(struct holder *h, const struct lock *l) {
    for (unsigned i = h->count; i-- > 0;)
        if (h->held[i].lock == l) {
            h->held[i] = h->held[--h->count];
            held--;
            return true;
        }
    return false;
}

/* Only who waits can be part of a deadlock: trying is free of any order. */
static void require_order(const struct lock *l) {
    const struct holder *h = self();
    char wanted[32], had[32];
    unsigned r = h->count == 0 ? 0 : rank(l);
    for (unsigned i = 0; i < h->count; i++)
        if (r != 0 && h->held[i].rank > r)
            sim_break("lock-order", "thread %u wants lock %p %s while it holds %p %s", sim_thread(),
                      (const void *)l, name(l, wanted), (const void *)h->held[i].lock,
                      name(h->held[i].lock, had));
}

static void print_lock(const char *verb, const struct lock *l) {
    char text[32];
    fprintf(stderr, " %s %p %s", verb, (const void *)l, name(l, text));
    if (l->word != 0)
        fprintf(stderr, " (held by thread %u)", l->word);
}

void sim_print_locks(void) {
    for (unsigned t = 1; t <= FIBERS_MAX; t++) {
        const struct holder *h = &holders[t];
        if (h->count == 0 && h->wants == NULL)
            continue;
        fprintf(stderr, "fuzz: locks: thread %u", t);
        if (h->wants != NULL)
            print_lock("waits for", h->wants);
        for (unsigned i = 0; i < h->count; i++)
            print_lock(i == 0 ? "holds" : "and", h->held[i].lock);
        fprintf(stderr, "\n");
    }
}

/* ---- lock.h ----------------------------------------------------------------------------------- */

void lock_init(struct lock *l) {
    if (l->word >= 1 && l->word <= FIBERS_MAX)
        let_go(&holders[l->word], l);
    l->fork_level = 0;
    set_word(l, 0);
}

static void wait_for(struct lock *l) {
    struct holder *h = self();
    if (l->word == sim_thread())
        sim_break("lock", "deadlock: thread %u wants lock %p, which it holds", sim_thread(),
                  (void *)l);
    if (l->word > FIBERS_MAX || !sched_is_running())
        sim_break("lock", "lock %p: word %#x names a thread that does not exist", (void *)l,
                  (unsigned)l->word);
    show_order(h, rank(l), true);
    h->wants = l;
    sched_block(l);
    h->wants = NULL;
}

void lock_acquire(struct lock *l) {
    require_order(l);
    sched_point(l, SCHED_WRITES);
    while (l->word != 0)
        wait_for(l);
    hold(l);
    sim_signal_point(l);
}

bool lock_try(struct lock *l) {
    sched_point(l, SCHED_WRITES);
    if (l->word != 0 || sim_fails(SIM_TRYLOCK)) {
        if (++self()->tries % TRIES_BEFORE_YIELD == 0)
            sched_yield_now();
        sim_account.contended++;
        sched_point(l, SCHED_WRITES);
        return false;
    }
    hold(l);
    sim_signal_point(l);
    return true;
}

void lock_release(struct lock *l) {
    sched_point(l, SCHED_WRITES);
    if (l->word != sim_thread() || !let_go(self(), l))
        sim_break("lock", "lock %p is released by thread %u, but its word is %#x", (void *)l,
                  sim_thread(), (unsigned)l->word);
    set_word(l, 0);
    race_release(l);
    sched_wake(l);
    if (held == 0 && sim_on_unlocked != NULL)
        sim_on_unlocked();
    sched_point(l, SCHED_WRITES);
}

bool lock_is_mine(const struct lock *l) { return l->word == sim_thread(); }

/* ---- sim.h ------------------------------------------------------------------------------------ */

unsigned sim_locks_held(void) { return self()->count; }
unsigned sim_locks_held_by_all(void) { return held; }

void sim_locks_reset(void) {
    for (unsigned t = 0; t <= FIBERS_MAX; t++) {
        holders[t].count = holders[t].tries = 0;
        holders[t].wants = NULL;
    }
    held = 0;
}

/* A thread that is gone held the arena's lock: its regions may be in any state, and only headers of
 * blocks in use may still be looked at. No list of theirs leads anywhere any more. */
static void poison(const struct arena *a) {
    for (struct heap *h = a->heaps; h != NULL; h = h->next) {
        for (uint32_t bin = 0; bin < BIN_COUNT; bin++)
            h->region.g[bin].lo = h->region.g[bin].hi = UINT32_MAX;
        h->region.g[h->region.top].seal ^= 1;
        sim_wrote(h->region.g, BIN_COUNT * sizeof h->region.g[0]);
        sim_mark(&h->region.g[h->region.top].seal);
    }
}

static void poison_arenas_of(const struct holder *h) {
    for (unsigned i = 0; i < h->count; i++)
        if (h->held[i].rank >= RANK_ARENA && h->held[i].rank < RANK_MAPPED)
            poison((const struct arena *)(const void *)h->held[i].lock);
}

void sim_locks_only_self(void) {
    unsigned count = self()->count;
    for (unsigned t = 0; t <= FIBERS_MAX; t++)
        if (t != sim_thread()) {
            poison_arenas_of(&holders[t]);
            holders[t].count = holders[t].tries = 0;
            holders[t].wants = NULL;
        }
    held = count;
}
