/* What the files of craft share; nobody else includes it. */
#ifndef SIM_ADVERSARY_CRAFT_INTERNAL_H
#define SIM_ADVERSARY_CRAFT_INTERNAL_H

#include "adversary/craft.h"

enum { SIDE_I = 0, SIDE_R, SIDES };

/* A session of its own, and what its node callbacks need. */
struct craft_leg {
    craft_leg *next;
    craft *craft;
    char *call;
    ibk_session *session;
    ibk_span ciphertext;             /* the IBAKE that is being read: tells which of several keys is meant */
    const scn_domain *parameters_of; /* encrypt with these parameters; NULL: the peer's */
    ibk_timestamps timestamps;
    ibk_replay_cache *replay;
    const uint8_t
        *generator; /* x and y are drawn as the one in whose name it speaks draws them; NULL: at random */
    uint32_t csb_id, drawn; /* for the generator */
};

#define EXCHANGE_MESSAGES 4

/* One message that was replaced: what came, and what went on. */
typedef struct craft_swap {
    ibk_buf in, out;
} craft_swap;

typedef struct craft_call {
    struct craft_call *next;
    char *id;
    /* re-encrypt: what the messages of the call gave away, and its own values */
    ibk_ec_key own[SIDES];    /* own[SIDE_I]: in the place of [x]P. curve 0: none yet */
    ibk_ec_point seen[SIDES]; /* genuine points; curve 0: unknown */
    ibk_buf planted[SIDES];   /* what stood last in their place */
    ibk_buf rand;             /* RAND of the exchange */
    uint8_t prf;
    /* impersonate */
    craft_leg *leg[SIDES]; /* leg[SIDE_I]: towards the initiator */
    ibk_buf i_message_1;   /* of the initiator: answered once the responder's map is known */
    ibk_buf ready[SIDES];  /* the next message of leg[SIDE_…], made while its peer's was read */
    craft_swap swaps[EXCHANGE_MESSAGES];
} craft_call;

struct craft {
    craft_config config;
    craft_call *calls;
    craft_leg *legs;
    ibk_ec_key spare; /* of forged messages; curve 0: none yet */
    /* the last one that was encrypted to: who floods writes to one victim again and again */
    ibk_ibe_peer *peer;
    const ibk_ibe_params *peer_params;
    ibk_buf peer_identity;
};

/* craft.c */
craft_call *craft_call_of(craft *c, const char *id); /* made if there is none; NULL: out of memory */
ibk_err craft_leg_new(craft_leg **out, craft *c, const char *call, const ibk_session_config *config,
                      const scn_domain *parameters_of);
/* Does `id` belong to somebody whose private key for it opens `ciphertext`? `t`: of the message. The
 * plaintext is appended. IBK_ERR_NO_KEY: there is no key at all; else what the last key said. */
ibk_err craft_open(craft *c, ibk_span id, const ibk_t *t, ibk_span ciphertext, ibk_buf *plain);
/* Encrypts to `id` at the date of `t`; appended. */
ibk_err craft_seal(craft *c, ibk_span id, const scn_domain *of, const ibk_t *t, ibk_span plain, ibk_buf *out);
ibk_err craft_t_utc(const craft *c, const ibk_t *t, int64_t *utc_ns);
void craft_charge(const craft *c, ibk_work what, unsigned size);
unsigned craft_curve_bits(uint8_t curve);
/* Whom a message of this type is encrypted to: its outer IDRr or IDRi. NULL: it names nobody. */
const ibk_payload *craft_recipient(const ibk_msg *msg);

/* craft_content.c: what stands inside IBAKE, also what libibake would not write. */
typedef struct craft_content {
    ibk_identity idi, idr; /* empty id: left out */
    uint8_t curve_i, curve_r;
    ibk_buf point_i, point_r; /* SEC 1 octets, of whatever kind; empty: left out */
    ibk_buf mki;              /* KV type 1 of both; empty: none */
    bool responder_first;     /* IDRr || ECCPTr || IDRi: an update by the responder (P-30) */
} craft_content;

void craft_content_free(craft_content *content);
/* The identities are borrowed from `chain`, the points copied. Content of any well-formed shape. */
ibk_err craft_content_read(craft_content *out, ibk_chain *chain, ibk_span plain, ibk_diag *diag);
ibk_err craft_content_write(ibk_buf *out, const craft_content *content);

#endif
