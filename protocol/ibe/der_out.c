#include "ibe/der.h"

#include <string.h>

/* Tag and length into head; returns their octets. */
static size_t make_head(uint8_t head[6], uint8_t tag, size_t length) {
    head[0] = tag;
    if (length < 0x80) {
        head[1] = (uint8_t)length;
        return 2;
    }
    size_t octets = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
    head[1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        head[2 + i] = (uint8_t)(length >> (8 * (octets - 1 - i)));
    return 2 + octets;
}

ibk_err ibk_der_put(ibk_buf *out, uint8_t tag, ibk_span content) {
    uint8_t head[6];
    if (content.len > IBK_BUF_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_buf_append(out, head, make_head(head, tag, content.len));
    return err == IBK_OK ? ibk_buf_append_span(out, content) : err;
}

ibk_err ibk_der_put_natural(ibk_buf *out, ibk_span magnitude) {
    static const uint8_t ZERO[1];
    uint8_t head[6];
    while (magnitude.len > 0 && magnitude.data[0] == 0)
        magnitude = ibk_span_of(magnitude.data + 1, magnitude.len - 1);
    bool pad = magnitude.len == 0 || (magnitude.data[0] & 0x80) != 0;
    if (magnitude.len > IBK_BUF_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_buf_append(out, head, make_head(head, IBK_DER_INTEGER, magnitude.len + (pad ? 1 : 0)));
    if (err == IBK_OK && pad)
        err = ibk_buf_append(out, ZERO, 1);
    return err == IBK_OK ? ibk_buf_append_span(out, magnitude) : err;
}

ibk_err ibk_der_put_version(ibk_buf *out) {
    static const uint8_t TWO[1] = {2};
    return ibk_der_put_natural(out, ibk_span_of(TWO, 1));
}

ibk_err ibk_der_put_point(ibk_buf *out, ibk_span x, ibk_span y) {
    size_t from = out->len;
    ibk_err err = ibk_der_put_natural(out, x);
    if (err == IBK_OK)
        err = ibk_der_put_natural(out, y);
    return err == IBK_OK ? ibk_der_wrap(out, from) : err;
}

ibk_err ibk_der_wrap(ibk_buf *out, size_t from) {
    uint8_t head[6];
    size_t length = out->len - from, head_len = make_head(head, IBK_DER_SEQUENCE, length);
    ibk_err err = ibk_buf_resize(out, out->len + head_len);
    if (err != IBK_OK)
        return err;
    memmove(out->data + from + head_len, out->data + from, length);
    memcpy(out->data + from, head, head_len);
    return IBK_OK;
}
