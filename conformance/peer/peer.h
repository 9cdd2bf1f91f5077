/* ibakelab: the peer that plays the tester: an implementation of its own of the exchange of RFC 6267, written
 * from the RFCs and the profile (conformance/requirements/profile.yaml), which can deviate in about a hundred
 * named ways, and judges strictly what it receives. It shares the IBE arithmetic of libibake (ibake/ibe.h)
 * and nothing above it, so that one misreading does not pass its own test.
 *
 * A peer does no I/O and knows no clock: messages in, messages out. What a caller hands over in a
 * configuration is borrowed until peer_free. A peer belongs to one thread; parameters and keys may be shared.
 *
 *     peer_config c = {.role = PEER_INITIATOR, .self = …, .other = …, .domains = &home, .n_domains = 1, …};
 *     peer_new(&p, &c);  peer_start(p, &message);  …  peer_receive(p, received, &answer);
 *     peer_look(p)->state, peer_keys(p, …), peer_findings(p)
 */
#ifndef CONFORMANCE_PEER_PEER_H
#define CONFORMANCE_PEER_PEER_H

#include <ibake/ibe.h>

typedef struct peer peer;

/* ---- who plays ------------------------------------------------------------------------------------- */

typedef enum peer_role {
    PEER_INITIATOR = 1,
    PEER_RESPONDER,
    PEER_MAILBOX, /* answers as `self` whoever was called, and reads no IBAKE of I_MESSAGE_1 */
    PEER_USER,    /* asks a KMS for private keys */
    PEER_KMS
} peer_role;

/* ID type and ID data of an IDR payload (RFC 6043 §6.6): 0 NAI, 1 URI, 2 byte string. */
typedef struct peer_id {
    uint8_t type;
    ibk_span data;
} peer_id;

typedef enum peer_granularity { PEER_DAY = 0, PEER_HOUR, PEER_MONTH } peer_granularity; /* P-9 */

/* A KMS's parameters and whom they serve. The peer extracts the private keys of its own identity itself. */
typedef struct peer_domain {
    const ibk_ibe_params *params;
    const ibk_ibe_master *master; /* may be NULL where no identity of this peer is */
    ibk_span serves;              /* ID data, or what they end in ("@home.example"); the first match counts */
    peer_granularity granularity;
} peer_domain;

/* One crypto session of an offer. SRTP-ID uses policy, ssrc and roc; CS IDs count from 1 there. */
typedef struct peer_cs {
    uint8_t cs_id;         /* GENERIC-ID */
    ibk_span policies;     /* policy numbers: SRTP-ID one, GENERIC-ID any number */
    uint32_t ssrc, roc;    /* SSRC 0 in a SRTP-ID map: the responder's to fill */
    bool has_roc, no_data; /* GENERIC-ID: ROC and SEQ are there; no session data at all */
    uint16_t seq;
    ibk_span mki; /* GENERIC-ID */
} peer_cs;

/* An SP payload for SRTP (RFC 3830 §6.10): its parameters as they stand there, (type, length, value)*. */
typedef struct peer_sp {
    uint8_t number;
    ibk_span params;
} peer_sp;

/* The public-key method (RFC 6267 §4.2.1.1.2). Certificates are DER X.509, keys DER (PKCS#8 or PKCS#1). */
typedef enum peer_envelope { PEER_PKCS1_V15 = 0, PEER_OAEP, PEER_OAEP_SHA256 } peer_envelope;

typedef struct peer_pke {
    const ibk_span *chain; /* user: the own certificate first. KMS: not used */
    size_t n_chain;
    ibk_span private_key;     /* user: signs. KMS: opens envelopes */
    ibk_span kms_certificate; /* whom PKE is for */
    bool pss;                 /* user: RSA/PSS in place of PKCS#1 v1.5 */
    bool chash;               /* user: names the certificate */
    peer_envelope envelope;
} peer_pke;

typedef struct peer_config {
    peer_role role;
    const char *deviation; /* its name, "r-message-1/t-changed", with or without "deviation/"; NULL: none */
    ibk_span seed;         /* the same seed gives the same messages; the empty one is a seed too */
    uint64_t utc_ms;       /* since 1970-01-01T00:00:00Z */
    const peer_domain *domains;
    size_t n_domains;
    peer_id self;  /* KMS: IDRkms. User: not used (asks) */
    peer_id other; /* initiator: whom to call. User: IDRkms. Others: not used */

    uint8_t prf; /* 0 MIKEY-1, 1 PRF-HMAC-SHA-256 */
    uint8_t
        mac; /* of the V that we make: 1 HMAC-SHA-1-160, 2 HMAC-SHA-256-256; 0: the one that fits the PRF */
    uint8_t curve;     /* RFC 6267 §6.1.4; 0: P-256 (8). A responder follows the initiator */
    uint8_t timestamp; /* 0 NTP-UTC, 1 NTP, 2 COUNTER, 3 NTP-UTC-32 */
    uint32_t counter;  /* the last COUNTER value that was used */
    uint64_t skew_ms;  /* 0: 300,000 */

    uint8_t map_type; /* initiator: 0 SRTP-ID, 1 Empty, 2 GENERIC-ID */
    const peer_cs *sessions;
    size_t n_sessions;
    const peer_sp *policies; /* initiator; a responder takes what is offered */
    size_t n_policies;
    ibk_span sdp_ids;      /* General Extension "SDP IDs"; empty: none */
    const uint32_t *ssrcs; /* responder: the i-th fills a 0 in the i-th crypto session */
    size_t n_ssrcs;
    bool esk;           /* initiator: an ESK in I_MESSAGE_1 */
    bool accept_others; /* initiator: another identity than the one called may answer (P-19) */

    const peer_id *asks; /* user: IDRi/r (P-10) */
    size_t n_asks;
    ibk_span psk; /* user and KMS; KMS: of whoever asks by REQUEST_KEY_PSK */
    const peer_id *psk_id;
    const peer_pke *pke; /* user: asks by REQUEST_KEY_PKE. KMS: answers it too */
    uint8_t encryption;  /* KMS: 1 AES-CM-128, 2 AES-KW-128, 3 AES-CM-256; 0: AES-CM-128 */
} peer_config;

/* IBK_ERR_USAGE for a configuration that lacks something or names an unknown deviation, IBK_ERR_NO_MEMORY. */
ibk_err peer_new(peer **out, const peer_config *config);
void peer_free(peer *p); /* wipes; legal on NULL */
void peer_set_clock(peer *p, uint64_t utc_ms);

/* ---- what it does ------------------------------------------------------------------------------------ */

/* I_MESSAGE_1, or a key request; appended to *message. IBK_ERR_STATE for other roles and later. */
ibk_err peer_start(peer *p, ibk_buf *message);

/* Judges what arrived (findings, below) and goes on as far as it can: the answer, if any, is appended to
 * *answer. The octets may be anything; an error is returned only for our own trouble (memory, state of the
 * configuration), never for what the other did. */
ibk_err peer_receive(peer *p, ibk_span message, ibk_buf *answer);

typedef struct peer_change {
    bool new_dh;
    uint8_t curve;          /* 0: that of before */
    ibk_span mki;           /* with new_dh; empty: none */
    const peer_cs *further; /* crypto sessions to add, of the map type of before */
    size_t n_further;
    const peer_sp *policies; /* new ones */
    size_t n_policies;
} peer_change;

/* I_MESSAGE_1 of a CSB update (RFC 6267 §5.3), by either side of an established exchange. */
ibk_err peer_update(peer *p, const peer_change *change, ibk_buf *message);

/* An Error message (RFC 3830 §5.1.2, §6.12) in answer to what was received last, or about what was sent. */
ibk_err peer_error(peer *p, uint8_t number, ibk_buf *message);

/* ---- what came of it ----------------------------------------------------------------------------------- */

typedef enum peer_state {
    PEER_NEW = 0,
    PEER_WAITING,     /* for the next message */
    PEER_ESTABLISHED, /* has keys; an initiator after R_MESSAGE_2 */
    PEER_UPDATING,
    PEER_FINISHED, /* a user that has its keys */
    PEER_SERVING,  /* a KMS */
    PEER_TOLD,     /* the other sent an Error message */
    PEER_STUCK     /* what arrived leaves no way to go on */
} peer_state;

/* What a receiver has to do with a bent message. */
typedef enum peer_outcome {
    PEER_REFUSE = 1, /* not to take it */
    PEER_TAKE,       /* to take it: nothing is wrong, or the field has to be ignored */
    PEER_EITHER      /* the texts permit both, or are silent */
} peer_outcome;

typedef struct peer_result {
    peer_state state;
    bool deviated; /* the message that the deviation bends was made, and came out different from the right one
                    */
    peer_outcome outcome; /* what a receiver has to do with that message; 0 before */
    uint32_t csb_id;
    uint8_t curve; /* of the ECDH values; 0: not known yet */
    ibk_span mki;  /* of the update that came last; empty: none */
    bool deferred; /* R_MESSAGE_1 had ECCPTr alone */
    int told;      /* the first error number of the other's Error message; -1: none */
    unsigned updates;
    peer_id other; /* who the other says it is; no data: not known yet */
    ibk_span sk;   /* initiator with an ESK */
    ibk_span esk;  /* responder, mailbox: ciphertext of the ESK that came */
} peer_result;

const peer_result *peer_look(const peer *p); /* valid until the next call */

/* Something that the other did wrong. */
typedef struct peer_finding {
    const char *requirement; /* "6267-39"; of conformance/requirements */
    const char *text;        /* a sentence */
    uint8_t data_type;       /* of the message */
    uint8_t should;          /* 1: of level SHOULD, 0: MUST or profile */
} peer_finding;

typedef struct peer_cs_keys {
    uint8_t cs_id;
    uint32_t ssrc;
    uint8_t tek[64], salt[64];
    size_t tek_len, salt_len;
} peer_cs_keys;

/* The keys of the crypto sessions in the order of the map; how many there are, of which `max` at most are
 * written. */
size_t peer_keys(const peer *p, peer_cs_keys *keys, size_t max);

/* Why the keys of the i-th crypto session, whose TEK is this, are not those of this peer: the requirement
 * that the known mistake breaks, and a sentence, in *out. Where the TEK is right the salt is not. False: none
 * of the mistakes that are known. */
bool peer_explain_keys(const peer *p, size_t i, ibk_span tek, peer_finding *out);

/* TEK (16 octets) and salt (14) of content under SK (P-22). */
ibk_err peer_deferred_keys(ibk_span sk, peer_cs_keys *keys);

/* A user's private keys: how many; the i-th's IBE identity and DER BFPrivateKeyBlock. */
size_t peer_private_keys(const peer *p);
bool peer_private_key(const peer *p, size_t i, ibk_span *ibe_identity, ibk_span *der);

/* ---- what the other did wrong -------------------------------------------------------------------------- */

size_t peer_findings(const peer *p);
const peer_finding *peer_finding_at(const peer *p,
                                    size_t i); /* in the order in which they were noticed; NULL beyond */
void peer_forget_findings(peer *p);

/* ---- deviations ---------------------------------------------------------------------------------------- */

typedef struct peer_deviation {
    char name[64];    /* "r-message-1/t-changed": message and knob of "deviation/<message>/<knob>" */
    char message[32]; /* "r-message-1" */
    char knob[40];    /* "t-changed" */
    char
        requirements[64]; /* IDs, separated by spaces: what the sender violates, or what binds the receiver */
    const char *text;     /* one sentence about the bent message */
    peer_role sender;     /* who sends it; an update may be started by either side */
    peer_outcome outcome;
    bool tolerated; /* outcome is not PEER_REFUSE */
    /* What somebody does not meet who takes this message for right and refuses the right one, since he errs
     * as its sender does; "": nobody is known to. For a PRF see peer_prf_rule. */
    char mistake[12];
    uint8_t prf, encryption, timestamp; /* what the exchange has to use, or there is nothing to bend */
    const char
        *unnoticed; /* why this peer, as receiver, finds nothing; an IUT that knows more may. NULL: it does */
} peer_deviation;

/* PRFs have requirements of their own: `requirement`, or what stands in its place where it is about
 * PRF-HMAC-SHA-256 and MIKEY-1 is used. */
const char *peer_prf_rule(const char *requirement, uint8_t prf);
size_t peer_deviations(void);
bool peer_deviation_at(size_t i, peer_deviation *out); /* false beyond */
bool peer_deviation_find(const char *name, peer_deviation *out);

/* ---- SDP (RFC 4567) ------------------------------------------------------------------------------------ */

typedef enum peer_sdp_level { PEER_SDP_SESSION = 0, PEER_SDP_MEDIA } peer_sdp_level;

/* `body` (without any key-mgmt, lines ended by CR LF) with `message` in an attribute, appended to *out; bent
 * by a deviation of the family "sdp". */
ibk_err peer_sdp_write(peer *p, ibk_span body, peer_sdp_level level, ibk_span message, ibk_buf *out);
/* Takes the message of the first attribute that counts out of a description, and judges the attribute.
 * Nothing is appended when there is none. */
ibk_err peer_sdp_read(peer *p, ibk_span sdp, ibk_buf *message);

#endif
