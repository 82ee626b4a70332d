/* atomic_points.h: included before each file of the core (-include): what threads hand to each other
 * without a lock is a switch point, too.
 *
 * Read-modify-write operations, and sequentially consistent loads and stores, are where a thread
 * publishes or takes: chunks returned to an arena whose lock is held, for one. Another thread may go
 * on before each, and after an exchange: between what a thread took or published and what it does
 * with it. Relaxed, acquire and release accesses have no point of their own; what they order is
 * judged by race.c. What they write is marked for the world (dirty.h), unless race.c does so.
 */
#ifndef CP_ATOMIC_POINTS_H
#define CP_ATOMIC_POINTS_H

#include "sim/dirty.h"

void sched_atomic_point(const volatile void *word, int writes);

#ifdef CP_RACES
#define CP_MARK(p) ((void)0)
#else
#define CP_MARK(p) sim_mark(p)
#endif

#define CP_POINT_IF_SEQ_CST(p, order, writes)                                                      \
    ((order) == __ATOMIC_SEQ_CST ? sched_atomic_point(p, writes) : (void)0)
#define CP_POINT_AND_MARK(p) (sched_atomic_point(p, 1), CP_MARK(p))
#define CP_BETWEEN_POINTS(p, exchange)                                                             \
    __extension__({                                                                                \
        CP_POINT_AND_MARK(p);                                                                      \
        __auto_type cp_result = exchange;                                                          \
        sched_atomic_point(p, 1);                                                                  \
        cp_result;                                                                                 \
    })

#define __atomic_load_n(p, order) (CP_POINT_IF_SEQ_CST(p, order, 0), __atomic_load_n(p, order))
#define __atomic_store_n(p, value, order)                                                          \
    (CP_POINT_IF_SEQ_CST(p, order, 1), CP_MARK(p), __atomic_store_n(p, value, order))
#define __atomic_exchange_n(p, ...) CP_BETWEEN_POINTS(p, __atomic_exchange_n(p, __VA_ARGS__))
#define __atomic_compare_exchange_n(p, ...)                                                        \
    CP_BETWEEN_POINTS(p, __atomic_compare_exchange_n(p, __VA_ARGS__))
#define __atomic_fetch_add(p, ...) (CP_POINT_AND_MARK(p), __atomic_fetch_add(p, __VA_ARGS__))
#define __atomic_fetch_sub(p, ...) (CP_POINT_AND_MARK(p), __atomic_fetch_sub(p, __VA_ARGS__))
#define __atomic_fetch_or(p, ...) (CP_POINT_AND_MARK(p), __atomic_fetch_or(p, __VA_ARGS__))
#define __atomic_fetch_and(p, ...) (CP_POINT_AND_MARK(p), __atomic_fetch_and(p, __VA_ARGS__))
#define __atomic_add_fetch(p, ...) (CP_POINT_AND_MARK(p), __atomic_add_fetch(p, __VA_ARGS__))
#define __atomic_sub_fetch(p, ...) (CP_POINT_AND_MARK(p), __atomic_sub_fetch(p, __VA_ARGS__))

#endif
