/* a=key-mgmt in session descriptions: see sdp.h. */
#include "conformance/iut/sdp.h"

#include <string.h>

static const char attribute[] = "a=key-mgmt:";
enum { BODY_MAX = 60000, OTHERS_MAX = 16, LEVELS_MAX = 33 }; /* the session and 32 streams */

static bool starts(ibk_span text, const char *with) {
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static ibk_span cut(ibk_span text, size_t from) {
    return ibk_span_of(text.data + from, text.len - from);
}

/* The protocol identifier that a value begins with. */
static ibk_span first_word(ibk_span value) {
    const uint8_t *space = value.len ? memchr(value.data, ' ', value.len) : NULL;
    return space ? ibk_span_of(value.data, (size_t)(space - value.data)) : value;
}

static ibk_err add_id(ibk_buf *ids, ibk_span id) {
    ibk_err err = ids->len > 0 ? ibk_buf_append(ids, ";", 1) : IBK_OK;
    return err ? err : ibk_buf_append_span(ids, id);
}

/* ---- reading the request --------------------------------------------------------------------------------
 */

static void read_others(const iut_place *at, ibk_buf *lines, ibk_buf *ids) {
    ibk_err err = ibk_buf_append_span(ids, ibk_span_str("mikey"));
    size_t n = iut_array(at, "others", IUT_MAY, OTHERS_MAX);
    for (size_t i = 0; i < n && !err; i++) {
        const char *value = "";
        iut_element_text(at, "others", i, &value);
        err = ibk_buf_append_span(lines, ibk_span_str(attribute));
        err = err ? err : ibk_buf_append_span(lines, ibk_span_str(value));
        err = err ? err : ibk_buf_append(lines, "\r\n", 2);
        err = err ? err : add_id(ids, first_word(ibk_span_str(value)));
    }
    iut_refuse(at, "others", err, NULL);
}

void iut_sdp_read(const iut_place *at, iut_store *store, iut_sdp *out) {
    iut_only(at, "body level others");
    const char *text = "";
    ibk_buf body = {0}, lines = {0}, ids = {0};
    iut_text(at, "body", IUT_MUST, BODY_MAX, &text);
    iut_value(at, "level", IUT_MAY, &iut_levels, &out->level);
    read_others(at, &lines, &ids);
    ibk_err err = ibk_buf_append_span(&body, ibk_span_str(text));
    out->body = iut_store_keep(store, &body, &err);
    out->others = iut_store_keep(store, &lines, &err);
    out->ids = iut_store_keep(store, &ids, &err);
    out->used = true;
    iut_refuse(at, "body", err, NULL);
    ibk_buf_free(&body);
    ibk_buf_free(&lines);
    ibk_buf_free(&ids);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------------- */

/* The next line with its end, taken from *rest; false: none is left. */
static bool next_line(ibk_span *rest, ibk_span *line) {
    if (rest->len == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) + 1 : rest->len;
    *line = ibk_span_of(rest->data, len);
    *rest = cut(*rest, len);
    return true;
}

static ibk_err write_attributes(ibk_buf *out, const iut_sdp *sdp, bool offer, ibk_span message) {
    ibk_err err = ibk_buf_append_span(out, ibk_span_str(attribute));
    err = err ? err : ibk_keymgmt_write(out, message);
    err = err ? err : ibk_buf_append(out, "\r\n", 2);
    return err || !offer ? err : ibk_buf_append_span(out, sdp->others);
}

ibk_err iut_sdp_write(ibk_buf *out, const iut_sdp *sdp, bool offer, ibk_span message) {
    ibk_span rest = sdp->body, line;
    unsigned streams = 0; /* that began so far */
    ibk_err err = IBK_OK;
    while (!err && next_line(&rest, &line)) {
        bool stream = starts(line, "m=");
        /* The session's attributes end where the first stream begins, a stream's where the next one does. */
        bool here = sdp->level == IUT_LEVEL_SESSION ? streams == 0 : streams > 0;
        if (stream && here)
            err = write_attributes(out, sdp, offer, message);
        streams += stream;
        err = err ? err : ibk_buf_append_span(out, line);
    }
    bool at_end = sdp->level == IUT_LEVEL_SESSION ? streams == 0 : streams > 0;
    return err || !at_end ? err : write_attributes(out, sdp, offer, message);
}

/* ---- finding
 * ----------------------------------------------------------------------------------------------- */

/* Key management of the session (number 0) or of a stream. */
typedef struct level {
    ibk_span mikey; /* "mikey <base64>", borrowed */
    ibk_buf ids;
    bool any;
    bool refused; /* a stream with port 0 */
} level;

static ibk_err add_attribute(level *l, ibk_span value, ibk_diag *diag) {
    if (starts(value, " "))
        value = cut(value, 1); /* RFC 4567 §3.1: 0*1SP */
    ibk_span id = first_word(value);
    l->any = true;
    if (ibk_span_equal(id, ibk_span_str("mikey"))) {
        if (l->mikey.len > 0)
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, "a=key-mgmt", 0, "mikey twice at one level");
        l->mikey = value;
    }
    return add_id(&l->ids, id);
}

static bool port_zero(ibk_span line) {
    ibk_span media = first_word(cut(line, 2));
    return starts(cut(line, 2 + media.len), " 0 ");
}

static ibk_err read_levels(level levels[LEVELS_MAX], size_t *n, ibk_span description, ibk_diag *diag) {
    ibk_span line;
    ibk_err err = IBK_OK;
    *n = 1;
    while (!err && next_line(&description, &line)) {
        while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
            line.len--;
        if (starts(line, "m=")) {
            if (*n == LEVELS_MAX)
                return ibk_fail(diag, IBK_ERR_LIMIT, "m=", 0, "more than %d streams", LEVELS_MAX - 1);
            levels[(*n)++].refused = port_zero(line);
        } else if (starts(line, attribute)) {
            err = add_attribute(&levels[*n - 1], cut(line, sizeof attribute - 1), diag);
        }
    }
    return err;
}

/* The one level that counts for all streams. */
static ibk_err choose(const level levels[LEVELS_MAX], size_t n, const level **out, ibk_diag *diag) {
    *out = NULL;
    for (size_t i = n > 1 ? 1 : 0; i < n; i++) {
        const level *l = levels[i].any ? &levels[i] : &levels[0];
        if (levels[i].refused || !l->any)
            continue;
        if (*out && !(ibk_span_equal((*out)->mikey, l->mikey) &&
                      ibk_span_equal(ibk_buf_span(&(*out)->ids), ibk_buf_span(&l->ids))))
            return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "a=key-mgmt", 0, "streams of several exchanges");
        *out = l;
    }
    if (!*out || (*out)->mikey.len == 0)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "no MIKEY message for the streams");
    return IBK_OK;
}

ibk_err iut_sdp_find(ibk_buf *message, ibk_buf *ids, ibk_span description, ibk_diag *diag) {
    level levels[LEVELS_MAX] = {0};
    const level *chosen = NULL;
    size_t n;
    ibk_err err = read_levels(levels, &n, description, diag);
    err = err ? err : choose(levels, n, &chosen, diag);
    if (!err && chosen) {
        err = ibk_keymgmt_parse(message, chosen->mikey, diag);
        err = err ? err : ibk_buf_append_span(ids, ibk_buf_span(&chosen->ids));
    }
    for (size_t i = 0; i < LEVELS_MAX; i++)
        ibk_buf_free(&levels[i].ids);
    return err;
}
