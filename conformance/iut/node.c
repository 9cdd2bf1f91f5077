/* The op "begin": a node with its parameters, private keys, policy and clocks; what sessions ask of it. */
#include "conformance/iut/session.h"

#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 16, SERVES_MAX = 64, KEYS_MAX = 1024, IDENTITIES_MAX = 64, CSB_IDS_MAX = 1024 };
#define DEFAULT_UTC_MS INT64_C(1795521600000)
#define NS_PER_MS      INT64_C(1000000)
#define MS_MAX         (INT64_MAX / NS_PER_MS)

/* ---- parameters -----------------------------------------------------------------------------------------
 */

ibk_err iut_proved_params(iut_proved *proved, ibk_span der, ibk_ibe_params **out, ibk_diag *diag) {
    for (size_t i = 0; i < proved->count; i++)
        if (ibk_span_equal(ibk_buf_span(&proved->items[i].der), der)) {
            *out = ibk_ibe_params_ref(proved->items[i].params);
            return IBK_OK;
        }
    ibk_ibe_params *params = NULL;
    ibk_buf copy = {0};
    ibk_err err = ibk_ibe_params_parse(&params, der, NULL, diag);
    err = err ? err : ibk_buf_append_span(&copy, der);
    if (err) {
        ibk_ibe_params_free(params);
        return err;
    }
    size_t at = proved->next++ % IUT_PROVED_MAX; /* the oldest gives way */
    ibk_buf_free(&proved->items[at].der);
    ibk_ibe_params_free(proved->items[at].params);
    proved->items[at].der = copy;
    proved->items[at].params = params;
    proved->count = proved->count < IUT_PROVED_MAX ? proved->count + 1 : proved->count;
    *out = ibk_ibe_params_ref(params);
    return IBK_OK;
}

void iut_proved_free(iut_proved *proved) {
    for (size_t i = 0; i < proved->count; i++) {
        ibk_buf_free(&proved->items[i].der);
        ibk_ibe_params_free(proved->items[i].params);
    }
    *proved = (iut_proved){0};
}

/* A text that lives as long as the case. */
static const char *keep_text(iut_node *node, const iut_place *at, const char *text) {
    ibk_buf buf = {0};
    ibk_err err = ibk_buf_append(&buf, text, strlen(text) + 1);
    ibk_span kept = err ? (ibk_span){0} : iut_store_keep(&node->store, &buf, &err);
    ibk_buf_free(&buf);
    iut_refuse(at, "", err, NULL);
    return err ? "" : (const char *)kept.data;
}

static void read_domain(iut_node *node, iut_proved *proved, const iut_place *at, iut_domain *domain) {
    iut_only(at, "der serves granularity");
    uint8_t granularity = IBK_GRANULARITY_DAY;
    iut_value(at, "granularity", IUT_MAY, &iut_granularities, &granularity);
    domain->granularity = (ibk_granularity)granularity;
    size_t n = iut_array(at, "serves", IUT_MUST, SERVES_MAX);
    domain->serves = iut_alloc(at, n, sizeof *domain->serves);
    for (size_t i = 0; domain->serves && i < n; i++) {
        const char *text = "";
        iut_element_text(at, "serves", i, &text);
        domain->serves[domain->n_serves++] = keep_text(node, at, text);
    }
    ibk_span der = {0};
    iut_octets(at, "der", IUT_MUST, &at->request->store, &der);
    if (iut_wrong(at))
        return;
    ibk_diag diag = {0};
    iut_refuse(at, "der", iut_proved_params(proved, der, &domain->params, &diag), &diag);
}

static void read_domains(iut_node *node, iut_proved *proved, const iut_place *at) {
    size_t n = iut_array(at, "params", IUT_MAY, PARAMS_MAX);
    node->domains = iut_alloc(at, n, sizeof *node->domains);
    iut_place one;
    while (node->n_domains < n && iut_element(at, "params", node->n_domains, &one))
        read_domain(node, proved, &one, &node->domains[node->n_domains++]);
}

const iut_domain *iut_node_domain(const iut_node *node, ibk_span id) {
    for (size_t i = 0; i < node->n_domains; i++)
        for (size_t j = 0; j < node->domains[i].n_serves; j++) {
            ibk_span rule = ibk_span_str(node->domains[i].serves[j]), end = id;
            if (rule.len > 0 && rule.data[0] == '@' && id.len > rule.len)
                end = ibk_span_of(id.data + id.len - rule.len, rule.len);
            if (ibk_span_equal(rule, end))
                return &node->domains[i];
        }
    return NULL;
}

/* ---- private keys
 * ------------------------------------------------------------------------------------------- */

static void read_key(iut_node *node, const iut_place *at, iut_key *key) {
    iut_only(at, "identity date der");
    ibk_identity identity = {0};
    const char *date = NULL;
    ibk_span der = {0};
    iut_identity(at, "identity", IUT_MUST, &at->request->store, &identity);
    iut_text(at, "date", IUT_MUST, IBK_DATE_MAX, &date);
    iut_octets(at, "der", IUT_MUST, &at->request->store, &der);
    if (iut_wrong(at))
        return;
    key->domain = iut_node_domain(node, identity.id);
    if (!key->domain) {
        iut_complain(at, IUT_MALFORMED, "identity", "no parameters serve it");
        return;
    }
    ibk_diag diag = {0};
    ibk_err err = ibk_buf_append_span(&key->ibe_identity, identity.id); /* P-9 */
    err = err ? err : ibk_buf_append(&key->ibe_identity, date, strlen(date));
    err = err ? err : ibk_ibe_key_parse(&key->key, key->domain->params, der, &diag);
    iut_refuse(at, "der", err, &diag);
}

static void read_keys(iut_node *node, const iut_place *at) {
    size_t n = iut_array(at, "keys", IUT_MAY, KEYS_MAX);
    node->keys = iut_alloc(at, n, sizeof *node->keys);
    iut_place one;
    while (node->n_keys < n && iut_element(at, "keys", node->n_keys, &one))
        read_key(node, &one, &node->keys[node->n_keys++]);
}

const iut_key *iut_node_key(const iut_node *node, ibk_span ibe_identity) {
    for (size_t i = 0; i < node->n_keys; i++)
        if (ibk_span_equal(ibk_buf_span(&node->keys[i].ibe_identity), ibe_identity))
            return &node->keys[i];
    return NULL;
}

/* ---- policy
 * ------------------------------------------------------------------------------------------------- */

/* Names what we do not set (IUT.md §2). */
static void note_ignored(const iut_place *at) {
    static const char known[] =
        "timestamp timestamps counter prf prfs mac macs curve curves errors ignore_peer_errors "
        "accept_responders accept_initiators allow_missing_echo allow_null_srtp csb_ids_in_use "
        "skew_ms replay_entries timeout_ms";
    json_t *ignored = json_object_get(at->request->answer, "ignored");
    const char *name;
    json_t *value;
    json_object_foreach(at->object, name, value) {
        iut_request probe = {0};
        json_t *alone = json_pack("{s:O}", name, value);
        iut_place one = {.request = &probe, .object = alone};
        iut_only(&one, known);
        if (probe.result != IUT_OK)
            iut_append(at->request, ignored, json_sprintf("policy.%.200s", name));
        json_decref(alone);
    }
}

static void read_algorithms(const iut_place *at, ibk_policy *policy) {
    iut_value(at, "timestamp", IUT_MAY, &iut_timestamps, &policy->ts_type);
    iut_values(at, "timestamps", &iut_timestamps, &policy->ts_types);
    iut_value(at, "prf", IUT_MAY, &iut_prfs, &policy->prf);
    iut_values(at, "prfs", &iut_prfs, &policy->prfs);
    iut_value(at, "mac", IUT_MAY, &iut_macs, &policy->mac_alg);
    iut_values(at, "macs", &iut_macs, &policy->mac_algs);
    iut_value(at, "curve", IUT_MAY, &iut_own_curves, &policy->curve);
    iut_values(at, "curves", &iut_curves, &policy->curves);
}

static void read_limits(iut_node *node, const iut_place *at) {
    int64_t timeout = 0, skew = 0, entries = 0, counter = -1;
    iut_integer(at, "timeout_ms", IUT_MAY, 1, MS_MAX, &timeout);
    iut_integer(at, "skew_ms", IUT_MAY, 1, MS_MAX, &skew);
    iut_integer(at, "replay_entries", IUT_MAY, 1, IBK_REPLAY_MAX_ENTRIES, &entries);
    iut_integer(at, "counter", IUT_MAY, 0, UINT32_MAX, &counter);
    node->policy.timeout_ns = (uint64_t)(timeout * NS_PER_MS);
    if (counter >= 0) {
        node->timestamps.last[IBK_TS_COUNTER] = (uint64_t)counter;
        node->timestamps.used[IBK_TS_COUNTER] = true;
    }
    ibk_replay_config config = {.max_entries = (size_t)entries, .skew_ns = skew * NS_PER_MS};
    if (!iut_wrong(at))
        iut_refuse(at, "", ibk_replay_cache_new(&node->replay, &config), NULL);
}

static void read_policy(iut_node *node, const iut_place *at) {
    ibk_policy *policy = &node->policy;
    uint8_t errors = IBK_ERRORS_PARAMETERS;
    read_algorithms(at, policy);
    iut_value(at, "errors", IUT_MAY, &iut_error_policies, &errors);
    policy->errors = (ibk_error_policy)errors;
    iut_boolean(at, "ignore_peer_errors", IUT_MAY, &policy->ignore_peer_errors);
    iut_boolean(at, "allow_missing_echo", IUT_MAY, &policy->allow_missing_echo);
    iut_boolean(at, "allow_null_srtp", IUT_MAY, &policy->allow_null_srtp);
    iut_value(at, "accept_responders", IUT_MAY, &iut_accepts, &node->accept_responders);
    node->limit_initiators = iut_has(at, "accept_initiators");
    size_t n = iut_array(at, "accept_initiators", IUT_MAY, IDENTITIES_MAX);
    node->initiators = iut_alloc(at, n, sizeof *node->initiators);
    for (size_t i = 0; node->initiators && i < n; i++)
        iut_element_identity(at, "accept_initiators", i, &node->store,
                             &node->initiators[node->n_initiators++]);
    n = iut_array(at, "csb_ids_in_use", IUT_MAY, CSB_IDS_MAX);
    node->csb_ids = iut_alloc(at, n, sizeof *node->csb_ids);
    for (size_t i = 0; node->csb_ids && i < n; i++) {
        int64_t id = 0;
        iut_element_integer(at, "csb_ids_in_use", i, UINT32_MAX, &id);
        node->csb_ids[node->n_csb_ids++] = (uint32_t)id;
    }
    read_limits(node, at);
}

/* ---- what sessions ask
 * -------------------------------------------------------------------------------------- */

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    const iut_domain *domain = iut_node_domain(user, id->id);
    if (!domain)
        return IBK_LOOKUP_ABSENT;
    *out = domain->params;
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    const iut_key *found = iut_node_key(user, ibe_identity);
    if (!found)
        return IBK_LOOKUP_ABSENT;
    *params = found->domain->params;
    *key = found->key;
    return IBK_LOOKUP_FOUND;
}

static bool csb_id_in_use(void *user, uint32_t csb_id, const ibk_identity *peer) {
    const iut_node *node = user;
    (void)peer;
    for (size_t i = 0; i < node->n_csb_ids; i++)
        if (node->csb_ids[i] == csb_id)
            return true;
    return false;
}

static bool accept_responder(void *user, const ibk_identity *asked, const ibk_identity *answered,
                             bool echoed) {
    const iut_node *node = user;
    (void)asked;
    (void)answered;
    return node->accept_responders == IUT_ACCEPT_ANY ||
           (node->accept_responders == IUT_ACCEPT_ECHOED && echoed);
}

static bool accept_initiator(void *user, const ibk_identity *initiator, const ibk_identity *target) {
    const iut_node *node = user;
    (void)target;
    for (size_t i = 0; i < node->n_initiators; i++)
        if (ibk_identity_equal(&node->initiators[i], initiator))
            return true;
    return !node->limit_initiators;
}

static ibk_granularity granularity(void *user, const ibk_identity *id) {
    const iut_domain *domain = iut_node_domain(user, id->id);
    return domain ? domain->granularity : IBK_GRANULARITY_DAY;
}

ibk_node iut_node_callbacks(iut_node *node) {
    return (ibk_node){.user = node,
                      .params = find_params,
                      .private_key = find_key,
                      .csb_id_in_use = csb_id_in_use,
                      .accept_responder = accept_responder,
                      .accept_initiator = accept_initiator,
                      .replay = node->replay,
                      .timestamps = &node->timestamps,
                      .granularity = granularity};
}

/* ---- begin and end
 * ------------------------------------------------------------------------------------------ */

/* IUT.md §2: the family of the case's name, and the features that it needs. */
static void check_case(const iut_place *at) {
    const char *name = "";
    uint8_t value;
    iut_text(at, "case", IUT_MUST, 200, &name);
    size_t family = strcspn(name, "/");
    if (!iut_wrong(at) && (!name[family] || !iut_kind_find(&iut_families, name, family, &value)))
        iut_complain(at, IUT_UNSUPPORTED, "case", "no family of ours");
    size_t n = iut_array(at, "needs", IUT_MAY, 64);
    for (size_t i = 0; i < n; i++) {
        const char *need = "";
        iut_element_text(at, "needs", i, &need);
        if (!iut_kind_find(&iut_features, need, strlen(need), &value))
            iut_complain(at, IUT_UNSUPPORTED, "needs", "'%.60s' is no feature of ours", need);
    }
}

static ibk_err node_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    return iut_random_draw(&((iut_node *)user)->random, label, out, len);
}

void iut_node_begin(iut_node *node, iut_proved *proved, iut_request *request) {
    iut_place at = iut_top(request), inner;
    iut_only(&at, "op seq case needs utc_ms timer_ms params keys policy random kms");
    check_case(&at);
    iut_put(request, request->answer, "ignored", json_array());
    int64_t utc_ms = DEFAULT_UTC_MS, timer_ms = 0;
    iut_integer(&at, "utc_ms", IUT_MAY, 0, MS_MAX, &utc_ms);
    iut_integer(&at, "timer_ms", IUT_MAY, 0, MS_MAX, &timer_ms);
    node->now = (ibk_time){.mono_ns = (uint64_t)(timer_ms * NS_PER_MS), .utc_ns = utc_ms * NS_PER_MS};
    node->env = (ibk_env){.user = node, .draw = node_draw};
    if (iut_object(&at, "random", IUT_MAY, &inner))
        iut_random_read(&inner, &node->store, &node->random);
    read_domains(node, proved, &at);
    read_keys(node, &at);
    json_t *none = json_object();
    iut_place policy = {.request = request, .object = none, .path = "policy."};
    iut_object(&at, "policy", IUT_MAY, &policy);
    if (!iut_wrong(&at)) {
        read_policy(node, &policy);
        note_ignored(&policy);
    }
    json_decref(none);
    if (iut_object(&at, "kms", IUT_MAY, &inner))
        iut_kms_begin(node, &inner);
    node->open = !iut_wrong(&at);
}

void iut_node_free(iut_node *node) {
    iut_sessions_free(node);
    ibk_kms_free(node->kms);
    ibk_ibe_master_free(node->kms_master);
    for (size_t i = 0; i < node->n_keys; i++) {
        ibk_buf_free(&node->keys[i].ibe_identity);
        ibk_ibe_key_free(node->keys[i].key);
    }
    for (size_t i = 0; i < node->n_domains; i++) {
        ibk_ibe_params_free(node->domains[i].params);
        free(node->domains[i].serves);
    }
    for (size_t i = 0; i < node->n_kms_users; i++)
        free(node->kms_users[i].may_have);
    free(node->kms_users);
    free(node->keys);
    free(node->domains);
    free(node->initiators);
    free(node->csb_ids);
    ibk_replay_cache_free(node->replay);
    iut_random_free(&node->random);
    iut_store_free(&node->store);
    *node = (iut_node){0};
}
