#include "cpu/model.h"
#include "cpu/model_data.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const operation_names[CPU_MODEL_OPERATIONS] = {
    [IBK_WORK_IBE_PARAMS] = "ibe-params",   [IBK_WORK_IBE_PEER] = "ibe-peer",
    [IBK_WORK_IBE_ENCRYPT] = "ibe-encrypt", [IBK_WORK_IBE_DECRYPT] = "ibe-decrypt",
    [IBK_WORK_IBE_EXTRACT] = "ibe-extract", [IBK_WORK_IBE_VERIFY_KEY] = "ibe-verify-key",
    [IBK_WORK_EC_KEYGEN] = "ec-keygen",     [IBK_WORK_EC_DH] = "ec-dh",
    [IBK_WORK_RSA_PRIVATE] = "rsa-private", [IBK_WORK_RSA_PUBLIC] = "rsa-public"};

const char *cpu_operation_name(ibk_work what) {
    return what >= IBK_WORK_IBE_PARAMS && (int)what < CPU_MODEL_OPERATIONS ? operation_names[what] : NULL;
}

bool cpu_model_cost(const cpu_model *model, ibk_work what, unsigned size, uint64_t *ns) {
    *ns = 0;
    if (!model->timed)
        return true;
    if (!cpu_operation_name(what))
        return false;
    const cpu_times *times = &model->times[what];
    for (size_t i = 0; i < times->count; i++)
        if (times->at[i].size == size) {
            *ns = times->at[i].ns;
            return true;
        }
    return false;
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------ */

typedef struct reader {
    const char *name;
    ibk_span text;
    char *why;
} reader;

__attribute__((format(printf, 3, 4))) static ibk_err refuse(const reader *r, size_t line, const char *format,
                                                            ...) {
    va_list args;
    int at = snprintf(r->why, CPU_MODEL_WHY, "%s:%zu: ", r->name, line);
    va_start(args, format);
    if (at > 0 && at < CPU_MODEL_WHY)
        vsnprintf(r->why + at, CPU_MODEL_WHY - (size_t)at, format, args);
    va_end(args);
    return IBK_ERR_BAD_VALUE;
}

/* From `from` on, the place of "key" followed by a colon; `from` itself if it is not there. */
static size_t find_key(ibk_span text, size_t from, const char *key) {
    size_t len = strlen(key);
    for (size_t i = from; i + len + 2 <= text.len; i++) {
        if (text.data[i] != '"' || memcmp(text.data + i + 1, key, len) != 0 || text.data[i + 1 + len] != '"')
            continue;
        size_t after = i + len + 2;
        while (after < text.len && strchr(" \t\r\n", text.data[after]))
            after++;
        if (after < text.len && text.data[after] == ':')
            return i;
    }
    return from;
}

/* jansson tells lines of syntax errors alone. Keys are unique in their object, and the objects that can be
 * named here stand one inside the other: the first such key after the outer one is it. */
static size_t line_of(const reader *r, const char *outer, const char *inner, const char *innermost) {
    size_t at = 0, line = 1;
    const char *const keys[] = {outer, inner, innermost};
    for (size_t i = 0; i < 3 && keys[i]; i++)
        at = find_key(r->text, at, keys[i]);
    for (size_t i = 0; i < at; i++)
        line += r->text.data[i] == '\n';
    return line;
}

static ibk_work operation_of(const char *name) {
    for (int what = IBK_WORK_IBE_PARAMS; what < CPU_MODEL_OPERATIONS; what++)
        if (strcmp(name, operation_names[what]) == 0)
            return (ibk_work)what;
    return (ibk_work)0;
}

/* "3072": a decimal number without sign or leading zeros. */
static bool read_size(const char *text, unsigned *size) {
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len || text[0] == '0')
        return false;
    *size = (unsigned)strtoul(text, NULL, 10);
    return true;
}

static void insert(cpu_times *times, unsigned size, uint64_t ns) {
    size_t i = times->count++;
    for (; i > 0 && times->at[i - 1].size > size; i--)
        times->at[i] = times->at[i - 1];
    times->at[i].size = size;
    times->at[i].ns = ns;
}

static ibk_err read_times(cpu_times *times, const reader *r, const char *operation, json_t *object) {
    const char *key;
    json_t *value;
    if (!json_is_object(object) || json_object_size(object) == 0)
        return refuse(r, line_of(r, "operations_ns", operation, NULL),
                      "'%s' is not an object of sizes with their times", operation);
    json_object_foreach(object, key, value) {
        unsigned size;
        size_t line = line_of(r, "operations_ns", operation, key);
        if (!read_size(key, &size))
            return refuse(r, line, "'%.20s' of %s is not a size in bits", key, operation);
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            (uint64_t)json_integer_value(value) > CPU_MODEL_MAX_NS)
            return refuse(r, line, "%s at %u bits: not a whole number of ns from 0 to %" PRIu64, operation,
                          size, CPU_MODEL_MAX_NS);
        if (times->count == CPU_MODEL_SIZES)
            return refuse(r, line, "%s has more than %d sizes", operation, CPU_MODEL_SIZES);
        insert(times, size, (uint64_t)json_integer_value(value));
    }
    return IBK_OK;
}

static ibk_err read_operations(cpu_model *out, const reader *r, json_t *object) {
    const char *key;
    json_t *value;
    size_t line = line_of(r, "operations_ns", NULL, NULL);
    if (!json_is_object(object))
        return refuse(r, line, object ? "'operations_ns' is not an object" : "'operations_ns' is missing");
    json_object_foreach(object, key, value) {
        ibk_work what = operation_of(key);
        if (!what)
            return refuse(r, line_of(r, "operations_ns", key, NULL), "unknown operation '%.40s'", key);
        ibk_err err = read_times(&out->times[what], r, key, value);
        if (err)
            return err;
    }
    for (int what = IBK_WORK_IBE_PARAMS; what < CPU_MODEL_OPERATIONS; what++)
        if (out->times[what].count == 0)
            return refuse(r, line, "the operation '%s' is missing", operation_names[what]);
    return IBK_OK;
}

static ibk_err read_root(cpu_model *out, const reader *r, json_t *root) {
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return refuse(r, 1, "not a JSON object");
    const char *format = json_string_value(json_object_get(root, "format"));
    if (!format || strcmp(format, CPU_MODEL_FORMAT) != 0)
        return refuse(r, line_of(r, "format", NULL, NULL), "'format' is not \"" CPU_MODEL_FORMAT "\"");
    json_object_foreach(root, key, value) {
        bool text = strcmp(key, "name") == 0 || strcmp(key, "description") == 0;
        if (!text && strcmp(key, "format") != 0 && strcmp(key, "operations_ns") != 0)
            return refuse(r, line_of(r, key, NULL, NULL), "unknown member '%.40s'", key);
        if (text && !json_is_string(value))
            return refuse(r, line_of(r, key, NULL, NULL), "'%s' is not a string", key);
    }
    const char *name = json_string_value(json_object_get(root, "name"));
    if (!name || !*name || strlen(name) >= sizeof out->name)
        return refuse(r, line_of(r, "name", NULL, NULL), "'name' is not a string of 1 to %zu octets",
                      sizeof out->name - 1);
    strcpy(out->name, name);
    return read_operations(out, r, json_object_get(root, "operations_ns"));
}

ibk_err cpu_model_read(cpu_model *out, const char *name, ibk_span text, char why[CPU_MODEL_WHY]) {
    const reader r = {.name = name, .text = text, .why = why};
    json_error_t error;
    *out = (cpu_model){.timed = true};
    why[0] = 0;
    json_t *root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    ibk_err err = root ? read_root(out, &r, root)
                       : refuse(&r, error.line > 0 ? (size_t)error.line : 1, "%s", error.text);
    json_decref(root);
    if (err)
        *out = (cpu_model){0};
    return err;
}

ibk_err cpu_model_read_file(cpu_model *out, const char *path, char why[CPU_MODEL_WHY]) {
    ibk_buf text = {0};
    ibk_err err = ibk_buf_resize(&text, CPU_MODEL_MAX_FILE + 1);
    FILE *file = err ? NULL : fopen(path, "rb");
    *out = (cpu_model){0};
    if (file) {
        size_t len = fread(text.data, 1, text.len, file);
        if (ferror(file)) {
            err = IBK_ERR_IO;
            snprintf(why, CPU_MODEL_WHY, "%s: it cannot be read", path);
        } else if (len > CPU_MODEL_MAX_FILE) {
            err = IBK_ERR_LIMIT;
            snprintf(why, CPU_MODEL_WHY, "%s: more than %d octets", path, CPU_MODEL_MAX_FILE);
        } else {
            err = cpu_model_read(out, path, ibk_span_of(text.data, len), why);
        }
        fclose(file);
    } else if (!err) {
        err = IBK_ERR_IO;
        snprintf(why, CPU_MODEL_WHY, "%s: %s", path, strerror(errno));
    }
    ibk_buf_free(&text);
    return err;
}

bool cpu_model_ready_made(cpu_model *out, const char *word) {
    char why[CPU_MODEL_WHY];
    *out = (cpu_model){0};
    if (strcmp(word, "instant") == 0) {
        strcpy(out->name, "instant");
        return true;
    }
    for (size_t i = 0; i < cpu_model_file_count; i++) {
        const cpu_model_file *file = &cpu_model_files[i];
        if (strcmp(word, file->word) == 0)
            return cpu_model_read(out, word, ibk_span_of(file->text, file->len), why) == IBK_OK;
    }
    return false;
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------ */

static bool add(json_t *object, const char *key, json_t *value) {
    return json_object_set_new(object, key, value) == 0;
}

static json_t *times_json(const cpu_times *times) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < times->count; i++) {
        char size[16];
        snprintf(size, sizeof size, "%u", times->at[i].size);
        if (!add(object, size, json_integer((json_int_t)times->at[i].ns))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

ibk_err cpu_model_write(ibk_buf *out, const cpu_model *model, const char *description) {
    json_t *root = json_object(), *operations = json_object();
    bool ok =
        add(root, "format", json_string(CPU_MODEL_FORMAT)) && add(root, "name", json_string(model->name));
    if (ok && description)
        ok = add(root, "description", json_string(description));
    for (int what = IBK_WORK_IBE_PARAMS; ok && what < CPU_MODEL_OPERATIONS; what++)
        ok = add(operations, operation_names[what], times_json(&model->times[what]));
    ok = add(root, "operations_ns", operations) && ok;
    char *text = ok ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    ibk_err err = text ? ibk_buf_append(out, text, strlen(text)) : IBK_ERR_NO_MEMORY;
    free(text);
    return err ? err : ibk_buf_append(out, "\n", 1);
}
