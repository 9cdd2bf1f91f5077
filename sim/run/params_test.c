/* The parameter sets inside the program, and sets in files. */
#include "run/params.h"
#include "run/params_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_ready_made(void **state) {
    (void)state;
    static const unsigned sizes[] = {1024, 2048, 3072};
    assert_int_equal(run_params_set_count, sizeof sizes / sizeof sizes[0]);
    for (size_t i = 0; i < run_params_set_count; i++) {
        scn_kms kms = {.parameters = sizes[i]};
        ibk_ibe_params *params;
        ibk_ibe_master *master;
        ibk_buf der = {0};
        assert_int_equal(run_params_load(&params, &master, &kms, NULL), IBK_OK);
        assert_int_equal(ibk_ibe_params_n(params), sizes[i]);
        assert_int_equal(ibk_ibe_params_encode(params, &der),
                         IBK_OK); /* what was built in is what is in data/ */
        assert_int_equal(der.len, run_params_sets[i].params_len);
        assert_memory_equal(der.data, run_params_sets[i].params, der.len);
        ibk_buf_free(&der);
        ibk_ibe_master_free(master);
        ibk_ibe_params_free(params);
    }
}

static void write_file(char path[64], const uint8_t *data, size_t len) {
    strcpy(path, "/tmp/ibakelab-params-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

/* Loads from two files with these octets. */
static ibk_err load(ibk_span params_der, ibk_span master_der, ibk_diag *diag) {
    char params_path[64], master_path[64];
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    write_file(params_path, params_der.data, params_der.len);
    write_file(master_path, master_der.data, master_der.len);
    scn_kms kms = {.parameters_file = params_path, .master_file = master_path};
    ibk_err err = run_params_load(&params, &master, &kms, diag);
    unlink(params_path);
    unlink(master_path);
    if (err) {
        assert_null(params);
        assert_null(master);
    }
    ibk_ibe_master_free(master);
    ibk_ibe_params_free(params);
    return err;
}

static void test_files(void **state) {
    (void)state;
    const run_params_set *set = &run_params_sets[0], *other = &run_params_sets[1];
    ibk_span params = ibk_span_of(set->params, set->params_len);
    ibk_span master = ibk_span_of(set->master, set->master_len);
    ibk_diag diag = {0};
    assert_int_equal(load(params, master, NULL), IBK_OK);
    /* Another set's master secret, of another size, and one that is off by one. */
    assert_int_not_equal(load(params, ibk_span_of(other->master, other->master_len), &diag), IBK_OK);
    uint8_t wrong[512];
    assert_true(master.len <= sizeof wrong);
    memcpy(wrong, master.data, master.len);
    wrong[master.len - 1] ^= 1;
    assert_int_equal(load(params, ibk_span_of(wrong, master.len), &diag), IBK_ERR_BAD_PARAMS);
    assert_non_null(strstr(diag.detail, "does not belong"));
    /* Cut short, empty, followed by rubbish, exchanged. */
    assert_int_not_equal(load(ibk_span_of(params.data, params.len - 1), master, &diag), IBK_OK);
    assert_int_not_equal(load((ibk_span){params.data, 0}, master, &diag), IBK_OK);
    assert_int_not_equal(load(params, ibk_span_of(master.data, master.len - 1), &diag), IBK_OK);
    assert_int_not_equal(load(master, params, &diag), IBK_OK);
    uint8_t *large = calloc(1, 70000);
    assert_non_null(large);
    memcpy(large, params.data, params.len);
    assert_int_equal(load(ibk_span_of(large, 70000), master, &diag), IBK_ERR_LIMIT);
    free(large);
}

static void test_what_is_not_there(void **state) {
    (void)state;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_diag diag = {0};
    scn_kms kms = {.parameters = 1536};
    assert_int_equal(run_params_load(&params, &master, &kms, &diag), IBK_ERR_UNSUPPORTED);
    assert_non_null(strstr(diag.detail, "1536"));
    kms = (scn_kms){.parameters_file = "/nowhere/params.der", .master_file = "/nowhere/master.der"};
    assert_int_equal(run_params_load(&params, &master, &kms, &diag), IBK_ERR_IO);
    assert_string_equal(diag.payload, "/nowhere/params.der");
    assert_null(params);
    assert_null(master);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ready_made), cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_what_is_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
