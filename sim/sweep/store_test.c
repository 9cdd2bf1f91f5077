/* The database: what was put is there, whose rows are taken, and whose are not. */
#include "sweep/store.h"
#include "sweep/testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct fixture {
    sweep *sweep;
    sweep_stamp stamp;
    char folder[40], path[64];
} fixture;

static int begin(void **state) {
    scn_errors errors;
    fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/sweep-store-XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        return -1;
    snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
    f->sweep = testing_sweep("parameters:\n  size: {set: a.b, values: [1024, 5 %]}\nseeds: 1 to 2\n"
                             "measures: {m: {value: 'summary.calls'}, n: {value: 'summary.failed'}}\n",
                             &errors);
    f->stamp = (sweep_stamp){.digest = "abc", .versions = "one 1"};
    *state = f;
    return f->sweep != NULL ? 0 : -1;
}

static int end(void **state) {
    fixture *f = *state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", f->folder);
    sweep_free(f->sweep);
    int status = system(command);
    free(f);
    return status;
}

static ibk_err try(fixture *f, sweep_store_mode mode, sweep_store **out, ibk_diag *diag) {
    *diag = (ibk_diag){0};
    return sweep_store_open(out, f->path, f->sweep, &f->stamp, "", mode, diag);
}

static sweep_store *open_store(fixture *f, sweep_store_mode mode) {
    sweep_store *store;
    ibk_diag diag;
    if (try(f, mode, &store, &diag) != IBK_OK)
        fail_msg("%s", diag.detail);
    return store;
}

static void put(sweep_store *store, size_t point, uint32_t verdict, double value) {
    sweep_row row;
    ibk_diag diag;
    sweep_row_failed(&row, point, "why");
    row.verdict = verdict;
    row.values[0] = value;
    assert_int_equal(sweep_store_put(store, &row, &diag), IBK_OK);
}

static ibk_err take(void *user, const sweep_row *row) {
    sweep_row *rows = user;
    rows[row->point] = *row;
    return IBK_OK;
}

static void test_rows(void **state) {
    fixture *f = *state;
    sweep_row rows[4];
    ibk_diag diag;
    memset(rows, 0xFF, sizeof rows);
    sweep_store *store = open_store(f, SWEEP_STORE_NEW);
    put(store, 2, SWEEP_PASS, 0.1);
    put(store, 0, SWEEP_FAIL, NAN);
    put(store, 3, SWEEP_ERROR, 7);
    assert_true(sweep_store_has(store, 2) && sweep_store_has(store, 0));
    assert_false(sweep_store_has(store, 1) || sweep_store_has(store, 3));
    sweep_store_close(store);

    store = open_store(f, SWEEP_STORE_RESUME);
    assert_true(sweep_store_has(store, 2) && sweep_store_has(store, 0));
    assert_false(sweep_store_has(store, 1) || sweep_store_has(store, 3));
    put(store, 3, SWEEP_PASS, 8); /* in place of the one that had no result */
    assert_int_equal(sweep_store_read(store, take, rows, &diag), IBK_OK);
    assert_int_equal(rows[2].verdict, SWEEP_PASS);
    assert_true(rows[2].values[0] == 0.1 && isnan(rows[2].values[1]));
    assert_int_equal(rows[0].verdict, SWEEP_FAIL);
    assert_string_equal(rows[0].detail, "why");
    assert_true(isnan(rows[0].values[0]));
    assert_true(rows[3].values[0] == 8);
    assert_true(rows[1].point == UINT64_MAX); /* never came */
    sweep_store_close(store);
}

static void refused(fixture *f, sweep_store_mode mode, const char *why) {
    sweep_store *store;
    ibk_diag diag;
    assert_int_equal(try(f, mode, &store, &diag), IBK_ERR_REFUSED);
    assert_null(store);
    if (strstr(diag.detail, why) == NULL)
        fail_msg("'%s' instead of '%s'", diag.detail, why);
}

static void test_refused(void **state) {
    fixture *f = *state;
    refused(f, SWEEP_STORE_READ, "cannot be opened");
    sweep_store *store = open_store(f, SWEEP_STORE_NEW);
    put(store, 0, SWEEP_PASS, 1);
    sweep_store_close(store);
    refused(f, SWEEP_STORE_NEW, "it has 1 rows already: --resume");
    strcpy(f->stamp.digest, "abd");
    refused(f, SWEEP_STORE_RESUME, "of another sweep");
    refused(f, SWEEP_STORE_READ, "of another sweep");
    strcpy(f->stamp.digest, "abc");
    strcpy(f->stamp.versions, "one 2");
    refused(f, SWEEP_STORE_RESUME, "made by other versions");
    strcpy(f->stamp.versions, "one 1");
    sweep_store_close(open_store(f, SWEEP_STORE_READ));

    FILE *file = fopen(f->path, "w");
    for (int i = 0; i < 100; i++)
        fputs("this is no database at all\n", file);
    fclose(file);
    refused(f, SWEEP_STORE_RESUME, "it is no database of SQLite");
    refused(f, SWEEP_STORE_READ, "it is no database of SQLite");
    snprintf(f->path, sizeof f->path, "%s/no/x.db", f->folder);
    refused(f, SWEEP_STORE_NEW, "its folder");
}

/* Two processes: the second is refused while the first lives, and no longer, however that one ends. */
static void test_lock(void **state) {
    fixture *f = *state;
    int ends[2];
    char octet = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sweep_store *store = open_store(f, SWEEP_STORE_NEW);
        put(store, 1, SWEEP_PASS, 3);
        if (write(ends[1], &octet, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &octet, 1), 1);
    refused(f, SWEEP_STORE_RESUME, "another sweep is writing to it");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    sweep_store *store = open_store(f, SWEEP_STORE_RESUME);
    assert_true(sweep_store_has(store, 1));
    sweep_store_close(store);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_rows, begin, end),
                                       cmocka_unit_test_setup_teardown(test_refused, begin, end),
                                       cmocka_unit_test_setup_teardown(test_lock, begin, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
