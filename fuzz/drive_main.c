/* A fuzzer of its own for builds without libFuzzer: changes the files of a folder by the mutator and feeds
 * them to the target, without looking at coverage. The same arguments give the same inputs. What
 * fuzz/planted's quick test uses. usage: PROGRAM CORPUS SECONDS [SEED]. Exit status: 0 nothing found in that
 * time, 2 wrong usage; a finding ends the process by a signal or a sanitizer. */
#include "fuzz.h"
#include "mutator/mutate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEEDS_MAX = 64, SEED_MAX = 8192, ROOM = 1 << 16, ROUNDS = 3 };

static uint8_t seeds[SEEDS_MAX][SEED_MAX];
static size_t lengths[SEEDS_MAX], n_seeds;

static void load(const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] == '.' || n_seeds == SEEDS_MAX ? NULL : fopen(path, "rb");
        if (file) {
            lengths[n_seeds] = fread(seeds[n_seeds], 1, SEED_MAX, file);
            n_seeds++;
            fclose(file);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

/* Overwritten before each input, so that it is there when the process ends by it. */
static void save(const char *path, const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return;
    fwrite(data, 1, size, file);
    fclose(file);
}

/* In storage of exactly its size, so that ASan sees a read beyond. */
static void feed(const uint8_t *data, size_t size) {
    uint8_t *octets = malloc(size ? size : 1);
    if (!octets)
        abort();
    memcpy(octets, data, size);
    (void)LLVMFuzzerTestOneInput(octets, size);
    free(octets);
}

int main(int argc, char **argv) {
    static uint8_t data[ROOM];
    if (argc > 1)
        load(argv[1]);
    long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    uint32_t seed = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1;
    if (n_seeds == 0 || seconds <= 0) {
        fprintf(stderr, "usage: %s CORPUS SECONDS [SEED]\n", argv[0]);
        return 2;
    }
    time_t end = time(NULL) + seconds;
    unsigned long n = 0;
    for (; time(NULL) < end; n++, seed++) {
        size_t i = n % n_seeds, size = lengths[i];
        memcpy(data, seeds[i], size);
        for (uint32_t round = 0; round <= n / n_seeds % ROUNDS; round++) {
            size_t other = (n + round * 7) % n_seeds;
            bool splice = round == 1;
            size = mutate(FUZZ_MUTATE, data, size, ROOM, seed * ROUNDS + round,
                          splice ? ibk_span_of(seeds[other], lengths[other]) : (ibk_span){0});
        }
        if (argc > 4)
            save(argv[4], data, size);
        feed(data, size);
    }
    printf("nothing found in %lu inputs\n", n);
    return 0;
}
