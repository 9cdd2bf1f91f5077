#include "ims/core/diameter.h"

#include <string.h>

enum { AVP_HEADER_LEN = 8, AVP_VENDOR_LEN = 4, FLAG_VENDOR = 0x80, FLAG_MANDATORY = 0x40 };
enum { FLAG_REQUEST = 0x80, FLAG_PROXIABLE = 0x40, FLAG_ERROR = 0x20 };

static uint32_t get24(const uint8_t *at) {
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | get24(at + 1);
}

static void put24(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 16);
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 24);
    put24(at + 1, value);
}

static uint32_t vendor_of(uint32_t code) {
    return code >= 600 && code < 700 ? DIAMETER_VENDOR_3GPP : 0;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static void append(diameter_writer *w, const void *data, size_t len) {
    if (!w->err)
        w->err = ibk_buf_append(w->out, data, len);
}

void diameter_begin(diameter_writer *w, ibk_buf *out, const diameter_header *header) {
    uint8_t octets[DIAMETER_HEADER_LEN] = {1}; /* version */
    *w = (diameter_writer){.out = out, .start = out->len};
    octets[4] = (uint8_t)((header->request ? FLAG_REQUEST : 0) | (header->proxiable ? FLAG_PROXIABLE : 0) |
                          (header->error ? FLAG_ERROR : 0));
    put24(octets + 5, header->command);
    put32(octets + 8, header->application);
    put32(octets + 12, header->hop_by_hop);
    put32(octets + 16, header->end_to_end);
    append(w, octets, sizeof octets);
}

static void append_avp_header(diameter_writer *w, uint32_t code, size_t data_len) {
    uint8_t octets[AVP_HEADER_LEN + AVP_VENDOR_LEN];
    uint32_t vendor = vendor_of(code);
    size_t len = vendor ? sizeof octets : AVP_HEADER_LEN;
    put32(octets, code);
    octets[4] = (uint8_t)((vendor ? FLAG_VENDOR : 0) | (code == AVP_PRODUCT_NAME ? 0 : FLAG_MANDATORY));
    put24(octets + 5, (uint32_t)(len + data_len));
    put32(octets + 8, vendor);
    append(w, octets, len);
}

void diameter_put(diameter_writer *w, uint32_t code, ibk_span data) {
    static const uint8_t padding[3];
    append_avp_header(w, code, data.len);
    append(w, data.data, data.len);
    append(w, padding, -data.len & 3);
}

void diameter_put_text(diameter_writer *w, uint32_t code, const char *text) {
    if (text)
        diameter_put(w, code, ibk_span_str(text));
}

void diameter_put_u32(diameter_writer *w, uint32_t code, uint32_t value) {
    uint8_t octets[4];
    put32(octets, value);
    diameter_put(w, code, ibk_span_of(octets, sizeof octets));
}

void diameter_open(diameter_writer *w, uint32_t code) {
    if (!w->err && w->depth == sizeof w->group / sizeof w->group[0])
        w->err = IBK_ERR_LIMIT;
    if (w->err)
        return;
    w->group[w->depth++] = w->out->len;
    append_avp_header(w, code, 0);
}

void diameter_close(diameter_writer *w) {
    if (!w->err && w->depth == 0)
        w->err = IBK_ERR_USAGE;
    if (w->err)
        return;
    size_t start = w->group[--w->depth];
    put24(w->out->data + start + 5, (uint32_t)(w->out->len - start));
}

ibk_err diameter_end(diameter_writer *w) {
    size_t len = w->out->len - w->start;
    if (!w->err && w->depth)
        w->err = IBK_ERR_USAGE;
    if (!w->err && len > DIAMETER_MAX_LEN)
        w->err = IBK_ERR_LIMIT;
    if (!w->err)
        put24(w->out->data + w->start + 1, (uint32_t)len);
    return w->err;
}

/* ---- reading ------------------------------------------------------------------------------------ */

size_t diameter_frame(ibk_span stream) {
    if (stream.len >= 1 && stream.data[0] != 1)
        return SIZE_MAX;
    if (stream.len < 4)
        return 0;
    size_t len = get24(stream.data + 1);
    return len < DIAMETER_HEADER_LEN || len > DIAMETER_MAX_LEN || len % 4 ? SIZE_MAX : len;
}

/* Reads the AVPs of data; offsets in errors count from `base`. */
static ibk_err read_avps(diameter_avp *avps, size_t *count, ibk_span data, size_t base, ibk_diag *diag) {
    *count = 0;
    for (size_t at = 0; at < data.len;) {
        const uint8_t *octets = data.data + at;
        size_t left = data.len - at;
        if (left < AVP_HEADER_LEN)
            return ibk_fail(diag, IBK_ERR_TRUNCATED, "AVP", base + at, "%zu octets are no AVP", left);
        size_t header = octets[4] & FLAG_VENDOR ? AVP_HEADER_LEN + AVP_VENDOR_LEN : AVP_HEADER_LEN;
        size_t len = get24(octets + 5);
        if (len < header || len > left)
            return ibk_fail(diag, IBK_ERR_BAD_LENGTH, "AVP", base + at + 5, "length %zu of %zu octets", len,
                            left);
        if (*count == DIAMETER_MAX_AVPS)
            return ibk_fail(diag, IBK_ERR_LIMIT, "AVP", base + at, "over %d AVPs", DIAMETER_MAX_AVPS);
        avps[(*count)++] = (diameter_avp){.code = get32(octets),
                                          .vendor = header > AVP_HEADER_LEN ? get32(octets + 8) : 0,
                                          .data = ibk_span_of(octets + header, len - header)};
        size_t padded = (len + 3) & ~(size_t)3;
        if (padded > left)
            return ibk_fail(diag, IBK_ERR_TRUNCATED, "AVP", base + at, "its padding is missing");
        at += padded;
    }
    return IBK_OK;
}

ibk_err diameter_parse(diameter_message *out, ibk_span octets, ibk_diag *diag) {
    if (octets.len < DIAMETER_HEADER_LEN)
        return ibk_fail(diag, IBK_ERR_TRUNCATED, "Diameter header", 0, "%zu octets", octets.len);
    if (diameter_frame(octets) != octets.len)
        return ibk_fail(diag, IBK_ERR_BAD_LENGTH, "Diameter header", 1, "version or length is wrong");
    const uint8_t *at = octets.data;
    out->header = (diameter_header){.request = at[4] & FLAG_REQUEST,
                                    .proxiable = at[4] & FLAG_PROXIABLE,
                                    .error = at[4] & FLAG_ERROR,
                                    .command = get24(at + 5),
                                    .application = get32(at + 8),
                                    .hop_by_hop = get32(at + 12),
                                    .end_to_end = get32(at + 16)};
    ibk_span avps = ibk_span_of(at + DIAMETER_HEADER_LEN, octets.len - DIAMETER_HEADER_LEN);
    return read_avps(out->avp, &out->avp_count, avps, DIAMETER_HEADER_LEN, diag);
}

ibk_err diameter_group(diameter_avp *avps, size_t *count, ibk_span data, ibk_diag *diag) {
    return read_avps(avps, count, data, 0, diag);
}

const diameter_avp *diameter_find(const diameter_avp *avps, size_t count, uint32_t code) {
    for (size_t i = 0; i < count; i++)
        if (avps[i].code == code && avps[i].vendor == vendor_of(code))
            return &avps[i];
    return NULL;
}

bool diameter_u32(const diameter_avp *avps, size_t count, uint32_t code, uint32_t *out) {
    const diameter_avp *avp = diameter_find(avps, count, code);
    if (!avp || avp->data.len != 4)
        return false;
    *out = get32(avp->data.data);
    return true;
}

bool diameter_text(const diameter_avp *avps, size_t count, uint32_t code, char *out, size_t size) {
    const diameter_avp *avp = diameter_find(avps, count, code);
    if (!avp || avp->data.len >= size || (avp->data.len && memchr(avp->data.data, 0, avp->data.len)))
        return false;
    if (avp->data.len)
        memcpy(out, avp->data.data, avp->data.len);
    out[avp->data.len] = 0;
    return true;
}

uint32_t diameter_result(const diameter_message *message) {
    uint32_t result = 0;
    if (diameter_u32(message->avp, message->avp_count, AVP_RESULT_CODE, &result))
        return result;
    const diameter_avp *group = diameter_find(message->avp, message->avp_count, AVP_EXPERIMENTAL_RESULT);
    diameter_avp inner[DIAMETER_MAX_AVPS];
    size_t count;
    if (!group || diameter_group(inner, &count, group->data, NULL) ||
        !diameter_u32(inner, count, AVP_EXPERIMENTAL_RESULT_CODE, &result))
        return 0;
    return result;
}
