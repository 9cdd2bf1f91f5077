/* A strict judge of its own: what a message that was sent or accepted has to be by RFC 3830, RFC 6043 and RFC
 * 6267. It reads with octets/walk.h and OpenSSL, opens IBE ciphertexts with the keys of the fixture, and
 * shares no reading of messages with libibake. It judges less than libibake does; but what it forbids must
 * never be accepted. */
#ifndef FUZZ_WORLD_JUDGE_H
#define FUZZ_WORLD_JUDGE_H

#include "octets/walk.h"

enum { JUDGE_I1 = 22, JUDGE_R1, JUDGE_I2, JUDGE_R2 };

typedef struct judge_point {
    uint8_t curve;
    ibk_span octets; /* SEC 1; empty: not there */
    ibk_span mki;    /* of the keys that come of it; empty: none */
} judge_point;

/* What a message says. Zero value: none. Owns all that its spans refer to; does not move. */
typedef struct judged {
    bool there;
    uint8_t type, prf;
    uint32_t csb_id;
    ibk_buf octets, plain; /* the message, and the content of IBAKE */
    walk outer, inner;
    ibk_span map;      /* HDR from #CS to its end */
    ibk_span t, rand;  /* T: type and value */
    ibk_span idi, idr; /* ID type, length and data; empty: not there */
    ibk_span in_idi, in_idr;
    judge_point x, y; /* ECCPTi, ECCPTr of the content */
    bool readable;    /* the content was decrypted */
} judged;

/* Opens an IBE ciphertext with whatever private key of the fixture does. */
typedef bool judge_open(void *user, ibk_span cipher, ibk_buf *plain);

/* Reads a message of the exchange. NULL, or the rule that it breaks. `out` is freed first. `open`
 * may be NULL: the content is not judged. `update`: it
 * belongs to a CSB update (RFC 6267 §5.3), whose payloads are other ones. */
const char *judge_read(judged *out, ibk_span message, bool update, judge_open *open, void *user);
void judged_free(judged *j);
void judged_copy(judged *out, const judged *from);

/* What holds between a message and those before it in the exchange. Each returns NULL or the rule that is
 * broken. */
const char *judge_r1(const judged *i1, const judged *r1, bool echo_wanted);
const char *judge_i2(const judged *i1, const judged *r1, const judged *i2);
/* `auth_key`: from the key log; it is what the MAC has to be made with. */
const char *judge_r2(const judged *i1, const judged *r1, const judged *i2, const judged *r2,
                     ibk_span auth_key);

/* CSB updates (RFC 6267 §5.3), judge_update.c. `by_initiator`: the Initiator of the initial exchange started
 * it. */
const char *judge_update_i1(const judged *i1, const judged *r1, const judged *u1, bool by_initiator);
const char *judge_update_r1(const judged *i1, const judged *r1, const judged *u1, const judged *answer,
                            bool by_initiator);
/* Crypto sessions and policies that are in force, judge_sessions.c. Zero value: none. */
typedef struct judge_force {
    ibk_buf map;      /* HDR from #CS to its end */
    ibk_buf policies; /* SP payloads, each behind its next payload */
} judge_force;

ibk_err judge_force_begin(judge_force *out, const judged *i1, const judged *r1);
ibk_err judge_force_copy(judge_force *out, const judge_force *from);
ibk_err judge_force_take(judge_force *f, const judged *u1, const judged *answer); /* an update is complete */
void judge_force_free(judge_force *f);
/* P-33: what an update's I_MESSAGE_1 adds, and leaves as it is. P-14: its R_MESSAGE_1 repeats it. */
const char *judge_sessions_offer(const judge_force *f, const judged *u1);
const char *judge_sessions_answer(const judge_force *f, const judged *u1, const judged *answer);
/* P-14: the answer has the policies of the offer. */
const char *judge_policies(const judged *offer, const judged *answer);
/* A point that nobody used in the initial exchange. */
const char *judge_fresh(const judged *i1, const judged *r1, const judged *i2, const judged *u);
/* T is newer than another T; of different classes (COUNTER and times) anything goes. T empty: none. */
const char *judge_newer(ibk_span t, ibk_span than);
/* V has a MAC, made with that key. */
const char *judge_v(const judged *j, ibk_span auth_key, ibk_span idi, ibk_span idr);

/* RFC 3830 §5.3, §5.4: T within the skew. COUNTER is no time. */
const char *judge_time(const judged *j, int64_t utc_ns, int64_t skew_ns);

/* Are these the same point? Either may be compressed. */
bool judge_same_point(const judge_point *a, const judge_point *b);

/* HMAC over what V covers (RFC 6267 §5.4). 0 octets: it has no V with a MAC. */
size_t judge_mac(uint8_t mac[32], const judged *j, ibk_span auth_key, ibk_span idi, ibk_span idr);

#endif
