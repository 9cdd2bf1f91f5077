/* The names of the contract: those of the registries come from libibake, the others stand here. */
#include "conformance/iut/names.h"

#include <ibake/kms.h>
#include <ibake/session.h>
#include <string.h>

#define WORDS(function, ...)                                                                                 \
    static const char *function(uint8_t value) {                                                             \
        static const char *const words[] = {__VA_ARGS__};                                                    \
        return value < sizeof words / sizeof words[0] ? words[value] : "unknown";                            \
    }

WORDS(envelope_name, "RSAES-PKCS1-v1_5", "RSAES-OAEP", "RSAES-OAEP-SHA-256")
WORDS(granularity_name, "day", "hour", "month")
WORDS(method_name, "PSK", "PKE")
WORDS(issue_name, "period", "current", "next")
WORDS(error_policy_name, "parameters", "silent", "all")
WORDS(kms_errors_name, "all", "authenticated", "silent")
WORDS(accept_name, "none", "echoed", "any")
WORDS(level_name, "session", "media")
WORDS(role_name, "initiator", "responder", "mailbox", "kms", "user", "parser")
WORDS(family_name, "flow", "deviation", "state", "parser", "replay", "sdp", "kms")
WORDS(feature_name, "clock", "random", "keys", "classes", "many", "fork", "update", "update-sessions",
      "settle", "deferred", "esk", "open-esk", "sdp")

#define BIT(value) (UINT32_C(1) << (value))
#define FIRST(n)   (BIT(n) - 1)
#define STRONG     (BIT(IBK_EC_P256) | BIT(IBK_EC_P384) | BIT(IBK_EC_P521))

const iut_kind iut_prfs = {ibk_prf_name, FIRST(2)};
/* NULL encryption of keys and NULL MACs are not to be had: RFC 3830 §4.2.3, §4.2.4 */
const iut_kind iut_encryptions = {ibk_encr_alg_name, FIRST(4) & ~BIT(IBK_ENCR_NULL)};
const iut_kind iut_macs = {ibk_mac_alg_name, FIRST(3) & ~BIT(IBK_MAC_NULL)};
const iut_kind iut_curves = {ibk_ec_curve_name, STRONG | BIT(IBK_EC_P192) | BIT(IBK_EC_P224)};
const iut_kind iut_own_curves = {ibk_ec_curve_name, STRONG}; /* P-21 */
const iut_kind iut_timestamps = {ibk_ts_type_name, FIRST(4)};
const iut_kind iut_maps = {ibk_map_type_name, FIRST(3)};
const iut_kind iut_signatures = {ibk_sig_type_name, FIRST(2)};
const iut_kind iut_envelopes = {envelope_name, FIRST(3)};
const iut_kind iut_granularities = {granularity_name, FIRST(3)};
const iut_kind iut_methods = {method_name, FIRST(2)};
const iut_kind iut_issues = {issue_name, FIRST(3)};
const iut_kind iut_error_policies = {error_policy_name, FIRST(3)};
const iut_kind iut_kms_errors = {kms_errors_name, FIRST(3)};
const iut_kind iut_accepts = {accept_name, FIRST(3)};
const iut_kind iut_levels = {level_name, FIRST(2)};
const iut_kind iut_roles = {role_name, FIRST(6)};
const iut_kind iut_families = {family_name, FIRST(7)};
const iut_kind iut_features = {feature_name, FIRST(13)};

bool iut_kind_find(const iut_kind *kind, const char *name, size_t len, uint8_t *value) {
    for (uint8_t v = 0; v < 32; v++) {
        if (!(kind->values & BIT(v)))
            continue;
        const char *candidate = kind->name(v);
        if (strlen(candidate) == len && memcmp(candidate, name, len) == 0) {
            *value = v;
            return true;
        }
    }
    return false;
}

static const char *class_of_code(ibk_err err) {
    switch (err) {
    case IBK_ERR_UNSUPPORTED:
    case IBK_ERR_BAD_VERSION:
        return "unsupported";
    case IBK_ERR_STATE:
    case IBK_ERR_UNEXPECTED_MESSAGE:
        return "unexpected";
    case IBK_ERR_MISSING_PAYLOAD:
    case IBK_ERR_UNEXPECTED_PAYLOAD:
        return "payload";
    case IBK_ERR_MISMATCH:
    case IBK_ERR_BIDDING_DOWN:
        return "mismatch";
    case IBK_ERR_ECHO_MISMATCH:
        return "echo";
    case IBK_ERR_IDENTITY_MISMATCH:
        return "identity";
    case IBK_ERR_DECRYPT:
        return "decryption";
    case IBK_ERR_REPLAYED:
        return "replay";
    case IBK_ERR_CLOCK_SKEW:
        return "clock";
    case IBK_ERR_NO_KEY:
    case IBK_ERR_NO_PARAMS:
        return "no-key";
    case IBK_ERR_PEER_ERROR:
        return "peer-error";
    case IBK_ERR_TIMEOUT:
        return "timeout";
    case IBK_ERR_LIMIT:
    case IBK_ERR_CACHE_FULL:
        return "policy";
    default:
        return NULL;
    }
}

const char *iut_error_class(ibk_err err) {
    const char *class = class_of_code(err);
    if (class)
        return class;
    switch (ibk_err_category(err)) {
    case IBK_CAT_WIRE:
        return "malformed";
    case IBK_CAT_DER:
    case IBK_CAT_MATH:
        return "encoding";
    case IBK_CAT_CRYPTO:
        return "authentication";
    case IBK_CAT_USAGE: /* a setting that the implementation does not permit */
    case IBK_CAT_POLICY:
        return "policy";
    default:
        return "internal";
    }
}
