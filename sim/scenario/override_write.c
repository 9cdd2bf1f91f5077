/* A node as the text of a --set: what override.c reads as that node again. */
#include "scenario/tree.h"
#include <string.h>

typedef struct writer {
    ibk_buf text;
    size_t max;
    bool ends; /* too long, or out of memory: nothing more is written */
    ibk_err err;
} writer;

static void put(writer *w, const char *text, size_t len) {
    w->ends |= w->text.len + len > w->max;
    if (!w->ends && (w->err = ibk_buf_append(&w->text, text, len)) != IBK_OK)
        w->ends = true;
}

static void put_text(writer *w, const char *text) {
    put(w, text, strlen(text));
}

/* ---- quotes ----------------------------------------------------------------------------------------------
 */

static unsigned sequence_length(unsigned char first) { /* of UTF-8, which libyaml has checked */
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static uint32_t code_point(const unsigned char *c) {
    unsigned len = sequence_length(*c);
    uint32_t value = len == 1 ? *c : *c & (0x7Fu >> len);
    for (unsigned i = 1; i < len && c[i] != '\0'; i++)
        value = value << 6 | (c[i] & 0x3F);
    return value;
}

/* YAML folds it as a break of lines, or lets it stand nowhere but in an escape. */
static bool needs_escape(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE ||
           c == 0xFFFF;
}

static bool any_needs_escape(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c += sequence_length(*c))
        if (needs_escape(code_point(c)))
            return true;
    return false;
}

static void put_escaped(writer *w, const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    put(w, "\"", 1);
    for (unsigned len; *c != '\0'; c += len) {
        char escape[12];
        len = sequence_length(*c);
        if (needs_escape(code_point(c)))
            snprintf(escape, sizeof escape, "\\U%08X", code_point(c));
        else
            snprintf(escape, sizeof escape, "%s%.*s", *c == '"' || *c == '\\' ? "\\" : "", (int)len, c);
        put_text(w, escape);
    }
    put(w, "\"", 1);
}

static void put_quoted(writer *w, const char *text) {
    if (any_needs_escape(text)) {
        put_escaped(w, text);
        return;
    }
    put(w, "'", 1);
    for (const char *at = text; *at != '\0'; at++)
        *at == '\'' ? put(w, "''", 2) : put(w, at, 1);
    put(w, "'", 1);
}

/* ---- nodes -----------------------------------------------------------------------------------------------
 */

#define SIMPLE_KEY 100 /* libyaml takes none of more than 1024 octets without a '?' before it */

static bool is_simple_key(const char *text) {
    return text[0] != '\0' && text[0] != '-' && strlen(text) <= SIMPLE_KEY &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

static void put_key(writer *w, const char *key) {
    if (is_simple_key(key)) {
        put_text(w, key);
    } else {
        put_text(w, "? ");
        put_quoted(w, key);
    }
    put_text(w, ": ");
}

/* In brackets commas, brackets and some colons end a text without quotes. */
static bool is_bare(const scn_node *node) {
    return node->plain && strpbrk(node->text, ",[]{}:?") == NULL && !any_needs_escape(node->text);
}

static void put_inner(writer *w, const scn_node *node) {
    bool mapping = node->kind == SCN_MAPPING;
    if (node->kind == SCN_SCALAR) {
        if (scn_node_is_null(node))
            put_text(w, "~");
        else
            is_bare(node) ? put_text(w, node->text) : put_quoted(w, node->text);
        return;
    }
    put_text(w, mapping ? "{" : "[");
    for (size_t i = 0; i < node->count && !w->ends; i++) {
        put_text(w, i > 0 ? ", " : "");
        if (mapping)
            put_key(w, node->keys[i].text);
        put_inner(w, &node->items[i]);
    }
    put_text(w, mapping ? "}" : "]");
}

/* What stands alone is taken as it is, but for what looks like YAML, like nothing, or cannot be written. */
static bool stands_alone(const scn_node *node) {
    scn_node bare = {.text = node->text, .plain = true};
    return (node->plain || !scn_node_is_null(&bare)) && !any_needs_escape(node->text) &&
           (node->text[0] == '\0' || strchr("[{\"'", node->text[0]) == NULL);
}

const char *scn_override_value(scn_ctx *ctx, const scn_node *node, size_t max) {
    writer w = {.max = max};
    const char *made = NULL;
    if (node->kind == SCN_SCALAR && stands_alone(node))
        put_text(&w, node->text);
    else
        put_inner(&w, node);
    ctx->arena->failed |= w.err != IBK_OK;
    if (!w.ends)
        made = scn_copy(ctx->arena, w.text.len > 0 ? (const char *)w.text.data : "", w.text.len);
    ibk_buf_free(&w.text);
    return made;
}
