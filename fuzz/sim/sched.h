/* sched.h: which simulated thread runs, a function of the input alone.
 *
 * A run has up to FIBERS_MAX threads. They are switched only at switch points: before a lock is
 * taken, tried or released, and after it was taken, found taken or released; before a system call;
 * before threads hand something over by an atomic operation, and after an exchange
 * (atomic_points.h); between operations. Of a thread that stands at one it is known what it is about
 * to touch: a lock, a word, the address space.
 *
 * Three policies, and on top of each the input's list of preemptions:
 *
 *   in order  operations run one after the other as the program lists them, whatever thread each
 *             belongs to. A preemption makes another thread run some operations of its own in the
 *             middle of one, then the order holds again: a program reads as it runs.
 *   PCT       each thread has a priority, drawn from a seed; the highest that can run does. At a
 *             few drawn steps the running thread falls to the lowest (Burckhardt et al., "A
 *             randomized scheduler with probabilistic guarantees of finding bugs").
 *   meetings  a thread that stands before something shared is held back at times, until another
 *             one comes to the same; then it is drawn who goes first, and how far (after Sen, "Race
 *             directed random testing of concurrent programs"). So threads are brought to where
 *             their order matters, whatever the way there. Half of the runs do so with one shared
 *             thing only, drawn too.
 *
 * Threads are numbered from 0 here; the core sees them by sim_thread(), from 1.
 */
#ifndef CP_SCHED_H
#define CP_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "fiber.h"

struct sched_preemption {
    uint16_t op; /* the thread that performs this operation ... */
    uint16_t point; /* ... stops at its switch point of this number, 0 being its beginning, ... */
    uint8_t thread; /* this one runs, or the next after it that can, ... */
    uint8_t runs; /* ... for so many operations (in order), or as its priority has it (PCT) */
};

struct sched_program {
    unsigned threads;
    unsigned operations; /* numbered from 0 */
    uint32_t pct; /* seed; 0: operations in order */
    bool meetings; /* drawn from that seed, instead of priorities */
    const struct sched_preemption *preemption; /* by rising operation */
    unsigned preemptions;
    void (*body)(unsigned thread); /* performs all operations of one thread that are not done */
    void (*abandoned)(unsigned thread); /* it is gone, maybe in the middle of an operation */
};

/* Runs every thread's body; returns when that of thread 0 has. */
void sched_run(const struct sched_program *program);

/* The calling thread is about to perform operation `op`, once `after` is done (or op: none).
 * `first`: the operation its preemptions are listed under; switch points are counted from it. */
void sched_begin(unsigned op, unsigned first, unsigned after);
void sched_done(unsigned op);
bool sched_is_done(unsigned op);

/* Waits until every other thread's body has returned. */
void sched_join(void);

/* What is asked at every step. */
extern struct sched_now {
    unsigned thread; /* 0 when none but the caller runs */
    bool switches; /* threads run, and are not held */
} sched_now;

static inline unsigned sched_thread(void) { return sched_now.thread; }

/* A switch point. `what`: the lock, word or table that the thread is about to touch or just touched,
 * NULL where it shares nothing in particular. */
enum sched_access { SCHED_READS, SCHED_WRITES };
void sched_point_among_threads(const volatile void *what, enum sched_access access);
static inline void sched_point(const volatile void *what, enum sched_access access) {
    if (sched_now.switches)
        sched_point_among_threads(what, access);
}
/* A thread that tries again and again lets others run. */
void sched_yield_now(void);

/* The calling thread cannot go on until somebody calls sched_wake with the same `what`. */
void sched_block(const void *what);
void sched_wake(const void *what);

/* All other threads are gone at once, as in a forked child, and begin anew with what they have
 * left to do. */
void sched_only_self(void);

/* While held, no switch point is one: the harness asks the core something. */
void sched_hold(bool hold);
bool sched_is_held(void);

bool sched_is_running(void);

/* Switches between threads in this run, and a hash of them all. */
uint64_t sched_switches(void);
uint64_t sched_hash(void);

/* Called at each switch, for a trace; may be NULL. */
extern void (*sched_on_switch)(unsigned from, unsigned to);

#endif
