/* A UE's cache of the public parameters of the KMSs that it writes to (RFC 5408 §4). */
#include "kms/http_client.h"
#include "kms/parameters.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NS_PER_S INT64_C(1000000000)
#define BELIEVED (30 * SIP_S) /* a failure, before the next one who needs the parameters tries again */
enum { ENTRIES_MAX = 64, FETCHES_MAX = 1024 };
#define NOT_NOTED SIZE_MAX

/* A set of parameters that this UE has used; what points to it may outlive its validity. */
typedef struct set {
    ibk_ibe_params *params;
    struct set *older;
} set;

typedef struct verdict {
    scn_parameters_failure failure;
    ibk_diag diag;
} verdict;

typedef struct entry {
    parameters_client *c;
    char domain[PARAMETERS_DOMAIN];
    const parameters_source *source; /* NULL: a domain that is not of this scenario */
    bool secure, provisioned;
    http_client *http; /* while it fetches */
    cpu_job *job;      /* … and while what came is being proved */
    verdict came_to;
    size_t fetch;      /* index of the open fetch, or NOT_NOTED */
    set *sets;         /* the latest first */
    bool valid;        /* `published` is what sets->params came from */
    ibk_buf published; /* DER IBESysParams */
    int64_t not_before_s, not_after_s;
    uint64_t serial;
    ibk_granularity granularity;
    bool failed;
    uint64_t failed_ns; /* virtual time */
} entry;

struct parameters_client {
    parameters_client_config config;
    tls_endpoint *plain, *secure;
    entry *entries[ENTRIES_MAX];
    size_t count;
    parameters_fetch *fetches;
    size_t fetch_count, fetch_cap;
};

/* ---- entries
 * ---------------------------------------------------------------------------------------------- */

static entry *find_entry(const parameters_client *c, ibk_span domain) {
    for (size_t i = 0; i < c->count; i++)
        if (domain.len == strlen(c->entries[i]->domain) &&
            strncasecmp((const char *)domain.data, c->entries[i]->domain, domain.len) == 0)
            return c->entries[i];
    return NULL;
}

static void configure(entry *e) {
    const parameters_client_config *config = &e->c->config;
    e->secure = true;
    for (size_t i = 0; i < config->n_sources; i++)
        if (strcasecmp(config->sources[i].domain->name, e->domain) == 0)
            e->source = &config->sources[i];
    if (!e->source)
        return;
    const scn_kms *kms = &e->source->domain->kms;
    e->secure = kms->tls;
    e->granularity = kms->granularity;
    e->provisioned = (e->source->domain == config->home ? kms->parameters_for_users
                                                        : kms->parameters_for_others) == SCN_PROVISIONED;
}

/* A domain of which nothing is known or expected: it was asked for in vain. */
static bool is_idle(const entry *e) {
    return !e->source && !e->sets && !e->http && !e->job;
}

/* Room for one more domain. NULL: too many of them are of use, or out of memory. */
static entry *add_entry(parameters_client *c) {
    size_t at = c->count < ENTRIES_MAX ? c->count : 0;
    while (at < c->count && !is_idle(c->entries[at]))
        at++;
    if (at == ENTRIES_MAX)
        return NULL;
    entry *e = at == c->count ? calloc(1, sizeof *e) : c->entries[at];
    if (!e)
        return NULL;
    if (at == c->count) {
        c->count++;
    } else { /* the oldest goes; the new one is the youngest */
        memmove(c->entries + at, c->entries + at + 1, (c->count - at - 1) * sizeof *c->entries);
        *e = (entry){0};
    }
    c->entries[c->count - 1] = e;
    return e;
}

/* NULL: too many domains, too long or no name, or out of memory. */
static entry *entry_for(parameters_client *c, ibk_span domain) {
    entry *e = find_entry(c, domain);
    if (e || domain.len == 0 || domain.len >= PARAMETERS_DOMAIN || memchr(domain.data, 0, domain.len))
        return e;
    e = add_entry(c);
    if (!e)
        return NULL;
    for (size_t i = 0; i < domain.len; i++) /* DNS names compare without case; districts do not */
        e->domain[i] = (char)tolower(domain.data[i]);
    e->c = c;
    configure(e);
    return e;
}

static bool guards(const entry *e, uint64_t defence) {
    return (e->c->config.without & defence) == 0;
}

/* Defences of identity-based encryption go with the parameters. */
#define OF_PARAMETERS                                                                                        \
    ((uint32_t)(IBK_DEFENCE_U_IN_GROUP | IBK_DEFENCE_IBE_INTEGRITY | IBK_DEFENCE_PARAMETERS_CHECK |          \
                IBK_DEFENCE_KEY_VERIFICATION))

static uint32_t lacking(const entry *e) {
    return scn_ibk_without(e->c->config.without) & OF_PARAMETERS;
}

static bool holds_now(const entry *e) {
    int64_t now_s = ims_host_time(e->c->config.host).utc_ns / NS_PER_S;
    if (e->valid && !guards(e, SCN_DEFENCE(PARAMETERS_VALIDITY)))
        return true;
    return e->valid && now_s >= e->not_before_s && now_s <= e->not_after_s;
}

/* ---- what came
 * -------------------------------------------------------------------------------------------- */

static verdict refuse(scn_parameters_failure failure, const char *why) {
    verdict v = {.failure = failure};
    snprintf(v.diag.detail, sizeof v.diag.detail, "%s", why);
    return v;
}

/* Keeps the set, unless it is the one that is there. */
static bool keep(entry *e, ibk_ibe_params *params) {
    const ibk_ibe_params *known = e->source ? e->source->params : NULL;
    if (e->sets && ibk_ibe_params_equal(e->sets->params, params)) {
        ibk_ibe_params_free(params);
        return true;
    }
    set *added = calloc(1, sizeof *added);
    if (!added) {
        ibk_ibe_params_free(params);
        return false;
    }
    if (!lacking(e) && known &&
        ibk_ibe_params_equal(known, params)) { /* one copy, with its tables, for the whole world */
        ibk_ibe_params_free(params);
        params = ibk_ibe_params_ref((ibk_ibe_params *)known);
    }
    *added = (set){params, e->sets};
    e->sets = added;
    return true;
}

/* A district's serial never goes back, and one serial is one set (RFC 5408 §4.2). */
static verdict check_serial(const entry *e, const ibk_sysparams *published, const ibk_ibe_params *params) {
    if (!e->valid)
        return (verdict){0};
    if (published->serial < e->serial)
        return refuse(SCN_PARAMETERS_MALFORMED, "an older serial of the district than the one we have");
    if (published->serial == e->serial && !ibk_ibe_params_equal(params, e->sets->params))
        return refuse(SCN_PARAMETERS_MALFORMED, "other parameters under the same serial of the district");
    return (verdict){0};
}

static scn_parameters_failure failure_of(ibk_err err) {
    switch (err) {
    case IBK_ERR_EXPIRED:
        return SCN_PARAMETERS_EXPIRED;
    case IBK_ERR_UNSUPPORTED:
        return SCN_PARAMETERS_UNSUPPORTED;
    default:
        return SCN_PARAMETERS_MALFORMED;
    }
}

static verdict check(const entry *e, const ibk_sysparams *published, ibk_ibe_params **params) {
    char uri[PARAMETERS_URI];
    verdict v = {0};
    ibk_granularity granularity;
    parameters_uri(uri, e->domain, e->secure);
    if (!ibk_span_equal(published->district, ibk_span_str(uri)))
        return refuse(SCN_PARAMETERS_MALFORMED, "the parameters of another district");
    int64_t at_ns = guards(e, SCN_DEFENCE(PARAMETERS_VALIDITY)) ? ims_host_time(e->c->config.host).utc_ns
                                                                : published->not_before_s * NS_PER_S;
    ibk_err err = ibk_sysparams_usable(published, at_ns, &v.diag);
    if (!err && !ibk_oid_granularity(&granularity, published->identity_type))
        return refuse(SCN_PARAMETERS_UNSUPPORTED, "another type of identities than P-9's");
    if (!err)
        err = ibk_ibe_params_parse_without(params, ibk_sysparams_bf(published),
                                           e->source ? e->source->params : NULL, lacking(e), &v.diag);
    if (err) {
        v.failure = failure_of(err);
        return v;
    }
    ims_host_charge(e->c->config.host, IBK_WORK_IBE_PARAMS, ibk_ibe_params_n(*params));
    v = check_serial(e, published, *params);
    if (v.failure) {
        ibk_ibe_params_free(*params);
        *params = NULL;
    }
    return v;
}

/* Takes what a server answered into the entry, if it stands every test. */
static verdict take(entry *e, const http_message *response) {
    ibk_buf der = {0};
    ibk_sysparams published;
    ibk_ibe_params *params = NULL;
    verdict v = {0};
    if (response->status != 200) {
        snprintf(v.diag.detail, sizeof v.diag.detail, "HTTP status %u", response->status);
        v.failure = SCN_PARAMETERS_REFUSED;
        return v;
    }
    if (strcasecmp(response->content_type, HTTP_PARAMETERS_TYPE) != 0)
        return refuse(SCN_PARAMETERS_MALFORMED, "not application/ibe-pp-data");
    ibk_err err = ibk_mime_base64_read(&der, ibk_buf_span(&response->body), &v.diag);
    if (!err)
        err = ibk_sysparams_parse(&published, ibk_buf_span(&der), &v.diag);
    if (err)
        v.failure = failure_of(err);
    else
        v = check(e, &published, &params);
    if (!v.failure && !keep(e, params))
        v = refuse(SCN_PARAMETERS_MALFORMED, "out of memory");
    if (v.failure) {
        ibk_buf_free(&der);
        return v;
    }
    e->valid = true;
    e->serial = published.serial;
    e->not_before_s = published.not_before_s;
    e->not_after_s = published.not_after_s;
    ibk_oid_granularity(&e->granularity, published.identity_type);
    ibk_buf_free(&e->published);
    e->published = der;
    return v;
}

/* ---- fetching
 * --------------------------------------------------------------------------------------------- */

static scn_parameters_failure tls_failure_of(tls_failure failure) {
    switch (failure) {
    case TLS_UNTRUSTED:
        return SCN_PARAMETERS_UNTRUSTED;
    case TLS_WRONG_NAME:
        return SCN_PARAMETERS_WRONG_NAME;
    case TLS_EXPIRED:
        return SCN_PARAMETERS_EXPIRED_CERTIFICATE;
    case TLS_BAD_CERTIFICATE:
        return SCN_PARAMETERS_BAD_CERTIFICATE;
    default:
        return SCN_PARAMETERS_NO_TLS;
    }
}

static verdict judge(entry *e, const http_outcome *outcome) {
    switch (outcome->end) {
    case HTTP_END_RESPONSE:
        return take(e, outcome->response);
    case HTTP_END_UNKNOWN_HOST:
        return refuse(SCN_PARAMETERS_UNKNOWN_KMS, outcome->detail);
    case HTTP_END_NO_ANSWER:
        return refuse(SCN_PARAMETERS_NO_ANSWER, outcome->detail);
    case HTTP_END_TLS:
        return refuse(tls_failure_of(outcome->failure), outcome->detail);
    default:
        return refuse(SCN_PARAMETERS_MALFORMED, outcome->detail);
    }
}

static void log_outcome(const entry *e, const verdict *v) {
    trace *t = e->c->config.host->world->trace;
    char uri[PARAMETERS_URI];
    parameters_uri(uri, e->domain, e->secure);
    trace_begin(t, v->failure ? TRACE_ERROR : TRACE_KEY, e->c->config.host->name,
                v->failure ? "parameters-refused" : "parameters-received");
    trace_str(t, "uri", uri);
    if (v->failure) {
        trace_str(t, "failure", scn_parameters_failure_name(v->failure));
        trace_str(t, "detail", v->diag.detail[0] ? v->diag.detail : ibk_err_text(v->diag.err));
    } else {
        trace_uint(t, "serial", e->serial);
        trace_int(t, "not_before", e->not_before_s);
        trace_int(t, "not_after", e->not_after_s);
        trace_bool(t, "secure", e->secure);
    }
    trace_end(t);
}

static void note_end(const entry *e, const verdict *v) {
    if (e->fetch == NOT_NOTED)
        return;
    parameters_fetch *fetch = &e->c->fetches[e->fetch];
    fetch->ended = true;
    fetch->end_ns = ims_host_now(e->c->config.host);
    fetch->failure = v->failure;
    if (v->failure)
        snprintf(fetch->detail, sizeof fetch->detail, "%s",
                 v->diag.detail[0] ? v->diag.detail : ibk_err_text(v->diag.err));
}

static void conclude(entry *e) {
    parameters_client *c = e->c;
    verdict v = e->came_to;
    note_end(e, &v);
    e->failed = v.failure;
    e->failed_ns = ims_host_now(c->config.host);
    http_client_free(e->http);
    e->http = NULL;
    log_outcome(e, &v);
    c->config.fetched(c->config.user); /* last: the user may do anything */
}

static void proved(void *arg, const cpu_job_times *times) {
    entry *e = arg;
    (void)times;
    e->job = NULL;
    conclude(e);
}

static void on_done(void *user, const http_outcome *outcome) {
    entry *e = user;
    e->came_to = judge(e, outcome);
    e->job = ims_host_work(e->c->config.host, "IBESysParams", NULL, proved, e);
    if (!e->job)
        conclude(e);
}

/* What is noted is for the result alone: a fetch goes on without. */
static void note_fetch(entry *e) {
    parameters_client *c = e->c;
    e->fetch = NOT_NOTED;
    if (c->fetch_count == FETCHES_MAX || !IBK_ROOM(c->fetches, c->fetch_count, c->fetch_cap))
        return;
    e->fetch = c->fetch_count++;
    c->fetches[e->fetch] = (parameters_fetch){.begin_ns = ims_host_now(c->config.host), .secure = e->secure};
    memcpy(c->fetches[e->fetch].domain, e->domain, sizeof e->domain);
}

/* The way to the server; NULL: no TLS without a trust anchor. */
static tls_endpoint *endpoint_of(const entry *e) {
    return e->secure ? e->c->secure : e->c->plain;
}

static bool fetch(entry *e) {
    char host[256];
    parameters_host(host, e->domain);
    http_client_config config = {.host = e->c->config.host,
                                 .endpoint = endpoint_of(e),
                                 .server = host,
                                 .port = e->secure ? KMS_HTTPS_PORT : KMS_PLAIN_PORT};
    http_request request = {.method = "GET", .target = PARAMETERS_TARGET, .accept = HTTP_PARAMETERS_TYPE};
    if (!config.endpoint)
        return false;
    if (http_client_new(&e->http, &config) == IBK_OK &&
        http_client_ask(e->http, &request, on_done, e) == IBK_OK) {
        note_fetch(e);
        return true;
    }
    http_client_free(e->http);
    e->http = NULL;
    return false;
}

/* What the UE was provisioned with; of its own if it lacks defences. NULL: out of memory. */
static const ibk_ibe_params *provisioned_set(entry *e) {
    ibk_buf der = {0};
    ibk_ibe_params *own;
    if (!lacking(e))
        return e->source->params;
    if (!e->sets && ibk_ibe_params_encode(e->source->params, &der) == IBK_OK &&
        ibk_ibe_params_parse_without(&own, ibk_buf_span(&der), e->source->params, lacking(e), NULL) == IBK_OK)
        keep(e, own);
    ibk_buf_free(&der);
    return e->sets ? e->sets->params : NULL;
}

ibk_lookup parameters_client_find(parameters_client *c, ibk_span domain, const ibk_ibe_params **out) {
    entry *e = entry_for(c, domain);
    if (!e)
        return IBK_LOOKUP_ABSENT;
    if (e->provisioned) {
        *out = provisioned_set(e);
        return *out ? IBK_LOOKUP_FOUND : IBK_LOOKUP_ABSENT;
    }
    if (!e->job && holds_now(e)) {
        *out = e->sets->params;
        return IBK_LOOKUP_FOUND;
    }
    if (e->http)
        return IBK_LOOKUP_PENDING;
    if (e->failed && ims_host_now(c->config.host) < e->failed_ns + BELIEVED)
        return IBK_LOOKUP_ABSENT;
    return fetch(e) ? IBK_LOOKUP_PENDING : IBK_LOOKUP_ABSENT;
}

/* ---- what else is asked
 * ----------------------------------------------------------------------------------- */

bool parameters_client_granularity(parameters_client *c, ibk_span domain, ibk_granularity *out) {
    const entry *e = entry_for(c, domain);
    if (e && (e->valid || e->source)) {
        *out = e->granularity;
        return true;
    }
    return false;
}

ibk_span parameters_client_published(const parameters_client *c, ibk_span domain) {
    const entry *e = find_entry(c, domain);
    return e && e->valid ? ibk_buf_span(&e->published) : (ibk_span){0};
}

bool parameters_client_is_idle(const parameters_client *c) {
    for (size_t i = 0; i < c->count; i++)
        if (c->entries[i]->http)
            return false;
    return true;
}

size_t parameters_client_fetches(const parameters_client *c, const parameters_fetch **out) {
    *out = c->fetches;
    return c->fetch_count;
}

/* ---- life
 * ------------------------------------------------------------------------------------------------- */

ibk_err parameters_client_new(parameters_client **out, const parameters_client_config *config) {
    *out = NULL;
    parameters_client *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    c->config = *config;
    ibk_err err = tls_endpoint_new(&c->plain, config->host, NULL);
    if (!err && config->tls)
        err = tls_endpoint_new(&c->secure, config->host, config->tls);
    if (err)
        parameters_client_free(c);
    else
        *out = c;
    return err;
}

static void entry_free(entry *e) {
    cpu_forget(e->job);
    http_client_free(e->http);
    for (set *s = e->sets, *older; s; s = older) {
        older = s->older;
        ibk_ibe_params_free(s->params);
        free(s);
    }
    ibk_buf_free(&e->published);
    free(e);
}

void parameters_client_free(parameters_client *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        entry_free(c->entries[i]);
    tls_endpoint_free(c->plain);
    tls_endpoint_free(c->secure);
    free(c->fetches);
    free(c);
}
