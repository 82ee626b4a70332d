/* kit.h: what the tests share. Header only, so that every test stays one file.
 *
 * Nothing here allocates: a test of an allocator must be able to say what went wrong when the
 * allocator is what went wrong. The random numbers come from a seed that the program prints
 * and takes as its argument, never from the clock.
 */
#ifndef KIT_H
#define KIT_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Saying what failed ------------------------------------------------------------------- */

/* One message to a file descriptor; dprintf would allocate a buffer. */
__attribute__((format(printf, 2, 3))) static inline void say(int fd, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t bytes = length < 0 ? 0 : (size_t)length;
    if (write(fd, text, bytes < sizeof text ? bytes : sizeof text - 1) < 0)
        _exit(1);
}

/* The process ends at once: in a child, in a thread and in a handler alike. */
static inline _Noreturn void require_failed(const char *what, const char *file, int line,
                                            long long value) {
    say(STDERR_FILENO, "%s:%d: not so: %s (value %lld)\n", file, line, what, value);
    _exit(1);
}

/* REQUIRE_FOR names the value for which the condition does not hold. */
#define REQUIRE_FOR(value, condition)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            require_failed(#condition, __FILE__, __LINE__, (long long)(value));                    \
    } while (0)
#define REQUIRE(condition) REQUIRE_FOR(0, condition)

/* ---- Random numbers (splitmix64) ---------------------------------------------------------- */

static inline uint64_t rng_next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Below `bound`, which is not 0. */
static inline size_t rng_below(uint64_t *state, size_t bound) {
    return (size_t)(rng_next(state) % bound);
}

/* Number argument `index`, or `otherwise`. */
static inline uint64_t argument(int argc, char **argv, int index, uint64_t otherwise) {
    return argc > index ? strtoull(argv[index], NULL, 0) : otherwise;
}

/* ---- Contents ----------------------------------------------------------------------------- */

/* Keep the compiler from knowing anything about p: that it came from malloc, that it is free. */
static inline void *opaque(void *p) {
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static inline uint64_t pattern_word(uint64_t seed, size_t index) {
    return (seed + index) * 0x9e3779b97f4a7c15u + (seed << 7);
}

/* Byte k of a pattern depends on seed and k alone, so a prefix can be verified by itself. */
static inline void pattern_fill(void *p, size_t bytes, uint64_t seed) {
    unsigned char *to = opaque(p);
    size_t words = bytes / 8;
    for (size_t i = 0; i < words; i++) {
        uint64_t word = pattern_word(seed, i);
        memcpy(to + 8 * i, &word, 8);
    }
    uint64_t word = pattern_word(seed, words);
    memcpy(to + 8 * words, &word, bytes % 8);
}

static inline bool pattern_holds(const void *p, size_t bytes, uint64_t seed) {
    const unsigned char *from = p;
    size_t words = bytes / 8;
    for (size_t i = 0; i < words; i++) {
        uint64_t word = pattern_word(seed, i);
        if (memcmp(from + 8 * i, &word, 8) != 0)
            return false;
    }
    uint64_t word = pattern_word(seed, words);
    return memcmp(from + 8 * words, &word, bytes % 8) == 0;
}

static inline bool all_bytes(const void *p, size_t bytes, unsigned char value) {
    const unsigned char *from = p;
    return bytes == 0 || (from[0] == value && memcmp(from, from + 1, bytes - 1) == 0);
}

static inline bool is_aligned(const void *p, size_t alignment) {
    return (uintptr_t)p % alignment == 0;
}

/* ---- The process -------------------------------------------------------------------------- */

enum statm { STATM_VIRTUAL, STATM_RESIDENT };

static inline size_t statm_bytes(enum statm field) {
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    REQUIRE(length > 0);
    text[length] = 0;
    char *at = text;
    unsigned long long pages = 0;
    for (int i = 0; i <= (int)field; i++)
        pages = strtoull(at, &at, 10);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Run `work` in a child; its exit status, or 128 + the signal that ended it. */
static inline int in_child(void (*work)(void)) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        work();
        _exit(0);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
