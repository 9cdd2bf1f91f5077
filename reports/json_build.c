/* ibakelab: see json_build.h. */
#include "reports/json_build.h"
#include "reports/regular_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* jansson's _new functions take over the value and fail on NULL. */
void jb_set(json_t *object, const char *key, json_t *value, bool *ok) {
    if (json_object_set_new(object, key, value) != 0)
        *ok = false;
}

void jb_append(json_t *array, json_t *value, bool *ok) {
    if (json_array_append_new(array, value) != 0)
        *ok = false;
}

json_t *jb_text(const char *text) {
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    char *copy = strdup(text);
    for (char *p = copy; p && *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}

json_t *jb_count(uint64_t count) {
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *jb_decimal(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

json_t *jb_words(const char *words) {
    bool ok = true;
    json_t *array = json_array();
    for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ')
        if (*at != ' ')
            jb_append(array, json_stringn(at, strcspn(at, " ")), &ok);
    if (ok)
        return array;
    json_decref(array);
    return NULL;
}

static bool dump(const json_t *root, FILE *file) {
    return json_dumpf(root, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF && fflush(file) == 0;
}

/* A rename would put a file in the place of /dev/stdout, a pipe or a device. */
static bool in_place(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && !S_ISREG(about.st_mode);
}

static ibk_err write_in_place(const json_t *root, const char *path, ibk_diag *diag) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "writing %s: %s", path, strerror(errno));
    bool written = dump(root, file);
    int number = errno;
    if (fclose(file) != 0 && written) {
        written = false;
        number = errno;
    }
    return written ? IBK_OK : ibk_fail(diag, IBK_ERR_IO, NULL, 0, "writing %s: %s", path, strerror(number));
}

ibk_err jb_write(const json_t *root, const char *path, ibk_diag *diag) {
    if (strcmp(path, "-") == 0)
        return dump(root, stdout)
                   ? IBK_OK
                   : ibk_fail(diag, IBK_ERR_IO, NULL, 0, "standard output: %s", strerror(errno));
    if (in_place(path))
        return write_in_place(root, path, diag);
    char *temporary = malloc(strlen(path) + 5);
    if (!temporary)
        return ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, "writing %s", path);
    strcat(strcpy(temporary, path), ".tmp");
    FILE *file = fopen(temporary, "wb");
    bool written = file && dump(root, file);
    int number = written ? 0 : errno;
    if (file && fclose(file) != 0 && written) {
        written = false;
        number = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        number = errno;
    }
    if (!written && file)
        remove(temporary);
    free(temporary);
    if (written)
        return IBK_OK;
    /* A place that does not exist is the user's to mend, a full disk is not. */
    ibk_err err = file || number == ENOSPC ? IBK_ERR_IO : IBK_ERR_REFUSED;
    return ibk_fail(diag, err, NULL, 0, "writing %s: %s", path, strerror(number));
}

static ibk_err parse(json_t **out, FILE *file, ibk_diag *diag) {
    json_error_t error;
    *out = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    return *out ? IBK_OK : ibk_fail(diag, IBK_ERR_BAD_TEXT, NULL, 0, "line %d: %s", error.line, error.text);
}

ibk_err jb_read(json_t **out, const char *path, time_t *written, ibk_diag *diag) {
    struct stat about;
    *out = NULL;
    FILE *file = regular_file_open(path, &about, diag);
    if (!file)
        return IBK_ERR_REFUSED;
    ibk_err err = (uint64_t)about.st_size > JB_FILE_MAX
                      ? ibk_fail(diag, IBK_ERR_LIMIT, NULL, 0, "more than %zu octets", JB_FILE_MAX)
                      : parse(out, file, diag);
    if (!err && written)
        *written = about.st_mtime;
    fclose(file);
    return err;
}
