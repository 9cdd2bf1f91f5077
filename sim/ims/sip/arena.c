#include "ims/sip/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 1900u /* most messages fit into two */

struct sip_arena_chunk {
    struct sip_arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static size_t rounded(size_t size) {
    const size_t unit = alignof(max_align_t);
    return (size + unit - 1) / unit * unit;
}

void *sip_arena_alloc(sip_arena *arena, size_t size) {
    if (size > IBK_BUF_MAX) {
        arena->failed = true;
        return NULL;
    }
    size = rounded(size ? size : 1);
    struct sip_arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK_SIZE ? size : rounded(CHUNK_SIZE);
        chunk = calloc(1, sizeof *chunk + room);
        if (!chunk) {
            arena->failed = true;
            return NULL;
        }
        chunk->size = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *out = chunk->data + chunk->used;
    chunk->used += size;
    return out;
}

const char *sip_arena_strn(sip_arena *arena, const char *text, size_t len) {
    char *copy = sip_arena_alloc(arena, len + 1);
    if (!copy)
        return "";
    memcpy(copy, text, len);
    return copy;
}

const char *sip_arena_str(sip_arena *arena, const char *text) {
    return text ? sip_arena_strn(arena, text, strlen(text)) : NULL;
}

const char *sip_arena_printf(sip_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *out = len < 0 ? NULL : sip_arena_alloc(arena, (size_t)len + 1);
    if (!out)
        return "";
    va_start(args, format);
    vsnprintf(out, (size_t)len + 1, format, args);
    va_end(args);
    return out;
}

const char *sip_arena_quoted(sip_arena *arena, const char *text) {
    char *out = sip_arena_alloc(arena, 2 * strlen(text) + sizeof "\"\""), *next = out;
    if (!out)
        return "";
    *next++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *next++ = '\\';
        *next++ = *text;
    }
    *next = '"';
    return out;
}

void *sip_arena_grow(sip_arena *arena, const void *items, size_t count, size_t size) {
    void *out = sip_arena_alloc(arena, (count + 1) * size);
    if (out && count)
        memcpy(out, items, count * size);
    return out;
}

void sip_arena_free(sip_arena *arena) {
    for (struct sip_arena_chunk *chunk = arena->chunks; chunk;) {
        struct sip_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *arena = (sip_arena){0};
}
