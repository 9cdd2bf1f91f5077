#define OPENSSL_SUPPRESS_DEPRECATED /* a provider of random numbers would be some 300 lines for the same */
#include "tls/draw.h"

#include <openssl/rand.h>
#include <stdlib.h>

/* OpenSSL's random source is one for the process, hence so is this. */
static struct {
    sim_random *random;
    const RAND_METHOD *before;
} active;

static int draw(unsigned char *out, int len) {
    return len >= 0 && active.random && sim_random_draw(active.random, out, (size_t)len);
}

static int status(void) {
    return 1;
}

static const RAND_METHOD method = {.bytes = draw, .pseudorand = draw, .status = status};

void tls_draw_begin(sim_random *random) {
    if (active.random)
        abort(); /* a mix of two nodes' randomness would not show otherwise */
    active.before = RAND_get_rand_method();
    active.random = random;
    RAND_set_rand_method(&method);
}

void tls_draw_end(void) {
    RAND_set_rand_method(active.before);
    active.random = NULL;
}
