#include "run/trust.h"
#include "kms/parameters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct server {
    bool serves;
    tls_context *context;
    pki_credential credential;
} server;

struct run_trust {
    pki *pki;
    tls_context *client, *careless;
    server *servers; /* one for each domain */
    size_t count;
};

/* Whom may this KMS serve by RFC 5408? */
static bool serves(const scn_scenario *s, const scn_domain *domain) {
    const scn_kms *kms = &domain->kms;
    for (size_t i = 0; i < s->user_count; i++)
        if (s->users[i].domain == domain && s->users[i].key_request == SCN_KEY_REQUEST_RFC5408)
            return true;
    return kms->parameters_for_users == SCN_RFC5408 ||
           (kms->parameters_for_others == SCN_RFC5408 && s->domain_count > 1);
}

static ibk_err start_server(run_trust *t, size_t index, const scn_domain *domain, sim_random *random) {
    char host[256];
    server *s = &t->servers[index];
    parameters_host(host, domain->name);
    ibk_err err = pki_issue_server(t->pki, run_trust_kind(domain->kms.certificate), host, &s->credential);
    return err ? err : tls_server_context(&s->context, &s->credential, random);
}

static bool has_careless_user(const scn_scenario *s) {
    for (size_t i = 0; i < s->user_count; i++)
        if (s->users[i].without & SCN_DEFENCE(CERTIFICATE_CHECK))
            return true;
    return false;
}

static ibk_err start_clients(run_trust *t, const scn_scenario *scenario, sim_random *random,
                             tls_keylog *log) {
    tls_keylog_fn *line = log ? tls_keylog_line : NULL;
    ibk_err err = tls_client_context(&t->client, pki_trust_anchor(t->pki), random, line, log);
    if (!err && has_careless_user(scenario))
        err = tls_client_context(&t->careless, (ibk_span){0}, random, line, log);
    return err;
}

ibk_err run_trust_new(run_trust **out, const scn_scenario *scenario, tls_keylog *log) {
    *out = NULL;
    run_trust *t = calloc(1, sizeof *t);
    sim_random *random = sim_random_new(scenario->seed, "world", "tls");
    bool secure = false;
    ibk_err err = t && random ? pki_new(&t->pki, scenario->seed, scenario->start_utc_ns) : IBK_ERR_NO_MEMORY;
    if (!err && !(t->servers = calloc(scenario->domain_count, sizeof *t->servers)))
        err = IBK_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < scenario->domain_count; i++, t->count++) {
        const scn_domain *domain = &scenario->domains[i];
        t->servers[i].serves = serves(scenario, domain);
        if (t->servers[i].serves && domain->kms.tls) {
            secure = true;
            err = start_server(t, i, domain, random);
        }
    }
    if (!err && secure)
        err = start_clients(t, scenario, random, log);
    sim_random_free(random);
    if (err)
        run_trust_free(t);
    else
        *out = t;
    return err;
}

void run_trust_free(run_trust *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++) {
        tls_context_free(t->servers[i].context);
        pki_credential_free(&t->servers[i].credential);
    }
    tls_context_free(t->client);
    tls_context_free(t->careless);
    pki_free(t->pki);
    free(t->servers);
    free(t);
}

pki *run_trust_pki(run_trust *t) {
    return t->pki;
}

pki_kind run_trust_kind(scn_certificate certificate) {
    switch (certificate) {
    case SCN_CERT_SELF_SIGNED:
        return PKI_SELF_SIGNED;
    case SCN_CERT_UNTRUSTED_CA:
        return PKI_UNTRUSTED_CA;
    case SCN_CERT_WRONG_NAME:
        return PKI_WRONG_NAME;
    case SCN_CERT_EXPIRED:
        return PKI_EXPIRED;
    default:
        return PKI_TRUSTED;
    }
}

tls_context *run_trust_client(const run_trust *t, bool careless) {
    return careless ? t->careless : t->client;
}

bool run_trust_serves(const run_trust *t, size_t domain) {
    return t->servers[domain].serves;
}

tls_context *run_trust_server(const run_trust *t, size_t domain) {
    return t->servers[domain].context;
}

const pki_credential *run_trust_credential(const run_trust *t, size_t domain) {
    return t->servers[domain].context ? &t->servers[domain].credential : NULL;
}

ibk_err run_trust_write(run_trust *t, const char *out_dir, ibk_diag *diag) {
    char dir[4096];
    if (pki_is_empty(t->pki))
        return IBK_OK;
    int len = snprintf(dir, sizeof dir, "%s/pki", out_dir);
    if (len < 0 || (size_t)len >= sizeof dir)
        return ibk_fail(diag, IBK_ERR_LIMIT, "output folder", 0, "too long a path");
    if (mkdir(dir, 0777) && errno != EEXIST)
        return ibk_fail(diag, IBK_ERR_IO, "certificates", 0, "%.80s: %s", dir, strerror(errno));
    return pki_write(t->pki, dir, diag);
}
