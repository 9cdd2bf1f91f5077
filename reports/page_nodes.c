/* ibakelab: nodes and links of the page. */
#include "reports/page_nodes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void page_nodes_end(page_nodes *n) {
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i].name);
    free(n->items);
    free(n->pairs);
    free(n->link_messages);
    name_index_free(&n->by_name);
    name_index_free(&n->addresses);
    name_index_free(&n->by_pair);
    *n = (page_nodes){0};
}

/* ---- from events -----------------------------------------------------------------------------------------
 */

size_t page_nodes_find_span(const page_nodes *n, ibk_span name) {
    return name_index_find(&n->by_name, name);
}

size_t page_nodes_find(const page_nodes *n, const char *name) {
    return page_nodes_find_span(n, ibk_span_str(name));
}

/* The number of a node, which is new perhaps. */
static size_t node_of(page_nodes *n, ibk_span name) {
    size_t found = name.len ? page_nodes_find_span(n, name) : NAME_INDEX_NONE;
    if (found != NAME_INDEX_NONE || !name.len)
        return found;
    if (!IBK_ROOM(n->items, n->count, n->capacity)) {
        n->failed = true;
        return NAME_INDEX_NONE;
    }
    char *copy = strndup((const char *)name.data, name.len);
    if (!copy || name_index_add(&n->by_name, name, n->count)) {
        free(copy);
        n->failed = true;
        return NAME_INDEX_NONE;
    }
    n->items[n->count] = (page_node){.name = copy, .router = NAME_INDEX_NONE};
    return n->count++;
}

static void count_pair(page_nodes *n, size_t from, size_t to) {
    size_t key[] = {from, to};
    ibk_span name = ibk_span_of(key, sizeof key);
    size_t found = name_index_find(&n->by_pair, name);
    if (found != NAME_INDEX_NONE) {
        n->pairs[found].messages++;
        return;
    }
    if (!IBK_ROOM(n->pairs, n->pair_count, n->pair_capacity)) {
        n->failed = true;
        return;
    }
    if (name_index_add(&n->by_pair, name, n->pair_count))
        n->failed = true;
    n->pairs[n->pair_count++] = (page_pair){from, to, 1};
}

void page_nodes_event(void *user, const trace_event *e) {
    page_nodes *n = user;
    ibk_span peer = trace_event_text(e, "peer"), address = trace_event_text(e, "address");
    bool sent = strcmp(e->event, "sent") == 0;
    if (!peer.len || !trace_event_text(e, "label").len || (!sent && strcmp(e->event, "received") != 0))
        return;
    size_t from = node_of(n, ibk_span_str(e->node)), to = node_of(n, peer);
    if (from == NAME_INDEX_NONE || to == NAME_INDEX_NONE)
        return;
    if (name_index_add(&n->addresses, address, to))
        n->failed = true;
    if (sent)
        count_pair(n, from, to);
}

/* ---- links ------------------------------------------------------------------------------------------------
 */

/* A node's own link is its only one; a router's, or one between routers, is nobody's. */
static void find_own_links(page_nodes *n, const result *r) {
    for (size_t i = 0; i < r->link_count; i++) {
        const result_link *link = &r->links[i];
        size_t a = node_of(n, ibk_span_str(link->a)), b = node_of(n, ibk_span_str(link->b));
        if (a == NAME_INDEX_NONE || b == NAME_INDEX_NONE)
            return;
        bool between = strncmp(link->a, "core.", 5) == 0 && strncmp(link->b, "core.", 5) == 0;
        if (between || n->items[a].link)
            continue;
        n->items[a].link = link;
        n->items[a].router = b;
    }
}

/* The link between two routers; NAME_INDEX_NONE: they have none. */
static size_t link_between(const page_nodes *n, const result *r, size_t a, size_t b) {
    for (size_t i = 0; i < r->link_count; i++) {
        const char *x = r->links[i].a, *y = r->links[i].b, *from = n->items[a].name, *to = n->items[b].name;
        if ((strcmp(x, from) == 0 && strcmp(y, to) == 0) || (strcmp(x, to) == 0 && strcmp(y, from) == 0))
            return i;
    }
    return NAME_INDEX_NONE;
}

void page_nodes_count_links(page_nodes *n, const result *r) {
    find_own_links(n, r);
    n->link_messages = calloc(r->link_count + 1, sizeof *n->link_messages);
    if (!n->link_messages || n->failed) {
        n->failed = true;
        return;
    }
    for (size_t i = 0; i < n->pair_count; i++) {
        const page_node *ends[] = {&n->items[n->pairs[i].from], &n->items[n->pairs[i].to]};
        for (size_t k = 0; k < 2; k++)
            if (ends[k]->link)
                n->link_messages[ends[k]->link - r->links] += n->pairs[i].messages;
        if (!ends[0]->link || !ends[1]->link || ends[0]->router == ends[1]->router)
            continue;
        size_t between = link_between(n, r, ends[0]->router, ends[1]->router);
        if (between != NAME_INDEX_NONE)
            n->link_messages[between] += n->pairs[i].messages;
    }
}

const result_link *page_nodes_link(const page_nodes *n, size_t node) {
    return node < n->count ? n->items[node].link : NULL;
}

/* ---- JSON
 * -------------------------------------------------------------------------------------------------- */

json_t *page_nodes_json(const page_nodes *n, const result *r) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; i < n->count && ok; i++) {
        const char *domain;
        ladder_node_kind kind = ladder_node_kind_of(r, n->items[i].name, &domain);
        if (!domain && strncmp(n->items[i].name, "core.", 5) == 0) /* a router */
            domain = n->items[i].name + 5;
        ok = json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "name", n->items[i].name, "kind",
                                                   ladder_node_kind_name(kind), "domain", domain)) == 0;
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static json_int_t sum(uint64_t a, uint64_t b) {
    return a > INT64_MAX || b > INT64_MAX - a ? INT64_MAX : (json_int_t)(a + b);
}

static json_t *link_json(const page_nodes *n, const result_link *l, uint64_t messages, const char *dir) {
    char capture[300], path[4400];
    snprintf(capture, sizeof capture, "capture/%s.pcap", l->name);
    snprintf(path, sizeof path, "%s/%s", dir, capture);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s?}", "a", (json_int_t)page_nodes_find(n, l->a), "b",
                     (json_int_t)page_nodes_find(n, l->b), "messages", sum(messages, 0), "octets",
                     sum(l->octets_ab, l->octets_ba), "packets", sum(l->packets_ab, l->packets_ba), "lost",
                     sum(l->lost_ab, l->lost_ba), "capture", access(path, R_OK) == 0 ? capture : NULL);
}

json_t *page_nodes_links_json(const page_nodes *n, const result *r, const char *dir) {
    json_t *list = json_array();
    bool ok = list && n->link_messages;
    for (size_t i = 0; i < r->link_count && ok; i++)
        ok = json_array_append_new(list, link_json(n, &r->links[i], n->link_messages[i], dir)) == 0;
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}
