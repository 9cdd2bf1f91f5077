/* Two peers play each other: every flow completes with equal keys and without a finding. */
#include "peer/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof *(array))

static void show_findings(const peer *p, const char *who) {
    for (size_t i = 0; i < peer_findings(p); i++)
        print_error("%s: %s, message %u: %s\n", who, peer_finding_at(p, i)->requirement,
                    peer_finding_at(p, i)->data_type, peer_finding_at(p, i)->text);
}

static void no_findings(const pair *play) {
    show_findings(play->first, "first");
    show_findings(play->second, "second");
    assert_int_equal(peer_findings(play->first) + peer_findings(play->second), 0);
}

static size_t equal_keys(const pair *play) {
    peer_cs_keys a[8], b[8];
    size_t n = peer_keys(play->first, a, 8);
    assert_int_equal(n, peer_keys(play->second, b, 8));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i].cs_id, b[i].cs_id);
        assert_int_equal(a[i].ssrc, b[i].ssrc);
        assert_int_equal(a[i].tek_len, b[i].tek_len);
        assert_memory_equal(a[i].tek, b[i].tek, a[i].tek_len);
        assert_memory_equal(a[i].salt, b[i].salt, a[i].salt_len);
        assert_true(i == 0 || memcmp(a[i].tek, a[i - 1].tek, 16) != 0);
    }
    return n;
}

static void established(pair_flow flow, const pair_setting *s) {
    pair play;
    pair_play(&play, flow, s);
    no_findings(&play);
    assert_int_equal(peer_look(play.first)->state, PEER_ESTABLISHED);
    assert_int_equal(peer_look(play.second)->state, PEER_ESTABLISHED);
    assert_int_equal(equal_keys(&play), s->map_type == 1 ? 0 : s->further ? 3 : 2);
    assert_int_equal(play.messages, flow == PAIR_CALL || flow == PAIR_MAILBOX ? 4 : 6);
    assert_int_equal(peer_look(play.first)->deferred, flow == PAIR_MAILBOX);
    if (flow == PAIR_MAILBOX) /* the mailbox has what the initiator's SK is in */
        assert_true(peer_look(play.first)->sk.len == 32 && peer_look(play.second)->esk.len > 100);
    pair_free(&play);
}

static void test_calls(void **state) {
    (void)state;
    static const uint8_t curves[] = {1, 5, 8, 11, 14};
    for (size_t i = 0; i < N(curves); i++)
        for (uint8_t k = 0; k < 4; k++) /* PRF, MAC, T and map in all their values */
            established(PAIR_CALL, &(pair_setting){.curve = curves[i],
                                                   .prf = k & 1,
                                                   .mac = (uint8_t)((i + k) % 3),
                                                   .timestamp = k,
                                                   .map_type = (uint8_t)((i + k) % 3),
                                                   .esk = k == 2});
    established(PAIR_CALL, &(pair_setting){.size = 3072, .prf = 1, .esk = true});
    established(PAIR_CALL, &(pair_setting){.granularity = PEER_HOUR});
    established(PAIR_CALL, &(pair_setting){.granularity = PEER_MONTH});
}

static void test_mailbox(void **state) {
    (void)state;
    established(PAIR_MAILBOX, &(pair_setting){.prf = 1});
    established(PAIR_MAILBOX, &(pair_setting){.mailbox_curve = 11}); /* P-28 */
}

static void test_updates(void **state) {
    (void)state;
    for (unsigned i = 0; i < 16; i++)
        established(i & 1 ? PAIR_UPDATE : PAIR_UPDATE_BACK, &(pair_setting){.no_new_dh = i & 2,
                                                                            .further = i & 4,
                                                                            .prf = i >> 3,
                                                                            .map_type = i & 8 ? 2 : 0,
                                                                            .timestamp = i >> 2});
}

static void test_new_values_change_the_keys(void **state) {
    (void)state;
    pair before, after, same;
    peer_cs_keys was, is, stays;
    pair_play(&before, PAIR_CALL, &(pair_setting){0});
    pair_play(&after, PAIR_UPDATE, &(pair_setting){0});
    pair_play(&same, PAIR_UPDATE, &(pair_setting){.no_new_dh = true});
    assert_int_equal(peer_keys(before.first, &was, 1) + peer_keys(after.first, &is, 1) +
                         peer_keys(same.first, &stays, 1),
                     6);
    assert_memory_not_equal(was.tek, is.tek, 16);
    assert_memory_equal(was.tek, stays.tek, 16);
    pair_free(&before);
    pair_free(&after);
    pair_free(&same);
}

static void test_requests(void **state) {
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        pair_setting s = {.prf = i & 1,
                          .encryption = (uint8_t)(i % 4),
                          .ask_bytes = i & 2,
                          .timestamp = i / 4,
                          .pss = i & 4,
                          .chash = i & 8,
                          .envelope = (peer_envelope)(i % 3),
                          .mac = (uint8_t)(i % 3)};
        for (unsigned pke = 0; pke < 2; pke++) {
            pair play;
            pair_play(&play, pke ? PAIR_PKE : PAIR_PSK, &s);
            no_findings(&play);
            assert_int_equal(peer_look(play.first)->state, PEER_FINISHED);
            assert_int_equal(peer_private_keys(play.first), 2);
            ibk_span identity, der;
            assert_true(peer_private_key(play.first, 0, &identity, &der));
            assert_true(ibk_span_equal(identity, ibk_span_str("sip:alice@home.example20261124")));
            pair_free(&play);
        }
    }
}

static void test_repeatable(void **state) {
    (void)state;
    pair a, b;
    pair_play(&a, PAIR_UPDATE, &(pair_setting){.esk = true});
    pair_play(&b, PAIR_UPDATE, &(pair_setting){.esk = true});
    assert_true(ibk_span_equal(ibk_buf_span(&a.wire), ibk_buf_span(&b.wire)));
    pair_free(&a);
    pair_free(&b);
}

static void test_errors_end_it(void **state) {
    (void)state;
    pair play;
    ibk_buf message = {0}, none = {0};
    pair_play(&play, PAIR_CALL, &(pair_setting){.deviation = "r-message-1/ibake-garbage"});
    assert_int_equal(peer_look(play.first)->state, PEER_STUCK);
    assert_true(peer_look(play.second)->deviated);
    assert_int_equal(peer_error(play.first, 12, &message), IBK_OK);
    assert_int_equal(peer_receive(play.second, ibk_buf_span(&message), &none), IBK_OK);
    assert_int_equal(peer_look(play.second)->state, PEER_TOLD);
    assert_int_equal(peer_look(play.second)->told, 12);
    assert_int_equal(none.len, 0);
    ibk_buf_free(&message);
    pair_free(&play);
}

static void test_configurations(void **state) {
    (void)state;
    peer *p;
    peer_config c = {.role = PEER_RESPONDER,
                     .domains = pair_domain(1024, PEER_DAY),
                     .n_domains = 1,
                     .self = {1, ibk_span_str("sip:b@home.example")}};
    assert_int_equal(peer_new(&p, &c), IBK_OK);
    ibk_buf out = {0};
    assert_int_equal(peer_start(p, &out), IBK_ERR_STATE);
    assert_int_equal(peer_update(p, &(peer_change){0}, &out), IBK_ERR_STATE);
    peer_free(p);
    c.deviation = "deviation/i-message-1/t-missing";
    assert_int_equal(peer_new(&p, &c), IBK_OK);
    peer_free(p);
    c.deviation = "i-message-1/no-such-knob";
    assert_int_equal(peer_new(&p, &c), IBK_ERR_USAGE);
    c = (peer_config){.role = PEER_INITIATOR, .domains = c.domains, .n_domains = 1, .self = c.self};
    assert_int_equal(peer_new(&p, &c), IBK_ERR_USAGE);
}

/* Octets that are no message, and every prefix of one that is, leave the peer in order. */
static void test_garbage(void **state) {
    (void)state;
    pair play;
    pair_play(&play, PAIR_CALL, &(pair_setting){.esk = true});
    for (size_t n = 2; n < 400; n++) {
        peer *p;
        ibk_buf answer = {0};
        peer_config c = {.role = PEER_RESPONDER,
                         .domains = pair_domain(1024, PEER_DAY),
                         .n_domains = 1,
                         .self = {1, ibk_span_str("sip:bob@home.example")},
                         .utc_ms = PAIR_NOON};
        assert_int_equal(peer_new(&p, &c), IBK_OK);
        assert_int_equal(peer_receive(p, ibk_span_of(play.wire.data, n), &answer), IBK_OK);
        assert_int_equal(answer.len, 0);
        assert_int_equal(peer_look(p)->state, PEER_STUCK);
        assert_true(peer_findings(p) > 0);
        peer_free(p);
    }
    pair_free(&play);
}

/* Whatever happens to a message: where nobody found anything wrong, both have the same keys. (A peer that has
 * found something goes on nevertheless, as a tester.) */
static void test_damage(void **state) {
    (void)state;
    static const pair_flow flows[] = {PAIR_CALL, PAIR_MAILBOX, PAIR_UPDATE, PAIR_PSK, PAIR_PKE};
    unsigned noticed = 0, plays = 0;
    for (unsigned damage = 1; damage <= 400; damage++) {
        pair play;
        pair_flow flow = flows[damage % N(flows)];
        pair_play(&play, flow,
                  &(pair_setting){.damage = damage, .esk = true, .map_type = damage % 3 ? 0 : 2});
        bool found = peer_findings(play.first) + peer_findings(play.second) > 0;
        if (!found && (flow == PAIR_CALL || flow == PAIR_MAILBOX))
            (void)equal_keys(&play);
        noticed += found;
        plays++;
        pair_free(&play);
    }
    assert_true(noticed > plays / 2); /* key requests have two messages, so some damage hits none */
}

static int forget(void **state) {
    (void)state;
    pair_forget_domains();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),         cmocka_unit_test(test_mailbox),
        cmocka_unit_test(test_updates),       cmocka_unit_test(test_new_values_change_the_keys),
        cmocka_unit_test(test_requests),      cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_errors_end_it), cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_garbage),       cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, NULL, forget);
}
