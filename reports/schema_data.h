/* schema/result.schema.json as it stands, from embed.cmake. */
#ifndef REPORTS_SCHEMA_DATA_H
#define REPORTS_SCHEMA_DATA_H

#include <stddef.h>

extern const unsigned char schema_results[];
extern const size_t schema_results_len;

#endif
