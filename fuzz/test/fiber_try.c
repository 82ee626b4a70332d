/* fiber_try.c: each fiber keeps integers, floating-point numbers, errno and thread-local words over
 * switches, begins anew when started anew, and is not met again once it has left. Ends with 1 and a
 * line if one does not. Built by fiber.sh for each machine that fiber.c knows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/fiber.h"

enum { ROUNDS = 1000 };

static _Thread_local unsigned mine = 7; /* what a thread begins with */
static unsigned number, begun, ended, switches;

static void expect(bool holds, const char *what) {
    if (holds)
        return;
    printf("fiber %u, switch %u: %s\n", number, switches, what);
    exit(1);
}

/* From fiber `me` round to itself. */
static void round_trip(unsigned me) {
    switches++;
    number = (me + 1) % FIBERS_MAX;
    fiber_switch(me, number == 0 ? FIBER_HOST : number);
    expect(number == me, "another fiber was meant");
}

/* Read anew behind each switch, so that the compiler cannot know what was kept. */
static volatile unsigned long words[FIBERS_MAX][7];
static volatile double reals[FIBERS_MAX][7];

static void fill(void) {
    for (unsigned n = 0; n < FIBERS_MAX; n++)
        for (unsigned k = 0; k < 7; k++) {
            words[n][k] = 100 * n + k;
            reals[n][k] = 1.0 / (100 * n + k + 1);
        }
}

/* As many values live over the switch as there are registers that a call must keep. */
static void keep_values(unsigned me, unsigned round) {
    volatile unsigned long *w = words[me];
    volatile double *r = reals[me];
    unsigned long a = w[0], b = w[1], c = w[2], d = w[3], e = w[4], f = w[5], g = w[6];
    double s = r[0], t = r[1], u = r[2], v = r[3], x = r[4], y = r[5], z = r[6];
    errno = (int)(me + round);
    mine += me;
    unsigned before = mine;
    round_trip(me);
    expect(errno == (int)(me + round), "errno");
    expect(mine == before, "a thread-local word");
    expect(a == w[0] && b == w[1] && c == w[2] && d == w[3] && e == w[4] && f == w[5] && g == w[6],
           "an integer");
    expect(s == r[0] && t == r[1] && u == r[2] && v == r[3] && x == r[4] && y == r[5] && z == r[6],
           "a floating-point number");
}

static void run(void) {
    unsigned me = number;
    int on_stack = 0;
    expect(mine == 7 && errno == 0, "it does not begin as a thread does");
    expect(fiber_owns(&on_stack) && fiber_owns(&mine) && !fiber_owns(&begun), "what it owns");
    begun++;
    for (unsigned round = 0; round < ROUNDS; round++)
        keep_values(me, round);
    ended++;
    switches++;
    number = (me + 1) % FIBERS_MAX;
    fiber_leave(me, number == 0 ? FIBER_HOST : number);
}

static void rounds_of_host(unsigned count) {
    for (unsigned round = 0; round < count; round++) {
        switches++;
        number = 1;
        fiber_switch(FIBER_HOST, 1);
        expect(number == 0, "the host was meant");
    }
}

int main(void) {
    fill();
    for (unsigned n = 1; n < FIBERS_MAX; n++)
        fiber_start(n, run);
    rounds_of_host(ROUNDS / 2);
    for (unsigned n = 1; n < FIBERS_MAX; n++)
        fiber_start(n, run); /* in the middle of their rounds */
    rounds_of_host(ROUNDS + 1);
    expect(begun == 2 * (FIBERS_MAX - 1) && ended == FIBERS_MAX - 1,
           "not each began twice and ended once");
    printf("fibers: %u switches\n", switches);
    return 0;
}
