/* SIP, inside: the user agent's objects, shared by ua.c, caller.c, callee.c and leg.c. */
#ifndef IMS_SIP_UA_H
#define IMS_SIP_UA_H

#include "ims/sip/call.h"
#include "ims/sip/ids.h"

/* A response that is repeated until something acknowledges it. */
typedef struct repeater {
    sip_call *call;
    sip_server *server; /* NULL when idle */
    sip_msg *response;
    uint64_t timer, interval, started;
} repeater;

struct sip_leg {
    sip_leg *next;
    sip_call *call;
    sip_dialog *dialog;
    uint32_t last_rseq; /* caller: of the last reliable response taken */
    bool answered;      /* 2xx seen or sent */
    bool bye_sent;
    sip_msg *ack; /* caller: the ACK as sent, repeated for repeated 2xx */
    sip_dest ack_dest;
    uint32_t invite_cseq; /* of the INVITE or re-INVITE whose 2xx waits for sip_leg_ack */
    bool ack_due;
    bool reinvite; /* one of ours is running */
};

struct sip_call {
    sip_call *next, **prev;
    sip_ua *ua;
    void *user;
    bool caller, ending, ended;
    unsigned busy;      /* callbacks that run with this call: it must not be freed */
    sip_leg *leg;       /* newest first */
    sip_leg *active;    /* answered */
    sip_client *client; /* caller: INVITE transaction */
    sip_server *server; /* callee: INVITE transaction */
    sip_msg *invite;    /* owned copy */
    char tag[SIP_ID_MAX];
    repeater progress; /* callee: reliable 1xx waiting for PRACK */
    repeater answer;   /* callee: 2xx waiting for ACK; also of re-INVITE */
    uint32_t answer_cseq;
    uint32_t rseq;
    sip_msg *held;    /* callee: a 2xx that waits for PRACK */
    sip_cause cause;  /* why it is ending */
    sip_msg *last;    /* BYE, CANCEL or final response for `ended` */
    char *bye_reason; /* callee: hung up before the ACK of its 2xx */
    bool answered;    /* a 2xx to the first INVITE was sent or received */
    uint64_t end_timer;
    struct request *requests; /* client transactions of its legs */
};

struct request { /* a client transaction inside a dialog */
    struct request *next;
    sip_call *call;
    sip_leg *leg;
    sip_client *client;
    char method[24];
    bool done;
};

struct sip_ua {
    sip_stack *stack;
    sip_arena arena;
    sip_name_addr contact;
    const char *allow;
    size_t max_calls, count;
    sip_ua_ops ops;
    void *user;
    sip_call *calls;
};

/* ua.c */
sip_call *sip_call_new(sip_ua *ua);
/* Runs `ended` and frees, once no callback of the call runs any more. */
void sip_call_end(sip_call *call, sip_cause cause, const sip_msg *last);
void sip_call_end_soon(sip_call *call,
                       sip_cause cause); /* the same from a timer: never inside the user's own call */
/* A call that nobody was told of: freed without `ended`. */
void sip_call_discard(sip_call *call);
void sip_call_enter(sip_call *call);
void sip_call_leave(sip_call *call);
sip_leg *sip_leg_new(sip_call *call, sip_dialog *dialog);
sip_leg *sip_leg_of(sip_call *call, const sip_msg *msg);
void sip_add_defaults(sip_ua *ua,
                      sip_msg *msg); /* Contact, Allow, Supported where they belong and are absent */

/* leg.c */
ibk_err sip_leg_bye(sip_leg *leg, const char *reason);
void sip_leg_ack_again(sip_leg *leg);
void sip_call_drop_requests(sip_call *call);
/* An in-dialog request, CSeq checked here. */
void sip_leg_on_request(sip_leg *leg, sip_server *server, const sip_msg *request);

/* callee.c */
void sip_callee_start(sip_ua *ua, sip_server *server, const sip_msg *invite);
/* PRACK: true if it acknowledges what waits; false: answered 481. */
bool sip_callee_on_prack(sip_call *call, sip_server *server, const sip_msg *prack);
void sip_callee_on_ack(sip_call *call, sip_leg *leg, const sip_msg *ack);
void sip_callee_release_held(sip_call *call);
void sip_callee_on_cancel(sip_call *call, const sip_msg *cancel);
ibk_err sip_answer_repeat(sip_call *call, sip_server *server, const sip_msg *response); /* 2xx until ACK */
void sip_repeater_stop(repeater *r);

#endif
