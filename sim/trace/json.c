/* ibakelab: events as JSON text. Written by hand, since it runs for every packet's worth of events; the unit
 * test compares it with jansson. */
#include "trace/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t trace_utf8_len(const uint8_t *p, size_t left) {
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || len > left)
        return 0;
    uint8_t low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    uint8_t high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF; /* no surrogates, nothing past 10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

static bool plain(uint8_t c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* One character that cannot stand as it is. */
static ibk_err escape(ibk_buf *out, uint8_t c) {
    static const char short_form[] = "btn\0fr"; /* from \b (8) on; \v has none */
    char text[8];
    if (c == '"' || c == '\\')
        snprintf(text, sizeof text, "\\%c", c);
    else if (c >= 8 && c <= 13 && short_form[c - 8])
        snprintf(text, sizeof text, "\\%c", short_form[c - 8]);
    else
        snprintf(text, sizeof text, "\\u%04X", c);
    return ibk_buf_append(out, text, strlen(text));
}

ibk_err trace_json_string(ibk_buf *out, ibk_span text) {
    ibk_err err = ibk_buf_append(out, "\"", 1);
    for (size_t i = 0; i < text.len && !err;) {
        size_t run = 0;
        while (i + run < text.len && plain(text.data[i + run]))
            run++;
        if (run) {
            err = ibk_buf_append(out, text.data + i, run);
            i += run;
            continue;
        }
        size_t len = trace_utf8_len(text.data + i, text.len - i);
        if (len == 0)
            err = ibk_buf_append(out, "\xEF\xBF\xBD", 3);
        else if (len == 1 && text.data[i] != 0x7F)
            err = escape(out, text.data[i]);
        else
            err = ibk_buf_append(out, text.data + i, len);
        i += len ? len : 1;
    }
    return err ? err : ibk_buf_append(out, "\"", 1);
}

static ibk_err append_hex(ibk_buf *out, ibk_span octets) {
    static const char digits[] = "0123456789abcdef";
    size_t at = out->len;
    ibk_err err = ibk_buf_resize(out, at + 2 * octets.len);
    for (size_t i = 0; i < octets.len && !err; i++) {
        out->data[at + 2 * i] = (uint8_t)digits[octets.data[i] >> 4];
        out->data[at + 2 * i + 1] = (uint8_t)digits[octets.data[i] & 15];
    }
    return err;
}

static ibk_err append_base64(ibk_buf *out, ibk_span octets) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < octets.len; i += 3) {
        size_t n = octets.len - i < 3 ? octets.len - i : 3;
        uint32_t bits = (uint32_t)octets.data[i] << 16;
        bits |= n > 1 ? (uint32_t)octets.data[i + 1] << 8 : 0;
        bits |= n > 2 ? octets.data[i + 2] : 0;
        char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63], n > 1 ? digits[bits >> 6 & 63] : '=',
                        n > 2 ? digits[bits & 63] : '='};
        ibk_err err = ibk_buf_append(out, text, 4);
        if (err)
            return err;
    }
    return IBK_OK;
}

static ibk_err append_value(ibk_buf *out, const trace_field *field) {
    char number[24];
    ibk_err err;
    switch (field->type) {
    case TRACE_TEXT:
        return trace_json_string(out, field->octets);
    case TRACE_HEX:
    case TRACE_BASE64:
        if ((err = ibk_buf_append(out, "\"", 1)))
            return err;
        err = field->type == TRACE_HEX ? append_hex(out, field->octets) : append_base64(out, field->octets);
        return err ? err : ibk_buf_append(out, "\"", 1);
    case TRACE_INT:
        snprintf(number, sizeof number, "%" PRId64, field->i);
        return ibk_buf_append(out, number, strlen(number));
    case TRACE_UINT:
        snprintf(number, sizeof number, "%" PRIu64, field->u);
        return ibk_buf_append(out, number, strlen(number));
    case TRACE_BOOL:
        return field->b ? ibk_buf_append(out, "true", 4) : ibk_buf_append(out, "false", 5);
    }
    return IBK_ERR_USAGE;
}

static ibk_err append_member(ibk_buf *out, const char *key, const trace_field *field) {
    ibk_err err = ibk_buf_append(out, ",", 1);
    if (!err)
        err = trace_json_string(out, ibk_span_str(key));
    if (!err)
        err = ibk_buf_append(out, ":", 1);
    return err ? err : append_value(out, field);
}

ibk_err trace_event_json(ibk_buf *out, const trace_event *e) {
    char time[40];
    snprintf(time, sizeof time, "{\"t\":%" PRIu64 ".%09" PRIu64, e->time_ns / 1000000000u,
             e->time_ns % 1000000000u);
    ibk_err err = ibk_buf_append(out, time, strlen(time));
    const struct {
        const char *key, *text;
    } head[] = {{"node", e->node}, {"kind", trace_kind_name(e->kind)}, {"event", e->event}};
    for (size_t i = 0; i < 3 && !err; i++) {
        trace_field field = {.type = TRACE_TEXT, .octets = ibk_span_str(head[i].text)};
        err = append_member(out, head[i].key, &field);
    }
    for (size_t i = 0; i < e->field_count && !err; i++)
        err = append_member(out, e->fields[i].key, &e->fields[i]);
    return err ? err : ibk_buf_append(out, "}", 1);
}
