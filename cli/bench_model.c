/* ibakelab bench crypto --emit-cpu-model: the times of this machine as a CPU model. What is timed are the
 * functions that report the operation (ibk_env.work), in CPU time of this thread, so that other load counts
 * only by what it does to caches and clock rates. */
#include "cli/bench_model.h"
#include "cli/bench_result.h"
#include "cli/cli.h"
#include "cpu/model.h"
#include "run/params_data.h"

#include <errno.h>
#include <ibake.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMAND     "bench crypto"
#define IDENTITY    "sip:alice@home.example20260302"
#define SAMPLES_MAX 2000
#define ROUNDS                                                                                               \
    5 /* an operation's samples lie apart in time: a burst of other load does not hit one alone              \
       */

/* What the operations of one size work on. */
typedef struct bench {
    ibk_env *env;
    ibk_span params_der, master_der;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_ibe_key *key;
    ibk_ibe_peer *peer;
    ibk_buf key_der, ciphertext, out;
    uint8_t curve;
    ibk_ec_key ec;
    ibk_ec_point theirs;
    EVP_PKEY *rsa;
    uint8_t signature[1024];
    size_t signature_len;
} bench;

static const uint8_t content[128]; /* as long as the content of an IBAKE payload */

/* ---- one repetition of each
 * ---------------------------------------------------------------------------------------------------- */

static bool run_params(bench *b) {
    ibk_ibe_params *params = NULL;
    bool ok = ibk_ibe_params_parse(&params, b->params_der, NULL, NULL) == IBK_OK;
    ibk_ibe_params_free(params);
    return ok;
}

static bool run_peer(bench *b) {
    ibk_ibe_peer *peer = NULL;
    bool ok = ibk_ibe_peer_new(&peer, b->params, ibk_span_str(IDENTITY)) == IBK_OK;
    ibk_ibe_peer_free(peer);
    return ok;
}

static bool run_encrypt(bench *b) {
    ibk_buf_clear(&b->out);
    return ibk_ibe_peer_encrypt(b->env, b->peer, ibk_span_of(content, sizeof content), &b->out) == IBK_OK;
}

static bool run_decrypt(bench *b) {
    ibk_buf_clear(&b->out);
    return ibk_ibe_decrypt(b->params, b->key, ibk_buf_span(&b->ciphertext), &b->out, NULL) == IBK_OK;
}

static bool run_extract(bench *b) {
    ibk_ibe_key *key = NULL;
    bool ok = ibk_ibe_extract(b->params, b->master, ibk_span_str(IDENTITY), &key) == IBK_OK;
    ibk_ibe_key_free(key);
    return ok;
}

static bool run_verify_key(bench *b) {
    ibk_ibe_key *key = NULL;
    bool ok = ibk_ibe_key_parse(&key, b->params, ibk_buf_span(&b->key_der), NULL) == IBK_OK &&
              ibk_ibe_key_verify(b->params, key, ibk_span_str(IDENTITY)) == IBK_OK;
    ibk_ibe_key_free(key);
    return ok;
}

static bool run_keygen(bench *b) {
    ibk_ec_key key;
    return ibk_ec_keygen(&key, b->env, IBK_DRAW_X, b->curve) == IBK_OK;
}

static bool run_dh(bench *b) {
    ibk_ec_point shared;
    return ibk_ec_shared(&shared, &b->ec, &b->theirs) == IBK_OK;
}

static bool sign(bench *b) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    b->signature_len = sizeof b->signature;
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, b->rsa) == 1 &&
              EVP_DigestSign(ctx, b->signature, &b->signature_len, content, sizeof content) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool run_verify(bench *b) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, b->rsa) == 1 &&
              EVP_DigestVerify(ctx, b->signature, b->signature_len, content, sizeof content) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* ---- timing
 * --------------------------------------------------------------------------------------------------------------------
 */

static int64_t cpu_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

typedef struct operation {
    ibk_work what;
    bool (*run)(bench *b);
    size_t count;
    int64_t samples[SAMPLES_MAX];
} operation;

static bool sample(operation *o, bench *b, int64_t budget_ns) {
    int64_t begin = cpu_now(), start = begin, end;
    do {
        if (o->count == SAMPLES_MAX)
            return true;
        if (!o->run(b))
            return false;
        end = cpu_now();
        o->samples[o->count++] = end - start;
        start = end;
    } while (end - begin < budget_ns);
    return true;
}

/* Adds the medians of `count` operations at one size to the model. */
static bool measure(cpu_model *model, operation *ops, size_t count, bench *b, unsigned size, bool quick) {
    int64_t budget = (quick ? 50 : 500) * INT64_C(1000000) / ROUNDS;
    for (size_t i = 0; i < ROUNDS * count; i++)
        if (!sample(&ops[i % count], b, budget))
            return false;
    for (size_t i = 0; i < count; i++) {
        cpu_times *times = &model->times[ops[i].what];
        qsort(ops[i].samples, ops[i].count, sizeof *ops[i].samples, by_value);
        times->at[times->count].size = size;
        times->at[times->count++].ns = (uint64_t)ops[i].samples[ops[i].count / 2];
    }
    return true;
}

static bool measure_all(cpu_model *model, const operation *list, size_t count, bench *b, unsigned size,
                        bool quick) {
    operation *ops = calloc(count, sizeof *ops);
    for (size_t i = 0; ops && i < count; i++) {
        ops[i].what = list[i].what;
        ops[i].run = list[i].run;
    }
    bool ok = ops && measure(model, ops, count, b, size, quick);
    free(ops);
    return ok;
}

/* ---- sizes
 * --------------------------------------------------------------------------------------------------------------------
 */

static bool measure_ibe(cpu_model *model, ibk_env *env, const run_params_set *set, bool quick) {
    static const operation list[] = {{.what = IBK_WORK_IBE_PARAMS, .run = run_params},
                                     {.what = IBK_WORK_IBE_PEER, .run = run_peer},
                                     {.what = IBK_WORK_IBE_ENCRYPT, .run = run_encrypt},
                                     {.what = IBK_WORK_IBE_DECRYPT, .run = run_decrypt},
                                     {.what = IBK_WORK_IBE_EXTRACT, .run = run_extract},
                                     {.what = IBK_WORK_IBE_VERIFY_KEY, .run = run_verify_key}};
    bench b = {.env = env,
               .params_der = ibk_span_of(set->params, set->params_len),
               .master_der = ibk_span_of(set->master, set->master_len)};
    ibk_span identity = ibk_span_str(IDENTITY);
    bool ok =
        ibk_ibe_params_parse(&b.params, b.params_der, NULL, NULL) == IBK_OK &&
        ibk_ibe_master_parse(&b.master, b.params, b.master_der, NULL) == IBK_OK &&
        ibk_ibe_extract(b.params, b.master, identity, &b.key) == IBK_OK &&
        ibk_ibe_key_encode(b.key, &b.key_der) == IBK_OK &&
        ibk_ibe_peer_new(&b.peer, b.params, identity) == IBK_OK &&
        ibk_ibe_peer_encrypt(env, b.peer, ibk_span_of(content, sizeof content), &b.ciphertext) == IBK_OK &&
        measure_all(model, list, sizeof list / sizeof *list, &b, set->n, quick);
    ibk_ibe_peer_free(b.peer);
    ibk_ibe_key_free(b.key);
    ibk_ibe_master_free(b.master);
    ibk_ibe_params_free(b.params);
    ibk_buf_free(&b.key_der);
    ibk_buf_free(&b.ciphertext);
    ibk_buf_free(&b.out);
    return ok;
}

static bool measure_ec(cpu_model *model, ibk_env *env, uint8_t curve, unsigned bits, bool quick) {
    static const operation list[] = {{.what = IBK_WORK_EC_KEYGEN, .run = run_keygen},
                                     {.what = IBK_WORK_EC_DH, .run = run_dh}};
    ibk_ec_key theirs;
    bench b = {.env = env, .curve = curve};
    if (ibk_ec_keygen(&b.ec, env, IBK_DRAW_X, curve) || ibk_ec_keygen(&theirs, env, IBK_DRAW_Y, curve))
        return false;
    b.theirs = theirs.pub;
    return measure_all(model, list, sizeof list / sizeof *list, &b, bits, quick);
}

static bool measure_rsa(cpu_model *model, unsigned bits, bool quick) {
    static const operation list[] = {{.what = IBK_WORK_RSA_PRIVATE, .run = sign},
                                     {.what = IBK_WORK_RSA_PUBLIC, .run = run_verify}};
    bench b = {.rsa = EVP_RSA_gen(bits)};
    bool ok = b.rsa && sign(&b) && measure_all(model, list, sizeof list / sizeof *list, &b, bits, quick);
    EVP_PKEY_free(b.rsa);
    return ok;
}

static bool measure_machine(cpu_model *model, bool quick, bool large) {
    static const struct {
        uint8_t curve;
        unsigned bits;
    } curves[] = {
        {IBK_EC_P192, 192}, {IBK_EC_P224, 224}, {IBK_EC_P256, 256}, {IBK_EC_P384, 384}, {IBK_EC_P521, 521}};
    cli_random random;
    bool ok = true;
    cli_random_system(&random);
    for (size_t i = 0; ok && i < (large ? run_params_set_all : run_params_set_count); i++)
        ok = measure_ibe(model, &random.env, &run_params_sets[i], quick);
    for (size_t i = 0; ok && i < sizeof curves / sizeof *curves; i++)
        ok = measure_ec(model, &random.env, curves[i].curve, curves[i].bits, quick);
    for (unsigned bits = 2048; ok && bits <= 4096; bits += 1024)
        ok = measure_rsa(model, bits, quick);
    return ok;
}

int bench_model(const char *path, bool quick, bool large) {
    static cpu_model model;
    char processor[128], description[256];
    ibk_buf text = {0};
    model = (cpu_model){.timed = true, .name = "measured"};
    if (!measure_machine(&model, quick, large))
        return cli_error(COMMAND, "an operation failed while it was measured"), CLI_INTERNAL;
    bench_processor(processor, sizeof processor);
    snprintf(description, sizeof description,
             "medians of CPU time on one core%s%s; ibakelab bench crypto --emit-cpu-model",
             *processor ? " of " : "", processor);
    if (cpu_model_write(&text, &model, description))
        return cli_error(COMMAND, "out of memory"), CLI_INTERNAL;
    bool standard = !path || strcmp(path, "-") == 0;
    FILE *file = standard ? stdout : fopen(path, "wb");
    int status = CLI_OK;
    if (!file || fwrite(text.data, 1, text.len, file) != text.len || fflush(file) != 0)
        status = (cli_error(COMMAND, "writing %s: %s", standard ? "-" : path, strerror(errno)), CLI_INTERNAL);
    if (file && !standard && fclose(file) != 0 && !status)
        status = (cli_error(COMMAND, "writing %s: %s", path, strerror(errno)), CLI_INTERNAL);
    ibk_buf_free(&text);
    return status;
}
