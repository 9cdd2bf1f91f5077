/* Results of RFC 5091: hashes, points, pairing, encryption, DER. */
#include "conformance/vectors/work.h"

#include <ibake/ibe.h>
#include <stdlib.h>
#include <string.h>

static ibk_ibe_hash hash_named(work *w) {
    const char *name = work_text(w, "sha");
    for (unsigned hash = IBK_IBE_SHA1; hash <= IBK_IBE_SHA512; hash++)
        if (strcmp(ibk_ibe_hash_name((ibk_ibe_hash)hash), name) == 0)
            return (ibk_ibe_hash)hash;
    w->broken = "sha";
    return IBK_IBE_SHA1;
}

ibk_err op_hash_to_range(work *w) {
    uint8_t out[IBK_IBE_FIELD_MAX];
    ibk_span s = work_octets(w, "s"), n = work_octets(w, "n");
    ibk_err err = n.len > sizeof out ? IBK_ERR_LIMIT : ibk_ibe_hash_to_range(hash_named(w), s, n, out);
    if (!err)
        work_put(w, "v", ibk_span_of(out, n.len));
    return err;
}

ibk_err op_hash_bytes(work *w) {
    uint8_t out[1024];
    ibk_span p = work_octets(w, "p");
    unsigned len = work_number(w, "length");
    ibk_err err = len > sizeof out ? IBK_ERR_LIMIT : ibk_ibe_hash_bytes(hash_named(w), p, out, len);
    if (!err)
        work_put(w, "r", ibk_span_of(out, len));
    return err;
}

/* ---- under parameters, which stand in the group ----------------------------------------------------------
 */

static ibk_err parameters(work *w, ibk_ibe_params **out) {
    ibk_span der = work_octets(w, "parameters");
    return w->broken ? IBK_ERR_USAGE : ibk_ibe_params_parse(out, der, NULL, &w->diag);
}

ibk_err op_hash_to_point(work *w) {
    ibk_ibe_params *params = NULL;
    uint8_t point[2 * IBK_IBE_FIELD_MAX];
    ibk_span identity = work_octets(w, "identity");
    ibk_err err = parameters(w, &params);
    err = err ? err : ibk_ibe_hash_to_point(params, identity, point);
    if (!err)
        work_put(w, "point", ibk_span_of(point, 2 * ibk_ibe_params_field_len(params)));
    ibk_ibe_params_free(params);
    return err;
}

ibk_err op_pairing(work *w) {
    ibk_ibe_params *params = NULL;
    uint8_t value[2 * IBK_IBE_FIELD_MAX];
    ibk_span a = work_octets(w, "a"), b = work_octets(w, "b");
    ibk_err err = parameters(w, &params);
    if (!err && (a.len != 2 * ibk_ibe_params_field_len(params) || b.len != a.len))
        err = IBK_ERR_BAD_LENGTH;
    err = err ? err : ibk_ibe_point_check(params, a.data);
    err = err ? err : ibk_ibe_point_check(params, b.data);
    err = err ? err : ibk_ibe_pairing(params, a.data, b.data, value);
    if (!err)
        work_put(w, "value", ibk_span_of(value, a.len));
    ibk_ibe_params_free(params);
    return err;
}

ibk_err op_extract(work *w) {
    ibk_ibe_params *params = NULL;
    ibk_ibe_master *master = NULL;
    ibk_ibe_key *key = NULL;
    ibk_buf der = {0};
    ibk_span identity = work_octets(w, "identity"), secret = work_octets(w, "master");
    ibk_err err = parameters(w, &params);
    err = err ? err : ibk_ibe_master_parse(&master, params, secret, &w->diag);
    err = err ? err : ibk_ibe_extract(params, master, identity, &key);
    err = err ? err : ibk_ibe_key_encode(key, &der);
    if (!err)
        work_put(w, "privateKey", ibk_buf_span(&der));
    ibk_buf_free(&der);
    ibk_ibe_key_free(key);
    ibk_ibe_master_free(master);
    ibk_ibe_params_free(params);
    return err;
}

/* A source of randomness that gives rho once. */
static ibk_err draw_rho(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    const ibk_span *rho = user;
    if (label == IBK_DRAW_BLIND) {
        memset(out, 1, len);
        return IBK_OK;
    }
    if (label != IBK_DRAW_RHO || rho->len != len)
        return IBK_ERR_RANDOM;
    memcpy(out, rho->data, len);
    return IBK_OK;
}

ibk_err op_encrypt(work *w) {
    ibk_ibe_params *params = NULL;
    ibk_buf out = {0};
    ibk_span identity = work_octets(w, "identity"), plain = work_octets(w, "plaintext"),
             rho = work_octets(w, "rho");
    ibk_env env = {.user = &rho, .draw = draw_rho};
    ibk_err err = parameters(w, &params);
    err = err ? err : ibk_ibe_encrypt(&env, params, identity, plain, &out);
    if (!err)
        work_put(w, "ciphertext", ibk_buf_span(&out));
    ibk_buf_free(&out);
    ibk_ibe_params_free(params);
    return err;
}

ibk_err op_decrypt(work *w) {
    ibk_ibe_params *params = NULL;
    ibk_ibe_key *key = NULL;
    ibk_buf out = {0};
    ibk_span der = work_octets(w, "privateKey"), ciphertext = work_octets(w, "ciphertext");
    ibk_err err = parameters(w, &params);
    err = err ? err : ibk_ibe_key_parse(&key, params, der, &w->diag);
    err = err ? err : ibk_ibe_decrypt(params, key, ciphertext, &out, &w->diag);
    if (!err)
        work_put(w, "plaintext", ibk_buf_span(&out));
    ibk_buf_free(&out);
    ibk_ibe_key_free(key);
    ibk_ibe_params_free(params);
    return err;
}

/* ---- DER: what is read is written again -------------------------------------------------------------------
 */

static ibk_err same(const ibk_buf *written, ibk_span der) {
    return ibk_span_equal(ibk_buf_span(written), der) ? IBK_OK : IBK_ERR_INTERNAL;
}

ibk_err op_parameters(work *w) {
    ibk_ibe_params *params = NULL;
    ibk_buf out = {0};
    ibk_err err = parameters(w, &params);
    err = err ? err : ibk_ibe_params_encode(params, &out);
    err = err ? err : same(&out, work_octets(w, "parameters"));
    if (!err) {
        work_put_new(w, "n", json_integer(ibk_ibe_params_n(params)));
        work_put_new(w, "sha", json_string(ibk_ibe_hash_name(ibk_ibe_params_hash(params))));
    }
    ibk_buf_free(&out);
    ibk_ibe_params_free(params);
    return err;
}

ibk_err op_ciphertext(work *w) {
    ibk_ibe_ciphertext ct;
    ibk_buf out = {0};
    ibk_span der = work_octets(w, "ciphertext");
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, der, &w->diag);
    err = err ? err : ibk_ibe_ciphertext_encode(&ct, &out);
    err = err ? err : same(&out, der);
    if (!err) {
        work_put(w, "ux", ct.ux);
        work_put(w, "uy", ct.uy);
        work_put(w, "v", ct.v);
        work_put(w, "w", ct.w);
    }
    ibk_buf_free(&out);
    return err;
}

ibk_err op_private_key(work *w) {
    ibk_ibe_params *params = NULL;
    ibk_ibe_key *key = NULL;
    uint8_t point[2 * IBK_IBE_FIELD_MAX];
    ibk_span der = work_octets(w, "privateKey");
    ibk_err err = parameters(w, &params);
    err = err ? err : ibk_ibe_key_parse(&key, params, der, &w->diag);
    err = err ? err : ibk_ibe_key_point(key, point);
    if (!err)
        work_put(w, "point", ibk_span_of(point, 2 * ibk_ibe_params_field_len(params)));
    ibk_ibe_key_free(key);
    ibk_ibe_params_free(params);
    return err;
}
