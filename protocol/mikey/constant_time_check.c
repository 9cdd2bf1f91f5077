/* Takes paddings off blocks that are marked as undefined memory: under valgrind's memcheck every branch and
 * every address that depends on them is then an error. Run by constant_time_test.sh. */
#include "mikey/rsa_es.h"

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

enum { LEN = 256 };

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    memset(out, 0x51 + (int)label, len);
    return IBK_OK;
}

/* The proof that the check sees something. */
static int leak(const uint8_t *em) {
    return em[1] == 2 ? puts("block type 2") : 0;
}

/* A right block, one with a wrong octet in it, and one that is all wrong. */
static bool check(uint8_t rsaes, int wrong, bool leaks) {
    static const uint8_t plain[IBK_ENVELOPE_MAX] = "the envelope key", instead[IBK_ENVELOPE_MAX] = "another";
    const ibk_env env = {.user = NULL, .draw = draw};
    uint8_t em[LEN], out[IBK_ENVELOPE_MAX];
    size_t out_len = 0;
    if (ibk_rsaes_pad(em, LEN, &env, rsaes, ibk_span_of(plain, sizeof plain)) != IBK_OK)
        return false;
    em[1] ^= (uint8_t)(wrong == 1);
    if (wrong == 2)
        memset(em, 0xA5, LEN);
    VALGRIND_MAKE_MEM_UNDEFINED(em, LEN);
    if (leaks && leak(em) < 0)
        return false;
    ibk_err err = ibk_rsaes_unpad(out, &out_len, em, LEN, rsaes, instead);
    VALGRIND_MAKE_MEM_DEFINED(&err, sizeof err);
    VALGRIND_MAKE_MEM_DEFINED(&out_len, sizeof out_len);
    VALGRIND_MAKE_MEM_DEFINED(out, sizeof out);
    return err == IBK_OK && out_len == IBK_ENVELOPE_MAX &&
           memcmp(out, wrong ? instead : plain, sizeof out) == 0;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"pkcs1", "oaep", "oaep-sha256"};
    for (uint8_t rsaes = 0; rsaes < 3 && argc > 1; rsaes++)
        if (strcmp(argv[1], names[rsaes]) == 0)
            return check(rsaes, 0, argc > 2) && check(rsaes, 1, false) && check(rsaes, 2, false) ? 0 : 2;
    return 2;
}
