/* One vector at work: see work.h. */
#include "conformance/vectors/work.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *type;
    work_op *op;
} kinds[] = {
    {"HashToRange", op_hash_to_range},
    {"HashBytes", op_hash_bytes},
    {"HashToPoint", op_hash_to_point},
    {"Pairing", op_pairing},
    {"Extract", op_extract},
    {"Encrypt", op_encrypt},
    {"Decrypt", op_decrypt},
    {"Parameters", op_parameters},
    {"Ciphertext", op_ciphertext},
    {"PrivateKey", op_private_key},
    {"Prf", op_prf},
    {"Derive", op_derive},
    {"Message", op_message},
    {"Content", op_content},
    {"KeyMgmt", op_key_mgmt},
    {"Point", op_point},
    {"Exchange", op_exchange},
};

work_op *work_find(const char *type) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].op;
    return NULL;
}

/* ---- inputs ----------------------------------------------------------------------------------------- */

static const json_t *find(work *w, const char *name) {
    const json_t *value = json_object_get(w->test, name);
    value = value ? value : json_object_get(w->group, name);
    if (!value && !w->broken)
        w->broken = name;
    return value;
}

static int nibble(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower-case hexadecimal, two digits an octet. */
static ibk_span unhex(work *w, const char *name, const json_t *value) {
    const char *text = json_string_value(value);
    size_t len = text ? strlen(text) : 1;
    ibk_buf *out = &w->kept[w->n_kept];
    bool ok = len % 2 == 0 && w->n_kept < WORK_KEPT && ibk_buf_resize(out, len / 2) == IBK_OK;
    for (size_t i = 0; ok && i < len; i += 2) {
        int high = nibble(text[i]), low = nibble(text[i + 1]);
        ok = high >= 0 && low >= 0;
        out->data[i / 2] = ok ? (uint8_t)(high << 4 | low) : 0;
    }
    if (!ok) {
        w->broken = w->broken ? w->broken : name;
        return (ibk_span){0};
    }
    w->n_kept++;
    return ibk_buf_span(out);
}

ibk_span work_octets(work *w, const char *name) {
    return unhex(w, name, find(w, name));
}

ibk_span work_element(work *w, const char *name, size_t index) {
    const json_t *array = find(w, name), *value = json_array_get(array, index);
    if (!value)
        return (ibk_span){0};
    return unhex(w, name, value);
}

int64_t work_integer(work *w, const char *name) {
    const json_t *value = find(w, name);
    if (!json_is_integer(value) && !w->broken)
        w->broken = name;
    return (int64_t)json_integer_value(value);
}

unsigned work_number(work *w, const char *name) {
    int64_t value = work_integer(w, name);
    if ((value < 0 || value > UINT32_MAX) && !w->broken)
        w->broken = name;
    return (unsigned)value;
}

const char *work_text(work *w, const char *name) {
    const char *text = json_string_value(find(w, name));
    if (!text && !w->broken)
        w->broken = name;
    return text ? text : "";
}

/* ---- results ---------------------------------------------------------------------------------------- */

json_t *work_hex(ibk_span octets) {
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * octets.len + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < octets.len; i++) {
        text[2 * i] = digits[octets.data[i] >> 4];
        text[2 * i + 1] = digits[octets.data[i] & 15];
    }
    json_t *value = json_stringn(text, 2 * octets.len);
    free(text);
    return value;
}

void work_put_new(work *w, const char *name, json_t *value) {
    if (!value || json_object_set_new(w->out, name, value) != 0)
        ibk_fail(&w->diag, IBK_ERR_NO_MEMORY, NULL, 0, "no memory for a result");
}

void work_put(work *w, const char *name, ibk_span octets) {
    work_put_new(w, name, work_hex(octets));
}

ibk_err work_run(work *w, const json_t *group, const json_t *test) {
    *w = (work){.group = group, .test = test, .out = json_object()};
    work_op *op = work_find(work_text(w, "type"));
    if (!op || !w->out) {
        w->broken = "type";
        return IBK_ERR_USAGE;
    }
    ibk_err err = op(w);
    if (w->broken)
        return ibk_fail(&w->diag, IBK_ERR_USAGE, NULL, 0, "the input '%s' is missing or of the wrong type",
                        w->broken);
    return err ? err : w->diag.err == IBK_ERR_NO_MEMORY ? IBK_ERR_NO_MEMORY : IBK_OK;
}

void work_end(work *w) {
    json_decref(w->out);
    for (size_t i = 0; i < WORK_KEPT; i++)
        ibk_buf_free(&w->kept[i]);
    *w = (work){0};
}

bool work_is_invalid(ibk_err err) {
    switch (ibk_err_category(err)) {
    case IBK_CAT_WIRE:
    case IBK_CAT_DER:
    case IBK_CAT_MATH:
    case IBK_CAT_CRYPTO:
    case IBK_CAT_PROTOCOL:
        return true;
    default:
        return err == IBK_ERR_UNSUPPORTED || err == IBK_ERR_LIMIT;
    }
}

/* ---- draws ------------------------------------------------------------------------------------------- */

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    seeded *s = user;
    ibk_err err = IBK_OK;
    for (size_t at = 0; !err && at < len; at += 1024) {
        uint8_t name[9] = {(uint8_t)label};
        for (unsigned i = 0; i < 8; i++)
            name[1 + i] = (uint8_t)(s->counter >> (56 - 8 * i));
        s->counter++;
        err = ibk_prf_expand(out + at, len - at < 1024 ? len - at : 1024, IBK_PRF_HMAC_SHA256, s->seed,
                             ibk_span_of(name, sizeof name));
    }
    return err;
}

ibk_env seeded_env(seeded *s) {
    return (ibk_env){.user = s, .draw = draw};
}
