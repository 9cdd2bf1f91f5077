/* ibakelab: a ladder as pictures and data need it: the rows of reports/ladder.h, the media of the call among
 * them, and with each the parties that knew what it carries under encryption.
 *
 *     ladder_view v;
 *     err = ladder_view_make(&v, events, &options, &result, &conversations, call);
 *     … v.items[i].label …
 *     ladder_view_free(&v);
 */
#ifndef REPORTS_LADDER_VIEW_H
#define REPORTS_LADDER_VIEW_H

#include "reports/conversations.h"
#include "reports/ladder.h"

#define LADDER_MAX_PARTIES 32
#define LADDER_NO_CALL     SIZE_MAX

typedef enum ladder_kind {
    LADDER_SIP = 0,
    LADDER_HTTP,
    LADDER_MIKEY,
    LADDER_MEDIA,
    LADDER_NOTE,  /* what a node did between two messages */
    LADDER_ATTACK /* what an adversary did to a message on its way */
} ladder_kind;

/* Who could read what an item carries, as far as the picture tells them apart. */
typedef enum ladder_secrecy {
    LADDER_NOTHING = 0, /* it carries nothing that is encrypted, or the result does not tell */
    LADDER_ENDS,        /* nobody but nodes of this ladder that are users, or the KMS that made it */
    LADDER_OTHERS,      /* somebody else, who is no adversary */
    LADDER_ADVERSARY
} ladder_secrecy;

/* Texts are borrowed from the events or owned by the view. */
typedef struct ladder_item {
    ladder_kind kind;
    uint64_t ns, arrived_ns;
    bool arrived, lost;
    int from, to;                                             /* lanes */
    const char *label, *mikey, *transport, *note, *adversary; /* NULL: none */
    uint64_t octets;                                          /* 0: not known */
    unsigned copies;
    size_t dialog;    /* from 1; 0: none, or the only one */
    uint32_t readers; /* bits of ladder_view.parties */
    ladder_secrecy secrecy;
    const trace_event *event; /* borrowed from the events; NULL: media */
} ladder_item;

typedef enum ladder_node_kind {
    LADDER_UE = 0,
    LADDER_PCSCF,
    LADDER_ICSCF,
    LADDER_SCSCF,
    LADDER_HSS,
    LADDER_KMS,
    LADDER_MAILBOX,
    LADDER_ADVERSARY_NODE,
    LADDER_OTHER_NODE
} ladder_node_kind;

const char *ladder_kind_name(ladder_kind kind);           /* "sip" */
const char *ladder_node_kind_name(ladder_node_kind kind); /* "pcscf" */

/* What kind of node the result knows under this name; its home network goes to *domain (borrowed), NULL:
 * none. A search through all users: ask once a node. */
ladder_node_kind ladder_node_kind_of(const result *r, const char *node, const char **domain);

typedef struct ladder_view {
    ladder rows;
    ladder_item *items;
    size_t item_count;
    const char *lanes[LADDER_MAX_LANES]; /* names */
    ladder_node_kind lane_kinds[LADDER_MAX_LANES];
    const result_party *parties[LADDER_MAX_PARTIES]; /* those that know something of this call */
    size_t party_count;
    char **texts; /* owned */
    size_t text_count, text_capacity;
} ladder_view;

/* The view of result call number `call`, or of LADDER_NO_CALL: of all conversations in `events`, which then
 * should be those that belong to no call. Everything but `v` is borrowed until ladder_view_free(), which is
 * legal after a failure, too. IBK_ERR_NO_MEMORY, or IBK_OK, also if there is nothing to show. */
ibk_err ladder_view_make(ladder_view *v, const trace_memory *events, const ladder_options *options,
                         const result *r, const conversations *c, size_t call);
void ladder_view_free(ladder_view *v);

/* Fills `call`, `along` and `along_left_out`; for LADDER_NO_CALL `all`. */
void ladder_options_of(ladder_options *options, const conversations *c, size_t call);

/* "Call first: alice to bob", or "Registrations and keys". */
void ladder_title(char *out, size_t size, const result *r, size_t call);

#endif
