#ifndef CONFORMANCE_CASES_KMS_H
#define CONFORMANCE_CASES_KMS_H

#include "conformance/cases/common.h"
#include "conformance/suite/pki.h"

const suite_holder *kms_holder(suite_trial *t, const char *name);
/* The public-key method of the peer: of a user, or of the KMS. */
const peer_pke *kms_peer_pke(suite_trial *t, const char *user, bool kms, peer_envelope envelope, bool pss,
                             bool chash);
/* "'key_pairs': […], 'anchors': […]" of a node that is a KMS. */
const char *kms_key_pairs(suite_trial *t, const char *envelope);
/* The keys that the peer, a user, was given are those of their identities; fails 6267-90, 5091-11. */
void kms_judge_keys(suite_trial *t, const peer *p, unsigned size, size_t at_least);

void cases_kms_may(suite_list *list); /* who may have which key */

#endif
