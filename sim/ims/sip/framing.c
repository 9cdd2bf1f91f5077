#include "ims/sip/framing.h"
#include "ims/sip/scan.h"
#include "ims/sip/text.h"

#include <string.h>

/* Room for one whole message and the beginning of the next ones that came with it. */
#define STREAM_MAX (2 * (size_t)SIP_MAX_MESSAGE)

ibk_err sip_framer_push(sip_framer *framer, ibk_span octets) {
    if (octets.len > STREAM_MAX - framer->buf.len)
        return IBK_ERR_LIMIT;
    return ibk_buf_append(&framer->buf, octets.data, octets.len);
}

static void drop(sip_framer *framer, size_t count) {
    memmove(framer->buf.data, framer->buf.data + count, framer->buf.len - count);
    framer->buf.len -= count;
    framer->scanned = framer->whole = 0;
}

/* Octets up to and with the empty line; 0 if it is not there yet. */
static size_t header_end(sip_framer *framer) {
    size_t from = framer->scanned > 3 ? framer->scanned - 3 : 0;
    const uint8_t *data = framer->buf.data;
    for (size_t i = from; i + 4 <= framer->buf.len; i++)
        if (memcmp(data + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    framer->scanned = framer->buf.len;
    return 0;
}

static ibk_err body_length(ibk_span header, uint64_t *out, ibk_diag *diag) {
    sip_arena arena = {0};
    sip_scan scan;
    const sip_field *field = NULL;
    ibk_err err = sip_scan_header(&arena, &scan, header, diag);
    if (!err)
        err = sip_scan_one(&scan, "Content-Length", &field, diag);
    if (!err && !field) // RFC 3261 §18.3, §20.14: mandatory on streams
        err = ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "Content-Length", 0, "mandatory on a stream");
    if (!err && field && !sip_number_str(field->value, INT32_MAX, out))
        err = ibk_fail(diag, IBK_ERR_BAD_LENGTH, "Content-Length", field->offset, "not a number");
    sip_arena_free(&arena);
    return err;
}

/* Drops what was given out, and the keep-alives before the next message. */
static void go_on(sip_framer *framer) {
    size_t skip = framer->taken;
    while (skip + 2 <= framer->buf.len && memcmp(framer->buf.data + skip, "\r\n", 2) == 0)
        skip += 2;
    framer->taken = 0;
    if (skip)
        drop(framer, skip);
}

/* Reads the header, once for each message: a slow stream would have it read again with every segment. */
static ibk_err measure(sip_framer *framer, ibk_diag *diag) {
    size_t header = header_end(framer);
    if (header == 0)
        return framer->buf.len <= SIP_MAX_MESSAGE
                   ? IBK_OK
                   : ibk_fail(diag, IBK_ERR_LIMIT, "header", 0, "no end in %d octets", SIP_MAX_MESSAGE);
    uint64_t body = 0;
    ibk_err err = body_length(ibk_span_of(framer->buf.data, header), &body, diag);
    if (err)
        return err;
    if (header + body > SIP_MAX_MESSAGE)
        return ibk_fail(diag, IBK_ERR_LIMIT, "Content-Length", 0, "a message over %d octets",
                        SIP_MAX_MESSAGE);
    framer->whole = header + (size_t)body;
    return IBK_OK;
}

ibk_err sip_framer_next(sip_framer *framer, ibk_span *message, ibk_diag *diag) {
    *message = (ibk_span){0};
    if (!framer->whole || framer->taken)
        go_on(framer);
    ibk_err err = framer->whole || framer->buf.len == 0 ? IBK_OK : measure(framer, diag);
    if (err || !framer->whole || framer->buf.len < framer->whole)
        return err;
    framer->taken = framer->whole;
    *message = ibk_span_of(framer->buf.data, framer->taken);
    return IBK_OK;
}

void sip_framer_free(sip_framer *framer) {
    ibk_buf_free(&framer->buf);
    *framer = (sip_framer){0};
}
