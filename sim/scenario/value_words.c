/* Sets of words: "[replay-cache, echo]", or "replay-cache, echo". Each word is a bit. */
#include "scenario/value.h"
#include <string.h>

static bool add_word(const scn_value *v, uint64_t *set, const scn_node *node, const char *text) {
    scn_node word = {.where = node->where, .text = text, .plain = true};
    const scn_value one = {v->ctx, v->field, &word, v->path};
    int64_t bit;
    if (node->kind != SCN_SCALAR)
        return scn_value_refuse(&one, "is no word");
    if (!scn_read_word(&one, &bit))
        return false;
    if (*set & (uint64_t)bit)
        return scn_value_refuse(&one, "stands there twice");
    *set |= (uint64_t)bit;
    return true;
}

static bool read_text(const scn_value *v, uint64_t *set) {
    const char *at = v->node->text;
    for (;;) {
        size_t len = strcspn(at, ",");
        const char *end = at + len;
        while (*at == ' ')
            at++, len--;
        while (len > 0 && at[len - 1] == ' ')
            len--;
        if (!add_word(v, set, v->node, scn_copy(v->ctx->arena, at, len)))
            return false;
        if (*end == '\0')
            return true;
        at = end + 1;
    }
}

bool scn_read_words(const scn_value *v, uint64_t *out) {
    *out = 0;
    if (v->node->kind == SCN_SCALAR)
        return read_text(v, out);
    for (size_t i = 0; i < v->node->count; i++) {
        const scn_node *item = &v->node->items[i];
        if (!add_word(v, out, item, item->kind == SCN_SCALAR ? item->text : scn_node_kind_name(item)))
            return false;
    }
    return true;
}

const char *scn_words_text(scn_arena *arena, const scn_field *field, uint64_t set) {
    const char *list = "";
    for (const scn_word *w = field->words; w->text != NULL; w++) {
        if (set & (uint64_t)w->value)
            list = scn_printf(arena, "%s%s%s", list, list[0] == '\0' ? "" : ", ", w->text);
    }
    return scn_printf(arena, "[%s]", list);
}
