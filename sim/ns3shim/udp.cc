// UDP. The socket receives; sending goes to ns-3's UDP protocol directly, with the route in hand: that tells
// at once whether there is one, and spares ns-3's walk over all interfaces of the node for every datagram.
#include "ns3shim/internal.h"

#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-packet-info-tag.h"
#include "ns3/ipv6-packet-info-tag.h"
#include "ns3/socket.h"
#include "ns3/udp-l4-protocol.h"
#include "ns3/udp-socket-factory.h"

using namespace n3;

using UdpCell = Cell<n3_udp>;

struct n3_udp {
    n3_node *node = nullptr; // null: the simulation is gone
    n3_endpoint local{};
    bool any = false; // bound to the unspecified address
    n3_udp_fn received = nullptr;
    void *user = nullptr;
    ns3::Ptr<ns3::Socket> socket;
    ns3::Ptr<ns3::UdpL4Protocol> protocol;
    ns3::Ptr<UdpCell> cell;
};

namespace {

n3_addr destination_of(const n3_udp *udp, const ns3::Ptr<ns3::Packet> &packet) {
    if (!udp->any) {
        return udp->local.addr;
    }
    ns3::Ipv4PacketInfoTag info4;
    ns3::Ipv6PacketInfoTag info6;
    if (packet->PeekPacketTag(info4)) {
        return from_ipv4(info4.GetAddress());
    }
    if (packet->PeekPacketTag(info6)) {
        return from_ipv6(info6.GetAddress());
    }
    return udp->local.addr;
}

void receive(ns3::Ptr<UdpCell> cell, ns3::Ptr<ns3::Socket> socket) {
    ns3::Address source;
    while (cell->owner) {
        ns3::Ptr<ns3::Packet> packet = socket->RecvFrom(source);
        if (!packet) {
            return;
        }
        n3_udp *udp = cell->owner;
        n3_endpoint from = from_socket_address(source);
        n3_endpoint to = {destination_of(udp, packet), udp->local.port};
        if (udp->received && from.addr.family == udp->local.addr.family) {
            Scratch scratch(udp->node->sim);
            Busy busy(udp->node->sim);
            udp->received(udp->user, &from, &to, scratch.copy(*packet), packet->GetSize());
        }
    }
}

void bind_socket(n3_udp *udp, const n3_endpoint &local) {
    udp->socket = ns3::Socket::CreateSocket(udp->node->node, ns3::UdpSocketFactory::GetTypeId());
    if (!udp->socket) {
        fail(N3_ERR_INTERNAL, "ns-3 has no UDP socket for node '%s'", udp->node->name.c_str());
    }
    udp->any = addr_is_any(local.addr);
    if (udp->socket->Bind(to_socket_address(local)) != 0) {
        udp->socket = nullptr;
        fail(N3_ERR_ADDRESS, "UDP %s is in use on node '%s'", text(local).c_str(), udp->node->name.c_str());
    }
    udp->socket->SetRecvPktInfo(udp->any);
    ns3::Address name;
    udp->socket->GetSockName(name);
    udp->local = local;
    udp->local.port = from_socket_address(name).port;
}

void send_ipv4(n3_udp *udp, const n3_endpoint &to, const ns3::Ptr<ns3::Packet> &packet) {
    ns3::Ipv4Address dest = to_ipv4(to.addr);
    ns3::Ptr<ns3::Ipv4Route> route = find_route4(udp->node, dest);
    if (!route) {
        fail(N3_ERR_UNREACHABLE, "node '%s' has no route to %s", udp->node->name.c_str(),
             text(to.addr).c_str());
    }
    ns3::Ipv4Address source = udp->any ? route->GetSource() : to_ipv4(udp->local.addr);
    udp->protocol->Send(packet, source, dest, udp->local.port, to.port, route);
}

void send_ipv6(n3_udp *udp, const n3_endpoint &to, const ns3::Ptr<ns3::Packet> &packet) {
    ns3::Ipv6Address dest = to_ipv6(to.addr);
    ns3::Ptr<ns3::Ipv6Route> route = find_route6(udp->node, dest);
    if (!route) {
        fail(N3_ERR_UNREACHABLE, "node '%s' has no route to %s", udp->node->name.c_str(),
             text(to.addr).c_str());
    }
    ns3::Ipv6Address source = udp->any ? route->GetSource() : to_ipv6(udp->local.addr);
    udp->protocol->Send(packet, source, dest, udp->local.port, to.port, route);
}

void require_open(const n3_udp *udp) {
    N3_REQUIRE(udp, "no UDP socket given");
    if (!udp->node) {
        fail(N3_ERR_CLOSED, "the simulation of this socket is gone");
    }
}

} // namespace

namespace n3 {

void detach(n3_udp *udp) {
    if (udp->cell) {
        udp->cell->owner = nullptr;
    }
    if (udp->socket) {
        udp->socket->Close();
    }
    udp->socket = nullptr;
    udp->protocol = nullptr;
    udp->cell = nullptr;
    udp->node = nullptr;
}

} // namespace n3

extern "C" {

n3_status n3_udp_new(n3_udp **out, n3_node *node, const n3_endpoint *local, n3_udp_fn received, void *user) {
    return guard([&] {
        N3_REQUIRE(out, "n3_udp_new: nowhere to put it");
        *out = nullptr;
        require_node(node);
        require_local(node, local);
        auto udp = std::make_unique<n3_udp>();
        udp->node = node;
        udp->received = received;
        udp->user = user;
        bind_socket(udp.get(), *local);
        udp->protocol = node->node->GetObject<ns3::UdpL4Protocol>();
        udp->cell = ns3::Create<UdpCell>();
        udp->cell->owner = udp.get();
        udp->socket->SetRecvCallback(ns3::MakeBoundCallback(&receive, udp->cell));
        node->sim->udp.insert(udp.get());
        *out = udp.release();
    });
}

n3_status n3_udp_send(n3_udp *udp, const n3_endpoint *to, const void *data, size_t len) {
    return guard([&] {
        require_open(udp);
        require_remote(udp->node, to);
        N3_REQUIRE(data || !len, "n3_udp_send: no data given");
        N3_REQUIRE(to->addr.family == udp->local.addr.family, "n3_udp_send: %s is not of the socket's family",
                   text(to->addr).c_str());
        if (len > N3_UDP_MAX) {
            fail(N3_ERR_LIMIT, "a datagram of %zu octets, more than %d", len, N3_UDP_MAX);
        }
        auto packet =
            ns3::Create<ns3::Packet>(static_cast<const uint8_t *>(data), static_cast<uint32_t>(len));
        if (to->addr.family == N3_IPV4) {
            send_ipv4(udp, *to, packet);
        } else {
            send_ipv6(udp, *to, packet);
        }
    });
}

n3_status n3_udp_local(const n3_udp *udp, n3_endpoint *out) {
    return guard([&] {
        require_open(udp);
        N3_REQUIRE(out, "n3_udp_local: nowhere to put it");
        *out = udp->local;
    });
}

void n3_udp_free(n3_udp *udp) {
    if (udp) {
        quiet([&] {
            if (udp->node) {
                udp->node->sim->udp.erase(udp);
                detach(udp);
            }
            delete udp;
        });
    }
}
}
