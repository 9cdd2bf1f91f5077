/* base64 as MIME has it (RFC 2045 §6.8), which RFC 5408 §4.1 and §5 refer to. */
#include <ibake/publication.h>

#define LINE_LETTERS 76
#define LINE_OCTETS  (LINE_LETTERS / 4 * 3)

ibk_err ibk_mime_base64_write(ibk_buf *out, ibk_span octets) {
    ibk_err err = IBK_OK;
    for (size_t at = 0; !err && at < octets.len; at += LINE_OCTETS) {
        size_t left = octets.len - at;
        err = ibk_base64_encode(out, ibk_span_of(octets.data + at, left < LINE_OCTETS ? left : LINE_OCTETS));
        err = err ? err : ibk_buf_append(out, "\r\n", 2);
    }
    return err;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

ibk_err ibk_mime_base64_read(ibk_buf *out, ibk_span text, ibk_diag *diag) {
    ibk_buf letters = {0};
    ibk_err err = IBK_OK;
    for (size_t at = 0; !err && at < text.len;) {
        size_t run = at;
        while (run < text.len && !is_space(text.data[run])) {
            run++;
        }
        err = ibk_buf_append(&letters, text.data + at, run - at);
        at = run < text.len && is_space(text.data[run]) ? run + 1 : run;
    }
    err = err ? err : ibk_base64_decode(out, ibk_buf_span(&letters), diag);
    ibk_buf_free(&letters);
    return err;
}
