#include "ims/ue/messages.h"

#include <stdlib.h>
#include <string.h>

enum { UNANSWERED_S = 60 }; /* how long a mailbox lets a phone ring */

typedef struct entry {
    ue_message_view view;
    scn_call plan;
    char name[96];
} entry;

struct ue_messages {
    entry **list;
    size_t count;
};

ue_messages *ue_messages_new(void) {
    return calloc(1, sizeof(ue_messages));
}

void ue_messages_free(ue_messages *m) {
    for (size_t i = 0; m && i < m->count; i++) {
        free(m->list[i]->view.from);
        free(m->list[i]->view.to);
        free(m->list[i]);
    }
    if (m)
        free(m->list);
    free(m);
}

static char *text_of(const ibk_identity *identity) {
    return strndup((const char *)identity->id.data, identity->id.len);
}

ue_message_view *ue_messages_add(ue_messages *m, const scn_call *script, const ibk_identity *from,
                                 const ibk_identity *to) {
    entry **grown = realloc(m->list, (m->count + 1) * sizeof(entry *)), *e = calloc(1, sizeof *e);
    if (grown)
        m->list = grown;
    if (grown && e) {
        e->view = (ue_message_view){.script = script, .from = text_of(from), .to = text_of(to)};
        if (e->view.from && e->view.to) {
            m->list[m->count++] = e;
            return &e->view;
        }
        free(e->view.from);
        free(e->view.to);
    }
    free(e);
    return NULL;
}

const scn_call *ue_messages_plan(ue_messages *m, ue_message_view *message, const scn_user *mailbox,
                                 const scn_user *to, uint64_t duration_ns) {
    entry *e = NULL;
    for (size_t i = 0; i < m->count; i++)
        if (&m->list[i]->view == message)
            e = m->list[i];
    if (!e || !message->script)
        return NULL;
    snprintf(e->name, sizeof e->name, "delivery of %s", message->script->name);
    e->plan = (scn_call){.name = e->name,
                         .from = mailbox,
                         .to = to,
                         .called_as = message->to,
                         .duration_ns = duration_ns,
                         .hang_up = SCN_CALLER,
                         .cancel = true,
                         .cancel_ns = UNANSWERED_S * SIP_S,
                         .curve = message->script->curve,
                         .prf = message->script->prf,
                         .media = message->script->media,
                         .carrier = message->script->carrier,
                         .entry = UE_SCRIPT_OF_MAILBOX};
    message->delivery = &e->plan;
    return &e->plan;
}

ue_message_view *ue_messages_delivered_by(const ue_messages *m, const scn_call *script) {
    for (size_t i = 0; script && i < m->count; i++)
        if (m->list[i]->view.delivery == script)
            return &m->list[i]->view;
    return NULL;
}

size_t ue_messages_count(const ue_messages *m) {
    return m->count;
}

const ue_message_view *ue_messages_at(const ue_messages *m, size_t index) {
    return index < m->count ? &m->list[index]->view : NULL;
}
