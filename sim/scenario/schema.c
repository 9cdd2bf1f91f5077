#include "scenario/schema_table.h"
#include <string.h>

/* ---- network --------------------------------------------------------------------------------------------
 */

static const scn_field network_fields[] = {
    {"ip", SCN_T_ENUM, AT(raw_network, network.ip), .fallback = "4", .words = WORDS({"4", 4}, {"6", 6}),
     .meaning = "IP version of every node and link"},
};
static const scn_section network_section = {"the network", FIELDS(network_fields),
                                            .size = sizeof(raw_network),
                                            .meaning = "What holds for the whole network."};

#define LINK_FIELDS(delay_, rate_)                                                                           \
    {                                                                                                        \
        {"delay",                                                                                            \
         TIME,                                                                                               \
         AT(raw_link, link.delay_ns),                                                                        \
         .fallback = delay_,                                                                                 \
         .max = 10 * S,                                                                                      \
         .meaning = "one-way propagation delay"},                                                            \
            {"rate",                                                                                         \
             SCN_T_QUANTITY,                                                                                 \
             AT(raw_link, link.rate_bps),                                                                    \
             .fallback = rate_,                                                                              \
             .min = 1000,                                                                                    \
             .max = 100 * S,                                                                                 \
             .quantity = &scn_rate_quantity,                                                                 \
             .meaning = "data rate of each direction"},                                                      \
            {"loss",                                                                                         \
             SCN_T_QUANTITY,                                                                                 \
             AT(raw_link, link.loss_ppb),                                                                    \
             .fallback = "0 %",                                                                              \
             .max = 1000000000,                                                                              \
             .quantity = &scn_share_quantity,                                                                \
             .meaning = "share of the packets that are lost, each direction and packet by itself"},          \
            {"queue",                                                                                        \
             SCN_T_QUANTITY,                                                                                 \
             AT(raw_link, link.queue_packets),                                                               \
             .fallback = "100 packets",                                                                      \
             .min = 1,                                                                                       \
             .max = 100000,                                                                                  \
             .quantity = &scn_packets_quantity,                                                              \
             .meaning = "length of the sending queue; what comes when it is full is dropped"},               \
            {"mtu",                                                                                          \
             SCN_T_QUANTITY,                                                                                 \
             AT(raw_link, link.mtu),                                                                         \
             .fallback = "1500 bytes",                                                                       \
             .min = 576,                                                                                     \
             .max = 9000,                                                                                    \
             .quantity = &scn_octets_quantity,                                                               \
             .meaning = "largest IP packet (at least 1280 bytes with `ip: 6`)"},                             \
    }
static const scn_field access_fields[] = LINK_FIELDS("20 ms", "10 Mbit/s");
static const scn_field core_fields[] = LINK_FIELDS("2 ms", "1 Gbit/s");
static const scn_section access_section = {"a link class", FIELDS(access_fields), .size = sizeof(raw_link),
                                           .meaning = "Links between a UE and its P-CSCF's site."};
static const scn_section core_section = {"the core's links", FIELDS(core_fields), .size = sizeof(raw_link),
                                         .meaning = "Links between the nodes of the core."};
static const scn_section interconnect_section = {"the links between home networks", FIELDS(core_fields),
                                                 .size = sizeof(raw_link),
                                                 .meaning = "Links between the cores of two domains."};
static const scn_section class_section = {
    "a link class", FIELDS(access_fields), .size = sizeof(raw_link),
    .meaning = "A further class of access links, for users who name it in their key `link`."};

static const scn_field links_fields[] = {
    {"access", SECTION(raw_links, access, access_section), .meaning = "links between UEs and the core"},
    {"core", SECTION(raw_links, core, core_section), .meaning = "links between the nodes of the core"},
    {"interconnect", SECTION(raw_links, interconnect, interconnect_section),
     .meaning = "links between the cores of two domains"},
};
static const scn_section links_section = {"links",
                                          FIELDS(links_fields),
                                          .size = sizeof(raw_links),
                                          .other = &class_section,
                                          .other_offset = offsetof(raw_links, others),
                                          .other_name_offset = offsetof(raw_link, link.name),
                                          .other_word = "<class>",
                                          .meaning = "Classes of point-to-point links."};

/* ---- home networks ----------------------------------------------------------------------------------------
 */

static const scn_word prf_words[] = {
    {"MIKEY-1", IBK_PRF_MIKEY_1}, {"HMAC-SHA-256", IBK_PRF_HMAC_SHA256}, {NULL, 0}};

static const scn_field outage_fields[] = {
    {"from", TIME, AT(raw_outage, outage.from_ns), .required = true, .max = 400 * D,
     .meaning = "when the KMS goes down"},
    {"for", TIME, AT(raw_outage, outage.for_ns), .required = true, .min = S, .max = 400 * D,
     .meaning = "how long it stays down"},
};
static const scn_section outage_section = {
    "an outage", FIELDS(outage_fields), .size = sizeof(raw_outage), .optional = true,
    .meaning = "While it lasts nothing listens at the KMS: connections are refused, open ones end."};

static const scn_word parameters_words[] = {
    {"provisioned", SCN_PROVISIONED}, {"rfc5408", SCN_RFC5408}, {NULL, 0}};

static const scn_field kms_fields[] = {
    {"identity", SCN_T_NAI, AT(raw_kms, kms.identity), .computed = "`kms@` and the domain's name", .min = 3,
     .max = 250,
     .meaning = "identity of the KMS in IDRkms; key requests go to the host that is called so with a dot in "
                "place of the @"},
    {"parameters", SCN_T_ENUM, AT(raw_kms, kms.parameters), .computed = "3072 unless files are given",
     .words = WORDS({"1024", 1024}, {"2048", 2048}, {"3072", 3072}),
     .meaning =
         "ready-made Boneh-Franklin parameters with their master secret: bits of the field F_p^2, for 80, "
         "112 and 128 bits of strength"},
    {"parameters-file", SCN_T_FILE, AT(raw_kms, kms.parameters_file),
     .meaning = "in place of `parameters`: DER BFPublicParameters, as `ibakelab kms init` writes them"},
    {"master-file", SCN_T_FILE, AT(raw_kms, kms.master_file),
     .meaning = "DER BFMasterSecret that belongs to `parameters-file`"},
    {"granularity", SCN_T_ENUM, AT(raw_kms, kms.granularity), .fallback = "day",
     .words = WORDS({"hour", IBK_GRANULARITY_HOUR}, {"day", IBK_GRANULARITY_DAY},
                    {"month", IBK_GRANULARITY_MONTH}),
     .meaning = "how long a private key is for: its IBE identity ends in that date (P-9)"},
    {"issue", SCN_T_ENUM, AT(raw_kms, kms.issue), .fallback = "period",
     .words = WORDS({"period", IBK_ISSUE_PERIOD}, {"current", IBK_ISSUE_CURRENT}, {"next", IBK_ISSUE_NEXT}),
     .meaning = "the keys that one request yields (P-10): those of the whole period (every day of the month; "
                "every hour of the day; this month and the next), the current one alone, or it and the next"},
    {"errors", SCN_T_ENUM, AT(raw_kms, kms.errors), .fallback = "all",
     .words = WORDS({"all", IBK_KMS_ERRORS_ALL}, {"authenticated", IBK_KMS_ERRORS_AUTHENTICATED},
                    {"silent", IBK_KMS_ERRORS_SILENT}),
     .meaning = "who is told by an Error message that a request is refused: all, those who proved their PSK, "
                "nobody"},
    {"issue-back", TIME, AT(raw_kms, kms.issue_back_ns), .fallback = "0 s", .max = 400 * D,
     .meaning =
         "how long after its period a key is still issued to a user who asks for it by its IBE identity "
         "(P-10), beyond the clock skew: for messages that are delivered later"},
    {"encryption", SCN_T_ENUM, AT(raw_kms, kms.encryption), .fallback = "AES-CM-128",
     .words = WORDS({"AES-CM-128", IBK_ENCR_AES_CM_128}, {"AES-CM-256", IBK_ENCR_AES_CM_256},
                    {"AES-KW-128", IBK_ENCR_AES_KW_128}),
     .meaning = "encryption of the private keys in KEMAC"},
    {"mac", SCN_T_ENUM, AT(raw_kms, kms.mac), .fallback = "HMAC-SHA-256-256",
     .words = WORDS({"HMAC-SHA-1-160", IBK_MAC_HMAC_SHA1_160}, {"HMAC-SHA-256-256", IBK_MAC_HMAC_SHA256_256}),
     .meaning = "MAC of V in key requests and their responses"},
    {"prf", SCN_T_ENUM, AT(raw_kms, kms.prf), .fallback = "HMAC-SHA-256", .words = prf_words,
     .meaning = "pseudo-random function of key requests and their responses"},
    {"outage", SECTION(raw_kms, outage, outage_section), .meaning = "a time in which it is down"},
    {"wrong-keys", SCN_T_BOOL, AT(raw_kms, kms.wrong_keys), .fallback = "false",
     .meaning =
         "`true`: the private keys that it issues are made with another master secret than that of its "
         "public parameters"},
    {"cpu", SCN_T_CPU, AT(raw_kms, kms.cpu), .fallback = "instant",
     .meaning = "model of its processor (docs/cpu-models.md): how long the cryptography of an answer takes; "
                "a file is "
                "one that `ibakelab bench crypto --emit-cpu-model` writes"},
    {"cores", SCN_T_UINT, AT(raw_kms, kms.cores), .fallback = "1", .min = 1, .max = CPU_MAX_CORES,
     .meaning = "cores of its processor: answers are computed one on each core, in the order in which "
                "requests came"},
    {"tls", SCN_T_ENUM, AT(raw_kms, kms.tls), .fallback = "on", .words = WORDS({"on", true}, {"off", false}),
     .meaning =
         "RFC 5408's requests (parameters, and keys with `key-request: rfc5408`) go over TLS 1.3 to port "
         "443; `off`: over plain HTTP to port 80, which RFC 5408 forbids"},
    {"certificate", SCN_T_ENUM, AT(raw_kms, kms.certificate), .fallback = "trusted",
     .words = WORDS({"trusted", SCN_CERT_TRUSTED}, {"self-signed", SCN_CERT_SELF_SIGNED},
                    {"untrusted-ca", SCN_CERT_UNTRUSTED_CA}, {"wrong-name", SCN_CERT_WRONG_NAME},
                    {"expired", SCN_CERT_EXPIRED}),
     .meaning = "the certificate that its HTTPS server shows, and the one that REQUEST_KEY_PKE encrypts to"},
    {"parameters-for-users", SCN_T_ENUM, AT(raw_kms, kms.parameters_for_users), .fallback = "provisioned",
     .words = parameters_words,
     .meaning =
         "how the users of this domain come to its parameters: they have them, or fetch them by RFC 5408 "
         "when they are switched on"},
    {"parameters-for-others", SCN_T_ENUM, AT(raw_kms, kms.parameters_for_others), .fallback = "rfc5408",
     .words = parameters_words,
     .meaning =
         "how users of other domains come to its parameters: they fetch them by RFC 5408 when they first "
         "need them, or have them"},
    {"parameters-validity", TIME, AT(raw_kms, kms.parameters_validity_ns), .fallback = "30 d", .min = 60 * S,
     .max = 400 * D,
     .meaning = "how long a published set of parameters is valid; it is renewed at half-time"},
    {"without", SCN_T_WORDS, AT(raw_kms, kms.without), .words = scn_kms_defence_words,
     .meaning = "defences that this KMS lacks, to show what each of them is for (docs/defences.md)"},
};
static const scn_section kms_section = {"a KMS", FIELDS(kms_fields), .size = sizeof(raw_kms),
                                        .meaning = "The key management service of a domain, kms.<domain>."};

static const scn_field mikey_fields[] = {
    {"timestamp", SCN_T_ENUM, AT(raw_mikey, mikey.timestamp), .fallback = "NTP-UTC",
     .words = WORDS({"NTP-UTC", IBK_TS_NTP_UTC}, {"NTP", IBK_TS_NTP}, {"COUNTER", IBK_TS_COUNTER},
                    {"NTP-UTC-32", IBK_TS_NTP_UTC_32}),
     .meaning = "type of the T payload that UEs of this domain send"},
    {"clock-skew", TIME, AT(raw_mikey, mikey.clock_skew_ns), .fallback = "5 min", .min = S, .max = 24 * H,
     .meaning = "a T that differs from the receiver's clock by more is refused (RFC 3830 §5.4)"},
    {"replay-cache", SCN_T_UINT, AT(raw_mikey, mikey.replay_cache), .fallback = "4096", .min = 1,
     .max = 1000000,
     .meaning =
         "messages that each UE's and the KMS's replay cache holds; when it is full, messages are refused"},
};
static const scn_section mikey_section = {"mikey", FIELDS(mikey_fields), .size = sizeof(raw_mikey),
                                          .meaning =
                                              "What the UEs and the KMS of a domain do in every exchange."};

static const scn_field domain_fields[] = {
    {"name", SCN_T_DOMAIN, AT(raw_domain, name), .required = true, .min = 1, .max = 180,
     .meaning = "DNS name of the home network; its nodes are pcscf., icscf., scscf., hss. and kms. of it"},
    {"forking", SCN_T_ENUM, AT(raw_domain, forking), .fallback = "parallel",
     .words = WORDS({"parallel", SCN_FORK_PARALLEL}, {"sequential", SCN_FORK_SEQUENTIAL}),
     .meaning = "how its S-CSCF calls a user with several contacts: all at once, or one after the other by "
                "their `priority`"},
    {"forking-timeout", TIME, AT(raw_domain, forking_timeout_ns), .fallback = "20 s", .min = S,
     .max = 170 * S, .meaning = "with sequential forking: how long one contact may take to answer"},
    {"kms", SECTION(raw_domain, kms, kms_section), .meaning = "its key management service"},
    {"mikey", SECTION(raw_domain, mikey, mikey_section), .meaning = "its MIKEY settings"},
};
static const scn_section domain_section = {"a domain", FIELDS(domain_fields), .size = sizeof(raw_domain),
                                           .meaning = "An IMS home network."};

/* ---- users ------------------------------------------------------------------------------------------------
 */

static const scn_field divert_fields[] = {
    {"to", SCN_T_REFERENCE, AT(raw_divert, to), .required = true, .min = 1, .max = 60,
     .meaning = "the user who gets the call instead"},
    {"when", SCN_T_ENUM, AT(raw_divert, divert.when), .fallback = "always",
     .words = WORDS({"always", SCN_DIVERT_ALWAYS}, {"unregistered", SCN_DIVERT_UNREGISTERED},
                    {"busy", SCN_DIVERT_BUSY}, {"no-answer", SCN_DIVERT_NO_ANSWER}),
     .meaning =
         "which calls are diverted: every one; those that find no contact; that are answered 486; that "
         "are not answered in time"},
    {"after", TIME, AT(raw_divert, divert.after_ns), .fallback = "5 s", .min = 100 * MS, .max = 170 * S,
     .meaning = "with `no-answer`: how long the user may take to answer"},
    {"how", SCN_T_ENUM, AT(raw_divert, divert.how), .fallback = "silent",
     .words = WORDS({"silent", SCN_DIVERT_SILENT}, {"notify", SCN_DIVERT_NOTIFY},
                    {"redirect", SCN_DIVERT_REDIRECT}),
     .meaning = "`silent`: the S-CSCF sends the INVITE on to the new target; `notify`: it also tells the "
                "caller by 181, and the target by History-Info; `redirect`: it answers 302, and the caller "
                "calls the new target itself"},
};
static const scn_section divert_section = {
    "a diversion", FIELDS(divert_fields), .size = sizeof(raw_divert), .optional = true,
    .meaning = "Communication diversion (3GPP TS 24.604), carried out by the S-CSCF of the called user."};

static const scn_field identity_fields[] = {
    {"identity", SCN_T_URI, AT(raw_identity, identity), .required = true, .min = 5, .max = 250,
     .meaning = "`tel:` and a global number, or a `sip:` URI of the user's domain"},
};
static const scn_section identity_section = {
    "an identity", FIELDS(identity_fields), .size = sizeof(raw_identity),
    .meaning =
        "A further public identity. The UE has private keys of it as of the first one, and is registered "
        "under it implicitly (3GPP TS 23.228 §5.2.1a)."};

static const scn_word curve_words[] = {
    {"P-256", IBK_EC_P256}, {"P-384", IBK_EC_P384}, {"P-521", IBK_EC_P521}, {NULL, 0}};

static const scn_field user_fields[] = {
    {"name", SCN_T_NAME, AT(raw_user, user.name), .required = true, .min = 1, .max = 60,
     .meaning = "unique name; in a group with `{n}`, which becomes 1, 2, 3 …"},
    {"count", SCN_T_UINT, AT(raw_user, group), .fallback = "1", .min = 1, .max = SCN_MAX_USERS,
     .meaning = "a group of that many users"},
    {"domain", SCN_T_REFERENCE, AT(raw_user, domain), .computed = "the only domain", .min = 1, .max = 200,
     .meaning = "name of the home network"},
    {"identity", SCN_T_URI, AT(raw_user, user.identity), .computed = "`sip:NAME@DOMAIN`", .min = 5,
     .max = 250, .meaning = "public identity, in SIP and in MIKEY; a `sip:` URI"},
    {"identities", SCN_T_LIST, AT(raw_user, identities), .section = &identity_section,
     .meaning = "further public identities, at most 3; a call names them by `called-as`"},
    {"private-identity", SCN_T_NAI, AT(raw_user, user.private_identity), .computed = "`NAME@DOMAIN`",
     .min = 3, .max = 250, .meaning = "private identity, the user name of digest authentication"},
    {"password", SCN_T_PASSWORD, AT(raw_user, user.password), .fallback = "auto", .min = 1, .max = 128,
     .meaning = "digest password that the UE uses; `auto` is drawn from the seed"},
    {"hss-password", SCN_T_PASSWORD, AT(raw_user, user.hss_password), .computed = "that of `password`",
     .min = 1, .max = 128,
     .meaning = "digest password that the HSS knows: another one makes registration fail"},
    {"psk", SCN_T_KEY, AT(raw_user, psk), .fallback = "auto", .min = 16, .max = SCN_PSK_MAX,
     .meaning = "key that the UE shares with its KMS; `auto` is drawn from the seed"},
    {"kms-psk", SCN_T_KEY, AT(raw_user, kms_psk), .computed = "that of `psk`", .min = 16, .max = SCN_PSK_MAX,
     .meaning = "key that the KMS has on file for this user: another one makes key requests fail"},
    {"key-request", SCN_T_ENUM, AT(raw_user, user.key_request), .fallback = "psk",
     .words = WORDS({"psk", SCN_KEY_REQUEST_PSK}, {"pke", SCN_KEY_REQUEST_PKE},
                    {"rfc5408", SCN_KEY_REQUEST_RFC5408}),
     .meaning =
         "how the UE asks its KMS for private keys: REQUEST_KEY_PSK or REQUEST_KEY_PKE (RFC 6267), or XML "
         "with HTTP Basic over TLS (RFC 5408 §5)"},
    {"certificate", SCN_T_ENUM, AT(raw_user, user.certificate), .fallback = "trusted",
     .words = WORDS({"trusted", SCN_CERT_TRUSTED}, {"self-signed", SCN_CERT_SELF_SIGNED},
                    {"untrusted-ca", SCN_CERT_UNTRUSTED_CA}, {"wrong-name", SCN_CERT_WRONG_NAME},
                    {"expired", SCN_CERT_EXPIRED}),
     .meaning = "the user's certificate with `key-request: pke`"},
    {"key-password", SCN_T_PASSWORD, AT(raw_user, user.key_password), .fallback = "auto", .min = 1,
     .max = 128,
     .meaning =
         "password that the UE uses with `key-request: rfc5408`, its user name is the private identity; "
         "`auto` is drawn from the seed"},
    {"kms-key-password", SCN_T_PASSWORD, AT(raw_user, user.kms_key_password),
     .computed = "that of `key-password`", .min = 1, .max = 128,
     .meaning = "password that the KMS has on file for this user: another one makes such key requests fail"},
    {"kms", SCN_T_NAI, AT(raw_user, user.kms), .computed = "the identity of the domain's KMS", .min = 3,
     .max = 250,
     .meaning = "identity of the KMS that the UE asks for its keys; one that is not there is unknown"},
    {"kms-authorized", SCN_T_BOOL, AT(raw_user, user.kms_authorized), .fallback = "true",
     .meaning = "`false`: the KMS knows the user, and refuses it every key"},
    {"ask-for", SCN_T_ENUM, AT(raw_user, user.ask_for), .fallback = "issue",
     .words = WORDS({"issue", SCN_ASK_ISSUE}, {"current", SCN_ASK_CURRENT}),
     .meaning =
         "what the UE asks for (P-10): by its identity, for all keys of the KMS's current issue; or by "
         "the one IBE identity of now, for that key alone"},
    {"refresh-before", TIME, AT(raw_user, user.refresh_before_ns), .fallback = "12 h", .min = S,
     .max = 366 * D,
     .meaning = "it asks for further keys that long before the last one lapses, and again, with growing "
                "pauses, while the KMS does not answer"},
    {"link", SCN_T_REFERENCE, AT(raw_user, link), .fallback = "access", .min = 1, .max = 60,
     .meaning = "class of its access link, one of `links`"},
    {"clock-offset", SCN_T_OFFSET, AT(raw_user, user.clock_offset_ns), .fallback = "0 s", .min = -366 * D,
     .max = 366 * D, .meaning = "its wall clock minus the true time"},
    {"on", TIME, AT(raw_user, user.on_ns), .fallback = "0 s", .max = 400 * D,
     .meaning = "when it is switched on: it then registers and asks for its keys"},
    {"every", TIME, AT(raw_user, every_ns), .fallback = "0 s", .max = H,
     .meaning = "in a group: each user is switched on that much after the one before"},
    {"register", SCN_T_BOOL, AT(raw_user, user.register_), .fallback = "true",
     .meaning = "`false`: the user never registers, yet asks for its keys"},
    {"keep-keys", TIME, AT(raw_user, user.keep_keys_ns), .fallback = "0 s", .max = 400 * D,
     .meaning =
         "how long after its period the UE keeps a private key, beyond the clock skew: for messages that "
         "are delivered later"},
    {"errors", SCN_T_ENUM, AT(raw_user, user.errors), .fallback = "parameters",
     .words =
         WORDS({"parameters", IBK_ERRORS_PARAMETERS}, {"silent", IBK_ERRORS_SILENT}, {"all", IBK_ERRORS_ALL}),
     .meaning =
         "what a UE that aborts an exchange tells its peer by an Error message: unsupported parameters, "
         "nothing, or failed authentication, decryption and echo too (P-16)"},
    {"contact-of", SCN_T_REFERENCE, AT(raw_user, contact_of), .min = 1, .max = 60,
     .meaning = "this is a further device of that user: it registers its contact under that user's public "
                "identity, has the private keys of that identity and of its own, and answers with its own"},
    {"priority", SCN_T_QUANTITY, AT(raw_user, user.priority), .fallback = "1", .max = 1000,
     .quantity = &scn_priority_quantity,
     .meaning = "q-value of its contact: with sequential forking the highest is called first"},
    {"accept-answer-from", SCN_T_ENUM, AT(raw_user, user.accept), .fallback = "asked",
     .words = WORDS({"asked", SCN_ACCEPT_ASKED}, {"domain", SCN_ACCEPT_DOMAIN}, {"any", SCN_ACCEPT_ANY}),
     .meaning =
         "as a caller: whose answer it accepts (P-19): that of the identity it called alone; anybody's "
         "of that identity's domain; anybody's"},
    {"answers-for-others", SCN_T_BOOL, AT(raw_user, user.answers_for_others),
     .computed = "`true` for a mailbox and where a `divert` names the user",
     .meaning = "answers a call whose I_MESSAGE_1 it cannot read, with [y]P alone (RFC 6267 §4.2.2.2)"},
    {"curve", SCN_T_ENUM, AT(raw_user, user.curve), .fallback = "P-256", .words = curve_words,
     .meaning = "curve of [y]P in such an answer; the caller follows (P-28)"},
    {"answers", SCN_T_BOOL, AT(raw_user, user.answers), .fallback = "true",
     .meaning = "`false`: its phone rings and nobody answers"},
    {"ring-time", TIME, AT(raw_user, user.ring_ns), .max = 180 * S, .computed = "that of the call",
     .meaning = "from its 180 to its 200, in place of the call's"},
    {"busy", SCN_T_ENUM, AT(raw_user, user.busy), .fallback = "never",
     .words = WORDS({"never", SCN_BUSY_NEVER}, {"in-call", SCN_BUSY_IN_CALL}, {"always", SCN_BUSY_ALWAYS}),
     .meaning = "when it answers 486 Busy Here: never (it takes several calls), while it has a call, always"},
    {"divert", SECTION(raw_user, divert, divert_section), .meaning = "where calls for this user go instead"},
    {"mailbox", SCN_T_BOOL, AT(raw_user, user.mailbox), .fallback = "false",
     .meaning = "its UE is a mailbox of the domain: it stores content for users whose calls are diverted to "
                "it, is told of every registration and deregistration by the S-CSCF (3GPP TS 24.229 "
                "§5.4.1.7), and then delivers (RFC 6267 §3.3)"},
    {"mailbox-tampers", SCN_T_ENUM, AT(raw_user, user.tampering), .fallback = "none",
     .words = WORDS({"none", SCN_TAMPER_NONE}, {"esk", SCN_TAMPER_ESK}, {"content", SCN_TAMPER_CONTENT}),
     .meaning = "what a dishonest mailbox changes in each message that it hands on: an octet of the ESK, an "
                "octet of one packet of content"},
    {"off", TIME, AT(raw_user, user.off_ns), .max = 400 * D, .computed = "never",
     .meaning = "when it is switched off: it then deregisters"},
    {"restart", TIME, AT(raw_user, user.restart_ns), .max = 400 * D, .computed = "never",
     .meaning =
         "when its UE restarts: it hangs up and loses its replay cache, which is kept in memory alone, so "
         "that it "
         "refuses calls until the clock skew has passed (RFC 3830 §5.4); private keys and registration stay"},
    {"ask-also", SCN_T_URI, AT(raw_user, user.ask_also), .min = 5, .max = 250,
     .meaning = "another's identity whose private keys it asks its KMS for as well"},
    {"cpu", SCN_T_CPU, AT(raw_user, user.cpu), .fallback = "instant",
     .meaning =
         "model of its processor (docs/cpu-models.md): how long the cryptography of its UE takes; a file is "
         "one that `ibakelab bench crypto --emit-cpu-model` writes"},
    {"cores", SCN_T_UINT, AT(raw_user, user.cores), .fallback = "1", .min = 1, .max = CPU_MAX_CORES,
     .meaning = "cores of its processor: steps of its UE are computed one on each core"},
    {"without", SCN_T_WORDS, AT(raw_user, user.without), .words = scn_user_defence_words,
     .meaning = "defences that its UE lacks, to show what each of them is for (docs/defences.md)"},
};
static const scn_section user_section = {"a user", FIELDS(user_fields), .size = sizeof(raw_user),
                                         .meaning = "A user with one UE, or a group of them."};

/* ---- calls
 * ------------------------------------------------------------------------------------------------- */

static const scn_field media_fields[] = {
    {"caller", SCN_T_SOURCE, AT(raw_media, media.caller), .fallback = "440 Hz", .min = 1, .max = 3999,
     .meaning = "what the caller says: a tone, or a sound file of one channel with 8,000 samples a second"},
    {"callee", SCN_T_SOURCE, AT(raw_media, media.callee), .fallback = "660 Hz", .min = 1, .max = 3999,
     .meaning = "what the callee says"},
    {"codec", SCN_T_ENUM, AT(raw_media, media.codec), .fallback = "PCMU",
     .words = WORDS({"PCMU", SCN_PCMU}, {"PCMA", SCN_PCMA}), .meaning = "G.711 µ-law or A-law"},
    {"ptime", SCN_T_ENUM, AT(raw_media, media.ptime_ms), .fallback = "20 ms",
     .words = WORDS({"10 ms", 10}, {"20 ms", 20}, {"30 ms", 30}, {"40 ms", 40}, {"60 ms", 60}),
     .meaning = "sound in one RTP packet"},
    {"srtp", SCN_T_ENUM, AT(raw_media, media.srtp), .fallback = "AES_CM_128_HMAC_SHA1_80",
     .words = WORDS({"AES_CM_128_HMAC_SHA1_80", SCN_SRTP_AES_CM_128_HMAC_SHA1_80},
                    {"AES_CM_128_HMAC_SHA1_32", SCN_SRTP_AES_CM_128_HMAC_SHA1_32}),
     .meaning = "the SRTP policy offered in SP"},
};
static const scn_section media_section = {"media", FIELDS(media_fields), .size = sizeof(raw_media),
                                          .meaning = "The sound of a call, in both directions."};

#define PARTIES WORDS({"caller", SCN_CALLER}, {"callee", SCN_CALLEE})

static const scn_field action_fields[] = {
    {"at", TIME, AT(raw_action, action.at_ns), .required = true, .max = 24 * H,
     .meaning = "when it is done, from the ACK of the call's first INVITE"},
    {"by", SCN_T_ENUM, AT(raw_action, action.by), .fallback = "caller", .words = PARTIES,
     .meaning = "who does it"},
    {"do", SCN_T_ENUM, AT(raw_action, action.what), .required = true,
     .words = WORDS({"update", SCN_DO_UPDATE}, {"rekey", SCN_DO_REKEY}, {"hold", SCN_DO_HOLD},
                    {"resume", SCN_DO_RESUME}, {"add-video", SCN_DO_ADD_VIDEO},
                    {"remove-video", SCN_DO_REMOVE_VIDEO}),
     .meaning =
         "CSB update (RFC 6267 §5.3) without or with new EC Diffie-Hellman values; hold the other party "
         "(RFC 3264 §8.4) and release it; a second stream, with crypto sessions of its own, and its end"},
    {"carrier", SCN_T_ENUM, AT(raw_action, action.carrier), .fallback = "update",
     .words = WORDS({"update", SCN_CARRIER_UPDATE}, {"reinvite", SCN_CARRIER_REINVITE}),
     .meaning = "the SIP request that carries the offer"},
    {"count", SCN_T_UINT, AT(raw_action, count), .fallback = "1", .min = 1, .max = SCN_MAX_ENTRIES,
     .meaning = "repeats it that often"},
    {"every", TIME, AT(raw_action, every_ns), .fallback = "0 s", .max = 24 * H,
     .meaning = "a repeated action is done that much after the one before"},
    {"mki", SCN_T_LINE, AT(raw_action, action.mki), .computed = "no MKI", .min = 1, .max = 255,
     .meaning = "with `rekey`: the name that its ECCPT gives the new keys (KV type 1, P-35)"},
};
static const scn_section action_section = {"an action", FIELDS(action_fields), .size = sizeof(raw_action),
                                           .meaning = "What a party does in the middle of the call."};

static const scn_field vanish_fields[] = {
    {"who", SCN_T_ENUM, AT(raw_vanish, who), .required = true, .words = PARTIES,
     .meaning = "whose access link is cut, for good"},
    {"after", TIME, AT(raw_vanish, after_ns), .required = true, .max = 24 * H,
     .meaning = "how long after the INVITE was sent"},
};
static const scn_section vanish_section = {"a party that vanishes", FIELDS(vanish_fields),
                                           .size = sizeof(raw_vanish), .optional = true,
                                           .meaning = "One of the parties is never heard of again."};

static const scn_field call_fields[] = {
    {"name", SCN_T_NAME, AT(raw_call, call.name), .computed = "`call-I`, I its place in the list from 1",
     .min = 1, .max = 60, .meaning = "unique name; repeated calls get `-1`, `-2` … or what `{n}` says"},
    {"from", SCN_T_REFERENCE, AT(raw_call, from), .required = true, .min = 1, .max = 60,
     .meaning = "the caller, a user; `{n}` is the number of a repeated call"},
    {"to", SCN_T_REFERENCE, AT(raw_call, to), .required = true, .min = 1, .max = 60,
     .meaning = "the callee, a user"},
    {"called-as", SCN_T_URI, AT(raw_call, call.called_as), .computed = "the callee's `identity`", .min = 5,
     .max = 250, .meaning = "the public identity of the callee that is called, one of its `identities`"},
    {"at", TIME, AT(raw_call, call.at_ns), .fallback = "2 s", .max = 400 * D,
     .meaning = "when the INVITE is sent"},
    {"count", SCN_T_UINT, AT(raw_call, group), .fallback = "1", .min = 1, .max = SCN_MAX_CALLS,
     .meaning = "repeats the call that often"},
    {"every", TIME, AT(raw_call, every_ns), .fallback = "0 s", .max = 24 * H,
     .meaning = "a repeated call begins that much after the one before"},
    {"ring-time", TIME, AT(raw_call, call.ring_ns), .fallback = "1 s", .max = 180 * S,
     .meaning = "from the callee's 180 to its 200"},
    {"duration", TIME, AT(raw_call, call.duration_ns), .fallback = "5 s", .max = 24 * H,
     .meaning = "from the ACK to the BYE"},
    {"hang-up", SCN_T_ENUM, AT(raw_call, call.hang_up), .fallback = "caller", .words = PARTIES,
     .meaning = "who sends the BYE"},
    {"cancel-after", TIME, AT(raw_call, call.cancel_ns), .max = H, .computed = "no CANCEL",
     .meaning = "the caller takes the INVITE back after that time unless it was answered"},
    {"curve", SCN_T_ENUM, AT(raw_call, call.curve), .fallback = "P-256", .words = curve_words,
     .meaning = "curve of [x]P and [y]P (P-21)"},
    {"prf", SCN_T_ENUM, AT(raw_call, call.prf), .fallback = "HMAC-SHA-256", .words = prf_words,
     .meaning = "pseudo-random function of the exchange"},
    {"pre-encoded", SCN_T_BOOL, AT(raw_call, call.pre_encoded), .fallback = "false",
     .meaning = "the caller's sound is encoded before the call, under a secret key SK of its own that "
                "I_MESSAGE_1 carries in an ESK (RFC 6267 §4.2.2.1)"},
    {"media", SECTION(raw_call, media, media_section), .meaning = "its sound"},
    {"carrier", SCN_T_ENUM, AT(raw_call, call.carrier), .fallback = "prack",
     .words = WORDS({"prack", SCN_CARRIER_PRACK}, {"update", SCN_CARRIER_UPDATE},
                    {"reinvite", SCN_CARRIER_REINVITE}),
     .meaning =
         "the SIP request that carries I_MESSAGE_2 (P-13): the PRACK of the 183, an UPDATE after it, or a "
         "re-INVITE after the ACK"},
    {"actions", SCN_T_LIST, AT(raw_call, actions), .section = &action_section,
     .meaning = "what the parties do in the middle of it"},
    {"vanish", SECTION(raw_call, vanish, vanish_section),
     .meaning = "a party that is cut off in the course of it"},
    {"session-expires", TIME, AT(raw_call, call.session_expires_ns), .min = 90 * S, .max = 24 * H,
     .computed = "no session timer",
     .meaning =
         "the caller refreshes the session by UPDATE (RFC 4028); an end that hears nothing ends the call"},
};
static const scn_section call_section = {"a call", FIELDS(call_fields), .size = sizeof(raw_call),
                                         .meaning = "A call, or repeated calls."};

/* ---- the file
 * -------------------------------------------------------------------------------------------------- */

static const scn_field root_fields[] = {
    {"ibakelab", SCN_T_UINT, AT(raw_scenario, version), .required = true, .min = SCN_VERSION,
     .max = SCN_VERSION, .meaning = "version of the scenario language"},
    {"extends", SCN_T_FILE, AT(raw_scenario, extends),
     .meaning = "another scenario, over which this one is laid: mappings key by key, lists of named entries "
                "name by name; everything else, and `expect` as a whole, takes the place of what was there"},
    {"title", SCN_T_LINE, AT(raw_scenario, title), .required = true, .min = 1, .max = 200,
     .meaning = "one line for reports"},
    {"description", SCN_T_TEXT, AT(raw_scenario, description), .fallback = "", .max = 4000,
     .meaning = "what the scenario shows"},
    {"seed", SCN_T_UINT, AT(raw_scenario, seed), .fallback = "1", .max = INT64_MAX,
     .meaning = "everything random follows from it: keys, lost packets"},
    {"start", SCN_T_DATE, AT(raw_scenario, start_utc_ns), .fallback = "2026-03-02T09:00:00Z",
     .min = 946684800 * S, .max = 2082758399 * S,
     .meaning = "true time (UTC) at which the run begins: timestamps and the dates of IBE identities follow "
                "from it"},
    {"time-limit", TIME, AT(raw_scenario, time_limit_ns), .fallback = "10 min", .min = S, .max = 400 * D,
     .meaning =
         "virtual time at which the run ends at the latest; it ends earlier when nothing is left to do"},
    {"network", SECTION(raw_scenario, network, network_section),
     .meaning = "what holds for the whole network"},
    {"links", SECTION(raw_scenario, links, links_section), .meaning = "classes of links"},
    {"domains", SCN_T_LIST, AT(raw_scenario, domains), .required = true, .section = &domain_section,
     .meaning = "the IMS home networks"},
    {"users", SCN_T_LIST, AT(raw_scenario, users), .required = true, .section = &user_section,
     .meaning = "the users"},
    {"calls", SCN_T_LIST, AT(raw_scenario, calls), .section = &call_section, .meaning = "the calls"},
    {"adversaries", SCN_T_LIST, AT(raw_scenario, adversaries), .section = &scn_adversary_section,
     .meaning = "who attacks (docs/adversaries.md)"},
    {"expect", SECTION(raw_scenario, expect, scn_expect_section), .required = true,
     .meaning = "what must hold"},
};
const scn_section scn_root_section = {"a scenario", FIELDS(root_fields), .size = sizeof(raw_scenario),
                                      .meaning = "The top level."};

/* ---- looking up
 * -------------------------------------------------------------------------------------------------- */

const scn_field *scn_field_of(const scn_section *section, const char *key) {
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->fields[i].key, key) == 0)
            return &section->fields[i];
    }
    return NULL;
}

void scn_give(const scn_section *section, raw_head *head, const char *key) {
    const scn_field *field = scn_field_of(section, key);
    if (field != NULL)
        head->given |= UINT64_C(1) << (field - section->fields);
}

bool scn_written(const raw_head *head, const char *key) {
    return head->node != NULL && scn_node_get(head->node, key) != NULL;
}

const scn_where *scn_where_of(const raw_head *head, const char *key) {
    static const scn_where nowhere;
    const scn_node *value = head->node == NULL ? NULL : scn_node_get(head->node, key);
    return value != NULL ? &value->where : head->node != NULL ? &head->node->where : &nowhere;
}
