#include "kms/kms_node.h"
#include "kms/http_server.h"
#include "kms/key_client.h"
#include "kms/parameters.h"
#include "kms/rfc5408.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A public identity, and whose it is. */
typedef struct known_identity {
    const char *id;
    const scn_user *user;
} known_identity;

struct kms_node {
    ims_host *host;
    const scn_domain *domain;
    ibk_replay_cache *replay;
    ibk_kms *kms;
    known_identity *identities; /* of the users of this KMS, sorted */
    size_t identity_count;
    const scn_user **users; /* the same users, sorted by private identity */
    size_t user_count;
    tls_endpoint *plain, *secure; /* TCP without TLS, and with; NULL: no TLS */
    http_server *mikey, *rfc5408;
    parameters_server *parameters; /* NULL: RFC 5408 is not served */
    ims_timer outage_begin, outage_end;
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
    const known_identity *left = a, *right = b;
    return compare_identity(ibk_span_str(left->id), ibk_span_str(right->id));
}

static int key_to_identity(const void *key, const void *element) {
    const known_identity *identity = element;
    return compare_identity(*(const ibk_span *)key, ibk_span_str(identity->id));
}

static const scn_user *find_user(const kms_node *k, ibk_span id) {
    const known_identity *found =
        bsearch(&id, k->identities, k->identity_count, sizeof *k->identities, key_to_identity);
    return found ? found->user : NULL;
}

static int by_name(const void *a, const void *b) {
    const scn_user *const *left = a, *const *right = b;
    return strcmp((*left)->private_identity, (*right)->private_identity);
}

static int key_to_name(const void *key, const void *element) {
    const scn_user *const *user = element;
    return strcmp(key, (*user)->private_identity);
}

/* HTTP Basic (RFC 5408 §5.5): the private identity and the password that is on file. */
static bool find_password(void *user, const char *name, const char *password, void **owner) {
    const kms_node *k = user;
    const scn_user *const *found = bsearch(name, k->users, k->user_count, sizeof *k->users, key_to_name);
    if (!found || !ibk_span_equal_ct(ibk_span_str((*found)->kms_key_password), ibk_span_str(password)))
        return false;
    *owner = (void *)*found;
    return true;
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

/* RFC 6267 §4.2.1.2: a user gets the keys of its own identities, a device those of its user's as well. */
static bool is_authorized(void *user, void *owner, ibk_span id) {
    const scn_user *subscriber = owner, *of = find_user(user, id);
    return subscriber->kms_authorized && of && (of == subscriber || of == subscriber->contact_of);
}

/* RFC 6267 §4.2.1.2 with a certificate: what it names, as far as the user's rights go. */
static bool find_holder(void *user, ibk_span certificate, const ibk_identity *first, void **owner) {
    (void)certificate; /* nothing is revoked here */
    *owner = (void *)find_user(user, first->id);
    return *owner != NULL;
}

static bool is_holder_authorized(void *user, void *owner, ibk_span id, bool named) {
    return named && is_authorized(user, owner, id);
}

/* ---- requests
 * ---------------------------------------------------------------------------------------------------- */

static void log_request(kms_node *k, const char *peer, const ibk_kms_result *result) {
    trace *t = k->host->world->trace;
    trace_begin(t, result->err ? TRACE_ERROR : TRACE_KEY, k->host->name,
                result->err ? "keys-refused" : "keys-issued");
    trace_str(t, "peer", peer);
    if (result->csb_id)
        trace_strf(t, "csb", "%08x", result->csb_id);
    if (result->err)
        trace_diag(t, result->err, &result->diag);
    else
        trace_uint(t, "keys", result->n_keys);
    trace_end(t);
}

static void count_result(kms_node_stats *stats, const ibk_kms_result *result) {
    if (!result->err) {
        stats->issued++;
        stats->keys += result->n_keys;
        return;
    }
    stats->refused++;
    for (size_t i = 0; i < KMS_REASONS_MAX; i++)
        if (stats->reasons[i].err == result->err || !stats->reasons[i].count) {
            stats->reasons[i].err = result->err;
            stats->reasons[i].count++;
            return;
        }
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

static void answered(void *user) {
    kms_node *k = user;
    k->stats.answered = true;
    k->stats.last_answer_ns = ims_host_now(k->host);
}

static void note_request(kms_node *k) {
    k->stats.requests++;
    if (!k->stats.asked)
        k->stats.first_request_ns = ims_host_now(k->host);
    k->stats.asked = true;
}

/* P-18: MIKEY messages of users. */
static void on_mikey(void *user, http_exchange *exchange, const http_message *request) {
    kms_node *k = user;
    ibk_buf body = {0};
    ibk_kms_result result = {0};
    http_response response;
    if (refuse(request, &response)) { /* no request of MIKEY: the account does not have it */
        http_exchange_answer(exchange, &response);
        return;
    }
    note_request(k);
    ibk_err err =
        ibk_kms_handle(k->kms, ims_host_time(k->host), ibk_buf_span(&request->body), &body, &result);
    if (!err) {
        log_request(k, http_exchange_peer(exchange), &result);
        count_result(&k->stats, &result);
    }
    response.status = err ? 500 : body.len ? 200 : 403;
    response.type = body.len ? HTTP_MIKEY_TYPE : NULL;
    response.body = ibk_buf_span(&body);
    http_exchange_answer_computed(exchange, &response, "REQUEST_KEY_RESP");
    ibk_buf_free(&body);
}

/* ---- RFC 5408
 * -------------------------------------------------------------------------------------------- */

static void on_key_request(kms_node *k, http_exchange *exchange, const http_message *request) {
    rfc5408_server_config config = {.host = k->host,
                                    .kms = k->kms,
                                    .parameters = k->parameters,
                                    .authenticate = find_password,
                                    .user = k};
    char peer[N3_ADDR_TEXT];
    rfc5408_result result;
    snprintf(peer, sizeof peer, "%s", http_exchange_peer(exchange));
    note_request(k);
    rfc5408_serve(&config, exchange, request, &result);
    ibk_kms_result noted = {.err = result.err, .diag = result.diag, .n_keys = !result.err};
    log_request(k, peer, &noted);
    count_result(&k->stats, &noted);
}

static void on_rfc5408(void *user, http_exchange *exchange, const http_message *request) {
    kms_node *k = user;
    http_response nothing = {.status = 404};
    if (strcmp(request->target, PARAMETERS_TARGET) == 0)
        parameters_server_serve(k->parameters, exchange, request);
    else if (strcmp(request->target, RFC5408_TARGET) == 0)
        on_key_request(k, exchange, request);
    else
        http_exchange_answer(exchange, &nothing);
}

/* Its ports are opened with the others. */
static ibk_err start_rfc5408(kms_node *k, const kms_node_config *config) {
    parameters_server_config parameters = {.host = k->host, .domain = k->domain, .params = config->params};
    bool secure = k->domain->kms.tls;
    if (!config->rfc5408)
        return IBK_OK;
    if (secure && !config->tls)
        return IBK_ERR_USAGE;
    ibk_err err = secure ? tls_endpoint_new(&k->secure, k->host, config->tls) : IBK_OK;
    return err ? err : parameters_server_new(&k->parameters, &parameters);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------
 */

static ibk_err take_users(kms_node *k, const scn_scenario *scenario) {
    k->identities = calloc(scenario->user_count * SCN_MAX_IDENTITIES, sizeof *k->identities);
    k->users = calloc(scenario->user_count, sizeof *k->users);
    if (!k->identities || !k->users)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < scenario->user_count; i++) {
        const scn_user *user = &scenario->users[i];
        if (user->domain != k->domain)
            continue;
        k->users[k->user_count++] = user;
        k->identities[k->identity_count++] = (known_identity){user->identity, user};
        for (size_t j = 0; j < user->identity_count; j++)
            k->identities[k->identity_count++] = (known_identity){user->identities[j], user};
    }
    qsort(k->users, k->user_count, sizeof *k->users, by_name);
    qsort(k->identities, k->identity_count, sizeof *k->identities, by_identity);
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
                          /* A user whose clock is behind may ask for the period that has just ended, and its
                             peers' messages of that period are valid as long as the skew allows. */
                          .issue_back_ns = (int64_t)(domain->mikey.clock_skew_ns + domain->kms.issue_back_ns),
                          .errors = domain->kms.errors,
                          .encr_alg = domain->kms.encryption,
                          .user = k,
                          .psk = find_psk,
                          .authorized = is_authorized,
                          .without = scn_ibk_without(domain->kms.without)};
    ibk_kms_key_pair pair;
    if (config->pke) {
        pair = (ibk_kms_key_pair){.certificate = ibk_buf_span(&config->pke->certificate),
                                  .private_key = ibk_buf_span(&config->pke->private_key)};
        kms.pke = (ibk_kms_pke){.key_pairs = &pair,
                                .n_key_pairs = 1,
                                .anchors = &config->anchor,
                                .n_anchors = 1,
                                .holder = find_holder,
                                .authorized = is_holder_authorized};
    }
    return ibk_kms_new(&k->kms, &env, &kms);
}

/* ---- its ports, and the time in which they are closed ----------------------------------------------------
 */

static void close_ports(kms_node *k) {
    http_server_free(k->mikey);
    http_server_free(k->rfc5408);
    k->mikey = k->rfc5408 = NULL;
}

/* All of them or none. */
static ibk_err open_ports(kms_node *k) {
    http_server_config server = {.host = k->host,
                                 .endpoint = k->plain,
                                 .port = KMS_HTTP_PORT,
                                 .handle = on_mikey,
                                 .computed = answered,
                                 .user = k};
    ibk_err err = http_server_new(&k->mikey, &server);
    if (err || !k->parameters)
        return err;
    server.endpoint = k->secure ? k->secure : k->plain;
    server.port = k->secure ? KMS_HTTPS_PORT : KMS_PLAIN_PORT;
    server.handle = on_rfc5408;
    err = http_server_new(&k->rfc5408, &server);
    if (err)
        close_ports(k);
    return err;
}

static void log_outage(const kms_node *k, const char *event, ibk_err err) {
    trace *t = k->host->world->trace;
    trace_begin(t, err ? TRACE_ERROR : TRACE_STATE, k->host->name, event);
    if (err)
        trace_diag(t, err, NULL);
    trace_end(t);
}

static void come_up(void *arg) {
    kms_node *k = arg;
    k->outage_end = 0;
    ibk_err err = open_ports(k);
    log_outage(k, err ? "stays-down" : "up", err);
}

/* The process is gone, not what it keeps on disk: master secret and replay cache. */
static void go_down(void *arg) {
    kms_node *k = arg;
    k->outage_begin = 0;
    close_ports(k);
    k->outage_end = ims_host_timer(k->host, k->domain->kms.outage.for_ns, come_up, k);
    log_outage(k, "down", IBK_OK);
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
    if (!err)
        err = start_rfc5408(k, config);
    if (!err)
        err = open_ports(k);
    if (!err && k->domain->kms.outage.for_ns)
        k->outage_begin = ims_host_timer(k->host, k->domain->kms.outage.from_ns, go_down, k);
    if (err)
        kms_node_free(k);
    else
        *out = k;
    return err;
}

void kms_node_free(kms_node *k) {
    if (!k)
        return;
    close_ports(k);
    if (k->host) {
        ims_host_cancel(k->host, &k->outage_begin);
        ims_host_cancel(k->host, &k->outage_end);
    }
    tls_endpoint_free(k->plain);
    tls_endpoint_free(k->secure);
    parameters_server_free(k->parameters);
    ibk_kms_free(k->kms);
    ibk_replay_cache_free(k->replay);
    free(k->identities);
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
