/* Strict base64: RFC 4648 §4. */
#include "wire/reader.h"
#include "wire/writer.h"

#include <ibake/mikey.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three octets to four letters. */
static void encode_group(uint8_t text[4], ibk_span in) {
    uint32_t group = (uint32_t)in.data[0] << 16;
    group |= in.len > 1 ? (uint32_t)in.data[1] << 8 : 0;
    group |= in.len > 2 ? in.data[2] : 0;
    text[0] = (uint8_t)alphabet[group >> 18];
    text[1] = (uint8_t)alphabet[group >> 12 & 63];
    text[2] = (uint8_t)(in.len > 1 ? alphabet[group >> 6 & 63] : '=');
    text[3] = (uint8_t)(in.len > 2 ? alphabet[group & 63] : '=');
}

ibk_err ibk_base64_encode(ibk_buf *out, ibk_span octets) {
    ibk_rd rd;
    ibk_wr wr;
    ibk_rd_init(&rd, octets);
    ibk_wr_init(&wr, out);
    while (!ibk_rd_at_end(&rd) && !wr.err) {
        ibk_span in;
        uint8_t text[4];
        if (!ibk_rd_span(&rd, ibk_rd_left(&rd) < 3 ? ibk_rd_left(&rd) : 3, &in))
            break;
        encode_group(text, in);
        ibk_wr_span(&wr, ibk_span_of(text, sizeof text));
    }
    return ibk_wr_finish(&wr);
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
    ibk_rd rd;
    ibk_wr wr;
    ibk_span letters;
    ibk_rd_init(&rd, text);
    ibk_wr_init(&wr, out);
    while (!wr.err && ibk_rd_span(&rd, 4, &letters) && letters.len) {
        uint8_t octets[3];
        size_t n = 0, bad = 0;
        ibk_err err = decode_group(octets, &n, letters.data, ibk_rd_at_end(&rd), &bad);
        if (err) {
            ibk_fail(diag, err, "base64", rd.pos - 4 + bad, "not base64 here");
            ibk_wr_fail(&wr, err);
        }
        ibk_wr_span(&wr, ibk_span_of(octets, n));
    }
    return ibk_wr_finish(&wr);
}
