/* CPU models: the ready-made ones, files that are accepted, files that are refused and where. */
#include "cpu/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const unsigned ibe_sizes[] = {1024, 2048, 3072}, ec_sizes[] = {192, 224, 256, 384, 521},
                      rsa_sizes[] = {2048, 3072, 4096};

static const unsigned *sizes_of(int what, size_t *count) {
    bool ibe = what <= IBK_WORK_IBE_VERIFY_KEY, ec = what == IBK_WORK_EC_KEYGEN || what == IBK_WORK_EC_DH;
    *count = ec ? 5 : 3;
    return ibe ? ibe_sizes : ec ? ec_sizes : rsa_sizes;
}

/* Every operation at every size that a scenario can have. The phone is the server, four times as slow. */
static void test_ready_made(void **state) {
    (void)state;
    cpu_model server, phone, instant, none;
    assert_true(cpu_model_ready_made(&server, "server"));
    assert_true(cpu_model_ready_made(&phone, "phone"));
    assert_true(cpu_model_ready_made(&instant, "instant"));
    assert_false(cpu_model_ready_made(&none, "abacus"));
    assert_string_equal(server.name, "server");
    assert_string_equal(phone.name, "phone");
    for (int what = IBK_WORK_IBE_PARAMS; what < CPU_MODEL_OPERATIONS; what++) {
        size_t count;
        const unsigned *sizes = sizes_of(what, &count);
        for (size_t i = 0; i < count; i++) {
            uint64_t fast, slow, at_once;
            assert_true(cpu_model_cost(&server, (ibk_work)what, sizes[i], &fast));
            assert_true(cpu_model_cost(&phone, (ibk_work)what, sizes[i], &slow));
            assert_true(cpu_model_cost(&instant, (ibk_work)what, sizes[i], &at_once));
            assert_true(fast > 0);
            assert_int_equal(slow, 4 * fast);
            assert_int_equal(at_once, 0);
        }
        assert_int_equal(server.times[what].count, phone.times[what].count);
    }
}

static void test_cost(void **state) {
    (void)state;
    cpu_model server;
    uint64_t ns = 7;
    assert_true(cpu_model_ready_made(&server, "server"));
    assert_false(cpu_model_cost(&server, IBK_WORK_IBE_DECRYPT, 4096, &ns)); /* nothing is extrapolated */
    assert_int_equal(ns, 0);
    assert_false(cpu_model_cost(&server, (ibk_work)0, 1024, &ns));
    assert_false(cpu_model_cost(&server, (ibk_work)CPU_MODEL_OPERATIONS, 1024, &ns));
    assert_null(cpu_operation_name((ibk_work)0));
    assert_string_equal(cpu_operation_name(IBK_WORK_RSA_PUBLIC), "rsa-public");
}

/* ---- files
 * -------------------------------------------------------------------------------------------------- */

#define HEAD "{\n  \"format\": \"ibakelab-cpu-model/1\",\n  \"name\": \"mine\",\n  \"operations_ns\": {\n"
#define BODY                                                                                                 \
    "    \"ibe-params\": {\"1024\": 1},\n    \"ibe-peer\": {\"1024\": 2},\n"                                 \
    "    \"ibe-encrypt\": {\"1024\": 3},\n    \"ibe-decrypt\": {\"1024\": 4},\n"                             \
    "    \"ibe-extract\": {\"1024\": 5},\n    \"ibe-verify-key\": {\"1024\": 6},\n"                          \
    "    \"ec-keygen\": {\"256\": 7},\n    \"ec-dh\": {\"256\": 8},\n    \"rsa-private\": {\"2048\": 9},\n"
#define TAIL "    \"rsa-public\": {\"3072\": 11, \"2048\": 10}\n  }\n}\n"

static void test_good(void **state) {
    (void)state;
    cpu_model model, again;
    char why[CPU_MODEL_WHY];
    ibk_buf text = {0};
    uint64_t ns;
    assert_int_equal(cpu_model_read(&model, "mine.json", ibk_span_str(HEAD BODY TAIL), why), IBK_OK);
    assert_string_equal(model.name, "mine");
    for (int what = IBK_WORK_IBE_PARAMS; what < CPU_MODEL_OPERATIONS; what++) {
        unsigned size = what <= IBK_WORK_IBE_VERIFY_KEY ? 1024 : what <= IBK_WORK_EC_DH ? 256 : 2048;
        assert_true(cpu_model_cost(&model, (ibk_work)what, size, &ns));
        assert_int_equal(ns, what);
    }
    assert_int_equal(model.times[IBK_WORK_RSA_PUBLIC].count, 2);
    assert_int_equal(model.times[IBK_WORK_RSA_PUBLIC].at[0].size, 2048); /* sorted */
    assert_int_equal(cpu_model_write(&text, &model, "a \"test\""), IBK_OK);
    assert_int_equal(cpu_model_read(&again, "again", ibk_buf_span(&text), why), IBK_OK);
    assert_string_equal(again.name, model.name);
    for (int what = IBK_WORK_IBE_PARAMS; what < CPU_MODEL_OPERATIONS; what++) {
        assert_int_equal(again.times[what].count, model.times[what].count);
        for (size_t i = 0; i < again.times[what].count; i++) {
            assert_int_equal(again.times[what].at[i].size, model.times[what].at[i].size);
            assert_int_equal(again.times[what].at[i].ns, model.times[what].at[i].ns);
        }
    }
    ibk_buf_free(&text);
}

static void test_bad(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "f:1: '[' or '{' expected near end of file"},
        {"[]", "f:1: not a JSON object"},
        {HEAD BODY "    oops\n", "f:14: string or '}' expected near 'oops'"},
        {HEAD BODY TAIL "x", "f:17: end of file expected near 'x'"},
        {"{}", "f:1: 'format' is not \"ibakelab-cpu-model/1\""},
        {"{\n\"name\": \"x\",\n\"format\": \"ibakelab-cpu-model/2\"}",
         "f:3: 'format' is not \"ibakelab-cpu-model/1\""},
        {"{\"format\": \"ibakelab-cpu-model/1\", \"operations_ns\": {}}",
         "f:1: 'name' is not a string of 1 to 63 octets"},
        {"{\"format\": \"ibakelab-cpu-model/1\",\n\"name\": 5}", "f:2: 'name' is not a string"},
        {"{\"format\": \"ibakelab-cpu-model/1\", \"name\": \"x\"}", "f:1: 'operations_ns' is missing"},
        {"{\"format\": \"ibakelab-cpu-model/1\", \"name\": \"x\",\n\n\"operations_ns\": []}",
         "f:3: 'operations_ns' is not an object"},
        {"{\"format\": \"ibakelab-cpu-model/1\", \"name\": \"x\",\n\"cores\": 4}",
         "f:2: unknown member 'cores'"},
        {HEAD BODY "\"x\": {}," TAIL, "f:14: unknown operation 'x'"},
        {HEAD BODY "    \"rsa-public\": {}\n}}",
         "f:14: 'rsa-public' is not an object of sizes with their times"},
        {HEAD BODY "    \"rsa-public\": 3\n}}",
         "f:14: 'rsa-public' is not an object of sizes with their times"},
        {HEAD BODY "\n    \"rsa-public\": {\"big\": 1}\n}}",
         "f:15: 'big' of rsa-public is not a size in bits"},
        {HEAD BODY "    \"rsa-public\": {\"02048\": 1}\n}}",
         "f:14: '02048' of rsa-public is not a size in bits"},
        {HEAD BODY "    \"rsa-public\": {\"2048\": 1.5}\n}}",
         "f:14: rsa-public at 2048 bits: not a whole number of ns from 0 to 3600000000000"},
        {HEAD BODY "    \"rsa-public\": {\"2048\": 1,\n\"3072\": -1}\n}}",
         "f:15: rsa-public at 3072 bits: not a whole number of ns from 0 to 3600000000000"},
        {HEAD BODY "    \"rsa-public\": {\"2048\": 3600000000001}\n}}",
         "f:14: rsa-public at 2048 bits: not a whole number of ns from 0 to 3600000000000"},
        {HEAD BODY "    \"rsa-public\": {\"2048\": 1, \"2048\": 1}\n}}",
         "f:14: duplicate object key near '\"2048\"'"},
        {HEAD "    \"ibe-params\": {\"1024\": 1}\n}}", "f:4: the operation 'ibe-peer' is missing"},
        {HEAD BODY
         "    \"rsa-public\": {\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,"
         "\"10\":1,\"11\":1,\"12\":1,\"13\":1,\"14\":1,\"15\":1,\"16\":1,\n\"17\":1}}}",
         "f:15: rsa-public has more than 16 sizes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cpu_model model;
        char why[CPU_MODEL_WHY];
        ibk_err err = cpu_model_read(&model, "f", ibk_span_str(cases[i].text), why);
        assert_string_equal(why, cases[i].why);
        assert_int_equal(err, IBK_ERR_BAD_VALUE);
        assert_false(model.timed); /* nothing half-read is left */
    }
}

static void test_files(void **state) {
    (void)state;
    char path[] = "/tmp/cpu-model-XXXXXX", why[CPU_MODEL_WHY];
    cpu_model model;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "wb");
    assert_non_null(file);
    fputs(HEAD BODY TAIL, file);
    fflush(file);
    assert_int_equal(cpu_model_read_file(&model, path, why), IBK_OK);
    for (int i = 0; i < CPU_MODEL_MAX_FILE; i++)
        fputc(' ', file);
    fclose(file);
    assert_int_equal(cpu_model_read_file(&model, path, why), IBK_ERR_LIMIT);
    assert_non_null(strstr(why, "more than 65536 octets"));
    unlink(path);
    assert_int_equal(cpu_model_read_file(&model, path, why), IBK_ERR_IO);
    assert_non_null(strstr(why, path));
    assert_int_equal(cpu_model_read_file(&model, "/tmp", why), IBK_ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_made), cmocka_unit_test(test_cost),  cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
