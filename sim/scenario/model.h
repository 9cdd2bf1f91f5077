/* ibakelab: a scenario file as a validated model, and its loader.
 *
 *     scn_errors errors = {0};
 *     scn_scenario *s;
 *     if (scn_load_file(&s, &errors, "scenarios/basic/first-call.yaml", sets, set_count) != IBK_OK)
 *         scn_errors_print(&errors, stderr, colour), exit(2);
 *     …  s->users[i].domain->kms.identity  …
 *     scn_free(s);
 *
 * Everything that a loaded scenario points to lives in it and dies with scn_free. References are pointers
 * into its arrays, groups (`count:`) are expanded, defaults are filled in, and every value lies in the range
 * that docs/scenario-reference.md states: who uses the model need not check again. Times are nanoseconds,
 * sizes octets, rates bits a second.
 */
#ifndef SCENARIO_MODEL_H
#define SCENARIO_MODEL_H

#include "cpu/model.h"
#include "scenario/defences.h"
#include "scenario/model_adversaries.h"

#include <ibake.h>
#include <stdio.h>

#define SCN_VERSION        1 /* the value of the key `ibakelab` */
#define SCN_MAX_USERS      20000
#define SCN_MAX_CALLS      20000
#define SCN_MAX_ENTRIES    1000    /* of one list or mapping in the file */
#define SCN_MAX_FILE       1048576 /* octets of a scenario file */
#define SCN_PSK_MAX        64
#define SCN_MAX_IDENTITIES 4 /* public identities of one user; a device asks for its own and its user's */

/* Where something was written. `file` is the scenario's path as given, or "--set path=value" with line 0. */
typedef struct scn_where {
    const char *file;
    unsigned line, column; /* from 1; 0: not from a file */
} scn_where;

/* ---- the network --------------------------------------------------------------------------------- */

/* A class of point-to-point links. Delay, rate, loss and queue hold for each direction by itself. */
typedef struct scn_link {
    const char *name;  /* "access", "core", or a class of the file */
    uint64_t delay_ns; /* one way */
    uint64_t rate_bps;
    uint32_t loss_ppb;      /* packets lost of 10^9 sent: 5 % is 50,000,000 */
    uint32_t queue_packets; /* the queue of each sender; what comes when it is full is dropped */
    uint32_t mtu;           /* octets of an IP packet */
} scn_link;

static inline double scn_link_loss(const scn_link *link) {
    return link->loss_ppb / 1e9; /* probability in [0, 1] */
}

typedef struct scn_network {
    int ip; /* 4 or 6 */
} scn_network;

/* ---- home networks ------------------------------------------------------------------------------- */

/* While it lasts, nothing listens on the node. */
typedef struct scn_outage {
    uint64_t from_ns, for_ns; /* for_ns 0: there is none */
} scn_outage;

/* A node's processor: how long its cryptography takes. */
typedef struct scn_cpu {
    const cpu_model *model;
    const char *word, *file; /* as the file names it: "instant", "server", "phone"; or a file, else NULL */
} scn_cpu;

/* What is wrong with a certificate. */
typedef enum scn_certificate {
    SCN_CERT_TRUSTED = 0,
    SCN_CERT_SELF_SIGNED,
    SCN_CERT_UNTRUSTED_CA,
    SCN_CERT_WRONG_NAME,
    SCN_CERT_EXPIRED
} scn_certificate;

/* How a UE comes to the public parameters of a KMS. */
typedef enum scn_parameters_way {
    SCN_PROVISIONED = 0, /* it has them from the start */
    SCN_RFC5408          /* it fetches them when it needs them */
} scn_parameters_way;

/* The KMS of a domain; its node is kms.<domain>. The algorithms are those of RFC 6267 §4.2.1. */
typedef struct scn_kms {
    const char *identity; /* IDRkms, a NAI: "kms@home.example" */
    unsigned parameters;  /* ready-made set: 1024, 2048, 3072; 0: the two files */
    const char
        *parameters_file;    /* DER BFPublicParameters, readable at load time; NULL with a ready-made set */
    const char *master_file; /* DER BFMasterSecret of them */
    ibk_granularity granularity; /* P-9: how long a key is for */
    ibk_kms_issue issue;         /* P-10: which keys a request by URI yields */
    uint64_t issue_back_ns; /* a past key that is asked for by name is issued for so long, beyond the skew */
    ibk_kms_errors errors;  /* what a refused user is told */
    uint8_t encryption;     /* enum ibk_encr_alg of KEMAC, not NULL */
    uint8_t mac;            /* enum ibk_mac_alg of V, not NULL */
    uint8_t prf;            /* enum ibk_prf */
    scn_outage outage;
    bool wrong_keys; /* what it issues is made with another master secret than its parameters' */
    scn_cpu cpu;
    uint32_t cores;
    bool tls;                    /* RFC 5408's requests go over HTTPS; false: over HTTP */
    scn_certificate certificate; /* of its HTTPS server, and that for which envelopes are encrypted */
    uint64_t without;            /* defences that are switched off (docs/defences.md) */
    scn_parameters_way parameters_for_users, parameters_for_others; /* of its own domain; of other domains */
    uint64_t parameters_validity_ns; /* of a set that it publishes, whole seconds */
} scn_kms;

/* What UEs and KMS of a domain do in every MIKEY exchange. */
typedef struct scn_mikey {
    uint8_t timestamp;      /* enum ibk_ts_type of every T that is made */
    uint64_t clock_skew_ns; /* a T further away than this is refused, RFC 3830 §5.4 */
    uint32_t replay_cache;  /* messages that a cache holds */
} scn_mikey;

/* How an S-CSCF reaches the several contacts of one public identity. */
typedef enum scn_forking {
    SCN_FORK_PARALLEL = 0, /* all at once */
    SCN_FORK_SEQUENTIAL    /* one after the other, highest priority first */
} scn_forking;

/* An IMS home network: pcscf.<name>, icscf.<name>, scscf.<name>, hss.<name>, kms.<name>. */
typedef struct scn_domain {
    const char *name; /* "home.example" */
    scn_forking forking;
    uint64_t forking_timeout_ns; /* sequential: how long one contact may ring */
    scn_kms kms;
    scn_mikey mikey;
} scn_domain;

/* How a UE asks its KMS for private keys. */
typedef enum scn_key_request {
    SCN_KEY_REQUEST_PSK = 0, /* RFC 6267 REQUEST_KEY_PSK */
    SCN_KEY_REQUEST_PKE,     /* RFC 6267 REQUEST_KEY_PKE, with an RSA certificate of the user */
    SCN_KEY_REQUEST_RFC5408  /* RFC 5408 §5: XML with HTTP Basic over TLS */
} scn_key_request;

/* ---- users ----------------------------------------------------------------------------------------- */

/* Whom a caller accepts in the place of the one who was called (P-19). */
typedef enum scn_accept {
    SCN_ACCEPT_ASKED = 0, /* nobody else */
    SCN_ACCEPT_DOMAIN,    /* anybody of the called one's home network */
    SCN_ACCEPT_ANY
} scn_accept;

typedef enum scn_busy { SCN_BUSY_NEVER = 0, SCN_BUSY_IN_CALL, SCN_BUSY_ALWAYS } scn_busy;

typedef enum scn_divert_when {
    SCN_DIVERT_ALWAYS = 0,
    SCN_DIVERT_UNREGISTERED,
    SCN_DIVERT_BUSY,     /* the UE answers 486 */
    SCN_DIVERT_NO_ANSWER /* nor answers within `after` */
} scn_divert_when;

typedef enum scn_divert_how {
    SCN_DIVERT_SILENT = 0, /* the INVITE goes on to the new target, nobody is told */
    SCN_DIVERT_NOTIFY,     /* … with History-Info, and the caller gets 181 Call Is Being Forwarded */
    SCN_DIVERT_REDIRECT    /* the caller gets 302 and calls the new target itself */
} scn_divert_how;

/* What a user's S-CSCF does with calls for that user. */
typedef struct scn_divert {
    const struct scn_user *to; /* NULL: calls are not diverted */
    scn_divert_when when;
    scn_divert_how how;
    uint64_t after_ns; /* NO_ANSWER: from the forwarding of the INVITE */
} scn_divert;

/* What a UE asks its KMS for (P-10). */
typedef enum scn_ask {
    SCN_ASK_ISSUE = 0, /* the identity: all keys of the KMS's current issue */
    SCN_ASK_CURRENT    /* one IBE identity, date included: that key alone */
} scn_ask;

/* What a dishonest mailbox does to a message before it hands it on. */
typedef enum scn_tampering {
    SCN_TAMPER_NONE = 0,
    SCN_TAMPER_ESK,    /* an octet of the ESK */
    SCN_TAMPER_CONTENT /* an octet of a packet of content */
} scn_tampering;

typedef struct scn_user {
    const char *name;              /* "alice", "caller-17": unique */
    const scn_domain *domain;      /* its home network */
    const char *identity;          /* public identity and MIKEY identity: "sip:alice@home.example", unique */
    const char *const *identities; /* further public identities, implicitly registered with the first: sip:
                                      of its domain, or tel: */
    size_t identity_count;
    const char *private_identity; /* digest user name: "alice@home.example" */
    const char *password;         /* what the UE uses */
    const char *hss_password;     /* what the HSS knows */
    ibk_span psk;                 /* what the UE uses towards its KMS, 16..64 octets */
    ibk_span kms_psk;             /* what the KMS has on file for this user */
    scn_key_request key_request;
    scn_certificate certificate;  /* of the user, with SCN_KEY_REQUEST_PKE */
    const char *key_password;     /* HTTP Basic, RFC5408: what the UE uses towards its KMS */
    const char *kms_key_password; /* what the KMS has on file for this user */
    const char *kms;              /* identity of the KMS that the UE asks; need not exist */
    bool kms_authorized;          /* false: the KMS refuses it every key */
    scn_ask ask_for;
    uint64_t refresh_before_ns;        /* it asks for further keys that long before the last one lapses */
    const scn_link *link;              /* its access link */
    int64_t clock_offset_ns;           /* its wall clock minus the true one */
    uint64_t on_ns;                    /* when it is switched on: asks for keys and registers */
    bool register_;                    /* false: it never registers (it still asks for its keys) */
    uint64_t keep_keys_ns;             /* how long a lapsed private key is kept, beyond the skew */
    ibk_error_policy errors;           /* P-16: what a UE that aborts an exchange tells its peer */
    const struct scn_user *contact_of; /* a further device of that user: registers its contact under that
                                          user's public identity, answers MIKEY with its own. NULL: none */
    uint32_t priority;                 /* q of its contact, in thousandths */
    scn_accept accept;                 /* as a caller */
    bool answers;                      /* false: it rings and nobody answers */
    bool answers_for_others;           /* answers an I_MESSAGE_1 that it cannot read, with [y]P alone … */
    uint8_t curve;                     /* … on this curve: it cannot know the caller's (P-28) */
    scn_busy busy;                     /* when it answers 486 */
    bool has_ring_time;                /* ring_ns holds, in place of the call's */
    uint64_t ring_ns;
    scn_divert divert;
    bool mailbox; /* told of every registration in its domain (TS 24.229 §5.4.1.7); stores content for others
                     and delivers it (RFC 6267 §3.3) */
    scn_tampering tampering; /* a mailbox's */
    uint64_t without;        /* defences that are switched off (docs/defences.md) */
    bool switched_off;       /* at off_ns it deregisters and is gone */
    uint64_t off_ns;
    bool restarts; /* at restart_ns it has hung up, and lost what it keeps in memory alone */
    uint64_t restart_ns;
    const char *ask_also; /* NULL, or an identity of somebody else that it asks its KMS for as well */
    scn_cpu cpu;          /* of its UE */
    uint32_t cores;
    size_t entry; /* place in `users:` of the file, from 0 */
} scn_user;

/* ---- calls ----------------------------------------------------------------------------------------- */

typedef enum scn_party { SCN_CALLER = 0, SCN_CALLEE } scn_party;
typedef enum scn_codec { SCN_PCMU = 0, SCN_PCMA = 8 } scn_codec;
typedef enum scn_srtp { SCN_SRTP_AES_CM_128_HMAC_SHA1_80 = 0, SCN_SRTP_AES_CM_128_HMAC_SHA1_32 } scn_srtp;

/* What one end says: a tone, or a sound file (one channel, 8,000 samples a second) if `file` is not NULL. */
typedef struct scn_source {
    unsigned tone_hz;
    const char *file;
} scn_source;

typedef struct scn_media {
    scn_source caller, callee;
    scn_codec codec;
    unsigned ptime_ms; /* 10, 20, 30, 40, 60 */
    scn_srtp srtp;
} scn_media;

/* Where I_MESSAGE_2 and R_MESSAGE_2 travel (P-13), and which request carries an offer in mid call. */
typedef enum scn_carrier { SCN_CARRIER_PRACK = 0, SCN_CARRIER_UPDATE, SCN_CARRIER_REINVITE } scn_carrier;

typedef enum scn_do {
    SCN_DO_UPDATE = 1, /* CSB update without new EC Diffie-Hellman values */
    SCN_DO_REKEY,      /* … with new ones */
    SCN_DO_HOLD,
    SCN_DO_RESUME,
    SCN_DO_ADD_VIDEO,
    SCN_DO_REMOVE_VIDEO
} scn_do;

/* What a party does in the middle of a call. */
typedef struct scn_action {
    uint64_t at_ns; /* from the ACK */
    scn_party by;
    scn_do what;
    scn_carrier carrier; /* UPDATE or REINVITE */
    const char *mki;     /* REKEY: names the new keys (P-35), 1 to 255 octets; NULL: they have no name */
} scn_action;

typedef struct scn_call {
    const char *name; /* "first", "call-3", "many-17": unique */
    const scn_user *from, *to;
    const char *called_as; /* the public identity of `to` that is called */
    uint64_t at_ns;        /* the INVITE is sent */
    uint64_t ring_ns;      /* from the callee's 180 to its 200 */
    uint64_t duration_ns;  /* from the ACK to the BYE */
    scn_party hang_up;     /* who sends the BYE */
    bool cancel;           /* the caller sends CANCEL … */
    uint64_t cancel_ns;    /* … this long after the INVITE, unless the call was answered before */
    uint8_t curve;         /* ECC curve of ECCPT: 8 P-256, 11 P-384, 14 P-521 */
    uint8_t prf;           /* enum ibk_prf of I_MESSAGE_1 */
    bool pre_encoded;      /* the caller's sound is encoded before the call, under an SK of its own */
    scn_media media;
    scn_carrier carrier; /* of I_MESSAGE_2 and R_MESSAGE_2 */
    const scn_action *actions;
    size_t action_count;
    bool vanishes; /* the access link of `vanisher` is cut for good … */
    scn_party vanisher;
    uint64_t vanish_ns;          /* … this long after the INVITE was sent */
    uint64_t session_expires_ns; /* RFC 4028; 0: no session timer */
    size_t entry;                /* place in `calls:` of the file, from 0 */
} scn_call;

/* ---- expectations ------------------------------------------------------------------------------------ */

typedef enum scn_bound_op {
    SCN_EXACTLY = 0,
    SCN_AT_LEAST,
    SCN_AT_MOST,
    SCN_ABOVE,
    SCN_BELOW,
    SCN_ALL /* every member of the set, which is never empty; value is unused */
} scn_bound_op;

typedef struct scn_bound {
    scn_bound_op op;
    uint64_t
        value; /* count, or ns for times; `none` is EXACTLY 0; place of a user in scn_scenario.users, + 1 */
    const char *user; /* ANSWERED_BY, DIVERTED_BY: that user's name */
} scn_bound;

/* COUNT: of the members of the set, how many …; EACH: holds if the value of every member that has one fits
 * the bound and at least one member has one; SUM: the sum over the set; IS: every member of the set has this
 * value.
 */
#define SCN_EXPECT_LIST(X)                                                                                   \
    /* a set of calls */                                                                                     \
    X(CALLS_ESTABLISHED, COUNT)     /* the caller has the 200 (INVITE) and R_MESSAGE_2 */                    \
    X(CALLS_FAILED, COUNT)          /* never established: refused, cancelled, timed out, keys refused */     \
    X(CALLS_COMPLETED, COUNT)       /* established and ended by the planned BYE */                           \
    X(CALLS_KEYS_AGREE, COUNT)      /* both ends derived the same TEK and salt for every crypto session */   \
    X(CALLS_MEDIA_PROTECTED, COUNT) /* SRTP packets accepted in both directions, and no plain RTP at all */  \
    X(CALLS_MEDIA_INTACT, COUNT)    /* … and what was received is what was sent */                         \
    X(CALLS_SETUP_TIME, EACH)       /* ns from the first INVITE until then, of each established call */      \
    X(CALLS_CRYPTO_TIME, EACH)      /* ns of it that cryptography took, of each established call */          \
    X(CALLS_PACKETS_RECEIVED, EACH) /* media packets accepted, of each direction of each established call */ \
    X(CALLS_RETRANSMISSIONS, SUM)   /* SIP messages sent again, by all nodes */                              \
    X(CALLS_SIP_STATUS, IS)         /* bound.value: final status of the INVITE */                            \
    X(CALLS_REASON, IS)             /* bound.value: ibk_err with which an end gave up */                     \
    X(CALLS_ANSWERED_BY, IS)        /* the user whose UE sent the 200 that the caller took */                \
    X(CALLS_DIVERTED_BY, IS)        /* the user whose S-CSCF diverted the call last */                       \
    X(CALLS_LEGS, SUM)              /* dialogs of the caller in which the exchange was completed */          \
    X(CALLS_RETARGETED, SUM)        /* diversions that S-CSCFs carried out, redirections included */         \
    X(CALLS_UPDATES, EACH)          /* CSB updates after which both ends hold the same keys */               \
    X(CALLS_REKEYINGS, EACH)        /* … those with new EC Diffie-Hellman values */                        \
    X(CALLS_MKI_AGREED, EACH)       /* … and that both ends name as the scenario does (P-35) */            \
    X(CALLS_UPDATES_REFUSED, SUM)   /* CSB updates that were begun and refused, by either end */             \
    X(CALLS_GLARES, SUM)            /* offers in mid call that were answered 491 */                          \
    X(CALLS_VIDEO_RECEIVED, EACH)   /* video packets accepted, of each direction */                          \
    X(CALLS_MEDIA_LOST, SUM)        /* media packets missing by their sequence numbers, or refused */        \
    X(CALLS_MEDIA_AUTH_FAILURES, SUM) /* SRTP, SRTCP packets that fit no key of the receiver */              \
    /* a set of users */                                                                                     \
    X(USERS_REGISTERED, COUNT)    /* REGISTER was answered 200 */                                            \
    X(USERS_KEYS_OBTAINED, COUNT) /* at least one private key arrived and was verified */                    \
    X(USERS_PRIVATE_KEYS, EACH)   /* private keys received, of each user that obtained keys */               \
    X(USERS_KEYS_FAILURE, IS)     /* bound.value: scn_keys_failure; REFUSED: refused for whatever reason */  \
    X(USERS_KEY_REQUESTS, EACH)   /* times that a user who was switched on asked its KMS */                  \
    X(USERS_KEYS_HELD, EACH)      /* private keys in the store, of each user that obtained keys */           \
    X(USERS_KEYS_DROPPED, EACH)   /* private keys that lapsed and were wiped, of each such user */           \
    X(USERS_REGISTRATIONS, EACH)  /* REGISTERs that were answered 200, of each registered user */            \
    X(USERS_OPEN_CALLS, SUM)      /* calls of theirs that have not ended when the run does */                \
    X(USERS_PARAMETERS_OBTAINED, EACH) /* sets of parameters that were fetched and are in order */           \
    X(USERS_PARAMETERS_FAILURE, IS)    /* bound.value: scn_parameters_failure of the latest fetch */         \
    X(USERS_MESSAGES_STORED, SUM)      /* by the user as a mailbox */                                        \
    X(USERS_MESSAGES_READABLE, SUM)  /* of those, what the mailbox could read with every key that it holds;  \
                                        does not hold where nothing was stored */                            \
    X(USERS_MESSAGES_DELIVERED, SUM) /* the user opened ESK and content, all of it as it was said */         \
    X(USERS_MESSAGES_REFUSED, SUM)   /* the user could not open ESK or content, or it was changed */         \
    X(USERS_MESSAGE_REASON, IS)      /* bound.value: ibk_err of the last one that the user refused */        \
    X(USERS_REFUSALS, SUM)           /* calls of which this end gave the key exchange up */                  \
    X(USERS_REFUSAL, IS)             /* bound.value: ibk_err of the last one of those */                     \
    X(USERS_COMPUTING, EACH)         /* ns for which its processor was busy */                               \
    /* KMSs */                                                                                               \
    X(KMS_REQUESTS_SERVED, SUM)  /* requests answered with keys */                                           \
    X(KMS_REQUESTS_REFUSED, SUM) /* … otherwise */                                                         \
    X(KMS_LONGEST_WAIT, EACH)    /* ns that a job waited for the processor, of each KMS that had one */      \
    X(KMS_MEAN_WAIT, EACH)                                                                                   \
    X(KMS_KEYS_ISSUED, SUM) /* private keys in the answers */                                                \
    X(KMS_REFUSAL, IS)      /* bound.value: ibk_err of all that it refused */                                \
    X(KMS_COMPUTING, EACH)                                                                                   \
    /* security properties, docs/properties.md */                                                            \
    /* adversaries */                                                                                        \
    X(ADVERSARY_RULES_FIRED, SUM)      /* rules that were applied at least once */                           \
    X(ADVERSARY_RULES_FAILED, SUM)     /* times that a rule fitted and could not be applied */               \
    X(ADVERSARY_MESSAGES_CHANGED, SUM) /* messages that went on as others than they came */                  \
    X(ADVERSARY_MESSAGES_DROPPED, SUM)                                                                       \
    X(ADVERSARY_MESSAGES_SENT, SUM)  /* further ones: copies, replays, its own */                            \
    X(ADVERSARY_CALLS_ACCEPTED, SUM) /* its own calls whose exchange the other end completed */              \
    X(ADVERSARY_CALLS_KEYED, SUM)    /* … with keys that it has */                                         \
    X(ADVERSARY_FLOOD_ANSWERED, SUM) /* answers to its floods */                                             \
    X(ADVERSARY_MEDIA_INJECTED, SUM)                                                                         \
    X(ADVERSARY_COMPUTING, EACH) /* ns for which its own node's processor was busy */                        \
    X(SECURITY_HOLDS, IS)        /* bound.value: bits (1 << scn_property): none of them is broken */         \
    X(SECURITY_BROKEN, IS)       /* … each of them is */                                                   \
    X(KNOWLEDGE, IS)             /* knowledge: what a party knows, and does not */                           \
    /* the whole network */                                                                                  \
    X(NETWORK_RETRANSMISSIONS, SUM) /* SIP messages sent again, by all nodes, registration included */       \
    X(NETWORK_PACKETS_LOST, SUM)    /* packets dropped by all links' loss and full queues */                 \
    X(NETWORK_PLAINTEXT_MEDIA, SUM) /* packets on core links that carry readable media */

typedef enum scn_expect_kind {
    SCN_EXPECT_NONE = 0,
#define SCN_EXPECT_ENUM(name, how) SCN_EXPECT_##name,
    SCN_EXPECT_LIST(SCN_EXPECT_ENUM)
#undef SCN_EXPECT_ENUM
        SCN_EXPECT_KINDS
} scn_expect_kind;

typedef enum scn_expect_how { SCN_COUNT = 0, SCN_EACH, SCN_SUM, SCN_IS } scn_expect_how;
typedef enum scn_expect_set {
    SCN_SET_CALLS = 0,
    SCN_SET_USERS,
    SCN_SET_KMS,
    SCN_SET_ADVERSARIES,
    SCN_SET_SECURITY,
    SCN_SET_PARTIES,
    SCN_SET_NETWORK
} scn_expect_set;

/* What must hold of every exchange, whatever an adversary does: name, word, meaning. */
#define SCN_PROPERTY_LIST(X)                                                                                 \
    X(AGREEMENT, "agreement", "who completes an exchange shares its keys with another end that took part")   \
    X(IDENTITY, "identity", "each end's peer is the one whose identity it was shown")                        \
    X(TERMS, "terms", "both ends agreed on the same policies and crypto sessions, by the same R_MESSAGE_2")  \
    X(FRESHNESS, "freshness", "no UE answers the same I_MESSAGE_1 twice")                                    \
    X(SECRECY, "secrecy", "nobody but the ends reads their media or knows their keys")                       \
    X(WIPING, "wiping", "when a session has ended, nothing of its secrets is left")

typedef enum scn_property {
#define SCN_PROPERTY_ENUM(name, word, text) SCN_PROPERTY_##name,
    SCN_PROPERTY_LIST(SCN_PROPERTY_ENUM)
#undef SCN_PROPERTY_ENUM
        SCN_PROPERTIES
} scn_property;

const char *scn_property_name(scn_property property); /* "agreement" */

/* What a party of a run can know: the words of `expect: knowledge`. */
#define SCN_THING_LIST(T)                                                                                    \
    T(XP, "xP") /* the initiator's point of a call's exchange */                                             \
    T(YP, "yP") /* the responder's */                                                                        \
    T(X, "x")   /* their private halves */                                                                   \
    T(Y, "y")                                                                                                \
    T(SESSION_KEY, "session-key")     /* a key that opens the SRTP of a call */                              \
    T(MEDIA, "media")                 /* what is said in a call */                                           \
    T(CONTENT, "content")             /* content under a secret key SK */                                    \
    T(PRIVATE_KEY, "private-key")     /* a private key of IBE: this and the next ones are of no call */      \
    T(MASTER_SECRET, "master-secret") /* of a KMS */                                                         \
    T(PSK, "psk")                     /* that a user shares with a KMS */

typedef enum scn_thing {
#define SCN_THING_ENUM(name, word) SCN_THING_##name,
    SCN_THING_LIST(SCN_THING_ENUM)
#undef SCN_THING_ENUM
        SCN_THINGS
} scn_thing;

#define SCN_THING_BIT(thing) (UINT64_C(1) << (thing)) /* in sets of things */
#define SCN_THING_OF_CALLS   (SCN_THING_BIT(SCN_THING_PRIVATE_KEY) - 1)

const char *scn_thing_name(scn_thing thing); /* "session-key"; never NULL */

/* Why a user has no private keys. */
typedef enum scn_keys_failure {
    SCN_KEYS_REFUSED = 1,         /* the KMS refused the request: Error message, or no authentication */
    SCN_KEYS_CLOCK_SKEW,          /* … because of its T */
    SCN_KEYS_NOT_AUTHORIZED,      /* … because the user may not have these keys */
    SCN_KEYS_CERTIFICATE_REFUSED, /* … because of the user's certificate */
    SCN_KEYS_UNKNOWN_KMS,         /* the KMS that the user asks has no address in this network */
    SCN_KEYS_NO_ANSWER,           /* no connection, or no response in time */
    SCN_KEYS_BAD_RESPONSE,        /* a response came and was refused by the UE */
    SCN_KEYS_NO_PARAMETERS,       /* the KMS's parameters could not be had */
    SCN_KEYS_BAD_CERTIFICATE      /* the KMS's certificate is not trusted */
} scn_keys_failure;

/* Why a fetch of parameters failed (RFC 5408 §4). */
typedef enum scn_parameters_failure {
    SCN_PARAMETERS_UNKNOWN_KMS = 1,     /* no host of that name */
    SCN_PARAMETERS_NO_ANSWER,           /* no connection, or no response in time */
    SCN_PARAMETERS_NO_TLS,              /* the handshake failed, certificates apart */
    SCN_PARAMETERS_UNTRUSTED,           /* the server's certificate leads to no trust anchor */
    SCN_PARAMETERS_WRONG_NAME,          /* … is for another name */
    SCN_PARAMETERS_EXPIRED_CERTIFICATE, /* … has expired */
    SCN_PARAMETERS_BAD_CERTIFICATE,     /* … has another fault */
    SCN_PARAMETERS_REFUSED,             /* another HTTP status than 200 */
    SCN_PARAMETERS_MALFORMED,   /* no strict IBESysParams of this district, or impossible parameters */
    SCN_PARAMETERS_UNSUPPORTED, /* another algorithm or identity type, or an unknown extension */
    SCN_PARAMETERS_EXPIRED      /* outside its validity by the UE's clock */
} scn_parameters_failure;

/* What a party, or each of a group of users, knows at the end of the run. */
typedef struct scn_knowledge {
    const char *who;      /* name of a node or adversary; NULL: the users of the expectation */
    const scn_call *call; /* of this call alone; NULL: of all */
    uint64_t learns;      /* bits (SCN_THING_BIT): at least these; SCN_THING_BIT(SCN_THINGS): `nothing` */
    uint64_t does_not;    /* none of these */
} scn_knowledge;

typedef struct scn_expectation {
    scn_expect_kind kind;
    scn_expect_how how;
    scn_expect_set set;
    size_t first, count; /* members: calls[first .. first+count), users[…], domains[…] of the KMSs,
                            adversaries[…]; count > 0; SECURITY, NETWORK: 0, 1; PARTIES: users[…], or 0, 1 */
    scn_bound bound;
    scn_knowledge knowledge; /* PARTIES */
    const char *text;        /* "calls: established all", "call first: setup-time at most 2 s" */
    scn_where where;
} scn_expectation;

/* Does `observed` fit? `members` is the size of the set (for SCN_ALL, with COUNT). */
bool scn_bound_holds(const scn_bound *bound, uint64_t observed, uint64_t members);
const char *scn_keys_failure_name(scn_keys_failure failure); /* "refused", as in the file; never NULL */
const char *scn_parameters_failure_name(scn_parameters_failure failure);

/* ---- the scenario -------------------------------------------------------------------------------------- */

typedef struct scn_scenario {
    const char *path;                /* as given */
    const char *title, *description; /* description may be "" */
    uint64_t seed;
    int64_t start_utc_ns;   /* true UTC at virtual time 0, ns since 1970 */
    uint64_t time_limit_ns; /* the run ends here at the latest; it ends earlier when nothing is left to do */
    scn_network network;
    scn_link *links; /* [0] is access, [1] is core, [2] is interconnect */
    size_t link_count;
    scn_domain *domains;
    size_t domain_count; /* at least 1 */
    scn_user *users;
    size_t user_count; /* at least 1 */
    scn_call *calls;
    size_t call_count; /* may be 0: registration and keys alone */
    scn_adversary *adversaries;
    size_t adversary_count;        /* may be 0 */
    scn_expectation *expectations; /* in the order of the file */
    size_t expectation_count;      /* at least 1 */
    struct scn_file *file;         /* the loader's own: what scn_write_resolved writes, and the memory */
} scn_scenario;

static inline const scn_link *scn_core_link(const scn_scenario *s) {
    return &s->links[1];
}

static inline const scn_link *scn_interconnect_link(const scn_scenario *s) {
    return &s->links[2];
}

const scn_user *scn_find_user(const scn_scenario *s, const char *name); /* NULL: none */
bool scn_has_identity(const scn_user *user, const char *identity);      /* its first or a further one */
/* The user one of whose public identities it is. NULL: nobody's. */
const scn_user *scn_find_identity(const scn_scenario *s, const char *identity);
/* The host that serves the KMS of an identity: "kms@home.example" is kms.home.example. False if it is too
 * long, or has no '@'. */
#define SCN_KMS_HOST 256
bool scn_kms_host(char out[SCN_KMS_HOST], const char *identity);
const scn_domain *scn_find_domain(const scn_scenario *s, const char *name);       /* NULL: none */
const scn_adversary *scn_find_adversary(const scn_scenario *s, const char *name); /* NULL: none */

/* ---- loading ---------------------------------------------------------------------------------------------
 */

#define SCN_ERRORS_MAX 20

typedef struct scn_error {
    char file[256]; /* path as given, or "--set path=value" */
    unsigned line, column;
    char message[256]; /* "unknown key 'dealy' in links.access" */
    char hint[256]; /* "did you mean 'delay'?", "expected a time such as 20 ms (ns, us, ms, s, min, h)"; may
                       be "" */
    char excerpt[160]; /* the line of the file, without its end; may be "" */
} scn_error;

/* The zero value is "none". `count` in the order of the file; `more`: there were others beyond the array. */
typedef struct scn_errors {
    scn_error list[SCN_ERRORS_MAX];
    size_t count;
    bool more;
} scn_errors;

/* Loads a scenario. `sets` are texts "path=value" (links.access.loss=5 %, users[0].psk=…, calls.0.at=2 s,
 * users.alice.register=false), applied in order before anything is checked; the last of one path wins.
 * Relative paths in the file are taken from the file's folder. IBK_OK: *out is owned by the caller.
 * IBK_ERR_BAD_VALUE: the file was refused, *errors tells why; IBK_ERR_IO: it could not be read, *errors tells
 * why; IBK_ERR_NO_MEMORY. *out is NULL on every error. `errors` must not be NULL. */
ibk_err scn_load_file(scn_scenario **out, scn_errors *errors, const char *path, const char *const *sets,
                      size_t set_count);
/* The same of text in memory; `name` stands for the path, and its folder is where relative paths start. */
ibk_err scn_load_text(scn_scenario **out, scn_errors *errors, const char *name, ibk_span text,
                      const char *const *sets, size_t set_count);
void scn_free(scn_scenario *scenario); /* wipes keys; legal on NULL */

/* "path:3:5: message", the line with a caret, the hint; ANSI colours only if asked for. */
void scn_errors_print(const scn_errors *errors, FILE *out, bool colour);

/* ---- writing
 * ------------------------------------------------------------------------------------------------ */

/* The resolved configuration: YAML with every default filled in and every override applied. Loading it gives
 * the same model. Groups stay groups. Keys derived from the seed stay `auto`. */
ibk_err scn_write_resolved(ibk_buf *out, const scn_scenario *scenario);

/* All keys with type, unit, default, range and meaning, from the table that the loader uses: for a terminal,
 * and as docs/scenario-reference.md. */
ibk_err scn_reference_text(ibk_buf *out);
ibk_err scn_reference_markdown(ibk_buf *out);

#endif
