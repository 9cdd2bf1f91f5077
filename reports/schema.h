/* ibakelab: is a JSON value what a JSON schema permits? For reports/schema/result.schema.json, which is built
 * into the program: what the documentation promises and what the reader takes cannot drift apart. Of draft
 * 2020-12 it knows what that schema uses: $ref into $defs, type, const, enum, properties, required,
 * additionalProperties, items, minimum, maximum, pattern, allOf, if and then. Any other keyword is refused.
 */
#ifndef REPORTS_SCHEMA_H
#define REPORTS_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The schema of result.json, owned by the caller (json_decref); NULL: no memory. */
json_t *schema_of_results(void);
/* False: `why` says what is wrong and where: "calls[3].media[0].lost: a whole number is wanted, not a text".
 */
bool schema_permits(const json_t *schema, const json_t *value, char *why, size_t size);

#endif
