/* ibakelab: a hash table from texts to numbers: open addressing, at most half full. */
#include "reports/name_index.h"

#include <stdlib.h>
#include <string.h>

static size_t hash(ibk_span name) { /* FNV-1a */
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.data[i]) * 1099511628211u;
    return (size_t)h;
}

/* Where the name stands, or would. */
static name_index_slot *slot_of(const name_index *index, ibk_span name) {
    for (size_t i = hash(name);; i++) {
        name_index_slot *slot = &index->slots[i & (index->room - 1)];
        if (!slot->name || (slot->len == name.len && memcmp(slot->name, name.data, name.len) == 0))
            return slot;
    }
}

size_t name_index_find(const name_index *index, ibk_span name) {
    const name_index_slot *slot = index->room && name.len ? slot_of(index, name) : NULL;
    return slot && slot->name ? slot->number : NAME_INDEX_NONE;
}

static ibk_err grow(name_index *index) {
    name_index larger = {.room = index->room ? 2 * index->room : 64, .count = index->count};
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < index->room; i++)
        if (index->slots[i].name)
            *slot_of(&larger, ibk_span_of(index->slots[i].name, index->slots[i].len)) = index->slots[i];
    free(index->slots);
    *index = larger;
    return IBK_OK;
}

ibk_err name_index_add(name_index *index, ibk_span name, size_t number) {
    if (name.len == 0)
        return IBK_OK;
    if (2 * index->count >= index->room && grow(index))
        return IBK_ERR_NO_MEMORY;
    name_index_slot *slot = slot_of(index, name);
    if (slot->name)
        return IBK_OK;
    char *copy = malloc(name.len);
    if (!copy)
        return IBK_ERR_NO_MEMORY;
    memcpy(copy, name.data, name.len);
    *slot = (name_index_slot){.name = copy, .len = name.len, .number = number};
    index->count++;
    return IBK_OK;
}

void name_index_free(name_index *index) {
    for (size_t i = 0; i < index->room; i++)
        free(index->slots[i].name);
    free(index->slots);
    *index = (name_index){0};
}
