#include "run/judge.h"
#include "run/adversaries.h"
#include "run/knowledge.h"
#include "run/updates.h"

#include <stdio.h>

/* What an expectation comes to: whether it held, and the words for what was seen. */
typedef struct finding {
    bool held;
    char observed[KNOWLEDGE_TEXT];
} finding;

/* ---- one member
 * ---------------------------------------------------------------------------------------------- */

static bool call_counts(scn_expect_kind kind, const call_views *v) {
    switch (kind) {
    case SCN_EXPECT_CALLS_ESTABLISHED:
        return observe_is_established(v);
    case SCN_EXPECT_CALLS_FAILED:
        return !observe_is_established(v);
    case SCN_EXPECT_CALLS_COMPLETED:
        return observe_is_completed(v);
    case SCN_EXPECT_CALLS_KEYS_AGREE:
        return observe_keys_agree(v);
    case SCN_EXPECT_CALLS_MEDIA_PROTECTED:
        return observe_is_protected(v);
    default:
        return observe_is_intact(v);
    }
}

static bool user_counts(scn_expect_kind kind, const ue *u) {
    const ue_status *s = ue_get_status(u);
    return kind == SCN_EXPECT_USERS_REGISTERED ? s->registered.set : s->keys > 0;
}

static bool member_counts(const world *w, const scn_expectation *e, size_t index) {
    if (e->set == SCN_SET_USERS)
        return user_counts(e->kind, w->users[index]);
    call_views v = observe_views(w, &w->scenario->calls[index]);
    return call_counts(e->kind, &v);
}

/* How long a node's processor was busy. Returns how many values that is: 0, its cryptography takes no time.
 */
static size_t computing_of(const ims_host *host, uint64_t *value) {
    *value = host->cpu ? cpu_get_stats(host->cpu).busy_ns : 0;
    return host->cpu != NULL;
}

static size_t kms_value(scn_expect_kind kind, const kms_node *k, uint64_t *value) {
    const cpu *processor = kms_node_host(k)->cpu;
    if (!processor)
        return 0;
    if (kind == SCN_EXPECT_KMS_COMPUTING)
        return computing_of(kms_node_host(k), value);
    cpu_stats s = cpu_get_stats(processor);
    *value = kind == SCN_EXPECT_KMS_LONGEST_WAIT ? s.wait_max_ns : s.waited ? s.wait_sum_ns / s.waited : 0;
    return s.waited > 0;
}

static size_t user_value(scn_expect_kind kind, const ue *u, uint64_t *value) {
    const ue_status *s = ue_get_status(u);
    size_t fetches;
    switch (kind) {
    case SCN_EXPECT_USERS_KEY_REQUESTS:
        (void)ue_key_fetches(u, &fetches);
        *value = fetches;
        return s->keys_begin.set;
    case SCN_EXPECT_USERS_REGISTRATIONS:
        *value = s->registrations;
        return s->registered.set;
    case SCN_EXPECT_USERS_KEYS_HELD:
        *value = ue_keys_held(u);
        return s->keys > 0;
    case SCN_EXPECT_USERS_KEYS_DROPPED:
        *value = s->keys_dropped;
        return s->keys > 0;
    case SCN_EXPECT_USERS_PARAMETERS_OBTAINED:
        *value = observe_parameters(u, NULL);
        return 1;
    case SCN_EXPECT_USERS_COMPUTING:
        return computing_of(ue_host(u), value);
    default:
        *value = s->keys;
        return s->keys > 0;
    }
}

/* The values of a member for EACH: up to two (a call's media has two directions). Returns how many. */
static size_t member_values(const world *w, const scn_expectation *e, size_t index, uint64_t values[2]) {
    if (e->set == SCN_SET_USERS)
        return user_value(e->kind, w->users[index], values);
    if (e->set == SCN_SET_KMS)
        return kms_value(e->kind, w->domains[index].k, values);
    if (e->set == SCN_SET_ADVERSARIES) {
        values[0] = observe_adversary(w, e->kind, index);
        return w->scenario->adversaries[index].cpu != NULL && w->scenario->adversaries[index].cpu->timed;
    }
    call_views v = observe_views(w, &w->scenario->calls[index]);
    if (!observe_is_established(&v))
        return 0;
    if (e->kind == SCN_EXPECT_CALLS_SETUP_TIME) {
        values[0] = v.caller->established.ns - v.caller->invite.ns;
        return 1;
    }
    if (e->kind == SCN_EXPECT_CALLS_CRYPTO_TIME) {
        const setup_account *account = setup_of(w->setup, v.caller->call_id);
        values[0] = account ? setup_crypto(account) : 0;
        return account != NULL;
    }
    call_updates updates = observe_updates(&v);
    switch (e->kind) {
    case SCN_EXPECT_CALLS_UPDATES:
        values[0] = updates.updates;
        return 1;
    case SCN_EXPECT_CALLS_REKEYINGS:
        values[0] = updates.rekeyings;
        return 1;
    case SCN_EXPECT_CALLS_MKI_AGREED:
        values[0] = updates.mki_agreed;
        return 1;
    case SCN_EXPECT_CALLS_VIDEO_RECEIVED:
        values[0] = v.caller->video.received;
        values[1] = v.callee ? v.callee->video.received : 0;
        return 2;
    default:
        values[0] = v.caller->stats.received;
        values[1] = v.callee ? v.callee->stats.received : 0;
        return 2;
    }
}

/* What a user did with messages, or a mailbox for its part. */
static bool message_counts(scn_expect_kind kind, const ue_message_view *m, const ue *u) {
    switch (kind) {
    case SCN_EXPECT_USERS_MESSAGES_STORED:
        return m->via == u && m->stored.set;
    case SCN_EXPECT_USERS_MESSAGES_READABLE:
        return m->via == u && m->stored.set && m->readable;
    case SCN_EXPECT_USERS_MESSAGES_DELIVERED:
        return m->recipient == u && m->intact;
    default:
        return m->recipient == u && m->refused;
    }
}

static uint64_t message_sum(const world *w, scn_expect_kind kind, const ue *u) {
    uint64_t sum = 0;
    for (size_t i = 0; i < ue_messages_count(w->messages); i++)
        sum += message_counts(kind, ue_messages_at(w->messages, i), u);
    return sum;
}

static uint64_t last_message_reason(const world *w, const ue *u) {
    uint64_t reason = 0;
    for (size_t i = 0; i < ue_messages_count(w->messages); i++)
        if (message_counts(SCN_EXPECT_USERS_MESSAGES_REFUSED, ue_messages_at(w->messages, i), u))
            reason = ue_messages_at(w->messages, i)->reason;
    return reason;
}

/* The exchanges that a user gave up, and the reason of the last one (IBK_OK: there is none). */
static uint64_t refusals_of(const ue *u, ibk_err *last) {
    uint64_t count = 0;
    *last = IBK_OK;
    for (size_t i = 0; i < ue_call_count(u); i++) {
        const ue_call_view *call = ue_call_at(u, i);
        count += call->reason != IBK_OK;
        *last = call->reason ? call->reason : *last;
    }
    return count;
}

/* Why a KMS refused requests, if that was the same for all of them; else IBK_OK. */
static ibk_err kms_refusal(const kms_node *k) {
    const kms_node_stats *s = kms_node_get_stats(k);
    return s->reasons[1].count ? IBK_OK : s->reasons[0].err;
}

static uint64_t member_sum(const world *w, const scn_expectation *e, size_t index) {
    call_views of = {0};
    ibk_err last;
    if (e->set == SCN_SET_CALLS)
        of = observe_views(w, &w->scenario->calls[index]);
    switch (e->kind) {
    case SCN_EXPECT_CALLS_UPDATES_REFUSED:
        return observe_updates(&of).refused;
    case SCN_EXPECT_CALLS_GLARES:
        return observe_updates(&of).glares;
    case SCN_EXPECT_CALLS_MEDIA_LOST:
        return observe_media_lost(&of);
    case SCN_EXPECT_CALLS_MEDIA_AUTH_FAILURES:
        return observe_auth_failures(&of);
    case SCN_EXPECT_USERS_REFUSALS:
        return refusals_of(w->users[index], &last);
    case SCN_EXPECT_USERS_OPEN_CALLS:
        return observe_open_calls(w->users[index]);
    case SCN_EXPECT_USERS_MESSAGES_STORED:
    case SCN_EXPECT_USERS_MESSAGES_READABLE:
    case SCN_EXPECT_USERS_MESSAGES_DELIVERED:
    case SCN_EXPECT_USERS_MESSAGES_REFUSED:
        return message_sum(w, e->kind, w->users[index]);
    case SCN_EXPECT_CALLS_RETRANSMISSIONS: {
        call_views v = observe_views(w, &w->scenario->calls[index]);
        return v.caller ? tally_retransmissions(w->tally, v.caller->call_id) : 0;
    }
    case SCN_EXPECT_CALLS_LEGS: {
        call_views v = observe_views(w, &w->scenario->calls[index]);
        return v.caller ? v.caller->legs : 0;
    }
    case SCN_EXPECT_CALLS_RETARGETED:
        return observe_views(w, &w->scenario->calls[index]).diversions;
    case SCN_EXPECT_ADVERSARY_RULES_FIRED:
    case SCN_EXPECT_ADVERSARY_RULES_FAILED:
    case SCN_EXPECT_ADVERSARY_MESSAGES_CHANGED:
    case SCN_EXPECT_ADVERSARY_MESSAGES_DROPPED:
    case SCN_EXPECT_ADVERSARY_MESSAGES_SENT:
    case SCN_EXPECT_ADVERSARY_CALLS_ACCEPTED:
    case SCN_EXPECT_ADVERSARY_CALLS_KEYED:
    case SCN_EXPECT_ADVERSARY_FLOOD_ANSWERED:
    case SCN_EXPECT_ADVERSARY_MEDIA_INJECTED:
        return observe_adversary(w, e->kind, index);
    case SCN_EXPECT_KMS_REQUESTS_SERVED:
        return kms_node_get_stats(w->domains[index].k)->issued;
    case SCN_EXPECT_KMS_REQUESTS_REFUSED:
        return kms_node_get_stats(w->domains[index].k)->refused;
    case SCN_EXPECT_KMS_KEYS_ISSUED:
        return kms_node_get_stats(w->domains[index].k)->keys;
    case SCN_EXPECT_NETWORK_RETRANSMISSIONS:
        return observe_sip_retransmissions(w);
    case SCN_EXPECT_NETWORK_PACKETS_LOST:
        return observe_packets_lost(w);
    default:
        return tally_plaintext(w->tally);
    }
}

/* The place of a user as scn_bound has it; 0: nobody. */
static uint64_t place_of(const world *w, const scn_user *user) {
    return user ? (uint64_t)(user - w->scenario->users) + 1 : 0;
}

static uint64_t member_is(const world *w, const scn_expectation *e, size_t index) {
    if (e->kind == SCN_EXPECT_USERS_PARAMETERS_FAILURE) {
        scn_parameters_failure failure;
        observe_parameters(w->users[index], &failure);
        return failure;
    }
    if (e->kind == SCN_EXPECT_USERS_MESSAGE_REASON)
        return last_message_reason(w, w->users[index]);
    if (e->kind == SCN_EXPECT_USERS_REFUSAL) {
        ibk_err last;
        refusals_of(w->users[index], &last);
        return last;
    }
    if (e->kind == SCN_EXPECT_KMS_REFUSAL)
        return kms_refusal(w->domains[index].k);
    if (e->set == SCN_SET_USERS)
        return ue_get_status(w->users[index])->keys_failure;
    call_views v = observe_views(w, &w->scenario->calls[index]);
    if (e->kind == SCN_EXPECT_CALLS_REASON)
        return observe_reason(&v);
    if (e->kind == SCN_EXPECT_CALLS_ANSWERED_BY)
        return place_of(w, observe_answered_by(&v));
    if (e->kind == SCN_EXPECT_CALLS_DIVERTED_BY)
        return place_of(w, v.diverted_by);
    return v.caller ? (uint64_t)v.caller->sip_status : 0;
}

/* ---- words
 * ------------------------------------------------------------------------------------------------------- */

static void value_text(char *out, size_t size, const world *w, const scn_expectation *e, uint64_t value) {
    if (e->kind == SCN_EXPECT_CALLS_SETUP_TIME || e->kind == SCN_EXPECT_CALLS_CRYPTO_TIME ||
        e->kind == SCN_EXPECT_KMS_LONGEST_WAIT || e->kind == SCN_EXPECT_KMS_MEAN_WAIT ||
        e->kind == SCN_EXPECT_USERS_COMPUTING || e->kind == SCN_EXPECT_KMS_COMPUTING ||
        e->kind == SCN_EXPECT_ADVERSARY_COMPUTING)
        snprintf(out, size, "%.3f s", (double)value / 1e9);
    else if (e->kind == SCN_EXPECT_CALLS_REASON || e->kind == SCN_EXPECT_USERS_MESSAGE_REASON ||
             e->kind == SCN_EXPECT_USERS_REFUSAL || e->kind == SCN_EXPECT_KMS_REFUSAL)
        snprintf(out, size, "%s", value ? ibk_err_name((ibk_err)value) : "none");
    else if (e->kind == SCN_EXPECT_CALLS_ANSWERED_BY || e->kind == SCN_EXPECT_CALLS_DIVERTED_BY)
        snprintf(out, size, "%s", value ? w->scenario->users[value - 1].name : "nobody");
    else if (e->kind == SCN_EXPECT_USERS_KEYS_FAILURE)
        snprintf(out, size, "%s", value ? scn_keys_failure_name((scn_keys_failure)value) : "none");
    else if (e->kind == SCN_EXPECT_USERS_PARAMETERS_FAILURE)
        snprintf(out, size, "%s", scn_parameters_failure_name((scn_parameters_failure)value));
    else
        snprintf(out, size, "%llu", (unsigned long long)value);
}

static const char *member_name(const world *w, const scn_expectation *e, size_t index) {
    return e->set == SCN_SET_USERS ? w->scenario->users[index].name
           : e->set == SCN_SET_KMS ? w->scenario->domains[index].name
                                   : w->scenario->calls[index].name;
}

/* ---- the four ways
 * ------------------------------------------------------------------------------------------------ */

static finding judge_count(const world *w, const scn_expectation *e) {
    finding f = {0};
    uint64_t seen = 0;
    for (size_t i = e->first; i < e->first + e->count; i++)
        seen += member_counts(w, e, i);
    f.held = scn_bound_holds(&e->bound, seen, e->count);
    snprintf(f.observed, sizeof f.observed, "%llu of %zu", (unsigned long long)seen, e->count);
    return f;
}

static finding judge_each(const world *w, const scn_expectation *e) {
    finding f = {.held = true};
    uint64_t low = UINT64_MAX, high = 0, values[2];
    size_t seen = 0;
    for (size_t i = e->first; i < e->first + e->count; i++)
        for (size_t n = member_values(w, e, i, values); n-- > 0; seen++) {
            low = values[n] < low ? values[n] : low;
            high = values[n] > high ? values[n] : high;
            f.held = f.held && scn_bound_holds(&e->bound, values[n], e->count);
        }
    if (seen == 0) {
        f.held = false; /* a bound on nothing has not been shown */
        snprintf(f.observed, sizeof f.observed, "nothing to measure");
        return f;
    }
    char from[48], to[48];
    value_text(from, sizeof from, w, e, low);
    value_text(to, sizeof to, w, e, high);
    if (low == high)
        snprintf(f.observed, sizeof f.observed, "%s", from);
    else
        snprintf(f.observed, sizeof f.observed, "%s to %s", from, to);
    return f;
}

static finding judge_sum(const world *w, const scn_expectation *e) {
    finding f = {0};
    uint64_t sum = 0, stored = 0;
    for (size_t i = e->first; i < e->first + e->count; i++) {
        sum += member_sum(w, e, i);
        if (e->kind == SCN_EXPECT_USERS_MESSAGES_READABLE)
            stored += message_sum(w, SCN_EXPECT_USERS_MESSAGES_STORED, w->users[i]);
    }
    if (e->kind == SCN_EXPECT_USERS_MESSAGES_READABLE && stored == 0) {
        snprintf(f.observed, sizeof f.observed, "nothing was stored");
        return f; /* what was never tried has not been shown */
    }
    f.held = scn_bound_holds(&e->bound, sum, e->count);
    snprintf(f.observed, sizeof f.observed, "%llu", (unsigned long long)sum);
    return f;
}

/* A refusal with a reason of its own is a refusal all the same. */
static bool is_so(const scn_expectation *e, uint64_t seen) {
    if (e->kind == SCN_EXPECT_SECURITY_HOLDS)
        return (seen & e->bound.value) == 0;
    if (e->kind == SCN_EXPECT_SECURITY_BROKEN)
        return (seen & e->bound.value) == e->bound.value;
    bool refused = seen == SCN_KEYS_CLOCK_SKEW || seen == SCN_KEYS_NOT_AUTHORIZED ||
                   seen == SCN_KEYS_CERTIFICATE_REFUSED;
    return seen == e->bound.value ||
           (e->kind == SCN_EXPECT_USERS_KEYS_FAILURE && e->bound.value == SCN_KEYS_REFUSED && refused);
}

/* What was found of the first property in question that is broken. */
static finding judge_security(const world *w, const scn_expectation *e) {
    finding f = {.held = is_so(e, properties_broken(w->properties)), .observed = "nothing is broken"};
    for (unsigned i = SCN_PROPERTIES; i-- > 0;)
        if (w->properties[i].broken && (e->kind == SCN_EXPECT_SECURITY_HOLDS || (e->bound.value >> i & 1)))
            snprintf(f.observed, sizeof f.observed, "%s: %.140s", scn_property_name((scn_property)i),
                     w->properties[i].detail);
    return f;
}

static finding judge_is(const world *w, const scn_expectation *e) {
    finding f = {.held = true};
    if (e->set == SCN_SET_SECURITY)
        return judge_security(w, e);
    if (e->set == SCN_SET_PARTIES) {
        f.held = knowledge_holds(w, e, f.observed);
        return f;
    }
    char value[48];
    for (size_t i = e->first; i < e->first + e->count; i++) {
        uint64_t seen = member_is(w, e, i);
        if (is_so(e, seen))
            continue;
        value_text(value, sizeof value, w, e, seen);
        snprintf(f.observed, sizeof f.observed, "%s: %s", member_name(w, e, i), value);
        f.held = false;
        return f;
    }
    value_text(value, sizeof value, w, e, e->bound.value);
    snprintf(f.observed, sizeof f.observed, "%s", value);
    return f;
}

void judge(result *r, const world *w) {
    static finding (*const ways[])(const world *, const scn_expectation *) = {
        [SCN_COUNT] = judge_count, [SCN_EACH] = judge_each, [SCN_SUM] = judge_sum, [SCN_IS] = judge_is};
    for (size_t i = 0; i < w->scenario->expectation_count; i++) {
        const scn_expectation *e = &w->scenario->expectations[i];
        finding f = ways[e->how](w, e);
        result_expectation *out = result_add_expectation(r);
        out->text = result_text(r, e->text);
        out->file = result_text(r, e->where.file);
        out->line = e->where.line;
        out->held = f.held;
        out->observed = result_text(r, f.observed);
    }
    result_judge(r);
}
