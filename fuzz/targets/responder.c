/* Bob's session, waiting for I_MESSAGE_1, receives the input, twice. He has his private key of the day and
 * the KMS's parameters; time and randomness are fixed. Whatever comes, the step is one that the interface
 * promises. */
#include "fixture.h"
#include "fuzz.h"

#include <string.h>

static bool ends_in(ibk_span text, const char *end) {
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    (void)user;
    if (!ends_in(id->id, "@home.example"))
        return IBK_LOOKUP_ABSENT;
    *out = fuzz_params(1024);
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    (void)user;
    if (!ibk_span_equal(ibe_identity, fuzz_bob_today()))
        return IBK_LOOKUP_ABSENT;
    *params = fuzz_params(1024);
    *key = fuzz_bob_key();
    return IBK_LOOKUP_FOUND;
}

static ibk_session *bobs_session(const ibk_env *env, ibk_replay_cache *replay) {
    static const ibk_cs_srtp sessions[] = {{.policy_no = 1}, {.policy_no = 1, .ssrc = 0x22222222}};
    ibk_session_config config = {
        .role = IBK_SESSION_RESPONDER,
        .local = ibk_identity_uri(FUZZ_BOB),
        .policy = {.errors = IBK_ERRORS_ALL},
        .node = {.params = find_params, .private_key = find_key, .replay = replay},
        .srtp = sessions,
        .n_srtp = 2,
    };
    ibk_session *session;
    FUZZ_CHECK(ibk_session_new(&session, env, &config) == IBK_OK);
    return session;
}

/* I_MESSAGE_1 was accepted. */
static void check_answered(const ibk_session *session, const ibk_step *step) {
    FUZZ_CHECK(step->state == IBK_STATE_R_WAIT_I_MESSAGE_2);
    FUZZ_CHECK(step->message_type == IBK_MSG_R_MESSAGE_1 && step->waits_for == IBK_MSG_I_MESSAGE_2);
    FUZZ_CHECK(ibk_session_deadline(session) != UINT64_MAX);
    fuzz_check_message(step->message);
}

static void check_refused(const ibk_session *session, const ibk_step *step) {
    FUZZ_CHECK(step->state == IBK_STATE_CLOSED && step->reason != IBK_OK && step->diag.err == step->reason);
    FUZZ_CHECK(ibk_err_category(step->reason) != IBK_CAT_INTERNAL);
    FUZZ_CHECK(ibk_session_deadline(session) == UINT64_MAX);
    if (step->message.len > 0) {
        FUZZ_CHECK(step->message_type == IBK_MSG_ERROR);
        fuzz_check_message(step->message);
    }
}

static void check_step(const ibk_session *session, const ibk_step *step) {
    FUZZ_CHECK(step->state == ibk_session_get_state(session));
    switch (step->kind) {
    case IBK_STEP_WAIT:
        check_answered(session, step);
        return;
    case IBK_STEP_CLOSED:
        check_refused(session, step);
        return;
    case IBK_STEP_DISCARDED:
        FUZZ_CHECK(step->state == IBK_STATE_R_NEW && step->message.len == 0);
        return;
    default: /* nothing is established by one message, and no look-up is pending */
        fuzz_broken(__FILE__, __LINE__, "a step that follows one message");
    }
}

/* The same octets once more are no message for a session that has moved on. */
static void check_repeat(ibk_session *session, ibk_span in, const ibk_step *first) {
    ibk_step step;
    ibk_session_state state = ibk_session_get_state(session);
    if (first->kind != IBK_STEP_WAIT)
        return;
    FUZZ_CHECK(ibk_session_recv(session, fuzz_now(), in, &step) == IBK_OK);
    FUZZ_CHECK(step.kind == IBK_STEP_DISCARDED && step.state == state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_random random = {0};
    ibk_env env = fuzz_env(&random);
    ibk_replay_cache *replay = fuzz_replay_cache();
    ibk_session *session = bobs_session(&env, replay);
    ibk_step step;
    FUZZ_CHECK(ibk_session_recv(session, fuzz_now(), ibk_span_of(data, size), &step) == IBK_OK);
    check_step(session, &step);
    check_repeat(session, ibk_span_of(data, size), &step);
    ibk_session_free(session);
    ibk_replay_cache_free(replay);
    return 0;
}
