#include "kms/key_client.h"
#include "ims/address.h"
#include "kms/http.h"
#include "kms/log.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_DELAY (2 * SIP_S) /* after a connection that failed at once */

struct key_client {
    key_client_config config;
    key_client_done *done;
    void *user;
    ibk_key_request *request;
    ibk_buf message; /* REQUEST_KEY_PSK */
    ibk_identity ids[IBK_KMS_MAX_USERS];
    ibk_buf id_octets;
    n3_endpoint kms;
    char kms_host[256];
    n3_tcp *tcp;
    http_reader *reader;
    ims_timer timeout, retry; /* of this try; to the next one */
    cpu_job *job;             /* makes the request ready */
    unsigned tries;
};

static void close_connection(key_client *c) {
    ims_host_cancel(c->config.host, &c->timeout);
    n3_tcp_free(c->tcp);
    c->tcp = NULL;
    http_reader_free(c->reader);
    c->reader = NULL;
}

static void finish(key_client *c, key_client_result *result, ibk_key_list *keys) {
    close_connection(c);
    ims_host_cancel(c->config.host, &c->retry);
    ibk_key_request_free(c->request);
    c->request = NULL;
    result->tries = c->tries;
    c->done(c->user, result, keys);
}

static void fail(key_client *c, scn_keys_failure failure, ibk_err err, const char *why) {
    key_client_result result = {.failure = failure};
    ibk_fail(&result.diag, err, NULL, 0, "%s", why);
    finish(c, &result, NULL);
}

static void log_http(const key_client *c, bool sent, const char *label, const char *type, ibk_span body,
                     size_t octets) {
    char peer[N3_ADDR_TEXT];
    kms_http_event event = {.peer = n3_addr_format(peer, &c->kms.addr),
                            .sent = sent,
                            .again = sent && c->tries > 1,
                            .label = label,
                            .type = type,
                            .body = body,
                            .octets = octets};
    kms_log_http(c->config.host, &event);
}

/* What the KMS refused, and what the UE refuses, tell apart by who noticed; an Error message says why. */
static scn_keys_failure failure_of(ibk_err err, uint8_t error_no) {
    if (err == IBK_ERR_PEER_ERROR && error_no == IBK_ERRNO_TS)
        return SCN_KEYS_CLOCK_SKEW;
    if (err == IBK_ERR_PEER_ERROR && error_no == IBK_ERRNO_ID)
        return SCN_KEYS_NOT_AUTHORIZED;
    if (err == IBK_ERR_PEER_ERROR && error_no == IBK_ERRNO_CERT)
        return SCN_KEYS_CERTIFICATE_REFUSED;
    return err == IBK_ERR_PEER_ERROR || err == IBK_ERR_NOT_AUTHORIZED ? SCN_KEYS_REFUSED
                                                                      : SCN_KEYS_BAD_RESPONSE;
}

static void take_response(key_client *c, const http_message *response) {
    ibk_key_list keys = {0};
    key_client_result result = {0};
    char label[16];
    ibk_span body = ibk_buf_span(&response->body);
    snprintf(label, sizeof label, "%u", response->status);
    log_http(c, false, label, response->content_type, body, body.len);
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
            result.failure = failure_of(err, error_no);
        }
    }
    finish(c, &result, result.failure ? NULL : &keys);
    ibk_key_list_free(&keys);
}

static void try_again(key_client *c, uint64_t pause_ns);

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
    try_again(user, RETRY_DELAY);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    (void)tcp;
    try_again(user, RETRY_DELAY);
}

static void timed_out(void *arg) {
    key_client *c = arg;
    c->timeout = 0;
    try_again(c, 0);
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
    c->timeout = ims_host_timer(c->config.host, KEY_CLIENT_TRY_NS, timed_out, c);
    c->reader = http_reader_new(HTTP_KIND_RESPONSE);
    bool ok = c->reader && n3_tcp_connect(&c->tcp, c->config.host->node, NULL, &c->kms, &config) == N3_OK &&
              http_write_request(&http, &request) == IBK_OK &&
              n3_tcp_send(c->tcp, http.data, http.len) == N3_OK;
    if (ok)
        log_http(c, true, "POST " KMS_TARGET, request.type, request.body, http.len);
    ibk_buf_free(&http);
    return ok;
}

static ibk_err prepare(key_client *c) {
    const scn_user *user = c->config.user;
    const scn_kms *kms = &user->domain->kms;
    ibk_key_request_config config = {.users = c->ids,
                                     .n_users = c->config.n_ids,
                                     .kms = {.id_type = IBK_ID_NAI, .id = ibk_span_str(user->kms)},
                                     .psk = user->psk,
                                     .prf = kms->prf,
                                     .mac_alg = kms->mac,
                                     .ts_type = user->domain->mikey.timestamp,
                                     .timestamps = c->config.timestamps,
                                     .params = c->config.params,
                                     .granularity = kms->granularity,
                                     .without = scn_ibk_without(user->without)};
    const key_client_pke *pke = c->config.pke;
    if (pke) {
        config.method = IBK_KEY_METHOD_PKE;
        config.pke = (ibk_key_request_pke){.chain = &pke->certificate,
                                           .n_chain = 1,
                                           .private_key = pke->private_key,
                                           .kms_certificates = &pke->kms_certificate,
                                           .n_kms_certificates = 1,
                                           .anchors = &pke->anchor,
                                           .n_anchors = pke->anchor.len ? 1 : 0};
    }
    ibk_key_request_free(c->request);
    c->request = NULL;
    ibk_buf_clear(&c->message);
    ibk_env env = ims_host_env(c->config.host);
    ibk_err err = ibk_key_request_new(&c->request, &env, &config);
    return err ? err : ibk_key_request_start(c->request, ims_host_time(c->config.host), &c->message);
}

static void post_or_try_again(key_client *c) {
    if (!post(c))
        try_again(c, RETRY_DELAY);
}

static void prepared(void *arg, const cpu_job_times *times) {
    key_client *c = arg;
    (void)times;
    c->job = NULL;
    post_or_try_again(c);
}

static void post_when_computed(key_client *c) {
    c->job = ims_host_work(c->config.host, "REQUEST_KEY", NULL, prepared, c);
    if (!c->job)
        post_or_try_again(c);
}

static void fail_to_prepare(key_client *c, ibk_err err) {
    if (err == IBK_ERR_BAD_CERTIFICATE) /* a UE encrypts to a KMS that it trusts */
        fail(c, SCN_KEYS_BAD_CERTIFICATE, err, "the KMS's certificate is not trusted");
    else
        fail(c, SCN_KEYS_NO_ANSWER, err, "the request cannot be made");
}

static void retry(void *arg) {
    key_client *c = arg;
    c->retry = 0;
    ibk_err err = prepare(c);
    if (err) /* no try will do better */
        fail_to_prepare(c, err);
    else
        post_when_computed(c);
}

static void try_again(key_client *c, uint64_t pause_ns) {
    close_connection(c);
    if (c->tries < KEY_CLIENT_TRIES)
        c->retry = ims_host_timer(c->config.host, pause_ns, retry, c);
    else
        fail(c, SCN_KEYS_NO_ANSWER, IBK_ERR_TIMEOUT,
             pause_ns ? "no connection to the KMS, or it closed without an answer"
                      : "the KMS did not answer in time");
}

static bool find_kms(key_client *c) {
    sip_addr addr = {.port = KMS_HTTP_PORT};
    if (!scn_kms_host(c->kms_host, c->config.user->kms) ||
        ims_names_find(c->config.host->world->names, &addr, c->kms_host))
        return false;
    c->kms = ims_endpoint(&addr);
    return true;
}

static ibk_err copy_ids(key_client *c) {
    size_t at[IBK_KMS_MAX_USERS];
    const key_client_config *config = &c->config;
    if (config->n_ids == 0 || config->n_ids > IBK_KMS_MAX_USERS)
        return IBK_ERR_USAGE;
    for (size_t i = 0; i < config->n_ids; i++) {
        at[i] = c->id_octets.len;
        ibk_err err = ibk_buf_append_span(&c->id_octets, config->ids[i].id);
        if (err)
            return err;
    }
    for (size_t i = 0; i < config->n_ids; i++)
        c->ids[i] = (ibk_identity){config->ids[i].id_type,
                                   ibk_span_of(c->id_octets.data + at[i], config->ids[i].id.len)};
    return IBK_OK;
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
    ibk_err err = copy_ids(c);
    if (!err)
        err = prepare(c);
    if (err == IBK_ERR_BAD_CERTIFICATE) { /* before anything was sent */
        fail_to_prepare(c, err);
        return IBK_OK;
    }
    if (err) {
        *out = NULL;
        key_client_free(c);
        return err;
    }
    post_when_computed(c);
    return IBK_OK;
}

void key_client_free(key_client *c) {
    if (!c)
        return;
    close_connection(c);
    ims_host_cancel(c->config.host, &c->retry);
    cpu_forget(c->job);
    ibk_key_request_free(c->request);
    ibk_buf_free(&c->message);
    ibk_buf_free(&c->id_octets);
    free(c);
}
