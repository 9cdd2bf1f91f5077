/* Who believes whom in a run: its certificates and the TLS of its servers and UEs. */
#ifndef SIM_RUN_TRUST_H
#define SIM_RUN_TRUST_H

#include "scenario/model.h"
#include "tls/keylog.h"
#include "tls/tls.h"

typedef struct run_trust run_trust;

/* Makes what the scenario needs and no more: without RFC 5408 in it there is no certificate. `log` (borrowed,
 * may be NULL) gets the keys of every TLS connection, from its client. */
ibk_err run_trust_new(run_trust **out, const scn_scenario *scenario, tls_keylog *log);
void run_trust_free(run_trust *t);

pki *run_trust_pki(run_trust *t); /* for further certificates */
pki_kind run_trust_kind(scn_certificate certificate);
/* A UE's; `careless`: of one that believes every certificate. NULL: nobody speaks TLS, or nobody is so. */
tls_context *run_trust_client(const run_trust *t, bool careless);
/* Somebody may ask the KMS of the domain (its place in the scenario) by RFC 5408. */
bool run_trust_serves(const run_trust *t, size_t domain);
tls_context *run_trust_server(const run_trust *t, size_t domain); /* of that KMS; NULL with `tls: off` */
/* What that server shows, with its private key; NULL: nothing. */
const pki_credential *run_trust_credential(const run_trust *t, size_t domain);

/* Writes the certificates that were issued to OUT_DIR/pki; nothing, not even the folder, if there are none.
 */
ibk_err run_trust_write(run_trust *t, const char *out_dir, ibk_diag *diag);

#endif
