/* target_dynamic.c: any other malloc, reached through its public names.
 *
 * FUZZ_MALLOC names a shared library, or is "libc" for the process's own. The library is opened
 * for itself: the harness and the engine go on with the C library's malloc. Calls the library does
 * not have are made of those it has, or do nothing: mallopt, malloc_trim and the statistics
 * are no part of what every malloc owes.
 *
 * The programs are judged by what chunkproof.h promises, which is glibc's interface. Where another
 * library has good right to differ, FUZZ_ALLOW (names, separated by commas) makes this file hide
 * the difference, so that the run can look for more. The names are in `allowances`.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "target.h"

/* So that what cannot be had is refused everywhere, whatever the machine: less than the least
 * alignment that must fail, 1 TiB, and more than the simulated world keeps reserved. */
#define ADDRESS_SPACE_BYTES ((rlim_t)256 << 30)

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    size_t (*usable_size)(void *);
    /* These may be NULL. */
    void *(*reallocarray)(void *, size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    int (*trim)(size_t);
} lib;

static struct {
    const char *name, *why;
    bool on;
} allowances[] = {
    {"align-small", "blocks below 16 bytes are aligned to less than 16 (C23 7.24.3)", false},
    {"realloc-zero", "realloc(p, 0) gives a block (C17: implementation-defined)", false},
    {"align-lenient", "aligned_alloc and memalign take alignments that are none", false},
    {"errno-kept", "calls that succeed set errno (C17 7.5)", false},
    {"errno-failed", "a call that fails leaves errno (C17; POSIX asks for ENOMEM)", false},
    {"memalign-odd", "memalign refuses what is no power of two", false},
    {"huge", "sizes above PTRDIFF_MAX are looked at late", false},
};
enum {
    ALIGN_SMALL,
    REALLOC_ZERO,
    ALIGN_LENIENT,
    ERRNO_KEPT,
    ERRNO_FAILED,
    MEMALIGN_ODD,
    HUGE_SIZES
};

static bool allow(unsigned i) { return allowances[i].on; }

/* ---- loading -------------------------------------------------------------------------------- */

static _Noreturn void refuse(const char *what, const char *why) {
    fprintf(stderr, "fuzz: %s: %s\n", what, why);
    exit(2);
}

/* The library's own function: dlsym also finds those of the libraries it needs. */
static void *own(void *library, const char *name, bool required) {
    struct link_map *map;
    Dl_info info;
    void *f = dlsym(library, name);
    if (f != NULL && dladdr(f, &info) != 0 && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 &&
        (uintptr_t)info.dli_fbase == map->l_addr)
        return f;
    if (required)
        refuse(getenv("FUZZ_MALLOC"), "has no malloc family of its own");
    return NULL;
}

/* ISO C has no cast from void * to a function. */
#define OWN(field, name, required)                                                                 \
    do {                                                                                           \
        void *f = own(library, name, required);                                                    \
        memcpy(&lib.field, &f, sizeof f);                                                          \
    } while (0)

static void load(void) {
    const char *path = getenv("FUZZ_MALLOC");
    if (path == NULL || *path == '\0')
        refuse("FUZZ_MALLOC", "names no library; or say libc");
    bool is_libc = strcmp(path, "libc") == 0;
    void *library = is_libc ? dlopen("libc.so.6", RTLD_NOW) : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        refuse(path, dlerror());
    OWN(malloc, "malloc", true);
    OWN(calloc, "calloc", true);
    OWN(realloc, "realloc", true);
    OWN(free, "free", true);
    OWN(aligned_alloc, "aligned_alloc", true);
    OWN(posix_memalign, "posix_memalign", true);
    OWN(usable_size, "malloc_usable_size", true);
    OWN(reallocarray, "reallocarray", false);
    OWN(memalign, "memalign", false);
    OWN(valloc, "valloc", false);
    OWN(pvalloc, "pvalloc", false);
    OWN(trim, "malloc_trim", false);
}

static void read_allowances(void) {
    const char *text = getenv("FUZZ_ALLOW");
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, ","), i = 0, count = sizeof allowances / sizeof *allowances;
        while (i < count && (strncmp(allowances[i].name, text, length) != 0 ||
                             allowances[i].name[length] != '\0'))
            i++;
        if (i == count) {
            for (i = 0; i < count; i++)
                fprintf(stderr, "fuzz: FUZZ_ALLOW=%s: %s\n", allowances[i].name, allowances[i].why);
            refuse(text, "no such allowance");
        }
        allowances[i].on = true;
        text += length + (text[length] == ',');
    }
}

static void start(void) {
    if (lib.malloc != NULL)
        return;
    load();
    read_allowances();
    struct rlimit limit = {ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES};
    setrlimit(RLIMIT_AS, &limit);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static size_t at_least(size_t size) { return allow(ALIGN_SMALL) && size < 16 ? 16 : size; }

/* What a call that returned p leaves in errno, where the library may do otherwise. */
static void *settled(void *p, int before) {
    if (p == NULL && allow(ERRNO_FAILED) && errno != EINVAL)
        errno = ENOMEM;
    else if (p != NULL && allow(ERRNO_KEPT))
        errno = before;
    return p;
}

static bool too_large(size_t size) {
    if (!allow(HUGE_SIZES) || size <= PTRDIFF_MAX)
        return false;
    errno = ENOMEM;
    return true;
}

static void *call_malloc(size_t size) {
    int before = errno;
    return too_large(size) ? NULL : settled(lib.malloc(at_least(size)), before);
}

static void *call_calloc(size_t count, size_t each) {
    int before = errno;
    size_t bytes;
    if (allow(ALIGN_SMALL) && !__builtin_mul_overflow(count, each, &bytes) && bytes < 16)
        return settled(lib.calloc(1, 16), before);
    return settled(lib.calloc(count, each), before);
}

static void call_free(void *p) {
    int before = errno;
    lib.free(p);
    if (allow(ERRNO_KEPT))
        errno = before;
}

static void *call_realloc(void *p, size_t size) {
    int before = errno;
    if (size == 0 && p != NULL && allow(REALLOC_ZERO)) {
        call_free(p);
        return NULL;
    }
    return too_large(size) ? NULL : settled(lib.realloc(p, at_least(size)), before);
}

static void *call_reallocarray(void *p, size_t count, size_t each) {
    size_t bytes;
    if (__builtin_mul_overflow(count, each, &bytes)) {
        if (lib.reallocarray != NULL)
            return settled(lib.reallocarray(p, count, each), errno);
        errno = ENOMEM;
        return NULL;
    }
    if (lib.reallocarray == NULL || bytes < 16 || bytes > PTRDIFF_MAX)
        return call_realloc(p, bytes);
    return settled(lib.reallocarray(p, count, each), errno);
}

static void call_free_sized(void *p, size_t size) {
    (void)size;
    call_free(p);
}

static void call_free_aligned_sized(void *p, size_t alignment, size_t size) {
    (void)alignment, (void)size;
    call_free(p);
}

static bool is_alignment(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

static void *bad_alignment(void) {
    errno = EINVAL;
    return NULL;
}

static void *call_aligned_alloc(size_t alignment, size_t size) {
    int before = errno;
    if (allow(ALIGN_LENIENT) && !is_alignment(alignment))
        return bad_alignment();
    return too_large(size) ? NULL : settled(lib.aligned_alloc(alignment, at_least(size)), before);
}

static void *call_memalign(size_t alignment, size_t size) {
    int before = errno;
    if (allow(MEMALIGN_ODD)) {
        size_t power = 1;
        if (alignment > SIZE_MAX / 2 + 1)
            return bad_alignment();
        while (power < alignment)
            power *= 2;
        alignment = power;
    }
    if (lib.memalign == NULL)
        return call_aligned_alloc(alignment, size);
    return too_large(size) ? NULL : settled(lib.memalign(alignment, at_least(size)), before);
}

static int call_posix_memalign(void **out, size_t alignment, size_t size) {
    int before = errno;
    int error = lib.posix_memalign(out, alignment, at_least(size));
    if (allow(ERRNO_KEPT))
        errno = before;
    return error;
}

static void *call_valloc(size_t size) {
    if (lib.valloc == NULL || too_large(size))
        return call_memalign(4096, size);
    int before = errno;
    return settled(lib.valloc(size), before);
}

static void *call_pvalloc(size_t size) {
    if (size > PTRDIFF_MAX - 4095 && (lib.pvalloc == NULL || allow(HUGE_SIZES))) {
        errno = ENOMEM;
        return NULL;
    }
    int before = errno;
    if (lib.pvalloc != NULL)
        return settled(lib.pvalloc(size), before);
    return call_memalign(4096, (size + 4095) & ~(size_t)4095);
}

static size_t call_usable_size(void *p) { return lib.usable_size(p); }

static int call_trim(size_t pad) { return lib.trim == NULL ? 0 : lib.trim(pad); }

/* ---- no part of what is judged -------------------------------------------------------------- */

static int call_mallopt(int parameter, int value) {
    return parameter != M_MXFAST || (value >= 0 && value <= 160);
}

static struct cp_mallinfo call_mallinfo2(void) { return (struct cp_mallinfo){0}; }

static int call_malloc_info(int options, FILE *out) {
    if (options != 0)
        return EINVAL;
    fputs("<malloc></malloc>\n", out);
    return 0;
}

static void call_malloc_stats(void) {}

const struct target target = {
    .name = "another malloc",
    .simulated = false,
    .start = start,
    .malloc = call_malloc,
    .calloc = call_calloc,
    .realloc = call_realloc,
    .reallocarray = call_reallocarray,
    .free = call_free,
    .free_sized = call_free_sized,
    .free_aligned_sized = call_free_aligned_sized,
    .aligned_alloc = call_aligned_alloc,
    .memalign = call_memalign,
    .posix_memalign = call_posix_memalign,
    .valloc = call_valloc,
    .pvalloc = call_pvalloc,
    .usable_size = call_usable_size,
    .mallopt = call_mallopt,
    .trim = call_trim,
    .mallinfo2 = call_mallinfo2,
    .malloc_info = call_malloc_info,
    .malloc_stats = call_malloc_stats,
};
