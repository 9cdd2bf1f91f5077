/* ibakelab: records of the key log, and its writer. */
#include "trace/keylog.h"

#include "trace/keylog_kinds.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const keylog_kind_row *keylog_row(ibk_keylog_kind kind) {
    static const keylog_kind_row rows[KEYLOG_KINDS] = {
        {IBK_KEYLOG_PARAMS, "PARAMS", 0},
        {IBK_KEYLOG_MASTER, "MASTER", 0},
        {IBK_KEYLOG_PRIV, "PRIV", KEYLOG_ID},
        {IBK_KEYLOG_PSK, "PSK", 0},
        {IBK_KEYLOG_X, "X", KEYLOG_CSB},
        {IBK_KEYLOG_Y, "Y", KEYLOG_CSB},
        {IBK_KEYLOG_KSESSION, "KSESSION", KEYLOG_CSB},
        {IBK_KEYLOG_MPK, "MPK", KEYLOG_CSB},
        {IBK_KEYLOG_TGK, "TGK", KEYLOG_CSB},
        {IBK_KEYLOG_AUTHKEY, "AUTHKEY", KEYLOG_CSB},
        {IBK_KEYLOG_TEK, "TEK", KEYLOG_CSB | KEYLOG_CS},
        {IBK_KEYLOG_SALT, "SALT", KEYLOG_CSB | KEYLOG_CS},
    };
    size_t index = (size_t)kind - IBK_KEYLOG_PARAMS;
    return index < KEYLOG_KINDS ? &rows[index] : NULL;
}

const char *keylog_kind_name(ibk_keylog_kind kind) {
    const keylog_kind_row *row = keylog_row(kind);
    return row ? row->name : NULL;
}

static ibk_err append_hex(ibk_buf *out, ibk_span octets) {
    static const char digits[] = "0123456789abcdef";
    size_t at = out->len;
    ibk_err err = ibk_buf_resize(out, at + 1 + 2 * octets.len);
    if (err)
        return err;
    out->data[at++] = ' ';
    for (size_t i = 0; i < octets.len; i++) {
        out->data[at++] = (uint8_t)digits[octets.data[i] >> 4];
        out->data[at++] = (uint8_t)digits[octets.data[i] & 15];
    }
    return IBK_OK;
}

ibk_err keylog_format(ibk_buf *out, const ibk_keylog_record *record) {
    const keylog_kind_row *row = keylog_row(record->kind);
    if (!row || !record->value.len || ((row->shape & KEYLOG_ID) && !record->id.len))
        return IBK_ERR_USAGE;
    uint32_t csb = record->csb_id;
    uint8_t csb_octets[4] = {(uint8_t)(csb >> 24), (uint8_t)(csb >> 16), (uint8_t)(csb >> 8), (uint8_t)csb};
    ibk_err err = ibk_buf_append(out, row->name, strlen(row->name));
    if (!err && (row->shape & KEYLOG_CSB))
        err = append_hex(out, ibk_span_of(csb_octets, 4));
    if (!err && (row->shape & KEYLOG_CS))
        err = append_hex(out, ibk_span_of(&record->cs_id, 1));
    if (!err && (row->shape & KEYLOG_ID))
        err = append_hex(out, record->id);
    if (!err)
        err = append_hex(out, record->value);
    return err ? err : ibk_buf_append(out, "\n", 1);
}

/* ---- writer --------------------------------------------------------------------------------------- */

/* Lines written so far, as hashes in an open-addressed table: a secret is not kept longer than its line. */
struct keylog_writer {
    FILE *file;
    char *path;
    ibk_err err;
    int error_number;
    uint8_t (*seen)[SHA256_DIGEST_LENGTH];
    size_t seen_count, seen_size; /* size is a power of two; an all-zero entry is free */
};

ibk_err keylog_writer_open(keylog_writer **out, const char *path, ibk_diag *diag) {
    *out = NULL;
    keylog_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->path = strdup(path))) {
        free(w);
        return ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, NULL);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && fchmod(fd, 0600) == 0) /* an older file may have been readable by others */
        w->file = fdopen(fd, "wb");
    if (!w->file) {
        ibk_err err = ibk_fail(diag, IBK_ERR_IO, NULL, 0, "cannot create %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        free(w->path);
        free(w);
        return err;
    }
    fputs("# ibakelab key log: secrets of a simulation (docs/keylog.md)\n", w->file);
    *out = w;
    return IBK_OK;
}

static uint8_t *seen_slot(uint8_t (*table)[SHA256_DIGEST_LENGTH], size_t size, const uint8_t *digest) {
    static const uint8_t zero[SHA256_DIGEST_LENGTH];
    size_t i;
    memcpy(&i, digest, sizeof i);
    for (i &= size - 1;; i = (i + 1) & (size - 1))
        if (memcmp(table[i], digest, sizeof zero) == 0 || memcmp(table[i], zero, sizeof zero) == 0)
            return table[i];
}

static bool grow_seen(keylog_writer *w) {
    size_t size = w->seen_size ? 2 * w->seen_size : 256;
    uint8_t(*table)[SHA256_DIGEST_LENGTH] = calloc(size, sizeof *table);
    if (!table)
        return false;
    static const uint8_t zero[SHA256_DIGEST_LENGTH];
    for (size_t i = 0; i < w->seen_size; i++)
        if (memcmp(w->seen[i], zero, sizeof zero) != 0)
            memcpy(seen_slot(table, size, w->seen[i]), w->seen[i], sizeof zero);
    free(w->seen);
    w->seen = table;
    w->seen_size = size;
    return true;
}

/* Whether this line is new; it is then remembered. */
static ibk_err first_time(keylog_writer *w, ibk_span line, bool *fresh) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (2 * (w->seen_count + 1) > w->seen_size && !grow_seen(w))
        return IBK_ERR_NO_MEMORY;
    SHA256(line.data, line.len, digest);
    uint8_t *slot = seen_slot(w->seen, w->seen_size, digest);
    *fresh = memcmp(slot, digest, sizeof digest) != 0;
    if (*fresh) {
        memcpy(slot, digest, sizeof digest);
        w->seen_count++;
    }
    return IBK_OK;
}

void keylog_write(void *user, const ibk_keylog_record *record) {
    keylog_writer *w = user;
    if (!w || w->err)
        return;
    ibk_buf line = {0};
    bool fresh = false;
    w->err = keylog_format(&line, record);
    if (!w->err)
        w->err = first_time(w, ibk_buf_span(&line), &fresh);
    if (fresh && fwrite(line.data, 1, line.len, w->file) != line.len) {
        w->err = IBK_ERR_IO;
        w->error_number = errno;
    }
    ibk_buf_free(&line);
}

ibk_err keylog_writer_close(keylog_writer *w, ibk_diag *diag) {
    if (!w)
        return IBK_OK;
    ibk_err err = w->err;
    int number = w->error_number;
    if (fclose(w->file) != 0 && !err) {
        err = IBK_ERR_IO;
        number = errno;
    }
    if (err)
        ibk_fail(diag, err, NULL, 0, "writing %s: %s", w->path,
                 err == IBK_ERR_IO ? strerror(number) : ibk_err_text(err));
    free(w->seen);
    free(w->path);
    free(w);
    return err;
}
