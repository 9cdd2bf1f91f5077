/* Offers and answers in the middle of a call (RFC 3264 §8) by UPDATE (RFC 3311) or re-INVITE (RFC 3261 §14):
 * CSB updates and rekeying (RFC 6267 §5.3, RFC 4567 §4.1.2), hold, a second stream. One offer at a time in
 * either direction: who meets another one answers 491 and tries again after a random time (RFC 3261 §14.1).
 */
#include "ims/ue/midcall.h"
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

/* An action of ours whose time is to come. */
typedef struct due {
    ue_midcall *m;
    const scn_action *action;
    ims_timer timer;
} due;

typedef enum phase {
    IDLE = 0,
    PREPARING, /* waits for keys: nothing was sent */
    COMPUTING, /* the processor works on our offer */
    SENT,      /* our offer waits for its answer */
    RETRYING   /* met another offer: waits to be sent again */
} phase;

struct ue_midcall {
    ue_call *call;
    ue_leg *leg;
    due *due;
    size_t due_count;
    const scn_action **queue; /* those whose time has come; the first is being done unless IDLE */
    size_t queued;
    phase phase;
    size_t record; /* of the attempt in the view */
    bool csb;      /* our offer carries I_MESSAGE_1 of a CSB update */
    ims_timer retry;
    sip_msg *response; /* the answer to our offer, while it waits for keys or is computed */
    sip_sdp *answer;   /* its description */
    struct {           /* how things stood before our offer */
        sip_direction wish;
        bool video, has_video;
    } before;
    /* The other party's offer while it waits for keys; NULL: none. */
    sip_server *server;
    ibk_buf message; /* its I_MESSAGE_1 */
    sip_sdp *agreed; /* the description before it */
    size_t their_record;
};

static void proceed(ue_midcall *m);

/* ---- what is told
 * ------------------------------------------------------------------------------------------------- */

static const char *const what_name[] = {
    [SCN_DO_UPDATE] = "update", [SCN_DO_REKEY] = "rekey",         [SCN_DO_HOLD] = "hold",
    [SCN_DO_RESUME] = "resume", [SCN_DO_ADD_VIDEO] = "add-video", [SCN_DO_REMOVE_VIDEO] = "remove-video"};

const char *ue_update_name(scn_do what) {
    return what >= SCN_DO_UPDATE && what <= SCN_DO_REMOVE_VIDEO ? what_name[what] : "none";
}

static ue_update *record(const ue_midcall *m, size_t index) {
    return &m->call->view.updates[index];
}

static ibk_err add_record(ue_midcall *m, size_t *index, const ue_update *begun) {
    ue_call_view *view = &m->call->view;
    ue_update *grown = realloc(view->updates, (view->update_count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    view->updates = grown;
    *index = view->update_count++;
    grown[*index] = *begun;
    grown[*index].begun_ns = ims_host_now(m->call->u->host);
    return IBK_OK;
}

static void end_record(const ue_midcall *m, size_t index, int sip_status, ibk_err reason,
                       const ibk_diag *diag) {
    const ue_call *call = m->call;
    ue_update *u = record(m, index);
    trace *t = call->u->host->world->trace;
    u->done = true;
    u->done_ns = ims_host_now(call->u->host);
    u->sip_status = sip_status;
    u->reason = reason;
    u->ok = !reason;
    u->glare = sip_status == 491;
    memcpy(u->key_digest, m->leg->key_digest, sizeof u->key_digest);
    trace_begin(t, reason ? TRACE_ERROR : TRACE_STATE, call->u->host->name, "offer-answered");
    trace_str(t, "call", call->view.call_id);
    trace_str(t, "do", ue_update_name(u->what));
    trace_bool(t, "by_us", u->by_us);
    trace_uint(t, "status", (uint64_t)sip_status);
    if (reason)
        trace_diag(t, reason, diag && diag->err ? diag : NULL);
    trace_end(t);
}

/* ---- our offer
 * ---------------------------------------------------------------------------------------------------- */

static void pop(ue_midcall *m) {
    m->phase = IDLE;
    memmove(&m->queue[0], &m->queue[1], --m->queued * sizeof *m->queue);
}

static void take_back(ue_midcall *m) {
    m->leg->wish = m->before.wish;
    m->leg->video = m->before.video;
    m->leg->has_video = m->before.has_video;
    ibk_session_abandon_update(m->leg->session); /* if there is one */
}

/* RFC 4567 §4.1.1, §4.1.2: whose rekeying fails ends the call. Any other refused offer leaves it as it was.
 */
static void fail(ue_midcall *m, int sip_status, ibk_err reason, const ibk_diag *diag) {
    ue_call *call = m->call;
    bool fatal = m->csb || sip_status == 408 || sip_status == 481 || sip_status == 0;
    take_back(m);
    end_record(m, m->record, sip_status, reason, diag);
    pop(m);
    if (fatal)
        ue_call_give_up(call, reason, diag);
    else
        proceed(m);
}

static void try_again(void *arg) {
    ue_midcall *m = arg;
    m->retry = 0;
    proceed(m);
}

/* RFC 3261 §14.1, RFC 3311 §5.3, in units of 10 ms. */
uint64_t ue_glare_delay_ns(uint64_t random, bool owns_call_id) {
    return (owns_call_id ? 210 + random % 191 : random % 201) * 10 * SIP_MS;
}

static void postpone(ue_midcall *m, uint64_t delay_ns) {
    take_back(m);
    m->phase = RETRYING;
    m->retry = ims_host_timer(m->call->u->host, delay_ns, try_again, m);
}

static ibk_err send_offer(ue_midcall *m, ibk_span mikey) {
    ue_leg *leg = m->leg;
    ibk_buf body = {0};
    bool invite = m->queue[0]->carrier == SCN_CARRIER_REINVITE;
    ibk_err err = ue_sdp_write(leg, &body, false, mikey);
    sip_msg *request = err ? NULL : sip_leg_new_request(leg->sip, invite ? "INVITE" : "UPDATE");
    if (request) {
        sip_msg_set_body(request, UE_SDP_TYPE, ibk_buf_span(&body));
        ue_session_timer_mark(m->call, request);
    }
    ibk_buf_free(&body);
    if (!err)
        err = sip_leg_send(leg->sip, request);
    if (!err)
        m->phase = SENT;
    return err;
}

/* What the action means for the description. */
static void set_wishes(ue_midcall *m) {
    ue_leg *leg = m->leg;
    m->before.wish = leg->wish;
    m->before.video = leg->video;
    m->before.has_video = leg->has_video;
    switch (m->queue[0]->what) {
    case SCN_DO_HOLD:
        leg->wish = SIP_SENDONLY;
        break;
    case SCN_DO_RESUME:
        leg->wish = SIP_SENDRECV;
        break;
    case SCN_DO_ADD_VIDEO:
        ue_call_have_stream(m->call, UE_VIDEO);
        leg->video = leg->has_video = true;
        break;
    case SCN_DO_REMOVE_VIDEO:
        leg->video = false;
        break;
    default:
        break;
    }
}

/* The map in force, and two crypto sessions for a second m-line (RFC 4567 §7.1) under the policy of the
 * first. */
static size_t extend_map(const ue_midcall *m, ibk_cs_srtp map[UE_CRYPTO_SESSIONS(UE_STREAMS)]) {
    const ibk_hdr *hdr = ibk_session_header(m->leg->session);
    size_t count = 0;
    while (count < UE_CRYPTO_SESSIONS(1) && ibk_map_srtp(hdr, count, &map[count]))
        count++;
    for (; count < UE_CRYPTO_SESSIONS(UE_STREAMS); count++)
        map[count] = (ibk_cs_srtp){.policy_no = map[0].policy_no};
    map[ue_cs_id(UE_VIDEO, m->call->view.caller) - 1].ssrc = m->call->ssrc[UE_VIDEO];
    return count;
}

static bool has_crypto_sessions(const ue_leg *leg, unsigned streams) {
    const ibk_hdr *hdr = ibk_session_header(leg->session);
    return hdr && hdr->n_cs >= UE_CRYPTO_SESSIONS(streams);
}

/* Our offer is out, or why not. */
static void begun(ue_midcall *m, ibk_err err, const ibk_diag *diag) {
    if (err == IBK_ERR_STATE && !diag->err) /* the ACK of the INVITE before is on its way */
        postpone(m, 100 * SIP_MS);
    else if (err)
        fail(m, 0, err, diag);
}

static void i_message_1_step(ue_leg *leg, const ibk_step *step) {
    ue_midcall *m = leg->call->midcall;
    ibk_diag diag = {0};
    ibk_err err = IBK_OK;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        m->phase = PREPARING;
        leg->pending = UE_PENDING_MIDCALL;
    } else if (step->kind == IBK_STEP_WAIT) {
        ue_leg_watch_deadline(leg);
        err = send_offer(m, step->message);
    } else {
        diag = step->diag;
        err = step->reason ? step->reason : IBK_ERR_UNEXPECTED_MESSAGE;
    }
    begun(m, err, &diag);
}

static ibk_err offer_update(ue_midcall *m) {
    ibk_cs_srtp map[UE_CRYPTO_SESSIONS(UE_STREAMS)];
    ibk_update_config config = {.new_dh = m->queue[0]->what == SCN_DO_REKEY};
    ibk_step step;
    if (m->queue[0]->what == SCN_DO_ADD_VIDEO) {
        config.n_srtp = extend_map(m, map);
        config.srtp = map;
    }
    ibk_err err = ibk_session_update(m->leg->session, ims_host_time(m->call->u->host), &config, &step);
    if (err)
        return err;
    m->phase = COMPUTING;
    ue_leg_after_work(m->leg, &step, i_message_1_step);
    return IBK_OK;
}

static void begin(ue_midcall *m) {
    const scn_action *action = m->queue[0];
    const ibk_diag diag = {0};
    bool video = action->what == SCN_DO_ADD_VIDEO && !has_crypto_sessions(m->leg, UE_STREAMS);
    m->csb = video || action->what == SCN_DO_UPDATE || action->what == SCN_DO_REKEY;
    const ue_update update = {.by_us = true,
                              .reinvite = action->carrier == SCN_CARRIER_REINVITE,
                              .what = action->what,
                              .csb = m->csb,
                              .new_dh = action->what == SCN_DO_REKEY};
    ibk_err err = IBK_OK;
    if (m->phase != PREPARING) { /* else it is under way, and waited for keys */
        err = add_record(m, &m->record, &update);
        set_wishes(m);
    }
    if (!err)
        err = m->csb ? offer_update(m) : send_offer(m, (ibk_span){0});
    begun(m, err, &diag);
}

/* The next action begins as soon as nothing else goes on in the dialog. */
static void proceed(ue_midcall *m) {
    bool free = m->phase == IDLE || (m->phase == RETRYING && !m->retry);
    if (free && m->queued > 0 && !m->server && m->call->sip && !ue_session_timer_is_busy(m->call))
        begin(m);
}

static void action_is_due(void *arg) {
    due *d = arg;
    ue_midcall *m = d->m;
    d->timer = 0;
    m->queue[m->queued++] = d->action;
    proceed(m);
}

/* ---- the answer to our offer
 * ---------------------------------------------------------------------------------------- */

static void keep(sip_sdp *agreed, ue_leg *leg) {
    sip_sdp_free(leg->remote);
    leg->remote = agreed;
}

/* The answer has been read: both descriptions are in force now, or the call ends. */
static void answered(ue_midcall *m, ibk_err err, const ibk_diag *diag) {
    ue_leg *leg = m->leg;
    sip_msg *response = m->response;
    m->response = NULL;
    if (!err)
        keep(m->answer, leg);
    else
        sip_sdp_free(m->answer);
    m->answer = NULL;
    if (sip_is(response, "INVITE"))
        sip_leg_ack(leg->sip, NULL, (ibk_span){0});
    if (!err)
        err = ue_media_apply(leg, false);
    if (err) {
        m->csb = true; /* the two ends may disagree from here on */
        fail(m, response->status, err, diag);
    } else {
        end_record(m, m->record, response->status, IBK_OK, NULL);
        ue_session_timer_refreshed(m->call);
        pop(m);
        proceed(m);
    }
    sip_msg_free(response);
}

static void r_message_1_step(ue_leg *leg, const ibk_step *step) {
    ue_midcall *m = leg->call->midcall;
    ibk_diag diag = {0};
    ibk_err err = IBK_OK;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        leg->pending = UE_PENDING_MIDCALL;
        return;
    }
    ue_leg_watch_deadline(leg);
    if (step->kind != IBK_STEP_UPDATED) {
        diag = step->diag;
        err = step->reason ? step->reason : IBK_ERR_UNEXPECTED_MESSAGE;
    } else {
        ue_leg_note_keys(leg);
        /* Who answered has the new keys: we send under them at once (RFC 4567 §4.1.2: the exchange is
         * finalized).
         */
        err = record(m, m->record)->new_dh ? ue_media_rekey(leg, true) : IBK_OK;
    }
    answered(m, err, &diag);
}

/* A 2xx; again when keys for it have arrived. */
static void read_answer(ue_midcall *m) {
    ue_leg *leg = m->leg;
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    ibk_step step;
    sip_sdp *agreed = leg->remote;
    leg->remote = NULL;
    ibk_err err = ue_sdp_read(leg, m->response, &mikey, &diag);
    sip_sdp_free(m->answer);
    m->answer = leg->remote; /* both are kept until the answer has proved good */
    leg->remote = agreed;
    if (!err && m->csb && mikey.len == 0)
        err =
            ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the answer carries no MIKEY message");
    if (!err && m->csb)
        err = ibk_session_recv(leg->session, ims_host_time(m->call->u->host), ibk_buf_span(&mikey), &step);
    if (!err && m->csb)
        ue_leg_after_work(leg, &step, r_message_1_step);
    else
        answered(m, err, &diag);
    ibk_buf_free(&mikey);
}

void ue_midcall_response(ue_call *call, const char *method, const sip_msg *response, sip_cause cause) {
    ue_midcall *m = call->midcall;
    ibk_diag diag = {0};
    uint32_t seconds = 0;
    int status = response ? response->status : 0;
    bool offer = strcmp(method, "UPDATE") == 0 || strcmp(method, "INVITE") == 0;
    if (!offer || m->phase != SENT || m->response || (response && status < 200))
        return;
    if (status / 100 == 2) {
        m->response = sip_msg_clone(response);
        if (m->response)
            read_answer(m);
        else
            fail(m, status, IBK_ERR_NO_MEMORY, NULL);
        return;
    }
    ibk_fail(&diag, status ? IBK_ERR_PEER_ERROR : IBK_ERR_TIMEOUT, method, 0, "%s %d",
             status ? "refused by" : sip_cause_name(cause), status);
    if (status == 491 || (status == 500 && sip_header_u32(response, "Retry-After", &seconds))) {
        end_record(m, m->record, status, diag.err, &diag);
        uint64_t random = status == 491 ? sim_random_u64(call->u->host->sip_random) : 0;
        postpone(m, status == 491 ? ue_glare_delay_ns(random, call->view.caller) : seconds * SIP_S);
        return;
    }
    fail(m, status, diag.err, &diag);
}

/* ---- the other party's offer
 * -------------------------------------------------------------------------------------- */

static void server_ended(void *user, sip_server *server, sip_cause cause) {
    ue_midcall *m = user;
    (void)server, (void)cause;
    m->server = NULL;
    keep(m->agreed, m->leg);
    m->agreed = NULL;
    proceed(m);
}

static sip_server *release_server(ue_midcall *m) {
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
    keep(m->agreed, leg);
    m->agreed = NULL;
    end_record(m, m->their_record, 488, reason, diag);
    call->view.reason = call->view.reason ? call->view.reason : reason;
    if (!call->view.diag.err && diag)
        call->view.diag = *diag;
    sip_leg_respond(leg->sip, release_server(m), response);
    proceed(m);
}

/* The streams as their offer wants them: pictures only if there are crypto sessions for them. */
static void follow(ue_midcall *m) {
    ue_leg *leg = m->leg;
    ue_update *u = record(m, m->their_record);
    bool described = leg->remote->media_count > UE_VIDEO;
    bool wanted = described && leg->remote->media[UE_VIDEO].port != 0;
    bool video = wanted && has_crypto_sessions(leg, UE_STREAMS);
    if (video)
        ue_call_have_stream(m->call, UE_VIDEO);
    if (u->new_dh)
        u->what = SCN_DO_REKEY;
    else if (video != leg->video)
        u->what = video ? SCN_DO_ADD_VIDEO : SCN_DO_REMOVE_VIDEO;
    else if (!u->csb)
        u->what =
            sip_direction_receives(leg->remote->media[UE_AUDIO].direction) ? SCN_DO_RESUME : SCN_DO_HOLD;
    leg->has_video = leg->has_video || described;
    leg->video = video;
}

static void answer(ue_midcall *m, ibk_span mikey) {
    ue_call *call = m->call;
    ue_leg *leg = m->leg;
    ibk_buf body = {0};
    const sip_msg *request = sip_server_request(m->server);
    follow(m);
    ibk_err err = ue_sdp_write(leg, &body, true, mikey);
    if (err) {
        ibk_session_revert_update(leg->session); /* if there was one */
        refuse(m, err, NULL, (ibk_span){0});
    } else {
        bool new_dh = record(m, m->their_record)->new_dh;
        sip_msg *response = sip_leg_response(leg->sip, m->server, 200, NULL);
        if (response) {
            sip_msg_set_body(response, UE_SDP_TYPE, ibk_buf_span(&body));
            ue_session_timer_answer(response, request);
        }
        if (record(m, m->their_record)->csb)
            ue_leg_note_keys(leg);
        /* We accept the new keys before anybody can have them, and send under them when the offerer shows
         * that it has them: the answer may be lost on its way. */
        err = new_dh ? ue_media_rekey(leg, false) : IBK_OK;
        sip_leg_respond(leg->sip, release_server(m), response);
        if (!err)
            err = ue_media_apply(leg, true); /* what was added begins behind the answer that has its SSRC */
        sip_sdp_free(m->agreed);
        m->agreed = NULL;
        end_record(m, m->their_record, 200, err, NULL);
        if (err)
            ue_call_give_up(call, err, NULL);
        else
            proceed(m);
    }
    ibk_buf_free(&body);
}

static void their_step(ue_leg *leg, const ibk_step *step) {
    ue_midcall *m = leg->call->midcall;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        leg->pending = UE_PENDING_MIDCALL;
        return;
    }
    ue_leg_watch_deadline(leg);
    if (!m->server) /* it took too long */
        return;
    if (step->kind == IBK_STEP_UPDATED)
        answer(m, step->message);
    else
        refuse(m, step->reason ? step->reason : IBK_ERR_UNEXPECTED_MESSAGE, &step->diag, step->message);
}

/* I_MESSAGE_1 of their update, now or when the keys for it are there. */
static void take_i_message_1(ue_midcall *m) {
    ue_leg *leg = m->leg;
    ibk_cs_srtp ours[UE_CRYPTO_SESSIONS(UE_STREAMS)] = {{0}};
    ibk_step step;
    if (leg->remote->media_count > UE_VIDEO)
        ue_call_have_stream(m->call, UE_VIDEO);
    ours[ue_cs_id(UE_AUDIO, m->call->view.caller) - 1].ssrc = m->call->ssrc[UE_AUDIO];
    ours[ue_cs_id(UE_VIDEO, m->call->view.caller) - 1].ssrc = m->call->ssrc[UE_VIDEO];
    ibk_err err = ibk_session_fill_ssrcs(leg->session, ours, UE_CRYPTO_SESSIONS(UE_STREAMS));
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
    m->agreed = leg->remote;
    leg->remote = NULL;
    ibk_err err = ue_sdp_read(leg, request, &m->message, &diag);
    update.csb = m->message.len > 0;
    update.new_dh = update.csb && brings_dh(ibk_buf_span(&m->message));
    m->server = server;
    sip_server_watch(server, &ops, m);
    if (add_record(m, &m->their_record, &update)) {
        keep(m->agreed, leg);
        m->agreed = NULL;
        sip_leg_reply(leg->sip, release_server(m), 500, NULL, NULL, (ibk_span){0});
    } else if (err) {
        refuse(m, err, &diag, (ibk_span){0});
    } else if (update.csb) {
        take_i_message_1(m);
    } else {
        answer(m, (ibk_span){0});
    }
}

static void reply_retry(const ue_midcall *m, sip_leg *sip, sip_server *server) {
    sip_msg *response = sip_leg_response(sip, server, 500, NULL);
    if (response) /* RFC 3311 §5.2, RFC 3261 §14.2: 0 to 10 s */
        sip_header_addf(response, "Retry-After", "%u",
                        (unsigned)(sim_random_u64(m->call->u->host->sip_random) % 11));
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
    } else if (m->phase == SENT || m->phase == COMPUTING) {
        sip_leg_reply(sip, server, 491, NULL, NULL, (ibk_span){0});
    } else if (m->server) {
        reply_retry(m, sip, server);
    } else {
        ue_session_timer_refreshed(call);
        take_offer(m, server, request);
    }
}

void ue_midcall_keys_arrived(ue_call *call) {
    ue_midcall *m = call->midcall;
    if (!m)
        return;
    if (m->server) {
        take_i_message_1(m);
    } else if (m->response) {
        read_answer(m);
    } else if (m->phase == PREPARING) {
        begin(m);
    }
}

/* ---- keys that the peer has
 * ------------------------------------------------------------------------------------------- */

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

/* ---- life
 * -------------------------------------------------------------------------------------------------------------
 */

bool ue_midcall_is_busy(const ue_call *call) {
    return call->midcall &&
           (call->midcall->phase == SENT || call->midcall->phase == COMPUTING || call->midcall->server);
}

void ue_midcall_proceed(ue_call *call) {
    if (call->midcall)
        proceed(call->midcall);
}

static bool is_ours(const ue_call *call, const scn_action *action) {
    return (action->by == SCN_CALLER) == call->view.caller;
}

ibk_err ue_midcall_start(ue_leg *leg) {
    ue_call *call = leg->call;
    const scn_call *script = call->script;
    size_t count = 0, room = script ? script->action_count : 0;
    ue_midcall *m = calloc(1, sizeof *m);
    if (!m)
        return IBK_ERR_NO_MEMORY;
    *m = (ue_midcall){.call = call, .leg = leg};
    call->midcall = m;
    m->due = calloc(room + 1, sizeof *m->due);
    m->queue = calloc(room + 1, sizeof *m->queue);
    if (!m->due || !m->queue)
        return IBK_ERR_NO_MEMORY;
    uint64_t now = ims_host_now(call->u->host), acked = call->acked.set ? call->acked.ns : now;
    for (size_t i = 0; i < room; i++) {
        if (!is_ours(call, &script->actions[i]))
            continue;
        uint64_t at = acked + script->actions[i].at_ns;
        due *d = &m->due[count++];
        *d = (due){.m = m, .action = &script->actions[i]};
        d->timer = ims_host_timer(call->u->host, at > now ? at - now : 0, action_is_due, d);
    }
    m->due_count = count;
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
        release_server(m);
    ibk_buf_free(&m->message);
    sip_sdp_free(m->agreed);
    sip_msg_free(m->response);
    sip_sdp_free(m->answer);
    free(m->due);
    free(m->queue);
    free(m);
    call->midcall = NULL;
}
