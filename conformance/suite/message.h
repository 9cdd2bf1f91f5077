/* The suite's own look at MIKEY messages: header and payload chain, by the layouts of RFC 3830 §6, RFC 6043
 * and RFC 6267 §6, without any code of the implementation that it judges. */
#ifndef CONFORMANCE_SUITE_MESSAGE_H
#define CONFORMANCE_SUITE_MESSAGE_H

#include <ibake/base.h>

enum { /* data types */
       SUITE_ERROR_MESSAGE = 6,
       SUITE_REQUEST_KEY_PSK = 19,
       SUITE_REQUEST_KEY_PKE = 20,
       SUITE_REQUEST_KEY_RESP = 21,
       SUITE_I_MESSAGE_1 = 22,
       SUITE_R_MESSAGE_1 = 23,
       SUITE_I_MESSAGE_2 = 24,
       SUITE_R_MESSAGE_2 = 25
};

enum { /* payload types */
       SUITE_KEMAC = 1,
       SUITE_PKE = 2,
       SUITE_SIGN = 4,
       SUITE_T = 5,
       SUITE_CERT = 7,
       SUITE_CHASH = 8,
       SUITE_V = 9,
       SUITE_SP = 10,
       SUITE_RAND = 11,
       SUITE_ERR = 12,
       SUITE_IDR = 14,
       SUITE_GENERAL = 21,
       SUITE_IBAKE = 22,
       SUITE_ESK = 23,
       SUITE_SK = 24
};

enum { SUITE_ROLE_I = 1, SUITE_ROLE_R = 2, SUITE_ROLE_KMS = 3, SUITE_ROLE_PSK = 4 };

typedef struct suite_payload {
    unsigned type;
    size_t offset, len;    /* the whole payload, its next-payload octet first (save SIGN) */
    size_t data, data_len; /* its content: ID data, RAND, ciphertext, MAC, value of T … */
} suite_payload;

#define SUITE_PAYLOADS_MAX 64

typedef struct suite_message {
    ibk_span octets;
    const char *wrong; /* NULL: well-formed as far as the chain goes */
    unsigned version, data_type, v_flag, prf, n_cs, map_type;
    uint32_t csb_id;
    size_t header_len;
    suite_payload payloads[SUITE_PAYLOADS_MAX];
    size_t n;
} suite_message;

/* What can be read is in `out` even if something is wrong. `octets` are borrowed. */
void suite_message_read(suite_message *out, ibk_span octets);
/* The nth (from 0) payload of a type, or NULL. */
const suite_payload *suite_message_find(const suite_message *m, unsigned type, size_t nth);
/* IDR of a role, or NULL. */
const suite_payload *suite_message_idr(const suite_message *m, unsigned role);
ibk_span suite_payload_data(const suite_message *m, const suite_payload *p);  /* content; NULL: empty */
ibk_span suite_payload_whole(const suite_message *m, const suite_payload *p); /* NULL: empty */
/* "HDR T RAND IDR IDR IBAKE" with the message's name and its fields, for people; appended to `out`. */
void suite_message_describe(const suite_message *m, ibk_buf *out);
const char *suite_data_type_name(unsigned data_type);
const char *suite_payload_name(unsigned type);

#endif
