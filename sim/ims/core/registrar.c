#include "ims/core/registrar.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A tree by identity; entries keep their address. */
struct registrar {
    void *tree;
    registrar_entry **entries;
    size_t count, cap;
};

static int by_impu(const void *a, const void *b) {
    return strcmp(((const registrar_entry *)a)->impu, ((const registrar_entry *)b)->impu);
}

registrar *registrar_new(void) {
    return calloc(1, sizeof(registrar));
}

void registrar_free(registrar *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        registrar_entry *entry = r->entries[i];
        tdelete(entry, &r->tree, by_impu);
        sip_arena_free(&entry->arena);
        ibk_wipe(entry, sizeof *entry);
        free(entry);
    }
    free(r->entries);
    free(r);
}

registrar_entry *registrar_find(registrar *r, const char *impu) {
    registrar_entry key;
    if (strlen(impu) >= sizeof key.impu)
        return NULL;
    strcpy(key.impu, impu);
    registrar_entry **found = tfind(&key, &r->tree, by_impu);
    return found ? *found : NULL;
}

registrar_entry *registrar_get(registrar *r, const char *impu) {
    registrar_entry *entry = registrar_find(r, impu);
    if (entry || strlen(impu) >= sizeof entry->impu)
        return entry;
    if (r->count == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 16;
        registrar_entry **grown = realloc(r->entries, cap * sizeof *grown);
        if (!grown)
            return NULL;
        r->entries = grown;
        r->cap = cap;
    }
    entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    strcpy(entry->impu, impu);
    if (!tsearch(entry, &r->tree, by_impu)) {
        free(entry);
        return NULL;
    }
    r->entries[r->count++] = entry;
    return entry;
}

ibk_err registrar_bind(registrar_entry *entry, const sip_uri *contact, const sip_name_addr *path,
                       size_t path_count, uint64_t until_ns) {
    if (path_count > REGISTRAR_PATH_MAX)
        return IBK_ERR_LIMIT;
    registrar_unbind(entry);
    sip_uri_copy(&entry->arena, &entry->contact, contact);
    for (size_t i = 0; i < path_count; i++)
        sip_name_addr_copy(&entry->arena, &entry->path[i], &path[i]);
    entry->path_count = path_count;
    entry->bound_until_ns = until_ns;
    return IBK_OK;
}

void registrar_unbind(registrar_entry *entry) {
    sip_arena_free(&entry->arena);
    entry->contact = (sip_uri){0};
    entry->path_count = 0;
    entry->bound_until_ns = 0;
}

bool registrar_is_bound(const registrar_entry *entry, uint64_t now_ns) {
    return entry && entry->bound_until_ns > now_ns;
}

size_t registrar_bound_count(const registrar *r, uint64_t now_ns) {
    size_t bound = 0;
    for (size_t i = 0; i < r->count; i++)
        bound += registrar_is_bound(r->entries[i], now_ns);
    return bound;
}
