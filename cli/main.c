/* ibakelab: the program. A table of commands, the help, and the dispatch. */
#include "cli/cli.h"

#include <getopt.h>
#include <locale.h>
#include <openssl/crypto.h>
#include <string.h>

/* One row a command, in the order in which the help shows them. */
static const cli_command commands[] = {
    {"run", "FILE… [--out DIR] [--keylog] …", "play scenarios, judge them, write what happened",
     cmd_run_main},
    {"sweep", "FILE [--jobs N] [--resume] …", "play a scenario at many points, and measure", cmd_sweep_main},
    {"attack", "FILE [--rounds N] …", "let a random adversary loose on a scenario", cmd_attack_main},
    {"ladder", "DIR [--call N] [--svg F] …", "draw a call of a run: on the terminal, as SVG, for mscgen",
     cmd_ladder_main},
    {"matrix", "DIR [--svg F]", "show who knew what in a run", cmd_matrix_main},
    {"check", "FILE…", "tell what is wrong with scenario files", cmd_check_main},
    {"show", "FILE", "print a scenario with every default filled in; --reference explains every key",
     cmd_show_main},
    {"kms", "init|extract|show …", "make IBE parameters, extract private keys, look into their files",
     cmd_kms_main},
    {"decode", "[--json] [--keylog F] [INPUT…]",
     "show MIKEY messages of hex, base64, SDP or a capture as a tree", cmd_decode_main},
    {"iut", "", "answer a conformance suite: our implementation behind conformance/IUT.md", cmd_iut_main},
    {"conform", "[--iut CMD] [--filter GLOB] …", "judge an implementation, requirement by requirement",
     cmd_conform_main},
    {"vectors", "verify [DIR|FILE] | generate DIR",
     "check the test vectors of conformance/vectors, or make them again", cmd_vectors_main},
    {"report", "DIR… [--junit F] [--markdown F] …", "show results of any kind, or write them for CI servers",
     cmd_report_main},
    {"bench", "crypto|sim", "print figures: operations of the cryptography, calls a second", cmd_bench_main},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static const char examples[] =
    "\nExamples:\n"
    "  ibakelab run scenarios/basic/first-call.yaml --keylog\n"
    "                                                  a call with real keys; results in out/first-call\n"
    "  ibakelab kms init --size 3072 --out keys       a KMS's parameters and master secret\n"
    "  ibakelab kms extract --params keys/kms.params.der --master keys/kms.master.der \\\n"
    "      --identity sip:bob@b.example --date 20261124 --out bob.key.der\n"
    "  ibakelab decode out/first-call/capture/all.pcap every MIKEY message of a capture\n"
    "  ibakelab decode --keylog out/first-call/keys.log --json out/first-call/capture/all.pcap\n"
    "                                                  the same, decrypted, for another program\n";

static const char statuses[] = "\nExit status:\n"
                               "  0  done; for a run: every expectation held\n"
                               "  1  an expectation did not hold, or a MAC that could be checked is wrong\n"
                               "  2  wrong usage, or an input that is unreadable or malformed\n"
                               "  3  the fault is neither yours nor the input's: disk full, out of memory, "
                               "a defect of ibakelab\n";

static int help(void) {
    printf("ibakelab simulates, tests and takes apart MIKEY-IBAKE (RFC 6267), the identity-based key\n"
           "exchange for IMS media security: real messages and real keys over a simulated network.\n\n"
           "Usage: ibakelab COMMAND [ARGUMENTS…]\n"
           "       ibakelab COMMAND --help\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].summary);
    printf("%s%s", examples, statuses);
    return cli_finish("ibakelab", CLI_OK);
}

static int version(void) {
    printf("ibakelab " IBAKELAB_VERSION " (%s)\n", OpenSSL_version(OPENSSL_VERSION));
    return cli_finish("ibakelab", CLI_OK);
}

static const cli_command *find(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown(const char *word) {
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *nearest = cli_nearest(word, names, COMMANDS);
    if (nearest)
        return cli_usage("", "unknown command '%s': did you mean '%s'?", word, nearest);
    return cli_usage("", "unknown command '%s'", word);
}

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, ""); /* whether the terminal takes UTF-8; numbers stay as in C */
    if (argc < 2) {
        cli_usage("", "a command is missing");
        return CLI_BAD;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || (strcmp(word, "help") == 0 && argc == 2))
        return help();
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return version();
    char help_option[] = "--help";
    char *help_argv[] = {argc > 2 ? argv[2] : argv[1], help_option, NULL};
    bool ask_help = strcmp(word, "help") == 0;
    if (ask_help)
        word = argv[2];
    const cli_command *command = find(word);
    if (!command)
        return unknown(word);
    optind = 1;
    cli_name_command(ask_help ? help_argv : argv + 1, command->name);
    return ask_help ? command->main(2, help_argv) : command->main(argc - 1, argv + 1);
}
