/* os_linux.c: os.h on Linux. The only file of the core that makes system calls (but the futex
 * of lock_linux.c). Nothing here allocates: pthread_setspecific allocates for keys from 32 on
 * only, and is called when the thread's cache is already in place, so that even then it ends.
 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

void *os_brk(ptrdiff_t delta_bytes) {
    void *before = sbrk(delta_bytes);
    return (intptr_t)before == -1 ? NULL : before;
}

static void *map(void *at, size_t bytes, int protection, int flags) {
    void *start = mmap(at, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

void *os_map(size_t bytes) { return map(NULL, bytes, PROT_READ | PROT_WRITE, 0); }

void *os_reserve(size_t bytes, size_t align_bytes) {
    size_t around = bytes + align_bytes - PAGE_BYTES;
    unsigned char *start = map(NULL, around, PROT_NONE, MAP_NORESERVE);
    if (start == NULL)
        return NULL;
    size_t lead = (align_bytes - (uintptr_t)start % align_bytes) % align_bytes;
    if (lead > 0)
        munmap(start, lead);
    if (around > lead + bytes)
        munmap(start + lead + bytes, around - lead - bytes);
    return start + lead;
}

bool os_commit(void *start, size_t bytes) {
    return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

void os_decommit(void *start, size_t bytes) {
    if (map(start, bytes, PROT_NONE, MAP_NORESERVE | MAP_FIXED) == NULL) { /* too many mappings */
        madvise(start, bytes, MADV_DONTNEED);
        mprotect(start, bytes, PROT_NONE);
    }
}

/* From Linux 5.14 on; others refuse, and the pages come as they are touched. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
void os_populate(void *start, size_t bytes) { madvise(start, bytes, MADV_POPULATE_WRITE); }

bool os_purge(void *start, size_t bytes) { return madvise(start, bytes, MADV_DONTNEED) == 0; }

void os_unmap(void *start, size_t bytes) { munmap(start, bytes); }

void *os_remap(void *start, size_t old_bytes, size_t new_bytes, bool may_move) {
    void *moved = mremap(start, old_bytes, new_bytes, may_move ? MREMAP_MAYMOVE : 0);
    return moved == MAP_FAILED ? NULL : moved;
}

uint64_t os_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t os_random(void) {
    uint64_t bits;
    int saved = errno;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
        const unsigned char *seed = (const unsigned char *)getauxval(AT_RANDOM);
        bits = os_clock_ns() * 0x9e3779b97f4a7c15u ^ (uintptr_t)&bits;
        for (unsigned byte = 0; seed != NULL && byte < 16; byte++)
            bits = bits * 0x100000001b3u ^ seed[byte];
    }
    errno = saved;
    return bits;
}

unsigned os_cpu_count(void) {
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
        return 1;
    int count = CPU_COUNT(&cpus);
    return count > 0 ? (unsigned)count : 1;
}

const char *os_environment(const char *name) { return secure_getenv(name); }

void os_write_error(const char *text, size_t bytes) {
    while (bytes > 0) {
        ssize_t written = write(STDERR_FILENO, text, bytes);
        if (written <= 0 && errno != EINTR)
            return;
        if (written > 0) {
            text += written;
            bytes -= (size_t)written;
        }
    }
}

void os_abort(void) { abort(); }

static pthread_key_t exit_key;
static bool exit_key_made;

void os_thread_exit_hook(void (*on_exit)(void *argument)) {
    if (!exit_key_made)
        exit_key_made = pthread_key_create(&exit_key, on_exit) == 0;
}

void os_thread_arm(void *argument) {
    if (exit_key_made)
        pthread_setspecific(exit_key, argument);
}

void os_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    pthread_atfork(prepare, parent, child);
}
