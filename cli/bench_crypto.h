#ifndef CLI_BENCH_CRYPTO_H
#define CLI_BENCH_CRYPTO_H

/* `ibakelab bench crypto`; returns an exit status. */
int bench_crypto_main(int argc, char **argv);

#endif
