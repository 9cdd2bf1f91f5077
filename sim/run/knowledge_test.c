/* Whole runs with one adversary each: what it knows in the end follows from where it sits and what it holds,
 * and the honest nodes' accounts are as ever. */
#include "run/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CALL                                                                                                 \
    "ibakelab: 1\n"                                                                                          \
    "title: knowledge\n"                                                                                     \
    "domains: [{name: home.example, kms: {parameters: 1024}}]\n"                                             \
    "users: [{name: alice}, {name: bob}]\n"                                                                  \
    "calls: [{name: first, from: alice, to: bob, at: 2 s, duration: 2 s, actions: [{at: 1 s, do: "           \
    "rekey}]}]\n"

/* Plays a scenario in the folder of those for calls; prints what did not hold. */
static void play(run_outcome *outcome, const char *text) {
    scn_errors errors;
    scn_scenario *s;
    ibk_diag diag;
    run_options options = {.out_dir = NULL};
    if (scn_load_text(&s, &errors, SCENARIOS "/calls/knowledge.yaml", ibk_span_str(text), NULL, 0) !=
        IBK_OK) {
        scn_errors_print(&errors, stderr, false);
        fail();
    }
    if (run_scenario(outcome, s, &options, &diag) != IBK_OK)
        fail_msg("%s", diag.detail);
    const result *r = &outcome->result;
    for (size_t i = 0; i < r->expectation_count; i++)
        if (!r->expectations[i].held)
            print_message("%s: %s\n", r->expectations[i].text, r->expectations[i].observed);
    scn_free(s);
}

static void expect(const char *adversary, const char *knowledge) {
    char text[4096];
    run_outcome outcome;
    snprintf(text, sizeof text,
             CALL "%s\nexpect:\n  calls: {established: all, media-intact: all}\n  knowledge:\n%s", adversary,
             knowledge);
    play(&outcome, text);
    assert_int_equal(outcome.result.verdict, RESULT_PASS);
    run_outcome_free(&outcome);
}

#define MALLORY(at, holds) "adversaries: [{name: mallory, at: [" at "], holds: [" holds "]}]"
#define LEARNS(words)      "    - {who: mallory, call: first, " words "}\n"

static void test_honest_nodes(void **state) {
    (void)state;
    expect("",
           "    alice: {learns: [x, xP, yP, session-key, media, private-key, psk], does-not-learn: [y, "
           "master-secret, "
           "content]}\n"
           "    bob: {learns: [y, xP, yP, session-key, media], does-not-learn: x}\n"
           "    kms.home.example: {learns: [master-secret, private-key, psk], does-not-learn: [xP, yP, x, y, "
           "session-key, media]}\n"
           "    pcscf.home.example: {learns: nothing}\n"
           "    hss.home.example: {learns: nothing}\n");
}

static void test_a_listener(void **state) {
    (void)state;
    expect(MALLORY("{link: alice}", ""), LEARNS("learns: nothing"));
}

/* A key opens what was encrypted to its owner, before and after it was broken into, and no more. */
static void test_a_private_key(void **state) {
    (void)state;
    expect(MALLORY("{link: bob}", "{private-key: bob}"),
           LEARNS("learns: [xP, yP], does-not-learn: [x, y, session-key, media]"));
    expect(MALLORY("{link: alice}", "{private-key: alice, from: 6 s}"),
           LEARNS("learns: [xP, yP], does-not-learn: [session-key, media]"));
    expect(MALLORY("{link: alice}", "{private-key: alice, date: 2026-03-03T00:00:00Z}"),
           LEARNS("learns: nothing"));
}

/* The KMS and a proxy in one hand: every private key, and no session key. */
static void test_a_kms(void **state) {
    (void)state;
    expect(MALLORY("{node: kms.home.example}, {node: pcscf.home.example}, {link: alice}", ""),
           LEARNS("learns: [xP, yP], does-not-learn: [x, y, session-key, media]") "    - {who: mallory, "
                                                                                  "learns: [private-key, "
                                                                                  "master-secret, psk]}\n");
}

static void test_a_psk(void **state) {
    (void)state;
    expect(
        MALLORY("{link: alice}", "{psk: alice}"),
        LEARNS("learns: [xP, yP], does-not-learn: [session-key, media]") "    - {who: mallory, learns: [psk, "
                                                                         "private-key], does-not-learn: "
                                                                         "master-secret}\n");
}

/* While the call lasts its keys are in the memory, before it x is, and afterwards nothing of it (P-20). */
static void test_a_memory(void **state) {
    (void)state;
    expect(MALLORY("{link: alice}", "{memory: alice, from: 4 s}"),
           LEARNS("learns: [xP, yP, session-key, media], does-not-learn: [x, y]"));
    expect(MALLORY("{link: alice}", "{memory: alice, from: 2100 ms}"),
           LEARNS("learns: [x, xP, yP, session-key, media], does-not-learn: y"));
    expect(MALLORY("{link: alice}", "{memory: alice, from: 9 s}"),
           LEARNS("learns: [xP, yP], does-not-learn: [x, y, session-key, media]"));
}

static void test_a_ue(void **state) {
    (void)state;
    expect(MALLORY("{ue: bob}", ""), LEARNS("learns: [xP, yP, y, session-key, media], does-not-learn: x"));
}

static void test_told_keys(void **state) {
    (void)state;
    expect(MALLORY("{link: bob}", "{session-keys: bob}"),
           LEARNS("learns: [session-key, media], does-not-learn: xP"));
    expect(MALLORY("{link: bob}", "{session-key: first, from: 20 s}"),
           LEARNS("learns: [session-key, media]"));
    expect(MALLORY("{node: pcscf.home.example}", "{session-keys: bob}"), /* no media pass there */
           LEARNS("learns: nothing"));
}

/* Scalars that follow from a seed (RFC 6539 wants fresh ones): with the seed and what a KMS can make, the
 * session key of the call and of its update; with either alone not. */
static void test_a_generator(void **state) {
    (void)state;
    static const struct {
        const char *without, *holds, *learns;
    } cases[] = {{"fresh-scalars", "{generator: alice}, {master-secret: home.example}",
                  "learns: [x, xP, yP, session-key, media], does-not-learn: y"},
                 {"fresh-scalars", "{generator: alice}", "learns: nothing"},
                 {"fresh-scalars", "{master-secret: home.example}",
                  "learns: [xP, yP], does-not-learn: [x, y, session-key]"},
                 {"fresh-scalars", "{generator: bob}, {master-secret: home.example}",
                  "learns: [xP, yP], does-not-learn: [x, y, session-key]"},
                 {"", "{generator: alice}, {master-secret: home.example}",
                  "learns: [xP, yP], does-not-learn: [x, y, session-key]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        run_outcome outcome;
        snprintf(
            text, sizeof text,
            "ibakelab: 1\ntitle: a generator\n"
            "domains: [{name: home.example, kms: {parameters: 1024, issue: current}}]\n"
            "users: [{name: alice, without: [%s]}, {name: bob}]\n"
            "calls: [{name: first, from: alice, to: bob, duration: 2 s, actions: [{at: 1 s, do: rekey}]}]\n"
            "adversaries: [{name: mallory, at: [{link: alice}], holds: [%s]}]\n"
            "expect: {calls: {established: all}, knowledge: [{who: mallory, call: first, %s}]}\n",
            cases[i].without, cases[i].holds, cases[i].learns);
        play(&outcome, text);
        assert_int_equal(outcome.result.verdict, RESULT_PASS);
        run_outcome_free(&outcome);
    }
}

/* The seeds of both take no private key, for no point has to be read; also of keys that came by an update,
 * and on another curve. */
static void test_both_generators(void **state) {
    (void)state;
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        char text[2048];
        run_outcome outcome;
        snprintf(
            text, sizeof text,
            "ibakelab: 1\ntitle: generators\n"
            "domains: [{name: home.example, kms: {parameters: 1024, issue: current}}]\n"
            "users: [{name: alice, without: [fresh-scalars]}, {name: bob, without: [fresh-scalars]}]\n"
            "calls: [{name: first, from: alice, to: bob, at: 2 s, ring-time: 0 s, duration: 3 s, curve: %s,\n"
            "         actions: [{at: 1 s, by: callee, do: rekey}]}]\n"
            "adversaries: [{name: mallory, at: [{link: alice, from: 4 s}, {node: pcscf.home.example}],\n"
            "               holds: [{generator: alice}, {generator: bob}]}]\n"
            "expect: {calls: {established: all, rekeyings: 1}, knowledge: [\n"
            "  {who: mallory, learns: [x, y, session-key, media], does-not-learn: private-key}]}\n",
            curves[i]);
        play(&outcome, text);
        assert_int_equal(outcome.result.verdict, RESULT_PASS);
        run_outcome_free(&outcome);
    }
}

/* What passed before it came, or after it left, it has not seen. */
static void test_times_of_a_seat(void **state) {
    (void)state;
    expect(MALLORY("{link: bob, from: 4 s}", "{session-keys: bob}"), LEARNS("learns: nothing"));
    expect(MALLORY("{link: bob, until: 4 s}", "{session-keys: bob}"), LEARNS("learns: [session-key, media]"));
    expect(MALLORY("{node: pcscf.home.example}, {link: bob, from: 20 s}", "{session-keys: bob}"),
           LEARNS("learns: nothing"));
}

/* RFC 5408 wants TLS: without it whoever listens has the private keys. */
static void test_keys_in_clear(void **state) {
    (void)state;
    static const char *const modes[] = {"on", "off"};
    for (size_t i = 0; i < 2; i++) {
        char text[2048];
        run_outcome outcome;
        snprintf(text, sizeof text,
                 "ibakelab: 1\ntitle: keys in clear\n"
                 "domains: [{name: home.example, kms: {parameters: 1024, issue: current, tls: %s}}]\n"
                 "users: [{name: alice, key-request: rfc5408}, {name: bob}]\n"
                 "calls: [{name: first, from: alice, to: bob, duration: 1 s}]\n" MALLORY(
                     "{link: alice}",
                     "") "\nexpect: {calls: {established: all}, knowledge: [{who: mallory, %s}]}\n",
                 modes[i],
                 i ? "learns: [private-key, xP, yP], does-not-learn: session-key" : "learns: nothing");
        play(&outcome, text);
        assert_int_equal(outcome.result.verdict, RESULT_PASS);
        run_outcome_free(&outcome);
    }
}

/* A mailbox that was taken over has the keys of the hop and not the content; who has the recipient's key and
 * those of the hop has it. */
static void test_a_mailbox(void **state) {
    (void)state;
    run_outcome outcome;
    play(&outcome,
         "ibakelab: 1\nextends: deferred-delivery.yaml\ntitle: a mailbox taken over\n"
         "adversaries:\n"
         "  - {name: mallory, at: [{ue: voicemail}]}\n"
         "  - {name: eve, at: [{link: alice}], holds: [{private-key: bob}, {session-keys: alice}]}\n"
         "expect:\n  knowledge:\n"
         "    voicemail: {learns: session-key, does-not-learn: content}\n"
         "    mallory: {learns: [xP, yP, session-key], does-not-learn: content}\n"
         "    eve: {call: first, learns: [session-key, content]}\n"
         "    bob: {call: first, learns: content}\n");
    assert_int_equal(outcome.result.verdict, RESULT_PASS);
    run_outcome_free(&outcome);
}

/* What an adversary did is expected by name. */
static void test_deeds(void **state) {
    (void)state;
    run_outcome outcome;
    play(&outcome, CALL "adversaries: [{name: mallory, at: [{link: alice}], rules: [{on: ACK, nth: 1, do: "
                        "drop}, {on: BYE, do: "
                        "delay, by: 10 ms}, {on: I_MESSAGE_1, do: re-encrypt, point-i: reflected, until: 3 "
                        "s}, {on: CANCEL, do: "
                        "drop}]}]\nexpect:\n  adversary:\n    mallory: {rules-fired: 2, rules-failed: 1, "
                        "messages-dropped: 1, "
                        "messages-changed: none, messages-sent: none}\n");
    assert_int_equal(outcome.result.verdict, RESULT_PASS);
    run_outcome_free(&outcome);
}

/* What does not hold tells what there is instead. */
static void test_failing_expectations(void **state) {
    (void)state;
    run_outcome outcome;
    play(&outcome,
         CALL MALLORY("{link: bob}",
                      "{private-key: bob}") "\nexpect:\n  knowledge:\n    - {who: mallory, learns: nothing}\n"
                                            "    - {who: mallory, learns: [xP, media]}\n"
                                            "    - {who: mallory, does-not-learn: yP}\n");
    const result *r = &outcome.result;
    assert_int_equal(r->verdict, RESULT_FAIL);
    assert_int_equal(r->expectation_count, 3);
    assert_string_equal(r->expectations[0].text, "knowledge: mallory learns nothing");
    assert_string_equal(r->expectations[0].observed,
                        "xP, yP; xP: IBAKE of I_MESSAGE_1 opened with the private key of "
                        "sip:bob@home.example20260302, taken from bob");
    assert_string_equal(r->expectations[1].observed, "xP, yP, private-key");
    assert_non_null(strstr(r->expectations[2].observed, "yP: IBAKE of I_MESSAGE_2 opened"));
    run_outcome_free(&outcome);
}

/* Refusals are counted with their reasons, those of an adversary's own calls too; what takes no time is not
 * measured. */
static void test_failing_refusals(void **state) {
    (void)state;
    run_outcome outcome;
    play(&outcome,
         CALL "adversaries: [{name: mallory, at: [{link: bob}], rules: [{on: I_MESSAGE_1, receiver: bob, "
              "nth: 1, do: record, as: old}, {on: time, after: 8 s, do: replay, what: old, to: bob, "
              "fresh: true}]}]\n"
              "expect:\n  user:\n    bob: {refusals: 2, refusal: decrypt, computing: above 1 ms}\n"
              "    alice: {refusals: none}\n"
              "  adversary: {mallory: {calls-accepted: 1, computing: below 1 s}}\n");
    const result *r = &outcome.result;
    assert_int_equal(r->verdict, RESULT_FAIL);
    assert_int_equal(r->expectation_count, 6);
    static const char *const observed[] = {"1", "bob: REPLAYED",     "nothing to measure", "0",
                                           "0", "nothing to measure"};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(r->expectations[i].held, i == 3);
        assert_string_equal(r->expectations[i].observed, observed[i]);
    }
    run_outcome_free(&outcome);
}

/* Watching costs nobody anything: the run is the same with and without an adversary that only listens. */
static void test_the_run_is_the_same(void **state) {
    (void)state;
    run_outcome with, without;
    play(&without, CALL "expect: {calls: {established: all}}\n");
    play(&with, CALL MALLORY("{link: alice}, {node: kms.home.example}",
                             "{memory: bob, from: 3 s}") "\nexpect: {calls: {established: all}}\n");
    const result_call *a = without.result.calls[0], *b = with.result.calls[0];
    assert_int_equal(a->csb_id, b->csb_id);
    assert_int_equal(a->established.ns, b->established.ns);
    assert_int_equal(a->first_media.ns, b->first_media.ns);
    assert_int_equal(a->ended.ns, b->ended.ns);
    run_outcome_free(&with);
    run_outcome_free(&without);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_nodes),
        cmocka_unit_test(test_a_listener),
        cmocka_unit_test(test_a_private_key),
        cmocka_unit_test(test_a_kms),
        cmocka_unit_test(test_a_psk),
        cmocka_unit_test(test_a_memory),
        cmocka_unit_test(test_a_ue),
        cmocka_unit_test(test_told_keys),
        cmocka_unit_test(test_deeds),
        cmocka_unit_test(test_a_mailbox),
        cmocka_unit_test(test_a_generator),
        cmocka_unit_test(test_both_generators),
        cmocka_unit_test(test_times_of_a_seat),
        cmocka_unit_test(test_keys_in_clear),
        cmocka_unit_test(test_failing_expectations),
        cmocka_unit_test(test_failing_refusals),
        cmocka_unit_test(test_the_run_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
