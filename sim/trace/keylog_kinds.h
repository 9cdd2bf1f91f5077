/* ibakelab: the shape of each record of the key log (profile.md §6); shared by its writer and its reader. */
#ifndef TRACE_KEYLOG_KINDS_H
#define TRACE_KEYLOG_KINDS_H

#include <ibake/base.h>

#define KEYLOG_KINDS 12

enum keylog_shape {
    KEYLOG_CSB = 1, /* a CSB ID, 4 octets, comes first */
    KEYLOG_CS = 2,  /* then a CS ID, 1 octet */
    KEYLOG_ID = 4   /* an identity comes first */
};

typedef struct keylog_kind_row {
    ibk_keylog_kind kind;
    const char *name;
    unsigned shape;
} keylog_kind_row;

const keylog_kind_row *keylog_row(ibk_keylog_kind kind); /* NULL if unknown */

#endif
