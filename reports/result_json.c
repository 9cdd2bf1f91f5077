/* ibakelab: result.json (schema/result.schema.json). Members stand in a fixed order; what did not happen is
 * null. */
#include "reports/result.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* jansson's _new functions take over the value and fail on NULL: a failure anywhere is collected in `ok`. */
static void set(json_t *object, const char *key, json_t *value, bool *ok) {
    if (json_object_set_new(object, key, value) != 0)
        *ok = false;
}

/* Text from outside (SIP, the scenario) may not be UTF-8: the octets above 0x7F then become '?'. */
static json_t *text_json(const char *text) {
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    char *copy = strdup(text);
    for (char *p = copy; p && *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}

static json_t *count_json(uint64_t count) {
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

static json_t *time_json(result_time time) {
    return time.set ? count_json(time.ns) : json_null();
}

static json_t *expectation_json(const result_expectation *e, bool *ok) {
    json_t *o = json_object();
    set(o, "text", text_json(e->text), ok);
    set(o, "file", text_json(e->file), ok);
    set(o, "line", e->line ? count_json(e->line) : json_null(), ok);
    set(o, "held", json_boolean(e->held), ok);
    set(o, "observed", text_json(e->observed), ok);
    return o;
}

static json_t *property_json(const result_property *p, bool *ok) {
    json_t *o = json_object();
    set(o, "name", text_json(p->name), ok);
    set(o, "holds", json_boolean(p->holds), ok);
    set(o, "detail", text_json(p->detail), ok);
    return o;
}

static json_t *media_json(const result_media *m, bool *ok) {
    json_t *o = json_object();
    set(o, "stream", text_json(m->stream), ok);
    set(o, "from", text_json(m->from), ok);
    set(o, "to", text_json(m->to), ok);
    set(o, "codec", text_json(m->codec), ok);
    set(o, "protected", json_boolean(m->protected_), ok);
    set(o, "sent", count_json(m->sent), ok);
    set(o, "received", count_json(m->received), ok);
    set(o, "lost", count_json(m->lost), ok);
    set(o, "octets", count_json(m->octets), ok);
    set(o, "auth_failures", count_json(m->auth_failures), ok);
    set(o, "replays", count_json(m->replays), ok);
    set(o, "jitter_ns", count_json(m->jitter_ns), ok);
    set(o, "first_ns", time_json(m->first), ok);
    set(o, "content_matches", json_boolean(m->content_matches), ok);
    return o;
}

static json_t *update_json(const result_update *u, bool *ok) {
    json_t *o = json_object();
    set(o, "do", text_json(u->action), ok);
    set(o, "by", text_json(u->by), ok);
    set(o, "carrier", text_json(u->carrier), ok);
    set(o, "csb", json_boolean(u->csb), ok);
    set(o, "new_dh", json_boolean(u->new_dh), ok);
    set(o, "begun_ns", time_json(u->begun), ok);
    set(o, "done_ns", time_json(u->done), ok);
    set(o, "sip_status", u->sip_status ? count_json(u->sip_status) : json_null(), ok);
    set(o, "ok", json_boolean(u->ok), ok);
    set(o, "keys_agree", json_boolean(u->keys_agree), ok);
    set(o, "reason", text_json(u->reason), ok);
    return o;
}

static void set_call_times(json_t *o, const result_call *c, bool *ok) {
    uint64_t setup;
    set(o, "invite_ns", time_json(c->invite), ok);
    set(o, "provisional_ns", time_json(c->provisional), ok);
    set(o, "keyed_ns", time_json(c->keyed), ok);
    set(o, "established_ns", time_json(c->established), ok);
    set(o, "first_media_ns", time_json(c->first_media), ok);
    set(o, "ended_ns", time_json(c->ended), ok);
    set(o, "setup_ns", result_setup_ns(c, &setup) ? count_json(setup) : json_null(), ok);
}

static json_t *setup_json(const result_setup *s, bool *ok) {
    if (!s->known)
        return json_null();
    json_t *o = json_object(), *crypto = json_array();
    for (size_t i = 0; i < s->crypto_count; i++) {
        json_t *entry = json_object();
        set(entry, "node", text_json(s->crypto[i].node), ok);
        set(entry, "computing_ns", count_json(s->crypto[i].computing_ns), ok);
        set(entry, "queued_ns", count_json(s->crypto[i].queued_ns), ok);
        if (json_array_append_new(crypto, entry) != 0)
            *ok = false;
    }
    set(o, "ringing_ns", count_json(s->ringing_ns), ok);
    set(o, "radio_ns", count_json(s->radio_ns), ok);
    set(o, "core_ns", count_json(s->core_ns), ok);
    set(o, "resent_ns", count_json(s->resent_ns), ok);
    set(o, "keys_ns", count_json(s->keys_ns), ok);
    set(o, "kms_ns", count_json(s->kms_ns), ok);
    set(o, "signalling_ns", count_json(s->signalling_ns), ok);
    set(o, "crypto", crypto, ok);
    return o;
}

static json_t *call_json(const result_call *c, bool *ok) {
    char csb_id[9];
    json_t *o = json_object(), *mikey = json_array(), *media = json_array(), *updates = json_array();
    snprintf(csb_id, sizeof csb_id, "%08" PRIx32, c->csb_id);
    set(o, "id", text_json(c->id), ok);
    set(o, "call_id", text_json(c->call_id), ok);
    set(o, "from", text_json(c->from), ok);
    set(o, "to", text_json(c->to), ok);
    set(o, "answered_by", text_json(c->answered_by), ok);
    set(o, "diverted_by", text_json(c->diverted_by), ok);
    set(o, "retargeted", count_json(c->retargeted), ok);
    set(o, "legs", count_json(c->legs), ok);
    set(o, "state", json_string(result_call_state_name(c->state)), ok);
    set(o, "failure", text_json(c->failure), ok);
    set(o, "sip_status", c->sip_status ? count_json(c->sip_status) : json_null(), ok);
    set_call_times(o, c, ok);
    set(o, "setup", setup_json(&c->setup, ok), ok);
    set(o, "keys_agree", json_boolean(c->keys_agree), ok);
    set(o, "csb_id", c->csb_id ? json_string(csb_id) : json_null(), ok);
    set(o, "retransmissions", count_json(c->retransmissions), ok);
    for (size_t i = 0; i < c->mikey_count; i++) {
        json_t *entry = json_object();
        set(entry, "message", text_json(c->mikey[i].name), ok);
        set(entry, "octets", count_json(c->mikey[i].octets), ok);
        if (json_array_append_new(mikey, entry) != 0)
            *ok = false;
    }
    for (size_t i = 0; i < c->media_count; i++)
        if (json_array_append_new(media, media_json(&c->media[i], ok)) != 0)
            *ok = false;
    set(o, "mikey", mikey, ok);
    set(o, "media", media, ok);
    for (size_t i = 0; i < c->update_count; i++)
        if (json_array_append_new(updates, update_json(&c->updates[i], ok)) != 0)
            *ok = false;
    set(o, "updates", updates, ok);
    return o;
}

static json_t *fetch_json(const result_fetch *f, bool *ok) {
    json_t *o = json_object();
    set(o, "domain", text_json(f->domain), ok);
    set(o, "secure", json_boolean(f->secure), ok);
    set(o, "begin_ns", time_json(f->begin), ok);
    set(o, "end_ns", time_json(f->end), ok);
    set(o, "failure", text_json(f->failure), ok);
    return o;
}

static json_t *key_request_json(const result_key_request *k, bool *ok) {
    json_t *o = json_object();
    set(o, "kind", text_json(k->kind), ok);
    set(o, "method", text_json(k->method), ok);
    set(o, "begin_ns", time_json(k->begin), ok);
    set(o, "end_ns", time_json(k->end), ok);
    set(o, "identities", count_json(k->identities), ok);
    set(o, "keys", count_json(k->keys), ok);
    set(o, "tries", count_json(k->tries), ok);
    set(o, "failure", text_json(k->failure), ok);
    return o;
}

static json_t *cpu_json(const result_kms *k, bool *ok) {
    json_t *o = json_object(), *waits = json_object();
    set(waits, "min", count_json(k->wait_min_ns), ok);
    set(waits, "mean", count_json(k->wait_mean_ns), ok);
    set(waits, "max", count_json(k->wait_max_ns), ok);
    set(o, "model", text_json(k->cpu), ok);
    set(o, "cores", count_json(k->cores), ok);
    set(o, "jobs", count_json(k->jobs), ok);
    set(o, "busy_ns", count_json(k->busy_ns), ok);
    set(o, "queue_max", count_json(k->queue_max), ok);
    set(o, "waits_ns", waits, ok);
    return o;
}

static json_t *kms_json(const result_kms *k, bool *ok) {
    json_t *o = json_object(), *refusals = json_object();
    for (size_t i = 0; i < k->refusal_count; i++)
        set(refusals, k->refusals[i].reason, count_json(k->refusals[i].count), ok);
    set(o, "domain", text_json(k->domain), ok);
    set(o, "identity", text_json(k->identity), ok);
    set(o, "requests", count_json(k->requests), ok);
    set(o, "served", count_json(k->served), ok);
    set(o, "refused", count_json(k->refused), ok);
    set(o, "refused_for", refusals, ok);
    set(o, "keys_issued", count_json(k->keys), ok);
    set(o, "first_request_ns", time_json(k->first_request), ok);
    set(o, "last_answer_ns", time_json(k->last_answer), ok);
    set(o, "cpu", k->cpu ? cpu_json(k, ok) : json_null(), ok);
    return o;
}

static json_t *user_json(const result_user *u, bool *ok) {
    json_t *o = json_object(), *requests = json_array();
    for (size_t i = 0; i < u->key_request_count; i++)
        *ok &= json_array_append_new(requests, key_request_json(&u->key_requests[i], ok)) == 0;
    set(o, "name", text_json(u->name), ok);
    set(o, "impu", text_json(u->impu), ok);
    set(o, "node", text_json(u->node), ok);
    set(o, "register_begin_ns", time_json(u->register_begin), ok);
    set(o, "registered_ns", time_json(u->registered), ok);
    set(o, "keys_begin_ns", time_json(u->keys_begin), ok);
    set(o, "keys_received_ns", time_json(u->keys_received), ok);
    set(o, "keys", count_json(u->keys), ok);
    set(o, "keys_held", count_json(u->keys_held), ok);
    set(o, "keys_dropped", count_json(u->keys_dropped), ok);
    set(o, "key_requests", requests, ok);
    set(o, "registrations", count_json(u->registrations), ok);
    set(o, "retransmissions", count_json(u->retransmissions), ok);
    set(o, "failure", text_json(u->failure), ok);
    json_t *fetches = json_array();
    for (size_t i = 0; i < u->fetch_count; i++)
        if (json_array_append_new(fetches, fetch_json(&u->fetches[i], ok)) != 0)
            *ok = false;
    set(o, "parameters", fetches, ok);
    json_t *processor = json_object();
    set(processor, "model", text_json(u->cpu), ok);
    set(processor, "jobs", count_json(u->jobs), ok);
    set(processor, "busy_ns", count_json(u->busy_ns), ok);
    set(o, "cpu", processor, ok);
    return o;
}

static json_t *message_json(const result_message *m, bool *ok) {
    json_t *o = json_object();
    set(o, "call", text_json(m->call), ok);
    set(o, "from", text_json(m->from), ok);
    set(o, "to", text_json(m->to), ok);
    set(o, "via", text_json(m->via), ok);
    set(o, "recipient", text_json(m->recipient), ok);
    set(o, "stored_ns", time_json(m->stored), ok);
    set(o, "delivered_ns", time_json(m->delivered), ok);
    set(o, "packets", count_json(m->packets), ok);
    set(o, "opened", count_json(m->opened), ok);
    set(o, "attempts", count_json(m->attempts), ok);
    set(o, "readable", json_boolean(m->readable), ok);
    set(o, "intact", json_boolean(m->intact), ok);
    set(o, "refused", json_boolean(m->refused), ok);
    set(o, "reason", text_json(m->reason), ok);
    return o;
}

static json_t *rule_json(const result_rule *rule, bool *ok) {
    json_t *o = json_object();
    set(o, "on", text_json(rule->on), ok);
    set(o, "do", text_json(rule->text), ok);
    set(o, "fired", count_json(rule->fired), ok);
    set(o, "failed", count_json(rule->failed), ok);
    set(o, "why", text_json(rule->why), ok);
    return o;
}

static json_t *effort_json(const result_effort *e, bool *ok) {
    json_t *o = json_object(), *processor = json_object();
    set(o, "calls", count_json(e->calls), ok);
    set(o, "calls_answered", count_json(e->calls_answered), ok);
    set(o, "calls_keyed", count_json(e->calls_keyed), ok);
    set(o, "flood_sent", count_json(e->flood_sent), ok);
    set(o, "flood_answered", count_json(e->flood_answered), ok);
    set(o, "media_relayed", count_json(e->media_relayed), ok);
    set(o, "media_injected", count_json(e->media_injected), ok);
    set(o, "parameters", count_json(e->parameters), ok);
    set(o, "keys_issued", count_json(e->keys), ok);
    set(o, "handed_on", count_json(e->handed_on), ok);
    set(processor, "model", text_json(e->cpu), ok);
    set(processor, "operations", count_json(e->operations), ok);
    set(processor, "busy_ns", count_json(e->busy_ns), ok);
    set(o, "cpu", processor, ok);
    return o;
}

static json_t *adversary_json(const result_adversary *a, bool *ok) {
    json_t *o = json_object(), *messages = json_object(), *rules = json_array();
    for (size_t i = 0; i < a->rule_count; i++)
        *ok &= json_array_append_new(rules, rule_json(&a->rules[i], ok)) == 0;
    set(messages, "seen", count_json(a->seen), ok);
    set(messages, "changed", count_json(a->changed), ok);
    set(messages, "dropped", count_json(a->dropped), ok);
    set(messages, "delayed", count_json(a->delayed), ok);
    set(messages, "sent", count_json(a->sent), ok);
    set(o, "name", text_json(a->name), ok);
    set(o, "messages", messages, ok);
    set(o, "rules", rules, ok);
    set(o, "own", effort_json(&a->own, ok), ok);
    return o;
}

static json_t *party_json(const result_party *p, bool *ok) {
    json_t *o = json_object(), *facts = json_array();
    for (size_t i = 0; i < p->fact_count; i++) {
        const result_fact *f = &p->facts[i];
        json_t *fact = json_object();
        set(fact, "what", text_json(f->what), ok);
        set(fact, "call", text_json(f->call), ok);
        set(fact, "how", text_json(f->how), ok);
        set(fact, "at_ns", time_json(f->at), ok);
        set(fact, "step", text_json(f->step), ok);
        *ok &= json_array_append_new(facts, fact) == 0;
    }
    set(o, "party", text_json(p->name), ok);
    set(o, "kind", text_json(p->kind), ok);
    set(o, "knows", facts, ok);
    return o;
}

static json_t *knowledge_json(const result *r, bool *ok) {
    json_t *o = json_object(), *parties = json_array(), *remarks = json_array();
    for (size_t i = 0; i < r->party_count; i++)
        *ok &= json_array_append_new(parties, party_json(r->parties[i], ok)) == 0;
    for (size_t i = 0; i < r->remark_count; i++)
        *ok &= json_array_append_new(remarks, text_json(r->remarks[i])) == 0;
    set(o, "parties", parties, ok);
    set(o, "remarks", remarks, ok);
    return o;
}

static json_t *link_json(const result_link *l, bool *ok) {
    const struct {
        const char *key;
        uint64_t packets, octets, lost;
    } ways[] = {{"a_to_b", l->packets_ab, l->octets_ab, l->lost_ab},
                {"b_to_a", l->packets_ba, l->octets_ba, l->lost_ba}};
    json_t *o = json_object();
    set(o, "name", text_json(l->name), ok);
    set(o, "a", text_json(l->a), ok);
    set(o, "b", text_json(l->b), ok);
    for (size_t i = 0; i < 2; i++) {
        json_t *way = json_object();
        set(way, "packets", count_json(ways[i].packets), ok);
        set(way, "octets", count_json(ways[i].octets), ok);
        set(way, "lost", count_json(ways[i].lost), ok);
        set(o, ways[i].key, way, ok);
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
    set(o, "calls", count_json(r->call_count), ok);
    set(o, "established", count_json(result_calls_in_state(r, RESULT_CALL_ESTABLISHED)), ok);
    set(o, "failed", count_json(result_calls_in_state(r, RESULT_CALL_FAILED)), ok);
    set(o, "dropped", count_json(result_calls_in_state(r, RESULT_CALL_DROPPED)), ok);
    if (count) {
        set(setup, "min", count_json(times[0]), ok);
        set(setup, "median", count_json(times[(count - 1) / 2]), ok);
        set(setup, "max", count_json(times[count - 1]), ok);
    }
    set(o, "setup_ns", setup, ok);
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
        set(versions, r->versions[i].name, text_json(r->versions[i].version), ok);
    set(root, "expectations", expectations, ok);
    set(root, "properties", properties, ok);
    set(root, "summary", summary_json(r, ok), ok);
    set(root, "users", users, ok);
    set(root, "calls", calls, ok);
    set(root, "kms", kms, ok);
    set(root, "messages", messages, ok);
    set(root, "adversaries", adversaries, ok);
    set(root, "knowledge", knowledge_json(r, ok), ok);
    set(root, "links", links, ok);
    set(root, "versions", versions, ok);
}

/* 64 bits do not survive every JSON reader as a number: seeds are strings of decimal digits. */
static json_t *decimal_json(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

ibk_err result_json(ibk_buf *out, const result *r) {
    if (r->out_of_memory)
        return IBK_ERR_NO_MEMORY;
    bool ok = true;
    json_t *root = json_object();
    set(root, "schema", json_string(RESULT_SCHEMA), &ok);
    set(root, "title", text_json(r->title), &ok);
    set(root, "scenario", text_json(r->scenario), &ok);
    set(root, "verdict", json_string(result_verdict_name(r->verdict)), &ok);
    set(root, "error", text_json(r->error), &ok);
    set(root, "seed", decimal_json(r->seed), &ok);
    set(root, "run_number", decimal_json(r->run_number), &ok);
    set(root, "parameters", text_json(r->parameters), &ok);
    set(root, "virtual_ns", count_json(r->virtual_ns), &ok);
    set(root, "events", count_json(r->events), &ok);
    set_lists(root, r, &ok);
    char *text = ok ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    ibk_err err = text ? ibk_buf_append(out, text, strlen(text)) : IBK_ERR_NO_MEMORY;
    free(text);
    return err ? err : ibk_buf_append(out, "\n", 1);
}

ibk_err result_write_json(const result *r, const char *path, ibk_diag *diag) {
    ibk_buf text = {0};
    char *temporary = malloc(strlen(path) + 5);
    ibk_err err = temporary ? result_json(&text, r) : IBK_ERR_NO_MEMORY;
    if (err) {
        ibk_buf_free(&text);
        free(temporary);
        return ibk_fail(diag, err, NULL, 0, "writing %s", path);
    }
    strcat(strcpy(temporary, path), ".tmp");
    FILE *file = fopen(temporary, "wb");
    bool written = file && fwrite(text.data, 1, text.len, file) == text.len;
    int number = written ? 0 : errno;
    if (file && fclose(file) != 0 && written) {
        written = false;
        number = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        number = errno;
    }
    if (!written) {
        err = ibk_fail(diag, IBK_ERR_IO, NULL, 0, "writing %s: %s", path, strerror(number));
        if (file)
            remove(temporary);
    }
    ibk_buf_free(&text);
    free(temporary);
    return err;
}
