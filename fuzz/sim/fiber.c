/* fiber.c: see fiber.h. Switches stacks by hand; x86-64 and aarch64.
 *
 * A stack is made when its fiber first starts and kept for later runs: pages that were never
 * touched cost nothing, a guard page below catches an overflow. What belongs to a thread and is not
 * on its stack is swapped here: errno, and the core's thread-local variables (thread_words.h).
 */
#include "fiber.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config.h"

#define STACK_BYTES ((size_t)256 << 10)
#define WORDS_BYTES 64u

/* Saves the caller's registers on its stack and the stack's place in *save, then goes on with the
 * stack at `load`. Floating-point control words stay: nobody changes them. */
void fiber_swap_stacks(void **save, void *load);

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl fiber_swap_stacks\n"
        ".type fiber_swap_stacks, @function\n"
        "fiber_swap_stacks:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap_stacks, . - fiber_swap_stacks\n");
/* Six registers, the entry, and a return address of 0, at which backtraces end. */
enum { FRAME_WORDS = 8, FRAME_ENTRY = 6 };
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl fiber_swap_stacks\n"
        ".type fiber_swap_stacks, %function\n"
        "fiber_swap_stacks:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size fiber_swap_stacks, . - fiber_swap_stacks\n");
/* Twenty registers; the entry is the link register x30. */
enum { FRAME_WORDS = 20, FRAME_ENTRY = 11 };
#else
#error "no context switch for this machine: build with fiber_pthread.c"
#endif

struct fiber {
    void *stack; /* lowest usable address; NULL: none yet */
    void *place; /* of the saved registers, while it does not run */
    void *fake_stack; /* AddressSanitizer's */
    int error; /* errno */
    unsigned char words[WORDS_BYTES];
};
static struct fiber fibers[FIBERS_MAX + 1];

/* ---- AddressSanitizer: it must be told which stack is the current one ------------------------- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED_BY_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WATCHED_BY_ASAN 1
#endif

#ifdef WATCHED_BY_ASAN
#include <sanitizer/common_interface_defs.h>
static const void *host_stack;
static size_t host_stack_bytes;

static void before_switch(struct fiber *from, unsigned to, bool for_good) {
    const void *stack = to == FIBER_HOST ? host_stack : fibers[to].stack;
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake_stack, stack,
                                   to == FIBER_HOST ? host_stack_bytes : STACK_BYTES);
}
/* The host is always the first to be left. */
static void after_switch(void *fake_stack) {
    const void *old;
    size_t old_bytes;
    __sanitizer_finish_switch_fiber(fake_stack, &old, &old_bytes);
    if (host_stack == NULL) {
        host_stack = old;
        host_stack_bytes = old_bytes;
    }
}
#else
static void before_switch(struct fiber *from, unsigned to, bool for_good) {
    (void)from, (void)to, (void)for_good;
}
static void after_switch(void *fake_stack) { (void)fake_stack; }
#endif

/* ---- what belongs to a thread ----------------------------------------------------------------- */

extern unsigned char __start_cp_thread_words[] __attribute__((weak));
extern unsigned char __stop_cp_thread_words[] __attribute__((weak));
static unsigned char fresh_words[WORDS_BYTES];

static size_t words_bytes(void) {
    return (size_t)((uintptr_t)__stop_cp_thread_words - (uintptr_t)__start_cp_thread_words);
}

/* Before any constructor of the core: what a thread finds when it begins. */
__attribute__((constructor(101))) static void keep_fresh_words(void) {
    if (words_bytes() == 0 || words_bytes() > WORDS_BYTES) {
        fprintf(stderr,
                "fuzz: the core's thread-local variables take %zu bytes, not 1 to %u: "
                "was it built with -include thread_words.h?\n",
                words_bytes(), WORDS_BYTES);
        exit(2);
    }
    memcpy(fresh_words, __start_cp_thread_words, words_bytes());
}

/* ---- fibers ----------------------------------------------------------------------------------- */

static void (*entries[FIBERS_MAX])(void);
static unsigned running = FIBER_HOST;

static void first_steps(void) {
    after_switch(NULL);
    entries[running]();
    abort(); /* an entry does not return */
}

static unsigned char *all_stacks;
#define STACK_STEP (STACK_BYTES + PAGE_BYTES)

static void *make_stack(unsigned n) {
    if (all_stacks == NULL)
        all_stacks = mmap(NULL, FIBERS_MAX * STACK_STEP, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all_stacks == MAP_FAILED ||
        mprotect(all_stacks + n * STACK_STEP, PAGE_BYTES, PROT_NONE) != 0) {
        fprintf(stderr, "fuzz: no memory for a fiber's stack: %s\n", strerror(errno));
        exit(2);
    }
    return all_stacks + n * STACK_STEP + PAGE_BYTES;
}

bool fiber_owns(const volatile void *p) {
    return (uintptr_t)p - (uintptr_t)all_stacks < FIBERS_MAX * STACK_STEP ||
           (uintptr_t)p - (uintptr_t)__start_cp_thread_words < words_bytes();
}

void fiber_start(unsigned n, void (*entry)(void)) {
    struct fiber *f = &fibers[n];
    if (f->stack == NULL)
        f->stack = make_stack(n);
    uintptr_t *frame = (uintptr_t *)((uintptr_t)f->stack + STACK_BYTES) - FRAME_WORDS;
    memset(frame, 0, FRAME_WORDS * sizeof *frame);
    frame[FRAME_ENTRY] = (uintptr_t)first_steps;
    f->place = frame;
    f->error = 0;
    f->fake_stack = NULL;
    memcpy(f->words, fresh_words, WORDS_BYTES);
    entries[n] = entry;
}

static void switch_to(unsigned from, unsigned to, bool for_good) {
    struct fiber *f = &fibers[from], *t = &fibers[to];
    f->error = errno;
    memcpy(f->words, __start_cp_thread_words, words_bytes());
    memcpy(__start_cp_thread_words, t->words, words_bytes());
    errno = t->error;
    running = to;
    before_switch(f, to, for_good);
    fiber_swap_stacks(&f->place, t->place);
    after_switch(f->fake_stack);
}

void fiber_switch(unsigned from, unsigned to) { switch_to(from, to, false); }

void fiber_leave(unsigned from, unsigned to) {
    switch_to(from, to, true);
    abort(); /* nobody switches to what has ended */
}
