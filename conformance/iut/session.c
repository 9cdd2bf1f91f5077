/* The requests about exchanges: open, message, time, update, settle, fork, close (IUT.md §5). */
#include "conformance/iut/session.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define MS_MAX    (INT64_MAX / NS_PER_MS)

static void session_free(iut_session *s) {
    ibk_session_free(s->session);
    ibk_key_request_free(s->request);
    ibk_key_list_free(&s->issued);
    iut_offer_free(&s->offer);
    free(s);
}

void iut_sessions_free(iut_node *node) {
    while (node->sessions) {
        iut_session *next = node->sessions->next;
        session_free(node->sessions);
        node->sessions = next;
    }
}

static iut_session *find(const iut_node *node, const char *name) {
    iut_session *s = node->sessions;
    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

/* The session that a request names, which has to be an exchange if `exchange`; NULL: malformed. */
static iut_session *named(const iut_node *node, const iut_place *at, bool exchange) {
    const char *name = "";
    iut_name(at, "session", &name);
    iut_session *s = iut_wrong(at) ? NULL : find(node, name);
    if (!s)
        iut_complain(at, IUT_MALFORMED, "session", "no session has this name");
    else if (exchange && !s->session)
        iut_complain(at, IUT_MALFORMED, "session", "is no exchange");
    return iut_wrong(at) ? NULL : s;
}

/* A new session, the last of the node's. */
static iut_session *add(iut_node *node, const iut_place *at, const char *name) {
    if (!iut_wrong(at) && find(node, name))
        iut_complain(at, IUT_MALFORMED, "session", "this name was used before");
    if (iut_wrong(at))
        return NULL;
    iut_session *s = iut_alloc(at, 1, sizeof *s);
    if (!s)
        return NULL;
    memcpy(s->name, name, strlen(name) + 1); /* iut_name: at most 32 */
    iut_session **end = &node->sessions;
    while (*end)
        end = &(*end)->next;
    *end = s;
    return s;
}

static void take_back(iut_node *node, const iut_session *s) {
    iut_session **at = &node->sessions;
    while (*at != s)
        at = &(*at)->next;
    iut_session *gone = *at;
    *at = gone->next;
    session_free(gone);
}

/* ---- open
 * --------------------------------------------------------------------------------------------------- */

static void read_esk(const iut_place *at, iut_store *store, ibk_session_config *config) {
    iut_place esk;
    if (!iut_object(at, "esk", IUT_MAY, &esk))
        return;
    iut_only(&esk, "sk stored");
    config->esk = iut_has(&esk, "stored") ? IBK_ESK_STORED : IBK_ESK_OWN;
    if (config->esk == IBK_ESK_STORED && iut_has(&esk, "sk"))
        iut_complain(&esk, IUT_MALFORMED, "sk", "beside stored");
    iut_octets(&esk, "sk", IUT_MAY, store, &config->sk);
    iut_octets(&esk, "stored", IUT_MAY, store, &config->stored_esk);
}

static void read_ids(const iut_place *at, iut_store *store, iut_session *s) {
    iut_place sdp;
    const char *ids = "";
    iut_text(at, "sdp_ids", IUT_MAY, 1000, &ids);
    if (iut_object(at, "sdp", IUT_MAY, &sdp))
        iut_sdp_read(&sdp, store, &s->sdp);
    ibk_buf buf = {0};
    ibk_err err = ibk_buf_append(&buf, ids, strlen(ids));
    s->config.sdp_ids = err ? (ibk_span){0} : iut_store_keep(store, &buf, &err);
    if (s->sdp.used && s->role == IUT_INITIATOR)
        s->config.sdp_ids = s->sdp.ids;
    ibk_buf_free(&buf);
    iut_refuse(at, "sdp_ids", err, NULL);
}

/* Initiator, responder, mailbox: what the session is to be made of. */
static void read_exchange(iut_node *node, iut_session *s, const iut_place *at) {
    bool initiator = s->role == IUT_INITIATOR;
    iut_only(at, initiator ? "op seq session role local peer map policies sdp_ids esk sdp"
                           : "op seq session role local ssrcs sdp_ids sdp");
    ibk_session_config *c = &s->config;
    *c = (ibk_session_config){.role = initiator ? IBK_SESSION_INITIATOR : IBK_SESSION_RESPONDER,
                              .policy = node->policy,
                              .node = iut_node_callbacks(node)};
    iut_identity(at, "local", IUT_MUST, &node->store, &c->local);
    if (initiator) {
        iut_identity(at, "peer", IUT_MUST, &node->store, &c->peer);
        iut_offer_read_map(at, &node->store, &s->offer);
        iut_offer_read_policies(at, &node->store, &s->offer);
        read_esk(at, &node->store, c);
    } else {
        iut_offer_read_ssrcs(at, &s->offer);
        c->policy.answer_undecryptable = s->role == IUT_MAILBOX; /* RFC 6267 §4.2.2.2 */
    }
    read_ids(at, &node->store, s);
    const iut_domain *domain = iut_wrong(at) ? NULL : iut_node_domain(node, c->local.id);
    c->local_granularity = domain ? domain->granularity : IBK_GRANULARITY_DAY;
    c->map_type = s->offer.map_type;
    c->srtp = s->offer.srtp;
    c->n_srtp = s->offer.n_srtp;
    c->generic = s->offer.generic;
    c->n_generic = s->offer.n_generic;
    c->policies = s->offer.policies;
    c->n_policies = s->offer.n_policies;
}

static void open_exchange(iut_node *node, iut_session *s, const iut_place *at) {
    read_exchange(node, s, at);
    if (iut_wrong(at))
        return;
    ibk_err err = ibk_session_new(&s->session, &node->env, &s->config);
    iut_refuse(at, "", err, NULL);
    if (err)
        return;
    if (s->role != IUT_INITIATOR) {
        iut_report(at->request, s, IUT_ACCEPTED, IBK_OK, NULL, (ibk_span){0});
        return;
    }
    ibk_step step = {0};
    err = ibk_session_start(s->session, node->now, &step);
    iut_report_step(at->request, s, err, &step);
}

static void open_kms(const iut_node *node, iut_session *s, const iut_place *at) {
    iut_only(at, "op seq session role");
    if (!node->kms)
        iut_complain(at, IUT_MALFORMED, "role", "the node is no KMS");
    if (!iut_wrong(at))
        iut_report(at->request, s, IUT_ACCEPTED, IBK_OK, NULL, (ibk_span){0});
}

static void begin_reports(iut_request *request) {
    iut_put(request, request->answer, "reports", json_array());
}

void iut_open(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    const char *name = "";
    uint8_t role = IUT_PARSER;
    begin_reports(request);
    iut_name(&at, "session", &name);
    iut_value(&at, "role", IUT_MUST, &iut_roles, &role);
    if (role == IUT_PARSER)
        iut_complain(&at, IUT_UNSUPPORTED, "role", "a parser has no session: see the op parse");
    iut_session *s = add(node, &at, name);
    if (!s)
        return;
    s->role = role;
    if (role == IUT_KMS)
        open_kms(node, s, &at);
    else if (role == IUT_USER)
        iut_user_open(node, s, &at);
    else
        open_exchange(node, s, &at);
    if (iut_wrong(&at))
        take_back(node, s);
}

/* ---- messages
 * ----------------------------------------------------------------------------------------------- */

static bool setting_up(ibk_session_state state) {
    return state != IBK_STATE_CLOSED && state != IBK_STATE_ESTABLISHED && state != IBK_STATE_UPDATING;
}

/* The description that arrived says which protocols were offered (RFC 4567 §4.1.4); a responder learns it
 * with the first one. */
static ibk_err learn_ids(iut_node *node, iut_session *s, ibk_buf *ids) {
    if (s->role == IUT_INITIATOR || ibk_session_get_state(s->session) != IBK_STATE_R_NEW)
        return IBK_OK;
    ibk_err err = IBK_OK;
    s->config.sdp_ids = iut_store_keep(&node->store, ids, &err);
    ibk_session *session = NULL;
    err = err ? err : ibk_session_new(&session, &node->env, &s->config);
    if (!err) {
        ibk_session_free(s->session);
        s->session = session;
    }
    return err;
}

static void take(iut_node *node, iut_session *s, ibk_span octets, iut_request *request) {
    ibk_step step = {0};
    ibk_err err = ibk_session_recv(s->session, node->now, octets, &step);
    iut_report_step(request, s, err, &step);
}

/* What arrives alone may be anybody's, and is discarded if it is no message; what stands in the description
 * that is awaited ends the set-up (RFC 4567 §4.1.1). */
static void take_described(iut_node *node, iut_session *s, ibk_span octets, iut_request *request) {
    ibk_step step = {0};
    bool awaited = setting_up(ibk_session_get_state(s->session));
    ibk_err err = ibk_session_recv(s->session, node->now, octets, &step);
    if (awaited && !err && step.kind == IBK_STEP_DISCARDED && step.reason != IBK_OK) {
        ibk_session_close(s->session, step.reason);
        step.kind = IBK_STEP_CLOSED;
        step.state = IBK_STATE_CLOSED;
    }
    iut_report_step(request, s, err, &step);
}

/* RFC 4567 §4.1.1: what is wrong with the key management of a description ends the set-up. */
static void take_sdp(iut_node *node, iut_session *s, ibk_span text, iut_request *request) {
    ibk_buf message = {0}, ids = {0};
    ibk_diag diag = {0};
    ibk_session_state state = ibk_session_get_state(s->session);
    s->answering = state != IBK_STATE_I_WAIT_R_MESSAGE_1 && state != IBK_STATE_I_WAIT_R_MESSAGE_2 &&
                   state != IBK_STATE_UPDATING;
    ibk_err err = iut_sdp_find(&message, &ids, text, &diag);
    err = err ? err : learn_ids(node, s, &ids);
    if (!err) {
        take_described(node, s, ibk_buf_span(&message), request);
    } else if (!setting_up(state)) {
        iut_report(request, s, IUT_DISCARDED, err, &diag, (ibk_span){0});
    } else {
        ibk_session_close(s->session, err);
        iut_report(request, s, IUT_REFUSED_MESSAGE, err, &diag, (ibk_span){0});
    }
    ibk_buf_free(&message);
    ibk_buf_free(&ids);
}

/* The peer refused by SIP: the offerer ends the set-up (RFC 4567 §4.1.2); an update comes to nothing. */
static void take_status(iut_session *s, iut_request *request) {
    ibk_session_state state = ibk_session_get_state(s->session);
    ibk_span nothing = {0};
    if (state == IBK_STATE_UPDATING) {
        ibk_err err = ibk_session_abandon_update(s->session);
        iut_report(request, s, IUT_DISCARDED, err ? err : IBK_ERR_PEER_ERROR, NULL, nothing);
    } else if (state == IBK_STATE_CLOSED || state == IBK_STATE_ESTABLISHED) {
        iut_report(request, s, IUT_DISCARDED, IBK_ERR_UNEXPECTED_MESSAGE, NULL, nothing);
    } else {
        ibk_session_close(s->session, IBK_ERR_PEER_ERROR);
        iut_report(request, s, IUT_REFUSED_MESSAGE, IBK_ERR_PEER_ERROR, NULL, nothing);
    }
}

void iut_message(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq session octets sdp sip_status warning");
    begin_reports(request);
    iut_session *s = named(node, &at, false);
    ibk_span octets = {0};
    const char *sdp = "";
    int64_t status = 0, warning = 0;
    iut_octets(&at, "octets", IUT_MAY, &request->store, &octets);
    iut_text(&at, "sdp", IUT_MAY, 400000, &sdp);
    iut_integer(&at, "sip_status", IUT_MAY, 300, 699, &status);
    iut_integer(&at, "warning", IUT_MAY, 300, 399, &warning);
    if (s && iut_has(&at, "octets") + iut_has(&at, "sdp") + iut_has(&at, "sip_status") != 1)
        iut_complain(&at, IUT_MALFORMED, "octets", "one of octets, sdp and sip_status is needed");
    if (s && iut_has(&at, "octets") == (s->session && s->sdp.used) && !status)
        iut_complain(&at, IUT_MALFORMED, "octets", "the session carries its messages the other way");
    if (s && status && !s->session)
        iut_complain(&at, IUT_MALFORMED, "sip_status", "the session is no exchange");
    if (iut_wrong(&at) || !s)
        return;
    if (s->role == IUT_KMS)
        iut_kms_message(node, s, octets, request);
    else if (s->role == IUT_USER)
        iut_user_message(node, s, octets, request);
    else if (status)
        take_status(s, request);
    else if (s->sdp.used)
        take_sdp(node, s, ibk_span_str(sdp), request);
    else
        take(node, s, octets, request);
}

/* ---- time
 * ---------------------------------------------------------------------------------------------------- */

static void notice_time(iut_node *node, iut_session *s, iut_request *request) {
    if (iut_user_late(node, s)) {
        iut_user_message(node, s, (ibk_span){0}, request);
    } else if (s->session && ibk_session_deadline(s->session) <= node->now.mono_ns) {
        ibk_step step = {0};
        ibk_err err = ibk_session_expire(s->session, node->now, &step);
        iut_report_step(request, s, err, &step);
    }
}

void iut_time(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq utc_ms timer_ms");
    begin_reports(request);
    int64_t timer_ms = (int64_t)(node->now.mono_ns / (uint64_t)NS_PER_MS);
    int64_t utc_ms = node->now.utc_ns / NS_PER_MS;
    iut_integer(&at, "utc_ms", IUT_MAY, 0, MS_MAX, &utc_ms);
    iut_integer(&at, "timer_ms", IUT_MAY, timer_ms, MS_MAX, &timer_ms);
    if (iut_wrong(&at))
        return;
    node->now = (ibk_time){.mono_ns = (uint64_t)(timer_ms * NS_PER_MS), .utc_ns = utc_ms * NS_PER_MS};
    for (iut_session *s = node->sessions; s; s = s->next)
        notice_time(node, s, request);
}

/* ---- updates, forks, the end
 * --------------------------------------------------------------------------------- */

void iut_update(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq session new_dh curve mki map policies");
    begin_reports(request);
    iut_session *s = named(node, &at, true);
    ibk_update_config config = {0};
    iut_offer offer = {0};
    iut_boolean(&at, "new_dh", IUT_MUST, &config.new_dh);
    iut_value(&at, "curve", IUT_MAY, &iut_own_curves, &config.curve);
    iut_octets(&at, "mki", IUT_MAY, &request->store, &config.mki);
    iut_offer_read_map(&at, &request->store, &offer);
    iut_offer_read_policies(&at, &request->store, &offer);
    if (offer.map_type != IBK_MAP_SRTP_ID)
        iut_complain(&at, IUT_UNSUPPORTED, "map.type", "an update adds to maps of type SRTP-ID only");
    if (s && !iut_wrong(&at)) {
        config.srtp = offer.srtp;
        config.n_srtp = offer.n_srtp;
        config.policies = offer.policies;
        config.n_policies = offer.n_policies;
        ibk_step step = {0};
        ibk_err err = ibk_session_update(s->session, node->now, &config, &step);
        iut_report_step(request, s, err, &step);
    }
    iut_offer_free(&offer);
}

void iut_settle(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq session keep");
    begin_reports(request);
    iut_session *s = named(node, &at, true);
    bool keep = false;
    iut_boolean(&at, "keep", IUT_MUST, &keep);
    if (!s || iut_wrong(&at))
        return;
    ibk_err err = ibk_session_update_unconfirmed(s->session) ? IBK_OK : IBK_ERR_STATE;
    if (!err && keep)
        ibk_session_confirm_update(s->session);
    else if (!err)
        err = ibk_session_revert_update(s->session);
    iut_report(request, s, err ? IUT_DISCARDED : IUT_ACCEPTED, err, NULL, (ibk_span){0});
    (void)node;
}

void iut_fork(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq session as");
    begin_reports(request);
    const iut_session *s = named(node, &at, true);
    const char *name = "";
    iut_name(&at, "as", &name);
    if (!s || iut_wrong(&at))
        return;
    ibk_session *session = NULL;
    ibk_err err = ibk_session_fork(&session, s->session);
    if (err) {
        iut_report(request, s, IUT_DISCARDED, err, NULL, (ibk_span){0});
        return;
    }
    iut_session *copy = add(node, &at, name);
    if (!copy) {
        ibk_session_free(session);
        return;
    }
    copy->role = s->role;
    copy->sdp = s->sdp;
    copy->session = session;
    iut_report(request, copy, IUT_ACCEPTED, IBK_OK, NULL, (ibk_span){0});
}

void iut_close(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq session");
    begin_reports(request);
    iut_session *s = named(node, &at, false);
    if (!s)
        return;
    if (s->session)
        ibk_session_close(s->session, IBK_OK);
    ibk_key_request_free(s->request);
    s->request = NULL;
    iut_report(request, s, IUT_ACCEPTED, IBK_OK, NULL, (ibk_span){0});
}

/* ---- a stored ESK
 * --------------------------------------------------------------------------------------------- */

void iut_open_esk(iut_node *node, iut_request *request) {
    iut_place at = iut_top(request);
    iut_only(&at, "op seq identity date octets");
    ibk_identity identity = {0};
    const char *date = "";
    ibk_span octets = {0};
    iut_identity(&at, "identity", IUT_MUST, &request->store, &identity);
    iut_text(&at, "date", IUT_MUST, IBK_DATE_MAX, &date);
    iut_octets(&at, "octets", IUT_MUST, &request->store, &octets);
    if (iut_wrong(&at))
        return;
    ibk_buf name = {0}, sk = {0}, sender = {0};
    ibk_diag diag = {0};
    uint8_t tek[16], salt[IBK_SALT_LEN];
    ibk_err err = ibk_buf_append_span(&name, identity.id);
    err = err ? err : ibk_buf_append(&name, date, strlen(date));
    const iut_key *key = err ? NULL : iut_node_key(node, ibk_buf_span(&name));
    if (!err && !key)
        err = IBK_ERR_NO_KEY;
    if (!err)
        err = ibk_esk_open(&sk, &sender, key->domain->params, key->key, octets, &diag);
    err = err ? err : ibk_sk_keys(ibk_buf_span(&sk), 1, tek, sizeof tek, salt, sizeof salt);
    if (!err) {
        iut_put(request, request->answer, "sk", iut_json_octets(ibk_buf_span(&sk)));
        iut_put(request, request->answer, "sender", iut_json_octets(ibk_buf_span(&sender)));
        iut_put(request, request->answer, "keys",
                json_pack("[{s:i,s:o,s:o}]", "cs_id", 1, "tek", iut_json_octets(ibk_span_of(tek, sizeof tek)),
                          "salt", iut_json_octets(ibk_span_of(salt, sizeof salt))));
    }
    iut_refuse(&at, "octets", err, &diag);
    ibk_wipe(tek, sizeof tek);
    ibk_wipe(salt, sizeof salt);
    ibk_buf_free(&name);
    ibk_buf_free(&sk);
    ibk_buf_free(&sender);
}
