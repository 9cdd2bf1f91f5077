/* MIKEY in SDP (RFC 4567): a=key-mgmt:mikey <base64>. */
#include "peer/knob.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof *(array))

static const char attribute[] = "a=key-mgmt:", prefix[] = "mikey ";

/* ---- deviations
 * -------------------------------------------------------------------------------------------------- */

/* What is bent is the value behind "a=key-mgmt:", in *octets. */
static void insert(px_octets *value, size_t at, const char *text) {
    px_octets made = {0};
    ibk_span old = px_span(value);
    at = at < old.len ? at : old.len;
    px_put(&made, old.data, at);
    px_put(&made, text, strlen(text));
    px_put(&made, old.data + at, old.len - at);
    px_free(value);
    *value = made;
}

static bool bend_upper(peer *p, px_draft *d, const px_knob *k, px_octets *value) {
    (void)p, (void)d;
    for (int i = 0; i < k->value; i++)
        value->buf.data[i] = (uint8_t)toupper(value->buf.data[i]);
    return true;
}

static bool bend_other_protocol(peer *p, px_draft *d, const px_knob *k, px_octets *value) {
    (void)p, (void)d, (void)k;
    value->buf.data[0] = 'n'; /* "nikey" */
    return true;
}

static const char *const insertions[] = {"*", " ", "="};

/* insertions[at] stands value octets behind "mikey " (negative: at the end). */
static bool bend_insert(peer *p, px_draft *d, const px_knob *k, px_octets *value) {
    (void)p, (void)d;
    insert(value, k->value < 0 ? px_span(value).len : strlen(prefix) + (size_t)k->value, insertions[k->at]);
    return true;
}

static bool bend_end(peer *p, px_draft *d, const px_knob *k, px_octets *value) {
    (void)p, (void)d;
    size_t len = px_span(value).len;
    size_t keep = k->value == 0 ? strlen(prefix) : len - (size_t)k->value;
    value->err = ibk_buf_resize(&value->buf, keep);
    return true;
}

static bool bend_no_space(peer *p, px_draft *d, const px_knob *k, px_octets *value) {
    (void)p, (void)d, (void)k;
    value->buf.data[strlen(prefix) - 1] = ':';
    return true;
}

#define SDP PX_OF(PX_SDP)
#define W   PX_AT_OCTETS

static const px_knob knobs[] = {
    {"protocol-upper-case", "the protocol identifier is \"MIKEY\"", W, bend_upper, PX_NOWHERE, 0, 5, SDP,
     "4567-2 4567-52", PX_REFUSE},
    {"protocol-other", "the only protocol is one that nobody knows", W, bend_other_protocol, PX_NOWHERE, 0, 0,
     SDP, "4567-8 4567-52", PX_REFUSE},
    {"protocol-without-space", "no space stands between protocol and data", W, bend_no_space, PX_NOWHERE, 0,
     0, SDP, "4567-8", PX_REFUSE},
    {"base64-alphabet", "the data hold a character that base64 does not have", W, bend_insert, PX_NOWHERE, 0,
     8, SDP, "4567-1 4567-10", PX_REFUSE},
    {"base64-space", "the data hold a space", W, bend_insert, PX_NOWHERE, 1, 8, SDP, "4567-1 4567-10",
     PX_REFUSE},
    {"base64-surplus-padding", "the data end in a padding character too many", W, bend_insert, PX_NOWHERE, 2,
     -1, SDP, "4567-1 4567-10", PX_REFUSE},
    {"base64-truncated", "the data lack their last character", W, bend_end, PX_NOWHERE, 0, 1, SDP,
     "4567-1 4567-10", PX_REFUSE},
    {"data-missing", "there are no data", W, bend_end, PX_NOWHERE, 0, 0, SDP, "4567-9", PX_REFUSE},
};

const px_table px_knobs_sdp = {knobs, N(knobs)};

/* ---- writing
 * ------------------------------------------------------------------------------------------------------- */

static ibk_err value_of(peer *p, ibk_span message, px_octets *value) {
    px_put(value, prefix, strlen(prefix));
    char *text = malloc(4 * (message.len / 3 + 1) + 1);
    if (!text)
        return IBK_ERR_NO_MEMORY;
    int n = EVP_EncodeBlock((unsigned char *)text, message.data, (int)message.len);
    px_put(value, text, (size_t)n);
    free(text);
    if (p->knob && p->knob_kind == PX_SDP && !value->err && p->knob->bend(p, NULL, p->knob, value))
        p->result.deviated = true;
    return value->err;
}

static void put_attribute(px_octets *out, const px_octets *value) {
    px_put(out, attribute, strlen(attribute));
    px_put_span(out, px_span(value));
    px_put(out, "\r\n", 2);
}

/* The end of the line at `at`, behind its CR LF. */
static size_t line_end(ibk_span text, size_t at) {
    const uint8_t *lf = memchr(text.data + at, '\n', text.len - at);
    return lf ? (size_t)(lf - text.data) + 1 : text.len;
}

static bool is_media(ibk_span text, size_t at) {
    return text.len - at >= 2 && memcmp(text.data + at, "m=", 2) == 0;
}

ibk_err peer_sdp_write(peer *p, ibk_span body, peer_sdp_level level, ibk_span message, ibk_buf *out) {
    px_octets value = {0}, made = {0};
    ibk_err err = value_of(p, message, &value);
    bool media = false;
    for (size_t at = 0, end; !err && at < body.len; at = end) {
        end = line_end(body, at);
        bool m = is_media(body, at);
        if (m && (level == PEER_SDP_MEDIA ? media : !media)) /* the end of what the attribute belongs to */
            put_attribute(&made, &value);
        media |= m;
        px_put(&made, body.data + at, end - at);
    }
    if (!err && (level == PEER_SDP_MEDIA || !media))
        put_attribute(&made, &value);
    if (!err)
        err = made.err ? made.err : ibk_buf_append_span(out, px_span(&made));
    px_free(&value);
    px_free(&made);
    return err;
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------------- */

/* Strict base64 (RFC 4648 §4). */
static bool decode(ibk_span text, px_octets *out) {
    size_t pad = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = text.data[i];
        bool letter = isalnum(c) || c == '+' || c == '/';
        pad += c == '=';
        if ((!letter && c != '=') || (letter && pad))
            return false;
    }
    if (text.len == 0 || text.len % 4 != 0 || pad > 2)
        return false;
    uint8_t *octets = malloc(text.len);
    int n = octets ? EVP_DecodeBlock(octets, text.data, (int)text.len) : -1;
    if (n >= 0)
        px_put(out, octets, (size_t)n - pad);
    free(octets);
    return n >= 0 && !out->err;
}

static bool judge_value(peer *p, ibk_span value, px_octets *message) {
    size_t n = strlen(prefix);
    if (value.len < n || memcmp(value.data, prefix, n - 1) != 0) {
        px_finding(p, "4567-52", "the protocol identifier is not \"mikey\"");
        return false;
    }
    if (value.data[n - 1] != ' ') {
        px_finding(p, "4567-8", "the protocol identifier does not end in a space");
        return false;
    }
    if (value.len == n) {
        px_finding(p, "4567-9", "there are no data");
        return false;
    }
    if (!decode(ibk_span_of(value.data + n, value.len - n), message)) {
        px_finding(p, "4567-10", "the data are not base64");
        return false;
    }
    return true;
}

ibk_err peer_sdp_read(peer *p, ibk_span sdp, ibk_buf *message) {
    px_octets found = {0};
    ibk_span value = {0};
    bool media = false, at_media = false;
    p->judging = PX_SDP;
    for (size_t at = 0, end; at < sdp.len; at = end) {
        end = line_end(sdp, at);
        media |= is_media(sdp, at);
        size_t len = end - at, n = strlen(attribute);
        while (len > 0 && (sdp.data[at + len - 1] == '\n' || sdp.data[at + len - 1] == '\r'))
            len--;
        bool ours = len > n && memcmp(sdp.data + at, attribute, n) == 0;
        if (ours && (value.len == 0 ||
                     (media && !at_media))) { /* media level overrides session level, RFC 4567 §3.1 */
            value = ibk_span_of(sdp.data + at + n, len - n);
            at_media = media;
        }
    }
    bool good = value.len > 0 && judge_value(p, value, &found);
    ibk_err err = good ? ibk_buf_append_span(message, px_span(&found)) : found.err;
    px_free(&found);
    return err;
}
