/* fiber_pthread.c: see fiber.h. A thread of the system for each context; all but one are parked.
 *
 * A context that is started anew while its thread is parked in the middle of something sends that
 * thread home: it is woken once more, to end where it stands.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fiber.h"

struct parked {
    sem_t turn;
    bool sent_home;
    void (*entry)(void);
};

static struct parked *contexts[FIBERS_MAX + 1]; /* NULL: has no thread yet */
static void (*entries[FIBERS_MAX])(void);

static struct parked *make_parked(void (*entry)(void)) {
    struct parked *p = malloc(sizeof *p);
    if (p == NULL || sem_init(&p->turn, 0, 0) != 0) {
        perror("fuzz: a semaphore for a thread");
        exit(2);
    }
    p->entry = entry;
    p->sent_home = false;
    return p;
}

static void *thread_begins(void *argument) {
    struct parked *p = argument;
    p->entry();
    abort(); /* an entry does not return */
}

static void make_thread(unsigned n) {
    pthread_t thread;
    contexts[n] = make_parked(entries[n]);
    int error = pthread_create(&thread, NULL, thread_begins, contexts[n]);
    if (error != 0) {
        fprintf(stderr, "fuzz: pthread_create: %s\n", strerror(error));
        exit(2);
    }
    pthread_detach(thread);
}

static _Noreturn void end_thread(struct parked *p) {
    sem_destroy(&p->turn);
    free(p);
    pthread_exit(NULL);
}

void fiber_start(unsigned n, void (*entry)(void)) {
    struct parked *old = contexts[n];
    contexts[n] = NULL;
    entries[n] = entry;
    if (old != NULL) {
        old->sent_home = true;
        sem_post(&old->turn);
    }
}

static void wake(unsigned to) {
    if (contexts[to] == NULL)
        make_thread(to);
    else
        sem_post(&contexts[to]->turn);
}

/* One runs at a time, and to wake one on another processor takes seven times as long. Threads made
 * from now on stay, too. */
static void stay_on_this_processor(void) {
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET((unsigned)sched_getcpu(), &own);
    if (sched_setaffinity(0, sizeof own, &own) != 0)
        perror("fuzz: slower than need be, sched_setaffinity");
}

static void make_host(unsigned n) {
    stay_on_this_processor();
    contexts[n] = make_parked(NULL);
}

void fiber_switch(unsigned from, unsigned to) {
    if (contexts[from] == NULL)
        make_host(from);
    struct parked *self = contexts[from];
    wake(to);
    while (sem_wait(&self->turn) != 0)
        ;
    if (self->sent_home)
        end_thread(self);
}

void fiber_leave(unsigned from, unsigned to) {
    struct parked *self = contexts[from];
    contexts[from] = NULL;
    wake(to);
    end_thread(self);
}

/* Nobody asks: the happens-before check needs fibers. */
bool fiber_owns(const volatile void *p) {
    (void)p;
    return false;
}
