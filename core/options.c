/* options.c: see options.h. Owns struct options; needs no lock. */
#include "options.h"

#include <malloc.h>
#include <string.h>

#include "config.h"
#include "os.h"
#include "size.h"

struct options options;

/* As glibc counts: chunks of up to `bytes` bytes, header included. */
static size_t mxfast_granules(size_t bytes) {
    return (bytes + CHUNK_OVERHEAD_BYTES) / GRANULE_BYTES;
}

static void set_mmap_threshold(size_t bytes) {
    option_set(&options.mmap_threshold_bytes, bytes);
    option_set(&options.mmap_threshold_fixed, 1);
}

int options_set(int parameter, int value) {
    size_t size = (size_t)value; /* as in glibc: -1 is "never" */
    switch (parameter) {
    case M_MXFAST:
        if (size > MXFAST_LIMIT_BYTES)
            return 0;
        option_set(&options.mxfast_granules, mxfast_granules(size));
        return 1;
    case M_TRIM_THRESHOLD:
        option_set(&options.trim_threshold_bytes, size);
        option_set(&options.trim_threshold_fixed, 1);
        option_set(&options.mmap_threshold_fixed, 1);
        return 1;
    case M_TOP_PAD:
        option_set(&options.top_pad_bytes, size);
        option_set(&options.mmap_threshold_fixed, 1);
        return 1;
    case M_MMAP_THRESHOLD:
        set_mmap_threshold(size);
        return 1;
    case M_MMAP_MAX:
        option_set(&options.mmap_max, size);
        option_set(&options.mmap_threshold_fixed, 1);
        return 1;
    case M_PERTURB:
        option_set(&options.perturb, (unsigned char)value);
        return 1;
    case M_ARENA_TEST:
        if (value > 0)
            option_set(&options.arena_test, size);
        return 1;
    case M_ARENA_MAX:
        if (value > 0)
            option_set(&options.arena_max, size);
        return 1;
    default: /* M_CHECK_ACTION has had no effect since glibc 2.26; unknown ones neither */
        return 1;
    }
}

bool options_watch(void) {
    return option(&options.perturb) != 0 || option(&options.check_every) != 0;
}

void options_mapping_freed(size_t bytes) {
    if (option(&options.mmap_threshold_fixed) != 0 || bytes > MMAP_THRESHOLD_MAX_BYTES ||
        bytes <= option(&options.mmap_threshold_bytes))
        return;
    option_set(&options.mmap_threshold_bytes, bytes);
    option_set(&options.trim_threshold_bytes, 2 * bytes);
}

/* ---- The environment -------------------------------------------------------------------------- */

/* A number as strtoul(…, 0) reads it, ending at `end`; false when there is none. */
static bool parse_number(const char *text, const char *end, size_t *number) {
    unsigned radix = 10;
    if (end - text > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        radix = 16;
        text += 2;
    } else if (end - text > 1 && text[0] == '0')
        radix = 8;
    size_t n = 0;
    const char *c = text;
    for (; c < end; c++) {
        unsigned digit = (*c >= '0' && *c <= '9')   ? (unsigned)(*c - '0')
                         : (*c >= 'a' && *c <= 'f') ? (unsigned)(*c - 'a') + 10
                         : (*c >= 'A' && *c <= 'F') ? (unsigned)(*c - 'A') + 10
                                                    : 99;
        if (digit >= radix)
            break;
        if (__builtin_mul_overflow(n, radix, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    *number = n;
    return c > text && c == end;
}

/* GLIBC_TUNABLES: name=value:name=value. A later entry overrides an earlier one; an entry that
 * is no number or out of range is ignored, as glibc does. */
static void set_tunable(const char *name, size_t length, size_t value) {
    static const char prefix[] = "glibc.malloc.";
    size_t skip = sizeof prefix - 1;
    if (length <= skip || memcmp(name, prefix, skip) != 0)
        return;
    struct {
        const char *name;
        int parameter;
    } const by_mallopt[] = {
        {"top_pad", M_TOP_PAD},
        {"mmap_max", M_MMAP_MAX},
        {"arena_max", M_ARENA_MAX},
        {"arena_test", M_ARENA_TEST},
        {"perturb", M_PERTURB},
        {"mmap_threshold", M_MMAP_THRESHOLD},
        {"trim_threshold", M_TRIM_THRESHOLD},
        {"mxfast", M_MXFAST},
    };
    const char *rest = name + skip;
    length -= skip;
    for (size_t i = 0; i < sizeof by_mallopt / sizeof by_mallopt[0]; i++)
        if (strlen(by_mallopt[i].name) == length && memcmp(rest, by_mallopt[i].name, length) == 0)
            options_set(by_mallopt[i].parameter, value > INT32_MAX ? INT32_MAX : (int)value);
    if (length == 12 && memcmp(rest, "tcache_count", length) == 0)
        option_set(&options.cache_count, value);
    if (length == 10 && memcmp(rest, "tcache_max", length) == 0) {
        uint32_t granules = size_to_granules(value);
        option_set(&options.cache_max_granules,
                   granules < CACHE_MAX_GRANULES && granules != 0 ? granules : CACHE_MAX_GRANULES);
    }
}

static void read_tunables(const char *text) {
    while (text != NULL && *text != '\0') {
        const char *end = strchrnul(text, ':');
        const char *equals = memchr(text, '=', (size_t)(end - text));
        size_t value;
        if (equals != NULL && parse_number(equals + 1, end, &value))
            set_tunable(text, (size_t)(equals - text), value);
        text = *end == ':' ? end + 1 : end;
    }
}

static bool read_number(const char *name, size_t *value) {
    const char *text = os_environment(name);
    return text != NULL && parse_number(text, text + strlen(text), value);
}

static void read_variable(const char *name, int parameter) {
    size_t value;
    if (read_number(name, &value))
        options_set(parameter, value > INT32_MAX ? INT32_MAX : (int)value);
}

void options_start(void) {
    options = (struct options){
        .mxfast_granules = mxfast_granules(MXFAST_DEFAULT_BYTES),
        .trim_threshold_bytes = TRIM_THRESHOLD_DEFAULT_BYTES,
        .top_pad_bytes = TOP_PAD_DEFAULT_BYTES,
        .mmap_threshold_bytes = MMAP_THRESHOLD_DEFAULT_BYTES,
        .mmap_max = MMAP_MAX_DEFAULT,
        .arena_test = ARENA_TEST_DEFAULT,
        .cache_count = SIZE_MAX,
        .cache_max_granules = CACHE_MAX_GRANULES,
    };
    read_variable("MALLOC_MMAP_MAX_", M_MMAP_MAX);
    read_variable("MALLOC_MMAP_THRESHOLD_", M_MMAP_THRESHOLD);
    read_variable("MALLOC_TRIM_THRESHOLD_", M_TRIM_THRESHOLD);
    read_variable("MALLOC_TOP_PAD_", M_TOP_PAD);
    read_variable("MALLOC_PERTURB_", M_PERTURB);
    read_variable("MALLOC_ARENA_MAX", M_ARENA_MAX);
    read_variable("MALLOC_ARENA_TEST", M_ARENA_TEST);
    read_tunables(os_environment("GLIBC_TUNABLES"));
    size_t every;
    if (read_number("CHUNKPROOF_CHECK", &every))
        option_set(&options.check_every, every);
}
