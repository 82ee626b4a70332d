/* states.c: see states.h. One function for each state, its entry being the edge. */
#include "states.h"

/* clang-format off */
#define EIGHT(use, n) \
    use(n##0) use(n##1) use(n##2) use(n##3) use(n##4) use(n##5) use(n##6) use(n##7)
#define SIXTY_FOUR(use, n) \
    EIGHT(use, n##0) EIGHT(use, n##1) EIGHT(use, n##2) EIGHT(use, n##3) \
    EIGHT(use, n##4) EIGHT(use, n##5) EIGHT(use, n##6) EIGHT(use, n##7)
#define ALL(use) /* numbers are octal */ \
    SIXTY_FOUR(use, 00) SIXTY_FOUR(use, 01) SIXTY_FOUR(use, 02) SIXTY_FOUR(use, 03) \
    SIXTY_FOUR(use, 04) SIXTY_FOUR(use, 05) SIXTY_FOUR(use, 06) SIXTY_FOUR(use, 07)

#define EDGE(n) \
    static __attribute__((noinline)) void edge_##n(void) { __asm__ volatile("" ::"i"(n)); }
ALL(EDGE)

#define ADDRESS(n) edge_##n,
static void (*const edges[])(void) = {ALL(ADDRESS)};
/* clang-format on */
_Static_assert(sizeof edges / sizeof edges[0] == STATES, "an edge for each");

void state_reached(unsigned state) { edges[state % STATES](); }
