/* What is wrong with a MAC, a TEK or a ciphertext is told as the mistake behind it. */
#include "peer/internal.h"
#include "peer/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof *(array))

static pair_flow flow_of(const char *message) {
    if (strcmp(message, "request-key-pke") == 0)
        return PAIR_PKE;
    if (strncmp(message, "mailbox", 7) == 0)
        return PAIR_MAILBOX;
    return strncmp(message, "request", 7) == 0 ? PAIR_PSK : PAIR_CALL;
}

/* What the receiver notices first. */
static void first_finding(const char *message, const char *knob, const char *requirement, const char *text) {
    char name[96];
    pair play;
    (void)snprintf(name, sizeof name, "%s/%s", message, knob);
    peer_deviation d;
    assert_true(peer_deviation_find(name, &d));
    pair_play(&play, flow_of(message),
              &(pair_setting){
                  .deviation = name, .prf = d.prf, .encryption = d.encryption, .timestamp = d.timestamp});
    bool by_first = d.sender == PEER_INITIATOR || d.sender == PEER_USER;
    const peer_finding *f = peer_finding_at(by_first ? play.second : play.first, 0);
    if (!f || strcmp(f->requirement, requirement) != 0 || (text && strcmp(f->text, text) != 0))
        fail_msg("%s: %s %s", name, f ? f->requirement : "nothing", f ? f->text : "");
    pair_free(&play);
}

static void test_v(void **state) {
    (void)state;
    static const struct {
        const char *knob, *requirement;
    } mistakes[] = {{"mpk-constant", "6267-94"},     {"mpk-cs-id", "6267-94"},
                    {"mpk-csb-id", "6267-94"},       {"mpk-length", "P-6"},
                    {"auth-constant", "6267-96"},    {"auth-cs-id", "6267-96"},
                    {"auth-csb-id", "6267-96"},      {"label-without-rand", "6267-94"},
                    {"prf-of-v", "3830-11"},         {"k-session-x", "P-5"},
                    {"k-session-compressed", "P-5"}, {"v-without-identities", "6267-82"},
                    {"v-identities-turned", "P-8"},  {"v-over-payloads", "6267-82"},
                    {"v-with-time", "P-8"},          {"no-mpk", "6267-67"},
                    {"mpk-csb-id-0", "6267-94"},     {"mpk-short", "P-6"},
                    {"cs-ids-0", "6267-94"},         {"prf-input-whole", "3830-11"},
                    {"prf-input-160", "3830-11"},    {"prf-output-160", "6043-2"},
                    {"v-hash-cut", "3830-16"},       {"v-key-160", "6043-10"},
                    {"v-without-header", "6267-82"}};
    for (size_t i = 0; i < N(mistakes); i++) {
        peer_deviation d;
        char name[96];
        (void)snprintf(name, sizeof name, "r-message-2/%s", mistakes[i].knob);
        assert_true(peer_deviation_find(name, &d));
        first_finding("r-message-2", mistakes[i].knob, mistakes[i].requirement, d.text);
    }
    first_finding("request-key-psk", "auth-csb-id", "6267-4", NULL);
    first_finding("request-key-pke", "sign-over-payloads", "6267-82",
                  "under SIGN stand ID payloads in place of identities");
    first_finding("request-key-pke", "sign-without-hash-name", "3830-21", NULL);
    first_finding("mailbox-r-message-2", "v-over-called", "6267-83", NULL);
    /* what no mistake explains is told as it is */
    first_finding("r-message-2", "v-wrong", "6267-67", "V does not verify");
    first_finding("r-message-2", "other-secret", "6267-67", NULL);
}

static void test_content(void **state) {
    (void)state;
    first_finding("r-message-1", "inner-next-payload", "6267-97", "the last payload announces another one");
    first_finding("request-key-resp", "kemac-next-payload", "P-4", "the last payload announces another one");
    first_finding("r-message-1", "for-other-day", "P-9", NULL);
    first_finding("i-message-1", "for-no-day", "P-9", "an IBE identity has no date");
    first_finding("i-message-2", "for-other-identity", "5091-15",
                  NULL); /* of neither of the two: no mistake that is known */
}

static void test_kemac(void **state) {
    (void)state;
    static const struct {
        const char *knob, *requirement;
    } mistakes[] = {{"encr-constant", "6267-72"},
                    {"encr-constant-of-salt", "6267-72"},
                    {"salt-constant", "6267-72"},
                    {"salt-constant-of-encr", "6267-72"},
                    {"kemac-iv-without-csb-id", "3830-12"},
                    {"kemac-iv-left", "3830-12"},
                    {"kemac-counter-right", "3830-53"},
                    {"kemac-ntp-32-left", "6043-12"},
                    {"kemac-256-short-key", "6043-9"},
                    {"kemac-wrap-default", "3830-61"},
                    {"kemac-empty", "6267-90"}};
    for (size_t i = 0; i < N(mistakes); i++)
        first_finding("request-key-resp", mistakes[i].knob, mistakes[i].requirement, NULL);
}

static void test_form(void **state) {
    (void)state;
    static const char *const sealed[] = {"i-message-1", "r-message-1", "i-message-2"};
    for (size_t i = 0; i < N(sealed); i++) {
        first_finding(sealed[i], "no-padding", "6267-99", "the points in ECCPT are not padded");
        first_finding(sealed[i], "padding-alone", "6267-99", NULL);
    }
    first_finding("r-message-2", "last-next-payload", "3830-62", NULL);
}

static ibk_err sevens(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user, (void)label;
    memset(out, 7, len);
    return IBK_OK;
}

/* IBAKE for Bob, of somebody whose HashBytes errs so; rho is known here, and W made again with it. */
static void seal(px_part *part, px_hash_fault fault) {
    const ibk_ibe_params *params = pair_domain(1024, PEER_DAY)->params;
    const ibk_env env = {.draw = sevens};
    ibk_ibe_hash hash = ibk_ibe_params_hash(params);
    ibk_ibe_ciphertext ct;
    px_chain content = {0};
    px_octets plain = {0};
    ibk_buf der = {0}, made = {0};
    uint8_t rho[IBK_IBE_HASH_MAX], right[64], wrong[64], w[64];
    sevens(NULL, IBK_DRAW_RHO, rho, sizeof rho);
    px_idr(&px_add(&content, PX_IDR)->body, PX_ROLE_I, (peer_id){1, ibk_span_str("sip:alice@home.example")});
    assert_int_equal(px_chain_encode(&content, &plain), IBK_OK);
    assert_int_equal(
        ibk_ibe_encrypt(&env, params, ibk_span_str("sip:bob@home.example20261124"), px_span(&plain), &der),
        IBK_OK);
    assert_int_equal(ibk_ibe_ciphertext_parse(&ct, ibk_buf_span(&der), NULL), IBK_OK);
    ibk_span known = ibk_span_of(rho, ibk_ibe_hash_len(hash));
    assert_int_equal(px_hash_bytes(PX_HASH_RIGHT, hash, known, right, ct.w.len), IBK_OK);
    assert_int_equal(px_hash_bytes(fault, hash, known, wrong, ct.w.len), IBK_OK);
    for (size_t i = 0; i < ct.w.len; i++)
        w[i] = (uint8_t)(ct.w.data[i] ^ right[i] ^ wrong[i]);
    ct.w = ibk_span_of(w, ct.w.len);
    assert_int_equal(ibk_ibe_ciphertext_encode(&ct, &made), IBK_OK);
    px_put16(&part->body, (unsigned)made.len);
    px_put_span(&part->body, ibk_buf_span(&made));
    ibk_buf_free(&der);
    ibk_buf_free(&made);
    px_free(&plain);
    px_chain_free(&content);
}

static void test_hash_bytes(void **state) {
    (void)state;
    for (px_hash_fault fault = PX_HASH_REPEATED; fault <= PX_HASH_KEY_FIRST; fault++) {
        pair play;
        px_part part = {.type = PX_IBAKE};
        pair_play(&play, PAIR_CALL, &(pair_setting){0});
        seal(&part, fault);
        play.second->judging = PX_I1;
        assert_true(px_explain_sealed(play.second, &part, &play.second->idr));
        const peer_finding *f = peer_finding_at(play.second, 0);
        assert_string_equal(f ? f->requirement : "none", "P-1");
        part.body.buf.data[part.body.buf.len - px_span(&play.second->idi.data).len - 1] ^= 1; /* a length */
        assert_false(px_explain_sealed(play.second, &part, &play.second->idr));
        px_free(&part.body);
        pair_free(&play);
    }
}

/* A T that is right but for its form is told as that. */
static void time_finding(const uint8_t octets[8], const char *requirement) {
    pair play;
    pair_play(&play, PAIR_CALL, &(pair_setting){0});
    px_part t = {.type = PX_T};
    px_put8(&t.body, 0);
    px_put(&t.body, octets, 8);
    px_explain_time(play.first, &t, 300);
    const peer_finding *f = peer_finding_at(play.first, 0);
    if (requirement)
        assert_string_equal(f ? f->requirement : "none", requirement);
    else
        assert_null(f);
    px_free(&t.body);
    pair_free(&play);
}

static void test_time(void **state) {
    (void)state;
    uint64_t now = (PAIR_NOON / 1000 + 2208988800U) << 32, unix_now = (uint64_t)(PAIR_NOON / 1000) << 32;
    uint8_t turned[8], since_1970[8], wrong[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t i = 0; i < 8; i++) {
        turned[i] = (uint8_t)(now >> 8 * i);
        since_1970[i] = (uint8_t)(unix_now >> (56 - 8 * i));
    }
    time_finding(turned, "3830-64");
    time_finding(since_1970, "3830-65");
    time_finding(wrong, NULL);
}

/* The TEK of somebody who derives by `recipe`. */
static void tek_finding(const pair *play, const px_tek_recipe *recipe, const char *requirement) {
    peer_cs_keys keys[2];
    peer_finding why = {0};
    assert_int_equal(px_keys(play->second, recipe, keys, N(keys)), 2);
    bool explained = peer_explain_keys(play->first, 1, ibk_span_of(keys[1].tek, keys[1].tek_len), &why);
    assert_int_equal(explained, requirement != NULL);
    if (requirement)
        assert_string_equal(why.requirement, requirement);
}

static void test_tek(void **state) {
    (void)state;
    pair play;
    for (uint8_t prf = 0; prf < 2; prf++) {
        pair_play(&play, PAIR_CALL, &(pair_setting){.prf = prf});
        px_tek_recipe r = {0};
        tek_finding(&play, &r, "3830-6"); /* the TEK is right: it is the salt */
        r.tgk_len = 20;
        tek_finding(&play, &r, "P-6");
        r.cs_id_less = 1; /* two mistakes at once are none that is known */
        tek_finding(&play, &r, NULL);
        r = (px_tek_recipe){0}, r.tgk_constant = PX_LABEL_MPK;
        tek_finding(&play, &r, "6267-95");
        r = (px_tek_recipe){0}, r.tgk_csb_own = true;
        tek_finding(&play, &r, "6267-95");
        r = (px_tek_recipe){0}, r.direct = true;
        tek_finding(&play, &r, "6267-95");
        r = (px_tek_recipe){0}, r.cs_id_less = 1;
        tek_finding(&play, &r, "3830-6");
        r = (px_tek_recipe){0}, r.tek_constant = PX_LABEL_TEK_SALT;
        tek_finding(&play, &r, "3830-6");
        r = (px_tek_recipe){0}, r.tek_csb_none = true;
        tek_finding(&play, &r, "3830-6");
        r = (px_tek_recipe){0}, r.no_rand = true;
        tek_finding(&play, &r, "3830-6");
        r = (px_tek_recipe){0}, r.other_prf = true;
        tek_finding(&play, &r, prf ? "6043-1" : "3830-11");
        r = (px_tek_recipe){0}, r.tgk_csb_zero = true;
        tek_finding(&play, &r, "6267-95");
        r = (px_tek_recipe){0}, r.tgk_cs_zero = true;
        tek_finding(&play, &r, "6267-95");
        r = (px_tek_recipe){0}, r.tek_cs_none = true;
        tek_finding(&play, &r, "3830-6");
        for (px_prf_fault fault = PX_PRF_WHOLE; fault <= PX_PRF_OUTPUT; fault++) {
            bool differs = prf || fault == PX_PRF_WHOLE || fault == PX_PRF_SPLIT || fault == PX_PRF_CHAIN;
            differs = differs && !(prf && fault == PX_PRF_CHAIN); /* one HMAC is enough for all keys */
            bool of_160 = fault == PX_PRF_SPLIT || fault == PX_PRF_OUTPUT;
            r = (px_tek_recipe){0}, r.fault = fault;
            tek_finding(&play, &r, !differs ? "3830-6" : !prf ? "3830-11" : of_160 ? "6043-2" : "6043-1");
        }
        pair_free(&play);
    }
    peer_finding why;
    pair_play(&play, PAIR_CALL, &(pair_setting){0});
    assert_false(
        peer_explain_keys(play.first, 9, ibk_span_str("0123456789abcdef"), &why)); /* no such session */
    assert_false(peer_explain_keys(play.first, 0, (ibk_span){0}, &why));
    pair_free(&play);
}

static int forget(void **state) {
    (void)state;
    pair_forget_domains();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_v),         cmocka_unit_test(test_content),
                                       cmocka_unit_test(test_kemac),     cmocka_unit_test(test_form),
                                       cmocka_unit_test(test_time),      cmocka_unit_test(test_tek),
                                       cmocka_unit_test(test_hash_bytes)};
    return cmocka_run_group_tests(tests, NULL, forget);
}
