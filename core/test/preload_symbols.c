/* preload_symbols.c: every name of the malloc family comes from the same library, what the C
 * library allocates by itself can be freed by the program, and the C library's own clean-up at
 * exit does no harm.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <locale.h>
#include <malloc.h>
#include <search.h>

#include "kit.h"

static const char *const family[] = {
    "malloc",         "calloc",
    "realloc",        "reallocarray",
    "free",           "cfree",
    "memalign",       "aligned_alloc",
    "posix_memalign", "valloc",
    "pvalloc",        "mallopt",
    "malloc_trim",    "mallinfo",
    "mallinfo2",      "malloc_info",
    "malloc_stats",   "malloc_usable_size",
    "free_sized",     "free_aligned_sized",
};
static const char *const added[] = {"cp_malloc",     "cp_free",        "cp_check",
                                    "cp_check_here", "cp_check_print", "cp_invariant_name"};

static const char *library_of(const char *name) {
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, name);
    return address != NULL && dladdr(address, &info) != 0 ? info.dli_fname : NULL;
}

static void require_from(const char *library, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *found = library_of(names[i]);
        if (found == NULL || strcmp(found, library) != 0) {
            say(STDERR_FILENO, "%s: from %s\n", names[i], found == NULL ? "nowhere" : found);
            _exit(1);
        }
    }
}

static void keep_key(void *key) { (void)key; }
static int compare(const void *a, const void *b) { return strcmp(a, b); }

static void free_what_libc_allocates(void) {
    char *line = NULL;
    size_t length = 0;
    FILE *input = fopen("/proc/self/maps", "r");
    REQUIRE(input != NULL && getline(&line, &length, input) > 0);
    REQUIRE(malloc_usable_size(line) >= length);
    fclose(input);
    free(line);
    char *text = strdup("a string");
    REQUIRE(text != NULL && malloc_usable_size(text) >= 9);
    text = realloc(text, 100000);
    REQUIRE(text != NULL && strcmp(text, "a string") == 0);
    free(text);
    REQUIRE(asprintf(&text, "%0500d", 7) == 500);
    free(text);
    char *path = realpath("/proc/self/../self", NULL);
    REQUIRE(path != NULL);
    free(path);
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    REQUIRE(out != NULL);
    for (int i = 0; i < 10000; i++)
        fprintf(out, "%d\n", i);
    fclose(out);
    REQUIRE(bytes == 48890 && strlen(text) == bytes);
    free(text);
    REQUIRE(setlocale(LC_ALL, "C") != NULL);
    void *root = NULL;
    REQUIRE(tsearch("key", &root, compare) != NULL);
    tdestroy(root, keep_key); /* frees the nodes */
}

int main(void) {
    const char *library = library_of("malloc");
    REQUIRE(library != NULL);
    printf("symbols: from %s\n", library);
    if (getenv("LD_PRELOAD") != NULL) { /* glibc itself lacks some of them */
        REQUIRE(strstr(library, "chunkproof") != NULL);
        require_from(library, family, sizeof family / sizeof *family);
        require_from(library, added, sizeof added / sizeof *added);
    }
    struct mallinfo (*info)(void) = NULL;
    *(void **)&info = dlsym(RTLD_DEFAULT, "mallinfo");
    REQUIRE(info != NULL && (size_t)info().arena == mallinfo2().arena);

    free_what_libc_allocates();
    setvbuf(stdout, malloc(5000), _IOFBF, 5000); /* in use until the very end */
    printf("symbols: buffered\n");
    void (*clean_up)(void) = NULL;
    *(void **)&clean_up = dlsym(RTLD_DEFAULT, "__libc_freeres");
    REQUIRE(clean_up != NULL);
    void *before = opaque(malloc(1000));
    clean_up(); /* as memory checkers call it at exit; allocating goes on */
    free(before);
    free(opaque(malloc(1000)));
    return 0;
}
