#include "wire/writer.h"

#include <string.h>

void ibk_wr_init(ibk_wr *wr, ibk_buf *out) {
    *wr = (ibk_wr){.out = out, .start = out->len};
}

ibk_err ibk_wr_finish(ibk_wr *wr) {
    if (wr->err && wr->out->len > wr->start) /* shrinking cannot fail */
        (void)ibk_buf_resize(wr->out, wr->start);
    return wr->err;
}

void ibk_wr_fail(ibk_wr *wr, ibk_err err) {
    if (!wr->err)
        wr->err = err;
}

size_t ibk_wr_len(const ibk_wr *wr) {
    return wr->out->len - wr->start;
}

static void number(ibk_wr *wr, uint64_t v, size_t width) {
    uint8_t octets[8];
    for (size_t i = width; i > 0; i--, v >>= 8)
        octets[i - 1] = (uint8_t)v;
    ibk_wr_span(wr, ibk_span_of(octets, width));
}

void ibk_wr_u8(ibk_wr *wr, uint8_t v) {
    number(wr, v, 1);
}

void ibk_wr_u16(ibk_wr *wr, uint16_t v) {
    number(wr, v, 2);
}

void ibk_wr_u32(ibk_wr *wr, uint32_t v) {
    number(wr, v, 4);
}

void ibk_wr_u64(ibk_wr *wr, uint64_t v) {
    number(wr, v, 8);
}

void ibk_wr_span(ibk_wr *wr, ibk_span span) {
    if (!wr->err)
        wr->err = ibk_buf_append_span(wr->out, span);
}

void ibk_wr_zeros(ibk_wr *wr, size_t len) {
    if (wr->err)
        return;
    if (len > IBK_BUF_MAX)
        wr->err = IBK_ERR_LIMIT;
    else
        wr->err = ibk_buf_resize(wr->out, wr->out->len + len);
}

static ibk_wr_mark open_mark(ibk_wr *wr, size_t width) {
    ibk_wr_mark mark = {.at = ibk_wr_len(wr), .width = width};
    ibk_wr_zeros(wr, width);
    return mark;
}

ibk_wr_mark ibk_wr_open8(ibk_wr *wr) {
    return open_mark(wr, 1);
}

ibk_wr_mark ibk_wr_open16(ibk_wr *wr) {
    return open_mark(wr, 2);
}

void ibk_wr_close(ibk_wr *wr, ibk_wr_mark mark) {
    if (wr->err)
        return;
    size_t len = ibk_wr_len(wr) - mark.at - mark.width;
    if (len >> (8 * mark.width)) {
        wr->err = IBK_ERR_USAGE;
        return;
    }
    uint8_t *field = wr->out->data + wr->start + mark.at;
    for (size_t i = mark.width; i > 0; i--, len >>= 8)
        field[i - 1] = (uint8_t)len;
}

void ibk_wr_span8(ibk_wr *wr, ibk_span span) {
    ibk_wr_mark mark = ibk_wr_open8(wr);
    ibk_wr_span(wr, span);
    ibk_wr_close(wr, mark);
}

void ibk_wr_span16(ibk_wr *wr, ibk_span span) {
    ibk_wr_mark mark = ibk_wr_open16(wr);
    ibk_wr_span(wr, span);
    ibk_wr_close(wr, mark);
}

ibk_err ibk_buf_room(ibk_buf *out, size_t len, uint8_t **room) {
    size_t at = out->len;
    ibk_err err = len > IBK_BUF_MAX ? IBK_ERR_LIMIT : ibk_buf_resize(out, at + len);
    *room = err || !out->data ? NULL : out->data + at;
    return err;
}

void ibk_buf_patch_end(ibk_buf *out, ibk_span octets) {
    if (octets.len && octets.len <= out->len)
        memcpy(out->data + (out->len - octets.len), octets.data, octets.len);
}
