/* Values as text: for the resolved configuration and for the reference. */
#include "scenario/value.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A YAML double-quoted scalar: always right, whatever the text. */
static const char *quoted(scn_arena *arena, const char *text) {
    size_t len = strlen(text), used = 0;
    char *out = scn_alloc(arena, 2 * len + 3);
    if (out == NULL)
        return "";
    out[used++] = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            out[used++] = '\\';
        if (text[i] == '\n')
            out[used++] = '\\';
        out[used++] = text[i] == '\n' ? 'n' : text[i];
    }
    out[used] = '"';
    return out;
}

static const char *file_text(scn_arena *arena, const char *path) {
    char absolute[PATH_MAX];
    return quoted(arena, realpath(path, absolute) == NULL ? path : absolute);
}

static const char *hex(scn_arena *arena, ibk_span octets) {
    char *out = scn_alloc(arena, octets.len * 2 + 1);
    for (size_t i = 0; out != NULL && i < octets.len; i++)
        snprintf(out + 2 * i, 3, "%02x", octets.data[i]);
    return out == NULL ? "" : quoted(arena, out);
}

static const char *quantity_text(scn_arena *arena, int64_t value, const scn_quantity *quantity) {
    char out[SCN_NUMBER_MAX];
    scn_number_write(out, value, quantity);
    return scn_copy(arena, out, strlen(out));
}

static const char *word_text(const scn_field *field, uint64_t value) {
    for (const scn_word *w = field->words; w->text != NULL; w++) {
        if ((uint64_t)w->value == value)
            return w->text;
    }
    return "";
}

static const char *bound_text(scn_arena *arena, const scn_field *field, const scn_bound *bound) {
    bool time = field->type == SCN_T_TIME_BOUND;
    if (bound->op == SCN_ALL)
        return "all";
    if (bound->op == SCN_EXACTLY && bound->value == 0 && !time)
        return "none";
    const char *value = time ? quantity_text(arena, (int64_t)bound->value, &scn_time_quantity)
                             : scn_printf(arena, "%llu", (unsigned long long)bound->value);
    if (bound->op == SCN_EXACTLY && !time)
        return value;
    return scn_printf(arena, "%s %s", scn_bound_words[bound->op], value);
}

static const char *date_text(scn_arena *arena, int64_t utc_ns) {
    char out[SCN_NUMBER_MAX];
    scn_date_write(out, utc_ns);
    return scn_copy(arena, out, strlen(out));
}

const char *scn_value_text(scn_arena *arena, const scn_field *field, const void *at) {
    switch (field->type) {
    case SCN_T_BOOL:
        return *(const bool *)at ? "true" : "false";
    case SCN_T_UINT:
        return scn_printf(arena, "%llu", (unsigned long long)scn_uint_load(at, field->width));
    case SCN_T_QUANTITY:
        return quantity_text(arena, (int64_t)scn_uint_load(at, field->width), field->quantity);
    case SCN_T_OFFSET:
        return quantity_text(arena, *(const int64_t *)at, &scn_time_quantity);
    case SCN_T_DATE:
        return date_text(arena, *(const int64_t *)at);
    case SCN_T_ENUM: {
        const char *word = word_text(field, scn_uint_load(at, field->width));
        return word[0] == '#' ? quoted(arena, word) : word; /* a comment otherwise */
    }
    case SCN_T_WORDS:
        return scn_words_text(arena, field, *(const uint64_t *)at);
    case SCN_T_WORD:
        return word_text(field, ((const scn_bound *)at)->value);
    case SCN_T_USER:
        return ((const scn_bound *)at)->user;
    case SCN_T_STATUS:
    case SCN_T_COUNT_BOUND:
    case SCN_T_NUMBER_BOUND:
    case SCN_T_TIME_BOUND:
        return bound_text(arena, field, at);
    case SCN_T_FILE:
        return file_text(arena, *(const char *const *)at);
    case SCN_T_CPU:
        return ((const scn_cpu *)at)->file != NULL ? file_text(arena, ((const scn_cpu *)at)->file)
                                                   : ((const scn_cpu *)at)->word;
    case SCN_T_KEY:
        return ((const raw_key *)at)->automatic ? "auto" : hex(arena, ((const raw_key *)at)->octets);
    case SCN_T_SOURCE: {
        const scn_source *source = at;
        return source->file != NULL ? file_text(arena, source->file)
                                    : quantity_text(arena, source->tone_hz, &scn_hertz_quantity);
    }
    case SCN_T_LINE:
    case SCN_T_TEXT:
    case SCN_T_PASSWORD:
        return quoted(arena, *(const char *const *)at);
    default: { /* names and addresses hold no special character, yet one of them is a YAML word */
        const char *text = *(const char *const *)at;
        return strcmp(text, "null") == 0 ? "\"null\"" : text;
    }
    }
}

/* ---- for humans
 * -------------------------------------------------------------------------------------------- */

static const char *word_list(scn_arena *arena, const scn_word *words) {
    const char *list = "";
    for (const scn_word *w = words; w->text != NULL; w++)
        list = scn_printf(arena, "%s%s%s", list,
                          w == words          ? ""
                          : w[1].text == NULL ? " or "
                                              : ", ",
                          w->text);
    return list;
}

const char *scn_type_text(scn_arena *arena, const scn_field *field) {
    switch (field->type) {
    case SCN_T_SECTION:
        return "a mapping";
    case SCN_T_LIST:
        return "a list";
    case SCN_T_BOOL:
        return "true or false";
    case SCN_T_UINT:
    case SCN_T_STATUS:
        return "a whole number";
    case SCN_T_QUANTITY:
        if (field->quantity->unit_list[0] == '\0')
            return scn_printf(arena, "%s such as %s", field->quantity->what, field->quantity->examples);
        return scn_printf(arena, "%s such as %s (units: %s)", field->quantity->what,
                          field->quantity->examples, field->quantity->unit_list);
    case SCN_T_OFFSET:
        return scn_printf(arena, "a time with or without sign, such as -2 min (units: %s)",
                          scn_time_quantity.unit_list);
    case SCN_T_DATE:
        return "date and time in UTC such as 2026-03-02T09:00:00Z";
    case SCN_T_USER:
        return "the name of a user";
    case SCN_T_NAME:
    case SCN_T_REFERENCE:
        return "a name: a letter, then letters, digits, '-', '_'";
    case SCN_T_DOMAIN:
        return "a domain name in lower case such as home.example";
    case SCN_T_URI:
        return "a public identity such as sip:alice@home.example or tel:+4930901820";
    case SCN_T_NAI:
        return "user@domain, such as alice@home.example";
    case SCN_T_FILE:
        return "a readable file, its path starting at the scenario's folder";
    case SCN_T_CPU:
        return "instant, server, phone, or a file";
    case SCN_T_PASSWORD:
        return "text, or auto";
    case SCN_T_KEY:
        return "hexadecimal digits, or auto";
    case SCN_T_ENUM:
    case SCN_T_WORD:
        return word_list(arena, field->words);
    case SCN_T_WORDS:
        return scn_printf(arena, "a list of words: %s", word_list(arena, field->words));
    case SCN_T_SOURCE:
        return "a tone such as 440 Hz, or a sound file";
    case SCN_T_COUNT_BOUND:
        return "all, none, a number, or at least, at most, above, below and a number";
    case SCN_T_NUMBER_BOUND:
        return "none, a number, or at least, at most, above, below and a number";
    case SCN_T_TIME_BOUND:
        return "at most, at least, above or below and a time, such as at most 2 s";
    case SCN_T_LINE:
        return "one line of text";
    default:
        return "text";
    }
}

const char *scn_range_text(scn_arena *arena, const scn_field *field) {
    const scn_quantity *quantity = field->type == SCN_T_SOURCE   ? &scn_hertz_quantity
                                   : field->type == SCN_T_OFFSET ? &scn_time_quantity
                                                                 : field->quantity;
    const char *low, *high;
    if (field->max == 0)
        return "";
    switch (field->type) {
    case SCN_T_QUANTITY:
    case SCN_T_OFFSET:
    case SCN_T_SOURCE:
        low = quantity_text(arena, field->min, quantity);
        high = quantity_text(arena, field->max, quantity);
        break;
    case SCN_T_UINT:
    case SCN_T_STATUS:
        if (field->min == field->max)
            return scn_printf(arena, "%lld", (long long)field->min);
        low = scn_printf(arena, "%lld", (long long)field->min);
        high = field->max == INT64_MAX ? "2^63 - 1" : scn_printf(arena, "%lld", (long long)field->max);
        break;
    case SCN_T_DATE:
        low = date_text(arena, field->min);
        high = date_text(arena, field->max);
        break;
    case SCN_T_KEY:
        return scn_printf(arena, "%lld to %lld octets", (long long)field->min, (long long)field->max);
    default:
        return scn_printf(arena, "at most %lld characters", (long long)field->max);
    }
    return scn_printf(arena, "%s to %s", low, high);
}
