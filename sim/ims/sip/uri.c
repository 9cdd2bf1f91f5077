/* URIs, parameters, name-addr and Via as structs: copying, comparing, writing. Reading: uri_parse.c. */
#include "ims/sip/uri.h"
#include "ims/sip/put.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* ---- parameters ------------------------------------------------------------------------------ */

static sip_param *find(const sip_params *params, const char *name) {
    for (size_t i = 0; i < params->count; i++)
        if (strcasecmp(params->item[i].name, name) == 0)
            return &params->item[i];
    return NULL;
}

const char *sip_param_get(const sip_params *params, const char *name) {
    const sip_param *param = find(params, name);
    if (!param)
        return NULL;
    return param->value ? param->value : "";
}

void sip_param_set(sip_arena *arena, sip_params *params, const char *name, const char *value) {
    sip_param *param = find(params, name);
    if (!param) {
        sip_param *item = sip_arena_grow(arena, params->item, params->count, sizeof *item);
        if (!item)
            return;
        params->item = item;
        param = &item[params->count++];
        param->name = sip_arena_str(arena, name);
    }
    param->value = sip_arena_str(arena, value);
}

void sip_param_drop(sip_params *params, const char *name) {
    sip_param *param = find(params, name);
    if (!param)
        return;
    size_t after = params->count - (size_t)(param - params->item) - 1;
    memmove(param, param + 1, after * sizeof *param);
    params->count--;
}

static void params_copy(sip_arena *arena, sip_params *out, const sip_params *in) {
    *out = (sip_params){0};
    if (in->count == 0)
        return;
    out->item = sip_arena_alloc(arena, in->count * sizeof *out->item);
    if (!out->item)
        return;
    out->count = in->count;
    for (size_t i = 0; i < in->count; i++) {
        out->item[i].name = sip_arena_str(arena, in->item[i].name);
        out->item[i].value = sip_arena_str(arena, in->item[i].value);
    }
}

/* ---- copies ------------------------------------------------------------------------------------ */

void sip_uri_copy(sip_arena *arena, sip_uri *out, const sip_uri *in) {
    sip_uri copy = {.scheme = sip_arena_str(arena, in->scheme),
                    .user = sip_arena_str(arena, in->user),
                    .host = sip_arena_str(arena, in->host),
                    .port = in->port,
                    .headers = sip_arena_str(arena, in->headers)};
    params_copy(arena, &copy.params, &in->params);
    *out = copy;
}

void sip_name_addr_copy(sip_arena *arena, sip_name_addr *out, const sip_name_addr *in) {
    sip_name_addr copy = {.display = sip_arena_str(arena, in->display)};
    sip_uri_copy(arena, &copy.uri, &in->uri);
    params_copy(arena, &copy.params, &in->params);
    *out = copy;
}

void sip_via_copy(sip_arena *arena, sip_via *out, const sip_via *in) {
    sip_via copy = {.proto = in->proto, .host = sip_arena_str(arena, in->host), .port = in->port};
    params_copy(arena, &copy.params, &in->params);
    *out = copy;
}

sip_uri sip_uri_make(sip_arena *arena, const char *user, const char *host, uint16_t port, sip_proto proto,
                     bool lr) {
    sip_uri uri = {.scheme = "sip",
                   .user = sip_arena_str(arena, user),
                   .host = sip_arena_str(arena, host),
                   .port = port};
    if (proto)
        sip_param_set(arena, &uri.params, "transport", sip_proto_param(proto));
    if (lr)
        sip_param_set(arena, &uri.params, "lr", NULL);
    return uri;
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* RFC 3261 §25.1: unreserved, and the marks that stand unescaped in this place. */
static void put_escaped(sip_put *put, const char *text, const char *also) {
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escape[4];
        if ((c < 0x80 && isalnum(c)) || strchr("-_.!~*'()", c) || strchr(also, c)) {
            put_octets(put, text, 1);
            continue;
        }
        snprintf(escape, sizeof escape, "%%%02X", c);
        put_raw(put, escape);
    }
}

static void put_host(sip_put *put, const char *host, uint16_t port) {
    bool ipv6 = host && strchr(host, ':');
    put_raw(put, ipv6 ? "[" : "");
    put_text(put, host);
    put_raw(put, ipv6 ? "]" : "");
    if (port) {
        put_raw(put, ":");
        put_u64(put, port);
    }
}

static void put_params(sip_put *put, const sip_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        put_raw(put, ";");
        put_text(put, params->item[i].name);
        put_raw(put, params->item[i].value ? "=" : "");
        put_text(put, params->item[i].value);
    }
}

static void put_uri(sip_put *put, const sip_uri *uri) {
    static const char param_marks[] = "[]/:&+$";
    put_text(put, uri->scheme);
    put_raw(put, ":");
    if (!uri->host) { // opaque: as it was read
        put_text(put, uri->user);
        put_params(put, &uri->params);
        return;
    }
    if (uri->user) {
        put_escaped(put, uri->user, "&=+$,;?/");
        put_raw(put, "@");
    }
    put_host(put, uri->host, uri->port);
    for (size_t i = 0; i < uri->params.count; i++) {
        put_raw(put, ";");
        put_escaped(put, uri->params.item[i].name, param_marks);
        put_raw(put, uri->params.item[i].value ? "=" : "");
        put_escaped(put, uri->params.item[i].value, param_marks);
    }
    put_raw(put, uri->headers ? "?" : "");
    put_text(put, uri->headers);
}

ibk_err sip_uri_encode(ibk_buf *out, const sip_uri *uri) {
    sip_put put = {.buf = out};
    if (!uri->scheme)
        return IBK_ERR_USAGE;
    put_uri(&put, uri);
    return put.err;
}

ibk_err sip_name_addr_encode(ibk_buf *out, const sip_name_addr *addr) {
    sip_put put = {.buf = out};
    if (!addr->uri.scheme && addr->display && strcmp(addr->display, "*") == 0) {
        put_raw(&put, "*");
        return put.err;
    }
    if (!addr->uri.scheme)
        return IBK_ERR_USAGE;
    if (addr->display) {
        put_raw(&put, "\"");
        for (const char *c = addr->display; *c; c++) {
            put_raw(&put, *c == '"' || *c == '\\' ? "\\" : "");
            char one[2] = {*c, 0};
            put_text(&put, one);
        }
        put_raw(&put, "\" ");
    }
    put_raw(&put, "<");
    put_uri(&put, &addr->uri);
    put_raw(&put, ">");
    put_params(&put, &addr->params);
    return put.err;
}

ibk_err sip_via_encode(ibk_buf *out, const sip_via *via) {
    sip_put put = {.buf = out};
    put_raw(&put, "SIP/2.0/");
    put_raw(&put, sip_proto_name(via->proto));
    put_raw(&put, " ");
    put_host(&put, via->host, via->port);
    put_params(&put, &via->params);
    return put.err;
}

static const char *as_text(sip_arena *arena, ibk_buf *buf, ibk_err err) {
    const char *text = "";
    if (err)
        arena->failed = true;
    else
        text = sip_arena_strn(arena, buf->len ? (const char *)buf->data : "", buf->len);
    ibk_buf_free(buf);
    return text;
}

const char *sip_uri_text(sip_arena *arena, const sip_uri *uri) {
    ibk_buf buf = {0};
    return as_text(arena, &buf, sip_uri_encode(&buf, uri));
}

const char *sip_name_addr_text(sip_arena *arena, const sip_name_addr *addr) {
    ibk_buf buf = {0};
    return as_text(arena, &buf, sip_name_addr_encode(&buf, addr));
}

/* ---- comparing --------------------------------------------------------------------------------- */

const char *sip_uri_aor(sip_arena *arena, const sip_uri *uri) {
    sip_uri bare = {.scheme = uri->scheme, .user = uri->user};
    if (!uri->scheme)
        return "";
    if (uri->host) {
        char *host = sip_arena_alloc(arena, strlen(uri->host) + 1);
        if (!host)
            return "";
        for (size_t i = 0; uri->host[i]; i++)
            host[i] = (char)tolower((unsigned char)uri->host[i]);
        bare.host = host;
        bare.scheme = "sip"; // sips: names the same user
    }
    return sip_uri_text(arena, &bare);
}

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_nocase(const char *a, const char *b) {
    return a == b || (a && b && strcasecmp(a, b) == 0);
}

bool sip_uri_equal(const sip_uri *a, const sip_uri *b) {
    static const char *const decisive[] = {"user", "ttl", "method", "maddr", "transport"};
    if (!same_nocase(a->scheme, b->scheme) || !same(a->user, b->user) || !same_nocase(a->host, b->host) ||
        a->port != b->port)
        return false;
    for (size_t i = 0; i < sizeof decisive / sizeof *decisive; i++)
        if (!same_nocase(sip_param_get(&a->params, decisive[i]), sip_param_get(&b->params, decisive[i])))
            return false;
    for (size_t i = 0; i < a->params.count; i++) { // others count only if both have them
        const char *other = sip_param_get(&b->params, a->params.item[i].name);
        if (other && !same_nocase(sip_param_get(&a->params, a->params.item[i].name), other))
            return false;
    }
    return true;
}

bool sip_uri_is_loose(const sip_uri *uri) {
    return sip_param_get(&uri->params, "lr") != NULL;
}
