/* ibakelab: MIKEY messages in texts: hex, base64, SDP, SIP, HTTP. */
#include "cli/decode.h"

#include <string.h>
#include <strings.h>

/* ---- hex and base64 ----------------------------------------------------------------------------- */

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ibk_err decode_hex(ibk_buf *out, ibk_span text, ibk_diag *diag) {
    int high = -1;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (high < 0 && (is_space(c) || c == ':'))
            continue;
        int digit = hex_digit(c);
        if (digit < 0)
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, "hex", i, "not a hex digit");
        if (high < 0) {
            high = digit;
            continue;
        }
        uint8_t octet = (uint8_t)(high << 4 | digit);
        ibk_err err = ibk_buf_append(out, &octet, 1);
        if (err)
            return err;
        high = -1;
    }
    return high < 0 ? IBK_OK : ibk_fail(diag, IBK_ERR_BAD_TEXT, "hex", text.len, "half an octet at the end");
}

ibk_err decode_base64_text(ibk_buf *out, ibk_span text, ibk_diag *diag) {
    ibk_buf joined = {0};
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < text.len && !err; i++)
        if (!is_space(text.data[i]))
            err = ibk_buf_append(&joined, &text.data[i], 1);
    if (!err)
        err = ibk_base64_decode(out, ibk_buf_span(&joined), diag);
    ibk_buf_free(&joined);
    return err;
}

/* ---- SDP -------------------------------------------------------------------------------------------- */

static ibk_span trim(ibk_span s) {
    while (s.len && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Cuts the first line, without its end, off `rest`. */
static ibk_span next_line(ibk_span *rest) {
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    ibk_span line = ibk_span_of(rest->data, len);
    size_t used = end ? len + 1 : len;
    *rest = ibk_span_of(rest->data + used, rest->len - used);
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool starts_with(ibk_span text, const char *start) {
    size_t len = strlen(start);
    return text.len >= len && memcmp(text.data, start, len) == 0;
}

size_t decode_sdp(decoder *d, const decode_origin *origin, ibk_span text) {
    static const char attribute[] = "a=key-mgmt:";
    decode_origin place = *origin;
    size_t found = 0;
    place.line = 0;
    place.medium = 0;
    while (text.len) {
        ibk_span line = next_line(&text);
        place.line++;
        place.medium += starts_with(line, "m=");
        if (!starts_with(line, attribute))
            continue;
        found++;
        ibk_buf message = {0};
        ibk_diag diag = {0};
        ibk_err err = ibk_keymgmt_parse_line(&message, line, &diag);
        if (err)
            decode_malformed(d, &place, err, &diag);
        else
            decode_message(d, &place, ibk_buf_span(&message));
        ibk_buf_free(&message);
    }
    return found;
}

/* ---- SIP and HTTP ---------------------------------------------------------------------------------------
 */

static bool contains(ibk_span text, const char *part) {
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.data + i, part, len) == 0)
            return true;
    return false;
}

static bool ends_with(ibk_span text, const char *end) {
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

/* Compares a field name, or a media type up to its parameters, without regard to case. */
static bool same_word(ibk_span text, const char *word) {
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static bool is_token(uint8_t c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("-.!%*_+`'~#$&^|", c));
}

static void classify(decode_head *h) {
    ibk_span line = h->start_line;
    size_t method = 0;
    while (method < line.len && is_token(line.data[method]))
        method++;
    bool request = method > 0 && method < line.len && line.data[method] == ' ';
    h->is_sip = starts_with(line, "SIP/2.0 ") || (request && ends_with(line, " SIP/2.0"));
    h->is_http = starts_with(line, "HTTP/1.") || (request && contains(line, " HTTP/1."));
}

static void take_length(decode_head *h, ibk_span value) {
    size_t number = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || number > DECODE_MAX_TEXT)
            return;
        number = 10 * number + (size_t)(value.data[i] - '0');
    }
    h->has_length = value.len > 0;
    h->body_len = number;
}

static void take_field(decode_head *h, ibk_span line) {
    const uint8_t *colon = memchr(line.data, ':', line.len);
    if (!colon)
        return;
    size_t at = (size_t)(colon - line.data);
    ibk_span name = trim(ibk_span_of(line.data, at)), value = trim(ibk_span_of(colon + 1, line.len - at - 1));
    if (same_word(name, "call-id") || (h->is_sip && same_word(name, "i")))
        h->call_id = value;
    else if (same_word(name, "cseq"))
        h->cseq = value;
    else if (same_word(name, "content-type") || (h->is_sip && same_word(name, "c")))
        h->content_type = value;
    else if (same_word(name, "content-length") || (h->is_sip && same_word(name, "l")))
        take_length(h, value);
    else if (same_word(name, "transfer-encoding"))
        h->chunked = value.len >= 7 && same_word(ibk_span_of(value.data + value.len - 7, 7), "chunked");
}

/* A start line longer than this, or one with control characters, is none. */
#define MAX_START_LINE 2048

/* Whether `in` may yet become a message: it has no line end so far. */
static decode_framing unfinished(ibk_span in) {
    for (size_t i = 0; i < in.len; i++)
        if (in.data[i] < 0x20 && in.data[i] != '\r')
            return DECODE_OTHER;
    return in.len > MAX_START_LINE ? DECODE_OTHER : DECODE_MORE;
}

decode_framing decode_head_parse(decode_head *out, ibk_span in) {
    *out = (decode_head){0};
    if (!memchr(in.data ? in.data : (const uint8_t *)"", '\n', in.len))
        return unfinished(in);
    ibk_span rest = in;
    out->start_line = next_line(&rest);
    classify(out);
    if (out->start_line.len > MAX_START_LINE || (!out->is_sip && !out->is_http))
        return DECODE_OTHER;
    while (rest.len) {
        bool whole = memchr(rest.data, '\n', rest.len) != NULL;
        ibk_span line = next_line(&rest);
        if (!whole)
            break;
        if (line.len) {
            take_field(out, line);
            continue;
        }
        out->head_len = in.len - rest.len;
        return rest.len < out->body_len ? DECODE_MORE : DECODE_COMPLETE;
    }
    return DECODE_MORE;
}

static bool is_mikey(ibk_span content_type) {
    size_t len = 0;
    while (len < content_type.len && content_type.data[len] != ';' && !is_space(content_type.data[len]))
        len++;
    return same_word(ibk_span_of(content_type.data, len), "application/mikey");
}

void decode_sip_or_http(decoder *d, decode_origin *origin, const decode_head *head, ibk_span body) {
    origin->start_line = head->start_line;
    origin->call_id = head->call_id;
    origin->cseq = head->cseq;
    if (!body.len)
        return;
    if (is_mikey(head->content_type))
        decode_message(d, origin, body);
    else if (head->is_sip)
        decode_sdp(d, origin, body);
}

bool decode_datagram(decoder *d, decode_origin *origin, ibk_span in) {
    decode_head head;
    decode_framing framing = decode_head_parse(&head, in);
    if (framing == DECODE_OTHER || (framing == DECODE_MORE && !head.is_sip && !head.is_http))
        return false;
    if (framing == DECODE_MORE) {
        ibk_diag diag = {0};
        origin->start_line = head.start_line;
        origin->call_id = head.call_id;
        ibk_err err =
            ibk_fail(&diag, IBK_ERR_TRUNCATED, head.is_sip ? "SIP" : "HTTP", in.len,
                     head.head_len ? "the body is shorter than Content-Length" : "the header has no end");
        decode_malformed(d, origin, err, &diag);
        return true;
    }
    size_t len = head.has_length ? head.body_len : in.len - head.head_len; /* RFC 3261 §18.3 */
    decode_sip_or_http(d, origin, &head, ibk_span_of(in.data + head.head_len, len));
    return true;
}

/* ---- streams ----------------------------------------------------------------------------------------------
 */

/* The chunks of an HTTP body (RFC 9112 §7.1) joined in `body`. Octets used, 0: not complete, SIZE_MAX: bad.
 */
static size_t join_chunks(ibk_buf *body, ibk_span in) {
    ibk_span rest = in;
    for (;;) {
        if (!memchr(rest.data ? rest.data : (const uint8_t *)"", '\n', rest.len))
            return rest.len > 1024 ? SIZE_MAX : 0;
        ibk_span line = next_line(&rest);
        size_t size = 0, digits = 0;
        for (; digits < line.len && hex_digit(line.data[digits]) >= 0; digits++) {
            size = size << 4 | (size_t)hex_digit(line.data[digits]);
            if (size > DECODE_MAX_TEXT)
                return SIZE_MAX;
        }
        if (!digits)
            return SIZE_MAX;
        if (size == 0)
            break;
        if (rest.len < size + 2)
            return 0;
        if (body->len + size > DECODE_MAX_TEXT || ibk_buf_append(body, rest.data, size))
            return SIZE_MAX;
        rest = ibk_span_of(rest.data + size, rest.len - size);
        if (next_line(&rest).len) /* the line end after the data */
            return SIZE_MAX;
    }
    for (;;) { /* trailer, up to an empty line */
        if (!memchr(rest.data ? rest.data : (const uint8_t *)"", '\n', rest.len))
            return rest.len > 8192 ? SIZE_MAX : 0;
        if (!next_line(&rest).len)
            return in.len - rest.len;
    }
}

size_t decode_stream(decoder *d, decode_origin *origin, ibk_span in) {
    size_t skip = 0;
    while (skip < in.len && (in.data[skip] == '\r' || in.data[skip] == '\n')) /* RFC 3261 §7.5, RFC 5626 */
        skip++;
    if (skip)
        return skip;
    decode_head head;
    decode_framing framing = decode_head_parse(&head, in);
    if (framing == DECODE_OTHER)
        return SIZE_MAX;
    if (framing == DECODE_MORE)
        return in.len >= DECODE_MAX_TEXT ? SIZE_MAX : 0;
    ibk_span after = ibk_span_of(in.data + head.head_len, in.len - head.head_len);
    if (!head.chunked) {
        decode_sip_or_http(d, origin, &head, ibk_span_of(after.data, head.body_len));
        return head.head_len + head.body_len;
    }
    ibk_buf body = {0};
    size_t used = join_chunks(&body, after);
    if (used && used != SIZE_MAX)
        decode_sip_or_http(d, origin, &head, ibk_buf_span(&body));
    ibk_buf_free(&body);
    return used && used != SIZE_MAX ? head.head_len + used : used;
}

size_t decode_mikey_stream(decoder *d, decode_origin *origin, ibk_span in) {
    ibk_msg msg = {0};
    ibk_diag diag = {0};
    ibk_err err = ibk_msg_parse(&msg, in, &diag);
    ibk_msg_free(&msg);
    if (err == IBK_ERR_TRUNCATED && in.len < IBK_MIKEY_MAX_LEN)
        return 0;
    size_t len = err == IBK_ERR_TRAILING ? diag.offset : in.len; /* the next one follows */
    decode_message(d, origin, ibk_span_of(in.data, len));
    return len;
}
