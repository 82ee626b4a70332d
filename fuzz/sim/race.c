/* race.c: see race.h. Vector clocks and a shadow of the last accesses to each word (as in
 * FastTrack and ThreadSanitizer).
 *
 * The shadow is a table without chains: a word whose place is taken by another one is forgotten,
 * which can hide a race but not invent one, and repeats from run to run. Every load and store of
 * the core ends here, so an entry is small (two to a line of the processor's cache), and an access
 * that repeats the last one to its word takes a few instructions.
 */
#include "race.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "fiber.h"
#include "sim.h"

enum { WORDS = 1 << 13, ACCESSES = 3, SYNCS = 1 << 11, OPERATIONS = 1024 };
enum access_kind { READS = 0, WRITES = 1, ATOMIC = 2 };

/* An access is one number: from the lowest bit on, bytes of the word as a mask, thread, kind, the
 * thread's clock, and the low half of the code's address (of several in one: the last). 0: none. */
enum { THREAD_AT = 8, KIND_AT = 11, CLOCK_AT = 13, CODE_AT = 32 };
#define BYTES_MASK 0xffu
#define OF_THREAD_MASK (~(BYTES_MASK | 3u << KIND_AT)) /* thread and clock */
#define REPEATS_MASK ((1u << CLOCK_AT) - 1) /* all but the clock */
_Static_assert(FIBERS_MAX <= 1u << (KIND_AT - THREAD_AT), "a thread's number has room");

/* When this time is reached, nothing is looked at for the rest of the run. */
#define TIME_MAX ((1u << (CODE_AT - CLOCK_AT)) - 1)

struct clocks {
    uint32_t at[FIBERS_MAX];
};

struct word {
    uint64_t key; /* address and run */
    uint64_t access[ACCESSES]; /* the last one first */
} __attribute__((aligned(32)));
_Static_assert(sizeof(struct word) == 32, "half a line of the processor's cache");

struct sync {
    const void *address;
    uint32_t run;
    struct clocks clocks;
};

static struct word words[WORDS];
static struct sync syncs[SYNCS];
static struct clocks of_thread[FIBERS_MAX], of_operation[OPERATIONS];
bool race_watching;
/* Numbers the runs: what has another number is from before. */
enum { RUN_BITS = 13, ADDRESS_AT = 20 };
static uint32_t run;
static uint8_t me;
/* One clock gives all threads their times, so those of pages compare with them, too. */
static uint32_t now;
static uint32_t own; /* thread and clock of an access made now */
static const void *own_errno;

/* Run and time when a page was handed out last, by page modulo their number: an entry that belongs
 * to another page can only excuse too much. */
enum { BIRTHS = 1 << 14 };
static uint32_t births[BIRTHS];

/* ---- clocks ----------------------------------------------------------------------------------- */

static void join(struct clocks *to, const struct clocks *from) {
    for (unsigned t = 0; t < FIBERS_MAX; t++)
        if (to->at[t] < from->at[t])
            to->at[t] = from->at[t];
}

static struct clocks *self(void) { return &of_thread[me]; }

static void set_own(void) { own = self()->at[me] << CLOCK_AT | (uint32_t)me << THREAD_AT; }

static uint32_t next_time(void) {
    if (now < TIME_MAX)
        now++;
    if (now == TIME_MAX)
        race_watching = false;
    return now;
}

/* Accesses from now on are later than what was published. */
static void tick(void) {
    self()->at[me] = next_time();
    set_own();
}

static void forget_old_runs(void) {
    memset(words, 0, sizeof words);
    memset(syncs, 0, sizeof syncs);
    memset(births, 0, sizeof births);
    run = 1;
}

void race_start(unsigned threads) {
    if (++run == 1u << RUN_BITS)
        forget_old_runs();
    own_errno = &errno;
    memset(of_thread, 0, sizeof of_thread);
    now = 1;
    for (unsigned t = 0; t < threads; t++)
        of_thread[t].at[t] = now;
    race_watching = true;
    set_own();
}

void race_watch(bool watch) { race_watching = watch && now < TIME_MAX; }

void race_thread(unsigned thread) {
    me = (uint8_t)thread;
    set_own();
}

/* Its place in the table, or the one where it would stand; the table is large enough for the locks
 * of as many arenas as a program can make. */
static struct sync *sync_of(const void *what) {
    size_t at = ((uintptr_t)what * 0x9e3779b97f4a7c15u) >> 40;
    for (;; at++) {
        struct sync *s = &syncs[at % SYNCS];
        if (s->run != run || s->address == what)
            return s;
    }
}

void race_release(const void *what) {
    if (!race_watching)
        return;
    struct sync *s = sync_of(what);
    if (s->run != run)
        *s = (struct sync){.address = what, .run = run};
    join(&s->clocks, self());
    tick();
}

void race_acquire(const void *what) {
    if (!race_watching)
        return;
    const struct sync *s = sync_of(what);
    if (s->run == run)
        join(self(), &s->clocks);
}

void race_operation_done(unsigned op) {
    if (!race_watching)
        return;
    of_operation[op] = *self();
    tick();
}

void race_operation_awaited(unsigned op) {
    if (race_watching)
        join(self(), &of_operation[op]);
}

static void race_join(void) {
    for (unsigned t = 0; race_watching && t < FIBERS_MAX; t++)
        join(self(), &of_thread[t]);
}

void race_only_self(void) {
    race_join();
    tick();
    for (unsigned t = 0; race_watching && t < FIBERS_MAX; t++)
        if (t != me) {
            join(&of_thread[t], self());
            of_thread[t].at[t] = next_time();
        }
}

void race_new_pages(uintptr_t start, size_t bytes) {
    if (!race_watching)
        return;
    size_t pages = bytes / PAGE_BYTES, first = start / PAGE_BYTES;
    uint32_t birth = next_time();
    for (unsigned t = 0; t < FIBERS_MAX; t++) /* lest an access be taken for an older one */
        of_thread[t].at[t] = birth;
    set_own();
    for (size_t i = 0; i < (pages < BIRTHS ? pages : BIRTHS); i++)
        births[(first + i) % BIRTHS] = run << (32 - RUN_BITS) | birth;
}

/* ---- accesses --------------------------------------------------------------------------------- */

static unsigned thread_of(uint64_t access) { return access >> THREAD_AT & (FIBERS_MAX - 1); }
static enum access_kind kind_of(uint64_t access) { return access >> KIND_AT & 3; }
static uint32_t clock_of(uint64_t access) { return (uint32_t)access >> CLOCK_AT; }

static bool is_from_before(uintptr_t address, uint64_t access) {
    return births[address / PAGE_BYTES % BIRTHS] > (run << (32 - RUN_BITS) | clock_of(access));
}

static uintptr_t address_of(const struct word *w) { return w->key >> ADDRESS_AT << 3; }

/* Where in the core, if a symbolizer is linked. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t bytes)
    __attribute__((weak));

static const char *place(uintptr_t code, char *text, size_t bytes) {
    snprintf(text, bytes, "%#zx", (size_t)code);
    if (__sanitizer_symbolize_pc != NULL)
        __sanitizer_symbolize_pc((void *)code, "%f, %s:%l", text, bytes);
    return text;
}

static uintptr_t code_of(uint64_t access) {
    return ((uintptr_t)race_start & ~(uintptr_t)UINT32_MAX) | access >> CODE_AT;
}

static _Noreturn void report(uintptr_t address, uint64_t new, uint64_t old) {
    char here[256], there[256];
    race_watching = false;
    sim_break("race", "thread %u %s %p (%s); thread %u %s it (%s), and nothing orders the two",
              sim_thread(), kind_of(new) & WRITES ? "writes" : "reads", (void *)address,
              place(code_of(new), here, sizeof here), thread_of(old) + 1,
              kind_of(old) & WRITES ? "wrote" : "read", place(code_of(old), there, sizeof there));
}

/* Two accesses are ordered by program order, clocks, or as atomic operations by themselves. */
static bool races(uint64_t old, uint64_t new) {
    unsigned other = thread_of(old);
    return other != me && clock_of(old) > self()->at[other] && (old & new &BYTES_MASK) != 0 &&
           ((kind_of(old) | kind_of(new)) & WRITES) != 0 &&
           (kind_of(old) & kind_of(new) & ATOMIC) == 0;
}

/* An access that the new one stands for as well. */
static bool is_covered(uint64_t old, uint64_t new) {
    return (old & ~new &BYTES_MASK) == 0 && (kind_of(old) & WRITES) <= (kind_of(new) & WRITES) &&
           (kind_of(new) & ATOMIC) <= (kind_of(old) & ATOMIC);
}

/* A word's bytes that a thread reads, or writes, before it publishes anything are one access. The
 * oldest access is forgotten if there is no other room. */
static void note_access(struct word *w, uint64_t new) {
    uint64_t next = w->access[0]; /* read before its place is written */
    unsigned place = 1;
    for (unsigned i = 1; i <= ACCESSES && next != 0; i++) {
        uint64_t old = next;
        next = i < ACCESSES ? w->access[i] : 0;
        if (thread_of(old) != me) {
            if (races(old, new) && !is_from_before(address_of(w), old))
                report(address_of(w), new, old);
        } else if (((uint32_t)(old ^ new) & ~BYTES_MASK) == 0) {
            new |= (uint32_t)old &BYTES_MASK;
            continue;
        } else if (is_covered(old, new)) {
            continue;
        }
        if (place < ACCESSES)
            w->access[place++] = old;
    }
    while (place < ACCESSES)
        w->access[place++] = 0;
    w->access[0] = new;
}

/* Of what is its own, a thread's accesses race with nobody's. */
static bool is_private(const volatile void *p) {
    return (uintptr_t)p - SIM_FIRST >= SIM_BYTES && (p == own_errno || fiber_owns(p));
}

/* Heaps begin at the same distance from a large power of two, but not at the same place here. */
static inline struct word *word_of(uintptr_t address) {
    return &words[(address / 8 ^ address >> 17 ^ address >> 23) % WORDS];
}

static inline uint64_t key_of(uintptr_t address) { return address >> 3 << ADDRESS_AT | run; }

static __attribute__((noinline)) void touch_new(uintptr_t address, uint64_t new) {
    struct word *w = word_of(address);
    if (w->key == key_of(address))
        note_access(w, new);
    else if (!is_private((const volatile void *)(address + (unsigned)__builtin_ctz((unsigned)new))))
        *w = (struct word){.key = key_of(address), .access = {new}};
}

/* The front access is the thread's own, and nobody has touched the word since: whoever does, comes
 * to the front. If the new one is the same, or less of a write, or of its bytes, and nothing was
 * published in between, it tells nothing new. If it is the same and something was, it is later, and
 * as well ordered behind all others as it was. */
static inline __attribute__((always_inline)) void touch_word(uintptr_t address, unsigned bytes,
                                                             enum access_kind kind, void *code) {
    struct word *w = word_of(address);
    uint64_t new = own | (unsigned)kind << KIND_AT | bytes | (uint64_t)(uintptr_t)code << CODE_AT;
    uint64_t front = w->access[0];
    if (w->key == key_of(address)) {
        if (((front ^ new) & REPEATS_MASK) == 0) {
            w->access[0] = new;
            return;
        }
        if (((uint32_t)(front ^ new) & OF_THREAD_MASK) == 0 && (bytes & ~front) == 0 &&
            (kind_of(front) == kind || (kind_of(front) == WRITES && kind == READS)))
            return;
    }
    touch_new(address, new);
}

/* Most accesses lie within a word. */
static inline __attribute__((always_inline)) void touch(const volatile void *p, unsigned bytes,
                                                        enum access_kind kind, void *code) {
    uintptr_t address = (uintptr_t)p, word = address & ~(uintptr_t)7;
    unsigned mask = ((1u << bytes) - 1) << (address - word);
    touch_word(word, mask & BYTES_MASK, kind, code);
    if (mask >> 8 != 0)
        touch_word(word + 8, mask >> 8 & BYTES_MASK, kind, code);
    if (mask >> 16 != 0)
        touch_word(word + 16, mask >> 16, kind, code);
}

/* ---- what the compiler calls ------------------------------------------------------------------ */

#define HERE __builtin_return_address(0)

/* Called from stores.h, in the core's code. */
#define PLAIN(bytes)                                                                               \
    void race_read##bytes(const volatile void *p) { touch(p, bytes, READS, HERE); }                \
    void race_write##bytes(const volatile void *p) { touch(p, bytes, WRITES, HERE); }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

/* In the core's objects memset and the like have these names. Races are not looked for here: what
 * they touch is mostly the program's. */
void *sim_memset(void *to, int byte, size_t bytes);
void *sim_memcpy(void *to, const void *from, size_t bytes);
void *sim_memmove(void *to, const void *from, size_t bytes);

void *sim_memset(void *to, int byte, size_t bytes) {
    sim_wrote(to, bytes);
    return memset(to, byte, bytes);
}
void *sim_memcpy(void *to, const void *from, size_t bytes) {
    sim_wrote(to, bytes);
    return memcpy(to, from, bytes);
}
void *sim_memmove(void *to, const void *from, size_t bytes) {
    sim_wrote(to, bytes);
    return memmove(to, from, bytes);
}

static void before_atomic(const volatile void *p, unsigned bytes, enum access_kind kind, int order,
                          void *code) {
    if (kind & WRITES)
        sim_mark(p);
    if (race_watching)
        touch(p, bytes, kind | ATOMIC, code);
    if ((kind & WRITES) && order >= __ATOMIC_RELEASE)
        race_release((const void *)p);
}

static void after_atomic(const volatile void *p, int order) {
    if (order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE)
        race_acquire((const void *)p);
}

/* What stands behind an operation that reads and writes: `new` is computed of `old`. */
#define READ_MODIFY_WRITE(bits, type, name, new)                                                   \
    type __tsan_atomic##bits##_##name(volatile type *p, type value, int order);                    \
    type __tsan_atomic##bits##_##name(volatile type *p, type value, int order) {                   \
        before_atomic(p, bits / 8, WRITES, order, HERE);                                           \
        after_atomic(p, order);                                                                    \
        type old = *p;                                                                             \
        *p = (type)(new);                                                                          \
        return old;                                                                                \
    }

#define ATOMICS(bits, type)                                                                        \
    type __tsan_atomic##bits##_load(const volatile type *p, int order);                            \
    void __tsan_atomic##bits##_store(volatile type *p, type value, int order);                     \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type expected, type value,   \
                                                    int order, int failed);                        \
    type __tsan_atomic##bits##_load(const volatile type *p, int order) {                           \
        before_atomic(p, bits / 8, READS, order, HERE);                                            \
        after_atomic(p, order);                                                                    \
        return *p;                                                                                 \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *p, type value, int order) {                    \
        before_atomic(p, bits / 8, WRITES, order, HERE);                                           \
        *p = value;                                                                                \
    }                                                                                              \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type expected, type value,   \
                                                    int order, int failed) {                       \
        type old = *p;                                                                             \
        if (old == expected) {                                                                     \
            before_atomic(p, bits / 8, WRITES, order, HERE);                                       \
            *p = value;                                                                            \
        } else {                                                                                   \
            before_atomic(p, bits / 8, READS, failed, HERE);                                       \
        }                                                                                          \
        after_atomic(p, old == expected ? order : failed);                                         \
        return old;                                                                                \
    }                                                                                              \
    READ_MODIFY_WRITE(bits, type, exchange, value)                                                 \
    READ_MODIFY_WRITE(bits, type, fetch_add, old + value)                                          \
    READ_MODIFY_WRITE(bits, type, fetch_sub, old - value)                                          \
    READ_MODIFY_WRITE(bits, type, fetch_or, old | value)                                           \
    READ_MODIFY_WRITE(bits, type, fetch_and, old &value)
ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
