/* The op "parse": are these octets well-formed, and what are they written again (IUT.md §5.2)? */
#include "conformance/iut/session.h"

#include <string.h>

static void put_chain(iut_request *request, const ibk_chain *chain) {
    json_t *payloads = json_array();
    if (!iut_put(request, request->answer, "payloads", payloads))
        return;
    for (size_t i = 0; i < chain->count; i++)
        iut_append(request, payloads, json_integer(chain->items[i].type));
}

typedef struct parsing {
    iut_proved *proved;
    const iut_place *at;
    ibk_span in;
    ibk_buf out;
    ibk_diag diag;
} parsing;

static ibk_err parse_message(parsing *p) {
    ibk_msg msg = {0};
    ibk_err err = ibk_msg_parse(&msg, p->in, &p->diag);
    err = err ? err : ibk_msg_write(&msg, &p->out);
    if (!err) {
        iut_put(p->at->request, p->at->request->answer, "data_type", json_integer(msg.hdr.data_type));
        put_chain(p->at->request, &msg.chain);
    }
    ibk_msg_free(&msg);
    return err;
}

static ibk_err parse_content(parsing *p, uint8_t container) {
    ibk_chain chain = {0};
    ibk_err err = ibk_chain_parse(&chain, container, IBK_PL_IDR, p->in, &p->diag);
    err = err ? err : ibk_chain_write(&chain, &p->out);
    if (!err)
        put_chain(p->at->request, &chain);
    ibk_chain_free(&chain);
    return err;
}

static ibk_err parse_ibake(parsing *p) {
    return parse_content(p, IBK_PL_IBAKE);
}

static ibk_err parse_esk(parsing *p) {
    return parse_content(p, IBK_PL_ESK);
}

static ibk_err parse_kemac(parsing *p) {
    return parse_content(p, IBK_PL_KEMAC);
}

static ibk_err parse_key_mgmt(parsing *p) {
    return ibk_keymgmt_parse(&p->out, p->in, &p->diag);
}

static ibk_err parse_params(parsing *p) {
    ibk_ibe_params *params = NULL;
    ibk_err err = ibk_ibe_params_parse(&params, p->in, NULL, &p->diag);
    err = err ? err : ibk_ibe_params_encode(params, &p->out);
    ibk_ibe_params_free(params);
    return err;
}

static ibk_err parse_private_key(parsing *p) {
    ibk_span der = {0};
    iut_octets(p->at, "params", IUT_MUST, &p->at->request->store, &der);
    if (iut_wrong(p->at))
        return IBK_OK;
    ibk_ibe_params *params = NULL;
    ibk_ibe_key *key = NULL;
    ibk_err err = iut_proved_params(p->proved, der, &params, &p->diag);
    if (err)
        iut_refuse(p->at, "params", err, &p->diag);
    err = err ? err : ibk_ibe_key_parse(&key, params, p->in, &p->diag);
    err = err ? err : ibk_ibe_key_encode(key, &p->out);
    ibk_ibe_key_free(key);
    ibk_ibe_params_free(params);
    return err;
}

static ibk_err parse_ciphertext(parsing *p) {
    ibk_ibe_ciphertext ct;
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, p->in, &p->diag);
    return err ? err : ibk_ibe_ciphertext_encode(&ct, &p->out);
}

static ibk_err parse_point(parsing *p) {
    uint8_t curve = 0;
    iut_value(p->at, "curve", IUT_MUST, &iut_curves, &curve);
    if (iut_wrong(p->at))
        return IBK_OK;
    ibk_ec_point point;
    ibk_err err = ibk_ec_decode(&point, curve, p->in);
    return err ? err : ibk_buf_append_span(&p->out, ibk_ec_point_span(&point));
}

void iut_parse(iut_proved *proved, iut_request *request) {
    static const struct {
        const char *what;
        ibk_err (*parse)(parsing *p);
    } kinds[] = {{"message", parse_message},
                 {"ibake", parse_ibake},
                 {"esk", parse_esk},
                 {"kemac", parse_kemac},
                 {"key-mgmt", parse_key_mgmt},
                 {"params", parse_params},
                 {"private-key", parse_private_key},
                 {"ciphertext", parse_ciphertext},
                 {"point", parse_point}};
    iut_place at = iut_top(request);
    iut_only(&at, "op seq what octets params curve");
    const char *what = "";
    parsing p = {.proved = proved, .at = &at};
    iut_text(&at, "what", IUT_MUST, 32, &what);
    iut_octets(&at, "octets", IUT_MUST, &request->store, &p.in);
    if (iut_wrong(&at))
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].what, what) != 0)
            continue;
        ibk_err err = kinds[i].parse(&p);
        iut_refuse(&at, "octets", err, &p.diag);
        if (!iut_wrong(&at))
            iut_put(request, request->answer, "octets", iut_json_octets(ibk_buf_span(&p.out)));
        ibk_buf_free(&p.out);
        return;
    }
    iut_complain(&at, IUT_UNSUPPORTED, "what", "'%.32s' is not known here", what);
}
