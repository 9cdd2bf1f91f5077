#include "kms/parameters.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)
#define LEAD_S                                                                                               \
    3600 /* the first set is older than the run, so that a clock that is a little slow accepts it */

struct parameters_server {
    parameters_server_config config;
    char district[PARAMETERS_URI];
    ibk_buf bf, pkg_uri; /* DER BFPublicParameters; the extension's value */
    int64_t first_s;     /* notBefore of the first set */
    uint64_t served;
};

void parameters_host(char out[256], const char *domain) {
    snprintf(out, 256, "kms.%s", domain);
}

void parameters_uri(char out[PARAMETERS_URI], const char *domain, bool secure) {
    snprintf(out, PARAMETERS_URI, "%s://kms.%s" PARAMETERS_TARGET, secure ? "https" : "http", domain);
}

ibk_err parameters_server_new(parameters_server **out, const parameters_server_config *config) {
    *out = NULL;
    parameters_server *s = calloc(1, sizeof *s);
    if (!s)
        return IBK_ERR_NO_MEMORY;
    s->config = *config;
    parameters_uri(s->district, config->domain->name, config->domain->kms.tls);
    s->first_s = config->host->world->start_utc_ns / NS_PER_S - LEAD_S;
    ibk_err err = config->bf.len ? ibk_buf_append_span(&s->bf, config->bf)
                                 : ibk_ibe_params_encode(config->params, &s->bf);
    if (!err && config->pkg_uri)
        err = ibk_pkg_uri_write(&s->pkg_uri, ibk_span_str(config->pkg_uri));
    if (err)
        parameters_server_free(s);
    else
        *out = s;
    return err;
}

void parameters_server_free(parameters_server *s) {
    if (!s)
        return;
    ibk_buf_free(&s->bf);
    ibk_buf_free(&s->pkg_uri);
    free(s);
}

ibk_err parameters_server_current(const parameters_server *s, ibk_buf *out) {
    int64_t validity_s = (int64_t)(s->config.domain->kms.parameters_validity_ns / (uint64_t)NS_PER_S);
    int64_t half_s = validity_s / 2, now_s = ims_host_time(s->config.host).utc_ns / NS_PER_S;
    int64_t issued_s = now_s <= s->first_s ? s->first_s : now_s - (now_s - s->first_s) % half_s;
    ibk_sysparams published = {.district = ibk_span_str(s->district),
                               .serial = PARAMETERS_SERIAL,
                               .not_before_s = issued_s,
                               .not_after_s = issued_s + validity_s,
                               .algorithms = {{ibk_oid_bf(), ibk_buf_span(&s->bf)}},
                               .n_algorithms = 1,
                               .identity_type = ibk_oid_identity_type(s->config.domain->kms.granularity)};
    if (s->config.pkg_uri) {
        published.has_extensions = true;
        published.extensions[0] = (ibk_oid_value){ibk_oid_pkg_uri(), ibk_buf_span(&s->pkg_uri)};
        published.n_extensions = 1;
    }
    return ibk_sysparams_write(out, &published);
}

void parameters_server_serve(parameters_server *s, http_exchange *exchange, const http_message *request) {
    http_response response = {.status = 405, .allow = "GET"};
    ibk_buf der = {0}, text = {0};
    if (strcmp(request->method, "GET") == 0) {
        ibk_err err = parameters_server_current(s, &der);
        err = err ? err : ibk_mime_base64_write(&text, ibk_buf_span(&der));
        response = (http_response){.status = err ? 500 : 200};
        if (!err) { /* RFC 5408 §4.1 */
            response.type = HTTP_PARAMETERS_TYPE;
            response.body = ibk_buf_span(&text);
            s->served++;
        }
    }
    http_exchange_answer(exchange, &response);
    ibk_buf_free(&der);
    ibk_buf_free(&text);
}

uint64_t parameters_server_served(const parameters_server *s) {
    return s->served;
}
