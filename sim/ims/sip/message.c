/* A message's life, its typed fields, and reading them. Requests and responses: build.c. Other fields:
 * header.c. */
#include "ims/sip/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

sip_msg *sip_msg_new(void) {
    sip_msg *msg = calloc(1, sizeof *msg);
    if (msg)
        msg->max_forwards = -1;
    return msg;
}

void sip_msg_free(sip_msg *msg) {
    if (!msg)
        return;
    sip_arena_free(&msg->arena);
    free(msg);
}

static sip_name_addr *copy_addrs(sip_arena *arena, const sip_name_addr *in, size_t count) {
    sip_name_addr *out = count ? sip_arena_alloc(arena, count * sizeof *out) : NULL;
    for (size_t i = 0; out && i < count; i++)
        sip_name_addr_copy(arena, &out[i], &in[i]);
    return out;
}

static void copy_headers(sip_msg *out, const sip_msg *in) {
    sip_arena *arena = &out->arena;
    out->header = in->header_count ? sip_arena_alloc(arena, in->header_count * sizeof *out->header) : NULL;
    out->header_count = out->header ? in->header_count : 0;
    for (size_t i = 0; i < out->header_count; i++) {
        out->header[i].name = sip_arena_str(arena, in->header[i].name);
        out->header[i].value = sip_arena_str(arena, in->header[i].value);
    }
}

sip_msg *sip_msg_clone(const sip_msg *msg) {
    sip_msg *out = sip_msg_new();
    if (!out)
        return NULL;
    sip_arena *arena = &out->arena;
    out->err = msg->err;
    out->is_request = msg->is_request;
    out->method = sip_arena_str(arena, msg->method);
    sip_uri_copy(arena, &out->uri, &msg->uri);
    out->status = msg->status;
    out->reason = sip_arena_str(arena, msg->reason);
    out->via = msg->via_count ? sip_arena_alloc(arena, msg->via_count * sizeof *out->via) : NULL;
    out->via_count = out->via ? msg->via_count : 0;
    for (size_t i = 0; i < out->via_count; i++)
        sip_via_copy(arena, &out->via[i], &msg->via[i]);
    out->route = copy_addrs(arena, msg->route, msg->route_count);
    out->record_route = copy_addrs(arena, msg->record_route, msg->record_route_count);
    out->contact = copy_addrs(arena, msg->contact, msg->contact_count);
    out->route_count = out->route ? msg->route_count : 0;
    out->record_route_count = out->record_route ? msg->record_route_count : 0;
    out->contact_count = out->contact ? msg->contact_count : 0;
    sip_name_addr_copy(arena, &out->from, &msg->from);
    sip_name_addr_copy(arena, &out->to, &msg->to);
    out->call_id = sip_arena_str(arena, msg->call_id);
    out->cseq = msg->cseq;
    out->max_forwards = msg->max_forwards;
    out->strict = msg->strict;
    out->branch_mark = sip_arena_str(arena, msg->branch_mark);
    copy_headers(out, msg);
    sip_msg_set_body(out, msg->content_type, msg->body);
    if (arena->failed) {
        sip_msg_free(out);
        return NULL;
    }
    return out;
}

void sip_msg_set_body(sip_msg *msg, const char *content_type, ibk_span body) {
    msg->content_type = sip_arena_str(&msg->arena, content_type);
    msg->body = (ibk_span){0};
    if (body.len == 0)
        return;
    const char *copy = sip_arena_strn(&msg->arena, (const char *)body.data, body.len);
    if (!msg->arena.failed)
        msg->body = ibk_span_of(copy, body.len);
}

void sip_msg_set_uri(sip_msg *msg, const sip_uri *uri) {
    sip_uri_copy(&msg->arena, &msg->uri, uri);
}

/* ---- lists ------------------------------------------------------------------------------------- */

void sip_via_push(sip_msg *msg, const sip_via *via) {
    sip_via *list = sip_arena_alloc(&msg->arena, (msg->via_count + 1) * sizeof *list);
    if (!list)
        return;
    if (msg->via_count)
        memcpy(list + 1, msg->via, msg->via_count * sizeof *list);
    sip_via_copy(&msg->arena, &list[0], via);
    msg->via = list;
    msg->via_count++;
}

void sip_via_pop(sip_msg *msg) {
    if (msg->via_count == 0)
        return;
    msg->via++;
    msg->via_count--;
}

static void push_addr(sip_msg *msg, sip_name_addr **list, size_t *count, const sip_name_addr *addr) {
    sip_name_addr *longer = sip_arena_alloc(&msg->arena, (*count + 1) * sizeof *longer);
    if (!longer)
        return;
    if (*count)
        memcpy(longer + 1, *list, *count * sizeof *longer);
    sip_name_addr_copy(&msg->arena, &longer[0], addr);
    *list = longer;
    ++*count;
}

static void append_addr(sip_msg *msg, sip_name_addr **list, size_t *count, const sip_name_addr *addr) {
    sip_name_addr *longer = sip_arena_grow(&msg->arena, *list, *count, sizeof *longer);
    if (!longer)
        return;
    sip_name_addr_copy(&msg->arena, &longer[*count], addr);
    *list = longer;
    ++*count;
}

void sip_route_push(sip_msg *msg, const sip_name_addr *route) {
    push_addr(msg, &msg->route, &msg->route_count, route);
}

void sip_route_append(sip_msg *msg, const sip_name_addr *route) {
    append_addr(msg, &msg->route, &msg->route_count, route);
}

void sip_route_pop(sip_msg *msg) {
    if (msg->route_count == 0)
        return;
    msg->route++;
    msg->route_count--;
}

void sip_route_clear(sip_msg *msg) {
    msg->route = NULL;
    msg->route_count = 0;
}

void sip_record_route_push(sip_msg *msg, const sip_name_addr *route) {
    push_addr(msg, &msg->record_route, &msg->record_route_count, route);
}

void sip_contact_add(sip_msg *msg, const sip_name_addr *contact) {
    append_addr(msg, &msg->contact, &msg->contact_count, contact);
}

void sip_contact_clear(sip_msg *msg) {
    msg->contact = NULL;
    msg->contact_count = 0;
}

/* ---- reading ----------------------------------------------------------------------------------- */

bool sip_is(const sip_msg *msg, const char *method) {
    return msg->method && strcmp(msg->method, method) == 0;
}

bool sip_is_request(const sip_msg *msg, const char *method) {
    return msg->is_request && sip_is(msg, method);
}

static const char *tag_of(const sip_name_addr *addr) {
    const char *tag = sip_param_get(&addr->params, "tag");
    return tag && tag[0] ? tag : NULL;
}

const char *sip_from_tag(const sip_msg *msg) {
    return tag_of(&msg->from);
}

const char *sip_to_tag(const sip_msg *msg) {
    return tag_of(&msg->to);
}

void sip_set_to_tag(sip_msg *msg, const char *tag) {
    sip_param_set(&msg->arena, &msg->to.params, "tag", tag);
}

const char *sip_branch(const sip_via *via) {
    const char *branch = sip_param_get(&via->params, "branch");
    return branch && branch[0] ? branch : NULL;
}

const char *sip_top_branch(const sip_msg *msg) {
    return msg->via_count ? sip_branch(&msg->via[0]) : NULL;
}

void sip_msg_label(char *out, size_t size, const sip_msg *msg) {
    if (msg->is_request)
        snprintf(out, size, "%s", msg->method);
    else
        snprintf(out, size, "%d %s", msg->status, msg->reason);
}

void sip_msg_cseq(char *out, size_t size, const sip_msg *msg) {
    snprintf(out, size, "%u %s", msg->cseq, msg->method);
}

bool sip_has_body_type(const sip_msg *msg, const char *type) {
    size_t len = strlen(type);
    return msg->body.len && msg->content_type && strncasecmp(msg->content_type, type, len) == 0 &&
           (msg->content_type[len] == 0 || msg->content_type[len] == ';' || msg->content_type[len] == ' ');
}
