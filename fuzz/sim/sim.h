/* sim.h: the deterministic world the core runs in while it is fuzzed, as the harness sees it.
 *
 * os_sim.c implements core/os.h and lock_sim.c implements core/lock.h inside it. The world is
 * one process: one break, one map area, one clock, one source of randomness, all functions of
 * the configuration, of the calls made and of the schedule, so that a run repeats bit for bit.
 * Threads are switched by sched.c; every system call, and every lock taken, tried or released, is
 * a switch point.
 */
#ifndef CP_SIM_H
#define CP_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dirty.h"
#include "sched.h"

/* What can be made to fail, or to happen. SIM_TRYLOCK: lock_try answers "held by another thread".
 * SIM_BRK_RACE: another user of brk takes a page just before the core's call. SIM_SIGNAL: a signal
 * handler runs at a system call or with a lock just taken, and forks (even calls go on as the
 * parent, odd ones as the child). */
enum sim_call {
    SIM_BRK,
    SIM_MAP,
    SIM_RESERVE,
    SIM_COMMIT,
    SIM_PURGE,
    SIM_REMAP,
    SIM_TRYLOCK,
    SIM_BRK_RACE,
    SIM_SIGNAL,
    SIM_CALLS
};

/* Calls number first .. first + count - 1 of one kind fail; the first call is number 1. */
struct sim_failure {
    enum sim_call call;
    uint32_t first;
    uint32_t count; /* 0: none */
};

#define SIM_FAILURES 3

struct sim_environment {
    const char *name;
    const char *value;
};

struct sim_config {
    uint64_t seed; /* of os_random */
    /* Inaccessible pages fault, which costs a system call for every change. Otherwise a write to
     * one is noticed when the page is handed out again, or at the end of the run. */
    bool guarded;
    bool remap_moves; /* os_remap moves even where it could grow in place */
    unsigned gap_pages; /* left between neighbouring mappings */
    unsigned cpus;
    size_t limit_bytes; /* of accessible memory, as a memory limit would have it */
    const struct sim_environment *environment; /* ends with a NULL name; may be NULL */
    struct sim_failure failure[SIM_FAILURES];
};

/* A new process: everything a previous one left is gone, memory reads as zero. */
void sim_reset(const struct sim_config *config);

struct sim_account {
    size_t accessible_bytes; /* break and maps, committed parts of reservations */
    size_t peak_bytes; /* of accessible_bytes */
    unsigned mappings; /* of os_map, now and at most */
    unsigned mappings_max;
    unsigned reservations; /* of os_reserve, now and ever */
    unsigned reservations_made;
    unsigned foreign_brks; /* by another user of brk */
    uint64_t calls; /* of the system, all kinds */
    uint64_t contended; /* lock_try said that another thread holds it, true or by plan */
    uint64_t failures; /* calls that failed, by plan or by a limit */
    uint64_t failed[SIM_CALLS];
};
extern struct sim_account sim_account;

/* What the process costs the machine now. */
struct sim_footprint {
    size_t break_bytes;
    size_t committed_bytes; /* of reservations */
    size_t mapping_bytes;
};
struct sim_footprint sim_footprint(void);

/* Accessible pages of break and reservations that do not read as zero; it reads them all. */
size_t sim_dirty_pages(void);

/* Failures by plan from now on or not; limits stay. */
void sim_injection(bool on);

/* Whether every page of [start, start + bytes) is accessible. */
bool sim_accessible(const void *start, size_t bytes);

enum sim_place { SIM_OUTSIDE, SIM_IN_BREAK, SIM_IN_MAPPING, SIM_IN_RESERVATION };
enum sim_place sim_place(const void *p);

/* Breaks off the run if a page was written while it was not accessible, or the memory another
 * user of brk took was. */
void sim_check_memory(void);

/* Another user of brk takes `bytes`; false when there is no room. */
bool sim_foreign_brk(size_t bytes);

void sim_clock_advance(uint64_t nanoseconds);

/* The calling thread's exit hook is called, if it armed one. The thread may go on, as one does
 * whose other destructors run later. */
void sim_thread_exit(void);

/* The fork hooks are called, and the run goes on as the parent, or as the child, in which all other
 * threads are gone. */
void sim_fork(bool as_child);

/* Number of the running thread, 1 or more. */
static inline unsigned sim_thread(void) { return sched_thread() + 1; }

/* Locks held by the running thread, and by all. */
unsigned sim_locks_held(void);
unsigned sim_locks_held_by_all(void);
/* The last lock there was to hold has been released; called with none held. */
extern void (*sim_on_unlocked)(void);
/* Whether the core would still look at this byte if another thread asked it to; asked of memory that
 * is given back. NULL: not asked. */
extern bool (*sim_shows)(const void *byte);
/* Who holds what and waits for what, on standard error. */
void sim_print_locks(void);
void sim_locks_reset(void);
/* The other threads are gone: they count no more, but what they held has nobody to release it. */
void sim_locks_only_self(void);

/* For lock_sim.c: counts a call of this kind and tells whether it is to fail. */
bool sim_fails(enum sim_call call);
/* A place where another thread may go on, or a signal arrive; `what` as for sched_point. */
void sim_signal_point(const volatile void *what);

/* What the core wrote to standard error since sim_reset, for sim_break and the trace. */
const char *sim_error_text(void);

/* An oracle has spoken: prints it, what the core wrote, and what on_break adds, then aborts. */
_Noreturn void sim_break(const char *oracle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
extern void (*sim_on_break)(void);

#endif
