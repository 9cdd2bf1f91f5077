#include "adversary/rules_inside.h"
#include "ims/address.h"
#include "ims/sip/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BILLION UINT64_C(1000000000)

/* ---- life -------------------------------------------------------------------------------------------------
 */

ibk_err rules_new(rules **out, const rules_config *config) {
    rules *r = calloc(1, sizeof *r);
    size_t count = config->plan->rule_count;
    *out = NULL;
    if (!r)
        return IBK_ERR_NO_MEMORY;
    r->config = *config;
    r->states = calloc(count ? count : 1, sizeof *r->states);
    if (!r->states) {
        free(r);
        return IBK_ERR_NO_MEMORY;
    }
    *out = r;
    return IBK_OK;
}

void rules_free(rules *r) {
    if (!r)
        return;
    for (rules_job *job = r->jobs, *next; job; job = next) {
        next = job->next;
        n3_cancel(r->config.world.sim, job->timer);
        free(job);
    }
    for (size_t i = 0; i < r->config.plan->rule_count; i++) {
        rule_state *state = &r->states[i];
        sim_random_free(state->chance);
        sim_random_free(state->values);
        seen_record_free(&state->recording.record);
        for (size_t k = 0; k < 2; k++)
            seen_record_free(&state->held[k].record);
    }
    ibk_buf_free(&r->octets);
    free(r->streams);
    free(r->states);
    free(r);
}

const rules_count *rules_count_of(const rules *r, size_t index) {
    return &r->states[index].count;
}

rules_totals rules_get_totals(const rules *r) {
    return r->totals;
}

sim_random *rules_random(rules *r, size_t index, sim_random **stream, const char *purpose) {
    char label[64];
    snprintf(label, sizeof label, "rule-%zu-%s", index + 1, purpose);
    if (!*stream)
        *stream = sim_random_new(r->config.seed, r->config.plan->name, label);
    return *stream;
}

const rules_kept *rules_recording(const rules *r, const char *name) {
    const rules_kept *found = NULL;
    for (size_t i = 0; i < r->config.plan->rule_count; i++) {
        const rules_kept *kept = &r->states[i].recording;
        bool named = kept->set && strcmp(rules_at(r, i)->as, name) == 0;
        if (named && (!found || kept->record.message.now_ns >= found->record.message.now_ns))
            found = kept;
    }
    return found;
}

/* ---- the log ----------------------------------------------------------------------------------------------
 */

static void count(rules *r, size_t index, ibk_err err) {
    rules_count *c = &r->states[index].count;
    c->fired += !err;
    c->failed += err != IBK_OK;
    c->why = err ? err : c->why;
}

/* `s` with its label: the message, as it was; NULL: none. */
static void log_rule(rules *r, size_t index, const seen *s, const char *label, ibk_err err,
                     const ibk_diag *diag) {
    const scn_rule *rule = rules_at(r, index);
    trace *t = r->config.log;
    count(r, index, err);
    if (!trace_wants(t, TRACE_ATTACK))
        return;
    trace_begin(t, TRACE_ATTACK, r->config.plan->name, scn_attack_name(rule->act));
    trace_uint(t, "rule", index + 1);
    trace_str(t, "text", rule->text);
    trace_str(t, "on", rule->on_text);
    if (s) {
        trace_str(t, "call", s->call_id[0] ? s->call_id : NULL);
        trace_str(t, "what", label);
        trace_str(t, "sender", s->sender);
        trace_str(t, "receiver", s->receiver);
    }
    if (err) {
        trace_str(t, "failed", ibk_err_name(err));
        trace_str(t, "why", diag->detail[0] ? diag->detail : ibk_err_text(err));
    }
    trace_end(t);
}

/* ---- which calls media belong to
 * ----------------------------------------------------------------------------
 */

static ibk_err remember(rules *r, const n3_endpoint *at, const scn_call *call) {
    for (size_t i = 0; i < r->stream_count; i++)
        if (n3_endpoint_equal(&r->streams[i].at, at)) {
            r->streams[i].call = call; /* the port is used again */
            return IBK_OK;
        }
    if (!IBK_ROOM(r->streams, r->stream_count, r->stream_cap))
        return IBK_ERR_NO_MEMORY;
    r->streams[r->stream_count++] = (rules_stream){*at, call};
    return IBK_OK;
}

/* RTP goes to the port of the m= line, RTCP to the next one (RFC 3550 §11). */
static ibk_err note_media(rules *r, const seen *s) {
    sip_sdp *sdp;
    sip_addr addr;
    if (!s->sdp || !s->call)
        return IBK_OK;
    ibk_err err = sip_sdp_parse(&sdp, seen_octets(s, s->body), NULL);
    if (err)
        return err == IBK_ERR_NO_MEMORY ? err : IBK_OK;
    for (size_t i = 0; !err && i < sdp->media_count; i++) {
        if (!sip_sdp_address(sdp, i, &addr))
            continue;
        n3_endpoint at = ims_endpoint(&addr);
        err = remember(r, &at, s->call);
        at.port++;
        if (!err)
            err = remember(r, &at, s->call);
    }
    sip_sdp_free(sdp);
    return err;
}

static const scn_call *call_of(const rules *r, const seen *s) {
    if (s->message->kind != TAP_MEDIA)
        return s->call;
    for (size_t i = 0; i < r->stream_count; i++)
        if (n3_endpoint_equal(&r->streams[i].at, &s->message->to) ||
            n3_endpoint_equal(&r->streams[i].at, &s->message->from))
            return r->streams[i].call;
    return NULL;
}

/* ---- matching ---------------------------------------------------------------------------------------------
 */

static bool is_media(const seen *s) { /* version 2, RFC 3550 §5.1 */
    return s->message->kind == TAP_MEDIA && s->message->octets.len > 0 &&
           s->message->octets.data[0] >> 6 == 2;
}

static bool is_triggered(const scn_rule *rule, const seen *s) {
    switch (rule->on) {
    case SCN_ON_MIKEY:
        return s->has_mikey && (rule->data_type == SCN_ANY_TYPE || rule->data_type == s->data_type);
    case SCN_ON_SIP:
        if (rule->method)
            return s->sip && s->request && strcmp(s->method, rule->method) == 0;
        return s->sip && (rule->status == 0 || (!s->request && s->status == rule->status));
    case SCN_ON_HTTP:
        return s->http;
    case SCN_ON_MEDIA:
        return is_media(s);
    case SCN_ON_PACKET:
        return true;
    default:
        return false;
    }
}

static bool is_between(const scn_rule *rule, const scn_seat *seat, const seen *s) {
    if (rule->sender && strcmp(rule->sender, s->sender) != 0)
        return false;
    if (rule->receiver && strcmp(rule->receiver, s->receiver) != 0)
        return false;
    bool passes_twice = seat->kind == SCN_SEAT_NODE && !rule->sender && !rule->receiver;
    return !passes_twice || strcmp(s->sender, seat->node) == 0;
}

static bool names_identity(const scn_rule *rule, const seen *s) {
    ibk_span identity = ibk_span_str(rule->identity);
    return ibk_span_equal(seen_identity(s, IBK_ROLE_I), identity) ||
           ibk_span_equal(seen_identity(s, IBK_ROLE_R), identity);
}

/* Time, number and chance, for what fits otherwise. */
static bool is_its_turn(rules *r, size_t index, uint64_t now_ns) {
    const scn_rule *rule = rules_at(r, index);
    rule_state *state = &r->states[index];
    if (now_ns < rule->after_ns || now_ns > rule->until_ns)
        return false;
    state->matched++;
    if (rule->nth && state->matched != rule->nth)
        return false;
    if (rule->probability_ppb >= BILLION)
        return true;
    sim_random *chance = rules_random(r, index, &state->chance, "chance");
    return chance && sim_random_u64(chance) % BILLION < rule->probability_ppb;
}

static bool fits(rules *r, size_t index, const scn_seat *seat, const seen *s) {
    const scn_rule *rule = rules_at(r, index);
    return is_triggered(rule, s) && rules_can(rule, s) && is_between(rule, seat, s) &&
           (!rule->call || call_of(r, s) == rule->call) && (!rule->identity || names_identity(rule, s)) &&
           is_its_turn(r, index, s->message->now_ns);
}

/* ---- messages ---------------------------------------------------------------------------------------------
 */

static ibk_err apply(rules *r, size_t index, rules_pass *pass, const seen *first) {
    char label[SEEN_TEXT_MAX];
    ibk_diag diag = {0};
    seen_label(label, pass->now);
    ibk_err err = rules_apply(r, index, pass, &diag);
    log_rule(r, index, first, label, err, &diag);
    return err == IBK_ERR_NO_MEMORY ? err : IBK_OK;
}

ibk_err rules_message(rules *r, tap *t, const scn_seat *seat, const seen *s, tap_verdict *verdict) {
    rules_pass pass = {.t = t, .now = s, .verdict = verdict};
    ibk_err err = note_media(r, s);
    bool go_on = true;
    for (size_t i = 0; !err && go_on && i < r->config.plan->rule_count; i++) {
        if (!fits(r, i, seat, pass.now))
            continue;
        err = apply(r, i, &pass, s);
        go_on = rules_at(r, i)->more;
    }
    for (size_t i = 0; !err && i < r->config.plan->rule_count; i++)
        err = rules_release(r, &pass, i);
    r->totals.seen++;
    r->totals.changed += verdict->what == TAP_REPLACE;
    r->totals.delayed += verdict->delay_ns > 0;
    seen_clear(&pass.edited);
    return err;
}

/* ---- clocks and states
 * --------------------------------------------------------------------------------------
 */

static void unlink_job(rules *r, rules_job *job) {
    rules_job **at = &r->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

/* With the recording that it is about. */
static void log_performed(rules *r, size_t index, ibk_err err, const ibk_diag *diag) {
    const scn_rule *rule = rules_at(r, index);
    const rules_kept *kept = rule->what ? rules_recording(r, rule->what) : NULL;
    char label[SEEN_TEXT_MAX];
    seen s = {0};
    bool known = kept && seen_read(&s, &r->config.world, &kept->record.message) == IBK_OK;
    log_rule(r, index, known ? &s : NULL, known ? seen_label(label, &s) : NULL, err, diag);
    seen_clear(&s);
}

static void do_job(void *arg) {
    rules_job *job = arg;
    rules *r = job->r;
    size_t index = job->rule;
    ibk_diag diag = {0};
    unlink_job(r, job);
    free(job);
    ibk_err err = rules_perform(r, index, &diag);
    bool message = rules_at(r, index)->on != SCN_ON_TIME && rules_at(r, index)->on != SCN_ON_STATE;
    if (!message || err) /* one that a message set off was logged and counted with it */
        log_performed(r, index, err, &diag);
}

ibk_err rules_later(rules *r, size_t index, uint64_t delay_ns, bool planned) {
    rules_job *job = calloc(1, sizeof *job);
    if (!job)
        return IBK_ERR_NO_MEMORY;
    *job = (rules_job){.r = r, .rule = index, .planned = planned, .next = r->jobs};
    if (n3_schedule(r->config.world.sim, &job->timer, delay_ns, do_job, job)) {
        free(job);
        return IBK_ERR_INTERNAL;
    }
    r->jobs = job;
    return IBK_OK;
}

ibk_err rules_start(rules *r) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < r->config.plan->rule_count; i++) {
        const scn_rule *rule = rules_at(r, i);
        if (rule->on == SCN_ON_TIME)
            err = rules_later(r, i, rule->after_ns + rule->by_ns, true);
    }
    return err;
}

static bool is_of_call(const rules *r, const scn_rule *rule, const trace_event *event) {
    char call_id[SEEN_TEXT_MAX];
    const seen_world *world = &r->config.world;
    ibk_span text = trace_event_text(event, "call");
    if (text.len == 0 || text.len >= sizeof call_id || !world->call_of)
        return false;
    memcpy(call_id, text.data, text.len);
    call_id[text.len] = 0;
    return world->call_of(world->user, call_id) == rule->call;
}

void rules_state(rules *r, const trace_event *event) {
    for (size_t i = 0; i < r->config.plan->rule_count; i++) {
        const scn_rule *rule = rules_at(r, i);
        if (rule->on != SCN_ON_STATE || strcmp(rule->of, event->node) != 0 ||
            strcmp(rule->is, event->event) != 0)
            continue;
        if ((!rule->call || is_of_call(r, rule, event)) && is_its_turn(r, i, event->time_ns))
            rules_later(r, i, rule->by_ns, true);
    }
}

bool rules_idle(const rules *r) {
    for (const rules_job *job = r->jobs; job; job = job->next)
        if (job->planned)
            return false;
    return true;
}
