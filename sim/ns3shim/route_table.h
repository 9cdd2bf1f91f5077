// Longest-prefix match over hash tables, one for each prefix length in use: a lookup costs the same with ten
// routes and with ten thousand (ns-3's static routing walks a list).
#ifndef NS3SHIM_ROUTE_TABLE_H
#define NS3SHIM_ROUTE_TABLE_H

#include "ns3shim/n3.h"

#include <unordered_map>
#include <utility>
#include <vector>

namespace n3 {

// An address or network of either family, most significant bits first; IPv4 in the top 32.
struct Key {
    uint64_t high = 0, low = 0;

    bool operator==(const Key &other) const {
        return high == other.high && low == other.low;
    }
};

struct KeyHash {
    size_t operator()(const Key &key) const {
        uint64_t h = (key.high ^ (key.low * 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u;
        return static_cast<size_t>(h ^ (h >> 31));
    }
};

template <class T> using KeyMap = std::unordered_map<Key, T, KeyHash>;

Key key_of(const n3_addr &addr);
Key masked(const Key &key, unsigned prefix_len);

enum class Origin { attached, built, manual };

struct Hop {
    n3_link *link = nullptr;
    Origin origin = Origin::built;
};

class RouteTable {
  public:
    // A built route gives way to a manual one.
    void set(const Key &network, unsigned prefix_len, const Hop &hop);
    const Hop *find(const Key &to) const;
    void clear_built();

  private:
    using Bucket = std::pair<unsigned, KeyMap<Hop>>;
    std::vector<Bucket> buckets_; // longest prefix first
};

} // namespace n3

#endif
