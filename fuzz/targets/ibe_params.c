/* DER BFPublicParameters: what is accepted is encoded to the same octets and is one of the five sizes. What
 * an end without the defences against bad sets accepts (ibake/defences.h) is encoded to the same octets, and
 * everything that is done with it ends. */
#include "fixture.h"
#include "fuzz.h"

/* Sets that the primality test, which takes most of the time, may be left out for. */
static const ibk_ibe_params *likely(size_t size) {
    return fuzz_params(size < 500 ? 1024 : size < 900 ? 2048 : 3072);
}

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    uint8_t *next = user;
    (void)label;
    for (size_t i = 0; i < len; i++)
        out[i] = (*next)++;
    return IBK_OK;
}

#define FIELD_MAX 128 /* octets of p: larger ones take long and do nothing else */

static void use_carelessly(ibk_span der) {
    uint8_t next = 1;
    ibk_env env = {.user = &next, .draw = draw};
    ibk_ibe_params *params = NULL;
    ibk_buf cipher = {0}, out = {0};
    if (ibk_ibe_params_parse_without(&params, der, NULL, UINT32_MAX, NULL))
        return;
    FUZZ_CHECK(ibk_ibe_params_encode(params, &out) == IBK_OK);
    fuzz_check_same(der, ibk_buf_span(&out));
    if (ibk_ibe_params_field_len(params) <= FIELD_MAX)
        (void)ibk_ibe_encrypt(&env, params, ibk_span_str("bob"), ibk_span_str("a message"), &cipher);
    ibk_buf_free(&cipher);
    ibk_buf_free(&out);
    ibk_ibe_params_free(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_ibe_params *params = NULL;
    ibk_diag diag = {0};
    use_carelessly(ibk_span_of(data, size));
    ibk_err err = ibk_ibe_params_parse(&params, ibk_span_of(data, size), likely(size), &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        FUZZ_CHECK(params == NULL);
        return 0;
    }
    ibk_buf out = {0};
    FUZZ_CHECK(ibk_ibe_params_encode(params, &out) == IBK_OK);
    fuzz_check_same(ibk_span_of(data, size), ibk_buf_span(&out));
    FUZZ_CHECK(ibk_ibe_size_of(ibk_ibe_params_n(params)) != NULL);
    ibk_buf_free(&out);
    ibk_ibe_params_free(params);
    return 0;
}
