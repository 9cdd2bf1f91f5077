/* ibakelab: result.json (schema/result.schema.json). Members stand in a fixed order; what did not happen is
 * null. */
#include "reports/json_build.h"
#include "reports/result.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static json_t *time_json(result_time time) {
    return time.set ? jb_count(time.ns) : json_null();
}

static json_t *expectation_json(const result_expectation *e, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "text", jb_text(e->text), ok);
    jb_set(o, "file", jb_text(e->file), ok);
    jb_set(o, "line", e->line ? jb_count(e->line) : json_null(), ok);
    jb_set(o, "held", json_boolean(e->held), ok);
    jb_set(o, "observed", jb_text(e->observed), ok);
    return o;
}

static json_t *property_json(const result_property *p, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "name", jb_text(p->name), ok);
    jb_set(o, "holds", json_boolean(p->holds), ok);
    jb_set(o, "detail", jb_text(p->detail), ok);
    return o;
}

static json_t *media_json(const result_media *m, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "stream", jb_text(m->stream), ok);
    jb_set(o, "from", jb_text(m->from), ok);
    jb_set(o, "to", jb_text(m->to), ok);
    jb_set(o, "codec", jb_text(m->codec), ok);
    jb_set(o, "protected", json_boolean(m->protected_), ok);
    jb_set(o, "sent", jb_count(m->sent), ok);
    jb_set(o, "received", jb_count(m->received), ok);
    jb_set(o, "lost", jb_count(m->lost), ok);
    jb_set(o, "octets", jb_count(m->octets), ok);
    jb_set(o, "auth_failures", jb_count(m->auth_failures), ok);
    jb_set(o, "replays", jb_count(m->replays), ok);
    jb_set(o, "jitter_ns", jb_count(m->jitter_ns), ok);
    jb_set(o, "first_ns", time_json(m->first), ok);
    jb_set(o, "content_matches", json_boolean(m->content_matches), ok);
    return o;
}

static json_t *update_json(const result_update *u, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "do", jb_text(u->action), ok);
    jb_set(o, "by", jb_text(u->by), ok);
    jb_set(o, "carrier", jb_text(u->carrier), ok);
    jb_set(o, "csb", json_boolean(u->csb), ok);
    jb_set(o, "new_dh", json_boolean(u->new_dh), ok);
    jb_set(o, "begun_ns", time_json(u->begun), ok);
    jb_set(o, "done_ns", time_json(u->done), ok);
    jb_set(o, "sip_status", u->sip_status ? jb_count(u->sip_status) : json_null(), ok);
    jb_set(o, "ok", json_boolean(u->ok), ok);
    jb_set(o, "keys_agree", json_boolean(u->keys_agree), ok);
    jb_set(o, "reason", jb_text(u->reason), ok);
    return o;
}

static void set_call_times(json_t *o, const result_call *c, bool *ok) {
    uint64_t setup;
    jb_set(o, "invite_ns", time_json(c->invite), ok);
    jb_set(o, "provisional_ns", time_json(c->provisional), ok);
    jb_set(o, "keyed_ns", time_json(c->keyed), ok);
    jb_set(o, "established_ns", time_json(c->established), ok);
    jb_set(o, "first_media_ns", time_json(c->first_media), ok);
    jb_set(o, "ended_ns", time_json(c->ended), ok);
    jb_set(o, "setup_ns", result_setup_ns(c, &setup) ? jb_count(setup) : json_null(), ok);
}

static json_t *setup_json(const result_setup *s, bool *ok) {
    if (!s->known)
        return json_null();
    json_t *o = json_object(), *crypto = json_array();
    for (size_t i = 0; i < s->crypto_count; i++) {
        json_t *entry = json_object();
        jb_set(entry, "node", jb_text(s->crypto[i].node), ok);
        jb_set(entry, "computing_ns", jb_count(s->crypto[i].computing_ns), ok);
        jb_set(entry, "queued_ns", jb_count(s->crypto[i].queued_ns), ok);
        if (json_array_append_new(crypto, entry) != 0)
            *ok = false;
    }
    jb_set(o, "ringing_ns", jb_count(s->ringing_ns), ok);
    jb_set(o, "radio_ns", jb_count(s->radio_ns), ok);
    jb_set(o, "core_ns", jb_count(s->core_ns), ok);
    jb_set(o, "resent_ns", jb_count(s->resent_ns), ok);
    jb_set(o, "keys_ns", jb_count(s->keys_ns), ok);
    jb_set(o, "kms_ns", jb_count(s->kms_ns), ok);
    jb_set(o, "signalling_ns", jb_count(s->signalling_ns), ok);
    jb_set(o, "crypto", crypto, ok);
    return o;
}

static json_t *call_json(const result_call *c, bool *ok) {
    char csb_id[9];
    json_t *o = json_object(), *mikey = json_array(), *media = json_array(), *updates = json_array();
    snprintf(csb_id, sizeof csb_id, "%08" PRIx32, c->csb_id);
    jb_set(o, "id", jb_text(c->id), ok);
    jb_set(o, "call_id", jb_text(c->call_id), ok);
    jb_set(o, "from", jb_text(c->from), ok);
    jb_set(o, "to", jb_text(c->to), ok);
    jb_set(o, "answered_by", jb_text(c->answered_by), ok);
    jb_set(o, "diverted_by", jb_text(c->diverted_by), ok);
    jb_set(o, "retargeted", jb_count(c->retargeted), ok);
    jb_set(o, "legs", jb_count(c->legs), ok);
    jb_set(o, "state", json_string(result_call_state_name(c->state)), ok);
    jb_set(o, "failure", jb_text(c->failure), ok);
    jb_set(o, "sip_status", c->sip_status ? jb_count(c->sip_status) : json_null(), ok);
    set_call_times(o, c, ok);
    jb_set(o, "setup", setup_json(&c->setup, ok), ok);
    jb_set(o, "keys_agree", json_boolean(c->keys_agree), ok);
    jb_set(o, "csb_id", c->csb_id ? json_string(csb_id) : json_null(), ok);
    jb_set(o, "retransmissions", jb_count(c->retransmissions), ok);
    for (size_t i = 0; i < c->mikey_count; i++) {
        json_t *entry = json_object();
        jb_set(entry, "message", jb_text(c->mikey[i].name), ok);
        jb_set(entry, "octets", jb_count(c->mikey[i].octets), ok);
        if (json_array_append_new(mikey, entry) != 0)
            *ok = false;
    }
    for (size_t i = 0; i < c->media_count; i++)
        if (json_array_append_new(media, media_json(&c->media[i], ok)) != 0)
            *ok = false;
    jb_set(o, "mikey", mikey, ok);
    jb_set(o, "media", media, ok);
    for (size_t i = 0; i < c->update_count; i++)
        if (json_array_append_new(updates, update_json(&c->updates[i], ok)) != 0)
            *ok = false;
    jb_set(o, "updates", updates, ok);
    return o;
}

static json_t *fetch_json(const result_fetch *f, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "domain", jb_text(f->domain), ok);
    jb_set(o, "secure", json_boolean(f->secure), ok);
    jb_set(o, "begin_ns", time_json(f->begin), ok);
    jb_set(o, "end_ns", time_json(f->end), ok);
    jb_set(o, "failure", jb_text(f->failure), ok);
    return o;
}

static json_t *key_request_json(const result_key_request *k, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "kind", jb_text(k->kind), ok);
    jb_set(o, "method", jb_text(k->method), ok);
    jb_set(o, "begin_ns", time_json(k->begin), ok);
    jb_set(o, "end_ns", time_json(k->end), ok);
    jb_set(o, "identities", jb_count(k->identities), ok);
    jb_set(o, "keys", jb_count(k->keys), ok);
    jb_set(o, "tries", jb_count(k->tries), ok);
    jb_set(o, "failure", jb_text(k->failure), ok);
    return o;
}

static json_t *cpu_json(const result_kms *k, bool *ok) {
    json_t *o = json_object(), *waits = json_object();
    jb_set(waits, "min", jb_count(k->wait_min_ns), ok);
    jb_set(waits, "mean", jb_count(k->wait_mean_ns), ok);
    jb_set(waits, "max", jb_count(k->wait_max_ns), ok);
    jb_set(o, "model", jb_text(k->cpu), ok);
    jb_set(o, "cores", jb_count(k->cores), ok);
    jb_set(o, "jobs", jb_count(k->jobs), ok);
    jb_set(o, "busy_ns", jb_count(k->busy_ns), ok);
    jb_set(o, "queue_max", jb_count(k->queue_max), ok);
    jb_set(o, "waits_ns", waits, ok);
    return o;
}

static json_t *kms_json(const result_kms *k, bool *ok) {
    json_t *o = json_object(), *refusals = json_object();
    for (size_t i = 0; i < k->refusal_count; i++)
        jb_set(refusals, k->refusals[i].reason, jb_count(k->refusals[i].count), ok);
    jb_set(o, "domain", jb_text(k->domain), ok);
    jb_set(o, "identity", jb_text(k->identity), ok);
    jb_set(o, "requests", jb_count(k->requests), ok);
    jb_set(o, "served", jb_count(k->served), ok);
    jb_set(o, "refused", jb_count(k->refused), ok);
    jb_set(o, "refused_for", refusals, ok);
    jb_set(o, "keys_issued", jb_count(k->keys), ok);
    jb_set(o, "first_request_ns", time_json(k->first_request), ok);
    jb_set(o, "last_answer_ns", time_json(k->last_answer), ok);
    jb_set(o, "cpu", k->cpu ? cpu_json(k, ok) : json_null(), ok);
    return o;
}

static json_t *user_json(const result_user *u, bool *ok) {
    json_t *o = json_object(), *requests = json_array();
    for (size_t i = 0; i < u->key_request_count; i++)
        *ok &= json_array_append_new(requests, key_request_json(&u->key_requests[i], ok)) == 0;
    jb_set(o, "name", jb_text(u->name), ok);
    jb_set(o, "impu", jb_text(u->impu), ok);
    jb_set(o, "node", jb_text(u->node), ok);
    jb_set(o, "register_begin_ns", time_json(u->register_begin), ok);
    jb_set(o, "registered_ns", time_json(u->registered), ok);
    jb_set(o, "keys_begin_ns", time_json(u->keys_begin), ok);
    jb_set(o, "keys_received_ns", time_json(u->keys_received), ok);
    jb_set(o, "keys", jb_count(u->keys), ok);
    jb_set(o, "keys_held", jb_count(u->keys_held), ok);
    jb_set(o, "keys_dropped", jb_count(u->keys_dropped), ok);
    jb_set(o, "key_requests", requests, ok);
    jb_set(o, "registrations", jb_count(u->registrations), ok);
    jb_set(o, "retransmissions", jb_count(u->retransmissions), ok);
    jb_set(o, "failure", jb_text(u->failure), ok);
    json_t *fetches = json_array();
    for (size_t i = 0; i < u->fetch_count; i++)
        if (json_array_append_new(fetches, fetch_json(&u->fetches[i], ok)) != 0)
            *ok = false;
    jb_set(o, "parameters", fetches, ok);
    json_t *processor = json_object();
    jb_set(processor, "model", jb_text(u->cpu), ok);
    jb_set(processor, "jobs", jb_count(u->jobs), ok);
    jb_set(processor, "busy_ns", jb_count(u->busy_ns), ok);
    jb_set(o, "cpu", processor, ok);
    return o;
}

static json_t *message_json(const result_message *m, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "call", jb_text(m->call), ok);
    jb_set(o, "from", jb_text(m->from), ok);
    jb_set(o, "to", jb_text(m->to), ok);
    jb_set(o, "via", jb_text(m->via), ok);
    jb_set(o, "recipient", jb_text(m->recipient), ok);
    jb_set(o, "stored_ns", time_json(m->stored), ok);
    jb_set(o, "delivered_ns", time_json(m->delivered), ok);
    jb_set(o, "packets", jb_count(m->packets), ok);
    jb_set(o, "opened", jb_count(m->opened), ok);
    jb_set(o, "attempts", jb_count(m->attempts), ok);
    jb_set(o, "readable", json_boolean(m->readable), ok);
    jb_set(o, "intact", json_boolean(m->intact), ok);
    jb_set(o, "refused", json_boolean(m->refused), ok);
    jb_set(o, "reason", jb_text(m->reason), ok);
    return o;
}

static json_t *rule_json(const result_rule *rule, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "on", jb_text(rule->on), ok);
    jb_set(o, "do", jb_text(rule->text), ok);
    jb_set(o, "fired", jb_count(rule->fired), ok);
    jb_set(o, "failed", jb_count(rule->failed), ok);
    jb_set(o, "why", jb_text(rule->why), ok);
    return o;
}

static json_t *effort_json(const result_effort *e, bool *ok) {
    json_t *o = json_object(), *processor = json_object();
    jb_set(o, "calls", jb_count(e->calls), ok);
    jb_set(o, "calls_answered", jb_count(e->calls_answered), ok);
    jb_set(o, "calls_keyed", jb_count(e->calls_keyed), ok);
    jb_set(o, "flood_sent", jb_count(e->flood_sent), ok);
    jb_set(o, "flood_answered", jb_count(e->flood_answered), ok);
    jb_set(o, "media_relayed", jb_count(e->media_relayed), ok);
    jb_set(o, "media_injected", jb_count(e->media_injected), ok);
    jb_set(o, "parameters", jb_count(e->parameters), ok);
    jb_set(o, "keys_issued", jb_count(e->keys), ok);
    jb_set(o, "handed_on", jb_count(e->handed_on), ok);
    jb_set(processor, "model", jb_text(e->cpu), ok);
    jb_set(processor, "operations", jb_count(e->operations), ok);
    jb_set(processor, "busy_ns", jb_count(e->busy_ns), ok);
    jb_set(o, "cpu", processor, ok);
    return o;
}

static json_t *seat_json(const result_seat *seat, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "link", jb_text(seat->link), ok);
    jb_set(o, "inside", jb_text(seat->inside), ok);
    return o;
}

static json_t *adversary_json(const result_adversary *a, bool *ok) {
    json_t *o = json_object(), *messages = json_object(), *rules = json_array(), *seats = json_array();
    for (size_t i = 0; i < a->seat_count; i++)
        jb_append(seats, seat_json(&a->seats[i], ok), ok);
    for (size_t i = 0; i < a->rule_count; i++)
        *ok &= json_array_append_new(rules, rule_json(&a->rules[i], ok)) == 0;
    jb_set(messages, "seen", jb_count(a->seen), ok);
    jb_set(messages, "changed", jb_count(a->changed), ok);
    jb_set(messages, "dropped", jb_count(a->dropped), ok);
    jb_set(messages, "delayed", jb_count(a->delayed), ok);
    jb_set(messages, "sent", jb_count(a->sent), ok);
    jb_set(o, "name", jb_text(a->name), ok);
    jb_set(o, "seats", seats, ok);
    jb_set(o, "messages", messages, ok);
    jb_set(o, "rules", rules, ok);
    jb_set(o, "own", effort_json(&a->own, ok), ok);
    return o;
}

static json_t *party_json(const result_party *p, bool *ok) {
    json_t *o = json_object(), *facts = json_array();
    for (size_t i = 0; i < p->fact_count; i++) {
        const result_fact *f = &p->facts[i];
        json_t *fact = json_object();
        jb_set(fact, "what", jb_text(f->what), ok);
        jb_set(fact, "call", jb_text(f->call), ok);
        jb_set(fact, "how", jb_text(f->how), ok);
        jb_set(fact, "at_ns", time_json(f->at), ok);
        jb_set(fact, "step", jb_text(f->step), ok);
        *ok &= json_array_append_new(facts, fact) == 0;
    }
    jb_set(o, "party", jb_text(p->name), ok);
    jb_set(o, "kind", jb_text(p->kind), ok);
    jb_set(o, "knows", facts, ok);
    return o;
}

static json_t *knowledge_json(const result *r, bool *ok) {
    json_t *o = json_object(), *parties = json_array(), *remarks = json_array();
    for (size_t i = 0; i < r->party_count; i++)
        *ok &= json_array_append_new(parties, party_json(r->parties[i], ok)) == 0;
    for (size_t i = 0; i < r->remark_count; i++)
        *ok &= json_array_append_new(remarks, jb_text(r->remarks[i])) == 0;
    jb_set(o, "parties", parties, ok);
    jb_set(o, "remarks", remarks, ok);
    return o;
}

static json_t *link_json(const result_link *l, bool *ok) {
    const struct {
        const char *key;
        uint64_t packets, octets, lost;
    } ways[] = {{"a_to_b", l->packets_ab, l->octets_ab, l->lost_ab},
                {"b_to_a", l->packets_ba, l->octets_ba, l->lost_ba}};
    json_t *o = json_object();
    jb_set(o, "name", jb_text(l->name), ok);
    jb_set(o, "a", jb_text(l->a), ok);
    jb_set(o, "b", jb_text(l->b), ok);
    for (size_t i = 0; i < 2; i++) {
        json_t *way = json_object();
        jb_set(way, "packets", jb_count(ways[i].packets), ok);
        jb_set(way, "octets", jb_count(ways[i].octets), ok);
        jb_set(way, "lost", jb_count(ways[i].lost), ok);
        jb_set(o, ways[i].key, way, ok);
    }
    return o;
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Counts of calls by state, and the set-up times of those that were established. */
static json_t *summary_json(const result *r, bool *ok) {
    uint64_t *times = calloc(r->call_count + 1, sizeof *times);
    size_t count = 0;
    for (size_t i = 0; i < r->call_count && times; i++)
        count += result_setup_ns(r->calls[i], &times[count]);
    if (!times)
        *ok = false;
    else
        qsort(times, count, sizeof *times, compare_u64);
    json_t *o = json_object(), *setup = count ? json_object() : json_null();
    jb_set(o, "calls", jb_count(r->call_count), ok);
    jb_set(o, "established", jb_count(result_calls_in_state(r, RESULT_CALL_ESTABLISHED)), ok);
    jb_set(o, "failed", jb_count(result_calls_in_state(r, RESULT_CALL_FAILED)), ok);
    jb_set(o, "dropped", jb_count(result_calls_in_state(r, RESULT_CALL_DROPPED)), ok);
    if (count) {
        jb_set(setup, "min", jb_count(times[0]), ok);
        jb_set(setup, "median", jb_count(times[(count - 1) / 2]), ok);
        jb_set(setup, "max", jb_count(times[count - 1]), ok);
    }
    jb_set(o, "setup_ns", setup, ok);
    free(times);
    return o;
}

static void set_lists(json_t *root, const result *r, bool *ok) {
    json_t *expectations = json_array(), *users = json_array(), *calls = json_array(), *links = json_array(),
           *kms = json_array(), *messages = json_array(), *properties = json_array(),
           *adversaries = json_array(), *versions = json_object();
    for (size_t i = 0; i < r->expectation_count; i++)
        *ok &= json_array_append_new(expectations, expectation_json(&r->expectations[i], ok)) == 0;
    for (size_t i = 0; i < r->user_count; i++)
        *ok &= json_array_append_new(users, user_json(r->users[i], ok)) == 0;
    for (size_t i = 0; i < r->call_count; i++)
        *ok &= json_array_append_new(calls, call_json(r->calls[i], ok)) == 0;
    for (size_t i = 0; i < r->kms_count; i++)
        *ok &= json_array_append_new(kms, kms_json(r->kms[i], ok)) == 0;
    for (size_t i = 0; i < r->message_count; i++)
        *ok &= json_array_append_new(messages, message_json(&r->messages[i], ok)) == 0;
    for (size_t i = 0; i < r->adversary_count; i++)
        *ok &= json_array_append_new(adversaries, adversary_json(r->adversaries[i], ok)) == 0;
    for (size_t i = 0; i < r->property_count; i++)
        *ok &= json_array_append_new(properties, property_json(&r->properties[i], ok)) == 0;
    for (size_t i = 0; i < r->link_count; i++)
        *ok &= json_array_append_new(links, link_json(&r->links[i], ok)) == 0;
    for (size_t i = 0; i < r->version_count; i++)
        jb_set(versions, r->versions[i].name, jb_text(r->versions[i].version), ok);
    jb_set(root, "expectations", expectations, ok);
    jb_set(root, "properties", properties, ok);
    jb_set(root, "summary", summary_json(r, ok), ok);
    jb_set(root, "users", users, ok);
    jb_set(root, "calls", calls, ok);
    jb_set(root, "kms", kms, ok);
    jb_set(root, "messages", messages, ok);
    jb_set(root, "adversaries", adversaries, ok);
    jb_set(root, "knowledge", knowledge_json(r, ok), ok);
    jb_set(root, "links", links, ok);
    jb_set(root, "versions", versions, ok);
}

/* NULL: no memory. */
static json_t *root_json(const result *r) {
    bool ok = !r->out_of_memory;
    json_t *root = json_object();
    jb_set(root, "schema", json_string(RESULT_SCHEMA), &ok);
    jb_set(root, "kind", json_string("run"), &ok);
    jb_set(root, "title", jb_text(r->title), &ok);
    jb_set(root, "scenario", jb_text(r->scenario), &ok);
    jb_set(root, "verdict", json_string(result_verdict_name(r->verdict)), &ok);
    jb_set(root, "error", jb_text(r->error), &ok);
    jb_set(root, "seed", jb_decimal(r->seed), &ok);
    jb_set(root, "run_number", jb_decimal(r->run_number), &ok);
    jb_set(root, "parameters", jb_text(r->parameters), &ok);
    jb_set(root, "virtual_ns", jb_count(r->virtual_ns), &ok);
    jb_set(root, "events", jb_count(r->events), &ok);
    set_lists(root, r, &ok);
    if (ok)
        return root;
    json_decref(root);
    return NULL;
}

ibk_err result_json(ibk_buf *out, const result *r) {
    json_t *root = root_json(r);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    ibk_err err = text ? ibk_buf_append(out, text, strlen(text)) : IBK_ERR_NO_MEMORY;
    free(text);
    return err ? err : ibk_buf_append(out, "\n", 1);
}

ibk_err result_write_json(const result *r, const char *path, ibk_diag *diag) {
    json_t *root = root_json(r);
    ibk_err err =
        root ? jb_write(root, path, diag) : ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, "writing %s", path);
    json_decref(root);
    return err;
}
