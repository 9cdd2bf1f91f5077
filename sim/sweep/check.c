/* Whether every value of a sweep fits its scenario, and what makes two sweeps the same. */
#include "run/versions.h"
#include "scenario/source.h"
#include "sweep/sweep.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define TRIED 200 /* values of one parameter that are tried beforehand; of longer lists every n-th */

typedef struct checker {
    const sweep *s;
    scn_errors *errors;
    EVP_MD_CTX *hash;
    bool hashed;
} checker;

/* ---- the digest
 * ------------------------------------------------------------------------------------------------ */

/* A text with its length before it: no two lists of texts give the same octets. */
static void hash_octets(checker *c, const void *data, size_t len) {
    uint64_t size = len;
    c->hashed &=
        EVP_DigestUpdate(c->hash, &size, sizeof size) == 1 && EVP_DigestUpdate(c->hash, data, len) == 1;
}

static void hash_text(checker *c, const char *text) {
    hash_octets(c, text, strlen(text));
}

static void hash_file(checker *c, const char *path) {
    ibk_buf text = {0};
    if (path != NULL && scn_source_read(&text, path) == IBK_OK)
        hash_octets(c, text.data, text.len);
    ibk_buf_free(&text);
}

static void hash_scenario(checker *c, const scn_scenario *scenario) {
    ibk_buf resolved = {0};
    c->hashed &= scn_write_resolved(&resolved, scenario) == IBK_OK;
    hash_octets(c, resolved.data, resolved.len);
    for (size_t i = 0; i < scenario->domain_count; i++)
        hash_file(c, scenario->domains[i].kms.cpu.file);
    for (size_t i = 0; i < scenario->user_count; i++)
        hash_file(c, scenario->users[i].cpu.file);
    ibk_buf_free(&resolved);
}

static void hash_sweep(checker *c) {
    const sweep *s = c->s;
    hash_text(c, "ibakelab-sweep/1");
    hash_octets(c, &s->points, sizeof s->points);
    hash_octets(c, s->seeds, s->seed_count * sizeof *s->seeds);
    for (size_t i = 0; i < s->measure_count; i++) {
        hash_text(c, s->measures[i].name);
        hash_text(c, s->measures[i].text);
    }
    for (size_t i = 0; i < s->fixed_count; i++)
        hash_text(c, s->fixed[i]);
    for (size_t p = 0; p < s->parameter_count; p++) {
        hash_text(c, s->parameters[p].name);
        for (size_t i = 0; i < s->parameters[p].count; i++) {
            const sweep_choice *choice = &s->parameters[p].choices[i];
            hash_text(c, choice->label);
            for (size_t j = 0; j < choice->set_count; j++)
                hash_text(c, choice->sets[j]);
        }
    }
}

/* ---- every value once
 * ------------------------------------------------------------------------------------------------ */

/* What the scenario's loader says of a value, told at the parameter. */
static void blame(checker *c, const sweep_parameter *p, const sweep_choice *choice, const scn_errors *inner) {
    if (c->errors->count == SCN_ERRORS_MAX) {
        c->errors->more = true;
        return;
    }
    const scn_error *first = &inner->list[0];
    scn_error *e = &c->errors->list[c->errors->count++];
    *e = (scn_error){.line = p->where.line, .column = p->where.column};
    snprintf(e->file, sizeof e->file, "%s", p->where.file);
    snprintf(e->message, sizeof e->message, "parameters.%s, '%.60s': %.140s", p->name, choice->label,
             first->message);
    memcpy(e->hint, first->hint, sizeof e->hint);
}

static ibk_err try_point(checker *c, const sweep_point *point, const sweep_parameter *p) {
    scn_scenario *scenario = NULL;
    scn_errors *inner = p == NULL ? c->errors : calloc(1, sizeof *inner);
    ibk_err err = inner == NULL
                      ? IBK_ERR_NO_MEMORY
                      : scn_load_file(&scenario, inner, c->s->scenario, point->sets, point->set_count);
    if (err == IBK_OK)
        hash_scenario(c, scenario);
    else if (p != NULL && err != IBK_ERR_NO_MEMORY)
        blame(c, p, &p->choices[point->choices[p - c->s->parameters]], inner);
    scn_free(scenario);
    if (p != NULL)
        free(inner);
    return err;
}

/* Point 0 is the scenario as it is: what is wrong with it is told as `ibakelab check` tells it. */
static ibk_err try_choice(checker *c, size_t p, size_t i) {
    sweep_point *point = calloc(1, sizeof *point);
    if (point == NULL)
        return IBK_ERR_NO_MEMORY;
    sweep_point_with(c->s, p, i, point);
    ibk_err err = try_point(c, point, i == 0 ? NULL : &c->s->parameters[p]);
    free(point);
    return err;
}

static ibk_err try_parameter(checker *c, size_t p) {
    const sweep_parameter *parameter = &c->s->parameters[p];
    size_t stride = (parameter->count + TRIED - 1) / TRIED;
    ibk_err first = IBK_OK;
    for (size_t i = stride; i < parameter->count; i += stride) {
        ibk_err err = try_choice(c, p, i);
        first = first == IBK_OK ? err : first;
        if (err == IBK_ERR_NO_MEMORY)
            return err;
    }
    return first;
}

static ibk_err try_all(checker *c) {
    ibk_err first = try_choice(c, 0, 0);
    for (size_t p = 0; first == IBK_OK && p < c->s->parameter_count; p++)
        first = try_parameter(c, p);
    return first;
}

/* ---- the stamp
 * ------------------------------------------------------------------------------------------------ */

static ibk_err write_versions(char out[256]) {
    result r = {0};
    size_t used = 0;
    versions_add(&r);
    for (size_t i = 0; i < r.version_count && used < 255; i++)
        used += (size_t)snprintf(out + used, 256 - used, "%s%s %s", i ? ", " : "", r.versions[i].name,
                                 r.versions[i].version);
    bool failed = r.out_of_memory;
    result_free(&r);
    return failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

ibk_err sweep_check(const sweep *s, scn_errors *errors, sweep_stamp *stamp) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    checker c = {.s = s, .errors = errors, .hash = EVP_MD_CTX_new(), .hashed = true};
    memset(errors, 0, sizeof *errors);
    c.hashed = c.hash != NULL && EVP_DigestInit_ex(c.hash, EVP_sha256(), NULL) == 1;
    ibk_err err = c.hashed ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (err == IBK_OK) {
        hash_sweep(&c);
        err = try_all(&c);
    }
    if (err == IBK_OK && (!c.hashed || EVP_DigestFinal_ex(c.hash, digest, &len) != 1))
        err = IBK_ERR_NO_MEMORY;
    for (unsigned i = 0; i < len; i++)
        snprintf(stamp->digest + (size_t)2 * i, 3, "%02x", digest[i]);
    EVP_MD_CTX_free(c.hash);
    return err == IBK_OK ? write_versions(stamp->versions) : err;
}
