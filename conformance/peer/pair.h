/* Test support: two peers that play each other, under the parameters of data/ibe-params. */
#ifndef CONFORMANCE_PEER_PAIR_H
#define CONFORMANCE_PEER_PAIR_H

#include "peer/peer.h"

#define PAIR_NOON 1795521600000U /* 2026-11-24T12:00:00Z */

typedef enum pair_flow {
    PAIR_CALL,
    PAIR_MAILBOX,
    PAIR_UPDATE,
    PAIR_UPDATE_BACK,
    PAIR_PSK,
    PAIR_PKE
} pair_flow;

/* What the tests may change before a play. */
typedef struct pair_setting {
    unsigned size; /* 0: 1024 */
    uint8_t prf, mac, curve, mailbox_curve, timestamp, map_type, encryption;
    peer_granularity granularity;
    bool esk, pss, chash, no_new_dh, further;
    peer_envelope envelope;
    bool ask_bytes;
    const char *deviation; /* of whichever of the two sends that message */
    unsigned damage;       /* not 0: a few octets of one message are changed on their way */
} pair_setting;

typedef struct pair {
    peer *first, *second; /* initiator and responder; user and KMS */
    ibk_buf wire;         /* all messages, one behind the other */
    size_t messages;
    unsigned damage;
} pair;

void pair_play(pair *play, pair_flow flow, const pair_setting *setting);
void pair_free(pair *play);

const peer_domain *pair_domain(unsigned size, peer_granularity granularity); /* kept for the whole test */
void pair_forget_domains(void);
/* A self-made certificate with its key, RSA of 2048 bits: the user's (false) or the KMS's. */
void pair_certificate(bool kms, ibk_span *certificate, ibk_span *private_key);

#endif
