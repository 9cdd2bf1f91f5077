/* What the files of the peer share. */
#ifndef CONFORMANCE_PEER_INTERNAL_H
#define CONFORMANCE_PEER_INTERNAL_H

#include "peer/curve.h"
#include "peer/draft.h"
#include "peer/map.h"
#include "peer/read.h"

#define PX_FINDINGS_MAX 64
#define PX_KEYS_MAX     64

typedef struct px_knob px_knob;

/* An identity that is kept. */
typedef struct px_name {
    uint8_t type;
    px_octets data;
} px_name;

peer_id px_id_of(const px_name *name);
ibk_err px_name_set(px_name *name, peer_id id);
bool px_name_is(const px_name *name, peer_id id);

typedef struct px_private {
    px_octets identity, der;
} px_private;

struct peer {
    peer_config c;
    peer_result result;
    px_random random;
    ibk_env env;
    const px_knob *knob; /* NULL: none */
    px_kind knob_kind;

    peer_finding findings[PX_FINDINGS_MAX];
    size_t n_findings;
    px_kind judging; /* of what findings are noted about */

    /* the header of the exchange, as its first message has it; the map as the last message has it */
    uint8_t prf, n_cs, map_type;
    uint32_t csb_id;
    px_octets map, rand;
    px_name idi, idr, called; /* idr: who answered; called: IDRr of I_MESSAGE_1 */
    px_chain offer;           /* SP and General Extensions, which R_MESSAGE_2 repeats (P-14) */
    px_chain update_offer;    /* the SP of an update, which its answer repeats (P-33) */
    px_octets t, t_before;    /* body of the T that an answer has to repeat; the one before */
    px_octets t_used[8];      /* of the other side */
    size_t n_t_used;
    uint64_t newest; /* the newest T of the session (P-34) */
    uint32_t counter;

    uint8_t curve;
    px_octets scalar, own, theirs; /* our scalar and points, uncompressed */
    px_octets own_before;          /* our point of the round before */
    px_octets known_points[8];     /* of the other side, of this and earlier rounds */
    size_t n_known;
    px_octets initial, session; /* K_SESSION of the initial exchange, and the one in force */
    px_octets next_session;     /* of an update that is under way */
    px_octets mki;
    bool new_dh;
    px_octets sk, esk;

    /* key requests */
    px_octets envelope;
    px_private private_keys[PX_KEYS_MAX];
    size_t n_private;
    px_octets asked[16]; /* KMS: IDRi/r of the request, bodies; V covers their data */
    size_t n_asked;
    px_octets kms_data; /* ID data of IDRkms in the request */
};

#define PX_TRY(call)                                                                                         \
    do {                                                                                                     \
        ibk_err px_try_err = (call);                                                                         \
        if (px_try_err)                                                                                      \
            return px_try_err;                                                                               \
    } while (0)

bool px_initiates(const peer *p);

/* ---- identities, time, IBE: names.c, stamp.c, seal.c ---- */

const peer_domain *px_domain_of(const peer *p, ibk_span id_data); /* NULL: nobody's */
/* ID data || date (P-9) at a time in seconds since 1970; appended. */
void px_ibe_identity(px_octets *out, ibk_span id_data, const peer_domain *domain, uint64_t seconds);

/* A T body of our own, newer than all of before. */
/* CSB ID and RAND are drawn, the PRF is the configured one: of an I_MESSAGE_1 and of a key request. */
ibk_err px_begin_bundle(peer *p);
ibk_err px_stamp_new(peer *p, px_octets *body);
/* The moment of a T body: seconds since 1970 << 32 | fraction; a COUNTER its value. False: not one of the
 * four types. */
bool px_stamp_read(const px_octets *body, uint64_t *stamp);
/* The seconds since 1970 that the date of IBE identities comes from: of T, with a COUNTER of our clock. */
uint64_t px_stamp_seconds(const peer *p, const px_octets *body);
/* T as the 64 bits of an IV (RFC 3830 §6.6, RFC 6043 §6.3); `turned`: 32 bits are padded on the wrong side.
 */
void px_stamp_64(const px_octets *body, uint8_t out[8], bool turned);

ibk_err px_draw_octets(peer *p, ibk_draw_label label, uint8_t *out, size_t len);
ibk_err px_fresh_point(peer *p, ibk_draw_label label, uint8_t curve); /* scalar and own */

/* Makes a draft into octets: bends it, seals, signs. Takes the draft. */
ibk_err px_send(peer *p, px_draft *d, ibk_buf *out);
ibk_err px_seal_part(peer *p, px_draft *d, px_part *part);
/* The content of an IBE payload with the key of an IBE identity of ours; IBK_OK, or the reason. */
ibk_err px_open(peer *p, const px_part *part, const peer_domain *domain, ibk_span identity, px_octets *out);
/* What V covers: the message up to the MAC, of which the first octets are its header, and the identities. */
typedef struct px_covered {
    ibk_span message;
    size_t header;
    ibk_span identities;
} px_covered;
/* The MAC of V by the recipe; px_mac_len(algorithm) octets of PX_MAC_LEN_MAX count. */
ibk_err px_mac(const px_recipe *recipe, uint8_t algorithm, px_covered over, uint8_t *mac);
/* KEMAC's data under the keys of the recipe, in place: encrypt or decrypt. IBK_ERR_UNSUPPORTED,
 * IBK_ERR_DECRYPT. */
ibk_err px_kemac_crypt(const px_recipe *recipe, bool encrypt, uint8_t algorithm, const px_octets *t,
                       px_octets *data);
size_t px_header_len(const px_draft *d);
/* Where the MAC (or signature) of a message with V (or SIGN) last begins. */
size_t px_mac_offset(const px_draft *d, uint8_t type);

/* ---- making: exchange.c, request.c ---- */

px_draft *px_draft_begin(peer *p, px_kind kind); /* with the header of the exchange */
void px_recipe_session(const peer *p, px_recipe *recipe, const px_octets *k_session);
void px_recipe_direct(const peer *p, px_recipe *recipe, ibk_span secret);
void px_cover(px_draft *d, ibk_span id_data);
ibk_err px_make_i1(peer *p, ibk_buf *out);
ibk_err px_make_r1(peer *p, ibk_buf *out);
ibk_err px_make_i2(peer *p, ibk_buf *out);
ibk_err px_make_r2(peer *p, ibk_buf *out);
ibk_err px_make_u1(peer *p, const peer_change *change, ibk_buf *out);
ibk_err px_make_u2(peer *p, ibk_buf *out);
ibk_err px_make_request(peer *p, ibk_buf *out);
ibk_err px_make_response(peer *p, ibk_buf *out);
ibk_span px_answer_secret(const peer *p);        /* the envelope key, or the PSK */
ibk_err px_agree(peer *p, px_octets *k_session); /* [xy]P of scalar and theirs */
uint8_t px_mac_of(const peer *p);
void px_put_policies(px_chain *chain, const peer_sp *policies, size_t n);

/* ---- judging: judge.c and those beside it ---- */

typedef enum px_rule {
    PX_RULE_PARSE,
    PX_RULE_HDR,
    PX_RULE_T,
    PX_RULE_FLAG,
    PX_RULE_IDS,
    PX_RULE_INNER, /* content of IBAKE */
    PX_RULE_TO,    /* whom IBAKE is encrypted to */
    PX_RULE_MAC,
    PX_RULES
} px_rule;
const char *px_rule_of(px_kind kind, px_rule rule); /* a requirement's ID */

void px_finding(peer *p, const char *requirement, const char *text);
void px_finding_should(peer *p, const char *requirement, const char *text);
void px_finding_of(peer *p, px_rule rule, const char *text);
px_reader px_reader_of(peer *p);

/* Each judges a message that was taken apart, keeps what it brings, and tells whether one can go on. */
typedef struct px_received {
    const px_draft *d;
    ibk_span octets;
} px_received;
void px_judge_header(peer *p, const px_draft *d);
void px_judge_parts(peer *p, const px_draft *d);
void px_judge_time(peer *p, const px_draft *d);
void px_judge_map(peer *p, const px_draft *d);
bool px_judge_v(peer *p, px_received m, const px_recipe *recipe, const px_octets *covered);
/* Whether the V that the message has is made so. */
bool px_v_verifies(px_received m, const px_recipe *recipe, const px_octets *covered);
bool px_judge_i1(peer *p, px_received m, ibk_err *err);
bool px_judge_r1(peer *p, px_received m, ibk_err *err);
bool px_judge_i2(peer *p, px_received m, ibk_err *err);
bool px_judge_r2(peer *p, px_received m, ibk_err *err);
bool px_judge_u1(peer *p, px_received m, ibk_err *err);
bool px_judge_u2(peer *p, px_received m, ibk_err *err);
/* SIGN, by the CERT of the message; `bare`: as px_rsa_is_bare has it. */
bool px_sign_verifies(px_received m, const px_octets *covered, bool bare);
/* Whether KEMAC's decrypted content is a chain of payloads. */
bool px_kemac_reads(uint8_t algorithm, ibk_span plain);
bool px_judge_request(peer *p, px_received m, ibk_err *err);
bool px_judge_response(peer *p, px_received m, ibk_err *err);

/* ---- which mistake explains what is wrong: explain.c. A finding for it, or nothing ---- */

void px_explain_v(peer *p, px_received m, const px_recipe *recipe, const px_octets *covered);
/* SIGN of a key request that does not verify. */
void px_explain_sign(peer *p, px_received m, const px_octets *covered);
/* KEMAC whose content cannot be read. */
void px_explain_kemac(peer *p, px_received m);
/* The content of IBAKE: are its points padded by another rule? */
void px_explain_padding(peer *p, ibk_span content);
/* A T out of date; `skew` in seconds. */
void px_explain_time(peer *p, const px_part *t, int64_t skew);
/* An IBE payload that does not open with the key of the ID data at a date. False: nothing explains it. */
bool px_explain_sealed(peer *p, const px_part *part, const px_name *own);
/* HashBytes (RFC 5091 §4.2.1), and how somebody has it who errs. */
typedef enum px_hash_fault { PX_HASH_RIGHT = 0, PX_HASH_REPEATED, PX_HASH_KEY_FIRST } px_hash_fault;
ibk_err px_hash_bytes(px_hash_fault fault, ibk_ibe_hash hash, ibk_span p, uint8_t *out, size_t len);

/* How somebody derives TEKs from K_SESSION who errs: what is not 0 differs from the right way. */
typedef struct px_tek_recipe {
    const char *requirement, *text; /* of the mistake */
    uint32_t tgk_constant, tek_constant;
    size_t tgk_len;
    uint8_t cs_id_less;              /* what is taken away from the CS ID */
    bool tgk_csb_own, tek_csb_none;  /* the CSB ID of the exchange for the TGK; 0xFFFFFFFF for TEKs */
    bool tgk_csb_zero, tgk_cs_zero;  /* CSB ID, CS ID of the TGK are 0 */
    bool tek_cs_none;                /* 0xFF in place of the CS ID */
    bool direct, no_rand, other_prf; /* direct: TEKs from K_SESSION; no_rand: in the labels of TEKs */
    px_prf_fault fault;
} px_tek_recipe;

/* peer_keys, by such a recipe. */
size_t px_keys(const peer *p, const px_tek_recipe *recipe, peer_cs_keys *keys, size_t max);

/* ---- rsa.c ---- */

ibk_err px_rsa_sign(ibk_span private_key, bool pss, ibk_span text, px_octets *signature);
ibk_err px_rsa_sign_bare(ibk_span private_key, ibk_span text, px_octets *signature); /* as the next has it */
/* Is it a signature by RSASSA-PKCS1-v1_5 of the digest alone, without the name of its hash? */
bool px_rsa_is_bare(ibk_span certificate, ibk_span text, ibk_span signature);
bool px_rsa_verify(ibk_span certificate, bool pss, ibk_span text, ibk_span signature);
ibk_err px_rsa_encrypt(ibk_span certificate, peer_envelope scheme, ibk_span secret, px_octets *out);
bool px_rsa_decrypt(ibk_span private_key, peer_envelope scheme, ibk_span data, px_octets *secret);
size_t px_rsa_len(ibk_span private_key); /* octets of a signature; 0: no RSA key */

#endif
