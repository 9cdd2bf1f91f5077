// IPv4 routing over the shim's table.
#include "ns3shim/internal.h"

#include "ns3/ipv4-header.h"
#include "ns3/ipv4-routing-protocol.h"
#include "ns3/net-device.h"
#include "ns3/output-stream-wrapper.h"

using namespace n3;

namespace {

Key key_of4(ns3::Ipv4Address addr) {
    Key key;
    key.high = static_cast<uint64_t>(addr.Get()) << 32;
    return key;
}

bool owns(const n3_node *node, const Key &key) {
    const auto &owners = node->sim->owners[0];
    auto entry = owners.find(key);
    return entry != owners.end() && entry->second == node;
}

ns3::Ptr<ns3::Ipv4Route> with_source(const ns3::Ipv4Route &route, ns3::Ipv4Address source) {
    auto copy = ns3::Create<ns3::Ipv4Route>();
    copy->SetDestination(route.GetDestination());
    copy->SetGateway(route.GetGateway());
    copy->SetOutputDevice(route.GetOutputDevice());
    copy->SetSource(source);
    return copy;
}

class Routing4 : public ns3::Ipv4RoutingProtocol {
  public:
    explicit Routing4(n3_node *node) : node_(node) {
    }

    ns3::Ptr<ns3::Ipv4Route> RouteOutput(ns3::Ptr<ns3::Packet>, const ns3::Ipv4Header &header,
                                         ns3::Ptr<ns3::NetDevice>, ns3::Socket::SocketErrno &error) override {
        ns3::Ptr<ns3::Ipv4Route> route = find_route4(node_, header.GetDestination());
        error = route ? ns3::Socket::ERROR_NOTERROR : ns3::Socket::ERROR_NOROUTETOHOST;
        if (route && node_->preferred_source.family == N3_IPV4) {
            return with_source(*route, to_ipv4(node_->preferred_source));
        }
        return route;
    }

    bool RouteInput(ns3::Ptr<const ns3::Packet> packet, const ns3::Ipv4Header &header,
                    ns3::Ptr<const ns3::NetDevice> device, UnicastForwardCallback forward,
                    MulticastForwardCallback, LocalDeliverCallback deliver, ErrorCallback) override {
        Key to = key_of4(header.GetDestination());
        if (owns(node_, to)) {
            deliver(packet, header, static_cast<uint32_t>(node_->ipv4->GetInterfaceForDevice(device)));
            return true;
        }
        const Hop *hop = node_->routes[0].find(to);
        if (!hop || header.GetDestination().IsMulticast() || header.GetDestination().IsBroadcast()) {
            return false;
        }
        forward(hop->link->route4[hop->link->side_of(node_)], packet, header);
        return true;
    }

    void NotifyInterfaceUp(uint32_t) override {
    }
    void NotifyInterfaceDown(uint32_t) override {
    }
    void NotifyAddAddress(uint32_t, ns3::Ipv4InterfaceAddress) override {
    }
    void NotifyRemoveAddress(uint32_t, ns3::Ipv4InterfaceAddress) override {
    }
    void SetIpv4(ns3::Ptr<ns3::Ipv4>) override {
    }
    void PrintRoutingTable(ns3::Ptr<ns3::OutputStreamWrapper>, ns3::Time::Unit) const override {
    }

  private:
    n3_node *node_;
};

} // namespace

namespace n3 {

void install_routing4(n3_node *node) {
    node->ipv4->SetRoutingProtocol(ns3::CreateObject<Routing4>(node));
}

ns3::Ptr<ns3::Ipv4Route> find_route4(n3_node *node, ns3::Ipv4Address to) {
    Key key = key_of4(to);
    if (owns(node, key)) { // to itself, over the loopback device
        auto route = ns3::Create<ns3::Ipv4Route>();
        route->SetDestination(to);
        route->SetSource(to);
        route->SetGateway(ns3::Ipv4Address::GetAny());
        route->SetOutputDevice(node->ipv4->GetNetDevice(0));
        return route;
    }
    const Hop *hop = node->routes[0].find(key);
    return hop ? hop->link->route4[hop->link->side_of(node)] : nullptr;
}

} // namespace n3
