#include "adversary/flood.h"
#include "adversary/post.h"
#include "ims/sip/ids.h"
#include "ims/sip/sdp.h"

#include <stdlib.h>
#include <string.h>

typedef struct wave {
    struct wave *next;
    flood *f;
    flood_plan plan; /* its texts are `as` and `to`, its recording is `recording` */
    char *as, *to;
    ibk_buf recording;
    uint64_t interval_ns, until_ns;
    ims_timer timer;
} wave;

/* An INVITE that is under way. */
typedef struct shot {
    struct shot *next, **prev;
    flood *f;
    sip_client *client;
} shot;

struct flood {
    ims_host *host;
    craft *craft;
    post_office *office;
    wave *waves;
    shot *shots;
    flood_stats stats; /* of SIP; HTTP's are the post office's */
};

ibk_err flood_new(flood **out, ims_host *host, craft *c) {
    *out = NULL;
    flood *f = calloc(1, sizeof *f);
    if (!f)
        return IBK_ERR_NO_MEMORY;
    f->host = host;
    f->craft = c;
    ibk_err err = post_office_new(&f->office, host);
    if (err)
        free(f);
    else
        *out = f;
    return err;
}

static void wave_free(wave *w) {
    ims_host_cancel(w->f->host, &w->timer);
    ibk_buf_free(&w->recording);
    free(w->as);
    free(w->to);
    free(w);
}

void flood_free(flood *f) {
    if (!f)
        return;
    for (wave *w = f->waves, *next; w; w = next) {
        next = w->next;
        wave_free(w);
    }
    for (shot *one = f->shots, *next; one; one = next) {
        next = one->next;
        sip_client_detach(one->client);
        free(one);
    }
    post_office_free(f->office);
    free(f);
}

flood_stats flood_get_stats(const flood *f) {
    post_stats posts = post_get_stats(f->office);
    flood_stats stats = f->stats;
    stats.sent += posts.sent;
    stats.answered += posts.answered;
    stats.failed += posts.failed;
    return stats;
}

bool flood_is_idle(const flood *f) {
    for (const wave *w = f->waves; w; w = w->next)
        if (w->timer)
            return false;
    return post_is_idle(f->office);
}

/* ---- one message
 * ------------------------------------------------------------------------------------------------ */

static ibk_err make_mikey(const wave *w, ibk_buf *out) {
    if (w->plan.content == SCN_FLOOD_RECORDED)
        return ibk_buf_append_span(out, ibk_buf_span(&w->recording));
    craft_forgery forgery = {.type = w->plan.message,
                             .as = ibk_span_str(w->as),
                             .to = ibk_span_str(w->to),
                             .encrypted = w->plan.content == SCN_FLOOD_VALID_CIPHERTEXT};
    return craft_forge(w->f->craft, &forgery, out);
}

static ibk_err write_offer(const wave *w, ibk_span mikey, ibk_buf *out) {
    static const sip_rtpmap format = {0, "PCMU", 8000, 1};
    const sip_sdp_stream stream = {.type = "audio",
                                   .port = 9,
                                   .proto = "RTP/SAVP",
                                   .format = &format,
                                   .format_count = 1,
                                   .ptime_ms = 20};
    ibk_buf base64 = {0};
    sip_sdp *sdp = NULL;
    ibk_err err = ibk_base64_encode(&base64, mikey);
    if (!err)
        err = ibk_buf_append(&base64, "", 1); /* the terminating zero */
    sip_sdp_params params = {.local = w->f->host->addr,
                             .session_id = w->f->stats.sent + 1,
                             .session_version = 1,
                             .key_mgmt = (const char *)base64.data,
                             .streams = &stream,
                             .stream_count = 1};
    if (!err)
        err = sip_sdp_offer(&sdp, &params);
    if (!err)
        err = sip_sdp_encode(out, sdp);
    sip_sdp_free(sdp);
    ibk_buf_free(&base64);
    return err;
}

/* With a Call-ID and tag of its own each, and 100rel, without which no UE looks at the exchange. */
static ibk_err new_invite(const wave *w, ibk_span body, sip_msg **out) {
    sip_arena arena = {0};
    sip_name_addr from = {0}, to = {0}, contact = {0};
    char call_id[SIP_ID_MAX], tag[SIP_ID_MAX], ip[SIP_TEXT_ADDR_MAX];
    const sip_env *env = sip_stack_env(w->f->host->stack);
    sip_addr_ip(ip, &w->f->host->addr);
    ibk_err err = sip_new_token(env, call_id);
    if (!err)
        err = sip_new_tag(env, tag);
    if (!err)
        err = sip_uri_parse(&arena, &from.uri, w->as, NULL);
    if (!err)
        err = sip_uri_parse(&arena, &to.uri, w->to, NULL);
    *out = err ? NULL : sip_request_new("INVITE", &to.uri, &from, &to, call_id, 1);
    if (*out) {
        contact.uri = sip_uri_make(&(*out)->arena, "anonymous", ip, SIP_PORT, SIP_PROTO_NONE, false);
        sip_param_set(&(*out)->arena, &(*out)->from.params, "tag", tag);
        sip_contact_add(*out, &contact);
        sip_header_add(*out, "Supported", "100rel");
        sip_msg_set_body(*out, "application/sdp", body);
    }
    sip_arena_free(&arena);
    return err || *out ? err : IBK_ERR_NO_MEMORY;
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    (void)client;
    ((shot *)user)->f->stats.answered += response->status >= 200;
}

static void on_terminated(void *user, sip_client *client, sip_cause cause) {
    shot *one = user;
    (void)client;
    one->f->stats.failed += cause != SIP_CAUSE_NONE && cause != SIP_CAUSE_LOCAL;
    *one->prev = one->next;
    if (one->next)
        one->next->prev = one->prev;
    free(one);
}

/* Takes the invite. */
static ibk_err shoot(flood *f, sip_msg *invite, const sip_dest *dest) {
    static const sip_client_ops ops = {.response = on_response, .terminated = on_terminated};
    shot *one = calloc(1, sizeof *one);
    if (!one) {
        sip_msg_free(invite);
        return IBK_ERR_NO_MEMORY;
    }
    one->f = f;
    ibk_err err = sip_client_start(f->host->stack, &one->client, invite, dest, &ops, one);
    if (err) {
        free(one);
        return err;
    }
    one->next = f->shots;
    one->prev = &f->shots;
    if (one->next)
        one->next->prev = &one->next;
    f->shots = one;
    return IBK_OK;
}

/* What is answered is left to itself: it neither acknowledges a 183 nor takes the call back. */
static ibk_err send_invite(wave *w, ibk_span mikey) {
    ibk_buf body = {0};
    sip_msg *invite = NULL;
    sip_dest dest = {.proto = SIP_UDP, .addr = w->plan.at};
    dest.addr.port = dest.addr.port ? dest.addr.port : SIP_PORT;
    ibk_err err = write_offer(w, mikey, &body);
    if (!err)
        err = new_invite(w, ibk_buf_span(&body), &invite);
    if (!err)
        err = shoot(w->f, invite, &dest);
    w->f->stats.sent += !err;
    ibk_buf_free(&body);
    return err;
}

static void send_one(void *arg) {
    wave *w = arg;
    flood *f = w->f;
    ibk_buf mikey = {0};
    ibk_err err = make_mikey(w, &mikey);
    ims_host_work(f->host, "flood", NULL, NULL, NULL);
    if (!err)
        err = w->plan.message == IBK_MSG_REQUEST_KEY_PSK
                  ? post_mikey(f->office, &w->plan.at, ibk_buf_span(&mikey))
                  : send_invite(w, ibk_buf_span(&mikey));
    f->stats.failed += err != IBK_OK;
    ibk_buf_free(&mikey);
    bool more = ims_host_now(f->host) + w->interval_ns < w->until_ns;
    w->timer = more ? ims_host_timer(f->host, w->interval_ns, send_one, w) : 0;
}

ibk_err flood_start(flood *f, const flood_plan *plan) {
    wave *w = plan->rate ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return plan->rate ? IBK_ERR_NO_MEMORY : IBK_ERR_USAGE;
    *w = (wave){.f = f, .plan = *plan, .as = strdup(plan->as), .to = strdup(plan->to)};
    w->plan.recording = (ibk_span){0};
    w->interval_ns = SIP_S / plan->rate;
    w->until_ns = ims_host_now(f->host) + plan->lasts_ns;
    ibk_err err = w->as && w->to ? ibk_buf_append_span(&w->recording, plan->recording) : IBK_ERR_NO_MEMORY;
    if (!err)
        w->timer = ims_host_timer(f->host, 0, send_one, w);
    if (!err && !w->timer)
        err = IBK_ERR_INTERNAL;
    if (err) {
        wave_free(w);
        return err;
    }
    w->next = f->waves;
    f->waves = w;
    return IBK_OK;
}
