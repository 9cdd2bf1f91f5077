/* The other party's offer in the middle of a call, and our answer. */
#include "ims/ue/midcall_inside.h"

static void forget_agreed(ue_midcall *m) {
    sip_sdp_free(m->agreed);
    m->agreed = NULL;
}

/* As if their offer had not been made. */
static void take_back(ue_midcall *m) {
    midcall_keep(m->leg, m->agreed);
    m->agreed = NULL;
    midcall_restore(m->leg, &m->before_theirs);
}

/* The transaction has ended without our answer: it would find nobody. */
static void server_ended(void *user, sip_server *server, sip_cause cause) {
    ue_midcall *m = user;
    (void)server, (void)cause;
    m->server = NULL;
    ibk_buf_free(&m->message);
    take_back(m);
    midcall_end_record(m, m->their_record, 0, IBK_ERR_TIMEOUT, NULL);
    midcall_proceed(m);
}

sip_server *midcall_release_server(ue_midcall *m) {
    sip_server *server = m->server;
    m->server = NULL;
    sip_server_watch(server, NULL, NULL);
    ibk_buf_free(&m->message);
    return server;
}

/* RFC 4567 §4.1.2: 488 with at least Warning 306, and the Error message if there is one. */
static void refuse(ue_midcall *m, ibk_err reason, const ibk_diag *diag, ibk_span error) {
    ue_call *call = m->call;
    ue_leg *leg = m->leg;
    ibk_buf body = {0};
    sip_msg *response = sip_leg_response(leg->sip, m->server, 488, NULL);
    if (response) {
        sip_warning_add(response, 306, call->u->host->name, "a=key-mgmt");
        sip_warning_add(response, 399, call->u->host->name, ibk_err_text(reason));
    }
    if (response && error.len && leg->remote && ue_sdp_write(leg, &body, true, error) == IBK_OK)
        sip_msg_set_body(response, UE_SDP_TYPE, ibk_buf_span(&body));
    ibk_buf_free(&body);
    take_back(m);
    midcall_end_record(m, m->their_record, 488, reason, diag);
    call->view.reason = call->view.reason ? call->view.reason : reason;
    if (!call->view.diag.err && diag)
        call->view.diag = *diag;
    sip_leg_respond(leg->sip, midcall_release_server(m), response);
    midcall_proceed(m);
}

/* The streams as their offer wants them: pictures only if there are crypto sessions for them. */
static void follow(ue_midcall *m) {
    ue_leg *leg = m->leg;
    ue_update *u = midcall_record(m, m->their_record);
    const sip_media *picture = ue_sdp_media(leg, UE_VIDEO), *sound = ue_sdp_media(leg, UE_AUDIO);
    bool video = picture && picture->port != 0 && midcall_has_crypto_sessions(leg, UE_VIDEO);
    if (video)
        ue_call_have_stream(m->call, UE_VIDEO);
    if (u->new_dh)
        u->what = SCN_DO_REKEY;
    else if (video != leg->video)
        u->what = video ? SCN_DO_ADD_VIDEO : SCN_DO_REMOVE_VIDEO;
    else if (!u->csb)
        u->what = sound && sip_direction_receives(sound->direction) ? SCN_DO_RESUME : SCN_DO_HOLD;
    leg->video = video;
}

/* Both descriptions are in force once the answer is out. */
static void send_answer(ue_midcall *m, ibk_span body) {
    ue_call *call = m->call;
    ue_leg *leg = m->leg;
    const ue_update *u = midcall_record(m, m->their_record);
    const sip_msg *request = sip_server_request(m->server);
    sip_msg *response = sip_leg_response(leg->sip, m->server, 200, NULL);
    if (response) {
        sip_msg_set_body(response, UE_SDP_TYPE, body);
        ue_session_timer_answer(response, request);
    }
    if (u->csb)
        ue_leg_note_keys(leg);
    /* We accept the new keys before anybody can have them, and send under them when the offerer shows that it
     * has them: the answer may be lost on its way. */
    ibk_err err = u->new_dh ? ue_media_rekey(leg, false) : IBK_OK;
    sip_leg_respond(leg->sip, midcall_release_server(m), response);
    if (!err)
        err = ue_media_apply(leg, true); /* what was added begins behind the answer that has its SSRC */
    forget_agreed(m);
    midcall_end_record(m, m->their_record, 200, err, NULL);
    if (err)
        ue_call_give_up(call, err, NULL);
    else
        midcall_proceed(m);
}

static void answer(ue_midcall *m, ibk_span mikey) {
    ibk_buf body = {0};
    follow(m);
    ibk_err err = ue_sdp_write(m->leg, &body, true, mikey);
    if (err) {
        ibk_session_revert_update(m->leg->session); /* if there was one */
        refuse(m, err, NULL, (ibk_span){0});
    } else {
        send_answer(m, ibk_buf_span(&body));
    }
    ibk_buf_free(&body);
}

static void their_step(ue_leg *leg, const ibk_step *step) {
    ue_midcall *m = leg->call->midcall;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        leg->pending = UE_PENDING_MIDCALL;
        return;
    }
    if (!m->server) { /* it took too long: R_MESSAGE_1 reaches nobody (P-32) */
        if (step->kind == IBK_STEP_UPDATED)
            ibk_session_revert_update(leg->session);
        ue_leg_watch_deadline(leg);
        return;
    }
    ue_leg_watch_deadline(leg);
    if (step->kind == IBK_STEP_UPDATED)
        answer(m, step->message);
    else
        refuse(m, step->reason ? step->reason : IBK_ERR_UNEXPECTED_MESSAGE, &step->diag, step->message);
}

void midcall_take_update(ue_midcall *m) {
    ue_leg *leg = m->leg;
    ibk_cs_srtp ours[UE_CS_MAX] = {{0}};
    ibk_step step;
    if (leg->line[UE_VIDEO])
        ue_call_have_stream(m->call, UE_VIDEO);
    for (unsigned i = 0; i < UE_STREAMS; i++)
        if (leg->line[i])
            ours[ue_cs_id(leg, i, m->call->view.caller) - 1].ssrc = m->call->ssrc[i];
    ibk_err err = ibk_session_fill_ssrcs(leg->session, ours, UE_CS_MAX);
    if (!err)
        err =
            ibk_session_recv(leg->session, ims_host_time(m->call->u->host), ibk_buf_span(&m->message), &step);
    if (err)
        refuse(m, err, NULL, (ibk_span){0});
    else
        ue_leg_after_work(leg, &step, their_step);
}

static bool brings_dh(ibk_span mikey) {
    ibk_msg msg = {0};
    bool found = ibk_msg_parse(&msg, mikey, NULL) == IBK_OK && ibk_msg_find(&msg, IBK_PL_IBAKE, 0) != NULL;
    ibk_msg_free(&msg);
    return found;
}

static void take_offer(ue_midcall *m, sip_server *server, const sip_msg *request) {
    static const sip_server_ops ops = {.terminated = server_ended};
    ue_leg *leg = m->leg;
    ibk_diag diag = {0};
    ue_update update = {.reinvite = sip_is(request, "INVITE"), .what = SCN_DO_UPDATE};
    m->before_theirs = midcall_state_of(leg);
    m->agreed = leg->remote;
    leg->remote = NULL;
    ibk_err err = ue_sdp_read_offer(leg, request, &m->message, &diag);
    update.csb = m->message.len > 0;
    update.new_dh = update.csb && brings_dh(ibk_buf_span(&m->message));
    m->server = server;
    sip_server_watch(server, &ops, m);
    if (midcall_add_record(m, &m->their_record, &update)) {
        take_back(m);
        sip_leg_reply(leg->sip, midcall_release_server(m), 500, NULL, NULL, (ibk_span){0});
    } else if (err) {
        refuse(m, err, &diag, (ibk_span){0});
    } else if (update.csb) {
        midcall_take_update(m);
    } else {
        answer(m, (ibk_span){0});
    }
}

void ue_midcall_not_now(const ue_call *call, sip_leg *sip, sip_server *server) {
    sip_msg *response = sip_leg_response(sip, server, 500, NULL);
    if (response) /* RFC 3311 §5.2, RFC 3261 §14.2: 0 to 10 s */
        sip_header_addf(response, "Retry-After", "%u",
                        (unsigned)(sim_random_u64(call->u->host->sip_random) % 11));
    sip_leg_respond(sip, server, response);
}

void ue_midcall_request(ue_call *call, sip_leg *sip, sip_server *server, const sip_msg *request) {
    ue_midcall *m = call->midcall;
    bool update = sip_is(request, "UPDATE"), invite = sip_is(request, "INVITE");
    if (update && !sip_has_body_type(request, UE_SDP_TYPE)) { /* RFC 4028 §7.4 */
        sip_msg *response = sip_leg_response(sip, server, 200, NULL);
        ue_session_timer_answer(response, request);
        sip_leg_respond(sip, server, response);
        ue_session_timer_refreshed(call);
    } else if (!update && (!invite || !sip_has_body_type(request, UE_SDP_TYPE))) {
        sip_leg_reply(sip, server, 488, NULL, NULL, (ibk_span){0});
    } else if (m->phase == MIDCALL_SENT || m->phase == MIDCALL_COMPUTING) {
        sip_leg_reply(sip, server, 491, NULL, NULL, (ibk_span){0});
    } else if (m->server) {
        ue_midcall_not_now(call, sip, server);
    } else {
        ue_session_timer_refreshed(call);
        take_offer(m, server, request);
    }
}
