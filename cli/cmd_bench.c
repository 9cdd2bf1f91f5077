/* ibakelab bench: figures of the cryptography and of the simulation. */
#include "cli/bench_crypto.h"
#include "cli/bench_sim.h"
#include "cli/cli.h"

#include <string.h>

static const char help_text[] =
    "Usage: ibakelab bench crypto [OPTIONS]\n"
    "       ibakelab bench sim [OPTIONS]\n"
    "\n"
    "crypto   each operation's median time beside its count of modular multiplications and the measured "
    "cost\n"
    "         of one, at 512, 1024 and 1536 bits\n"
    "sim      calls a second, simulator events a second, memory a UE\n"
    "\n"
    "`ibakelab bench crypto --help` and `ibakelab bench sim --help` tell the options.\n";

int cmd_bench_main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
        fputs(help_text, stdout);
        return cli_finish("bench", CLI_OK);
    }
    if (strcmp(what, "crypto") == 0) {
        cli_name_command(argv + 1, "bench crypto");
        return cli_finish("bench", bench_crypto_main(argc - 1, argv + 1));
    }
    if (strcmp(what, "sim") == 0) {
        cli_name_command(argv + 1, "bench sim");
        return cli_finish("bench", bench_sim_main(argc - 1, argv + 1));
    }
    return cli_usage("bench", *what ? "'%s' is neither crypto nor sim" : "crypto or sim is missing%s", what);
}
