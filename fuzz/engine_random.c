/* engine_random.c: a fuzzing engine without coverage feedback, in place of libFuzzer.
 *
 * It serves two ends. For another malloc, a closed library without instrumentation, it runs every
 * program in a process of its own, so that a crash repeats whatever ran before. And as the plain
 * random generator (--plain: uniform bytes, no seeds, no mutator) it is the baseline that says
 * what the guided engines are worth.
 *
 * Input number n of a run is a function of --seed and n alone.
 * Exit status: 0 no fault, 1 a fault was found, 2 bad usage.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mutate_bytes.h"

#define INPUT_BYTES_MAX 784u /* a header and 96 records */
#define SEEDS_MAX 4096u
#define SEED_FILE_BYTES_MAX ((off_t)1 << 20)
#define RUN_SECONDS_MAX 20u
#define PROGRESS_SECONDS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static const char usage[] =
    "usage: TARGET [--seed N] [--time S] [--batch N] [--plain] [--crashes DIR] FOLDER...\n"
    "       TARGET --once FOLDER...\n"
    "       TARGET FILE\n"
    "  FILE         run this one input\n"
    "  --once       run every seed once, all in this process\n"
    "  FOLDER       with seeds; not needed with --plain\n"
    "  --seed N     of all random choices (default 1)\n"
    "  --time S     seconds (default 60)\n"
    "  --batch N    programs that share a process (default 1)\n"
    "  --plain      uniformly random bytes: no seeds, no mutator\n"
    "  --crashes D  where a crashing input is stored (default .)\n"
    "exit status: 0 no fault, 1 a fault was found, 2 bad usage\n";

struct input {
    uint8_t *bytes;
    size_t size;
};

static struct {
    uint64_t seed, seconds, batch;
    bool plain, once;
    const char *crashes;
} request = {.seed = 1, .seconds = 60, .batch = 1, .crashes = "."};

static struct input seeds[SEEDS_MAX];
static unsigned seed_count;

/* Shared with the child that runs: how far it came, and on which input. */
static struct {
    uint64_t done;
    size_t size;
    uint8_t bytes[INPUT_BYTES_MAX];
} * shared;

static _Noreturn void refuse(const char *what, const char *why) {
    fprintf(stderr, "fuzz: %s: %s\n", what, why);
    exit(2);
}

/* ---- seeds ---------------------------------------------------------------------------------- */

static struct input read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    struct stat s;
    if (f == NULL || fstat(fileno(f), &s) != 0)
        refuse(path, strerror(errno));
    if (s.st_size == 0)
        refuse(path, "is empty");
    if (s.st_size > SEED_FILE_BYTES_MAX)
        refuse(path, "is larger than 1 MiB: not an input of this target");
    struct input in = {malloc((size_t)s.st_size), (size_t)s.st_size};
    if (in.bytes == NULL || fread(in.bytes, 1, in.size, f) != in.size)
        refuse(path, "cannot be read as a file");
    fclose(f);
    return in;
}

static int not_hidden(const struct dirent *e) { return e->d_name[0] != '.'; }

static void read_folder(const char *folder) {
    struct dirent **entry;
    int count = scandir(folder, &entry, not_hidden, alphasort); /* order must not vary */
    if (count < 0)
        refuse(folder, strerror(errno));
    for (int i = 0; i < count && seed_count < SEEDS_MAX; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        seeds[seed_count++] = read_file(path);
        free(entry[i]);
    }
    free(entry);
}

/* ---- inputs --------------------------------------------------------------------------------- */

static size_t plain_input(uint8_t *bytes) {
    size_t size = mutate_bytes_draw(INPUT_BYTES_MAX + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)mutate_bytes_draw(256);
    return size;
}

static size_t mutated_input(uint8_t *bytes) {
    struct input *one = &seeds[mutate_bytes_draw(seed_count)];
    size_t size = one->size < INPUT_BYTES_MAX ? one->size : INPUT_BYTES_MAX;
    memcpy(bytes, one->bytes, size);
    for (uint64_t rounds = mutate_bytes_draw(32); rounds > 0; rounds--) {
        unsigned seed = (unsigned)mutate_bytes_draw((uint64_t)1 << 32);
        if (LLVMFuzzerCustomMutator == NULL) {
            size = LLVMFuzzerMutate(bytes, size, INPUT_BYTES_MAX);
        } else if (rounds % 8 != 0) {
            size = LLVMFuzzerCustomMutator(bytes, size, INPUT_BYTES_MAX, seed);
        } else {
            uint8_t before[INPUT_BYTES_MAX];
            struct input *other = &seeds[mutate_bytes_draw(seed_count)];
            memcpy(before, bytes, size);
            size_t crossed = LLVMFuzzerCustomCrossOver(before, size, other->bytes, other->size,
                                                       bytes, INPUT_BYTES_MAX, seed);
            size = crossed > 0 ? crossed : size;
        }
    }
    return size;
}

static void run_one(const uint8_t *bytes, size_t size) {
    alarm(RUN_SECONDS_MAX);
    LLVMFuzzerTestOneInput(bytes, size);
    alarm(0);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static _Noreturn void child(uint64_t first) {
    for (uint64_t n = first; n < first + request.batch; n++) {
        mutate_bytes_seed(request.seed * 0x2545f4914f6cdd1du + n * 0x9e3779b97f4a7c15u);
        shared->size = request.plain ? plain_input(shared->bytes) : mutated_input(shared->bytes);
        run_one(shared->bytes, shared->size);
        shared->done++;
    }
    _exit(0);
}

static void store(int status) {
    char path[PATH_MAX];
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < shared->size; i++)
        hash = (hash ^ shared->bytes[i]) * 0x100000001b3u;
    snprintf(path, sizeof path, "%s/crash-%016llx", request.crashes, (unsigned long long)hash);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(shared->bytes, 1, shared->size, f) != shared->size || fclose(f) != 0)
        refuse(path, strerror(errno));
    if (WIFSIGNALED(status))
        fprintf(stderr, "fuzz: ended by signal %d (%s)\n", WTERMSIG(status),
                WTERMSIG(status) == SIGALRM ? "the run does not end" : strsignal(WTERMSIG(status)));
    fprintf(stderr, "Test unit written to %s\n", path);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void progress(double seconds) {
    fprintf(stderr, "#%llu execs/s: %.0f\n", (unsigned long long)shared->done,
            (double)shared->done / seconds);
}

static int fuzz(void) {
    double start = now(), shown = start;
    for (;;) {
        double t = now();
        if (t - start >= (double)request.seconds)
            break;
        if (t - shown >= PROGRESS_SECONDS) {
            shown = t;
            progress(t - start);
        }
        pid_t pid = fork();
        if (pid < 0)
            refuse("fork", strerror(errno));
        if (pid == 0)
            child(shared->done);
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
            exit(2); /* the target has said why it cannot run */
        if (status != 0) {
            progress(now() - start);
            store(status);
            return 1;
        }
    }
    progress(now() - start);
    return 0;
}

static uint64_t number(const char *text, const char *option) {
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || n == 0)
        refuse(option, "needs a number, 1 or more");
    return n;
}

static void parse(int argc, char **argv) {
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},  {"time", required_argument, NULL, 't'},
        {"batch", required_argument, NULL, 'b'}, {"crashes", required_argument, NULL, 'c'},
        {"plain", no_argument, NULL, 'p'},       {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's')
            request.seed = number(optarg, "--seed");
        else if (c == 't')
            request.seconds = number(optarg, "--time");
        else if (c == 'b')
            request.batch = number(optarg, "--batch");
        else if (c == 'c')
            request.crashes = optarg;
        else if (c == 'p')
            request.plain = true;
        else if (c == 'o')
            request.once = true;
        else {
            fputs(usage, c == 'h' ? stdout : stderr);
            exit(c == 'h' ? 0 : 2);
        }
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    struct stat s;
    if (argc - optind == 1 && stat(argv[optind], &s) == 0 && !S_ISDIR(s.st_mode)) {
        struct input one = read_file(argv[optind]);
        run_one(one.bytes, one.size);
        return 0;
    }
    for (int i = optind; i < argc; i++)
        read_folder(argv[i]);
    if (seed_count == 0 && !request.plain)
        refuse(argc > optind ? argv[optind] : "FOLDER", "no seeds: name a folder that has some");
    if (request.once) {
        for (unsigned i = 0; i < seed_count; i++)
            run_one(seeds[i].bytes, seeds[i].size);
        return 0;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        refuse("mmap", strerror(errno));
    return fuzz();
}
