#include "ims/media/content.h"

#include <stdlib.h>

/* ---- packets on the shelf ------------------------------------------------------------------------------ */

ibk_err content_store_add(content_store *store, ibk_span packet) {
    if (store->count >= CONTENT_MAX_PACKETS || packet.len == 0 || packet.len > MEDIA_PACKET_MAX)
        return IBK_ERR_LIMIT;
    if (!IBK_ROOM(store->ends, store->count, store->cap))
        return IBK_ERR_NO_MEMORY;
    ibk_err err = ibk_buf_append_span(&store->octets, packet);
    if (!err)
        store->ends[store->count++] = store->octets.len;
    return err;
}

ibk_span content_store_at(const content_store *store, size_t index) {
    if (index >= store->count)
        return (ibk_span){0};
    size_t begin = index ? store->ends[index - 1] : 0;
    return ibk_span_of(store->octets.data + begin, store->ends[index] - begin);
}

void content_store_free(content_store *store) {
    ibk_buf_free(&store->octets);
    free(store->ends);
    *store = (content_store){0};
}

/* ---- under SK ------------------------------------------------------------------------------------------ */

ibk_err content_keys(media_keys *keys, ibk_span sk) {
    return ibk_sk_keys(sk, CONTENT_CS_ID, keys->key, sizeof keys->key, keys->salt, sizeof keys->salt);
}

ibk_err content_stream_new(media_stream **out, const media_keys *keys, const media_config *shape) {
    media_config config = *shape;
    config.send_keys = config.receive_keys = keys;
    config.tag_len = 0;
    config.content = NULL; /* content holds no content */
    return media_stream_new(out, &config);
}

ibk_err content_encode(content_store *store, ibk_span sk, const media_config *shape, size_t packets) {
    media_stream *stream = NULL;
    media_keys keys;
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    ibk_err err = content_keys(&keys, sk);
    if (!err)
        err = content_stream_new(&stream, &keys, shape);
    ibk_wipe(&keys, sizeof keys);
    for (size_t i = 0; !err && i < packets; i++) {
        err = media_stream_send(stream, packet, &len);
        if (!err)
            err = content_store_add(store, ibk_span_of(packet, len));
    }
    media_stream_free(stream);
    return err;
}

media_verdict content_open(media_stream *stream, ibk_span packet, ibk_err *why) {
    media_stats before = *media_stream_stats(stream);
    const media_stats *after = media_stream_stats(stream);
    *why = media_stream_receive(stream, 0, packet.data, packet.len);
    if (*why)
        return MEDIA_REFUSED;
    if (after->compared == before.compared)
        return MEDIA_UNREAD;
    return after->mismatches > before.mismatches ? MEDIA_OTHER : MEDIA_SAME;
}
