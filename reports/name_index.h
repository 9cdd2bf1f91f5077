/* ibakelab: numbers for texts: which call a Call-ID is, which node an address is; quick with ten thousand of
 * them.
 */
#ifndef REPORTS_NAME_INDEX_H
#define REPORTS_NAME_INDEX_H

#include <ibake/base.h>

#define NAME_INDEX_NONE SIZE_MAX

typedef struct name_index_slot {
    char *name; /* NULL: free */
    size_t len, number;
} name_index_slot;

/* The zero value is an empty index. */
typedef struct name_index {
    name_index_slot *slots;
    size_t room, count;
} name_index;

/* The number of a name, or NAME_INDEX_NONE. */
size_t name_index_find(const name_index *index, ibk_span name);
/* Notes a name (copied) with its number, unless it has one already. IBK_ERR_NO_MEMORY, or IBK_OK. */
ibk_err name_index_add(name_index *index, ibk_span name, size_t number);
void name_index_free(name_index *index);

#endif
