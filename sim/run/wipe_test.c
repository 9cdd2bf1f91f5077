/* When all calls have ended, none of their secrets is left in the memory of the process: not in a session, a
 * stream, a buffer that was freed, a library's context. The run is played twice: its key log tells what to
 * look for, then every writable region is searched while the world still stands. */
#include "run/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MASK 0xA5 /* what is looked for must not be found where it is kept */

typedef struct secret {
    const char *kind; /* "TGK" */
    size_t len;
    uint8_t masked[160];
} secret;

typedef struct search {
    secret *secrets;
    size_t count;
    uint8_t *first; /* a bit for each value of the first three octets */
    uint64_t at_ns; /* when to look; UINT64_MAX: never */
    bool looked;
    size_t regions, found;
    const char *example;
} search;

/* ---- what to look for
 * ------------------------------------------------------------------------------------------------- */

static const char *kind_of(const char *line) {
    static const char *const kinds[] = {"X", "Y", "KSESSION", "MPK", "TGK", "AUTHKEY", "TEK", "SALT"};
    size_t len = strcspn(line, " ");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i]) == len && strncmp(kinds[i], line, len) == 0)
            return kinds[i];
    return NULL;
}

static unsigned prefix_at(const uint8_t *at) {
    return (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
}

static void add(search *s, const char *kind, const char *hex) {
    secret *out = &s->secrets[s->count];
    size_t len = strlen(hex) / 2;
    assert_in_range(len, 14, sizeof out->masked);
    *out = (secret){.kind = kind, .len = len};
    for (size_t i = 0; i < len; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out->masked[i] = (uint8_t)(strtoul(two, NULL, 16) ^ MASK);
    }
    unsigned prefix = prefix_at(out->masked) ^ (MASK << 16 | MASK << 8 | MASK);
    s->first[prefix >> 3] |= (uint8_t)(1u << (prefix & 7));
    s->count++;
}

static void read_key_log(search *s, const char *path) {
    static char line[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    s->secrets = calloc(4000, sizeof *s->secrets);
    s->first = calloc(1, 1 << 21);
    assert_true(s->secrets && s->first);
    while (fgets(line, sizeof line, file)) {
        const char *kind = kind_of(line);
        line[strcspn(line, "\n")] = 0;
        if (kind && s->count < 4000)
            add(s, kind, strrchr(line, ' ') + 1);
    }
    fclose(file);
    assert_in_range(s->count, 100, 3999);
}

/* ---- the search
 * ---------------------------------------------------------------------------------------------------- */

static bool is_at(const secret *s, const uint8_t *at, size_t room) {
    if (room < s->len)
        return false;
    for (size_t i = 0; i < s->len; i++)
        if ((at[i] ^ MASK) != s->masked[i])
            return false;
    return true;
}

static void search_region(search *s, const uint8_t *from, size_t len) {
    s->regions++;
    for (size_t i = 0; i + 14 <= len; i++) {
        unsigned prefix = prefix_at(from + i);
        if (!(s->first[prefix >> 3] >> (prefix & 7) & 1))
            continue;
        for (size_t k = 0; k < s->count; k++)
            if (is_at(&s->secrets[k], from + i, len - i)) {
                s->found++;
                s->example = s->secrets[k].kind;
            }
    }
}

/* Heap, static data, anonymous mappings; not the stack, whose dead frames are overwritten as the run goes on.
 */
static void search_memory(search *s) {
    char line[512], permissions[8], name[256];
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        name[0] = 0;
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &from, &to, permissions, name) < 3)
            continue;
        if (permissions[0] == 'r' && permissions[1] == 'w' && (name[0] != '[' || strcmp(name, "[heap]") == 0))
            search_region(s, (const uint8_t *)from, to - from);
    }
    fclose(maps);
}

static void progress(void *user, uint64_t now_ns) {
    search *s = user;
    if (s->looked || now_ns < s->at_ns)
        return;
    s->looked = true;
    search_memory(s);
}

static void play(search *s, const char *dir, uint64_t *virtual_ns) {
    scn_scenario *scenario;
    scn_errors errors = {0};
    ibk_diag diag = {0};
    run_outcome outcome;
    assert_int_equal(scn_load_file(&scenario, &errors, WIPE_SCENARIO, NULL, 0), IBK_OK);
    run_options options = {.out_dir = dir, .keylog = dir != NULL, .progress = progress, .user = s};
    assert_int_equal(run_scenario(&outcome, scenario, &options, &diag), IBK_OK);
    assert_int_equal(outcome.result.verdict, RESULT_PASS);
    if (virtual_ns)
        *virtual_ns = outcome.result.virtual_ns;
    run_outcome_free(&outcome);
    scn_free(scenario);
}

static void nothing_is_left_of_ended_calls(void **state) {
    (void)state;
    char dir[] = "/tmp/ibakelab-wipe-XXXXXX", path[300], command[400];
    search s = {.at_ns = UINT64_MAX};
    uint64_t end_ns;
    assert_non_null(mkdtemp(dir));
    play(&s, dir, &end_ns);
    snprintf(path, sizeof path, "%s/keys.log", dir);
    read_key_log(&s, path);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    search during = s, after = s;
    during.at_ns = UINT64_C(7500000000); /* calls are up, and those that were cut off in mid call */
    play(&during, NULL, NULL);
    assert_true(during.looked && during.regions > 0);
    assert_true(during.found > 0); /* or the search would not see what it looks for */
    after.at_ns = end_ns;
    play(&after, NULL, NULL);
    assert_true(after.looked);
    if (after.found)
        fail_msg("%zu secrets of ended calls are in memory, e.g. a %s", after.found, after.example);
    free(s.secrets);
    free(s.first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_ended_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
