/* Where a set-up time went: calls whose events are made by hand, between two UEs without a core. */
#include "run/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS   UINT64_C(1000000)
#define CALL "cid@alice"

static const scn_user users[] = {{.name = "alice"}, {.name = "bob"}};
static const scn_scenario scenario = {.users = (scn_user *)users, .user_count = 2};

typedef struct bench {
    n3_sim *sim;
    n3_node *alice, *bob;
    trace *log;
    hops *hops;
    setup *setup;
    uint64_t now;
} bench;

static uint64_t clock_of(void *user) {
    return ((bench *)user)->now;
}

static int set_up(void **state) {
    bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    assert_int_equal(n3_sim_new(&b->sim, NULL), N3_OK);
    assert_int_equal(n3_node_new(&b->alice, b->sim, "alice"), N3_OK);
    assert_int_equal(n3_node_new(&b->bob, b->sim, "bob"), N3_OK);
    b->log = trace_new();
    b->hops = hops_new();
    b->setup = setup_new(&scenario);
    assert_true(b->log && b->hops && b->setup);
    /* an octet takes a nanosecond, the other end is 5 ms away */
    assert_int_equal(hops_add(b->hops, b->alice, UINT64_C(8000000000), 5 * MS), IBK_OK);
    assert_int_equal(hops_add(b->hops, b->bob, UINT64_C(8000000000), 5 * MS), IBK_OK);
    setup_attach(b->setup, b->sim, b->hops);
    trace_set_clock(b->log, clock_of, b);
    uint32_t kinds =
        TRACE_MASK(TRACE_SIP) | TRACE_MASK(TRACE_STATE) | TRACE_MASK(TRACE_CPU) | TRACE_MASK(TRACE_HTTP);
    assert_int_equal(trace_add_sink(b->log, kinds, setup_event, b->setup), IBK_OK);
    assert_int_equal(trace_name_address(b->log, "10.0.0.1", "alice"), IBK_OK);
    assert_int_equal(trace_name_address(b->log, "10.0.0.2", "bob"), IBK_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state) {
    bench *b = *state;
    trace_free(b->log);
    setup_free(b->setup);
    hops_free(b->hops);
    n3_sim_free(b->sim);
    free(b);
    return 0;
}

/* ---- events ---------------------------------------------------------------------------------------------
 */

static void state_event(bench *b, uint64_t at_ms, const char *node, const char *event, const char *call) {
    b->now = at_ms * MS;
    trace_begin(b->log, TRACE_STATE, node, event);
    trace_str(b->log, "role", strcmp(node, "alice") == 0 ? "caller" : "callee");
    trace_str(b->log, "scenario_call", "first");
    trace_str(b->log, "call", call);
    trace_end(b->log);
}

static void job(bench *b, const char *node, const char *call, uint64_t submitted_ms, uint64_t wait_ms,
                uint64_t end_ms) {
    b->now = end_ms * MS;
    trace_begin(b->log, TRACE_CPU, node, "job");
    trace_str(b->log, "call", call);
    trace_uint(b->log, "submitted_ns", submitted_ms * MS);
    trace_uint(b->log, "wait_ns", wait_ms * MS);
    trace_end(b->log);
}

/* At a KMS: what comes from a UE, or goes to it. */
static void kms_event(bench *b, uint64_t at_ms, const char *kms, bool sent, const char *address) {
    trace_message m = {.kind = TRACE_HTTP,
                       .node = kms,
                       .sent = sent,
                       .peer = address,
                       .label = sent ? "200" : "POST /mikey",
                       .transport = "tcp",
                       .octets = 100};
    b->now = at_ms * MS;
    trace_message_begin(b->log, &m);
    trace_end(b->log);
}

static void message(bench *b, uint64_t at_ms, bool sent, bool from_alice, const char *label, bool again) {
    bool at_alice = sent == from_alice;
    trace_message m = {.kind = TRACE_SIP,
                       .node = at_alice ? "alice" : "bob",
                       .sent = sent,
                       .peer = at_alice ? "10.0.0.2" : "10.0.0.1",
                       .label = label,
                       .call = CALL,
                       .cseq = "1 INVITE",
                       .transport = "udp",
                       .octets = 500,
                       .retransmission = again};
    b->now = at_ms * MS;
    trace_message_begin(b->log, &m);
    trace_end(b->log);
    if (!sent)
        return;
    uint8_t packet[600], octets[500] = {0};
    size_t len = sizeof packet;
    n3_endpoint from = {.port = 5060}, to = {.port = 5060};
    n3_addr_parse(&from.addr, from_alice ? "10.0.0.1" : "10.0.0.2");
    n3_addr_parse(&to.addr, from_alice ? "10.0.0.2" : "10.0.0.1");
    assert_int_equal(n3_packet_udp(packet, &len, &from, &to, octets, sizeof octets), N3_OK);
    hops_packet(b->hops, from_alice ? b->alice : b->bob, b->now, packet, len);
}

static void passes(bench *b, uint64_t sent_ms, uint64_t received_ms, bool from_alice, const char *label) {
    message(b, sent_ms, true, from_alice, label, false);
    message(b, received_ms, false, from_alice, label, false);
}

static const setup_account *account_of(const bench *b, uint64_t total_ms) {
    const setup_account *a = setup_of(b->setup, CALL);
    assert_non_null(a);
    assert_int_equal(setup_total(a), total_ms * MS); /* the parts are the whole */
    return a;
}

/* ---- calls ----------------------------------------------------------------------------------------------
 */

/* 10 ms of cryptography before the INVITE, of which 2 ms in the queue; 6 ms at bob's, who rings for 14 ms. */
static void every_part_is_told(void **state) {
    bench *b = *state;
    state_event(b, 100, "alice", "call", NULL);
    job(b, "alice", "first", 100, 2, 110); /* it has no Call-ID yet */
    passes(b, 110, 120, true, "INVITE");
    job(b, "bob", CALL, 120, 0, 126);
    passes(b, 126, 136, false, "180 Ringing");
    passes(b, 140, 150, false, "200 OK");
    state_event(b, 153, "alice", "established", CALL);
    const setup_account *a = account_of(b, 53);
    assert_int_equal(a->ringing_ns, 14 * MS);
    assert_int_equal(a->radio_ns, 20 * MS);
    assert_int_equal(a->core_ns, 0);
    assert_int_equal(a->signalling_ns, 3 * MS);
    assert_int_equal(a->resent_ns + a->keys_ns, 0);
    assert_int_equal(setup_crypto(a), 16 * MS);
    assert_int_equal(a->node_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool alice = strcmp(a->nodes[i].name, "alice") == 0;
        assert_int_equal(a->nodes[i].queued_ns, alice ? 2 * MS : 0);
        assert_int_equal(a->nodes[i].computing_ns, alice ? 8 * MS : 6 * MS);
    }
}

static void what_was_sent_again_is_told(void **state) {
    bench *b = *state;
    state_event(b, 0, "alice", "call", NULL);
    message(b, 10, true, true, "INVITE", false); /* lost behind the first link */
    message(b, 510, true, true, "INVITE", true);
    message(b, 520, false, true, "INVITE", false);
    passes(b, 520, 530, false, "200 OK");
    state_event(b, 530, "alice", "established", CALL);
    const setup_account *a = account_of(b, 530);
    assert_int_equal(a->resent_ns, 500 * MS);
    assert_int_equal(a->radio_ns, 20 * MS);
    assert_int_equal(a->signalling_ns, 10 * MS);
}

/* The caller's keys, then the callee's; what a job does in the meantime is the job's. */
static void waiting_for_keys_is_told(void **state) {
    bench *b = *state;
    state_event(b, 0, "alice", "call", NULL);
    state_event(b, 5, "alice", "waits-for-keys", NULL);
    state_event(b, 45, "alice", "has-keys", NULL);
    passes(b, 50, 60, true, "INVITE");
    state_event(b, 60, "bob", "waits-for-keys", CALL);
    state_event(b, 90, "bob", "has-keys", CALL);
    job(b, "bob", CALL, 90, 0, 95);
    passes(b, 95, 105, false, "200 OK");
    state_event(b, 105, "alice", "established", CALL);
    const setup_account *a = account_of(b, 105);
    assert_int_equal(a->keys_ns, 70 * MS);
    assert_int_equal(a->signalling_ns, 10 * MS);
    assert_int_equal(setup_crypto(a), 5 * MS);
}

/* A KMS had it for 20 ms of the wait, and for 5 ms more of a request that was there before it; what it does
 * for another UE, or another KMS says, counts for nothing. */
static void what_a_kms_does_is_told(void **state) {
    bench *b = *state;
    kms_event(b, 0, "kms.home.example", false, "10.0.0.1");
    state_event(b, 0, "alice", "call", NULL);
    state_event(b, 5, "alice", "waits-for-keys", NULL);
    kms_event(b, 10, "kms.home.example", true, "10.0.0.1");
    kms_event(b, 11, "kms.home.example", false, "10.0.0.2");
    kms_event(b, 15, "kms.home.example", false, "10.0.0.1");
    kms_event(b, 20, "kms.other.example", true, "10.0.0.1");
    kms_event(b, 35, "kms.home.example", true, "10.0.0.1");
    kms_event(b, 36, "kms.home.example", true, "10.0.0.2");
    kms_event(b, 40, "kms.home.example", false, "10.0.0.1"); /* an answer in no time */
    kms_event(b, 40, "kms.home.example", true, "10.0.0.1");
    state_event(b, 45, "alice", "has-keys", NULL);
    passes(b, 50, 60, true, "INVITE");
    passes(b, 60, 70, false, "200 OK");
    state_event(b, 70, "alice", "established", CALL);
    const setup_account *a = account_of(b, 70);
    assert_int_equal(a->kms_ns, 25 * MS);
    assert_int_equal(a->keys_ns, 15 * MS);
    assert_int_equal(a->signalling_ns, 10 * MS);
}

/* Packets that were not seen: the way is the radio's all the same. */
static void the_sum_holds_without_packets(void **state) {
    bench *b = *state;
    hops *none = hops_new(); /* knows no host */
    setup_attach(b->setup, b->sim, none);
    state_event(b, 0, "alice", "call", NULL);
    passes(b, 0, 30, true, "INVITE");
    passes(b, 40, 50, false, "200 OK");
    state_event(b, 50, "alice", "established", CALL);
    assert_int_equal(account_of(b, 50)->radio_ns, 40 * MS);
    setup_attach(b->setup, b->sim, b->hops);
    hops_free(none);
}

static void what_was_not_established_is_not_told(void **state) {
    bench *b = *state;
    state_event(b, 0, "alice", "call", NULL);
    passes(b, 10, 20, true, "INVITE");
    passes(b, 20, 30, false, "486 Busy Here");
    state_event(b, 30, "alice", "ended", CALL);
    assert_null(setup_of(b->setup, CALL));
    assert_null(setup_of(b->setup, "another"));
    assert_null(setup_of(b->setup, NULL));
    state_event(b, 40, "alice", "established", CALL); /* what has ended is closed */
    assert_null(setup_of(b->setup, CALL));
}

/* Registrations and the callee's word do not count. */
static void other_events_do_not_count(void **state) {
    bench *b = *state;
    state_event(b, 0, "alice", "call", NULL);
    passes(b, 10, 20, true, "INVITE");
    state_event(b, 25, "bob", "established", CALL);
    assert_null(setup_of(b->setup, CALL));
    trace_message m = {.kind = TRACE_SIP,
                       .node = "alice",
                       .sent = false,
                       .peer = "10.0.0.2",
                       .label = "200 OK",
                       .call = CALL,
                       .cseq = "7 REGISTER",
                       .transport = "udp"};
    b->now = 39 * MS;
    trace_message_begin(b->log, &m);
    trace_end(b->log);
    passes(b, 30, 40, false, "200 OK");
    state_event(b, 40, "alice", "established", CALL);
    assert_int_equal(account_of(b, 40)->radio_ns, 20 * MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_part_is_told),
        TEST(what_was_sent_again_is_told),
        TEST(waiting_for_keys_is_told),
        TEST(what_a_kms_does_is_told),
        TEST(the_sum_holds_without_packets),
        TEST(what_was_not_established_is_not_told),
        TEST(other_events_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
