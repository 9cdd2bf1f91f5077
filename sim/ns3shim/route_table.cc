#include "ns3shim/route_table.h"

#include <algorithm>

namespace n3 {

Key key_of(const n3_addr &addr) {
    Key key;
    for (int i = 0; i < 8; ++i) {
        key.high = key.high << 8 | addr.octets[i];
        key.low = key.low << 8 | addr.octets[8 + i];
    }
    return key;
}

Key masked(const Key &key, unsigned prefix_len) {
    Key out = key;
    if (prefix_len < 64) {
        out.low = 0;
        out.high = prefix_len == 0 ? 0 : key.high & (~uint64_t{0} << (64 - prefix_len));
    } else if (prefix_len < 128) {
        out.low = prefix_len == 64 ? 0 : key.low & (~uint64_t{0} << (128 - prefix_len));
    }
    return out;
}

void RouteTable::set(const Key &network, unsigned prefix_len, const Hop &hop) {
    auto at = std::find_if(buckets_.begin(), buckets_.end(),
                           [&](const Bucket &bucket) { return bucket.first <= prefix_len; });
    if (at == buckets_.end() || at->first != prefix_len) {
        at = buckets_.emplace(at, prefix_len, KeyMap<Hop>());
    }
    auto [entry, fresh] = at->second.try_emplace(masked(network, prefix_len), hop);
    if (!fresh && (hop.origin != Origin::built || entry->second.origin == Origin::built)) {
        entry->second = hop;
    }
}

const Hop *RouteTable::find(const Key &to) const {
    for (const Bucket &bucket : buckets_) {
        auto entry = bucket.second.find(masked(to, bucket.first));
        if (entry != bucket.second.end()) {
            return &entry->second;
        }
    }
    return nullptr;
}

void RouteTable::clear_built() {
    for (Bucket &bucket : buckets_) {
        for (auto entry = bucket.second.begin(); entry != bucket.second.end();) {
            entry = entry->second.origin == Origin::built ? bucket.second.erase(entry) : std::next(entry);
        }
    }
}

} // namespace n3
