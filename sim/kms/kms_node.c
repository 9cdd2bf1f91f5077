#include "kms/kms_node.h"
#include "ims/address.h"
#include "kms/http.h"
#include "kms/key_client.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONNECTIONS = 20000 }; /* every user of a scenario at once */

typedef struct connection {
    kms_node *k;
    n3_tcp *tcp;
    http_reader *reader;
    struct connection *next;
} connection;

struct kms_node {
    ims_host *host;
    const scn_domain *domain;
    ibk_replay_cache *replay;
    ibk_kms *kms;
    const scn_user **users; /* of this KMS, sorted by identity */
    size_t user_count;
    n3_listener *listener;
    connection *connections;
    size_t connection_count;
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

/* RFC 6267 §4.2.1.2: a user gets the keys of its own identity. */
static bool is_authorized(void *user, void *owner, ibk_span id) {
    const scn_user *subscriber = owner;
    (void)user;
    return ibk_span_equal(id, ibk_span_str(subscriber->identity));
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

static void log_http(kms_node *k, const char *peer, bool sent, const char *label, uint8_t mikey_type,
                     size_t octets) {
    trace_message message = {.kind = TRACE_HTTP,
                             .node = k->host->name,
                             .sent = sent,
                             .peer = peer,
                             .label = label,
                             .mikey = mikey_type ? ibk_msg_type_name(mikey_type) : NULL,
                             .transport = "tcp",
                             .octets = octets};
    trace_message_begin(k->host->world->trace, &message);
    trace_end(k->host->world->trace);
}

/* The status that HTTP has for a request; 200 with a MIKEY answer is decided by the KMS. */
static unsigned http_refusal(const http_message *request) {
    if (strcmp(request->method, "POST") != 0)
        return 405;
    if (strcmp(request->target, KMS_TARGET) != 0)
        return 404;
    if (strcasecmp(request->content_type, HTTP_MIKEY_TYPE) != 0)
        return 415;
    return 0;
}

static ibk_err respond(connection *c, const char *peer, unsigned status, ibk_span body, uint8_t mikey_type) {
    ibk_buf out = {0};
    char label[32];
    ibk_err err = http_write_response(&out, status, body.len ? HTTP_MIKEY_TYPE : NULL, body);
    if (!err && n3_tcp_send(c->tcp, out.data, out.len))
        err = IBK_ERR_IO;
    snprintf(label, sizeof label, "%u", status);
    log_http(c->k, peer, true, label, mikey_type, out.len);
    ibk_buf_free(&out);
    return err;
}

static ibk_err serve(connection *c, const http_message *request) {
    kms_node *k = c->k;
    n3_endpoint remote = {0};
    char peer[N3_ADDR_TEXT] = "?";
    if (n3_tcp_remote(c->tcp, &remote) == N3_OK)
        n3_addr_format(peer, &remote.addr);
    ibk_peek peek = {0};
    ibk_message_peek(&peek, ibk_buf_span(&request->body), NULL);
    log_http(k, peer, false, request->method, peek.data_type, request->body.len);
    unsigned refusal = http_refusal(request);
    if (refusal)
        return respond(c, peer, refusal, (ibk_span){0}, 0);
    ibk_buf response = {0};
    ibk_kms_result result = {0};
    k->stats.requests++;
    ibk_err err =
        ibk_kms_handle(k->kms, ims_host_time(k->host), ibk_buf_span(&request->body), &response, &result);
    if (!err) {
        log_request(k, peer, &result);
        if (result.err)
            k->stats.refused++;
        else
            k->stats.issued++;
        k->stats.keys += result.n_keys;
        err = respond(c, peer, response.len ? 200 : 403, ibk_buf_span(&response), result.response_type);
    }
    ibk_buf_free(&response);
    return err;
}

/* ---- connections
 * --------------------------------------------------------------------------------------------------- */

static void connection_free(connection *c) {
    n3_tcp_free(c->tcp);
    http_reader_free(c->reader);
    free(c);
}

static void drop(connection *c) {
    kms_node *k = c->k;
    connection **at = &k->connections;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    k->connection_count--;
    connection_free(c);
}

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    connection *c = user;
    while (len > 0) {
        size_t used;
        http_result result = http_reader_feed(c->reader, data, len, &used);
        if (result == HTTP_MORE)
            return;
        if (result == HTTP_BAD) {
            respond(c, "?", 400, (ibk_span){0}, 0);
            n3_tcp_close(tcp);
            drop(c);
            return;
        }
        if (serve(c, http_reader_message(c->reader))) {
            drop(c);
            return;
        }
        data += used;
        len -= used;
    }
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    n3_tcp_close(tcp);
    drop(user);
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp, (void)why;
    drop(user);
}

static void on_accepted(void *user, n3_tcp *tcp) {
    kms_node *k = user;
    connection *c = k->connection_count < MAX_CONNECTIONS ? calloc(1, sizeof *c) : NULL;
    http_reader *reader = c ? http_reader_new(HTTP_KIND_REQUEST) : NULL;
    if (!reader) {
        free(c);
        n3_tcp_free(tcp);
        return;
    }
    *c = (connection){.k = k, .tcp = tcp, .reader = reader, .next = k->connections};
    k->connections = c;
    k->connection_count++;
    n3_tcp_config config = {
        .handlers = {.received = on_received, .peer_closed = on_peer_closed, .ended = on_ended}, .user = c};
    n3_tcp_configure(tcp, &config);
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
    if (!err) {
        n3_endpoint local = ims_endpoint(&k->host->addr);
        local.port = KMS_HTTP_PORT;
        err = n3_listen(&k->listener, k->host->node, &local, on_accepted, k) ? IBK_ERR_INTERNAL : IBK_OK;
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
    for (connection *c = k->connections, *next; c; c = next) {
        next = c->next;
        connection_free(c);
    }
    n3_listener_free(k->listener);
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
