/* engine_speed.c: in place of an engine, measures how fast a target of records is.
 *
 * A run is a program of exactly 64 operations, drawn by the mutator as a session draws its new
 * records, in an ordinary world: no failures planned, no environment variables, the walker every
 * 8 operations (FUZZ_WALK=N changes that). The programs are the same for every build, so the
 * figures of two builds compare; the engine's own share (mutation, corpus) is not in them. Time is
 * the processor's, of this process. fuzz/speed makes a table of it.
 *
 * Exit status: 0 done, 2 bad usage.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "mutate_bytes.h"
#include "ops.h"

#define PROGRAMS 256u
#define OPERATIONS 64u
#define WARM_UP_PASSES 2u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Builds with coverage call these; there is no engine to listen. */
void __sanitizer_cov_8bit_counters_init(char *start, char *stop);
void __sanitizer_cov_8bit_counters_init(char *start, char *stop) { (void)start, (void)stop; }
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop);
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop) {
    (void)start, (void)stop;
}

static const char usage[] =
    "usage: TARGET [--threads N] [--seconds S | --passes N] [--seed N]\n"
    "  --threads N  of every program, 1 to 8 (default 1); more than one run by drawn priorities\n"
    "  --seconds S  of processor time to measure for (default 2)\n"
    "  --passes N   through all 256 programs, and not by time: for counting instructions\n"
    "  --seed N     of the programs (default 1)\n";

static struct { unsigned threads, seconds, passes, seed; } request = {1, 2, 0, 1};

static struct input {
    size_t size;
    uint8_t bytes[HEADER_BYTES + OPERATIONS * RECORD_BYTES];
} inputs[PROGRAMS];

static unsigned operations_of(const struct input *in) {
    static struct program program;
    program_decode(&program, in->bytes, in->size);
    return program.ops;
}

static void draw_header(struct input *in) {
    in->size = HEADER_BYTES;
    in->bytes[0] = 1; /* ordinary pages */
    in->bytes[2] = (uint8_t)mutate_bytes_draw(256);
    unsigned priorities = request.threads > 1 ? 1 + (unsigned)mutate_bytes_draw(31) : 0;
    in->bytes[15] = (uint8_t)(request.threads - 1 + priorities * FIBERS_MAX);
}

/* Records are added as long as they fit; a record can be several operations. */
static void draw_program(struct input *in) {
    uint8_t draft[HEADER_BYTES + RECORD_BYTES];
    draw_header(in);
    while (operations_of(in) < OPERATIONS) {
        unsigned seed = (unsigned)mutate_bytes_draw((uint64_t)1 << 32);
        memset(draft, 0, sizeof draft);
        if (LLVMFuzzerCustomMutator(draft, HEADER_BYTES, sizeof draft, seed) != sizeof draft)
            continue;
        memcpy(in->bytes + in->size, draft + HEADER_BYTES, RECORD_BYTES);
        unsigned before = operations_of(in);
        in->size += RECORD_BYTES;
        unsigned after = operations_of(in);
        if (after == before || after > OPERATIONS)
            in->size -= RECORD_BYTES;
    }
}

static double processor_seconds(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static void pass(void) {
    for (unsigned i = 0; i < PROGRAMS; i++)
        LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].size);
}

static unsigned number(const char *text, unsigned least, unsigned most) {
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || n < least || n > most) {
        fprintf(stderr, "speed: %s: not a number from %u to %u\n", text, least, most);
        exit(2);
    }
    return (unsigned)n;
}

static void parse(int argc, char **argv) {
    static const struct option options[] = {
        {"threads", required_argument, NULL, 't'}, {"seconds", required_argument, NULL, 'n'},
        {"passes", required_argument, NULL, 'p'},  {"seed", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 't')
            request.threads = number(optarg, 1, FIBERS_MAX);
        else if (c == 'n')
            request.seconds = number(optarg, 1, 3600);
        else if (c == 'p')
            request.passes = number(optarg, 1, 1u << 20);
        else if (c == 's')
            request.seed = number(optarg, 1, UINT32_MAX);
        else {
            fputs(usage, c == 'h' ? stdout : stderr);
            exit(c == 'h' ? 0 : 2);
        }
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    LLVMFuzzerInitialize(&argc, &argv);
    mutate_bytes_seed(request.seed);
    for (unsigned i = 0; i < PROGRAMS; i++)
        draw_program(&inputs[i]);
    for (unsigned i = 0; i < WARM_UP_PASSES; i++)
        pass();
    double start = processor_seconds(), seconds;
    uint64_t runs = 0;
    do {
        pass();
        runs += PROGRAMS;
        seconds = processor_seconds() - start;
    } while (request.passes != 0 ? runs < (uint64_t)request.passes * PROGRAMS
                                 : seconds < request.seconds);
    printf("speed: runs/s=%.0f operations=%u threads=%u seed=%u seconds=%.2f\n",
           (double)runs / seconds, OPERATIONS, request.threads, request.seed, seconds);
    return 0;
}
