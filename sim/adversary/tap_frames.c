#define _GNU_SOURCE // memmem
#include "adversary/tap_inside.h"
#include "ims/sip/framing.h"
#include "kms/http.h"

#include <stdlib.h>
#include <string.h>

#define HTTP_RAW_MAX   (HTTP_BODY_MAX + ((size_t)256 << 10)) /* head, body and the chunks' own octets */
#define START_LINE_MAX ((size_t)2048)

struct tap_frames {
    frames_kind kind;
    bool given_up;
    sip_framer sip;
    http_reader *http;
    ibk_buf in;   /* HTTP: from the beginning of a message on; given up: what was left */
    size_t fed;   /* octets of `in` that the HTTP reader has */
    size_t taken; /* octets of `in` that were given out last */
};

tap_frames *frames_new(frames_kind kind) {
    tap_frames *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->kind = kind;
    if (kind == FRAMES_SIP)
        return f;
    f->http = http_reader_new(kind == FRAMES_REQUESTS ? HTTP_KIND_REQUEST : HTTP_KIND_RESPONSE);
    if (f->http)
        return f;
    free(f);
    return NULL;
}

void frames_free(tap_frames *f) {
    if (!f)
        return;
    sip_framer_free(&f->sip);
    http_reader_free(f->http);
    ibk_buf_free(&f->in);
    free(f);
}

ibk_err frames_push(tap_frames *f, ibk_span octets) {
    if (f->kind == FRAMES_SIP && !f->given_up)
        return sip_framer_push(&f->sip, octets);
    return ibk_buf_append_span(&f->in, octets);
}

bool frames_given_up(const tap_frames *f) {
    return f->given_up;
}

/* What the SIP framer has and did not give out. */
static ibk_span sip_rest(const tap_frames *f) {
    return f->sip.buf.len ? ibk_span_of(f->sip.buf.data + f->sip.taken, f->sip.buf.len - f->sip.taken)
                          : (ibk_span){0};
}

size_t frames_held(const tap_frames *f) {
    return sip_rest(f).len + f->in.len - f->taken;
}

static void drop_taken(tap_frames *f) {
    if (f->taken)
        memmove(f->in.data, f->in.data + f->taken, f->in.len - f->taken);
    f->in.len -= f->taken;
    f->taken = f->fed = 0;
}

void frames_give_up(tap_frames *f) {
    if (f->given_up)
        return;
    drop_taken(f);
    f->given_up = true;
    if (f->kind == FRAMES_SIP) {
        ibk_span rest = sip_rest(f);
        (void)ibk_buf_append_span(&f->in, rest); /* out of memory: seen by frames_next() */
        if (f->in.len == rest.len)
            sip_framer_free(&f->sip);
    }
}

static frames_result next_raw(tap_frames *f, ibk_span *out) {
    drop_taken(f);
    if (sip_rest(f).len)
        return FRAMES_ERROR;
    f->taken = f->in.len;
    *out = ibk_buf_span(&f->in);
    return out->len ? FRAMES_RAW : FRAMES_NONE;
}

/* ---- SIP ----------------------------------------------------------------------------------------- */

static size_t leading_crlf(ibk_span rest) {
    size_t len = 0;
    while (len + 2 <= rest.len && memcmp(rest.data + len, "\r\n", 2) == 0)
        len += 2;
    return len;
}

/* A stream of something else must not wait for the end of a header that never comes. */
static bool may_be_sip(ibk_span rest) {
    size_t len = rest.len < START_LINE_MAX ? rest.len : START_LINE_MAX;
    const uint8_t *end = memchr(rest.data, '\n', len);
    if (end)
        return memmem(rest.data, (size_t)(end - rest.data), "SIP/2.0", 7) != NULL; // RFC 3261 §7.1, §7.2
    for (size_t i = 0; i < len; i++)
        if (rest.data[i] < 0x20 && rest.data[i] != '\r')
            return false;
    return true;
}

static frames_result next_sip(tap_frames *f, ibk_span *out) {
    ibk_span rest = sip_rest(f);
    size_t filler = leading_crlf(rest);
    if (filler) { /* the framer would drop it without a word */
        f->sip.taken += filler;
        *out = ibk_span_of(rest.data, filler);
        return FRAMES_FILLER;
    }
    if (rest.len == 0)
        return FRAMES_NONE;
    if (!may_be_sip(rest) || sip_framer_next(&f->sip, out, NULL)) {
        frames_give_up(f);
        return next_raw(f, out);
    }
    return out->len ? FRAMES_MESSAGE : FRAMES_NONE;
}

/* ---- HTTP ---------------------------------------------------------------------------------------- */

static frames_result next_http(tap_frames *f, ibk_span *out) {
    size_t used = 0;
    if (f->taken)
        drop_taken(f);
    if (f->fed == f->in.len)
        return FRAMES_NONE;
    http_result result = http_reader_feed(f->http, f->in.data + f->fed, f->in.len - f->fed, &used);
    f->fed += used;
    if (result == HTTP_MESSAGE) {
        f->taken = f->fed;
        *out = ibk_span_of(f->in.data, f->taken);
        return FRAMES_MESSAGE;
    }
    if (result == HTTP_BAD || f->in.len > HTTP_RAW_MAX) {
        frames_give_up(f);
        return next_raw(f, out);
    }
    return FRAMES_NONE;
}

frames_result frames_next(tap_frames *f, ibk_span *out) {
    *out = (ibk_span){0};
    if (f->given_up)
        return next_raw(f, out);
    return f->kind == FRAMES_SIP ? next_sip(f, out) : next_http(f, out);
}
