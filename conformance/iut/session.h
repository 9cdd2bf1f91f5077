/* The sessions of a case (IUT.md §5): opening them, what is asked of them, reports. */
#ifndef CONFORMANCE_IUT_SESSION_H
#define CONFORMANCE_IUT_SESSION_H

#include "conformance/iut/node.h"
#include "conformance/iut/sdp.h"

/* Crypto sessions and policies as libibake takes them; the octets inside live in the node's store. */
typedef struct iut_offer {
    uint8_t map_type;
    ibk_cs_srtp *srtp;
    size_t n_srtp;
    ibk_cs_generic *generic;
    size_t n_generic;
    ibk_sp *policies;
    size_t n_policies;
} iut_offer;

void iut_offer_read_map(const iut_place *at, iut_store *store, iut_offer *out); /* `map` */
void iut_offer_read_policies(const iut_place *at, iut_store *store, iut_offer *out);
void iut_offer_read_ssrcs(const iut_place *at, iut_offer *out); /* `ssrcs`: SRTP-ID */
void iut_offer_free(iut_offer *offer);

struct iut_session {
    char name[33];
    uint8_t role;              /* enum iut_role */
    ibk_session *session;      /* initiator, responder, mailbox */
    ibk_key_request *request;  /* user; NULL when it has ended */
    ibk_key_list issued;       /* user, when it is done */
    bool done;                 /* user: it has its keys */
    iut_offer offer;           /* a responder in SDP is configured again when the offer arrives */
    ibk_session_config config; /* borrows from the store and `offer` */
    iut_sdp sdp;
    bool answering; /* SDP: what arrived last was an offer */
    iut_session *next;
};

void iut_sessions_free(iut_node *node);

/* ---- the requests
 * ------------------------------------------------------------------------------------------ */

void iut_open(iut_node *node, iut_request *request);
void iut_message(iut_node *node, iut_request *request);
void iut_time(iut_node *node, iut_request *request);
void iut_update(iut_node *node, iut_request *request);
void iut_settle(iut_node *node, iut_request *request);
void iut_fork(iut_node *node, iut_request *request);
void iut_close(iut_node *node, iut_request *request);
void iut_open_esk(iut_node *node, iut_request *request);
void iut_parse(iut_proved *proved, iut_request *request);

/* ---- one kind of session
 * ------------------------------------------------------------------------------------ */

/* role kms: a request in, an answer out */
void iut_kms_message(iut_node *node, iut_session *s, ibk_span octets, iut_request *request);
/* role user */
void iut_user_open(iut_node *node, iut_session *s, const iut_place *at);
void iut_user_message(iut_node *node, iut_session *s, ibk_span octets, iut_request *request);
bool iut_user_late(const iut_node *node, const iut_session *s);

/* ---- reports
 * ------------------------------------------------------------------------------------------------ */

typedef enum iut_event { IUT_ACCEPTED = 0, IUT_REFUSED_MESSAGE, IUT_DISCARDED, IUT_EXPIRED } iut_event;

/* Appends a report about the session as it is now. `err` and `diag` count for all events but ACCEPTED;
 * `message` is what to send, empty: nothing. */
json_t *iut_report(iut_request *request, const iut_session *s, iut_event event, ibk_err err,
                   const ibk_diag *diag, ibk_span message);
/* The same of what a session's function returned. */
void iut_report_step(iut_request *request, const iut_session *s, ibk_err err, const ibk_step *step);

#endif
