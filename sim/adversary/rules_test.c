/* Rules on real messages, with a tap that only writes down what it is asked to send. */
#include "adversary/rules.h"
#include "adversary/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

/* ---- the tap ----------------------------------------------------------------------------------------------
 */

typedef struct sending {
    bool udp;
    n3_direction direction;
    n3_endpoint from, to;
    uint64_t delay_ns, at_ns;
    ibk_buf octets;
} sending;

static struct {
    n3_sim *sim;
    sending list[16];
    size_t count;
    ibk_err answer; /* of tap_send */
} sent;

static void note(bool udp, n3_direction direction, const n3_endpoint *from, const n3_endpoint *to,
                 uint64_t delay_ns, ibk_span octets) {
    assert_true(sent.count < sizeof sent.list / sizeof sent.list[0]);
    sending *s = &sent.list[sent.count++];
    *s = (sending){udp, direction, *from, *to, delay_ns, n3_now(sent.sim), {0}};
    assert_int_equal(ibk_buf_append_span(&s->octets, octets), IBK_OK);
}

ibk_err tap_send(tap *t, const tap_message *like, bool reverse, uint64_t delay_ns, ibk_span octets) {
    (void)t;
    assert_false(reverse);
    if (!sent.answer)
        note(false, like->direction, &like->from, &like->to, delay_ns, octets);
    return sent.answer;
}

ibk_err tap_send_udp(tap *t, n3_direction direction, const n3_endpoint *from, const n3_endpoint *to,
                     uint64_t delay_ns, ibk_span octets) {
    (void)t;
    note(true, direction, from, to, delay_ns, octets);
    return IBK_OK;
}

/* ---- a small world
 * ------------------------------------------------------------------------------------------
 */

typedef struct bench {
    scn_scenario *scenario;
    n3_sim *sim;
    n3_node *alice, *pcscf;
    n3_link *link;
    trace *log;
    trace_memory *events;
    rules *rules;
    ibk_buf mikey, out; /* what the craft hook gives; what went on */
    ibk_err hook_answer;
    const scn_rule *performed; /* by the send hook */
    bool with_recording, resent;
} bench;

static const scn_call *call_of(void *user, const char *call_id) {
    const bench *b = user;
    return strcmp(call_id, "call-1@a.example") == 0 ? &b->scenario->calls[0] : NULL;
}

static ibk_err craft_hook(void *user, const seen *s, const scn_rule *rule, ibk_buf *mikey, ibk_diag *diag) {
    bench *b = user;
    assert_true(s->has_mikey && rule->act == SCN_ATTACK_RE_ENCRYPT);
    if (b->hook_answer)
        return ibk_fail(diag, b->hook_answer, "IBAKE", 0, "no key to open it");
    return ibk_buf_append_span(mikey, ibk_buf_span(&b->mikey));
}

static ibk_err media_hook(void *user, const seen *s, const scn_rule *rule, ibk_buf *octets, ibk_diag *diag) {
    (void)user, (void)s, (void)rule, (void)diag;
    return ibk_buf_append(octets, "\x80other", 6);
}

static ibk_err send_hook(void *user, const scn_rule *rule, const seen_record *what, ibk_diag *diag) {
    bench *b = user;
    (void)diag;
    b->performed = rule;
    b->with_recording = what != NULL;
    return b->hook_answer;
}

static ibk_err resend_hook(void *user, const seen_record *what, ibk_diag *diag) {
    bench *b = user;
    (void)diag;
    b->resent = what->message.kind == TAP_HTTP;
    return IBK_OK;
}

static bool address_hook(void *user, const char *name, n3_addr *out) {
    (void)user;
    return strcmp(name, "bob") == 0 && n3_addr_parse(out, "10.9.9.9") == N3_OK;
}

static scn_scenario *scenario_with(const char *rules_text) {
    static char text[4096];
    scn_errors errors;
    scn_scenario *s;
    snprintf(
        text, sizeof text,
        "ibakelab: 1\ntitle: t\ndomains: [{name: a.example}]\nusers: [{name: alice}, {name: bob}]\n"
        "calls: [{name: first, from: alice, to: bob}, {name: second, from: bob, to: alice}]\n"
        "expect: {users: {registered: all}}\n"
        "adversaries:\n  - name: mallory\n    at: [{link: alice}, {node: pcscf.a.example}]\n    rules:\n%s",
        rules_text);
    if (scn_load_text(&s, &errors, "text", ibk_span_str(text), NULL, 0)) {
        scn_errors_print(&errors, stderr, false);
        fail_msg("the rules were refused");
    }
    return s;
}

static void begin(bench *b, const char *rules_text) {
    *b = (bench){.scenario = scenario_with(rules_text), .log = trace_new(), .events = trace_memory_new(100)};
    assert_int_equal(n3_sim_new(&b->sim, NULL), N3_OK);
    assert_int_equal(n3_node_new(&b->alice, b->sim, "alice"), N3_OK);
    assert_int_equal(n3_node_new(&b->pcscf, b->sim, "pcscf.a.example"), N3_OK);
    assert_int_equal(n3_link_new(&b->link, b->alice, b->pcscf, NULL), N3_OK);
    assert_int_equal(trace_add_sink(b->log, TRACE_MASK(TRACE_ATTACK), trace_memory_event, b->events), IBK_OK);
    const rules_config config = {.plan = &b->scenario->adversaries[0],
                                 .seed = 1,
                                 .log = b->log,
                                 .world = {.sim = b->sim, .call_of = call_of, .user = b},
                                 .hooks = {.user = b,
                                           .craft = craft_hook,
                                           .media = media_hook,
                                           .send = send_hook,
                                           .resend = resend_hook,
                                           .address = address_hook}};
    assert_int_equal(rules_new(&b->rules, &config), IBK_OK);
    assert_int_equal(rules_start(b->rules), IBK_OK);
    sent.sim = b->sim;
    sent.answer = IBK_OK;
}

static void end(bench *b) {
    rules_free(b->rules);
    n3_sim_free(b->sim);
    trace_free(b->log);
    trace_memory_free(b->events);
    scn_free(b->scenario);
    ibk_buf_free(&b->mikey);
    ibk_buf_free(&b->out);
    while (sent.count)
        ibk_buf_free(&sent.list[--sent.count].octets);
}

/* A message between alice and the P-CSCF. */
typedef struct passage {
    tap_kind kind;
    bool from_pcscf, tcp;
    size_t seat;
    uint64_t now_ns;
} passage;

static tap_verdict pass_with(bench *b, const passage *p, ibk_span octets) {
    tap_verdict verdict = {0};
    tap_message message = {.kind = p->kind,
                           .link = b->link,
                           .tcp = p->tcp,
                           .direction = p->from_pcscf ? N3_BA : N3_AB,
                           .from.port = 5060,
                           .to.port = 5060,
                           .octets = octets,
                           .now_ns = p->now_ns};
    const seen_world world = {.sim = b->sim, .call_of = call_of, .user = b};
    n3_node_address(p->from_pcscf ? b->pcscf : b->alice, &message.from.addr, N3_IPV4);
    n3_node_address(p->from_pcscf ? b->alice : b->pcscf, &message.to.addr, N3_IPV4);
    seen s;
    assert_int_equal(seen_read(&s, &world, &message), IBK_OK);
    assert_int_equal(rules_message(b->rules, NULL, &b->scenario->adversaries[0].seats[p->seat], &s, &verdict),
                     IBK_OK);
    seen_clear(&s);
    ibk_buf_clear(&b->out);
    assert_int_equal(ibk_buf_append_span(&b->out, verdict.what == TAP_REPLACE ? verdict.octets : octets),
                     IBK_OK);
    return verdict;
}

/* The INVITE, or an answer with this status, with a MIKEY message; from the one who would send it. */
static tap_verdict pass(bench *b, unsigned status, const char *name) {
    ibk_buf octets = sample_sip(status, name);
    const passage p = {.kind = TAP_SIP, .from_pcscf = status != 0};
    tap_verdict verdict = pass_with(b, &p, ibk_buf_span(&octets));
    ibk_buf_free(&octets);
    return verdict;
}

static tap_do what(bench *b, unsigned status, const char *name) {
    return pass(b, status, name).what;
}

static uint64_t fired(const bench *b, size_t rule) {
    return rules_count_of(b->rules, rule)->fired;
}

/* ---- matching ---------------------------------------------------------------------------------------------
 */

static void triggers(void **state) {
    (void)state;
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, do: drop}\n"
              "      - {on: 183, do: delay, by: 1 ms}\n"
              "      - {on: mikey, do: delay, by: 2 ms}\n"
              "      - {on: INVITE, do: delay, by: 3 ms}\n"
              "      - {on: sip, do: delay, by: 4 ms}\n"
              "      - {on: http, do: delay, by: 5 ms}\n"
              "      - {on: media, do: delay, by: 6 ms}\n"
              "      - {on: packet, do: delay, by: 7 ms}\n");
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_DROP);
    assert_int_equal(pass(&b, 183, "r_message_1").delay_ns, 1000000);
    assert_int_equal(pass(&b, 200, "r_message_2").delay_ns, 2000000);
    assert_int_equal(pass(&b, 0, NULL).delay_ns, 3000000);
    assert_int_equal(pass(&b, 180, NULL).delay_ns, 4000000);
    ibk_buf octets = sample_http("request_key_psk");
    const passage http = {.kind = TAP_HTTP, .tcp = true}, udp = {.kind = TAP_MEDIA},
                  ip = {.kind = TAP_PACKET};
    assert_int_equal(pass_with(&b, &http, ibk_span_str("GET /x HTTP/1.1\r\n\r\n")).delay_ns, 5000000);
    assert_int_equal(pass_with(&b, &http, ibk_buf_span(&octets)).delay_ns, 2000000); /* MIKEY is MIKEY */
    assert_int_equal(pass_with(&b, &udp, ibk_span_of("\x80\0\0", 3)).delay_ns, 6000000);
    assert_int_equal(pass_with(&b, &udp, ibk_span_of("\1\0\0", 3)).delay_ns, 7000000); /* Diameter */
    assert_int_equal(pass_with(&b, &ip, ibk_span_of("\x45", 1)).delay_ns, 7000000);
    ibk_buf_free(&octets);
    assert_int_equal(rules_get_totals(b.rules).seen, 10);
    assert_int_equal(rules_get_totals(b.rules).dropped, 1);
    assert_int_equal(rules_get_totals(b.rules).delayed, 9);
    end(&b);
}

static void conditions(void **state) {
    (void)state;
    bench b;
    begin(&b, "      - {on: sip, call: second, do: drop}\n"
              "      - {on: sip, sender: pcscf.a.example, receiver: bob, do: drop}\n"
              "      - {on: mikey, identity: \"sip:eve@a.example\", do: drop}\n"
              "      - {on: mikey, identity: \"sip:alice@a.example\", nth: 2, do: drop}\n"
              "      - {on: sip, sender: pcscf.a.example, receiver: alice, call: first, do: drop}\n");
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_PASS);
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_DROP); /* the second one */
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_PASS);
    assert_int_equal(what(&b, 180, NULL), TAP_DROP);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fired(&b, i), 0);
    assert_int_equal(fired(&b, 3), 1);
    assert_int_equal(fired(&b, 4), 1);
    end(&b);
}

static void a_window_of_time(void **state) {
    (void)state;
    ibk_buf octets = sample_sip(0, NULL);
    bench b;
    begin(&b, "      - {on: sip, after: 3 s, until: 4 s, nth: 2, do: drop}\n");
    const uint64_t times[] = {2 * S, 3 * S, 4 * S, 4 * S + 1};
    const tap_do wanted[] = {TAP_PASS, TAP_PASS, TAP_DROP, TAP_PASS};
    for (size_t i = 0; i < 4; i++) {
        const passage p = {.kind = TAP_SIP, .now_ns = times[i]};
        assert_int_equal(pass_with(&b, &p, ibk_buf_span(&octets)).what, wanted[i]);
    }
    ibk_buf_free(&octets);
    end(&b);
}

static void chance_follows_the_seed(void **state) {
    (void)state;
    unsigned dropped[2] = {0};
    bool same = true;
    bench b[2];
    for (int run = 0; run < 2; run++) {
        begin(&b[run], "      - {on: sip, probability: 25 %, do: drop}\n");
        static bool fate[400];
        for (int i = 0; i < 400; i++) {
            bool drop = what(&b[run], 180, NULL) == TAP_DROP;
            same &= run == 0 || drop == fate[i];
            fate[i] = drop;
            dropped[run] += drop;
        }
        end(&b[run]);
    }
    assert_true(same && dropped[0] == dropped[1]);
    assert_in_range(dropped[0], 70, 130);
}

/* In a core node's seat each message passes twice: what leaves is meant, unless names are given. */
static void a_node_is_passed_twice(void **state) {
    (void)state;
    ibk_buf octets = sample_sip(0, NULL);
    const passage enters = {.kind = TAP_SIP, .seat = 1},
                  leaves = {.kind = TAP_SIP, .seat = 1, .from_pcscf = true};
    bench b;
    begin(&b, "      - {on: INVITE, receiver: pcscf.a.example, nth: 2, do: drop}\n"
              "      - {on: INVITE, do: drop}\n");
    assert_int_equal(pass_with(&b, &enters, ibk_buf_span(&octets)).what, TAP_PASS);
    assert_int_equal(pass_with(&b, &leaves, ibk_buf_span(&octets)).what, TAP_DROP);
    assert_int_equal(pass_with(&b, &enters, ibk_buf_span(&octets)).what, TAP_DROP);
    ibk_buf_free(&octets);
    end(&b);
}

/* Packets are of the call whose SDP named their address. */
static void media_of_a_call(void **state) {
    (void)state;
    ibk_buf octets = sample_sip(0, NULL);
    const passage sip = {.kind = TAP_SIP};
    tap_message rtp = {.kind = TAP_MEDIA, .octets = ibk_span_of("\x80\0", 2), .to.port = 40000};
    const unsigned ports[] = {40000, 40001, 40002};
    const tap_do wanted[] = {TAP_DROP, TAP_DROP, TAP_PASS};
    bench b;
    begin(&b, "      - {on: media, call: first, do: drop}\n");
    n3_addr_parse(&rtp.to.addr, "10.0.0.17");
    for (int after = 0; after < 2; after++) {
        for (size_t i = 0; i < 3; i++) {
            tap_verdict verdict = {0};
            const seen_world world = {.sim = b.sim};
            seen s;
            rtp.to.port = (uint16_t)ports[i];
            assert_int_equal(seen_read(&s, &world, &rtp), IBK_OK);
            assert_int_equal(rules_message(b.rules, NULL, &b.scenario->adversaries[0].seats[0], &s, &verdict),
                             IBK_OK);
            assert_int_equal(verdict.what, after ? wanted[i] : TAP_PASS);
            seen_clear(&s);
        }
        pass_with(&b, &sip, ibk_buf_span(&octets));
    }
    ibk_buf_free(&octets);
    end(&b);
}

/* ---- actions
 * ------------------------------------------------------------------------------------------------
 */

static bool out_holds(const bench *b, const char *text) {
    return memmem(b->out.data, b->out.len, text, strlen(text)) != NULL;
}

static void see_out(const bench *b, sample *out) {
    sample_see(out, TAP_SIP, ibk_buf_span(&b->out));
    assert_int_equal(out->seen.header.len + out->seen.body.len, b->out.len);
}

/* The first rule that fits is the last one, unless it says otherwise; each works on what the one before left.
 */
static void edits_follow_one_another(void **state) {
    (void)state;
    sample after;
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, do: modify, field: CSB-ID, value: 0x01020304, more: true}\n"
              "      - {on: I_MESSAGE_1, do: identity, field: IDRi, value: bob, more: true}\n"
              "      - {on: I_MESSAGE_1, identity: \"sip:alice@a.example\", do: drop}\n"
              "      - {on: INVITE, do: set-header, header: Reason, value: mine, more: true}\n"
              "      - {on: INVITE, do: modify, field: data-type, value: 24}\n"
              "      - {on: INVITE, do: drop}\n");
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_REPLACE);
    see_out(&b, &after);
    assert_int_equal(after.seen.data_type, IBK_MSG_I_MESSAGE_2);
    assert_int_equal(after.seen.msg.hdr.csb_id, 0x01020304);
    assert_true(ibk_span_equal(seen_identity(&after.seen, IBK_ROLE_I), ibk_span_str("sip:bob@a.example")));
    assert_true(out_holds(&b, "Reason: mine\r\n"));
    seen_clear(&after.seen);
    assert_int_equal(rules_get_totals(b.rules).changed, 1);
    assert_int_equal(what(&b, 0, NULL), TAP_DROP); /* no MIKEY to modify: the header alone is set */
    assert_int_equal(fired(&b, 3), 2);
    assert_int_equal(fired(&b, 5), 1);
    end(&b);
}

static void payloads_and_texts(void **state) {
    (void)state;
    sample after;
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, do: remove-payload, payload: ESK, more: true}\n"
              "      - {on: I_MESSAGE_1, do: add-payload, payload: General Extension, value: 00 0001 aa, "
              "more: true}\n"
              "      - {on: I_MESSAGE_1, do: swap-identities, more: true}\n"
              "      - {on: I_MESSAGE_1, do: contact, value: \"sip:m@x\", more: true}\n"
              "      - {on: I_MESSAGE_1, do: replace-text, find: RTP/SAVP, with: RTP/AVP}\n"
              "      - {on: R_MESSAGE_1, do: strip-key-mgmt}\n");
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_REPLACE);
    see_out(&b, &after);
    assert_null(ibk_msg_find(&after.seen.msg, IBK_PL_ESK, 0));
    assert_non_null(ibk_msg_find(&after.seen.msg, IBK_PL_EXT, 0));
    assert_true(ibk_span_equal(seen_identity(&after.seen, IBK_ROLE_I), ibk_span_str("sip:bob@b.example")));
    assert_true(out_holds(&b, "<sip:m@x>") && out_holds(&b, "RTP/AVP") && !out_holds(&b, "RTP/SAVP"));
    seen_clear(&after.seen);
    assert_int_equal(what(&b, 183, "r_message_1"), TAP_REPLACE);
    assert_false(out_holds(&b, "key-mgmt"));
    end(&b);
}

static void copies_and_order(void **state) {
    (void)state;
    ibk_buf invite = sample_sip(0, "i_message_1"), ringing = sample_sip(180, NULL);
    const passage first = {.kind = TAP_SIP, .now_ns = S}, next = {.kind = TAP_SIP, .now_ns = 2 * S},
                  other = {.kind = TAP_SIP, .now_ns = 2 * S, .from_pcscf = true};
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, nth: 1, do: reorder}\n"
              "      - {on: I_MESSAGE_1, do: duplicate, times: 2, by: 10 ms}\n");
    assert_int_equal(pass_with(&b, &first, ibk_buf_span(&invite)).what, TAP_DROP);
    pass_with(&b, &other, ibk_buf_span(&ringing)); /* another direction: it waits on */
    assert_int_equal(sent.count, 0);
    assert_int_equal(pass_with(&b, &next, ibk_buf_span(&ringing)).what, TAP_PASS);
    assert_int_equal(sent.count, 1);
    assert_true(sent.list[0].delay_ns > 0 && sent.list[0].direction == N3_AB);
    assert_true(ibk_span_equal(ibk_buf_span(&sent.list[0].octets), ibk_buf_span(&invite)));
    assert_int_equal(rules_get_totals(b.rules).dropped, 0);
    pass_with(&b, &next, ibk_buf_span(&invite));
    assert_int_equal(sent.count, 3);
    assert_int_equal(sent.list[1].delay_ns, 10000000);
    assert_int_equal(sent.list[2].delay_ns, 20000000);
    assert_int_equal(rules_get_totals(b.rules).sent, 3);
    ibk_buf_free(&invite);
    ibk_buf_free(&ringing);
    end(&b);
}

static void rerouted(void **state) {
    (void)state;
    ibk_buf invite = sample_sip(0, NULL);
    const passage tcp = {.kind = TAP_SIP, .tcp = true};
    n3_addr bob;
    bench b;
    begin(&b, "      - {on: INVITE, do: reroute, to: bob}\n      - {on: 180, do: reroute, to: alice}\n");
    n3_addr_parse(&bob, "10.9.9.9");
    assert_int_equal(pass_with(&b, &tcp, ibk_buf_span(&invite)).what, TAP_DROP);
    assert_true(sent.count == 1 && sent.list[0].udp && sent.list[0].direction == N3_AB);
    assert_true(n3_addr_equal(&sent.list[0].to.addr, &bob) && sent.list[0].to.port == 5060);
    assert_int_equal(what(&b, 180, NULL), TAP_PASS); /* nobody has that address */
    assert_int_equal(rules_count_of(b.rules, 1)->failed, 1);
    assert_int_equal(rules_count_of(b.rules, 1)->why, IBK_ERR_NO_PARAMS);
    ibk_buf_free(&invite);
    end(&b);
}

/* ---- recordings
 * ---------------------------------------------------------------------------------------------
 */

static void recordings(void **state) {
    (void)state;
    ibk_buf mikey = sample_mikey("i_message_1");
    sample after;
    bench b;
    begin(&b, "      - {on: R_MESSAGE_1, do: substitute, what: old}\n"
              "      - {on: I_MESSAGE_1, nth: 1, do: record, as: old}\n"
              "      - {on: BYE, do: drop}\n");
    assert_int_equal(what(&b, 183, "r_message_1"), TAP_PASS); /* nothing is there yet */
    assert_int_equal(rules_count_of(b.rules, 0)->failed, 1);
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_PASS);
    assert_int_equal(what(&b, 183, "r_message_1"), TAP_REPLACE);
    see_out(&b, &after);
    assert_int_equal(after.seen.status, 183);
    assert_true(ibk_span_equal(ibk_buf_span(&after.seen.mikey), ibk_buf_span(&mikey)));
    seen_clear(&after.seen);
    assert_int_equal(fired(&b, 0), 1);
    assert_int_equal(fired(&b, 2), 0);
    ibk_buf_free(&mikey);
    end(&b);
}

static void replays_come_later(void **state) {
    (void)state;
    ibk_buf invite = sample_sip(0, "i_message_1");
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, nth: 1, do: record, as: old}\n"
              "      - {on: 183, do: replay, what: old, by: 250 ms}\n"
              "      - {on: time, after: 5 s, do: replay, what: old}\n");
    assert_false(rules_idle(b.rules));
    pass(&b, 0, "i_message_1");
    pass(&b, 183, NULL);
    assert_int_equal(sent.count, 0);
    n3_run_until(b.sim, 4 * S);
    assert_int_equal(sent.count, 1);
    assert_int_equal(sent.list[0].at_ns, 250000000);
    assert_true(ibk_span_equal(ibk_buf_span(&sent.list[0].octets), ibk_buf_span(&invite)));
    assert_false(rules_idle(b.rules));
    n3_run_until(b.sim, 6 * S);
    assert_true(sent.count == 2 && sent.list[1].at_ns == 5 * S);
    assert_true(rules_idle(b.rules));
    assert_int_equal(fired(&b, 1), 1);
    assert_int_equal(fired(&b, 2), 1);
    ibk_buf_free(&invite);
    end(&b);
}

/* Where the old connection is gone SIP goes as a datagram, HTTP by a connection of its own. */
static void replays_without_the_connection(void **state) {
    (void)state;
    ibk_buf invite = sample_sip(0, NULL), request = sample_http("request_key_psk");
    const passage sip = {.kind = TAP_SIP, .tcp = true}, http = {.kind = TAP_HTTP, .tcp = true};
    bench b;
    begin(&b, "      - {on: INVITE, do: record, as: one}\n      - {on: http, do: record, as: two}\n"
              "      - {on: time, after: 1 s, do: replay, what: one}\n"
              "      - {on: time, after: 2 s, do: replay, what: two}\n");
    pass_with(&b, &sip, ibk_buf_span(&invite));
    pass_with(&b, &http, ibk_buf_span(&request));
    sent.answer = IBK_ERR_STATE;
    n3_run_until(b.sim, 3 * S);
    assert_true(sent.count == 1 && sent.list[0].udp && b.resent);
    ibk_buf_free(&invite);
    ibk_buf_free(&request);
    end(&b);
}

static void clocks_without_a_recording(void **state) {
    (void)state;
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, do: record, as: old}\n"
              "      - {on: time, after: 1 s, do: replay, what: old}\n");
    n3_run_until(b.sim, 2 * S);
    assert_int_equal(fired(&b, 1), 0);
    assert_int_equal(rules_count_of(b.rules, 1)->failed, 1);
    assert_int_equal(rules_count_of(b.rules, 1)->why, IBK_ERR_MISSING_PAYLOAD);
    end(&b);
}

/* ---- states and hooks
 * -----------------------------------------------------------------------------------------
 */

static void say(bench *b, const char *node, const char *event, const char *call) {
    trace_begin(b->log, TRACE_STATE, node, event);
    trace_str(b->log, "call", call);
    trace_end(b->log);
}

static void hand_on(void *user, const trace_event *event) {
    rules_state(((bench *)user)->rules, event);
}

static void states_set_off(void **state) {
    (void)state;
    bench b;
    begin(&b, "      - {on: state, of: alice, is: established, call: first, nth: 2, do: forge, message: "
              "I_MESSAGE_1,\n"
              "         as: alice, to: bob}\n");
    assert_int_equal(trace_add_sink(b.log, TRACE_MASK(TRACE_STATE), hand_on, &b), IBK_OK);
    say(&b, "alice", "established", "call-1@a.example");
    say(&b, "bob", "established", "call-1@a.example");
    say(&b, "alice", "ended", "call-1@a.example");
    say(&b, "alice", "established", "another");
    n3_run_until(b.sim, S);
    assert_null(b.performed);
    say(&b, "alice", "established", "call-1@a.example"); /* the second one of that call */
    assert_null(b.performed);                            /* never inside the sink */
    assert_false(rules_idle(b.rules));
    n3_run_until(b.sim, 2 * S);
    assert_true(b.performed && b.performed->act == SCN_ATTACK_FORGE);
    assert_false(b.with_recording);
    end(&b);
}

static void hooks_do_the_rest(void **state) {
    (void)state;
    const passage udp = {.kind = TAP_MEDIA};
    sample after;
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, do: re-encrypt, point-i: own}\n"
              "      - {on: media, do: relay-media}\n"
              "      - {on: 180, do: record, as: ringing, more: true}\n"
              "      - {on: 180, do: inject-media, to: bob, rate: 50, for: 1 s, content: recorded, what: "
              "ringing}\n");
    b.mikey = sample_mikey("i_message_2");
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_REPLACE);
    see_out(&b, &after);
    assert_int_equal(after.seen.data_type, IBK_MSG_I_MESSAGE_2);
    seen_clear(&after.seen);
    b.hook_answer = IBK_ERR_NO_KEY;
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_PASS);
    assert_int_equal(rules_count_of(b.rules, 0)->why, IBK_ERR_NO_KEY);
    b.hook_answer = IBK_OK;
    ibk_buf_clear(&b.mikey);
    assert_int_equal(what(&b, 0, "i_message_1"), TAP_PASS); /* left as it is */
    assert_int_equal(pass_with(&b, &udp, ibk_span_of("\x80one", 4)).what, TAP_REPLACE);
    assert_true(ibk_span_equal(ibk_buf_span(&b.out), ibk_span_of("\x80other", 6)));
    pass(&b, 180, NULL);
    assert_null(b.performed); /* not inside the tap's handler */
    n3_run_until(b.sim, 1);
    assert_true(b.performed && b.performed->rate == 50 && b.with_recording);
    end(&b);
}

static void what_is_logged(void **state) {
    (void)state;
    bench b;
    begin(&b, "      - {on: I_MESSAGE_1, do: modify, field: SP, value: flip}\n"
              "      - {on: R_MESSAGE_1, do: modify, field: MAC, value: flip}\n");
    pass(&b, 0, "i_message_1");
    pass(&b, 183, "r_message_1");
    assert_int_equal(trace_memory_count(b.events), 2);
    const trace_event *e = trace_memory_at(b.events, 0);
    assert_string_equal(e->node, "mallory");
    assert_string_equal(e->event, "modify");
    assert_int_equal(trace_event_field(e, "rule")->u, 1);
    assert_true(ibk_span_equal(trace_event_text(e, "what"), ibk_span_str("I_MESSAGE_1")));
    assert_true(ibk_span_equal(trace_event_text(e, "call"), ibk_span_str("call-1@a.example")));
    assert_true(ibk_span_equal(trace_event_text(e, "sender"), ibk_span_str("alice")));
    assert_true(ibk_span_equal(trace_event_text(e, "receiver"), ibk_span_str("pcscf.a.example")));
    assert_true(ibk_span_equal(trace_event_text(e, "text"), ibk_span_str("modify SP")));
    assert_null(trace_event_field(e, "failed"));
    e = trace_memory_at(b.events, 1); /* R_MESSAGE_1 has no V */
    assert_true(ibk_span_equal(trace_event_text(e, "failed"), ibk_span_str("MISSING_PAYLOAD")));
    end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triggers),
        cmocka_unit_test(conditions),
        cmocka_unit_test(a_window_of_time),
        cmocka_unit_test(chance_follows_the_seed),
        cmocka_unit_test(a_node_is_passed_twice),
        cmocka_unit_test(media_of_a_call),
        cmocka_unit_test(edits_follow_one_another),
        cmocka_unit_test(payloads_and_texts),
        cmocka_unit_test(copies_and_order),
        cmocka_unit_test(rerouted),
        cmocka_unit_test(recordings),
        cmocka_unit_test(replays_come_later),
        cmocka_unit_test(replays_without_the_connection),
        cmocka_unit_test(clocks_without_a_recording),
        cmocka_unit_test(states_set_off),
        cmocka_unit_test(hooks_do_the_rest),
        cmocka_unit_test(what_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
