#include "peer/octets.h"

#include <string.h>

void px_put(px_octets *o, const void *data, size_t len) {
    if (!o->err && len > 0)
        o->err = ibk_buf_append(&o->buf, data, len);
}

void px_put_span(px_octets *o, ibk_span span) {
    px_put(o, span.data, span.len);
}

void px_put8(px_octets *o, unsigned value) {
    px_put(o, (uint8_t[]){(uint8_t)value}, 1);
}

void px_put16(px_octets *o, unsigned value) {
    px_put(o, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void px_put32(px_octets *o, uint32_t value) {
    px_put16(o, value >> 16);
    px_put16(o, value & 0xFFFF);
}

ibk_span px_span(const px_octets *o) {
    return ibk_buf_span(&o->buf);
}

bool px_is(const px_octets *o, ibk_span span) {
    return ibk_span_equal(px_span(o), span);
}

void px_set(px_octets *o, ibk_span span) {
    px_clear(o);
    px_put_span(o, span);
}

void px_clear(px_octets *o) {
    ibk_buf_clear(&o->buf);
}

void px_free(px_octets *o) {
    ibk_buf_free(&o->buf);
    o->err = IBK_OK;
}

px_cursor px_read(ibk_span span) {
    return (px_cursor){.at = span.data, .left = span.len};
}

ibk_span px_take(px_cursor *c, size_t len) {
    if (len > c->left) {
        c->over = true;
        c->left = 0;
        return (ibk_span){0};
    }
    ibk_span taken = {c->at, len};
    if (len > 0)
        c->at += len;
    c->left -= len;
    return taken;
}

uint8_t px_take8(px_cursor *c) {
    ibk_span s = px_take(c, 1);
    return s.len ? s.data[0] : 0;
}

unsigned px_take16(px_cursor *c) {
    ibk_span s = px_take(c, 2);
    return s.len ? (unsigned)s.data[0] << 8 | s.data[1] : 0;
}

uint32_t px_take32(px_cursor *c) {
    ibk_span s = px_take(c, 4);
    return s.len
               ? (uint32_t)s.data[0] << 24 | (uint32_t)s.data[1] << 16 | (uint32_t)s.data[2] << 8 | s.data[3]
               : 0;
}
