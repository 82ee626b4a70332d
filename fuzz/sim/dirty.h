/* dirty.h: which parts of the world were written since they were last zero.
 *
 * The core's stores mark them by instrumentation (stores.h, race.c), the harness by hand
 * (sim_wrote). Where the core was built without, the world reads it all to know.
 */
#ifndef CP_DIRTY_H
#define CP_DIRTY_H

#include <stddef.h>
#include <stdint.h>

/* All addresses of all worlds; above the shadow of AddressSanitizer. */
#define SIM_FIRST ((uintptr_t)0x110000000000)
#define SIM_BYTES ((size_t)2 << 36)
#define SIM_PART_SHIFT 9u
#define SIM_PART_BYTES ((size_t)1 << SIM_PART_SHIFT)

extern uint8_t sim_dirty[SIM_BYTES >> SIM_PART_SHIFT]; /* 1: written */

__attribute__((always_inline, nodebug, no_sanitize("thread", "undefined"))) static inline void
sim_mark(const volatile void *p) {
    size_t offset = (uintptr_t)p - SIM_FIRST;
    if (offset < SIM_BYTES)
        sim_dirty[offset >> SIM_PART_SHIFT] = 1;
}

/* Whoever else writes to the world says so. */
void sim_wrote(const volatile void *p, size_t bytes);

#endif
