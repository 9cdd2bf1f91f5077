/* The world of the cases: the parameters of data/ibe-params, users of home.example, private keys that are
 * extracted once for each worker. */
#include "conformance/suite/trial.h"

#include <ibake/ibe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct world_key {
    unsigned size;
    ibk_buf identity, der;
    struct world_key *next;
} world_key;

typedef struct world_domain {
    ibk_buf params_der, master_der;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
} world_domain;

struct suite_world {
    world_domain domains[IBK_IBE_SIZES];
    world_key *keys;
};

void suite_world_free(suite_world *w) {
    for (size_t i = 0; w && i < IBK_IBE_SIZES; i++) {
        ibk_buf_free(&w->domains[i].params_der);
        ibk_buf_free(&w->domains[i].master_der);
        ibk_ibe_params_free(w->domains[i].params);
        ibk_ibe_master_free(w->domains[i].master);
    }
    for (world_key *k = w ? w->keys : NULL, *next; k; k = next) {
        next = k->next;
        ibk_buf_free(&k->identity);
        ibk_buf_free(&k->der);
        free(k);
    }
    free(w);
}

static void load(suite_trial *t, ibk_buf *out, const char *name) {
    char path[4096];
    uint8_t part[8192];
    snprintf(path, sizeof path, "%s/%s", t->worker->data, name);
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(part, 1, sizeof part, file) : 0;
    if (file)
        fclose(file);
    if (n == 0)
        suite_error(t, "%s cannot be read", path);
    suite_sure(t, ibk_buf_append(out, part, n), path);
}

static void load_der(suite_trial *t, ibk_buf *out, unsigned size, const char *what) {
    char name[64];
    snprintf(name, sizeof name, "data/ibe-params/ibe-%u.%s.der", size, what);
    load(t, out, name);
}

ibk_span suite_file(suite_trial *t, const char *name) {
    ibk_buf *octets = suite_buf(t);
    load(t, octets, name);
    return ibk_buf_span(octets);
}

/* Our own sets are not proved again: `known` would need them, and the adapter proves them anyway. */
static const world_domain *domain(suite_trial *t, unsigned size) {
    size_t i = 0;
    while (i < IBK_IBE_SIZES && ibk_ibe_size_at(i)->n != size)
        i++;
    if (i == IBK_IBE_SIZES)
        suite_error(t, "no parameters of size %u", size);
    if (!t->worker->world && !(t->worker->world = calloc(1, sizeof *t->worker->world)))
        suite_error(t, "out of memory");
    world_domain *d = &t->worker->world->domains[i];
    if (d->master)
        return d;
    ibk_buf_clear(&d->params_der);
    ibk_buf_clear(&d->master_der);
    load_der(t, &d->params_der, size, "params");
    load_der(t, &d->master_der, size, "master");
    if (!d->params)
        suite_sure(t, ibk_ibe_params_parse(&d->params, ibk_buf_span(&d->params_der), NULL, NULL),
                   "parameters");
    suite_sure(t, ibk_ibe_master_parse(&d->master, d->params, ibk_buf_span(&d->master_der), NULL),
               "master secret");
    return d;
}

ibk_span suite_params(suite_trial *t, unsigned size) {
    return ibk_buf_span(&domain(t, size)->params_der);
}

ibk_span suite_master(suite_trial *t, unsigned size) {
    return ibk_buf_span(&domain(t, size)->master_der);
}

const ibk_ibe_params *suite_ibe_params(suite_trial *t, unsigned size) {
    return domain(t, size)->params;
}

const ibk_ibe_master *suite_ibe_master(suite_trial *t, unsigned size) {
    return domain(t, size)->master;
}

ibk_span suite_private_key(suite_trial *t, unsigned size, ibk_span identity) {
    const world_domain *d = domain(t, size);
    for (world_key *k = t->worker->world->keys; k; k = k->next)
        if (k->size == size && ibk_span_equal(ibk_buf_span(&k->identity), identity))
            return ibk_buf_span(&k->der);
    world_key *k = calloc(1, sizeof *k);
    if (!k)
        suite_error(t, "out of memory");
    k->size = size;
    k->next = t->worker->world->keys;
    t->worker->world->keys = k;
    ibk_ibe_key *key = NULL;
    ibk_err err = ibk_ibe_extract(d->params, d->master, identity, &key);
    err = err ? err : ibk_ibe_key_encode(key, &k->der);
    ibk_ibe_key_free(key);
    err =
        err ? err : ibk_buf_append_span(&k->identity, identity); /* last: a key that failed is never found */
    suite_sure(t, err, "private key");
    return ibk_buf_span(&k->der);
}

/* ---- names and times ---- */

const char *suite_user(suite_trial *t, const char *name) {
    return strpbrk(name, ":+") ? name : suite_text(t, "sip:%s@home.example", name);
}

int64_t suite_now(const suite_trial *t) {
    if (suite_claims((suite_trial *)t, "features", "clock"))
        return SUITE_NOON;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *suite_date(suite_trial *t, int64_t utc_ms, const char *granularity) {
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char *text = suite_alloc(t, 16);
    size_t digits = strcmp(granularity, "hour") == 0    ? 10
                    : strcmp(granularity, "month") == 0 ? 6
                                                        : 8; /* P-9 */
    strftime(text, 16, "%Y%m%d%H", &tm);
    text[digits] = '\0';
    return text;
}
