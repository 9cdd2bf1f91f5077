/* Test support: see pke_lab.h. */
#include "kms/pke_lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SANS "URI:" ALICE ",URI:" TEL ",email:" NAI

pke_world world;

int pke_setup(void **state) {
    (void)state;
    lab_setup();
    world.root = pki_make(&(pki_request){.name = "Root", .ca = true});
    world.middle = pki_make(&(pki_request){.name = "Middle", .ca = true, .issuer = &world.root});
    world.lower = pki_make(&(pki_request){.name = "Lower", .ca = true, .issuer = &world.middle});
    world.stranger = pki_make(&(pki_request){.name = "Stranger", .ca = true});
    const pki_cert *const issuers[] = {&world.root, &world.middle, &world.lower};
    for (int i = 0; i < 3; i++) {
        world.alice[i] = pki_make(&(pki_request){.name = "Alice",
                                                 .bits = i == 2 ? 3072 : 2048,
                                                 .issuer = issuers[i],
                                                 .sans = SANS,
                                                 .key_usage = i ? "critical,digitalSignature" : NULL,
                                                 .ext_usage = i ? "clientAuth" : NULL});
    }
    for (int i = 0; i < 2; i++) {
        world.kms[i] = pki_make(&(pki_request){.name = "KMS",
                                               .bits = i ? 3072 : 2048,
                                               .issuer = &world.root,
                                               .sans = i ? "DNS:KMS.home.example" : "URI:" KMS,
                                               .key_usage = "keyEncipherment"});
    }
    return 0;
}

int pke_teardown(void **state) {
    (void)state;
    pki_cert *const all[] = {&world.root,     &world.middle,   &world.lower,
                             &world.stranger, &world.alice[0], &world.alice[1],
                             &world.alice[2], &world.kms[0],   &world.kms[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        pki_free(all[i]);
    }
    lab_teardown();
    return 0;
}

void desk_certificate(pke_desk *d, const pki_cert *cert) {
    d->chain[0] = pki_der(cert);
    d->rc.pke.n_chain = 1;
    d->rc.pke.private_key = pki_key(cert);
}

void desk_init(pke_desk *d) {
    memset(d, 0, sizeof *d);
    lab_user_init(&d->user, ALICE, &lab_home, 7);
    lab_user_init(&d->kms_node, KMS, &lab_home, 8);
    d->users[0] = ibk_identity_uri(ALICE);
    d->anchors[0] = pki_der(&world.root);
    d->kms_certs[0] = pki_der(&world.kms[0]);
    d->kms_certs[1] = pki_der(&world.kms[1]);
    for (int i = 0; i < 2; i++) {
        d->pairs[i] =
            (ibk_kms_key_pair){.certificate = pki_der(&world.kms[i]), .private_key = pki_key(&world.kms[i])};
    }
    d->kc = (ibk_kms_config){
        .identity = ibk_identity_uri(KMS),
        .params = lab_home.params,
        .master = lab_home.master,
        .replay = d->kms_node.replay,
        .issue = IBK_ISSUE_CURRENT,
        .user = d,
        .pke = {.key_pairs = d->pairs, .n_key_pairs = 1, .anchors = d->anchors, .n_anchors = 1}};
    d->rc = (ibk_key_request_config){
        .method = IBK_KEY_METHOD_PKE,
        .users = d->users,
        .n_users = 1,
        .kms = ibk_identity_uri(KMS),
        .timestamps = &d->user.timestamps,
        .params = lab_home.params,
        .pke = {.chain = d->chain, .kms_certificates = d->kms_certs, .n_kms_certificates = 1}};
    desk_certificate(d, &world.alice[0]);
}

void desk_free(pke_desk *d) {
    ibk_kms_free(d->kms);
    ibk_key_request_free(d->request);
    ibk_key_list_free(&d->keys);
    ibk_buf_free(&d->asked);
    ibk_buf_free(&d->answer);
    lab_user_free(&d->user);
    lab_user_free(&d->kms_node);
}

static void note(pke_work *work, ibk_work what, unsigned size) {
    work->count[what]++;
    work->size[what] = size;
}

/* lab_env's user is the lab_user; the desk it is in follows from its place. */
static void user_work(void *user, ibk_work what, unsigned size) {
    note(&((pke_desk *)(void *)((char *)user - offsetof(pke_desk, user)))->user_work, what, size);
}

static void kms_work(void *user, ibk_work what, unsigned size) {
    note(&((pke_desk *)(void *)((char *)user - offsetof(pke_desk, kms_node)))->kms_work, what, size);
}

void ask(pke_desk *d) {
    ibk_env ue = lab_env(&d->user), ke = lab_env(&d->kms_node);
    ue.work = user_work;
    ke.work = kms_work;
    d->user_work = d->kms_work = (pke_work){0};
    ibk_key_request_free(d->request);
    ibk_kms_free(d->kms);
    ibk_buf_clear(&d->asked);
    assert_int_equal(ibk_kms_new(&d->kms, &ke, &d->kc), IBK_OK);
    assert_int_equal(ibk_key_request_new(&d->request, &ue, &d->rc), IBK_OK);
    d->started = ibk_key_request_start(d->request, lab_now(&d->user), &d->asked);
}

void handle(pke_desk *d) {
    ibk_buf_clear(&d->answer);
    assert_int_equal(
        ibk_kms_handle(d->kms, lab_now(&d->kms_node), ibk_buf_span(&d->asked), &d->answer, &d->result),
        IBK_OK);
    assert_int_equal(d->result.response_type != 0, d->answer.len > 0);
}

ibk_err finish(pke_desk *d) {
    ibk_key_list_free(&d->keys);
    return ibk_key_request_finish(d->request, lab_now(&d->user), ibk_buf_span(&d->answer), &d->keys,
                                  &d->error_no, &d->diag);
}

ibk_err whole(pke_desk *d) {
    ask(d);
    assert_int_equal(d->started, IBK_OK);
    handle(d);
    return finish(d);
}

void refused(pke_desk *d, ibk_err at_kms, int error_no) {
    ibk_err err = whole(d);
    assert_int_equal(d->result.err, at_kms);
    assert_int_equal(d->result.diag.err, at_kms);
    assert_int_equal(d->keys.count, 0);
    if (error_no < 0) {
        assert_int_equal(d->answer.len, 0);
        assert_int_not_equal(err, IBK_OK);
    } else {
        assert_int_equal(d->result.response_type, IBK_MSG_ERROR);
        assert_int_equal(err, IBK_ERR_PEER_ERROR);
        assert_int_equal(d->error_no, error_no);
    }
}

void handle_edited(pke_desk *d, void change(ibk_msg *msg, void *arg), void *arg) {
    ask(d);
    assert_int_equal(d->started, IBK_OK);
    ibk_env env = lab_env(&d->user);
    ibk_msg msg = {0};
    ibk_buf out = {0};
    ibk_span ids[IBK_KMS_MAX_USERS + 2];
    size_t n = 0;
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d->asked), NULL), IBK_OK);
    change(&msg, arg);
    for (size_t i = 0; i < msg.chain.count && n <= IBK_KMS_MAX_USERS; i++) { /* the users come first */
        if (msg.chain.items[i].type == IBK_PL_IDR) {
            ids[n++] = msg.chain.items[i].id.data;
        }
    }
    assert_int_equal(ibk_msg_write_sign(&msg, &out, &env, IBK_HASH_SHA256, d->rc.pke.private_key, ids, n),
                     IBK_OK);
    ibk_msg_free(&msg);
    ibk_buf_free(&d->asked);
    d->asked = out;
    handle(d);
}
