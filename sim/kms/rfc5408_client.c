#include "kms/http_client.h"
#include "kms/rfc5408.h"
#include "kms/xml_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct rfc5408_client {
    rfc5408_client_config config;
    key_client_done *done;
    void *user;
    tls_endpoint *endpoint;
    http_client *http;
    ibk_buf published, authorization;
    ibk_sysparams district;
    char uri[PARAMETERS_URI];
    ibk_key_list keys; /* room for all, and their identities; count: those that came */
    size_t total;
    ibk_buf asked; /* DER IBEIdentityInfo of the open request */
};

static void finish(rfc5408_client *c, const key_client_result *result) {
    ibk_key_list keys = c->keys;
    key_client_result came_to = *result;
    came_to.tries = http_client_connections(c->http);
    c->keys = (ibk_key_list){0};
    c->done(c->user, &came_to, result->failure ? NULL : &keys); /* may free the client */
    ibk_key_list_free(&keys);
}

static void fail(rfc5408_client *c, scn_keys_failure failure, ibk_err err, const char *why) {
    key_client_result result = {.failure = failure};
    ibk_fail(&result.diag, err, NULL, 0, "%s", why);
    finish(c, &result);
}

/* ---- an answer
 * ---------------------------------------------------------------------------------------------- */

/* The key in an IBE100: for what was asked, and of the KMS's parameters. */
static ibk_err take_key(rfc5408_client *c, ibk_span reply_der, ibk_diag *diag) {
    ibk_key_reply reply;
    ibk_identity_info asked;
    ibk_issued_key *slot = &c->keys.items[c->keys.count];
    ibk_ibe_key *key = NULL;
    ibk_err err = ibk_identity_info_parse(&asked, ibk_buf_span(&c->asked), diag);
    if (!err)
        err = ibk_key_reply_parse(&reply, reply_der, diag);
    if (!err)
        err = ibk_key_reply_check(&reply, &asked, diag);
    if (!err)
        err = ibk_ibe_key_parse(&key, c->config.params, reply.key, diag);
    if (!err)
        ims_host_charge(c->config.host, IBK_WORK_IBE_VERIFY_KEY, ibk_ibe_params_n(c->config.params));
    if (!err && ibk_ibe_key_verify(c->config.params, key, slot->ibe_identity))
        err = ibk_fail(diag, IBK_ERR_MISMATCH, "BFPrivateKeyBlock", 0, "the key of another identity");
    if (err) {
        ibk_ibe_key_free(key);
        return err;
    }
    slot->key = key;
    c->keys.count++;
    return IBK_OK;
}

static key_client_result judge_response(rfc5408_client *c, const http_message *response) {
    key_client_result result = {0};
    ibe_response answer = {.code = IBE_RESERVED};
    if (response->status != 200) { /* §5.6: abort and fail */
        result.failure =
            response->status == 401 || response->status == 403 ? SCN_KEYS_REFUSED : SCN_KEYS_BAD_RESPONSE;
        ibk_fail(&result.diag, IBK_ERR_NOT_AUTHORIZED, "HTTP", 0, "status %u", response->status);
        return result;
    }
    ibk_err err = strcasecmp(response->content_type, HTTP_KEY_REPLY_TYPE) == 0
                      ? ibe_response_read(&answer, ibk_buf_span(&response->body), &result.diag)
                      : ibk_fail(&result.diag, IBK_ERR_BAD_TEXT, "HTTP", 0, "not " HTTP_KEY_REPLY_TYPE);
    if (!err && answer.code != IBE_KEY_FOLLOWS) {
        ibk_fail(&result.diag, IBK_ERR_NOT_AUTHORIZED, "ibe:responseType", 0, "IBE%d %s", (int)answer.code,
                 ibe_code_name(answer.code));
        result.failure = SCN_KEYS_REFUSED;
    } else {
        err = err ? err : take_key(c, ibk_buf_span(&answer.key), &result.diag);
        result.failure = err ? SCN_KEYS_BAD_RESPONSE : (scn_keys_failure)0;
    }
    ibe_response_free(&answer);
    return result;
}

static ibk_err ask(rfc5408_client *c);

static void on_done(void *user, const http_outcome *outcome) {
    rfc5408_client *c = user;
    key_client_result result = {0};
    switch (outcome->end) {
    case HTTP_END_RESPONSE:
        result = judge_response(c, outcome->response);
        break;
    case HTTP_END_UNKNOWN_HOST:
        fail(c, SCN_KEYS_UNKNOWN_KMS, IBK_ERR_NO_PARAMS, outcome->detail);
        return;
    case HTTP_END_TLS:
        fail(c, SCN_KEYS_BAD_CERTIFICATE, IBK_ERR_BAD_CERTIFICATE, outcome->detail);
        return;
    case HTTP_END_NO_ANSWER:
        fail(c, SCN_KEYS_NO_ANSWER, IBK_ERR_TIMEOUT, outcome->detail);
        return;
    case HTTP_END_BAD:
        fail(c, SCN_KEYS_BAD_RESPONSE, IBK_ERR_BAD_TEXT, outcome->detail);
        return;
    }
    ibk_err err = result.failure || c->keys.count == c->total ? IBK_OK : ask(c);
    if (err)
        fail(c, SCN_KEYS_NO_ANSWER, err, ibk_err_text(err));
    else if (result.failure || c->keys.count == c->total)
        finish(c, &result);
}

/* ---- a request
 * ---------------------------------------------------------------------------------------------- */

/* The next key that is missing. */
static ibk_err ask(rfc5408_client *c) {
    ibk_identity_info info = ibk_identity_info_of(&c->district, c->keys.items[c->keys.count].ibe_identity);
    ibk_buf algorithm = {0}, xml = {0};
    ibk_buf_clear(&c->asked);
    ibk_err err = ibk_identity_info_write(&c->asked, &info);
    if (!err)
        err = ibk_oid_write(&algorithm, ibk_oid_bf());
    if (!err)
        err = ibe_request_write(&xml, ibk_buf_span(&algorithm), ibk_buf_span(&c->asked));
    http_request request = {.method = "POST",
                            .target = RFC5408_TARGET,
                            .type = HTTP_KEY_REQUEST_TYPE,
                            .accept = HTTP_KEY_REPLY_TYPE,
                            .authorization = (const char *)c->authorization.data,
                            .body = ibk_buf_span(&xml)};
    if (!err)
        err = http_client_ask(c->http, &request, on_done, c);
    ibk_buf_free(&algorithm);
    ibk_buf_free(&xml);
    return err;
}

/* Where the KMS's identities belong: as published, or as a UE is provisioned with it. */
static ibk_err learn_district(rfc5408_client *c) {
    const scn_domain *domain = c->config.user->domain;
    ibk_err err = ibk_buf_append_span(&c->published, c->config.published);
    if (!err && c->published.len)
        return ibk_sysparams_parse(&c->district, ibk_buf_span(&c->published), NULL);
    parameters_uri(c->uri, domain->name, domain->kms.tls);
    c->district = (ibk_sysparams){.district = ibk_span_str(c->uri),
                                  .serial = PARAMETERS_SERIAL,
                                  .identity_type = ibk_oid_identity_type(domain->kms.granularity)};
    return err;
}

static ibk_err make_room(rfc5408_client *c) {
    size_t n = c->config.n_identities, at = 0;
    ibk_err err = IBK_OK;
    c->keys.items = calloc(n, sizeof *c->keys.items);
    if (!c->keys.items)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < n; i++)
        err = ibk_buf_append_span(&c->keys.octets, c->config.identities[i]);
    for (size_t i = 0; !err && i < n; i++) {
        size_t len = c->config.identities[i].len;
        c->keys.items[i].ibe_identity = ibk_span_of(c->keys.octets.data + at, len);
        at += len;
    }
    c->total = n;
    c->config.identities = NULL;
    return err;
}

static ibk_err connect_client(rfc5408_client *c) {
    char host[256], authorization[512];
    const scn_user *user = c->config.user;
    bool secure = user->domain->kms.tls;
    if (secure && !c->config.tls)
        return IBK_ERR_USAGE;
    parameters_host(host, user->domain->name);
    ibk_err err = tls_endpoint_new(&c->endpoint, c->config.host, secure ? c->config.tls : NULL);
    http_client_config http = {.host = c->config.host,
                               .endpoint = c->endpoint,
                               .server = host,
                               .port = secure ? KMS_HTTPS_PORT : KMS_PLAIN_PORT};
    if (!err)
        err = http_client_new(&c->http, &http);
    if (!err &&
        !http_basic_write(authorization, sizeof authorization, user->private_identity, user->key_password))
        err = IBK_ERR_LIMIT;
    if (!err)
        err = ibk_buf_append(&c->authorization, authorization, strlen(authorization) + 1);
    ibk_wipe(authorization, sizeof authorization);
    return err;
}

ibk_err rfc5408_client_start(rfc5408_client **out, const rfc5408_client_config *config, key_client_done *done,
                             void *user) {
    *out = NULL;
    if (config->n_identities == 0)
        return IBK_ERR_USAGE;
    rfc5408_client *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    c->config = *config;
    c->done = done;
    c->user = user;
    ibk_err err = learn_district(c);
    if (!err)
        err = make_room(c);
    if (!err)
        err = connect_client(c);
    if (!err)
        err = ask(c);
    if (err)
        rfc5408_client_free(c);
    else
        *out = c;
    return err;
}

void rfc5408_client_free(rfc5408_client *c) {
    if (!c)
        return;
    http_client_free(c->http);
    tls_endpoint_free(c->endpoint);
    ibk_key_list_free(&c->keys);
    ibk_buf_free(&c->published);
    ibk_buf_free(&c->authorization);
    ibk_buf_free(&c->asked);
    free(c);
}
