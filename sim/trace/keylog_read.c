/* ibakelab: strict reader of the key log. Grammar: records separated by line ends (LF, or CRLF); a record is
 * its kind, then its values in hex, one blank or tab or more between them; '#' starts a comment anywhere. */
#include "trace/keylog.h"

#include "trace/keylog_kinds.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const uint8_t *text;
    size_t len, at, line, line_start;
    ibk_diag *diag;
} reader;

static ibk_err refuse(const reader *r, size_t at, ibk_err err, const char *detail) {
    return ibk_fail(r->diag, err, "key log", at, "%s", detail);
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

static bool at_line_end(const reader *r) {
    if (r->at == r->len || r->text[r->at] == '\n' || r->text[r->at] == '#')
        return true;
    return r->text[r->at] == '\r' && r->at + 1 < r->len && r->text[r->at + 1] == '\n';
}

static void skip_blanks(reader *r) {
    while (r->at < r->len && is_blank(r->text[r->at]))
        r->at++;
}

static ibk_span next_word(reader *r) {
    skip_blanks(r);
    size_t start = r->at;
    while (!at_line_end(r) && !is_blank(r->text[r->at]))
        r->at++;
    return ibk_span_of(r->text + start, r->at - start);
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next word, decoded from hex into the log's storage. On failure r->at is where it is wrong. */
static ibk_err next_hex(reader *r, keylog *log, ibk_span *out) {
    ibk_span word = next_word(r);
    size_t start = (size_t)(r->at - word.len);
    if (!word.len)
        return refuse(r, r->at, IBK_ERR_BAD_TEXT, "a value is missing");
    for (size_t i = 0; i < word.len; i++)
        if (hex_digit(word.data[i]) < 0) {
            r->at = start + i;
            return refuse(r, r->at, IBK_ERR_BAD_TEXT, "not a hex digit");
        }
    if (word.len % 2) {
        r->at = start;
        return refuse(r, start, IBK_ERR_BAD_TEXT, "an odd number of hex digits");
    }
    uint8_t *to = log->storage + log->storage_len; /* half the text: it always fits */
    for (size_t i = 0; i < word.len / 2; i++)
        to[i] = (uint8_t)(hex_digit(word.data[2 * i]) << 4 | hex_digit(word.data[2 * i + 1]));
    *out = ibk_span_of(to, word.len / 2);
    log->storage_len += word.len / 2;
    return IBK_OK;
}

static ibk_err next_fixed(reader *r, keylog *log, size_t len, const char *what, uint32_t *out) {
    ibk_span octets;
    skip_blanks(r);
    size_t start = r->at;
    ibk_err err = next_hex(r, log, &octets);
    if (err)
        return err;
    if (octets.len != len) {
        r->at = start;
        return refuse(r, start, IBK_ERR_BAD_LENGTH, what);
    }
    *out = 0;
    for (size_t i = 0; i < len; i++)
        *out = *out << 8 | octets.data[i];
    return IBK_OK;
}

static ibk_err read_record(reader *r, keylog *log, ibk_keylog_record *record) {
    size_t start = r->at;
    ibk_span word = next_word(r);
    const keylog_kind_row *row = NULL;
    for (unsigned kind = IBK_KEYLOG_PARAMS; kind < IBK_KEYLOG_PARAMS + KEYLOG_KINDS && !row; kind++)
        if (ibk_span_equal(word, ibk_span_str(keylog_kind_name((ibk_keylog_kind)kind))))
            row = keylog_row((ibk_keylog_kind)kind);
    if (!row) {
        r->at = start;
        return refuse(r, start, IBK_ERR_BAD_TYPE, "unknown kind of record");
    }
    *record = (ibk_keylog_record){.kind = row->kind};
    uint32_t cs_id = 0;
    ibk_err err = IBK_OK;
    if (row->shape & KEYLOG_CSB)
        err = next_fixed(r, log, 4, "a CSB ID has 4 octets", &record->csb_id);
    if (!err && (row->shape & KEYLOG_CS))
        err = next_fixed(r, log, 1, "a CS ID has 1 octet", &cs_id);
    record->cs_id = (uint8_t)cs_id;
    if (!err && (row->shape & KEYLOG_ID))
        err = next_hex(r, log, &record->id);
    if (!err)
        err = next_hex(r, log, &record->value);
    skip_blanks(r);
    if (!err && !at_line_end(r))
        err = refuse(r, r->at, IBK_ERR_TRAILING, "more values than this kind of record has");
    return err;
}

static ibk_err add_record(reader *r, keylog *log, const ibk_keylog_record *record) {
    if (log->count == KEYLOG_MAX_RECORDS)
        return refuse(r, r->line_start, IBK_ERR_LIMIT, "too many records");
    if (!IBK_ROOM(log->records, log->count, log->capacity))
        return refuse(r, r->line_start, IBK_ERR_NO_MEMORY, "");
    log->records[log->count++] = *record;
    return IBK_OK;
}

static ibk_err read_line(reader *r, keylog *log) {
    skip_blanks(r);
    if (!at_line_end(r)) {
        ibk_keylog_record record;
        ibk_err err = read_record(r, log, &record);
        if (err)
            return err;
        if ((err = add_record(r, log, &record)))
            return err;
    }
    while (r->at < r->len && r->text[r->at] != '\n') /* comment, CR */
        r->at++;
    if (r->at < r->len) {
        r->at++;
        r->line++;
        r->line_start = r->at;
    }
    return IBK_OK;
}

ibk_err keylog_parse(keylog *out, ibk_span text, keylog_where *where, ibk_diag *diag) {
    reader r = {.text = text.data, .len = text.len, .line = 1, .diag = diag};
    *out = (keylog){0};
    if (where)
        *where = (keylog_where){0};
    if (text.len > KEYLOG_MAX_OCTETS)
        return ibk_fail(diag, IBK_ERR_LIMIT, "key log", 0, "more than %zu octets", KEYLOG_MAX_OCTETS);
    out->storage = malloc(text.len / 2 + 1);
    if (!out->storage)
        return ibk_fail(diag, IBK_ERR_NO_MEMORY, "key log", 0, NULL);
    while (r.at < r.len) {
        ibk_err err = read_line(&r, out);
        if (!err)
            continue;
        if (where)
            *where = (keylog_where){r.line, r.at - r.line_start + 1};
        return err;
    }
    return IBK_OK;
}

ibk_err keylog_load(keylog *out, const char *path, keylog_where *where, ibk_diag *diag) {
    *out = (keylog){0};
    if (where)
        *where = (keylog_where){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return ibk_fail(diag, IBK_ERR_IO, "key log", 0, "%s", strerror(errno));
    uint8_t *text = NULL;
    size_t len = 0, capacity = 0;
    ibk_err err = IBK_OK;
    for (;;) {
        if (len == capacity) {
            size_t more = capacity ? 2 * capacity : 1 << 16;
            uint8_t *grown = more > 2 * KEYLOG_MAX_OCTETS ? NULL : malloc(more);
            if (!grown) {
                err = ibk_fail(diag, IBK_ERR_LIMIT, "key log", 0, "the file is too large");
                break;
            }
            if (text) {
                memcpy(grown, text, len);
                ibk_wipe(text, len);
                free(text);
            }
            text = grown;
            capacity = more;
        }
        size_t got = fread(text + len, 1, capacity - len, file);
        len += got;
        if (!got)
            break;
    }
    if (!err && ferror(file))
        err = ibk_fail(diag, IBK_ERR_IO, "key log", 0, "%s", strerror(errno));
    fclose(file);
    if (!err)
        err = keylog_parse(out, ibk_span_of(text, len), where, diag);
    if (text)
        ibk_wipe(text, len);
    free(text);
    return err;
}

void keylog_free(keylog *log) {
    if (!log)
        return;
    if (log->storage)
        ibk_wipe(log->storage, log->storage_len);
    free(log->storage);
    free(log->records);
    *log = (keylog){0};
}

size_t keylog_find(const keylog *log, ibk_keylog_kind kind, uint32_t csb_id, size_t from) {
    for (size_t i = from; i < log->count; i++)
        if (log->records[i].kind == kind && log->records[i].csb_id == csb_id)
            return i;
    return log->count;
}
