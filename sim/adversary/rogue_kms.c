#include "adversary/rogue_kms.h"
#include "adversary/post.h"
#include "kms/http_server.h"
#include "kms/key_client.h"
#include "kms/parameters.h"
#include "kms/rfc5408.h"

#include <stdlib.h>
#include <string.h>

/* An identity whose keys it issued. */
typedef struct customer {
    struct customer *next;
    ibk_buf id;
} customer;

struct rogue_kms {
    rogue_kms_config config;
    const scn_rogue_kms *plan;
    const scn_domain *domain;
    ibk_ibe_params *params;
    ibk_ibe_master *own_master;
    const ibk_ibe_master *master; /* that one, or of its files */
    ibk_buf published;            /* DER BFPublicParameters */
    ibk_replay_cache *replay;
    ibk_kms *kms; /* NULL: it can issue nothing */
    tls_context *tls;
    tls_endpoint *plain, *secure;
    parameters_server *parameters;
    http_server *mikey, *rfc5408;
    post_office *office;
    customer *customers;
    rogue_kms_stats stats;
};

const ibk_ibe_params *rogue_kms_params(const rogue_kms *k) {
    return k->params;
}

const ibk_ibe_master *rogue_kms_master(const rogue_kms *k) {
    return k->master;
}

rogue_kms_stats rogue_kms_get_stats(const rogue_kms *k) {
    rogue_kms_stats stats = k->stats;
    stats.parameters = k->parameters ? parameters_server_served(k->parameters) : 0;
    return stats;
}

/* ---- its parameters
 * -------------------------------------------------------------------------------------------- */

/* The secrets of ready-made sets are no secrets: it makes one of its own. */
static ibk_err load_own(rogue_kms *k) {
    ibk_env env = ims_host_env(k->config.host);
    if (!k->plan->parameters_file)
        return bad_params_own(&k->params, &k->own_master, k->config.base, &env);
    k->params = ibk_ibe_params_ref(k->config.base);
    return IBK_OK;
}

static ibk_err make_parameters(rogue_kms *k, ibk_diag *diag) {
    if (!k->plan->degenerate) {
        ibk_err err = load_own(k);
        k->master = k->own_master ? k->own_master : k->config.base_master;
        return err ? err : ibk_ibe_params_encode(k->params, &k->published);
    }
    ibk_err err = bad_params_make(&k->published, k->plan->degenerate, k->config.genuine);
    if (!err && k->plan->degenerate == SCN_P_PUB_IS_P)
        err = ibk_ibe_params_parse_without(&k->params, ibk_buf_span(&k->published), k->config.genuine,
                                           IBK_DEFENCE_PARAMETERS_CHECK, diag);
    return err;
}

/* ---- whom it can answer
 * ------------------------------------------------------------------------------------------ */

static const scn_user *find_user(const rogue_kms *k, ibk_span id) {
    for (size_t i = 0; i < k->config.scenario->user_count; i++) {
        const scn_user *user = &k->config.scenario->users[i];
        bool named = ibk_span_equal(id, ibk_span_str(user->identity));
        for (size_t j = 0; !named && j < user->identity_count; j++)
            named = ibk_span_equal(id, ibk_span_str(user->identities[j]));
        if (named && user->domain == k->domain)
            return user;
    }
    return NULL;
}

/* A PSK that it holds by now. */
static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    const rogue_kms *k = user;
    const scn_adversary *plan = k->config.plan;
    const scn_user *of = find_user(k, first->id);
    (void)psk_id;
    *owner = NULL;
    for (size_t i = 0; of && i < plan->holding_count; i++) {
        const scn_holding *holding = &plan->holdings[i];
        if (holding->kind == SCN_HOLDS_PSK && holding->user == of &&
            holding->from_ns <= ims_host_now(k->config.host))
            return ibk_buf_append_span(psk, of->psk) == IBK_OK;
    }
    return false;
}

bool rogue_kms_serves(const rogue_kms *k, ibk_span id) {
    for (const customer *c = k->customers; c; c = c->next)
        if (c->id.len <= id.len && memcmp(c->id.data, id.data, c->id.len) == 0)
            return true;
    return false;
}

/* Whoever asks for whatever. It is remembered who did: such a user has keys of this KMS from now on. */
static bool authorize(void *user, void *owner, ibk_span id) {
    rogue_kms *k = user;
    (void)owner;
    if (rogue_kms_serves(k, id))
        return true;
    customer *c = calloc(1, sizeof *c);
    if (!c || ibk_buf_append_span(&c->id, id)) {
        free(c);
        return false;
    }
    c->next = k->customers;
    k->customers = c;
    return true;
}

static bool authorize_holder(void *user, void *owner, ibk_span id, bool named) {
    (void)named;
    return authorize(user, owner, id);
}

static bool take_password(void *user, const char *name, const char *password, void **owner) {
    rogue_kms *k = user;
    (void)name, (void)password;
    *owner = NULL;
    k->stats.passwords++;
    return true;
}

static ibk_err start_kms(rogue_kms *k) {
    ibk_env env = ims_host_env(k->config.host);
    env.keylog = NULL; /* its keys are none of the run's */
    ibk_kms_key_pair pair;
    ibk_kms_config config = {.identity = {IBK_ID_NAI, ibk_span_str(k->domain->kms.identity)},
                             .params = k->params,
                             .master = k->master,
                             .granularity = k->domain->kms.granularity,
                             .issue = k->domain->kms.issue,
                             .encr_alg = k->domain->kms.encryption,
                             .errors = IBK_KMS_ERRORS_SILENT,
                             .user = k,
                             .psk = find_psk,
                             .authorized = authorize};
    const pki_credential *stolen = k->plan->certificate == SCN_ROGUE_STOLEN ? k->config.pke_credential : NULL;
    if (stolen) {
        pair = (ibk_kms_key_pair){.certificate = ibk_buf_span(&stolen->certificate),
                                  .private_key = ibk_buf_span(&stolen->private_key)};
        config.pke = (ibk_kms_pke){.key_pairs = &pair,
                                   .n_key_pairs = 1,
                                   .anchors = &k->config.anchor,
                                   .n_anchors = 1,
                                   .authorized = authorize_holder};
    }
    ibk_err err = ibk_replay_cache_new(&k->replay, NULL);
    config.replay = k->replay;
    return err ? err : ibk_kms_new(&k->kms, &env, &config);
}

/* ---- requests
 * ------------------------------------------------------------------------------------------------------- */

/* The true KMS's answer, or none, to who asked this one. */
static void handed_back(void *user, const http_message *response) {
    http_response answer = {.status = response ? response->status : 504};
    if (response && response->content_type[0]) {
        answer.type = response->content_type;
        answer.body = ibk_buf_span(&response->body);
    }
    http_exchange_answer(user, &answer);
}

static void hand_on(rogue_kms *k, http_exchange *exchange, const http_message *request) {
    char host[256];
    ibk_buf octets = {0};
    parameters_host(host, k->domain->name);
    http_request copy = {.method = request->method,
                         .host = host,
                         .target = request->target,
                         .type = request->content_type[0] ? request->content_type : NULL,
                         .body = ibk_buf_span(&request->body)};
    k->stats.handed_on++;
    ibk_err err = http_write_request(&octets, &copy);
    if (!err)
        err = post_octets(k->office, &k->config.genuine_at, ibk_buf_span(&octets), handed_back, exchange);
    if (err)
        handed_back(exchange, NULL);
    ibk_buf_free(&octets);
}

static void on_mikey(void *user, http_exchange *exchange, const http_message *request) {
    rogue_kms *k = user;
    ibk_buf body = {0};
    ibk_kms_result result = {.err = IBK_ERR_UNSUPPORTED};
    bool whole = k->kms && ibk_kms_handle(k->kms, ims_host_time(k->config.host), ibk_buf_span(&request->body),
                                          &body, &result) == IBK_OK;
    if (!whole || result.err) {
        hand_on(k, exchange, request);
    } else {
        http_response response = {.status = 200, .type = HTTP_MIKEY_TYPE, .body = ibk_buf_span(&body)};
        k->stats.keys += result.n_keys;
        http_exchange_answer_computed(exchange, &response, "REQUEST_KEY_RESP");
    }
    ibk_buf_free(&body);
}

static void on_key_request(rogue_kms *k, http_exchange *exchange, const http_message *request) {
    rfc5408_server_config config = {.host = k->config.host,
                                    .kms = k->kms,
                                    .parameters = k->parameters,
                                    .authenticate = take_password,
                                    .user = k};
    rfc5408_result result;
    rfc5408_serve(&config, exchange, request, &result);
    k->stats.keys += !result.err;
}

static void on_rfc5408(void *user, http_exchange *exchange, const http_message *request) {
    rogue_kms *k = user;
    http_response nothing = {.status = 404};
    if (strcmp(request->target, PARAMETERS_TARGET) == 0)
        parameters_server_serve(k->parameters, exchange, request);
    else if (k->kms && strcmp(request->target, RFC5408_TARGET) == 0)
        on_key_request(k, exchange, request);
    else
        http_exchange_answer(exchange, &nothing);
}

/* ---- its ports
 * -------------------------------------------------------------------------------------------------------- */

static ibk_err issue_certificate(const rogue_kms *k, pki_credential *out) {
    char host[256];
    parameters_host(host, k->domain->name);
    pki_kind kind = k->plan->certificate == SCN_ROGUE_SELF_SIGNED  ? PKI_SELF_SIGNED
                    : k->plan->certificate == SCN_ROGUE_WRONG_NAME ? PKI_WRONG_NAME
                                                                   : PKI_TRUSTED;
    return k->config.certificates ? pki_issue_server(k->config.certificates, kind, host, out) : IBK_ERR_USAGE;
}

static ibk_err start_tls(rogue_kms *k, ibk_diag *diag) {
    pki_credential own = {{0}, {0}};
    const pki_credential *shown = k->config.tls_credential;
    sim_random *random = ims_host_tls_random(k->config.host);
    ibk_err err = random ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err && k->plan->certificate != SCN_ROGUE_STOLEN) {
        err = issue_certificate(k, &own);
        shown = &own;
    } else if (!err && !shown) {
        err = ibk_fail(diag, IBK_ERR_USAGE, "certificate", 0, "the true KMS has none that could be stolen");
    }
    if (!err)
        err = tls_server_context(&k->tls, shown, random);
    if (!err)
        err = tls_endpoint_new(&k->secure, k->config.host, k->tls);
    pki_credential_free(&own);
    return err;
}

/* `certificate: none` with TLS: nothing listens where a certificate would have to be shown. */
static ibk_err open_ports(rogue_kms *k, ibk_diag *diag) {
    ims_host *host = k->config.host;
    parameters_server_config parameters = {
        .host = host, .domain = k->domain, .params = k->params, .bf = ibk_buf_span(&k->published)};
    http_server_config server = {.host = host, .port = KMS_HTTP_PORT, .handle = on_mikey, .user = k};
    ibk_err err = tls_endpoint_new(&k->plain, host, NULL);
    if (!err && k->plan->tls && k->plan->certificate != SCN_ROGUE_NONE)
        err = start_tls(k, diag);
    if (!err)
        err = parameters_server_new(&k->parameters, &parameters);
    server.endpoint = k->plain;
    if (!err)
        err = http_server_new(&k->mikey, &server);
    if (!k->secure && k->plan->tls)
        return err;
    server.endpoint = k->secure ? k->secure : k->plain;
    server.port = k->secure ? KMS_HTTPS_PORT : KMS_PLAIN_PORT;
    server.handle = on_rfc5408;
    return err ? err : http_server_new(&k->rfc5408, &server);
}

/* Both of them, where the KMS's identity leads to a host of another name than its parameters. */
static ibk_err take_names(const rogue_kms *k) {
    char host[256];
    ims_names *names = k->config.host->world->names;
    parameters_host(host, k->domain->name);
    ibk_err err = ims_names_replace(names, host, &k->config.host->addr);
    if (!err && !scn_kms_host(host, k->domain->kms.identity))
        return IBK_ERR_LIMIT;
    return err ? err : ims_names_replace(names, host, &k->config.host->addr);
}

ibk_err rogue_kms_new(rogue_kms **out, const rogue_kms_config *config, ibk_diag *diag) {
    *out = NULL;
    rogue_kms *k = calloc(1, sizeof *k);
    if (!k)
        return IBK_ERR_NO_MEMORY;
    k->config = *config;
    k->plan = config->plan->kms;
    k->domain = k->plan->impersonates;
    ibk_err err = make_parameters(k, diag);
    if (!err && k->params && k->master)
        err = start_kms(k);
    if (!err)
        err = post_office_new(&k->office, config->host);
    if (!err)
        err = open_ports(k, diag);
    if (!err)
        err = take_names(k);
    if (err)
        rogue_kms_free(k);
    else
        *out = k;
    return err;
}

void rogue_kms_free(rogue_kms *k) {
    if (!k)
        return;
    http_server_free(k->mikey);
    http_server_free(k->rfc5408);
    post_office_free(k->office);
    tls_endpoint_free(k->plain);
    tls_endpoint_free(k->secure);
    tls_context_free(k->tls);
    parameters_server_free(k->parameters);
    ibk_kms_free(k->kms);
    ibk_replay_cache_free(k->replay);
    ibk_ibe_master_free(k->own_master);
    ibk_ibe_params_free(k->params);
    ibk_buf_free(&k->published);
    for (customer *c = k->customers, *next; c; c = next) {
        next = c->next;
        ibk_buf_free(&c->id);
        free(c);
    }
    free(k);
}
