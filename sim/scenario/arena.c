#include "scenario/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)16384)

struct scn_chunk {
    struct scn_chunk *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char data[];
};

static struct scn_chunk *chunk_new(scn_arena *arena, size_t size) {
    size_t room = size > CHUNK ? size : CHUNK;
    struct scn_chunk *chunk = calloc(1, sizeof *chunk + room);
    if (chunk == NULL)
        return NULL;
    chunk->size = room;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *scn_alloc(scn_arena *arena, size_t size) {
    size_t need = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct scn_chunk *chunk = arena->chunks;
    if (need < size || size > IBK_BUF_MAX * 4) {
        arena->failed = true;
        return NULL;
    }
    if (chunk == NULL || chunk->size - chunk->used < need)
        chunk = chunk_new(arena, need);
    if (chunk == NULL) {
        arena->failed = true;
        return NULL;
    }
    void *result = chunk->data + chunk->used;
    chunk->used += need;
    return result;
}

void *scn_alloc_array(scn_arena *arena, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) {
        arena->failed = true;
        return NULL;
    }
    return scn_alloc(arena, count * size);
}

void *scn_grow(scn_arena *arena, void *items, size_t count, size_t size) {
    bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!full)
        return items;
    void *larger = scn_alloc_array(arena, count < 4 ? 4 : count * 2, size);
    if (larger != NULL && count > 0)
        memcpy(larger, items, count * size);
    return larger;
}

const char *scn_copy(scn_arena *arena, const char *text, size_t len) {
    char *copy = scn_alloc(arena, len + 1);
    if (copy == NULL)
        return "";
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

const char *scn_printf(scn_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : scn_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text == NULL ? "" : text;
}

void scn_arena_free(scn_arena *arena) {
    struct scn_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct scn_chunk *next = chunk->next;
        ibk_wipe(chunk->data, chunk->used);
        free(chunk);
        chunk = next;
    }
    *arena = (scn_arena){0};
}
