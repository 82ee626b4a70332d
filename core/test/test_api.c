/* test_api.c: the semantics of every cp_ function. The checks stand in api_checks.h. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../chunkproof.h"
#include "api_checks.h"

static void test_check(void **state) { assert_true(check_passes(*state)); }

int main(void) {
    struct CMUnitTest tests[CHECKS];
    for (size_t i = 0; i < CHECKS; i++)
        tests[i] = (struct CMUnitTest){checks[i].name, test_check, NULL, NULL,
                                       (void *)(uintptr_t)&checks[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
