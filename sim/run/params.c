#include "run/params.h"
#include "run/params_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX_OCTETS 65536

static const run_params_set *ready_made(unsigned n) {
    for (size_t i = 0; i < run_params_set_count; i++)
        if (run_params_sets[i].n == n)
            return &run_params_sets[i];
    return NULL;
}

static ibk_err read_file(ibk_buf *out, const char *path, ibk_diag *diag) {
    uint8_t octets[4096];
    size_t len;
    FILE *file = fopen(path, "rb");
    if (!file)
        return ibk_fail(diag, IBK_ERR_IO, path, 0, "%s", strerror(errno));
    ibk_err err = IBK_OK;
    while (!err && (len = fread(octets, 1, sizeof octets, file)) > 0)
        err = out->len + len > FILE_MAX_OCTETS ? IBK_ERR_LIMIT : ibk_buf_append(out, octets, len);
    if (!err && ferror(file))
        err = IBK_ERR_IO;
    fclose(file);
    ibk_wipe(octets, sizeof octets);
    return err ? ibk_fail(diag, err, path, 0, "%s", ibk_err_text(err)) : IBK_OK;
}

static ibk_err parse(ibk_ibe_params **params, ibk_ibe_master **master, ibk_span params_der,
                     ibk_span master_der, ibk_diag *diag) {
    ibk_err err = ibk_ibe_params_parse(params, params_der, NULL, diag);
    if (!err)
        err = ibk_ibe_master_parse(master, *params, master_der, diag);
    if (!err)
        err = ibk_ibe_master_check(*params, *master);
    if (err == IBK_ERR_BAD_PARAMS && *master)
        ibk_fail(diag, err, "BFMasterSecret", 0, "the master secret does not belong to these parameters");
    return err;
}

ibk_err run_params_load(ibk_ibe_params **params, ibk_ibe_master **master, const scn_kms *kms,
                        ibk_diag *diag) {
    *params = NULL;
    *master = NULL;
    ibk_err err;
    if (kms->parameters) {
        const run_params_set *set = ready_made(kms->parameters);
        if (!set)
            return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "parameters", 0, "no ready-made set of size %u",
                            kms->parameters);
        err = parse(params, master, ibk_span_of(set->params, set->params_len),
                    ibk_span_of(set->master, set->master_len), diag);
    } else {
        ibk_buf params_der = {0}, master_der = {0};
        err = read_file(&params_der, kms->parameters_file, diag);
        if (!err)
            err = read_file(&master_der, kms->master_file, diag);
        if (!err)
            err = parse(params, master, ibk_buf_span(&params_der), ibk_buf_span(&master_der), diag);
        ibk_buf_free(&params_der);
        ibk_buf_free(&master_der);
    }
    if (err) {
        ibk_ibe_master_free(*master);
        ibk_ibe_params_free(*params);
        *master = NULL;
        *params = NULL;
    }
    return err;
}

ibk_err run_params_other_master(ibk_ibe_master **master, const ibk_ibe_params *params, ibk_diag *diag) {
    /* BFMasterSecret ::= SEQUENCE { version 2, masterSecret 2 }; nobody's secret is that small */
    static const uint8_t two[] = {0x30, 0x06, 0x02, 0x01, 0x02, 0x02, 0x01, 0x02};
    ibk_ibe_master_free(*master);
    *master = NULL;
    return ibk_ibe_master_parse(master, params, ibk_span_of(two, sizeof two), diag);
}
