/* The KMS as a network node: HTTP POST of application/mikey over TCP (P-18) in front of libibake's KMS, and
 * RFC 5408's requests over HTTPS. */
#ifndef SIM_KMS_KMS_NODE_H
#define SIM_KMS_KMS_NODE_H

#include "ims/host.h"
#include "scenario/model.h"
#include "tls/pki.h"
#include "tls/tls.h"

typedef struct kms_node kms_node;

typedef struct kms_node_config {
    ims_host_config host;
    const scn_scenario *scenario;
    const scn_domain *domain;
    const ibk_ibe_params *params; /* borrowed */
    const ibk_ibe_master *master; /* borrowed */
    bool rfc5408;                 /* it serves RFC 5408's requests: over TLS, or with `tls: off` without */
    tls_context *tls;             /* borrowed; its HTTPS server's side */
    const pki_credential *pke;    /* borrowed; for which envelopes are encrypted. NULL: REQUEST_KEY_PKE is not
                                     served */
    ibk_span anchor;              /* with `pke`: DER, what users' certificates have to lead to */
} kms_node_config;

#define KMS_REASONS_MAX 16

typedef struct kms_node_stats {
    uint64_t requests, issued, refused; /* MIKEY requests; answered with keys; otherwise */
    uint64_t keys;                      /* private keys issued */
    bool asked, answered;
    uint64_t first_request_ns, last_answer_ns; /* if asked, answered */
    struct {
        ibk_err err;
        uint64_t count;         /* 0: this entry and those after it are unused */
    } reasons[KMS_REASONS_MAX]; /* why requests were refused, in the order in which the reasons came up */
} kms_node_stats;

/* Serves the users of the scenario whose KMS it is. Writes PARAMS and MASTER to the key log. */
ibk_err kms_node_new(kms_node **out, const kms_node_config *config);
void kms_node_free(kms_node *k);
const ims_host *kms_node_host(const kms_node *k);
const kms_node_stats *kms_node_get_stats(const kms_node *k);

#endif
