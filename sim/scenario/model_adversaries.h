/* ibakelab: the adversaries of a scenario: where they sit, what they hold, what they do to whom and when.
 * Part of the model (scenario/model.h), which says who owns what, and in which units. docs/adversaries.md
 * tells what each key means to the one who writes a scenario. */
#ifndef SCENARIO_MODEL_ADVERSARIES_H
#define SCENARIO_MODEL_ADVERSARIES_H

#include "cpu/model.h"

#include <ibake.h>

struct scn_user;
struct scn_domain;
struct scn_call;

/* ---- seats ----------------------------------------------------------------------------------------------
 */

typedef enum scn_seat_kind {
    SCN_SEAT_LINK = 1, /* on the access link of a user: sees and changes what passes, no more */
    SCN_SEAT_NODE,     /* in a node of the core: its link, and all that the node holds */
    SCN_SEAT_UE        /* in a user's UE: its link, and all that the UE holds and makes */
} scn_seat_kind;

typedef enum scn_core_node {
    SCN_NODE_PCSCF = 0,
    SCN_NODE_ICSCF,
    SCN_NODE_SCSCF,
    SCN_NODE_HSS,
    SCN_NODE_KMS,
    SCN_CORE_NODES
} scn_core_node;

/* "pcscf": the first label of such a node's name; NULL beyond the end. */
const char *scn_core_node_name(unsigned node);

typedef struct scn_seat {
    scn_seat_kind kind;
    const char *node;                /* name of the node whose link it is: "alice", "pcscf.home.example" */
    const struct scn_user *user;     /* LINK, UE */
    const struct scn_domain *domain; /* NODE: the node's home network; else the user's */
    scn_core_node core;              /* NODE */
    uint64_t from_ns, until_ns;      /* of the run: sees and changes what passes in this time */
} scn_seat;

/* ---- holdings ---------------------------------------------------------------------------------------------
 */

typedef enum scn_holding_kind {
    SCN_HOLDS_PRIVATE_KEY =
        1,                   /* one private key of `identity`, that of the period in which date_utc_ns lies */
    SCN_HOLDS_MASTER_SECRET, /* of the KMS of `domain` */
    SCN_HOLDS_PSK,           /* that `user` shares with its KMS */
    SCN_HOLDS_GENERATOR,    /* the seed from which `user` draws its scalars, and all of its scalars with it */
    SCN_HOLDS_MEMORY,       /* what is alive in the memory of the UE of `user` at from_ns, and no more */
    SCN_HOLDS_SESSION_KEYS, /* the UE of `user` tells the TGK of each of its calls when it is established */
    SCN_HOLDS_SESSION_KEY   /* the TGK of `call` leaks */
} scn_holding_kind;

typedef struct scn_holding {
    scn_holding_kind kind;
    const struct scn_user
        *user;            /* PRIVATE_KEY (whose identity it is), PSK, GENERATOR, MEMORY, SESSION_KEYS */
    const char *identity; /* PRIVATE_KEY: one of the user's public identities */
    int64_t date_utc_ns;  /* PRIVATE_KEY */
    const struct scn_domain *domain; /* MASTER_SECRET */
    const struct scn_call *call;     /* SESSION_KEY */
    uint64_t from_ns;                /* it has it from that virtual time on */
} scn_holding;

/* ---- a KMS of its own -----------------------------------------------------------------------------------
 */

typedef enum scn_degenerate {
    SCN_SOUND = 0,
    SCN_P_PUB_IS_P,  /* the master secret is 1 */
    SCN_Q_COMPOSITE, /* the order of the group is no prime */
    SCN_SMALL_ORDER, /* P generates a group that can be searched */
    SCN_P_IS_3       /* the field has three elements */
} scn_degenerate;

typedef enum scn_rogue_certificate {
    SCN_ROGUE_NONE = 0, /* it shows none: plain HTTP, or a handshake that fails */
    SCN_ROGUE_SELF_SIGNED,
    SCN_ROGUE_STOLEN,    /* the one of the KMS that it impersonates, with its private key */
    SCN_ROGUE_TRUSTED,   /* it holds a CA that everybody trusts */
    SCN_ROGUE_WRONG_NAME /* of a trusted CA, for its own name */
} scn_rogue_certificate;

typedef struct scn_rogue_kms {
    const struct scn_domain *impersonates; /* DNS answers with the adversary's node for that domain's KMS */
    unsigned parameters;                   /* ready-made set, its own master secret; 0: the two files */
    const char *parameters_file, *master_file; /* as those of scn_kms */
    scn_degenerate degenerate;
    scn_rogue_certificate certificate;
    bool tls; /* it speaks HTTPS on port 443; false: HTTP on port 80 */
} scn_rogue_kms;

/* ---- rules: when ------------------------------------------------------------------------------------------
 */

typedef enum scn_trigger {
    SCN_ON_MIKEY = 1, /* a MIKEY message in SIP or HTTP: `data_type`, or any */
    SCN_ON_SIP,       /* a SIP message: `method`, `status`, or any */
    SCN_ON_HTTP,      /* a request to or an answer of a KMS */
    SCN_ON_MEDIA,     /* an RTP or SRTP packet */
    SCN_ON_PACKET,    /* an IP packet, whatever it carries */
    SCN_ON_TIME,      /* once, at after_ns */
    SCN_ON_STATE      /* node `of` logs the STATE event `is` */
} scn_trigger;

#define SCN_ANY_TYPE (-1)

/* ---- rules: what ------------------------------------------------------------------------------------------
 */

#define SCN_ATTACK_LIST(X)                                                                                   \
    X(PASS, "pass") /* nothing, and later rules do not see the message */                                    \
    X(DROP, "drop")                                                                                          \
    X(DELAY, "delay")           /* by_ns */                                                                  \
    X(DUPLICATE, "duplicate")   /* `times` copies besides it, each by_ns after the one before */             \
    X(REORDER, "reorder")       /* it goes out after the next message of its direction */                    \
    X(RECORD, "record")         /* under the name `as` */                                                    \
    X(SUBSTITUTE, "substitute") /* the MIKEY message of recording `what` in the place of this one's */       \
    X(REPLAY, "replay") /* recording `what`, by_ns from now, to its old receiver or freshly to `to` */       \
    X(MODIFY, "modify") /* `field` of the MIKEY message becomes `value` */                                   \
    X(REMOVE_PAYLOAD, "remove-payload")   /* the instance-th `payload` */                                    \
    X(ADD_PAYLOAD, "add-payload")         /* `payload` with value.octets, before `before` */                 \
    X(SWAP_IDENTITIES, "swap-identities") /* the data of IDRi and IDRr */                                    \
    X(IDENTITY, "identity")               /* `field`, IDRi or IDRr, becomes the identity value.text */       \
    X(RE_ENCRYPT, "re-encrypt")           /* IBAKE anew, with other points or identities inside */           \
    X(IMPERSONATE, "impersonate")         /* each message is replaced by one of its own exchanges */         \
    X(RELAY_MEDIA, "relay-media")         /* SRTP of one leg's keys goes on with the other's */              \
    X(INJECT_MEDIA, "inject-media")                                                                          \
    X(FORGE, "forge") /* a message of type `message`, in the name of `as`, to `to` */                        \
    X(FLOOD, "flood") /* `rate` messages of type `message` a second to `to`, for lasts_ns */                 \
    X(STRIP_KEY_MGMT, "strip-key-mgmt") /* the a=key-mgmt lines */                                           \
    X(SET_HEADER, "set-header")         /* `header` becomes value.text; added if there is none */            \
    X(REPLACE_TEXT, "replace-text")     /* `find` becomes `with`, in the SIP message, each time */           \
    X(REROUTE, "reroute")               /* the SIP message goes to node `to` instead */                      \
    X(CONTACT, "contact")               /* the URI of Contact becomes value.text */

typedef enum scn_attack {
    SCN_ATTACK_NONE = 0,
#define SCN_ATTACK_ENUM(name, text) SCN_ATTACK_##name,
    SCN_ATTACK_LIST(SCN_ATTACK_ENUM)
#undef SCN_ATTACK_ENUM
        SCN_ATTACKS
} scn_attack;

const char *scn_attack_name(scn_attack attack); /* "remove-payload", as in the file; never NULL */

/* Parts of a MIKEY message that `modify` changes. */
typedef enum scn_mikey_field {
    SCN_FIELD_NONE = 0,
    SCN_FIELD_VERSION,
    SCN_FIELD_DATA_TYPE,
    SCN_FIELD_V_FLAG,
    SCN_FIELD_PRF,
    SCN_FIELD_CSB_ID,
    SCN_FIELD_CS_COUNT, /* #CS */
    SCN_FIELD_MAP,      /* octets of the CS ID map */
    SCN_FIELD_T,
    SCN_FIELD_RAND,
    SCN_FIELD_IDRI, /* ID data */
    SCN_FIELD_IDRR,
    SCN_FIELD_SP,      /* parameters of the first SP */
    SCN_FIELD_SDP_IDS, /* data of the General Extension */
    SCN_FIELD_IBAKE,   /* encrypted data */
    SCN_FIELD_U,       /* of the IBE ciphertext in IBAKE (P-2): its point */
    SCN_FIELD_V_OF_IBE,
    SCN_FIELD_W,
    SCN_FIELD_ESK, /* encrypted data */
    SCN_FIELD_MAC  /* of V */
} scn_mikey_field;

typedef enum scn_edit {
    SCN_EDIT_NONE = 0,
    SCN_EDIT_FLIP,   /* the lowest bit of the last octet */
    SCN_EDIT_RANDOM, /* as many random octets, from the run's streams; never the old ones */
    SCN_EDIT_ZERO,
    SCN_EDIT_NUMBER, /* `number` */
    SCN_EDIT_SHIFT,  /* T: moved by shift_ns */
    SCN_EDIT_OCTETS, /* `octets`, of any length */
    SCN_EDIT_XOR,    /* `octets`, added bit by bit to those that stand there from octet `number` on */
    SCN_EDIT_TEXT    /* `text` */
} scn_edit;

typedef struct scn_edit_value {
    scn_edit how;
    uint64_t number;
    int64_t shift_ns;
    ibk_span octets; /* OCTETS, XOR; TEXT: of `text`, without its terminator */
    const char *text;
} scn_edit_value;

/* The point that `re-encrypt` puts into an ECCPT. */
typedef enum scn_point_kind {
    SCN_POINT_KEPT = 0,
    SCN_POINT_OWN,         /* a fresh one, of a scalar that it keeps */
    SCN_POINT_REFLECTED,   /* the other party's */
    SCN_POINT_OFF_CURVE,   /* no point of the curve */
    SCN_POINT_INFINITY,    /* one zero octet (SEC 1) */
    SCN_POINT_SMALL_ORDER, /* of another curve y² = x³ + ax + b', of small order */
    SCN_POINT_COMPRESSED,  /* the one that was there, compressed */
    SCN_POINT_TWIST,       /* of the quadratic twist */
    SCN_POINT_HEX          /* `octets` */
} scn_point_kind;

typedef struct scn_point {
    scn_point_kind kind;
    ibk_span octets;
} scn_point;

/* The identity in an IDR inside the encryption. */
typedef struct scn_inner {
    bool given;           /* false: stays as it is */
    const char *identity; /* NULL: the IDR is left out */
} scn_inner;

typedef enum scn_flood_content {
    SCN_FLOOD_GARBAGE = 0,      /* well-formed messages whose ciphertexts are random octets */
    SCN_FLOOD_VALID_CIPHERTEXT, /* really encrypted to the target */
    SCN_FLOOD_RECORDED          /* recording `what`, again and again */
} scn_flood_content;

/* ---- a rule -------------------------------------------------------------------------------------------- */

typedef struct scn_rule {
    /* When. Absent conditions are NULL or 0; SIP alone has a method or a status. */
    scn_trigger on;
    int data_type;                 /* MIKEY: enum ibk_data_type, or SCN_ANY_TYPE */
    const char *method;            /* SIP: a request "INVITE"; NULL: … */
    unsigned status;               /* … a response with this status; 0: any SIP message */
    const char *on_text;           /* as the file has it: "I_MESSAGE_1", "183" */
    const struct scn_call *call;   /* a message of this call, by its Call-ID */
    const char *sender, *receiver; /* names of the nodes of this hop */
    const char *identity;          /* stands in IDRi or IDRr */
    uint32_t nth;                  /* the nth message that fits, from 1; 0: every one */
    uint64_t after_ns, until_ns;   /* virtual time from which and up to which it fits; UINT64_MAX: no end */
    uint32_t probability_ppb;      /* of 10^9 */
    const char *of, *is;           /* STATE: name of the node, and of the event */
    bool more;                     /* later rules are tried as well */

    /* What; only those that belong to the action are set. */
    scn_attack act;
    uint64_t by_ns;
    uint32_t times;
    const char *as;                 /* RECORD: name of the recording */
    const char *as_identity;        /* FORGE: the identity in whose name */
    const char *what;               /* name of a recording, one that a rule of this adversary makes */
    const char *to;                 /* name of a node or user */
    const struct scn_user *to_user; /* … if it is a user, else NULL */
    bool fresh;                     /* REPLAY: in a dialog of its own */
    scn_mikey_field field;          /* MODIFY, IDENTITY */
    scn_edit_value value;           /* MODIFY, IDENTITY, ADD_PAYLOAD, SET_HEADER, CONTACT */
    uint8_t payload;                /* enum ibk_payload_type or another number */
    uint32_t instance;              /* REMOVE_PAYLOAD: from 1 */
    bool has_before;                /* ADD_PAYLOAD: false: at the end, before V or SIGN */
    uint8_t before;
    scn_point point_i, point_r; /* RE_ENCRYPT */
    scn_inner inner_i, inner_r; /* RE_ENCRYPT */
    const char *for_identity;   /* RE_ENCRYPT, IMPERSONATE: to encrypt for; NULL: the same recipient */
    const struct scn_domain *parameters_of; /* with the parameters of that KMS; NULL: the recipient's own */
    uint64_t lasts_ns;                      /* FLOOD, INJECT_MEDIA: key `for` */
    uint8_t message;                        /* FORGE, FLOOD: enum ibk_data_type */
    uint32_t rate;                          /* FLOOD, INJECT_MEDIA: messages a second */
    scn_flood_content content;              /* FLOOD */
    const char *find, *with, *header;       /* REPLACE_TEXT, SET_HEADER */
    const char *text;                       /* for reports: "modify SP", "drop" */
} scn_rule;

/* ---- an adversary ----------------------------------------------------------------------------------------
 */

typedef struct scn_adversary {
    const char *name;                     /* unique among users and adversaries; its node's name too */
    const struct scn_domain *attached_to; /* its node hangs on the router of that domain */
    const scn_seat *seats;                /* none: off path */
    size_t seat_count;
    const scn_holding *holdings;
    size_t holding_count;
    const cpu_model *cpu; /* of its own node's processor: what its attacks cost it */
    uint32_t cores;
    const scn_rogue_kms *kms; /* NULL: none */
    const scn_rule *rules;    /* in the order of the file; rule i is told as number i + 1 */
    size_t rule_count;
    size_t entry; /* place in `adversaries:` of the file, from 0 */
} scn_adversary;

#endif
