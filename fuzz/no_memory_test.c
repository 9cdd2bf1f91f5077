/* Every parser and writer of messages with every one of its allocations failing in turn: the failure is told
 * as IBK_ERR_NO_MEMORY, nothing is left behind and nothing leaks. Inputs are the committed corpora. */
#include "fixture.h"
#include "world/accounts.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TRIES_MAX = 400 };

static ibk_err message(ibk_span in) {
    ibk_msg msg = {0};
    ibk_buf out = {0};
    ibk_err err = ibk_msg_parse(&msg, in, NULL);
    err = err ? err : ibk_msg_write(&msg, &out);
    for (size_t i = 0; i < msg.chain.count && !err; i++)
        if (msg.chain.items[i].type == IBK_PL_V || msg.chain.items[i].type == IBK_PL_SIGN) {
            ibk_span id = ibk_span_str("id");
            ibk_buf covered = {0};
            err = ibk_msg_covered(&covered, &msg, &id, 1);
            ibk_buf_free(&covered);
        }
    ibk_buf_free(&out);
    ibk_msg_free(&msg);
    return err;
}

static ibk_err content(ibk_span in) {
    static const uint8_t containers[] = {IBK_PL_IBAKE, IBK_PL_ESK, IBK_PL_KEMAC};
    ibk_chain chain = {0}, built = {0};
    ibk_buf out = {0};
    ibk_err err = ibk_chain_parse(&chain, containers[in.data[0] % 3], IBK_PL_IDR,
                                  ibk_span_of(in.data + 1, in.len - 1), NULL);
    err = err ? err : ibk_chain_write(&chain, &out);
    for (size_t i = 0; i < chain.count && !err; i++)
        ibk_chain_add(&built, &chain.items[i]);
    err = err ? err : built.err;
    ibk_buf_free(&out);
    ibk_chain_free(&chain);
    ibk_chain_free(&built);
    return err;
}

static ibk_err attribute(ibk_span in) {
    ibk_buf octets = {0}, text = {0};
    ibk_err err = ibk_keymgmt_parse(&octets, in, NULL);
    err = err ? err : ibk_keymgmt_write(&text, ibk_buf_span(&octets));
    ibk_buf_free(&octets);
    ibk_buf_free(&text);
    return err;
}

static ibk_err params(ibk_span in) {
    ibk_ibe_params *p = NULL;
    ibk_buf out = {0};
    ibk_err err = ibk_ibe_params_parse(&p, in, fuzz_params(1024), NULL);
    err = err ? err : ibk_ibe_params_encode(p, &out);
    ibk_ibe_params_free(p);
    ibk_buf_free(&out);
    return err;
}

static ibk_err master(ibk_span in) {
    ibk_ibe_master *m = NULL;
    ibk_buf out = {0};
    ibk_err err = ibk_ibe_master_parse(&m, fuzz_params(1024), in, NULL);
    err = err ? err : ibk_ibe_master_encode(m, &out);
    ibk_ibe_master_free(m);
    ibk_buf_free(&out);
    return err;
}

static ibk_err private_key(ibk_span in) {
    ibk_ibe_key *key = NULL;
    ibk_buf out = {0};
    ibk_err err = ibk_ibe_key_parse(&key, fuzz_params(1024), in, NULL);
    err = err ? err : ibk_ibe_key_encode(key, &out);
    ibk_ibe_key_free(key);
    ibk_buf_free(&out);
    return err;
}

static ibk_err ciphertext(ibk_span in) {
    ibk_ibe_ciphertext ct;
    ibk_buf out = {0};
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, in, NULL);
    err = err ? err : ibk_ibe_ciphertext_encode(&ct, &out);
    ibk_buf_free(&out);
    return err;
}

static ibk_err publication(ibk_span in) {
    ibk_sysparams p;
    ibk_identity_info info;
    ibk_key_reply reply;
    ibk_span oid;
    ibk_buf out = {0};
    ibk_err err = ibk_sysparams_parse(&p, in, NULL) == IBK_OK          ? ibk_sysparams_write(&out, &p)
                  : ibk_identity_info_parse(&info, in, NULL) == IBK_OK ? ibk_identity_info_write(&out, &info)
                  : ibk_key_reply_parse(&reply, in, NULL) == IBK_OK    ? ibk_key_reply_write(&out, &reply)
                  : ibk_oid_parse(&oid, in, NULL) == IBK_OK            ? ibk_oid_write(&out, oid)
                                                                       : IBK_ERR_DER;
    ibk_buf_free(&out);
    return err;
}

static void each_allocation(ibk_err (*parse)(ibk_span), ibk_span in) {
    ibk_err whole = parse(in);
    for (size_t nth = 1; nth < TRIES_MAX; nth++) {
        size_t before = accounts_held();
        accounts_fail(nth);
        ibk_err err = parse(in);
        size_t left = accounts_fail(0);
        assert_int_equal(accounts_held(), before);
        if (left > 0) { /* fewer allocations than that */
            assert_int_equal(err, whole);
            return;
        }
        assert_int_equal(err, IBK_ERR_NO_MEMORY);
    }
    fail();
}

static void over(const char *target, ibk_err (*parse)(ibk_span)) {
    char path[4096];
    struct dirent **entries;
    size_t inputs = 0;
    snprintf(path, sizeof path, "%s/%s", FUZZ_CORPUS, target);
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        static uint8_t octets[8192];
        snprintf(path, sizeof path, "%s/%s/%s", FUZZ_CORPUS, target, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (file) {
            size_t len = fread(octets, 1, sizeof octets, file);
            fclose(file);
            if (len > 0 && len < sizeof octets)
                each_allocation(parse, ibk_span_of(octets, len));
            inputs++;
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    assert_true(inputs > 0);
}

static void test_messages(void **state) {
    (void)state;
    over("mikey_message", message);
    over("mikey_chain", content);
    over("keymgmt_sdp", attribute);
}

static void test_der(void **state) {
    (void)state;
    (void)fuzz_master();
    over("ibe_ciphertext", ciphertext);
    over("ibe_master", master);
    over("ibe_private_key", private_key);
    over("ibe_params", params);
    over("publication", publication);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages), cmocka_unit_test(test_der)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
