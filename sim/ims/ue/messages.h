/* The book of a run's messages: content under a secret key SK of its own (RFC 6267 §3.3), left in mailboxes
 * or played by a caller who had encoded it beforehand. Every UE enters its part: the mailbox what it stored
 * and tried to read, the recipient what it opened. Who observes the run reads it; nothing of it travels. */
#ifndef IMS_UE_MESSAGES_H
#define IMS_UE_MESSAGES_H

#include "ims/ue/ue.h"

typedef struct ue_message_view {
    const scn_call *script;     /* the call in which it was left, or played; NULL: none of the scenario */
    const scn_call *delivery;   /* how the mailbox's calls for it behave; NULL: it was played in `script` */
    const struct ue *via;       /* the mailbox; NULL: none */
    char *from, *to;            /* identities: who called, who was called */
    ue_moment stored;           /* in the mailbox */
    uint64_t packets;           /* of content, stored */
    bool readable;              /* the mailbox could read it */
    unsigned attempts;          /* of delivery */
    const struct ue *recipient; /* who opened or refused it; NULL: nobody yet */
    ue_moment delivered;        /* the recipient had opened all that arrived */
    uint64_t opened;            /* packets of content, by the recipient */
    bool intact;                /* they were what was said */
    bool refused;               /* ESK or content could not be opened, or was changed */
    ibk_err reason;             /* with refused: why; diag may be empty */
    ibk_diag diag;
} ue_message_view;

typedef struct ue_messages ue_messages;

ue_messages *ue_messages_new(void); /* NULL: out of memory */
void ue_messages_free(ue_messages *m);

/* A new entry; `from` and `to` are copied. The address holds. NULL: out of memory. */
ue_message_view *ue_messages_add(ue_messages *m, const scn_call *script, const ibk_identity *from,
                                 const ibk_identity *to);
/* How a call that delivers the message behaves: from the mailbox's user to `to`, as
 * long as `duration_ns` (then the mailbox hangs up), with the sound, curve, PRF and carrier of the call in
 * which it was left. Borrowed from the book. */
const scn_call *ue_messages_plan(ue_messages *m, ue_message_view *message, const scn_user *mailbox,
                                 const scn_user *to, uint64_t duration_ns);
/* Which message a call delivers; NULL: none. */
ue_message_view *ue_messages_delivered_by(const ue_messages *m, const scn_call *script);

size_t ue_messages_count(const ue_messages *m);
const ue_message_view *ue_messages_at(const ue_messages *m, size_t index); /* in the order of entry */

#endif
