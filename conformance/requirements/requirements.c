/* Loading requirements: see requirements.h. */
#include "conformance/requirements/requirements.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct cr_set {
    cr_requirement *items;
    size_t count, cap;
    void **memory; /* what the items refer to */
    size_t n_memory, memory_cap;
};

/* One file while it is read; the first complaint is kept. */
typedef struct reading {
    cr_set *set;
    yaml_document_t *document;
    const char *file;
    char *error;
    size_t size;
    bool failed;
} reading;

static const char *const level_names[] = {"MUST", "SHOULD", "MAY", "profile"};
static const char *const role_names[] = {"initiator", "responder", "kms", "user", "mailbox", "sdp"};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void complain(reading *r, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void complain(reading *r, const yaml_node_t *node, const char *format, ...) {
    if (r->failed)
        return;
    r->failed = true;
    int at = snprintf(r->error, r->size, "%s:%zu: ", r->file, node ? node->start_mark.line + 1 : 0);
    if (at < 0 || (size_t)at >= r->size)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(r->error + at, r->size - (size_t)at, format, args);
    va_end(args);
}

/* ---- memory -----------------------------------------------------------------------------------------------
 */

/* Memory that lives as long as the set; NULL with a complaint. */
static void *allocate(reading *r, size_t n, size_t size) {
    cr_set *set = r->set;
    if (set->n_memory == set->memory_cap) {
        size_t cap = set->memory_cap ? 2 * set->memory_cap : 256;
        void **memory = realloc(set->memory, cap * sizeof *memory);
        if (!memory) {
            complain(r, NULL, "out of memory");
            return NULL;
        }
        set->memory = memory;
        set->memory_cap = cap;
    }
    void *new = calloc(n ? n : 1, size);
    if (new)
        set->memory[set->n_memory++] = new;
    else
        complain(r, NULL, "out of memory");
    return new;
}

static const char *copy(reading *r, const char *text) {
    size_t size = strlen(text) + 1;
    char *out = allocate(r, size, 1);
    if (!out)
        return "";
    memcpy(out, text, size);
    return out;
}

static cr_requirement *add(reading *r) {
    cr_set *set = r->set;
    if (set->count == set->cap) {
        size_t cap = set->cap ? 2 * set->cap : 128;
        cr_requirement *items = realloc(set->items, cap * sizeof *items);
        if (!items) {
            complain(r, NULL, "out of memory");
            return NULL;
        }
        set->items = items;
        set->cap = cap;
    }
    set->items[set->count] = (cr_requirement){.file = r->file};
    return &set->items[set->count++];
}

/* ---- values
 * ------------------------------------------------------------------------------------------------- */

static const char *scalar(reading *r, const yaml_node_t *node) {
    if (!node || node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0) {
        complain(r, node, "a text is wanted");
        return "";
    }
    return (const char *)node->data.scalar.value;
}

/* The value of `key` in a mapping, or NULL. */
static const yaml_node_t *member(reading *r, const yaml_node_t *map, const char *key) {
    const yaml_node_t *found = NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *name = yaml_document_get_node(r->document, p->key);
        if (strcmp(scalar(r, name), key) != 0)
            continue;
        if (found)
            complain(r, name, "'%s' stands twice", key);
        found = yaml_document_get_node(r->document, p->value);
    }
    return found;
}

static const char *text_member(reading *r, const yaml_node_t *map, const char *key) {
    const yaml_node_t *value = member(r, map, key);
    if (!value) {
        complain(r, map, "'%s' is missing", key);
        return "";
    }
    return copy(r, scalar(r, value));
}

static void only_known(reading *r, const yaml_node_t *map, const char *const *keys, size_t n) {
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *name = yaml_document_get_node(r->document, p->key);
        const char *key = scalar(r, name);
        size_t i = 0;
        while (i < n && strcmp(keys[i], key) != 0)
            i++;
        if (i == n)
            complain(r, name, "unknown key '%s'", key);
    }
}

/* Number of a word in a table; complains, and 0, if it is none of them. */
static unsigned word(reading *r, const yaml_node_t *node, const char *const *words, size_t n,
                     const char *what) {
    const char *text = scalar(r, node);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    complain(r, node, "'%s' is no %s", text, what);
    return 0;
}

/* A list that is not empty; NULL with a complaint. */
static const yaml_node_t *list(reading *r, const yaml_node_t *map, const char *key) {
    const yaml_node_t *value = member(r, map, key);
    if (value && value->type == YAML_SEQUENCE_NODE &&
        value->data.sequence.items.top > value->data.sequence.items.start)
        return value;
    complain(r, value ? value : map, "'%s' has to be a list that is not empty", key);
    return NULL;
}

/* ---- one requirement
 * ------------------------------------------------------------------------------------------ */

static void read_roles(reading *r, const yaml_node_t *map, cr_requirement *q) {
    const yaml_node_t *roles = list(r, map, "role");
    if (!roles)
        return;
    for (yaml_node_item_t *i = roles->data.sequence.items.start; i < roles->data.sequence.items.top; i++) {
        const yaml_node_t *node = yaml_document_get_node(r->document, *i);
        unsigned bit = 1U << word(r, node, role_names, COUNT(role_names), "role");
        if (q->roles & bit)
            complain(r, node, "a role stands twice");
        q->roles |= bit;
    }
}

static void read_tests(reading *r, const yaml_node_t *map, cr_requirement *q) {
    const yaml_node_t *because = member(r, map, "not-testable");
    if (because && member(r, map, "tested-by"))
        complain(r, map, "%s has both tested-by and not-testable", q->id);
    if (because) {
        q->not_testable = copy(r, scalar(r, because));
        if (strncmp(q->not_testable, "because ", 8) != 0)
            complain(r, because, "not-testable has to say 'because …'");
        return;
    }
    const yaml_node_t *tests = list(r, map, "tested-by");
    if (!tests)
        return;
    size_t n = (size_t)(tests->data.sequence.items.top - tests->data.sequence.items.start);
    const char **globs = allocate(r, n, sizeof *globs);
    for (; globs && q->n_tested_by < n; q->n_tested_by++)
        globs[q->n_tested_by] = copy(
            r,
            scalar(r, yaml_document_get_node(r->document, tests->data.sequence.items.start[q->n_tested_by])));
    q->tested_by = globs;
}

static void read_requirement(reading *r, const yaml_node_t *map, const char *document) {
    static const char *const keys[] = {"id", "section", "level", "role", "text", "tested-by", "not-testable"};
    if (!map || map->type != YAML_MAPPING_NODE) {
        complain(r, map, "a requirement is wanted");
        return;
    }
    only_known(r, map, keys, COUNT(keys));
    cr_requirement *q = add(r);
    if (!q)
        return;
    q->document = document;
    q->line = map->start_mark.line + 1;
    q->id = text_member(r, map, "id");
    q->section = text_member(r, map, "section");
    q->text = text_member(r, map, "text");
    const yaml_node_t *level = member(r, map, "level");
    q->level = (cr_level)word(r, level, level_names, COUNT(level_names), "level");
    read_roles(r, map, q);
    read_tests(r, map, q);
    for (const cr_requirement *other = r->set->items; other < q; other++)
        if (strcmp(other->id, q->id) == 0)
            complain(r, map, "%s stands in %s:%zu already", q->id, other->file, other->line);
}

/* ---- files
 * -------------------------------------------------------------------------------------------------- */

static void read_document(reading *r) {
    static const char *const keys[] = {"document", "requirements"};
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (!root || root->type != YAML_MAPPING_NODE) {
        complain(r, root, "a mapping with 'document' and 'requirements' is wanted");
        return;
    }
    only_known(r, root, keys, COUNT(keys));
    const char *name = text_member(r, root, "document");
    const yaml_node_t *all = list(r, root, "requirements");
    if (!all)
        return;
    for (yaml_node_item_t *i = all->data.sequence.items.start; !r->failed && i < all->data.sequence.items.top;
         i++)
        read_requirement(r, yaml_document_get_node(r->document, *i), name);
}

static void read_file(reading *r, const char *path) {
    FILE *file = fopen(path, "rb");
    yaml_parser_t parser;
    if (!file || !yaml_parser_initialize(&parser)) {
        complain(r, NULL, "cannot be read");
        if (file)
            fclose(file);
        return;
    }
    yaml_parser_set_input_file(&parser, file);
    yaml_document_t document;
    if (yaml_parser_load(&parser, &document)) {
        r->document = &document;
        read_document(r);
        yaml_document_delete(&document);
    } else {
        complain(r, NULL, "line %zu: %s", parser.problem_mark.line + 1,
                 parser.problem ? parser.problem : "no YAML");
    }
    yaml_parser_delete(&parser);
    fclose(file);
}

static int is_yaml(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

cr_set *cr_load(const char *directory, char *error, size_t size) {
    cr_set *set = calloc(1, sizeof *set);
    struct dirent **files = NULL;
    int n = set ? scandir(directory, &files, is_yaml, alphasort) : -1;
    reading r = {.set = set, .file = directory, .error = error, .size = size};
    if (n <= 0)
        complain(&r, NULL, "no requirements can be read here");
    for (int i = 0; i < n; i++) {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", directory, files[i]->d_name);
        if (!r.failed) {
            r.file = copy(&r, files[i]->d_name);
            if (len > 0 && (size_t)len < sizeof path)
                read_file(&r, path);
        }
        free(files[i]);
    }
    free(files);
    if (!r.failed)
        return set;
    cr_free(set);
    return NULL;
}

void cr_free(cr_set *set) {
    if (!set)
        return;
    for (size_t i = 0; i < set->n_memory; i++)
        free(set->memory[i]);
    free(set->memory);
    free(set->items);
    free(set);
}

size_t cr_count(const cr_set *set) {
    return set->count;
}

const cr_requirement *cr_at(const cr_set *set, size_t index) {
    return index < set->count ? &set->items[index] : NULL;
}

const cr_requirement *cr_find(const cr_set *set, const char *id) {
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].id, id) == 0)
            return &set->items[i];
    return NULL;
}

const char *cr_level_name(cr_level level) {
    return (size_t)level < COUNT(level_names) ? level_names[level] : "unknown";
}

const char *cr_role_name(unsigned role) {
    for (size_t i = 0; i < COUNT(role_names); i++)
        if (role == 1U << i)
            return role_names[i];
    return NULL;
}
