// TCP listeners.
#include "ns3shim/tcp.h"

#include "ns3/simulator.h"

using namespace n3;

using ListenerCell = Cell<n3_listener>;

struct n3_listener {
    n3_node *node = nullptr; // null: the simulation is gone
    n3_endpoint local{};
    n3_accept_fn accepted = nullptr;
    void *user = nullptr;
    ns3::Ptr<ns3::TcpSocketBase> socket;
    ns3::Ptr<ListenerCell> cell;
};

namespace {

// The listener went while the connection was being set up.
void turn_away(ns3::Ptr<ns3::TcpSocketBase> socket) {
    tcp_reset(socket);
}

void on_accept(ns3::Ptr<ListenerCell> cell, ns3::Ptr<ns3::Socket> made, const ns3::Address &from) {
    auto socket = ns3::DynamicCast<ns3::TcpSocketBase>(made);
    n3_listener *listener = cell->owner;
    if (!listener) {
        ns3::Simulator::ScheduleNow(&turn_away, socket);
        return;
    }
    n3_tcp *tcp = tcp_make(listener->node);
    tcp_attach(tcp, socket);
    tcp_restart_rto(socket);
    tcp->cell->tcp_state = ns3::TcpSocket::ESTABLISHED;
    tcp->established = true;
    tcp->remote = from_socket_address(from);
    ns3::Address name;
    socket->GetSockName(name);
    tcp->local = from_socket_address(name);
    Busy busy(listener->node->sim);
    listener->accepted(listener->user, tcp);
}

void require_open(const n3_listener *listener) {
    N3_REQUIRE(listener, "no listener given");
    if (!listener->node) {
        fail(N3_ERR_CLOSED, "the simulation of this listener is gone");
    }
}

void start(n3_listener *listener, const n3_endpoint &local) {
    n3_node *node = listener->node;
    auto socket = tcp_socket(node, family_index(local.addr.family));
    if (socket->Bind(to_socket_address(local)) != 0) {
        fail(N3_ERR_ADDRESS, "TCP %s is in use on node '%s'", text(local).c_str(), node->name.c_str());
    }
    socket->SetAcceptCallback(ns3::MakeNullCallback<bool, ns3::Ptr<ns3::Socket>, const ns3::Address &>(),
                              ns3::MakeBoundCallback(&on_accept, listener->cell));
    listener->socket = socket;
    if (socket->Listen() != 0) {
        fail(N3_ERR_INTERNAL, "ns-3 cannot listen at %s", text(local).c_str());
    }
    ns3::Address name;
    socket->GetSockName(name);
    listener->local = local;
    listener->local.port = from_socket_address(name).port;
}

} // namespace

namespace n3 {

void detach(n3_listener *listener) {
    if (listener->cell) {
        listener->cell->owner = nullptr;
    }
    if (listener->socket) {
        listener->socket->Close();
    }
    listener->socket = nullptr;
    listener->cell = nullptr;
    listener->node = nullptr;
}

} // namespace n3

extern "C" {

n3_status n3_listen(n3_listener **out, n3_node *node, const n3_endpoint *local, n3_accept_fn accepted,
                    void *user) {
    return guard([&] {
        N3_REQUIRE(out, "n3_listen: nowhere to put it");
        *out = nullptr;
        require_node(node);
        require_local(node, local);
        N3_REQUIRE(accepted, "n3_listen: nobody to accept");
        auto listener = std::make_unique<n3_listener>();
        listener->node = node;
        listener->accepted = accepted;
        listener->user = user;
        listener->cell = ns3::Create<ListenerCell>();
        listener->cell->owner = listener.get();
        start(listener.get(), *local);
        node->sim->listeners.insert(listener.get());
        *out = listener.release();
    });
}

n3_status n3_listener_local(const n3_listener *listener, n3_endpoint *out) {
    return guard([&] {
        require_open(listener);
        N3_REQUIRE(out, "n3_listener_local: nowhere to put it");
        *out = listener->local;
    });
}

void n3_listener_free(n3_listener *listener) {
    if (listener) {
        quiet([&] {
            if (listener->node) {
                listener->node->sim->listeners.erase(listener);
                detach(listener);
            }
            delete listener;
        });
    }
}
}
