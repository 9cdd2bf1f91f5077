/* Holds a target against its promise that an input always takes the same way through the code, whatever was
 * run before: runs the inputs of folders in three orders, and compares how often each place of the code was
 * passed. Built with clang's coverage and linked instead of libFuzzer. usage: PROGRAM FOLDER… Exit status: 0
 * the same way each time, 1 not, 2 nothing to run. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS_MAX = 4096, INPUT_MAX = 1 << 16, ORDERS = 3, SHOWN = 20 };

/* ---- what clang's instrumentation tells; the sanitizers' run-time library has the rest
 * --------------------- */

static uint8_t *counters, *counters_end;
static const uintptr_t *places; /* two words a counter: the address, flags */

void __sanitizer_cov_8bit_counters_init(uint8_t *begin, uint8_t *end);
void __sanitizer_cov_pcs_init(const uintptr_t *begin, const uintptr_t *end);
void __sanitizer_symbolize_pc(uintptr_t pc, const char *format, char *out, size_t size);

void __sanitizer_cov_8bit_counters_init(uint8_t *begin, uint8_t *end) {
    counters = begin;
    counters_end = end;
}

void __sanitizer_cov_pcs_init(const uintptr_t *begin, const uintptr_t *end) {
    (void)end;
    places = begin;
}

/* ---- inputs -----------------------------------------------------------------------------------------------
 */

typedef struct input {
    char name[256];
    uint8_t *octets;
    size_t len;
    uint8_t *passed; /* the counters of its first run; owned */
} input;

static input inputs[INPUTS_MAX];
static size_t n_inputs;

static void load_file(const char *folder, const char *name) {
    static uint8_t room[INPUT_MAX];
    char path[4096];
    input *in = &inputs[n_inputs];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = name[0] == '.' || n_inputs == INPUTS_MAX ? NULL : fopen(path, "rb");
    if (!file)
        return;
    in->len = fread(room, 1, sizeof room, file);
    in->octets = malloc(in->len ? in->len : 1);
    FUZZ_CHECK(in->octets != NULL);
    memcpy(in->octets, room, in->len);
    snprintf(in->name, sizeof in->name, "%s", name);
    fclose(file);
    n_inputs++;
}

static void load(const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        load_file(folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

/* ---- comparing --------------------------------------------------------------------------------------------
 */

static size_t differences;

static void differ(const input *in, size_t place, uint8_t now) {
    char where[512];
    if (differences++ >= SHOWN)
        return;
    __sanitizer_symbolize_pc(places[2 * place], "%f %s:%l", where, sizeof where);
    printf("%s: %u times, then %u: %s\n", in->name, in->passed[place], now, where);
}

static void run(input *in) {
    size_t n = (size_t)(counters_end - counters);
    memset(counters, 0, n);
    (void)LLVMFuzzerTestOneInput(in->octets, in->len);
    if (!in->passed) {
        in->passed = malloc(n);
        FUZZ_CHECK(in->passed != NULL);
        memcpy(in->passed, counters, n);
    }
    for (size_t i = 0; i < n; i++)
        if (counters[i] != in->passed[i])
            differ(in, i, counters[i]);
}

/* As they come, backwards, and each behind one that was far away. */
static size_t at(size_t order, size_t i) {
    size_t half = (n_inputs + 1) / 2;
    if (order == 0)
        return i;
    return order == 1 ? n_inputs - 1 - i : i / 2 + (i % 2 ? half : 0);
}

int main(int argc, char **argv) {
    if (LLVMFuzzerInitialize)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    if (n_inputs == 0 || !counters || !places) {
        fprintf(stderr, "usage: %s FOLDER…   (nothing was run)\n", argv[0]);
        return 2;
    }
    for (size_t order = 0; order < ORDERS; order++)
        for (size_t i = 0; i < n_inputs; i++)
            run(&inputs[at(order, i)]);
    printf("%zu inputs, %zu places, %zu differences\n", n_inputs, (size_t)(counters_end - counters),
           differences);
    return differences > 0;
}
