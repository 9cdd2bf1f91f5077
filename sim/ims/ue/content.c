/* Content under a secret key SK (RFC 6267 §3.3, §4.2.2.1, P-22) in the hands of a UE: the caller's, who made
 * it before the call or makes it for a mailbox; the mailbox's, which stores and hands on; the recipient's. */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SPARE_PACKETS = 50 }; /* encoded beyond the planned length of a call */

struct ue_content {
    ue_leg *leg;
    /* what we send: made as we speak, or from a store */
    media_stream *writer;
    const content_store *plays;
    size_t next;
    /* what we receive: to be stored, or opened */
    ue_message *stores;
    ibk_buf sk;
    media_stream *reader;
    uint64_t opened;
    ibk_err reason; /* the first packet that was not what was said */
};

static ue_content *content_of(ue_leg *leg) {
    if (!leg->content)
        leg->content = calloc(1, sizeof *leg->content);
    if (leg->content)
        leg->content->leg = leg;
    return leg->content;
}

static media_config shape_of(const ue_call *call, media_source *source, media_source *expected) {
    uint64_t random = sim_random_u64(call->u->host->sip_random),
             more = sim_random_u64(call->u->host->sip_random);
    return (media_config){.source = source,
                          .expected = expected,
                          .ptime_ms = call->script->media.ptime_ms,
                          .ssrc = (uint32_t)more,
                          .first_sequence = (uint16_t)(random & 0x7FFF),
                          .first_timestamp = (uint32_t)(random >> 32),
                          .cname = call->u->user->private_identity};
}

/* ---- the caller ------------------------------------------------------------------------------------------
 */

ibk_err ue_content_encode(ue_call *call) {
    if (!call->script->pre_encoded || call->sk.len)
        return IBK_OK;
    ibk_env env = ims_host_env(call->u->host);
    size_t packets =
        (size_t)(call->script->duration_ns / (call->script->media.ptime_ms * SIP_MS)) + SPARE_PACKETS;
    media_source *source = ue_media_source(&call->script->media.caller, call->script);
    media_config shape = shape_of(call, source, NULL);
    ibk_err err = source ? ibk_buf_resize(&call->sk, CONTENT_SK_LEN) : IBK_ERR_IO;
    if (!err)
        err = env.draw(env.user, IBK_DRAW_SK, call->sk.data, call->sk.len);
    if (!err)
        err = content_encode(&call->encoded, ibk_buf_span(&call->sk), &shape,
                             packets < CONTENT_MAX_PACKETS ? packets : CONTENT_MAX_PACKETS);
    media_source_free(source);
    if (!err)
        ue_call_state(call, "encoded");
    return err;
}

void ue_content_session(const ue_call *call, ibk_session_config *config) {
    if (call->delivers) {
        config->esk = IBK_ESK_STORED;
        config->stored_esk = ue_message_esk(call->delivers);
    } else if (call->sk.len) {
        config->esk = IBK_ESK_OWN;
        config->sk = ibk_buf_span(&call->sk);
    }
}

/* ---- descriptions ----------------------------------------------------------------------------------------
 */

void ue_content_negotiate(ue_leg *leg) {
    const ue_call *call = leg->call;
    bool deferred = ibk_session_deferred(leg->session), esk = ibk_session_esk(leg->session).len > 0;
    if (call->view.caller)
        leg->container |= deferred; /* I_MESSAGE_2 will carry an ESK for whom we called: §4.2.2.4 */
    else
        leg->container = call->u->user->mailbox ? deferred || esk : esk && !deferred;
}

bool ue_content_parameters(const ue_leg *leg, char out[64]) {
    ibk_buf date = {0};
    const ue_message *message = leg->call->delivers;
    ibk_span to = ibk_span_str(message ? ue_message_to(message) : "");
    if (!message ||
        ibk_ibe_identity(&date, to, ue_granularity_of(leg->call->u, to), ue_message_date(message)))
        return false;
    snprintf(out, 64, "%d date=%.*s", CONTENT_PAYLOAD_TYPE, (int)(date.len - to.len),
             (const char *)date.data + to.len);
    ibk_buf_free(&date);
    return true;
}

/* The payload type that both descriptions have for the container; -1: there is none. */
static int container_of(const ue_leg *leg) {
    const sip_media *audio = ue_sdp_media(leg, UE_AUDIO);
    for (size_t i = 0; leg->container && audio && i < audio->format_count; i++)
        if (audio->format[i].encoding && strcasecmp(audio->format[i].encoding, CONTENT_ENCODING) == 0)
            return audio->format[i].payload_type;
    return -1;
}

/* The date that the offer names, digits behind "date="; empty: none. */
static ibk_span date_of(const ue_leg *leg) {
    const sip_media *audio = ue_sdp_media(leg, UE_AUDIO);
    for (size_t i = 0; audio && i < audio->attr_count; i++) {
        const char *at = strcmp(audio->attr[i].name, "fmtp") == 0 && audio->attr[i].value
                             ? strstr(audio->attr[i].value, " date=")
                             : NULL;
        if (at)
            return ibk_span_of(at + 6, strspn(at + 6, "0123456789"));
    }
    return (ibk_span){0};
}

/* ---- the recipient ---------------------------------------------------------------------------------------
 */

/* Where it is entered what became of this content: with the mailbox's entry, or as one of its own. */
static ue_message_view *entry_of(const ue_leg *leg) {
    ue *u = leg->call->u;
    ibk_identity from = ibk_session_peer(leg->session), to = ibk_session_asked(leg->session);
    ue_message_view *view = ue_messages_delivered_by(u->messages, leg->call->script);
    if (!view)
        view = ue_messages_add(u->messages, leg->call->script, &from, &to);
    if (view)
        view->recipient = u;
    return view;
}

static void log_outcome(const ue_leg *leg, const char *event, const ue_message_view *view) {
    trace *t = leg->call->u->host->world->trace;
    trace_begin(t, view->refused ? TRACE_ERROR : TRACE_STATE, leg->call->u->host->name, event);
    trace_str(t, "call", leg->call->view.call_id);
    trace_str(t, "from", view->from);
    trace_uint(t, "packets", view->opened);
    if (view->refused)
        trace_diag(t, view->reason, view->diag.err ? &view->diag : NULL);
    trace_end(t);
}

static void note_refusal(const ue_leg *leg, ibk_err reason, const ibk_diag *diag) {
    ue_message_view *view = entry_of(leg);
    if (!view)
        return;
    view->refused = true;
    view->intact = false;
    view->reason = reason;
    view->diag = diag ? *diag : (ibk_diag){0};
    log_outcome(leg, "message-refused", view);
}

/* The private key of the date that the ESK was made for, which may have passed long ago (P-9, P-10). */
static ibk_err find_key(ue_leg *leg, const ibk_ibe_params **params, const ibk_ibe_key **key, ibk_diag *diag) {
    ue *u = leg->call->u;
    ibk_identity asked = ibk_session_asked(leg->session);
    ibk_span date = date_of(leg);
    ibk_buf identity = {0};
    ibk_err err = IBK_OK;
    if (date.len == 0) /* made in this exchange */
        err = ibk_ibe_identity(&identity, asked.id, u->user->domain->kms.granularity,
                               ibk_session_date(leg->session));
    else if (date.len != ibk_granularity_digits(u->user->domain->kms.granularity))
        err = ibk_fail(diag, IBK_ERR_BAD_VALUE, "a=fmtp", 0, "a date of another granularity");
    else if (!(err = ibk_buf_append_span(&identity, asked.id)))
        err = ibk_buf_append_span(&identity, date);
    if (!err)
        switch (ue_find_past_key(u, ibk_buf_span(&identity), params, key)) {
        case IBK_LOOKUP_FOUND:
            break;
        case IBK_LOOKUP_PENDING:
            err = IBK_ERR_STATE;
            break;
        default:
            err = ibk_fail(diag, IBK_ERR_NO_KEY, "ESK", 0, "no private key for the date it was made for");
        }
    ibk_buf_free(&identity);
    return err;
}

static ibk_err open_esk(ue_leg *leg, ibk_diag *diag) {
    const ibk_ibe_params *params;
    const ibk_ibe_key *key;
    ue_content *content = content_of(leg);
    ibk_buf sender = {0};
    ibk_err err = content ? find_key(leg, &params, &key, diag) : IBK_ERR_NO_MEMORY;
    if (!err) { /* the phone rings meanwhile: what comes next waits for the processor */
        ims_host_charge(leg->call->u->host, IBK_WORK_IBE_DECRYPT, ibk_ibe_params_n(params));
        ims_host_work(leg->call->u->host, "ESK", leg->call->view.call_id, NULL, NULL);
        err = ibk_esk_open(&content->sk, &sender, params, key, ibk_session_esk(leg->session), diag);
    }
    /* Who made it is known only if it comes from the caller's own hands. */
    bool direct = date_of(leg).len == 0;
    if (!err && direct && !ibk_span_equal(ibk_buf_span(&sender), ibk_session_peer(leg->session).id))
        err = ibk_fail(diag, IBK_ERR_IDENTITY_MISMATCH, "ESK", 0, "it names another sender than the caller");
    ibk_buf_free(&sender);
    return err;
}

ibk_err ue_content_unlock(ue_leg *leg, ibk_diag *diag) {
    if (leg->call->u->user->mailbox || container_of(leg) < 0)
        return IBK_OK;
    ibk_err err = open_esk(leg, diag);
    if (err && err != IBK_ERR_STATE)
        note_refusal(leg, err, diag->err ? diag : NULL);
    return err;
}

/* ---- packets ---------------------------------------------------------------------------------------------
 */

static bool next_packet(void *user, uint8_t out[MEDIA_PACKET_MAX], size_t *len) {
    ue_content *content = user;
    if (content->writer)
        return media_stream_send(content->writer, out, len) == IBK_OK;
    ibk_span packet = content_store_at(content->plays, content->next);
    if (packet.len == 0)
        return false;
    content->next++;
    memcpy(out, packet.data, packet.len);
    *len = packet.len;
    return true;
}

static media_verdict take_packet(void *user, ibk_span payload) {
    ue_content *content = user;
    ibk_err why = IBK_OK;
    if (content->stores) {
        ue_mailbox_take(content->stores, payload);
        return MEDIA_UNREAD;
    }
    media_verdict verdict = content_open(content->reader, payload, &why);
    content->opened += verdict == MEDIA_SAME;
    if (verdict != MEDIA_SAME && !content->reason)
        content->reason = why ? why : IBK_ERR_MISMATCH;
    return verdict;
}

/* A stream under SK, in the hands of whoever has it. */
static media_stream *open_stream(const ue_leg *leg, ibk_span sk, media_source *source,
                                 media_source *expected) {
    media_stream *stream = NULL;
    media_keys keys;
    media_config shape = shape_of(leg->call, source, expected);
    if (content_keys(&keys, sk) == IBK_OK)
        (void)content_stream_new(&stream, &keys, &shape); /* NULL after an error */
    ibk_wipe(&keys, sizeof keys);
    return stream;
}

static bool begin_sending(ue_content *content, media_source *source) {
    ue_leg *leg = content->leg;
    const ue_call *call = leg->call;
    if (call->delivers)
        content->plays = ue_message_packets(call->delivers);
    else if (call->encoded.count)
        content->plays = &call->encoded;
    else
        content->writer = open_stream(leg, ibk_session_sk(leg->session), source, NULL);
    return content->plays || content->writer;
}

static bool begin_receiving(ue_content *content, media_source *expected) {
    ue_leg *leg = content->leg;
    if (leg->call->u->mailbox)
        content->stores = ue_mailbox_begin(leg);
    else if (content->sk.len && expected)
        content->reader = open_stream(leg, ibk_buf_span(&content->sk), expected, expected);
    return content->stores || content->reader;
}

bool ue_content_begin(ue_leg *leg, media_content *out, media_source *source, media_source *expected) {
    int type = leg->call->script ? container_of(leg) : -1;
    ue_content *content = type < 0 ? NULL : content_of(leg);
    if (!content)
        return false;
    *out = (media_content){.user = content, .payload_type = (uint8_t)type};
    if (leg->call->view.caller) {
        out->next = next_packet;
        return begin_sending(content, source);
    }
    out->take = take_packet;
    return begin_receiving(content, expected);
}

static void conclude(const ue_content *content) {
    const ue_leg *leg = content->leg;
    if (content->reason) {
        note_refusal(leg, content->reason, NULL);
    } else if (content->opened) {
        ue_message_view *view = entry_of(leg);
        if (!view)
            return;
        view->opened = content->opened;
        view->intact = true;
        view->refused = false;
        view->delivered = ue_call_now(leg->call);
        log_outcome(leg, "message-delivered", view);
    }
}

void ue_content_end(ue_leg *leg) {
    ue_content *content = leg->content;
    if (!content)
        return;
    if (content->stores)
        ue_mailbox_end(leg->call->u, content->stores);
    if (content->reader)
        conclude(content);
    media_stream_free(content->writer);
    media_stream_free(content->reader);
    ibk_buf_free(&content->sk); /* wiped */
    free(content);
    leg->content = NULL;
}
