/* Deviations of the header (RFC 3830 §6.1, RFC 6267 §6.1). */
#include "peer/knob.h"

#define N(array) (sizeof(array) / sizeof *(array))

/* One crypto session more (value 1) or less (-1) than there was, in #CS and map alike. */
static bool bend_sessions(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    size_t len = px_span(&d->map).len;
    if (d->map_type != PX_MAP_SRTP || d->n_cs == 0)
        return false;
    d->n_cs = (uint8_t)(d->n_cs + k->value);
    d->map.err = ibk_buf_resize(&d->map.buf, len + (size_t)(9 * k->value));
    return true;
}

static bool bend_to_empty_map(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    if (d->map_type == PX_MAP_EMPTY)
        return false;
    d->map_type = PX_MAP_EMPTY;
    px_clear(&d->map);
    return true;
}

/* Octet `at` of the map, XOR value; of SRTP-ID alone, whose entries begin with policy number and SSRC. */
static bool bend_map(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    if (d->map_type != PX_MAP_SRTP || px_span(&d->map).len <= (size_t)k->at)
        return false;
    d->map.buf.data[k->at] ^= (uint8_t)k->value;
    return true;
}

/* The SSRC in the session data of the first entry of a GENERIC-ID map (RFC 6043 §6.1.1). */
static bool bend_session_data(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    ibk_span map = px_span(&d->map);
    size_t ssrc = map.len > 3 ? 3 + (size_t)(map.data[2] & 0x7F) + 2 : 0;
    if (d->map_type != PX_MAP_GENERIC || ssrc == 0 || map.len < ssrc + 4)
        return false;
    d->map.buf.data[ssrc + 3] ^= (uint8_t)k->value;
    return true;
}

static bool bend_first_payload(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    d->next = k->value;
    return true;
}

#define LATER    (PX_OF(PX_I2) | PX_OF(PX_I2D) | PX_OF(PX_R2) | PX_OF(PX_R2D) | PX_OF(PX_U2))
#define WITH_MAP (PX_EXCHANGE | PX_UPDATES)
#define AWAITS   (PX_OF(PX_I1) | PX_OF(PX_I2) | PX_OF(PX_I2D) | PX_OF(PX_U1) | PX_REQUESTS)
#define ENDS     (PX_OF(PX_R2) | PX_OF(PX_R2D))

static const px_knob knobs[] = {
    {"version-2", "the version is 2", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 0, 3, PX_ALL, "@hdr",
     PX_REFUSE},
    {"version-0", "the version is 0", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 0, 1,
     PX_OF(PX_I1) | PX_OF(PX_QPSK), "@hdr", PX_REFUSE},
    {"data-type-unknown", "the data type is none that is registered", PX_AT_CONTENT, px_bend_header,
     PX_NOWHERE, 1, 0x60, PX_ALL, "@parse", PX_REFUSE},
    {"data-type-psk", "the data type is that of the pre-shared key method of RFC 3830", PX_AT_CONTENT,
     px_bend_header, PX_NOWHERE, 1, 22, PX_OF(PX_I1), "@parse", PX_REFUSE},
    {"prf-unknown", "the PRF is none that is registered", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3, 0x7E,
     PX_ALL, "@hdr", PX_REFUSE},
    {"prf-changed", "the PRF is another than before", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3, 1,
     PX_ANSWERS | PX_OF(PX_U1), "@hdr", PX_REFUSE},
    {"v-flag-0", "the V flag is 0 though an answer is awaited", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3,
     PX_V_FLAG, AWAITS, "6267-85 @flag", PX_TAKE},
    {"v-flag-0", "the V flag is 0", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3, PX_V_FLAG,
     PX_OF(PX_R1) | PX_OF(PX_R1D), "@flag", PX_EITHER},
    {"v-flag-1", "the V flag is 1", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3, PX_V_FLAG, ENDS,
     "6267-62 @flag", PX_TAKE},
    {"v-flag-1", "the V flag is 1", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3, PX_V_FLAG, PX_OF(PX_U2),
     "@flag", PX_TAKE},
    {"v-flag-1", "the V flag is 1", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 3, PX_V_FLAG, PX_OF(PX_RESP),
     "6267-20 @flag", PX_TAKE},
    {"csb-id-changed", "the CSB ID is another than before", PX_AT_CONTENT, px_bend_csb, PX_NOWHERE, 0, 0x40,
     PX_ANSWERS, "@hdr", PX_REFUSE},
    {"csb-id-changed", "the CSB ID is another than that of the initial exchange", PX_AT_CONTENT, px_bend_csb,
     PX_NOWHERE, 0, 0x40, PX_OF(PX_U1), "6267-74 3830-27", PX_REFUSE},
    {"cs-count-only", "#CS is greater by one, the map is not", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 8,
     1, PX_OF(PX_I1) | PX_OF(PX_R1), "@hdr @parse", PX_REFUSE},
    {"cs-added", "there is a crypto session more than before", PX_AT_CONTENT, bend_sessions, PX_NOWHERE, 0, 1,
     PX_OF(PX_R1) | PX_OF(PX_R1D) | LATER, "@hdr", PX_REFUSE},
    {"cs-removed", "there is a crypto session less than before", PX_AT_CONTENT, bend_sessions, PX_NOWHERE, 0,
     -1, PX_OF(PX_R1) | PX_OF(PX_R1D) | LATER, "@hdr", PX_REFUSE},
    {"cs-removed", "there is a crypto session less than before", PX_AT_CONTENT, bend_sessions, PX_NOWHERE, 0,
     -1, PX_OF(PX_U1), "P-33 @hdr", PX_REFUSE},
    {"cs-count-1", "#CS of the key request is 1", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 8, 1,
     PX_REQUESTS, "6267-6 6267-86 6267-5", PX_REFUSE},
    {"cs-count-1", "#CS is 1", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 8, 1, PX_OF(PX_RESP),
     "@hdr 6267-86", PX_REFUSE},
    {"map-type-unknown", "the CS ID map type is none that is registered", PX_AT_CONTENT, px_bend_header,
     PX_NOWHERE, 9, 0x70, PX_ALL, "@parse", PX_REFUSE},
    {"map-type-srtp", "the map of the key request is that for SRTP", PX_AT_CONTENT, px_bend_header,
     PX_NOWHERE, 9, 1, PX_REQUESTS, "6267-89 6267-88 6267-7", PX_REFUSE},
    {"map-type-srtp", "the map is that for SRTP", PX_AT_CONTENT, px_bend_header, PX_NOWHERE, 9, 1,
     PX_OF(PX_RESP), "@hdr 6267-88", PX_REFUSE},
    {"map-emptied", "the map is the Empty map, which it was not before", PX_AT_CONTENT, bend_to_empty_map,
     PX_NOWHERE, 0, 0, PX_OF(PX_R1) | PX_OF(PX_R1D) | LATER | PX_OF(PX_U1), "@hdr", PX_REFUSE},
    {"ssrc-changed", "the SSRC of a crypto session is another", PX_AT_CONTENT, bend_map, PX_NOWHERE, 4, 0x55,
     PX_OF(PX_R1) | PX_OF(PX_R1D) | LATER, "3830-49", PX_REFUSE},
    {"ssrc-changed", "the SSRC of a crypto session is another", PX_AT_CONTENT, bend_map, PX_NOWHERE, 4, 0x55,
     PX_OF(PX_U1), "P-33", PX_REFUSE},
    {"policy-changed", "a crypto session has another policy number", PX_AT_CONTENT, bend_map, PX_NOWHERE, 0,
     0x40, PX_OF(PX_R1) | PX_OF(PX_R1D) | LATER, "3830-69 @hdr", PX_REFUSE},
    {"policy-changed", "a crypto session has another policy number", PX_AT_CONTENT, bend_map, PX_NOWHERE, 0,
     0x40, PX_OF(PX_U1), "P-33", PX_REFUSE},
    {"policy-other-offered", "a crypto session has the number of another policy of the offer", PX_AT_CONTENT,
     bend_map, PX_NOWHERE, 0, 1, PX_OF(PX_R1) | PX_OF(PX_R1D) | LATER, "P-14 @hdr 3830-69", PX_REFUSE},
    {"generic-ssrc-changed", "the SSRC in session data is another than that of the offer", PX_AT_CONTENT,
     bend_session_data, PX_NOWHERE, 0, 0x55, PX_OF(PX_R1), "6043-6 3830-49 6267-37", PX_REFUSE},
    {"policy-without-sp", "a crypto session has a policy number that no SP has", PX_AT_CONTENT, bend_map,
     PX_NOWHERE, 0, 0x40, PX_OF(PX_I1), "3830-69", PX_REFUSE},
    {"first-payload-unknown", "the header says that a payload of an unknown type follows", PX_AT_CONTENT,
     bend_first_payload, PX_NOWHERE, 0, 99, PX_ALL, "@parse", PX_REFUSE},
    {"first-payload-wrong", "the header says that IDR follows where T does", PX_AT_CONTENT,
     bend_first_payload, PX_NOWHERE, 0, PX_IDR, PX_ALL, "@parse", PX_REFUSE},
    {"no-payloads", "the header says that nothing follows", PX_AT_CONTENT, bend_first_payload, PX_NOWHERE, 0,
     PX_LAST, PX_ALL, "@parse", PX_REFUSE},
};

const px_table px_knobs_header = {knobs, N(knobs)};
