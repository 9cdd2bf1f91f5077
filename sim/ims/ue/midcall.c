/* Offers and answers in the middle of a call (RFC 3264 §8) by UPDATE (RFC 3311) or re-INVITE (RFC 3261 §14):
 * CSB updates and rekeying (RFC 6267 §5.3, RFC 4567 §4.1.2), hold, a second stream. One offer at a time in
 * either direction: who meets another one answers 491 and tries again after a random time (RFC 3261 §14.1).
 */
#include "ims/ue/midcall_inside.h"

#include <stdlib.h>

midcall_state midcall_state_of(const ue_leg *leg) {
    return (midcall_state){
        .wish = leg->wish, .video = leg->video, .video_line = leg->line[UE_VIDEO], .lines = leg->lines};
}

void midcall_restore(ue_leg *leg, const midcall_state *state) {
    leg->wish = state->wish;
    leg->video = state->video;
    leg->line[UE_VIDEO] = state->video_line;
    leg->lines = state->lines;
}

void midcall_keep(ue_leg *leg, sip_sdp *agreed) {
    sip_sdp_free(leg->remote);
    leg->remote = agreed;
}

bool midcall_has_crypto_sessions(const ue_leg *leg, unsigned stream) {
    const ibk_hdr *hdr = ibk_session_header(leg->session);
    return hdr && leg->line[stream] && hdr->n_cs >= 2 * leg->line[stream];
}

/* ---- one offer at a time --------------------------------------------------------------------------------
 */

/* PREPARING: the keys that it waited for came while the other party's offer was at work. */
static bool may_begin(const ue_midcall *m) {
    return m->phase == MIDCALL_IDLE || (m->phase == MIDCALL_RETRYING && !m->retry) ||
           (m->phase == MIDCALL_PREPARING && m->leg->pending != UE_PENDING_MIDCALL);
}

void midcall_proceed(ue_midcall *m) {
    if (may_begin(m) && m->queued > 0 && !m->server && m->call->sip && !m->call->leaving &&
        !ue_session_timer_is_busy(m->call))
        midcall_begin(m);
}

static void action_is_due(void *arg) {
    midcall_due *d = arg;
    ue_midcall *m = d->m;
    d->timer = 0;
    m->queue[m->queued++] = d->action;
    midcall_proceed(m);
}

bool ue_midcall_is_busy(const ue_call *call) {
    const ue_midcall *m = call->midcall;
    return m && (m->phase == MIDCALL_SENT || m->phase == MIDCALL_COMPUTING || m->server);
}

void ue_midcall_proceed(ue_call *call) {
    if (call->midcall)
        midcall_proceed(call->midcall);
}

/* ---- keys -----------------------------------------------------------------------------------------------
 */

void ue_midcall_keys_arrived(ue_call *call) {
    ue_midcall *m = call->midcall;
    if (!m)
        return;
    if (m->server)
        midcall_take_update(m);
    else if (m->response)
        midcall_read_answer(m);
    else
        midcall_proceed(m);
}

void ue_midcall_peer_has_keys(ue_call *call) {
    ue_leg *leg = call->leg;
    if (!leg || !leg->session)
        return;
    ibk_session_confirm_update(leg->session);
    ue_leg_watch_deadline(leg);
    ibk_err err = ue_media_switch(leg);
    if (err)
        ue_call_give_up(call, err, NULL);
}

void ue_midcall_acked(ue_call *call) {
    ue_midcall_peer_has_keys(call); /* the offerer has read the 200 with R_MESSAGE_1 */
}

/* ---- life -----------------------------------------------------------------------------------------------
 */

static bool is_ours(const ue_call *call, const scn_action *action) {
    return (action->by == SCN_CALLER) == call->view.caller;
}

static void plan(ue_midcall *m, const scn_call *script) {
    const ue_call *call = m->call;
    uint64_t now = ims_host_now(call->u->host), acked = call->acked.set ? call->acked.ns : now;
    for (size_t i = 0; script && i < script->action_count; i++) {
        if (!is_ours(call, &script->actions[i]))
            continue;
        uint64_t at = acked + script->actions[i].at_ns;
        midcall_due *d = &m->due[m->due_count++];
        *d = (midcall_due){.m = m, .action = &script->actions[i]};
        d->timer = ims_host_timer(call->u->host, at > now ? at - now : 0, action_is_due, d);
    }
}

ibk_err ue_midcall_start(ue_leg *leg) {
    ue_call *call = leg->call;
    size_t room = call->script ? call->script->action_count : 0;
    ue_midcall *m = calloc(1, sizeof *m);
    if (!m)
        return IBK_ERR_NO_MEMORY;
    *m = (ue_midcall){.call = call, .leg = leg};
    call->midcall = m;
    m->due = calloc(room + 1, sizeof *m->due);
    m->queue = calloc(room + 1, sizeof *m->queue);
    if (!m->due || !m->queue)
        return IBK_ERR_NO_MEMORY;
    plan(m, call->script);
    return IBK_OK;
}

void ue_midcall_free(ue_call *call) {
    ue_midcall *m = call->midcall;
    if (!m)
        return;
    for (size_t i = 0; i < m->due_count; i++)
        ims_host_cancel(call->u->host, &m->due[i].timer);
    ims_host_cancel(call->u->host, &m->retry);
    if (m->server)
        midcall_release_server(m);
    ibk_buf_free(&m->message);
    sip_sdp_free(m->agreed);
    sip_msg_free(m->response);
    sip_sdp_free(m->answer);
    free(m->due);
    free(m->queue);
    free(m);
    call->midcall = NULL;
}
