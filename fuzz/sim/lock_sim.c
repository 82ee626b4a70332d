/* lock_sim.c: core/lock.h for the simulated world.
 *
 * With one thread a lock that is not free when it is wanted will never be: acquiring it is a
 * deadlock found, and so is giving back one that is not held. lock_try can be made to answer
 * "held by another" (SIM_TRYLOCK), which is how one thread sees contention and other arenas.
 * The scheduler of a later world switches threads in these four functions.
 */
#include "lock.h"

#include "sim.h"

static unsigned held;

void lock_init(struct lock *l) {
    if (l->word == sim_thread() && held > 0)
        held--;
    l->fork_level = 0;
    l->word = 0;
}

void lock_acquire(struct lock *l) {
    if (l->word == sim_thread())
        sim_break("lock", "deadlock: thread %u wants lock %p, which it holds", sim_thread(),
                  (void *)l);
    if (l->word != 0)
        sim_break("lock", "lock %p: word %#x names a thread that does not exist", (void *)l,
                  (unsigned)l->word);
    l->word = sim_thread();
    held++;
    sim_signal_point();
}

bool lock_try(struct lock *l) {
    if (l->word != 0 || sim_fails(SIM_TRYLOCK))
        return false;
    l->word = sim_thread();
    held++;
    sim_signal_point();
    return true;
}

void lock_release(struct lock *l) {
    if (l->word != sim_thread())
        sim_break("lock", "lock %p is released by thread %u, but its word is %#x", (void *)l,
                  sim_thread(), (unsigned)l->word);
    l->word = 0;
    held--;
}

bool lock_is_mine(const struct lock *l) { return l->word == sim_thread(); }

unsigned sim_locks_held(void) { return held; }
