/* ibakelab: what every room of libibake shares: errors, spans, buffers, time, the injected environment. */
#ifndef IBAKE_BASE_H
#define IBAKE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------- */

/* The result of every function that can fail: IBK_OK, or a code whose upper bits are its category. */
typedef uint32_t ibk_err;

enum ibk_category {
    IBK_CAT_OK = 0,
    IBK_CAT_USAGE = 1,    /* the caller broke the contract of the function */
    IBK_CAT_RESOURCE = 2, /* memory, or a limit of ours on sizes and counts */
    IBK_CAT_RANDOM = 3,   /* the injected random source failed */
    IBK_CAT_WIRE = 4,     /* octets that are no well-formed MIKEY message */
    IBK_CAT_DER = 5,      /* octets that are no strict DER of the expected structure */
    IBK_CAT_MATH = 6,     /* parameters, points or scalars outside their set */
    IBK_CAT_CRYPTO = 7,   /* an integrity check failed */
    IBK_CAT_PROTOCOL = 8, /* well-formed, yet not what RFC 6267 permits here */
    IBK_CAT_REPLAY = 9,   /* timestamp or replay cache */
    IBK_CAT_POLICY = 10,  /* permitted by the RFC, refused by local policy */
    IBK_CAT_INTERNAL = 15 /* a defect of ours, or of a library below */
};

/* name, category, number inside the category, English sentence */
#define IBK_ERROR_LIST(X)                                                                                    \
    X(USAGE, USAGE, 1, "the call does not fit the function's contract")                                      \
    X(UNSUPPORTED, USAGE, 2, "this algorithm or option is not supported")                                    \
    X(STATE, USAGE, 3, "the object is not in a state for this call")                                         \
    X(NO_MEMORY, RESOURCE, 1, "out of memory")                                                               \
    X(LIMIT, RESOURCE, 2, "a limit on sizes or counts was reached")                                          \
    X(IO, RESOURCE, 3, "reading or writing a file failed")                                                   \
    X(RANDOM, RANDOM, 1, "the random source failed")                                                         \
    X(TRUNCATED, WIRE, 1, "the input ends inside a field")                                                   \
    X(TRAILING, WIRE, 2, "octets follow the last payload")                                                   \
    X(BAD_VERSION, WIRE, 3, "not MIKEY version 1")                                                           \
    X(BAD_TYPE, WIRE, 4, "unknown message or payload type")                                                  \
    X(BAD_VALUE, WIRE, 5, "a field has a value outside its registry or range")                               \
    X(BAD_LENGTH, WIRE, 6, "a length field contradicts its content")                                         \
    X(BAD_PADDING, WIRE, 7, "padding is not zero")                                                           \
    X(BAD_CHAIN, WIRE, 8, "the next-payload chain is not one that the message permits")                      \
    X(BAD_TEXT, WIRE, 9, "not valid base64, hex or attribute text")                                          \
    X(DER, DER, 1, "not strict DER")                                                                         \
    X(DER_STRUCTURE, DER, 2, "DER of another structure than expected")                                       \
    X(BAD_PARAMS, MATH, 1, "parameters of the wrong form, or not prime")                                     \
    X(NOT_ON_CURVE, MATH, 2, "the point is not on the curve")                                                \
    X(BAD_ORDER, MATH, 3, "the point is not in the group of order q")                                        \
    X(INFINITY, MATH, 4, "the point at infinity is not permitted here")                                      \
    X(BAD_SCALAR, MATH, 5, "the scalar is outside its range")                                                \
    X(DECRYPT, CRYPTO, 1, "decryption failed its integrity check")                                           \
    X(BAD_MAC, CRYPTO, 2, "the MAC does not match")                                                          \
    X(BAD_SIGNATURE, CRYPTO, 3, "the signature does not verify")                                             \
    X(BAD_CERTIFICATE, CRYPTO, 4, "the certificate chain does not verify")                                   \
    X(UNEXPECTED_MESSAGE, PROTOCOL, 1, "a message that this state does not expect")                          \
    X(MISSING_PAYLOAD, PROTOCOL, 2, "a required payload is missing")                                         \
    X(UNEXPECTED_PAYLOAD, PROTOCOL, 3, "a payload that must not be here")                                    \
    X(MISMATCH, PROTOCOL, 4, "a field differs from the message it must repeat")                              \
    X(ECHO_MISMATCH, PROTOCOL, 5, "the echoed point is not ours")                                            \
    X(IDENTITY_MISMATCH, PROTOCOL, 6, "the identities inside and outside do not agree")                      \
    X(BIDDING_DOWN, PROTOCOL, 7, "the offer was changed on its way")                                         \
    X(PEER_ERROR, PROTOCOL, 8, "the peer sent an Error message")                                             \
    X(NO_KEY, PROTOCOL, 9, "no private key for this identity and date")                                      \
    X(NO_PARAMS, PROTOCOL, 10, "no parameters for the domain of this identity")                              \
    X(TIMEOUT, PROTOCOL, 11, "the peer did not answer in time")                                              \
    X(CLOCK_SKEW, REPLAY, 1, "the timestamp is outside the allowed clock skew")                              \
    X(REPLAYED, REPLAY, 2, "this message was received before")                                               \
    X(CACHE_FULL, REPLAY, 3, "the replay cache is full")                                                     \
    X(NOT_AUTHORIZED, POLICY, 1, "the peer or user is not authorised")                                       \
    X(REFUSED, POLICY, 2, "local policy refuses this")                                                       \
    X(EXPIRED, POLICY, 3, "outside its period of validity")                                                  \
    X(INTERNAL, INTERNAL, 1, "internal error")

enum ibk_error_code {
    IBK_OK = 0,
#define IBK_ERROR_ENUM(name, cat, number, text) IBK_ERR_##name = (IBK_CAT_##cat << 8) | (number),
    IBK_ERROR_LIST(IBK_ERROR_ENUM)
#undef IBK_ERROR_ENUM
};

static inline enum ibk_category ibk_err_category(ibk_err err) {
    return (enum ibk_category)(err >> 8);
}

/* "ECHO_MISMATCH", and the English sentence; never NULL. */
const char *ibk_err_name(ibk_err err);
const char *ibk_err_text(ibk_err err);

/* Where and why an input was refused. Every parser takes one, last, and it may be NULL. */
typedef struct ibk_diag {
    ibk_err err;
    const char *payload; /* static name of the payload or field ("IDR", "BFCiphertextBlock"), or NULL */
    size_t offset;       /* octets from the start of the outermost input */
    char detail[120];    /* "length 300 passes the end of the message", no secrets; may be empty */
} ibk_diag;

/* Fills *diag (if not NULL) and returns err: `return ibk_fail(diag, IBK_ERR_DER, "FpPoint", off, "…")`. */
ibk_err ibk_fail(ibk_diag *diag, ibk_err err, const char *payload, size_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- octets ------------------------------------------------------------------------------- */

/* Borrowed, read-only octets. {NULL, 0} is the empty span. */
typedef struct ibk_span {
    const uint8_t *data;
    size_t len;
} ibk_span;

ibk_span ibk_span_of(const void *data, size_t len);
ibk_span ibk_span_str(const char *text);        /* without the terminating zero */
bool ibk_span_equal(ibk_span a, ibk_span b);    /* not constant time: public data only */
bool ibk_span_equal_ct(ibk_span a, ibk_span b); /* constant time in the content; secrets and MACs */

/* Owned, growable octets. The zero value is an empty buffer. Freed and outgrown storage is wiped. */
typedef struct ibk_buf {
    uint8_t *data;
    size_t len, cap;
} ibk_buf;

#define IBK_BUF_MAX ((size_t)1 << 24) /* nothing of ours is larger; growth beyond is IBK_ERR_LIMIT */

ibk_err ibk_buf_append(ibk_buf *buf, const void *data, size_t len);
ibk_err ibk_buf_append_span(ibk_buf *buf, ibk_span span);
ibk_err ibk_buf_resize(ibk_buf *buf, size_t len); /* new octets are zero */
void ibk_buf_clear(ibk_buf *buf);                 /* wipes the content, keeps the storage */
void ibk_buf_free(ibk_buf *buf);                  /* wipes and frees; legal on the zero value and NULL */
ibk_span ibk_buf_span(const ibk_buf *buf);
ibk_span ibk_buf_part(const ibk_buf *buf, size_t at, size_t len); /* lies inside; len 0: the zero span */

void ibk_wipe(void *data, size_t len); /* is not optimised away */

/* Room for one more element behind the `count` of an array from malloc, whose storage doubles; the zero value
 * is an empty array. False: no memory, and all is as it was. Not for secrets: outgrown storage is not wiped.
 */
#define IBK_ROOM(array, count, cap) ibk_room(&(array), (count), &(cap), sizeof *(array))
bool ibk_room(void *array, size_t count, size_t *cap, size_t size); /* `array`: where the pointer is */

/* ---- time --------------------------------------------------------------------------------- */

/* Two clocks, so that a wrong wall clock can be simulated without stopping the timers. */
typedef struct ibk_time {
    uint64_t mono_ns; /* timer clock: deadlines, time-outs */
    int64_t utc_ns;   /* this node's wall clock, ns since 1970-01-01T00:00:00Z: T payloads, dates */
} ibk_time;

/* ---- the injected environment --------------------------------------------------------------- */

/* Every random draw carries a label, so that a test vector can pin one value and a scenario can break one. */
typedef enum ibk_draw_label {
    IBK_DRAW_CSB_ID = 1, /* RFC 3830 §6.1 */
    IBK_DRAW_RAND,       /* RAND payload */
    IBK_DRAW_X,          /* initiator's ECDH scalar */
    IBK_DRAW_Y,          /* responder's ECDH scalar */
    IBK_DRAW_RHO,        /* RFC 5091 §5.4: the session octets of an IBE encryption */
    IBK_DRAW_SK,         /* secret key of an ESK */
    IBK_DRAW_MASTER,     /* KMS master secret */
    IBK_DRAW_PARAMS,     /* search for p, q and the generator */
    IBK_DRAW_ENVELOPE,   /* envelope key of REQUEST_KEY_PKE */
    IBK_DRAW_SALT,       /* salts, e.g. RSASSA-PSS */
    IBK_DRAW_BLIND       /* side-channel blinding; never changes an output */
} ibk_draw_label;

/* A record of the key log (profile.md §6); written only when ibk_env.keylog is set. */
typedef enum ibk_keylog_kind {
    IBK_KEYLOG_PARAMS = 1, /* DER BFPublicParameters */
    IBK_KEYLOG_MASTER,     /* DER BFMasterSecret */
    IBK_KEYLOG_PRIV,       /* id = IBE identity octets, value = DER BFPrivateKeyBlock */
    IBK_KEYLOG_PSK,
    IBK_KEYLOG_X,
    IBK_KEYLOG_Y,
    IBK_KEYLOG_KSESSION,
    IBK_KEYLOG_MPK,
    IBK_KEYLOG_TGK,
    IBK_KEYLOG_AUTHKEY,
    IBK_KEYLOG_TEK,
    IBK_KEYLOG_SALT
} ibk_keylog_kind;

typedef struct ibk_keylog_record {
    ibk_keylog_kind kind;
    uint32_t csb_id; /* X … SALT */
    uint8_t cs_id;   /* TEK, SALT */
    ibk_span id;     /* PRIV */
    ibk_span value;
} ibk_keylog_record;

/* One event of a session or KMS for the local log; never carries a secret. Strings are borrowed for the call.
 */
typedef struct ibk_trace_event {
    const char *what;     /* "state", "sent", "received", "rejected", "closed", "cache", … */
    const char *detail;   /* e.g. the new state, or the message's name */
    const ibk_diag *diag; /* reason of a rejection, or NULL */
} ibk_trace_event;

/* A costly operation that was carried out, for a node's model of its processor. `size` is the bits of the IBE
 * parameters (n: 1024 …), of the elliptic curve (256 …) or of the RSA modulus. */
typedef enum ibk_work {
    IBK_WORK_IBE_PARAMS = 1, /* parameters from outside were parsed and proved */
    IBK_WORK_IBE_PEER,       /* hash to point and the pairing with P_pub of a new peer's IBE identity */
    IBK_WORK_IBE_ENCRYPT,    /* to a precomputed peer */
    IBK_WORK_IBE_DECRYPT,
    IBK_WORK_IBE_EXTRACT,
    IBK_WORK_IBE_VERIFY_KEY, /* e(P, S_id) = e(P_pub, Q_id) */
    IBK_WORK_EC_KEYGEN,      /* [x]P */
    IBK_WORK_EC_DH,          /* [xy]P */
    IBK_WORK_RSA_PRIVATE,    /* signature, or opening an envelope */
    IBK_WORK_RSA_PUBLIC
} ibk_work;

/* What a sans-IO object may ask of its surroundings. Members may be NULL, but `draw`. The object does not own
 * it. */
typedef struct ibk_env {
    void *user;
    /* Fills out[0..len) with uniformly random octets or fails; a failure always ends the operation. */
    ibk_err (*draw)(void *user, ibk_draw_label label, uint8_t *out, size_t len);
    void (*trace)(void *user, const ibk_trace_event *event);
    void (*keylog)(void *user, const ibk_keylog_record *record);
    void (*work)(void *user, ibk_work what, unsigned size); /* after the operation */
} ibk_env;

#ifdef __cplusplus
}
#endif
#endif
