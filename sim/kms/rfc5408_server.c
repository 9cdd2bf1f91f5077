#include "kms/rfc5408.h"
#include "kms/xml_request.h"

#include <string.h>
#include <strings.h>

#define CHALLENGE "Basic realm=\"kms\", charset=\"UTF-8\"" /* RFC 7617 */

/* What HTTP has to say; false: the request is XML for us. */
static bool refuse(const http_message *request, http_response *response) {
    *response = (http_response){.status = 200};
    if (strcmp(request->method, "POST") != 0)
        *response = (http_response){.status = 405, .allow = "POST"};
    else if (strcasecmp(request->content_type, HTTP_KEY_REQUEST_TYPE) != 0)
        response->status = 415;
    else if (!request->authorization[0])
        *response = (http_response){.status = 401, .challenge = CHALLENGE};
    return response->status != 200;
}

static bool authenticate(const rfc5408_server_config *config, const http_message *request, void **owner) {
    char name[HTTP_CREDENTIAL_MAX], password[HTTP_CREDENTIAL_MAX];
    bool ok = http_basic_read(request->authorization, name, password) &&
              config->authenticate(config->user, name, password, owner);
    ibk_wipe(password, sizeof password);
    return ok;
}

/* Is the identity of our district? */
static ibk_err check_district(const rfc5408_server_config *config, const ibk_identity_info *info,
                              ibk_diag *diag) {
    ibk_buf der = {0};
    ibk_sysparams published;
    ibk_err err = parameters_server_current(config->parameters, &der);
    if (!err)
        err = ibk_sysparams_parse(&published, ibk_buf_span(&der), diag);
    if (!err)
        err = ibk_identity_info_check(info, &published, diag);
    ibk_buf_free(&der);
    return err;
}

/* The key of an identity as IBEPrivateKeyReply. */
static ibk_err issue(const rfc5408_server_config *config, void *owner, const ibe_request *asked,
                     ibk_buf *reply, ibk_diag *diag) {
    ibk_span algorithm;
    ibk_identity_info info;
    ibk_buf key = {0};
    ibk_err err = ibk_oid_parse(&algorithm, ibk_buf_span(&asked->algorithm), diag);
    if (!err && !ibk_span_equal(algorithm, ibk_oid_bf()))
        err = ibk_fail(diag, IBK_ERR_UNSUPPORTED, "algorithm", 0, "not Boneh-Franklin");
    if (!err)
        err = ibk_identity_info_parse(&info, ibk_buf_span(&asked->identity), diag);
    if (!err)
        err = check_district(config, &info, diag);
    if (!err)
        err = ibk_kms_extract(config->kms, ims_host_time(config->host), owner, info.data, &key, diag);
    if (!err) {
        ibk_key_reply answer = {.identity = info, .algorithm = ibk_oid_bf(), .key = ibk_buf_span(&key)};
        err = ibk_key_reply_write(reply, &answer);
    }
    ibk_buf_free(&key);
    return err;
}

static ibe_code code_of(ibk_err err) {
    switch (ibk_err_category(err)) {
    case IBK_CAT_OK:
        return IBE_KEY_FOLLOWS;
    case IBK_CAT_POLICY:
        return IBE_AUTHORIZATION_DENIED;
    case IBK_CAT_RESOURCE:
    case IBK_CAT_RANDOM:
    case IBK_CAT_INTERNAL:
        return IBE_SYSTEM_ERROR;
    default:
        return IBE_INVALID_REQUEST;
    }
}

/* Who it is comes first: XML is read from users alone. */
static ibk_err answer(const rfc5408_server_config *config, const http_message *request, ibk_buf *reply,
                      ibk_diag *diag) {
    ibe_request asked = {.client = ""};
    void *owner = NULL;
    if (!authenticate(config, request, &owner))
        return ibk_fail(diag, IBK_ERR_NOT_AUTHORIZED, "Authorization", 0,
                        "no such user, or another password");
    ibk_err err = ibe_request_read(&asked, ibk_buf_span(&request->body), diag);
    if (!err)
        err = issue(config, owner, &asked, reply, diag);
    ibe_request_free(&asked);
    return err;
}

void rfc5408_serve(const rfc5408_server_config *config, http_exchange *exchange, const http_message *request,
                   rfc5408_result *result) {
    http_response response;
    ibk_buf reply = {0}, body = {0};
    *result = (rfc5408_result){.err = IBK_ERR_REFUSED};
    if (!refuse(request, &response)) {
        result->err = answer(config, request, &reply, &result->diag);
        result->code = code_of(result->err);
        /* the reason goes no further than the code: the log has it */
        ibk_err err = ibe_response_write(&body, (ibe_code)result->code, ibk_buf_span(&reply),
                                         ibe_code_name((ibe_code)result->code));
        response = (http_response){.status = err ? 500 : 200};
        if (!err) {
            response.type = HTTP_KEY_REPLY_TYPE;
            response.body = ibk_buf_span(&body);
        }
    }
    if (result->err && !result->diag.err)
        ibk_fail(&result->diag, result->err, "HTTP", 0, "status %u", response.status);
    result->status = response.status;
    http_exchange_answer_computed(exchange, &response, "IBE100");
    ibk_buf_free(&reply);
    ibk_buf_free(&body);
}
