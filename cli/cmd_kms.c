/* ibakelab: `ibakelab kms`: parameters, master secrets and private keys in files (RFC 5091, strict DER). */
#include "cli/cli.h"
#include "cli/der.h"

#include <errno.h>
#include <getopt.h>
#include <ibake/ibe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND   "kms"
#define MAX_INPUT ((size_t)1 << 20)

static const char help_text[] =
    "Usage: ibakelab kms init --size N --out DIR [--name NAME] [--seed S] [--force] [--quiet]\n"
    "       ibakelab kms extract --params F --master F --identity STR [--date YYYYMMDD] --out F [--force]\n"
    "       ibakelab kms show [--secrets] F…\n"
    "\n"
    "init     makes the parameters of a KMS, DIR/NAME.params.der, and its master secret,\n"
    "         DIR/NAME.master.der (mode 0600).\n"
    "  --size N     1024, 2048, 3072, 7680 or 15360: about 80, 112, 128, 192, 256 bits of strength;\n"
    "               7680 takes seconds, 15360 a minute\n"
    "  --name NAME  default: kms\n"
    "  --seed S     repeatable: the same text gives the same files. For tests and simulations: the\n"
    "               secret is then as easy to guess as S. Without it: the system's random source\n"
    "extract  makes the private key of an identity.\n"
    "  --identity STR      as in the IDR payload, e.g. sip:alice@a.example\n"
    "  --date YYYYMMDD     appended to it (profile P-9); without it the identity is used as it stands\n"
    "show     tells what a DER file is, with sizes, object identifiers and values; parameters are checked\n"
    "         in full. Secrets are left out without --secrets.\n"
    "\n"
    "Existing files are left alone without --force. Exit status: 0 done, 2 wrong usage or bad file,\n"
    "3 internal (disk, memory, random source).\n";

/* ---- init ---------------------------------------------------------------------------------------- */

static void show_progress(void *user, unsigned long tested) {
    (void)user;
    fprintf(stderr, "\rsearching a prime: %lu candidates tested", tested);
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static ibk_err write_der(const char *path, ibk_buf *der, unsigned mode, bool force, int *status) {
    ibk_diag diag = {0};
    ibk_err err = cli_write_file(path, ibk_buf_span(der), mode, force, &diag);
    if (err)
        cli_error(COMMAND, "%s: %s", path, diag.detail);
    if (err)
        *status = err == IBK_ERR_IO ? CLI_INTERNAL : CLI_BAD;
    ibk_buf_free(der);
    return err;
}

typedef struct init_options {
    uint64_t size;
    const char *out, *name, *seed;
    bool force, quiet;
} init_options;

/* Both files or, if the second fails, only the first: the message says which. */
static int write_set(const init_options *o, const char *params_path, const char *master_path,
                     const ibk_ibe_params *params, const ibk_ibe_master *master) {
    ibk_buf params_der = {0}, master_der = {0};
    int status = CLI_OK;
    ibk_err err = ibk_ibe_params_encode(params, &params_der);
    if (!err)
        err = ibk_ibe_master_encode(master, &master_der);
    if (err)
        status = cli_fail(COMMAND, "encoding", err, NULL);
    if (!err)
        err = write_der(master_path, &master_der, 0600, o->force, &status);
    if (!err)
        write_der(params_path, &params_der, 0644, o->force, &status);
    ibk_buf_free(&params_der);
    ibk_buf_free(&master_der);
    if (status == CLI_OK && !o->quiet)
        printf("%s: %u bits, p of %u and q of %u bits, %s, %u-bit strength\n%s: its master secret; keep it\n",
               params_path, ibk_ibe_params_n(params), ibk_ibe_params_p_bits(params),
               ibk_ibe_params_q_bits(params), ibk_ibe_hash_name(ibk_ibe_params_hash(params)),
               ibk_ibe_params_strength(params), master_path);
    return status;
}

static int make_set(const init_options *o, const char *params_path, const char *master_path) {
    cli_random random;
    if (o->seed)
        cli_random_seeded(&random, o->seed);
    else
        cli_random_system(&random);
    bool show = !o->quiet && isatty(STDERR_FILENO);
    ibk_ibe_params *params = NULL;
    ibk_ibe_master *master = NULL;
    ibk_err err =
        ibk_ibe_setup(&random.env, (unsigned)o->size, &params, &master, show ? show_progress : NULL, NULL);
    if (show)
        fputs("\r\x1b[K", stderr);
    int status = err ? cli_fail(COMMAND, "making parameters", err, NULL)
                     : write_set(o, params_path, master_path, params, master);
    ibk_ibe_master_free(master);
    ibk_ibe_params_free(params);
    ibk_wipe(&random, sizeof random);
    return status;
}

static int run_init(const init_options *o) {
    size_t len = strlen(o->out) + strlen(o->name) + 32;
    char *params_path = malloc(len), *master_path = malloc(len);
    int status = CLI_INTERNAL;
    if (params_path && master_path) {
        snprintf(params_path, len, "%s/%s.params.der", o->out, o->name);
        snprintf(master_path, len, "%s/%s.master.der", o->out, o->name);
        /* Before the search, which may take a minute. */
        if (mkdir(o->out, 0777) != 0 && errno != EEXIST)
            status = cli_error(COMMAND, "cannot create %s: %s", o->out, strerror(errno));
        else if (!o->force && (exists(params_path) || exists(master_path)))
            status = cli_error(COMMAND, "%s exists already; --force overwrites it",
                               exists(params_path) ? params_path : master_path);
        else
            status = make_set(o, params_path, master_path);
    }
    free(params_path);
    free(master_path);
    return status;
}

static bool good_name(const char *name) {
    return *name && *name != '.' && !strchr(name, '/');
}

static int cmd_init(int argc, char **argv) {
    static const struct option options[] = {{"size", required_argument, NULL, 's'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {NULL, 0, NULL, 0}};
    init_options o = {.name = "kms"};
    const char *size = NULL;
    for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        switch (c) {
        case 's':
            size = optarg;
            break;
        case 'o':
            o.out = optarg;
            break;
        case 'n':
            o.name = optarg;
            break;
        case 'S':
            o.seed = optarg;
            break;
        case 'f':
            o.force = true;
            break;
        case 'q':
            o.quiet = true;
            break;
        default:
            return cli_usage(COMMAND, "init: see above");
        }
    }
    if (optind < argc)
        return cli_usage(COMMAND, "init: '%s' is one argument too many", argv[optind]);
    if (!size || !o.out)
        return cli_usage(COMMAND, "init: %s is missing", size ? "--out DIR" : "--size N");
    if (!cli_number(size, 1, UINT32_MAX, &o.size) || !ibk_ibe_size_of((unsigned)o.size))
        return cli_usage(COMMAND, "init: --size is 1024, 2048, 3072, 7680 or 15360, not '%s'", size);
    if (!good_name(o.name))
        return cli_usage(COMMAND, "init: --name is a plain file name, not '%s'", o.name);
    return run_init(&o);
}

/* ---- extract --------------------------------------------------------------------------------------- */

static bool good_date(const char *date) {
    static const unsigned days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t number;
    if (strlen(date) != 8 || !cli_number(date, 0, 99999999, &number))
        return false;
    uint64_t year = number / 10000, month = number / 100 % 100, day = number % 100;
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month != 2 || day < 29 || leap;
}

static int load_params(ibk_ibe_params **params, const char *path) {
    ibk_buf der = {0};
    ibk_diag diag = {0};
    ibk_err err = cli_read_file(&der, path, MAX_INPUT, &diag);
    if (err) {
        ibk_buf_free(&der);
        return cli_error(COMMAND, "%s: %s", path, diag.detail[0] ? diag.detail : ibk_err_text(err));
    }
    err = ibk_ibe_params_parse(params, ibk_buf_span(&der), NULL, &diag);
    ibk_buf_free(&der);
    return err ? cli_fail(COMMAND, path, err, &diag) : CLI_OK;
}

static int load_master(ibk_ibe_master **master, const ibk_ibe_params *params, const char *path) {
    ibk_buf der = {0};
    ibk_diag diag = {0};
    ibk_err err = cli_read_file(&der, path, MAX_INPUT, &diag);
    if (err) {
        ibk_buf_free(&der);
        return cli_error(COMMAND, "%s: %s", path, diag.detail[0] ? diag.detail : ibk_err_text(err));
    }
    err = ibk_ibe_master_parse(master, params, ibk_buf_span(&der), &diag);
    ibk_buf_free(&der);
    if (err && err != IBK_ERR_BAD_SCALAR)
        return cli_fail(COMMAND, path, err, &diag);
    if (err || ibk_ibe_master_check(params, *master)) /* another q may make s too large already */
        return cli_error(COMMAND, "%s is not the master secret of these parameters", path);
    return CLI_OK;
}

typedef struct extract_options {
    const char *params, *master, *identity, *date, *out;
    bool force;
} extract_options;

static int extract_key(const extract_options *o, const ibk_ibe_params *params, const ibk_ibe_master *master) {
    ibk_buf identity = {0}, der = {0};
    ibk_ibe_key *key = NULL;
    int status = CLI_OK;
    ibk_err err = ibk_buf_append_span(&identity, ibk_span_str(o->identity));
    if (!err && o->date)
        err = ibk_buf_append_span(&identity, ibk_span_str(o->date));
    if (!err)
        err = ibk_ibe_extract(params, master, ibk_buf_span(&identity), &key);
    if (!err)
        err = ibk_ibe_key_verify(params, key, ibk_buf_span(&identity));
    if (!err)
        err = ibk_ibe_key_encode(key, &der);
    if (err)
        status = cli_fail(COMMAND, "extracting", err, NULL);
    else
        write_der(o->out, &der, 0600, o->force, &status);
    ibk_ibe_key_free(key);
    ibk_buf_free(&identity);
    ibk_buf_free(&der);
    return status;
}

static int cmd_extract(int argc, char **argv) {
    static const struct option options[] = {{"params", required_argument, NULL, 'p'},
                                            {"master", required_argument, NULL, 'm'},
                                            {"identity", required_argument, NULL, 'i'},
                                            {"date", required_argument, NULL, 'd'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"force", no_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    extract_options o = {0};
    for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        const char **place = c == 'p'   ? &o.params
                             : c == 'm' ? &o.master
                             : c == 'i' ? &o.identity
                             : c == 'd' ? &o.date
                             : c == 'o' ? &o.out
                                        : NULL;
        if (place)
            *place = optarg;
        else if (c == 'f')
            o.force = true;
        else
            return cli_usage(COMMAND, "extract: see above");
    }
    if (optind < argc)
        return cli_usage(COMMAND, "extract: '%s' is one argument too many", argv[optind]);
    if (!o.params || !o.master || !o.identity || !o.out)
        return cli_usage(COMMAND, "extract: --params, --master, --identity and --out are all needed");
    if (o.date && !good_date(o.date))
        return cli_usage(COMMAND, "extract: --date is a day as YYYYMMDD, not '%s'", o.date);
    ibk_ibe_params *params = NULL;
    ibk_ibe_master *master = NULL;
    int status = load_params(&params, o.params);
    if (status == CLI_OK)
        status = load_master(&master, params, o.master);
    if (status == CLI_OK)
        status = extract_key(&o, params, master);
    ibk_ibe_master_free(master);
    ibk_ibe_params_free(params);
    return status;
}

/* ---- show ------------------------------------------------------------------------------------------ */

static int show_params(ibk_span der, const char *path) {
    ibk_ibe_params *params = NULL;
    ibk_diag diag = {0};
    ibk_err err = ibk_ibe_params_parse(&params, der, NULL, &diag);
    if (err)
        return cli_fail(COMMAND, path, err, &diag);
    printf("  %u bits: p of %u bits, q of %u bits (Solinas prime), %s, %u-bit strength; all checks passed\n",
           ibk_ibe_params_n(params), ibk_ibe_params_p_bits(params), ibk_ibe_params_q_bits(params),
           ibk_ibe_hash_name(ibk_ibe_params_hash(params)), ibk_ibe_params_strength(params));
    ibk_ibe_params_free(params);
    return CLI_OK;
}

static int show_file(const char *path, bool secrets) {
    ibk_buf der = {0};
    ibk_diag diag = {0};
    tree t = {0};
    ibk_err err = cli_read_file(&der, path, MAX_INPUT, &diag);
    if (err) {
        ibk_buf_free(&der);
        return cli_error(COMMAND, "%s: %s", path, diag.detail[0] ? diag.detail : ibk_err_text(err));
    }
    der_kind kind = der_guess(ibk_buf_span(&der));
    bool hide = !secrets && kind != DER_PARAMS && kind != DER_CIPHERTEXT;
    int status = CLI_OK;
    err = der_tree(&t, NULL, ibk_buf_span(&der), 0, hide, &diag);
    if (err) {
        status = cli_fail(COMMAND, path, err, &diag);
    } else {
        printf("%s: %s, %zu octets\n", path, der_kind_name(kind), der.len);
        status = kind == DER_PARAMS ? show_params(ibk_buf_span(&der), path) : CLI_OK;
        tree_print(stdout, &t, 0, 100);
        if (t.failed)
            status = cli_fail(COMMAND, path, IBK_ERR_NO_MEMORY, NULL);
    }
    tree_free(&t);
    ibk_buf_free(&der);
    return status;
}

static int cmd_show(int argc, char **argv) {
    static const struct option options[] = {{"secrets", no_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    bool secrets = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c != 's')
            return cli_usage(COMMAND, "show: see above");
        secrets = true;
    }
    if (optind == argc)
        return cli_usage(COMMAND, "show: a file is missing");
    int status = CLI_OK;
    for (int i = optind; i < argc; i++) {
        int one = show_file(argv[i], secrets);
        status = one > status ? one : status;
    }
    return cli_finish(COMMAND, status);
}

int cmd_kms_main(int argc, char **argv) {
    static const struct {
        const char *name, *full_name;
        cli_main *main;
    } commands[] = {{"init", "kms init", cmd_init},
                    {"extract", "kms extract", cmd_extract},
                    {"show", "kms show", cmd_show}};
    const char *names[] = {"init", "extract", "show"};
    if (argc < 2)
        return cli_usage(COMMAND, "init, extract or show is missing");
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help_text, stdout);
            return cli_finish(COMMAND, CLI_OK);
        }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            cli_name_command(argv + 1, commands[i].full_name);
            return cli_finish(COMMAND, commands[i].main(argc - 1, argv + 1));
        }
    const char *nearest = cli_nearest(argv[1], names, 3);
    return nearest ? cli_usage(COMMAND, "unknown command '%s': did you mean '%s'?", argv[1], nearest)
                   : cli_usage(COMMAND, "unknown command '%s'", argv[1]);
}
