/* The certificates with which users and KMSs of a run make REQUEST_KEY_PKE (RFC 6267 §4.2.1.1.2). */
#ifndef SIM_RUN_CREDENTIALS_H
#define SIM_RUN_CREDENTIALS_H

#include "kms/key_client.h"
#include "tls/pki.h"

typedef struct run_credentials run_credentials;

/* Makes what the scenario needs and no more: a certificate for each user with `key-request: pke`, naming all
 * its identities, and one for each KMS that such users ask. `p` is borrowed; its trust anchor is everybody's.
 */
ibk_err run_credentials_new(run_credentials **out, pki *p, const scn_scenario *scenario);
void run_credentials_free(run_credentials *c); /* wipes the private keys */

/* Borrowed; NULL: it uses no certificate. Users and domains by their place in the scenario. */
const key_client_pke *run_credentials_user(const run_credentials *c, size_t user);
const pki_credential *run_credentials_kms(const run_credentials *c, size_t domain);
ibk_span run_credentials_anchor(const run_credentials *c); /* empty: nobody uses certificates */

#endif
