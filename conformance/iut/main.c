/* ibakelab: the adapter by itself, libibake and nothing else: what mutants of libibake are linked into. */
#include "conformance/iut/iut.h"

int main(void) {
    return iut_serve(stdin, stdout, IBAKELAB_VERSION) == IBK_OK ? 0 : 3;
}
