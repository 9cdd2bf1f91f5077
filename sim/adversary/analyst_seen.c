/* From what a tap has shown to what an analyst records. */
#include "adversary/analyst_internal.h"
#include "adversary/seen.h"
#include "ims/address.h"
#include "ims/sip/sdp.h"
#include "kms/xml_request.h"

/* An SDP that is seen tells to which call the packets for its addresses belong. */
static void note_place(analyst *a, const sip_addr *where, const scn_call *call) {
    n3_endpoint to = ims_endpoint(where);
    for (size_t i = 0; i < AN_PLACES && i < a->place_count; i++)
        if (a->places[i].call == call && n3_endpoint_equal(&a->places[i].to, &to))
            return;
    a->places[a->place_count++ % AN_PLACES] = (an_place){.to = to, .call = call};
}

static void note_description(analyst *a, const seen *s) {
    sip_sdp *sdp = NULL;
    sip_addr where;
    if (sip_sdp_parse(&sdp, seen_octets(s, s->body), NULL) == IBK_OK)
        for (size_t i = 0; i < sdp->media_count; i++)
            if (sip_sdp_address(sdp, i, &where))
                note_place(a, &where, s->call);
    sip_sdp_free(sdp);
}

/* A private key that a KMS sends without TLS, which RFC 5408 forbids: it is read, and of use from now
 * on. */
static void take_key_reply(analyst *a, const seen *s) {
    ibe_response response = {0};
    ibk_key_reply reply;
    wallet_origin origin = wallet_from(LEDGER_RECEIVED, s->message->now_ns, "sent in clear by RFC 5408");
    if (ibe_response_read(&response, seen_octets(s, s->body), NULL) == IBK_OK && response.key.len &&
        ibk_key_reply_parse(&reply, ibk_buf_span(&response.key), NULL) == IBK_OK)
        (void)wallet_add_key_der(a->config.wallet, NULL, reply.identity.data, reply.key, &origin);
    ibe_response_free(&response);
}

void analyst_mikey(analyst *a, const seen *s) {
    if (s->http && !s->request && !s->has_mikey && s->body.len)
        take_key_reply(a, s);
    if (s->sip && s->sdp && s->call)
        note_description(a, s);
    if (s->has_mikey) {
        analyst_message message = {
            .at_ns = s->message->now_ns, .octets = ibk_buf_span(&s->mikey), .call = s->call};
        analyst_add_message(a, &message);
    }
}

/* The latest description counts: ports are used again. */
static const scn_call *call_at(const analyst *a, const n3_endpoint *to) {
    size_t known = a->place_count < AN_PLACES ? a->place_count : AN_PLACES;
    for (size_t back = 1; back <= known; back++) {
        const an_place *p = &a->places[(a->place_count - back) % AN_PLACES];
        if (n3_endpoint_equal(&p->to, to))
            return p->call;
    }
    return NULL;
}

void analyst_media(analyst *a, const tap_message *message) {
    if (message->kind != TAP_MEDIA)
        return;
    const scn_call *call = call_at(a, &message->to);
    analyst_packet packet = {.at_ns = message->now_ns,
                             .octets = message->octets,
                             .call = call ? call : call_at(a, &message->from)};
    analyst_add_packet(a, &packet);
}
