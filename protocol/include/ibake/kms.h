/* ibakelab: private keys from a KMS (RFC 6267 §4.2.1), sans-IO: REQUEST_KEY_PSK, REQUEST_KEY_PKE and
 * REQUEST_KEY_RESP, both sides. The octets travel as P-18 says (HTTP POST, application/mikey). What each
 * method proves to whom: docs/key-requests.md. */
#ifndef IBAKE_KMS_H
#define IBAKE_KMS_H

#include <ibake/exchange.h>
#include <ibake/ibe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IBK_KMS_MAX_USERS 16   /* IDRi/r payloads in a request */
#define IBK_KMS_MAX_KEYS  1024 /* keys in an answer */

/* Limits of REQUEST_KEY_PKE, which hold before anything is proved. */
#define IBK_PKE_MAX_CERTIFICATES 8    /* CERT payloads, the user's own included; also a KMS's certificates */
#define IBK_PKE_CERTIFICATE_MAX  8192 /* octets of a certificate in DER */
#define IBK_PKE_RSA_BITS_MIN     2048
#define IBK_PKE_RSA_BITS_MAX     8192

/* ---- the user's side ----------------------------------------------------------------------------------- */

typedef struct ibk_key_request ibk_key_request; /* one request and its answer */

typedef enum ibk_key_method {
    IBK_KEY_METHOD_PSK = 0, /* REQUEST_KEY_PSK: `psk`, `psk_id`, `mac_alg` */
    IBK_KEY_METHOD_PKE      /* REQUEST_KEY_PKE: `pke` */
} ibk_key_method;

/* What the user needs for REQUEST_KEY_PKE (RFC 6267 §4.2.1.1.2). Certificates are X.509v3 in DER. */
typedef struct ibk_key_request_pke {
    /* The user's certificate, then those that lead from it towards the KMS's trust anchor, in this order;
     * each becomes a CERT payload. At most IBK_PKE_MAX_CERTIFICATES. n_chain 0: none is sent, the KMS has to
     * know the certificate. */
    const ibk_span *chain;
    size_t n_chain;
    ibk_span private_key; /* of chain[0]: DER, PKCS#8 or RSAPrivateKey; RSA */
    uint8_t sig_type;     /* enum ibk_sig_type; default PKCS#1 v1.5 */
    bool sign_with_sha1;  /* in place of SHA-256: for a KMS that knows RFC 3830's default hash alone */
    /* The KMS's certificates; the envelope is for number `kms_certificate` (from 0). If there are several,
     * CHASH names that one; `chash` names it even if it is the only one. */
    const ibk_span *kms_certificates;
    size_t n_kms_certificates, kms_certificate;
    bool chash;
    bool chash_with_sha1; /* in place of SHA-256 */
    uint8_t rsaes;        /* enum ibk_rsaes, as that certificate wants it; default PKCS#1 v1.5 */
    /* Trust anchors for the KMS's certificate (its other certificates may be intermediate ones). If there are
     * any, it has to verify at the time of the request and to name IDRkms in its subjectAltName (URI,
     * rfc822Name or DNS); else it is trusted as it is. */
    const ibk_span *anchors;
    size_t n_anchors;
    /* C of the PKE payload (enum ibk_pke_cache; RFC 3830 §6.3). 0: the envelope key serves this request
     * alone. Our KMS caches none and refuses another value, for the user would build on it. */
    uint8_t cache;
} ibk_key_request_pke;

/* Octets are copied; `timestamps` and `params` are borrowed. */
typedef struct ibk_key_request_config {
    ibk_key_method method; /* default PSK */
    /* P-10: URI or NAI asks for the KMS's current issue of that identity, byte string names one IBE identity,
     * date included (ibk_ibe_identity), and asks for that key alone. 1 to IBK_KMS_MAX_USERS. */
    const ibk_identity *users;
    size_t n_users;
    ibk_identity kms;
    ibk_span psk;                 /* PSK: not empty */
    ibk_identity psk_id;          /* PSK: IDRpsk; empty: left out */
    ibk_key_request_pke pke;      /* PKE */
    uint8_t prf;                  /* default MIKEY-1 */
    uint8_t mac_alg;              /* PSK: of V; 0: the one that fits the PRF, as always with PKE */
    uint8_t ts_type;              /* default NTP-UTC */
    uint64_t timeout_ns;          /* timer clock; 0: 32 s */
    ibk_timestamps *timestamps;   /* the node's; NULL: T is the clock's */
    const ibk_ibe_params *params; /* of that KMS: received keys are parsed and verified under them */
    ibk_granularity granularity;  /* of that KMS */
    uint32_t without; /* for laboratories alone: defences that are off (ibake/defences.h); those of
                         identity-based encryption go with `params` */
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

/* IBK_ERR_USAGE: no user, no KMS, no params, too many users; PSK: no PSK; PKE: no private key, no KMS
 * certificate, an unknown algorithm, too many or too long certificates. */
ibk_err ibk_key_request_new(ibk_key_request **out, const ibk_env *env, const ibk_key_request_config *config);
void ibk_key_request_free(ibk_key_request *request); /* wipes the copies of the PSK and of the private key */

/* Builds REQUEST_KEY_PSK or REQUEST_KEY_PKE into `message` (appended). Once; IBK_ERR_STATE the second time.
 * PKE draws the envelope key (IBK_DRAW_ENVELOPE), the octets of its padding and the salt of PSS (both
 * IBK_DRAW_SALT). PKE: BAD_CERTIFICATE (the KMS's is none, or not trusted), UNSUPPORTED (a key that is not
 * RSA of IBK_PKE_RSA_BITS_MIN to …_MAX), MISMATCH (the private key is not that of chain[0]). */
ibk_err ibk_key_request_start(ibk_key_request *request, ibk_time now, ibk_buf *message);
/* Processes the answer. IBK_OK: `out` (zero on entry) holds every key, each asked for and verified. Else
 * nothing is kept and the request has ended (RFC 6267 §4.2.1.4): BAD_MAC (also: another PSK, or an envelope
 * that the KMS could not open), MISMATCH (of header or T), PEER_ERROR (*error_no tells; may be NULL; an Error
 * without a valid V is unauthenticated and tells so in diag), NOT_AUTHORIZED (no key for a user), codes of
 * the parsers, TIMEOUT, STATE. */
ibk_err ibk_key_request_finish(ibk_key_request *request, ibk_time now, ibk_span message, ibk_key_list *out,
                               uint8_t *error_no, ibk_diag *diag);
uint64_t
ibk_key_request_deadline(const ibk_key_request *request); /* timer clock; UINT64_MAX: nothing awaited */
uint32_t ibk_key_request_csb_id(const ibk_key_request *request);

/* ---- the KMS's side --------------------------------------------------------------------------------------
 */

/* A key pair that envelopes may be encrypted for. */
typedef struct ibk_kms_key_pair {
    ibk_span certificate; /* DER X.509; what CHASH is the hash of */
    ibk_span private_key; /* DER, PKCS#8 or RSAPrivateKey; RSA */
    uint8_t rsaes;        /* enum ibk_rsaes; RFC 3830 §4.2.5: it depends on the certificate */
} ibk_kms_key_pair;

/* What a KMS needs to serve REQUEST_KEY_PKE. Octets are copied. */
typedef struct ibk_kms_pke {
    const ibk_kms_key_pair *key_pairs; /* the first one is meant where no CHASH names another */
    size_t n_key_pairs;      /* at most IBK_PKE_MAX_CERTIFICATES; 0: REQUEST_KEY_PKE is not served */
    const ibk_span *anchors; /* DER X.509: what users' chains have to end in; at least one */
    size_t n_anchors;
    unsigned max_intermediates; /* between a user's certificate and the anchor; 0: 4 */
    bool refuse_sha1;           /* in SIGN; the hash is not on the wire, so SHA-256 is tried and then SHA-1 */
    /* The certificate of a user who sent none, appended to `certificate`. It is verified like a received one.
     * NULL: every request has to bring its own. False: unknown. */
    bool (*certificate)(void *user, const ibk_identity *first, ibk_buf *certificate);
    /* After chain and signature were verified: whose certificate it is; sets `owner`, which is passed on to
     * `authorized`. False: this holder is excluded (RFC 3830 §4.3.2), as after a revocation. NULL: nobody is.
     */
    bool (*holder)(void *user, ibk_span certificate, const ibk_identity *first, void **owner);
    /* RFC 6267 §4.2.1.2: may the holder have keys for `id` (ID data without a date)? `named`: the certificate
     * names it in its subjectAltName: URI for IDRi/r of type URI, rfc822Name for NAI, either for byte
     * strings. NULL: `named` decides. */
    bool (*authorized)(void *user, void *owner, ibk_span id, bool named);
} ibk_kms_pke;

typedef struct ibk_kms ibk_kms;

typedef enum ibk_kms_issue {                       /* the current issue (P-10) */
                             IBK_ISSUE_PERIOD = 0, /* every day of the month; with hours: of the day; with
                                                      months: this one and the next */
                             IBK_ISSUE_CURRENT,    /* the key for now alone */
                             IBK_ISSUE_NEXT        /* the key for now and the one after it */
} ibk_kms_issue;

typedef enum ibk_kms_errors {                         /* what a refused user is told */
                              IBK_KMS_ERRORS_ALL = 0, /* an Error message; under V if the user was proved */
                              IBK_KMS_ERRORS_AUTHENTICATED, /* only to users who were proved: PSK or signature
                                                             */
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
    ibk_kms_pke pke; /* zero value: REQUEST_KEY_PKE is not served */
    /* The PSK of a user, appended to `psk`. NULL: REQUEST_KEY_PSK is not served. `psk_id` is the IDRpsk
     * (empty id: absent), `first` the first user of the request (ID data without a date). `owner`, to be set,
     * is passed on to `authorized`. False: unknown. */
    bool (*psk)(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                void **owner);
    /* RFC 6267 §4.2.1.2: may the owner of that PSK have keys for `id` (ID data without a date)? It is asked
     * for each identity of the request in turn; one refusal refuses the whole request (all or nothing), so
     * that an answer always holds a key for every identity asked for. */
    bool (*authorized)(void *user, void *owner, ibk_span id);
    uint32_t without; /* for laboratories alone: defences that are off (ibake/defences.h) */
} ibk_kms_config;

/* IBK_ERR_USAGE, NO_MEMORY; PKE: BAD_CERTIFICATE, UNSUPPORTED (a key that is not RSA of the permitted sizes),
 * MISMATCH (a private key that is not that of its certificate). */
ibk_err ibk_kms_new(ibk_kms **out, const ibk_env *env, const ibk_kms_config *config);
void ibk_kms_free(ibk_kms *kms);

/* What a request came to, for the node's log. */
typedef struct ibk_kms_result {
    ibk_err err; /* IBK_OK: keys were issued */
    ibk_diag diag;
    uint32_t csb_id;
    uint8_t request_type; /* enum ibk_data_type; 0: it could not be parsed */
    size_t n_keys;
    uint8_t response_type; /* enum ibk_data_type: REQUEST_KEY_RESP, Error, or 0: no answer */
    uint8_t error_no;      /* if Error */
} ibk_kms_result;

/* One request in, one answer out (appended to `response`; may be none). Returns IBK_OK unless the call breaks
 * the contract; what the user caused is in result->err: NOT_AUTHORIZED, BAD_MAC, BAD_CERTIFICATE,
 * BAD_SIGNATURE, REPLAYED, CLOCK_SKEW, CACHE_FULL, IDENTITY_MISMATCH (another KMS is meant), MISMATCH (CHASH
 * names no certificate of ours), UNSUPPORTED (a method, PRF or certificate type), MISSING_PAYLOAD, parsers'
 * codes, RANDOM. An envelope that does not open is no error: the answer then goes out under a key that nobody
 * knows (P-24). */
ibk_err ibk_kms_handle(ibk_kms *kms, ibk_time now, ibk_span request, ibk_buf *response,
                       ibk_kms_result *result);

/* One private key for a user whom the node authenticated itself (RFC 5408 §5.5): DER BFPrivateKeyBlock,
 * appended to `key`. `owner` is passed on to `authorized`; without that callback nobody gets one. BAD_VALUE:
 * the IBE identity ends in no date of this KMS; NOT_AUTHORIZED: not the owner's, or a date for which nothing
 * is issued. */
ibk_err ibk_kms_extract(const ibk_kms *kms, ibk_time now, void *owner, ibk_span ibe_identity, ibk_buf *key,
                        ibk_diag *diag);

/* The instants that the issue covers at a time (P-10): those from `from` to before `to`. */
void ibk_issue_range(ibk_granularity granularity, ibk_kms_issue issue, int64_t utc_ns, int64_t *from,
                     int64_t *to);

/* The IBE identities of the current issue for an identity at a time: n dates, each appended to `out` behind a
 * two-octet length. Tests and the CPU model of a node use it. */
ibk_err ibk_kms_issue_list(const ibk_kms *kms, ibk_span id, int64_t utc_ns, ibk_buf *out, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
