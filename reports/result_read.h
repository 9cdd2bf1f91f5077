/* ibakelab: result.json back into the result model, as far as drawings need it. */
#ifndef REPORTS_RESULT_READ_H
#define REPORTS_RESULT_READ_H

#include "reports/result.h"
#include <jansson.h>

/* DIR/result.json as JSON. IBK_ERR_REFUSED: it cannot be read, or is no JSON object; diag->detail says why,
 * with the line. The caller drops its reference. */
ibk_err result_load(json_t **out, const char *dir, ibk_diag *diag);

/* The model of a run's result (kind "run"; a result without a kind is a run's): title, scenario,
 * verdict, seed, the names of users, KMSs and adversaries, calls with their moments and media, what was left
 * for others, links, knowledge. The rest stays empty. `out` starts from the zero value and is to be freed in
 * both cases. IBK_ERR_REFUSED: it is of another schema or kind, or a member is missing or of another
 * type; diag->detail says which. Or IBK_ERR_NO_MEMORY. */
ibk_err result_from_json(result *out, const json_t *root, ibk_diag *diag);

#endif
