/* ibakelab: matching frames with rows. Both come in the order of time. A row takes the first message of its
 * name, conversation, CSeq and hop that passed after it was sent; further copies of the same octets are its
 * repetitions; other octets on the same hop are what an adversary made of it. */
#include "reports/page_messages.h"

#include <stdlib.h>
#include <string.h>

#define NO_CALL "-"

ibk_err page_messages_begin(page_messages *m, const name_index *addresses) {
    *m = (page_messages){.addresses = addresses, .list = json_array()};
    return m->list ? IBK_OK : IBK_ERR_NO_MEMORY;
}

void page_messages_end(page_messages *m) {
    for (size_t i = 0; i < m->wish_count; i++) {
        free(m->wishes[i].cseq);
        json_decref(m->wishes[i].row);
    }
    free(m->wishes);
    free(m->groups);
    name_index_free(&m->by_call_id);
    name_index_free(&m->by_octets);
    json_decref(m->list);
    *m = (page_messages){0};
}

/* ---- wishes -------------------------------------------------------------------------------------------- */

static page_group *group_of(page_messages *m, ibk_span call_id) {
    ibk_span key = call_id.len ? call_id : ibk_span_str(NO_CALL);
    size_t found = name_index_find(&m->by_call_id, key);
    if (found != NAME_INDEX_NONE)
        return &m->groups[found];
    if (!IBK_ROOM(m->groups, m->group_count, m->group_capacity) ||
        name_index_add(&m->by_call_id, key, m->group_count))
        return NULL;
    m->groups[m->group_count] = (page_group){NAME_INDEX_NONE, NAME_INDEX_NONE};
    return &m->groups[m->group_count++];
}

void page_messages_wish(page_messages *m, ibk_span call_id, ibk_span cseq, const page_wish *wish) {
    page_group *group = group_of(m, call_id);
    char *copy = cseq.len ? strndup((const char *)cseq.data, cseq.len) : NULL;
    if (!group || (cseq.len && !copy) || !IBK_ROOM(m->wishes, m->wish_count, m->wish_capacity)) {
        free(copy);
        m->failed = true;
        return;
    }
    page_wish *w = &m->wishes[m->wish_count];
    *w = *wish;
    w->cseq = copy;
    w->message = w->next = NAME_INDEX_NONE;
    json_incref(w->row);
    if (group->first == NAME_INDEX_NONE)
        group->first = m->wish_count;
    else
        m->wishes[group->last].next = m->wish_count;
    group->last = m->wish_count++;
}

/* ---- frames -------------------------------------------------------------------------------------------- */

/* The node at an address with a port. */
static size_t node_at(const page_messages *m, const char *address) {
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : strlen(address);
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    return name_index_find(m->addresses, ibk_span_of(address, len));
}

static bool fits(const page_wish *w, const page_frame *f, size_t from, size_t to) {
    return w->from == from && w->to == to && w->utc_ns <= f->utc_ns &&
           (!f->name || strcmp(w->name, f->name) == 0) &&
           (w->attack || !w->cseq || ibk_span_equal(f->cseq, ibk_span_str(w->cseq)));
}

/* The row that this message belongs to, or NULL: it is a repetition of one that is known, or of nobody. */
static page_wish *find_wish(page_messages *m, const page_frame *f, size_t known) {
    ibk_span key = f->call_id.len ? f->call_id : ibk_span_str(NO_CALL);
    size_t group = name_index_find(&m->by_call_id, key), from = node_at(m, f->from), to = node_at(m, f->to);
    page_wish *open = NULL, *attack = NULL;
    bool passed = false; /* another message of this hop has */
    if (group == NAME_INDEX_NONE || from == NAME_INDEX_NONE || to == NAME_INDEX_NONE)
        return NULL;
    for (size_t i = m->groups[group].first; i != NAME_INDEX_NONE; i = m->wishes[i].next) {
        page_wish *w = &m->wishes[i];
        if (!fits(w, f, from, to))
            continue;
        if (w->message != NAME_INDEX_NONE && w->message == known) {
            if (w->taken < w->copies || w->attack) {
                w->taken++;
                return NULL;
            }
        } else if (w->message == NAME_INDEX_NONE && w->attack) {
            attack = attack ? attack : w;
        } else if (w->message == NAME_INDEX_NONE) {
            open = open ? open : w;
        } else {
            passed = true;
        }
    }
    return open ? open : passed ? attack : NULL;
}

static bool add_message(page_messages *m, ibk_span octets) {
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * octets.len + 1);
    json_t *entry = json_object();
    for (size_t i = 0; hex && i < octets.len; i++) {
        hex[2 * i] = digits[octets.data[i] >> 4];
        hex[2 * i + 1] = digits[octets.data[i] & 15];
    }
    bool ok = hex && json_object_set_new(entry, "octets", json_stringn(hex, 2 * octets.len)) == 0 &&
              json_object_set_new(entry, "tree", json_null()) == 0 &&
              name_index_add(&m->by_octets, octets, json_array_size(m->list)) == IBK_OK;
    free(hex);
    if (!ok)
        json_decref(entry);
    return ok && json_array_append_new(m->list, entry) == 0;
}

void page_messages_next_capture(page_messages *m) {
    for (size_t i = 0; i < m->wish_count; i++)
        m->wishes[i].taken = 0;
}

bool page_messages_wanted(void *user, const page_frame *f) {
    page_messages *m = user;
    size_t known = name_index_find(&m->by_octets, f->octets);
    page_wish *w = find_wish(m, f, known);
    if (!w)
        return false;
    w->taken = 1;
    w->message = known;
    if (known != NAME_INDEX_NONE)
        return false;
    w->message = json_array_size(m->list);
    if (add_message(m, f->octets))
        return true;
    w->message = NAME_INDEX_NONE;
    m->failed = true;
    return false;
}

void page_messages_found(void *user, ibk_span json) {
    page_messages *m = user;
    json_t *entry = json_array_get(m->list, json_array_size(m->list) - 1);
    json_t *tree = json_loadb((const char *)json.data, json.len, JSON_ALLOW_NUL, NULL);
    if (!tree || json_object_set_new(entry, "tree", tree) != 0)
        m->failed = true;
}

/* An act that left the message as it was, or let it pass no further, is about the last one before it. */
static void take_what_passed(page_messages *m, const page_group *group) {
    for (size_t i = group->first; i != NAME_INDEX_NONE; i = m->wishes[i].next) {
        page_wish *act = &m->wishes[i];
        if (!act->attack || act->message != NAME_INDEX_NONE)
            continue;
        for (size_t k = group->first; k != NAME_INDEX_NONE; k = m->wishes[k].next) {
            const page_wish *w = &m->wishes[k];
            if (!w->attack && w->from == act->from && w->to == act->to && w->utc_ns <= act->utc_ns &&
                strcmp(w->name, act->name) == 0)
                act->message = w->message;
        }
    }
}

void page_messages_tell(page_messages *m) {
    for (size_t i = 0; i < m->group_count; i++)
        take_what_passed(m, &m->groups[i]);
    for (size_t i = 0; i < m->wish_count; i++) {
        const page_wish *w = &m->wishes[i];
        json_t *index = w->message == NAME_INDEX_NONE ? json_null() : json_integer((json_int_t)w->message);
        if (json_object_set_new(w->row, "message", index) != 0)
            m->failed = true;
    }
}
