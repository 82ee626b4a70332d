/* replay.c: one input again, as a trace a person can read, or as a C program.
 *
 * The run happens in a child process, so that a crash ends the trace and not the report of how
 * it ended. Exit status: 0 the run passed, 1 it did not, 2 bad usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"

#define INPUT_BYTES_MAX ((size_t)1 << 20)

static const char usage[] =
    "usage: replay [--c] [--quiet] [--repeat N] [--walk N] FILE\n"
    "  FILE        an input of the fuzz target api: corpus/api/*, build/fuzz/crashes/*\n"
    "  --c         print a stand-alone C program instead of running it\n"
    "  --quiet     no trace, only how it ended\n"
    "  --repeat N  run it N times and require equal traces\n"
    "  --walk N    run the heap walker every N operations, 0 never; default: as the input says\n"
    "exit status: 0 passed, 1 a fault was found, 2 bad usage\n";

static _Noreturn void refuse(const char *path, const char *why) {
    fprintf(stderr, "replay: %s: %s\n", path, why);
    exit(2);
}

static size_t read_input(const char *path, uint8_t *bytes) {
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        refuse(path, strerror(errno));
    size_t size = fread(bytes, 1, INPUT_BYTES_MAX + 1, in);
    bool failed = ferror(in);
    fclose(in);
    if (failed)
        refuse(path, "cannot be read as a file");
    if (size == 0)
        refuse(path, "is empty: an input has a header of 16 bytes");
    if (size > INPUT_BYTES_MAX)
        refuse(path, "is larger than 1 MiB: not an input of this target");
    return size;
}

struct request {
    const char *path;
    bool as_c, quiet;
    int walk;
    unsigned long repeat;
};

static int run_here(const struct program *program, const struct request *q) {
    struct exec_options options = {
        .trace = q->quiet ? NULL : stdout, .walk_every = q->walk, .look = true};
    struct exec_result first = exec_run(program, &options);
    options.trace = NULL;
    for (unsigned long i = 1; i < q->repeat; i++)
        if (exec_run(program, &options).hash != first.hash) {
            fprintf(stderr, "replay: run %lu differs from the first\n", i + 1);
            return 1;
        }
    printf("replay: passed: %llu operations, trace hash %016llx, %lu run%s\n",
           (unsigned long long)first.operations, (unsigned long long)first.hash, q->repeat,
           q->repeat == 1 ? "" : "s, all equal");
    return 0;
}

static int run_in_child(const struct program *program, const struct request *q) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        refuse(q->path, strerror(errno));
    if (child == 0) {
        setvbuf(stdout, NULL, _IOLBF, 0);
        exit(run_here(program, q));
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    printf("\nreplay: FAULT: ended by signal %d (%s)\n", WTERMSIG(status),
           strsignal(WTERMSIG(status)));
    return 1;
}

static unsigned long number(const char *text, const char *option) {
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || n > 1000000000)
        refuse(option, "needs a number up to 1000000000");
    return n;
}

static struct request parse(int argc, char **argv) {
    static const struct option options[] = {
        {"c", no_argument, NULL, 'c'},
        {"quiet", no_argument, NULL, 'q'},
        {"repeat", required_argument, NULL, 'r'},
        {"walk", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct request q = {.walk = -1, .repeat = 1};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            q.as_c = true;
            break;
        case 'q':
            q.quiet = true;
            break;
        case 'r':
            q.repeat = number(optarg, "--repeat");
            break;
        case 'w':
            q.walk = (int)number(optarg, "--walk");
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (argc - optind != 1) {
        fputs(usage, stderr);
        exit(2);
    }
    q.path = argv[optind];
    return q;
}

int main(int argc, char **argv) {
    static uint8_t bytes[INPUT_BYTES_MAX + 1];
    static struct program program;
    struct request q = parse(argc, argv);
    program_decode(&program, bytes, read_input(q.path, bytes));
    if (q.as_c) {
        program_print_c(stdout, &program, q.path);
        return 0;
    }
    if (!q.quiet)
        world_print(stdout, &program);
    return run_in_child(&program, &q);
}
