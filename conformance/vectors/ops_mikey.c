/* Results of MIKEY: key derivation, messages with every octet annotated, points, the SDP attribute. */
#include "conformance/vectors/work.h"

#include <string.h>

enum { KEY_MAX = 1024 };

ibk_err op_prf(work *w) {
    uint8_t out[KEY_MAX];
    unsigned prf = work_number(w, "prf"), len = work_number(w, "length");
    ibk_span key = work_octets(w, "inkey"), label = work_octets(w, "label");
    ibk_err err =
        len > sizeof out || prf > 127 ? IBK_ERR_LIMIT : ibk_prf_expand(out, len, (uint8_t)prf, key, label);
    if (!err)
        work_put(w, "outkey", ibk_span_of(out, len));
    return err;
}

const char *const work_purposes[WORK_PURPOSES] = {"MPK",
                                                  "TGK",
                                                  "encryption of messages",
                                                  "authentication of messages",
                                                  "salt of messages",
                                                  "TEK",
                                                  "authentication of data",
                                                  "encryption of data",
                                                  "salt of data"};

static ibk_derive_kind kind_named(work *w) {
    const char *name = work_text(w, "purpose");
    for (size_t i = 0; i < WORK_PURPOSES; i++)
        if (strcmp(work_purposes[i], name) == 0)
            return (ibk_derive_kind)(IBK_DERIVE_MPK + i);
    w->broken = "purpose";
    return IBK_DERIVE_MPK;
}

ibk_err op_derive(work *w) {
    uint8_t out[KEY_MAX];
    unsigned prf = work_number(w, "prf"), len = work_number(w, "length"), cs_id = work_number(w, "csId");
    ibk_span key = work_octets(w, "inkey"), rand = work_octets(w, "rand");
    ibk_err err = len > sizeof out || prf > 127 || cs_id > 255
                      ? IBK_ERR_LIMIT
                      : ibk_derive(out, len, (uint8_t)prf, kind_named(w), key, (uint8_t)cs_id,
                                   work_number(w, "csbId"), rand);
    if (!err)
        work_put(w, "key", ibk_span_of(out, len));
    return err;
}

/* ---- messages ---------------------------------------------------------------------------------------- */

typedef struct annotating {
    json_t *fields;
    ibk_span message;
    const char *payload;
} annotating;

/* [offset, length, payload, field, octets]: all octets of a message are in some field. */
static void annotate(void *user, const ibk_field *field) {
    annotating *a = user;
    json_t *octets = work_hex(ibk_span_of(a->message.data + field->offset, field->len));
    json_array_append_new(a->fields, json_pack("[I,I,s,s,o]", (json_int_t)field->offset,
                                               (json_int_t)field->len, a->payload, field->name, octets));
}

static void put_fields(work *w, const ibk_msg *msg, ibk_span message) {
    annotating a = {.fields = json_array(), .message = message, .payload = "HDR"};
    ibk_describe_hdr(msg, annotate, &a);
    for (size_t i = 0; i < msg->chain.count; i++) {
        a.payload = ibk_payload_name(msg->chain.items[i].type);
        ibk_describe_payload(&msg->chain.items[i], annotate, &a);
    }
    work_put_new(w, "fields", a.fields);
}

static json_t *types_of(const ibk_chain *chain) {
    json_t *types = json_array();
    for (size_t i = 0; i < chain->count; i++)
        json_array_append_new(types, json_integer(chain->items[i].type));
    return types;
}

ibk_err op_message(work *w) {
    ibk_msg msg = {0};
    ibk_buf out = {0};
    ibk_span message = work_octets(w, "message");
    ibk_err err = ibk_msg_parse(&msg, message, &w->diag);
    err = err ? err : ibk_msg_write(&msg, &out);
    if (!err && !ibk_span_equal(ibk_buf_span(&out), message))
        err = IBK_ERR_INTERNAL;
    if (!err) {
        work_put_new(w, "dataType", json_integer(msg.hdr.data_type));
        work_put_new(w, "payloads", types_of(&msg.chain));
        put_fields(w, &msg, message);
    }
    ibk_buf_free(&out);
    ibk_msg_free(&msg);
    return err;
}

ibk_err op_content(work *w) {
    ibk_chain chain = {0};
    ibk_span content = work_octets(w, "content");
    ibk_err err =
        ibk_chain_parse(&chain, (uint8_t)work_number(w, "container"), IBK_PL_IDR, content, &w->diag);
    if (!err)
        work_put_new(w, "payloads", types_of(&chain));
    ibk_chain_free(&chain);
    return err;
}

ibk_err op_key_mgmt(work *w) {
    ibk_buf out = {0};
    ibk_err err = ibk_keymgmt_parse(&out, ibk_span_str(work_text(w, "value")), &w->diag);
    if (!err)
        work_put(w, "message", ibk_buf_span(&out));
    ibk_buf_free(&out);
    return err;
}

ibk_err op_point(work *w) {
    ibk_ec_point point;
    ibk_span octets = work_octets(w, "point");
    ibk_err err = ibk_ec_decode(&point, (uint8_t)work_number(w, "curve"), octets);
    if (!err)
        work_put(w, "uncompressed", ibk_ec_point_span(&point));
    return err;
}
