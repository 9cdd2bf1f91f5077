/* The certificates of a simulated world, X.509v3 by RFC 5280: a trust anchor, and what it (or somebody else)
 * issues to servers, users and KMSs. Every key is drawn from a stream of the seed and the name it is for, so
 * that a certificate does not depend on which others are made: the same seed, names, start of the run and
 * version of OpenSSL give the same octets. */
#ifndef TLS_PKI_H
#define TLS_PKI_H

#include <ibake/base.h>

typedef enum pki_kind {
    PKI_TRUSTED = 0,  /* issued by the trust anchor, all in order */
    PKI_SELF_SIGNED,  /* by nobody but itself */
    PKI_UNTRUSTED_CA, /* by a CA that nobody trusts */
    PKI_WRONG_NAME,   /* by the trust anchor, for another name than it is used under */
    PKI_EXPIRED       /* by the trust anchor, expired one day before the run starts */
} pki_kind;

typedef struct pki pki;

/* `start_utc_ns`: when the run begins. Certificates are valid from 400 days before it to 1200 days after it
 * (those that expired: to one day before it), the CAs' own longer. Nothing is generated yet. */
ibk_err pki_new(pki **out, uint64_t seed, int64_t start_utc_ns);
void pki_free(pki *p);

/* The zero value is empty. The key is wiped when freed. */
typedef struct pki_credential {
    ibk_buf certificate; /* DER, X.509 */
    ibk_buf private_key; /* DER, PKCS#8 */
} pki_credential;

void pki_credential_free(pki_credential *credential);

/* The certificate of the trust anchor, DER; generated when first asked for. Borrowed; empty: it failed. */
ibk_span pki_trust_anchor(pki *p);

/* What these issue is owned by the caller; its certificate is remembered for pki_write. One credential for
 * each name and use: a second one would have the same key. IBK_ERR_BAD_TEXT: a name that is no ASCII. */

/* For a TLS server: P-256, `dns_name` as its subjectAltName. */
ibk_err pki_issue_server(pki *p, pki_kind kind, const char *dns_name, pki_credential *out);
/* For a user who signs (REQUEST_KEY_PKE): RSA of 2048 bits, each URI as a subjectAltName. PKI_WRONG_NAME: a
 * URI of somebody else in place of all of them; at most 32. `name` is the user's in the scenario. */
ibk_err pki_issue_user(pki *p, pki_kind kind, const char *name, const char *const *uris, size_t n_uris,
                       pki_credential *out);
/* For a KMS to which envelope keys are encrypted (REQUEST_KEY_PKE): RSA of 2048 bits. `nai` is the KMS's
 * identity, "kms@home.example"; it stands in subjectAltName as rfc822Name, and its host, kms.home.example, as
 * dNSName. */
ibk_err pki_issue_kms(pki *p, pki_kind kind, const char *nai, pki_credential *out);

bool pki_is_empty(const pki *p); /* nothing was issued yet */

/* Writes DIR/ca.pem (the trust anchor), DIR/untrusted-ca.pem (if there is one) and a PEM file for every
 * certificate that was issued: server-<dns name>, user-<name>, kms-<nai>. Certificates only, no private keys.
 * The folder has to exist. */
ibk_err pki_write(pki *p, const char *dir, ibk_diag *diag);

#endif
