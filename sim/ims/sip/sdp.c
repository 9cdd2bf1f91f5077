/* Session descriptions: life, writing, offer and answer. Reading: sdp_parse.c. */
#include "ims/sip/sdp.h"
#include "ims/sip/put.h"

#include <stdlib.h>
#include <strings.h>

sip_sdp *sip_sdp_new(void) {
    return calloc(1, sizeof(sip_sdp));
}

void sip_sdp_free(sip_sdp *sdp) {
    if (!sdp)
        return;
    sip_arena_free(&sdp->arena);
    free(sdp);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static const char *const direction_name[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

static void put_address(sip_put *put, const char *prefix, const char *address) {
    put_raw(put, prefix);
    put_raw(put, strchr(address, ':') ? "IN IP6 " : "IN IP4 ");
    put_text(put, address);
    put_raw(put, "\r\n");
}

static void put_attributes(sip_put *put, const sip_key_mgmt *key, size_t keys, const sip_attr *attr,
                           size_t attrs) {
    for (size_t i = 0; i < keys; i++) {
        put_raw(put, "a=key-mgmt:");
        put_text(put, key[i].protocol);
        put_raw(put, " ");
        put_text(put, key[i].data);
        put_raw(put, "\r\n");
    }
    for (size_t i = 0; i < attrs; i++) {
        put_raw(put, "a=");
        put_text(put, attr[i].name);
        put_raw(put, attr[i].value ? ":" : "");
        put_text(put, attr[i].value);
        put_raw(put, "\r\n");
    }
}

static void put_formats(sip_put *put, const sip_media *media) {
    for (size_t i = 0; i < media->format_count; i++) {
        put_raw(put, " ");
        put_u64(put, (uint64_t)media->format[i].payload_type);
    }
    if (media->format_count == 0)
        put_raw(put, " 0");
    put_raw(put, "\r\n");
}

static void put_rtpmaps(sip_put *put, const sip_media *media) {
    for (size_t i = 0; i < media->format_count; i++) {
        const sip_rtpmap *map = &media->format[i];
        if (!map->encoding)
            continue;
        put_raw(put, "a=rtpmap:");
        put_u64(put, (uint64_t)map->payload_type);
        put_raw(put, " ");
        put_text(put, map->encoding);
        put_raw(put, "/");
        put_u64(put, map->clock);
        if (map->channels > 1) {
            put_raw(put, "/");
            put_u64(put, map->channels);
        }
        put_raw(put, "\r\n");
    }
}

static void put_media(sip_put *put, const sip_media *media, sip_direction session) {
    put_raw(put, "m=");
    put_text(put, media->type);
    put_raw(put, " ");
    put_u64(put, media->port);
    put_raw(put, " ");
    put_text(put, media->proto);
    put_formats(put, media);
    if (media->address)
        put_address(put, "c=", media->address);
    put_rtpmaps(put, media);
    if (media->ptime_ms) {
        put_raw(put, "a=ptime:");
        put_u64(put, media->ptime_ms);
        put_raw(put, "\r\n");
    }
    if (media->direction != session) {
        put_raw(put, "a=");
        put_raw(put, direction_name[media->direction]);
        put_raw(put, "\r\n");
    }
    put_attributes(put, media->key_mgmt, media->key_mgmt_count, media->attr, media->attr_count);
}

ibk_err sip_sdp_encode(ibk_buf *out, const sip_sdp *sdp) {
    sip_put put = {.buf = out, .err = sdp->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK};
    put_raw(&put, "v=0\r\no=");
    put_text(&put, sdp->username ? sdp->username : "-");
    put_raw(&put, " ");
    put_u64(&put, sdp->session_id);
    put_raw(&put, " ");
    put_u64(&put, sdp->session_version);
    put_address(&put, " ", sdp->origin);
    put_raw(&put, "s=");
    put_text(&put, sdp->name && sdp->name[0] ? sdp->name : "-");
    put_raw(&put, "\r\n");
    if (sdp->address)
        put_address(&put, "c=", sdp->address);
    put_raw(&put, "t=0 0\r\n");
    if (sdp->direction != SIP_SENDRECV) {
        put_raw(&put, "a=");
        put_raw(&put, direction_name[sdp->direction]);
        put_raw(&put, "\r\n");
    }
    put_attributes(&put, sdp->key_mgmt, sdp->key_mgmt_count, sdp->attr, sdp->attr_count);
    for (size_t i = 0; i < sdp->media_count; i++)
        put_media(&put, &sdp->media[i], sdp->direction);
    return put.err;
}

/* ---- key management: RFC 4567 ---------------------------------------------------------------------------
 */

static const char *find_key(const sip_key_mgmt *key, size_t count, const char *protocol) {
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(key[i].protocol, protocol) == 0)
            return key[i].data;
    return NULL;
}

const char *sip_sdp_key_mgmt(const sip_sdp *sdp, size_t index, const char *protocol) {
    const char *own = NULL;
    if (index < sdp->media_count)
        own = find_key(sdp->media[index].key_mgmt, sdp->media[index].key_mgmt_count, protocol);
    return own ? own : find_key(sdp->key_mgmt, sdp->key_mgmt_count, protocol);
}

ibk_err sip_sdp_set_key_mgmt(sip_sdp *sdp, size_t index, const char *protocol, const char *data) {
    if (index != SIZE_MAX && index >= sdp->media_count)
        return IBK_ERR_USAGE;
    sip_key_mgmt *key = index == SIZE_MAX ? sdp->key_mgmt : sdp->media[index].key_mgmt;
    size_t *count = index == SIZE_MAX ? &sdp->key_mgmt_count : &sdp->media[index].key_mgmt_count;
    size_t at = 0;
    while (at < *count && strcasecmp(key[at].protocol, protocol) != 0)
        at++;
    if (at == SIP_SDP_MAX_KEY_MGMT)
        return IBK_ERR_LIMIT;
    key[at] = (sip_key_mgmt){sip_arena_str(&sdp->arena, protocol), sip_arena_str(&sdp->arena, data)};
    if (at == *count)
        ++*count;
    return sdp->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

bool sip_sdp_address(const sip_sdp *sdp, size_t index, sip_addr *out) {
    *out = (sip_addr){0};
    if (index >= sdp->media_count || sdp->media[index].port == 0)
        return false;
    const char *address = sdp->media[index].address ? sdp->media[index].address : sdp->address;
    return sip_addr_parse(out, address, sdp->media[index].port);
}

/* ---- offer and answer: RFC 3264 ---------------------------------------------------------------------------
 */

static sip_sdp *frame(const sip_sdp_params *params) {
    char ip[SIP_TEXT_ADDR_MAX];
    sip_sdp *sdp = sip_sdp_new();
    if (!sdp)
        return NULL;
    sip_addr_ip(ip, &params->local);
    sdp->username = "-";
    sdp->name = "-";
    sdp->origin = sdp->address = sip_arena_str(&sdp->arena, ip);
    sdp->session_id = params->session_id;
    sdp->session_version = params->session_version;
    if (params->key_mgmt)
        (void)sip_sdp_set_key_mgmt(sdp, SIZE_MAX, "mikey", params->key_mgmt);
    return sdp;
}

static void copy_format(sip_arena *arena, sip_rtpmap *out, const sip_rtpmap *in) {
    *out = *in;
    out->encoding = sip_arena_str(arena, in->encoding);
}

static ibk_err finished(sip_sdp **out, sip_sdp *sdp, ibk_err err) {
    if (!err && sdp->arena.failed)
        err = IBK_ERR_NO_MEMORY;
    if (err)
        sip_sdp_free(sdp);
    else
        *out = sdp;
    return err;
}

static bool params_sound(const sip_sdp_params *params) {
    bool sound =
        params->local.family && params->stream_count >= 1 && params->stream_count <= SIP_SDP_MAX_MEDIA;
    for (size_t i = 0; sound && i < params->stream_count; i++) {
        const sip_sdp_stream *stream = &params->streams[i];
        sound = stream->type && stream->proto && stream->format_count <= SIP_SDP_MAX_FORMATS;
    }
    return sound;
}

static sip_media *add_media(sip_sdp *sdp, const sip_sdp_stream *stream, size_t index) {
    sip_media *media = &sdp->media[index];
    media->type = sip_arena_str(&sdp->arena, stream->type);
    media->port = stream->port;
    media->proto = sip_arena_str(&sdp->arena, stream->proto);
    media->ptime_ms = stream->ptime_ms;
    media->direction = stream->direction;
    sdp->media_count = sdp->media_count > index ? sdp->media_count : index + 1;
    if (stream->key_mgmt)
        (void)sip_sdp_set_key_mgmt(sdp, index, "mikey", stream->key_mgmt);
    return media;
}

ibk_err sip_sdp_offer(sip_sdp **out, const sip_sdp_params *params) {
    *out = NULL;
    if (!params_sound(params))
        return IBK_ERR_USAGE;
    sip_sdp *sdp = frame(params);
    if (!sdp)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < params->stream_count; i++) {
        const sip_sdp_stream *stream = &params->streams[i];
        sip_media *media = add_media(sdp, stream, i);
        if (stream->format_count == 0)
            return finished(out, sdp, IBK_ERR_USAGE);
        for (size_t k = 0; k < stream->format_count; k++)
            copy_format(&sdp->arena, &media->format[media->format_count++], &stream->format[k]);
    }
    return finished(out, sdp, IBK_OK);
}

static bool same_format(const sip_rtpmap *a, const sip_rtpmap *b) {
    if (a->encoding && b->encoding)
        return strcasecmp(a->encoding, b->encoding) == 0 && a->clock == b->clock &&
               a->channels == b->channels;
    return a->payload_type == b->payload_type;
}

/* What the offerer only sends we only receive, and so on; our own wish may close it further. */
static sip_direction mirrored(sip_direction offered, sip_direction wanted) {
    bool we_send = sip_direction_receives(offered) && sip_direction_sends(wanted);
    bool we_receive = sip_direction_sends(offered) && sip_direction_receives(wanted);
    return we_send ? (we_receive ? SIP_SENDRECV : SIP_SENDONLY) : we_receive ? SIP_RECVONLY : SIP_INACTIVE;
}

/* The formats of an m-line that a stream has as well, in the offer's order and with its numbers (RFC 3264
 * §6.1). */
static size_t common_formats(const sip_media *offered, const sip_sdp_stream *stream,
                             sip_rtpmap out[SIP_SDP_MAX_FORMATS]) {
    size_t count = 0;
    for (size_t i = 0; i < offered->format_count; i++)
        for (size_t k = 0; k < stream->format_count; k++)
            if (same_format(&offered->format[i], &stream->format[k])) {
                out[count++] = offered->format[i];
                break;
            }
    return count;
}

static bool fits(const sip_media *offered, const sip_sdp_stream *stream) {
    sip_rtpmap common[SIP_SDP_MAX_FORMATS];
    return offered->port != 0 && strcmp(offered->type, stream->type) == 0 &&
           strcmp(offered->proto, stream->proto) == 0 && common_formats(offered, stream, common) > 0;
}

void sip_sdp_match(const sip_sdp *offer, const sip_sdp_stream *streams, size_t count, size_t line[]) {
    bool used[SIP_SDP_MAX_MEDIA] = {false};
    for (size_t k = 0; k < count; k++)
        if (streams[k].line && streams[k].line <= offer->media_count)
            used[streams[k].line - 1] = true;
    for (size_t k = 0; k < count; k++) {
        line[k] = 0;
        for (size_t i = 0; i < offer->media_count && !line[k]; i++)
            if ((streams[k].line ? streams[k].line == i + 1 : !used[i]) &&
                fits(&offer->media[i], &streams[k])) {
                line[k] = i + 1;
                used[i] = true;
            }
    }
}

static void accept_stream(sip_sdp *sdp, size_t index, const sip_media *offered,
                          const sip_sdp_stream *stream) {
    sip_rtpmap common[SIP_SDP_MAX_FORMATS];
    size_t count = common_formats(offered, stream, common);
    sip_media *media = add_media(sdp, stream, index);
    media->direction = mirrored(offered->direction, stream->direction);
    for (size_t i = 0; i < count; i++)
        copy_format(&sdp->arena, &media->format[media->format_count++], &common[i]);
}

static void refuse_stream(sip_sdp *sdp, size_t index, const sip_media *offered) {
    sip_media *media = &sdp->media[index];
    media->type = sip_arena_str(&sdp->arena, offered->type);
    media->proto = sip_arena_str(&sdp->arena, offered->proto);
    if (offered->format_count)
        copy_format(&sdp->arena, &media->format[media->format_count++], &offered->format[0]);
}

ibk_err sip_sdp_answer(sip_sdp **out, const sip_sdp *offer, const sip_sdp_params *params) {
    *out = NULL;
    if (!params_sound(params))
        return IBK_ERR_USAGE;
    sip_sdp *sdp = frame(params);
    if (!sdp)
        return IBK_ERR_NO_MEMORY;
    size_t line[SIP_SDP_MAX_MEDIA];
    bool accepted = false;
    sip_sdp_match(offer, params->streams, params->stream_count, line);
    for (size_t i = 0; i < offer->media_count; i++) {
        size_t k = 0;
        while (k < params->stream_count && (line[k] != i + 1 || params->streams[k].port == 0))
            k++;
        if (k < params->stream_count)
            accept_stream(sdp, i, &offer->media[i], &params->streams[k]);
        else
            refuse_stream(sdp, i, &offer->media[i]);
        accepted |= k < params->stream_count;
        sdp->media_count = i + 1;
    }
    return finished(out, sdp, accepted ? IBK_OK : IBK_ERR_MISMATCH);
}
