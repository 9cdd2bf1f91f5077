/* One request of the suite: its members with their types, and the answer. The first thing that is wrong is
 * kept, and later look-ups do nothing: a handler reads all it wants and checks once. */
#ifndef CONFORMANCE_IUT_REQUEST_H
#define CONFORMANCE_IUT_REQUEST_H

#include "conformance/iut/names.h"

#include <ibake/exchange.h>
#include <jansson.h>

/* Octets that have to live for a while: a request, a case. Zero value: empty. */
typedef struct iut_store {
    ibk_buf *items;
    size_t count, cap;
} iut_store;

/* Takes over `buf` (it is empty afterwards); its octets stay where they are until the store is freed. An
 * empty span on IBK_ERR_NO_MEMORY, with *err set. */
ibk_span iut_store_keep(iut_store *store, ibk_buf *buf, ibk_err *err);
void iut_store_free(iut_store *store); /* wipes */

typedef enum iut_result { IUT_OK = 0, IUT_REFUSED, IUT_UNSUPPORTED, IUT_MALFORMED } iut_result;

#define IUT_PATH_MAX 96

typedef struct iut_request {
    json_t *json;    /* borrowed */
    json_t *answer;  /* owned; further members of an `ok` */
    iut_store store; /* octets that the request's members were decoded into */
    iut_result result;
    char what[IUT_PATH_MAX];
    char detail[160];
    ibk_err error; /* IUT_REFUSED: why; in any case IBK_ERR_NO_MEMORY and IBK_ERR_RANDOM count as internal */
} iut_request;

/* An object inside a request and the path to it: "" or "params[0]." */
typedef struct iut_place {
    iut_request *request;
    json_t *object;
    char path[IUT_PATH_MAX];
} iut_place;

/* Keeps the first complaint. `member` is appended to the place's path. */
void iut_complain(const iut_place *at, iut_result result, const char *member, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* IUT_REFUSED, unless err is IBK_OK. */
void iut_refuse(const iut_place *at, const char *member, ibk_err err, const ibk_diag *diag);
bool iut_wrong(const iut_place *at); /* was there a complaint? */

iut_place iut_top(iut_request *request);
/* Every member of the object is one of `members` ("op seq session"); else malformed. */
void iut_only(const iut_place *at, const char *members);
bool iut_has(const iut_place *at, const char *member);

/* Each leaves *out alone if the member is absent; `need` makes absence malformed. */
typedef enum iut_presence { IUT_MAY = 0, IUT_MUST } iut_presence;
void iut_integer(const iut_place *at, const char *member, iut_presence need, int64_t min, int64_t max,
                 int64_t *out);
void iut_u8(const iut_place *at, const char *member, iut_presence need, uint8_t *out);
void iut_u32(const iut_place *at, const char *member, iut_presence need, uint32_t *out);
void iut_boolean(const iut_place *at, const char *member, iut_presence need, bool *out);
/* Borrowed from the request's JSON. At most `max` octets. */
void iut_text(const iut_place *at, const char *member, iut_presence need, size_t max, const char **out);
void iut_name(const iut_place *at, const char *member, const char **out); /* required: a name of IUT.md §1 */
void iut_octets(const iut_place *at, const char *member, iut_presence need, iut_store *store, ibk_span *out);
void iut_identity(const iut_place *at, const char *member, iut_presence need, iut_store *store,
                  ibk_identity *out);
/* One name of a kind: its value; an array of names: their bits. Unknown: unsupported. */
void iut_value(const iut_place *at, const char *member, iut_presence need, const iut_kind *kind,
               uint8_t *out);
void iut_values(const iut_place *at, const char *member, const iut_kind *kind, uint32_t *bits);

/* An object member; false: absent or wrong. */
bool iut_object(const iut_place *at, const char *member, iut_presence need, iut_place *out);
/* The length of an array member, 0 if absent; more than `max` is malformed. */
size_t iut_array(const iut_place *at, const char *member, iut_presence need, size_t max);
/* Its elements. */
bool iut_element(const iut_place *at, const char *member, size_t index, iut_place *out); /* an object */
void iut_element_octets(const iut_place *at, const char *member, size_t index, iut_store *store,
                        ibk_span *out);
void iut_element_identity(const iut_place *at, const char *member, size_t index, iut_store *store,
                          ibk_identity *out);
void iut_element_integer(const iut_place *at, const char *member, size_t index, int64_t max, int64_t *out);
void iut_element_text(const iut_place *at, const char *member, size_t index, const char **out);

/* ---- the answer ---------------------------------------------------------------------------------------- */

/* Sets a member of `object`, appends to `array`, and takes over `value`; NULL (no memory) becomes an error of
 * the request. False: `value` is gone. */
bool iut_put(iut_request *request, json_t *object, const char *member, json_t *value);
bool iut_append(iut_request *request, json_t *array, json_t *value);
json_t *iut_json_octets(ibk_span octets); /* base64; NULL: no memory */
json_t *iut_json_identity(const ibk_identity *identity);

/* A zeroed array of n items (at least one), or NULL with the request marked. */
void *iut_alloc(const iut_place *at, size_t n, size_t size);

#endif
