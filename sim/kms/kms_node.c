#include "kms/kms_node.h"
#include "kms/http_server.h"
#include "kms/key_client.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct kms_node {
    ims_host *host;
    const scn_domain *domain;
    ibk_replay_cache *replay;
    ibk_kms *kms;
    const scn_user **users; /* of this KMS, sorted by identity */
    size_t user_count;
    tls_endpoint *plain; /* TCP without TLS */
    http_server *mikey;
    kms_node_stats stats;
};

/* ---- who may have which keys
 * ----------------------------------------------------------------------------------- */

static int compare_identity(ibk_span a, ibk_span b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_identity(const void *a, const void *b) {
    const scn_user *const *left = a, *const *right = b;
    return compare_identity(ibk_span_str((*left)->identity), ibk_span_str((*right)->identity));
}

static int key_to_user(const void *key, const void *element) {
    const scn_user *const *user = element;
    return compare_identity(*(const ibk_span *)key, ibk_span_str((*user)->identity));
}

static const scn_user *find_user(const kms_node *k, ibk_span id) {
    const scn_user *const *found = bsearch(&id, k->users, k->user_count, sizeof *k->users, key_to_user);
    return found ? *found : NULL;
}

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    const kms_node *k = user;
    (void)psk_id; /* one PSK a user: its identity names it */
    const scn_user *found = find_user(k, first->id);
    if (!found || ibk_buf_append_span(psk, found->kms_psk))
        return false;
    *owner = (void *)found;
    return true;
}

/* RFC 6267 §4.2.1.2: a user gets the keys of its own identity, a further device those of its user's as well.
 */
static bool is_authorized(void *user, void *owner, ibk_span id) {
    const scn_user *subscriber = owner;
    (void)user;
    return ibk_span_equal(id, ibk_span_str(subscriber->identity)) ||
           (subscriber->contact_of && ibk_span_equal(id, ibk_span_str(subscriber->contact_of->identity)));
}

/* ---- requests
 * ---------------------------------------------------------------------------------------------------- */

static void log_request(kms_node *k, const char *peer, const ibk_kms_result *result) {
    trace *t = k->host->world->trace;
    trace_begin(t, result->err ? TRACE_ERROR : TRACE_KEY, k->host->name,
                result->err ? "keys-refused" : "keys-issued");
    trace_str(t, "peer", peer);
    trace_strf(t, "csb", "%08x", result->csb_id);
    if (result->err)
        trace_diag(t, result->err, &result->diag);
    else
        trace_uint(t, "keys", result->n_keys);
    trace_end(t);
}

/* What HTTP has to say about a request; false: a MIKEY message is there, the KMS decides. */
static bool refuse(const http_message *request, http_response *response) {
    *response = (http_response){.status = 200};
    if (strcmp(request->target, KMS_TARGET) != 0)
        response->status = 404;
    else if (strcmp(request->method, "POST") != 0)
        *response = (http_response){.status = 405, .allow = "POST"};
    else if (strcasecmp(request->content_type, HTTP_MIKEY_TYPE) != 0)
        response->status = 415;
    return response->status != 200;
}

/* P-18: MIKEY messages of users. */
static void on_mikey(void *user, http_exchange *exchange, const http_message *request) {
    kms_node *k = user;
    ibk_buf body = {0};
    ibk_kms_result result = {0};
    http_response response;
    if (!refuse(request, &response)) {
        k->stats.requests++;
        ibk_err err =
            ibk_kms_handle(k->kms, ims_host_time(k->host), ibk_buf_span(&request->body), &body, &result);
        if (!err) {
            log_request(k, http_exchange_peer(exchange), &result);
            if (result.err)
                k->stats.refused++;
            else
                k->stats.issued++;
            k->stats.keys += result.n_keys;
        }
        response.status = err ? 500 : body.len ? 200 : 403;
        response.type = body.len ? HTTP_MIKEY_TYPE : NULL;
        response.body = ibk_buf_span(&body);
    }
    http_exchange_answer(exchange, &response);
    ibk_buf_free(&body);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------
 */

static ibk_err take_users(kms_node *k, const scn_scenario *scenario) {
    k->users = calloc(scenario->user_count, sizeof *k->users);
    if (!k->users)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < scenario->user_count; i++)
        if (scenario->users[i].domain == k->domain)
            k->users[k->user_count++] = &scenario->users[i];
    qsort(k->users, k->user_count, sizeof *k->users, by_identity);
    return IBK_OK;
}

static ibk_err log_secrets(kms_node *k, const kms_node_config *config) {
    ibk_buf der = {0};
    ibk_env env = ims_host_env(k->host);
    if (!env.keylog)
        return IBK_OK;
    ibk_err err = ibk_ibe_params_encode(config->params, &der);
    if (!err) {
        ibk_keylog_record record = {.kind = IBK_KEYLOG_PARAMS, .value = ibk_buf_span(&der)};
        env.keylog(env.user, &record);
        ibk_buf_clear(&der);
        err = ibk_ibe_master_encode(config->master, &der);
    }
    if (!err) {
        ibk_keylog_record record = {.kind = IBK_KEYLOG_MASTER, .value = ibk_buf_span(&der)};
        env.keylog(env.user, &record);
    }
    ibk_buf_free(&der);
    return err;
}

static ibk_identity kms_identity(const scn_kms *kms) {
    return (ibk_identity){.id_type = IBK_ID_NAI, .id = ibk_span_str(kms->identity)};
}

static ibk_err start_kms(kms_node *k, const kms_node_config *config) {
    const scn_domain *domain = config->domain;
    ibk_replay_config replay = {.max_entries = domain->mikey.replay_cache,
                                .skew_ns = (int64_t)domain->mikey.clock_skew_ns};
    ibk_err err = ibk_replay_cache_new(&k->replay, &replay);
    if (err)
        return err;
    ibk_env env = ims_host_env(k->host);
    ibk_kms_config kms = {.identity = kms_identity(&domain->kms),
                          .params = config->params,
                          .master = config->master,
                          .replay = k->replay,
                          .granularity = domain->kms.granularity,
                          .issue = domain->kms.issue,
                          .errors = domain->kms.errors,
                          .encr_alg = domain->kms.encryption,
                          .user = k,
                          .psk = find_psk,
                          .authorized = is_authorized};
    return ibk_kms_new(&k->kms, &env, &kms);
}

ibk_err kms_node_new(kms_node **out, const kms_node_config *config) {
    *out = NULL;
    kms_node *k = calloc(1, sizeof *k);
    if (!k)
        return IBK_ERR_NO_MEMORY;
    k->domain = config->domain;
    ims_host_config host = config->host;
    host.quiet = true;
    ibk_err err = ims_host_new(&k->host, &host, NULL);
    if (!err)
        err = take_users(k, config->scenario);
    if (!err)
        err = log_secrets(k, config);
    if (!err)
        err = start_kms(k, config);
    if (!err)
        err = tls_endpoint_new(&k->plain, k->host, NULL);
    if (!err) {
        http_server_config server = {
            .host = k->host, .endpoint = k->plain, .port = KMS_HTTP_PORT, .handle = on_mikey, .user = k};
        err = http_server_new(&k->mikey, &server);
    }
    if (err)
        kms_node_free(k);
    else
        *out = k;
    return err;
}

void kms_node_free(kms_node *k) {
    if (!k)
        return;
    http_server_free(k->mikey);
    tls_endpoint_free(k->plain);
    ibk_kms_free(k->kms);
    ibk_replay_cache_free(k->replay);
    free(k->users);
    ims_host_free(k->host);
    free(k);
}

const ims_host *kms_node_host(const kms_node *k) {
    return k->host;
}

const kms_node_stats *kms_node_get_stats(const kms_node *k) {
    return &k->stats;
}
