// TCP connections, shared by tcp.cc (what callers and ns-3 do to them) and listener.cc.
#ifndef NS3SHIM_TCP_H
#define NS3SHIM_TCP_H

#include "ns3shim/internal.h"

#include "ns3/tcp-socket-base.h"

using TcpCell = n3::Cell<n3_tcp>;

// ns-3's callbacks note what happened; what follows from it is done by pump(), an event of its own, so that
// neither the owner's callbacks nor a close run in the middle of ns-3's state machine.
struct n3_tcp {
    n3_node *node = nullptr; // null: the simulation is gone
    ns3::Ptr<ns3::TcpSocketBase> socket;
    ns3::Ptr<TcpCell> cell;
    n3_tcp_handlers handlers{};
    void *user = nullptr;
    size_t max_queue = N3_TCP_QUEUE;
    std::vector<uint8_t> queue;
    size_t queue_head = 0;
    n3_endpoint local{}, remote{};
    ns3::EventId pump_event, connect_timer, close_timer;
    bool established = false;
    bool closing = false;     // n3_tcp_close()
    bool fin_given = false;   // ns-3's Close() was called
    bool heard = false;       // data came since close_timer was set
    bool freed = false;       // the owner is gone; finish in the background
    bool peer_closed = false; // FIN seen, to be told
    bool told_peer_closed = false;
    bool reset_seen = false;
    bool drain_pending = false; // `drained` is due when the queue is empty
    n3_tcp_end pending_end = static_cast<n3_tcp_end>(0);
    n3_tcp_end end = static_cast<n3_tcp_end>(0);
    unsigned depth = 0; // of the owner's callbacks
    bool gone = false;  // delete when depth is 0
};

namespace n3 {

n3_tcp *tcp_make(n3_node *node);
void tcp_attach(n3_tcp *tcp, const ns3::Ptr<ns3::TcpSocketBase> &socket); // sets ns-3's callbacks
// After a handshake whose SYN was repeated. ns-3 measures the round trip from the first SYN (Karn's rule,
// RFC 6298 §3, forbids it) and would wait for the loss of data for three times as long.
void tcp_restart_rto(const ns3::Ptr<ns3::TcpSocketBase> &socket);
void tcp_reset(const ns3::Ptr<ns3::TcpSocketBase> &socket); // sends RST, forgets
ns3::Ptr<ns3::TcpSocketBase> tcp_socket(n3_node *node, int family_index);

} // namespace n3

#endif
