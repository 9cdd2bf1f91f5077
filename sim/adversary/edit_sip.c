#include "adversary/edit_sip.h"
#include "ims/sip/scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- putting a message together -------------------------------------------------------------------------
 */

typedef struct field_range {
    seen_range line;  /* with its CRLF, folds included */
    seen_range value; /* behind the colon, up to the CRLF */
} field_range;

/* The first field of this name at or after `from`; false: none. */
static bool find_field(const sip_scan *scan, ibk_span octets, const char *name, size_t from,
                       field_range *out) {
    for (size_t i = 0; i < scan->field_count; i++) {
        const sip_field *f = &scan->field[i];
        if (f->offset < from || strcasecmp(f->name, name) != 0)
            continue;
        size_t end = i + 1 < scan->field_count ? f[1].offset : scan->header_len - 2;
        const uint8_t *colon = memchr(octets.data + f->offset, ':', end - f->offset);
        size_t value = (size_t)(colon - octets.data) + 1;
        *out = (field_range){{f->offset, end - f->offset}, {value, end - 2 - value}};
        return true;
    }
    return false;
}

static ibk_err scan_message(sip_arena *arena, sip_scan *scan, ibk_span octets) {
    ibk_err err = sip_scan_header(arena, scan, octets, NULL);
    return err && err != IBK_ERR_NO_MEMORY ? IBK_ERR_MISSING_PAYLOAD : err;
}

static ibk_err splice(ibk_buf *out, ibk_span octets, seen_range range, ibk_span with) {
    size_t before = out->len;
    ibk_err err = ibk_buf_append(out, octets.data, range.at);
    if (!err)
        err = ibk_buf_append_span(out, with);
    if (!err)
        err = ibk_buf_append(out, octets.data + range.at + range.len, octets.len - range.at - range.len);
    if (err)
        ibk_buf_resize(out, before);
    return err;
}

/* Header and body with the right Content-Length, which is added if there was none and there is a body. */
static ibk_err assemble(ibk_buf *out, ibk_span header, ibk_span body) {
    char text[48];
    sip_arena arena = {0};
    sip_scan scan;
    field_range length;
    size_t before = out->len;
    ibk_err err = scan_message(&arena, &scan, header);
    if (!err && find_field(&scan, header, "Content-Length", 0, &length)) {
        int len = snprintf(text, sizeof text, " %zu", body.len);
        err = splice(out, header, length.value, ibk_span_of(text, (size_t)len));
    } else if (!err) {
        int len = snprintf(text, sizeof text, "Content-Length: %zu\r\n", body.len);
        err = splice(out, header, (seen_range){scan.header_len - 2, 0},
                     ibk_span_of(text, body.len ? (size_t)len : 0));
    }
    sip_arena_free(&arena);
    if (!err)
        err = ibk_buf_append_span(out, body);
    if (err)
        ibk_buf_resize(out, before);
    return err;
}

static bool is_readable(const seen *s) {
    return s->sip || s->http;
}

/* ---- edits ------------------------------------------------------------------------------------------------
 */

ibk_err edit_range(ibk_buf *out, const seen *s, seen_range range, ibk_span with) {
    if (!is_readable(s) || range.at + range.len > s->message->octets.len)
        return IBK_ERR_MISSING_PAYLOAD;
    if (range.at < s->header.len)
        return splice(out, s->message->octets, range, with);
    ibk_buf body = {0};
    ibk_err err =
        splice(&body, seen_octets(s, s->body), (seen_range){range.at - s->body.at, range.len}, with);
    if (!err)
        err = assemble(out, seen_octets(s, s->header), ibk_buf_span(&body));
    ibk_buf_free(&body);
    return err;
}

/* The first field's value is replaced, the others' lines go. */
static ibk_err put_header(ibk_buf *out, const sip_scan *scan, ibk_span octets, const char *name,
                          ibk_span line) {
    field_range field;
    size_t done = 0, count = 0;
    ibk_err err = IBK_OK;
    for (size_t from = 0; !err && find_field(scan, octets, name, from, &field); count++) {
        err = ibk_buf_append(out, octets.data + done, field.line.at - done);
        if (!err && count == 0)
            err = ibk_buf_append_span(out, line);
        done = from = field.line.at + field.line.len;
    }
    if (!err && count == 0) {
        done = scan->header_len - 2;
        err = ibk_buf_append(out, octets.data, done);
        if (!err)
            err = ibk_buf_append_span(out, line);
    }
    return err ? err : ibk_buf_append(out, octets.data + done, octets.len - done);
}

ibk_err edit_header(ibk_buf *out, const seen *s, const char *name, const char *value) {
    sip_arena arena = {0};
    sip_scan scan;
    size_t before = out->len;
    ibk_err err = is_readable(s) ? scan_message(&arena, &scan, s->message->octets) : IBK_ERR_MISSING_PAYLOAD;
    const char *line = sip_arena_printf(&arena, "%s: %s\r\n", name, value);
    if (!err && arena.failed)
        err = IBK_ERR_NO_MEMORY;
    if (!err)
        err = put_header(out, &scan, s->message->octets, sip_canonical_name(name), ibk_span_str(line));
    sip_arena_free(&arena);
    if (err)
        ibk_buf_resize(out, before);
    return err;
}

/* Appends `text` with each `find` replaced; *count grows by the number of them. */
static ibk_err replace_all(ibk_buf *out, ibk_span text, ibk_span find, ibk_span with, size_t *count) {
    size_t done = 0;
    ibk_err err = IBK_OK;
    for (const uint8_t *hit; !err; ++*count) {
        hit = memmem(text.data + done, text.len - done, find.data, find.len);
        if (!hit)
            break;
        size_t at = (size_t)(hit - text.data);
        err = ibk_buf_append(out, text.data + done, at - done);
        if (!err)
            err = ibk_buf_append_span(out, with);
        done = at + find.len;
    }
    return err ? err : ibk_buf_append(out, text.data + done, text.len - done);
}

ibk_err edit_text(ibk_buf *out, const seen *s, const char *find, const char *with) {
    ibk_buf header = {0}, body = {0};
    size_t count = 0;
    if (!is_readable(s))
        return IBK_ERR_MISSING_PAYLOAD;
    ibk_err err =
        replace_all(&header, seen_octets(s, s->header), ibk_span_str(find), ibk_span_str(with), &count);
    if (!err)
        err = replace_all(&body, seen_octets(s, s->body), ibk_span_str(find), ibk_span_str(with), &count);
    if (!err)
        err = count ? assemble(out, ibk_buf_span(&header), ibk_buf_span(&body)) : IBK_ERR_MISSING_PAYLOAD;
    ibk_buf_free(&header);
    ibk_buf_free(&body);
    return err;
}

ibk_err edit_strip_key_mgmt(ibk_buf *out, const seen *s) {
    static const char attribute[] = "a=key-mgmt:";
    ibk_span text = seen_octets(s, s->body);
    ibk_buf body = {0};
    ibk_err err = IBK_OK;
    for (size_t at = 0, next; !err && s->sdp && at < text.len; at = next) {
        const uint8_t *feed = memchr(text.data + at, '\n', text.len - at);
        next = feed ? (size_t)(feed - text.data) + 1 : text.len;
        if (next - at < sizeof attribute || memcmp(text.data + at, attribute, sizeof attribute - 1) != 0)
            err = ibk_buf_append(&body, text.data + at, next - at);
    }
    if (!err)
        err = s->sdp && body.len < text.len ? assemble(out, seen_octets(s, s->header), ibk_buf_span(&body))
                                            : IBK_ERR_MISSING_PAYLOAD;
    ibk_buf_free(&body);
    return err;
}

/* The URI in the value of a Contact: between angle brackets outside quotes, or up to its first parameter. */
static seen_range uri_of(ibk_span octets, seen_range value) {
    const uint8_t *text = octets.data;
    size_t at = value.at, end = value.at + value.len, open = end;
    bool quoted = false;
    for (size_t i = at; i < end && open == end; i++) {
        if (text[i] == '"' && (i == at || text[i - 1] != '\\'))
            quoted = !quoted;
        else if (text[i] == '<' && !quoted)
            open = i + 1;
    }
    bool brackets = open < end;
    for (at = brackets ? open : at; !brackets && at < end && text[at] == ' ';)
        at++;
    size_t stop = at;
    while (stop < end && !(brackets ? text[stop] == '>' : strchr(";, \t\r", text[stop]) != NULL))
        stop++;
    return (seen_range){at, stop - at};
}

ibk_err edit_contact(ibk_buf *out, const seen *s, const char *uri) {
    sip_arena arena = {0};
    sip_scan scan;
    field_range contact;
    ibk_span octets = s->message->octets;
    ibk_err err = s->sip ? scan_message(&arena, &scan, octets) : IBK_ERR_MISSING_PAYLOAD;
    if (!err)
        err = find_field(&scan, octets, "Contact", 0, &contact)
                  ? splice(out, octets, uri_of(octets, contact.value), ibk_span_str(uri))
                  : IBK_ERR_MISSING_PAYLOAD;
    sip_arena_free(&arena);
    return err;
}

ibk_err edit_put_mikey(ibk_buf *out, const seen *s, ibk_span mikey) {
    ibk_buf base64 = {0};
    if (s->place == SEEN_NOWHERE)
        return IBK_ERR_MISSING_PAYLOAD;
    if (s->place == SEEN_HTTP_BODY)
        return edit_range(out, s, s->mikey_text, mikey);
    ibk_err err = ibk_base64_encode(&base64, mikey);
    if (!err)
        err = edit_range(out, s, s->mikey_text, ibk_buf_span(&base64));
    ibk_buf_free(&base64);
    return err;
}
