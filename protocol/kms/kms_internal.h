/* The inside of the key request and the KMS. */
#ifndef KMS_KMS_INTERNAL_H
#define KMS_KMS_INTERNAL_H

#include <ibake/kms.h>

#define REQUEST_RAND_LEN 16 /* RFC 3830 §6.11 */
#define NO_ERROR_NO      (-1)

/* A list of identities that V covers and both messages carry: the users in order, then the KMS (P-8). */
typedef struct parties {
    ibk_identity users[IBK_KMS_MAX_USERS];
    uint8_t roles[IBK_KMS_MAX_USERS]; /* IDRi or IDRr, as asked: the answer repeats it */
    size_t n_users;
    ibk_identity kms, psk; /* psk: empty id if there is no IDRpsk */
} parties;

/* IDRi/r, IDRkms and IDRpsk of a message; borrowed from it. MISSING_PAYLOAD, UNEXPECTED_PAYLOAD, LIMIT.
 * `request`: at least one user and IDRkms have to be there. */
ibk_err parties_read(parties *out, const ibk_msg *msg, bool request, ibk_diag *diag);
/* ids[0..n) as V covers them; room for IBK_KMS_MAX_USERS + 1. */
size_t parties_covered(const parties *p, ibk_span *ids);
void parties_add_users(const parties *p, ibk_msg *msg);
void parties_add_kms(const parties *p, ibk_msg *msg);

/* The frame that all messages of this exchange have in common (§4.2.1.1, §6.1). */
ibk_hdr request_hdr(uint8_t data_type, uint8_t prf, uint32_t csb_id, bool v_flag);
uint8_t mac_that_fits(uint8_t prf);
bool mac_acceptable(uint8_t mac_alg);
/* A record of the key log, if there is one. */
void log_key(const ibk_env *env, ibk_keylog_kind kind, uint32_t csb_id, ibk_span id, ibk_span value);

/* Reports a costly operation, if anybody wants to know. */
void report_work(const ibk_env *env, ibk_work what, unsigned size);

/* A request as the KMS reads it. Borrowed from the message. */
typedef struct key_request {
    const ibk_msg *msg;
    parties who;
    ibk_t t;
    ibk_span rand;
    uint8_t mac_alg;         /* of V in the answer */
    const ibk_payload *last; /* V or SIGN */
    bool kemac_cm;           /* a KEMAC under AES-CM: its key stream must not serve twice */
    /* REQUEST_KEY_PKE alone */
    const ibk_payload *pke, *chash; /* chash: NULL if there is none */
    ibk_span chain[IBK_PKE_MAX_CERTIFICATES];
    size_t n_chain;
} key_request;

/* frame.c: what both requests have: header, T, RAND, identities and the payload that has to be the last, of
 * type `last`. *error_no: what an Error message would say. */
ibk_err request_read(key_request *out, const ibk_msg *msg, uint8_t last, int *error_no, ibk_diag *diag);
/* The one payload of a type that there has to be. Does nothing if *err. */
const ibk_payload *request_only(const ibk_msg *msg, uint8_t type, ibk_err *err, ibk_diag *diag);

/* request_key_psk.c */
ibk_err request_key_psk_write(ibk_buf *out, const ibk_hdr *hdr, const parties *who, const ibk_t *t,
                              ibk_span rand, ibk_span psk, uint8_t mac_alg);
/* All that can be said without the PSK. */
ibk_err request_key_psk_read(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag);

/* request_key_pke.c */
typedef struct pke_parts { /* what a REQUEST_KEY_PKE is made of beside the common parts */
    const ibk_span *chain;
    size_t n_chain;
    ibk_span private_key;
    uint8_t sig_type, sig_hash;
    bool chash;
    uint8_t chash_alg;
    ibk_span kms_certificate, kms_public_key;
    uint8_t rsaes, cache;
    ibk_span envelope_key;
} pke_parts;
ibk_err request_key_pke_write(ibk_buf *out, const ibk_env *env, const ibk_hdr *hdr, const parties *who,
                              const ibk_t *t, ibk_span rand, const pke_parts *parts);
/* All that can be said before anything is verified. */
ibk_err request_key_pke_read(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag);

/* user_pke.c: the user's side of the public-key method */
typedef struct user_pke user_pke;                                        /* a copy of ibk_key_request_pke */
ibk_err user_pke_new(user_pke **out, const ibk_key_request_pke *config); /* USAGE */
void user_pke_free(user_pke *pke);
/* Draws the envelope key, appended to `envelope_key`, and writes the request. */
ibk_err user_pke_write(ibk_buf *out, ibk_buf *envelope_key, const user_pke *pke, const ibk_env *env,
                       const ibk_hdr *hdr, const parties *who, const ibk_t *t, ibk_span rand, ibk_time now);

/* kms_pke.c: the KMS's side of it */
typedef struct kms_pke kms_pke; /* key pairs and trust anchors of ibk_kms_pke, parsed */
ibk_err kms_pke_new(kms_pke **out, const ibk_kms_pke *config);
void kms_pke_free(kms_pke *pke);
typedef struct pke_proof { /* who sent a request */
    ibk_buf certificate;   /* DER, the user's own */
    void *owner;
} pke_proof;
/* The chain, then SIGN, then the holder. `first`: the first user, without a date. */
ibk_err kms_pke_authenticate(pke_proof *out, const kms_pke *pke, const ibk_kms_config *config,
                             const ibk_env *env, const key_request *request, const ibk_identity *first,
                             int64_t utc_ns, int *error_no, ibk_diag *diag);
/* Opens the envelope into `envelope_key` (appended). No error tells whether its padding was right. */
ibk_err kms_pke_open(ibk_buf *envelope_key, const kms_pke *pke, const ibk_env *env,
                     const key_request *request, int *error_no, ibk_diag *diag);

/* request_key_resp.c: REQUEST_KEY_RESP */
ibk_err response_write(ibk_buf *out, const key_request *request, ibk_span content, uint8_t encr_alg,
                       ibk_span psk);
/* Checks frame and V; decrypts KEMAC into `content`. */
typedef struct response_expect {
    const ibk_hdr *hdr;
    const parties *who;
    const ibk_t *t;
    ibk_span rand, psk;
    uint32_t without;
} response_expect;
ibk_err response_read(ibk_buf *content, const ibk_msg *msg, const response_expect *expect, ibk_diag *diag);

/* key_error.c: Error messages of this exchange */
ibk_err key_error_write(ibk_buf *out, const ibk_hdr *hdr, const ibk_t *t, uint8_t error_no);
/* The same under V, for one who has proved the PSK, or signed and sent an envelope: `psk` is its key. */
ibk_err key_error_write_v(ibk_buf *out, const key_request *request, uint8_t error_no, ibk_span psk);
/* What an Error message says, PEER_ERROR; or why it is none for us. */
ibk_err key_error_read(const ibk_msg *msg, const response_expect *expect, uint8_t *error_no, ibk_diag *diag);

/* issue.c: which keys a request is for. Appends IBE identities, each behind a two-octet length. */
ibk_err issue_for(const ibk_kms_config *config, const ibk_identity *user, int64_t utc_ns, ibk_buf *out,
                  size_t *n, ibk_diag *diag);
/* The next one of such a list; false at its end. */
bool issue_next(ibk_span *list, ibk_span *ibe_identity);
/* ID data of a user without a date. BAD_VALUE: a byte string that ends in no date. */
ibk_err issue_base(ibk_span *id, const ibk_identity *user, ibk_granularity granularity);

#endif
