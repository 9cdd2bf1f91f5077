/* Writes what openssl_test.py has the openssl command judge. Usage: openssl_files DIR */
#include "kms/pke_lab.h"

#include <ibake/publication.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *directory;

static void put(const char *name, ibk_span octets) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(octets.data, 1, octets.len, file), octets.len);
    assert_int_equal(fclose(file), 0);
}

static ibk_span envelope_key;

/* The one PSK record of the user's log is the envelope key. */
static void keep_envelope(void *user, const ibk_keylog_record *record) {
    (void)user;
    if (record->kind == IBK_KEYLOG_PSK) {
        envelope_key = record->value;
    }
}

static void write_request(uint8_t sig, uint8_t rsaes) {
    pke_desk d;
    ibk_buf message = {0};
    ibk_key_request *request;
    char name[64];
    desk_init(&d);
    desk_certificate(&d, &world.alice[2]);
    d.chain[1] = pki_der(&world.lower);
    d.chain[2] = pki_der(&world.middle);
    d.rc.pke.n_chain = 3;
    d.users[1] = ibk_identity_uri(TEL);
    d.rc.n_users = 2;
    d.rc.pke.sig_type = sig;
    d.rc.pke.rsaes = rsaes;
    d.rc.pke.chash = true;
    ibk_env env = lab_env(&d.user);
    env.keylog = keep_envelope;
    assert_int_equal(ibk_key_request_new(&request, &env, &d.rc), IBK_OK);
    assert_int_equal(ibk_key_request_start(request, lab_now(&d.user), &message), IBK_OK);
    snprintf(name, sizeof name, "request-%u-%u.mikey", sig, rsaes);
    put(name, ibk_buf_span(&message));
    snprintf(name, sizeof name, "request-%u-%u.envelope", sig, rsaes);
    put(name, envelope_key);
    ibk_key_request_free(request);
    ibk_buf_free(&message);
    desk_free(&d);
}

static void write_publication(void) {
    ibk_buf bf = {0}, uri = {0}, der = {0}, secret = {0};
    ibk_ibe_key *key;
    ibk_span identity = ibk_span_str(ALICE "20261124");
    assert_int_equal(ibk_ibe_params_encode(lab_home.params, &bf), IBK_OK);
    assert_int_equal(ibk_pkg_uri_write(&uri, ibk_span_str("https://kms.home.example/key")), IBK_OK);
    ibk_sysparams p = {.district = ibk_span_str("https://kms.home.example/parameters"),
                       .serial = 300,
                       .not_before_s = 1795478400,
                       .not_after_s = 1798070399,
                       .algorithms = {{ibk_oid_bf(), ibk_buf_span(&bf)}},
                       .n_algorithms = 1,
                       .identity_type = ibk_oid_identity_type(IBK_GRANULARITY_DAY),
                       .has_extensions = true,
                       .extensions = {{ibk_oid_pkg_uri(), ibk_buf_span(&uri)}},
                       .n_extensions = 1};
    assert_int_equal(ibk_sysparams_write(&der, &p), IBK_OK);
    put("sysparams.der", ibk_buf_span(&der));
    ibk_identity_info info = ibk_identity_info_of(&p, identity);
    ibk_buf_clear(&der);
    assert_int_equal(ibk_identity_info_write(&der, &info), IBK_OK);
    put("identity.der", ibk_buf_span(&der));
    assert_int_equal(ibk_ibe_extract(lab_home.params, lab_home.master, identity, &key), IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(key, &secret), IBK_OK);
    ibk_key_reply reply = {.identity = info, .algorithm = ibk_oid_bf(), .key = ibk_buf_span(&secret)};
    ibk_buf_clear(&der);
    assert_int_equal(ibk_key_reply_write(&der, &reply), IBK_OK);
    put("reply.der", ibk_buf_span(&der));
    ibk_ibe_key_free(key);
    ibk_buf_free(&bf);
    ibk_buf_free(&uri);
    ibk_buf_free(&der);
    ibk_buf_free(&secret);
}

static void write_all(void **state) {
    (void)state;
    put("root.der", pki_der(&world.root));
    put("stranger.der", pki_der(&world.stranger));
    put("kms.der", pki_der(&world.kms[0]));
    put("kms.key.der", pki_key(&world.kms[0]));
    for (uint8_t sig = 0; sig < 2; sig++) {
        for (uint8_t rsaes = 0; rsaes < 3; rsaes++) {
            write_request(sig, rsaes);
        }
    }
    write_publication();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    directory = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_all)};
    return cmocka_run_group_tests(tests, pke_setup, pke_teardown);
}
