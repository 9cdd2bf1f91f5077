/* Reading session descriptions: libosip2's parser, then strictly. */
#include "ims/sip/sdp.h"
#include "ims/sip/text.h"

#include <osipparser2/osip_parser.h>
#include <osipparser2/sdp_message.h>
#include <stdlib.h>
#include <strings.h>

/* RFC 3551 §6, of what has a fixed number and still is in use. */
static const sip_rtpmap fixed[] = {
    {0, "PCMU", 8000, 1}, {3, "GSM", 8000, 1}, {4, "G723", 8000, 1},  {8, "PCMA", 8000, 1},
    {9, "G722", 8000, 1}, {13, "CN", 8000, 1}, {15, "G728", 8000, 1}, {18, "G729", 8000, 1},
};

/* What attributes of the session and of a media stream have in common. */
typedef struct level {
    sip_arena *arena;
    sip_direction *direction;
    sip_key_mgmt *key_mgmt;
    size_t *key_mgmt_count;
    sip_attr *attr;
    size_t *attr_count;
    sip_media *media; /* NULL: session level */
} level;

static ibk_err key_mgmt(level *at, const char *value, ibk_diag *diag) {
    static const char field[] = "a=key-mgmt";
    value += strspn(value, " "); // RFC 4567 §3.1: key-mgmt:" " is permitted before the protocol
    size_t name = strcspn(value, " ");
    const char *data = value + name + strspn(value + name, " ");
    if (!sip_is_token(value, name))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no protocol");
    size_t len = strlen(data),
           body = strspn(data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t pad = strspn(data + body, "=");
    if (len == 0 || body + pad != len || len % 4 != 0 || pad > 2)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "the data is no base64");
    const char *protocol = sip_arena_strn(at->arena, value, name);
    for (size_t i = 0; i < *at->key_mgmt_count; i++)
        if (strcasecmp(at->key_mgmt[i].protocol, protocol) == 0)
            return ibk_fail(diag, IBK_ERR_UNEXPECTED_PAYLOAD, field, 0, "protocol %.20s twice at one level",
                            protocol);
    if (*at->key_mgmt_count == SIP_SDP_MAX_KEY_MGMT)
        return ibk_fail(diag, IBK_ERR_LIMIT, field, 0, "over %d at one level", SIP_SDP_MAX_KEY_MGMT);
    at->key_mgmt[(*at->key_mgmt_count)++] = (sip_key_mgmt){protocol, sip_arena_str(at->arena, data)};
    return IBK_OK;
}

static ibk_err rtpmap(sip_arena *arena, sip_media *media, const char *value, ibk_diag *diag) {
    uint64_t type, clock, channels = 1;
    size_t len = strcspn(value, " ");
    const char *name = value + len + strspn(value + len, " ");
    size_t name_len = strcspn(name, "/");
    const char *rate = name + name_len;
    if (!sip_number(value, len, 127, &type) || !sip_is_token(name, name_len) || *rate++ != '/')
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "a=rtpmap", 0, "not <type> <encoding>/<clock>");
    size_t rate_len = strcspn(rate, "/");
    if (!sip_number(rate, rate_len, 1000000, &clock) || clock == 0 ||
        (rate[rate_len] && (!sip_number_str(rate + rate_len + 1, 255, &channels) || channels == 0)))
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "a=rtpmap", 0, "clock or channels out of range");
    for (size_t i = 0; i < media->format_count; i++)
        if (media->format[i].payload_type == (int)type) {
            media->format[i].encoding = sip_arena_strn(arena, name, name_len);
            media->format[i].clock = (uint32_t)clock;
            media->format[i].channels = (uint32_t)channels;
            return IBK_OK;
        }
    return ibk_fail(diag, IBK_ERR_MISMATCH, "a=rtpmap", 0, "type %d is not in m=", (int)type);
}

static ibk_err attribute(level *at, const char *name, const char *value, ibk_diag *diag) {
    static const char *const directions[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
    uint64_t ptime;
    for (int i = 0; i < 4 && !value; i++)
        if (strcasecmp(name, directions[i]) == 0) {
            *at->direction = (sip_direction)i;
            return IBK_OK;
        }
    if (strcasecmp(name, "key-mgmt") == 0)
        return key_mgmt(at, value ? value : "", diag);
    if (at->media && strcasecmp(name, "rtpmap") == 0)
        return rtpmap(at->arena, at->media, value ? value : "", diag);
    if (at->media && strcasecmp(name, "ptime") == 0) {
        if (!sip_number_str(value, 1000, &ptime) || ptime == 0)
            return ibk_fail(diag, IBK_ERR_BAD_VALUE, "a=ptime", 0, "not 1 to 1000 ms");
        at->media->ptime_ms = (uint32_t)ptime;
        return IBK_OK;
    }
    if (*at->attr_count == SIP_SDP_MAX_ATTRS)
        return ibk_fail(diag, IBK_ERR_LIMIT, "a=", 0, "over %d attributes", SIP_SDP_MAX_ATTRS);
    at->attr[(*at->attr_count)++] =
        (sip_attr){sip_arena_str(at->arena, name), sip_arena_str(at->arena, value)};
    return IBK_OK;
}

static ibk_err attributes(level *at, const osip_list_t *list, ibk_diag *diag) {
    for (int i = 0; i < osip_list_size(list); i++) {
        const sdp_attribute_t *a = osip_list_get(list, i);
        if (!a->a_att_field || !sip_is_token(a->a_att_field, strlen(a->a_att_field)))
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, "a=", 0, "an attribute without name");
        ibk_err err = attribute(at, a->a_att_field, a->a_att_value, diag);
        if (err)
            return err;
    }
    return IBK_OK;
}

static ibk_err connection(sip_arena *arena, const char **out, const sdp_connection_t *c, ibk_diag *diag) {
    if (!c->c_nettype || strcmp(c->c_nettype, "IN") != 0 || !c->c_addrtype ||
        (strcmp(c->c_addrtype, "IP4") != 0 && strcmp(c->c_addrtype, "IP6") != 0) || !sip_is_host(c->c_addr))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "c=", 0, "not IN IP4 or IP6 and an address");
    sip_addr literal;
    if (sip_addr_parse(&literal, c->c_addr, 0) && literal.family != (c->c_addrtype[2] == '6' ? 6 : 4))
        return ibk_fail(diag, IBK_ERR_MISMATCH, "c=", 0, "the address is of the other family");
    *out = sip_arena_str(arena, c->c_addr);
    return IBK_OK;
}

static ibk_err formats(sip_media *media, const sdp_media_t *in, ibk_diag *diag) {
    bool rtp = strstr(media->proto, "RTP/") != NULL;
    int count = osip_list_size(&in->m_payloads);
    if (count < 1 || count > SIP_SDP_MAX_FORMATS)
        return ibk_fail(diag, count < 1 ? IBK_ERR_MISSING_PAYLOAD : IBK_ERR_LIMIT, "m=", 0, "%d formats",
                        count);
    for (int i = 0; i < count && rtp; i++) {
        uint64_t type;
        if (!sip_number_str(osip_list_get(&in->m_payloads, i), 127, &type))
            return ibk_fail(diag, IBK_ERR_BAD_VALUE, "m=", 0, "a payload type that is not 0 to 127");
        for (size_t k = 0; k < media->format_count; k++)
            if (media->format[k].payload_type == (int)type)
                return ibk_fail(diag, IBK_ERR_BAD_VALUE, "m=", 0, "payload type %d twice", (int)type);
        sip_rtpmap *map = &media->format[media->format_count++];
        *map = (sip_rtpmap){(int)type, NULL, 0, 1};
        for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
            if (fixed[k].payload_type == (int)type)
                *map = fixed[k];
    }
    return IBK_OK;
}

static ibk_err read_media(sip_sdp *sdp, sip_media *media, const sdp_media_t *in, ibk_diag *diag) {
    uint64_t port;
    if (!in->m_media || !sip_is_token(in->m_media, strlen(in->m_media)) || !in->m_proto || !in->m_proto[0])
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "m=", 0, "no media type or protocol");
    if (!sip_number_str(in->m_port, 65535, &port))
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "m=", 0, "port out of range");
    media->type = sip_arena_str(&sdp->arena, in->m_media);
    media->proto = sip_arena_str(&sdp->arena, in->m_proto);
    media->port = (uint16_t)port;
    media->direction = sdp->direction;
    ibk_err err = formats(media, in, diag);
    const sdp_connection_t *c = osip_list_get(&in->c_connections, 0);
    if (!err && c)
        err = connection(&sdp->arena, &media->address, c, diag);
    if (!err && !media->address && !sdp->address) // RFC 4566 §5.7
        err = ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "c=", 0, "neither for the media nor for the session");
    level at = {&sdp->arena,
                &media->direction,
                media->key_mgmt,
                &media->key_mgmt_count,
                media->attr,
                &media->attr_count,
                media};
    return err ? err : attributes(&at, &in->a_attributes, diag);
}

static ibk_err read_origin(sip_sdp *sdp, const sdp_message_t *in, ibk_diag *diag) {
    if (!in->v_version || strcmp(in->v_version, "0") != 0)
        return ibk_fail(diag, IBK_ERR_BAD_VERSION, "v=", 0, "not 0");
    if (!in->o_username || !in->o_nettype || strcmp(in->o_nettype, "IN") != 0 || !in->o_addrtype ||
        (strcmp(in->o_addrtype, "IP4") != 0 && strcmp(in->o_addrtype, "IP6") != 0) ||
        !sip_is_host(in->o_addr) || !sip_number_str(in->o_sess_id, INT64_MAX, &sdp->session_id) ||
        !sip_number_str(in->o_sess_version, INT64_MAX, &sdp->session_version))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "o=", 0, "not <user> <id> <version> IN IP4|IP6 <address>");
    if (!in->s_name)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "s=", 0, "mandatory");
    if (osip_list_size(&in->t_descrs) < 1)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "t=", 0, "mandatory");
    sdp->username = sip_arena_str(&sdp->arena, in->o_username);
    sdp->origin = sip_arena_str(&sdp->arena, in->o_addr);
    sdp->name = sip_arena_str(&sdp->arena, in->s_name);
    return IBK_OK;
}

static ibk_err read_all(sip_sdp *sdp, const sdp_message_t *in, ibk_diag *diag) {
    ibk_err err = read_origin(sdp, in, diag);
    if (!err && in->c_connection)
        err = connection(&sdp->arena, &sdp->address, in->c_connection, diag);
    level at = {&sdp->arena, &sdp->direction,  sdp->key_mgmt, &sdp->key_mgmt_count,
                sdp->attr,   &sdp->attr_count, NULL};
    if (!err)
        err = attributes(&at, &in->a_attributes, diag);
    int count = osip_list_size(&in->m_medias);
    if (!err && count > SIP_SDP_MAX_MEDIA)
        err = ibk_fail(diag, IBK_ERR_LIMIT, "m=", 0, "%d streams", count);
    for (int i = 0; !err && i < count; i++)
        err = read_media(sdp, &sdp->media[sdp->media_count++], osip_list_get(&in->m_medias, i), diag);
    return !err && sdp->arena.failed ? IBK_ERR_NO_MEMORY : err;
}

/* Every line is <letter>=<text>, ended by CRLF or LF. */
static ibk_err check_lines(ibk_span text, ibk_diag *diag) {
    if (text.len == 0)
        return ibk_fail(diag, IBK_ERR_TRUNCATED, "v=", 0, "empty");
    if (text.len > SIP_SDP_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, "v=", 0, "%zu octets", text.len);
    for (size_t i = 0; i < text.len;) {
        if (i + 2 > text.len || text.data[i] < 'a' || text.data[i] > 'z' || text.data[i + 1] != '=')
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, "line", i, "not <letter>=<text>");
        while (i < text.len && text.data[i] != '\n') {
            uint8_t c = text.data[i];
            bool cr = c == '\r' && i + 1 < text.len && text.data[i + 1] == '\n';
            if ((c < 0x20 && c != '\t' && !cr) || c == 0x7f)
                return ibk_fail(diag, IBK_ERR_BAD_TEXT, "line", i, "control character 0x%02x", c);
            i++;
        }
        i++;
    }
    return IBK_OK;
}

ibk_err sip_sdp_parse(sip_sdp **out, ibk_span text, ibk_diag *diag) {
    *out = NULL;
    ibk_err err = check_lines(text, diag);
    if (err)
        return err;
    sdp_message_t *in = NULL;
    sip_sdp *sdp = sip_sdp_new();
    char *copy = calloc(1, text.len + sizeof "\r\n" + 1);
    if (sdp && copy && sdp_message_init(&in) == 0) {
        bool ended = text.data[text.len - 1] == '\n';
        // The library wants a last line end, and two zeros: behind an m= line without formats it looks one
        // octet beyond the first.
        memcpy(copy, text.data, text.len);
        strcpy(copy + text.len, ended ? "" : "\r\n");
        err = sdp_message_parse(in, copy) == 0
                  ? read_all(sdp, in, diag)
                  : ibk_fail(diag, IBK_ERR_BAD_TEXT, "line", 0, "not a session description");
    } else {
        err = IBK_ERR_NO_MEMORY;
    }
    sdp_message_free(in);
    free(copy);
    if (err)
        sip_sdp_free(sdp);
    else
        *out = sdp;
    return err;
}
