/* One dialog's exchange: its session, the keys and the reason that come of it, and what waits for keys. */
#include "ims/ue/internal.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ue_leg *ue_leg_new(ue_call *call, sip_leg *sip) {
    ue_leg *leg = calloc(1, sizeof *leg), **at = &call->legs;
    if (!leg)
        return NULL;
    *leg = (ue_leg){.call = call, .sip = sip, .sdp_version = call->offer ? call->offer->sdp_version : 1};
    if (call->offer) { /* what the INVITE said is said in every dialog that comes of it */
        leg->container = call->offer->container;
        leg->lines = call->offer->lines;
        memcpy(leg->line, call->offer->line, sizeof leg->line);
    }
    while (*at)
        at = &(*at)->next;
    *at = leg;
    return leg;
}

ue_leg *ue_leg_of(const ue_call *call, const sip_leg *sip) {
    ue_leg *leg = call->legs;
    while (leg && leg->sip != sip)
        leg = leg->next;
    return leg;
}

/* P-20: x, y and every key are wiped with the session. Who does not wipe keeps it as it is. */
static void end_session(ue_leg *leg) {
    ue *u = leg->call->u;
    ibk_session **grown = NULL;
    if (leg->session && !ue_guards(u, IBK_DEFENCE_WIPE))
        grown = realloc(u->left, (u->left_count + 1) * sizeof *grown);
    if (grown) {
        ibk_session_close(leg->session, IBK_ERR_STATE);
        u->left = grown;
        u->left[u->left_count++] = leg->session;
    } else {
        ibk_session_free(leg->session);
    }
    leg->session = NULL;
}

void ue_leg_release(ue_leg *leg) {
    if (!leg || leg->over)
        return;
    leg->over = true;
    ims_host_cancel(leg->call->u->host, &leg->session_timer);
    ue_media_close(leg);
    ue_leg_drop_held(leg);
    ue_content_end(leg);
    end_session(leg);
    leg->sip = NULL;
    leg->pending = UE_PENDING_NONE;
    ibk_buf_free(&leg->pending_message);
    ibk_buf_free(&leg->held_message);
    sip_msg_free(leg->pending_response);
    leg->pending_response = NULL;
    if (leg->pending_server)
        sip_server_watch(leg->pending_server, NULL, NULL);
    leg->pending_server = NULL;
    sip_sdp_free(leg->remote);
    leg->remote = NULL;
}

void ue_leg_free(ue_leg *leg) {
    ue_leg_release(leg);
    free(leg);
}

void ue_leg_note_reason(ue_leg *leg, ibk_err reason, const ibk_diag *diag) {
    if (leg->reason)
        return;
    leg->reason = reason;
    if (diag)
        leg->diag = *diag;
}

/* ---- the session
 * ------------------------------------------------------------------------------------------- */

/* The parameters that our SP names: all that AES_CM_128_HMAC_SHA1 has, none left to a default. */
#define SRTP_PARAMETERS                                                                                      \
    (1u << IBK_SRTP_ENCR_ALG | 1u << IBK_SRTP_ENCR_KEY_LEN | 1u << IBK_SRTP_AUTH_ALG |                       \
     1u << IBK_SRTP_AUTH_KEY_LEN | 1u << IBK_SRTP_SALT_KEY_LEN | 1u << IBK_SRTP_PRF | 1u << IBK_SRTP_ENCR |  \
     1u << IBK_SRTCP_ENCR | 1u << IBK_SRTP_AUTH | 1u << IBK_SRTP_AUTH_TAG_LEN)

/* I_MESSAGE_2 in a re-INVITE comes after the answer: however long it rings (RFC 3261 §16.6: proxies wait over
 * three minutes) and the time that an answer may take at all. */
#define TIMEOUT_REINVITE ((181 + 32) * SIP_S)

static uint64_t timeout_of(const ue_call *call) {
    return call->script && call->script->carrier == SCN_CARRIER_REINVITE ? TIMEOUT_REINVITE : 0;
}

/* A callee that reads [x]P answers on its curve; one that cannot read it does not know that (P-28). */
static uint8_t curve_of(const ue_call *call) {
    if (!call->view.caller)
        return call->u->user->curve;
    return call->script ? call->script->curve : 0;
}

ibk_err ue_leg_open_session(ue_leg *leg, const ibk_identity *peer, ibk_span sdp_ids) {
    ue_call *call = leg->call;
    const scn_mikey *mikey = &call->u->user->domain->mikey;
    ibk_cs_srtp streams[UE_CS_MAX] = {{0}};
    ibk_srtp_policy srtp = ibk_srtp_policy_default();
    ibk_buf params = {0};
    if (call->view.caller)
        ue_sdp_give_line(leg, UE_AUDIO);
    if (!leg->line[UE_AUDIO])
        return IBK_ERR_MISMATCH;
    streams[ue_cs_id(leg, UE_AUDIO, call->view.caller) - 1].ssrc = call->ssrc[UE_AUDIO];
    srtp.present = SRTP_PARAMETERS;
    if (call->script && call->script->media.srtp == SCN_SRTP_AES_CM_128_HMAC_SHA1_32)
        srtp.auth_tag_len = 4;
    ibk_err err = ibk_srtp_policy_write(&params, &srtp);
    ibk_sp policy = {.params = ibk_buf_span(&params)};
    ibk_session_config config = {.role = call->view.caller ? IBK_SESSION_INITIATOR : IBK_SESSION_RESPONDER,
                                 .local =
                                     ibk_identity_uri(call->local ? call->local : call->u->user->identity),
                                 .local_granularity = call->u->user->domain->kms.granularity,
                                 .policy = {.ts_type = mikey->timestamp,
                                            .timeout_ns = timeout_of(call),
                                            .prf = call->script ? call->script->prf : 0,
                                            .curve = curve_of(call),
                                            .errors = call->u->user->errors,
                                            .answer_undecryptable = call->u->user->answers_for_others,
                                            .allow_missing_echo = call->u->user->accept != SCN_ACCEPT_ASKED,
                                            .without = scn_ibk_without(call->u->user->without)},
                                 .node = ue_node(call->u),
                                 .map_type = IBK_MAP_SRTP_ID,
                                 .srtp = streams,
                                 .n_srtp = 2 * (size_t)leg->line[UE_AUDIO],
                                 .sdp_ids = sdp_ids};
    if (call->view.caller) {
        config.peer = *peer;
        config.policies = &policy;
        config.n_policies = 1;
        ue_content_session(call, &config);
    }
    ibk_env env = ue_call_env(call);
    if (!err)
        err = ibk_session_new(&leg->session, &env, &config);
    ibk_buf_free(&params);
    return err;
}

ibk_err ue_leg_fork_session(ue_leg *leg) {
    const ue_leg *offer = leg->call->offer;
    return offer && offer->session ? ibk_session_fork(&leg->session, offer->session) : IBK_ERR_STATE;
}

void ue_leg_note_keys(ue_leg *leg) {
    uint8_t keys[UE_CS_MAX][16 + 14];
    const ibk_hdr *hdr = ibk_session_header(leg->session);
    ibk_err err = hdr && hdr->n_cs <= UE_CS_MAX ? IBK_OK : IBK_ERR_LIMIT;
    for (uint8_t cs = 1; !err && cs <= hdr->n_cs; cs++)
        err = ibk_session_tek(leg->session, cs, keys[cs - 1], 16, keys[cs - 1] + 16, 14);
    leg->has_keys = !err && SHA256(keys[0], hdr->n_cs * sizeof keys[0], leg->key_digest);
    ibk_wipe(keys, sizeof keys);
    ue_call_adopt_keys(leg);
}

static void digest(ue_digest *out, ibk_span octets) {
    SHA256(octets.data ? octets.data : (const uint8_t *)"", octets.len, out->octets);
}

/* What was agreed: PRF, crypto sessions, security policies. */
static void digest_terms(ue_digest *out, const ibk_session *session) {
    ibk_buf terms = {0};
    size_t n;
    const ibk_hdr *hdr = ibk_session_header(session);
    const ibk_sp *policies = ibk_session_policies(session, &n);
    const uint8_t head[] = {hdr->prf, hdr->n_cs, hdr->map_type};
    ibk_err err = ibk_buf_append(&terms, head, sizeof head);
    err = err ? err : ibk_buf_append_span(&terms, hdr->map);
    for (size_t i = 0; !err && i < n; i++) {
        const uint8_t policy[] = {policies[i].policy_no, policies[i].prot_type};
        err = ibk_buf_append(&terms, policy, sizeof policy);
        err = err ? err : ibk_buf_append_span(&terms, policies[i].params);
    }
    digest(out, ibk_buf_span(&terms));
    ibk_buf_free(&terms);
}

/* `r_message_2`: as we send it; a caller has just received it. */
static void note_exchange(ue_leg *leg, ibk_span r_message_2) {
    ue_call_view *view = &leg->call->view;
    ue_exchange *grown = realloc(view->exchanges, (view->legs + 1) * sizeof *grown);
    if (!grown)
        return;
    view->exchanges = grown;
    ue_exchange *e = &grown[view->legs++];
    ibk_span peer = ibk_session_peer(leg->session).id;
    *e = (ue_exchange){.r_message_2 = leg->received};
    snprintf(e->peer, sizeof e->peer, "%.*s", (int)peer.len, (const char *)peer.data);
    memcpy(e->keys.octets, leg->key_digest, sizeof leg->key_digest);
    digest_terms(&e->terms, leg->session);
    if (!view->caller)
        digest(&e->r_message_2, r_message_2);
}

static void keyed(ue_leg *leg, ibk_span r_message_2) {
    ue_call *call = leg->call;
    leg->keyed = true;
    ue_leg_note_keys(leg);
    note_exchange(leg, r_message_2);
    if (!call->view.keyed.set)
        call->view.keyed = ue_call_now(call);
    ue_call_state(call, "keyed");
}

static void session_expired(void *arg);

void ue_leg_watch_deadline(ue_leg *leg) {
    ims_host *host = leg->call->u->host;
    ims_host_cancel(host, &leg->session_timer);
    uint64_t deadline = leg->session ? ibk_session_deadline(leg->session) : UINT64_MAX;
    uint64_t now = ims_host_now(host);
    if (deadline != UINT64_MAX)
        leg->session_timer = ims_host_timer(host, deadline > now ? deadline - now : 0, session_expired, leg);
}

/* Where a MIKEY message's size is noted: I_MESSAGE_1 … R_MESSAGE_2. */
static void note_message(ue_call *call, uint8_t type, size_t octets) {
    if (type >= IBK_MSG_I_MESSAGE_1 && type <= IBK_MSG_R_MESSAGE_2)
        call->view.mikey_octets[type - IBK_MSG_I_MESSAGE_1] = octets;
}

static void take_step(ue_leg *leg, const ibk_step *step) {
    ue_call *call = leg->call;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS)
        return; /* keys_arrived goes on */
    note_message(call, step->message_type, step->message.len);
    if (step->kind == IBK_STEP_CLOSED || step->kind == IBK_STEP_DISCARDED) {
        leg->reason = step->reason;
        leg->diag = step->diag;
    } else if (step->kind == IBK_STEP_ESTABLISHED) {
        keyed(leg, step->message);
    }
    ue_leg_watch_deadline(leg);
    if (call->view.caller)
        ue_caller_step(leg, step);
    else
        ue_callee_step(leg, step);
}

static void hand_out(ue_leg *leg, const ibk_step *step, ue_pending again, ibk_span message) {
    ue_call *call = leg->call;
    call->view.csb_id = ibk_session_csb_id(leg->session);
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        leg->pending = again;
        ue_call_state(call, "waits-for-keys");
        if (again == UE_PENDING_RECEIVE && leg->pending_message.len == 0 &&
            ibk_buf_append_span(&leg->pending_message, message))
            ue_call_give_up(call, IBK_ERR_NO_MEMORY, NULL);
    }
    ue_leg_after_work(leg, step, take_step);
}

static void session_expired(void *arg) {
    ue_leg *leg = arg;
    ibk_step step;
    leg->session_timer = 0;
    if (leg == leg->call->offer && leg->call->legs)
        return; /* answered: how long further branches may take is for the INVITE to say */
    bool unconfirmed = ibk_session_update_unconfirmed(leg->session);
    ibk_session_expire(leg->session, ims_host_time(leg->call->u->host), &step);
    if (unconfirmed && !ibk_session_update_unconfirmed(leg->session))
        ue_midcall_peer_has_keys(leg->call);
    if (step.kind == IBK_STEP_CLOSED)
        hand_out(leg, &step, UE_PENDING_NONE, (ibk_span){0});
    else
        ue_leg_watch_deadline(leg);
}

void ue_leg_start_session(ue_leg *leg) {
    ibk_step step;
    leg->pending = UE_PENDING_NONE;
    ibk_err err = ibk_session_start(leg->session, ims_host_time(leg->call->u->host), &step);
    if (err)
        ue_call_give_up(leg->call, err, NULL);
    else
        hand_out(leg, &step, UE_PENDING_START, (ibk_span){0});
}

void ue_leg_receive_mikey(ue_leg *leg, ibk_span message) {
    ibk_step step;
    ibk_peek peek;
    leg->pending = UE_PENDING_NONE;
    if (ibk_message_peek(&peek, message, NULL) == IBK_OK)
        note_message(leg->call, peek.data_type, message.len);
    digest(&leg->received, message);
    ibk_err err = ibk_session_recv(leg->session, ims_host_time(leg->call->u->host), message, &step);
    if (err)
        ue_call_give_up(leg->call, err, NULL);
    else
        hand_out(leg, &step, UE_PENDING_RECEIVE, message);
}

static void keys_arrived(ue_leg *leg) {
    if (leg->pending == UE_PENDING_START || leg->pending == UE_PENDING_RECEIVE)
        ue_call_state(leg->call, "has-keys");
    if (leg->pending == UE_PENDING_START) {
        ue_leg_start_session(leg);
    } else if (leg->pending == UE_PENDING_RECEIVE) {
        ibk_buf message = leg->pending_message;
        leg->pending_message = (ibk_buf){0};
        ue_leg_receive_mikey(leg, ibk_buf_span(&message));
        ibk_buf_free(&message);
    } else if (leg->pending == UE_PENDING_MIDCALL) {
        leg->pending = UE_PENDING_NONE;
        ue_midcall_keys_arrived(leg->call);
    } else if (!leg->over) {
        ue_callee_keys_arrived(leg);
    }
}

void ue_legs_keys_arrived(ue *u) {
    for (size_t i = 0; i < u->call_count; i++) {
        if (u->calls[i]->offer)
            keys_arrived(u->calls[i]->offer);
        for (ue_leg *leg = u->calls[i]->legs; leg; leg = leg->next)
            keys_arrived(leg);
    }
}
