/* kit.h: what the programs of ci/bench and ci/experiments share: parameters of the command line,
 * random numbers, time, what the system says of this process, and which malloc serves it.
 *
 * Nothing here allocates while a program is measured, and nothing prints through stdio's buffers:
 * the programs measure malloc, so their own harness must not be seen in it.
 */
#ifndef BENCH_KIT_H
#define BENCH_KIT_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KIT_PAGE = 4096, KIT_PARAMETERS_MAX = 12 };

/* ---- Output ------------------------------------------------------------------------------------ */

/* One write(2) of what printf would print; at most 1000 bytes. */
__attribute__((format(printf, 2, 3))) static inline void say_to(int fd, const char *format, ...) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || write(fd, text, strlen(text)) < 0)
        _exit(1);
}

#define say(...) say_to(STDOUT_FILENO, __VA_ARGS__)

#define die(...) (say_to(STDERR_FILENO, __VA_ARGS__), _exit(1))

/* ---- Parameters: name=value -------------------------------------------------------------------- */

static struct {
    int count;
    char **text;
    const char *asked[KIT_PARAMETERS_MAX];
    int asked_count, found;
} kit_arguments;

static inline void parameters_begin(int argc, char **argv) {
    kit_arguments.count = argc;
    kit_arguments.text = argv;
}

/* Given twice, the last counts. */
static inline const char *parameter_text(const char *name, const char *otherwise) {
    size_t length = strlen(name);
    const char *value = NULL;
    kit_arguments.asked[kit_arguments.asked_count++] = name;
    for (int i = 1; i < kit_arguments.count; i++) {
        const char *text = kit_arguments.text[i];
        if (strncmp(text, name, length) == 0 && text[length] == '=') {
            kit_arguments.found++;
            value = text + length + 1;
        }
    }
    return value == NULL ? otherwise : value;
}

static inline double parameter(const char *name, double otherwise) {
    const char *text = parameter_text(name, NULL);
    return text == NULL ? otherwise : strtod(text, NULL);
}

/* `otherwise` times the parameter `scale`, at least 1. */
static inline size_t parameter_count(const char *name, double otherwise, double scale) {
    double count = parameter(name, otherwise) * scale;
    return count < 1 ? 1 : (size_t)count;
}

/* Refuse whatever was given and not asked for. */
static inline void parameters_end(void) {
    if (kit_arguments.found == kit_arguments.count - 1)
        return;
    say_to(STDERR_FILENO, "usage: %s", kit_arguments.text[0]);
    for (int i = 0; i < kit_arguments.asked_count; i++)
        say_to(STDERR_FILENO, " [%s=value]", kit_arguments.asked[i]);
    say_to(STDERR_FILENO, "\n");
    _exit(2);
}

/* ---- Random numbers: xorshift64* --------------------------------------------------------------- */

struct random {
    uint64_t state;
};

static inline struct random random_begin(uint64_t seed) {
    return (struct random){(seed + 1) * 0x9e3779b97f4a7c15u};
}

static inline uint64_t random_next(struct random *r) {
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1du;
}

/* 0 .. end - 1; end below 2^32 */
static inline size_t random_below(struct random *r, size_t end) {
    return (size_t)((random_next(r) >> 32) * end >> 32);
}

static inline size_t random_from(struct random *r, size_t first, size_t last) {
    return first + random_below(r, last - first + 1);
}

/* Sizes as programs ask for them: 80 of 100 small, 15 middling, 5 large; 743 bytes on average. */
static inline size_t random_size(struct random *r) {
    size_t kind = random_below(r, 100);
    if (kind < 80)
        return random_from(r, 16, 256);
    return kind < 95 ? random_from(r, 257, 2048) : random_from(r, 2049, 16384);
}

/* ---- Time -------------------------------------------------------------------------------------- */

static inline double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void sleep_seconds(double seconds) {
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    nanosleep(&t, NULL);
}

/* ---- What the system says ---------------------------------------------------------------------- */

struct memory {
    size_t virtual_bytes, resident_bytes;
};

static inline void read_file(const char *path, char *text, size_t bytes) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, bytes - 1);
    if (got < 0)
        die("%s cannot be read\n", path);
    text[got] = '\0';
    close(fd);
}

static inline struct memory memory_now(void) {
    static char text[200];
    read_file("/proc/self/statm", text, sizeof text);
    char *rest;
    struct memory m = {.virtual_bytes = strtoul(text, &rest, 10) * KIT_PAGE};
    m.resident_bytes = strtoul(rest, NULL, 10) * KIT_PAGE;
    return m;
}

/* The most that was resident at a time, in bytes. */
static inline size_t memory_peak(void) {
    static char text[4000];
    read_file("/proc/self/status", text, sizeof text);
    const char *line = strstr(text, "VmHWM:");
    return line == NULL ? 0 : strtoul(line + 6, NULL, 10) * 1024;
}

/* ---- Which malloc ------------------------------------------------------------------------------ */

/* The file that a function of this name comes from, without its folder. */
static inline const char *file_of(const char *function) {
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, function);
    if (address == NULL || dladdr(address, &info) == 0)
        return "?";
    const char *slash = strrchr(info.dli_fname, '/');
    return slash == NULL ? info.dli_fname : slash + 1;
}

/* ---- Allocation that cannot fail --------------------------------------------------------------- */

static inline void *allocate(size_t bytes) {
    void *p = malloc(bytes);
    if (p == NULL)
        die("malloc(%zu) failed\n", bytes);
    return p;
}

#endif
