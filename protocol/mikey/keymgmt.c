/* The SDP attribute "a=key-mgmt:mikey <base64>": RFC 4567 §3 and §4. */
#include "wire/reader.h"

#include <ibake/mikey.h>

static const char identifier[] = "mikey"; // RFC 4567 §7: the KMPID
static const char prefix[] = "a=key-mgmt:";
enum { VALUE_MAX = IBK_MIKEY_MAX_LEN / 3 * 4 + 16 };

/* The octets before the first space; the space is passed. False: there is none. */
static bool read_word(ibk_rd *rd, ibk_span *word) {
    size_t at = rd->pos;
    uint8_t c;
    while (ibk_rd_peek_u8(rd, &c) && c != ' ')
        (void)ibk_rd_u8(rd, &c);
    *word = ibk_rd_since(rd, at);
    return ibk_rd_u8(rd, &c);
}

/* Parses the rest of rd; offsets in diag count from its beginning. */
static ibk_err parse(ibk_buf *message, ibk_rd *rd, ibk_diag *diag) {
    size_t at = rd->pos;
    ibk_span id, data;
    if (ibk_rd_left(rd) > VALUE_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, "key-mgmt", at, "%zu octets", ibk_rd_left(rd));
    if (!read_word(rd, &id))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "key-mgmt", rd->pos,
                        "no space after the protocol identifier");
    if (!ibk_span_equal(id, ibk_span_str(identifier)))
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "key-mgmt", at,
                        "the protocol identifier is not \"mikey\"");
    at = rd->pos;
    if (ibk_rd_at_end(rd) || !ibk_rd_span(rd, ibk_rd_left(rd), &data))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "key-mgmt", at, "no key management data");
    ibk_err err = ibk_base64_decode(message, data, diag);
    if (err && diag) {
        diag->payload = "key-mgmt";
        diag->offset += at;
    }
    return err;
}

ibk_err ibk_keymgmt_parse(ibk_buf *message, ibk_span value, ibk_diag *diag) {
    ibk_rd rd;
    ibk_rd_init(&rd, value);
    return parse(message, &rd, diag);
}

ibk_err ibk_keymgmt_parse_line(ibk_buf *message, ibk_span line, ibk_diag *diag) {
    size_t len = line.len;
    if (len && line.data[len - 1] == '\n')
        len--;
    if (len < line.len && len && line.data[len - 1] == '\r')
        len--;
    ibk_rd rd;
    ibk_span head;
    ibk_rd_init(&rd, ibk_span_of(line.data, len));
    if (!ibk_rd_span(&rd, sizeof prefix - 1, &head) || !ibk_span_equal(head, ibk_span_str(prefix)))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "key-mgmt", 0, "the line does not begin with \"%s\"", prefix);
    return parse(message, &rd, diag);
}

ibk_err ibk_keymgmt_write(ibk_buf *value, ibk_span message) {
    size_t start = value->len;
    ibk_err err = ibk_buf_append_span(value, ibk_span_str(identifier));
    if (!err)
        err = ibk_buf_append(value, " ", 1);
    if (!err)
        err = ibk_base64_encode(value, message);
    if (err && value->len > start)
        (void)ibk_buf_resize(value, start);
    return err;
}
