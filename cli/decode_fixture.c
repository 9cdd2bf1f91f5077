/* ibakelab: makes the samples of the decode tests: a key request and a call, each message in a .hex file, and
 * the key log that opens them. Built from payloads directly, not by ibk_session, so that decode is not tested
 * against the code that it shares a view with. Usage: decode_fixture DIR SEED */
#include "cli/cli.h"

#include "trace/keylog.h"
#include <ibake/ibe.h>
#include <ibake/mikey.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG
#include <assert.h>

#define ALICE   "sip:alice@a.example"
#define BOB     "sip:bob@b.example"
#define KMS     "sip:kms@a.example"
#define DAY     "20261124"
#define CALL_ID 0x0a0b0c0du
#define KEY_ID  0x01020304u

typedef struct maker {
    const char *directory;
    cli_random random;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    keylog_writer *log;
    uint8_t rand[16], psk[32];
    ibk_ec_key x, y;
    uint8_t mpk[32];
} maker;

static void ok(ibk_err err) {
    if (err) {
        fprintf(stderr, "%s\n", ibk_err_name(err));
        exit(1);
    }
}

static void write_hex(const maker *m, const char *name, const ibk_buf *octets) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.hex", m->directory, name);
    FILE *file = fopen(path, "w");
    assert(file);
    for (size_t i = 0; i < octets->len; i++)
        fprintf(file, "%02x%s", octets->data[i], i % 40 == 39 ? "\n" : "");
    fputc('\n', file);
    assert(fclose(file) == 0);
}

static void log_record(maker *m, ibk_keylog_kind kind, uint32_t csb_id, ibk_span id, ibk_span value) {
    keylog_write(m->log, &(ibk_keylog_record){.kind = kind, .csb_id = csb_id, .id = id, .value = value});
}

static void add_time(ibk_chain *chain, uint32_t seconds) {
    ibk_t t;
    ok(ibk_t_from_utc(&t, IBK_TS_NTP_UTC, (INT64_C(1795500000) + seconds) * 1000000000)); /* in DAY */
    ibk_add_t(chain, &t);
}

/* The private key's record for identity || DAY; its DER in `der` (may be NULL). */
static void issue(maker *m, const char *user, ibk_buf *der) {
    char identity[64];
    ibk_ibe_key *key;
    ibk_buf own = {0};
    snprintf(identity, sizeof identity, "%s" DAY, user);
    ok(ibk_ibe_extract(m->params, m->master, ibk_span_str(identity), &key));
    ok(ibk_ibe_key_encode(key, &own));
    log_record(m, IBK_KEYLOG_PRIV, 0, ibk_span_str(identity), ibk_buf_span(&own));
    if (der)
        ok(ibk_buf_append_span(der, ibk_buf_span(&own)));
    ibk_ibe_key_free(key);
    ibk_buf_free(&own);
}

/* A payload encrypted to user || DAY: both identities and, for IBAKE, the points, for ESK a key. */
static void add_encrypted(maker *m, ibk_msg *msg, uint8_t type, const char *user, const ibk_ec_key *first,
                          const ibk_ec_key *second, ibk_buf *storage) {
    char identity[64];
    ibk_chain inner = {0};
    ibk_buf plain = {0};
    snprintf(identity, sizeof identity, "%s" DAY, user);
    ibk_add_idr(&inner, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(ALICE));
    ibk_add_idr(&inner, IBK_ROLE_R, IBK_ID_URI, ibk_span_str(BOB));
    if (first)
        ibk_add_eccpt(&inner, IBK_EC_P256, ibk_ec_point_span(&first->pub));
    if (second)
        ibk_add_eccpt(&inner, IBK_EC_P256, ibk_ec_point_span(&second->pub));
    if (type == IBK_PL_ESK)
        ibk_add_sk(&inner, ibk_span_of(m->rand, 16), NULL);
    ok(ibk_chain_write(&inner, &plain));
    ok(ibk_ibe_encrypt(&m->random.env, m->params, ibk_span_str(identity), ibk_buf_span(&plain), storage));
    ibk_add_enc(&msg->chain, type, ibk_buf_span(storage));
    ibk_chain_free(&inner);
    ibk_buf_free(&plain);
}

static void finish(maker *m, const char *name, ibk_msg *msg, ibk_span auth_key, const ibk_span *ids,
                   size_t n_ids) {
    ibk_buf out = {0};
    ok(auth_key.len ? ibk_msg_write_v(msg, &out, auth_key, ids, n_ids) : ibk_msg_write(msg, &out));
    write_hex(m, name, &out);
    ibk_buf_free(&out);
    ibk_msg_free(msg);
}

static void put_map(ibk_msg *msg, ibk_buf *map) {
    ok(ibk_map_put_srtp(map, &(ibk_cs_srtp){.policy_no = 0, .ssrc = 0x11111111}));
    ok(ibk_map_put_srtp(map, &(ibk_cs_srtp){.policy_no = 0, .ssrc = 0x22222222, .roc = 1}));
    msg->hdr.n_cs = 2;
    msg->hdr.map_type = IBK_MAP_SRTP_ID;
    msg->hdr.map = ibk_buf_span(map);
}

static ibk_msg begin(uint8_t type, uint32_t csb_id, bool v_flag) {
    return (ibk_msg){.hdr = {.data_type = type,
                             .v_flag = v_flag,
                             .prf = IBK_PRF_HMAC_SHA256,
                             .csb_id = csb_id,
                             .map_type = IBK_MAP_EMPTY}};
}

/* ---- the key request ------------------------------------------------------------------------------ */

static void make_request(maker *m) {
    const ibk_span ids[] = {ibk_span_str(ALICE), ibk_span_str(KMS)};
    ibk_span psk = ibk_span_of(m->psk, sizeof m->psk), rand = ibk_span_of(m->rand, sizeof m->rand);
    ibk_msg_keys keys;
    ok(ibk_msg_keys_derive(&keys, IBK_PRF_HMAC_SHA256, psk, KEY_ID, rand, IBK_ENCR_AES_CM_128,
                           IBK_MAC_HMAC_SHA256_256));
    ibk_span auth = ibk_span_of(keys.auth, keys.auth_len);

    ibk_msg msg = begin(IBK_MSG_REQUEST_KEY_PSK, KEY_ID, true);
    add_time(&msg.chain, 0);
    ibk_add_rand(&msg.chain, rand);
    ibk_add_idr(&msg.chain, IBK_ROLE_I, IBK_ID_URI, ids[0]);
    ibk_add_idr(&msg.chain, IBK_ROLE_KMS, IBK_ID_URI, ids[1]);
    ibk_add_idr(&msg.chain, IBK_ROLE_PSK, IBK_ID_BYTES, ibk_span_str("psk-of-alice"));
    ibk_add_v(&msg.chain, IBK_MAC_HMAC_SHA256_256);
    finish(m, "request_key_psk", &msg, auth, ids, 2);

    ibk_chain inner = {0};
    ibk_buf der = {0}, plain = {0}, cipher = {0};
    issue(m, ALICE, &der);
    msg = begin(IBK_MSG_REQUEST_KEY_RESP, KEY_ID, false);
    add_time(&msg.chain, 0);
    ibk_add_idr(&inner, IBK_ROLE_I, IBK_ID_BYTES, ibk_span_str(ALICE DAY));
    ibk_add_key(&inner, IBK_KEY_K_PR, ibk_buf_span(&der), NULL);
    ok(ibk_chain_write(&inner, &plain));
    ok(ibk_kemac_encrypt(&cipher, IBK_ENCR_AES_CM_128, &keys, KEY_ID, &msg.chain.items[0].t,
                         ibk_buf_span(&plain)));
    ibk_add_idr(&msg.chain, IBK_ROLE_I, IBK_ID_URI, ids[0]);
    ibk_add_kemac(&msg.chain, IBK_ENCR_AES_CM_128, ibk_buf_span(&cipher), IBK_MAC_NULL);
    ibk_add_v(&msg.chain, IBK_MAC_HMAC_SHA256_256);
    finish(m, "request_key_resp", &msg, auth, ids, 2);
    ibk_chain_free(&inner);
    ibk_buf_free(&der);
    ibk_buf_free(&plain);
    ibk_buf_free(&cipher);
}

/* ---- the call ---------------------------------------------------------------------------------------- */

static void derive(maker *m) {
    ibk_ec_point session;
    ibk_msg_keys keys;
    ibk_span rand = ibk_span_of(m->rand, sizeof m->rand);
    ok(ibk_ec_shared(&session, &m->x, &m->y.pub));
    ibk_span k_session = ibk_ec_point_span(&session);
    ok(ibk_derive(m->mpk, 32, IBK_PRF_HMAC_SHA256, IBK_DERIVE_MPK, k_session, 0, 0, rand));
    ok(ibk_msg_keys_derive(&keys, IBK_PRF_HMAC_SHA256, ibk_span_of(m->mpk, 32), CALL_ID, rand, IBK_ENCR_NULL,
                           IBK_MAC_HMAC_SHA256_256));
    log_record(m, IBK_KEYLOG_KSESSION, CALL_ID, (ibk_span){0}, k_session);
    log_record(m, IBK_KEYLOG_AUTHKEY, CALL_ID, (ibk_span){0}, ibk_span_of(keys.auth, keys.auth_len));
    log_record(m, IBK_KEYLOG_MPK, CALL_ID, (ibk_span){0}, ibk_span_of(m->mpk, 32));
}

static void add_ends(ibk_msg *msg) {
    ibk_add_idr(&msg->chain, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(ALICE));
    ibk_add_idr(&msg->chain, IBK_ROLE_R, IBK_ID_URI, ibk_span_str(BOB));
}

static void make_first_two(maker *m) {
    ibk_buf map = {0}, cipher = {0}, esk = {0}, policy = {0};
    ibk_srtp_policy srtp = ibk_srtp_policy_default();
    srtp.present = 1u << IBK_SRTP_ENCR_ALG | 1u << IBK_SRTP_AUTH_TAG_LEN;
    ok(ibk_srtp_policy_write(&policy, &srtp));

    ibk_msg msg = begin(IBK_MSG_I_MESSAGE_1, CALL_ID, true);
    put_map(&msg, &map);
    add_time(&msg.chain, 10);
    ibk_add_rand(&msg.chain, ibk_span_of(m->rand, sizeof m->rand));
    add_ends(&msg);
    ibk_add_sp(&msg.chain, 0, IBK_PROT_SRTP, ibk_buf_span(&policy));
    add_encrypted(m, &msg, IBK_PL_IBAKE, BOB, &m->x, NULL, &cipher);
    add_encrypted(m, &msg, IBK_PL_ESK, ALICE, NULL, NULL, &esk);
    finish(m, "i_message_1", &msg, (ibk_span){0}, NULL, 0);

    ibk_buf_clear(&cipher);
    msg = begin(IBK_MSG_R_MESSAGE_1, CALL_ID, true);
    add_time(&msg.chain, 10);
    add_ends(&msg);
    add_encrypted(m, &msg, IBK_PL_IBAKE, ALICE, &m->x, &m->y, &cipher);
    finish(m, "r_message_1", &msg, (ibk_span){0}, NULL, 0);
    ibk_buf_free(&map);
    ibk_buf_free(&cipher);
    ibk_buf_free(&esk);
    ibk_buf_free(&policy);
}

static void make_last_two(maker *m) {
    const ibk_span ids[] = {ibk_span_str(ALICE), ibk_span_str(BOB)};
    ibk_msg_keys keys;
    ibk_buf cipher = {0};
    ibk_msg msg = begin(IBK_MSG_I_MESSAGE_2, CALL_ID, true);
    add_time(&msg.chain, 11);
    ibk_add_rand(&msg.chain, ibk_span_of(m->rand, sizeof m->rand));
    add_ends(&msg);
    add_encrypted(m, &msg, IBK_PL_IBAKE, BOB, &m->y, NULL, &cipher);
    finish(m, "i_message_2", &msg, (ibk_span){0}, NULL, 0);

    ok(ibk_msg_keys_derive(&keys, IBK_PRF_HMAC_SHA256, ibk_span_of(m->mpk, 32), CALL_ID,
                           ibk_span_of(m->rand, sizeof m->rand), IBK_ENCR_NULL, IBK_MAC_HMAC_SHA256_256));
    msg = begin(IBK_MSG_R_MESSAGE_2, CALL_ID, false);
    add_time(&msg.chain, 11);
    ibk_add_ext(&msg.chain, IBK_EXT_SDP_IDS, ibk_span_str("s=1;m=2"));
    ibk_add_v(&msg.chain, IBK_MAC_HMAC_SHA256_256);
    finish(m, "r_message_2", &msg, ibk_span_of(keys.auth, keys.auth_len), ids, 2);
    ibk_buf_free(&cipher);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    maker m = {.directory = argv[1]};
    char path[512];
    ibk_buf der = {0};
    cli_random_seeded(&m.random, argv[2]);
    ibk_env *env = &m.random.env;
    snprintf(path, sizeof path, "%s/keys.log", argv[1]);
    ok(keylog_writer_open(&m.log, path, NULL));
    ok(ibk_ibe_setup(env, 1024, &m.params, &m.master, NULL, NULL));
    ok(ibk_ibe_params_encode(m.params, &der));
    log_record(&m, IBK_KEYLOG_PARAMS, 0, (ibk_span){0}, ibk_buf_span(&der));
    ok(env->draw(env->user, IBK_DRAW_RAND, m.rand, sizeof m.rand));
    ok(env->draw(env->user, IBK_DRAW_SK, m.psk, sizeof m.psk));
    log_record(&m, IBK_KEYLOG_PSK, 0, (ibk_span){0}, ibk_span_str("somebody else's PSK"));
    log_record(&m, IBK_KEYLOG_PSK, 0, (ibk_span){0}, ibk_span_of(m.psk, sizeof m.psk));
    ok(ibk_ec_keygen(&m.x, env, IBK_DRAW_X, IBK_EC_P256));
    ok(ibk_ec_keygen(&m.y, env, IBK_DRAW_Y, IBK_EC_P256));
    issue(&m, BOB, NULL);
    derive(&m);
    make_request(&m);
    make_first_two(&m);
    make_last_two(&m);
    ok(keylog_writer_close(m.log, NULL));
    ibk_buf_free(&der);
    ibk_ibe_master_free(m.master);
    ibk_ibe_params_free(m.params);
    return 0;
}
