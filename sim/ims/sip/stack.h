/* SIP: one node's stack: the transport's way in and out, the transaction layer (RFC 3261 §17, §18 with the
 * corrections of RFC 6026), and the node's core above. Everything happens in virtual time, in callbacks of
 * timers and transport.
 *
 * Ownership: a transaction lives until its `terminated` callback has returned; the stack frees it afterwards,
 * never while a callback runs. Messages given to callbacks are borrowed for the call, those given to
 * functions are borrowed too unless "consumed" is said. */
#ifndef IMS_SIP_STACK_H
#define IMS_SIP_STACK_H

#include "ims/sip/message.h"

typedef struct sip_stack sip_stack;
typedef struct sip_client sip_client; /* client transaction */
typedef struct sip_server sip_server; /* server transaction */

/* Why something ended without an answer. */
typedef enum sip_cause {
    SIP_CAUSE_NONE = 0,
    SIP_CAUSE_TIMEOUT,   /* timer B, F or H, or no PRACK or ACK in 64*T1 */
    SIP_CAUSE_TRANSPORT, /* connection refused or lost, destination unreachable */
    SIP_CAUSE_RESPONSE,  /* a final response other than 2xx */
    SIP_CAUSE_BYE,       /* the other side ended it */
    SIP_CAUSE_LOCAL,     /* this side ended it */
    SIP_CAUSE_CANCELLED, /* by CANCEL */
    SIP_CAUSE_MEMORY     /* memory or randomness failed */
} sip_cause;
const char *sip_cause_name(sip_cause cause);

typedef struct sip_config {
    const char *host;    /* sent-by and Via: host name or IP literal of this node */
    uint16_t port;       /* 0: SIP_PORT */
    uint64_t t1, t2, t4; /* ns; 0: 500 ms, 4 s, 5 s */
    uint64_t trying_ns;  /* INVITE server: 100 goes out by itself after this; 0: 200 ms (RFC 3261 §17.2.1) */
    size_t mtu_limit; /* a larger request goes by TCP; 0: 1,300 (RFC 3261 §18.1.1; path MTU - 200 if that is
                         known) */
    bool no_tcp;      /* never change to TCP by size */
    size_t max_transactions; /* more requests are answered 503; 0: 100,000 */
    const char *user_agent;  /* User-Agent and Server; NULL: none */
} sip_config;

/* What sends for the stack. Failure may be told later, with the token, to sip_stack_send_failed. */
typedef struct sip_transport {
    void *self;
    ibk_err (*send)(void *self, const sip_dest *dest, ibk_span octets, uint64_t token);
} sip_transport;

/* The node's core (transaction user). Members may be NULL but `request`. */
typedef struct sip_core {
    void *user;
    /* A new request with its server transaction; sip_server_request(server) stays valid as long as the
     * transaction. Every request must be answered by sip_server_respond sooner or later. Not called for ACK
     * and CANCEL. */
    void (*request)(void *user, sip_server *server, const sip_msg *request);
    /* An ACK that belongs to no INVITE transaction: one for a 2xx. */
    void (*ack)(void *user, const sip_msg *ack, const sip_dest *source);
    /* CANCEL of this INVITE, which has no final response yet. The stack has answered the CANCEL with 200. */
    void (*cancel)(void *user, sip_server *invite, const sip_msg *cancel);
    /* A response that belongs to no client transaction; RFC 6026 §7.2: a proxy drops it, as happens without
     * this. */
    void (*stray)(void *user, const sip_msg *response, const sip_dest *source);
} sip_core;

typedef struct sip_stats {
    uint64_t requests_sent, requests_received;   /* retransmissions not counted */
    uint64_t responses_sent, responses_received; /* likewise */
    uint64_t retransmissions_sent, retransmissions_received;
    uint64_t malformed;     /* messages refused by the parser */
    uint64_t tcp_by_size;   /* requests that changed to TCP */
    uint64_t tcp_fallbacks; /* and of these back to UDP */
    uint64_t timeouts;      /* timers B, F, H */
    uint64_t transport_errors;
    uint64_t clients, servers; /* alive now */
} sip_stats;

/* Copies env and config (and config's text). */
ibk_err sip_stack_new(sip_stack **out, const sip_env *env, const sip_config *config, const sip_core *core);
void sip_stack_set_transport(sip_stack *stack, const sip_transport *transport);
/* Ends every transaction (terminated callbacks run with SIP_CAUSE_LOCAL) and frees. Not from inside a
 * callback. */
void sip_stack_free(sip_stack *stack);
const sip_stats *sip_stack_stats(const sip_stack *stack);
const sip_env *sip_stack_env(const sip_stack *stack);
const sip_config *sip_stack_config(const sip_stack *stack); /* with the defaults filled in */

/* ---- from the transport ------------------------------------------------------------------------ */

/* One message (framed already if by TCP) from `source`. Takes note of received and rport (RFC 3261 §18.2.1,
 * RFC 3581), answers what can be answered of malformed requests with 400, and dispatches. */
void sip_stack_receive(sip_stack *stack, const sip_dest *source, ibk_span octets);
/* The octets sent with this token did not get out (connection refused or lost). */
void sip_stack_send_failed(sip_stack *stack, uint64_t token);
/* ICMP: nothing reaches this address by this protocol: every client transaction towards it fails. */
void sip_stack_unreachable(sip_stack *stack, const sip_dest *dest);

/* ---- sending without a transaction --------------------------------------------------------------- */

/* Next hop of a request: topmost Route, else Request-URI (RFC 3261 §8.1.2, RFC 3263 without NAPTR and SRV):
 * address or sip_env.resolve, port, transport parameter. IBK_ERR_NO_PARAMS if the name does not resolve. */
ibk_err sip_stack_next_hop(sip_stack *stack, sip_dest *out, const sip_msg *request, ibk_diag *diag);
/* Pushes our Via with a new branch, and changes *dest to TCP where the size demands it. */
ibk_err sip_stack_prepare(sip_stack *stack, sip_msg *request, sip_dest *dest);
/* Sends as it is: an ACK for a 2xx that was prepared, for example. */
ibk_err sip_stack_send(sip_stack *stack, const sip_msg *msg, const sip_dest *dest, bool retransmission);
/* RFC 3261 §18.2.2: where a response goes by its topmost Via. `source` gives the connection, and may be NULL.
 */
ibk_err sip_stack_response_dest(sip_stack *stack, sip_dest *out, const sip_msg *response,
                                const sip_dest *source);
/* Answers outside a transaction, e.g. a stateless 4xx. */
ibk_err sip_stack_reply(sip_stack *stack, const sip_msg *request, const sip_dest *source, int status);

/* ---- client transactions ------------------------------------------------------------------------- */

typedef struct sip_client_ops {
    /* Every provisional and final response; with INVITE every 2xx, also of other branches and retransmitted
     * ones. */
    void (*response)(void *user, sip_client *client, const sip_msg *response);
    /* The last callback. cause NONE: there was a final response; else TIMEOUT, TRANSPORT, LOCAL, MEMORY.
     * `client` dies after it. May be NULL. */
    void (*terminated)(void *user, sip_client *client, sip_cause cause);
} sip_client_ops;

/* Starts a transaction: Via is pushed, the message sent. `request` is consumed, even on failure. dest NULL:
 * sip_stack_next_hop. No callback runs before this returns. *out may be NULL. */
ibk_err sip_client_start(sip_stack *stack, sip_client **out, sip_msg *request, const sip_dest *dest,
                         const sip_client_ops *ops, void *user);
/* RFC 3261 §9.1: CANCELs an INVITE; waits for the first provisional answer if there was none, does nothing
 * after a final one. The final answer (487) comes as usual. reason: a Reason header's value, or NULL. */
ibk_err sip_client_cancel(sip_client *client, const char *reason);
const sip_msg *sip_client_request(const sip_client *client); /* as sent, Via included */
const sip_dest *sip_client_dest(const sip_client *client);
/* No further callbacks; the transaction goes on by itself. */
void sip_client_detach(sip_client *client);

/* ---- server transactions -------------------------------------------------------------------------- */

/* Sends a response (consumed, even on failure). After a final one: IBK_ERR_STATE, but for 2xx to an INVITE,
 * which the core retransmits by calling again with the same response (RFC 6026 §7.1). */
ibk_err sip_server_respond(sip_server *server, sip_msg *response);
/* sip_response_new with a To tag of this transaction's own, and sip_server_respond. */
ibk_err sip_server_reply(sip_server *server, int status, const char *reason);
const sip_msg *sip_server_request(const sip_server *server);
const sip_dest *sip_server_source(const sip_server *server);
sip_stack *sip_server_stack(const sip_server *server);
const char *sip_server_tag(const sip_server *server); /* the To tag that sip_server_reply uses */
int sip_server_status(const sip_server *server);      /* last status sent, 0 if none */

typedef struct sip_server_ops {
    /* INVITE: the final response other than 2xx was acknowledged. May be NULL. */
    void (*acked)(void *user, sip_server *server);
    /* The last callback: NONE, TIMEOUT (H: no ACK), TRANSPORT, LOCAL. May be NULL. */
    void (*terminated)(void *user, sip_server *server, sip_cause cause);
} sip_server_ops;
/* Whoever holds on to a server transaction sets these to learn of its end. ops NULL: none any more. */
void sip_server_watch(sip_server *server, const sip_server_ops *ops, void *user);

#endif
