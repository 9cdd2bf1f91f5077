#include "attack/attack.h"

#include <string.h>

typedef struct writer {
    ibk_buf *out;
    ibk_err err;
} writer;

static void text(writer *w, const char *text_) {
    if (!w->err)
        w->err = ibk_buf_append(w->out, text_, strlen(text_));
}

/* Numbers and quantities must stand without quotes; what YAML could take for something else must have them.
 */
static bool is_plain(const char *v) {
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ -%.";
    return v[0] && strchr(first, v[0]) && strspn(v, rest) == strlen(v);
}

static void value(writer *w, const char *v) {
    if (is_plain(v)) {
        text(w, v);
        return;
    }
    text(w, "\"");
    for (char c[2] = {0}; *v; v++) {
        c[0] = *v;
        if (*v == '"' || *v == '\\')
            text(w, "\\");
        text(w, c);
    }
    text(w, "\"");
}

static void keys(writer *w, const attack_key *list, size_t count) {
    text(w, "      - {");
    for (size_t i = 0; i < count; i++) {
        text(w, i ? ", " : "");
        text(w, list[i].key);
        text(w, ": ");
        value(w, list[i].value);
    }
    text(w, "}\n");
}

static void comment(writer *w, const char *lines) {
    while (lines && *lines) {
        size_t len = strcspn(lines, "\n");
        text(w, len ? "# " : "#");
        if (!w->err)
            w->err = ibk_buf_append(w->out, lines, len);
        text(w, "\n");
        lines += len + (lines[len] == '\n');
    }
}

ibk_err attack_write(ibk_buf *out, const attack *a, const attack_file *file) {
    writer w = {.out = out};
    comment(&w, file->comment);
    text(&w, "ibakelab: 1\nextends: ");
    value(&w, file->base);
    text(&w, "\ntitle: ");
    value(&w, file->title);
    text(&w, "\nadversaries:\n  - name: ");
    value(&w, file->adversary);
    text(&w, a->seat_count ? "\n    at:\n" : "\n");
    for (size_t i = 0; i < a->seat_count; i++)
        keys(&w, &a->seats[i], 1);
    text(&w, "    rules:\n");
    for (size_t i = 0; i < a->rule_count; i++)
        keys(&w, a->rules[i].keys, a->rules[i].count);
    text(&w, "expect:\n");
    text(&w, file->expect);
    return w.err;
}
