#include "world/accounts.h"

#include <malloc.h>
#include <stdlib.h>

static size_t held, peak;
static int paused;
static size_t to_go; /* 0: no allocation is to fail */

static int fails(void) {
    return to_go > 0 && --to_go == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);

static void *came(void *p) {
    held += p && !paused ? malloc_usable_size(p) : 0;
    peak = held > peak ? held : peak;
    return p;
}

/* What a shared library made and we free was never counted. */
static void goes(void *p) {
    size_t size = p && !paused ? malloc_usable_size(p) : 0;
    held -= size < held ? size : held;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : came(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : came(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size) {
    size_t before = old && !paused ? malloc_usable_size(old) : 0;
    void *p = fails() ? NULL : __real_realloc(old, size);
    if (!p)
        return NULL;
    held -= before < held ? before : held;
    return came(p);
}

void __wrap_free(void *p) {
    goes(p);
    __real_free(p);
}

size_t accounts_held(void) {
    return held;
}

size_t accounts_peak(void) {
    return peak;
}

void accounts_mark(void) {
    peak = held;
}

void accounts_pause(int on) {
    paused = on;
}

size_t accounts_fail(size_t nth) {
    size_t left = to_go;
    to_go = nth;
    return left;
}
