#include "run/tally.h"
#include "ims/media/rtp.h"
#include "ns3shim/ip.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct call_count {
    char *call_id;
    uint64_t retransmissions, diversions;
    const scn_user *diverted_by;
    struct call_count *next;
} call_count;

struct tally {
    const scn_scenario *scenario;
    void *calls;
    call_count *first;
    uint64_t retransmissions, plaintext;
    struct spoken {
        media_source *source;
        const scn_source *said;
    } * spoken; /* what is said in this scenario, each once */
    size_t spoken_count;
};

/* ---- retransmissions
 * ------------------------------------------------------------------------------------------- */

static int by_call_id(const void *a, const void *b) {
    return strcmp(((const call_count *)a)->call_id, ((const call_count *)b)->call_id);
}

static call_count *count_of(tally *t, ibk_span call_id) {
    char *text = strndup((const char *)call_id.data, call_id.len);
    call_count key = {.call_id = text};
    if (!text)
        return NULL;
    call_count **found = tfind(&key, &t->calls, by_call_id), *count = found ? *found : NULL;
    if (count) {
        free(text);
        return count;
    }
    count = calloc(1, sizeof *count);
    if (!count) {
        free(text);
        return NULL;
    }
    count->call_id = text;
    count->next = t->first;
    t->first = count;
    if (!tsearch(count, &t->calls, by_call_id))
        return NULL;
    return count;
}

static const scn_user *user_of(const tally *t, ibk_span identity) {
    for (size_t i = 0; i < t->scenario->user_count; i++)
        if (ibk_span_equal(identity, ibk_span_str(t->scenario->users[i].identity)))
            return &t->scenario->users[i];
    return NULL;
}

static void count_diversion(tally *t, const trace_event *event) {
    call_count *count = count_of(t, trace_event_text(event, "call"));
    if (!count)
        return;
    count->diversions++;
    count->diverted_by = user_of(t, trace_event_text(event, "user"));
}

void tally_event(void *user, const trace_event *event) {
    tally *t = user;
    if (event->kind == TRACE_STATE && strcmp(event->event, "diverted") == 0)
        count_diversion(t, event);
    if (event->kind != TRACE_SIP || strcmp(event->event, "sent") != 0 ||
        !trace_event_flag(event, "retransmission"))
        return;
    t->retransmissions++;
    ibk_span call = trace_event_text(event, "call");
    call_count *count = call.len ? count_of(t, call) : NULL;
    if (count)
        count->retransmissions++;
}

static const call_count *find_count(const tally *t, const char *call_id) {
    call_count key = {.call_id = (char *)call_id};
    call_count **found = tfind(&key, (void *const *)&t->calls, by_call_id);
    return found ? *found : NULL;
}

uint64_t tally_retransmissions(const tally *t, const char *call_id) {
    const call_count *count = call_id ? find_count(t, call_id) : NULL;
    return !call_id ? t->retransmissions : count ? count->retransmissions : 0;
}

uint64_t tally_diversions(const tally *t, const char *call_id, const scn_user **by) {
    const call_count *count = find_count(t, call_id);
    *by = count ? count->diverted_by : NULL;
    return count ? count->diversions : 0;
}

/* ---- readable media
 * ---------------------------------------------------------------------------------------------- */

static bool same_source(const scn_source *a, const scn_source *b) {
    return a->tone_hz == b->tone_hz &&
           (a->file == b->file || (a->file && b->file && strcmp(a->file, b->file) == 0));
}

static bool add_source(tally *t, const scn_source *said, media_codec codec) {
    for (size_t i = 0; i < t->spoken_count; i++)
        if (media_source_codec(t->spoken[i].source) == codec && same_source(t->spoken[i].said, said))
            return true;
    struct spoken *grown = realloc(t->spoken, (t->spoken_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    t->spoken = grown;
    media_source *source = NULL;
    if (!said->file)
        source = media_source_tone(codec, said->tone_hz);
    else if (media_source_file(&source, codec, said->file, NULL))
        source = NULL;
    t->spoken[t->spoken_count] = (struct spoken){.source = source, .said = said};
    t->spoken_count += source != NULL;
    return source != NULL;
}

tally *tally_new(const scn_scenario *scenario) {
    tally *t = calloc(1, sizeof *t);
    if (t)
        t->scenario = scenario;
    for (size_t i = 0; t && i < scenario->call_count; i++) {
        const scn_media *media = &scenario->calls[i].media;
        if (add_source(t, &media->caller, (media_codec)media->codec) &&
            add_source(t, &media->callee, (media_codec)media->codec))
            continue;
        tally_free(t);
        return NULL;
    }
    return t;
}

void tally_free(tally *t) {
    if (!t)
        return;
    for (call_count *count = t->first, *next; count; count = next) {
        next = count->next;
        tdelete(count, &t->calls, by_call_id);
        free(count->call_id);
        free(count);
    }
    for (size_t i = 0; i < t->spoken_count; i++)
        media_source_free(t->spoken[i].source);
    free(t->spoken);
    free(t);
}

/* The UDP payload of an unfragmented IP packet; empty if it is none. */
static ibk_span udp_payload(const uint8_t *packet, size_t len) {
    n3_ip ip;
    n3_datagram d;
    if (!n3_ip_read(&ip, packet, len) || n3_ip_is_fragment(&ip) || !n3_datagram_read(&d, &ip))
        return (ibk_span){0};
    return ibk_span_of(d.data, d.len);
}

bool tally_is_speech(const tally *t, ibk_span packet) {
    uint8_t frame[MEDIA_FRAME_MAX];
    rtp_header rtp;
    if (!rtp_read(&rtp, packet.data, packet.len) || packet.len < RTP_HEADER_LEN + 80)
        return false;
    enum { COMPARED = 80 }; /* 10 ms: by chance equal once in 2^640 */
    for (size_t i = 0; i < t->spoken_count; i++) {
        media_source_read(t->spoken[i].source, rtp.timestamp, frame, COMPARED);
        if (memcmp(frame, packet.data + RTP_HEADER_LEN, COMPARED) == 0)
            return true;
    }
    return false;
}

bool tally_packet(tally *t, const uint8_t *packet, size_t len) {
    bool readable = tally_is_speech(t, udp_payload(packet, len));
    t->plaintext += readable;
    return readable;
}

uint64_t tally_plaintext(const tally *t) {
    return t->plaintext;
}
