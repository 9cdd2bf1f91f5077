/* ibakelab: RFC 5091 Boneh-Franklin identity-based encryption on type-1 curves, y^2 = x^3 + 1 over F_p.
 *
 * p = 12 r q - 1 is prime, q is a Solinas prime 2^a +- 2^b +- 1. An identity is a string of octets (P-9 says
 * which). All objects are immutable once created and may be shared by threads; params are counted by
 * reference, keys and peers hold a reference to theirs. Tables for speed are built when first needed, without
 * locks.
 *
 * Side channels: whatever touches S_id, s or l runs in a sequence of operations and memory addresses that
 * does not depend on them; public data (identities, ciphertexts, parameters) may take variable time. */
#ifndef IBAKE_IBE_H
#define IBAKE_IBE_H

#include <ibake/defences.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the five sizes (RFC 5091 §5.1.2) ---------------------------------------------------------- */

typedef enum ibk_ibe_hash {
    IBK_IBE_SHA1 = 1,
    IBK_IBE_SHA224,
    IBK_IBE_SHA256,
    IBK_IBE_SHA384,
    IBK_IBE_SHA512
} ibk_ibe_hash;

#define IBK_IBE_HASH_MAX      64   /* octets of the longest hash */
#define IBK_IBE_FIELD_MAX     960  /* octets of the longest p (7680 bits) */
#define IBK_IBE_IDENTITY_MAX  4096 /* octets of an identity that we accept */
#define IBK_IBE_PLAINTEXT_MAX ((size_t)1 << 20)

size_t ibk_ibe_hash_len(ibk_ibe_hash hash);       /* octets; 0 for an unknown value */
const char *ibk_ibe_hash_name(ibk_ibe_hash hash); /* "SHA-256"; "?" for an unknown value */

typedef struct ibk_ibe_size {
    unsigned n;              /* 1024, 2048, 3072, 7680, 15360 */
    unsigned p_bits, q_bits; /* exact bit lengths */
    unsigned strength;       /* 80, 112, 128, 192, 256 */
    ibk_ibe_hash hash;
} ibk_ibe_size;

#define IBK_IBE_SIZES 5
const ibk_ibe_size *ibk_ibe_size_at(size_t index); /* ascending; NULL from IBK_IBE_SIZES on */
const ibk_ibe_size *ibk_ibe_size_of(unsigned n);   /* NULL if n is none of the five */

/* ---- parameters and the master secret ------------------------------------------------------------ */

typedef struct ibk_ibe_params ibk_ibe_params; /* p, q, P, P_pub, hash */
typedef struct ibk_ibe_master ibk_ibe_master; /* s; wiped when freed */

/* A long search reports how many candidates for p it has tested so far; may be NULL in setup. */
typedef void ibk_ibe_progress(void *user, unsigned long tested);

/* BFsetup1: random q among the Solinas primes of the size, random p, P, s. Draws IBK_DRAW_PARAMS (q, p, P)
 * and IBK_DRAW_MASTER (s) from env: the same draws give the same parameters. Takes milliseconds for n = 1024,
 * seconds for 7680, a minute for 15360. IBK_ERR_UNSUPPORTED for another n. Both results are owned by the
 * caller. */
ibk_err ibk_ibe_setup(const ibk_env *env, unsigned n, ibk_ibe_params **params, ibk_ibe_master **master,
                      ibk_ibe_progress *progress, void *user);

/* Strict DER BFPublicParameters. Refused unless the sizes and the hash are those of RFC 5091, q is a Solinas
 * prime, p = 12 r q - 1 is prime, P and P_pub are on the curve and of order q, and P_pub is not P (s is in
 * 2 … q-1). The primality test dominates the time; it is left out when `known` (may be NULL) is a parameter
 * set with the same p and q. */
ibk_err ibk_ibe_params_parse(ibk_ibe_params **params, ibk_span der, const ibk_ibe_params *known,
                             ibk_diag *diag);
/* The same for an end that lacks some defences (ibake/defences.h; laboratories and tests alone): they are
 * lacking in whatever is done with this set. Without IBK_DEFENCE_PARAMETERS_CHECK every set goes that has the
 * form q = 2^a +- 2^b +- 1, p = 12 r q - 1, which is what the arithmetic here is made for, and coordinates
 * below p. */
ibk_err ibk_ibe_params_parse_without(ibk_ibe_params **params, ibk_span der, const ibk_ibe_params *known,
                                     uint32_t without, ibk_diag *diag);
ibk_err ibk_ibe_params_encode(const ibk_ibe_params *params, ibk_buf *out); /* appends */
ibk_ibe_params *ibk_ibe_params_ref(ibk_ibe_params *params);                /* one more owner; returns it */
void ibk_ibe_params_free(ibk_ibe_params *params);                          /* one owner less */
bool ibk_ibe_params_equal(const ibk_ibe_params *a, const ibk_ibe_params *b);
/* Builds the tables that encryption uses, which are otherwise built by the first encryption. Optional. */
ibk_err ibk_ibe_params_prepare(const ibk_ibe_params *params);

unsigned ibk_ibe_params_n(const ibk_ibe_params *params);
unsigned ibk_ibe_params_p_bits(const ibk_ibe_params *params);
unsigned ibk_ibe_params_q_bits(const ibk_ibe_params *params);
unsigned ibk_ibe_params_strength(const ibk_ibe_params *params);
ibk_ibe_hash ibk_ibe_params_hash(const ibk_ibe_params *params);
size_t
ibk_ibe_params_field_len(const ibk_ibe_params *params); /* octets of p: half of an encoded point or of GT */

/* Strict DER BFMasterSecret. `params` give the range 2 … q-1; IBK_ERR_BAD_SCALAR outside it. */
ibk_err ibk_ibe_master_parse(ibk_ibe_master **master, const ibk_ibe_params *params, ibk_span der,
                             ibk_diag *diag);
ibk_err ibk_ibe_master_encode(const ibk_ibe_master *master, ibk_buf *out); /* appends */
void ibk_ibe_master_free(ibk_ibe_master *master);
/* IBK_OK if P_pub = [s]P, else IBK_ERR_BAD_PARAMS. Constant time in s. */
ibk_err ibk_ibe_master_check(const ibk_ibe_params *params, const ibk_ibe_master *master);

/* ---- private keys ------------------------------------------------------------------------------- */

typedef struct ibk_ibe_key ibk_ibe_key; /* S_id with its precomputed pairing lines; wiped when freed */

/* BFextractPriv: S_id = [s]Q_id. Constant time in s. */
ibk_err ibk_ibe_extract(const ibk_ibe_params *params, const ibk_ibe_master *master, ibk_span identity,
                        ibk_ibe_key **key);
/* Strict DER BFPrivateKeyBlock; the point has to be on the curve and of order q. Whether it belongs to an
 * identity is what ibk_ibe_key_verify tells. */
ibk_err ibk_ibe_key_parse(ibk_ibe_key **key, const ibk_ibe_params *params, ibk_span der, ibk_diag *diag);
ibk_err ibk_ibe_key_encode(const ibk_ibe_key *key, ibk_buf *out); /* appends */
void ibk_ibe_key_free(ibk_ibe_key *key);
/* IBK_OK if e(P, S_id) = e(P_pub, Q_id), else IBK_ERR_MISMATCH. IBK_OK for every key under parameters without
 * IBK_DEFENCE_KEY_VERIFICATION. */
ibk_err ibk_ibe_key_verify(const ibk_ibe_params *params, const ibk_ibe_key *key, ibk_span identity);

/* ---- encryption and decryption ------------------------------------------------------------------- */

/* BFencrypt for an identity: appends DER BFCiphertextBlock (P-1, P-2) to out. Draws rho once, IBK_DRAW_RHO,
 * ibk_ibe_hash_len octets (again only in the event, of probability 1/q, that l = 0). */
ibk_err ibk_ibe_encrypt(const ibk_env *env, const ibk_ibe_params *params, ibk_span identity,
                        ibk_span plaintext, ibk_buf *out);

/* An identity that is written to more than once: theta = e(P_pub, Q_id) is computed once. */
typedef struct ibk_ibe_peer ibk_ibe_peer;
ibk_err ibk_ibe_peer_new(ibk_ibe_peer **peer, const ibk_ibe_params *params, ibk_span identity);
void ibk_ibe_peer_free(ibk_ibe_peer *peer);
/* As ibk_ibe_encrypt: the same draw gives the same ciphertext. */
ibk_err ibk_ibe_peer_encrypt(const ibk_env *env, const ibk_ibe_peer *peer, ibk_span plaintext, ibk_buf *out);

/* BFdecrypt: appends the plaintext to `plaintext`. IBK_ERR_DER… for another encoding, IBK_ERR_NOT_ON_CURVE or
 * IBK_ERR_BAD_ORDER for an impossible U, IBK_ERR_DECRYPT when U differs from [l]P; then nothing is appended.
 */
ibk_err ibk_ibe_decrypt(const ibk_ibe_params *params, const ibk_ibe_key *key, ibk_span ciphertext,
                        ibk_buf *plaintext, ibk_diag *diag);

/* The parts of a BFCiphertextBlock as they stand in the DER: the magnitudes of U's coordinates without
 * leading zeros (empty for 0), V and W. All are borrowed from the input. */
typedef struct ibk_ibe_ciphertext {
    ibk_span ux, uy, v, w;
    size_t u_offset, v_offset, w_offset; /* of u's SEQUENCE and of v's and w's contents, in the DER */
} ibk_ibe_ciphertext;
/* Checks the DER alone, not the point; coordinates of at most IBK_IBE_FIELD_MAX, V of at most
 * IBK_IBE_HASH_MAX octets. */
ibk_err ibk_ibe_ciphertext_parse(ibk_ibe_ciphertext *ct, ibk_span der, ibk_diag *diag);
ibk_err ibk_ibe_ciphertext_encode(const ibk_ibe_ciphertext *ct,
                                  ibk_buf *out); /* appends; leading zeros are dropped */

/* ---- the primitives, for test vectors, conformance cases and independent checks ------------------- */

/* hashfcn(data), ibk_ibe_hash_len(hash) octets. */
ibk_err ibk_ibe_digest(ibk_ibe_hash hash, ibk_span data, uint8_t *out);
/* §4.1.1 HashToRange: out is an integer in [0, n), big-endian, n.len octets; n big-endian and not zero. */
ibk_err ibk_ibe_hash_to_range(ibk_ibe_hash hash, ibk_span s, ibk_span n, uint8_t *out);
/* §4.2.1 HashBytes. */
ibk_err ibk_ibe_hash_bytes(ibk_ibe_hash hash, ibk_span p, uint8_t *out, size_t len);

/* Points are x || y, elements of F_p^2 are a || b for a + b i: two big-endian integers of
 * ibk_ibe_params_field_len octets, which is Canonical with order 0 (§4.3.2, profile §4 item 6). Integers not
 * below p are IBK_ERR_BAD_VALUE. */
ibk_err ibk_ibe_canonical(const ibk_ibe_params *params, unsigned order, const uint8_t *value, uint8_t *out);
/* §4.4.2 HashToPoint1, which is BFderivePubl: Q_id. */
ibk_err ibk_ibe_hash_to_point(const ibk_ibe_params *params, ibk_span identity, uint8_t *out);
/* §4.5.2 Pairing1: e'(A, B) for points on the curve, A of order q. B of another order is allowed: then e'(A,
 * B) is that of its part of order q. */
ibk_err ibk_ibe_pairing(const ibk_ibe_params *params, const uint8_t *a, const uint8_t *b, uint8_t *out);
/* theta^k in F_p^2 for theta of norm 1; k big-endian, at most q's length in octets. Constant time in k. */
ibk_err ibk_ibe_gt_exp(const ibk_ibe_params *params, const uint8_t *theta, ibk_span k, uint8_t *out);
/* [k]P by the comb; k big-endian, at most q's length in octets. IBK_ERR_INFINITY for k = 0 mod q. Constant
 * time. */
ibk_err ibk_ibe_base_mul(const ibk_ibe_params *params, ibk_span k, uint8_t *out);
/* [k]A for any A on the curve; k of any length up to IBK_IBE_FIELD_MAX. Variable time: public data only. */
ibk_err ibk_ibe_point_mul(const ibk_ibe_params *params, const uint8_t *a, ibk_span k, uint8_t *out);
/* IBK_OK, IBK_ERR_BAD_VALUE, IBK_ERR_NOT_ON_CURVE or IBK_ERR_BAD_ORDER. */
ibk_err ibk_ibe_point_check(const ibk_ibe_params *params, const uint8_t *point);

/* p, q, P, P_pub, S_id as octets: p and coordinates of field_len, q of its own length. For reports and other
 * programs. */
ibk_err ibk_ibe_params_p(const ibk_ibe_params *params, ibk_buf *out);
ibk_err ibk_ibe_params_q(const ibk_ibe_params *params, ibk_buf *out);
ibk_err ibk_ibe_params_generator(const ibk_ibe_params *params, uint8_t *point);
ibk_err ibk_ibe_params_public(const ibk_ibe_params *params, uint8_t *point);
ibk_err ibk_ibe_key_point(const ibk_ibe_key *key, uint8_t *point);

#ifdef __cplusplus
}
#endif
#endif
