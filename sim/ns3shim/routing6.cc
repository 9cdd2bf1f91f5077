// IPv6 routing over the shim's table.
#include "ns3shim/internal.h"

#include "ns3/ipv6-header.h"
#include "ns3/ipv6-routing-protocol.h"
#include "ns3/net-device.h"
#include "ns3/output-stream-wrapper.h"

using namespace n3;

namespace {

Key key_of6(const ns3::Ipv6Address &addr) {
    n3_addr plain{};
    addr.Serialize(plain.octets);
    return key_of(plain);
}

bool owns(const n3_node *node, const Key &key) {
    const auto &owners = node->sim->owners[1];
    auto entry = owners.find(key);
    return entry != owners.end() && entry->second == node;
}

ns3::Ptr<ns3::Ipv6Route> with_source(const ns3::Ipv6Route &route, const ns3::Ipv6Address &source) {
    auto copy = ns3::Create<ns3::Ipv6Route>();
    copy->SetDestination(route.GetDestination());
    copy->SetGateway(route.GetGateway());
    copy->SetOutputDevice(route.GetOutputDevice());
    copy->SetSource(source);
    return copy;
}

class Routing6 : public ns3::Ipv6RoutingProtocol {
  public:
    explicit Routing6(n3_node *node) : node_(node) {
    }

    ns3::Ptr<ns3::Ipv6Route> RouteOutput(ns3::Ptr<ns3::Packet>, const ns3::Ipv6Header &header,
                                         ns3::Ptr<ns3::NetDevice>, ns3::Socket::SocketErrno &error) override {
        ns3::Ptr<ns3::Ipv6Route> route = find_route6(node_, header.GetDestination());
        error = route ? ns3::Socket::ERROR_NOTERROR : ns3::Socket::ERROR_NOROUTETOHOST;
        if (route && node_->preferred_source.family == N3_IPV6) {
            return with_source(*route, to_ipv6(node_->preferred_source));
        }
        return route;
    }

    bool RouteInput(ns3::Ptr<const ns3::Packet> packet, const ns3::Ipv6Header &header,
                    ns3::Ptr<const ns3::NetDevice> device, UnicastForwardCallback forward,
                    MulticastForwardCallback, LocalDeliverCallback deliver, ErrorCallback) override {
        Key to = key_of6(header.GetDestination());
        if (owns(node_, to)) {
            deliver(packet, header, static_cast<uint32_t>(node_->ipv6->GetInterfaceForDevice(device)));
            return true;
        }
        const Hop *hop = node_->routes[1].find(to);
        if (!hop || header.GetDestination().IsMulticast()) {
            return false;
        }
        forward(device, hop->link->route6[hop->link->side_of(node_)], packet, header);
        return true;
    }

    void NotifyInterfaceUp(uint32_t) override {
    }
    void NotifyInterfaceDown(uint32_t) override {
    }
    void NotifyAddAddress(uint32_t, ns3::Ipv6InterfaceAddress) override {
    }
    void NotifyRemoveAddress(uint32_t, ns3::Ipv6InterfaceAddress) override {
    }
    void NotifyAddRoute(ns3::Ipv6Address, ns3::Ipv6Prefix, ns3::Ipv6Address, uint32_t,
                        ns3::Ipv6Address) override {
    }
    void NotifyRemoveRoute(ns3::Ipv6Address, ns3::Ipv6Prefix, ns3::Ipv6Address, uint32_t,
                           ns3::Ipv6Address) override {
    }
    void SetIpv6(ns3::Ptr<ns3::Ipv6>) override {
    }
    void PrintRoutingTable(ns3::Ptr<ns3::OutputStreamWrapper>, ns3::Time::Unit) const override {
    }

  private:
    n3_node *node_;
};

} // namespace

namespace n3 {

void install_routing6(n3_node *node) {
    node->ipv6->SetRoutingProtocol(ns3::CreateObject<Routing6>(node));
}

ns3::Ptr<ns3::Ipv6Route> find_route6(n3_node *node, const ns3::Ipv6Address &to) {
    Key key = key_of6(to);
    if (owns(node, key)) { // to itself, over the loopback device
        auto route = ns3::Create<ns3::Ipv6Route>();
        route->SetDestination(to);
        route->SetSource(to);
        route->SetGateway(ns3::Ipv6Address::GetAny());
        route->SetOutputDevice(node->ipv6->GetNetDevice(0));
        return route;
    }
    const Hop *hop = node->routes[1].find(key);
    return hop ? hop->link->route6[hop->link->side_of(node)] : nullptr;
}

} // namespace n3
