/* A mailbox (RFC 6267 §3.3): answers calls that were meant for others without being able to read them, stores
 * ESK and content, and calls the intended recipient once that user is there. */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_DELAY                                                                                          \
    (500 * SIP_MS) /* after the news that somebody has registered: that user's 200 travels too */
#define RETRY_DELAY (30 * SIP_S) /* between attempts */
enum { MAX_ATTEMPTS = 3, TRIED_PACKETS = 4 };

struct ue_message {
    ue_message *next; /* older to newer */
    ue *u;
    ibk_buf esk;
    char *to;            /* the identity that was called */
    const char *account; /* … and the first one of the same user */
    int64_t date_ns;
    media_keys hop[2]; /* while it arrives: of both directions of the exchange with the caller */
    content_store packets;
    ue_message_view *view;
    bool complete, delivering;
    uint64_t due_ns;   /* of the next attempt */
    unsigned attempts; /* since the recipient registered */
};

/* Somebody of whom the S-CSCF has told. */
typedef struct presence {
    struct presence *next;
    char *account; /* a user's first identity */
    bool registered;
} presence;

struct ue_mailbox {
    ue_message *messages;
    presence *presences;
    ims_timer timer;
    bool closing;
};

ibk_span ue_message_esk(const ue_message *message) {
    return ibk_buf_span(&message->esk);
}

int64_t ue_message_date(const ue_message *message) {
    return message->date_ns;
}

const char *ue_message_to(const ue_message *message) {
    return message->to;
}

const content_store *ue_message_packets(const ue_message *message) {
    return &message->packets;
}

static void message_free(ue_message *message) {
    ibk_buf_free(&message->esk);
    content_store_free(&message->packets);
    ibk_wipe(message->hop, sizeof message->hop);
    free(message->to);
    free(message);
}

static void remove_message(ue_mailbox *m, ue_message *message) {
    for (ue_message **at = &m->messages; *at; at = &(*at)->next)
        if (*at == message) {
            *at = message->next;
            message_free(message);
            return;
        }
}

static void log_message(const ue *u, const char *event, const ue_message *message) {
    trace *t = u->host->world->trace;
    trace_begin(t, TRACE_STATE, u->host->name, event);
    trace_str(t, "from", message->view->from);
    trace_str(t, "to", message->to);
    trace_uint(t, "packets", message->packets.count);
    trace_bool(t, "readable", message->view->readable);
    trace_uint(t, "attempts", message->view->attempts);
    trace_end(t);
}

/* A mailbox knows whose numbers are whose: the news of a registration name the identity that was registered,
 * not those that are registered with it (TS 24.229 §5.4.1.7). */
static const char *account_of(const ue *u, const char *identity) {
    const scn_user *user = scn_find_identity(u->scenario, identity);
    return user ? user->identity : identity;
}

/* ---- a message arrives -----------------------------------------------------------------------------------
 */

static ibk_err fill(ue_message *message, ue_leg *leg) {
    ibk_identity asked = ibk_session_asked(leg->session);
    message->to = strndup((const char *)asked.id.data, asked.id.len);
    message->date_ns = ibk_session_date(leg->session);
    ibk_err err =
        message->to ? ibk_buf_append_span(&message->esk, ibk_session_esk(leg->session)) : IBK_ERR_NO_MEMORY;
    for (unsigned i = 0; !err && i < 2; i++) {
        media_keys *keys = &message->hop[i];
        err = ibk_session_tek(leg->session, ue_cs_id(leg, UE_AUDIO, i == 0), keys->key, sizeof keys->key,
                              keys->salt, sizeof keys->salt);
    }
    return err;
}

ue_message *ue_mailbox_begin(ue_leg *leg) {
    ue *u = leg->call->u;
    ibk_identity from = ibk_session_peer(leg->session), to = ibk_session_asked(leg->session);
    ue_message *message = calloc(1, sizeof *message), **at = &u->mailbox->messages;
    if (!message || fill(message, leg) ||
        !(message->view = ue_messages_add(u->messages, leg->call->script, &from, &to))) {
        if (message)
            message_free(message);
        return NULL;
    }
    message->u = u;
    message->account = account_of(u, message->to);
    message->view->via = u;
    while (*at)
        at = &(*at)->next;
    *at = message;
    return message;
}

void ue_mailbox_take(ue_message *message, ibk_span packet) {
    (void)content_store_add(&message->packets, packet); /* a full store takes no more */
}

/* ---- what it can read of it ------------------------------------------------------------------------------
 */

/* Do these keys open any of the first packets? */
static bool opens(const ue_message *message, const media_keys *keys) {
    bool found = false;
    const media_codec codecs[] = {MEDIA_PCMU, MEDIA_PCMA};
    for (size_t i = 0; i < 2 && !found; i++) {
        media_source *source = media_source_tone(codecs[i], 1);
        media_config shape = {.source = source, .ptime_ms = 20, .ssrc = 1, .cname = "mailbox"};
        media_stream *stream = NULL;
        ibk_err why = source ? content_stream_new(&stream, keys, &shape) : IBK_ERR_NO_MEMORY;
        for (size_t n = 0; !why && !found && n < TRIED_PACKETS && n < message->packets.count; n++)
            found = content_open(stream, content_store_at(&message->packets, n), &why) != MEDIA_REFUSED;
        media_stream_free(stream);
        media_source_free(source);
    }
    return found;
}

static bool opens_under(const ue_message *message, ibk_span sk) {
    media_keys keys;
    bool found = content_keys(&keys, sk) == IBK_OK && opens(message, &keys);
    ibk_wipe(&keys, sizeof keys);
    return found;
}

/* Every private key on the ESK. */
static bool opens_by_esk(const ue *u, const ue_message *message) {
    bool found = false;
    const ibk_ibe_params *params;
    const ibk_ibe_key *key;
    for (size_t i = 0; !found && (key = key_store_at(u->store, i, &params)); i++) {
        ibk_buf sk = {0}, sender = {0};
        found = ibk_esk_open(&sk, &sender, params, key, ibk_buf_span(&message->esk), NULL) == IBK_OK &&
                opens_under(message, ibk_buf_span(&sk));
        ibk_buf_free(&sk);
        ibk_buf_free(&sender);
    }
    return found;
}

/* In earnest, with all that this UE holds: its private keys on the ESK; the keys of the exchange with the
 * caller on the content, as they are and as if they were an SK. */
static bool can_read(const ue *u, const ue_message *message) {
    bool found = opens_by_esk(u, message);
    for (size_t i = 0; i < 2 && !found; i++) {
        const media_keys *hop = &message->hop[i];
        found = opens(message, hop) || opens_under(message, ibk_span_of(hop->key, sizeof hop->key));
    }
    return found;
}

/* ---- delivery --------------------------------------------------------------------------------------------
 */

static presence *presence_of(const ue_mailbox *m, const char *account) {
    presence *p = m->presences;
    while (p && strcmp(p->account, account) != 0)
        p = p->next;
    return p;
}

/* A further attempt makes sense, now or later. What was left for the mailbox itself has arrived. */
static bool is_wanted(const ue_mailbox *m, const ue_message *message) {
    const presence *p = presence_of(m, message->account);
    return message->complete && p && p->registered && message->attempts < MAX_ATTEMPTS &&
           strcmp(message->account, message->u->user->identity) != 0;
}

/* In the order in which they came: one at a time for each recipient. */
static bool is_next(const ue_mailbox *m, const ue_message *message) {
    for (const ue_message *other = m->messages; other != message; other = other->next)
        if (strcmp(other->account, message->account) == 0 && (other->delivering || is_wanted(m, other)))
            return false;
    return is_wanted(m, message) && !message->delivering;
}

static void run_mailbox(void *arg);

static void plan_run(ue *u) {
    ue_mailbox *m = u->mailbox;
    uint64_t now = ims_host_now(u->host), earliest = UINT64_MAX;
    for (const ue_message *message = m->messages; message; message = message->next)
        if (is_next(m, message) && message->due_ns < earliest)
            earliest = message->due_ns;
    ims_host_cancel(u->host, &m->timer);
    if (earliest != UINT64_MAX)
        m->timer = ims_host_timer(u->host, earliest > now ? earliest - now : 0, run_mailbox, u);
}

static void put_off(ue_message *message, uint64_t delay) {
    message->due_ns = ims_host_now(message->u->host) + delay;
}

/* What a dishonest mailbox does: to the last octet of the ESK, which is one of W, what the IBE encryption
 * hides SK in (RFC 5091 §5.4); to an octet of a packet in the middle. */
static void tamper(const ue *u, ue_message *message) {
    if (message->view->attempts == 0 && u->user->tampering == SCN_TAMPER_ESK)
        message->esk.data[message->esk.len - 1] ^= 1;
    if (message->view->attempts == 0 && u->user->tampering == SCN_TAMPER_CONTENT)
        message->packets.octets.data[message->packets.octets.len / 2] ^= 1;
}

static void deliver(ue *u, ue_message *message) {
    const scn_user *to = scn_find_identity(u->scenario, message->to);
    uint64_t ptime_ns = message->view->script ? message->view->script->media.ptime_ms * SIP_MS : 0;
    uint64_t duration = (message->packets.count + 1) * ptime_ns;
    const scn_call *plan =
        to ? ue_messages_plan(u->messages, message->view, u->user, to, duration + SIP_S / 2) : NULL;
    message->attempts++;
    if (!plan)
        return;
    tamper(u, message);
    message->view->attempts++;
    message->delivering = true;
    log_message(u, "message-delivering", message);
    if (!ue_caller_deliver(u, plan, message))
        message->delivering = false;
}

static void run_mailbox(void *arg) {
    ue *u = arg;
    ue_mailbox *m = u->mailbox;
    m->timer = 0;
    if (u->switched_off)
        return;
    for (ue_message *message = m->messages; message; message = message->next)
        if (is_next(m, message) && message->due_ns <= ims_host_now(u->host))
            deliver(u, message);
    plan_run(u);
}

void ue_mailbox_end(ue *u, ue_message *message) {
    ue_mailbox *m = u->mailbox;
    if (m->closing || message->packets.count == 0) {
        remove_message(m, message);
        return;
    }
    message->complete = true;
    message->view->stored = (ue_moment){ims_host_now(u->host), true};
    message->view->packets = message->packets.count;
    message->view->readable = can_read(u, message);
    ibk_wipe(message->hop, sizeof message->hop);
    log_message(u, "message-stored", message);
    put_off(message, RETRY_DELAY); /* if the recipient is there: it was busy, or did not answer */
    plan_run(u);
}

void ue_mailbox_delivered(ue_call *call) {
    ue_message *message = call->delivers;
    if (!message)
        return;
    ue *u = call->u;
    ue_mailbox *m = u->mailbox;
    call->delivers = NULL;
    message->delivering = false;
    if (m->closing)
        return;
    bool done = call->view.established.set && call->view.planned_end;
    log_message(u, done ? "message-handed-on" : "message-kept", message);
    put_off(message, RETRY_DELAY);
    if (done)
        remove_message(m, message);
    plan_run(u);
}

static presence *add_presence(ue_mailbox *m, const char *account) {
    presence *p = calloc(1, sizeof *p);
    char *copy = p ? strdup(account) : NULL;
    if (!copy) {
        free(p);
        return NULL;
    }
    *p = (presence){.next = m->presences, .account = copy};
    return m->presences = p;
}

void ue_mailbox_told(ue *u, const char *impu, bool registered) {
    ue_mailbox *m = u->mailbox;
    const char *account = account_of(u, impu);
    presence *p = presence_of(m, account);
    if (!p)
        p = add_presence(m, account);
    if (!p)
        return;
    p->registered = registered;
    for (ue_message *message = m->messages; registered && message; message = message->next)
        if (strcmp(message->account, account) == 0) {
            message->attempts = 0;
            put_off(message, FIRST_DELAY);
        }
    plan_run(u);
}

bool ue_mailbox_is_idle(const ue *u) {
    return !u->mailbox || !u->mailbox->timer;
}

/* ---- life ------------------------------------------------------------------------------------------------
 */

ibk_err ue_mailbox_new(ue *u) {
    if (!u->user->mailbox)
        return IBK_OK;
    u->mailbox = calloc(1, sizeof *u->mailbox);
    return u->mailbox ? IBK_OK : IBK_ERR_NO_MEMORY;
}

void ue_mailbox_close(ue *u) {
    if (!u->mailbox)
        return;
    u->mailbox->closing = true;
    ims_host_cancel(u->host, &u->mailbox->timer);
}

void ue_mailbox_free(ue *u) {
    if (!u->mailbox)
        return;
    for (presence *p = u->mailbox->presences, *next; p; p = next) {
        next = p->next;
        free(p->account);
        free(p);
    }
    while (u->mailbox->messages)
        remove_message(u->mailbox, u->mailbox->messages);
    free(u->mailbox);
    u->mailbox = NULL;
}
