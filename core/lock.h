/* lock.h: a mutex with trylock that knows its owner, so that fork in a signal handler can tell
 * a lock its own thread was interrupted in from one another thread holds. lock_linux.c is the
 * real one; fuzz/sim/ has a simulated one that is a scheduling point.
 */
#ifndef CP_LOCK_H
#define CP_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* 0 when free; otherwise the owner's number, with LOCK_WAITED set when a thread may sleep. */
struct lock {
    uint32_t word;
    uint32_t fork_level; /* of the owner's fork that took it (process.c); 0: something else did */
};

void lock_init(struct lock *l);
void lock_acquire(struct lock *l);
bool lock_try(struct lock *l);
void lock_release(struct lock *l);

/* Whether the calling thread holds it. Safe in a signal handler. */
bool lock_is_mine(const struct lock *l);

#endif
