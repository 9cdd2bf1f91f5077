/* Reports about sessions (IUT.md §5.1). */
#include "conformance/iut/session.h"

#define DEFAULT_TEK 16 /* where a map has no policies that we know: P-22's lengths */
#define KEY_MAX     64

static const char *const events[] = {"accepted", "refused", "discarded", "expired"};

static const char *state_of_session(ibk_session_state state) {
    switch (state) {
    case IBK_STATE_I_NEW:
    case IBK_STATE_R_NEW:
        return "new";
    case IBK_STATE_I_WAIT_R_MESSAGE_1:
    case IBK_STATE_I_WAIT_R_MESSAGE_2:
    case IBK_STATE_R_WAIT_I_MESSAGE_2:
        return "waiting";
    case IBK_STATE_ESTABLISHED:
        return "established";
    case IBK_STATE_UPDATING:
        return "updating";
    case IBK_STATE_CLOSED:
        break;
    }
    return "closed";
}

static const char *state_of(const iut_session *s) {
    if (s->role == IUT_KMS)
        return "serving";
    if (s->role == IUT_USER)
        return s->done ? "done" : s->request ? "waiting" : "closed";
    return s->session ? state_of_session(ibk_session_get_state(s->session)) : "closed";
}

/* ---- keys
 * --------------------------------------------------------------------------------------------------- */

/* CS ID and SSRC of the index-th crypto session; false past the end. */
static bool crypto_session(const ibk_hdr *hdr, size_t index, uint8_t *cs_id, uint32_t *ssrc) {
    ibk_cs_srtp srtp;
    ibk_cs_generic generic;
    ibk_srtp_session session = {0};
    if (ibk_map_srtp(hdr, index, &srtp)) {
        *cs_id = (uint8_t)(index + 1);
        *ssrc = srtp.ssrc;
        return true;
    }
    if (!ibk_map_generic(hdr, index, &generic))
        return false;
    *cs_id = generic.cs_id;
    *ssrc = ibk_srtp_session_parse(&session, &generic) == IBK_OK ? session.ssrc : 0;
    return true;
}

static void put_keys(iut_request *request, json_t *report, ibk_session *session) {
    json_t *keys = json_array();
    if (!iut_put(request, report, "keys", keys))
        return;
    uint8_t cs_id, tek[KEY_MAX], salt[KEY_MAX];
    uint32_t ssrc;
    const ibk_hdr *hdr = ibk_session_header(session);
    for (size_t i = 0; hdr && crypto_session(hdr, i, &cs_id, &ssrc); i++) {
        ibk_srtp_policy policy = ibk_srtp_policy_default();
        if (ibk_session_srtp_policy(session, cs_id, &policy) != IBK_OK || policy.encr_key_len > KEY_MAX ||
            policy.salt_key_len > KEY_MAX)
            continue;
        if (ibk_session_tek(session, cs_id, tek, policy.encr_key_len, salt, policy.salt_key_len) != IBK_OK)
            continue;
        iut_append(request, keys,
                   json_pack("{s:i,s:I,s:o,s:o}", "cs_id", cs_id, "ssrc", (json_int_t)ssrc, "tek",
                             iut_json_octets(ibk_span_of(tek, policy.encr_key_len)), "salt",
                             iut_json_octets(ibk_span_of(salt, policy.salt_key_len))));
    }
    ibk_wipe(tek, sizeof tek);
    ibk_wipe(salt, sizeof salt);
}

/* ---- what is known of a session
 * ------------------------------------------------------------------------------ */

static bool past_first_answer(ibk_session_state state) {
    return state == IBK_STATE_I_WAIT_R_MESSAGE_2 || state == IBK_STATE_R_WAIT_I_MESSAGE_2 ||
           state == IBK_STATE_ESTABLISHED || state == IBK_STATE_UPDATING;
}

static void put_exchange(iut_request *request, json_t *report, const iut_session *s) {
    ibk_session *session = s->session;
    ibk_session_state state = ibk_session_get_state(session);
    ibk_identity peer = ibk_session_peer(session);
    ibk_span sk = ibk_session_sk(session), esk = ibk_session_esk(session);
    if (ibk_session_header(session))
        iut_put(request, report, "csb_id", json_integer(ibk_session_csb_id(session)));
    if (peer.id.len > 0)
        iut_put(request, report, "peer", iut_json_identity(&peer));
    if (past_first_answer(state))
        iut_put(request, report, "deferred", json_boolean(ibk_session_deferred(session)));
    if (sk.len > 0)
        iut_put(request, report, "sk", iut_json_octets(sk));
    if (esk.len > 0 && s->role != IUT_INITIATOR)
        iut_put(request, report, "esk", iut_json_octets(esk));
    if (state == IBK_STATE_ESTABLISHED || state == IBK_STATE_UPDATING) {
        put_keys(request, report, session);
        iut_put(request, report, "updates", json_integer(ibk_session_updates(session)));
    }
}

static void put_private_keys(iut_request *request, json_t *report, const ibk_key_list *issued) {
    json_t *keys = json_array();
    if (!iut_put(request, report, "private_keys", keys))
        return;
    for (size_t i = 0; i < issued->count; i++) {
        ibk_buf der = {0};
        if (ibk_ibe_key_encode(issued->items[i].key, &der) == IBK_OK)
            iut_append(request, keys,
                       json_pack("{s:o,s:o}", "ibe_identity", iut_json_octets(issued->items[i].ibe_identity),
                                 "der", iut_json_octets(ibk_buf_span(&der))));
        ibk_buf_free(&der);
    }
}

/* I_MESSAGE_1 and I_MESSAGE_2 are in offers, their answers in answers (P-13). */
static bool in_offer(ibk_span message) {
    ibk_peek peek;
    return ibk_message_peek(&peek, message, NULL) == IBK_OK &&
           (peek.data_type == IBK_MSG_I_MESSAGE_1 || peek.data_type == IBK_MSG_I_MESSAGE_2);
}

/* An answerer's refusal as SIP has it (RFC 4567 §4.1.2): 488, and Warning 306 for a rekeying that failed. */
static void put_status(iut_request *request, json_t *report, const iut_session *s, iut_event event,
                       ibk_err err) {
    bool stands = ibk_session_get_state(s->session) == IBK_STATE_ESTABLISHED;
    bool rekeying = event == IUT_DISCARDED && stands && err != IBK_ERR_UNEXPECTED_MESSAGE;
    if (!s->answering || (event != IUT_REFUSED_MESSAGE && !rekeying))
        return;
    iut_put(request, report, "sip_status", json_integer(488));
    iut_put(request, report, "warning", json_integer(rekeying ? 306 : 399));
}

/* IUT.md §6: messages in our description. */
static void put_sdp(iut_request *request, json_t *report, const iut_session *s, ibk_span message) {
    json_t *sdp = json_array();
    if (!iut_put(request, report, "sdp", sdp) || message.len == 0)
        return;
    ibk_buf text = {0};
    ibk_err err = iut_sdp_write(&text, &s->sdp, in_offer(message), message);
    iut_append(request, sdp, err ? NULL : json_stringn((const char *)text.data, text.len));
    ibk_buf_free(&text);
}

static void put_error(iut_request *request, json_t *report, ibk_err err, const ibk_diag *diag) {
    bool fits = diag && diag->err == err;
    iut_put(request, report, "error", json_string(iut_error_class(err)));
    json_t *detail =
        json_sprintf("%s: %s%s%s%s%s", ibk_err_name(err), fits && diag->payload ? diag->payload : "",
                     fits && diag->payload ? ": " : "", ibk_err_text(err),
                     fits && diag->detail[0] ? ": " : "", fits ? diag->detail : "");
    if (detail) /* NULL: a peer's octets in it are no UTF-8 */
        iut_put(request, report, "detail", detail);
}

json_t *iut_report(iut_request *request, const iut_session *s, iut_event event, ibk_err err,
                   const ibk_diag *diag, ibk_span message) {
    json_t *reports = json_object_get(request->answer, "reports");
    json_t *report = json_object(), *messages = json_array();
    if (!iut_append(request, reports, report)) {
        json_decref(messages);
        return NULL;
    }
    iut_put(request, report, "session", json_string(s->name));
    iut_put(request, report, "event", json_string(events[event]));
    iut_put(request, report, "state", json_string(state_of(s)));
    if (!iut_put(request, report, "messages", messages))
        return NULL;
    if (event != IUT_ACCEPTED)
        put_error(request, report, err, diag);
    if (s->sdp.used) {
        put_sdp(request, report, s, message);
        put_status(request, report, s, event, err);
    } else if (message.len > 0) {
        iut_append(request, messages, iut_json_octets(message));
    }
    if (s->session)
        put_exchange(request, report, s);
    if (s->done)
        put_private_keys(request, report, &s->issued);
    if (s->request)
        iut_put(request, report, "csb_id", json_integer(ibk_key_request_csb_id(s->request)));
    return report;
}

void iut_report_step(iut_request *request, const iut_session *s, ibk_err err, const ibk_step *step) {
    if (err) { /* the call does not fit the session: nothing has happened */
        iut_report(request, s, IUT_DISCARDED, err, NULL, (ibk_span){0});
        return;
    }
    iut_event event = IUT_ACCEPTED;
    bool quiet = step->kind == IBK_STEP_DISCARDED && step->reason == IBK_OK;
    if (step->kind == IBK_STEP_CLOSED)
        event = IUT_REFUSED_MESSAGE;
    else if (step->kind == IBK_STEP_DISCARDED && !quiet)
        event = IUT_DISCARDED;
    if (event != IUT_ACCEPTED && step->reason == IBK_ERR_TIMEOUT)
        event = IUT_EXPIRED;
    json_t *report = iut_report(request, s, event, step->reason, &step->diag, step->message);
    if (report && event != IUT_ACCEPTED && step->reason == IBK_ERR_PEER_ERROR)
        iut_put(request, report, "peer_error", json_integer(step->peer_error));
}
