/* A KMS receives the input as a key request, twice: Alice and Bob are on file with the PSK of the fixture,
 * and whoever has a certificate of the fixture's anchor gets what it names (REQUEST_KEY_PKE). The answer is
 * well-formed and says what the result says; a request that was served is a replay the second time. */
#include "fixture.h"
#include "fuzz.h"

static bool known(ibk_span id) {
    return ibk_span_equal(id, ibk_span_str(FUZZ_ALICE)) || ibk_span_equal(id, ibk_span_str(FUZZ_BOB));
}

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    (void)psk_id;
    *owner = user;
    return known(first->id) && ibk_buf_append_span(psk, ibk_span_str(FUZZ_PSK)) == IBK_OK;
}

static bool may_have(void *user, void *owner, ibk_span id) {
    FUZZ_CHECK(owner == user);
    return known(id);
}

static ibk_kms *new_kms(const ibk_env *env, ibk_replay_cache *replay) {
    ibk_kms_key_pair pair = fuzz_kms_pair();
    ibk_span anchor = fuzz_anchor();
    ibk_kms_config config = {
        .identity = {.id_type = IBK_ID_NAI, .id = ibk_span_str(FUZZ_KMS)},
        .params = fuzz_params(1024),
        .master = fuzz_master(),
        .replay = replay,
        .issue = IBK_ISSUE_CURRENT, /* a month of keys takes 31 times as long and shows nothing new */
        .psk = find_psk,
        .authorized = may_have,
        .pke = {.key_pairs = &pair, .n_key_pairs = 1, .anchors = &anchor, .n_anchors = 1},
    };
    ibk_kms *kms;
    FUZZ_CHECK(ibk_kms_new(&kms, env, &config) == IBK_OK);
    return kms;
}

static void check_result(const ibk_kms_result *result, ibk_span response) {
    FUZZ_CHECK(ibk_err_category(result->err) != IBK_CAT_INTERNAL);
    FUZZ_CHECK((result->response_type != 0) == (response.len > 0));
    if (result->err == IBK_OK)
        FUZZ_CHECK(result->response_type == IBK_MSG_REQUEST_KEY_RESP && result->n_keys > 0);
    else
        FUZZ_CHECK(result->response_type != IBK_MSG_REQUEST_KEY_RESP && result->diag.err == result->err);
    if (response.len > 0)
        fuzz_check_message(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_random random = {0};
    ibk_env env = fuzz_env(&random);
    ibk_replay_cache *replay = fuzz_replay_cache();
    ibk_kms *kms = new_kms(&env, replay);
    ibk_buf response = {0};
    ibk_kms_result result;
    FUZZ_CHECK(ibk_kms_handle(kms, fuzz_now(), ibk_span_of(data, size), &response, &result) == IBK_OK);
    check_result(&result, ibk_buf_span(&response));
    if (result.err == IBK_OK) {
        ibk_buf_clear(&response);
        FUZZ_CHECK(ibk_kms_handle(kms, fuzz_now(), ibk_span_of(data, size), &response, &result) == IBK_OK);
        FUZZ_CHECK(result.err == IBK_ERR_REPLAYED);
        check_result(&result, ibk_buf_span(&response));
    }
    ibk_buf_free(&response);
    ibk_kms_free(kms);
    ibk_replay_cache_free(replay);
    return 0;
}
