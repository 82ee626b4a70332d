/* lock_linux.c: lock.h over the futex system call.
 *
 * The word holds the owner's number, so ownership and locking are one atomic step and a signal
 * handler can tell at any instant whether its own thread holds the lock. The number is made of
 * the thread's address of thread-local storage, unique among live threads up to 128 GiB apart.
 */
#include "lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAITED 0x80000000u
enum { SPINS = 64 };

static inline uint32_t self(void) {
    uint32_t number = (uint32_t)((uintptr_t)__builtin_thread_pointer() >> 6) & ~LOCK_WAITED;
    return number | 1u; /* never 0; neighbouring blocks of storage are 128 bytes apart or more */
}

void lock_init(struct lock *l) {
    l->fork_level = 0;
    __atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
}

bool lock_is_mine(const struct lock *l) {
    return (__atomic_load_n(&l->word, __ATOMIC_RELAXED) & ~LOCK_WAITED) == self();
}

/* Taking and releasing are sequentially consistent, not only acquire and release: returned.h. */
static bool take(struct lock *l, uint32_t word) {
    uint32_t none = 0;
    return __atomic_compare_exchange_n(&l->word, &none, word, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

bool lock_try(struct lock *l) { return take(l, self()); }

/* Sleep until woken, or for 20 ms: the one wake-up may have gone to a thread in which a signal
 * handler runs first, and that handler may fork and so wait for a lock of ours. */
static void sleep_while(struct lock *l, uint32_t word) {
    int saved = errno;
    struct timespec most = {.tv_nsec = 20L * 1000 * 1000};
    syscall(SYS_futex, &l->word, FUTEX_WAIT_PRIVATE, word, &most, NULL, 0);
    errno = saved;
}

static void wait_for(struct lock *l) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (__atomic_load_n(&l->word, __ATOMIC_RELAXED) == 0 && take(l, self()))
            return;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    /* Whoever slept must take the lock as waited for: others may still sleep. */
    while (!take(l, self() | LOCK_WAITED)) {
        uint32_t word = __atomic_load_n(&l->word, __ATOMIC_RELAXED);
        if (word == 0)
            continue;
        uint32_t waited = word | LOCK_WAITED;
        if (word == waited || __atomic_compare_exchange_n(&l->word, &word, waited, false,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            sleep_while(l, waited);
    }
}

void lock_acquire(struct lock *l) {
    if (!take(l, self()))
        wait_for(l);
}

void lock_release(struct lock *l) {
    uint32_t word = __atomic_exchange_n(&l->word, 0, __ATOMIC_SEQ_CST);
    if (word & LOCK_WAITED) {
        int saved = errno;
        syscall(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        errno = saved;
    }
}
