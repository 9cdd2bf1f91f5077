/* The SDP attribute "a=key-mgmt:mikey <base64>": RFC 4567 §3 and §4. */
#include <ibake/mikey.h>

#include <string.h>

static const char identifier[] = "mikey"; // RFC 4567 §7: the KMPID
static const char prefix[] = "a=key-mgmt:";
enum { VALUE_MAX = IBK_MIKEY_MAX_LEN / 3 * 4 + 16 };

/* Parses text[at..at+len); offsets in diag count from text[0]. */
static ibk_err parse(ibk_buf *message, const uint8_t *text, size_t at, size_t len, ibk_diag *diag) {
    const uint8_t *value = text + at;
    const uint8_t *space = len ? memchr(value, ' ', len) : NULL;
    if (len > VALUE_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, "key-mgmt", at, "%zu octets", len);
    if (!space)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "key-mgmt", at + len,
                        "no space after the protocol identifier");
    size_t id_len = (size_t)(space - value);
    if (!ibk_span_equal(ibk_span_of(value, id_len), ibk_span_str(identifier)))
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "key-mgmt", at,
                        "the protocol identifier is not \"mikey\"");
    ibk_span data = ibk_span_of(space + 1, len - id_len - 1);
    if (data.len == 0)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "key-mgmt", at + len, "no key management data");
    ibk_err err = ibk_base64_decode(message, data, diag);
    if (err && diag) {
        diag->payload = "key-mgmt";
        diag->offset += at + id_len + 1;
    }
    return err;
}

ibk_err ibk_keymgmt_parse(ibk_buf *message, ibk_span value, ibk_diag *diag) {
    return parse(message, value.data, 0, value.len, diag);
}

ibk_err ibk_keymgmt_parse_line(ibk_buf *message, ibk_span line, ibk_diag *diag) {
    size_t n = sizeof prefix - 1, len = line.len;
    if (len && line.data[len - 1] == '\n')
        len--;
    if (len < line.len && len && line.data[len - 1] == '\r')
        len--;
    if (len < n || memcmp(line.data, prefix, n) != 0)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "key-mgmt", 0, "the line does not begin with \"%s\"", prefix);
    return parse(message, line.data, n, len - n, diag);
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
