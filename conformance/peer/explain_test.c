/* What is wrong with a MAC, a TEK or a ciphertext is told as the mistake behind it. */
#include "peer/internal.h"
#include "peer/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof *(array))

/* What the receiver notices first. */
static void first_finding(const char *message, const char *knob, const char *requirement, const char *text) {
    char name[96];
    pair play;
    (void)snprintf(name, sizeof name, "%s/%s", message, knob);
    pair_play(&play, strncmp(message, "request", 7) == 0 ? PAIR_PSK : PAIR_CALL,
              &(pair_setting){.deviation = name});
    bool by_first = message[0] == 'i' || strncmp(message, "request-key-psk", 15) == 0;
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
                    {"prf-of-v", "6043-1"},          {"k-session-x", "P-5"},
                    {"k-session-compressed", "P-5"}, {"v-without-identities", "6267-82"},
                    {"v-identities-turned", "P-8"},  {"v-over-payloads", "6267-82"},
                    {"v-with-time", "P-8"},          {"no-mpk", "6267-67"}};
    for (size_t i = 0; i < N(mistakes); i++) {
        peer_deviation d;
        char name[96];
        (void)snprintf(name, sizeof name, "r-message-2/%s", mistakes[i].knob);
        assert_true(peer_deviation_find(name, &d));
        first_finding("r-message-2", mistakes[i].knob, mistakes[i].requirement, d.text);
    }
    first_finding("request-key-psk", "auth-csb-id", "6267-4", NULL);
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

/* The TEK of somebody who derives by `recipe`. */
static void tek_finding(const pair *play, const px_tek_recipe *recipe, const char *requirement) {
    peer_cs_keys keys[2];
    peer_finding why = {0};
    assert_int_equal(px_keys(play->second, recipe, keys, N(keys)), 2);
    bool explained = peer_explain_tek(play->first, 1, ibk_span_of(keys[1].tek, keys[1].tek_len), &why);
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
        tek_finding(&play, &r, NULL);
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
        tek_finding(&play, &r, "6043-1");
        pair_free(&play);
    }
    peer_finding why;
    pair_play(&play, PAIR_CALL, &(pair_setting){0});
    assert_false(
        peer_explain_tek(play.first, 9, ibk_span_str("0123456789abcdef"), &why)); /* no such session */
    assert_false(peer_explain_tek(play.first, 0, (ibk_span){0}, &why));
    pair_free(&play);
}

static int forget(void **state) {
    (void)state;
    pair_forget_domains();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_v), cmocka_unit_test(test_content),
                                       cmocka_unit_test(test_tek)};
    return cmocka_run_group_tests(tests, NULL, forget);
}
