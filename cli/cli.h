/* ibakelab: what the subcommands of the program share. Adding one: its file, its prototype here, its row in
 * the table of main.c. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <ibake/base.h>
#include <stdio.h>

/* Exit statuses, the same for every command. */
enum cli_status {
    CLI_OK = 0,      /* done; a run: every expectation held */
    CLI_FAILED = 1,  /* a run: an expectation did not hold; decode: a MAC is wrong */
    CLI_BAD = 2,     /* wrong usage, or an input that cannot be read or is malformed */
    CLI_INTERNAL = 3 /* neither the user's nor the input's fault: disk full, out of memory, a defect */
};

/* A command gets its own argv: argv[0] is its name ("ibakelab run"), argv[1]… its arguments. It may use
 * getopt_long: main has reset optind. It returns an exit status. */
typedef int cli_main(int argc, char **argv);

typedef struct cli_command {
    const char *name, *arguments, *summary; /* "run", "FILE… [--out DIR]", "play scenarios and judge them" */
    cli_main *main;
} cli_command;

int cmd_run_main(int argc, char **argv);
int cmd_sweep_main(int argc, char **argv);
int cmd_attack_main(int argc, char **argv);
int cmd_ladder_main(int argc, char **argv);
int cmd_matrix_main(int argc, char **argv);
int cmd_check_main(int argc, char **argv);
int cmd_show_main(int argc, char **argv);
int cmd_bench_main(int argc, char **argv);
int cmd_kms_main(int argc, char **argv);
int cmd_decode_main(int argc, char **argv);
int cmd_iut_main(int argc, char **argv);
int cmd_conform_main(int argc, char **argv);
int cmd_vectors_main(int argc, char **argv);
int cmd_report_main(int argc, char **argv);

/* ---- help and errors ---------------------------------------------------------------------------- */

/* "ibakelab run: …" on standard error, then, for cli_usage, a line that names --help. Both return CLI_BAD. */
int cli_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An ibk_err with its diag as "WHAT: payload, octet N: text (detail)". Returns CLI_BAD, or CLI_INTERNAL for
 * the categories RESOURCE, RANDOM and INTERNAL. */
int cli_fail(const char *command, const char *what, ibk_err err, const ibk_diag *diag);
/* Flushes standard output: CLI_INTERNAL with a message if anything could not be written, else `status`. */
int cli_finish(const char *command, int status);
/* From now on getopt's complaints begin with "ibakelab COMMAND: ", as all others do. */
void cli_name_command(char **argv, const char *command);
/* The nearest of `names` to `word` (edit distance at most 1 + length/4), or NULL. */
const char *cli_nearest(const char *word, const char *const *names, size_t count);

/* ---- options and files ---------------------------------------------------------------------------- */

/* Unsigned decimal number within [min, max], nothing around it. */
bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* A whole file ("-": standard input), at most `limit` octets. `out` starts from zero. */
ibk_err cli_read_file(ibk_buf *out, const char *path, size_t limit, ibk_diag *diag);
/* Writes a whole file with `mode`; without `force` an existing one is left alone. IBK_ERR_REFUSED: it exists,
 * or cannot be created here; IBK_ERR_IO: it could not be written. diag->detail says why. */
ibk_err cli_write_file(const char *path, ibk_span content, unsigned mode, bool force, ibk_diag *diag);

/* ---- randomness ------------------------------------------------------------------------------------ */

/* An ibk_env: OpenSSL's RAND, or, seeded, a deterministic stream (SHA-256 in counter mode over seed, label
 * and a counter for each label), for reproducible parameter sets. Not for the simulation itself. */
typedef struct cli_random {
    ibk_env env;
    bool seeded;
    uint64_t counters[32];
    uint8_t key[32];
} cli_random;
void cli_random_system(cli_random *r);
void cli_random_seeded(cli_random *r, const char *seed);

#endif
