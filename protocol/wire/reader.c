#include "wire/reader.h"

void ibk_rd_init(ibk_rd *rd, ibk_span in) {
    *rd = (ibk_rd){.data = in.data, .len = in.len};
}

size_t ibk_rd_left(const ibk_rd *rd) {
    return rd->len - rd->pos;
}

bool ibk_rd_at_end(const ibk_rd *rd) {
    return rd->pos == rd->len;
}

/* The next `len` octets, or NULL. */
static const uint8_t *take(ibk_rd *rd, size_t len) {
    if (len > rd->len - rd->pos) {
        rd->need = len;
        return NULL;
    }
    const uint8_t *p = rd->data + rd->pos;
    rd->pos += len;
    return p;
}

static bool number(ibk_rd *rd, size_t len, uint64_t *out) {
    const uint8_t *p = take(rd, len);
    if (!p)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    *out = v;
    return true;
}

bool ibk_rd_u8(ibk_rd *rd, uint8_t *out) {
    uint64_t v;
    if (!number(rd, 1, &v))
        return false;
    *out = (uint8_t)v;
    return true;
}

bool ibk_rd_u16(ibk_rd *rd, uint16_t *out) {
    uint64_t v;
    if (!number(rd, 2, &v))
        return false;
    *out = (uint16_t)v;
    return true;
}

bool ibk_rd_u32(ibk_rd *rd, uint32_t *out) {
    uint64_t v;
    if (!number(rd, 4, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

bool ibk_rd_u64(ibk_rd *rd, uint64_t *out) {
    return number(rd, 8, out);
}

bool ibk_rd_peek_u8(ibk_rd *rd, uint8_t *out) {
    if (!ibk_rd_u8(rd, out))
        return false;
    rd->pos--;
    return true;
}

bool ibk_rd_span(ibk_rd *rd, size_t len, ibk_span *out) {
    if (len == 0) {
        *out = (ibk_span){0};
        return true;
    }
    const uint8_t *p = take(rd, len);
    if (!p)
        return false;
    *out = ibk_span_of(p, len);
    return true;
}

bool ibk_rd_span8(ibk_rd *rd, ibk_span *out) {
    size_t at = rd->pos;
    uint8_t len;
    if (ibk_rd_u8(rd, &len) && ibk_rd_span(rd, len, out))
        return true;
    rd->pos = at;
    return false;
}

bool ibk_rd_span16(ibk_rd *rd, ibk_span *out) {
    size_t at = rd->pos;
    uint16_t len;
    if (ibk_rd_u16(rd, &len) && ibk_rd_span(rd, len, out))
        return true;
    rd->pos = at;
    return false;
}

ibk_span ibk_rd_since(const ibk_rd *rd, size_t from) {
    if (from >= rd->pos)
        return (ibk_span){0};
    return ibk_span_of(rd->data + from, rd->pos - from);
}

ibk_err ibk_rd_refuse(ibk_rd *rd, ibk_err err, size_t at, const char *why) {
    if (at <= rd->len)
        rd->pos = at;
    rd->why = why;
    return err;
}

ibk_err ibk_rd_fail(const ibk_rd *rd, ibk_err err, const char *payload, size_t base, ibk_diag *diag) {
    size_t offset = base + rd->pos;
    if (rd->why)
        return ibk_fail(diag, err, payload, offset, "%s", rd->why);
    if (err == IBK_ERR_TRUNCATED)
        return ibk_fail(diag, err, payload, offset, "a field of %zu octets, %zu are left", rd->need,
                        ibk_rd_left(rd));
    return ibk_fail(diag, err, payload, offset, NULL);
}
