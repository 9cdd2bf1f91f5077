/* The agent's calls, message by message: as the caller I_MESSAGE_1 in the INVITE, I_MESSAGE_2 in the PRACK;
 * as the callee R_MESSAGE_1 in the reliable 183, R_MESSAGE_2 in the answer to what brought I_MESSAGE_2
 * (P-13). */
#include "adversary/agent_internal.h"

#include <string.h>

/* What was charged for a step is done beside it: its messages do not wait for it. */
static void account(const agent *a) {
    ims_host_work(a->host, "own exchange", NULL, NULL, NULL);
}

static void hang_up(void *arg) {
    dialog *d = arg;
    d->timer = 0;
    ims_host_cancel(d->a->host, &d->next_packet);
    if (d->sip)
        sip_call_hangup(d->sip, NULL);
}

static void hang_up_soon(dialog *d, uint64_t delay_ns) {
    ims_host_cancel(d->a->host, &d->timer);
    d->timer = ims_host_timer(d->a->host, delay_ns, hang_up, d);
}

/* ---- caller
 * --------------------------------------------------------------------------------------------------- */

static ibk_err new_invite(agent *a, const agent_call *call, sip_msg **out) {
    sip_arena arena = {0};
    sip_name_addr from = {0}, to = {0};
    sip_uri target;
    ibk_err err = sip_uri_parse(&arena, &from.uri, call->as, NULL);
    if (!err)
        err = sip_uri_parse(&arena, &to.uri, call->to, NULL);
    if (!err)
        err = sip_uri_parse(&arena, &target, call->to, NULL);
    *out = err ? NULL : sip_ua_request(a->ua, "INVITE", &target, &from, &to);
    sip_arena_free(&arena);
    return err || *out ? err : IBK_ERR_NO_MEMORY;
}

/* The recording, or an I_MESSAGE_1 of its own; kept, for the answer goes by it. */
static ibk_err first_message(dialog *d, const agent_call *call, const char *call_id) {
    ibk_identity as = ibk_identity_uri(call->as), to = ibk_identity_uri(call->to);
    ibk_step step = {0};
    if (call->i_message_1.len)
        return ibk_buf_append_span(&d->i_message_1, call->i_message_1);
    ibk_err err = dialog_open_exchange(d, call_id, &as, &to);
    if (!err)
        err = ibk_session_start(craft_leg_session(d->exchange), ims_host_time(d->a->host), &step);
    if (!err && step.kind != IBK_STEP_WAIT)
        err = step.reason ? step.reason : IBK_ERR_NO_PARAMS;
    return err ? err : ibk_buf_append_span(&d->i_message_1, step.message);
}

ibk_err agent_place_call(agent *a, const agent_call *call) {
    dialog *d = dialog_new(a, true);
    sip_msg *invite = NULL;
    ibk_buf body = {0};
    if (!d)
        return IBK_ERR_NO_MEMORY;
    if (call->lasts_ns)
        d->lasts_ns = call->lasts_ns;
    ibk_err err = new_invite(a, call, &invite);
    if (!err)
        err = first_message(d, call, invite->call_id);
    if (!err)
        err = dialog_write_sdp(d, &body, false, ibk_buf_span(&d->i_message_1));
    if (err) {
        sip_msg_free(invite);
    } else {
        sip_dest dest = {.proto = SIP_UDP, .addr = call->at};
        dest.addr.port = call->at.port ? call->at.port : SIP_PORT;
        sip_msg_set_body(invite, AGENT_SDP, ibk_buf_span(&body));
        err = sip_call_invite(a->ua, &d->sip, invite, &dest, d);
        a->stats.placed += !err;
    }
    account(a);
    ibk_buf_free(&body);
    return err;
}

/* I_MESSAGE_2 by its own exchange. */
static ibk_err go_on(dialog *d, ibk_span r_message_1, ibk_buf *out) {
    ibk_step step = {0};
    ibk_err err = craft_leg_receive(d->exchange, r_message_1, &step);
    if (!err && step.kind != IBK_STEP_WAIT)
        err = step.reason;
    return err ? err : ibk_buf_append_span(out, step.message);
}

/* I_MESSAGE_2, by its own exchange, or by what the keys that it holds make of an answer to a recording. Where
 * they make nothing of it, it tries a point of its own for [y]P: then `read` stays false. */
static ibk_err answer_r_message_1(dialog *d, ibk_span r_message_1, ibk_buf *out, bool *read) {
    ibk_msg i1 = {0}, r1 = {0};
    craft *c = d->a->craft;
    *read = d->exchange && go_on(d, r_message_1, out) == IBK_OK;
    if (*read)
        return IBK_OK;
    ibk_err err = ibk_msg_parse(&i1, ibk_buf_span(&d->i_message_1), NULL);
    if (!err)
        err = ibk_msg_parse(&r1, r_message_1, NULL);
    if (!err)
        *read = !d->exchange && craft_answer_replayed(c, &i1, &r1, out, NULL) == IBK_OK;
    if (!err && !*read)
        err = craft_answer_unread(c, &i1, &r1, out, NULL);
    ibk_msg_free(&i1);
    ibk_msg_free(&r1);
    return err;
}

/* What it cannot answer it acknowledges, and takes the call back. */
static void on_progress(void *user, sip_call *sip, sip_leg *leg, const sip_msg *response, bool reliable) {
    dialog *d = sip_call_user(sip);
    ibk_buf r1 = {0}, i2 = {0}, body = {0};
    bool read = false;
    (void)user;
    if (!reliable || !d)
        return;
    d->leg = leg;
    ibk_err err = dialog_read_sdp(d, response, &r1);
    if (!err)
        err = answer_r_message_1(d, ibk_buf_span(&r1), &i2, &read);
    d->a->stats.read += read;
    if (!err)
        err = dialog_write_sdp(d, &body, false, ibk_buf_span(&i2));
    sip_leg_prack(leg, response, err ? NULL : AGENT_SDP, err ? (ibk_span){0} : ibk_buf_span(&body));
    if (err)
        hang_up_soon(d, SIP_S);
    account(d->a);
    ibk_buf_free(&r1);
    ibk_buf_free(&i2);
    ibk_buf_free(&body);
}

/* The 200 (PRACK): whoever answers so has taken I_MESSAGE_2. Who refuses it will not ring. */
static void on_response(void *user, sip_call *sip, sip_leg *leg, const char *method, const sip_msg *response,
                        sip_cause cause) {
    dialog *d = sip_call_user(sip);
    ibk_buf r2 = {0};
    ibk_step step = {0};
    (void)user, (void)leg, (void)method, (void)cause;
    if (d && response && response->status >= 300)
        hang_up_soon(d, SIP_S);
    if (!d || !response || response->status / 100 != 2 || dialog_read_sdp(d, response, &r2))
        goto done;
    d->a->stats.accepted++;
    if (d->exchange && craft_leg_receive(d->exchange, ibk_buf_span(&r2), &step) == IBK_OK &&
        step.kind == IBK_STEP_ESTABLISHED)
        d->a->stats.keys++;
done:
    ibk_buf_free(&r2);
}

static void on_answered(void *user, sip_call *sip, sip_leg *leg, const sip_msg *response) {
    dialog *d = sip_call_user(sip);
    (void)user, (void)response;
    sip_leg_ack(leg, NULL, (ibk_span){0});
    if (!d)
        return;
    dialog_talk(d);
    hang_up_soon(d, d->lasts_ns);
}

/* ---- callee
 * ---------------------------------------------------------------------------------------------------------
 */

static ibk_err answer_i_message_1(dialog *d, const sip_msg *invite, ibk_buf *out) {
    ibk_buf i1 = {0};
    ibk_peek peek;
    ibk_step step = {0};
    ibk_err err = dialog_read_sdp(d, invite, &i1);
    if (!err)
        err = ibk_message_peek(&peek, ibk_buf_span(&i1), NULL);
    if (!err) /* in the name of whoever was called */
        err = dialog_open_exchange(d, invite->call_id, &peek.responder, NULL);
    if (!err)
        err = craft_leg_receive(d->exchange, ibk_buf_span(&i1), &step);
    if (!err && step.kind != IBK_STEP_WAIT)
        err = step.reason;
    if (!err)
        err = ibk_buf_append_span(out, step.message);
    ibk_buf_free(&i1);
    return err;
}

static void on_incoming(void *user, sip_call *sip, const sip_msg *invite) {
    agent *a = user;
    dialog *d = dialog_new(a, false);
    ibk_buf r1 = {0}, body = {0};
    ibk_err err = d ? answer_i_message_1(d, invite, &r1) : IBK_ERR_NO_MEMORY;
    if (d && !err)
        err = dialog_write_sdp(d, &body, true, ibk_buf_span(&r1));
    if (d) {
        d->sip = sip;
        sip_call_set_user(sip, d);
    }
    account(a);
    a->stats.answered += !err;
    a->stats.read += !err;
    if (err)
        sip_call_reply(sip, 488, false, NULL, (ibk_span){0});
    else
        sip_call_reply(sip, 183, true, AGENT_SDP, ibk_buf_span(&body));
    ibk_buf_free(&r1);
    ibk_buf_free(&body);
}

static void answer_call(void *arg) {
    dialog *d = arg;
    d->timer = 0;
    if (d->sip)
        sip_call_reply(d->sip, 200, false, NULL, (ibk_span){0});
}

static ibk_err answer_i_message_2(dialog *d, const sip_msg *request, ibk_buf *body) {
    ibk_buf i2 = {0};
    ibk_step step = {0};
    ibk_err err = dialog_read_sdp(d, request, &i2);
    if (!err)
        err = craft_leg_receive(d->exchange, ibk_buf_span(&i2), &step);
    if (!err && step.kind != IBK_STEP_ESTABLISHED && step.kind != IBK_STEP_UPDATED)
        err = step.reason ? step.reason : IBK_ERR_UNEXPECTED_MESSAGE;
    if (!err)
        err = dialog_write_sdp(d, body, true, step.message);
    ibk_buf_free(&i2);
    return err;
}

static void on_request(void *user, sip_call *sip, sip_leg *leg, sip_server *server, const sip_msg *request) {
    dialog *d = sip_call_user(sip);
    ibk_buf body = {0};
    (void)user;
    if (!d || d->caller || !d->exchange || !sip_has_body_type(request, AGENT_SDP)) {
        sip_leg_reply(leg, server, d && sip_is(request, "PRACK") ? 200 : 488, NULL, NULL, (ibk_span){0});
        return;
    }
    d->leg = leg;
    ibk_err err = answer_i_message_2(d, request, &body);
    account(d->a);
    sip_leg_reply(leg, server, err ? 488 : 200, NULL, err ? NULL : AGENT_SDP,
                  err ? (ibk_span){0} : ibk_buf_span(&body));
    ibk_buf_free(&body);
    if (err || sip_call_active_leg(sip) != leg || d->timer)
        return;
    d->a->stats.accepted++;
    d->a->stats.keys++;
    sip_call_reply(sip, 180, false, NULL, (ibk_span){0});
    d->timer = ims_host_timer(d->a->host, SIP_S, answer_call, d);
}

static void on_acked(void *user, sip_call *sip, sip_leg *leg, const sip_msg *ack) {
    dialog *d = sip_call_user(sip);
    (void)user, (void)leg, (void)ack;
    if (!d)
        return;
    dialog_talk(d);
    hang_up_soon(d, d->lasts_ns);
}

/* ---- the end
 * -----------------------------------------------------------------------------------------------------------
 */

static void on_ended(void *user, sip_call *sip, sip_cause cause, const sip_msg *last) {
    dialog *d = sip_call_user(sip);
    (void)user, (void)cause, (void)last;
    if (d)
        dialog_over(d);
}

static void on_outside(void *user, sip_server *server, const sip_msg *request) {
    (void)user, (void)request;
    sip_server_reply(server, 404, NULL);
}

const sip_ua_ops agent_ua_ops = {.incoming = on_incoming,
                                 .acked = on_acked,
                                 .progress = on_progress,
                                 .answered = on_answered,
                                 .request = on_request,
                                 .response = on_response,
                                 .ended = on_ended,
                                 .outside = on_outside};
