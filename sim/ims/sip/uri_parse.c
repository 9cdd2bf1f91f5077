/* From libosip2's parsed values to ours: what the library lets pass is refused here. */
#include "ims/sip/convert.h"
#include "ims/sip/text.h"

#include <stdlib.h>
#include <strings.h>

static ibk_err convert_params(sip_arena *arena, sip_params *out, const osip_list_t *in, const char *field,
                              ibk_diag *diag) {
    int count = osip_list_size(in);
    *out = (sip_params){0};
    if (count <= 0)
        return IBK_OK;
    if (count > SIP_MAX_PARAMS)
        return ibk_fail(diag, IBK_ERR_LIMIT, field, 0, "%d parameters", count);
    out->item = sip_arena_alloc(arena, (size_t)count * sizeof *out->item);
    if (!out->item)
        return IBK_ERR_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        const osip_generic_param_t *param = osip_list_get(in, i);
        if (!param || !param->gname || param->gname[0] == 0)
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "a parameter without name");
        if (sip_param_get(out, param->gname)) // RFC 3261 §7.3.1: any parameter name at most once
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "parameter %.40s twice", param->gname);
        out->item[out->count].name = sip_arena_str(arena, param->gname);
        out->item[out->count].value = sip_arena_str(arena, param->gvalue);
        out->count++;
    }
    return IBK_OK;
}

static ibk_err convert_header_params(sip_arena *arena, sip_params *out, const osip_list_t *in,
                                     const char *field, ibk_diag *diag) {
    ibk_err err = convert_params(arena, out, in, field, diag);
    for (size_t i = 0; !err && i < out->count; i++) {
        const sip_param *param = &out->item[i];
        if (!sip_is_token(param->name, strlen(param->name)) ||
            (param->value && !sip_is_param_value(param->value)))
            err = ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no parameter: %.40s", param->name);
    }
    return err;
}

static ibk_err convert_port(uint16_t *out, const char *text, const char *field, ibk_diag *diag) {
    uint64_t port = 0;
    *out = 0;
    if (!text)
        return IBK_OK;
    if (!sip_number_str(text, 65535, &port) || port == 0)
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, field, 0, "port %.20s", text);
    *out = (uint16_t)port;
    return IBK_OK;
}

static const char *lower(sip_arena *arena, const char *text) {
    size_t len = strlen(text);
    char *out = sip_arena_alloc(arena, len + 1);
    if (!out)
        return "";
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    return out;
}

/* par = name [ "=" value ]: RFC 3966 §3; each name at most once. */
static ibk_err convert_tel_params(sip_arena *arena, sip_params *out, const char *text, const char *field,
                                  ibk_diag *diag) {
    for (const char *next = text; *next == ';';) {
        next++;
        size_t size = strcspn(next, ";"), len = strcspn(next, ";=");
        const char *name = sip_arena_strn(arena, next, len);
        if (len == 0 || out->count == SIP_MAX_PARAMS || sip_param_get(out, name))
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "bad parameters of a tel: URI");
        const char *value = len < size ? sip_arena_strn(arena, next + len + 1, size - len - 1) : NULL;
        sip_param_set(arena, out, name, value);
        next += size;
    }
    return IBK_OK;
}

/* tel: and other schemes are opaque but for the parameters of tel:. Escapes stay as they are. */
static ibk_err convert_opaque(sip_arena *arena, sip_uri *out, const osip_uri_t *in, const char *field,
                              ibk_diag *diag) {
    const char *text = in->string;
    if (!text || text[0] == 0)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "an empty URI");
    if (!sip_is_uri_text(text))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "a character that no URI has");
    if (strcmp(out->scheme, "tel") != 0) {
        out->user = sip_arena_str(arena, text);
        return IBK_OK;
    }
    size_t len = strcspn(text, ";");
    if (len == 0)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "tel: without number");
    out->user = sip_arena_strn(arena, text, len);
    return convert_tel_params(arena, &out->params, text + len, field, diag);
}

static ibk_err convert_uri_headers(sip_arena *arena, sip_uri *out, const osip_uri_t *in, const char *field,
                                   ibk_diag *diag) {
    int count = osip_list_size(&in->url_headers);
    if (count > SIP_MAX_PARAMS)
        return ibk_fail(diag, IBK_ERR_LIMIT, field, 0, "%d header fields in a URI", count);
    for (int i = 0; i < count; i++) {
        const osip_uri_header_t *header = osip_list_get(&in->url_headers, i);
        char *name = header && header->gname ? __osip_uri_escape_header_param(header->gname) : NULL;
        char *value = header && header->gvalue ? __osip_uri_escape_header_param(header->gvalue) : NULL;
        if (name && value)
            out->headers = sip_arena_printf(arena, "%s%s%s=%s", out->headers ? out->headers : "",
                                            out->headers ? "&" : "", name, value);
        osip_free(name);
        osip_free(value);
    }
    return IBK_OK;
}

ibk_err sip_convert_uri(sip_arena *arena, sip_uri *out, const osip_uri_t *in, const char *field,
                        ibk_diag *diag) {
    *out = (sip_uri){0};
    if (!in || !in->scheme || !sip_is_token(in->scheme, strlen(in->scheme)))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no URI");
    out->scheme = lower(arena, in->scheme);
    if (strcmp(out->scheme, "sip") != 0 && strcmp(out->scheme, "sips") != 0)
        return convert_opaque(arena, out, in, field, diag);
    if (!sip_is_host(in->host))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no valid host in a URI");
    if (in->password)
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, field, 0, "a password in a URI");
    if (in->username && in->username[0] == 0)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "an empty user in a URI");
    out->user = sip_arena_str(arena, in->username);
    out->host = sip_arena_str(arena, in->host);
    ibk_err err = convert_port(&out->port, in->port, field, diag);
    if (!err)
        err = convert_params(arena, &out->params, &in->url_params, field, diag);
    return err ? err : convert_uri_headers(arena, out, in, field, diag);
}

/* What libosip2 would cut short or misread. */
static bool is_clean(const char *text) {
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || strncmp(c, "%00", 3) == 0)
            return false;
    return true;
}

/* Display names without quotes and escapes. */
static const char *unquoted(sip_arena *arena, const char *text) {
    size_t len = strlen(text);
    if (len < 2 || text[0] != '"' || text[len - 1] != '"')
        return sip_arena_strn(arena, text, len);
    char *out = sip_arena_alloc(arena, len);
    if (!out)
        return "";
    char *next = out;
    for (size_t i = 1; i + 1 < len; i++) {
        if (text[i] == '\\' && i + 2 < len)
            i++;
        *next++ = text[i];
    }
    return out;
}

/* libosip2 takes no URI of fewer than six octets in an address; one may come of what it leaves out:
 * "<sip:b;=>". */
static bool is_too_short(const sip_uri *uri) {
    return uri->host && !uri->user && !uri->port && !uri->params.count && !uri->headers &&
           strlen(uri->scheme) + strlen(uri->host) < 5;
}

ibk_err sip_convert_addr(sip_arena *arena, sip_name_addr *out, const osip_from_t *in, const char *field,
                         ibk_diag *diag) {
    *out = (sip_name_addr){0};
    if (!in)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no address");
    if (in->displayname && in->displayname[0])
        out->display = unquoted(arena, in->displayname);
    if (out->display && !is_clean(out->display)) // escaped as %\00
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "a display name with %%00");
    if (!in->url && out->display && strcmp(out->display, "*") == 0)
        return IBK_OK; // Contact: *
    ibk_err err = sip_convert_uri(arena, &out->uri, in->url, field, diag);
    if (!err && is_too_short(&out->uri))
        err = ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "a URI that is too short");
    return err ? err : convert_header_params(arena, &out->params, &in->gen_params, field, diag);
}

ibk_err sip_convert_via(sip_arena *arena, sip_via *out, const osip_via_t *in, ibk_diag *diag) {
    *out = (sip_via){0};
    if (!in || !in->version || strcmp(in->version, "2.0") != 0 || !in->protocol)
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "Via", 0, "not SIP/2.0");
    if (strcasecmp(in->protocol, "UDP") == 0)
        out->proto = SIP_UDP;
    else if (strcasecmp(in->protocol, "TCP") == 0)
        out->proto = SIP_TCP;
    else
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "Via", 0, "transport %.20s", in->protocol);
    if (!sip_is_host(in->host))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "Via", 0, "no valid sent-by");
    out->host = sip_arena_str(arena, in->host);
    ibk_err err = convert_port(&out->port, in->port, "Via", diag);
    return err ? err : convert_header_params(arena, &out->params, &in->via_params, "Via", diag);
}

ibk_err sip_uri_parse(sip_arena *arena, sip_uri *out, const char *text, ibk_diag *diag) {
    osip_uri_t *uri = NULL;
    *out = (sip_uri){0};
    if (strlen(text) > SIP_MAX_LINE)
        return ibk_fail(diag, IBK_ERR_LIMIT, "URI", 0, "%zu octets", strlen(text));
    if (!is_clean(text) || strpbrk(text, " <>\""))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "URI", 0, "a character that no URI has");
    if (osip_uri_init(&uri) != 0)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = osip_uri_parse(uri, text) == 0 ? sip_convert_uri(arena, out, uri, "URI", diag)
                                                 : ibk_fail(diag, IBK_ERR_BAD_TEXT, "URI", 0, "not a URI");
    osip_uri_free(uri);
    return !err && arena->failed ? IBK_ERR_NO_MEMORY : err;
}

ibk_err sip_name_addr_parse(sip_arena *arena, sip_name_addr *out, const char *text, ibk_diag *diag) {
    osip_from_t *addr = NULL;
    *out = (sip_name_addr){0};
    if (strlen(text) > SIP_MAX_LINE)
        return ibk_fail(diag, IBK_ERR_LIMIT, "address", 0, "%zu octets", strlen(text));
    if (!is_clean(text))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "address", 0, "a control character");
    if (osip_from_init(&addr) != 0)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = osip_from_parse(addr, text) == 0
                      ? sip_convert_addr(arena, out, addr, "address", diag)
                      : ibk_fail(diag, IBK_ERR_BAD_TEXT, "address", 0, "not a name-addr");
    osip_from_free(addr);
    return !err && arena->failed ? IBK_ERR_NO_MEMORY : err;
}
