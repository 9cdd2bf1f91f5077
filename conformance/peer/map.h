/* CS ID maps: RFC 3830 §6.1.1, RFC 4563, RFC 6043 §6.1.1. */
#ifndef CONFORMANCE_PEER_MAP_H
#define CONFORMANCE_PEER_MAP_H

#include "peer/octets.h"
#include "peer/peer.h"

/* Appends entries of the peer's map type; nothing for the Empty map. */
ibk_err px_map_offer(const peer *p, px_octets *map, const peer_cs *sessions, size_t n);
/* The map of R_MESSAGE_1 in place of that of I_MESSAGE_1: empty SSRCs are filled; GENERIC-ID has one policy,
 * session data, an SPI. */
ibk_err px_map_answer(const peer *p, px_octets *map);
/* The next entry, borrowed from the map; false: there is none, or it is broken. SRTP-ID's CS ID is index + 1.
 */
bool px_map_next(px_cursor *c, uint8_t map_type, unsigned index, peer_cs *cs);

#endif
