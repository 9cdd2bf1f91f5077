/* The list of cases: see list.h. */
#define _GNU_SOURCE /* vasprintf */
#include "conformance/suite/list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct suite_list {
    suite_case *items;
    size_t count, cap;
    void **memory;
    size_t n_memory, memory_cap;
    unsigned strength;
    const char *trouble;
    char twice[256];
};

suite_list *suite_list_new(unsigned strength) {
    suite_list *list = calloc(1, sizeof *list);
    if (list)
        list->strength = strength;
    return list;
}

void suite_list_free(suite_list *list) {
    if (!list)
        return;
    for (size_t i = 0; i < list->n_memory; i++)
        free(list->memory[i]);
    free(list->memory);
    free(list->items);
    free(list);
}

/* Takes over `memory`. */
static void *hold(suite_list *list, void *memory) {
    if (!memory || !IBK_ROOM(list->memory, list->n_memory, list->memory_cap)) {
        free(memory);
        fputs("out of memory\n", stderr);
        abort(); /* while the cases are written down, before anything runs */
    }
    return list->memory[list->n_memory++] = memory;
}

void *suite_list_alloc(suite_list *list, size_t size) {
    return hold(list, calloc(1, size));
}

const char *suite_list_text(suite_list *list, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return hold(list, text);
}

void suite_add(suite_list *list, const suite_case *c) {
    if (!IBK_ROOM(list->items, list->count, list->cap)) {
        list->trouble = "out of memory";
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, c->name) == 0) {
            snprintf(list->twice, sizeof list->twice, "the case '%s' stands twice", c->name);
            list->trouble = list->twice;
        }
    suite_case copy = *c;
    copy.name = suite_list_text(list, "%s", c->name);
    copy.title = suite_list_text(list, "%s", c->title);
    copy.requirements = suite_list_text(list, "%s", c->requirements);
    copy.wants = suite_list_text(list, "%s", c->wants ? c->wants : "");
    list->items[list->count++] = copy;
}

unsigned suite_list_strength(const suite_list *list) {
    return list->strength;
}

size_t suite_list_count(const suite_list *list) {
    return list->count;
}

const suite_case *suite_list_at(const suite_list *list, size_t index) {
    return index < list->count ? &list->items[index] : NULL;
}

const char *suite_list_trouble(const suite_list *list) {
    return list->trouble;
}
