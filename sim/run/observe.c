#include "run/observe.h"
#include "run/adversaries.h"
#include "run/knowledge.h"
#include "run/updates.h"
#include "run/versions.h"

#include <stdio.h>
#include <string.h>

/* Of the ends that a call reached, the one whose dialog was answered by the 200 that the caller took; else
 * that of the user who was called; else the first. */
static const ue_end *choose_callee(const ue_end *ends, size_t count, const ue_call_view *caller,
                                   const scn_call *call) {
    const ue_end *first = NULL, *called = NULL;
    for (size_t i = 0; i < count; i++) {
        const ue_call_view *view = ue_call_at(ends[i].u, ends[i].index);
        if (view->caller)
            continue;
        if (caller && caller->to_tag[0] && strcmp(view->to_tag, caller->to_tag) == 0)
            return &ends[i];
        if (!called && ue_user(ends[i].u) == call->to)
            called = &ends[i];
        if (!first)
            first = &ends[i];
    }
    return called ? called : first;
}

call_views observe_views(const world *w, const scn_call *call) {
    size_t count;
    const ue_end *ends = ue_scripts_ends(w->scripts, call, &count);
    call_views v = {0};
    for (size_t i = 0; i < count && !v.caller; i++) {
        const ue_call_view *view = ue_call_at(ends[i].u, ends[i].index);
        if (view->caller)
            v.caller = view;
    }
    const ue_end *callee = choose_callee(ends, count, v.caller, call);
    if (callee) {
        v.callee = ue_call_at(callee->u, callee->index);
        v.callee_user = ue_user(callee->u);
    }
    if (v.caller)
        v.diversions = tally_diversions(w->tally, v.caller->call_id, &v.diverted_by);
    return v;
}

const scn_user *observe_answered_by(const call_views *v) {
    return observe_is_established(v) && v->callee && strcmp(v->callee->to_tag, v->caller->to_tag) == 0
               ? v->callee_user
               : NULL;
}

bool observe_keys_agree(const call_views *v) {
    return v->caller && v->callee && v->caller->has_keys && v->callee->has_keys &&
           memcmp(v->caller->key_digest, v->callee->key_digest, sizeof v->caller->key_digest) == 0;
}

bool observe_is_established(const call_views *v) {
    return v->caller && v->caller->established.set;
}

bool observe_is_completed(const call_views *v) {
    if (!observe_is_established(v) || !v->caller->ended.set || !v->caller->planned_end)
        return false;
    /* Only the end that hangs up knows whether its BYE is the planned one. */
    return v->caller->script->hang_up == SCN_CALLER || (v->callee && v->callee->planned_end);
}

bool observe_is_protected(const call_views *v) {
    bool audio = v->caller && v->callee && v->caller->media_protected && v->callee->media_protected &&
                 v->caller->stats.received > 0 && v->callee->stats.received > 0;
    bool video = audio && (v->caller->has_video || v->callee->has_video);
    return audio && (!video || (v->caller->video.received > 0 && v->callee->video.received > 0));
}

static bool all_equal(const media_stats *stats) {
    return stats->compared == stats->received && stats->mismatches == 0;
}

bool observe_is_intact(const call_views *v) {
    return observe_is_protected(v) && all_equal(&v->caller->stats) && all_equal(&v->callee->stats) &&
           all_equal(&v->caller->video) && all_equal(&v->callee->video);
}

static uint64_t refused_of(const ue_call_view *view, bool all) {
    const media_stats *streams[] = {&view->stats, &view->video};
    uint64_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        const media_stats *s = streams[i];
        count += s->auth_failures + (all ? s->lost + s->replays + s->malformed : s->rtcp_refused);
    }
    return count;
}

uint64_t observe_media_lost(const call_views *v) {
    return (v->caller ? refused_of(v->caller, true) : 0) + (v->callee ? refused_of(v->callee, true) : 0);
}

uint64_t observe_auth_failures(const call_views *v) {
    return (v->caller ? refused_of(v->caller, false) : 0) + (v->callee ? refused_of(v->callee, false) : 0);
}

uint64_t observe_open_calls(const ue *u) {
    uint64_t open = 0;
    for (size_t i = 0; i < ue_call_count(u); i++)
        open += !ue_call_at(u, i)->ended.set;
    return open;
}

ibk_err observe_reason(const call_views *v) {
    if (v->callee && v->callee->reason)
        return v->callee->reason;
    return v->caller ? v->caller->reason : IBK_OK;
}

size_t observe_parameters(const ue *u, scn_parameters_failure *failure) {
    const parameters_fetch *fetches;
    size_t count = parameters_client_fetches(ue_parameters(u), &fetches), obtained = 0;
    scn_parameters_failure latest = 0;
    for (size_t i = 0; i < count; i++) {
        obtained += fetches[i].ended && !fetches[i].failure;
        if (fetches[i].ended)
            latest = fetches[i].failure;
    }
    if (failure)
        *failure = latest;
    return obtained;
}

uint64_t observe_sip_retransmissions(const world *w) {
    return tally_retransmissions(w->tally, NULL);
}

static n3_link_stats stats_of(const world_link *link, n3_direction direction) {
    n3_link_stats stats = {0};
    n3_link_get_stats(link->link, &stats, direction);
    return stats;
}

uint64_t observe_packets_lost(const world *w) {
    uint64_t lost = 0;
    for (size_t i = 0; i < w->link_count; i++)
        for (int direction = N3_AB; direction <= N3_BA; direction++) {
            n3_link_stats stats = stats_of(&w->links[i], (n3_direction)direction);
            lost += stats.lost_packets + stats.queue_dropped;
        }
    return lost;
}

/* ---- the result model
 * ------------------------------------------------------------------------------------------ */

static result_time time_of(ue_moment moment) {
    return (result_time){.ns = moment.ns, .set = moment.set};
}

static void observe_media(result *r, result_call *out, const scn_call *call, const call_views *v,
                          bool forward, bool video) {
    const ue_call_view *from = forward ? v->caller : v->callee, *to = forward ? v->callee : v->caller;
    const scn_user *callee = v->callee_user;
    if (!from || !to || !from->has_media || !to->has_media || (video && (!from->has_video || !to->has_video)))
        return;
    result_media *media = result_add_media(r, out);
    const media_stats *said = video ? &from->video : &from->stats, *heard = video ? &to->video : &to->stats;
    media->stream = video ? "video" : "audio";
    media->from = result_text(r, forward ? call->from->name : callee->name);
    media->to = result_text(r, forward ? callee->name : call->from->name);
    media->codec = result_text(r, media_codec_name(video ? MEDIA_H264 : (media_codec)call->media.codec));
    media->protected_ = from->media_protected && to->media_protected;
    media->sent = said->sent;
    media->received = heard->received;
    media->lost = said->sent > heard->received ? said->sent - heard->received : 0;
    media->octets = heard->octets;
    media->auth_failures = heard->auth_failures;
    media->replays = heard->replays;
    media->jitter_ns = heard->jitter_ns;
    if (heard->received)
        media->first = result_at(heard->first_accepted_ns);
    media->content_matches = heard->received > 0 && all_equal(heard);
}

static const char *failure_text(result *r, const call_views *v) {
    const ue_call_view *ends[] = {v->callee, v->caller};
    for (size_t i = 0; i < 2; i++) {
        const ue_call_view *end = ends[i];
        if (!end || !end->reason)
            continue;
        const char *who = end->caller ? "caller" : "callee";
        if (end->diag.detail[0])
            return result_textf(r, "%s: %s (%s)", who, ibk_err_text(end->reason), end->diag.detail);
        return result_textf(r, "%s: %s", who, ibk_err_text(end->reason));
    }
    if (!v->caller)
        return result_text(r, "the call was never placed");
    if (v->caller->cause == SIP_CAUSE_CANCELLED || (v->caller->planned_end && !v->caller->established.set))
        return result_text(r, "cancelled by the caller");
    if (v->caller->sip_status >= 300)
        return result_textf(r, "SIP %d", v->caller->sip_status);
    return result_textf(r, "SIP: %s", sip_cause_name(v->caller->cause));
}

static void observe_mikey(result *r, result_call *out, const call_views *v) {
    for (size_t i = 0; i < 4; i++) {
        size_t octets = v->caller ? v->caller->mikey_octets[i] : 0;
        if (!octets && v->callee)
            octets = v->callee->mikey_octets[i];
        if (octets)
            result_add_mikey(r, out, ibk_msg_type_name((uint8_t)(IBK_MSG_I_MESSAGE_1 + i)), octets);
    }
}

static result_time first_media(const call_views *v) {
    result_time first = {0};
    const ue_call_view *ends[] = {v->caller, v->callee};
    for (size_t i = 0; i < 2; i++)
        if (ends[i] && ends[i]->has_media && ends[i]->stats.received > 0 &&
            (!first.set || ends[i]->stats.first_accepted_ns < first.ns))
            first = result_at(ends[i]->stats.first_accepted_ns);
    return first;
}

static void observe_setup(result *r, result_call *out, const setup_account *a) {
    if (!a)
        return;
    out->setup.known = true;
    out->setup.ringing_ns = a->ringing_ns;
    out->setup.radio_ns = a->radio_ns;
    out->setup.core_ns = a->core_ns;
    out->setup.resent_ns = a->resent_ns;
    out->setup.keys_ns = a->keys_ns;
    out->setup.kms_ns = a->kms_ns;
    out->setup.signalling_ns = a->signalling_ns;
    for (size_t i = a->node_count; i-- > 0;) { /* the walk met the caller last */
        const setup_node *n = &a->nodes[i];
        result_crypto entry = {.node = n->name, .computing_ns = n->computing_ns, .queued_ns = n->queued_ns};
        result_add_crypto(r, out, &entry);
    }
}

static void observe_call(result *r, const world *w, const scn_call *call) {
    call_views v = observe_views(w, call);
    result_call *out = result_add_call(r);
    out->id = result_text(r, call->name);
    out->from = result_text(r, call->from->name);
    out->to = result_text(r, call->to->name);
    const scn_user *answered = observe_answered_by(&v);
    out->answered_by = answered ? result_text(r, answered->name) : NULL;
    out->diverted_by = v.diverted_by ? result_text(r, v.diverted_by->name) : NULL;
    out->retargeted = v.diversions;
    out->legs = v.caller ? v.caller->legs : 0;
    out->keys_agree = observe_keys_agree(&v);
    out->first_media = first_media(&v);
    if (observe_is_established(&v))
        out->state =
            v.caller->ended.set && !v.caller->planned_end ? RESULT_CALL_DROPPED : RESULT_CALL_ESTABLISHED;
    if (out->state != RESULT_CALL_ESTABLISHED)
        out->failure = failure_text(r, &v);
    if (v.caller) {
        out->call_id = result_text(r, v.caller->call_id);
        out->csb_id = v.caller->csb_id;
        out->invite = time_of(v.caller->invite);
        out->provisional = time_of(v.caller->provisional);
        out->keyed = time_of(v.caller->keyed);
        out->established = time_of(v.caller->established);
        out->ended = time_of(v.caller->ended);
        out->sip_status = (unsigned)v.caller->sip_status;
        out->retransmissions = tally_retransmissions(w->tally, v.caller->call_id);
    }
    if (observe_is_established(&v))
        observe_setup(r, out, setup_of(w->setup, v.caller->call_id));
    observe_mikey(r, out, &v);
    for (int video = 0; video < 2; video++) {
        observe_media(r, out, call, &v, true, video);
        observe_media(r, out, call, &v, false, video);
    }
    observe_update_list(r, out, &v, call);
}

static const char *user_failure(result *r, const ue_status *s) {
    if (s->keys_failure)
        return result_textf(r, "keys: %s (%s)", scn_keys_failure_name(s->keys_failure),
                            s->keys_diag.detail[0] ? s->keys_diag.detail : ibk_err_text(s->keys_diag.err));
    if (s->register_status)
        return result_textf(r, "registration: SIP %d", s->register_status);
    if (s->register_begin.set && !s->registered.set)
        return result_textf(r, "registration: %s", sip_cause_name(s->register_cause));
    return NULL;
}

static void observe_key_requests(result *r, result_user *out, const ue *u) {
    static const char *const kinds[] = {
        [UE_FETCH_FIRST] = "first", [UE_FETCH_REFRESH] = "refresh", [UE_FETCH_DEMAND] = "demand"};
    static const char *const methods[] = {
        [SCN_KEY_REQUEST_PSK] = "psk", [SCN_KEY_REQUEST_PKE] = "pke", [SCN_KEY_REQUEST_RFC5408] = "rfc5408"};
    size_t count;
    const ue_key_fetch *fetches = ue_key_fetches(u, &count);
    for (size_t i = 0; i < count; i++) {
        const ue_key_fetch *f = &fetches[i];
        result_key_request *entry = result_add_key_request(r, out);
        entry->kind = kinds[f->kind];
        entry->method = methods[ue_user(u)->key_request];
        entry->begin = time_of(f->begin);
        entry->end = time_of(f->end);
        entry->identities = f->asked;
        entry->keys = f->keys;
        entry->tries = f->tries;
        entry->failure = f->failure ? scn_keys_failure_name(f->failure) : NULL;
    }
}

static void observe_fetches(result *r, result_user *out, const ue *u) {
    const parameters_fetch *fetches;
    size_t count = parameters_client_fetches(ue_parameters(u), &fetches);
    for (size_t i = 0; i < count; i++) {
        result_fetch *fetch = result_add_fetch(r, out);
        fetch->domain = result_text(r, fetches[i].domain);
        fetch->secure = fetches[i].secure;
        fetch->begin = result_at(fetches[i].begin_ns);
        fetch->end = (result_time){.ns = fetches[i].end_ns, .set = fetches[i].ended};
        if (fetches[i].failure)
            fetch->failure = result_textf(r, "%s (%s)", scn_parameters_failure_name(fetches[i].failure),
                                          fetches[i].detail);
    }
}

static void observe_user(result *r, const ue *u) {
    const ue_status *s = ue_get_status(u);
    result_user *out = result_add_user(r);
    out->name = out->node = result_text(r, ue_user(u)->name);
    out->impu = result_text(r, ue_user(u)->identity);
    out->register_begin = time_of(s->register_begin);
    out->registered = time_of(s->registered);
    out->keys_begin = time_of(s->keys_begin);
    out->keys_received = time_of(s->keys_received);
    out->keys = s->keys;
    out->keys_held = ue_keys_held(u);
    out->keys_dropped = s->keys_dropped;
    out->registrations = s->registrations;
    observe_key_requests(r, out, u);
    out->retransmissions = sip_stack_stats(ue_host(u)->stack)->retransmissions_sent;
    out->failure = user_failure(r, s);
    observe_fetches(r, out, u);
    const cpu *processor = ue_host(u)->cpu;
    if (processor) {
        cpu_stats busy = cpu_get_stats(processor);
        out->cpu = result_text(r, cpu_get_model(processor)->name);
        out->jobs = busy.jobs;
        out->busy_ns = busy.busy_ns;
    }
}

static void observe_kms(result *r, const world_domain *d) {
    const kms_node_stats *stats = kms_node_get_stats(d->k);
    result_kms *out = result_add_kms(r);
    out->domain = result_text(r, d->scenario->name);
    out->identity = result_text(r, d->scenario->kms.identity);
    out->requests = stats->requests;
    out->served = stats->issued;
    out->refused = stats->refused;
    out->keys = stats->keys;
    out->first_request = (result_time){.ns = stats->first_request_ns, .set = stats->asked};
    out->last_answer = (result_time){.ns = stats->last_answer_ns, .set = stats->answered};
    const cpu *processor = kms_node_host(d->k)->cpu;
    if (processor) {
        cpu_stats s = cpu_get_stats(processor);
        out->cpu = result_text(r, cpu_get_model(processor)->name);
        out->cores = cpu_cores(processor);
        out->jobs = s.jobs;
        out->busy_ns = s.busy_ns;
        out->queue_max = s.queue_max;
        out->wait_min_ns = s.wait_min_ns;
        out->wait_mean_ns = s.waited ? s.wait_sum_ns / s.waited : 0;
        out->wait_max_ns = s.wait_max_ns;
    }
    for (size_t i = 0; i < KMS_REASONS_MAX && stats->reasons[i].count; i++)
        result_add_refusal(r, out, ibk_err_name(stats->reasons[i].err), stats->reasons[i].count);
}

static void observe_link(result *r, const world_link *link) {
    n3_link_stats ab = stats_of(link, N3_AB), ba = stats_of(link, N3_BA);
    result_link *out = result_add_link(r);
    out->name = result_text(r, n3_link_name(link->link));
    out->a = result_text(r, n3_node_name(n3_link_sender(link->link, N3_AB)));
    out->b = result_text(r, n3_node_name(n3_link_sender(link->link, N3_BA)));
    out->packets_ab = ab.delivered_packets;
    out->packets_ba = ba.delivered_packets;
    out->octets_ab = ab.delivered_octets;
    out->octets_ba = ba.delivered_octets;
    out->lost_ab = ab.lost_packets + ab.queue_dropped;
    out->lost_ba = ba.lost_packets + ba.queue_dropped;
}

/* The user of an identity; the identity itself if no user has it. */
static const char *name_of(result *r, const world *w, const char *identity) {
    const scn_user *user = scn_find_identity(w->scenario, identity);
    return result_text(r, user ? user->name : identity);
}

static void observe_message(result *r, const world *w, const ue_message_view *m) {
    result_message *out = result_add_message(r);
    out->call = m->script ? result_text(r, m->script->name) : NULL;
    out->from = name_of(r, w, m->from);
    out->to = name_of(r, w, m->to);
    out->via = m->via ? result_text(r, ue_user(m->via)->name) : NULL;
    out->recipient = m->recipient ? result_text(r, ue_user(m->recipient)->name) : NULL;
    out->stored = time_of(m->stored);
    out->delivered = time_of(m->delivered);
    out->packets = m->packets;
    out->opened = m->opened;
    out->attempts = m->attempts;
    out->readable = m->readable;
    out->intact = m->intact;
    out->refused = m->refused;
    if (m->refused)
        out->reason = m->diag.detail[0] ? result_textf(r, "%s (%s)", ibk_err_text(m->reason), m->diag.detail)
                                        : result_text(r, ibk_err_text(m->reason));
}

/* "1024 bits (80-bit strength)"; with several KMSs "a.example 1024 bits (80-bit strength), b.example …". */
static const char *parameters_text(result *r, const world *w) {
    const char *text = "";
    for (size_t i = 0; i < w->scenario->domain_count; i++) {
        const world_domain *d = &w->domains[i];
        const char *name = w->scenario->domain_count > 1 ? d->scenario->name : "";
        text =
            result_textf(r, "%s%s%s%s%u bits (%u-bit strength)", text, i ? ", " : "", name, *name ? " " : "",
                         ibk_ibe_params_n(d->params), ibk_ibe_params_strength(d->params));
    }
    return text;
}

void observe(result *r, const world *w) {
    const scn_scenario *s = w->scenario;
    r->title = result_text(r, s->title);
    r->scenario = result_text(r, s->path);
    r->seed = s->seed;
    r->virtual_ns = n3_now(w->ims.sim);
    r->events = n3_events(w->ims.sim);
    r->parameters = parameters_text(r, w);
    for (size_t i = 0; i < s->call_count; i++)
        observe_call(r, w, &s->calls[i]);
    for (size_t i = 0; i < s->user_count; i++)
        observe_user(r, w->users[i]);
    for (size_t i = 0; i < s->domain_count; i++)
        observe_kms(r, &w->domains[i]);
    for (size_t i = 0; i < ue_messages_count(w->messages); i++) {
        const ue_message_view *m = ue_messages_at(w->messages, i);
        if (m->stored.set || m->intact || m->refused)
            observe_message(r, w, m);
    }
    for (unsigned i = 0; i < SCN_PROPERTIES; i++) {
        const property_finding *f = &w->properties[i];
        result_add_property(r, scn_property_name((scn_property)i), !f->broken, f->broken ? f->detail : NULL);
    }
    observe_adversaries(r, w);
    observe_knowledge(r, w);
    for (size_t i = 0; i < w->link_count; i++)
        observe_link(r, &w->links[i]);
    versions_add(r);
}
