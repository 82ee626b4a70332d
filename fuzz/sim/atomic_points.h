/* atomic_points.h: included before each file of the core (-include): what threads hand to each other
 * without a lock is a switch point, too.
 *
 * Read-modify-write operations, and sequentially consistent loads and stores, are where a thread
 * publishes or takes: chunks returned to an arena whose lock is held, for one. Relaxed, acquire and
 * release accesses have no point of their own; what they order is judged by race.c.
 */
#ifndef CP_ATOMIC_POINTS_H
#define CP_ATOMIC_POINTS_H

void sched_atomic_point(void);

#define CP_POINT_IF_SEQ_CST(order) ((order) == __ATOMIC_SEQ_CST ? sched_atomic_point() : (void)0)

#define __atomic_load_n(p, order) (CP_POINT_IF_SEQ_CST(order), __atomic_load_n(p, order))
#define __atomic_store_n(p, value, order)                                                          \
    (CP_POINT_IF_SEQ_CST(order), __atomic_store_n(p, value, order))
#define __atomic_exchange_n(...) (sched_atomic_point(), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_compare_exchange_n(...)                                                           \
    (sched_atomic_point(), __atomic_compare_exchange_n(__VA_ARGS__))
#define __atomic_fetch_add(...) (sched_atomic_point(), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_fetch_sub(...) (sched_atomic_point(), __atomic_fetch_sub(__VA_ARGS__))
#define __atomic_fetch_or(...) (sched_atomic_point(), __atomic_fetch_or(__VA_ARGS__))
#define __atomic_fetch_and(...) (sched_atomic_point(), __atomic_fetch_and(__VA_ARGS__))
#define __atomic_add_fetch(...) (sched_atomic_point(), __atomic_add_fetch(__VA_ARGS__))
#define __atomic_sub_fetch(...) (sched_atomic_point(), __atomic_sub_fetch(__VA_ARGS__))

#endif
