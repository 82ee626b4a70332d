/* fuzz_options.c: the target `options`: environment variables, tunables and mallopt against a
 * second reading of them by the C library's strtoull.
 *
 *   input   text; each line is NAME=VALUE of the environment, or `mallopt PARAMETER VALUE`
 *
 * Whatever they say, the allocator then starts in the simulated world and serves a few blocks.
 * Oracles: "options" (a field differs), "mallopt", "serve", and the walker.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunkproof.h"
#include "config.h"
#include "counters.h"
#include "options.h"
#include "target.h"
#include "sim/dirty.h"
#include "sim/sim.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 4096u
#define LINES_MAX 32u

static struct {
    char text[TEXT_MAX + 1];
    struct sim_environment environment[LINES_MAX + 1];
    unsigned variables;
    const char *mallopt[LINES_MAX]; /* the rest of the line */
    unsigned mallopts;
} in;

static void split(const uint8_t *data, size_t size) {
    in.variables = in.mallopts = 0;
    if (size > TEXT_MAX)
        size = TEXT_MAX;
    memcpy(in.text, data, size);
    in.text[size] = '\0';
    char *rest = in.text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *equals = strchr(line, '=');
        if (strncmp(line, "mallopt ", 8) == 0 && in.mallopts < LINES_MAX) {
            in.mallopt[in.mallopts++] = line + 8;
        } else if (equals != NULL && in.variables < LINES_MAX) {
            *equals = '\0';
            in.environment[in.variables++] = (struct sim_environment){line, equals + 1};
        }
    }
    in.environment[in.variables] = (struct sim_environment){NULL, NULL};
}

/* ---- the second reading --------------------------------------------------------------------- */

static const char *variable(const char *name) {
    for (unsigned i = 0; i < in.variables; i++)
        if (strcmp(in.environment[i].name, name) == 0)
            return in.environment[i].value;
    return NULL;
}

/* All of `text` is one number without a sign. */
static bool read_whole(const char *text, unsigned long long *number) {
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0';
}

static int clamp(unsigned long long n) { return n > INT_MAX ? INT_MAX : (int)n; }

/* What mallopt(3) says; glibc's where it says nothing. */
static int expect_mallopt(struct options *o, int parameter, int value) {
    size_t size = (size_t)value;
    if (parameter == M_MXFAST) {
        if (value < 0 || value > 160)
            return 0;
        o->mxfast_granules = (size + 8) / 16;
    } else if (parameter == M_TRIM_THRESHOLD) {
        o->trim_threshold_bytes = size;
    } else if (parameter == M_TOP_PAD) {
        o->top_pad_bytes = size;
    } else if (parameter == M_MMAP_THRESHOLD) {
        o->mmap_threshold_bytes = size;
    } else if (parameter == M_MMAP_MAX) {
        o->mmap_max = size;
    } else if (parameter == M_PERTURB) {
        o->perturb = size % 256;
    } else if (parameter == M_ARENA_TEST && value > 0) {
        o->arena_test = size;
    } else if (parameter == M_ARENA_MAX && value > 0) {
        o->arena_max = size;
    }
    if (parameter == M_TRIM_THRESHOLD || parameter == M_TOP_PAD || parameter == M_MMAP_THRESHOLD ||
        parameter == M_MMAP_MAX)
        o->mmap_threshold_fixed = 1;
    return 1;
}

static const struct {
    const char *variable, *tunable;
    int parameter;
} tuned[] = {
    {"MALLOC_MMAP_MAX_", "mmap_max", M_MMAP_MAX},
    {"MALLOC_MMAP_THRESHOLD_", "mmap_threshold", M_MMAP_THRESHOLD},
    {"MALLOC_TRIM_THRESHOLD_", "trim_threshold", M_TRIM_THRESHOLD},
    {"MALLOC_TOP_PAD_", "top_pad", M_TOP_PAD},
    {"MALLOC_PERTURB_", "perturb", M_PERTURB},
    {"MALLOC_ARENA_MAX", "arena_max", M_ARENA_MAX},
    {"MALLOC_ARENA_TEST", "arena_test", M_ARENA_TEST},
    {NULL, "mxfast", M_MXFAST},
};

static void expect_tunable(struct options *o, const char *name, unsigned long long value) {
    if (strncmp(name, "glibc.malloc.", 13) != 0)
        return;
    for (size_t i = 0; i < sizeof tuned / sizeof tuned[0]; i++)
        if (strcmp(name + 13, tuned[i].tunable) == 0)
            expect_mallopt(o, tuned[i].parameter, clamp(value));
    if (strcmp(name + 13, "tcache_count") == 0)
        o->cache_count = value;
    if (strcmp(name + 13, "tcache_max") == 0) {
        unsigned long long granules = value > SIZE_MAX - 64 ? SIZE_MAX : (value + 8 + 15) / 16;
        granules = granules < 2 ? 2 : granules;
        o->cache_max_granules = granules < CACHE_MAX_GRANULES ? granules : CACHE_MAX_GRANULES;
    }
}

static void expect_tunables(struct options *o, const char *text) {
    char copy[TEXT_MAX + 1], *rest = copy;
    if (text == NULL)
        return;
    strcpy(copy, text);
    for (char *entry; (entry = strsep(&rest, ":")) != NULL;) {
        char *equals = strchr(entry, '=');
        unsigned long long value;
        if (equals == NULL || !read_whole(equals + 1, &value))
            continue;
        *equals = '\0';
        expect_tunable(o, entry, value);
    }
}

/* `o`: as they are without any variable. */
static void expect_environment(struct options *o) {
    unsigned long long value;
    for (size_t i = 0; i < sizeof tuned / sizeof tuned[0]; i++)
        if (tuned[i].variable != NULL && read_whole(variable(tuned[i].variable), &value))
            expect_mallopt(o, tuned[i].parameter, clamp(value));
    expect_tunables(o, variable("GLIBC_TUNABLES"));
    if (read_whole(variable("CHUNKPROOF_CHECK"), &value))
        o->check_every = value;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void require(const char *field, size_t found, size_t expected) {
    if (found != expected)
        sim_break("options", "%s is %zu, not %zu", field, found, expected);
}

static void compare(const struct options *o) {
#define REQUIRE(field) require(#field, options.field, o->field)
    REQUIRE(mxfast_granules);
    REQUIRE(trim_threshold_bytes);
    REQUIRE(top_pad_bytes);
    REQUIRE(mmap_threshold_bytes);
    REQUIRE(mmap_threshold_fixed);
    REQUIRE(mmap_max);
    REQUIRE(perturb);
    REQUIRE(arena_test);
    REQUIRE(arena_max);
    REQUIRE(cache_count);
    REQUIRE(cache_max_granules);
    REQUIRE(check_every);
#undef REQUIRE
}

static void do_mallopt(struct options *o, const char *line) {
    int parameter, value;
    if (sscanf(line, "%d %d", &parameter, &value) != 2)
        return;
    int found = target.mallopt(parameter, value), expected = expect_mallopt(o, parameter, value);
    if (found != expected)
        sim_break("mallopt", "mallopt(%d, %d) returned %d, not %d", parameter, value, found,
                  expected);
    compare(o);
}

static void serve(void) {
    static const size_t sizes[] = {0, 24, 100, 1000, 5000, 40000, 200000};
    void *p[sizeof sizes / sizeof sizes[0]];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        p[i] = target.malloc(sizes[i]);
        if (p[i] == NULL && sim_account.failures == 0)
            sim_break("serve", "malloc(%zu) failed, but the system did not", sizes[i]);
        if (p[i] != NULL) {
            memset(p[i], 0x5a, sizes[i]);
            sim_wrote(p[i], sizes[i]);
        }
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        target.free(p[i]);
    target.trim(0);
    struct cp_breach breach;
    if (!target.check(&breach))
        sim_break("walker", "invariant %s", cp_invariant_name(breach.invariant));
}

static void start_world(const struct sim_environment *environment) {
    sim_reset(&(struct sim_config){
        .seed = 1, .cpus = 1, .limit_bytes = (size_t)64 << 20, .environment = environment});
    target.start();
}

static struct options defaults;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    counters_open();
    start_world(NULL);
    defaults = options;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct options expected = defaults;
    split(data, size);
    start_world(in.environment);
    expect_environment(&expected);
    compare(&expected);
    for (unsigned i = 0; i < in.mallopts; i++)
        do_mallopt(&expected, in.mallopt[i]);
    serve();
    counters_add(in.variables + in.mallopts);
    return 0;
}
