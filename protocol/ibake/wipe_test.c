/* No block of ours goes back to the heap with a secret in it (P-20): free() is wrapped by the linker and
 * looks. The secrets are what the key log has seen. */
#include "ibake/lab.h"

#include <malloc.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECRETS_MAX 64
#define SECRET_MAX  1024

static struct secret {
    ibk_keylog_kind kind;
    size_t len;
    uint8_t octets[SECRET_MAX];
} secrets[SECRETS_MAX];
static size_t n_secrets, blocks_seen;
static bool watching;
static ibk_keylog_kind leaked; /* the first one found in a freed block, 0: none */

void __real_free(void *block);
void __wrap_free(void *block);

void __wrap_free(void *block) {
    if (block && watching) {
        size_t len = malloc_usable_size(block);
        blocks_seen++;
        for (size_t i = 0; i < n_secrets && !leaked; i++) {
            if (len >= secrets[i].len && memmem(block, len, secrets[i].octets, secrets[i].len)) {
                leaked = secrets[i].kind;
            }
        }
    }
    __real_free(block);
}

static void collect(void *user, const ibk_keylog_record *record) {
    (void)user;
    if (record->kind == IBK_KEYLOG_PARAMS || record->kind == IBK_KEYLOG_MASTER) {
        return;
    }
    assert_true(n_secrets < SECRETS_MAX && record->value.len <= SECRET_MAX && record->value.len >= 14);
    struct secret *s = &secrets[n_secrets++];
    s->kind = record->kind;
    s->len = record->value.len;
    memcpy(s->octets, record->value.data, record->value.len);
}

static void begin(void) {
    n_secrets = blocks_seen = 0;
    leaked = 0;
    watching = true;
}

static void end(void) {
    watching = false;
    assert_true(n_secrets > 0 && blocks_seen > 0);
    if (leaked) {
        fail_msg("a secret of kind %d was freed unwiped", (int)leaked);
    }
}

/* An exchange that ends after `upto` messages, well or abruptly. */
static void play(int upto, bool deferred) {
    lab_pair pair;
    lab_pair_init(&pair);
    ibk_env ae = lab_env(&pair.alice), be = lab_env(&pair.bob);
    ae.keylog = be.keylog = collect;
    if (deferred) {
        pair.ac.policy.allow_missing_echo = pair.bc.policy.answer_undecryptable = pair.alice.accept_others =
            true;
        pair.bob.uri = "sip:mailbox@away.example";
        pair.bc.local = ibk_identity_uri(pair.bob.uri);
    }
    assert_int_equal(ibk_session_new(&pair.a, &ae, &pair.ac), IBK_OK);
    assert_int_equal(ibk_session_new(&pair.b, &be, &pair.bc), IBK_OK);
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    assert_int_equal(ibk_buf_append_span(&pair.m[0], pair.step.message), IBK_OK);
    for (int i = 0; i < upto; i++) {
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    if (upto == 4) {
        lab_keys_agree(&pair);
    }
    lab_pair_free(&pair);
}

static void test_sessions(void **state) {
    (void)state;
    for (int deferred = 0; deferred < 2; deferred++) {
        for (int upto = 0; upto <= 4; upto++) {
            begin();
            play(upto, deferred);
            end();
        }
    }
}

/* An update of an established pair that ends after `upto` messages: taken back, confirmed, or both ends freed
 * as they are. */
static void play_update(int upto, bool by_bob, bool new_dh, bool revert) {
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    pair.a->env.keylog = pair.b->env.keylog = collect;
    lab_keys_agree(&pair);
    lab_update u = lab_update_of(&pair, by_bob, new_dh);
    lab_update_play(&u, upto);
    lab_keys now = lab_keys_of(lab_answerer(&u), 1);
    assert_int_equal(sizeof now, 30);
    if (upto > 0 && revert) {
        assert_int_equal(ibk_session_revert_update(lab_answerer(&u)), IBK_OK);
    } else if (upto > 1) {
        ibk_session_confirm_update(lab_answerer(&u));
        lab_keys_agree(&pair);
    }
    ibk_wipe(&now, sizeof now);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

static void test_updates(void **state) {
    (void)state;
    for (int upto = 0; upto <= 2; upto++) {
        for (int k = 0; k < 8; k++) {
            begin();
            play_update(upto, k & 1, k & 2, k & 4);
            end();
        }
    }
}

/* Forks: one that is answered, one that is not. */
static void test_forks(void **state) {
    (void)state;
    lab_pair pair;
    ibk_session *fork;
    begin();
    lab_pair_init(&pair);
    pair.ac.esk = IBK_ESK_OWN;
    ibk_env ae = lab_env(&pair.alice), be = lab_env(&pair.bob);
    ae.keylog = be.keylog = collect;
    assert_int_equal(ibk_session_new(&pair.a, &ae, &pair.ac), IBK_OK);
    assert_int_equal(ibk_session_new(&pair.b, &be, &pair.bc), IBK_OK);
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    assert_int_equal(ibk_buf_append_span(&pair.m[0], pair.step.message), IBK_OK);
    ibk_keylog_record sk = {.kind = IBK_KEYLOG_PSK, .value = ibk_session_sk(pair.a)}; /* the log has no SK */
    collect(NULL, &sk);
    assert_int_equal(ibk_session_fork(&fork, pair.a), IBK_OK);
    for (int i = 0; i < 4; i++) {
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    lab_keys_agree(&pair);
    ibk_session_free(fork);
    lab_pair_free(&pair);
    end();
}

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    (void)psk_id;
    (void)first;
    (void)owner;
    return ibk_buf_append_span(psk, ibk_span_str(user)) == IBK_OK;
}

static bool may_have(void *user, void *owner, ibk_span id) {
    (void)user;
    (void)owner;
    return id.len > 0;
}

static void test_key_request(void **state) {
    (void)state;
    static char psk[] = "a secret that two of them share";
    lab_user user;
    lab_user_init(&user, "sip:alice@home.example", &lab_home, 4);
    ibk_env env = lab_env(&user);
    env.keylog = collect;
    ibk_identity id = ibk_identity_uri(user.uri), kms_id = ibk_identity_uri("kms");
    ibk_kms_config kc = {.identity = kms_id,
                         .params = lab_home.params,
                         .master = lab_home.master,
                         .replay = user.replay,
                         .issue = IBK_ISSUE_NEXT,
                         .user = psk,
                         .psk = find_psk,
                         .authorized = may_have};
    ibk_key_request_config rc = {
        .users = &id, .n_users = 1, .kms = kms_id, .psk = ibk_span_str(psk), .params = lab_home.params};
    ibk_kms *kms;
    ibk_kms_result result;
    ibk_key_request *request;
    ibk_key_list keys = {0};
    ibk_buf asked = {0}, answer = {0};
    begin();
    assert_int_equal(ibk_kms_new(&kms, &env, &kc), IBK_OK);
    assert_int_equal(ibk_key_request_new(&request, &env, &rc), IBK_OK);
    assert_int_equal(ibk_key_request_start(request, lab_now(&user), &asked), IBK_OK);
    assert_int_equal(ibk_kms_handle(kms, lab_now(&user), ibk_buf_span(&asked), &answer, &result), IBK_OK);
    assert_int_equal(
        ibk_key_request_finish(request, lab_now(&user), ibk_buf_span(&answer), &keys, NULL, &result.diag),
        IBK_OK);
    assert_int_equal(keys.count, 2);
    ibk_key_list_free(&keys);
    ibk_key_request_free(request);
    ibk_kms_free(kms);
    ibk_buf_free(&asked);
    ibk_buf_free(&answer);
    end();
    lab_user_free(&user);
}

/* The look itself works. */
static void test_detector(void **state) {
    (void)state;
    begin();
    ibk_keylog_record record = {.kind = IBK_KEYLOG_TGK, .value = ibk_span_str("sixteen or more octets")};
    collect(NULL, &record);
    char *copy = strdup("..sixteen or more octets..");
    free(copy);
    watching = false;
    assert_int_equal(leaked, IBK_KEYLOG_TGK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_detector), cmocka_unit_test(test_sessions),
                                       cmocka_unit_test(test_updates), cmocka_unit_test(test_forks),
                                       cmocka_unit_test(test_key_request)};
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
