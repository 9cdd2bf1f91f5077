/* ibakelab: a small run made by hand. */
#include "reports/testing_run.h"

#include <stdlib.h>

#define MS UINT64_C(1000000)

static uint64_t clock_of(void *user) {
    return ((testing_run *)user)->now;
}

static void log_message(testing_run *run, const testing_message *m, bool sent) {
    static const struct {
        const char *node, *address;
    } book[] = {{"alice", "10.0.0.1"},
                {"bob", "10.0.0.2"},
                {"pcscf.home.example", "10.0.0.3"},
                {"kms.home.example", "10.0.0.4"},
                {"mallory", "10.0.0.5"},
                {"voicemail", "10.0.0.6"}};
    for (size_t i = 0; i < sizeof book / sizeof *book; i++)
        trace_name_address(run->t, book[i].address, book[i].node);
    const char *other = sent ? m->to : m->from, *address = other;
    for (size_t i = 0; i < sizeof book / sizeof *book; i++)
        if (ibk_span_equal(ibk_span_str(book[i].node), ibk_span_str(other)))
            address = book[i].address;
    trace_message message = {.kind = m->kind ? m->kind : TRACE_SIP,
                             .node = sent ? m->from : m->to,
                             .sent = sent,
                             .peer = address,
                             .label = m->label,
                             .mikey = m->mikey,
                             .call = m->call,
                             .cseq = m->call ? run->cseq : NULL,
                             .transport = "udp",
                             .octets = 1000,
                             .retransmission = m->again};
    trace_message_begin(run->t, &message);
    trace_str(run->t, "to_tag", m->to_tag);
    trace_end(run->t);
}

void testing_run_pass(testing_run *run, const testing_message *m) {
    log_message(run, m, true);
    run->now += 10 * MS;
    if (!m->lost)
        log_message(run, m, false);
}

static void pass(testing_run *run, const char *from, const char *to, const char *label, const char *mikey,
                 const char *call) {
    testing_run_pass(
        run, &(testing_message){.from = from, .to = to, .label = label, .mikey = mikey, .call = call});
}

static void state(testing_run *run, trace_kind kind, const char *node, const char *event, const char *what,
                  const char *call) {
    trace_begin(run->t, kind, node, event);
    trace_str(run->t, "what", kind == TRACE_MIKEY ? what : NULL);
    trace_str(run->t, "scenario_call", kind == TRACE_STATE ? what : NULL);
    trace_str(run->t, "call", call);
    trace_end(run->t);
}

static void attack(testing_run *run) {
    trace_begin(run->t, TRACE_ATTACK, "mallory", "modify");
    trace_uint(run->t, "rule", 1);
    trace_str(run->t, "text", "modify <SP> & \"V\"");
    trace_str(run->t, "on", "R_MESSAGE_1");
    trace_str(run->t, "call", "c1");
    trace_str(run->t, "what", "R_MESSAGE_1");
    trace_str(run->t, "sender", "pcscf.home.example");
    trace_str(run->t, "receiver", "alice");
    trace_end(run->t);
}

static void make_events(testing_run *run) {
    trace_begin(run->t, TRACE_RUN, "run", "start");
    trace_uint(run->t, "start_utc_ns", 1000000000000000000u);
    trace_end(run->t);
    run->cseq = "1 REGISTER";
    pass(run, "alice", "pcscf.home.example", "REGISTER", NULL, "reg");
    testing_run_pass(run, &(testing_message){.kind = TRACE_HTTP,
                                             .from = "alice",
                                             .to = "kms.home.example",
                                             .label = "POST /mikey",
                                             .mikey = "REQUEST_KEY_PSK"});
    run->now = 1000 * MS;
    run->cseq = "1 INVITE";
    state(run, TRACE_MIKEY, "alice", "state", "I_WAIT_R_MESSAGE_1", NULL);
    pass(run, "alice", "pcscf.home.example", "INVITE", "I_MESSAGE_1", "c1");
    pass(run, "pcscf.home.example", "bob", "INVITE", "I_MESSAGE_1", "c1");
    state(run, TRACE_MIKEY, "bob", "state", "R_WAIT_I_MESSAGE_2", NULL);
    pass(run, "bob", "pcscf.home.example", "183 Session Progress", "R_MESSAGE_1", "c1");
    pass(run, "pcscf.home.example", "alice", "183 Session Progress", "R_MESSAGE_1", "c1");
    attack(run);
    run->cseq = "2 PRACK";
    testing_run_pass(run, &(testing_message){.from = "alice",
                                             .to = "bob",
                                             .label = "PRACK",
                                             .mikey = "I_MESSAGE_2",
                                             .call = "c1",
                                             .lost = true});
    testing_run_pass(run, &(testing_message){.from = "alice",
                                             .to = "bob",
                                             .label = "PRACK",
                                             .mikey = "I_MESSAGE_2",
                                             .call = "c1",
                                             .again = true});
    pass(run, "bob", "alice", "200 OK", "R_MESSAGE_2", "c1");
    state(run, TRACE_STATE, "alice", "established", "first", "c1");
    testing_run_pass(
        run, &(testing_message){.from = "alice", .to = "bob", .label = "BYE", .call = "c1", .lost = true});
    run->now = 5000 * MS;
    run->cseq = "1 INVITE";
    pass(run, "mallory", "bob", "INVITE", "I_MESSAGE_1", "c-mallory");
    pass(run, "voicemail", "bob", "INVITE", "I_MESSAGE_1", "c-delivery");
    state(run, TRACE_STATE, "bob", "incoming", "delivery of first", "c-delivery");
}

static void add_fact(testing_run *run, result_party *p, const char *what, const char *call) {
    result_add_fact(
        &run->r, p,
        &(result_fact){
            .what = what, .call = call, .how = "decrypted", .step = "read <it>", .at = result_at(1500 * MS)});
}

static void make_parties(testing_run *run) {
    static const char *const parties[][2] = {{"mallory", "adversary"},
                                             {"alice", "user"},
                                             {"bob", "user"},
                                             {"voicemail", "mailbox"},
                                             {"pcscf.home.example", "function"}};
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++) {
        result_party *p = result_add_party(&run->r);
        p->name = parties[i][0];
        p->kind = parties[i][1];
        if (i < 3)
            add_fact(run, p, "yP", "first");
        if (i == 1 || i == 2)
            add_fact(run, p, "xP", "first");
        if (i == 1 || i == 2)
            add_fact(run, p, "media", "first");
        if (i == 3)
            add_fact(run, p, "xP", "delivery of first");
    }
    result_add_remark(&run->r, "a remark");
}

static void make_result(testing_run *run) {
    static const char *const users[] = {"alice", "bob", "voicemail"};
    result *r = &run->r;
    r->title = "A run & its <title>";
    r->scenario = "a.yaml";
    r->verdict = RESULT_PASS;
    for (size_t i = 0; i < 3; i++) {
        result_user *u = result_add_user(r);
        u->name = u->node = users[i];
        u->impu = result_textf(r, "sip:%s@home.example", users[i]);
    }
    result_kms *k = result_add_kms(r);
    k->domain = "home.example";
    k->identity = "kms@home.example";
    result_call *c = result_add_call(r);
    *c = (result_call){.id = "first",
                       .call_id = "c1",
                       .from = "alice",
                       .to = "bob",
                       .state = RESULT_CALL_ESTABLISHED,
                       .invite = result_at(1000 * MS),
                       .established = result_at(1070 * MS)};
    *result_add_media(r, c) = (result_media){.stream = "audio",
                                             .from = "alice",
                                             .to = "bob",
                                             .codec = "PCMU",
                                             .protected_ = true,
                                             .sent = 50,
                                             .received = 49,
                                             .first = result_at(1100 * MS)};
    result_add_adversary(r)->name = "mallory";
    *result_add_link(r) = (result_link){.name = "alice-core.home.example",
                                        .a = "alice",
                                        .b = "core.home.example",
                                        .packets_ab = 3,
                                        .octets_ab = 300,
                                        .lost_ba = 1};
    *result_add_link(r) =
        (result_link){.name = "bob-core.home.example", .a = "bob", .b = "core.home.example"};
    make_parties(run);
}

void testing_run_make(testing_run *run) {
    *run = (testing_run){.t = trace_new(), .memory = trace_memory_new(1000)};
    trace_set_clock(run->t, clock_of, run);
    trace_add_sink(run->t, TRACE_ALL, trace_memory_event, run->memory);
    make_result(run);
    make_events(run);
}

void testing_run_free(testing_run *run) {
    trace_free(run->t);
    trace_memory_free(run->memory);
    result_free(&run->r);
}
