/* ibakelab bench crypto: each operation's median time beside its count of modular multiplications. */
#include "cli/bench_crypto.h"
#include "cli/bench_model.h"
#include "cli/bench_result.h"
#include "cli/cli.h"
#include "cli/report_file.h"
#include "run/params_data.h"

#include <getopt.h>
#include <ibake/ibe_measure.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMAND "bench crypto"

static const char help_text[] =
    "Usage: ibakelab bench crypto [--size BITS]… [--quick] [--portable] [--json F]\n"
    "       ibakelab bench crypto --emit-cpu-model[=FILE] [--all] [--quick]\n"
    "\n"
    "Times the identity-based encryption of RFC 5091 on this machine, on the parameter sets that ship.\n"
    "  --size BITS  length of p: 512, 1024 or 1536 (80, 112, 128 bits of strength); default: all three\n"
    "  --quick      fewer repetitions: a second a size, good to some 10 %\n"
    "  --portable   use the multiplier in C even where a faster one is there\n"
    "  --json F     the figures as a result for 'ibakelab report' (docs/results.md); '-': standard output, "
    "without "
    "tables\n"
    "  --emit-cpu-model[=FILE]\n"
    "               measure what a simulated processor has to know, parameters of 1024, 2048 and 3072 bits,\n"
    "               and write it as a CPU model for the scenario keys `cpu` (docs/cpu-models.md)\n"
    "  --all        parameters of 7680 bits as well\n"
    "\n"
    "How to read it\n"
    "  products, squares, reductions\n"
    "            what the operation does modulo p. An ordinary multiplication is one product and one\n"
    "            reduction; sums of products share a reduction.\n"
    "  model     the counts times the measured cost of each: what the operation would take if nothing but\n"
    "            these cost time. Additions, hashing, table look-ups and encoding are the rest.\n"
    "  ratio     time / model. 1.1 to 1.3 is usual; more says that something else than arithmetic eats "
    "time.\n"
    "  limit     for pairing, encrypt, decrypt: the multiplications that the best known combination of\n"
    "            methods takes, times OpenSSL's cost of one (BN_mod_mul_montgomery), measured in the same "
    "run.\n"
    "            time / limit below 1.3 is the aim; below 1 beats OpenSSL's multiplier.\n"
    "Times are medians. On a busy machine compare the ratios, not the times.\n";

/* Counted limits, in multiplications (512, 1024, 1536 bits): pairing, encrypt, decrypt. */
static const struct {
    ibk_ibe_op op;
    unsigned count[3];
} LIMITS[] = {
    {IBK_IBE_OP_PAIRING, {2833, 4380, 5828}},
    {IBK_IBE_OP_ENCRYPT, {2667, 4380, 6296}},
    {IBK_IBE_OP_DECRYPT, {1833, 3066, 4235}},
};

typedef struct settings {
    bool quick, portable, emit, all;
    const char *json;       /* NULL: not wanted */
    const char *model_path; /* NULL: standard output */
    bool wanted[3];         /* 512, 1024, 1536 */
} settings;

typedef struct figures {
    double median[IBK_IBE_OPS]; /* seconds */
    ibk_ibe_counts counts[IBK_IBE_OPS];
    bool counted[IBK_IBE_OPS];
    double mul, sqr, product, add, inv; /* seconds each */
    double openssl_mul;
    double ecdh_keygen, ecdh_derive;
} figures;

/* ---- timing ------------------------------------------------------------------------------------- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One repetition of what is measured; false ends the measurement. */
typedef bool repeat(void *user);

#define SAMPLES 4000

typedef struct samples {
    double times[SAMPLES];
    size_t count;
} samples;

/* Times single repetitions for `budget` seconds, three of them at least. False if one failed. */
static bool sample(samples *s, repeat *run, void *user, double budget) {
    double end = now() + budget;
    for (int i = 0; s->count < SAMPLES && (i < 3 || now() < end); i++) {
        double start = now();
        if (!run(user))
            return false;
        s->times[s->count++] = now() - start;
    }
    return true;
}

static double median(samples *s) {
    qsort(s->times, s->count, sizeof *s->times, by_value);
    return s->times[s->count / 2];
}

/* In one go; negative on failure. */
static double median_of(repeat *run, void *user, double budget) {
    static samples s;
    s.count = 0;
    return sample(&s, run, user, budget) ? median(&s) : -1;
}

typedef struct op_run {
    ibk_ibe_measure *m;
    ibk_ibe_op op;
} op_run;

static bool run_op(void *user) {
    op_run *r = user;
    return ibk_ibe_measure_run(r->m, r->op) == IBK_OK;
}

typedef struct field_run {
    ibk_ibe_measure *m;
    ibk_ibe_field_op op;
    unsigned long times;
} field_run;

static bool run_field(void *user) {
    field_run *r = user;
    ibk_ibe_measure_field(r->m, r->op, r->times);
    return true;
}

static double field_cost(ibk_ibe_measure *m, ibk_ibe_field_op op, double budget) {
    field_run r = {m, op, op == IBK_IBE_FIELD_INV ? 20 : 1000};
    return median_of(run_field, &r, budget) / (double)r.times;
}

/* ---- OpenSSL beside it --------------------------------------------------------------------------- */

typedef struct openssl_run {
    BN_MONT_CTX *mont;
    BN_CTX *ctx;
    BIGNUM *a, *b;
} openssl_run;

static bool run_openssl(void *user) {
    openssl_run *r = user;
    for (int i = 0; i < 1000; i++)
        if (BN_mod_mul_montgomery(r->a, r->a, r->b, r->mont, r->ctx) != 1)
            return false;
    return true;
}

/* The cost of one multiplication by OpenSSL for an odd modulus of `bits` bits. */
static double openssl_cost(unsigned bits, double budget) {
    openssl_run r = {BN_MONT_CTX_new(), BN_CTX_new(), BN_new(), BN_new()};
    BIGNUM *p = BN_new();
    double cost = -1;
    if (r.mont && r.ctx && r.a && r.b && p &&
        BN_rand(p, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1 && BN_rand_range(r.a, p) == 1 &&
        BN_rand_range(r.b, p) == 1 && BN_MONT_CTX_set(r.mont, p, r.ctx) == 1)
        cost = median_of(run_openssl, &r, budget) / 1000;
    BN_MONT_CTX_free(r.mont);
    BN_CTX_free(r.ctx);
    BN_free(r.a);
    BN_free(r.b);
    BN_free(p);
    return cost;
}

static bool run_keygen(void *user) {
    (void)user;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_free(key);
    return key != NULL;
}

typedef struct derive_run {
    EVP_PKEY *own, *peer;
} derive_run;

static bool run_derive(void *user) {
    derive_run *r = user;
    uint8_t secret[32];
    size_t len = sizeof secret;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(r->own, NULL);
    bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, r->peer) == 1 &&
              EVP_PKEY_derive(ctx, secret, &len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static void measure_ecdh(figures *f, double budget) {
    derive_run r = {EVP_EC_gen("P-256"), EVP_EC_gen("P-256")};
    f->ecdh_keygen = median_of(run_keygen, NULL, budget);
    f->ecdh_derive = r.own && r.peer ? median_of(run_derive, &r, budget) : -1;
    EVP_PKEY_free(r.own);
    EVP_PKEY_free(r.peer);
}

/* ---- one size ------------------------------------------------------------------------------------- */

#define ROUNDS                                                                                               \
    5 /* an operation's samples lie apart in time, so that a burst of other load does not hit one alone */

static ibk_err measure_operations(figures *f, ibk_ibe_measure *m, double budget) {
    samples *all = calloc(IBK_IBE_OPS, sizeof *all);
    ibk_err err = all ? IBK_OK : IBK_ERR_NO_MEMORY;
    for (int i = 0; i < ROUNDS * IBK_IBE_OPS && !err; i++) {
        op_run r = {m, (ibk_ibe_op)(i % IBK_IBE_OPS)};
        err = sample(&all[r.op], run_op, &r, budget / ROUNDS) ? IBK_OK : IBK_ERR_INTERNAL;
    }
    for (int op = 0; op < IBK_IBE_OPS && !err; op++) {
        f->median[op] = median(&all[op]);
        err = ibk_ibe_measure_count(m, (ibk_ibe_op)op, &f->counts[op]);
        f->counted[op] = err == IBK_OK;
        if (err == IBK_ERR_UNSUPPORTED)
            err = IBK_OK;
    }
    free(all);
    return err;
}

static ibk_err measure_field(figures *f, ibk_ibe_measure *m, double budget) {
    f->mul = field_cost(m, IBK_IBE_FIELD_MUL, budget);
    f->sqr = field_cost(m, IBK_IBE_FIELD_SQR, budget);
    f->product = field_cost(m, IBK_IBE_FIELD_PRODUCT, budget);
    f->add = field_cost(m, IBK_IBE_FIELD_ADD, budget);
    f->inv = field_cost(m, IBK_IBE_FIELD_INV, budget);
    f->openssl_mul = openssl_cost(ibk_ibe_measure_size(m)->p_bits, budget);
    return f->openssl_mul > 0 ? IBK_OK : IBK_ERR_INTERNAL;
}

static ibk_err measure_size(figures *f, ibk_ibe_measure *m, bool quick) {
    ibk_err err = measure_operations(f, m, quick ? 0.05 : 0.5);
    return err ? err : measure_field(f, m, quick ? 0.03 : 0.2);
}

/* A product and a reduction in a chain cost what mul and sqr say; the measured parts overlap otherwise, so
 * the shares are scaled to add up. */
static double model_of(const figures *f, const ibk_ibe_counts *c) {
    double reduction = f->mul - f->product;
    return (double)c->products * f->product + (double)c->squares * (f->sqr - reduction) +
           (double)c->reductions * reduction;
}

static double limit_of(const figures *f, ibk_ibe_op op, size_t size) {
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        if (LIMITS[i].op == op)
            return LIMITS[i].count[size] * f->openssl_mul;
    return 0;
}

static void print_table(const figures *f, const ibk_ibe_measure *m, size_t size) {
    const ibk_ibe_size *s = ibk_ibe_measure_size(m);
    printf("\np of %u bits, q of %u bits, strength %u; multiplier: %s\n", s->p_bits, s->q_bits, s->strength,
           ibk_ibe_measure_multiplier(m));
    printf(
        "  one multiplication %.1f ns, squaring %.1f ns (product %.1f, reduction %.1f), addition %.1f ns,\n"
        "  inversion %.0f ns; OpenSSL's multiplication %.1f ns\n\n",
        f->mul * 1e9, f->sqr * 1e9, f->product * 1e9, (f->mul - f->product) * 1e9, f->add * 1e9, f->inv * 1e9,
        f->openssl_mul * 1e9);
    printf("  %-36s %9s %9s %8s %10s %9s %6s %11s\n", "operation", "time/ms", "products", "squares",
           "reductions", "model/ms", "ratio", "time/limit");
    for (int op = 0; op < IBK_IBE_OPS; op++) {
        const ibk_ibe_counts *c = &f->counts[op];
        printf("  %-36s %9.3f", ibk_ibe_op_text((ibk_ibe_op)op), f->median[op] * 1e3);
        if (f->counted[op]) {
            printf(" %9llu %8llu %10llu %9.3f %6.2f", (unsigned long long)c->products,
                   (unsigned long long)c->squares, (unsigned long long)c->reductions, model_of(f, c) * 1e3,
                   f->median[op] / model_of(f, c));
            double limit = limit_of(f, (ibk_ibe_op)op, size);
            if (limit > 0)
                printf(" %11.2f", f->median[op] / limit);
        }
        printf("\n");
    }
}

/* "p512/pairing/time-over-limit": the same on every machine. */
static void add_measure(result_model *m, const ibk_ibe_size *size, const char *what, const char *figure,
                        double value, const char *unit) {
    char name[100];
    snprintf(name, sizeof name, "p%u/%s/%s", size->p_bits, what, figure);
    model_measure(m, name, value, unit);
}

static json_t *counts_json(const ibk_ibe_counts *c, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "products", jb_count(c->products), ok);
    jb_set(o, "squares", jb_count(c->squares), ok);
    jb_set(o, "reductions", jb_count(c->reductions), ok);
    jb_set(o, "additions", jb_count(c->additions), ok);
    return o;
}

static void record_field(result_model *m, const figures *f, const ibk_ibe_size *size) {
    const struct {
        const char *name;
        double seconds;
    } costs[] = {{"multiplication", f->mul}, {"squaring", f->sqr},
                 {"product", f->product},    {"addition", f->add},
                 {"inversion", f->inv},      {"openssl-multiplication", f->openssl_mul}};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        add_measure(m, size, costs[i].name, "time", costs[i].seconds * 1e9, "ns");
    add_measure(m, size, "multiplication", "time-over-openssl", f->mul / f->openssl_mul, "ratio");
}

/* One size: its measures, and what they come from into `sizes`. */
static void record(result_model *m, json_t *sizes, const figures *f, const ibk_ibe_measure *from,
                   size_t place) {
    const ibk_ibe_size *size = ibk_ibe_measure_size(from);
    json_t *detail = json_object(), *counts = json_object();
    record_field(m, f, size);
    for (int op = 0; op < IBK_IBE_OPS; op++) {
        const char *word = ibk_ibe_op_word((ibk_ibe_op)op);
        double limit = limit_of(f, (ibk_ibe_op)op, place);
        add_measure(m, size, word, "time", f->median[op] * 1e3, "ms");
        if (f->counted[op]) {
            add_measure(m, size, word, "time-over-model", f->median[op] / model_of(f, &f->counts[op]),
                        "ratio");
            jb_set(counts, word, counts_json(&f->counts[op], &m->ok), &m->ok);
        }
        if (limit > 0)
            add_measure(m, size, word, "time-over-limit", f->median[op] / limit, "ratio");
    }
    jb_set(detail, "p_bits", jb_count(size->p_bits), &m->ok);
    jb_set(detail, "q_bits", jb_count(size->q_bits), &m->ok);
    jb_set(detail, "strength", jb_count(size->strength), &m->ok);
    jb_set(detail, "multiplier", jb_text(ibk_ibe_measure_multiplier(from)), &m->ok);
    jb_set(detail, "counts", counts, &m->ok);
    jb_append(sizes, detail, &m->ok);
}

/* Standard output is for the result alone, if that goes there. */
static bool shows_tables(const settings *s) {
    return !s->json || strcmp(s->json, "-") != 0;
}

static int bench_size(const settings *s, const run_params_set *set, size_t size, result_model *result,
                      json_t *sizes) {
    ibk_ibe_measure *m = NULL;
    figures f = {0};
    ibk_err err = ibk_ibe_measure_open(&m, ibk_span_of(set->params, set->params_len),
                                       ibk_span_of(set->master, set->master_len), s->portable);
    if (!err)
        err = measure_size(&f, m, s->quick);
    if (err) {
        ibk_ibe_measure_free(m);
        return cli_fail(COMMAND, "measuring", err, NULL);
    }
    record(result, sizes, &f, m, size);
    if (shows_tables(s))
        print_table(&f, m, size);
    fflush(stdout);
    ibk_ibe_measure_free(m);
    return CLI_OK;
}

/* ---- the command ----------------------------------------------------------------------------------- */

static int bench_sizes(const settings *s, result_model *result, json_t *sizes) {
    int status = CLI_OK;
    for (size_t i = 0; i < run_params_set_count && !status; i++) {
        const ibk_ibe_size *size = ibk_ibe_size_of(run_params_sets[i].n);
        size_t place = size && size->p_bits == 512 ? 0 : size && size->p_bits == 1024 ? 1 : 2;
        if (size && size->p_bits <= 1536 && s->wanted[place])
            status = bench_size(s, &run_params_sets[i], place, result, sizes);
    }
    return status;
}

static int run(const settings *s) {
    figures ecdh = {0};
    result_model result;
    json_t *sizes = json_array(), *details = json_object();
    bench_result_begin(&result, "crypto", "Identity-based encryption: times and counted limits", s->quick);
    int status = bench_sizes(s, &result, sizes);
    if (!status) {
        measure_ecdh(&ecdh, s->quick ? 0.05 : 0.3);
        model_measure(&result, "p256/keygen/time", ecdh.ecdh_keygen * 1e3, "ms");
        model_measure(&result, "p256/derive/time", ecdh.ecdh_derive * 1e3, "ms");
    }
    if (!status && shows_tables(s))
        printf("\nECDH on P-256 (OpenSSL): key pair %.3f ms, shared secret %.3f ms\n", ecdh.ecdh_keygen * 1e3,
               ecdh.ecdh_derive * 1e3);
    jb_set(details, "portable", json_boolean(s->portable), &result.ok);
    jb_set(details, "sizes", sizes, &result.ok);
    model_set(&result, "details", details);
    if (!status && s->json)
        return bench_result_end(&result, COMMAND, s->json);
    model_free(&result);
    return status;
}

static int want_size(settings *s, const char *text) {
    static const char *const SIZES[] = {"512", "1024", "1536"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, SIZES[i]) == 0) {
            s->wanted[i] = true;
            return CLI_OK;
        }
    return cli_usage(COMMAND, "--size %s: not 512, 1024 or 1536", text);
}

/* -1: help was asked for. */
static int read_options(settings *s, int argc, char **argv) {
    static const struct option options[] = {{"size", required_argument, NULL, 's'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {"portable", no_argument, NULL, 'p'},
                                            {"json", required_argument, NULL, 'j'},
                                            {"emit-cpu-model", optional_argument, NULL, 'e'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int status = CLI_OK;
    *s = (settings){0};
    for (int c; status == CLI_OK && (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 's')
            status = want_size(s, optarg);
        else if (c == 'q')
            s->quick = true;
        else if (c == 'p')
            s->portable = true;
        else if (c == 'j')
            s->json = optarg;
        else if (c == 'e')
            s->emit = true, s->model_path = optarg;
        else if (c == 'a')
            s->all = true;
        else if (c == 'h')
            return -1;
        else
            return cli_usage(COMMAND, "see the options");
    }
    if (status == CLI_OK && optind < argc)
        return cli_usage(COMMAND, "unexpected argument '%s'", argv[optind]);
    if (status == CLI_OK && s->all && !s->emit)
        return cli_usage(COMMAND, "--all belongs to --emit-cpu-model");
    if (status == CLI_OK && s->emit &&
        (s->wanted[0] || s->wanted[1] || s->wanted[2] || s->json || s->portable))
        return cli_usage(COMMAND, "--emit-cpu-model goes with --all and --quick alone");
    if (!s->wanted[0] && !s->wanted[1] && !s->wanted[2])
        s->wanted[0] = s->wanted[1] = s->wanted[2] = true;
    return status ? status : report_files_check(COMMAND, &(const char *){s->json}, 1);
}

int bench_crypto_main(int argc, char **argv) {
    settings s;
    int status = read_options(&s, argc, argv);
    if (status < 0) {
        fputs(help_text, stdout);
        return CLI_OK;
    }
    return status ? status : s.emit ? bench_model(s.model_path, s.quick, s.all) : run(&s);
}
