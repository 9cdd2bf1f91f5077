#include "ims/sip/scan.h"
#include "ims/sip/text.h"

#include <strings.h>

/* RFC 3261 §7.3.3, §20; the others that the IMS uses. */
static const struct {
    const char *name, *compact;
} known[] = {
    {"Via", "v"},
    {"From", "f"},
    {"To", "t"},
    {"Call-ID", "i"},
    {"CSeq", NULL},
    {"Contact", "m"},
    {"Content-Length", "l"},
    {"Content-Type", "c"},
    {"Content-Encoding", "e"},
    {"Subject", "s"},
    {"Supported", "k"},
    {"Max-Forwards", NULL},
    {"Route", NULL},
    {"Record-Route", NULL},
    {"Require", NULL},
    {"Proxy-Require", NULL},
    {"Unsupported", NULL},
    {"Allow", NULL},
    {"Accept", NULL},
    {"Expires", NULL},
    {"Min-Expires", NULL},
    {"Authorization", NULL},
    {"WWW-Authenticate", NULL},
    {"Proxy-Authorization", NULL},
    {"Proxy-Authenticate", NULL},
    {"Authentication-Info", NULL},
    {"RSeq", NULL},
    {"RAck", NULL},
    {"Reason", NULL},
    {"Warning", NULL},
    {"Path", NULL},
    {"Service-Route", NULL},
    {"P-Asserted-Identity", NULL},
    {"P-Preferred-Identity", NULL},
    {"P-Associated-URI", NULL},
    {"P-Visited-Network-ID", NULL},
    {"P-Access-Network-Info", NULL},
    {"P-Charging-Vector", NULL},
    {"User-Agent", NULL},
    {"Server", NULL},
    {"Session-Expires", "x"},
    {"Retry-After", NULL},
    {"Event", "o"},
    {"Refer-To", "r"},
    {"Timestamp", NULL},
};

const char *sip_canonical_name(const char *name) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(known[i].name, name) == 0 ||
            (known[i].compact && strcasecmp(known[i].compact, name) == 0))
            return known[i].name;
    return name;
}

/* Offset of the CRLF that ends the line at `from`; SIZE_MAX and an error for anything else. */
static size_t find_line_end(ibk_span octets, size_t from, ibk_diag *diag, ibk_err *err) {
    for (size_t i = from; i < octets.len; i++) {
        uint8_t c = octets.data[i];
        if (c == '\r' && i + 1 < octets.len && octets.data[i + 1] == '\n')
            return i;
        if (i - from > SIP_MAX_LINE) {
            *err = ibk_fail(diag, IBK_ERR_LIMIT, "header", from, "a line over %d octets", SIP_MAX_LINE);
            return SIZE_MAX;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            *err = ibk_fail(diag, IBK_ERR_BAD_TEXT, "header", i, "control character 0x%02x", c);
            return SIZE_MAX;
        }
        // An escaped zero would end a text early inside libosip2.
        if (c == '%' && i + 2 < octets.len && octets.data[i + 1] == '0' && octets.data[i + 2] == '0') {
            *err = ibk_fail(diag, IBK_ERR_BAD_TEXT, "header", i, "%%00");
            return SIZE_MAX;
        }
    }
    *err = ibk_fail(diag, IBK_ERR_TRUNCATED, "header", octets.len, "the header section has no end");
    return SIZE_MAX;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

/* One field of data[from..end), folds and all. */
static ibk_err take_field(sip_arena *arena, sip_field *out, ibk_span octets, size_t from, size_t end,
                          ibk_diag *diag) {
    const char *text = (const char *)octets.data + from;
    size_t len = end - from, name = 0;
    while (name < len && text[name] != ':' && !is_blank((uint8_t)text[name]))
        name++;
    size_t colon = name;
    while (colon < len && is_blank((uint8_t)text[colon]))
        colon++;
    if (colon == len || text[colon] != ':' || !sip_is_token(text, name))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "header", from, "a line without field name");
    size_t start = colon + 1;
    char *value = sip_arena_alloc(arena, len - start + 1), *next = value;
    if (!value)
        return IBK_ERR_NO_MEMORY;
    bool fold = true; // the blanks before the value go, too
    for (size_t i = start; i < len; i++) {
        bool line_end = text[i] == '\r' || text[i] == '\n';
        if (line_end)
            fold = true;
        if (line_end || (fold && is_blank((uint8_t)text[i])))
            continue;
        if (fold && next > value && next[-1] != ' ') // RFC 3261 §7.3.1: a fold is one space
            *next++ = ' ';
        fold = false;
        *next++ = text[i] == '\t' ? ' ' : text[i];
    }
    while (next > value && next[-1] == ' ')
        next--;
    *next = 0;
    *out = (sip_field){sip_canonical_name(sip_arena_strn(arena, text, name)), value, from};
    return IBK_OK;
}

/* At least as many as there are fields: messages are kept, so that the array should not be larger than
 * needed. */
static size_t count_lines(ibk_span octets, size_t from) {
    size_t count = 1;
    for (size_t i = from; i + 1 < octets.len && count < SIP_MAX_HEADERS; i++) {
        if (octets.data[i] != '\r' || octets.data[i + 1] != '\n')
            continue;
        count++;
        if (i + 3 < octets.len && octets.data[i + 2] == '\r' && octets.data[i + 3] == '\n')
            break;
    }
    return count;
}

ibk_err sip_scan_header(sip_arena *arena, sip_scan *out, ibk_span octets, ibk_diag *diag) {
    ibk_err err = IBK_OK;
    *out = (sip_scan){0};
    size_t end = find_line_end(octets, 0, diag, &err);
    if (err)
        return err;
    out->start_line = sip_arena_strn(arena, (const char *)octets.data, end);
    size_t room = count_lines(octets, end + 2);
    out->field = sip_arena_alloc(arena, room * sizeof *out->field);
    if (!out->field)
        return IBK_ERR_NO_MEMORY;
    for (size_t at = end + 2;;) {
        size_t stop = find_line_end(octets, at, diag, &err);
        if (err)
            return err;
        if (stop == at) {
            out->header_len = at + 2;
            return arena->failed ? IBK_ERR_NO_MEMORY : IBK_OK;
        }
        while (stop + 2 < octets.len && is_blank(octets.data[stop + 2]) && !err)
            stop = find_line_end(octets, stop + 2, diag, &err);
        if (err)
            return err;
        if (out->field_count == SIP_MAX_HEADERS)
            return ibk_fail(diag, IBK_ERR_LIMIT, "header", at, "more than %d fields", SIP_MAX_HEADERS);
        if ((err = take_field(arena, &out->field[out->field_count], octets, at, stop, diag)))
            return err;
        out->field_count++;
        at = stop + 2;
    }
}

ibk_err sip_scan_one(const sip_scan *scan, const char *name, const sip_field **out, ibk_diag *diag) {
    *out = NULL;
    for (size_t i = 0; i < scan->field_count; i++) {
        if (strcmp(scan->field[i].name, name) != 0)
            continue;
        if (*out)
            return ibk_fail(diag, IBK_ERR_UNEXPECTED_PAYLOAD, name, scan->field[i].offset, "a second time");
        *out = &scan->field[i];
    }
    return IBK_OK;
}

size_t sip_element_len(const char *text) {
    bool quoted = false, angle = false;
    size_t i = 0;
    for (; text[i]; i++) {
        if (quoted && text[i] == '\\' && text[i + 1])
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '<' || text[i] == '>'))
            angle = text[i] == '<';
        else if (!quoted && !angle && text[i] == ',')
            break;
    }
    return i;
}
