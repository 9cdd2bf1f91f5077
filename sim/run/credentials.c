#include "run/credentials.h"
#include "run/trust.h"

#include <stdlib.h>

typedef struct credential {
    bool made;
    pki_credential octets;
    key_client_pke pke; /* of a user: views of its own octets and its KMS's */
} credential;

struct run_credentials {
    ibk_span anchor;
    credential *users, *kms; /* one for each user, each domain */
    size_t user_count, domain_count;
};

/* A device's certificate names the identities of its user too: it asks for their keys as well. */
static size_t names_of(const scn_user *user, const char *names[2 * SCN_MAX_IDENTITIES]) {
    const scn_user *of[] = {user, user->contact_of};
    size_t n = 0;
    for (size_t i = 0; i < 2 && of[i]; i++) {
        names[n++] = of[i]->identity;
        for (size_t k = 0; k < of[i]->identity_count; k++)
            names[n++] = of[i]->identities[k];
    }
    return n;
}

static ibk_err issue_to_user(run_credentials *c, pki *p, const scn_scenario *s, size_t index) {
    const scn_user *user = &s->users[index];
    const char *names[2 * SCN_MAX_IDENTITIES];
    bool careless = user->without & SCN_DEFENCE(CERTIFICATE_CHECK);
    size_t n = names_of(user, names), domain = (size_t)(user->domain - s->domains);
    credential *own = &c->users[index], *kms = &c->kms[domain];
    ibk_err err = IBK_OK;
    if (!kms->made) {
        err = pki_issue_kms(p, run_trust_kind(user->domain->kms.certificate), user->domain->kms.identity,
                            &kms->octets);
        kms->made = !err;
    }
    if (!err)
        err = pki_issue_user(p, run_trust_kind(user->certificate), user->name, names, n, &own->octets);
    own->made = !err;
    own->pke = (key_client_pke){.certificate = ibk_buf_span(&own->octets.certificate),
                                .private_key = ibk_buf_span(&own->octets.private_key),
                                .kms_certificate = ibk_buf_span(&kms->octets.certificate),
                                .anchor = careless ? (ibk_span){0} : c->anchor};
    return err;
}

ibk_err run_credentials_new(run_credentials **out, pki *p, const scn_scenario *scenario) {
    *out = NULL;
    run_credentials *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    c->user_count = scenario->user_count;
    c->domain_count = scenario->domain_count;
    c->users = calloc(c->user_count, sizeof *c->users);
    c->kms = calloc(c->domain_count, sizeof *c->kms);
    ibk_err err = c->users && c->kms ? IBK_OK : IBK_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < c->user_count; i++) {
        if (scenario->users[i].key_request != SCN_KEY_REQUEST_PKE)
            continue;
        c->anchor = pki_trust_anchor(p);
        err = c->anchor.len ? issue_to_user(c, p, scenario, i) : IBK_ERR_INTERNAL;
    }
    if (err)
        run_credentials_free(c);
    else
        *out = c;
    return err;
}

void run_credentials_free(run_credentials *c) {
    if (!c)
        return;
    for (size_t i = 0; c->users && i < c->user_count; i++)
        pki_credential_free(&c->users[i].octets);
    for (size_t i = 0; c->kms && i < c->domain_count; i++)
        pki_credential_free(&c->kms[i].octets);
    free(c->users);
    free(c->kms);
    free(c);
}

const key_client_pke *run_credentials_user(const run_credentials *c, size_t user) {
    return c->users[user].made ? &c->users[user].pke : NULL;
}

const pki_credential *run_credentials_kms(const run_credentials *c, size_t domain) {
    return c->kms[domain].made ? &c->kms[domain].octets : NULL;
}

ibk_span run_credentials_anchor(const run_credentials *c) {
    return c->anchor;
}
