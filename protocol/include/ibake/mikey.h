/* ibakelab: MIKEY messages (RFC 3830, 4563, 4567, 6043, 6267): octets to structs and back, keys, MACs,
 * signatures, ECDH points.
 *
 * Octets that a parsed struct refers to are borrowed from the input, which must outlive it; octets that a
 * struct to be written refers to are borrowed until it is written. Lengths are octets. All integers are host
 * order. Every parser takes untrusted input; a diag offset counts from the start of the span it was given.
 *
 * What parses is written back to the same octets. Therefore the parser keeps registered and unregistered
 * values alike where the layout does not depend on them (encryption algorithm, PRF, roles, error numbers, …)
 * and reserved bits as they came: judging those is the exchange's matter (RFC 3830 §5.1.2 wants an Error
 * message with the matching number). A value on which the layout depends (timestamp type, MAC algorithm, DH
 * group, …) is refused if unknown. */
#ifndef IBAKE_MIKEY_H
#define IBAKE_MIKEY_H

#include <ibake/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- registries ----------------------------------------------------------------------------- */

#define IBK_MIKEY_VERSION  1
#define IBK_MIKEY_MAX_LEN  ((size_t)1 << 18) /* a message; larger is IBK_ERR_LIMIT */
#define IBK_CHAIN_MAX      1024              /* payloads in a message or in encrypted content */
#define IBK_RAND_MIN       16                /* RFC 3830 §6.11 */
#define IBK_INNER_MAX      65535             /* octets of the content of an IBAKE, ESK or KEMAC */
#define IBK_SESSION_CS_ID  0xFF              /* RFC 6267 §5.1, RFC 3830 §4.1.4 */
#define IBK_SESSION_CSB_ID 0xFFFFFFFFu

enum ibk_data_type { /* HDR data type */
                     IBK_MSG_ERROR = 6,
                     IBK_MSG_REQUEST_KEY_PSK = 19,
                     IBK_MSG_REQUEST_KEY_PKE = 20,
                     IBK_MSG_REQUEST_KEY_RESP = 21,
                     IBK_MSG_I_MESSAGE_1 = 22,
                     IBK_MSG_R_MESSAGE_1 = 23,
                     IBK_MSG_I_MESSAGE_2 = 24,
                     IBK_MSG_R_MESSAGE_2 = 25
};

enum ibk_payload_type { /* next payload */
                        IBK_PL_LAST = 0,
                        IBK_PL_KEMAC = 1,
                        IBK_PL_PKE = 2,
                        IBK_PL_DH = 3,
                        IBK_PL_SIGN = 4,
                        IBK_PL_T = 5,
                        IBK_PL_ID = 6,
                        IBK_PL_CERT = 7,
                        IBK_PL_CHASH = 8,
                        IBK_PL_V = 9,
                        IBK_PL_SP = 10,
                        IBK_PL_RAND = 11,
                        IBK_PL_ERR = 12,
                        IBK_PL_TR =
                            13, /* RFC 6043 §6.4; not used by RFC 6267, but its layout is known: walked */
                        IBK_PL_IDR = 14,
                        IBK_PL_RANDR = 15, /* RFC 6043 §6.8; likewise. 16 TP, 17 TICKET, 18 THDR and others
                                              are IBK_ERR_BAD_TYPE */
                        IBK_PL_KEY_DATA = 20,
                        IBK_PL_EXT = 21, /* General Extension */
                        IBK_PL_IBAKE = 22,
                        IBK_PL_ESK = 23,
                        IBK_PL_SK = 24,
                        IBK_PL_ECCPT = 25
};

enum ibk_prf { IBK_PRF_MIKEY_1 = 0, IBK_PRF_HMAC_SHA256 = 1 };
enum ibk_map_type { IBK_MAP_SRTP_ID = 0, IBK_MAP_EMPTY = 1, IBK_MAP_GENERIC_ID = 2 };
enum ibk_encr_alg {
    IBK_ENCR_NULL = 0,
    IBK_ENCR_AES_CM_128 = 1,
    IBK_ENCR_AES_KW_128 = 2,
    IBK_ENCR_AES_CM_256 = 3
};
enum ibk_mac_alg { IBK_MAC_NULL = 0, IBK_MAC_HMAC_SHA1_160 = 1, IBK_MAC_HMAC_SHA256_256 = 2 };
enum ibk_ts_type { IBK_TS_NTP_UTC = 0, IBK_TS_NTP = 1, IBK_TS_COUNTER = 2, IBK_TS_NTP_UTC_32 = 3 };
enum ibk_role { IBK_ROLE_I = 1, IBK_ROLE_R = 2, IBK_ROLE_KMS = 3, IBK_ROLE_PSK = 4, IBK_ROLE_APP = 5 };
enum ibk_id_type { IBK_ID_NAI = 0, IBK_ID_URI = 1, IBK_ID_BYTES = 2 };
enum ibk_cert_type {
    IBK_CERT_X509 = 0,
    IBK_CERT_X509_URL = 1,
    IBK_CERT_X509_SIGN = 2,
    IBK_CERT_X509_ENCR = 3
};
enum ibk_hash { IBK_HASH_SHA1 = 0, IBK_HASH_MD5 = 1, IBK_HASH_SHA256 = 2 };
enum ibk_sig_type { IBK_SIG_RSA_PKCS1 = 0, IBK_SIG_RSA_PSS = 1 };
enum ibk_pke_cache { IBK_PKE_NO_CACHE = 0, IBK_PKE_CACHE = 1, IBK_PKE_CACHE_CSB = 2 };
enum ibk_dh_group { IBK_DH_OAKLEY_5 = 0, IBK_DH_OAKLEY_1 = 1, IBK_DH_OAKLEY_2 = 2 };
enum ibk_prot_type { IBK_PROT_SRTP = 0 };
enum ibk_ext_type { IBK_EXT_VENDOR = 0, IBK_EXT_SDP_IDS = 1, IBK_EXT_KEY_ID = 3 };
enum ibk_kv_type { IBK_KV_NONE = 0, IBK_KV_SPI = 1, IBK_KV_INTERVAL = 2 };
enum ibk_key_type {
    IBK_KEY_TGK = 0,
    IBK_KEY_TGK_SALT = 1,
    IBK_KEY_TEK = 2,
    IBK_KEY_TEK_SALT = 3,
    IBK_KEY_GTGK = 4, /* 4 to 6: RFC 6043 */
    IBK_KEY_GTGK_SALT = 5,
    IBK_KEY_MPK = 6,
    IBK_KEY_K_PR = 7
};
enum ibk_sk_type { IBK_SK_SK = 1 };
enum ibk_error_no {
    IBK_ERRNO_AUTH = 0,
    IBK_ERRNO_TS = 1,
    IBK_ERRNO_PRF = 2,
    IBK_ERRNO_MAC = 3,
    IBK_ERRNO_EA = 4,
    IBK_ERRNO_HA = 5,
    IBK_ERRNO_DH = 6,
    IBK_ERRNO_ID = 7,
    IBK_ERRNO_CERT = 8,
    IBK_ERRNO_SP = 9,
    IBK_ERRNO_SPPAR = 10,
    IBK_ERRNO_DT = 11,
    IBK_ERRNO_UNSPECIFIED = 12,
    IBK_ERRNO_TICKET = 14,
    IBK_ERRNO_TPPAR = 15
};
enum ibk_ec_curve { /* RFC 6267 §6.1.4; the binary curves of the registry are refused */
                    IBK_EC_P192 = 1,
                    IBK_EC_P224 = 5,
                    IBK_EC_P256 = 8,
                    IBK_EC_P384 = 11,
                    IBK_EC_P521 = 14
};

/* The registered name of a value ("I_MESSAGE_1", "IDR", "AES-CM-128"), or "unknown"; never NULL. */
const char *ibk_msg_type_name(uint8_t data_type);
const char *ibk_payload_name(uint8_t payload_type);
const char *ibk_prf_name(uint8_t prf);
const char *ibk_map_type_name(uint8_t map_type);
const char *ibk_encr_alg_name(uint8_t alg);
const char *ibk_mac_alg_name(uint8_t alg);
const char *ibk_ts_type_name(uint8_t ts_type);
const char *ibk_ts_role_name(uint8_t role);
const char *ibk_role_name(uint8_t role); /* "Initiator", …: IDR and RANDR */
const char *ibk_id_type_name(uint8_t id_type);
const char *ibk_cert_type_name(uint8_t cert_type);
const char *ibk_hash_name(uint8_t hash);
const char *ibk_sig_type_name(uint8_t sig_type);
const char *ibk_pke_cache_name(uint8_t cache);
const char *ibk_dh_group_name(uint8_t group);
const char *ibk_prot_type_name(uint8_t prot);
const char *ibk_ext_type_name(uint8_t ext_type);
const char *ibk_kv_type_name(uint8_t kv_type);
const char *ibk_key_type_name(uint8_t key_type);
const char *ibk_error_no_name(uint8_t error_no);
const char *ibk_ec_curve_name(uint8_t curve);
const char *ibk_srtp_param_name(uint8_t param);

/* ---- payloads --------------------------------------------------------------------------------- */

/* Key validity (RFC 3830 §6.14). */
typedef struct ibk_kv {
    uint8_t type;      /* enum ibk_kv_type */
    ibk_span spi;      /* SPI or MKI, at most 255 */
    ibk_span from, to; /* interval, each at most 255 */
} ibk_kv;

typedef struct ibk_kemac { /* RFC 3830 §6.2 */
    uint8_t encr_alg, mac_alg;
    ibk_span data; /* encrypted; inner content: ibk_chain_parse */
    ibk_span mac;  /* length by mac_alg; empty when writing: zeros */
} ibk_kemac;

typedef struct ibk_pke { /* RFC 3830 §6.3 */
    uint8_t cache;       /* enum ibk_pke_cache, 2 bits */
    ibk_span data;       /* at most 16383 */
} ibk_pke;

typedef struct ibk_dh { /* RFC 3830 §6.4 */
    uint8_t group;      /* enum ibk_dh_group */
    uint8_t reserved;   /* 4 bits */
    ibk_span value;     /* 192, 96 or 128 by group */
    ibk_kv kv;
} ibk_dh;

typedef struct ibk_sign { /* RFC 3830 §6.5; always last */
    uint8_t sig_type;     /* 4 bits */
    ibk_span signature;   /* at most 4095 */
} ibk_sign;

/* RFC 3830 §6.6, RFC 6043 §6.3. NTP: seconds since 1900 in the upper 32 bits, fraction in the lower; COUNTER
 * and NTP-UTC-32: a number below 2^32. */
typedef struct ibk_t {
    uint8_t ts_type;
    uint64_t value;
} ibk_t;

typedef struct ibk_tr { /* RFC 6043 §6.4 */
    uint8_t role;
    ibk_t t;
} ibk_tr;

typedef struct ibk_idr { /* RFC 6043 §6.6; payload 6 (ID): role is 0 */
    uint8_t role, id_type;
    ibk_span data;
} ibk_idr;

typedef struct ibk_cert { /* RFC 3830 §6.7 */
    uint8_t cert_type;
    ibk_span data; /* DER, or a URL */
} ibk_cert;

typedef struct ibk_chash { /* RFC 3830 §6.8 */
    uint8_t hash_alg;
    ibk_span hash; /* length by hash_alg */
} ibk_chash;

typedef struct ibk_v { /* RFC 3830 §6.9; the parser insists that it is last */
    uint8_t mac_alg;
    ibk_span mac; /* length by mac_alg; empty when writing: zeros, to be filled by ibk_msg_write_v */
} ibk_v;

typedef struct ibk_sp { /* RFC 3830 §6.10 */
    uint8_t policy_no, prot_type;
    ibk_span params; /* (type, length, value)*, checked; see ibk_srtp_policy_parse, ibk_sp_param */
} ibk_sp;

typedef struct ibk_rand { /* RFC 3830 §6.11; RANDR (RFC 6043 §6.8) has a role */
    uint8_t role;
    ibk_span data; /* 1 to 255; shorter than IBK_RAND_MIN is for the exchange to refuse */
} ibk_rand;

typedef struct ibk_error { /* RFC 3830 §6.12 */
    uint8_t error_no;
    uint16_t reserved;
} ibk_error;

typedef struct ibk_ext { /* General Extension, RFC 3830 §6.15 */
    uint8_t ext_type;
    ibk_span data;
} ibk_ext;

typedef struct ibk_enc { /* IBAKE and ESK, RFC 6267 §6.1.1, §6.1.2 */
    ibk_span data;       /* IBE ciphertext (DER, P-2) */
} ibk_enc;

typedef struct ibk_key_data { /* RFC 3830 §6.13, RFC 6267 §6.1.3; SK (§6.1.5) is the same without salt */
    uint8_t key_type;         /* enum ibk_key_type or ibk_sk_type, 4 bits */
    ibk_span key;
    ibk_span salt; /* types 1, 3, 5 only */
    ibk_kv kv;
} ibk_key_data;

typedef struct ibk_eccpt { /* RFC 6267 §6.1.4 */
    uint8_t curve;         /* enum ibk_ec_curve */
    ibk_span point;        /* SEC 1 octets without padding; not yet known to be on the curve: ibk_ec_decode */
    uint8_t auth_alg;      /* ignored by RFC 6267 */
    uint16_t tgk_len;      /* ignored by RFC 6267 */
    uint8_t reserved;      /* 4 bits */
    ibk_kv kv;
} ibk_eccpt;

/* One payload. `type` says which member is meant. */
typedef struct ibk_payload {
    uint8_t type;    /* enum ibk_payload_type */
    size_t offset;   /* of its first octet in the parsed input; 0 in a built one */
    ibk_span octets; /* all of it as parsed; empty in a built one */
    union {
        ibk_kemac kemac;
        ibk_pke pke;
        ibk_dh dh;
        ibk_sign sign;
        ibk_t t;
        ibk_tr tr;
        ibk_idr id; /* ID and IDR */
        ibk_cert cert;
        ibk_chash chash;
        ibk_v v;
        ibk_sp sp;
        ibk_rand rand; /* RAND and RANDR */
        ibk_error error;
        ibk_ext ext;
        ibk_enc enc;      /* IBAKE and ESK */
        ibk_key_data key; /* Key data and SK */
        ibk_eccpt eccpt;
    };
} ibk_payload;

/* ---- chains of payloads ------------------------------------------------------------------------ */

/* Owns the array, borrows the octets. Zero value: empty. The first failure of an add is kept in err, later
 * adds do nothing, and writing returns it: check once. */
typedef struct ibk_chain {
    ibk_payload *items;
    size_t count, cap;
    size_t padding; /* zero octets that followed the last payload of a KEMAC's content; written again */
    ibk_err err;    /* IBK_OK, IBK_ERR_NO_MEMORY or IBK_ERR_LIMIT */
} ibk_chain;

void ibk_chain_free(ibk_chain *chain); /* legal on the zero value and NULL */
void ibk_chain_add(ibk_chain *chain, const ibk_payload *payload);

/* Builders: one call appends one payload. */
void ibk_add_t(ibk_chain *chain, const ibk_t *t);
void ibk_add_rand(ibk_chain *chain, ibk_span rand);
void ibk_add_idr(ibk_chain *chain, uint8_t role, uint8_t id_type, ibk_span data);
void ibk_add_sp(ibk_chain *chain, uint8_t policy_no, uint8_t prot_type, ibk_span params);
void ibk_add_ext(ibk_chain *chain, uint8_t ext_type, ibk_span data);
void ibk_add_enc(ibk_chain *chain, uint8_t payload_type, ibk_span ciphertext); /* IBK_PL_IBAKE, IBK_PL_ESK */
void ibk_add_eccpt(ibk_chain *chain, uint8_t curve, ibk_span point);
void ibk_add_key(ibk_chain *chain, uint8_t key_type, ibk_span key, const ibk_kv *kv); /* kv may be NULL */
void ibk_add_sk(ibk_chain *chain, ibk_span key, const ibk_kv *kv);                    /* kv may be NULL */
void ibk_add_kemac(ibk_chain *chain, uint8_t encr_alg, ibk_span data, uint8_t mac_alg);
void ibk_add_pke(ibk_chain *chain, uint8_t cache, ibk_span data);
void ibk_add_cert(ibk_chain *chain, uint8_t cert_type, ibk_span data);
void ibk_add_error(ibk_chain *chain, uint8_t error_no);
void ibk_add_v(ibk_chain *chain, uint8_t mac_alg);
void ibk_add_sign(ibk_chain *chain, uint8_t sig_type, ibk_span signature);

/* The nth (from 0) payload of a type, or NULL. */
const ibk_payload *ibk_chain_find(const ibk_chain *chain, uint8_t type, size_t nth);
size_t ibk_chain_count(const ibk_chain *chain, uint8_t type);
/* The nth IDR with a role, or NULL. */
const ibk_payload *ibk_chain_find_idr(const ibk_chain *chain, uint8_t role, size_t nth);

/* Decrypted content of the payload `container`: IBK_PL_IBAKE (IDR, ECCPT), IBK_PL_ESK (IDR, SK) or
 * IBK_PL_KEMAC (ID, IDR, Key data); another payload type inside is IBK_ERR_BAD_CHAIN. `first` is the type of
 * the first payload, IBK_PL_IDR by P-4. `out` starts as the zero value and is empty on failure. Zero octets
 * after the last payload are accepted in KEMAC only: the padding of AES key wrap to a multiple of 8, at least
 * 16 in all. */
ibk_err ibk_chain_parse(ibk_chain *out, uint8_t container, uint8_t first, ibk_span in, ibk_diag *diag);
/* Appends the payloads to out (inner content, to be encrypted); the writer owns next payload and lengths. */
ibk_err ibk_chain_write(const ibk_chain *chain, ibk_buf *out);

/* ---- messages ------------------------------------------------------------------------------------ */

typedef struct ibk_hdr { /* RFC 3830 §6.1 */
    uint8_t data_type;   /* any registered up to 25; others are IBK_ERR_BAD_TYPE */
    bool v_flag;
    uint8_t prf; /* 7 bits */
    uint32_t csb_id;
    uint8_t n_cs;
    uint8_t map_type;
    ibk_span map; /* the map's octets, checked: see ibk_map_srtp, ibk_map_generic */
} ibk_hdr;

/* Zero value: empty. `octets` is the parsed input (borrowed), empty in a built message. */
typedef struct ibk_msg {
    ibk_hdr hdr;
    ibk_chain chain;
    ibk_span octets;
} ibk_msg;

/* `out` starts as the zero value; on failure it is empty again. Key data, SK and ECCPT never stand in clear
 * (RFC 3830 §6.13, RFC 6267 §6.1.4, §6.1.5): IBK_ERR_BAD_CHAIN, as is anything after V or SIGN. */
ibk_err ibk_msg_parse(ibk_msg *out, ibk_span in, ibk_diag *diag);
/* Appends the message to out. A V, or a KEMAC with a MAC, without octets gets zeros. On failure out is as it
 * was. IBK_ERR_USAGE: a field that does not fit its place on the wire. */
ibk_err ibk_msg_write(const ibk_msg *msg, ibk_buf *out);
void ibk_msg_free(ibk_msg *msg);
const ibk_payload *ibk_msg_find(const ibk_msg *msg, uint8_t type, size_t nth);
const ibk_payload *ibk_msg_find_idr(const ibk_msg *msg, uint8_t role, size_t nth);

/* One crypto session in an SRTP-ID map (RFC 3830 §6.1.1); its CS ID is its position, from 1. */
typedef struct ibk_cs_srtp {
    uint8_t policy_no;
    uint32_t ssrc, roc;
} ibk_cs_srtp;

/* One crypto session in a GENERIC-ID map (RFC 6043 §6.1.1). */
typedef struct ibk_cs_generic {
    uint8_t cs_id, prot_type;
    bool s_flag;       /* SRTP: ROC and SEQ are given */
    ibk_span policies; /* policy numbers, one octet each, at most 127 */
    ibk_span session;  /* session data; SRTP: ibk_srtp_session_parse */
    ibk_span spi;      /* SPI or MKI, at most 255 */
} ibk_cs_generic;

typedef struct ibk_srtp_session {
    uint32_t ssrc;
    bool has_roc; /* the S flag: roc and seq are meant */
    uint32_t roc;
    uint16_t seq;
} ibk_srtp_session;

/* The index-th (from 0) session of a map; false past its end or if the map has another type. */
bool ibk_map_srtp(const ibk_hdr *hdr, size_t index, ibk_cs_srtp *out);
bool ibk_map_generic(const ibk_hdr *hdr, size_t index, ibk_cs_generic *out);
/* Appends a session to the octets of a map to be written; n_cs is for the caller to count. */
ibk_err ibk_map_put_srtp(ibk_buf *map, const ibk_cs_srtp *cs);
ibk_err ibk_map_put_generic(ibk_buf *map, const ibk_cs_generic *cs);
ibk_err ibk_srtp_session_parse(ibk_srtp_session *out, const ibk_cs_generic *cs); /* BAD_LENGTH, UNSUPPORTED */
ibk_err ibk_srtp_session_write(ibk_buf *out, const ibk_srtp_session *session);

/* ---- security policies ----------------------------------------------------------------------------- */

enum ibk_srtp_param { /* RFC 3830 §6.10.1 */
                      IBK_SRTP_ENCR_ALG = 0,
                      IBK_SRTP_ENCR_KEY_LEN = 1,
                      IBK_SRTP_AUTH_ALG = 2,
                      IBK_SRTP_AUTH_KEY_LEN = 3,
                      IBK_SRTP_SALT_KEY_LEN = 4,
                      IBK_SRTP_PRF = 5,
                      IBK_SRTP_KDR = 6,
                      IBK_SRTP_ENCR = 7,
                      IBK_SRTCP_ENCR = 8,
                      IBK_SRTP_FEC_ORDER = 9,
                      IBK_SRTP_AUTH = 10,
                      IBK_SRTP_AUTH_TAG_LEN = 11,
                      IBK_SRTP_PREFIX_LEN = 12
};

enum ibk_srtp_encr { IBK_SRTP_ENCR_NULL = 0, IBK_SRTP_ENCR_AES_CM = 1, IBK_SRTP_ENCR_AES_F8 = 2 };
enum ibk_srtp_auth { IBK_SRTP_AUTH_NULL = 0, IBK_SRTP_AUTH_HMAC_SHA1 = 1 };

/* The SRTP policy. Lengths are octets. `present` has bit (1 << param) for each parameter that the SP payload
 * names; the fields of the others hold the defaults. */
typedef struct ibk_srtp_policy {
    uint32_t present;
    uint8_t encr_alg, encr_key_len; /* default AES-CM, 16 */
    uint8_t auth_alg, auth_key_len; /* default HMAC-SHA-1, 20 */
    uint8_t salt_key_len;           /* default 14 */
    uint8_t prf;                    /* default 0: AES-CM */
    uint32_t kdr;                   /* key derivation rate of RFC 3711, at most 2^24, default 0 */
    bool srtp_encr, srtcp_encr;     /* default on */
    uint8_t fec_order;              /* default 0: FEC-SRTP */
    bool srtp_auth;                 /* default on */
    uint8_t auth_tag_len;           /* default 10 */
    uint8_t prefix_len;             /* default 0 */
} ibk_srtp_policy;

ibk_srtp_policy ibk_srtp_policy_default(void); /* present is 0 */
/* IBK_ERR_UNSUPPORTED: not SRTP. IBK_ERR_BAD_VALUE: an unknown or repeated parameter, a wrong length or a
 * switch that is neither 0 nor 1 (the exchange answers with Error 10, invalid SPpar). */
ibk_err ibk_srtp_policy_parse(ibk_srtp_policy *out, const ibk_sp *sp, ibk_diag *diag);
/* Appends the parameters named in `present`, in order of their type, to the params of an SP. */
ibk_err ibk_srtp_policy_write(ibk_buf *params, const ibk_srtp_policy *policy);
/* The index-th parameter of any SP; false past the end. */
bool ibk_sp_param(const ibk_sp *sp, size_t index, uint8_t *type, ibk_span *value);

/* ---- timestamps --------------------------------------------------------------------------------------- */

/* From ns since 1970 UTC. NTP (type 1, zone unspecified) is taken as UTC. IBK_ERR_UNSUPPORTED: COUNTER, which
 * is no time: set its value. Any era: the 32-bit seconds wrap in 2036 (RFC 3830 §4.2.8). */
ibk_err ibk_t_from_utc(ibk_t *out, uint8_t ts_type, int64_t utc_ns);
/* To ns since 1970, in the era that lies nearest to `reference_ns`, the receiver's clock. */
ibk_err ibk_t_to_utc(int64_t *utc_ns, const ibk_t *t, int64_t reference_ns);
/* The 64-bit form for the IV: COUNTER left-padded, NTP-UTC-32 right-padded (RFC 3830 §6.6, RFC 6043 §6.3). */
uint64_t ibk_t_64(const ibk_t *t);
bool ibk_t_equal(const ibk_t *a, const ibk_t *b); /* type and value */

/* ---- keys ------------------------------------------------------------------------------------------------
 */

#define IBK_SALT_LEN     14 /* of AES-CM, 112 bits */
#define IBK_MAC_MAX      32
#define IBK_ENCR_KEY_MAX 32

/* What a key is for; the label's constant, its CS ID and CSB ID follow from it (profile.md §2). */
typedef enum ibk_derive_kind {
    IBK_DERIVE_MPK = 1,  /* from K_SESSION, RFC 6267 §5.1 */
    IBK_DERIVE_TGK,      /* from K_SESSION */
    IBK_DERIVE_MSG_ENCR, /* from PSK, envelope key or MPK: RFC 3830 §4.1.4, RFC 6267 §5.2 */
    IBK_DERIVE_MSG_AUTH,
    IBK_DERIVE_MSG_SALT,
    IBK_DERIVE_TEK, /* from TGK: RFC 3830 §4.1.3 */
    IBK_DERIVE_TGK_AUTH,
    IBK_DERIVE_TGK_ENCR,
    IBK_DERIVE_TGK_SALT
} ibk_derive_kind;

/* RFC 3830 §4.1.2, RFC 6043 §6.1: fills out[0..out_len), out_len at most 1024. UNSUPPORTED: another PRF. */
ibk_err ibk_prf_expand(uint8_t *out, size_t out_len, uint8_t prf, ibk_span inkey, ibk_span label);
/* `csb_id` is ignored for MPK and TGK, `cs_id` for everything not from a TGK. `rand`: the RAND's octets. */
ibk_err ibk_derive(uint8_t *out, size_t out_len, uint8_t prf, ibk_derive_kind kind, ibk_span inkey,
                   uint8_t cs_id, uint32_t csb_id, ibk_span rand);
size_t ibk_prf_hash_len(uint8_t prf); /* 20 or 32, the length of MPK (P-6); 0: unknown PRF */

/* The keys that protect one MIKEY message; wipe with ibk_wipe when done. Zero value: no keys. */
typedef struct ibk_msg_keys {
    uint8_t encr[IBK_ENCR_KEY_MAX], salt[IBK_SALT_LEN], auth[IBK_MAC_MAX];
    size_t encr_len, auth_len; /* by the algorithms; 0 for NULL */
} ibk_msg_keys;

/* From PSK, envelope key or MPK. */
ibk_err ibk_msg_keys_derive(ibk_msg_keys *out, uint8_t prf, ibk_span inkey, uint32_t csb_id, ibk_span rand,
                            uint8_t encr_alg, uint8_t mac_alg);

size_t ibk_mac_len(uint8_t mac_alg);       /* 0 for NULL and unknown ones */
bool ibk_mac_known(uint8_t mac_alg);       /* NULL is known */
size_t ibk_encr_key_len(uint8_t encr_alg); /* 0 for NULL and unknown ones */
bool ibk_encr_known(uint8_t encr_alg);

/* Writes ibk_mac_len(alg) octets over the spans in turn. UNSUPPORTED: unknown alg. */
ibk_err ibk_mac_compute(uint8_t out[IBK_MAC_MAX], uint8_t mac_alg, ibk_span key, const ibk_span *spans,
                        size_t n_spans);

/* The MAC of a KEMAC that is not the message's last payload (RFC 3830 §5.2, §6.2, public-key case): over the
 * payload up to its MAC, its next payload taken as 0. RFC 6267 §4.2.1.3 prefers NULL and a V. */
ibk_err ibk_kemac_mac(uint8_t out[IBK_MAC_MAX], const ibk_kemac *kemac, ibk_span auth_key);

/* KEMAC data: plain <-> cipher, appended to out. Keys: encr and salt of `keys`; AES-CM also takes CSB ID and
 * T of the message. AES-KW: the plain octets are padded with zeros to a multiple of 8, at least 16 (RFC
 * 3394). DECRYPT: key wrap's integrity check failed. UNSUPPORTED: unknown algorithm. USAGE: keys of another
 * length. */
ibk_err ibk_kemac_encrypt(ibk_buf *out, uint8_t encr_alg, const ibk_msg_keys *keys, uint32_t csb_id,
                          const ibk_t *t, ibk_span plain);
ibk_err ibk_kemac_decrypt(ibk_buf *out, uint8_t encr_alg, const ibk_msg_keys *keys, uint32_t csb_id,
                          const ibk_t *t, ibk_span cipher);

/* ---- V and SIGN -------------------------------------------------------------------------------------------
 */

/* What V or SIGN, the last payload of a parsed message, covers (RFC 6267 §5.4, P-8), appended to out: the
 * message up to the MAC or signature, then the identities' ID data octets in the order given, no timestamp.
 * ESK payloads are left out as if the message had been written without them: their octets are cut and the
 * next-payload field before them names what follows. So a mailbox may strip an ESK, and the type of the
 * payload after it stays covered. USAGE: no V or SIGN at the end. */
ibk_err ibk_msg_covered(ibk_buf *out, const ibk_msg *msg, const ibk_span *ids, size_t n_ids);
/* Writes a message whose last payload is V, with its MAC filled in. */
ibk_err ibk_msg_write_v(const ibk_msg *msg, ibk_buf *out, ibk_span auth_key, const ibk_span *ids,
                        size_t n_ids);
/* Constant time. MISSING_PAYLOAD: no V. BAD_MAC. NULL MAC is accepted here only with allow_null. */
ibk_err ibk_msg_check_v(const ibk_msg *msg, ibk_span auth_key, const ibk_span *ids, size_t n_ids,
                        bool allow_null, ibk_diag *diag);

/* RSA signatures (RFC 3830 §4.2.6). `private_key`: DER, PKCS#8 or RSAPrivateKey; `public_key`: DER
 * SubjectPublicKeyInfo. `hash`: IBK_HASH_SHA1 or IBK_HASH_SHA256, PSS also for MGF1; the salt of PSS, as long
 * as the hash, is drawn as IBK_DRAW_SALT. UNSUPPORTED: other algorithm, or a key that is not RSA of 1024 to
 * 16384 bits. */
ibk_err ibk_rsa_sign(ibk_buf *signature, const ibk_env *env, uint8_t sig_type, uint8_t hash,
                     ibk_span private_key, ibk_span data);
ibk_err ibk_rsa_verify(uint8_t sig_type, uint8_t hash, ibk_span public_key, ibk_span data,
                       ibk_span signature);
/* Encryption of an envelope key (RFC 3830 §4.2.5, §6.3). */
enum ibk_rsaes {
    IBK_RSAES_PKCS1 = 0,      /* RSAES-PKCS1-v1_5: mandatory */
    IBK_RSAES_OAEP = 1,       /* RSAES-OAEP with its defaults, SHA-1 and MGF1 of it: recommended */
    IBK_RSAES_OAEP_SHA256 = 2 /* with SHA-256 in both places */
};

#define IBK_ENVELOPE_MIN 16 /* octets of an envelope key that we open (P-24) */
#define IBK_ENVELOPE_MAX 32

/* Padding octets are drawn as IBK_DRAW_SALT. `plain`: IBK_ENVELOPE_MIN to IBK_ENVELOPE_MAX octets.
 * UNSUPPORTED as above, and if the modulus is too short. */
ibk_err ibk_rsa_encrypt(ibk_buf *out, const ibk_env *env, uint8_t rsaes, ibk_span public_key, ibk_span plain);
/* Opens an envelope without ever telling whether it opened (RFC 8017 §7.2.2; no oracle for Bleichenbacher's
 * or Manger's attack): where padding or length are wrong, `plain` (appended) is 32 octets that depend on the
 * private key and the ciphertext alone, and which of the two it is decides no branch and no address.
 * BAD_LENGTH: not as long as the modulus, BAD_VALUE: not below it; both are public. UNSUPPORTED as above. */
ibk_err ibk_rsa_decrypt(ibk_buf *plain, uint8_t rsaes, ibk_span private_key, ibk_span cipher);
ibk_err ibk_cert_public_key(ibk_buf *public_key,
                            ibk_span certificate); /* DER X.509 -> SubjectPublicKeyInfo */

/* Writes a message whose last payload is SIGN (its signature octets are ignored), signed. */
ibk_err ibk_msg_write_sign(const ibk_msg *msg, ibk_buf *out, const ibk_env *env, uint8_t hash,
                           ibk_span private_key, const ibk_span *ids, size_t n_ids);
/* MISSING_PAYLOAD: no SIGN. BAD_SIGNATURE. */
ibk_err ibk_msg_check_sign(const ibk_msg *msg, uint8_t hash, ibk_span public_key, const ibk_span *ids,
                           size_t n_ids, ibk_diag *diag);

/* ---- ECDH
 * --------------------------------------------------------------------------------------------------- */

#define IBK_EC_SCALAR_MAX 66
#define IBK_EC_POINT_MAX  133 /* 04 || X || Y on P-521 */

bool ibk_ec_known(uint8_t curve);
size_t ibk_ec_field_len(uint8_t curve); /* octets of a coordinate; 0: unknown curve */
size_t ibk_ec_point_len(uint8_t curve); /* octets of 04 || X || Y; 0: unknown curve */

typedef struct ibk_ec_point {
    uint8_t curve;
    size_t len;
    uint8_t octets[IBK_EC_POINT_MAX]; /* SEC 1 uncompressed: 04 || X || Y */
} ibk_ec_point;

/* A key pair; ibk_wipe it when the session ends (P-20). */
typedef struct ibk_ec_key {
    uint8_t curve;
    size_t scalar_len; /* of the group order */
    uint8_t scalar[IBK_EC_SCALAR_MAX];
    ibk_ec_point pub;
} ibk_ec_key;

ibk_span ibk_ec_point_span(const ibk_ec_point *point);
bool ibk_ec_point_equal(const ibk_ec_point *a, const ibk_ec_point *b);
/* From SEC 1 octets (02, 03, 04) to uncompressed. Checks: on the curve, not infinity, of the group's order
 * (all five curves have cofactor 1). UNSUPPORTED, BAD_VALUE (tag), BAD_LENGTH, NOT_ON_CURVE, INFINITY. */
ibk_err ibk_ec_decode(ibk_ec_point *out, uint8_t curve, ibk_span octets);
/* Scalar big-endian, exactly the length of the order; BAD_SCALAR: not in [1, n-1]. Constant time. */
ibk_err ibk_ec_key_from_scalar(ibk_ec_key *out, uint8_t curve, ibk_span scalar);
/* Draws the scalar from env as `label` (X or Y) by rejection sampling. On failure *out is wiped. */
ibk_err ibk_ec_keygen(ibk_ec_key *out, const ibk_env *env, ibk_draw_label label, uint8_t curve);
/* K_SESSION (P-5): 04 || X || Y of [scalar]peer. Wipe *out when done. INFINITY, NOT_ON_CURVE, MISMATCH:
 * curves differ. Constant time. */
ibk_err ibk_ec_shared(ibk_ec_point *out, const ibk_ec_key *key, const ibk_ec_point *peer);

/* ---- SDP (RFC 4567)
 * --------------------------------------------------------------------------------------------- */

/* Strict base64 (RFC 4648 §4): padded, no white space, no stray bits. Appended to out. BAD_TEXT. */
ibk_err ibk_base64_encode(ibk_buf *out, ibk_span octets);
ibk_err ibk_base64_decode(ibk_buf *out, ibk_span text, ibk_diag *diag);

/* The value of the attribute, "mikey <base64>" (without "a=key-mgmt:"): its message, appended to out.
 * UNSUPPORTED: another protocol identifier, compared case-sensitively (RFC 4567 §3). BAD_TEXT. */
ibk_err ibk_keymgmt_parse(ibk_buf *message, ibk_span value, ibk_diag *diag);
/* The same for a whole line "a=key-mgmt:mikey <base64>", CR LF at its end allowed. */
ibk_err ibk_keymgmt_parse_line(ibk_buf *message, ibk_span line, ibk_diag *diag);
/* "mikey <base64>", no terminating zero, appended to out. */
ibk_err ibk_keymgmt_write(ibk_buf *value, ibk_span message);

/* ---- description
 * ---------------------------------------------------------------------------------------------------- */

/* One field on the wire. Strings live for the call only. Fields come in order of their octets. */
typedef struct ibk_field {
    const char *name;   /* "next payload", "ID data" */
    size_t offset, len; /* octets in the parsed input; a field of less than an octet has its octet */
    int depth;          /* 0, or 1 for a part of the list that precedes it (map entry, policy parameter) */
    bool secret;        /* key material */
    bool has_number;
    uint64_t number;  /* the raw value, for machine-readable output */
    const char *text; /* for people: "14 (IDR)", "sip:alice@a.example", hex (long ones cut with "…") */
    ibk_span octets;  /* the field's octets if it is octets, else empty */
} ibk_field;

typedef void ibk_field_fn(void *user, const ibk_field *field);

/* Both want a parsed message or payload (octets set); a built one is described not at all. */
void ibk_describe_hdr(const ibk_msg *msg, ibk_field_fn *fn, void *user);
void ibk_describe_payload(const ibk_payload *payload, ibk_field_fn *fn, void *user);

#ifdef __cplusplus
}
#endif
#endif
