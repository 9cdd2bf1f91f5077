/* Identities, whom a KMS serves, and the IBE identity of a date (P-9). */
#include "peer/internal.h"

#include <string.h>
#include <time.h>

peer_id px_id_of(const px_name *name) {
    return (peer_id){.type = name->type, .data = px_span(&name->data)};
}

ibk_err px_name_set(px_name *name, peer_id id) {
    name->type = id.type;
    px_set(&name->data, id.data);
    return name->data.err;
}

bool px_name_is(const px_name *name, peer_id id) {
    return name->type == id.type && px_is(&name->data, id.data);
}

const peer_domain *px_domain_of(const peer *p, ibk_span id) {
    for (size_t i = 0; i < p->c.n_domains; i++) {
        ibk_span s = p->c.domains[i].serves;
        bool suffix = s.len > 0 && s.data[0] == '@' && id.len >= s.len;
        if (ibk_span_equal(s, suffix ? ibk_span_of(id.data + (id.len - s.len), s.len) : id))
            return &p->c.domains[i];
    }
    return NULL;
}

void px_ibe_identity(px_octets *out, ibk_span id_data, const peer_domain *domain, uint64_t seconds) {
    static const size_t digits[] = {[PEER_DAY] = 8, [PEER_HOUR] = 10, [PEER_MONTH] = 6};
    char text[16] = "";
    time_t t = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&t, &tm))
        (void)strftime(text, sizeof text, "%Y%m%d%H", &tm);
    px_put_span(out, id_data);
    px_put(out, text, digits[domain->granularity]);
}
