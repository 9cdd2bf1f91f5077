/* SIP, inside: what client and server transactions share: identity, state machine, timers, the last thing
 * sent. */
#ifndef IMS_SIP_TXN_H
#define IMS_SIP_TXN_H

#include "ims/sip/stack.h"

typedef enum txn_state {
    TXN_NEW = 0,
    TXN_CALLING,
    TXN_TRYING,
    TXN_PROCEEDING,
    TXN_COMPLETED,
    TXN_CONFIRMED,
    TXN_ACCEPTED, /* RFC 6026 */
    TXN_TERMINATED
} txn_state;

typedef enum txn_event {
    EV_START = 0,  /* client: send it; server: it arrived */
    EV_1XX,        /* received by a client, sent by the core of a server */
    EV_2XX,        /* likewise */
    EV_FINAL,      /* 300..699; in non-INVITE transactions 200..699 */
    EV_REQUEST,    /* server: the request again */
    EV_ACK,        /* server: ACK of this INVITE */
    EV_TRANSPORT,  /* sending failed */
    EV_RETRANSMIT, /* timers A, E, G */
    EV_TIMEOUT,    /* timers B, F, H */
    EV_END,        /* timers D, K, I, J, L, M */
    EV_NUDGE       /* server: 200 ms without a response; client: CANCEL without a final response */
} txn_event;

/* One timer for each role; which letter it is depends on the machine and the state. */
typedef enum txn_timer {
    TIMER_RETRANSMIT = 0,
    TIMER_TIMEOUT,
    TIMER_END,
    TIMER_NUDGE,
    TIMER_FAILURE,
    TXN_TIMERS
} txn_timer;

typedef struct txn txn;
typedef struct txn_rule {
    txn_state state;
    txn_event event;
    txn_state next;
    void (*action)(txn *t, sip_msg *msg); /* msg as the event has it; NULL: none. Runs in the next state */
} txn_rule;

typedef struct txn_machine {
    const txn_rule *rule;
    size_t count;
} txn_machine;

struct txn {
    sip_stack *stack;
    const txn_machine *machine;
    txn_state state;
    bool is_client, is_invite;
    char *key; /* branch, sent-by, method */
    txn *bucket_next;
    txn *prev, *next; /* all that are alive */
    struct txn_alarm {
        txn *t;
        uint64_t handle;
        txn_timer id;
    } alarm[TXN_TIMERS];
    uint64_t interval; /* of the retransmission timer, ns */
    sip_msg *request;  /* owned */
    sip_msg *sent;     /* server: the last response, owned; client: the request again */
    ibk_buf octets;    /* of what is sent */
    sip_dest dest;
    uint64_t token;
    sip_cause cause;
    bool final;
};

struct sip_client {
    txn base;
    const sip_client_ops *ops;
    sip_client_ops ops_copy;
    void *user;
    bool by_size, cancel_wanted, cancel_sent;
    char *cancel_reason;
    ibk_buf ack; /* for a non-2xx response, as sent */
    sip_msg *ack_msg;
    uint64_t seen[8]; /* digests of received responses, newest first */
};

struct sip_server {
    txn base;
    sip_server_ops ops;
    void *user;
    sip_dest source;
    char tag[48];
};

#define TXN_BUCKETS 256u

struct sip_stack {
    sip_env env;
    sip_config config;
    sip_arena arena; /* config's text */
    sip_core core;
    sip_transport transport;
    sip_stats stats;
    txn *bucket[TXN_BUCKETS];
    txn *alive; /* list of all */
    txn *dead;  /* freed when no callback runs */
    unsigned depth;
    uint64_t next_token;
};

/* ---- life (txn.c) -------------------------------------------------------------------------------- */

/* Every way into the stack is bracketed: transactions that end inside are freed at the last leave. */
void sip_stack_enter(sip_stack *stack);
void sip_stack_leave(sip_stack *stack);
void sip_txn_init(txn *t, sip_stack *stack, const txn_machine *machine);
/* Takes `key` (allocated). */
void sip_txn_register(txn *t, char *key);
txn *sip_txn_find(sip_stack *stack, const char *key, bool client);
/* Looks the event up in the machine; an event without a rule is ignored. */
void sip_txn_feed(txn *t, txn_event event, sip_msg *msg);
void sip_txn_timer_start(txn *t, txn_timer id, uint64_t delay_ns);
void sip_txn_timer_stop(txn *t, txn_timer id);
void sip_txn_stop_all(txn *t);
/* Sends t->octets; a failure comes back as EV_TRANSPORT, later. */
void sip_txn_send(txn *t, bool retransmission);
/* EV_TRANSPORT, from a timer of its own so that nobody is called back inside his own call. */
void sip_txn_post_failure(txn *t);
/* Terminated: last callback, out of the tables, to the dead. */
void sip_txn_end(txn *t, sip_cause cause);
bool sip_txn_reliable(const txn *t);
void sip_txn_free(txn *t);

/* ---- clients (client.c), servers (server.c) ------------------------------------------------------- */

void sip_client_notify_end(txn *t);
void sip_client_release(txn *t);
void sip_client_receive(sip_client *client, sip_msg *response);
/* Is this the first time that the client sees these octets? */
bool sip_client_first_sight(sip_client *client, ibk_span octets);
/* Back to UDP after TCP chosen by size failed; false if that is not the case. */
bool sip_client_fall_back(sip_client *client);
char *sip_client_key(const char *branch, const char *method);

void sip_server_notify_end(txn *t);
void sip_server_release(txn *t);
ibk_err sip_server_start(sip_stack *stack, sip_server **out, sip_msg *request, const sip_dest *source);
char *sip_server_key(const sip_msg *request, const char *method);

/* ---- sending (send.c) ------------------------------------------------------------------------------ */

ibk_err sip_stack_transmit(sip_stack *stack, const sip_msg *msg, ibk_span octets, const sip_dest *dest,
                           bool retransmission, uint64_t token);
void sip_stack_trace(sip_stack *stack, const sip_msg *msg, size_t octets, const sip_dest *peer, bool sent,
                     bool retransmission, const ibk_diag *diag);
/* 400 for octets that the parser refused, if they are a request with enough to answer. */
void sip_stack_refuse(sip_stack *stack, const sip_dest *source, ibk_span octets, const ibk_diag *diag);

#endif
