#ifndef CLI_BENCH_SIM_H
#define CLI_BENCH_SIM_H

/* `ibakelab bench sim`; returns an exit status. */
int bench_sim_main(int argc, char **argv);

#endif
