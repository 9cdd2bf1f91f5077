/* What the files of mid call share; nobody else includes it, but its test.
 *
 *   midcall.c         what the scenario plans, one offer at a time, keys that arrive, the end
 *   midcall_offer.c   our offer and the answer to it
 *   midcall_answer.c  the other party's offer and our answer
 *   midcall_record.c  what is told of either
 */
#ifndef IMS_UE_MIDCALL_INSIDE_H
#define IMS_UE_MIDCALL_INSIDE_H

#include "ims/ue/internal.h"
#include "ims/ue/midcall.h"

/* An action of ours whose time is to come. */
typedef struct midcall_due {
    ue_midcall *m;
    const scn_action *action;
    ims_timer timer;
} midcall_due;

typedef enum midcall_phase {
    MIDCALL_IDLE = 0,
    MIDCALL_PREPARING, /* waits for keys: nothing was sent */
    MIDCALL_COMPUTING, /* the processor works on our offer */
    MIDCALL_SENT,      /* our offer waits for its answer */
    MIDCALL_RETRYING   /* met another offer: waits to be sent again */
} midcall_phase;

/* How things stand before an offer: what comes back if it is refused. */
typedef struct midcall_state {
    sip_direction wish;
    bool video;
    unsigned video_line;
    size_t lines;
} midcall_state;

struct ue_midcall {
    ue_call *call;
    ue_leg *leg;
    midcall_due *due;
    size_t due_count;
    const scn_action **queue; /* those whose time has come; the first is being done unless IDLE */
    size_t queued;
    midcall_phase phase;
    size_t record; /* of the attempt in the view */
    bool csb;      /* our offer carries I_MESSAGE_1 of a CSB update */
    ims_timer retry;
    midcall_state before; /* our offer */
    sip_msg *response;    /* the answer to our offer, while it waits for keys or is computed */
    sip_sdp *answer;      /* its description */
    /* The other party's offer while it waits for keys; NULL: none. */
    sip_server *server;
    ibk_buf message; /* its I_MESSAGE_1 */
    sip_sdp *agreed; /* the description before it */
    midcall_state before_theirs;
    size_t their_record;
};

/* ---- midcall.c */
/* The next action begins as soon as nothing else goes on in the dialog. */
void midcall_proceed(ue_midcall *m);
midcall_state midcall_state_of(const ue_leg *leg);
void midcall_restore(ue_leg *leg, const midcall_state *state);
/* `agreed` (consumed) is the peer's description in force from now on. */
void midcall_keep(ue_leg *leg, sip_sdp *agreed);
bool midcall_has_crypto_sessions(const ue_leg *leg, unsigned stream);

/* ---- midcall_offer.c */
void midcall_begin(ue_midcall *m);
void midcall_read_answer(ue_midcall *m); /* a 2xx; again when keys for it have arrived */

/* ---- midcall_answer.c */
/* I_MESSAGE_1 of their update, now or when the keys for it are there. */
void midcall_take_update(ue_midcall *m);
sip_server *midcall_release_server(ue_midcall *m);

/* ---- midcall_record.c */
ue_update *midcall_record(const ue_midcall *m, size_t index);
ibk_err midcall_add_record(ue_midcall *m, size_t *index, const ue_update *begun);
void midcall_end_record(const ue_midcall *m, size_t index, int sip_status, ibk_err reason,
                        const ibk_diag *diag);

#endif
