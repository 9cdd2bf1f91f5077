// Nodes: a stack without queue discipline, with the shim's own routing, and the addresses a node owns.
#include "ns3shim/internal.h"

#include "ns3/arp-l3-protocol.h"
#include "ns3/boolean.h"
#include "ns3/icmpv4-l4-protocol.h"
#include "ns3/icmpv6-l4-protocol.h"
#include "ns3/ipv6-extension-demux.h"
#include "ns3/ipv6-extension.h"
#include "ns3/tcp-l4-protocol.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/udp-l4-protocol.h"

#include <cstring>

using namespace n3;

namespace {

// Random streams with fixed numbers: those that ns-3 hands out itself go on from one simulation to the next.
constexpr int64_t STREAMS_A_NODE = 16;

void install_ipv4(n3_node *n) {
    auto arp = ns3::CreateObject<ns3::ArpL3Protocol>();
    arp->AssignStreams(n->number * STREAMS_A_NODE);
    n->ipv4 = ns3::CreateObject<ns3::Ipv4L3Protocol>();
    n->node->AggregateObject(arp);
    n->node->AggregateObject(n->ipv4);
    n->node->AggregateObject(ns3::CreateObject<ns3::Icmpv4L4Protocol>());
    install_routing4(n);
    n->ipv4->SetAttribute("IpForward", ns3::BooleanValue(true));
}

void install_ipv6(n3_node *n) {
    n->ipv6 = ns3::CreateObject<ns3::Ipv6L3Protocol>();
    auto icmp = ns3::CreateObject<ns3::Icmpv6L4Protocol>();
    icmp->AssignStreams(n->number * STREAMS_A_NODE + 4);
    n->node->AggregateObject(n->ipv6);
    n->node->AggregateObject(icmp);
    install_routing6(n);
    n->ipv6->RegisterExtensions();
    // It draws the identification of fragments.
    n->node->GetObject<ns3::Ipv6ExtensionDemux>()
        ->GetExtension(ns3::Ipv6ExtensionFragment::EXT_NUMBER)
        ->AssignStreams(n->number * STREAMS_A_NODE + 8);
    n->ipv6->RegisterOptions();
    n->ipv6->SetAttribute("IpForward", ns3::BooleanValue(true));
}

void install_stack(n3_node *n) {
    n->node = ns3::CreateObject<ns3::Node>();
    if (n->sim->has(0)) {
        install_ipv4(n);
    }
    if (n->sim->has(1)) {
        install_ipv6(n);
    }
    auto traffic_control = ns3::CreateObject<ns3::TrafficControlLayer>();
    n->node->AggregateObject(traffic_control);
    n->node->AggregateObject(ns3::CreateObject<ns3::UdpL4Protocol>());
    n->node->AggregateObject(ns3::CreateObject<ns3::TcpL4Protocol>());
    if (n->sim->has(0)) {
        n->node->GetObject<ns3::ArpL3Protocol>()->SetTrafficControl(traffic_control);
    }
}

std::string require_name(const n3_sim *sim, const char *name) {
    N3_REQUIRE(name && *name, "n3_node_new: a node needs a name");
    N3_REQUIRE(strlen(name) <= N3_NAME_MAX, "n3_node_new: a name has more than %d octets", N3_NAME_MAX);
    N3_REQUIRE(!sim->names.count(name), "n3_node_new: there is a node '%s' already", name);
    return name;
}

void add_address(n3_node *node, const n3_addr &addr) {
    int family = family_index(addr.family);
    if (!node->sim->has(family)) {
        fail(N3_ERR_ADDRESS, "%s: the simulation does not use this family", text(addr).c_str());
    }
    own_address(node, addr);
    node->services[family].push_back(addr);
    if (family == 0) {
        node->ipv4->AddAddress(0, ns3::Ipv4InterfaceAddress(to_ipv4(addr), ns3::Ipv4Mask::GetOnes()));
    } else {
        node->ipv6->AddAddress(0, ns3::Ipv6InterfaceAddress(to_ipv6(addr), ns3::Ipv6Prefix(uint8_t{128})));
    }
}

n3_addr planned_address(const n3_node *node, unsigned family) {
    n3_addr addr{};
    addr.family = static_cast<uint8_t>(family);
    uint8_t *tail;
    if (family == N3_IPV4) {
        addr.octets[0] = 10;
        addr.octets[1] = 128;
        tail = addr.octets;
    } else {
        addr.octets[0] = 0xfd;
        addr.octets[1] = 0x01;
        tail = addr.octets + 12;
    }
    tail[1] = static_cast<uint8_t>(tail[1] | node->number >> 16);
    tail[2] = static_cast<uint8_t>(node->number >> 8);
    tail[3] = static_cast<uint8_t>(node->number);
    return addr;
}

n3_addr address_of(const n3_node *node, unsigned family) {
    int index = family_index(family);
    if (!node->services[index].empty()) {
        return node->services[index].front();
    }
    if (!node->links.empty() && node->sim->has(index)) {
        const n3_link *link = node->links.front();
        return link->address[link->side_of(node)][index];
    }
    fail(N3_ERR_ADDRESS, "node '%s' has no such address", node->name.c_str());
}

} // namespace

namespace n3 {

void require_node(const n3_node *node) {
    N3_REQUIRE(node, "no node given");
}

void own_address(n3_node *node, const n3_addr &addr) {
    require_host_address(addr);
    auto [entry, fresh] = node->sim->owners[family_index(addr.family)].try_emplace(key_of(addr), node);
    if (!fresh) {
        fail(N3_ERR_ADDRESS, "%s belongs to node '%s' already", text(addr).c_str(),
             entry->second->name.c_str());
    }
}

void require_local(const n3_node *node, const n3_endpoint *local) {
    N3_REQUIRE(local, "no local address given");
    N3_REQUIRE(family_valid(local->addr.family), "the local address has no family");
    if (!node->sim->has(family_index(local->addr.family))) {
        fail(N3_ERR_ADDRESS, "%s: the simulation does not use this family", text(local->addr).c_str());
    }
    if (!addr_is_any(local->addr) && !n3_node_owns(node, &local->addr)) {
        fail(N3_ERR_ADDRESS, "node '%s' does not own %s", node->name.c_str(), text(local->addr).c_str());
    }
}

void require_remote(const n3_node *node, const n3_endpoint *remote) {
    N3_REQUIRE(remote, "no remote address given");
    N3_REQUIRE(family_valid(remote->addr.family), "the remote address has no family");
    N3_REQUIRE(remote->port != 0, "the remote port is 0");
    require_host_address(remote->addr);
    if (!node->sim->has(family_index(remote->addr.family))) {
        fail(N3_ERR_ADDRESS, "%s: the simulation does not use this family", text(remote->addr).c_str());
    }
}

} // namespace n3

extern "C" {

n3_status n3_node_new(n3_node **out, n3_sim *sim, const char *name) {
    return guard([&] {
        N3_REQUIRE(out, "n3_node_new: nowhere to put it");
        *out = nullptr;
        require_sim(sim);
        auto node = std::make_unique<n3_node>();
        node->sim = sim;
        node->name = require_name(sim, name);
        if (sim->nodes.size() >= N3_MAX_NODES) {
            fail(N3_ERR_LIMIT, "n3_node_new: more than %d nodes", N3_MAX_NODES);
        }
        node->number = static_cast<uint32_t>(sim->nodes.size() + 1);
        install_stack(node.get());
        sim->nodes.push_back(std::move(node));
        *out = sim->nodes.back().get();
        sim->names[(*out)->name] = *out;
    });
}

const char *n3_node_name(const n3_node *node) {
    return node ? node->name.c_str() : "";
}

n3_sim *n3_node_sim(const n3_node *node) {
    return node ? node->sim : nullptr;
}

n3_node *n3_node_find(n3_sim *sim, const char *name) {
    n3_node *found = nullptr;
    quiet([&] {
        require_sim(sim);
        N3_REQUIRE(name, "n3_node_find: no name given");
        auto entry = sim->names.find(name);
        found = entry == sim->names.end() ? nullptr : entry->second;
    });
    return found;
}

n3_status n3_node_add_address(n3_node *node, const n3_addr *addr) {
    return guard([&] {
        require_node(node);
        N3_REQUIRE(addr, "n3_node_add_address: no address given");
        N3_REQUIRE(family_valid(addr->family), "n3_node_add_address: the address has no family");
        add_address(node, *addr);
    });
}

n3_status n3_node_add_planned_address(n3_node *node, n3_addr *out, n3_family family) {
    return guard([&] {
        require_node(node);
        N3_REQUIRE(family_valid(family), "n3_node_add_planned_address: one family, please");
        n3_addr addr = planned_address(node, family);
        add_address(node, addr);
        if (out) {
            *out = addr;
        }
    });
}

n3_status n3_node_address(const n3_node *node, n3_addr *out, n3_family family) {
    return guard([&] {
        require_node(node);
        N3_REQUIRE(out, "n3_node_address: nowhere to put it");
        N3_REQUIRE(family_valid(family), "n3_node_address: one family, please");
        *out = address_of(node, family);
    });
}

bool n3_node_owns(const n3_node *node, const n3_addr *addr) {
    return node && n3_node_by_address(node->sim, addr) == node;
}

n3_node *n3_node_by_address(n3_sim *sim, const n3_addr *addr) {
    if (!sim || sim != current_sim() || !addr || !family_valid(addr->family)) {
        return nullptr;
    }
    const auto &owners = sim->owners[family_index(addr->family)];
    auto entry = owners.find(key_of(*addr));
    return entry == owners.end() ? nullptr : entry->second;
}
}
