/* The baseline: see baseline.h. */
#include "conformance/suite/baseline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* ---- reading ---- */

typedef struct reading {
    yaml_document_t *document;
    const char *path;
    char *error;
    size_t size;
    bool good;
} reading;

static void complain(reading *r, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void complain(reading *r, const yaml_node_t *node, const char *format, ...) {
    char what[200];
    if (!r->good)
        return;
    r->good = false;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(r->error, r->size, "%s:%zu: %s", r->path, node ? node->start_mark.line + 1 : 1, what);
}

static const char *scalar(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

static bool is_date(const char *text) {
    static const char form[] = "dddd-dd-dd";
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static void read_entry(reading *r, const yaml_node_t *map, suite_known *out) {
    static const char *const keys[] = {"case", "verdict", "owner", "reason", "expires"};
    char *const values[] = {out->name, out->verdict, out->owner, out->reason, out->expires};
    const size_t sizes[] = {sizeof out->name, sizeof out->verdict, sizeof out->owner, sizeof out->reason,
                            sizeof out->expires};
    if (!map || map->type != YAML_MAPPING_NODE) {
        complain(r, map, "an entry with case, verdict, owner, reason and expires is wanted");
        return;
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, p->key);
        const char *value = scalar(yaml_document_get_node(r->document, p->value));
        size_t i = 0;
        while (i < 5 && strcmp(keys[i], scalar(key)) != 0)
            i++;
        if (i == 5)
            complain(r, key, "unknown key '%s'", scalar(key));
        else if (*values[i])
            complain(r, key, "'%s' stands twice", keys[i]);
        else if (snprintf(values[i], sizes[i], "%s", value) >= (int)sizes[i])
            complain(r, key, "'%s' is too long", keys[i]);
    }
    for (size_t i = 0; i < 5; i++)
        if (!*values[i])
            complain(r, map, "'%s' is missing or empty", keys[i]);
    if (*out->expires && !is_date(out->expires))
        complain(r, map, "'expires' has to be a date, as in 2027-01-31");
}

static void read_known(reading *r, suite_baseline *out) {
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (!root)
        return;
    const yaml_node_pair_t *pair = root->type == YAML_MAPPING_NODE ? root->data.mapping.pairs.start : NULL;
    if (!pair || root->data.mapping.pairs.top != pair + 1 ||
        strcmp(scalar(yaml_document_get_node(r->document, pair->key)), "known") != 0) {
        complain(r, root, "'known:' and a list are wanted, and nothing else");
        return;
    }
    const yaml_node_t *list = yaml_document_get_node(r->document, pair->value);
    if (list->type != YAML_SEQUENCE_NODE) {
        if (list->type != YAML_SCALAR_NODE || *scalar(list))
            complain(r, list, "a list is wanted");
        return;
    }
    size_t n = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    out->items = calloc(n ? n : 1, sizeof *out->items);
    for (; out->items && out->count < n && r->good; out->count++) {
        int index = list->data.sequence.items.start[out->count];
        read_entry(r, yaml_document_get_node(r->document, index), &out->items[out->count]);
        for (size_t i = 0; i < out->count; i++)
            if (strcmp(out->items[i].name, out->items[out->count].name) == 0)
                complain(r, yaml_document_get_node(r->document, index), "the case stands twice");
    }
}

bool suite_baseline_load(suite_baseline *out, const char *path, char *error, size_t size) {
    *out = (suite_baseline){0};
    reading r = {.path = path, .error = error, .size = size, .good = true};
    FILE *file = fopen(path, "rb");
    yaml_parser_t parser;
    yaml_document_t document;
    if (!file || !yaml_parser_initialize(&parser)) {
        snprintf(error, size, "%s: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return false;
    }
    yaml_parser_set_input_file(&parser, file);
    if (yaml_parser_load(&parser, &document)) {
        r.document = &document;
        read_known(&r, out);
        yaml_document_delete(&document);
    } else {
        r.good = false;
        snprintf(error, size, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                 parser.problem ? parser.problem : "no YAML");
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return r.good;
}

void suite_baseline_free(suite_baseline *baseline) {
    free(baseline->items);
    *baseline = (suite_baseline){0};
}

/* ---- judging ---- */

bool suite_failed(suite_verdict verdict) {
    return verdict != SUITE_PASS && verdict != SUITE_SKIPPED;
}

static suite_known *find(const suite_baseline *b, const char *name) {
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->items[i].name, name) == 0)
            return &b->items[i];
    return NULL;
}

/* What is wrong with an entry, seen from the result of its case; NULL: nothing. */
static const char *trouble(const suite_known *known, const suite_result *result, const char *today) {
    suite_verdict verdict = result->outcome.verdict;
    if (strcmp(known->expires, today) < 0)
        return "has expired";
    if (verdict == SUITE_PASS)
        return "is of no use any more: the case passes";
    if (verdict == SUITE_SKIPPED)
        return "is of no use: the case is skipped";
    return strcmp(known->verdict, suite_verdict_name(verdict)) != 0 ? "is for another verdict" : NULL;
}

static bool exists(const suite_list *all, const char *name) {
    for (size_t i = 0; i < suite_list_count(all); i++)
        if (strcmp(suite_list_at(all, i)->name, name) == 0)
            return true;
    return false;
}

size_t suite_baseline_judge(suite_baseline *b, const suite_list *all, suite_result *results, size_t n,
                            const char *today, void (*tell)(void *user, const char *text), void *user) {
    size_t complaints = 0;
    char text[600];
    for (size_t i = 0; i < n; i++) {
        suite_known *known = find(b, results[i].c->name);
        if (!known)
            continue;
        known->used = true;
        const char *what = trouble(known, &results[i], today);
        results[i].expected = !what;
        if (!what)
            continue;
        snprintf(text, sizeof text, "the entry of the baseline for %s (owner %s, expires %s) %s", known->name,
                 known->owner, known->expires, what);
        tell(user, text);
        complaints++;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].used || exists(all, b->items[i].name))
            continue; /* of a case that was not chosen nothing is known */
        snprintf(text, sizeof text, "the entry of the baseline for %s is of no use: there is no such case",
                 b->items[i].name);
        tell(user, text);
        complaints++;
    }
    return complaints;
}

/* ---- writing ---- */

/* A YAML scalar in double quotes. */
static void put(FILE *out, const char *key, const char *text) {
    fprintf(out, "    %s: \"", key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
    fputs("\"\n", out);
}

static void put_entry(FILE *out, const suite_known *k) {
    fprintf(out, "  - case: %s\n    verdict: %s\n", k->name, k->verdict);
    put(out, "owner", k->owner);
    put(out, "reason", k->reason);
    fprintf(out, "    expires: %s\n", k->expires);
}

static void shorten(char *out, size_t size, const char *text) {
    if (snprintf(out, size, "%s", text) < (int)size)
        return;
    size_t end = size - 1;
    while (end > 0 && ((unsigned char)out[end] & 0xC0) == 0x80) /* never in the middle of a character */
        end--;
    out[end < size - 1 ? end : size - 1] = '\0';
}

bool suite_baseline_write(const suite_baseline *before, const suite_result *results, size_t n,
                          const char *path, const char *owner, const char *expires) {
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    fputs("# Known failures: docs/conformance.md. An entry that has expired or is of no use fails the "
          "run.\nknown:\n",
          out);
    for (size_t i = 0; i < before->count; i++) { /* of cases that were not played */
        bool played = false;
        for (size_t r = 0; r < n; r++)
            played |= strcmp(results[r].c->name, before->items[i].name) == 0;
        if (!played)
            put_entry(out, &before->items[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const suite_outcome *o = &results[i].outcome;
        if (!suite_failed(o->verdict))
            continue;
        const suite_known *known = find(before, results[i].c->name);
        suite_known entry = {0};
        snprintf(entry.name, sizeof entry.name, "%s", results[i].c->name);
        snprintf(entry.verdict, sizeof entry.verdict, "%s", suite_verdict_name(o->verdict));
        snprintf(entry.owner, sizeof entry.owner, "%s", known ? known->owner : owner);
        shorten(entry.reason, sizeof entry.reason,
                known                     ? known->reason
                : o->reason && *o->reason ? o->reason
                                          : "not known");
        snprintf(entry.expires, sizeof entry.expires, "%s", known ? known->expires : expires);
        put_entry(out, &entry);
    }
    bool written = !ferror(out);
    return fclose(out) == 0 && written;
}
