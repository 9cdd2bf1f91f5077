// TCP connections.
#include "ns3shim/tcp.h"

#include "ns3/nstime.h"
#include "ns3/rtt-estimator.h"
#include "ns3/simulator.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-rx-buffer.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/uinteger.h"

#include <algorithm>

using namespace n3;

namespace {

constexpr uint64_t CLOSE_TIMEOUT = N3_TCP_CLOSE_TIMEOUT; // ns-3 would repeat a FIN for ever
constexpr size_t CHUNK = 16384;                          // octets handed to ns-3 at a time
const ns3::Time RTO_AFTER_LATE_SYN = ns3::Seconds(3);    // RFC 6298 §5.7

// Names for what ns-3 keeps protected.
struct Access : public ns3::TcpSocketBase {
    static void reset(ns3::TcpSocketBase *socket) {
        (socket->*(&Access::SendRST))();
    }
    static void forget(ns3::TcpSocketBase *socket) {
        (socket->*(&Access::CloseAndNotify))();
    }
    static void acknowledge(ns3::TcpSocketBase *socket) {
        (socket->*(&Access::SendEmptyPacket))(ns3::TcpHeader::ACK);
    }
    static void restart_rto(ns3::TcpSocketBase *socket) {
        if (socket->*(&Access::m_synCount) + 1 < socket->*(&Access::m_synRetries)) {
            (socket->*(&Access::m_rtt))->Reset();
            socket->*(&Access::m_rto) = RTO_AFTER_LATE_SYN;
        }
    }
    static uint32_t unread(const ns3::TcpSocketBase *socket) {
        return (socket->*(&Access::m_tcb))->m_rxBuffer->Size();
    }
};

void pump(ns3::Ptr<TcpCell> cell);

void wake(n3_tcp *tcp) {
    if (tcp->node && !tcp->end && !tcp->pump_event.IsRunning()) {
        tcp->pump_event = ns3::Simulator::ScheduleNow(&pump, tcp->cell);
    }
}

// ---- the end ----

void drop_timers(n3_tcp *tcp) {
    for (ns3::EventId *event : {&tcp->pump_event, &tcp->connect_timer, &tcp->close_timer}) {
        if (event->IsRunning()) {
            ns3::Simulator::Remove(*event);
        }
    }
}

void drop_socket(n3_tcp *tcp) {
    if (tcp->cell) {
        tcp->cell->owner = nullptr;
    }
    // ns-3's callbacks stay and find no owner: one of them may be running.
    tcp->socket = nullptr;
    std::vector<uint8_t>().swap(tcp->queue);
    tcp->queue_head = 0;
}

void dispose(n3_tcp *tcp) {
    if (tcp->depth) {
        tcp->gone = true;
        return;
    }
    if (tcp->node) {
        drop_timers(tcp);
        drop_socket(tcp);
        tcp->node->sim->tcp.erase(tcp);
    }
    delete tcp;
}

// Calls one of the owner's handlers. False: the handle is gone.
template <class Call> bool tell(n3_tcp *tcp, Call &&call) {
    if (!tcp->freed) {
        Busy busy(tcp->node->sim);
        ++tcp->depth;
        call();
        --tcp->depth;
    }
    if (tcp->gone && !tcp->depth) {
        dispose(tcp);
        return false;
    }
    return true;
}

void finish(n3_tcp *tcp, n3_tcp_end why) {
    tcp->end = why;
    drop_timers(tcp);
    if (tcp->socket && tcp->cell->tcp_state == ns3::TcpSocket::SYN_SENT) { // no more SYNs
        ns3::Ptr<TcpCell> cell = tcp->cell;
        cell->owner = nullptr;
        Access::forget(ns3::PeekPointer(tcp->socket));
    }
    drop_socket(tcp);
    if (tcp->freed) {
        dispose(tcp);
        return;
    }
    tell(tcp, [&] {
        if (tcp->handlers.ended) {
            tcp->handlers.ended(tcp->user, tcp, why);
        }
    });
}

void end_later(n3_tcp *tcp, n3_tcp_end why) {
    if (!tcp->pending_end) {
        tcp->pending_end = why;
    }
    wake(tcp);
}

// ---- sending ----

// Hands over what ns-3's buffer takes.
void feed(n3_tcp *tcp) {
    ns3::Socket &socket = *tcp->socket;
    while (tcp->queue_head < tcp->queue.size()) {
        size_t left = tcp->queue.size() - tcp->queue_head;
        size_t room = std::min<size_t>(socket.GetTxAvailable(), CHUNK);
        uint32_t len = static_cast<uint32_t>(std::min(left, room));
        if (!len || socket.Send(tcp->queue.data() + tcp->queue_head, len, 0) < 0) {
            break;
        }
        tcp->queue_head += len;
    }
    if (tcp->queue_head == tcp->queue.size()) {
        tcp->queue.clear();
        tcp->queue_head = 0;
    } else if (tcp->queue_head > N3_TCP_QUEUE / 4 && tcp->queue_head * 2 > tcp->queue.size()) {
        tcp->queue.erase(tcp->queue.begin(), tcp->queue.begin() + static_cast<ptrdiff_t>(tcp->queue_head));
        tcp->queue_head = 0;
    }
}

void close_timed_out(ns3::Ptr<TcpCell> cell) {
    n3_tcp *tcp = cell->owner;
    if (!tcp) {
        return;
    }
    if (cell->tcp_state == ns3::TcpSocket::FIN_WAIT_2 && tcp->heard) { // the peer still sends
        tcp->heard = false;
        tcp->close_timer = ns3::Simulator::Schedule(ns(CLOSE_TIMEOUT), &close_timed_out, cell);
        return;
    }
    ns3::Ptr<ns3::TcpSocketBase> socket = tcp->socket;
    end_later(tcp, N3_TCP_END_TIMED_OUT);
    Access::forget(ns3::PeekPointer(socket));
}

void give_fin(n3_tcp *tcp) {
    // ns-3 resets a connection that is closed while segments wait for a missing one; wait for that first.
    if (tcp->fin_given || !tcp->established || Access::unread(ns3::PeekPointer(tcp->socket)) != 0) {
        return;
    }
    tcp->fin_given = true;
    tcp->close_timer = ns3::Simulator::Schedule(ns(CLOSE_TIMEOUT), &close_timed_out, tcp->cell);
    tcp->socket->Close();
}

void pump(ns3::Ptr<TcpCell> cell) {
    n3_tcp *tcp = cell->owner;
    if (!tcp) {
        return;
    }
    if (tcp->peer_closed && !tcp->told_peer_closed) {
        tcp->told_peer_closed = true;
        if (!tell(tcp,
                  [&] {
                      if (tcp->handlers.peer_closed) {
                          tcp->handlers.peer_closed(tcp->user, tcp);
                      }
                  }) ||
            !cell->owner) {
            return;
        }
    }
    if (tcp->pending_end) {
        finish(tcp, tcp->pending_end);
        return;
    }
    if (!tcp->socket || !tcp->established || tcp->fin_given) {
        return;
    }
    feed(tcp);
    if (tcp->queue.empty() && tcp->drain_pending) {
        tcp->drain_pending = false;
        if (!tell(tcp,
                  [&] {
                      if (tcp->handlers.drained) {
                          tcp->handlers.drained(tcp->user, tcp);
                      }
                  }) ||
            !cell->owner) {
            return;
        }
    }
    if (tcp->closing && tcp->queue.empty()) {
        give_fin(tcp);
    }
}

// ---- what ns-3 reports ----

void on_receive(ns3::Ptr<TcpCell> cell, ns3::Ptr<ns3::Socket> socket) {
    while (cell->owner) {
        ns3::Ptr<ns3::Packet> packet = socket->Recv();
        if (!packet || packet->GetSize() == 0) {
            break;
        }
        n3_tcp *tcp = cell->owner;
        tcp->heard = true;
        Scratch scratch(tcp->node->sim);
        const uint8_t *data = scratch.copy(*packet);
        tell(tcp, [&] {
            if (tcp->handlers.received) {
                tcp->handlers.received(tcp->user, tcp, data, packet->GetSize());
            }
        });
    }
    if (cell->owner && cell->owner->closing) {
        wake(cell->owner); // the gap may be filled
    }
}

void on_send_room(ns3::Ptr<TcpCell> cell, ns3::Ptr<ns3::Socket>, uint32_t) {
    if (cell->owner && !cell->owner->queue.empty()) {
        wake(cell->owner);
    }
}

void on_connected(ns3::Ptr<TcpCell> cell, ns3::Ptr<ns3::Socket> socket) {
    n3_tcp *tcp = cell->owner;
    if (!tcp) {
        return;
    }
    ns3::Simulator::Remove(tcp->connect_timer);
    tcp_restart_rto(tcp->socket);
    tcp->established = true;
    ns3::Address name;
    socket->GetSockName(name);
    tcp->local = from_socket_address(name);
    wake(tcp);
    tell(tcp, [&] {
        if (tcp->handlers.connected) {
            tcp->handlers.connected(tcp->user, tcp);
        }
    });
}

void on_failed(ns3::Ptr<TcpCell> cell, ns3::Ptr<ns3::Socket>) {
    if (cell->owner) {
        end_later(cell->owner, N3_TCP_END_TIMED_OUT);
    }
}

// ns-3's "error close": retransmissions exhausted, or it sent a reset itself.
void on_error(ns3::Ptr<TcpCell> cell, ns3::Ptr<ns3::Socket>) {
    if (cell->owner) {
        end_later(cell->owner, cell->owner->reset_seen ? N3_TCP_END_RESET : N3_TCP_END_TIMED_OUT);
    }
}

void on_state(ns3::Ptr<TcpCell> cell, ns3::TcpSocket::TcpStates_t, ns3::TcpSocket::TcpStates_t now) {
    cell->tcp_state = now;
    n3_tcp *tcp = cell->owner;
    if (!tcp) {
        return;
    }
    if (now == ns3::TcpSocket::CLOSE_WAIT) {
        tcp->peer_closed = true;
        wake(tcp);
    } else if (now == ns3::TcpSocket::TIME_WAIT || now == ns3::TcpSocket::CLOSED) {
        if (tcp->reset_seen) {
            end_later(tcp, tcp->established ? N3_TCP_END_RESET : N3_TCP_END_REFUSED);
        } else {
            end_later(tcp, tcp->established ? N3_TCP_END_CLOSED : N3_TCP_END_TIMED_OUT);
        }
    }
}

void on_segment(ns3::Ptr<TcpCell> cell, ns3::Ptr<const ns3::Packet>, const ns3::TcpHeader &header,
                ns3::Ptr<const ns3::TcpSocketBase> socket) {
    if (header.GetFlags() & ns3::TcpHeader::RST) {
        if (cell->owner) {
            cell->owner->reset_seen = true;
            if (cell->tcp_state == ns3::TcpSocket::SYN_SENT) { // ns-3 overlooks RST+ACK here
                end_later(cell->owner, N3_TCP_END_REFUSED);
            }
        }
    } else if (header.GetFlags() & ns3::TcpHeader::FIN && cell->tcp_state == ns3::TcpSocket::TIME_WAIT) {
        // RFC 9293 §3.10.7.4: a repeated FIN is acknowledged again; ns-3 ignores it.
        Access::acknowledge(const_cast<ns3::TcpSocketBase *>(ns3::PeekPointer(socket)));
    }
}

// ---- connecting ----

void connect_timed_out(ns3::Ptr<TcpCell> cell) {
    if (cell->owner) {
        end_later(cell->owner, N3_TCP_END_TIMED_OUT);
    }
}

void configure(n3_tcp *tcp, const n3_tcp_config &config) {
    size_t max_queue = config.max_queue ? config.max_queue : N3_TCP_QUEUE;
    N3_REQUIRE(max_queue <= N3_TCP_QUEUE_MAX, "TCP: a queue of more than %d octets", N3_TCP_QUEUE_MAX);
    tcp->handlers = config.handlers;
    tcp->user = config.user;
    tcp->max_queue = max_queue;
}

// The address that the connection comes from must be the caller's choice, which ns-3 does not respect.
class PreferredSource {
  public:
    PreferredSource(n3_node *node, const n3_addr &addr) : node_(node) {
        if (!addr_is_any(addr)) {
            node->preferred_source = addr;
        }
    }
    ~PreferredSource() {
        node_->preferred_source = n3_addr{};
    }
    PreferredSource(const PreferredSource &) = delete;
    PreferredSource &operator=(const PreferredSource &) = delete;

  private:
    n3_node *node_;
};

void start(n3_tcp *tcp, const n3_endpoint &local, uint64_t timeout) {
    if (!has_route(tcp->node, tcp->remote.addr)) {
        end_later(tcp, N3_TCP_END_UNREACHABLE);
        return;
    }
    auto socket = tcp_socket(tcp->node, family_index(tcp->remote.addr.family));
    if (socket->Bind(to_socket_address(local)) != 0) {
        fail(N3_ERR_ADDRESS, "TCP %s is in use on node '%s'", text(local).c_str(), tcp->node->name.c_str());
    }
    tcp_attach(tcp, socket);
    PreferredSource source(tcp->node, local.addr);
    if (socket->Connect(to_socket_address(tcp->remote)) != 0) {
        fail(N3_ERR_INTERNAL, "ns-3 cannot connect to %s", text(tcp->remote).c_str());
    }
    ns3::Address name;
    socket->GetSockName(name);
    tcp->local = from_socket_address(name);
    tcp->connect_timer = ns3::Simulator::Schedule(require_delay(timeout), &connect_timed_out, tcp->cell);
}

void require_open(const n3_tcp *tcp) {
    N3_REQUIRE(tcp && !tcp->freed, "no TCP connection given");
    if (!tcp->node) {
        fail(N3_ERR_CLOSED, "the simulation of this connection is gone");
    }
    if (tcp->end) {
        fail(N3_ERR_CLOSED, "the connection has ended: %s", n3_tcp_end_name(tcp->end));
    }
}

void reset_now(ns3::Ptr<ns3::TcpSocketBase> socket, ns3::Ptr<TcpCell> cell) {
    switch (cell->tcp_state) {
    case ns3::TcpSocket::SYN_SENT:
        Access::forget(ns3::PeekPointer(socket));
        break;
    case ns3::TcpSocket::CLOSED:
    case ns3::TcpSocket::TIME_WAIT:
        break;
    default:
        tcp_reset(socket);
    }
}

void abort_connection(n3_tcp *tcp) {
    if (!tcp->node || tcp->end) {
        return;
    }
    tcp->end = N3_TCP_END_ABORTED;
    drop_timers(tcp);
    if (tcp->socket) {
        ns3::Simulator::ScheduleNow(&reset_now, tcp->socket, tcp->cell);
    }
    drop_socket(tcp);
}

} // namespace

namespace n3 {

n3_tcp *tcp_make(n3_node *node) {
    auto tcp = std::make_unique<n3_tcp>();
    tcp->node = node;
    tcp->cell = ns3::Create<TcpCell>();
    tcp->cell->owner = tcp.get();
    node->sim->tcp.insert(tcp.get());
    return tcp.release();
}

void tcp_attach(n3_tcp *tcp, const ns3::Ptr<ns3::TcpSocketBase> &socket) {
    using ns3::MakeBoundCallback;
    tcp->socket = socket;
    socket->SetRecvCallback(MakeBoundCallback(&on_receive, tcp->cell));
    socket->SetSendCallback(MakeBoundCallback(&on_send_room, tcp->cell));
    socket->SetConnectCallback(MakeBoundCallback(&on_connected, tcp->cell),
                               MakeBoundCallback(&on_failed, tcp->cell));
    socket->SetCloseCallbacks(ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>(),
                              MakeBoundCallback(&on_error, tcp->cell));
    socket->TraceConnectWithoutContext("State", MakeBoundCallback(&on_state, tcp->cell));
    socket->TraceConnectWithoutContext("Rx", MakeBoundCallback(&on_segment, tcp->cell));
}

void tcp_restart_rto(const ns3::Ptr<ns3::TcpSocketBase> &socket) {
    Access::restart_rto(ns3::PeekPointer(socket));
}

void tcp_reset(const ns3::Ptr<ns3::TcpSocketBase> &socket) {
    Access::reset(ns3::PeekPointer(socket));
}

ns3::Ptr<ns3::TcpSocketBase> tcp_socket(n3_node *node, int family) {
    auto made = ns3::Socket::CreateSocket(node->node, ns3::TcpSocketFactory::GetTypeId());
    auto socket = ns3::DynamicCast<ns3::TcpSocketBase>(made);
    if (!socket) {
        fail(N3_ERR_INTERNAL, "ns-3 has no TCP socket for node '%s'", node->name.c_str());
    }
    socket->SetAttribute("SegmentSize", ns3::UintegerValue(tcp_segment_size(node->sim, family)));
    return socket;
}

// What fits every link: ns-3 negotiates no segment size and adds options on top of it.
uint32_t tcp_segment_size(const n3_sim *sim, int family) {
    constexpr uint32_t TCP_HEADER_MAX = 60, LEAST = 8;
    uint32_t overhead = (family == 0 ? 20 : 40) + TCP_HEADER_MAX;
    uint32_t mtu = std::min<uint32_t>(sim->min_mtu, 9000);
    return mtu < overhead + 64 ? std::max(mtu / 2, LEAST) : mtu - overhead;
}

void detach(n3_tcp *tcp) {
    drop_timers(tcp);
    drop_socket(tcp);
    tcp->cell = nullptr;
    tcp->node = nullptr;
    if (!tcp->end) {
        tcp->end = N3_TCP_END_ABORTED;
    }
    if (tcp->freed) {
        delete tcp;
    }
}

} // namespace n3

extern "C" {

const char *n3_tcp_end_name(n3_tcp_end end) {
    switch (end) {
    case N3_TCP_END_CLOSED:
        return "closed";
    case N3_TCP_END_RESET:
        return "reset";
    case N3_TCP_END_REFUSED:
        return "refused";
    case N3_TCP_END_TIMED_OUT:
        return "timed out";
    case N3_TCP_END_UNREACHABLE:
        return "unreachable";
    case N3_TCP_END_ABORTED:
        return "aborted";
    }
    return "open";
}

n3_status n3_tcp_connect(n3_tcp **out, n3_node *node, const n3_endpoint *local, const n3_endpoint *remote,
                         const n3_tcp_config *config) {
    n3_tcp *tcp = nullptr;
    n3_status status = guard([&] {
        N3_REQUIRE(out, "n3_tcp_connect: nowhere to put it");
        *out = nullptr;
        require_node(node);
        require_remote(node, remote);
        n3_endpoint from = {n3_addr_any(static_cast<n3_family>(remote->addr.family)), 0};
        if (local) {
            require_local(node, local);
            N3_REQUIRE(local->addr.family == remote->addr.family,
                       "n3_tcp_connect: addresses of two families");
            from = *local;
        }
        tcp = tcp_make(node);
        tcp->remote = *remote;
        tcp->local = from;
        configure(tcp, config ? *config : n3_tcp_config{});
        uint64_t timeout = config && config->connect_timeout_ns ? config->connect_timeout_ns
                                                                : uint64_t{N3_TCP_CONNECT_TIMEOUT};
        (void)require_delay(timeout);
        start(tcp, from, timeout);
        *out = tcp;
    });
    if (status != N3_OK && tcp) {
        quiet([&] { dispose(tcp); });
    }
    return status;
}

n3_status n3_tcp_configure(n3_tcp *tcp, const n3_tcp_config *config) {
    return guard([&] {
        require_open(tcp);
        N3_REQUIRE(config, "n3_tcp_configure: no configuration given");
        configure(tcp, *config);
    });
}

n3_status n3_tcp_send(n3_tcp *tcp, const void *data, size_t len) {
    return guard([&] {
        require_open(tcp);
        N3_REQUIRE(data || !len, "n3_tcp_send: no data given");
        if (tcp->closing) {
            fail(N3_ERR_STATE, "n3_tcp_send: after n3_tcp_close");
        }
        size_t queued = n3_tcp_queued(tcp);
        if (len > tcp->max_queue || queued > tcp->max_queue - len) {
            fail(N3_ERR_LIMIT, "n3_tcp_send: %zu octets more than the queue of %zu takes",
                 queued + len - tcp->max_queue, tcp->max_queue);
        }
        const uint8_t *octets = static_cast<const uint8_t *>(data);
        tcp->queue.insert(tcp->queue.end(), octets, octets + len);
        tcp->drain_pending = tcp->drain_pending || len;
        wake(tcp);
    });
}

size_t n3_tcp_queued(const n3_tcp *tcp) {
    return tcp ? tcp->queue.size() - tcp->queue_head : 0;
}

n3_status n3_tcp_close(n3_tcp *tcp) {
    return guard([&] {
        require_open(tcp);
        tcp->closing = true;
        wake(tcp);
    });
}

void n3_tcp_abort(n3_tcp *tcp) {
    if (tcp) {
        quiet([&] { abort_connection(tcp); });
    }
}

void n3_tcp_free(n3_tcp *tcp) {
    if (!tcp || tcp->freed) {
        return;
    }
    quiet([&] {
        tcp->freed = true;
        tcp->handlers = n3_tcp_handlers{};
        if (tcp->node && !tcp->end && tcp->closing) {
            return; // finishes in the background
        }
        abort_connection(tcp);
        dispose(tcp);
    });
}

bool n3_tcp_connected(const n3_tcp *tcp) {
    return tcp && tcp->established && !tcp->end;
}

n3_tcp_end n3_tcp_ended(const n3_tcp *tcp) {
    return tcp ? tcp->end : static_cast<n3_tcp_end>(0);
}

n3_status n3_tcp_local(const n3_tcp *tcp, n3_endpoint *out) {
    return guard([&] {
        N3_REQUIRE(tcp && out, "n3_tcp_local: a null argument");
        *out = tcp->local;
    });
}

n3_status n3_tcp_remote(const n3_tcp *tcp, n3_endpoint *out) {
    return guard([&] {
        N3_REQUIRE(tcp && out, "n3_tcp_remote: a null argument");
        *out = tcp->remote;
    });
}
}
