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

static void binding_free(registrar_binding *binding) {
    sip_arena_free(&binding->arena);
    free(binding);
}

static void entry_free(registrar_entry *entry) {
    for (registrar_challenge *c = entry->challenges, *next; c; c = next) {
        next = c->next;
        ibk_wipe(c, sizeof *c);
        free(c);
    }
    registrar_unbind(entry, NULL);
    free(entry);
}

void registrar_free(registrar *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        tdelete(r->entries[i], &r->tree, by_impu);
        entry_free(r->entries[i]);
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
    return !found ? NULL : (*found)->owner ? (*found)->owner : *found;
}

registrar_entry *registrar_get(registrar *r, const char *impu) {
    registrar_entry *entry = registrar_find(r, impu);
    if (entry || strlen(impu) >= sizeof entry->impu)
        return entry;
    if (!IBK_ROOM(r->entries, r->count, r->cap))
        return NULL;
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

ibk_err registrar_imply(registrar *r, registrar_entry *entry, const char *impu) {
    registrar_entry *known = registrar_find(r, impu), **at = &entry->further;
    if (known)
        return known == entry ? IBK_OK : IBK_ERR_USAGE;
    registrar_entry *implied = registrar_get(r, impu);
    if (!implied)
        return IBK_ERR_NO_MEMORY;
    implied->owner = entry;
    while (*at)
        at = &(*at)->further;
    *at = implied;
    return IBK_OK;
}

registrar_challenge *registrar_challenge_find(registrar_entry *entry, const char *impi) {
    registrar_challenge *c = entry->challenges;
    while (c && strcmp(c->impi, impi) != 0)
        c = c->next;
    return c;
}

registrar_challenge *registrar_challenge_get(registrar_entry *entry, const char *impi) {
    registrar_challenge *c = registrar_challenge_find(entry, impi);
    if (c || strlen(impi) >= sizeof c->impi)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    strcpy(c->impi, impi);
    c->next = entry->challenges;
    entry->challenges = c;
    return c;
}

/* ---- bindings ----------------------------------------------------------------------------------------- */

static registrar_binding *find_binding(const registrar_entry *entry, const registrar_contact *contact) {
    registrar_binding *b = entry->bindings;
    while (b && !sip_uri_equal(&b->contact, contact->uri))
        b = b->next;
    if (!b)
        for (b = entry->bindings; b && strcmp(b->impi, contact->impi) != 0;)
            b = b->next;
    return b;
}

static registrar_binding *add_binding(registrar_entry *entry) {
    size_t count = 0;
    registrar_binding **at = &entry->bindings;
    for (; *at; at = &(*at)->next)
        count++;
    if (count == REGISTRAR_CONTACTS_MAX)
        return NULL;
    return *at = calloc(1, sizeof **at);
}

ibk_err registrar_bind(registrar_entry *entry, const registrar_contact *contact) {
    if (contact->path_count > REGISTRAR_PATH_MAX || strlen(contact->impi) >= REGISTRAR_TEXT_MAX ||
        strlen(contact->call_id) >= REGISTRAR_TEXT_MAX)
        return IBK_ERR_LIMIT;
    registrar_binding *b = find_binding(entry, contact);
    if (b && strcmp(b->call_id, contact->call_id) == 0 && contact->cseq <= b->cseq)
        return IBK_ERR_MISMATCH;
    if (!b)
        b = add_binding(entry);
    if (!b)
        return IBK_ERR_LIMIT;
    sip_arena_free(&b->arena);
    strcpy(b->impi, contact->impi);
    strcpy(b->call_id, contact->call_id);
    b->cseq = contact->cseq;
    b->q = contact->q;
    b->until_ns = contact->until_ns;
    sip_uri_copy(&b->arena, &b->contact, contact->uri);
    for (size_t i = 0; i < contact->path_count; i++)
        sip_name_addr_copy(&b->arena, &b->path[i], &contact->path[i]);
    b->path_count = contact->path_count;
    return b->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

void registrar_unbind(registrar_entry *entry, const sip_uri *contact) {
    for (registrar_binding **at = &entry->bindings; *at;) {
        registrar_binding *b = *at;
        if (contact && !sip_uri_equal(&b->contact, contact)) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        binding_free(b);
    }
}

size_t registrar_contacts(const registrar_entry *entry, uint64_t now_ns,
                          const registrar_binding *out[REGISTRAR_CONTACTS_MAX]) {
    size_t count = 0;
    for (const registrar_binding *b = entry ? entry->bindings : NULL; b; b = b->next) {
        if (b->until_ns <= now_ns)
            continue;
        size_t at = count++;
        for (; at > 0 && out[at - 1]->q < b->q; at--)
            out[at] = out[at - 1];
        out[at] = b;
    }
    return count;
}

bool registrar_is_bound(const registrar_entry *entry, uint64_t now_ns) {
    const registrar_binding *contacts[REGISTRAR_CONTACTS_MAX];
    return registrar_contacts(entry, now_ns, contacts) > 0;
}

size_t registrar_bound_count(const registrar *r, uint64_t now_ns) {
    const registrar_binding *contacts[REGISTRAR_CONTACTS_MAX];
    size_t bound = 0;
    for (size_t i = 0; i < r->count; i++)
        bound += registrar_contacts(r->entries[i], now_ns, contacts);
    return bound;
}
