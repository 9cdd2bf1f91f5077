/* What a file that is in order becomes, what --set changes, and what the resolved configuration keeps. */
#include "scenario/testing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S  UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static void shipped_scenarios_load_and_round_trip(void **state) {
    (void)state;
    for (size_t i = 0; testing_shipped[i] != NULL; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", SCENARIOS, testing_shipped[i]);
        scn_scenario *s = testing_load(path, NULL, 0);
        assert_true(s->expectation_count >= 6);
        testing_round_trip(s);
        scn_free(s);
    }
}

static void the_first_call(void **state) {
    (void)state;
    scn_scenario *s = testing_load(SCENARIOS "/basic/first-call.yaml", NULL, 0);
    assert_string_equal(s->title, "A first protected call");
    assert_int_equal(s->seed, 1);
    assert_int_equal(s->start_utc_ns / (int64_t)S, 1772442000);
    assert_int_equal(s->time_limit_ns, 600 * S);
    assert_int_equal(s->network.ip, 4);
    assert_int_equal(s->link_count, 3);
    assert_string_equal(s->links[0].name, "access");
    assert_int_equal(s->links[0].delay_ns, 20 * MS);
    assert_int_equal(scn_core_link(s)->rate_bps, 1000000000);
    assert_int_equal(s->domains[0].kms.parameters, 3072);
    assert_string_equal(s->domains[0].kms.identity, "kms@home.example");
    assert_int_equal(s->domains[0].kms.encryption, IBK_ENCR_AES_CM_128);
    assert_int_equal(s->domains[0].mikey.clock_skew_ns, 300 * S);
    assert_int_equal(s->user_count, 2);
    const scn_user *alice = scn_find_user(s, "alice");
    assert_string_equal(alice->identity, "sip:alice@home.example");
    assert_string_equal(alice->private_identity, "alice@home.example");
    assert_string_equal(alice->kms, "kms@home.example");
    assert_ptr_equal(alice->domain, scn_find_domain(s, "home.example"));
    assert_ptr_equal(alice->link, &s->links[0]);
    assert_true(alice->register_);
    const scn_call *call = &s->calls[0];
    assert_string_equal(call->name, "first");
    assert_ptr_equal(call->from, alice);
    assert_int_equal(call->at_ns, 2 * S);
    assert_int_equal(call->curve, IBK_EC_P256);
    assert_int_equal(call->media.caller.tone_hz, 440);
    assert_null(call->media.caller.file);
    assert_int_equal(call->media.ptime_ms, 20);
    assert_false(call->cancel);
    assert_null(scn_find_user(s, "mallory"));
    assert_null(scn_find_domain(s, "example"));
    scn_free(s);
}

static void secrets_come_from_the_seed(void **state) {
    (void)state;
    static const char *const other_seed[] = {"seed=2"};
    const char *path = SCENARIOS "/basic/first-call.yaml";
    scn_scenario *a = testing_load(path, NULL, 0), *b = testing_load(path, NULL, 0);
    scn_scenario *c = testing_load(path, other_seed, 1);
    assert_int_equal(a->users[0].psk.len, 32);
    assert_true(ibk_span_equal(a->users[0].psk, b->users[0].psk));
    assert_true(ibk_span_equal(a->users[0].psk, a->users[0].kms_psk));
    assert_false(ibk_span_equal(a->users[0].psk, a->users[1].psk));
    assert_false(ibk_span_equal(a->users[0].psk, c->users[0].psk));
    assert_string_equal(a->users[0].password, b->users[0].password);
    assert_string_equal(a->users[0].password, a->users[0].hss_password);
    assert_string_not_equal(a->users[0].password, a->users[1].password);
    assert_string_not_equal(a->users[0].password, c->users[0].password);
    scn_free(a);
    scn_free(b);
    scn_free(c);
}

static void groups_are_expanded(void **state) {
    (void)state;
    scn_scenario *s = testing_load(SCENARIOS "/basic/hundred-calls.yaml", NULL, 0);
    assert_int_equal(s->user_count, 200);
    assert_int_equal(s->call_count, 100);
    assert_string_equal(s->users[0].name, "caller-1");
    assert_string_equal(s->users[199].name, "callee-100");
    assert_string_equal(s->users[199].identity, "sip:callee-100@home.example");
    assert_int_equal(s->users[199].on_ns, 99 * 20 * MS);
    assert_int_equal(s->users[199].entry, 1);
    assert_string_equal(s->calls[16].name, "many-17");
    assert_string_equal(s->calls[16].from->name, "caller-17");
    assert_string_equal(s->calls[16].to->name, "callee-17");
    assert_int_equal(s->calls[16].at_ns, 5 * S + 16 * 50 * MS);
    scn_free(s);
}

static void faults_are_told(void **state) {
    (void)state;
    scn_scenario *s = testing_load(SCENARIOS "/faults/wrong-psk.yaml", NULL, 0);
    assert_int_equal(s->users[0].psk.len, 16);
    assert_false(ibk_span_equal(s->users[0].psk, s->users[0].kms_psk));
    assert_true(ibk_span_equal(s->users[1].psk, s->users[1].kms_psk));
    scn_free(s);
    s = testing_load(SCENARIOS "/faults/unregistered-callee.yaml", NULL, 0);
    assert_false(s->users[1].register_);
    scn_free(s);
    s = testing_load(SCENARIOS "/faults/unknown-kms.yaml", NULL, 0);
    assert_string_equal(s->users[0].kms, "kms@nowhere.example");
    scn_free(s);
}

static void users_are_related(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_user *u3 = scn_find_user(s, "u3"), *v = scn_find_user(s, "v"), *w = scn_find_user(s, "w");
    assert_ptr_equal(v->divert.to, u3);
    assert_int_equal(v->divert.when, SCN_DIVERT_NO_ANSWER);
    assert_int_equal(v->divert.how, SCN_DIVERT_NOTIFY);
    assert_int_equal(v->divert.after_ns, 2500 * MS);
    assert_int_equal(v->accept, SCN_ACCEPT_DOMAIN);
    assert_int_equal(v->busy, SCN_BUSY_IN_CALL);
    assert_true(v->switched_off && !w->switched_off && !v->has_ring_time);
    assert_int_equal(v->priority, 1000);
    assert_true(v->restarts && v->restart_ns == 1800 * S && !w->restarts);
    assert_string_equal(v->ask_also, "tel:+4930901820");
    assert_true(s->domains[0].kms.wrong_keys && !s->domains[1].kms.wrong_keys);
    assert_true(v->without == (IBK_DEFENCE_ECHO | SCN_DEFENCE(FRESH_SCALARS)) && !w->without);
    assert_int_equal(s->domains[0].kms.without, IBK_DEFENCE_KMS_REPLAY_CACHE | IBK_DEFENCE_CLOCK_SKEW);
    assert_ptr_equal(w->contact_of, v);
    assert_null(v->contact_of);
    assert_null(w->divert.to);
    assert_int_equal(w->priority, 250);
    assert_true(w->has_ring_time && !w->answers && v->answers);
    assert_int_equal(w->ring_ns, 3 * S);
    assert_true(u3->answers_for_others && scn_find_user(s, "x")->answers_for_others);
    assert_true(!v->answers_for_others && scn_find_user(s, "x")->mailbox);
    assert_int_equal(scn_find_user(s, "x")->tampering, SCN_TAMPER_CONTENT);
    assert_int_equal(scn_find_user(s, "x")->keep_keys_ns, 36 * 3600 * S);
    assert_true(v->tampering == SCN_TAMPER_NONE && v->keep_keys_ns == 0);
    assert_int_equal(s->domains[0].kms.issue_back_ns, 50 * 3600 * S);
    assert_true(s->calls[0].pre_encoded && !s->calls[1].pre_encoded);
    assert_int_equal(scn_interconnect_link(s)->delay_ns, 11 * MS);
    assert_int_equal(s->domains[0].forking, SCN_FORK_PARALLEL);
    assert_int_equal(s->domains[1].forking, SCN_FORK_SEQUENTIAL);
    assert_int_equal(s->domains[1].forking_timeout_ns, 7 * S);
    static const char *const set[] = {"users.1.answers-for-others=true", "users.0.answers-for-others=false"};
    scn_scenario *other = testing_load_text(testing_full, set, 2);
    assert_true(scn_find_user(other, "null")->answers_for_others);
    assert_false(scn_find_user(other, "u3")->answers_for_others);
    scn_free(other);
    scn_free(s);
}

/* ---- adversaries
 * ---------------------------------------------------------------------------------------------- */

static void adversaries_sit_and_hold(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_adversary *m = scn_find_adversary(s, "mallory"), *rogue = scn_find_adversary(s, "rogue");
    const scn_user *v = scn_find_user(s, "v");
    assert_int_equal(s->adversary_count, 2);
    assert_null(scn_find_adversary(s, "v"));
    assert_ptr_equal(m->attached_to, &s->domains[1]);
    assert_ptr_equal(rogue->attached_to, &s->domains[0]);
    assert_int_equal(m->seat_count, 3);
    assert_true(m->seats[0].kind == SCN_SEAT_LINK && m->seats[0].user == v);
    assert_true(m->seats[1].kind == SCN_SEAT_NODE && m->seats[1].core == SCN_NODE_KMS);
    assert_ptr_equal(m->seats[1].domain, &s->domains[1]);
    assert_string_equal(m->seats[1].node, "kms.two.example");
    assert_true(m->seats[1].from_ns == 3 * S && m->seats[1].until_ns == 4500000000);
    assert_true(m->seats[0].from_ns == 0 && m->seats[0].until_ns == UINT64_MAX);
    assert_true(m->seats[2].kind == SCN_SEAT_UE && m->seats[2].user == scn_find_user(s, "x"));
    assert_int_equal(m->holding_count, 8);
    assert_string_equal(m->holdings[0].identity, "sip:person.2@one.example");
    assert_int_equal(m->holdings[0].date_utc_ns / (int64_t)S, 1830297600);
    assert_int_equal(m->holdings[0].from_ns, 20 * S);
    assert_true(m->holdings[1].kind == SCN_HOLDS_PRIVATE_KEY && m->holdings[1].user == v);
    assert_int_equal(m->holdings[1].date_utc_ns, s->start_utc_ns);
    assert_ptr_equal(m->holdings[2].domain, &s->domains[0]);
    assert_int_equal(m->holdings[5].kind, SCN_HOLDS_MEMORY);
    assert_string_equal(m->holdings[7].call->name, "call-2-3");
    assert_ptr_equal(m->kms->impersonates, &s->domains[0]);
    assert_true(m->kms->parameters == 2048 && m->kms->degenerate == SCN_Q_COMPOSITE && !m->kms->tls);
    assert_true(rogue->kms->parameters == 0 && rogue->kms->certificate == SCN_ROGUE_SELF_SIGNED);
    assert_non_null(strstr(rogue->kms->master_file, "model.h"));
    assert_true(rogue->kms->tls && rogue->rule_count == 0 && rogue->seat_count == 0);
    scn_free(s);
}

static void rules_are_read(void **state) {
    (void)state;
    static const uint8_t point[] = {0x02, 0xAA, 0xBB};
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_rule *r = scn_find_adversary(s, "mallory")->rules;
    assert_true(r[0].on == SCN_ON_MIKEY && r[0].data_type == IBK_MSG_I_MESSAGE_1 && r[0].more);
    assert_string_equal(r[0].call->name, "call-2-2");
    assert_string_equal(r[0].receiver, "pcscf.two.example");
    assert_string_equal(r[0].identity, "sip:person.1@one.example");
    assert_true(r[0].nth == 3 && r[0].after_ns == S && r[0].until_ns == 9 * S);
    assert_int_equal(r[0].probability_ppb, 125000000);
    assert_string_equal(r[0].as, "first");
    assert_string_equal(r[1].method, "INVITE");
    assert_true(r[1].nth == 0 && r[1].until_ns == UINT64_MAX && r[1].probability_ppb == 1000000000);
    assert_true(r[1].times == 4 && r[1].by_ns == 250 * MS);
    assert_true(r[2].on == SCN_ON_SIP && r[2].status == 183 && r[2].method == NULL);
    assert_true(r[2].field == SCN_FIELD_CS_COUNT && r[2].value.how == SCN_EDIT_NUMBER);
    assert_int_equal(r[2].value.number, 0x1F);
    assert_true(r[3].data_type == SCN_ANY_TYPE && r[3].value.how == SCN_EDIT_SHIFT);
    assert_int_equal(r[3].value.shift_ns, 7200 * S);
    assert_true(r[4].value.how == SCN_EDIT_TEXT && r[4].value.octets.len == 5);
    assert_true(r[5].payload == IBK_PL_SP && r[5].instance == 2);
    assert_true(r[6].payload == IBK_PL_EXT && r[6].has_before && r[6].before == IBK_PL_V);
    assert_int_equal(r[6].value.octets.len, 2);
    assert_true(r[7].on == SCN_ON_HTTP && strcmp(r[7].what, "first") == 0);
    assert_true(r[8].fresh && r[8].to_user == scn_find_user(s, "v"));
    assert_true(r[9].point_i.kind == SCN_POINT_TWIST && r[9].point_r.kind == SCN_POINT_HEX);
    assert_true(ibk_span_equal(r[9].point_r.octets, ibk_span_of(point, sizeof point)));
    assert_true(r[9].inner_i.given && r[9].inner_i.identity == NULL);
    assert_string_equal(r[9].inner_r.identity, "sip:w@two.example");
    assert_string_equal(r[9].for_identity, "sip:v@two.example");
    assert_ptr_equal(r[9].parameters_of, &s->domains[1]);
    assert_string_equal(r[10].is, "established");
    assert_true(r[10].to_user == NULL && strcmp(r[10].to, "kms.two.example") == 0);
    assert_true(r[10].message == IBK_MSG_REQUEST_KEY_PSK && r[10].rate == 50 && r[10].lasts_ns == 3 * S);
    assert_string_equal(r[11].with, "");
    assert_string_equal(r[12].value.text, "x: y");
    assert_string_equal(r[13].as_identity, "sip:q@else.example");
    assert_string_equal(r[2].text, "modify #CS");
    assert_string_equal(r[6].text, "add-payload General Extension");
    scn_free(s);
}

/* ---- expectations
 * --------------------------------------------------------------------------------------------- */

static const scn_expectation *find(const scn_scenario *s, const char *text) {
    for (size_t i = 0; i < s->expectation_count; i++) {
        if (strcmp(s->expectations[i].text, text) == 0)
            return &s->expectations[i];
    }
    fail_msg("no expectation '%s'", text);
    return NULL;
}

static void kms_keys(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_kms *one = &s->domains[0].kms, *two = &s->domains[1].kms;
    assert_true(!one->tls && two->tls);
    assert_int_equal(one->certificate, SCN_CERT_WRONG_NAME);
    assert_int_equal(two->certificate, SCN_CERT_TRUSTED);
    assert_int_equal(one->parameters_for_users, SCN_RFC5408);
    assert_int_equal(one->parameters_for_others, SCN_PROVISIONED);
    assert_int_equal(two->parameters_for_users, SCN_PROVISIONED);
    assert_int_equal(two->parameters_for_others, SCN_RFC5408);
    assert_int_equal(one->parameters_validity_ns, 36 * 3600 * S);
    assert_int_equal(two->parameters_validity_ns, 30 * 86400 * S);
    const scn_user *u1 = scn_find_user(s, "u1"), *u2 = scn_find_user(s, "u2"), *v = scn_find_user(s, "v");
    assert_int_equal(u1->key_request, SCN_KEY_REQUEST_RFC5408);
    assert_string_equal(u1->key_password, "se: cret");
    assert_int_equal(strlen(u1->kms_key_password), 24); /* drawn, for each user by itself */
    assert_string_not_equal(u1->kms_key_password, u2->kms_key_password);
    assert_int_equal(v->key_request, SCN_KEY_REQUEST_PSK);
    assert_string_equal(v->key_password, v->kms_key_password);
    assert_string_not_equal(v->key_password, v->password);
    assert_string_equal(scn_parameters_failure_name(SCN_PARAMETERS_EXPIRED), "expired");
    assert_string_equal(scn_parameters_failure_name(SCN_PARAMETERS_WRONG_NAME), "wrong-name");
    assert_string_equal(scn_parameters_failure_name(0), "none");
    scn_free(s);
}

static void expectations_are_flat(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_expectation *e = find(s, "calls: established 2");
    assert_int_equal(e->kind, SCN_EXPECT_CALLS_ESTABLISHED);
    assert_int_equal(e->how, SCN_COUNT);
    assert_int_equal(e->set, SCN_SET_CALLS);
    assert_int_equal(e->first, 0);
    assert_int_equal(e->count, 5);
    assert_int_equal(e->bound.op, SCN_EXACTLY);
    assert_int_equal(e->where.line, 77);
    e = find(s, "call c1x: sip-status 487");
    assert_int_equal(e->how, SCN_IS);
    assert_int_equal(e->bound.value, 487);
    e = find(s, "call c1x: reason no-key");
    assert_int_equal(e->bound.value, IBK_ERR_NO_KEY);
    e = find(s, "call call-2-2: answered-by w");
    assert_int_equal(e->how, SCN_IS);
    assert_ptr_equal(&s->users[e->bound.value - 1], scn_find_user(s, "w"));
    e = find(s, "call call-2-2: diverted-by v");
    assert_ptr_equal(&s->users[e->bound.value - 1], scn_find_user(s, "v"));
    e = find(s, "call call-2-2: legs 2");
    assert_int_equal(e->how, SCN_SUM);
    e = find(s, "call call-2: established all");
    assert_int_equal(e->first, 1);
    assert_int_equal(e->count, 4);
    e = find(s, "call call-2-3: established all");
    assert_int_equal(e->first, 3);
    assert_int_equal(e->count, 1);
    e = find(s, "user u{n}: keys-failure unknown-kms");
    assert_int_equal(e->set, SCN_SET_USERS);
    assert_int_equal(e->count, 3);
    assert_int_equal(e->bound.value, SCN_KEYS_UNKNOWN_KMS);
    e = find(s, "users: parameters-obtained at most 2");
    assert_int_equal(e->how, SCN_EACH);
    e = find(s, "users: parameters-failure wrong-name");
    assert_int_equal(e->how, SCN_IS);
    assert_int_equal(e->bound.value, SCN_PARAMETERS_WRONG_NAME);
    e = find(s, "user x: messages-readable none");
    assert_int_equal(e->how, SCN_SUM);
    assert_int_equal(e->set, SCN_SET_USERS);
    assert_int_equal(e->bound.op, SCN_EXACTLY);
    e = find(s, "user x: message-reason bad-mac");
    assert_int_equal(e->how, SCN_IS);
    assert_int_equal(e->bound.value, IBK_ERR_BAD_MAC);
    e = find(s, "user u2: registered none");
    assert_int_equal(e->first, 1);
    e = find(s, "calls: setup-time at most 2 s");
    assert_int_equal(e->how, SCN_EACH);
    assert_int_equal(e->bound.value, 2 * S);
    e = find(s, "calls: updates 2");
    assert_int_equal(e->how, SCN_EACH);
    e = find(s, "calls: glares at least 1");
    assert_int_equal(e->how, SCN_SUM);
    e = find(s, "users: open-calls none");
    assert_int_equal(e->set, SCN_SET_USERS);
    e = find(s, "network: packets-lost above 0");
    assert_int_equal(e->how, SCN_SUM);
    assert_int_equal(e->set, SCN_SET_NETWORK);
    for (size_t i = 1; i < s->expectation_count; i++)
        assert_true(s->expectations[i - 1].where.line <= s->expectations[i].where.line);
    scn_free(s);
}

static void knowledge_is_expected(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_expectation *e =
        find(s, "knowledge: mallory learns xP, session-key and not media, of call call-2-1");
    assert_int_equal(e->kind, SCN_EXPECT_KNOWLEDGE);
    assert_int_equal(e->set, SCN_SET_PARTIES);
    assert_string_equal(e->knowledge.who, "mallory");
    assert_string_equal(e->knowledge.call->name, "call-2-1");
    assert_int_equal(e->knowledge.learns, SCN_THING_BIT(SCN_THING_XP) | SCN_THING_BIT(SCN_THING_SESSION_KEY));
    assert_int_equal(e->knowledge.does_not, SCN_THING_BIT(SCN_THING_MEDIA));
    e = find(s, "knowledge: u{n} learns nothing"); /* each of the group */
    assert_null(e->knowledge.who);
    assert_int_equal(e->first, 0);
    assert_int_equal(e->count, 3);
    assert_int_equal(e->knowledge.learns, SCN_THING_BIT(SCN_THINGS));
    e = find(s, "knowledge: kms.one.example learns master-secret");
    assert_string_equal(e->knowledge.who, "kms.one.example");
    assert_null(e->knowledge.call);
    scn_free(s);
}

static void attacks_are_expected(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    const scn_expectation *e = find(s, "adversary mallory: rules-fired at least 1");
    assert_int_equal(e->set, SCN_SET_ADVERSARIES);
    assert_int_equal(e->how, SCN_SUM);
    assert_string_equal(s->adversaries[e->first].name, "mallory");
    assert_int_equal(e->count, 1);
    e = find(s, "adversary mallory: messages-sent above 0");
    assert_int_equal(e->kind, SCN_EXPECT_ADVERSARY_MESSAGES_SENT);
    scn_free(s);
}

static void bounds_hold(void **state) {
    (void)state;
    assert_true(scn_bound_holds(&(scn_bound){.op = SCN_EXACTLY, .value = 3}, 3, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_EXACTLY, .value = 3}, 4, 9));
    assert_true(scn_bound_holds(&(scn_bound){.op = SCN_AT_LEAST, .value = 3}, 3, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_AT_LEAST, .value = 3}, 2, 9));
    assert_true(scn_bound_holds(&(scn_bound){.op = SCN_AT_MOST, .value = 3}, 3, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_AT_MOST, .value = 3}, 4, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_ABOVE, .value = 3}, 3, 9));
    assert_true(scn_bound_holds(&(scn_bound){.op = SCN_ABOVE, .value = 3}, 4, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_BELOW, .value = 3}, 3, 9));
    assert_true(scn_bound_holds(&(scn_bound){.op = SCN_BELOW, .value = 3}, 2, 9));
    assert_true(scn_bound_holds(&(scn_bound){.op = SCN_ALL, .value = 0}, 9, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_ALL, .value = 0}, 8, 9));
    assert_false(scn_bound_holds(&(scn_bound){.op = SCN_ALL, .value = 0}, 0, 0));
    assert_string_equal(scn_keys_failure_name(SCN_KEYS_NO_ANSWER), "no-answer");
}

/* ---- resolved configuration
 * ------------------------------------------------------------------------------------- */

static void every_key_survives_the_round_trip(void **state) {
    (void)state;
    scn_scenario *s = testing_load_text(testing_full, NULL, 0);
    assert_string_equal(s->description, "two\nlines\n");
    assert_string_equal(s->links[3].name, "satellite");
    assert_int_equal(s->links[3].loss_ppb, 1250000);
    assert_string_equal(s->users[3].name, "null");
    assert_true(s->calls[0].cancel);
    assert_int_equal(s->calls[0].action_count, 5);
    assert_int_equal(s->calls[0].actions[2].at_ns, 500 * MS);
    assert_int_equal(s->calls[0].actions[2].by, SCN_CALLEE);
    assert_null(s->calls[0].actions[2].mki);
    assert_string_equal(s->calls[0].actions[3].mki, "k 1");
    assert_int_equal(s->calls[0].actions[4].carrier, SCN_CARRIER_UPDATE);
    assert_true(s->calls[0].vanishes);
    assert_int_equal(s->calls[0].vanisher, SCN_CALLEE);
    testing_round_trip(s);
    scn_free(s);
}

static void defaults_are_written_out(void **state) {
    (void)state;
    ibk_buf out = {0};
    scn_scenario *s = testing_load(SCENARIOS "/basic/first-call-80.yaml", NULL, 0);
    assert_int_equal(scn_write_resolved(&out, s), IBK_OK);
    assert_int_equal(ibk_buf_append(&out, "", 1), IBK_OK);
    static const char *const lines[] = {"\nseed: 1\n",
                                        "\n    delay: 20 ms\n",
                                        "\n      identity: kms@home.example\n",
                                        "\n    identity: sip:alice@home.example\n",
                                        "\n    psk: auto\n",
                                        "\n      callee: 660 Hz\n",
                                        "\n      setup-time: at most 2 s\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_non_null(strstr((const char *)out.data, lines[i]));
    ibk_buf_free(&out);
    scn_free(s);
}

/* ---- overrides
 * --------------------------------------------------------------------------------------------------- */

static void overrides_are_applied(void **state) {
    (void)state;
    static const char *const sets[] = {"links.access.loss=1 %",
                                       "links.access.loss=5 %",
                                       "users[0].psk=000102030405060708090a0b0c0d0e0f",
                                       "calls.0.at=2500 ms",
                                       "users.bob.register=false",
                                       "calls.first.media.codec=PCMA",
                                       "domains[home.example].kms.parameters=1024",
                                       "network.ip=6",
                                       "title=a = b: c # d",
                                       "description=\"x\\ty\\\\n\"",
                                       "expect={users: {registered: at least 1}}"};
    static const char *const good[] = {"links.access.loss=1 %",
                                       "links.access.loss=5 %",
                                       "users[0].psk=000102030405060708090a0b0c0d0e0f",
                                       "calls.0.at=2500 ms",
                                       "users.bob.register=false",
                                       "calls.first.media.codec=PCMA",
                                       "domains[home.example].kms.parameters=1024",
                                       "network.ip=6",
                                       "title=a = b: c # d",
                                       "description='it''s'",
                                       "expect={users: {registered: at least 1}}"};
    scn_errors errors;
    scn_scenario *s;
    assert_int_equal(scn_load_file(&s, &errors, SCENARIOS "/basic/first-call.yaml", sets, 11),
                     IBK_ERR_BAD_VALUE);
    assert_non_null(strstr(errors.list[0].message, "description"));
    s = testing_load(SCENARIOS "/basic/first-call.yaml", good, 11);
    assert_int_equal(s->links[0].loss_ppb, 50000000);
    assert_int_equal(s->users[0].psk.len, 16);
    assert_true(ibk_span_equal(s->users[0].psk, s->users[0].kms_psk));
    assert_int_equal(s->calls[0].at_ns, 2500 * MS);
    assert_false(s->users[1].register_);
    assert_int_equal(s->calls[0].media.codec, SCN_PCMA);
    assert_int_equal(s->domains[0].kms.parameters, 1024);
    assert_int_equal(s->network.ip, 6);
    assert_string_equal(s->title, "a = b: c # d");
    assert_string_equal(s->description, "it's");
    assert_int_equal(s->expectation_count, 1);
    assert_int_equal(s->expectations[0].where.line, 0);
    assert_non_null(strstr(s->expectations[0].where.file, "--set expect="));
    testing_round_trip(s);
    scn_free(s);
}

/* An alias is a copy: what is set at one place stays there. */
static void overrides_do_not_leak_through_aliases(void **state) {
    (void)state;
    static const char *const sets[] = {"links.satellite.delay=7 ms"};
    scn_scenario *s = testing_load_text(testing_full, sets, 1);
    assert_int_equal(s->links[3].delay_ns, 7 * MS);
    assert_int_equal(s->links[0].delay_ns, 33000);
    scn_free(s);
}

static void a_scenario_extends_another(void **state) {
    (void)state;
    scn_scenario *s = testing_load(SCENARIO_SOURCE "/testdata/extended/twin-of-twin.yaml", NULL, 0);
    assert_string_equal(s->title, "The twin");
    assert_int_equal(s->seed, 5);
    assert_int_equal(s->links[0].delay_ns, 7 * MS);
    assert_int_equal(s->links[0].loss_ppb, 20000000);
    assert_int_equal(s->user_count, 3);
    assert_string_equal(s->users[1].name, "bob");
    assert_int_equal(s->users[1].busy, SCN_BUSY_ALWAYS);
    assert_int_equal(s->users[0].clock_offset_ns, 3 * S);
    assert_int_equal(s->call_count, 2);
    assert_ptr_equal(s->calls[1].to, &s->users[2]);
    assert_int_equal(s->calls[0].media.codec, SCN_PCMA);
    assert_non_null(strstr(s->calls[0].media.caller.file, "extended/tone.wav"));
    assert_int_equal(s->expectation_count, 1); /* its own take the place of the other's */
    assert_int_equal(s->expectations[0].kind, SCN_EXPECT_CALLS_SIP_STATUS);
    assert_non_null(strstr(s->expectations[0].where.file, "extended/twin.yaml"));
    testing_round_trip(s);
    scn_free(s);
}

static void errors_name_the_file_that_is_extended(void **state) {
    (void)state;
    static const char text[] = "ibakelab: 1\nextends: testdata/extended/base.yaml\nusers:\n  - {name: alice, "
                               "clock-offset: 3}\n";
    static const char *const sets[] = {"links.access.mtu=1 byte"};
    scn_errors errors;
    scn_scenario *s;
    assert_int_equal(scn_load_text(&s, &errors, SCENARIO_SOURCE "/here.yaml", ibk_span_str(text), NULL, 0),
                     IBK_ERR_BAD_VALUE);
    assert_int_equal(errors.list[0].line, 4);
    assert_non_null(strstr(errors.list[0].file, "here.yaml"));
    assert_non_null(strstr(errors.list[0].excerpt, "clock-offset: 3}"));
    static const char late[] = "ibakelab: 1\nextends: testdata/extended/base.yaml\ncalls: []\n";
    assert_int_equal(scn_load_text(&s, &errors, SCENARIO_SOURCE "/here.yaml", ibk_span_str(late), sets, 1),
                     IBK_ERR_BAD_VALUE);
    const scn_error *e = &errors.list[0]; /* base.yaml expects something of calls */
    assert_non_null(strstr(e->file, "extended/base.yaml"));
    assert_int_equal(e->line, 16);
    assert_non_null(strstr(e->excerpt, "established: all"));
}

static void refused_override(const char *set, const char *message, const char *hint) {
    scn_errors errors;
    scn_scenario *s;
    ibk_err err = scn_load_file(&s, &errors, SCENARIOS "/basic/first-call.yaml", &set, 1);
    assert_int_equal(err, IBK_ERR_BAD_VALUE);
    const scn_error *e = &errors.list[0];
    if (errors.count != 1 || strstr(e->message, message) == NULL || strstr(e->hint, hint) == NULL) {
        scn_errors_print(&errors, stderr, false);
        fail_msg("--set %s: expected '%s', '%s'", set, message, hint);
    }
    assert_int_equal(e->line, 0);
    assert_int_equal(strncmp(e->file, "--set ", 6), 0);
    assert_int_equal(strncmp(e->file + 6, set, 3), 0);
}

static void wrong_overrides_are_refused(void **state) {
    (void)state;
    refused_override("links.access.loss", "there is no '='", "write path=value");
    refused_override("links..loss=1 %", "not well formed", "write path=value");
    refused_override("users[0=x", "not well formed", "");
    refused_override("users[0]psk=x", "not well formed", "");
    refused_override("a.=x", "not well formed", "");
    refused_override("a.b.c.d.e.f.g.h.i.j.k.l.m=x", "not well formed", "");
    refused_override("links.access.loss=5", "'5' has no unit", "such as '0.5 %'");
    refused_override("links.access.los=5 %", "unknown key 'los' in links.access", "did you mean 'loss'?");
    refused_override("links.acces.loss=5 %", "no user has the link class 'acces'", "did you mean 'access'?");
    refused_override("users.alic.register=false", "users has no entry 'alic'", "did you mean 'alice'?");
    refused_override("users[2].register=false", "users has no entry '2'", "users[0] to users[1]");
    refused_override("seed.x=1", "seed is a single value", "");
    refused_override("seed=", "seed has no value", "expected a whole number");
    refused_override("seed=[1, 2]", "seed must be a single value, not a list", "");
    refused_override("seed=[1, 2", "not valid YAML", "");
    refused_override("calls.first.to=bbo", "there is no user 'bbo'", "did you mean 'bob'?");
    refused_override("expect.call.frist.established=all", "there is no call 'frist'",
                     "did you mean 'first'?");
    refused_override("title=\xff", "not UTF-8", "");
    refused_override("title=\x1b[31m", "control characters", "");
    refused_override("users=none", "'users' must be a list, not a single value", "");
}

static void a_reference_that_is_up_to_date(void **state) {
    (void)state;
    ibk_buf out = {0}, text = {0};
    assert_int_equal(scn_reference_markdown(&out), IBK_OK);
    char *file = calloc(1, out.len + 2);
    FILE *in = fopen(SCENARIO_SOURCE "/../../docs/scenario-reference.md", "rb");
    assert_non_null(file);
    assert_non_null(in);
    size_t len = fread(file, 1, out.len + 1, in);
    fclose(in);
    if (len != out.len || memcmp(file, out.data, len) != 0)
        fail_msg("docs/scenario-reference.md is out of date: build the target scenario-docs");
    free(file);
    assert_int_equal(scn_reference_text(&text), IBK_OK);
    assert_int_equal(ibk_buf_append(&text, "", 1), IBK_OK);
    static const char *const keys[] = {"\n  ibakelab\n", "\nlinks.access, links.<class>\n",
                                       "\n  cancel-after\n", "\nexpect.calls, expect.call.<call>\n",
                                       "\n  plaintext-media\n"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_non_null(strstr((const char *)text.data, keys[i]));
    ibk_buf_free(&out);
    ibk_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_scenarios_load_and_round_trip),
        cmocka_unit_test(the_first_call),
        cmocka_unit_test(secrets_come_from_the_seed),
        cmocka_unit_test(groups_are_expanded),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(users_are_related),
        cmocka_unit_test(adversaries_sit_and_hold),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(kms_keys),
        cmocka_unit_test(expectations_are_flat),
        cmocka_unit_test(knowledge_is_expected),
        cmocka_unit_test(attacks_are_expected),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(every_key_survives_the_round_trip),
        cmocka_unit_test(defaults_are_written_out),
        cmocka_unit_test(overrides_are_applied),
        cmocka_unit_test(overrides_do_not_leak_through_aliases),
        cmocka_unit_test(a_scenario_extends_another),
        cmocka_unit_test(errors_name_the_file_that_is_extended),
        cmocka_unit_test(wrong_overrides_are_refused),
        cmocka_unit_test(a_reference_that_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
