/* Roles kms and user: RFC 6267 §4.2.1 (IUT.md §4 `kms`, §5). */
#include "conformance/iut/session.h"

#include <stdlib.h>

enum { USERS_MAX = 256, IDENTITIES_MAX = 64 };
#define NS_PER_MS INT64_C(1000000)
#define MS_MAX    (INT64_MAX / NS_PER_MS)

/* ---- whom the KMS knows
 * ------------------------------------------------------------------------------------ */

static bool may_have(const iut_kms_user *user, ibk_span id) {
    for (size_t i = 0; i < user->n_may_have; i++)
        if (ibk_span_equal(user->may_have[i].id, id))
            return true;
    return false;
}

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    iut_node *node = user;
    for (size_t i = 0; i < node->n_kms_users; i++) {
        iut_kms_user *u = &node->kms_users[i];
        bool meant = psk_id->id.len > 0 ? ibk_identity_equal(&u->psk_id, psk_id) : may_have(u, first->id);
        if (u->psk.len == 0 || !meant)
            continue;
        *owner = u;
        return ibk_buf_append_span(psk, u->psk) == IBK_OK;
    }
    return false;
}

static bool authorized(void *user, void *owner, ibk_span id) {
    (void)user;
    return may_have(owner, id);
}

static bool find_holder(void *user, ibk_span certificate, const ibk_identity *first, void **owner) {
    iut_node *node = user;
    (void)first;
    *owner = NULL;
    for (size_t i = 0; i < node->n_kms_users; i++)
        if (ibk_span_equal(node->kms_users[i].certificate, certificate)) {
            *owner = &node->kms_users[i];
            return !node->kms_users[i].excluded;
        }
    return true;
}

static bool holder_authorized(void *user, void *owner, ibk_span id, bool in_certificate) {
    (void)user;
    return owner ? may_have(owner, id) : in_certificate;
}

/* The certificate of a user who sent none: by the identity asked for. */
static bool find_certificate(void *user, const ibk_identity *first, ibk_buf *certificate) {
    iut_node *node = user;
    for (size_t i = 0; i < node->n_kms_users; i++)
        if (node->kms_users[i].certificate.len > 0 && may_have(&node->kms_users[i], first->id))
            return ibk_buf_append_span(certificate, node->kms_users[i].certificate) == IBK_OK;
    return false;
}

/* ---- begin
 * ------------------------------------------------------------------------------------------------- */

static void read_user(iut_node *node, const iut_place *at, iut_kms_user *user) {
    iut_only(at, "psk psk_id certificate may_have excluded");
    iut_octets(at, "psk", IUT_MAY, &node->store, &user->psk);
    iut_identity(at, "psk_id", IUT_MAY, &node->store, &user->psk_id);
    iut_octets(at, "certificate", IUT_MAY, &node->store, &user->certificate);
    iut_boolean(at, "excluded", IUT_MAY, &user->excluded);
    size_t n = iut_array(at, "may_have", IUT_MUST, IDENTITIES_MAX);
    user->may_have = iut_alloc(at, n, sizeof *user->may_have);
    for (size_t i = 0; user->may_have && i < n; i++)
        iut_element_identity(at, "may_have", i, &node->store, &user->may_have[user->n_may_have++]);
}

static void read_users(iut_node *node, const iut_place *at) {
    size_t n = iut_array(at, "users", IUT_MAY, USERS_MAX);
    node->kms_users = iut_alloc(at, n, sizeof *node->kms_users);
    iut_place one;
    while (node->kms_users && node->n_kms_users < n && iut_element(at, "users", node->n_kms_users, &one))
        read_user(node, &one, &node->kms_users[node->n_kms_users++]);
}

/* Certificates for REQUEST_KEY_PKE; octets and arrays are copied by ibk_kms_new. */
typedef struct certificates {
    ibk_kms_key_pair key_pairs[IBK_PKE_MAX_CERTIFICATES];
    ibk_span anchors[IBK_PKE_MAX_CERTIFICATES];
} certificates;

static void read_certificates(const iut_place *at, certificates *c, ibk_kms_pke *pke) {
    iut_store *store = &at->request->store;
    iut_place one;
    size_t n = iut_array(at, "key_pairs", IUT_MAY, IBK_PKE_MAX_CERTIFICATES);
    for (size_t i = 0; i < n && iut_element(at, "key_pairs", i, &one); i++) {
        iut_only(&one, "certificate private_key envelope");
        iut_octets(&one, "certificate", IUT_MUST, store, &c->key_pairs[i].certificate);
        iut_octets(&one, "private_key", IUT_MUST, store, &c->key_pairs[i].private_key);
        iut_value(&one, "envelope", IUT_MAY, &iut_envelopes, &c->key_pairs[i].rsaes);
        pke->n_key_pairs++;
    }
    pke->n_anchors = iut_array(at, "anchors", IUT_MAY, IBK_PKE_MAX_CERTIFICATES);
    for (size_t i = 0; i < pke->n_anchors; i++)
        iut_element_octets(at, "anchors", i, store, &c->anchors[i]);
    pke->key_pairs = c->key_pairs;
    pke->anchors = c->anchors;
    pke->certificate = find_certificate;
    pke->holder = find_holder;
    pke->authorized = holder_authorized;
}

static void read_settings(const iut_place *at, ibk_kms_config *config) {
    uint8_t issue = IBK_ISSUE_PERIOD, errors = IBK_KMS_ERRORS_ALL;
    int64_t back = 0, ahead = 0;
    iut_value(at, "issue", IUT_MAY, &iut_issues, &issue);
    iut_value(at, "errors", IUT_MAY, &iut_kms_errors, &errors);
    iut_value(at, "encryption", IUT_MAY, &iut_encryptions, &config->encr_alg);
    iut_integer(at, "issue_back_ms", IUT_MAY, 0, MS_MAX, &back);
    iut_integer(at, "issue_ahead_ms", IUT_MAY, 0, MS_MAX, &ahead);
    config->issue = (ibk_kms_issue)issue;
    config->errors = (ibk_kms_errors)errors;
    config->issue_back_ns = back * NS_PER_MS;
    config->issue_ahead_ns = ahead * NS_PER_MS;
}

/* One of the node's parameters; NULL: malformed. */
static const iut_domain *chosen(const iut_node *node, const iut_place *at) {
    int64_t index = 0;
    iut_integer(at, "params", IUT_MAY, 0, INT32_MAX, &index);
    if (!iut_wrong(at) && (size_t)index >= node->n_domains)
        iut_complain(at, IUT_MALFORMED, "params", "there are no such parameters");
    return iut_wrong(at) ? NULL : &node->domains[index];
}

void iut_kms_begin(iut_node *node, const iut_place *at) {
    iut_only(at, "identity params master issue issue_back_ms issue_ahead_ms encryption errors users "
                 "key_pairs anchors");
    ibk_kms_config config = {.replay = node->replay, .user = node, .psk = find_psk, .authorized = authorized};
    certificates c = {0};
    ibk_span der = {0};
    read_settings(at, &config);
    iut_identity(at, "identity", IUT_MUST, &node->store, &config.identity);
    iut_octets(at, "master", IUT_MUST, &at->request->store, &der);
    read_users(node, at);
    read_certificates(at, &c, &config.pke);
    const iut_domain *domain = chosen(node, at);
    if (!domain)
        return;
    config.params = domain->params;
    config.granularity = domain->granularity;
    ibk_diag diag = {0};
    ibk_err err = ibk_ibe_master_parse(&node->kms_master, domain->params, der, &diag);
    iut_refuse(at, "master", err, &diag);
    config.master = node->kms_master;
    if (!err)
        iut_refuse(at, "", ibk_kms_new(&node->kms, &node->env, &config), NULL);
}

void iut_kms_message(iut_node *node, iut_session *s, ibk_span octets, iut_request *request) {
    ibk_buf response = {0};
    ibk_kms_result result = {0};
    ibk_err err = ibk_kms_handle(node->kms, node->now, octets, &response, &result);
    err = err ? err : result.err;
    json_t *report = iut_report(request, s, err ? IUT_REFUSED_MESSAGE : IUT_ACCEPTED, err, &result.diag,
                                ibk_buf_span(&response));
    if (report && result.request_type != 0)
        iut_put(request, report, "csb_id", json_integer(result.csb_id));
    ibk_buf_free(&response);
}

/* ---- the user
 * ------------------------------------------------------------------------------------------------ */

typedef struct asking {
    ibk_identity users[IBK_KMS_MAX_USERS];
    ibk_span chain[IBK_PKE_MAX_CERTIFICATES], kms[IBK_PKE_MAX_CERTIFICATES],
        anchors[IBK_PKE_MAX_CERTIFICATES];
    ibk_key_request_config config;
} asking;

static size_t read_ders(const iut_place *at, const char *member, iut_presence need, ibk_span *out) {
    size_t n = iut_array(at, member, need, IBK_PKE_MAX_CERTIFICATES);
    for (size_t i = 0; i < n; i++)
        iut_element_octets(at, member, i, &at->request->store, &out[i]);
    return n;
}

static void read_pke(const iut_place *at, asking *a) {
    ibk_key_request_pke *pke = &a->config.pke;
    int64_t chosen_certificate = 0;
    iut_only(at, "chain private_key signature kms_certificates kms_certificate chash anchors envelope");
    pke->n_chain = read_ders(at, "chain", IUT_MUST, a->chain);
    iut_octets(at, "private_key", IUT_MUST, &at->request->store, &pke->private_key);
    iut_value(at, "signature", IUT_MAY, &iut_signatures, &pke->sig_type);
    pke->n_kms_certificates = read_ders(at, "kms_certificates", IUT_MUST, a->kms);
    iut_integer(at, "kms_certificate", IUT_MAY, 0, IBK_PKE_MAX_CERTIFICATES - 1, &chosen_certificate);
    iut_boolean(at, "chash", IUT_MAY, &pke->chash);
    pke->n_anchors = read_ders(at, "anchors", IUT_MAY, a->anchors);
    iut_value(at, "envelope", IUT_MAY, &iut_envelopes, &pke->rsaes);
    pke->kms_certificate = (size_t)chosen_certificate;
    pke->chain = a->chain;
    pke->kms_certificates = a->kms;
    pke->anchors = a->anchors;
}

static void read_asking(iut_node *node, const iut_place *at, asking *a) {
    iut_only(at, "op seq session role kms params ask method psk psk_id pke");
    iut_store *store = &at->request->store;
    ibk_key_request_config *c = &a->config;
    uint8_t method = IBK_KEY_METHOD_PSK;
    iut_place pke;
    iut_identity(at, "kms", IUT_MUST, store, &c->kms);
    c->n_users = iut_array(at, "ask", IUT_MUST, IBK_KMS_MAX_USERS);
    for (size_t i = 0; i < c->n_users; i++)
        iut_element_identity(at, "ask", i, store, &a->users[i]);
    iut_value(at, "method", IUT_MAY, &iut_methods, &method);
    c->method = (ibk_key_method)method;
    if (c->method == IBK_KEY_METHOD_PSK) {
        iut_octets(at, "psk", IUT_MUST, store, &c->psk);
        iut_identity(at, "psk_id", IUT_MAY, store, &c->psk_id);
    } else if (iut_object(at, "pke", IUT_MUST, &pke)) {
        read_pke(&pke, a);
    }
    c->users = a->users;
    c->prf = node->policy.prf;
    c->mac_alg = node->policy.mac_alg;
    c->ts_type = node->policy.ts_type;
    c->timeout_ns = node->policy.timeout_ns;
    c->timestamps = &node->timestamps;
}

void iut_user_open(iut_node *node, iut_session *s, const iut_place *at) {
    asking a = {0};
    read_asking(node, at, &a);
    const iut_domain *domain = chosen(node, at);
    if (!domain)
        return;
    a.config.params = domain->params;
    a.config.granularity = domain->granularity;
    ibk_buf message = {0};
    ibk_err err = ibk_key_request_new(&s->request, &node->env, &a.config);
    iut_refuse(at, "", err, NULL);
    if (err)
        return;
    err = ibk_key_request_start(s->request, node->now, &message);
    if (err) {
        ibk_key_request_free(s->request);
        s->request = NULL;
    }
    iut_report(at->request, s, err ? IUT_REFUSED_MESSAGE : IUT_ACCEPTED, err, NULL, ibk_buf_span(&message));
    ibk_buf_free(&message);
}

bool iut_user_late(const iut_node *node, const iut_session *s) {
    return s->request && ibk_key_request_deadline(s->request) <= node->now.mono_ns;
}

void iut_user_message(iut_node *node, iut_session *s, ibk_span octets, iut_request *request) {
    if (!s->request) {
        iut_report(request, s, IUT_DISCARDED, IBK_ERR_UNEXPECTED_MESSAGE, NULL, (ibk_span){0});
        return;
    }
    uint8_t error_no = 0;
    ibk_diag diag = {0};
    ibk_err err = ibk_key_request_finish(s->request, node->now, octets, &s->issued, &error_no, &diag);
    uint32_t csb_id = ibk_key_request_csb_id(s->request);
    ibk_key_request_free(s->request);
    s->request = NULL;
    s->done = err == IBK_OK;
    iut_event event = !err ? IUT_ACCEPTED : err == IBK_ERR_TIMEOUT ? IUT_EXPIRED : IUT_REFUSED_MESSAGE;
    json_t *report = iut_report(request, s, event, err, &diag, (ibk_span){0});
    if (report)
        iut_put(request, report, "csb_id", json_integer(csb_id));
    if (report && err == IBK_ERR_PEER_ERROR)
        iut_put(request, report, "peer_error", json_integer(error_no));
}
