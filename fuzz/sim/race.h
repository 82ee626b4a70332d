/* race.h: the happens-before check: two threads touch the same bytes of the core's memory, one of
 * them writes, and nothing orders the two.
 *
 * The core is compiled with -fsanitize=thread, but not linked with that sanitizer's run-time: its
 * calls at every load and store end in race.c (by way of stores.h), which knows the simulated threads. What orders them:
 * locks, atomic operations (acquire and release), operations that wait for each other, a thread's
 * start and end. Such a race is found on any schedule in which both accesses happen, also when the
 * schedule itself made no harm of it; so a lock that is not taken at all is seen, although without
 * it there is no switch point either. What the program writes into its blocks is not watched.
 */
#ifndef CP_RACE_H
#define CP_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of threads begins, nothing has been touched. */
void race_start(unsigned threads);

/* Whether accesses count: not outside of a run, nor while the harness itself makes the core look at
 * its memory. */
void race_watch(bool watch);
extern bool race_watching; /* for stores.h to ask */

/* This thread runs from now on. */
void race_thread(unsigned thread);

/* The running thread publishes what it has done at `what`, or learns what others have there. */
void race_release(const void *what);
void race_acquire(const void *what);

/* The same between an operation and one that waits for it. */
void race_operation_done(unsigned op);
void race_operation_awaited(unsigned op);

/* Pages come from the system anew: whoever touched them before does not count. */
void race_new_pages(uintptr_t start, size_t bytes);

/* All that other threads did is ordered before what follows: they are gone. */
void race_only_self(void);

/* The running thread reads or writes so many bytes at p. Called while races are looked for only. */
void race_read1(const volatile void *p);
void race_read2(const volatile void *p);
void race_read4(const volatile void *p);
void race_read8(const volatile void *p);
void race_read16(const volatile void *p);
void race_write1(const volatile void *p);
void race_write2(const volatile void *p);
void race_write4(const volatile void *p);
void race_write8(const volatile void *p);
void race_write16(const volatile void *p);

#endif
