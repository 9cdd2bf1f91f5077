/* ibakelab: DER as a tree. */
#include "cli/der.h"

#include <string.h>

enum { TAG_INTEGER = 0x02, TAG_OCTETS = 0x04, TAG_OID = 0x06, TAG_SEQUENCE = 0x30 };
#define MAX_DEPTH    8
#define MAX_ELEMENTS 1000

typedef struct element {
    uint8_t tag;
    size_t offset, header; /* of the tag; tag and length octets */
    ibk_span value;
} element;

/* The element at `at`; lengths definite and minimal. */
static ibk_err next_element(element *out, ibk_span der, size_t at, ibk_diag *diag) {
    if (der.len - at < 2)
        return ibk_fail(diag, IBK_ERR_TRUNCATED, "DER", at, "tag and length are missing");
    uint8_t tag = der.data[at], first = der.data[at + 1];
    size_t len = first, header = 2;
    if ((tag & 0x1F) == 0x1F)
        return ibk_fail(diag, IBK_ERR_DER, "DER", at, "a tag of several octets");
    if (first >= 0x80) {
        size_t count = first & 0x7F;
        if (count == 0 || count > 4 || der.len - at - 2 < count)
            return ibk_fail(diag, IBK_ERR_DER, "DER", at + 1, "length of an impossible form");
        len = 0;
        for (size_t i = 0; i < count; i++)
            len = len << 8 | der.data[at + 2 + i];
        header += count;
        if (len < 0x80 || (count > 1 && der.data[at + 2] == 0))
            return ibk_fail(diag, IBK_ERR_DER, "DER", at + 1, "length not in its shortest form");
    }
    if (len > der.len - at - header)
        return ibk_fail(diag, IBK_ERR_TRUNCATED, "DER", at + 1, "length %zu passes the end", len);
    *out = (element){tag, at, header, ibk_span_of(der.data + at + header, len)};
    return IBK_OK;
}

static const struct {
    const char *oid, *name;
} oid_names[] = {
    {"2.16.840.1.114334.1.1.1.1", "type-1 curve"},
    {"2.16.840.1.114334.1.1.2.1", "Boneh-Franklin"},
    {"1.3.14.3.2.26", "SHA-1"},
    {"2.16.840.1.101.3.4.2.4", "SHA-224"},
    {"2.16.840.1.101.3.4.2.1", "SHA-256"},
    {"2.16.840.1.101.3.4.2.2", "SHA-384"},
    {"2.16.840.1.101.3.4.2.3", "SHA-512"},
};

static void oid_text(tree *t, tree_node *node, ibk_span value) {
    char text[200] = "";
    size_t used = 0;
    uint64_t arc = 0;
    bool first = true;
    for (size_t i = 0; i < value.len && used < 160; i++) {
        arc = arc << 7 | (value.data[i] & 0x7F);
        if (value.data[i] & 0x80)
            continue;
        if (first)
            used += (size_t)snprintf(text + used, sizeof text - used, "%u.%llu",
                                     arc < 80 ? (unsigned)arc / 40 : 2,
                                     (unsigned long long)(arc < 80 ? arc % 40 : arc - 80));
        else
            used += (size_t)snprintf(text + used, sizeof text - used, ".%llu", (unsigned long long)arc);
        first = false;
        arc = 0;
    }
    for (size_t i = 0; i < sizeof oid_names / sizeof oid_names[0]; i++)
        if (strcmp(text, oid_names[i].oid) == 0) {
            tree_text(t, node, "%s (%s)", text, oid_names[i].name);
            return;
        }
    tree_text(t, node, "%s", text);
}

static size_t bit_length(ibk_span value) {
    size_t skip = 0;
    while (skip < value.len && value.data[skip] == 0)
        skip++;
    size_t bits = 8 * (value.len - skip);
    for (uint8_t top = skip < value.len ? value.data[skip] : 0xFF; top && !(top & 0x80);
         top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

static void describe(tree *t, tree_node *node, const element *e, bool hide) {
    if (e->tag & 0x20) /* constructed: its parts follow */
        return;
    if (e->tag == TAG_OID) {
        oid_text(t, node, e->value);
    } else if (hide && e->value.len > 1) {
        tree_text(t, node, "(secret)");
        node->hidden = true;
    } else if (e->tag == TAG_INTEGER && e->value.len <= 4 && e->value.len && !(e->value.data[0] & 0x80)) {
        uint64_t number = 0;
        for (size_t i = 0; i < e->value.len; i++)
            number = number << 8 | e->value.data[i];
        tree_number(node, number);
        tree_text(t, node, "%llu", (unsigned long long)number);
    } else {
        tree_octets(t, node, e->value, false);
    }
}

static const char *tag_name(const element *e, char buffer[48]) {
    switch (e->tag) {
    case TAG_INTEGER:
        snprintf(buffer, 48, "INTEGER, %zu bits", bit_length(e->value));
        return buffer;
    case TAG_OCTETS:
        return "OCTET STRING";
    case TAG_OID:
        return "OBJECT IDENTIFIER";
    case TAG_SEQUENCE:
        return "SEQUENCE";
    default:
        snprintf(buffer, 48, "tag 0x%02x", e->tag);
        return buffer;
    }
}

typedef struct walk {
    tree *t;
    size_t base, elements;
    bool hide;
    ibk_span der;
    ibk_diag *diag;
} walk;

static ibk_err walk_range(walk *w, tree_node *parent, size_t at, size_t end, unsigned depth) {
    while (at < end) {
        element e;
        char name[48];
        ibk_err err = next_element(&e, ibk_span_of(w->der.data, end), at, w->diag);
        if (err)
            return err;
        if (depth == MAX_DEPTH || ++w->elements > MAX_ELEMENTS)
            return ibk_fail(w->diag, IBK_ERR_LIMIT, "DER", at, "too deep or too many elements");
        tree_node *node = tree_add(w->t, parent, tag_name(&e, name));
        tree_place(node, w->base + at, e.header + e.value.len);
        describe(w->t, node, &e, w->hide);
        size_t next = at + e.header + e.value.len;
        if (e.tag & 0x20 && (err = walk_range(w, node, at + e.header, next, depth + 1)))
            return err;
        at = next;
    }
    return IBK_OK;
}

ibk_err der_tree(tree *t, tree_node *parent, ibk_span der, size_t base, bool hide_values, ibk_diag *diag) {
    walk w = {.t = t, .base = base, .hide = hide_values, .der = der, .diag = diag};
    return walk_range(&w, parent, 0, der.len, 0);
}

der_kind der_guess(ibk_span der) {
    static const struct {
        der_kind kind;
        const char *tags;
    } shapes[] = {{DER_PARAMS, "\x02\x06\x02\x02\x30\x30\x06"},
                  {DER_MASTER, "\x02\x02"},
                  {DER_KEY, "\x02\x30"},
                  {DER_CIPHERTEXT, "\x02\x30\x04\x04"}};
    element outer = {0}, inner = {0};
    char tags[16] = "";
    if (next_element(&outer, der, 0, NULL) || outer.tag != TAG_SEQUENCE ||
        outer.header + outer.value.len != der.len)
        return DER_OTHER;
    for (size_t at = 0, n = 0; at < outer.value.len; at += inner.header + inner.value.len) {
        if (n == sizeof tags - 1 || next_element(&inner, outer.value, at, NULL))
            return DER_OTHER;
        tags[n++] = (char)inner.tag;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(tags, shapes[i].tags) == 0)
            return shapes[i].kind;
    return DER_OTHER;
}

const char *der_kind_name(der_kind kind) {
    static const char *const names[] = {"DER", "BFPublicParameters", "BFMasterSecret", "BFPrivateKeyBlock",
                                        "BFCiphertextBlock"};
    return names[kind];
}
