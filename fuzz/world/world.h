/* The world of the stateful targets: nodes with keys, sessions, a KMS, and a network that the input drives.
 * An input is a sequence of records (docs/fuzzing.md, "Sequences"); a cast says who plays and who is fed with
 * changed messages. */
#ifndef FUZZ_WORLD_WORLD_H
#define FUZZ_WORLD_WORLD_H

#include "fixture.h"
#include "octets/edit.h"
#include "world/judge.h"
#include "world/secrets.h"

enum {
    WORLD_POOL = 40,    /* messages that are remembered */
    WORLD_RECORDS = 24, /* of an input: bounds its work */
    WORLD_EDITS = 3,    /* of a record, at most */
    WORLD_MESSAGE_MAX = 1 << 16
};

typedef enum world_part {
    PART_ALICE = 0, /* initiator */
    PART_FORK,      /* Alice's session again, forked from the first */
    PART_BOB,       /* responder */
    PART_BOB_2,     /* another session of Bob's node */
    PART_BOX,       /* the mailbox, as responder in Bob's place */
    PART_CARRIER,   /* the mailbox, as initiator towards Bob with the ESK that it stored */
    PART_KMS,
    PART_USER, /* Alice, asking the KMS for keys */
    PARTS
} world_part;

typedef struct world_cast {
    const char *name;
    uint8_t parts[4]; /* enum world_part; the part that a record names is parts[n % n_parts] */
    size_t n_parts;
    uint32_t attacked; /* bit (1 << part): gets changed messages; others get what was sent, unchanged */
} world_cast;

extern const world_cast cast_initiator, cast_responder, cast_kms, cast_mailbox, cast_call;

/* Kinds of records. */
enum world_kind {
    KIND_PUMP = 0, /* the newest message that nobody has had yet goes, unchanged, to whom it is for */
    KIND_DELIVER,  /* a message of the pool goes to a part, changed by the edits */
    KIND_EXPIRE,   /* a part is told that its deadline may have come */
    KIND_BEGIN,    /* a part begins anew: initiators and users send their first message */
    KIND_UPDATE,   /* a part starts a CSB update */
    KIND_FORK,     /* Alice's session is forked */
    KIND_SETTLE,   /* an update is confirmed, taken back or given up */
    KIND_CLOSE,
    KINDS
};

typedef struct world_record {
    uint8_t kind, part, time, message; /* part: index into the cast's */
    edit edits[WORLD_EDITS];
    size_t n_edits;
    bool mac; /* after the edits the MAC is made anew */
} world_record;

enum { WORLD_HEADER = 2, WORLD_RECORD_MIN = 4, WORLD_MAC = 0x80 /* in the octet that counts edits */ };

/* The next record of an input behind its header; false at its end. */
bool world_read(world_record *out, ibk_span in, size_t *at);

/* Plays an input with a cast and holds what happens against the oracles. */
void world_play(const world_cast *cast, const uint8_t *data, size_t size);

/* ---- inside
 * ------------------------------------------------------------------------------------------------------ */

typedef struct world world;

typedef struct world_node {
    world *world;
    const char *uri;
    ibk_replay_cache *replay;
    ibk_timestamps timestamps;
    fuzz_random random;
    unsigned work;    /* costly operations since the last message */
    unsigned pending; /* look-ups that will be answered "later" first */
    bool keyless;     /* has no private key: what a mailbox is to other people's messages */
} world_node;

typedef struct world_player {
    world_part part;
    world_node *node;
    ibk_session *session;
    bool initiator, forked;
    judged i1, r1, i2, r2; /* as this player sent or accepted them */
    judged u1, u2;         /* I_MESSAGE_1 and R_MESSAGE_1 of the newest CSB update */
    ibk_buf times;         /* T of the updates that came to their end, each in TIME_ROOM octets: length, T */
    judge_force force;     /* crypto sessions and policies, once there are keys */
    judge_force before;    /* those to which an unconfirmed update may be taken back; zero value: none */
    bool moved;            /* an update brought other points */
    bool had_keys;
} world_player;

typedef struct world_message {
    ibk_buf octets;
    uint8_t type;
    world_part from;
    bool delivered;
} world_message;

/* A ciphertext that was opened, and with whose key. */
typedef struct world_opened {
    ibk_buf cipher, plain, whose;
} world_opened;

enum { WORLD_OPENED = 16 };
enum { NODE_ALICE = 0, NODE_BOB, NODE_BOX, NODE_KMS, NODES };

struct world {
    const world_cast *cast;
    uint8_t settings[WORLD_HEADER];
    ibk_time now;
    world_node nodes[NODES];
    world_player players[PARTS];
    world_message pool[WORLD_POOL];
    size_t n_pool;
    int64_t days[32]; /* the first instants of the days on which messages were sent */
    size_t n_days;
    world_opened opened[WORLD_OPENED];
    size_t n_opened;
    secrets secrets;
    ibk_buf logged; /* MPK and AUTHKEY records of the key log: kind, length, CSB ID, octets */
    ibk_kms *kms;
    ibk_key_request *request;
    size_t held; /* octets, before the call under test */
};

/* Settings of an input: bits of its first two octets. */
enum {
    SET_MISSING_ECHO = 1,
    SET_ESK = 2,
    SET_SHA256 = 4,
    SET_ERRORS = 8,
    SET_P384 = 16,
    SET_IGNORE_ERRORS = 32,
    SET_PENDING = 64,
    SET_STAND_IN = 128
};
enum { SET2_TS = 3, SET2_KEYLESS = 4, SET2_GENERIC = 8, SET2_PSK_ID = 16, SET2_PRIVACY = 32 };

/* nodes.c */
void world_open(world *w, const world_cast *cast, const uint8_t *settings);
void world_close(world *w);
ibk_session_config world_config(world *w, world_part part);
/* What an update of this session's adds by the input's flags; `room` lives as long as `config`. */
typedef struct world_further {
    ibk_cs_srtp srtp[64];
    ibk_sp policy;
} world_further;
enum { FURTHER_SESSIONS = 4, FURTHER_POLICY = 8 };
void world_further_of(ibk_update_config *config, world_further *room, const ibk_session *s, uint8_t flags);
ibk_env world_env(world_node *node);
bool world_open_ibe(void *user, ibk_span cipher, ibk_buf *plain);
edit_keys world_keys(world *w, ibk_span donor);
ibk_span world_logged(const world *w, ibk_keylog_kind kind, uint32_t csb_id); /* the newest; empty: none */

void world_forget(world_player *p); /* play.c: its session, and what was judged of it */
/* Whether V was made with a key of that CSB ID's MPK, the newest alone or any. NULL, or the rule. */
const char *world_check_v(const world *w, const judged *j, const world_player *p, bool newest);

/* oracle.c: everything that comes out is looked at here. */
void oracle_step(world *w, world_player *p, ibk_span received, const ibk_step *step);
void oracle_output(world *w, ibk_span output); /* holds no secret */
/* `broken`: NULL, or the rule that is. */
void oracle_rule(const char *broken, const world_player *p, const char *what);
/* oracle_update.c */
void oracle_update_sent(world_player *p);
void oracle_update_offer(world *w, world_player *p);
void oracle_update_answer(world *w, world_player *p, bool by_initiator, const char *what);
void oracle_established(world_player *p);
void oracle_taken_back(world_player *p); /* an unconfirmed update was */
void oracle_in_force(world_player *p);   /* the session says what the messages said */
void oracle_settled(world_player *p);    /* oracle.c: an update was confirmed, taken back or given up */
void oracle_cost_begin(world *w);
void oracle_cost_end(world *w, size_t input_len);
void oracle_end(world *w);
/* With FUZZ_SHOW in the environment: what happens, on standard error. */
void oracle_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *world_part_name(world_part part);

/* Adds to the pool. */
void world_sent(world *w, world_part from, ibk_span message);

/* The deliberately broken twin (docs/fuzzing.md): what FUZZ_BREAK names; false in every other program. */
bool world_broken(const char *what);
uint32_t world_without(void); /* defences that the twin lacks */

#endif
