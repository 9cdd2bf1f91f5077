/* ibakelab: the defences of libibake as switches, for laboratories and tests alone: the attack that a defence
 * stops succeeds against an end that lacks it. docs/defences.md tells of each where it comes from and what an
 * attacker gains without it.
 *
 * `without` in ibk_policy, ibk_key_request_config and ibk_kms_config, and of ibk_ibe_params_parse_without, is
 * a set of these bits. 0, which every zeroed configuration has, is all defences on; a bit says nothing where
 * its defence has no place. A defence that is off costs security and never memory safety: no input makes an
 * end without it read or write where it should not, or run without end. */
#ifndef IBAKE_DEFENCES_H
#define IBAKE_DEFENCES_H

#include <ibake/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, word, what it does; of a user's end: ibk_policy, ibk_key_request_config, ibk_ibe_params_parse_without
 */
#define IBK_USER_DEFENCES(X)                                                                                 \
    /* the exchange: ibk_policy */                                                                           \
    X(REPLAY_CACHE, "replay-cache", "a message that was accepted before is refused")                         \
    X(CLOCK_SKEW, "clock-skew", "a T too far from our clock is refused, by a KMS as well")                   \
    X(INNER_IDENTITIES, "inner-identities", "the identities in IBAKE are those outside")                     \
    X(OUTER_IDENTITIES, "outer-identities", "later messages name the parties of the exchange")               \
    X(ECHO, "echo", "our own point comes back in the answer to it")                                          \
    X(V, "v", "the MAC of R_MESSAGE_2 and of an update's answer is right")                                   \
    X(NULL_MAC, "null-mac", "a V with the NULL MAC is refused")                                              \
    X(BIDDING_DOWN, "bidding-down", "the answer repeats what we offered")                                    \
    X(HEADER_REPEAT, "header-repeat", "PRF, CSB ID, #CS, CS ID map and MKI are repeated")                    \
    X(TIMESTAMP_REPEAT, "timestamp-repeat", "an answer copies the T of what it answers")                     \
    X(RAND_REPEAT, "rand-repeat", "I_MESSAGE_2 repeats the RAND of I_MESSAGE_1")                             \
    X(CSB_UNIQUE, "csb-unique", "a CSB ID in use between two parties is not used again")                     \
    X(UPDATE_ORDER, "update-order", "an update is newer than all that counted before")                       \
    X(POLICY_IN_FORCE, "policy-in-force", "an update changes no crypto session and no policy in force")      \
    X(FRESH_POINT, "fresh-point", "an update brings an ECDH value that was not in use before")               \
    X(ANSWERER_POLICY, "answerer-policy", "who answers is the one called, or accepted in that place")        \
    X(NULL_SRTP, "null-srtp", "policies without encryption or authentication are refused")                   \
    X(MEDIA_AFTER_VERIFICATION, "media-after-verification", "no media before R_MESSAGE_2 is verified")       \
    X(POINT_ON_CURVE, "point-on-curve", "an ECDH value is a point of its curve")                             \
    X(WIPE, "wipe", "x, y and TGK are wiped as soon as they have served")                                    \
    /* identity-based encryption: ibk_ibe_params_parse_without */                                            \
    X(U_IN_GROUP, "u-in-group", "U of a ciphertext is on the curve, and of no small order")                  \
    X(IBE_INTEGRITY, "ibe-integrity", "U = [l]P holds for what was decrypted")                               \
    X(PARAMETERS_CHECK, "parameters-check", "public parameters are a valid set")                             \
    X(KEY_VERIFICATION, "key-verification", "a private key from a KMS is that of its identity")              \
    /* the key request: ibk_key_request_config */                                                            \
    X(RESPONSE_MAC, "response-mac", "the MAC of REQUEST_KEY_RESP is right")

/* of a KMS: ibk_kms_config; with IBK_DEFENCE_CLOCK_SKEW */
#define IBK_KMS_DEFENCES(X)                                                                                  \
    X(KMS_AUTHORIZATION, "kms-authorization", "users get the keys of their own identities alone")            \
    X(KMS_REPLAY_CACHE, "kms-replay-cache", "a request that was served before is refused")                   \
    X(KMS_MAC, "kms-mac", "the MAC of REQUEST_KEY_PSK is right")                                             \
    X(KMS_SIGNATURE, "kms-signature", "the signature of REQUEST_KEY_PKE is right")                           \
    X(USER_CERTIFICATE, "user-certificate", "the certificate of a request leads to a trust anchor")          \
    X(ISSUE_WINDOW, "issue-window", "no keys of long ago, or of far ahead, are issued")

#define IBK_DEFENCE_LIST(X) IBK_USER_DEFENCES(X) IBK_KMS_DEFENCES(X)

enum ibk_defence_index {
#define IBK_DEFENCE_INDEX(name, word, text) IBK_DEFENCE_INDEX_##name,
    IBK_DEFENCE_LIST(IBK_DEFENCE_INDEX)
#undef IBK_DEFENCE_INDEX
        IBK_DEFENCES
};

/* One bit each. */
enum ibk_defence {
#define IBK_DEFENCE_BIT(name, word, text) IBK_DEFENCE_##name = 1 << IBK_DEFENCE_INDEX_##name,
    IBK_DEFENCE_LIST(IBK_DEFENCE_BIT)
#undef IBK_DEFENCE_BIT
};

/* "replay-cache", and what it does in a few words; "unknown" for what is no single bit of these. */
const char *ibk_defence_name(uint32_t defence);
const char *ibk_defence_text(uint32_t defence);

/* Is the defence on? */
static inline bool ibk_guards(uint32_t without, uint32_t defence) {
    return (without & defence) == 0;
}

#ifdef __cplusplus
}
#endif
#endif
