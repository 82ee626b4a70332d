/* bench.h: the frame of a benchmark program. Each measures one pattern of use:
 *
 *   int main(int argc, char **argv) {
 *       bench_begin(argc, argv);
 *       size_t ops = bench_count("ops", 1e6);   further parameters
 *       parameters_end();
 *       bench_clock_start();
 *       ...                                      the pattern, through b_malloc, b_free, ...
 *       bench_clock_stop(ops);
 *       ...                                      free what is left
 *       bench_end();
 *   }
 *
 * and prints one `name value` line per figure. Compiled twice: plainly, where b_malloc is malloc;
 * and with -DLATENCY, where each single call is timed by the processor's clock and the figures are
 * the percentiles instead.
 */
#ifndef BENCH_H
#define BENCH_H

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include "kit.h"

static struct {
    uint64_t seed;
    double scale, idle;
    double started, seconds;
    size_t ops;
    long faults;
} bench;

/* ---- Latency of single calls ------------------------------------------------------------------- */

/* Clock ticks, counted in slots: exact below 64, then 64 slots for each power of two. */
enum { LATENCY_FINE = 64, LATENCY_SHIFT = 6, LATENCY_SLOTS = LATENCY_FINE * 40 };
enum { LATENCY_MALLOC, LATENCY_FREE, LATENCY_KINDS, LATENCY_THREADS = 256 };

struct latency {
    uint32_t count[LATENCY_SLOTS];
    uint64_t total, longest;
};

#ifdef LATENCY

#include <x86intrin.h>

static struct latency latency_of[LATENCY_THREADS][LATENCY_KINDS];
static unsigned latency_threads;
static _Thread_local struct latency *latency_own;
static uint64_t latency_ticks_started;

static inline uint64_t ticks_before(void) {
    _mm_lfence();
    return __rdtsc();
}

static inline uint64_t ticks_after(void) {
    unsigned processor;
    uint64_t ticks = __rdtscp(&processor);
    _mm_lfence();
    return ticks;
}

static inline unsigned latency_slot(uint64_t ticks) {
    if (ticks < LATENCY_FINE)
        return (unsigned)ticks;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ticks) - LATENCY_SHIFT;
    unsigned slot = (shift << LATENCY_SHIFT) + (unsigned)(ticks >> shift);
    return slot < LATENCY_SLOTS ? slot : LATENCY_SLOTS - 1;
}

static inline double latency_slot_ticks(unsigned slot) {
    if (slot < LATENCY_FINE)
        return slot;
    unsigned shift = (slot >> LATENCY_SHIFT) - 1;
    return (double)((uint64_t)(slot - (shift << LATENCY_SHIFT)) << shift);
}

static inline void latency_add(unsigned kind, uint64_t ticks) {
    if (latency_own == NULL) {
        unsigned thread = __atomic_fetch_add(&latency_threads, 1, __ATOMIC_RELAXED);
        latency_own = latency_of[thread % LATENCY_THREADS];
    }
    struct latency *l = &latency_own[kind];
    l->count[latency_slot(ticks)]++;
    l->total++;
    if (ticks > l->longest)
        l->longest = ticks;
}

#define TIMED(kind, call)                                                                          \
    uint64_t before = ticks_before();                                                              \
    call;                                                                                          \
    latency_add(kind, ticks_after() - before)

/* Ticks below which `share` of the calls stayed. */
static inline double latency_quantile(const struct latency *l, double share) {
    uint64_t want = (uint64_t)((double)l->total * share), seen = 0;
    for (unsigned slot = 0; slot < LATENCY_SLOTS; slot++)
        if ((seen += l->count[slot]) > want)
            return latency_slot_ticks(slot);
    return (double)l->longest;
}

static inline void latency_report(unsigned kind, const char *name, double ns_per_tick) {
    static struct latency sum;
    sum = (struct latency){.total = 0};
    for (unsigned t = 0; t < LATENCY_THREADS; t++) {
        const struct latency *l = &latency_of[t][kind];
        for (unsigned slot = 0; slot < LATENCY_SLOTS; slot++)
            sum.count[slot] += l->count[slot];
        sum.total += l->total;
        sum.longest = l->longest > sum.longest ? l->longest : sum.longest;
    }
    if (sum.total == 0)
        return;
    say("%s_p50 %.1f\n%s_p99 %.1f\n%s_p999 %.1f\n%s_max %.1f\n", name,
        latency_quantile(&sum, 0.5) * ns_per_tick, name, latency_quantile(&sum, 0.99) * ns_per_tick,
        name, latency_quantile(&sum, 0.999) * ns_per_tick, name, (double)sum.longest * ns_per_tick);
}

#else
#define TIMED(kind, call) call
#endif

/* ---- The calls that are measured --------------------------------------------------------------- */

static inline void *b_malloc(size_t bytes) {
    void *p;
    TIMED(LATENCY_MALLOC, p = malloc(bytes));
    if (p == NULL)
        die("malloc(%zu) failed\n", bytes);
    return p;
}

static inline void *b_memalign(size_t alignment, size_t bytes) {
    void *p;
    TIMED(LATENCY_MALLOC, p = memalign(alignment, bytes));
    if (p == NULL)
        die("memalign(%zu, %zu) failed\n", alignment, bytes);
    return p;
}

static inline void *b_realloc(void *old, size_t bytes) {
    void *p;
    TIMED(LATENCY_MALLOC, p = realloc(old, bytes));
    if (p == NULL)
        die("realloc(%zu) failed\n", bytes);
    return p;
}

static inline void b_free(void *p) { TIMED(LATENCY_FREE, free(p)); }

/* Write to a block as its user would, in a way the compiler must keep. */
static inline void touch(void *p, size_t bytes) {
    *(volatile char *)p = 1;
    ((volatile char *)p)[bytes - 1] = 2;
}

/* ---- The frame --------------------------------------------------------------------------------- */

static inline void bench_begin(int argc, char **argv) {
    parameters_begin(argc, argv);
    bench.seed = (uint64_t)parameter("seed", 1);
    bench.scale = parameter("scale", 1);
    bench.idle = parameter("idle", 1);
}

/* A count that `scale` scales. */
static inline size_t bench_count(const char *name, double otherwise) {
    return parameter_count(name, otherwise, bench.scale);
}

static inline struct random bench_random(uint64_t thread) {
    return random_begin(bench.seed * 1000 + thread);
}

static inline long bench_faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt + usage.ru_majflt;
}

static inline void bench_clock_start(void) {
    bench.faults = bench_faults();
#ifdef LATENCY
    latency_ticks_started = ticks_before();
#endif
    bench.started = seconds_now();
}

static inline void bench_clock_stop(size_t ops) {
    bench.seconds = seconds_now() - bench.started;
    bench.faults = bench_faults() - bench.faults;
    bench.ops = ops;
    say("malloc %s\nseed %zu\nops %zu\nfaults %ld\n", file_of("malloc"), (size_t)bench.seed, ops,
        bench.faults);
#ifdef LATENCY
    double ticks = (double)(ticks_after() - latency_ticks_started);
    latency_report(LATENCY_MALLOC, "malloc", bench.seconds * 1e9 / ticks);
    latency_report(LATENCY_FREE, "free", bench.seconds * 1e9 / ticks);
#else
    say("seconds %.6f\nns_per_op %.3f\n", bench.seconds, bench.seconds * 1e9 / (double)ops);
#endif
}

static inline int bench_end(void) {
#ifndef LATENCY
    say("peak_rss %zu\n", memory_peak());
    sleep_seconds(bench.idle);
    say("end_rss %zu\n", memory_now().resident_bytes);
#endif
    return 0;
}

/* `count` threads of `body`, each given its number; returns when all have ended. */
static inline void bench_threads(size_t count, void *(*body)(void *)) {
    static pthread_t threads[LATENCY_THREADS];
    if (count > LATENCY_THREADS)
        die("at most %d threads\n", LATENCY_THREADS);
    for (size_t t = 0; t < count; t++)
        if (pthread_create(&threads[t], NULL, body, (void *)t) != 0)
            die("thread %zu cannot be started\n", t);
    for (size_t t = 0; t < count; t++)
        pthread_join(threads[t], NULL);
}

#endif
