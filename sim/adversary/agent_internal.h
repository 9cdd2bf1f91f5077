/* What the files of the agent share; nobody else includes it. */
#ifndef SIM_ADVERSARY_AGENT_INTERNAL_H
#define SIM_ADVERSARY_AGENT_INTERNAL_H

#include "adversary/agent.h"
#include "ims/media/stream.h"
#include "ims/sip/call.h"
#include "ims/sip/sdp.h"

#define AGENT_SDP  "application/sdp"
#define AGENT_TONE 617 /* Hz: nobody else's */

typedef struct dialog {
    struct dialog *next;
    agent *a;
    sip_call *sip; /* NULL: over */
    sip_leg *leg;
    bool caller;
    craft_leg *exchange; /* its own; NULL: it brought a recording */
    ibk_buf i_message_1; /* that it called with */
    sip_sdp *remote;
    uint32_t ssrc;
    uint16_t port;
    uint64_t sdp_version, lasts_ns;
    ims_timer timer; /* to answer, then to hang up */
    n3_udp *rtp;
    media_stream *media;
    media_source *tone;
    n3_endpoint peer;
    ims_timer next_packet;
} dialog;

struct agent {
    ims_host *host;
    craft *craft;
    sip_ua *ua;
    dialog *dialogs;
    uint16_t next_port;
    agent_stats stats;
};

/* agent.c */
dialog *dialog_new(agent *a, bool caller);
/* An exchange of its own. `peer` is for a caller. */
ibk_err dialog_open_exchange(dialog *d, const char *call_id, const ibk_identity *local,
                             const ibk_identity *peer);
ibk_err dialog_read_sdp(dialog *d, const sip_msg *msg, ibk_buf *mikey);
ibk_err dialog_write_sdp(dialog *d, ibk_buf *out, bool answer, ibk_span mikey);
void dialog_talk(dialog *d); /* if there are keys */
void dialog_over(dialog *d);

/* agent_flow.c */
extern const sip_ua_ops agent_ua_ops;

#endif
