/* ibakelab: private keys from a KMS (RFC 6267 §4.2.1), sans-IO: REQUEST_KEY_PSK and REQUEST_KEY_RESP, both
 * sides. The octets travel as P-18 says (HTTP POST, application/mikey). */
#ifndef IBAKE_KMS_H
#define IBAKE_KMS_H

#include <ibake/exchange.h>
#include <ibake/ibe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IBK_KMS_MAX_USERS 16   /* IDRi/r payloads in a request */
#define IBK_KMS_MAX_KEYS  1024 /* keys in an answer */

/* ---- the user's side ----------------------------------------------------------------------------------- */

typedef struct ibk_key_request ibk_key_request; /* one request and its answer */

/* Octets are copied; `timestamps` and `params` are borrowed. */
typedef struct ibk_key_request_config {
    /* P-10: URI or NAI asks for the KMS's current issue of that identity, byte string names one IBE identity,
     * date included (ibk_ibe_identity), and asks for that key alone. 1 to IBK_KMS_MAX_USERS. */
    const ibk_identity *users;
    size_t n_users;
    ibk_identity kms;
    ibk_span psk;                 /* not empty */
    ibk_identity psk_id;          /* IDRpsk; empty: left out */
    uint8_t prf;                  /* default MIKEY-1 */
    uint8_t mac_alg;              /* of V; 0: the one that fits the PRF */
    uint8_t ts_type;              /* default NTP-UTC */
    uint64_t timeout_ns;          /* timer clock; 0: 32 s */
    ibk_timestamps *timestamps;   /* the node's; NULL: T is the clock's */
    const ibk_ibe_params *params; /* of that KMS: received keys are parsed and verified under them */
    ibk_granularity granularity;  /* of that KMS */
} ibk_key_request_config;

/* One received key; owned by the list. */
typedef struct ibk_issued_key {
    ibk_span ibe_identity;
    ibk_ibe_key *key; /* verified: e(P, S_id) = e(P_pub, Q_id). May be taken: set it to NULL */
} ibk_issued_key;

typedef struct ibk_key_list { /* zero value: empty */
    ibk_issued_key *items;
    size_t count;
    ibk_buf octets; /* storage of the identities */
} ibk_key_list;

void ibk_key_list_free(ibk_key_list *list); /* frees the keys that were not taken */

/* IBK_ERR_USAGE: no user, no PSK, no KMS, no params, too many users. */
ibk_err ibk_key_request_new(ibk_key_request **out, const ibk_env *env, const ibk_key_request_config *config);
void ibk_key_request_free(ibk_key_request *request); /* wipes the PSK's copy */

/* Builds REQUEST_KEY_PSK into `message` (appended). Once; IBK_ERR_STATE the second time. */
ibk_err ibk_key_request_start(ibk_key_request *request, ibk_time now, ibk_buf *message);
/* Processes the answer. IBK_OK: `out` (zero on entry) holds every key, each asked for and verified. Else
 * nothing is kept and the request has ended (RFC 6267 §4.2.1.4): BAD_MAC (also: another PSK), MISMATCH (of
 * header or T), PEER_ERROR (*error_no tells; may be NULL; an Error without a valid V is unauthenticated and
 * tells so in diag), NOT_AUTHORIZED (no key for a user), codes of the parsers, TIMEOUT, STATE. */
ibk_err ibk_key_request_finish(ibk_key_request *request, ibk_time now, ibk_span message, ibk_key_list *out,
                               uint8_t *error_no, ibk_diag *diag);
uint64_t
ibk_key_request_deadline(const ibk_key_request *request); /* timer clock; UINT64_MAX: nothing awaited */
uint32_t ibk_key_request_csb_id(const ibk_key_request *request);

/* ---- the KMS's side --------------------------------------------------------------------------------------
 */

typedef struct ibk_kms ibk_kms;

typedef enum ibk_kms_issue {                       /* the current issue (P-10) */
                             IBK_ISSUE_PERIOD = 0, /* every day of the month; with hours: of the day; with
                                                      months: of the year */
                             IBK_ISSUE_CURRENT,    /* the key for now alone */
                             IBK_ISSUE_NEXT        /* the key for now and the one after it */
} ibk_kms_issue;

typedef enum ibk_kms_errors {                         /* what a refused user is told */
                              IBK_KMS_ERRORS_ALL = 0, /* an Error message; under V if the PSK was proved */
                              IBK_KMS_ERRORS_AUTHENTICATED, /* only to those who proved the PSK */
                              IBK_KMS_ERRORS_SILENT
} ibk_kms_errors;

typedef struct ibk_kms_config {
    ibk_identity identity;        /* IDRkms; copied */
    const ibk_ibe_params *params; /* params, master, replay: borrowed, required */
    const ibk_ibe_master *master;
    ibk_replay_cache *replay;
    ibk_granularity granularity;
    ibk_kms_issue issue;
    int64_t issue_back_ns;  /* a single IBE identity is issued for periods from that long before now (0: from
                               the */
    int64_t issue_ahead_ns; /* current one) to that long after (0: 366 days) */
    uint8_t encr_alg;       /* of KEMAC; 0: AES-CM-128. NULL is refused (RFC 3830 §4.2.3). AES-CM gives way
                               to AES-KW-128 where its key stream could serve twice */
    ibk_kms_errors errors;
    void *user;
    /* The PSK of a user, appended to `psk`. `psk_id` is the IDRpsk (empty id: absent), `first` the first user
     * of the request (ID data without a date). `owner`, to be set, is passed on to `authorized`. False:
     * unknown. */
    bool (*psk)(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                void **owner);
    /* RFC 6267 §4.2.1.2: may the owner of that PSK have keys for `id` (ID data without a date)? */
    bool (*authorized)(void *user, void *owner, ibk_span id);
} ibk_kms_config;

ibk_err ibk_kms_new(ibk_kms **out, const ibk_env *env,
                    const ibk_kms_config *config); /* IBK_ERR_USAGE, NO_MEMORY */
void ibk_kms_free(ibk_kms *kms);

/* What a request came to, for the node's log. */
typedef struct ibk_kms_result {
    ibk_err err; /* IBK_OK: keys were issued */
    ibk_diag diag;
    uint32_t csb_id;
    size_t n_keys;
    uint8_t response_type; /* enum ibk_data_type: REQUEST_KEY_RESP, Error, or 0: no answer */
    uint8_t error_no;      /* if Error */
} ibk_kms_result;

/* One request in, one answer out (appended to `response`; may be none). Returns IBK_OK unless the call breaks
 * the contract; what the user caused is in result->err: NOT_AUTHORIZED, BAD_MAC, REPLAYED, CLOCK_SKEW,
 * CACHE_FULL, IDENTITY_MISMATCH (another KMS is meant), UNSUPPORTED (PRF, PKE), MISSING_PAYLOAD, parsers'
 * codes, RANDOM. */
ibk_err ibk_kms_handle(ibk_kms *kms, ibk_time now, ibk_span request, ibk_buf *response,
                       ibk_kms_result *result);

/* The IBE identities of the current issue for an identity at a time: n dates, each appended to `out` behind a
 * two-octet length. Tests and the CPU model of a node use it. */
ibk_err ibk_kms_issue_list(const ibk_kms *kms, ibk_span id, int64_t utc_ns, ibk_buf *out, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
