/* The members of a request: types, ranges, names. See request.h. */
#include "conformance/iut/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- octets that stay -----------------------------------------------------------------------------------
 */

ibk_span iut_store_keep(iut_store *store, ibk_buf *buf, ibk_err *err) {
    if (!IBK_ROOM(store->items, store->count, store->cap)) {
        *err = IBK_ERR_NO_MEMORY;
        return (ibk_span){0};
    }
    store->items[store->count++] = *buf;
    ibk_span span = ibk_buf_span(buf);
    *buf = (ibk_buf){0};
    return span;
}

void iut_store_free(iut_store *store) {
    for (size_t i = 0; i < store->count; i++)
        ibk_buf_free(&store->items[i]);
    free(store->items);
    *store = (iut_store){0};
}

/* ---- complaints -------------------------------------------------------------------------------------------
 */

bool iut_wrong(const iut_place *at) {
    return at->request->result != IUT_OK;
}

static void join(char out[IUT_PATH_MAX], const char *path, const char *member) {
    size_t len = strnlen(path, IUT_PATH_MAX - 1);
    memcpy(out, path, len);
    size_t more = strnlen(member, IUT_PATH_MAX - 1 - len);
    memcpy(out + len, member, more);
    out[len + more] = '\0';
}

void iut_complain(const iut_place *at, iut_result result, const char *member, const char *format, ...) {
    iut_request *r = at->request;
    if (r->result != IUT_OK)
        return;
    r->result = result;
    join(r->what, at->path, member);
    va_list args;
    va_start(args, format);
    vsnprintf(r->detail, sizeof r->detail, format, args);
    va_end(args);
}

void iut_refuse(const iut_place *at, const char *member, ibk_err err, const ibk_diag *diag) {
    if (!err || iut_wrong(at))
        return;
    const char *more = diag && diag->err == err ? diag->detail : "";
    iut_complain(at, IUT_REFUSED, member, "%s%s%s", ibk_err_text(err), *more ? ": " : "", more);
    at->request->error = err;
}

static void no_memory(const iut_place *at, const char *member) {
    iut_refuse(at, member, IBK_ERR_NO_MEMORY, NULL);
}

void *iut_alloc(const iut_place *at, size_t n, size_t size) {
    void *items = calloc(n ? n : 1, size);
    if (!items)
        no_memory(at, "");
    return items;
}

/* ---- members
 * ------------------------------------------------------------------------------------------------ */

iut_place iut_top(iut_request *request) {
    return (iut_place){.request = request, .object = request->json};
}

static bool listed(const char *members, const char *name) {
    size_t len = strlen(name);
    for (const char *at = members; *at;) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, name, len) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

void iut_only(const iut_place *at, const char *members) {
    const char *name;
    json_t *value;
    json_object_foreach(at->object, name, value) {
        if (!listed(members, name))
            iut_complain(at, IUT_MALFORMED, name, "the contract has no such member");
    }
}

bool iut_has(const iut_place *at, const char *member) {
    return json_object_get(at->object, member) != NULL;
}

/* NULL: absent, or something is wrong already. */
static json_t *get(const iut_place *at, const char *member, iut_presence need) {
    if (iut_wrong(at))
        return NULL;
    json_t *value = json_object_get(at->object, member);
    if (!value && need == IUT_MUST)
        iut_complain(at, IUT_MALFORMED, member, "is missing");
    return value;
}

static void read_integer(const iut_place *at, const char *path, const json_t *value, int64_t min, int64_t max,
                         int64_t *out) {
    if (!json_is_integer(value))
        iut_complain(at, IUT_MALFORMED, path, "is no integer");
    else if (json_integer_value(value) < min || json_integer_value(value) > max)
        iut_complain(at, IUT_MALFORMED, path, "is not within %" PRId64 " and %" PRId64, min, max);
    else
        *out = json_integer_value(value);
}

void iut_integer(const iut_place *at, const char *member, iut_presence need, int64_t min, int64_t max,
                 int64_t *out) {
    json_t *value = get(at, member, need);
    if (value)
        read_integer(at, member, value, min, max, out);
}

void iut_u8(const iut_place *at, const char *member, iut_presence need, uint8_t *out) {
    int64_t value = *out;
    iut_integer(at, member, need, 0, UINT8_MAX, &value);
    *out = (uint8_t)value;
}

void iut_u32(const iut_place *at, const char *member, iut_presence need, uint32_t *out) {
    int64_t value = *out;
    iut_integer(at, member, need, 0, UINT32_MAX, &value);
    *out = (uint32_t)value;
}

void iut_boolean(const iut_place *at, const char *member, iut_presence need, bool *out) {
    json_t *value = get(at, member, need);
    if (value && !json_is_boolean(value))
        iut_complain(at, IUT_MALFORMED, member, "is neither true nor false");
    else if (value)
        *out = json_is_true(value);
}

void iut_text(const iut_place *at, const char *member, iut_presence need, size_t max, const char **out) {
    json_t *value = get(at, member, need);
    if (value && !json_is_string(value))
        iut_complain(at, IUT_MALFORMED, member, "is no string");
    else if (value && json_string_length(value) > max)
        iut_complain(at, IUT_MALFORMED, member, "is longer than %zu octets", max);
    else if (value)
        *out = json_string_value(value);
}

void iut_name(const iut_place *at, const char *member, const char **out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *text = NULL;
    iut_text(at, member, IUT_MUST, 32, &text);
    if (text && (!*text || text[strspn(text, letters)]))
        iut_complain(at, IUT_MALFORMED, member, "is no name");
    else if (text)
        *out = text;
}

static void read_octets(const iut_place *at, const char *path, const json_t *value, iut_store *store,
                        ibk_span *out) {
    if (!json_is_string(value)) {
        iut_complain(at, IUT_MALFORMED, path, "is no string");
        return;
    }
    ibk_buf buf = {0};
    ibk_err err =
        ibk_base64_decode(&buf, ibk_span_of(json_string_value(value), json_string_length(value)), NULL);
    if (!err)
        *out = iut_store_keep(store, &buf, &err);
    if (err == IBK_ERR_NO_MEMORY)
        no_memory(at, path);
    else if (err)
        iut_complain(at, IUT_MALFORMED, path, "is no base64");
    ibk_buf_free(&buf);
}

void iut_octets(const iut_place *at, const char *member, iut_presence need, iut_store *store, ibk_span *out) {
    json_t *value = get(at, member, need);
    if (value)
        read_octets(at, member, value, store, out);
}

/* {"uri": …}, {"nai": …} or {"bytes": …}. */
static void read_identity(const iut_place *at, const char *path, json_t *value, iut_store *store,
                          ibk_identity *out) {
    static const struct {
        const char *member;
        uint8_t id_type;
    } types[] = {{"nai", IBK_ID_NAI}, {"uri", IBK_ID_URI}, {"bytes", IBK_ID_BYTES}};
    for (size_t i = 0; json_object_size(value) == 1 && i < sizeof types / sizeof types[0]; i++) {
        json_t *id = json_object_get(value, types[i].member);
        if (!id || !json_is_string(id))
            continue;
        out->id_type = types[i].id_type;
        if (out->id_type == IBK_ID_BYTES) {
            read_octets(at, path, id, store, &out->id);
            return;
        }
        ibk_buf buf = {0};
        ibk_err err = ibk_buf_append(&buf, json_string_value(id), json_string_length(id));
        if (!err)
            out->id = iut_store_keep(store, &buf, &err);
        ibk_buf_free(&buf);
        iut_refuse(at, path, err, NULL);
        return;
    }
    iut_complain(at, IUT_MALFORMED, path, "is no identity");
}

void iut_identity(const iut_place *at, const char *member, iut_presence need, iut_store *store,
                  ibk_identity *out) {
    json_t *value = get(at, member, need);
    if (value)
        read_identity(at, member, value, store, out);
}

static void read_value(const iut_place *at, const char *path, const json_t *value, const iut_kind *kind,
                       uint8_t *out) {
    if (!json_is_string(value))
        iut_complain(at, IUT_MALFORMED, path, "is no string");
    else if (!iut_kind_find(kind, json_string_value(value), json_string_length(value), out))
        iut_complain(at, IUT_UNSUPPORTED, path, "'%.60s' is not known here", json_string_value(value));
}

void iut_value(const iut_place *at, const char *member, iut_presence need, const iut_kind *kind,
               uint8_t *out) {
    json_t *value = get(at, member, need);
    if (value)
        read_value(at, member, value, kind, out);
}

void iut_values(const iut_place *at, const char *member, const iut_kind *kind, uint32_t *bits) {
    size_t n = iut_array(at, member, IUT_MAY, 32);
    for (size_t i = 0; i < n && !iut_wrong(at); i++) {
        char path[IUT_PATH_MAX];
        snprintf(path, sizeof path, "%s[%zu]", member, i);
        uint8_t value = 0;
        read_value(at, path, json_array_get(json_object_get(at->object, member), i), kind, &value);
        *bits |= UINT32_C(1) << value;
    }
}

/* ---- objects and arrays -----------------------------------------------------------------------------------
 */

static bool enter(const iut_place *at, const char *path, json_t *value, iut_place *out) {
    if (!json_is_object(value)) {
        iut_complain(at, IUT_MALFORMED, path, "is no object");
        return false;
    }
    *out = (iut_place){.request = at->request, .object = value};
    char full[IUT_PATH_MAX];
    join(full, at->path, path);
    join(out->path, full, ".");
    return true;
}

bool iut_object(const iut_place *at, const char *member, iut_presence need, iut_place *out) {
    json_t *value = get(at, member, need);
    return value && enter(at, member, value, out);
}

size_t iut_array(const iut_place *at, const char *member, iut_presence need, size_t max) {
    json_t *value = get(at, member, need);
    if (!value)
        return 0;
    if (!json_is_array(value))
        iut_complain(at, IUT_MALFORMED, member, "is no array");
    else if (json_array_size(value) > max)
        iut_complain(at, IUT_MALFORMED, member, "has more than %zu elements", max);
    return iut_wrong(at) ? 0 : json_array_size(value);
}

/* The element and its path, NULL if something is wrong. */
static json_t *element(const iut_place *at, const char *member, size_t index, char path[IUT_PATH_MAX]) {
    if (iut_wrong(at))
        return NULL;
    snprintf(path, IUT_PATH_MAX, "%s[%zu]", member, index);
    return json_array_get(json_object_get(at->object, member), index);
}

bool iut_element(const iut_place *at, const char *member, size_t index, iut_place *out) {
    char path[IUT_PATH_MAX];
    json_t *value = element(at, member, index, path);
    return value && enter(at, path, value, out);
}

void iut_element_octets(const iut_place *at, const char *member, size_t index, iut_store *store,
                        ibk_span *out) {
    char path[IUT_PATH_MAX];
    json_t *value = element(at, member, index, path);
    if (value)
        read_octets(at, path, value, store, out);
}

void iut_element_identity(const iut_place *at, const char *member, size_t index, iut_store *store,
                          ibk_identity *out) {
    char path[IUT_PATH_MAX];
    json_t *value = element(at, member, index, path);
    if (value)
        read_identity(at, path, value, store, out);
}

void iut_element_integer(const iut_place *at, const char *member, size_t index, int64_t max, int64_t *out) {
    char path[IUT_PATH_MAX];
    json_t *value = element(at, member, index, path);
    if (value)
        read_integer(at, path, value, 0, max, out);
}

void iut_element_text(const iut_place *at, const char *member, size_t index, const char **out) {
    char path[IUT_PATH_MAX];
    json_t *value = element(at, member, index, path);
    if (value && !json_is_string(value))
        iut_complain(at, IUT_MALFORMED, path, "is no string");
    else if (value)
        *out = json_string_value(value);
}

/* ---- the answer
 * --------------------------------------------------------------------------------------------- */

static bool lost(iut_request *request) {
    iut_place top = iut_top(request);
    no_memory(&top, "");
    return false;
}

bool iut_put(iut_request *request, json_t *object, const char *member, json_t *value) {
    return json_object_set_new(object, member, value) == 0 || lost(request);
}

bool iut_append(iut_request *request, json_t *array, json_t *value) {
    return json_array_append_new(array, value) == 0 || lost(request);
}

json_t *iut_json_octets(ibk_span octets) {
    ibk_buf text = {0};
    json_t *value = NULL;
    if (ibk_base64_encode(&text, octets) == IBK_OK)
        value = json_stringn(text.len ? (const char *)text.data : "", text.len);
    ibk_buf_free(&text);
    return value;
}

json_t *iut_json_identity(const ibk_identity *identity) {
    ibk_span id = identity->id;
    json_t *value = NULL;
    const char *member = identity->id_type == IBK_ID_NAI ? "nai" : "uri";
    if (identity->id_type <= IBK_ID_URI)
        value = json_stringn((const char *)id.data, id.len); /* NULL: not UTF-8 */
    if (!value) {
        member = "bytes";
        value = iut_json_octets(id);
    }
    return value ? json_pack("{s:o}", member, value) : NULL;
}
