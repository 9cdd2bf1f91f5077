/* Strict base64: RFC 4648 §4. */
#include <ibake/mikey.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

ibk_err ibk_base64_encode(ibk_buf *out, ibk_span octets) {
    if (octets.len > IBK_BUF_MAX / 2)
        return IBK_ERR_LIMIT;
    size_t at = out->len;
    ibk_err err = ibk_buf_resize(out, at + (octets.len + 2) / 3 * 4);
    if (err)
        return err;
    uint8_t *to = octets.len ? out->data + at : NULL;
    for (size_t i = 0; i < octets.len; i += 3, to += 4) {
        size_t n = octets.len - i;
        uint32_t group = (uint32_t)octets.data[i] << 16;
        group |= n > 1 ? (uint32_t)octets.data[i + 1] << 8 : 0;
        group |= n > 2 ? octets.data[i + 2] : 0;
        to[0] = (uint8_t)alphabet[group >> 18];
        to[1] = (uint8_t)alphabet[group >> 12 & 63];
        to[2] = (uint8_t)(n > 1 ? alphabet[group >> 6 & 63] : '=');
        to[3] = (uint8_t)(n > 2 ? alphabet[group & 63] : '=');
    }
    return IBK_OK;
}

/* Value of a letter of the alphabet, or -1. */
static int value_of(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four letters to up to three octets. `bad` gets the index of the letter to blame. */
static ibk_err decode_group(uint8_t octets[3], size_t *n, const uint8_t *text, bool is_last, size_t *bad) {
    size_t pads = is_last && text[3] == '=' ? (text[2] == '=' ? 2 : 1) : 0;
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int v = i < 4 - pads ? value_of(text[i]) : 0;
        *bad = i;
        if (v < 0)
            return IBK_ERR_BAD_TEXT;
        group = group << 6 | (uint32_t)v;
    }
    *bad = 3 - pads;
    *n = 3 - pads;
    if ((pads == 1 && (group & 0xFF)) || (pads == 2 && (group & 0xFFFF))) /* stray bits */
        return IBK_ERR_BAD_TEXT;
    octets[0] = (uint8_t)(group >> 16);
    octets[1] = (uint8_t)(group >> 8);
    octets[2] = (uint8_t)group;
    return IBK_OK;
}

ibk_err ibk_base64_decode(ibk_buf *out, ibk_span text, ibk_diag *diag) {
    if (text.len % 4)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "base64", text.len, "%zu letters, no multiple of 4",
                        text.len);
    size_t start = out->len;
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < text.len && !err; i += 4) {
        uint8_t octets[3];
        size_t n = 0, bad = 0;
        err = decode_group(octets, &n, text.data + i, i + 4 == text.len, &bad);
        if (err)
            ibk_fail(diag, err, "base64", i + bad, "not base64 here");
        else
            err = ibk_buf_append(out, octets, n);
    }
    if (err && out->len > start)
        (void)ibk_buf_resize(out, start);
    return err;
}
