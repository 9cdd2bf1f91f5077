/* For every defence of the key request, at the KMS and at the user: what it stops is refused, and goes
 * through where it is off. */
#include "kms/pke_lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char psk[] = "a secret of sixteen octets or so";

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *out,
                     void **owner) {
    (void)user, (void)psk_id, (void)first;
    *owner = NULL;
    return ibk_buf_append_span(out, ibk_span_str(psk)) == IBK_OK;
}

static bool may_have(void *user, void *owner, ibk_span id) {
    (void)user, (void)owner;
    return ibk_span_equal(id, ibk_span_str(ALICE));
}

static void by_psk(pke_desk *d) {
    d->kc.psk = find_psk;
    d->kc.authorized = may_have;
    d->rc.method = IBK_KEY_METHOD_PSK;
    d->rc.psk = ibk_span_str(psk);
}

/* ---- attacks: what became of them, at the KMS or else at the user ----------------------------------------
 */

typedef ibk_err attack_fn(pke_desk *d);

static ibk_err come_to(pke_desk *d) {
    return d->result.err ? d->result.err : finish(d);
}

static ibk_err whole_of(pke_desk *d) {
    ask(d);
    handle(d);
    return come_to(d);
}

static ibk_err ask_for_bob(pke_desk *d) {
    by_psk(d);
    d->users[0] = ibk_identity_uri("sip:bob@home.example");
    return whole_of(d);
}

static ibk_err ask_for_bob_with_certificate(pke_desk *d) {
    d->users[0] = ibk_identity_uri("sip:bob@home.example");
    return whole_of(d);
}

static ibk_err ask_twice(pke_desk *d) {
    ask(d);
    handle(d);
    assert_int_equal(d->result.err, IBK_OK);
    handle(d);
    return d->result.err;
}

static ibk_err ask_late(pke_desk *d) {
    d->kms_node.utc_ns += INT64_C(301) * 1000000000;
    return whole_of(d);
}

/* The last octet is one of the MAC, or of the signature. */
static ibk_err spoil_request(pke_desk *d) {
    ask(d);
    d->asked.data[d->asked.len - 1] ^= 1;
    handle(d);
    return d->result.err;
}

static ibk_err spoil_mac(pke_desk *d) {
    by_psk(d);
    return spoil_request(d);
}

static ibk_err show_strangers_certificate(pke_desk *d) {
    pki_request r = {
        .name = "Alice", .key_of = &world.alice[0], .issuer = &world.stranger, .sans = "URI:" ALICE};
    pki_cert cert = pki_make(&r);
    desk_certificate(d, &cert);
    ibk_err err = whole_of(d);
    pki_free(&cert);
    return err;
}

static ibk_err ask_for_long_ago(pke_desk *d) {
    d->users[0] = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(ALICE "20240229")};
    return whole_of(d);
}

/* Octet `at` of the answer, from its end if it is negative. */
static ibk_err spoil_answer(pke_desk *d, int at) {
    ask(d);
    handle(d);
    assert_int_equal(d->result.err, IBK_OK);
    d->answer.data[at < 0 ? (int)d->answer.len + at : at] ^= 1;
    return finish(d);
}

static ibk_err forge_answer(pke_desk *d) {
    return spoil_answer(d, -1);
}

static ibk_err answer_with_other_csb_id(pke_desk *d) {
    return spoil_answer(d, 7);
}

static ibk_err answer_with_other_t(pke_desk *d) {
    return spoil_answer(d, 10 + 2 + 7); /* HDR, next payload, TS type, the last octet of the value */
}

static ibk_err issue_with_another_secret(pke_desk *d) {
    d->kc.master = lab_away.master;
    return whole_of(d);
}

/* ---- the table --------------------------------------------------------------------------------------- */

static const struct {
    uint32_t defence, behind; /* what stands behind it and has to be off as well */
    attack_fn *attack;
    ibk_err reason;
} cases[] = {
    {IBK_DEFENCE_KMS_AUTHORIZATION, 0, ask_for_bob, IBK_ERR_NOT_AUTHORIZED},
    {IBK_DEFENCE_KMS_AUTHORIZATION, 0, ask_for_bob_with_certificate, IBK_ERR_NOT_AUTHORIZED},
    {IBK_DEFENCE_KMS_REPLAY_CACHE, 0, ask_twice, IBK_ERR_REPLAYED},
    {IBK_DEFENCE_CLOCK_SKEW, 0, ask_late, IBK_ERR_CLOCK_SKEW},
    {IBK_DEFENCE_KMS_MAC, 0, spoil_mac, IBK_ERR_BAD_MAC},
    {IBK_DEFENCE_KMS_SIGNATURE, 0, spoil_request, IBK_ERR_BAD_SIGNATURE},
    {IBK_DEFENCE_USER_CERTIFICATE, 0, show_strangers_certificate, IBK_ERR_BAD_CERTIFICATE},
    {IBK_DEFENCE_ISSUE_WINDOW, 0, ask_for_long_ago, IBK_ERR_NOT_AUTHORIZED},
    {IBK_DEFENCE_RESPONSE_MAC, 0, forge_answer, IBK_ERR_BAD_MAC},
    {IBK_DEFENCE_HEADER_REPEAT, IBK_DEFENCE_RESPONSE_MAC, answer_with_other_csb_id, IBK_ERR_MISMATCH},
    {IBK_DEFENCE_TIMESTAMP_REPEAT, IBK_DEFENCE_RESPONSE_MAC, answer_with_other_t, IBK_ERR_MISMATCH},
    {IBK_DEFENCE_KEY_VERIFICATION, 0, issue_with_another_secret, IBK_ERR_MISMATCH},
};

static ibk_err try_without(attack_fn *attack, uint32_t without) {
    pke_desk d;
    ibk_buf der = {0};
    ibk_ibe_params *params;
    desk_init(&d);
    assert_int_equal(ibk_ibe_params_encode(lab_home.params, &der), IBK_OK);
    assert_int_equal(
        ibk_ibe_params_parse_without(&params, ibk_buf_span(&der), lab_home.params, without, NULL), IBK_OK);
    d.rc.params = params;
    d.kc.without = d.rc.without = without;
    ibk_err err = attack(&d);
    desk_free(&d);
    ibk_ibe_params_free(params);
    ibk_buf_free(&der);
    return err;
}

static void test_attacks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t one = cases[i].defence, all = one | cases[i].behind;
        ibk_err on = try_without(cases[i].attack, 0), off = try_without(cases[i].attack, all);
        ibk_err lonely = try_without(cases[i].attack, ~all); /* it does not lean on any other */
        if (on != cases[i].reason || lonely == IBK_OK || off != IBK_OK) {
            fail_msg("%s: on %s, alone %s, off %s", ibk_defence_name(one), ibk_err_name(on),
                     ibk_err_name(lonely), ibk_err_name(off));
        }
        if (cases[i].behind) {
            assert_int_not_equal(try_without(cases[i].attack, one), IBK_OK);
        }
    }
}

/* What the node authenticated itself (RFC 5408): the same authorization. */
static void test_extract(void **state) {
    (void)state;
    for (int off = 0; off < 2; off++) {
        pke_desk d;
        ibk_buf key = {0};
        desk_init(&d);
        by_psk(&d);
        d.kc.without = off ? IBK_DEFENCE_KMS_AUTHORIZATION : 0;
        ask(&d);
        ibk_err err = ibk_kms_extract(d.kms, lab_now(&d.kms_node), NULL,
                                      ibk_span_str("sip:bob@home.example20261124"), &key, NULL);
        assert_int_equal(err, off ? IBK_OK : IBK_ERR_NOT_AUTHORIZED);
        assert_int_equal(key.len > 0, off);
        ibk_buf_free(&key);
        desk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_attacks), cmocka_unit_test(test_extract)};
    return cmocka_run_group_tests(tests, pke_setup, pke_teardown);
}
