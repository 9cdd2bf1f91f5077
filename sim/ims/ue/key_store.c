#include "ims/ue/key_store.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    int64_t start_ns; /* of its period */
    ibk_buf identity; /* IBE identity, date included */
    ibk_ibe_key *key;
    const ibk_ibe_params *params;
} entry;

struct key_store {
    ibk_granularity granularity;
    int64_t keep_ns;
    entry *entries; /* by period, then identity */
    size_t count;
};

ibk_err key_store_new(key_store **out, ibk_granularity granularity, int64_t keep_ns) {
    *out = calloc(1, sizeof **out);
    if (!*out)
        return IBK_ERR_NO_MEMORY;
    **out = (key_store){.granularity = granularity, .keep_ns = keep_ns};
    return IBK_OK;
}

static void entry_free(entry *e) {
    ibk_ibe_key_free(e->key); /* wipes it */
    ibk_buf_free(&e->identity);
}

void key_store_free(key_store *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        entry_free(&s->entries[i]);
    free(s->entries);
    free(s);
}

static int compare(int64_t start, ibk_span identity, const entry *e) {
    ibk_span other = ibk_buf_span(&e->identity);
    if (start != e->start_ns)
        return start < e->start_ns ? -1 : 1;
    size_t len = identity.len < other.len ? identity.len : other.len;
    int order = memcmp(identity.data, other.data, len);
    return order ? order : (identity.len > other.len) - (identity.len < other.len);
}

/* The place of an identity: where it is, or where it would stand. */
static size_t place_of(const key_store *s, int64_t start, ibk_span identity, bool *there) {
    size_t low = 0, high = s->count;
    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(start, identity, &s->entries[middle]);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool find(const key_store *s, ibk_span ibe_identity, size_t *at) {
    ibk_span id;
    int64_t start;
    bool there = false;
    if (ibk_ibe_identity_split(&id, &start, ibe_identity, s->granularity) == IBK_OK)
        *at = place_of(s, start, ibe_identity, &there);
    return there;
}

static ibk_err put(key_store *s, ibk_issued_key *issued, const ibk_ibe_params *params) {
    ibk_span id;
    int64_t start = 0;
    bool there;
    ibk_err err = ibk_ibe_identity_split(&id, &start, issued->ibe_identity, s->granularity);
    if (err)
        return err;
    size_t at = place_of(s, start, issued->ibe_identity, &there);
    if (there) {
        ibk_ibe_key_free(s->entries[at].key);
    } else {
        entry new = {.start_ns = start};
        err = ibk_buf_append_span(&new.identity, issued->ibe_identity);
        if (err)
            return err;
        memmove(&s->entries[at + 1], &s->entries[at], (s->count - at) * sizeof *s->entries);
        s->entries[at] = new;
        s->count++;
    }
    s->entries[at].key = issued->key;
    s->entries[at].params = params;
    issued->key = NULL;
    return IBK_OK;
}

static bool have_dates(const key_store *s, const ibk_key_list *keys) {
    ibk_span id;
    int64_t start;
    for (size_t i = 0; i < keys->count; i++)
        if (ibk_ibe_identity_split(&id, &start, keys->items[i].ibe_identity, s->granularity))
            return false;
    return true;
}

ibk_err key_store_add(key_store *s, ibk_key_list *keys, const ibk_ibe_params *params, size_t *refused) {
    if (refused)
        *refused = 0;
    if (!have_dates(s, keys))
        return IBK_ERR_BAD_VALUE;
    entry *grown = realloc(s->entries, (s->count + keys->count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    s->entries = grown;
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < keys->count; i++)
        if (keys->items[i].key)
            err = put(s, &keys->items[i], params);
    while (s->count > KEY_STORE_MAX) {
        entry_free(&s->entries[--s->count]);
        if (refused)
            ++*refused;
    }
    return err;
}

const ibk_ibe_key *key_store_find(const key_store *s, ibk_span ibe_identity, const ibk_ibe_params **params) {
    size_t at;
    if (!find(s, ibe_identity, &at))
        return NULL;
    *params = s->entries[at].params;
    return s->entries[at].key;
}

size_t key_store_count(const key_store *s) {
    return s->count;
}

const ibk_ibe_key *key_store_at(const key_store *s, size_t index, const ibk_ibe_params **params) {
    if (index >= s->count)
        return NULL;
    *params = s->entries[index].params;
    return s->entries[index].key;
}

ibk_span key_store_identity_at(const key_store *s, size_t index) {
    return index < s->count ? ibk_buf_span(&s->entries[index].identity) : (ibk_span){0};
}

static int64_t lapse_of(const key_store *s, const entry *e) {
    return ibk_period_end(s->granularity, e->start_ns) + s->keep_ns;
}

size_t key_store_drop_lapsed(key_store *s, int64_t utc_ns) {
    size_t lapsed = 0;
    while (lapsed < s->count && lapse_of(s, &s->entries[lapsed]) <= utc_ns)
        entry_free(&s->entries[lapsed++]);
    if (lapsed) {
        s->count -= lapsed;
        memmove(s->entries, s->entries + lapsed, s->count * sizeof *s->entries);
    }
    return lapsed;
}

int64_t key_store_next_lapse(const key_store *s) {
    return s->count ? lapse_of(s, &s->entries[0]) : INT64_MAX;
}

int64_t key_store_covered_until(const key_store *s, ibk_span id, int64_t utc_ns) {
    ibk_buf name = {0};
    size_t at;
    while (ibk_ibe_identity(&name, id, s->granularity, utc_ns) == IBK_OK &&
           find(s, ibk_buf_span(&name), &at)) {
        utc_ns = ibk_period_end(s->granularity, utc_ns);
        ibk_buf_clear(&name);
    }
    ibk_buf_free(&name);
    return utc_ns;
}
