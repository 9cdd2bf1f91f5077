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

/* The frame that all messages of this exchange have in common (§4.2.1.1, §6.1). */
ibk_hdr request_hdr(uint8_t data_type, uint8_t prf, uint32_t csb_id, bool v_flag);
uint8_t mac_that_fits(uint8_t prf);
bool mac_acceptable(uint8_t mac_alg);
/* A record of the key log, if there is one. */
void log_key(const ibk_env *env, ibk_keylog_kind kind, uint32_t csb_id, ibk_span id, ibk_span value);

/* request_key_psk.c: REQUEST_KEY_PSK, as the KMS reads it. Borrowed from the message. */
typedef struct key_request {
    const ibk_msg *msg;
    parties who;
    ibk_t t;
    ibk_span rand;
    const ibk_payload *v;
    bool kemac_cm; /* a KEMAC under AES-CM: its key stream must not serve twice */
} key_request;

ibk_err request_key_psk_write(ibk_buf *out, const ibk_hdr *hdr, const parties *who, const ibk_t *t,
                              ibk_span rand, ibk_span psk, uint8_t mac_alg);
/* All that can be said without the PSK. *error_no: what an Error message would say. */
ibk_err request_key_psk_read(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag);

/* request_key_resp.c: REQUEST_KEY_RESP */
ibk_err response_write(ibk_buf *out, const key_request *request, ibk_span content, uint8_t encr_alg,
                       ibk_span psk);
/* Checks frame and V; decrypts KEMAC into `content`. */
typedef struct response_expect {
    const ibk_hdr *hdr;
    const parties *who;
    const ibk_t *t;
    ibk_span rand, psk;
} response_expect;
ibk_err response_read(ibk_buf *content, const ibk_msg *msg, const response_expect *expect, ibk_diag *diag);

/* key_error.c: Error messages of this exchange */
ibk_err key_error_write(ibk_buf *out, const ibk_hdr *hdr, const ibk_t *t, uint8_t error_no);
/* The same under V, for one who has proved the PSK. */
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
