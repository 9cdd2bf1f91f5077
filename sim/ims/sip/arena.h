/* SIP: text and arrays that live as long as one message or dialog. Freed at once; failure is sticky. */
#ifndef IMS_SIP_ARENA_H
#define IMS_SIP_ARENA_H

#include <ibake/base.h>
#include <stdarg.h>

struct sip_arena_chunk;

/* The zero value is an empty arena. After a failed allocation `failed` stays set and the text functions
 * return "", so that a builder need check only once, at the end. */
typedef struct sip_arena {
    struct sip_arena_chunk *chunks;
    bool failed;
} sip_arena;

void *sip_arena_alloc(sip_arena *arena, size_t size); /* zeroed, aligned for any type; NULL on failure */
const char *sip_arena_str(sip_arena *arena, const char *text); /* a copy; NULL stays NULL */
const char *sip_arena_strn(sip_arena *arena, const char *text, size_t len);
const char *sip_arena_printf(sip_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sip_arena_quoted(sip_arena *arena, const char *text); /* as a quoted-string, RFC 3261 §25.1 */
/* Copies count elements of `size` octets with room for one more, for arrays that grow by one; NULL on
 * failure. */
void *sip_arena_grow(sip_arena *arena, const void *items, size_t count, size_t size);
void sip_arena_free(sip_arena *arena);

#endif
