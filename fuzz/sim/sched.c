/* sched.c: see sched.h. Knows threads and operations by number only. */
#include "sched.h"

#include <string.h>

#include "race.h"
#include "random.h"
#include "sim.h"

enum { OPERATIONS_MAX = 1024, CHANGES_MAX = 6, THINGS_MAX = 12 };
#define PRIORITY_FIRST (UINT32_MAX / 2)

enum state { READY, WAITS_FOR_LOCK, WAITS_FOR_OPERATION, WAITS_FOR_OTHERS, ENDED };

struct thread {
    enum state state;
    const void *lock; /* it waits for */
    unsigned after; /* operation it waits for */
    unsigned op; /* it performs, or is about to: its place in the order */
    bool performs; /* it is in the middle of op */
    unsigned first; /* operation whose preemptions apply ... */
    unsigned point; /* ... and switch points since that began */
    unsigned next_preemption; /* of the program's list */
    unsigned priority; /* the highest runs */
    const volatile void *at; /* what it stands before; NULL: nothing in particular */
    enum sched_access access;
    uint64_t held_until; /* this step, unless nobody else can run; 0: not held back */
    bool has_met; /* another one at the same: who goes first is drawn */
};

static struct {
    struct sched_program program;
    bool active;
    bool alone; /* the other threads have ended for good */
    unsigned held; /* sched_hold */
    struct thread thread[FIBERS_MAX];
    unsigned runs_left; /* operations before the order holds again */
    unsigned lowest; /* priority to fall to next */
    uint64_t step; /* switch points so far */
    uint64_t change[CHANGES_MAX]; /* steps at which the running thread falls */
    struct {
        uint64_t random;
        unsigned chance; /* of being held back before something shared: one in so many ... */
        unsigned chance_focus; /* ... and before this: */
        unsigned focus; /* number of that thing, in the order the run comes to them */
        unsigned things;
        const volatile void *thing[THINGS_MAX];
        unsigned patience; /* steps a thread is held back at most */
    } meet;
    uint64_t switches;
    uint64_t hash;
    uint8_t done[OPERATIONS_MAX];
} s;

struct sched_now sched_now;
void (*sched_on_switch)(unsigned from, unsigned to);

bool sched_is_running(void) { return s.active; }
uint64_t sched_switches(void) { return s.switches; }
uint64_t sched_hash(void) { return s.hash; }
bool sched_is_held(void) { return s.held != 0; }

/* With one thread left there is nothing to switch to, and nobody to race with. */
static void set_switching(void) {
    sched_now.switches = s.active && !s.alone && s.held == 0;
    race_watch(sched_now.switches);
}

void sched_hold(bool hold) {
    s.held += hold ? 1u : -1u;
    set_switching();
}

/* ---- choosing --------------------------------------------------------------------------------- */

static bool runs_before(const struct thread *a, const struct thread *b) {
    return s.program.pct != 0 ? a->priority > b->priority : a->op < b->op;
}

static uint32_t draw(uint32_t below) { return random_draw(&s.meet.random, below); }

/* Any ready thread other than `but`; one that is held back, or that is not. */
static unsigned choose_any(unsigned but, bool held) {
    unsigned any = FIBER_HOST;
    for (unsigned t = 0, count = 0; t < s.program.threads; t++)
        if (t != but && s.thread[t].state == READY && (s.thread[t].held_until != 0) == held &&
            draw(++count) == 0)
            any = t;
    return any;
}

/* The thread to run by policy, other than `but`; FIBER_HOST: none can. */
static unsigned choose(unsigned but) {
    unsigned best = FIBER_HOST;
    if (s.program.meetings) {
        best = choose_any(but, false);
        return best != FIBER_HOST ? best : choose_any(but, true);
    }
    for (unsigned t = 0; t < s.program.threads; t++)
        if (t != but && s.thread[t].state == READY &&
            (best == FIBER_HOST || runs_before(&s.thread[t], &s.thread[best])))
            best = t;
    return best;
}

static void set_current(unsigned thread) {
    sched_now.thread = thread;
    s.thread[thread].held_until = 0;
    s.thread[thread].has_met = false;
    race_thread(thread);
}

static void note_switch(unsigned to) {
    s.switches++;
    s.hash = (s.hash ^ (s.step << 8 | sched_now.thread << 4 | to)) * 0x100000001b3u;
    if (sched_on_switch != NULL)
        sched_on_switch(sched_now.thread, to);
}

static void switch_to(unsigned to) {
    unsigned from = sched_now.thread;
    if (to == from)
        return;
    note_switch(to);
    set_current(to);
    fiber_switch(from, to);
}

/* The current thread cannot go on. */
static unsigned choose_or_break(void) {
    unsigned to = choose(FIBER_HOST);
    if (to == FIBER_HOST)
        sim_break("deadlock", "no thread can go on");
    s.runs_left = 0;
    return to;
}

static void wait_as(enum state state) {
    s.thread[sched_now.thread].state = state;
    switch_to(choose_or_break());
}

static void fall(struct thread *t) { t->priority = s.lowest--; }

/* ---- switch points ---------------------------------------------------------------------------- */

static bool is_change(uint64_t step) {
    for (unsigned i = 0; i < CHANGES_MAX; i++)
        if (s.change[i] == step)
            return true;
    return false;
}

/* The first thread from `wish` on that can run. */
static unsigned ready_from(unsigned wish) {
    for (unsigned i = 0; i < s.program.threads; i++) {
        unsigned t = (wish + i) % s.program.threads;
        if (s.thread[t].state == READY)
            return t;
    }
    return sched_now.thread;
}

/* The preemption listed for this point of the current thread, or NULL. */
static const struct sched_preemption *preemption_here(void) {
    struct thread *t = &s.thread[sched_now.thread];
    const struct sched_preemption *list = s.program.preemption;
    for (unsigned i = t->next_preemption; i < s.program.preemptions && list[i].op == t->first; i++)
        if (list[i].point == t->point)
            return &list[i];
    return NULL;
}

static void preempt(const struct sched_preemption *p) {
    unsigned to = ready_from(p->thread % s.program.threads);
    if (to == sched_now.thread)
        return;
    s.runs_left = p->runs;
    if (s.program.pct != 0)
        fall(&s.thread[sched_now.thread]);
    switch_to(to);
}

/* ---- meetings --------------------------------------------------------------------------------- */

/* A thread that has been held back for long enough; FIBER_HOST: none. */
static unsigned overdue(void) {
    for (unsigned t = 0; t < s.program.threads; t++)
        if (s.thread[t].held_until != 0 && s.thread[t].held_until <= s.step)
            return t;
    return FIBER_HOST;
}

/* A thread that is held back before the same, if the order of the two may matter. */
static unsigned held_at_same(const struct thread *t) {
    for (unsigned o = 0; t->at != NULL && o < s.program.threads; o++) {
        const struct thread *other = &s.thread[o];
        if (other->held_until != 0 && !other->has_met && other->at == t->at &&
            (other->access == SCHED_WRITES || t->access == SCHED_WRITES))
            return o;
    }
    return FIBER_HOST;
}

/* One of the two goes first, and the other waits until that one has come to 1 .. 256 points. */
static void settle_meeting(unsigned other) {
    bool other_first = draw(2) != 0;
    struct thread *later = &s.thread[other_first ? sched_now.thread : other];
    later->held_until = s.step + (1u << draw(9));
    later->has_met = true;
    if (other_first)
        switch_to(other);
}

static bool is_focus(const volatile void *what) {
    unsigned i = 0;
    while (i < s.meet.things && s.meet.thing[i] != what)
        i++;
    if (i == s.meet.things && i < THINGS_MAX)
        s.meet.thing[s.meet.things++] = what;
    return i == s.meet.focus;
}

static void hold_back(struct thread *t) {
    unsigned to = choose_any(sched_now.thread, false);
    if (to == FIBER_HOST)
        return;
    if (t->at != NULL)
        t->held_until = s.step + s.meet.patience;
    switch_to(to);
}

static void meet(struct thread *t) {
    unsigned late = overdue(), other = held_at_same(t);
    if (late != FIBER_HOST)
        switch_to(late);
    else if (other != FIBER_HOST)
        settle_meeting(other);
    else if (draw(t->at != NULL && is_focus(t->at) ? s.meet.chance_focus : s.meet.chance) == 0)
        hold_back(t);
}

static void draw_meetings(void) {
    s.meet.random = s.program.pct * 0x9e3779b97f4a7c15u;
    s.meet.chance = 2u << draw(6);
    s.meet.chance_focus = 1u << draw(3);
    s.meet.focus = draw(2 * THINGS_MAX);
    s.meet.things = 0;
    s.meet.patience = 8u << draw(8);
}

void sched_point_among_threads(const volatile void *what, enum sched_access access) {
    struct thread *t = &s.thread[sched_now.thread];
    const struct sched_preemption *p = preemption_here();
    t->point++;
    s.step++;
    t->at = what;
    t->access = access;
    if (p != NULL) {
        preempt(p);
        return;
    }
    if (s.program.meetings) {
        meet(t);
        return;
    }
    if (s.program.pct == 0)
        return;
    if (is_change(s.step))
        fall(t);
    switch_to(choose(FIBER_HOST));
}

void sched_atomic_point(const volatile void *word, int writes);
void sched_atomic_point(const volatile void *word, int writes) {
    sched_point(word, writes ? SCHED_WRITES : SCHED_READS);
}

void sched_yield_now(void) {
    if (!sched_now.switches)
        return;
    unsigned to = choose(sched_now.thread);
    if (to == FIBER_HOST)
        return;
    fall(&s.thread[sched_now.thread]);
    s.runs_left = 1;
    switch_to(to);
}

void sched_block(const void *what) {
    s.thread[sched_now.thread].lock = what;
    wait_as(WAITS_FOR_LOCK);
}

void sched_wake(const void *what) {
    for (unsigned t = 0; s.active && t < s.program.threads; t++)
        if (s.thread[t].state == WAITS_FOR_LOCK && s.thread[t].lock == what)
            s.thread[t].state = READY;
}

/* ---- operations ------------------------------------------------------------------------------- */

static unsigned first_preemption(unsigned op) {
    unsigned low = 0, high = s.program.preemptions;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (s.program.preemption[middle].op < op)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The order of operations holds again when a preempting thread has had its turn. */
static void keep_order(void) {
    if (s.program.pct != 0 || s.held != 0)
        return;
    if (s.runs_left > 0 && --s.runs_left > 0)
        return;
    switch_to(choose(FIBER_HOST));
}

void sched_begin(unsigned op, unsigned first, unsigned after) {
    if (!s.active)
        return;
    struct thread *t = &s.thread[sched_now.thread];
    t->op = op;
    keep_order();
    while (after != op && !s.done[after]) {
        t->after = after;
        wait_as(WAITS_FOR_OPERATION);
    }
    if (after != op)
        race_operation_awaited(after);
    if (t->first != first) {
        t->first = first;
        t->point = 0;
        t->next_preemption = first_preemption(first);
    }
    sched_point(NULL, SCHED_READS);
    t->performs = true;
}

static bool others_ended(void) {
    for (unsigned t = 1; t < s.program.threads; t++)
        if (s.thread[t].state != ENDED)
            return false;
    return true;
}

static void wake_for(unsigned op) {
    for (unsigned t = 0; t < s.program.threads; t++)
        if (s.thread[t].state == WAITS_FOR_OPERATION && s.thread[t].after == op)
            s.thread[t].state = READY;
}

void sched_done(unsigned op) {
    if (!s.active)
        return;
    s.done[op] = 1;
    race_operation_done(op);
    s.thread[sched_now.thread].performs = false;
    wake_for(op);
}

bool sched_is_done(unsigned op) { return s.active && s.done[op] != 0; }

/* ---- threads ---------------------------------------------------------------------------------- */

static void thread_begins(void) {
    s.program.body(sched_now.thread);
    struct thread *self = &s.thread[sched_now.thread];
    unsigned from = sched_now.thread, to = FIBER_HOST;
    self->state = ENDED;
    if (from != 0) {
        if (s.thread[0].state == WAITS_FOR_OTHERS && others_ended())
            s.thread[0].state = READY;
        to = choose_or_break();
        note_switch(to);
        set_current(to);
    }
    fiber_leave(from, to);
}

void sched_join(void) {
    if (s.active && !others_ended())
        wait_as(WAITS_FOR_OTHERS);
    s.alone = s.active;
    set_switching();
}

void sched_only_self(void) {
    race_only_self();
    for (unsigned t = 0; s.active && t < s.program.threads; t++) {
        struct thread *other = &s.thread[t];
        if (t == sched_now.thread || other->state == ENDED)
            continue;
        s.program.abandoned(t);
        if (other->performs) {
            s.done[other->op] = 1;
            race_operation_done(other->op);
            wake_for(other->op);
        }
        *other = (struct thread){.op = other->op, .first = UINT32_MAX, .priority = other->priority};
        fiber_start(t, thread_begins);
    }
}

/* ---- the run ---------------------------------------------------------------------------------- */

/* Priorities are a permutation above PRIORITY_FIRST; what threads fall to is below. How many falls
 * a fault needs is unknown, so their number is drawn, and so is how far they are spread. */
static void draw_priorities(void) {
    uint64_t random = s.program.pct * 0x9e3779b97f4a7c15u;
    for (unsigned t = 0; t < s.program.threads; t++) {
        unsigned other = random_draw(&random, t + 1);
        s.thread[t].priority = s.thread[other].priority;
        s.thread[other].priority = PRIORITY_FIRST + t;
    }
    unsigned depth = random_draw(&random, CHANGES_MAX + 1);
    uint32_t reach = (s.program.operations + 8) << random_draw(&random, 4);
    for (unsigned i = 0; i < depth; i++)
        s.change[i] = 1 + random_draw(&random, reach);
}

void sched_run(const struct sched_program *program) {
    s.program = *program;
    s.held = 0;
    s.alone = false;
    s.runs_left = 0;
    s.lowest = PRIORITY_FIRST - 1;
    s.step = s.switches = 0;
    s.hash = 0xcbf29ce484222325u;
    memset(s.change, 0, sizeof s.change);
    memset(s.done, 0, program->operations);
    for (unsigned t = 0; t < program->threads; t++) {
        s.thread[t] = (struct thread){.first = UINT32_MAX};
        fiber_start(t, thread_begins);
    }
    if (program->meetings)
        draw_meetings();
    else if (program->pct != 0)
        draw_priorities();
    s.active = sched_now.switches = true;
    race_start(program->threads);
    set_current(program->pct == 0 ? 0 : choose(FIBER_HOST));
    fiber_switch(FIBER_HOST, sched_now.thread);
    s.active = sched_now.switches = false;
    race_watch(false);
    sched_now.thread = 0;
}
