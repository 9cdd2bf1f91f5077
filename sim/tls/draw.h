/* Makes OpenSSL draw from a stream of the simulation: TLS and X.509 then repeat octet by octet. */
#ifndef TLS_DRAW_H
#define TLS_DRAW_H

#include "random/random.h"

/* Between the two calls everything random inside OpenSSL comes from `random` (RAND_set_rand_method: nonces,
 * key shares, ECDSA's k, RSA primes); afterwards from where it came before. They do not nest, and one thread
 * does all of it. Put them closely around OpenSSL calls that call nobody else. */
void tls_draw_begin(sim_random *random);
void tls_draw_end(void);

#endif
