/* Names of registered values, for people: IANA "Multimedia Internet KEYing (MIKEY) Payload Name Spaces". */
#include "mikey/payload.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *pick(const char *const *table, size_t count, uint8_t value) {
    return value < count && table[value] ? table[value] : "unknown";
}

#define NAMES(function, ...)                                                                                 \
    const char *function(uint8_t value) {                                                                    \
        static const char *const table[] = {__VA_ARGS__};                                                    \
        return pick(table, COUNT(table), value);                                                             \
    }

NAMES(ibk_msg_type_name, "PSK init", "PSK ver msg", "PK init", "PK ver msg", "D-H init", "D-H resp", "Error",
      "DHHMAC init", "DHHMAC resp", "RSA-R I_MSG", "RSA-R R_MSG", "REQUEST_INIT_PSK", "REQUEST_INIT_PK",
      "REQUEST_RESP", "TRANSFER_INIT", "TRANSFER_RESP", "RESOLVE_INIT_PSK", "RESOLVE_INIT_PK", "RESOLVE_RESP",
      "REQUEST_KEY_PSK", "REQUEST_KEY_PKE", "REQUEST_KEY_RESP", "I_MESSAGE_1", "R_MESSAGE_1", "I_MESSAGE_2",
      "R_MESSAGE_2")
NAMES(ibk_prf_name, "MIKEY-1", "PRF-HMAC-SHA-256")
NAMES(ibk_map_type_name, "SRTP-ID", "Empty map", "GENERIC-ID")
NAMES(ibk_encr_alg_name, "NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256")
NAMES(ibk_mac_alg_name, "NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256")
NAMES(ibk_ts_type_name, "NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32")
NAMES(ibk_ts_role_name, NULL, "Time of issue", "Start of validity period", "End of validity period",
      "Rekeying interval")
NAMES(ibk_role_name, NULL, "Initiator", "Responder", "KMS", "Pre-Shared Key", "Application")
NAMES(ibk_id_type_name, "NAI", "URI", "Byte string")
NAMES(ibk_cert_type_name, "X.509v3", "X.509v3 URL", "X.509v3 Sign", "X.509v3 Encr")
NAMES(ibk_hash_name, "SHA-1", "MD5", "SHA-256")
NAMES(ibk_sig_type_name, "RSA/PKCS#1/1.5", "RSA/PSS")
NAMES(ibk_pke_cache_name, "No cache", "Cache", "Cache for CSB")
NAMES(ibk_dh_group_name, "OAKLEY 5", "OAKLEY 1", "OAKLEY 2")
NAMES(ibk_prot_type_name, "SRTP")
NAMES(ibk_ext_type_name, "Vendor ID", "SDP IDs", NULL, "Key ID")
NAMES(ibk_kv_type_name, "Null", "SPI/MKI", "Interval")
NAMES(ibk_key_type_name, "TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK", "K_PR")
NAMES(ibk_error_no_name, "Auth failure", "Invalid TS", "Invalid PRF", "Invalid MAC", "Invalid EA",
      "Invalid HA", "Invalid DH", "Invalid ID", "Invalid Cert", "Invalid SP", "Invalid SPpar", "Invalid DT",
      "Unspecified error", NULL, "Invalid TICKET", "Invalid TPpar")
NAMES(ibk_ec_curve_name, NULL, "P-192", "B-163", "K-163", "sect163r1", "P-224", "B-233", "K-233", "P-256",
      "B-283", "K-283", "P-384", "B-409", "K-409", "P-521", "B-571", "K-571")
NAMES(ibk_srtp_param_name, "Encryption algorithm", "Session encr. key length", "Authentication algorithm",
      "Session auth. key length", "Session salt key length", "SRTP pseudo-random function",
      "Key derivation rate", "SRTP encryption off/on", "SRTCP encryption off/on", "Sender's FEC order",
      "SRTP authentication off/on", "Authentication tag length", "SRTP prefix length")

const char *ibk_payload_name(uint8_t payload_type) {
    if (payload_type == IBK_PL_LAST)
        return "Last payload";
    const ibk_payload_ops *ops = ibk_payload_ops_of(payload_type);
    return ops ? ops->name : "unknown";
}
