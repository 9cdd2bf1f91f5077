/* Our offer in the middle of a call, and the answer to it. */
#include "ims/ue/midcall_inside.h"

#include <string.h>

static void pop(ue_midcall *m) {
    m->phase = MIDCALL_IDLE;
    memmove(&m->queue[0], &m->queue[1], --m->queued * sizeof *m->queue);
}

static void take_back(ue_midcall *m) {
    midcall_restore(m->leg, &m->before);
    ibk_session_abandon_update(m->leg->session); /* if there is one */
}

/* RFC 4567 §4.1.1, §4.1.2: whose rekeying fails ends the call. Any other refused offer leaves it as it was.
 */
static void fail(ue_midcall *m, int sip_status, ibk_err reason, const ibk_diag *diag) {
    ue_call *call = m->call;
    bool fatal = m->csb || sip_status == 408 || sip_status == 481 || sip_status == 0;
    take_back(m);
    midcall_end_record(m, m->record, sip_status, reason, diag);
    pop(m);
    if (fatal)
        ue_call_give_up(call, reason, diag);
    else
        midcall_proceed(m);
}

static void try_again(void *arg) {
    ue_midcall *m = arg;
    m->retry = 0;
    midcall_proceed(m);
}

/* RFC 3261 §14.1, RFC 3311 §5.3, in units of 10 ms. */
uint64_t ue_glare_delay_ns(uint64_t random, bool owns_call_id) {
    return (owns_call_id ? 210 + random % 191 : random % 201) * 10 * SIP_MS;
}

static void postpone(ue_midcall *m, uint64_t delay_ns) {
    take_back(m);
    m->phase = MIDCALL_RETRYING;
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
        m->phase = MIDCALL_SENT;
    return err;
}

/* What the action means for the description. */
static void set_wishes(ue_midcall *m) {
    ue_leg *leg = m->leg;
    m->before = midcall_state_of(leg);
    switch (m->queue[0]->what) {
    case SCN_DO_HOLD:
        leg->wish = SIP_SENDONLY;
        break;
    case SCN_DO_RESUME:
        leg->wish = SIP_SENDRECV;
        break;
    case SCN_DO_ADD_VIDEO:
        ue_call_have_stream(m->call, UE_VIDEO);
        ue_sdp_give_line(leg, UE_VIDEO);
        leg->video = true;
        break;
    case SCN_DO_REMOVE_VIDEO:
        leg->video = false;
        break;
    default:
        break;
    }
}

/* The map in force, and two crypto sessions for each further m-line up to that of the pictures (RFC 4567
 * §7.1), under the policy of the first. */
static size_t extend_map(const ue_midcall *m, ibk_cs_srtp map[UE_CS_MAX]) {
    const ibk_hdr *hdr = ibk_session_header(m->leg->session);
    size_t count = 0;
    while (count < UE_CS_MAX && ibk_map_srtp(hdr, count, &map[count]))
        count++;
    uint8_t ours = ue_cs_id(m->leg, UE_VIDEO, m->call->view.caller);
    for (; count < 2 * (size_t)m->leg->line[UE_VIDEO]; count++)
        map[count] = (ibk_cs_srtp){.policy_no = map[0].policy_no};
    map[ours - 1].ssrc = m->call->ssrc[UE_VIDEO];
    return count;
}

/* P-27: no T is left for this second; nothing has been sent. */
static bool lacks_timestamp(ibk_err err, const ibk_diag *diag) {
    return err == IBK_ERR_LIMIT && diag->payload && strcmp(diag->payload, "T") == 0;
}

/* Our offer is out, or why not. */
static void begun(ue_midcall *m, ibk_err err, const ibk_diag *diag) {
    if (err == IBK_ERR_STATE && !diag->err) /* the ACK of the INVITE before is on its way */
        postpone(m, 100 * SIP_MS);
    else if (lacks_timestamp(err, diag))
        postpone(m, SIP_S);
    else if (err)
        fail(m, 0, err, diag);
}

static void i_message_1_step(ue_leg *leg, const ibk_step *step) {
    ue_midcall *m = leg->call->midcall;
    ibk_diag diag = {0};
    ibk_err err = IBK_OK;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        m->phase = MIDCALL_PREPARING;
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
    ibk_cs_srtp map[UE_CS_MAX] = {{0}};
    const scn_action *action = m->queue[0];
    ibk_update_config config = {.new_dh = action->what == SCN_DO_REKEY};
    ibk_step step;
    if (action->what == SCN_DO_ADD_VIDEO && !m->leg->line[UE_VIDEO])
        return IBK_ERR_LIMIT; /* every m-line that a description may have is taken */
    if (action->what == SCN_DO_ADD_VIDEO) {
        config.n_srtp = extend_map(m, map);
        config.srtp = map;
    }
    if (config.new_dh && m->call->script)
        config.curve = m->call->script->curve;
    if (action->mki)
        config.mki = ibk_span_str(action->mki); /* P-35 */
    ibk_err err = ibk_session_update(m->leg->session, ims_host_time(m->call->u->host), &config, &step);
    if (err)
        return err;
    m->phase = MIDCALL_COMPUTING;
    ue_leg_after_work(m->leg, &step, i_message_1_step);
    return IBK_OK;
}

/* A new attempt, unless it is under way and waited for keys. One that was put off before anything was sent is
 * the same, and has its record. */
static ibk_err begin_attempt(ue_midcall *m) {
    const scn_action *action = m->queue[0];
    bool again = m->phase == MIDCALL_RETRYING && !midcall_record(m, m->record)->done;
    if (m->phase == MIDCALL_PREPARING)
        return IBK_OK;
    const ue_update update = {.by_us = true,
                              .reinvite = action->carrier == SCN_CARRIER_REINVITE,
                              .what = action->what,
                              .wanted_mki = action->mki,
                              .new_dh = action->what == SCN_DO_REKEY};
    ibk_err err = again ? IBK_OK : midcall_add_record(m, &m->record, &update);
    if (err)
        return err;
    set_wishes(m);
    m->csb = action->what == SCN_DO_UPDATE || action->what == SCN_DO_REKEY ||
             (action->what == SCN_DO_ADD_VIDEO && !midcall_has_crypto_sessions(m->leg, UE_VIDEO));
    midcall_record(m, m->record)->csb = m->csb;
    return IBK_OK;
}

void midcall_begin(ue_midcall *m) {
    const ibk_diag diag = {0};
    if (begin_attempt(m)) { /* there is no record to end */
        ue_call_give_up(m->call, IBK_ERR_NO_MEMORY, NULL);
        return;
    }
    begun(m, m->csb ? offer_update(m) : send_offer(m, (ibk_span){0}), &diag);
}

/* ---- the answer -----------------------------------------------------------------------------------------
 */

/* The answer has been read: both descriptions are in force now, or the call ends. */
static void answered(ue_midcall *m, ibk_err err, const ibk_diag *diag) {
    ue_leg *leg = m->leg;
    sip_msg *response = m->response;
    m->response = NULL;
    if (!err)
        midcall_keep(leg, m->answer);
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
        midcall_end_record(m, m->record, response->status, IBK_OK, NULL);
        ue_session_timer_refreshed(m->call);
        pop(m);
        midcall_proceed(m);
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
        err = midcall_record(m, m->record)->new_dh ? ue_media_rekey(leg, true) : IBK_OK;
    }
    answered(m, err, &diag);
}

void midcall_read_answer(ue_midcall *m) {
    ue_leg *leg = m->leg;
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    ibk_step step;
    sip_sdp *agreed = leg->remote;
    leg->remote = NULL;
    ibk_err err = ue_sdp_read_answer(leg, m->response, &mikey, &diag);
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
    if (!offer || m->phase != MIDCALL_SENT || m->response || (response && status < 200))
        return;
    if (status / 100 == 2) {
        m->response = sip_msg_clone(response);
        if (m->response)
            midcall_read_answer(m);
        else
            fail(m, status, IBK_ERR_NO_MEMORY, NULL);
        return;
    }
    ibk_fail(&diag, status ? IBK_ERR_PEER_ERROR : IBK_ERR_TIMEOUT, method, 0, "%s %d",
             status ? "refused by" : sip_cause_name(cause), status);
    if (status == 491 || (status == 500 && sip_header_u32(response, "Retry-After", &seconds))) {
        midcall_end_record(m, m->record, status, diag.err, &diag);
        uint64_t random = status == 491 ? sim_random_u64(call->u->host->sip_random) : 0;
        postpone(m, status == 491 ? ue_glare_delay_ns(random, call->view.caller) : seconds * SIP_S);
        return;
    }
    fail(m, status, diag.err, &diag);
}
