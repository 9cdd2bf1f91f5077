/* The secrets of one input, as the key log tells them, and the search for them in whatever else comes out. */
#ifndef FUZZ_WORLD_SECRETS_H
#define FUZZ_WORLD_SECRETS_H

#include <ibake/base.h>

enum { SECRETS_MAX = 256, SECRET_MIN = 12, SECRET_PART = 16 };

/* Zero value: none. */
typedef struct secrets {
    ibk_buf octets[SECRETS_MAX];
    size_t count;
} secrets;

/* Keeps a copy. What is shorter than SECRET_MIN octets would be found by chance and is left out. */
void secrets_add(secrets *s, ibk_span secret);
/* The first SECRET_PART octets of one of them stand in `output`, as octets or in hex. */
bool secrets_in(const secrets *s, ibk_span output);
void secrets_free(secrets *s);

#endif
