#include "ims/core/cx_codec.h"

#include <stdio.h>
#include <string.h>

enum { NO_STATE_MAINTAINED = 1 };

static void put_application(diameter_writer *w) {
    diameter_open(w, AVP_VENDOR_SPECIFIC_APPLICATION_ID);
    diameter_put_u32(w, AVP_VENDOR_ID, DIAMETER_VENDOR_3GPP);
    diameter_put_u32(w, AVP_AUTH_APPLICATION_ID, CX_APPLICATION_ID);
    diameter_close(w);
}

static void put_origin(diameter_writer *w, const cx_ends *ends) {
    diameter_put_text(w, AVP_ORIGIN_HOST, ends->origin);
    diameter_put_text(w, AVP_ORIGIN_REALM, ends->realm);
}

static void put_auth_item(diameter_writer *w) {
    diameter_put_u32(w, AVP_SIP_NUMBER_AUTH_ITEMS, 1);
    diameter_open(w, AVP_SIP_AUTH_DATA_ITEM);
    diameter_put_text(w, AVP_SIP_AUTHENTICATION_SCHEME, "SIP Digest"); /* TS 29.229 §6.3.9 */
    diameter_close(w);
}

ibk_err cx_write_question(ibk_buf *out, const cx_ends *ends, const cx_request *request, uint32_t id) {
    diameter_header header = {.request = true,
                              .proxiable = true,
                              .command = request->command,
                              .application = CX_APPLICATION_ID,
                              .hop_by_hop = id,
                              .end_to_end = id};
    diameter_writer w;
    char session[CX_TEXT_MAX + 32];
    snprintf(session, sizeof session, "%.200s;0;%u", ends->origin, id); /* RFC 6733 §8.8 */
    diameter_begin(&w, out, &header);
    diameter_put_text(&w, AVP_SESSION_ID, session);
    put_application(&w);
    diameter_put_u32(&w, AVP_AUTH_SESSION_STATE, NO_STATE_MAINTAINED);
    put_origin(&w, ends);
    diameter_put_text(&w, AVP_DESTINATION_REALM, ends->realm);
    diameter_put_text(&w, AVP_DESTINATION_HOST, ends->destination);
    diameter_put_text(&w, AVP_USER_NAME, request->impi);
    diameter_put_text(&w, AVP_PUBLIC_IDENTITY, request->impu);
    diameter_put_text(&w, AVP_VISITED_NETWORK_IDENTIFIER, request->visited);
    diameter_put_text(&w, AVP_SERVER_NAME, request->server);
    if (request->command == DIAMETER_MAR)
        put_auth_item(&w);
    if (request->command == DIAMETER_SAR) {
        diameter_put_u32(&w, AVP_SERVER_ASSIGNMENT_TYPE, request->assignment);
        /* a refresh and a deregistration need no profile: TS 29.228 §6.1.2.1 */
        bool known = request->assignment != CX_REGISTRATION && request->assignment != CX_UNREGISTERED_USER;
        diameter_put_u32(&w, AVP_USER_DATA_ALREADY_AVAILABLE, known);
    }
    return diameter_end(&w);
}

/* SIP-Auth-Data-Item { SIP-Digest-Authenticate { Digest-Realm, Digest-HA1 } } */
static void read_digest(cx_answer *out, const diameter_message *message) {
    diameter_avp item[DIAMETER_MAX_AVPS], digest[DIAMETER_MAX_AVPS];
    size_t items, digests;
    const diameter_avp *group = diameter_find(message->avp, message->avp_count, AVP_SIP_AUTH_DATA_ITEM);
    if (!group || diameter_group(item, &items, group->data, NULL))
        return;
    group = diameter_find(item, items, AVP_SIP_DIGEST_AUTHENTICATE);
    if (!group || diameter_group(digest, &digests, group->data, NULL))
        return;
    if (!diameter_text(digest, digests, AVP_DIGEST_REALM, out->realm, sizeof out->realm) ||
        !diameter_text(digest, digests, AVP_DIGEST_HA1, out->ha1, sizeof out->ha1))
        out->realm[0] = out->ha1[0] = 0;
}

/* ---- User-Data ------------------------------------------------------------------------------------------
 */

static ibk_err put_xml(ibk_buf *out, const char *text) {
    return ibk_buf_append(out, text, strlen(text));
}

/* Identities hold no '<' nor '>' (RFC 3261 §25.1). */
static ibk_err put_element(ibk_buf *out, const char *open, const char *text, const char *close) {
    ibk_err err = put_xml(out, open);
    for (; !err && *text; text++)
        err = *text == '&' ? put_xml(out, "&amp;") : ibk_buf_append(out, text, 1);
    return err ? err : put_xml(out, close);
}

ibk_err cx_write_profile(ibk_buf *out, const char *impi, const char *const *identities, size_t n) {
    ibk_err err = put_element(out, "<?xml version=\"1.0\"?><IMSSubscription><PrivateID>", impi,
                              "</PrivateID><ServiceProfile>");
    for (size_t i = 0; !err && i < n; i++)
        err = put_element(out, "<PublicIdentity><Identity>", identities[i], "</Identity></PublicIdentity>");
    return err ? err : put_xml(out, "</ServiceProfile></IMSSubscription>");
}

static const uint8_t *find_text(const uint8_t *from, const uint8_t *end, const char *text) {
    size_t len = strlen(text);
    for (; (size_t)(end - from) >= len; from++)
        if (memcmp(from, text, len) == 0)
            return from;
    return NULL;
}

/* One identity without its entities; false: too long. */
static bool take_identity(char out[CX_TEXT_MAX], const uint8_t *from, const uint8_t *end) {
    static const char amp[] = "&amp;";
    size_t len = 0;
    while (from < end && len < CX_TEXT_MAX - 1) {
        bool entity = (size_t)(end - from) >= sizeof amp - 1 && memcmp(from, amp, sizeof amp - 1) == 0;
        out[len++] = (char)*from;
        from += entity ? sizeof amp - 1 : 1;
    }
    out[len] = 0;
    return from == end && len > 0 && strlen(out) == len;
}

static void read_profile(cx_answer *out, const diameter_message *message) {
    static const char open[] = "<Identity>", close[] = "</Identity>";
    const diameter_avp *data = diameter_find(message->avp, message->avp_count, AVP_USER_DATA);
    if (!data)
        return;
    const uint8_t *at = data->data.data, *end = at + data->data.len;
    while (out->identity_count < CX_IDENTITIES_MAX && (at = find_text(at, end, open)) != NULL) {
        const uint8_t *stop = find_text(at += sizeof open - 1, end, close);
        if (!stop || !take_identity(out->identities[out->identity_count], at, stop))
            return;
        out->identity_count++;
        at = stop;
    }
}

void cx_read_answer(cx_answer *out, const diameter_message *message) {
    *out = (cx_answer){.result = diameter_result(message)};
    out->ok = out->result == DIAMETER_SUCCESS || out->result == CX_SUBSEQUENT_REGISTRATION ||
              out->result == CX_UNREGISTERED_SERVICE;
    if (!diameter_text(message->avp, message->avp_count, AVP_SERVER_NAME, out->server, sizeof out->server))
        out->server[0] = 0;
    read_digest(out, message);
    read_profile(out, message);
}

ibk_err cx_write_capabilities(ibk_buf *out, const cx_ends *ends, const diameter_header *request) {
    diameter_header header = {.request = !request, .command = DIAMETER_CER};
    uint8_t address[18] = {0, ends->address.family == 6 ? 2 : 1}; /* AddressType, RFC 6733 §4.3.1 */
    size_t address_len = ends->address.family == 6 ? 16 : 4;
    diameter_writer w;
    if (request) {
        header.hop_by_hop = request->hop_by_hop;
        header.end_to_end = request->end_to_end;
    }
    for (size_t i = 0; i < address_len; i++)
        address[2 + i] = ends->address.octets[i];
    diameter_begin(&w, out, &header);
    if (request)
        diameter_put_u32(&w, AVP_RESULT_CODE, DIAMETER_SUCCESS);
    put_origin(&w, ends);
    diameter_put(&w, AVP_HOST_IP_ADDRESS, ibk_span_of(address, 2 + address_len));
    diameter_put_u32(&w, AVP_VENDOR_ID, 0);
    diameter_put_text(&w, AVP_PRODUCT_NAME, "ibakelab");
    diameter_put_u32(&w, AVP_SUPPORTED_VENDOR_ID, DIAMETER_VENDOR_3GPP);
    put_application(&w);
    return diameter_end(&w);
}

void cx_begin_answer(diameter_writer *w, ibk_buf *out, const cx_ends *ends, const diameter_message *request,
                     uint32_t result, bool experimental) {
    diameter_header header = request->header;
    header.request = false;
    header.error = result >= 3000 && result < 4000; /* RFC 6733 §7.1.3 */
    const diameter_avp *session = diameter_find(request->avp, request->avp_count, AVP_SESSION_ID);
    diameter_begin(w, out, &header);
    if (session)
        diameter_put(w, AVP_SESSION_ID, session->data);
    put_application(w);
    if (experimental) {
        diameter_open(w, AVP_EXPERIMENTAL_RESULT);
        diameter_put_u32(w, AVP_VENDOR_ID, DIAMETER_VENDOR_3GPP);
        diameter_put_u32(w, AVP_EXPERIMENTAL_RESULT_CODE, result);
        diameter_close(w);
    } else {
        diameter_put_u32(w, AVP_RESULT_CODE, result);
    }
    diameter_put_u32(w, AVP_AUTH_SESSION_STATE, NO_STATE_MAINTAINED);
    put_origin(w, ends);
}
