/* The IBE parameters of a KMS: one of the ready-made sets, which are part of the program, or two files. */
#ifndef SIM_RUN_PARAMS_H
#define SIM_RUN_PARAMS_H

#include "scenario/model.h"

/* Both are owned by the caller. diag names the file. */
ibk_err run_params_load(ibk_ibe_params **params, ibk_ibe_master **master, const scn_kms *kms, ibk_diag *diag);

/* Frees *master and puts another one in its place that does not belong to `params`. */
ibk_err run_params_other_master(ibk_ibe_master **master, const ibk_ibe_params *params, ibk_diag *diag);

#endif
