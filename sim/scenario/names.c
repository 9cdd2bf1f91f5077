#include "scenario/names.h"
#include <stdlib.h>
#include <string.h>

static int by_name(const void *left, const void *right) {
    const scn_named *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : a->index < b->index ? -1 : a->index > b->index;
}

bool scn_index_new(scn_ctx *ctx, scn_index *index, size_t count) {
    index->list = scn_alloc_array(ctx->arena, count, sizeof *index->list);
    index->count = 0;
    return index->list != NULL;
}

void scn_index_sort(scn_index *index) {
    qsort(index->list, index->count, sizeof *index->list, by_name);
}

const scn_named *scn_index_find(const scn_index *index, const char *name) {
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->list[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->count && strcmp(index->list[low].name, name) == 0 ? &index->list[low] : NULL;
}

void scn_index_unique(scn_ctx *ctx, const scn_index *index, const char *what) {
    for (size_t i = 1; i < index->count; i++) {
        const scn_named *first = &index->list[i - 1], *second = &index->list[i];
        if (strcmp(first->name, second->name) != 0)
            continue;
        scn_error *e = scn_report(ctx, second->where, "two %s are '%s'", what, scn_show(ctx, second->name));
        if (first->where->line > 0)
            scn_hint(e, "the other one is in line %u", first->where->line);
    }
}

const char *scn_index_nearest(const scn_index *index, const char *word) {
    scn_nearest nearest = {.word = word};
    for (size_t i = 0; i < index->count; i++)
        scn_nearest_try(&nearest, index->list[i].name);
    return nearest.best;
}

bool scn_has_number(const char *text) {
    return strstr(text, "{n}") != NULL;
}

const char *scn_put_number(scn_arena *arena, const char *text, size_t number) {
    const char *place = strstr(text, "{n}");
    if (place == NULL)
        return text;
    return scn_printf(arena, "%.*s%zu%s", (int)(place - text), text, number, place + 3);
}

void scn_check_number(scn_ctx *ctx, const raw_head *head, const char *key, const char *text) {
    if (text == NULL || !scn_has_number(text) || scn_written(head, "count"))
        return;
    scn_hint(scn_report(ctx, scn_where_of(head, key), "%s: '{n}' stands for a number only in a group", key),
             "add 'count: ' with the size of the group");
}
