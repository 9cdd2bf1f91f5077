// Links: two devices on a channel of the shim's own, and their addresses.
#include "ns3shim/internal.h"

#include "ns3/data-rate.h"
#include "ns3/drop-tail-queue.h"
#include "ns3/mac48-address.h"

#include <algorithm>
#include <cstring>

using namespace n3;

namespace {

constexpr int64_t LOSS_STREAMS = int64_t{1} << 32; // behind those of the nodes

void check_path(n3_path &path) {
    N3_REQUIRE(path.delay_ns <= N3_MAX_LINK_DELAY, "n3_link_new: a delay of more than an hour");
    N3_REQUIRE(path.loss_ppb <= N3_LOSS_ALWAYS, "n3_link_new: a loss of more than 10^9 in 10^9");
    N3_REQUIRE(path.rate_bps <= (uint64_t{1} << 50), "n3_link_new: a rate beyond 2^50 bit/s");
    if (!path.rate_bps) {
        path.rate_bps = N3_DEFAULT_RATE;
    }
    if (!path.queue_packets) {
        path.queue_packets = N3_DEFAULT_QUEUE;
    }
}

n3_link_config check_config(const n3_sim *sim, const n3_link_config *given) {
    n3_link_config config = given ? *given : n3_link_config{};
    check_path(config.ab);
    check_path(config.ba);
    if (!config.mtu) {
        config.mtu = N3_DEFAULT_MTU;
    }
    uint32_t least = sim->has(1) ? 1280 : N3_MTU_MIN; // RFC 8200 §5
    N3_REQUIRE(config.mtu >= least && config.mtu <= N3_MTU_MAX,
               "n3_link_new: an MTU of %u, not from %u to %u", config.mtu, least, N3_MTU_MAX);
    N3_REQUIRE(!config.name || (*config.name && strlen(config.name) <= N3_NAME_MAX),
               "n3_link_new: a name is empty or has more than %d octets", N3_NAME_MAX);
    return config;
}

void plan_addresses(n3_link *link, int family) {
    uint32_t k = link->number;
    for (int i = 0; i < 2; ++i) {
        n3_addr &addr = link->address[i][family];
        addr = n3_addr{};
        if (family == 0) {
            uint32_t value = 0x0a000000u + 4 * k + 1 + static_cast<uint32_t>(i);
            addr.family = N3_IPV4;
            for (int j = 0; j < 4; ++j) {
                addr.octets[j] = static_cast<uint8_t>(value >> (24 - 8 * j));
            }
        } else {
            addr.family = N3_IPV6;
            addr.octets[0] = 0xfd;
            addr.octets[5] = static_cast<uint8_t>(k >> 16);
            addr.octets[6] = static_cast<uint8_t>(k >> 8);
            addr.octets[7] = static_cast<uint8_t>(k);
            addr.octets[15] = static_cast<uint8_t>(i + 1);
        }
    }
    link->prefix[family] = family == 0 ? 30 : 64;
}

bool is_network_or_broadcast(const n3_addr &addr, unsigned prefix_len) {
    if (addr.family != N3_IPV4) {
        return false;
    }
    uint32_t host = static_cast<uint32_t>(key_of(addr).high >> 32) & (0xffffffffu >> prefix_len);
    return host == 0 || host == 0xffffffffu >> prefix_len;
}

void choose_addresses(n3_link *link, const n3_link_config &config, int family) {
    n3_addr a = config.a[family], b = config.b[family];
    N3_REQUIRE(link->sim->has(family),
               "n3_link_new: an address of a family that the simulation does not use");
    N3_REQUIRE(a.family == family + 1 && b.family == family + 1,
               "n3_link_new: give both ends an address of the family, or none");
    unsigned len = config.prefix[family];
    if (!len) {
        len = family == 0 ? 30 : 64;
    }
    N3_REQUIRE(len >= 8 && len <= (family == 0 ? 30u : 126u), "n3_link_new: a prefix length of %u", len);
    N3_REQUIRE(masked(key_of(a), len) == masked(key_of(b), len), "n3_link_new: %s and %s are not in one /%u",
               text(a).c_str(), text(b).c_str(), len);
    N3_REQUIRE(!n3_addr_equal(&a, &b), "n3_link_new: both ends have %s", text(a).c_str());
    N3_REQUIRE(!is_network_or_broadcast(a, len) && !is_network_or_broadcast(b, len),
               "n3_link_new: %s or %s is the network's or its broadcast address", text(a).c_str(),
               text(b).c_str());
    link->address[0][family] = a;
    link->address[1][family] = b;
    link->prefix[family] = static_cast<uint8_t>(len);
}

void set_addresses(n3_link *link, const n3_link_config &config) {
    for (int family = 0; family < FAMILIES; ++family) {
        if (config.a[family].family || config.b[family].family) {
            choose_addresses(link, config, family);
        } else if (link->sim->has(family)) {
            plan_addresses(link, family);
        } else {
            continue;
        }
        for (int i = 0; i < 2; ++i) { // all are looked at before any is entered
            const n3_addr &addr = link->address[i][family];
            require_host_address(addr);
            n3_node *owner = n3_node_by_address(link->sim, &addr);
            if (owner) {
                fail(N3_ERR_ADDRESS, "%s belongs to node '%s' already", text(addr).c_str(),
                     owner->name.c_str());
            }
        }
    }
}

void make_device(n3_link *link, int side, uint32_t mtu) {
    auto device = ns3::CreateObject<ns3::PointToPointNetDevice>();
    device->SetAddress(ns3::Mac48Address::Allocate());
    device->SetDataRate(ns3::DataRate(link->path[side].rate_bps));
    auto queue = ns3::CreateObject<ns3::DropTailQueue<ns3::Packet>>();
    queue->SetMaxSize(ns3::QueueSize(ns3::PACKETS, link->path[side].queue_packets));
    device->SetQueue(queue);
    link->end[side]->node->AddDevice(device);
    device->SetMtu(static_cast<uint16_t>(mtu));
    link->device[side] = device;
    link->loss[side] = ns3::CreateObject<ns3::UniformRandomVariable>();
    link->loss[side]->SetStream(LOSS_STREAMS + 2 * int64_t{link->number} + side);
}

void set_up_ipv4(n3_link *link, int side) {
    n3_node *node = link->end[side];
    uint32_t interface = node->ipv4->AddInterface(link->device[side]);
    uint32_t mask = 0xffffffffu << (32 - link->prefix[0]);
    node->ipv4->AddAddress(interface,
                           ns3::Ipv4InterfaceAddress(to_ipv4(link->address[side][0]), ns3::Ipv4Mask(mask)));
    node->ipv4->SetUp(interface);
    auto route = ns3::Create<ns3::Ipv4Route>();
    route->SetSource(to_ipv4(link->address[side][0]));
    route->SetGateway(to_ipv4(link->address[1 - side][0]));
    route->SetDestination(to_ipv4(link->address[1 - side][0]));
    route->SetOutputDevice(link->device[side]);
    link->route4[side] = route;
}

void set_up_ipv6(n3_link *link, int side) {
    n3_node *node = link->end[side];
    uint32_t interface = node->ipv6->AddInterface(link->device[side]);
    node->ipv6->SetForwarding(interface, true);
    node->ipv6->AddAddress(interface, ns3::Ipv6InterfaceAddress(to_ipv6(link->address[side][1]),
                                                                ns3::Ipv6Prefix(link->prefix[1])));
    node->ipv6->SetUp(interface);
    auto route = ns3::Create<ns3::Ipv6Route>();
    route->SetSource(to_ipv6(link->address[side][1]));
    route->SetGateway(to_ipv6(link->address[1 - side][1]));
    route->SetDestination(to_ipv6(link->address[1 - side][1]));
    route->SetOutputDevice(link->device[side]);
    link->route6[side] = route;
}

void connect(n3_link *link) {
    for (int side = 0; side < 2; ++side) {
        n3_node *node = link->end[side];
        if (link->sim->has(0)) {
            set_up_ipv4(link, side);
        }
        if (link->sim->has(1)) {
            set_up_ipv6(link, side);
        }
        node->links.push_back(link);
        for (int family = 0; family < FAMILIES; ++family) {
            if (link->sim->has(family)) {
                own_address(node, link->address[side][family]);
                node->routes[family].set(key_of(link->address[side][family]), link->prefix[family],
                                         Hop{link, Origin::attached});
            }
        }
    }
}

} // namespace

namespace n3 {

void require_link(const n3_link *link) {
    N3_REQUIRE(link, "no link given");
}

void require_direction(n3_direction direction) {
    N3_REQUIRE(direction == N3_AB || direction == N3_BA, "no such direction: %d",
               static_cast<int>(direction));
}

} // namespace n3

extern "C" {

n3_status n3_link_new(n3_link **out, n3_node *a, n3_node *b, const n3_link_config *given) {
    return guard([&] {
        N3_REQUIRE(out, "n3_link_new: nowhere to put it");
        *out = nullptr;
        require_node(a);
        require_node(b);
        N3_REQUIRE(a != b, "n3_link_new: a link joins two different nodes");
        n3_sim *sim = a->sim;
        require_sim(sim);
        n3_link_config config = check_config(sim, given);
        if (sim->links.size() >= N3_MAX_LINKS) {
            fail(N3_ERR_LIMIT, "n3_link_new: more than %d links", N3_MAX_LINKS);
        }
        auto link = std::make_unique<n3_link>();
        link->sim = sim;
        link->number = static_cast<uint32_t>(sim->links.size());
        link->name = config.name ? std::string(config.name) : a->name + "-" + b->name;
        link->end[0] = a;
        link->end[1] = b;
        link->path[0] = config.ab;
        link->path[1] = config.ba;
        set_addresses(link.get(), config);
        sim->links.push_back(std::move(link));
        n3_link *made = sim->links.back().get();
        make_device(made, 0, config.mtu);
        make_device(made, 1, config.mtu);
        join_devices(made);
        connect(made);
        sim->min_mtu = std::min(sim->min_mtu, config.mtu);
        *out = made;
    });
}

const char *n3_link_name(const n3_link *link) {
    return link ? link->name.c_str() : "";
}

n3_node *n3_link_sender(const n3_link *link, n3_direction direction) {
    bool valid = link && (direction == N3_AB || direction == N3_BA);
    return valid ? link->end[direction] : nullptr;
}

n3_status n3_link_address(const n3_link *link, n3_addr *out, n3_direction direction, n3_family family) {
    return guard([&] {
        require_link(link);
        require_direction(direction);
        N3_REQUIRE(out, "n3_link_address: nowhere to put it");
        N3_REQUIRE(family_valid(family), "n3_link_address: one family, please");
        const n3_addr &addr = link->address[direction][family_index(family)];
        if (!addr.family) {
            fail(N3_ERR_ADDRESS, "link '%s' has no such address", link->name.c_str());
        }
        *out = addr;
    });
}

n3_status n3_link_get_path(const n3_link *link, n3_path *out, n3_direction direction) {
    return guard([&] {
        require_link(link);
        require_direction(direction);
        N3_REQUIRE(out, "n3_link_get_path: nowhere to put it");
        *out = link->path[direction];
    });
}

uint32_t n3_least_mtu(const n3_sim *sim) {
    return sim ? sim->min_mtu : 0;
}

n3_status n3_link_set_loss(n3_link *link, n3_direction direction, uint32_t loss_ppb) {
    return guard([&] {
        require_link(link);
        require_direction(direction);
        N3_REQUIRE(loss_ppb <= N3_LOSS_ALWAYS, "n3_link_set_loss: more than 10^9 in 10^9");
        link->path[direction].loss_ppb = loss_ppb;
    });
}

n3_status n3_link_get_stats(const n3_link *link, n3_link_stats *out, n3_direction direction) {
    return guard([&] {
        require_link(link);
        require_direction(direction);
        N3_REQUIRE(out, "n3_link_get_stats: nowhere to put it");
        *out = link->stats[direction];
    });
}

n3_status n3_link_set_hook(n3_link *link, n3_hook_fn hook, void *user) {
    return guard([&] {
        require_link(link);
        link->hook = hook;
        link->hook_user = user;
    });
}
}
