/* SIP: dialogs (RFC 3261 §12) as plain state: who, where to, in which order. Sends nothing; call.h does. */
#ifndef IMS_SIP_DIALOG_H
#define IMS_SIP_DIALOG_H

#include "ims/sip/message.h"

typedef enum sip_dialog_state {
    SIP_DIALOG_EARLY = 1,
    SIP_DIALOG_CONFIRMED,
    SIP_DIALOG_TERMINATED
} sip_dialog_state;

typedef struct sip_dialog {
    sip_arena arena;
    sip_dialog_state state;
    bool uac; /* this side sent the request that made it */
    const char *call_id;
    sip_name_addr local, remote;        /* with their tags */
    const char *local_tag, *remote_tag; /* remote_tag "" if the peer gave none (RFC 2543) */
    sip_uri remote_target;
    sip_name_addr local_contact;
    sip_name_addr *route; /* in the order in which Route headers are written */
    size_t route_count;
    uint32_t local_cseq, remote_cseq; /* remote_cseq is valid if remote_seen */
    bool remote_seen;
} sip_dialog;

/* From a 101..299 response with a To tag to `request` (as sent). IBK_ERR_MISSING_PAYLOAD: no tag or no
 * Contact. */
ibk_err sip_dialog_uac(sip_dialog **out, const sip_msg *request, const sip_msg *response, ibk_diag *diag);
/* From a request, with the tag that this side puts into its responses. */
ibk_err sip_dialog_uas(sip_dialog **out, const sip_msg *request, const char *local_tag,
                       const sip_name_addr *contact, ibk_diag *diag);
void sip_dialog_free(sip_dialog *dialog);

/* Does an incoming message belong to this dialog? (RFC 3261 §12.2.2, §12.1.2) */
bool sip_dialog_matches(const sip_dialog *dialog, const sip_msg *incoming);
/* UAC, early to confirmed by 2xx: route set and remote target anew (RFC 3261 §13.2.2.4). */
ibk_err sip_dialog_confirm(sip_dialog *dialog, const sip_msg *response);
/* Target refresh by the Contact of a re-INVITE or UPDATE, or of its 2xx. */
ibk_err sip_dialog_refresh(sip_dialog *dialog, const sip_msg *msg);
/* Checks and notes the CSeq of an incoming request: IBK_ERR_MISMATCH if it is not above the last (500). ACK
 * and CANCEL are left out. */
ibk_err sip_dialog_accept_cseq(sip_dialog *dialog, const sip_msg *request);
/* A request inside the dialog, with Route, Contact and the next CSeq (ACK: the given cseq of its INVITE; else
 * 0). NULL: out of memory. Strict routers are served (RFC 3261 §12.2.1.1). */
sip_msg *sip_dialog_request(sip_dialog *dialog, const char *method, uint32_t ack_cseq);
/* A response to a request inside the dialog: To tag and Contact are ours. NULL: out of memory. */
sip_msg *sip_dialog_response(const sip_dialog *dialog, const sip_msg *request, int status,
                             const char *reason);

#endif
