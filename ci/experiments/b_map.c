/* b_map.c: a map of 5,000,000 small nodes keeps its memory after it was cleared. Keys of 16 bytes,
 * values of 8, in a trie over the hash of the key. Filled, looked up, cleared; idle after that.
 */
#include "phases.h"

struct node {
    struct node *child[4];
    uint64_t key[2];
    uint64_t value;
};

static struct node **seek(struct node **place, const uint64_t key[2]) {
    uint64_t hash = (key[0] ^ key[1] >> 7) * 0x9e3779b97f4a7c15u;
    for (; *place != NULL && memcmp((*place)->key, key, 16) != 0; hash <<= 2)
        place = &(*place)->child[hash >> 62];
    return place;
}

static void insert(struct node **root, const uint64_t key[2], uint64_t value) {
    struct node **place = seek(root, key);
    if (*place == NULL) {
        *place = make(sizeof **place);
        **place = (struct node){.key = {key[0], key[1]}};
    }
    (*place)->value = value;
}

static void clear(struct node *n) {
    if (n == NULL)
        return;
    for (unsigned c = 0; c < 4; c++)
        clear(n->child[c]);
    drop(n, sizeof *n);
    tick();
}

int main(int argc, char **argv) {
    experiment_begin(argc, argv);
    size_t nodes = experiment_count("nodes", 5e6), found = 0;
    struct node *root = NULL;
    struct random r = experiment_random(0);
    phase_begin("fill");
    double idle = experiment.idle;
    experiment.idle = 1;
    for (size_t i = 0; i < nodes; i++) {
        uint64_t key[2] = {random_next(&r), i};
        insert(&root, key, i);
        tick();
    }
    phase_end(SHOWN);
    phase_begin("look up");
    r = experiment_random(0);
    for (size_t i = 0; i < nodes; i++) {
        uint64_t key[2] = {random_next(&r), i};
        found += *seek(&root, key) != NULL;
        tick();
    }
    phase_end(SHOWN);
    if (found != nodes)
        die("%zu of %zu nodes found\n", found, nodes);
    phase_begin("clear");
    clear(root);
    experiment.idle = idle;
    phase_end(JUDGED);
    return experiment_end();
}
