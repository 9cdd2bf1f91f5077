/* Who came to know what in a run: for each party its facts, each with when, how and by which step. Nothing in
 * it is a secret itself. Honest nodes' facts come from what libibake told their key logs and from the SRTP
 * that they accepted; adversaries' from their analysts (analyst.h). */
#ifndef SIM_ADVERSARY_LEDGER_H
#define SIM_ADVERSARY_LEDGER_H

#include "scenario/model.h"

typedef enum ledger_how {
    LEDGER_HELD = 0,  /* it had it from the start, made it itself, or it was given */
    LEDGER_RECEIVED,  /* it came in clear, or was meant for this party */
    LEDGER_DECRYPTED, /* it came encrypted, and was opened */
    LEDGER_COMPUTED,  /* it follows from other things known */
    LEDGER_BROKEN_IN  /* it was taken out of somebody else's node */
} ledger_how;

const char *ledger_how_name(ledger_how how); /* "broken-in"; never NULL */

typedef enum ledger_kind {
    LEDGER_ADVERSARY = 0,
    LEDGER_USER,
    LEDGER_MAILBOX,
    LEDGER_KMS,
    LEDGER_FUNCTION /* P-, I-, S-CSCF, HSS */
} ledger_kind;

const char *ledger_kind_name(ledger_kind kind); /* "function"; never NULL */

#define LEDGER_STEP_MAX 200

typedef struct ledger_fact {
    scn_thing what;
    const scn_call *call; /* NULL: of no call, or of none that the scenario has */
    ledger_how how;
    uint64_t at_ns;
    char step[LEDGER_STEP_MAX]; /* in words, with names and no secrets */
} ledger_fact;

typedef struct ledger_digest {
    uint8_t octets[32];
} ledger_digest;

/* When libibake told a node's key log of the parts of an exchange. */
typedef struct ledger_exchange {
    uint32_t csb_id;
    unsigned seen;                       /* bit (1 << ibk_keylog_kind) */
    uint64_t at_ns[IBK_KEYLOG_SALT + 1]; /* the first time, by kind */
    ledger_digest *k_sessions; /* of each K_SESSION that it computed: forks and updates have several */
    size_t k_session_count, k_session_cap;
} ledger_exchange;

typedef struct ledger_party {
    const char *name; /* borrowed */
    ledger_kind kind;
    ledger_fact *facts;
    size_t fact_count, fact_cap;
    ledger_exchange *exchanges;
    size_t exchange_count, exchange_cap;
    unsigned seen; /* as above, over all: of MASTER, PRIV and PSK too */
    uint64_t at_ns[IBK_KEYLOG_SALT + 1];
    bool failed; /* memory ran out: facts are missing */
} ledger_party;

typedef struct ledger ledger;

ledger *ledger_new(void);    /* NULL: out of memory */
void ledger_free(ledger *l); /* legal on NULL */

/* A party whose address holds; `name` is borrowed. NULL: out of memory. */
ledger_party *ledger_add(ledger *l, const char *name, ledger_kind kind);
ledger_party *ledger_find(const ledger *l, const char *name); /* NULL: none */
size_t ledger_count(const ledger *l);
ledger_party *ledger_at(const ledger *l, size_t index); /* in the order in which they were added */

/* Of several facts about the same thing of the same call the earliest stays; of the same moment the first. */
void ledger_enter(ledger_party *party, const ledger_fact *fact);
void ledger_enter_f(ledger_party *party, const ledger_fact *fact, const char *step, ...)
    __attribute__((format(printf, 3, 4))); /* the same with its step in words */

/* What a node's protocol code tells its key log; keeps when it was, and of the value nothing but a digest
 * (SHA-256) of K_SESSION. */
void ledger_keylog(ledger *l, const char *node, uint64_t now_ns, const ibk_keylog_record *record);
const ledger_exchange *ledger_exchange_of(const ledger_party *party, uint32_t csb_id); /* NULL: none */
/* Did both compute the same K_SESSION, each under its CSB ID? */
bool ledger_share_k_session(const ledger_party *a, uint32_t csb_of_a, const ledger_party *b,
                            uint32_t csb_of_b);

/* Sets of scn_thing: all that the party knows; or what it found out beyond what it had, was given or broke in
 * for (what an honest node has is part of what it knows alone). `call` NULL: of all calls and of none. */
uint64_t ledger_knows(const ledger_party *party, const scn_call *call);
uint64_t ledger_found_out(const ledger_party *party, const scn_call *call);

#endif
