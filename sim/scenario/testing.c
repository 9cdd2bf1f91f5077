#include "scenario/testing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const char *const testing_shipped[] = {"basic/first-call.yaml",     "basic/first-call-80.yaml",
                                       "basic/first-call-112.yaml", "basic/lossy-link.yaml",
                                       "basic/ipv6.yaml",           "basic/hundred-calls.yaml",
                                       "faults/wrong-psk.yaml",     "faults/unregistered-callee.yaml",
                                       "faults/unknown-kms.yaml",   NULL};

const char testing_full[] =
    "ibakelab: 1\n"
    "title: \"every key: \\\"all\\\" # of them \\\\ µ\"\n"
    "description: |\n"
    "  two\n"
    "  lines\n"
    "seed: 9223372036854775807\n"
    "start: 2027-12-31T23:59:59.25Z\n"
    "time-limit: 2 h\n"
    "network: {ip: 6}\n"
    "links:\n"
    "  access: &a {delay: 33 us, rate: 256 kbit/s, loss: 0.125 %, queue: 1 packet, mtu: 1280 bytes}\n"
    "  core: {delay: 1 ms, rate: 2.5 Gbit/s, loss: 7 ppm, queue: 9 packets, mtu: 9000 bytes}\n"
    "  interconnect: {delay: 11 ms, rate: 100 Mbit/s, loss: 1 %, queue: 50 packets, mtu: 1500 bytes}\n"
    "  satellite: *a\n"
    "domains:\n"
    "  - name: one.example\n"
    "    kms: {identity: keys@one.example, parameters: 2048, granularity: hour, issue: next, issue-back: 50 "
    "h, errors: "
    "silent,\n"
    "          encryption: AES-KW-128, mac: HMAC-SHA-1-160, prf: MIKEY-1, cpu: server, cores: 4, tls: off, "
    "certificate: wrong-name, parameters-for-users: rfc5408, parameters-for-others: provisioned, "
    "parameters-validity: 36 h, wrong-keys: true, "
    "without: [kms-replay-cache, clock-skew]}\n"
    "    mikey: {timestamp: COUNTER, clock-skew: 90 s, replay-cache: 17}\n"
    "  - name: two.example\n"
    "    forking: sequential\n"
    "    forking-timeout: 7 s\n"
    "    kms: {parameters-file: model.h, master-file: model.h}\n"
    "users:\n"
    "  - {name: \"u{n}\", count: 3, every: 250 ms, on: 1 s, domain: one.example,\n"
    "     identity: \"sip:person.{n}@one.example\", private-identity: \"p{n}@one.example\", password: \"a "
    "b\\\"c\",\n"
    "     hss-password: \"12\", psk: 000102030405060708090A0B0C0D0E0F, kms-psk: auto, kms: "
    "kms@else.example,\n"
    "     link: satellite, clock-offset: -90 s, register: false, errors: all, key-request: rfc5408, "
    "key-password: \"se: cret\", kms-key-password: auto}\n"
    "  - {name: \"null\", domain: two.example}\n"
    "  - {name: v, domain: two.example, kms-psk: ffffffffffffffffffffffffffffffff, accept-answer-from: "
    "domain,\n"
    "     divert: {to: u3, when: no-answer, after: 2.5 s, how: notify}, busy: in-call, curve: P-384, "
    "restart: 30 min, without: \"echo, fresh-scalars\", "
    "ask-also: \"tel:+4930901820\", off: 1 h}\n"
    "  - {name: w, domain: two.example, contact-of: v, priority: 0.25, answers: false, ring-time: 3 s}\n"
    "  - {name: x, domain: two.example, mailbox: true, mailbox-tampers: content, keep-keys: 36 h, "
    "cpu: ../../data/cpu-models/phone.json, cores: 1024}\n"
    "calls:\n"
    "  - {name: \"c{n}x\", from: u2, to: \"u{n}\", count: 1, at: 3 s, ring-time: 0 s, duration: 1.5 s, "
    "hang-up: callee,\n"
    "     cancel-after: 700 ms, curve: P-521, prf: MIKEY-1, pre-encoded: true,\n"
    "     media: {caller: model.h, callee: 3.5 kHz, codec: PCMA, ptime: 60 ms, srtp: "
    "AES_CM_128_HMAC_SHA1_32},\n"
    "     carrier: reinvite, session-expires: 100 s, vanish: {who: callee, after: 900 ms},\n"
    "     actions: [{at: 100 ms, do: rekey, by: callee, carrier: reinvite, count: 3, every: 200 ms},\n"
    "               {at: 1.1 s, do: rekey, mki: \"k 1\"}, {at: 1.2 s, do: add-video}]}\n"
    "  - {from: \"null\", to: v, count: 4, every: 10 s}\n"
    "adversaries:\n"
    "  - name: mallory\n"
    "    attached-to: two.example\n"
    "    at: [{link: v}, {node: kms.two.example, from: 3 s, until: 4.5 s}, {ue: x}]\n"
    "    holds:\n"
    "      - {private-key: u2, date: 2028-01-01T00:00:00Z, from: 20 s}\n"
    "      - {private-key: \"sip:v@two.example\"}\n"
    "      - {master-secret: one.example}\n"
    "      - {psk: v}\n"
    "      - {generator: w}\n"
    "      - {memory: x, from: 8 s}\n"
    "      - {session-keys: v}\n"
    "      - {session-key: call-2-3}\n"
    "    kms: {impersonates: one.example, parameters: 2048, degenerate: q-composite, certificate: stolen, "
    "tls: "
    "off}\n"
    "    rules:\n"
    "      - {on: I_MESSAGE_1, call: call-2-2, sender: v, receiver: pcscf.two.example, identity: u1, nth: "
    "3,\n"
    "         after: 1 s, until: 9 s, probability: 12.5 %, more: true, do: record, as: first}\n"
    "      - {on: INVITE, do: duplicate, times: 4, by: 250 ms}\n"
    "      - {on: 183, do: modify, field: \"#CS\", value: 0x1f}\n"
    "      - {on: mikey, do: modify, field: T, value: +2 h}\n"
    "      - {on: mikey, do: modify, field: SDP-IDs, value: \"a: #b\"}\n"
    "      - {on: mikey, do: remove-payload, payload: SP, instance: 2}\n"
    "      - {on: mikey, do: add-payload, payload: General Extension, value: 0100, before: V}\n"
    "      - {on: http, do: substitute, what: first}\n"
    "      - {on: time, after: 3 s, do: replay, what: first, to: v, fresh: true, by: 1 s}\n"
    "      - {on: R_MESSAGE_1, do: re-encrypt, point-i: twist, point-r: 02aabb, inner-idri: none, "
    "inner-idrr: w,\n"
    "         for: v, parameters-of: two.example}\n"
    "      - {on: state, of: v, is: established, call: call-2-1, do: flood, message: REQUEST_KEY_PSK,\n"
    "         to: kms.two.example, rate: 50, for: 3 s, content: recorded, what: first}\n"
    "      - {on: sip, do: replace-text, find: \"a=b\", with: \"\"}\n"
    "      - {on: sip, do: set-header, header: Subject, value: \"x: y\"}\n"
    "      - {on: time, after: 4 s, do: forge, message: I_MESSAGE_1, as: \"sip:q@else.example\", to: v}\n"
    "  - name: rogue\n"
    "    kms: {impersonates: two.example, parameters-file: model.h, master-file: model.h}\n"
    "expect:\n"
    "  calls: {established: 2, completed: at least 1, failed: at most 3, keys-agree: above 0, "
    "media-protected: below 5,\n"
    "          media-intact: none, setup-time: at most 2 s, packets-received: at least 20, retransmissions: "
    "none,\n"
    "          updates: 2, rekeyings: at most 1, mki-agreed: none, updates-refused: none, glares: at least "
    "1, video-received: "
    "above 3,\n"
    "          packets-lost-in-media: none, media-auth-failures: below 2}\n"
    "  call:\n"
    "    c1x: {sip-status: 487, reason: no-key, setup-time: above 1 us}\n"
    "    call-2-2: {answered-by: w, diverted-by: v, legs: 2, retargeted: at most 1}\n"
    "    call-2: {established: all}\n"
    "    call-2-3: {established: true}\n"
    "  users: {registered: all, keys-obtained: 2, private-keys: at least 1, parameters-obtained: at most "
    "2, parameters-failure: wrong-name, open-calls: none}\n"
    "  user:\n"
    "    u{n}: {keys-failure: unknown-kms, registered: false}\n"
    "    u2: {registered: none}\n"
    "    x: {messages-stored: at least 1, messages-readable: none, messages-delivered: 2, messages-refused: "
    "0,\n"
    "        message-reason: bad-mac, refusals: at most 1, refusal: replayed, computing: below 1 s}\n"
    "  kms:\n"
    "    two.example: {refusal: clock-skew, computing: above 1 ms}\n"
    "  adversary:\n"
    "    mallory: {rules-fired: at least 1, rules-failed: none, messages-changed: 2, messages-dropped: at "
    "most 9, messages-sent: above 0, calls-accepted: 1, calls-keyed: none, flood-answered: none,\n"
    "        media-injected: at most 3, computing: below 2 s}\n"
    "  knowledge:\n"
    "    mallory: {call: call-2-1, learns: [xP, session-key], does-not-learn: media}\n"
    "    u{n}: {learns: nothing}\n"
    "    kms.one.example: {learns: master-secret}\n"
    "  network: {retransmissions: at most 9, packets-lost: above 0, plaintext-media: none}\n";

scn_scenario *testing_load(const char *path, const char *const *sets, size_t count) {
    scn_errors errors;
    scn_scenario *s;
    if (scn_load_file(&s, &errors, path, sets, count) != IBK_OK) {
        scn_errors_print(&errors, stderr, false);
        fail_msg("%s was refused", path);
    }
    return s;
}

scn_scenario *testing_load_text(const char *text, const char *const *sets, size_t count) {
    scn_errors errors;
    scn_scenario *s;
    if (scn_load_text(&s, &errors, SCENARIO_SOURCE "/text.yaml", ibk_span_str(text), sets, count) != IBK_OK) {
        scn_errors_print(&errors, stderr, false);
        fail_msg("the text was refused");
    }
    return s;
}

/* ---- comparing
 * ---------------------------------------------------------------------------------------------- */

static void same_text(const char *a, const char *b) {
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL)
        assert_string_equal(a, b);
}

static void same_file(const char *a, const char *b) { /* relative in one, absolute in the other */
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL && b != NULL)
        assert_string_equal(strrchr(a, '/'), strrchr(b, '/'));
}

static void same_link(const scn_link *a, const scn_link *b) {
    same_text(a->name, b->name);
    assert_int_equal(a->delay_ns, b->delay_ns);
    assert_int_equal(a->rate_bps, b->rate_bps);
    assert_int_equal(a->loss_ppb, b->loss_ppb);
    assert_int_equal(a->queue_packets, b->queue_packets);
    assert_int_equal(a->mtu, b->mtu);
}

static void same_cpu(const scn_cpu *a, const scn_cpu *b) {
    same_text(a->word, b->word);
    same_file(a->file, b->file);
    assert_memory_equal(a->model, b->model, sizeof *a->model);
}

static void same_domain(const scn_domain *a, const scn_domain *b) {
    same_text(a->name, b->name);
    same_text(a->kms.identity, b->kms.identity);
    assert_int_equal(a->kms.parameters, b->kms.parameters);
    same_file(a->kms.parameters_file, b->kms.parameters_file);
    same_file(a->kms.master_file, b->kms.master_file);
    assert_int_equal(a->kms.granularity, b->kms.granularity);
    assert_int_equal(a->kms.issue, b->kms.issue);
    assert_int_equal(a->kms.errors, b->kms.errors);
    assert_int_equal(a->kms.encryption, b->kms.encryption);
    assert_int_equal(a->kms.mac, b->kms.mac);
    assert_int_equal(a->kms.prf, b->kms.prf);
    same_cpu(&a->kms.cpu, &b->kms.cpu);
    assert_int_equal(a->kms.cores, b->kms.cores);
    assert_int_equal(a->kms.tls, b->kms.tls);
    assert_int_equal(a->kms.certificate, b->kms.certificate);
    assert_int_equal(a->kms.parameters_for_users, b->kms.parameters_for_users);
    assert_int_equal(a->kms.parameters_for_others, b->kms.parameters_for_others);
    assert_int_equal(a->kms.parameters_validity_ns, b->kms.parameters_validity_ns);
    assert_int_equal(a->mikey.timestamp, b->mikey.timestamp);
    assert_int_equal(a->mikey.clock_skew_ns, b->mikey.clock_skew_ns);
    assert_int_equal(a->mikey.replay_cache, b->mikey.replay_cache);
}

static void same_user(const scn_user *a, const scn_user *b) {
    same_text(a->name, b->name);
    same_text(a->domain->name, b->domain->name);
    same_text(a->identity, b->identity);
    same_text(a->private_identity, b->private_identity);
    same_text(a->password, b->password);
    same_text(a->hss_password, b->hss_password);
    assert_true(ibk_span_equal(a->psk, b->psk));
    assert_true(ibk_span_equal(a->kms_psk, b->kms_psk));
    same_text(a->kms, b->kms);
    assert_int_equal(a->key_request, b->key_request);
    same_text(a->key_password, b->key_password);
    same_text(a->kms_key_password, b->kms_key_password);
    same_text(a->link->name, b->link->name);
    assert_int_equal(a->clock_offset_ns, b->clock_offset_ns);
    assert_int_equal(a->on_ns, b->on_ns);
    assert_int_equal(a->register_, b->register_);
    assert_int_equal(a->errors, b->errors);
    assert_int_equal(a->curve, b->curve);
    same_cpu(&a->cpu, &b->cpu);
    assert_int_equal(a->cores, b->cores);
    assert_int_equal(a->entry, b->entry);
}

static void same_call(const scn_call *a, const scn_call *b) {
    same_text(a->name, b->name);
    same_text(a->from->name, b->from->name);
    same_text(a->to->name, b->to->name);
    assert_int_equal(a->at_ns, b->at_ns);
    assert_int_equal(a->ring_ns, b->ring_ns);
    assert_int_equal(a->duration_ns, b->duration_ns);
    assert_int_equal(a->hang_up, b->hang_up);
    assert_int_equal(a->cancel, b->cancel);
    assert_int_equal(a->cancel_ns, b->cancel_ns);
    assert_int_equal(a->curve, b->curve);
    assert_int_equal(a->carrier, b->carrier);
    assert_int_equal(a->session_expires_ns, b->session_expires_ns);
    assert_int_equal(a->vanishes, b->vanishes);
    assert_int_equal(a->vanisher, b->vanisher);
    assert_int_equal(a->vanish_ns, b->vanish_ns);
    assert_int_equal(a->action_count, b->action_count);
    for (size_t i = 0; i < a->action_count; i++) {
        assert_int_equal(a->actions[i].at_ns, b->actions[i].at_ns);
        assert_int_equal(a->actions[i].by, b->actions[i].by);
        assert_int_equal(a->actions[i].what, b->actions[i].what);
        assert_int_equal(a->actions[i].carrier, b->actions[i].carrier);
        same_text(a->actions[i].mki, b->actions[i].mki);
    }
    assert_int_equal(a->prf, b->prf);
    assert_int_equal(a->media.caller.tone_hz, b->media.caller.tone_hz);
    same_file(a->media.caller.file, b->media.caller.file);
    assert_int_equal(a->media.callee.tone_hz, b->media.callee.tone_hz);
    same_file(a->media.callee.file, b->media.callee.file);
    assert_int_equal(a->media.codec, b->media.codec);
    assert_int_equal(a->media.ptime_ms, b->media.ptime_ms);
    assert_int_equal(a->media.srtp, b->media.srtp);
    assert_int_equal(a->entry, b->entry);
}

static void same_rule(const scn_rule *a, const scn_rule *b) {
    assert_int_equal(a->on, b->on);
    assert_int_equal(a->data_type, b->data_type);
    same_text(a->method, b->method);
    assert_int_equal(a->status, b->status);
    same_text(a->call ? a->call->name : NULL, b->call ? b->call->name : NULL);
    same_text(a->sender, b->sender);
    same_text(a->receiver, b->receiver);
    same_text(a->identity, b->identity);
    assert_int_equal(a->nth, b->nth);
    assert_int_equal(a->after_ns, b->after_ns);
    assert_int_equal(a->until_ns, b->until_ns);
    assert_int_equal(a->probability_ppb, b->probability_ppb);
    assert_int_equal(a->more, b->more);
    assert_int_equal(a->act, b->act);
    assert_int_equal(a->by_ns, b->by_ns);
    assert_int_equal(a->times, b->times);
    same_text(a->what, b->what);
    same_text(a->to, b->to);
    assert_int_equal(a->field, b->field);
    assert_int_equal(a->value.how, b->value.how);
    assert_int_equal(a->value.number, b->value.number);
    assert_int_equal(a->value.shift_ns, b->value.shift_ns);
    assert_true(ibk_span_equal(a->value.octets, b->value.octets));
    assert_int_equal(a->payload, b->payload);
    assert_int_equal(a->instance, b->instance);
    assert_int_equal(a->before, b->before);
    assert_int_equal(a->point_i.kind, b->point_i.kind);
    assert_true(ibk_span_equal(a->point_r.octets, b->point_r.octets));
    same_text(a->inner_r.identity, b->inner_r.identity);
    same_text(a->for_identity, b->for_identity);
    assert_int_equal(a->lasts_ns, b->lasts_ns);
    assert_int_equal(a->rate, b->rate);
    assert_int_equal(a->content, b->content);
    same_text(a->with, b->with);
    same_text(a->text, b->text);
}

static void same_adversary(const scn_adversary *a, const scn_adversary *b) {
    same_text(a->name, b->name);
    same_text(a->attached_to->name, b->attached_to->name);
    assert_int_equal(a->seat_count, b->seat_count);
    for (size_t i = 0; i < a->seat_count; i++) {
        assert_int_equal(a->seats[i].kind, b->seats[i].kind);
        same_text(a->seats[i].node, b->seats[i].node);
        assert_int_equal(a->seats[i].from_ns, b->seats[i].from_ns);
        assert_int_equal(a->seats[i].until_ns, b->seats[i].until_ns);
    }
    assert_int_equal(a->holding_count, b->holding_count);
    for (size_t i = 0; i < a->holding_count; i++) {
        assert_int_equal(a->holdings[i].kind, b->holdings[i].kind);
        assert_int_equal(a->holdings[i].date_utc_ns, b->holdings[i].date_utc_ns);
        assert_int_equal(a->holdings[i].from_ns, b->holdings[i].from_ns);
        same_text(a->holdings[i].identity, b->holdings[i].identity);
    }
    assert_int_equal(a->kms == NULL, b->kms == NULL);
    if (a->kms != NULL && b->kms != NULL) {
        assert_int_equal(a->kms->parameters, b->kms->parameters);
        same_file(a->kms->master_file, b->kms->master_file);
        assert_int_equal(a->kms->degenerate, b->kms->degenerate);
        assert_int_equal(a->kms->certificate, b->kms->certificate);
        assert_int_equal(a->kms->tls, b->kms->tls);
    }
    assert_int_equal(a->cores, b->cores);
    same_text(a->cpu->name, b->cpu->name);
    assert_int_equal(a->rule_count, b->rule_count);
    for (size_t i = 0; i < a->rule_count; i++)
        same_rule(&a->rules[i], &b->rules[i]);
}

/* The order may differ: it is that of the lines. */
static void has_expectation(const scn_scenario *s, const scn_expectation *e) {
    for (size_t i = 0; i < s->expectation_count; i++) {
        const scn_expectation *x = &s->expectations[i];
        if (x->kind == e->kind && x->how == e->how && x->set == e->set && x->first == e->first &&
            x->count == e->count && x->bound.op == e->bound.op && x->bound.value == e->bound.value &&
            strcmp(x->text, e->text) == 0)
            return;
    }
    fail_msg("the expectation '%s' is lost", e->text);
}

static void same(const scn_scenario *a, const scn_scenario *b) {
    same_text(a->title, b->title);
    same_text(a->description, b->description);
    assert_int_equal(a->seed, b->seed);
    assert_int_equal(a->start_utc_ns, b->start_utc_ns);
    assert_int_equal(a->time_limit_ns, b->time_limit_ns);
    assert_int_equal(a->network.ip, b->network.ip);
    assert_int_equal(a->link_count, b->link_count);
    assert_int_equal(a->domain_count, b->domain_count);
    assert_int_equal(a->user_count, b->user_count);
    assert_int_equal(a->call_count, b->call_count);
    assert_int_equal(a->expectation_count, b->expectation_count);
    for (size_t i = 0; i < a->link_count; i++)
        same_link(&a->links[i], &b->links[i]);
    for (size_t i = 0; i < a->domain_count; i++)
        same_domain(&a->domains[i], &b->domains[i]);
    for (size_t i = 0; i < a->user_count; i++)
        same_user(&a->users[i], &b->users[i]);
    for (size_t i = 0; i < a->call_count; i++)
        same_call(&a->calls[i], &b->calls[i]);
    assert_int_equal(a->adversary_count, b->adversary_count);
    for (size_t i = 0; i < a->adversary_count; i++)
        same_adversary(&a->adversaries[i], &b->adversaries[i]);
    for (size_t i = 0; i < a->expectation_count; i++)
        has_expectation(b, &a->expectations[i]);
}

void testing_round_trip(const scn_scenario *s) {
    ibk_buf first = {0}, second = {0};
    scn_errors errors;
    scn_scenario *again;
    assert_int_equal(scn_write_resolved(&first, s), IBK_OK);
    if (scn_load_text(&again, &errors, "resolved.yaml", ibk_buf_span(&first), NULL, 0) != IBK_OK) {
        scn_errors_print(&errors, stderr, false);
        fail_msg("the resolved configuration was refused:\n%.*s", (int)first.len, first.data);
    }
    same(s, again);
    assert_int_equal(scn_write_resolved(&second, again), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&second)));
    ibk_buf_free(&first);
    ibk_buf_free(&second);
    scn_free(again);
}
