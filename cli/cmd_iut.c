/* ibakelab iut: our implementation behind the contract of an implementation under test (conformance/IUT.md).
 */
#include "cli/cli.h"
#include "conformance/iut/iut.h"

#include <string.h>

#define COMMAND "iut"

static const char help_text[] =
    "Usage: ibakelab iut\n"
    "Answers the requests of a conformance suite, JSON lines on standard input, on standard output, with "
    "the\n"
    "protocol code of ibakelab: roles initiator, responder, mailbox, kms, user, parser. The contract is\n"
    "conformance/IUT.md. It ends with its input.\n\n"
    "Example:\n"
    "  echo '{\"op\": \"hello\", \"seq\": 1, \"contract\": 1, \"suite\": \"me\"}' | ibakelab iut\n\n"
    "Exit status: 0 its input has ended; 2 wrong usage; 3 an answer could not be written, out of memory.\n";

int cmd_iut_main(int argc, char **argv) {
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help_text, stdout);
        return cli_finish(COMMAND, CLI_OK);
    }
    if (argc > 1)
        return cli_usage(COMMAND, "it takes no arguments, and '%s' is one", argv[1]);
    ibk_err err = iut_serve(stdin, stdout, IBAKELAB_VERSION);
    return err ? cli_fail(COMMAND, "standard input and output", err, NULL) : CLI_OK;
}
