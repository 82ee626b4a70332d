/* stores.h: included before each file of the core (-include): every store of the core marks its page
 * as written (dirty.h), so that the world need not search for what it must clean.
 *
 * The compiler's thread sanitizer calls these at each access; here loads are nothing, and stores a
 * few instructions in line. Where races are looked for (CP_RACES) race.c is called as well. What
 * memset and the like write is marked by race.c in either case: their names are changed to
 * sim_memset and so on in the finished objects.
 */
#ifndef CP_STORES_H
#define CP_STORES_H

#include "sim/dirty.h"
#include "sim/race.h"

/* Some object of the program was compiled with this file. */
__attribute__((weak)) char sim_stores_marked = 1;

#define CP_HOOK                                                                                    \
    static inline __attribute__((used, always_inline, nodebug, no_sanitize("thread", "undefined")))

#ifdef CP_RACES
#define CP_RACE(access, p) (__builtin_expect(race_watching, 0) ? race_##access(p) : (void)0)
#else
#define CP_RACE(access, p) ((void)(p))
#endif

/* Called unaligned is what may not lie at a multiple of 8: 16 bytes that are not called so may still reach into the
 * next part. */
#define CP_ACCESS(bytes)                                                                           \
    CP_HOOK void __tsan_read##bytes(void *p) { CP_RACE(read##bytes, p); }                          \
    CP_HOOK void __tsan_unaligned_read##bytes(void *p) { CP_RACE(read##bytes, p); }                \
    CP_HOOK void __tsan_write##bytes(void *p) {                                                    \
        sim_mark(p);                                                                               \
        if ((bytes) > 8)                                                                           \
            sim_mark((char *)p + (bytes)-1);                                                       \
        CP_RACE(write##bytes, p);                                                                  \
    }                                                                                              \
    CP_HOOK void __tsan_unaligned_write##bytes(void *p) {                                          \
        sim_mark(p);                                                                               \
        sim_mark((char *)p + (bytes)-1);                                                           \
        CP_RACE(write##bytes, p);                                                                  \
    }
CP_ACCESS(1)
CP_ACCESS(2)
CP_ACCESS(4)
CP_ACCESS(8)
CP_ACCESS(16)
CP_HOOK void __tsan_init(void) {}

#undef CP_ACCESS
#undef CP_RACE
#undef CP_HOOK

#endif
