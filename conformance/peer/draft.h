/* A message as data: what the header says, and a chain of parts (payloads). The peer first describes the
 * right message; a deviation bends the description, or the sealed parts, or the octets at the end (knob.h).
 * Received messages are taken apart into the same form. */
#ifndef CONFORMANCE_PEER_DRAFT_H
#define CONFORMANCE_PEER_DRAFT_H

#include "peer/crypt.h"
#include "peer/peer.h"

/* Next payload numbers (RFC 3830 §6.1, RFC 6043 §6.1, RFC 6267 §6.1). */
enum px_type {
    PX_LAST = 0,
    PX_KEMAC = 1,
    PX_PKE = 2,
    PX_SIGN = 4,
    PX_T = 5,
    PX_ID = 6,
    PX_CERT = 7,
    PX_CHASH = 8,
    PX_V = 9,
    PX_SP = 10,
    PX_RAND = 11,
    PX_ERR = 12,
    PX_TR = 13,
    PX_IDR = 14,
    PX_RANDR = 15,
    PX_KEY = 20,
    PX_EXT = 21,
    PX_IBAKE = 22,
    PX_ESK = 23,
    PX_SK = 24,
    PX_ECCPT = 25
};

enum { PX_ROLE_I = 1, PX_ROLE_R = 2, PX_ROLE_KMS = 3, PX_ROLE_PSK = 4 };
enum { PX_MAP_SRTP = 0, PX_MAP_EMPTY = 1, PX_MAP_GENERIC = 2 };
enum { PX_V_FLAG = 0x80 };

/* What a message is in its exchange. */
typedef enum px_kind {
    PX_I1,  /* I_MESSAGE_1 */
    PX_R1,  /* R_MESSAGE_1 with both values */
    PX_I2,  /* I_MESSAGE_2 behind it */
    PX_R2,  /* R_MESSAGE_2 behind that */
    PX_R1D, /* R_MESSAGE_1 with ECCPTr alone, and what follows it (deferred delivery) */
    PX_I2D,
    PX_R2D,
    PX_U1, /* I_MESSAGE_1 and R_MESSAGE_1 of a CSB update */
    PX_U2,
    PX_QPSK, /* REQUEST_KEY_PSK */
    PX_QPKE, /* REQUEST_KEY_PKE */
    PX_RESP, /* REQUEST_KEY_RESP */
    PX_ERROR,
    PX_SDP, /* not a message: the attribute around one */
    PX_KINDS
} px_kind;

const char *px_kind_name(px_kind kind); /* "i-message-1" */
uint8_t px_data_type(px_kind kind);

enum { PX_FOLLOWS = -1 }; /* the next payload field tells what follows */

typedef struct px_chain px_chain;

typedef struct px_part {
    uint8_t type;
    int next;         /* PX_FOLLOWS, or what the next payload field says in place of the truth */
    px_octets body;   /* behind the next payload field (SIGN, which has none: all of it) */
    px_chain *inside; /* IBAKE, ESK, KEMAC before they are sealed: their content */
    px_octets to;     /* IBAKE, ESK: the ID data and date that they are encrypted to */
    const peer_domain *domain;
} px_part;

#define PX_CHAIN_MAX 64
struct px_chain {
    px_part parts[PX_CHAIN_MAX + 1]; /* the last is a spare for what does not fit */
    size_t n;
    ibk_err err; /* IBK_ERR_LIMIT, IBK_ERR_NO_MEMORY: something did not fit */
};

px_part *px_add(px_chain *chain, uint8_t type);               /* at the end; never NULL */
px_part *px_insert(px_chain *chain, size_t at, uint8_t type); /* before the at-th; never NULL */
void px_remove(px_chain *chain, size_t at);
void px_swap(px_chain *chain, size_t a, size_t b);
/* The nth part of a type (0 the first; -1 the last), or NULL; its place in *at, which may be NULL. */
px_part *px_find(const px_chain *chain, uint8_t type, int nth, size_t *at);
size_t px_count(const px_chain *chain, uint8_t type);
/* The IDR of a role, nth of them, or NULL. */
px_part *px_find_id(const px_chain *chain, uint8_t role, int nth);
px_chain *px_within(px_part *part); /* its inside, made if there is none; NULL: no memory */
uint8_t px_first_type(const px_chain *chain);
ibk_err px_chain_encode(const px_chain *chain, px_octets *out);
void px_chain_free(px_chain *chain);

/* How somebody errs in the MAC of V. */
typedef enum px_mac_fault {
    PX_MAC_RIGHT = 0,
    PX_MAC_HASH,      /* HMAC-SHA-1-160 is HMAC-SHA-256, cut */
    PX_MAC_SHORT_KEY, /* the key of HMAC-SHA-256-256 has 160 bits */
    PX_MAC_HEADLESS   /* the header is not covered */
} px_mac_fault;

/* … and in the encryption of KEMAC. */
typedef enum px_kemac_fault {
    PX_KEMAC_RIGHT = 0,
    PX_KEMAC_NO_CSB,    /* the IV of AES-CM has no CSB ID */
    PX_KEMAC_LEFT,      /* in it the CSB ID stands at the left edge */
    PX_KEMAC_PADDED,    /* T of 32 bits is padded on the other side */
    PX_KEMAC_SHORT_KEY, /* AES-CM-256 is AES-CM-128 */
    PX_KEMAC_DEFAULT_IV /* AES key wrap has the initial value of RFC 3394 */
} px_kemac_fault;

/* Where the keys of V and KEMAC come from; each number can be bent. */
typedef struct px_recipe {
    px_octets secret; /* K_SESSION, or, if direct, PSK or envelope key */
    bool direct;
    uint8_t prf;
    px_octets rand;
    uint32_t csb_id;
    uint32_t mpk_constant, mpk_csb_id, auth_constant, encr_constant, salt_constant;
    uint8_t mpk_cs_id, cs_id;
    size_t mpk_len;
    px_prf_fault prf_fault;
    px_mac_fault mac_fault;
    px_kemac_fault kemac_fault;
} px_recipe;

typedef struct px_draft {
    px_kind kind;
    uint8_t version, data_type, v_prf, n_cs, map_type;
    int next; /* as of a part */
    uint32_t csb_id;
    px_octets map;
    px_chain chain;
    px_recipe recipe;
    px_octets covered;             /* the identities that follow the message under V or SIGN */
    uint8_t flip;                  /* XORed into the last octet of MAC or signature */
    uint8_t encryption, kemac_mac; /* of KEMAC */
} px_draft;

px_draft *px_draft_new(px_kind kind); /* NULL: no memory */
void px_draft_free(px_draft *d);
ibk_err px_draft_encode(const px_draft *d, px_octets *out); /* parts as they are: sealed, without MAC */

/* Bodies of payloads. */
void px_idr(px_octets *body, uint8_t role, peer_id id);
bool px_idr_read(const px_part *part, uint8_t *role, peer_id *id);
ibk_span px_id_data(const px_part *part); /* of an IDR; empty where it is none */

#endif
