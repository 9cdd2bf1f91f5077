// Static routes: by hand, or laid for the whole network on the paths of fewest links.
#include "ns3shim/internal.h"

#include <deque>
#include <limits>

using namespace n3;

namespace {

void set_route(n3_node *node, int family, const Key &network, unsigned prefix_len, n3_link *via,
               Origin origin) {
    node->routes[family].set(network, prefix_len, Hop{via, origin});
}

void set_default(n3_node *node, n3_link *via, Origin origin) {
    for (int family = 0; family < FAMILIES; ++family) {
        set_route(node, family, Key(), 0, via, origin);
    }
}

void require_attached(const n3_node *node, const n3_link *link) {
    require_node(node);
    require_link(link);
    N3_REQUIRE(link->end[0] == node || link->end[1] == node, "node '%s' is not on link '%s'",
               node->name.c_str(), link->name.c_str());
}

// How to get from one node to each other: the first link, and how many in all.
struct Reach {
    n3_link *first = nullptr;
    uint32_t links = std::numeric_limits<uint32_t>::max();
};

std::vector<Reach> reach_from(n3_sim *sim, n3_node *start) {
    std::vector<Reach> reach(sim->nodes.size() + 1); // by node number
    std::deque<n3_node *> queue{start};
    reach[start->number].links = 0;
    while (!queue.empty()) {
        n3_node *at = queue.front();
        queue.pop_front();
        for (n3_link *link : at->links) {
            n3_node *next = link->end[1 - link->side_of(at)];
            Reach &to = reach[next->number];
            if (to.links == std::numeric_limits<uint32_t>::max()) {
                to.links = reach[at->number].links + 1;
                to.first = at == start ? link : reach[at->number].first;
                queue.push_back(next);
            }
        }
    }
    return reach;
}

void lay_routes(n3_sim *sim, n3_node *node) {
    std::vector<Reach> reach = reach_from(sim, node);
    for (auto &link : sim->links) {
        const Reach &a = reach[link->end[0]->number];
        const Reach &b = reach[link->end[1]->number];
        const Reach &nearer = b.links < a.links ? b : a;
        for (int family = 0; family < FAMILIES && nearer.first; ++family) {
            if (sim->has(family)) {
                set_route(node, family, key_of(link->address[0][family]), link->prefix[family], nearer.first,
                          Origin::built);
            }
        }
    }
    for (auto &other : sim->nodes) {
        for (int family = 0; family < FAMILIES && reach[other->number].first; ++family) {
            for (const n3_addr &addr : other->services[family]) {
                set_route(node, family, key_of(addr), family == 0 ? 32 : 128, reach[other->number].first,
                          Origin::built);
            }
        }
    }
}

void check_network(const n3_node *node, const n3_addr *network, unsigned prefix_len) {
    N3_REQUIRE(network && family_valid(network->family), "n3_route_add: no network given");
    N3_REQUIRE(node->sim->has(family_index(network->family)),
               "n3_route_add: the simulation does not use this family");
    N3_REQUIRE(prefix_len <= (network->family == N3_IPV4 ? 32u : 128u), "n3_route_add: a prefix length of %u",
               prefix_len);
    N3_REQUIRE(masked(key_of(*network), prefix_len) == key_of(*network),
               "n3_route_add: %s has bits beyond the prefix of %u", text(*network).c_str(), prefix_len);
}

} // namespace

namespace n3 {

bool has_route(n3_node *node, const n3_addr &to) {
    return n3_node_owns(node, &to) || node->routes[family_index(to.family)].find(key_of(to));
}

} // namespace n3

extern "C" {

n3_status n3_route_add(n3_node *node, const n3_addr *network, unsigned prefix_len, n3_link *via) {
    return guard([&] {
        require_attached(node, via);
        check_network(node, network, prefix_len);
        set_route(node, family_index(network->family), key_of(*network), prefix_len, via, Origin::manual);
    });
}

n3_status n3_route_default(n3_node *node, n3_link *via) {
    return guard([&] {
        require_attached(node, via);
        set_default(node, via, Origin::manual);
    });
}

n3_status n3_routes_build(n3_sim *sim) {
    return guard([&] {
        require_sim(sim);
        for (auto &node : sim->nodes) {
            node->routes[0].clear_built();
            node->routes[1].clear_built();
            if (node->links.size() == 1) {
                set_default(node.get(), node->links.front(), Origin::built);
            } else if (!node->links.empty()) {
                lay_routes(sim, node.get());
            }
        }
    });
}
}
