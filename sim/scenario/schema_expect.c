/* The keys of `expect:`. */
#include "scenario/schema_table.h"

/* ---- expectations
 * -------------------------------------------------------------------------------------------- */

#define EXPECT(type_, kind)                                                                                  \
    .type = (type_), AT(raw_expect, bounds[SCN_EXPECT_##kind]), .expect = SCN_EXPECT_##kind

static const scn_word reason_words[] = {{"bad-mac", IBK_ERR_BAD_MAC},
                                        {"bad-order", IBK_ERR_BAD_ORDER},
                                        {"bad-value", IBK_ERR_BAD_VALUE},
                                        {"bidding-down", IBK_ERR_BIDDING_DOWN},
                                        {"clock-skew", IBK_ERR_CLOCK_SKEW},
                                        {"decrypt", IBK_ERR_DECRYPT},
                                        {"echo-mismatch", IBK_ERR_ECHO_MISMATCH},
                                        {"identity-mismatch", IBK_ERR_IDENTITY_MISMATCH},
                                        {"infinity", IBK_ERR_INFINITY},
                                        {"missing-payload", IBK_ERR_MISSING_PAYLOAD},
                                        {"mismatch", IBK_ERR_MISMATCH},
                                        {"no-key", IBK_ERR_NO_KEY},
                                        {"no-params", IBK_ERR_NO_PARAMS},
                                        {"not-authorized", IBK_ERR_NOT_AUTHORIZED},
                                        {"not-on-curve", IBK_ERR_NOT_ON_CURVE},
                                        {"peer-error", IBK_ERR_PEER_ERROR},
                                        {"refused", IBK_ERR_REFUSED},
                                        {"replayed", IBK_ERR_REPLAYED},
                                        {"timeout", IBK_ERR_TIMEOUT},
                                        {"unsupported", IBK_ERR_UNSUPPORTED},
                                        {NULL, 0}};

static const scn_field expect_calls_fields[] = {
    {"established", EXPECT(SCN_T_COUNT_BOUND, CALLS_ESTABLISHED),
     .meaning = "how many are established: the caller has the 200 (INVITE) and R_MESSAGE_2"},
    {"completed", EXPECT(SCN_T_COUNT_BOUND, CALLS_COMPLETED),
     .meaning = "how many are established and end by the planned BYE"},
    {"failed", EXPECT(SCN_T_COUNT_BOUND, CALLS_FAILED), .meaning = "how many are never established"},
    {"sip-status", EXPECT(SCN_T_STATUS, CALLS_SIP_STATUS), .min = 300, .max = 699,
     .meaning = "final status of the INVITE, of every one of them"},
    {"reason", EXPECT(SCN_T_WORD, CALLS_REASON), .words = reason_words,
     .meaning = "why an end gave the key exchange up, of every one of them"},
    {"answered-by", EXPECT(SCN_T_USER, CALLS_ANSWERED_BY), .min = 1, .max = 60,
     .meaning =
         "who answered the call, every one of them: the user whose UE sent the 200 that the caller took"},
    {"diverted-by", EXPECT(SCN_T_USER, CALLS_DIVERTED_BY), .min = 1, .max = 60,
     .meaning = "whose diversion the call met last, every one of them"},
    {"retargeted", EXPECT(SCN_T_NUMBER_BOUND, CALLS_RETARGETED),
     .meaning = "diversions of these calls that S-CSCFs carried out, redirections included, in sum"},
    {"legs", EXPECT(SCN_T_NUMBER_BOUND, CALLS_LEGS),
     .meaning =
         "dialogs of the callers in which the exchange was completed (a forked call has several), in sum"},
    {"keys-agree", EXPECT(SCN_T_COUNT_BOUND, CALLS_KEYS_AGREE),
     .meaning = "in how many both ends derive the same keys"},
    {"media-protected", EXPECT(SCN_T_COUNT_BOUND, CALLS_MEDIA_PROTECTED),
     .meaning = "in how many SRTP packets are accepted in both directions, and no plain RTP is sent"},
    {"media-intact", EXPECT(SCN_T_COUNT_BOUND, CALLS_MEDIA_INTACT),
     .meaning = "in how many both ends receive sound, and every accepted packet is what was said"},
    {"setup-time", EXPECT(SCN_T_TIME_BOUND, CALLS_SETUP_TIME),
     .meaning = "from the first INVITE until it is established, for each such call (ringing included)"},
    {"crypto-time", EXPECT(SCN_T_TIME_BOUND, CALLS_CRYPTO_TIME),
     .meaning =
         "what cryptography took of the set-up time, at all nodes, queues for their processors included, "
         "for each established call"},
    {"packets-received", EXPECT(SCN_T_NUMBER_BOUND, CALLS_PACKETS_RECEIVED),
     .meaning = "media packets accepted, for each direction of each established call"},
    {"retransmissions", EXPECT(SCN_T_NUMBER_BOUND, CALLS_RETRANSMISSIONS),
     .meaning = "SIP messages of these calls that are sent again, in sum"},
    {"updates", EXPECT(SCN_T_NUMBER_BOUND, CALLS_UPDATES),
     .meaning = "CSB updates after which both ends hold the same keys, for each established call"},
    {"rekeyings", EXPECT(SCN_T_NUMBER_BOUND, CALLS_REKEYINGS),
     .meaning = "those of them that brought new EC Diffie-Hellman values"},
    {"mki-agreed", EXPECT(SCN_T_NUMBER_BOUND, CALLS_MKI_AGREED),
     .meaning = "those of them whose new keys both ends name by the `mki` of the action"},
    {"updates-refused", EXPECT(SCN_T_NUMBER_BOUND, CALLS_UPDATES_REFUSED),
     .meaning = "CSB updates that were begun and refused, in sum"},
    {"glares", EXPECT(SCN_T_NUMBER_BOUND, CALLS_GLARES),
     .meaning = "offers in mid call that met one of the other side (491), in sum"},
    {"video-received", EXPECT(SCN_T_NUMBER_BOUND, CALLS_VIDEO_RECEIVED),
     .meaning = "video packets accepted, for each direction of each established call"},
    {"packets-lost-in-media", EXPECT(SCN_T_NUMBER_BOUND, CALLS_MEDIA_LOST),
     .meaning =
         "media packets that are missing by their sequence numbers or that the receiver refuses, in sum"},
    {"media-auth-failures", EXPECT(SCN_T_NUMBER_BOUND, CALLS_MEDIA_AUTH_FAILURES),
     .meaning = "SRTP and SRTCP packets that fit none of the receiver's keys, in sum"},
};
static const scn_section expect_calls_section = {
    "expectations of calls", FIELDS(expect_calls_fields), .size = sizeof(raw_expect),
    .meaning =
        "Of all calls, or of one (a repeated one with all its repetitions). A bound that nothing can be held "
        "against, such as a set-up time when no call is established, does not hold."};

static const scn_word keys_failure_words[] = {{"refused", SCN_KEYS_REFUSED},
                                              {"clock-skew", SCN_KEYS_CLOCK_SKEW},
                                              {"not-authorized", SCN_KEYS_NOT_AUTHORIZED},
                                              {"certificate-refused", SCN_KEYS_CERTIFICATE_REFUSED},
                                              {"unknown-kms", SCN_KEYS_UNKNOWN_KMS},
                                              {"no-answer", SCN_KEYS_NO_ANSWER},
                                              {"bad-response", SCN_KEYS_BAD_RESPONSE},
                                              {"no-parameters", SCN_KEYS_NO_PARAMETERS},
                                              {"bad-certificate", SCN_KEYS_BAD_CERTIFICATE},
                                              {NULL, 0}};
static const scn_word parameters_failure_words[] = {
    {"unknown-kms", SCN_PARAMETERS_UNKNOWN_KMS},
    {"no-answer", SCN_PARAMETERS_NO_ANSWER},
    {"no-tls", SCN_PARAMETERS_NO_TLS},
    {"untrusted", SCN_PARAMETERS_UNTRUSTED},
    {"wrong-name", SCN_PARAMETERS_WRONG_NAME},
    {"expired-certificate", SCN_PARAMETERS_EXPIRED_CERTIFICATE},
    {"bad-certificate", SCN_PARAMETERS_BAD_CERTIFICATE},
    {"refused", SCN_PARAMETERS_REFUSED},
    {"malformed", SCN_PARAMETERS_MALFORMED},
    {"unsupported", SCN_PARAMETERS_UNSUPPORTED},
    {"expired", SCN_PARAMETERS_EXPIRED},
    {NULL, 0}};
static const scn_field expect_users_fields[] = {
    {"registered", EXPECT(SCN_T_COUNT_BOUND, USERS_REGISTERED),
     .meaning = "how many are registered with the S-CSCF"},
    {"keys-obtained", EXPECT(SCN_T_COUNT_BOUND, USERS_KEYS_OBTAINED),
     .meaning = "how many receive private keys from their KMS, and verify them"},
    {"private-keys", EXPECT(SCN_T_NUMBER_BOUND, USERS_PRIVATE_KEYS),
     .meaning = "private keys received, for each user who obtains keys"},
    {"keys-failure", EXPECT(SCN_T_WORD, USERS_KEYS_FAILURE), .words = keys_failure_words,
     .meaning = "why their latest key request failed, for every one of them; `refused`: the KMS refused it, "
                "for whatever reason; `clock-skew`, `not-authorized`, `certificate-refused`: for that one"},
    {"key-requests", EXPECT(SCN_T_NUMBER_BOUND, USERS_KEY_REQUESTS),
     .meaning =
         "times that the UE asked its KMS (an unanswered request with its repetitions counts once), for "
         "each user who was switched on"},
    {"keys-held", EXPECT(SCN_T_NUMBER_BOUND, USERS_KEYS_HELD),
     .meaning = "private keys that the UE has at the end, for each user who obtains keys"},
    {"keys-dropped", EXPECT(SCN_T_NUMBER_BOUND, USERS_KEYS_DROPPED),
     .meaning = "private keys that lapsed and were wiped, for each user who obtains keys"},
    {"registrations", EXPECT(SCN_T_NUMBER_BOUND, USERS_REGISTRATIONS),
     .meaning = "how often each registered user was registered, refreshes included"},
    {"messages-stored", EXPECT(SCN_T_NUMBER_BOUND, USERS_MESSAGES_STORED),
     .meaning = "messages that they store as mailboxes, in sum"},
    {"messages-readable", EXPECT(SCN_T_NUMBER_BOUND, USERS_MESSAGES_READABLE),
     .meaning = "stored messages that the mailbox itself can read, with every key that it holds, in sum; "
                "does not hold where none was stored"},
    {"messages-delivered", EXPECT(SCN_T_NUMBER_BOUND, USERS_MESSAGES_DELIVERED),
     .meaning = "messages and pre-encoded content of which they open the ESK and all that arrives, and find "
                "what was said, in sum"},
    {"messages-refused", EXPECT(SCN_T_NUMBER_BOUND, USERS_MESSAGES_REFUSED),
     .meaning = "messages and pre-encoded content that they cannot open, or that were changed, in sum"},
    {"message-reason", EXPECT(SCN_T_WORD, USERS_MESSAGE_REASON), .words = reason_words,
     .meaning = "why they refused the last of those, for every one of them"},
    {"refusals", EXPECT(SCN_T_NUMBER_BOUND, USERS_REFUSALS),
     .meaning = "calls, adversaries' included, of which they gave the key exchange up, in sum"},
    {"refusal", EXPECT(SCN_T_WORD, USERS_REFUSAL), .words = reason_words,
     .meaning = "why they gave up the last of those, for every one of them"},
    {"computing", EXPECT(SCN_T_TIME_BOUND, USERS_COMPUTING),
     .meaning = "how long cryptography kept the processor busy, for each user whose cryptography takes time"},
    {"open-calls", EXPECT(SCN_T_NUMBER_BOUND, USERS_OPEN_CALLS),
     .meaning = "calls of theirs that have not ended when the run does, in sum"},
    {"parameters-obtained", EXPECT(SCN_T_NUMBER_BOUND, USERS_PARAMETERS_OBTAINED),
     .meaning = "sets of public parameters that each user fetches by RFC 5408 and finds in order"},
    {"parameters-failure", EXPECT(SCN_T_WORD, USERS_PARAMETERS_FAILURE), .words = parameters_failure_words,
     .meaning = "why the latest fetch of parameters failed, for every one of them"},
};
static const scn_section expect_users_section = {"expectations of users", FIELDS(expect_users_fields),
                                                 .size = sizeof(raw_expect),
                                                 .meaning = "Of all users, or of one (or a group)."};

static const scn_field expect_kms_fields[] = {
    {"requests-served", EXPECT(SCN_T_NUMBER_BOUND, KMS_REQUESTS_SERVED),
     .meaning = "key requests that were answered with keys"},
    {"requests-refused", EXPECT(SCN_T_NUMBER_BOUND, KMS_REQUESTS_REFUSED),
     .meaning = "key requests that were refused"},
    {"longest-wait", EXPECT(SCN_T_TIME_BOUND, KMS_LONGEST_WAIT),
     .meaning =
         "the longest time that a request waited for a core of the KMS, for each KMS whose cryptography "
         "takes time"},
    {"mean-wait", EXPECT(SCN_T_TIME_BOUND, KMS_MEAN_WAIT), .meaning = "the mean of these waits"},
    {"keys-issued", EXPECT(SCN_T_NUMBER_BOUND, KMS_KEYS_ISSUED), .meaning = "private keys in its answers"},
    {"refusal", EXPECT(SCN_T_WORD, KMS_REFUSAL), .words = reason_words,
     .meaning = "why it refused requests, every one of them"},
    {"computing", EXPECT(SCN_T_TIME_BOUND, KMS_COMPUTING),
     .meaning = "how long cryptography kept its processor busy, if it takes time"},
};
static const scn_section expect_kms_fields_section = {"expectations of a KMS", FIELDS(expect_kms_fields),
                                                      .size = sizeof(raw_expect),
                                                      .meaning = "Of the KMS of one domain."};

static const scn_field expect_adversary_fields[] = {
    {"rules-fired", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_RULES_FIRED),
     .meaning = "rules of it that were applied, once or more often"},
    {"rules-failed", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_RULES_FAILED),
     .meaning = "times that a rule fitted a message and could not be applied, such as for want of a key"},
    {"messages-changed", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_MESSAGES_CHANGED),
     .meaning = "messages that went on as others than they came"},
    {"messages-dropped", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_MESSAGES_DROPPED),
     .meaning = "messages that did not go on"},
    {"messages-sent", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_MESSAGES_SENT),
     .meaning = "messages besides those that came: copies, replays, what it sent by itself"},
    {"calls-accepted", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_CALLS_ACCEPTED),
     .meaning =
         "calls from or to its own node of which the other end took the last message that it waited for"},
    {"calls-keyed", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_CALLS_KEYED),
     .meaning = "those of them whose keys it has"},
    {"flood-answered", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_FLOOD_ANSWERED),
     .meaning = "final answers to its floods, of whatever kind"},
    {"media-injected", EXPECT(SCN_T_NUMBER_BOUND, ADVERSARY_MEDIA_INJECTED),
     .meaning = "media packets that it sent from its own node"},
    {"computing", EXPECT(SCN_T_TIME_BOUND, ADVERSARY_COMPUTING),
     .meaning = "how long cryptography kept its own node's processor busy, if it takes time"},
};
static const scn_section expect_adversary_fields_section = {
    "expectations of an adversary", FIELDS(expect_adversary_fields), .size = sizeof(raw_expect),
    .meaning = "What an adversary did; what it learned is for `knowledge`."};

static const scn_field expect_network_fields[] = {
    {"retransmissions", EXPECT(SCN_T_NUMBER_BOUND, NETWORK_RETRANSMISSIONS),
     .meaning = "SIP messages that are sent again, by all nodes, registration included"},
    {"packets-lost", EXPECT(SCN_T_NUMBER_BOUND, NETWORK_PACKETS_LOST),
     .meaning = "packets that links lose, or drop from a full queue"},
    {"plaintext-media", EXPECT(SCN_T_NUMBER_BOUND, NETWORK_PLAINTEXT_MEDIA),
     .meaning = "packets on the core's links in which the sound can be read"},
};
static const scn_section expect_network_section = {"expectations of the network",
                                                   FIELDS(expect_network_fields), .size = sizeof(raw_expect),
                                                   .meaning = "Of the whole network."};

/* Their value is the bound's: a set of properties. */
#define PROPERTIES_OF(kind)                                                                                  \
    .type = SCN_T_WORDS, AT(raw_expect, bounds[SCN_EXPECT_##kind].value), .expect = SCN_EXPECT_##kind,       \
    .words = property_words

static const scn_word property_words[] = {
#define PROPERTY_WORD(name, word, text) {word, INT64_C(1) << SCN_PROPERTY_##name},
    SCN_PROPERTY_LIST(PROPERTY_WORD)
#undef PROPERTY_WORD
        {NULL, 0}};
static const scn_field expect_security_fields[] = {
    {"holds", PROPERTIES_OF(SECURITY_HOLDS), .meaning = "these are violated by nobody"},
    {"broken", PROPERTIES_OF(SECURITY_BROKEN),
     .meaning = "each of these is violated: for what shows an attack that succeeds"},
};
static const scn_section expect_security_section = {
    "security properties", FIELDS(expect_security_fields), .size = sizeof(raw_expect),
    .meaning = "What must hold of every exchange, whatever an adversary does (docs/properties.md)."};

#define THING_WORD(name, word) {word, SCN_THING_BIT(SCN_THING_##name)},
static const scn_word thing_words[] = {{"nothing", SCN_THING_BIT(SCN_THINGS)},
                                       SCN_THING_LIST(THING_WORD){NULL, 0}};
#undef THING_WORD

static const scn_field expect_knowledge_fields[] = {
    {"who", SCN_T_REFERENCE, AT(raw_knowledge, who), .min = 1, .max = 200,
     .meaning =
         "an adversary, a user or a group, or a node of a core such as `kms.home.example`; each of a group"},
    {"call", SCN_T_REFERENCE, AT(raw_knowledge, call), .min = 1, .max = 60, .computed = "all calls",
     .meaning = "of this call alone"},
    {"learns", SCN_T_WORDS, AT(raw_knowledge, learns), .words = thing_words,
     .meaning =
         "it knows at least these, `session-key` by having opened packets with it; `nothing`: it finds out "
         "nothing at all beyond what it holds, made itself or was given"},
    {"does-not-learn", SCN_T_WORDS, AT(raw_knowledge, lacks), .words = thing_words,
     .meaning = "it knows none of these, of no call"},
};
static const scn_section expect_knowledge_section = {
    "what somebody knows", FIELDS(expect_knowledge_fields), .size = sizeof(raw_knowledge),
    .meaning =
        "What a party knows at the end, as it is found out and not as it is declared (docs/knowledge.md). A "
        "mapping of names does as well as the list: `knowledge: {mallory: {learns: nothing}}`."};

static const scn_section expect_call_section = {"calls by name",
                                                .size = sizeof(raw_expect_named),
                                                .other = &expect_calls_section,
                                                .other_offset = offsetof(raw_expect_named, others),
                                                .other_name_offset = offsetof(raw_expect, name),
                                                .other_word = "<call>",
                                                .meaning = "Calls by their names."};
static const scn_section expect_user_section = {"users by name",
                                                .size = sizeof(raw_expect_named),
                                                .other = &expect_users_section,
                                                .other_offset = offsetof(raw_expect_named, others),
                                                .other_name_offset = offsetof(raw_expect, name),
                                                .other_word = "<user>",
                                                .meaning = "Users by their names."};

static const scn_section expect_kms_section = {"KMSs by domain",
                                               .size = sizeof(raw_expect_named),
                                               .other = &expect_kms_fields_section,
                                               .other_offset = offsetof(raw_expect_named, others),
                                               .other_name_offset = offsetof(raw_expect, name),
                                               .other_word = "<domain>",
                                               .meaning = "KMSs by the names of their domains."};

static const scn_section expect_adversary_section = {"adversaries by name",
                                                     .size = sizeof(raw_expect_named),
                                                     .other = &expect_adversary_fields_section,
                                                     .other_offset = offsetof(raw_expect_named, others),
                                                     .other_name_offset = offsetof(raw_expect, name),
                                                     .other_word = "<adversary>",
                                                     .meaning = "Adversaries by their names."};

static const scn_field expect_fields[] = {
    {"calls", SECTION(raw_expects, calls, expect_calls_section), .meaning = "of all calls"},
    {"call", SECTION(raw_expects, call, expect_call_section), .meaning = "of single calls, by name"},
    {"users", SECTION(raw_expects, users, expect_users_section), .meaning = "of all users"},
    {"user", SECTION(raw_expects, user, expect_user_section),
     .meaning = "of single users or groups, by name"},
    {"kms", SECTION(raw_expects, kms, expect_kms_section), .meaning = "of KMSs, by the name of the domain"},
    {"adversary", SECTION(raw_expects, adversary, expect_adversary_section),
     .meaning = "of adversaries, by name: what they did"},
    {"security", SECTION(raw_expects, security, expect_security_section),
     .meaning = "of security properties"},
    {"knowledge", SCN_T_LIST, AT(raw_expects, knowledge), .section = &expect_knowledge_section,
     .by_name = true, .meaning = "who knows what, and who does not"},
    {"network", SECTION(raw_expects, network, expect_network_section), .meaning = "of the whole network"},
};
const scn_section scn_expect_section = {
    "expect", FIELDS(expect_fields), .size = sizeof(raw_expects),
    .meaning = "What must hold. The run's exit status is 0 if all of it did, 1 if not."};
