/* ibakelab: the CS ID map at the end of HDR. */
#ifndef MIKEY_MAP_H
#define MIKEY_MAP_H

#include "mikey/describe.h"

/* Reads the map that hdr->map_type and hdr->n_cs announce into hdr->map. */
ibk_err ibk_map_read(ibk_hdr *hdr, ibk_rd *rd);
/* Whether hdr->map is a well-formed map of hdr->n_cs sessions and nothing else. */
bool ibk_map_fits(const ibk_hdr *hdr);
void ibk_map_describe(ibk_desc *d, const ibk_hdr *hdr);

#endif
