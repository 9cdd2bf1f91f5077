/* A call as both ends have it: the exchange beside the SIP call, its timers, its end. */
#include "ims/ue/internal.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

ue_moment ue_call_now(const ue_call *call) {
    return (ue_moment){ims_host_now(call->u->host), true};
}

void ue_call_state(ue_call *call, const char *state) {
    trace *t = call->u->host->world->trace;
    trace_begin(t, TRACE_STATE, call->u->host->name, state);
    trace_str(t, "role", call->view.caller ? "caller" : "callee");
    if (call->script)
        trace_str(t, "scenario_call", call->script->name);
    trace_str(t, "call", call->view.call_id[0] ? call->view.call_id : NULL);
    trace_end(t);
}

ue_call *ue_call_new(ue *u, const scn_call *script, bool caller) {
    if (u->call_count == u->call_cap) {
        size_t cap = u->call_cap ? 2 * u->call_cap : 4;
        ue_call **grown = realloc(u->calls, cap * sizeof *grown);
        if (!grown)
            return NULL;
        u->calls = grown;
        u->call_cap = cap;
    }
    ue_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    *call = (ue_call){.u = u, .script = script, .view = {.script = script, .caller = caller}};
    call->rtp_port = u->next_rtp_port;
    u->next_rtp_port = (uint16_t)(u->next_rtp_port + 2 < 32000 ? u->next_rtp_port + 2 : 20000);
    uint64_t random = sim_random_u64(u->host->sip_random);
    call->ssrc = (uint32_t)(random >> 32) | 1; /* 0 means "not yet known" in a MIKEY map */
    call->sdp_session_id = (uint32_t)random;
    call->sdp_version = 1;
    u->calls[u->call_count++] = call;
    return call;
}

void ue_call_release(ue_call *call) {
    ims_host_cancel(call->u->host, &call->session_timer);
    ims_host_cancel(call->u->host, &call->plan_timer);
    ims_host_cancel(call->u->host, &call->cancel_timer);
    ue_media_close(call);
    ibk_session_free(call->session); /* wipes x, y and every key */
    call->session = NULL;
    ibk_buf_free(&call->pending_message);
    sip_msg_free(call->pending_response);
    call->pending_response = NULL;
    if (call->pending_server)
        sip_server_watch(call->pending_server, NULL, NULL);
    call->pending_server = NULL;
    sip_sdp_free(call->remote);
    call->remote = NULL;
}

void ue_call_free(ue_call *call) {
    ue_call_release(call);
    free(call);
}

/* ---- the exchange
 * -------------------------------------------------------------------------------------------- */

/* The parameters that our SP names: all that AES_CM_128_HMAC_SHA1 has, none left to a default. */
#define SRTP_PARAMETERS                                                                                      \
    (1u << IBK_SRTP_ENCR_ALG | 1u << IBK_SRTP_ENCR_KEY_LEN | 1u << IBK_SRTP_AUTH_ALG |                       \
     1u << IBK_SRTP_AUTH_KEY_LEN | 1u << IBK_SRTP_SALT_KEY_LEN | 1u << IBK_SRTP_PRF | 1u << IBK_SRTP_ENCR |  \
     1u << IBK_SRTCP_ENCR | 1u << IBK_SRTP_AUTH | 1u << IBK_SRTP_AUTH_TAG_LEN)

ibk_err ue_call_open_session(ue_call *call, const ibk_identity *peer, ibk_span sdp_ids) {
    const scn_mikey *mikey = &call->u->user->domain->mikey;
    ibk_cs_srtp streams[UE_CRYPTO_SESSIONS] = {{0}, {0}};
    ibk_srtp_policy srtp = ibk_srtp_policy_default();
    ibk_buf params = {0};
    streams[(call->view.caller ? UE_CS_FROM_CALLER : UE_CS_FROM_CALLEE) - 1].ssrc = call->ssrc;
    srtp.present = SRTP_PARAMETERS;
    if (call->script && call->script->media.srtp == SCN_SRTP_AES_CM_128_HMAC_SHA1_32)
        srtp.auth_tag_len = 4;
    ibk_err err = ibk_srtp_policy_write(&params, &srtp);
    ibk_sp policy = {.params = ibk_buf_span(&params)};
    ibk_session_config config = {.role = call->view.caller ? IBK_SESSION_INITIATOR : IBK_SESSION_RESPONDER,
                                 .local = ibk_identity_uri(call->u->user->identity),
                                 .local_granularity = call->u->user->domain->kms.granularity,
                                 .peer_granularity = ue_granularity_of(call->u, peer),
                                 .policy = {.ts_type = mikey->timestamp,
                                            .prf = call->script ? call->script->prf : 0,
                                            .curve = call->script ? call->script->curve : 0,
                                            .errors = call->u->user->errors},
                                 .node = ue_node(call->u),
                                 .map_type = IBK_MAP_SRTP_ID,
                                 .srtp = streams,
                                 .n_srtp = UE_CRYPTO_SESSIONS,
                                 .sdp_ids = sdp_ids};
    if (call->view.caller) {
        config.peer = *peer;
        config.policies = &policy;
        config.n_policies = 1;
    }
    ibk_env env = ims_host_env(call->u->host);
    if (!err)
        err = ibk_session_new(&call->session, &env, &config);
    ibk_buf_free(&params);
    return err;
}

static void note_keys(ue_call *call) {
    uint8_t keys[UE_CRYPTO_SESSIONS][16 + 14];
    ibk_err err = IBK_OK;
    for (uint8_t cs = 1; !err && cs <= UE_CRYPTO_SESSIONS; cs++)
        err = ibk_session_tek(call->session, cs, keys[cs - 1], 16, keys[cs - 1] + 16, 14);
    if (!err && SHA256(keys[0], sizeof keys, call->view.key_digest))
        call->view.has_keys = true;
    ibk_wipe(keys, sizeof keys);
    call->view.keyed = ue_call_now(call);
    ue_call_state(call, "keyed");
}

static void session_expired(void *arg);

static void watch_deadline(ue_call *call) {
    ims_host_cancel(call->u->host, &call->session_timer);
    uint64_t deadline = call->session ? ibk_session_deadline(call->session) : UINT64_MAX;
    uint64_t now = ims_host_now(call->u->host);
    if (deadline != UINT64_MAX)
        call->session_timer =
            ims_host_timer(call->u->host, deadline > now ? deadline - now : 0, session_expired, call);
}

/* Where a MIKEY message's size is noted: I_MESSAGE_1 … R_MESSAGE_2. */
static void note_message(ue_call *call, uint8_t type, size_t octets) {
    if (type >= IBK_MSG_I_MESSAGE_1 && type <= IBK_MSG_R_MESSAGE_2)
        call->view.mikey_octets[type - IBK_MSG_I_MESSAGE_1] = octets;
}

static void hand_out(ue_call *call, const ibk_step *step, ue_pending again, ibk_span message) {
    call->view.csb_id = ibk_session_csb_id(call->session);
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        call->pending = again;
        if (again == UE_PENDING_RECEIVE && call->pending_message.len == 0 &&
            ibk_buf_append_span(&call->pending_message, message))
            ue_call_give_up(call, IBK_ERR_NO_MEMORY, NULL);
        return;
    }
    note_message(call, step->message_type, step->message.len);
    if (step->kind == IBK_STEP_CLOSED || step->kind == IBK_STEP_DISCARDED) {
        call->view.reason = step->reason;
        call->view.diag = step->diag;
    } else if (step->kind == IBK_STEP_ESTABLISHED) {
        note_keys(call);
    }
    watch_deadline(call);
    if (call->view.caller)
        ue_caller_step(call, step);
    else
        ue_callee_step(call, step);
}

static void session_expired(void *arg) {
    ue_call *call = arg;
    ibk_step step;
    call->session_timer = 0;
    ibk_session_expire(call->session, ims_host_time(call->u->host), &step);
    if (step.kind == IBK_STEP_CLOSED)
        hand_out(call, &step, UE_PENDING_NONE, (ibk_span){0});
    else
        watch_deadline(call);
}

void ue_call_start_session(ue_call *call) {
    ibk_step step;
    call->pending = UE_PENDING_NONE;
    ibk_err err = ibk_session_start(call->session, ims_host_time(call->u->host), &step);
    if (err)
        ue_call_give_up(call, err, NULL);
    else
        hand_out(call, &step, UE_PENDING_START, (ibk_span){0});
}

void ue_call_receive_mikey(ue_call *call, ibk_span message) {
    ibk_step step;
    ibk_peek peek;
    call->pending = UE_PENDING_NONE;
    if (ibk_message_peek(&peek, message, NULL) == IBK_OK)
        note_message(call, peek.data_type, message.len);
    ibk_err err = ibk_session_recv(call->session, ims_host_time(call->u->host), message, &step);
    if (err)
        ue_call_give_up(call, err, NULL);
    else
        hand_out(call, &step, UE_PENDING_RECEIVE, message);
}

void ue_call_keys_arrived(ue *u) {
    for (size_t i = 0; i < u->call_count; i++) {
        ue_call *call = u->calls[i];
        if (call->pending == UE_PENDING_START) {
            ue_call_start_session(call);
        } else if (call->pending == UE_PENDING_RECEIVE) {
            ibk_buf message = call->pending_message;
            call->pending_message = (ibk_buf){0};
            ue_call_receive_mikey(call, ibk_buf_span(&message));
            ibk_buf_free(&message);
        }
    }
}

/* ---- the end
 * ---------------------------------------------------------------------------------------------------- */

void ue_call_give_up(ue_call *call, ibk_err reason, const ibk_diag *diag) {
    trace *t = call->u->host->world->trace;
    if (!call->view.reason) {
        call->view.reason = reason;
        if (diag)
            call->view.diag = *diag;
    }
    trace_begin(t, TRACE_ERROR, call->u->host->name, "call-given-up");
    trace_str(t, "call", call->view.call_id[0] ? call->view.call_id : NULL);
    trace_diag(t, call->view.reason, call->view.diag.err ? &call->view.diag : NULL);
    trace_end(t);
    if (call->session)
        ibk_session_close(call->session, reason);
    if (call->sip) {
        sip_call_hangup(call->sip, "MIKEY;cause=0");
    } else {
        call->view.ended = ue_call_now(call);
        ue_call_release(call);
    }
}

static void hang_up(void *arg) {
    ue_call *call = arg;
    call->plan_timer = 0;
    call->view.planned_end = true;
    if (call->sip)
        sip_call_hangup(call->sip, NULL);
}

/* From the ACK on: the party that the scenario names sends the BYE. */
void ue_call_plan_end(ue_call *call) {
    if (call->script && (call->script->hang_up == SCN_CALLER) == call->view.caller && !call->plan_timer)
        call->plan_timer = ims_host_timer(call->u->host, call->script->duration_ns, hang_up, call);
}

/* ---- callbacks of the SIP layer
 * ------------------------------------------------------------------------------------ */

static void on_incoming(void *user, sip_call *sip, const sip_msg *invite) {
    ue_callee_incoming(user, sip, invite);
}

static void on_acked(void *user, sip_call *sip, sip_leg *leg, const sip_msg *ack) {
    (void)user, (void)leg, (void)ack;
    if (sip_call_user(sip))
        ue_callee_acked(sip_call_user(sip));
}

static void on_progress(void *user, sip_call *sip, sip_leg *leg, const sip_msg *response, bool reliable) {
    (void)user;
    if (sip_call_user(sip))
        ue_caller_progress(sip_call_user(sip), leg, response, reliable);
}

static void on_answered(void *user, sip_call *sip, sip_leg *leg, const sip_msg *response) {
    (void)user;
    if (sip_call_user(sip))
        ue_caller_answered(sip_call_user(sip), leg, response);
}

static void on_request(void *user, sip_call *sip, sip_leg *leg, sip_server *server, const sip_msg *request) {
    (void)user;
    ue_call *call = sip_call_user(sip);
    if (call && !call->view.caller)
        ue_callee_request(call, leg, server, request);
    else
        sip_leg_reply(leg, server, 488, NULL, NULL, (ibk_span){0});
}

static void on_response(void *user, sip_call *sip, sip_leg *leg, const char *method, const sip_msg *response,
                        sip_cause cause) {
    (void)user, (void)leg;
    if (sip_call_user(sip))
        ue_caller_response(sip_call_user(sip), method, response, cause);
}

/* A final answer may carry the responder's Error message (RFC 4567 §4.1.2): it tells why. */
static void read_error_body(ue_call *call, const sip_msg *last) {
    ibk_buf mikey = {0};
    ibk_step step;
    if (!last || last->is_request || !call->view.caller || !call->session || call->view.reason ||
        !sip_has_body_type(last, UE_SDP_TYPE))
        return;
    if (ue_sdp_read(call, last, &mikey, NULL) == IBK_OK && mikey.len &&
        ibk_session_recv(call->session, ims_host_time(call->u->host), ibk_buf_span(&mikey), &step) ==
            IBK_OK &&
        step.kind == IBK_STEP_CLOSED) {
        call->view.reason = step.reason;
        call->view.diag = step.diag;
    }
    ibk_buf_free(&mikey);
}

static void on_ended(void *user, sip_call *sip, sip_cause cause, const sip_msg *last) {
    ue_call *call = sip_call_user(sip);
    (void)user;
    if (!call)
        return;
    call->sip = NULL;
    call->leg = NULL;
    call->view.cause = cause;
    call->view.ended = ue_call_now(call);
    if (last && !last->is_request)
        call->view.sip_status = last->status;
    read_error_body(call, last);
    if (cause == SIP_CAUSE_BYE && call->script && (call->script->hang_up == SCN_CALLER) != call->view.caller)
        call->view.planned_end = true;
    ue_call_state(call, "ended");
    ue_call_release(call);
}

const sip_ua_ops ue_ua_ops = {
    .incoming = on_incoming,
    .acked = on_acked,
    .progress = on_progress,
    .answered = on_answered,
    .request = on_request,
    .response = on_response,
    .ended = on_ended,
};
