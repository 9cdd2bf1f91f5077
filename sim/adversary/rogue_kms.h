/* A KMS that nobody authorised: it runs on the adversary's node, and the simulation's DNS leads there who
 * looks for that of a domain. It publishes parameters of its own (RFC 5408 §4), sound or degenerate, over TLS
 * with whatever certificate it has, or without TLS. It issues keys to whom it can: REQUEST_KEY_PSK of users
 * whose PSK it holds, REQUEST_KEY_PKE with the true KMS's private key, RFC 5408's requests with whatever
 * password. What it cannot answer it hands on to the true KMS, so that nobody misses it. */
#ifndef SIM_ADVERSARY_ROGUE_KMS_H
#define SIM_ADVERSARY_ROGUE_KMS_H

#include "adversary/bad_params.h"
#include "ims/host.h"
#include "tls/tls.h"

typedef struct rogue_kms rogue_kms;

/* Everything is borrowed. */
typedef struct rogue_kms_config {
    ims_host *host;
    const scn_scenario *scenario;
    const scn_adversary *plan;     /* with a `kms` */
    const ibk_ibe_params *genuine; /* of the domain that it impersonates */
    sip_addr genuine_at;           /* of the true KMS's node; port 0: its port for MIKEY */
    /* The set that plan->kms names, and the master secret if it names files. Not used if they are degenerate.
     */
    ibk_ibe_params *base;
    const ibk_ibe_master *base_master;
    pki *certificates; /* of the run; may be NULL with `tls: off` */
    /* The true KMS's, for `certificate: stolen`: what its HTTPS server shows, and what envelopes are
     * encrypted for. NULL: it has none; then there is nothing to steal either. */
    const pki_credential *tls_credential, *pke_credential;
    ibk_span anchor; /* with pke_credential: what users' certificates lead to */
} rogue_kms_config;

/* Opens its ports, and takes over the DNS name of the KMS that it impersonates. diag tells what failed. */
ibk_err rogue_kms_new(rogue_kms **out, const rogue_kms_config *config, ibk_diag *diag);
void rogue_kms_free(rogue_kms *k);

/* The parameters that it publishes; NULL: such as libibake does not take (q-composite, small-order, p-is-3).
 */
const ibk_ibe_params *rogue_kms_params(const rogue_kms *k);
const ibk_ibe_master *
rogue_kms_master(const rogue_kms *k); /* NULL: none, or one that is too simple (p-pub-is-p) */

/* Has it issued keys for this identity (ID data, or an IBE identity that begins with it)? Then they are what
 * that user opens messages with. */
bool rogue_kms_serves(const rogue_kms *k, ibk_span id);

typedef struct rogue_kms_stats {
    uint64_t parameters; /* sets that were given out */
    uint64_t keys;       /* private keys of its own that were issued */
    uint64_t passwords;  /* RFC 5408: that it was told */
    uint64_t handed_on;  /* requests to the true KMS */
} rogue_kms_stats;

rogue_kms_stats rogue_kms_get_stats(const rogue_kms *k);

#endif
