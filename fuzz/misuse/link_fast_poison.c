/* The poisoned link of a fast bin leads into a block that the attacker controls. */
// expect: corrupted fast bin
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    char *q = block(SMALL);
    char *target = block(LARGE);
    free(q);
    free(p);
    expect_at(p);
    expect_at(p - 16);
    expect_at(target);
    expect_at(target + 16);
    memcpy(target, p - 16, 16);
    *(uint32_t *)(void *)p += (uint32_t)((target - q) / 16 + 1);
    block(SMALL);
    char *got = block(SMALL);
    return got >= target && got < target + LARGE ? 4 : 5;
}
