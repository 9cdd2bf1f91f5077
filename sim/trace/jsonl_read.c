/* ibakelab: events.jsonl read back: what json.c writes, a flat object a line, and nothing else. By hand like
 * its writer, since a run of ten thousand calls has some hundred megabytes of it. */
#define _GNU_SOURCE /* getline */
#include "trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE ((size_t)1 << 20)

typedef struct line {
    uint8_t *at, *end; /* texts are unescaped where they stand */
    uint8_t *begin;
    ibk_diag *diag;
    bool failed; /* the first complaint counts */
} line;

static bool complain(line *l, const char *what) {
    if (!l->failed)
        ibk_fail(l->diag, IBK_ERR_BAD_TEXT, NULL, 0, "column %zu: %s", (size_t)(l->at - l->begin) + 1, what);
    l->failed = true;
    return false;
}

static bool take(line *l, const char *text) {
    size_t len = strlen(text);
    if ((size_t)(l->end - l->at) < len || memcmp(l->at, text, len) != 0)
        return false;
    l->at += len;
    return true;
}

/* ---- values -------------------------------------------------------------------------------------------- */

static bool hex4(line *l, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++, l->at++) {
        uint8_t c = l->at < l->end ? *l->at : 0, low = c | 0x20;
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            *out = *out << 4 | (uint32_t)(low - 'a' + 10);
        else
            return complain(l, "four hex digits have to follow \\u");
    }
    return true;
}

/* The writer escapes control characters alone: no surrogates, and nothing that needs three octets. */
static bool unescape(line *l, uint8_t **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    const char *known = l->at < l->end && *l->at ? strchr(from, *l->at) : NULL;
    if (known) {
        *(*to)++ = (uint8_t)into[known - from];
        l->at++;
        return true;
    }
    if (!take(l, "u"))
        return complain(l, "an unknown escape");
    if (!hex4(l, &code))
        return false;
    if (code >= 0x800)
        return complain(l, "an escape that no event log has");
    if (code < 0x80) {
        *(*to)++ = (uint8_t)code;
    } else {
        *(*to)++ = (uint8_t)(0xC0 | code >> 6);
        *(*to)++ = (uint8_t)(0x80 | (code & 0x3F));
    }
    return true;
}

static bool is_plain(uint8_t c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* What follows in a string up to the next escape: characters of ASCII as they come, all others checked. */
static bool copy_run(line *l, uint8_t **to) {
    uint8_t *begin = l->at;
    while (l->at < l->end && *l->at != '"' && *l->at != '\\') {
        size_t len = is_plain(*l->at) ? 1 : trace_utf8_len(l->at, (size_t)(l->end - l->at));
        if (!len)
            return complain(l, "a string that is no UTF-8");
        if (*l->at < 0x20)
            return complain(l, "a control character in a string");
        l->at += len;
    }
    if (*to != begin)
        memmove(*to, begin, (size_t)(l->at - begin));
    *to += l->at - begin;
    return true;
}

/* A string, terminated in place of its closing quote. */
static bool string(line *l, ibk_span *out) {
    if (!take(l, "\""))
        return complain(l, "a string is missing");
    uint8_t *begin = l->at, *to = l->at;
    while (copy_run(l, &to) && l->at < l->end && *l->at == '\\') {
        l->at++;
        if (!unescape(l, &to))
            return false;
    }
    if (l->failed)
        return false;
    if (l->at == l->end)
        return complain(l, "the line ends inside a string");
    l->at++;
    *to = 0;
    *out = ibk_span_of(begin, (size_t)(to - begin));
    return true;
}

/* A string that is a name: no zero octet in it. */
static bool name(line *l, const char **out) {
    ibk_span text = ibk_span_str("");
    if (!string(l, &text))
        return false;
    *out = (const char *)text.data;
    return strlen(*out) == text.len || complain(l, "a zero octet in a name");
}

static bool digits(line *l, uint64_t *out) {
    uint8_t *begin = l->at;
    for (*out = 0; l->at < l->end && *l->at >= '0' && *l->at <= '9'; l->at++) {
        uint64_t digit = *l->at - '0';
        if (*out > (UINT64_MAX - digit) / 10)
            return complain(l, "a number beyond 64 bits");
        *out = *out * 10 + digit;
    }
    return l->at > begin || complain(l, "a number is missing");
}

static bool value(line *l, trace_field *f) {
    uint64_t number;
    if (l->at < l->end && *l->at == '"') {
        f->type = TRACE_TEXT;
        return string(l, &f->octets);
    }
    if (take(l, "true") || take(l, "false")) {
        f->type = TRACE_BOOL;
        f->b = l->at[-2] == 'u';
        return true;
    }
    bool negative = take(l, "-");
    if (l->at == l->end || *l->at < '0' || *l->at > '9')
        return complain(l, "neither a string, nor a whole number, nor true or false");
    if (!digits(l, &number))
        return false;
    if (negative && number > (uint64_t)INT64_MAX + 1)
        return complain(l, "a number beyond 64 bits");
    f->type = negative ? TRACE_INT : TRACE_UINT;
    if (negative)
        f->i = number ? -(int64_t)(number - 1) - 1 : 0;
    else
        f->u = number;
    return true;
}

/* ---- an event ------------------------------------------------------------------------------------------ */

/* Seconds with nine digits after the point. */
static bool moment(line *l, uint64_t *ns) {
    uint64_t seconds, fraction;
    if (!digits(l, &seconds))
        return false;
    uint8_t *point = l->at;
    if (!take(l, ".") || !digits(l, &fraction) || l->at - point != 10 ||
        seconds > UINT64_MAX / 1000000000u - 1)
        return complain(l, "the time t is in seconds with nine digits after the point");
    *ns = seconds * 1000000000u + fraction;
    return true;
}

static bool kind(line *l, trace_kind *out) {
    const char *word;
    if (!name(l, &word))
        return false;
    for (int i = 0; i < TRACE_KINDS; i++)
        if (strcmp(word, trace_kind_name((trace_kind)i)) == 0) {
            *out = (trace_kind)i;
            return true;
        }
    return complain(l, "an unknown kind of event");
}

static bool head(line *l, trace_event *e) {
    return (take(l, "{\"t\":") || complain(l, "an event begins with {\"t\":")) && moment(l, &e->time_ns) &&
           (take(l, ",\"node\":") || complain(l, "the node is missing")) && name(l, &e->node) &&
           (take(l, ",\"kind\":") || complain(l, "the kind is missing")) && kind(l, &e->kind) &&
           (take(l, ",\"event\":") || complain(l, "the name of the event is missing")) && name(l, &e->event);
}

static bool event(line *l, trace_event *e, trace_field *fields) {
    if (!head(l, e))
        return false;
    e->fields = fields;
    for (e->field_count = 0; take(l, ","); e->field_count++) {
        if (e->field_count > TRACE_MAX_FIELDS) /* one more than the limit: the note that some were dropped */
            return complain(l, "too many fields");
        fields[e->field_count] = (trace_field){0};
        if (!name(l, &fields[e->field_count].key))
            return false;
        if (!take(l, ":"))
            return complain(l, "a colon is missing");
        if (!value(l, &fields[e->field_count]))
            return false;
    }
    if (!take(l, "}"))
        return complain(l, "the line ends inside the event");
    return l->at == l->end || complain(l, "something follows the event");
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static ibk_err read_lines(FILE *file, void (*sink)(void *user, const trace_event *e), void *user, size_t *at,
                          ibk_diag *diag) {
    trace_field fields[TRACE_MAX_FIELDS + 1];
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    ibk_err err = IBK_OK;
    for (uint64_t sequence = 0; !err && (len = getline(&text, &room, file)) > 0; sequence++) {
        ++*at;
        if ((size_t)len > MAX_LINE) {
            err = ibk_fail(diag, IBK_ERR_BAD_TEXT, NULL, 0, "a line of over %zu octets", MAX_LINE);
            break;
        }
        line l = {.begin = (uint8_t *)text, .at = (uint8_t *)text, .diag = diag};
        l.end = l.begin + len;
        trace_event e = {.sequence = sequence};
        if (l.end[-1] != '\n') /* the writer ends every line: the rest is missing */
            complain(&l, "the last line has no end: the file was cut off");
        else
            l.end--;
        if (!l.failed && event(&l, &e, fields))
            sink(user, &e);
        else
            err = IBK_ERR_BAD_TEXT;
    }
    if (!err && ferror(file))
        err = ibk_fail(diag, IBK_ERR_IO, NULL, 0, "%s", strerror(errno));
    free(text);
    return err;
}

ibk_err trace_jsonl_read(FILE *file, void (*sink)(void *user, const trace_event *e), void *user,
                         size_t *line_number, ibk_diag *diag) {
    size_t at = 0;
    ibk_err err = read_lines(file, sink, user, &at, diag);
    if (line_number)
        *line_number = err == IBK_ERR_BAD_TEXT ? at : 0;
    return err;
}
