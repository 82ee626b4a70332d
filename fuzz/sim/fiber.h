/* fiber.h: the contexts that simulated threads run in; exactly one runs at a time.
 *
 * Two back ends have this interface. fiber.c switches stacks in user space: a few nanoseconds.
 * fiber_pthread.c has a thread of the system for each, all but one parked: slow, but thread-local
 * storage, stacks and errno are the system's own. Which threads run is decided above (sched.c), so
 * both must give the same run; core/test/fuzz_threads.sh compares them.
 */
#ifndef CP_FIBER_H
#define CP_FIBER_H

#include <stdbool.h>

#define FIBERS_MAX 8u
#define FIBER_HOST FIBERS_MAX /* the context that called fiber_start first */

/* Context `n` begins anew at entry(), which must not return, when it is switched to next. What it
 * was in the middle of is forgotten, as a thread is that a forked child does not have. */
void fiber_start(unsigned n, void (*entry)(void));

/* Context `from`, which is the caller's, stops here until somebody switches to it. */
void fiber_switch(unsigned from, unsigned to);

/* The same for good: `from` has come to its end and must be started anew. */
_Noreturn void fiber_leave(unsigned from, unsigned to);

/* Whether p is what each context has for itself: on a stack, or swapped with it. */
bool fiber_owns(const volatile void *p);

#endif
