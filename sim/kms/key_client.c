#include "kms/key_client.h"
#include "ims/address.h"
#include "kms/http.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TRIES = 3 };
#define RETRY_DELAY (2 * SIP_S)

struct key_client {
    key_client_config config;
    key_client_done *done;
    void *user;
    ibk_key_request *request;
    ibk_buf message; /* REQUEST_KEY_PSK */
    n3_endpoint kms;
    char kms_host[256];
    n3_tcp *tcp;
    http_reader *reader;
    ims_timer deadline, retry;
    unsigned tries;
};

static void close_connection(key_client *c) {
    n3_tcp_free(c->tcp);
    c->tcp = NULL;
    http_reader_free(c->reader);
    c->reader = NULL;
}

static void finish(key_client *c, const key_client_result *result, ibk_key_list *keys) {
    close_connection(c);
    ims_host_cancel(c->config.host, &c->deadline);
    ims_host_cancel(c->config.host, &c->retry);
    ibk_key_request_free(c->request);
    c->request = NULL;
    c->done(c->user, result, keys);
}

static void fail(key_client *c, scn_keys_failure failure, ibk_err err, const char *why) {
    key_client_result result = {.failure = failure};
    ibk_fail(&result.diag, err, NULL, 0, "%s", why);
    finish(c, &result, NULL);
}

static void log_http(const key_client *c, bool sent, const char *label, uint8_t mikey_type, size_t octets,
                     bool again) {
    char peer[N3_ADDR_TEXT];
    trace *t = c->config.host->world->trace;
    trace_message message = {.kind = TRACE_HTTP,
                             .node = c->config.host->name,
                             .sent = sent,
                             .peer = n3_addr_format(peer, &c->kms.addr),
                             .label = label,
                             .mikey = mikey_type ? ibk_msg_type_name(mikey_type) : NULL,
                             .transport = "tcp",
                             .octets = octets,
                             .retransmission = again};
    trace_message_begin(t, &message);
    trace_end(t);
}

/* What the KMS refused, and what the UE refuses, tell apart by who noticed. */
static scn_keys_failure failure_of(ibk_err err) {
    return err == IBK_ERR_PEER_ERROR || err == IBK_ERR_NOT_AUTHORIZED ? SCN_KEYS_REFUSED
                                                                      : SCN_KEYS_BAD_RESPONSE;
}

static void take_response(key_client *c, const http_message *response) {
    ibk_key_list keys = {0};
    key_client_result result = {0};
    char label[16];
    ibk_peek peek = {0};
    ibk_span body = ibk_buf_span(&response->body);
    ibk_message_peek(&peek, body, NULL);
    snprintf(label, sizeof label, "%u", response->status);
    log_http(c, false, label, peek.data_type, body.len, false);
    if (response->status != 200 || strcasecmp(response->content_type, HTTP_MIKEY_TYPE) != 0) {
        snprintf(result.diag.detail, sizeof result.diag.detail, "HTTP status %u", response->status);
        result.diag.err = IBK_ERR_NOT_AUTHORIZED;
        result.failure = response->status == 403 ? SCN_KEYS_REFUSED : SCN_KEYS_BAD_RESPONSE;
    } else {
        uint8_t error_no = 0;
        ibk_err err = ibk_key_request_finish(c->request, ims_host_time(c->config.host), body, &keys,
                                             &error_no, &result.diag);
        if (err) {
            result.diag.err = err;
            result.failure = failure_of(err);
        }
    }
    finish(c, &result, &keys);
    ibk_key_list_free(&keys);
}

static void try_again(key_client *c);

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    key_client *c = user;
    size_t used;
    (void)tcp;
    switch (http_reader_feed(c->reader, data, len, &used)) {
    case HTTP_MESSAGE:
        take_response(c, http_reader_message(c->reader));
        break;
    case HTTP_BAD:
        fail(c, SCN_KEYS_BAD_RESPONSE, IBK_ERR_BAD_TEXT, "the answer is no HTTP/1.1");
        break;
    case HTTP_MORE:
        break;
    }
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp, (void)why;
    try_again(user);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    (void)tcp;
    try_again(user);
}

static bool post(key_client *c) {
    n3_tcp_config config = {
        .handlers = {.received = on_received, .peer_closed = on_peer_closed, .ended = on_ended}, .user = c};
    http_request request = {.method = "POST",
                            .host = c->kms_host,
                            .target = KMS_TARGET,
                            .type = HTTP_MIKEY_TYPE,
                            .body = ibk_buf_span(&c->message)};
    ibk_buf http = {0};
    c->tries++;
    c->reader = http_reader_new(HTTP_KIND_RESPONSE);
    bool ok = c->reader && n3_tcp_connect(&c->tcp, c->config.host->node, NULL, &c->kms, &config) == N3_OK &&
              http_write_request(&http, &request) == IBK_OK &&
              n3_tcp_send(c->tcp, http.data, http.len) == N3_OK;
    if (ok)
        log_http(c, true, "POST " KMS_TARGET, IBK_MSG_REQUEST_KEY_PSK, http.len, c->tries > 1);
    ibk_buf_free(&http);
    return ok;
}

static ibk_err prepare(key_client *c) {
    const scn_user *user = c->config.user;
    const scn_kms *kms = &user->domain->kms;
    /* A further device has the keys of its user's identity as well (P-10: several IDRi/r). */
    const ibk_identity ids[] = {ibk_identity_uri(user->identity),
                                ibk_identity_uri(user->contact_of ? user->contact_of->identity : "")};
    ibk_key_request_config config = {.users = ids,
                                     .n_users = user->contact_of ? 2 : 1,
                                     .kms = {.id_type = IBK_ID_NAI, .id = ibk_span_str(user->kms)},
                                     .psk = user->psk,
                                     .prf = kms->prf,
                                     .mac_alg = kms->mac,
                                     .ts_type = user->domain->mikey.timestamp,
                                     .timestamps = c->config.timestamps,
                                     .params = c->config.params,
                                     .granularity = kms->granularity};
    ibk_key_request_free(c->request);
    c->request = NULL;
    ibk_buf_clear(&c->message);
    ibk_env env = ims_host_env(c->config.host);
    ibk_err err = ibk_key_request_new(&c->request, &env, &config);
    return err ? err : ibk_key_request_start(c->request, ims_host_time(c->config.host), &c->message);
}

static void retry(void *arg) {
    key_client *c = arg;
    c->retry = 0;
    /* A new request: the KMS may have seen the last one, and would take its copy for a replay. */
    if (prepare(c) || !post(c))
        try_again(c);
}

static void try_again(key_client *c) {
    close_connection(c);
    if (c->tries < MAX_TRIES)
        c->retry = ims_host_timer(c->config.host, RETRY_DELAY, retry, c);
    else
        fail(c, SCN_KEYS_NO_ANSWER, IBK_ERR_TIMEOUT,
             "no connection to the KMS, or it closed without an answer");
}

static void expired(void *arg) {
    key_client *c = arg;
    c->deadline = 0;
    fail(c, SCN_KEYS_NO_ANSWER, IBK_ERR_TIMEOUT, "the KMS did not answer in time");
}

/* "kms@home.example" is served by the host kms.home.example. */
static bool find_kms(key_client *c) {
    const char *identity = c->config.user->kms, *at = strchr(identity, '@');
    sip_addr addr = {.port = KMS_HTTP_PORT};
    if (!at)
        return false;
    int len = snprintf(c->kms_host, sizeof c->kms_host, "%.*s.%s", (int)(at - identity), identity, at + 1);
    if (len < 0 || (size_t)len >= sizeof c->kms_host ||
        ims_names_find(c->config.host->world->names, &addr, c->kms_host))
        return false;
    c->kms = ims_endpoint(&addr);
    return true;
}

ibk_err key_client_start(key_client **out, const key_client_config *config, key_client_done *done,
                         void *user) {
    *out = NULL;
    key_client *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    c->config = *config;
    c->done = done;
    c->user = user;
    *out = c;
    if (!config->params || !find_kms(c)) {
        fail(c, SCN_KEYS_UNKNOWN_KMS, IBK_ERR_NO_PARAMS, "no such KMS in this network");
        return IBK_OK;
    }
    ibk_err err = prepare(c);
    if (err) {
        *out = NULL;
        key_client_free(c);
        return err;
    }
    uint64_t deadline = ibk_key_request_deadline(c->request), now = ims_host_now(config->host);
    c->deadline = ims_host_timer(config->host, deadline > now ? deadline - now : 0, expired, c);
    if (!post(c))
        try_again(c);
    return IBK_OK;
}

void key_client_free(key_client *c) {
    if (!c)
        return;
    close_connection(c);
    ims_host_cancel(c->config.host, &c->deadline);
    ims_host_cancel(c->config.host, &c->retry);
    ibk_key_request_free(c->request);
    ibk_buf_free(&c->message);
    free(c);
}
