/* The node of a case: who holds which keys and how it is set (IUT.md §4), and its sessions. */
#ifndef CONFORMANCE_IUT_NODE_H
#define CONFORMANCE_IUT_NODE_H

#include "conformance/iut/request.h"

#include <ibake/kms.h>
#include <ibake/session.h>

#define IUT_LABELS (IBK_DRAW_BLIND + 1)

/* Fixed values of one purpose. Borrowed octets. */
typedef struct iut_draws {
    ibk_span *items;
    size_t count, next;
} iut_draws;

typedef struct iut_random {
    iut_draws fixed[IUT_LABELS];
    ibk_span seed; /* empty: the system's generator */
    uint64_t counter[IUT_LABELS];
} iut_random;

void iut_random_read(const iut_place *at, iut_store *store, iut_random *out);
void iut_random_free(iut_random *random);
ibk_err iut_random_draw(iut_random *random, ibk_draw_label label, uint8_t *out, size_t len);

/* Parameters that were proved before; public, so they outlive a case. */
#define IUT_PROVED_MAX 16
typedef struct iut_proved {
    struct {
        ibk_buf der;
        ibk_ibe_params *params;
    } items[IUT_PROVED_MAX];
    size_t count, next;
} iut_proved;

/* A new reference. */
ibk_err iut_proved_params(iut_proved *proved, ibk_span der, ibk_ibe_params **out, ibk_diag *diag);
void iut_proved_free(iut_proved *proved);

typedef struct iut_domain {
    ibk_ibe_params *params;
    ibk_granularity granularity;
    const char **serves; /* texts in the store */
    size_t n_serves;
} iut_domain;

typedef struct iut_key {
    ibk_buf ibe_identity;
    ibk_ibe_key *key;
    const iut_domain *domain;
} iut_key;

/* Whom the KMS knows. */
typedef struct iut_kms_user {
    ibk_span psk, certificate;
    ibk_identity psk_id;
    ibk_identity *may_have;
    size_t n_may_have;
    bool excluded;
} iut_kms_user;

typedef struct iut_session iut_session;

typedef struct iut_node {
    bool open;
    iut_store store; /* octets of the case */
    ibk_time now;
    ibk_env env;
    iut_random random;
    iut_domain *domains;
    size_t n_domains;
    iut_key *keys;
    size_t n_keys;
    ibk_policy policy;
    uint8_t accept_responders; /* enum iut_accept */
    bool limit_initiators;
    ibk_identity *initiators;
    size_t n_initiators;
    uint32_t *csb_ids;
    size_t n_csb_ids;
    ibk_replay_cache *replay;
    ibk_timestamps timestamps;
    ibk_kms *kms; /* NULL: it is none */
    ibk_ibe_master *kms_master;
    iut_kms_user *kms_users;
    size_t n_kms_users;
    iut_session *sessions; /* in the order in which they were opened */
} iut_node;

/* The op "begin": fills a zeroed node. A node whose request went wrong has to be freed like another. */
void iut_node_begin(iut_node *node, iut_proved *proved, iut_request *request);
void iut_node_free(iut_node *node);
void iut_kms_begin(iut_node *node, const iut_place *at);

/* The parameters that serve an identity, or NULL. */
const iut_domain *iut_node_domain(const iut_node *node, ibk_span id);
const iut_key *iut_node_key(const iut_node *node, ibk_span ibe_identity);
ibk_node iut_node_callbacks(iut_node *node);

#endif
