/* ibakelab: trees of fields: building and printing. */
#define _GNU_SOURCE /* vasprintf */
#include "cli/tree.h"

#include "reports/words.h"
#include "trace/trace.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void free_children(tree_node *node) {
    while (node->first) {
        tree_node *child = node->first;
        node->first = child->next;
        free_children(child);
        free(child->name);
        free(child->text);
        free(child->hex);
        ibk_buf_free(&child->inside);
        free(child);
    }
    node->last = NULL;
}

void tree_free(tree *t) {
    free_children(&t->root);
    free(t->scratch.text);
    free(t->scratch.hex);
    ibk_buf_free(&t->scratch.inside);
    *t = (tree){0};
}

tree_node *tree_add(tree *t, tree_node *parent, const char *name) {
    tree_node *node = t->nodes < TREE_MAX_NODES ? calloc(1, sizeof *node) : NULL;
    char *copy = node ? strdup(name) : NULL;
    if (!copy || t->failed) {
        free(copy);
        free(node);
        t->failed = true;
        return &t->scratch;
    }
    t->nodes++;
    node->name = copy;
    if (!parent)
        parent = &t->root;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

void tree_place(tree_node *node, size_t offset, size_t length) {
    node->has_place = true;
    node->offset = offset;
    node->length = length;
}

void tree_number(tree_node *node, uint64_t number) {
    node->has_number = true;
    node->number = number;
}

void tree_text(tree *t, tree_node *node, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
        t->failed = true;
    }
    va_end(args);
    free(node->text);
    node->text = text;
}

static char *hex_of(ibk_span octets) {
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * octets.len + 1);
    if (!hex)
        return NULL;
    for (size_t i = 0; i < octets.len; i++) {
        hex[2 * i] = digits[octets.data[i] >> 4];
        hex[2 * i + 1] = digits[octets.data[i] & 15];
    }
    hex[2 * octets.len] = 0;
    return hex;
}

static bool printable(ibk_span octets) {
    for (size_t i = 0; i < octets.len; i++)
        if (octets.data[i] < 0x20 || octets.data[i] > 0x7E)
            return false;
    return octets.len > 0;
}

void tree_octets(tree *t, tree_node *node, ibk_span octets, bool as_text) {
    free(node->hex);
    node->hex = hex_of(octets);
    if (!node->hex)
        t->failed = true;
    else if (as_text && printable(octets))
        tree_text(t, node, "%.*s", (int)octets.len, (const char *)octets.data);
    else
        tree_text(t, node, "%s", node->hex);
}

void tree_inside(tree *t, tree_node *node, ibk_span octets) {
    ibk_buf_free(&node->inside);
    if (ibk_buf_append_span(&node->inside, octets))
        t->failed = true;
}

bool tree_hides(const tree_node *node) {
    for (const tree_node *child = node->first; child; child = child->next)
        if (child->hidden || (!child->inside.len && tree_hides(child)))
            return true;
    return false;
}

/* ---- text ----------------------------------------------------------------------------------------- */

/* The value, folded under its own beginning. Cuts at `width` octets, never inside a UTF-8 character. */
static void put_folded(FILE *file, const char *text, unsigned column, unsigned width) {
    size_t len = strlen(text), room = width > column + 20 ? width - column : 20;
    while (len > room) {
        size_t part = room;
        while (part > 1 && ((unsigned char)text[part] & 0xC0) == 0x80)
            part--;
        words_show(file, text, part, "");
        fprintf(file, "\n%*s", (int)column, "");
        text += part;
        len -= part;
    }
    words_show(file, text, len, "");
}

static void print_node(FILE *file, const tree_node *node, unsigned indent, unsigned width) {
    int column = 0;
    if (node->has_place)
        column = fprintf(file, "%6zu %5zu  ", node->offset, node->length);
    else
        column = fprintf(file, "%14s", "");
    int names = fprintf(file, "%*s%s", (int)indent, "", node->name);
    if (node->text) {
        int pad = 40 - (column + names);
        if (pad < 2)
            pad = 2;
        fprintf(file, "%*s", pad, "");
        put_folded(file, node->text, (unsigned)(column + names + pad), width);
    }
    fputc('\n', file);
    for (const tree_node *child = node->first; child; child = child->next)
        print_node(file, child, indent + 2, width);
}

void tree_print(FILE *file, const tree *t, unsigned indent, unsigned width) {
    for (const tree_node *child = t->root.first; child; child = child->next)
        print_node(file, child, indent, width);
}

/* ---- JSON ------------------------------------------------------------------------------------------- */

typedef struct json_out {
    ibk_buf *buf;
    ibk_err err; /* sticky */
    uint64_t most;
} json_out;

static void put(json_out *out, const char *text) {
    if (!out->err)
        out->err = ibk_buf_append(out->buf, text, strlen(text));
}

static void put_string(json_out *out, const char *member, const char *text) {
    put(out, member);
    if (!out->err)
        out->err = trace_json_string(out->buf, ibk_span_str(text));
}

static void put_hex(json_out *out, const char *member, ibk_span octets) {
    char *hex = hex_of(octets);
    if (hex)
        put_string(out, member, hex);
    else
        out->err = IBK_ERR_NO_MEMORY;
    free(hex);
}

static void put_number(json_out *out, const char *name, uint64_t number) {
    char text[64];
    snprintf(text, sizeof text, ",\"%s\":%" PRIu64, name, number);
    put(out, text);
}

static void put_nodes(json_out *out, const tree_node *parent) {
    put(out, "[");
    for (const tree_node *node = parent->first; node; node = node->next) {
        put_string(out, node == parent->first ? "{\"name\":" : ",{\"name\":", node->name);
        if (node->has_place) {
            put_number(out, "offset", node->offset);
            put_number(out, "length", node->length);
        }
        if (node->has_number && !node->hidden && node->number <= out->most)
            put_number(out, "number", node->number);
        if (node->text)
            put_string(out, ",\"text\":", node->text);
        if (node->hex && !node->hidden && !(node->text && strcmp(node->text, node->hex) == 0))
            put_string(out, ",\"hex\":", node->hex);
        else if (node->inside.len && !tree_hides(node))
            put_hex(out, ",\"hex\":", ibk_buf_span(&node->inside));
        if (node->first) {
            put(out, ",\"fields\":");
            put_nodes(out, node);
        }
        put(out, "}");
    }
    put(out, "]");
}

ibk_err tree_json(ibk_buf *out, const tree *t, uint64_t most) {
    json_out to = {.buf = out, .most = most, .err = t->failed ? IBK_ERR_NO_MEMORY : IBK_OK};
    put_nodes(&to, &t->root);
    return to.err;
}
