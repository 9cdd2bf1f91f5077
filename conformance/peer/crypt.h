/* HMAC, hashes, AES and the key derivation of RFC 3830 §4.1, from OpenSSL's primitives alone. */
#ifndef CONFORMANCE_PEER_CRYPT_H
#define CONFORMANCE_PEER_CRYPT_H

#include "peer/octets.h"

enum { PX_PRF_MIKEY_1 = 0, PX_PRF_SHA_256 = 1 };
enum { PX_MAC_NULL = 0, PX_MAC_SHA_1 = 1, PX_MAC_SHA_256 = 2 };
enum { PX_ENC_NULL = 0, PX_ENC_CM_128 = 1, PX_ENC_KW_128 = 2, PX_ENC_CM_256 = 3 };

/* Constants of labels: RFC 3830 §4.1.3, §4.1.4 and RFC 6267 §5.1. */
enum {
    PX_LABEL_TEK = 0x2AD01C64,
    PX_LABEL_TEK_SALT = 0x39A2C14B,
    PX_LABEL_ENCR = 0x150533E1,
    PX_LABEL_AUTH = 0x2D22AC75,
    PX_LABEL_SALT = 0x29B88916,
    PX_LABEL_MPK = 0x220E99A2,
    PX_LABEL_TGK = 0x1F4D675B
};

#define PX_MAC_LEN_MAX 32
size_t px_mac_len(uint8_t mac); /* octets of MAC and key; 0 for NULL; SIZE_MAX for an unknown number */
ibk_err px_hmac(uint8_t mac, ibk_span key, ibk_span data, uint8_t *out);
ibk_err px_digest(const char *name, ibk_span data, uint8_t *out); /* "SHA1", "SHA256" */

/* How somebody errs who has read RFC 3830 §4.1.2 wrongly. */
typedef enum px_prf_fault {
    PX_PRF_RIGHT = 0,
    PX_PRF_WHOLE,  /* the input key is not split */
    PX_PRF_SPLIT,  /* it is split into blocks of 160 bits */
    PX_PRF_CHAIN,  /* A_(i+1) is made of A_i || label */
    PX_PRF_OUTPUT, /* 160 bits of each HMAC are used, of HMAC-SHA-256 too */
} px_prf_fault;

/* What a label is made of: constant || cs_id || csb_id || RAND. */
typedef struct px_label {
    uint32_t constant;
    uint8_t cs_id;
    uint32_t csb_id;
    ibk_span rand;
    px_prf_fault fault; /* of the PRF that it is for */
} px_label;

/* RFC 3830 §4.1.2, with HMAC-SHA-1 or (RFC 6043 §6.1) HMAC-SHA-256. */
ibk_err px_derive(uint8_t prf, ibk_span inkey, px_label label, uint8_t *out, size_t len);

/* AES-CM in either direction (RFC 3830 §4.2.3); key of 16 or 32 octets, iv of 16; data are changed in place.
 */
ibk_err px_aes_cm(ibk_span key, const uint8_t iv[16], ibk_buf *data);
/* RFC 3394 with an initial value of our own, 8 octets; appends. IBK_ERR_DECRYPT where the value does not come
 * out. */
ibk_err px_aes_wrap(bool wrap, ibk_span key, const uint8_t iv[8], ibk_span data, ibk_buf *out);

/* Repeatable randomness: what is drawn for one label never depends on draws for another. */
typedef struct px_random {
    uint8_t key[32];
    uint64_t drawn[16];
} px_random;
ibk_err px_random_seed(px_random *r, ibk_span seed);
ibk_err px_random_draw(px_random *r, unsigned label, uint8_t *out, size_t len); /* label: below 16 */

#endif
