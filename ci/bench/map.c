/* map.c: a map from strings to strings, a trie over the hash of the key, is built, read and cleared,
 * twice. op: one entry built, looked up and cleared.
 */
#include "bench.h"

struct node {
    struct node *child[4];
    char *key, *value;
};

static uint64_t hash(const char *text) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        h = (h ^ (uint8_t)*text) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static struct node **seek(struct node **place, const char *key) {
    for (uint64_t h = hash(key); *place != NULL && strcmp((*place)->key, key) != 0; h <<= 2)
        place = &(*place)->child[h >> 62];
    return place;
}

static char *copy(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(b_malloc(bytes), text, bytes);
}

static void insert(struct node **root, const char *key, const char *value) {
    struct node **place = seek(root, key);
    if (*place == NULL) {
        *place = memset(b_malloc(sizeof **place), 0, sizeof **place);
        (*place)->key = copy(key);
    } else
        b_free((*place)->value);
    (*place)->value = copy(value);
}

static void clear(struct node *n) {
    if (n == NULL)
        return;
    for (unsigned c = 0; c < 4; c++)
        clear(n->child[c]);
    b_free(n->key);
    b_free(n->value);
    b_free(n);
}

/* The i-th word: hexadecimal digits and a tail of up to 40 letters. */
static const char *word(uint64_t i) {
    static const char tail[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn";
    static char text[80];
    uint64_t n = (i + 1) * 0x9e3779b97f4a7c15u;
    char *end = text;
    for (; n != 0; n >>= 6)
        *end++ = (char)('0' + n % 64);
    size_t length = i * 7 % (sizeof tail);
    memcpy(end, tail, length);
    end[length] = '\0';
    return text;
}

int main(int argc, char **argv) {
    enum { ROUNDS = 2 };
    bench_begin(argc, argv);
    size_t entries = bench_count("entries", 2e5);
    parameters_end();
    size_t found = 0;
    bench_clock_start();
    for (size_t round = 0; round < ROUNDS; round++) {
        struct node *root = NULL;
        uint64_t base = bench.seed + round * entries;
        for (size_t i = 0; i < entries; i++)
            insert(&root, word(base + i), word(i));
        for (size_t i = 0; i < entries; i++)
            found += *seek(&root, word(base + i)) != NULL;
        clear(root);
    }
    bench_clock_stop(ROUNDS * entries);
    if (found != ROUNDS * entries)
        die("%zu entries found of %zu\n", found, ROUNDS * entries);
    return bench_end();
}
