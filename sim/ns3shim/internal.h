// Inside of the shim: the objects behind the handles of n3.h. Included by the .cc files of this folder only.
#ifndef NS3SHIM_INTERNAL_H
#define NS3SHIM_INTERNAL_H

#include "ns3shim/n3.h"
#include "ns3shim/route_table.h"

#include "ns3/address.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-route.h"
#include "ns3/ipv6-l3-protocol.h"
#include "ns3/ipv6-route.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/point-to-point-net-device.h"
#include "ns3/ptr.h"
#include "ns3/random-variable-stream.h"

#include <cstdarg>
#include <exception>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace n3 {

// ---- errors: thrown inside, turned into a status at the C boundary ----

struct Fault {
    n3_status status;
};

// Stores the text and throws a Fault.
[[noreturn]] void fail(n3_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
n3_status note(n3_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Runs `body`; whatever it throws becomes a status.
template <class Body> n3_status guard(Body &&body) noexcept {
    try {
        body();
        return N3_OK;
    } catch (const Fault &fault) {
        return fault.status;
    } catch (const std::bad_alloc &) {
        return note(N3_ERR_MEMORY, "out of memory");
    } catch (const std::exception &e) {
        return note(N3_ERR_INTERNAL, "%s", e.what());
    } catch (...) {
        return note(N3_ERR_INTERNAL, "unknown exception");
    }
}

// The same for functions that report nothing.
template <class Body> void quiet(Body &&body) noexcept {
    (void)guard(body);
}

#define N3_REQUIRE(condition, ...)                                                                           \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            ::n3::fail(N3_ERR_ARGUMENT, __VA_ARGS__);                                                        \
        }                                                                                                    \
    } while (0)

// ---- addresses ----

constexpr int FAMILIES = 2;

inline int family_index(unsigned family) { // N3_IPV4 -> 0, N3_IPV6 -> 1
    return family == N3_IPV6 ? 1 : 0;
}
bool family_valid(unsigned family);
bool addr_is_any(const n3_addr &addr);
std::string text(const n3_addr &addr);
std::string text(const n3_endpoint &endpoint);
// Refuses what cannot be a host's address: multicast, broadcast, loopback, 2001:db8::/32, mapped, …
void require_host_address(const n3_addr &addr);
ns3::Ipv4Address to_ipv4(const n3_addr &addr);
ns3::Ipv6Address to_ipv6(const n3_addr &addr);
n3_addr from_ipv4(ns3::Ipv4Address addr);
n3_addr from_ipv6(ns3::Ipv6Address addr);
ns3::Address to_socket_address(const n3_endpoint &endpoint);
n3_endpoint from_socket_address(const ns3::Address &address);

// ---- timers ----

struct TimerSlot {
    ns3::EventId event;
    n3_timer_fn fn = nullptr;
    void *user = nullptr;
    uint32_t generation = 0;
    uint32_t next_free = 0;
};

// What ns-3's callbacks hold of a handle: it outlives both the handle and the socket.
template <class T> struct Cell : public ns3::SimpleRefCount<Cell<T>> {
    T *owner = nullptr;
    int tcp_state = 0; // ns3::TcpSocket::TcpStates_t
};

n3_sim *current_sim();

} // namespace n3

struct n3_sim {
    n3_sim_config config{};
    bool stopped = false;
    bool idle = false;
    bool stop_reached = false;
    bool queue_empty = false; // as the stop event saw it
    unsigned busy = 0;        // depth of runs and synchronous callbacks
    bool running = false;
    uint64_t own_events = 0; // events of n3_run_until itself
    std::vector<std::unique_ptr<n3_node>> nodes;
    std::vector<std::unique_ptr<n3_link>> links;
    std::unordered_map<std::string, n3_node *> names;
    n3::KeyMap<n3_node *> owners[n3::FAMILIES];
    std::vector<n3::TimerSlot> timers;
    uint32_t free_timer = 0; // slot number + 1
    std::set<n3_udp *> udp;
    std::set<n3_tcp *> tcp;
    std::set<n3_listener *> listeners;
    std::set<n3_capture *> captures;
    unsigned once_groups = 0;
    uint32_t min_mtu = N3_MTU_MAX;
    std::vector<std::unique_ptr<std::vector<uint8_t>>> scratch;
    size_t scratch_depth = 0;

    bool has(int family_index) const {
        return (config.families >> family_index) & 1;
    }
};

struct n3_node {
    n3_sim *sim = nullptr;
    std::string name;
    uint32_t number = 0; // from 1
    ns3::Ptr<ns3::Node> node;
    ns3::Ptr<ns3::Ipv4L3Protocol> ipv4;
    ns3::Ptr<ns3::Ipv6L3Protocol> ipv6;
    std::vector<n3_link *> links;
    std::vector<n3_addr> services[n3::FAMILIES];
    n3::RouteTable routes[n3::FAMILIES];
    n3_addr preferred_source{}; // while a TCP connect is being set up
};

struct n3_link {
    n3_sim *sim = nullptr;
    std::string name;
    uint32_t number = 0;
    n3_node *end[2] = {nullptr, nullptr};
    n3_path path[2]{};
    ns3::Ptr<ns3::PointToPointNetDevice> device[2];
    ns3::Ptr<ns3::UniformRandomVariable> loss[2];
    n3_addr address[2][n3::FAMILIES]{}; // of the end, by family
    uint8_t prefix[n3::FAMILIES] = {30, 64};
    ns3::Ptr<ns3::Ipv4Route> route4[2]; // out of the end's side
    ns3::Ptr<ns3::Ipv6Route> route6[2];
    n3_link_stats stats[2]{};
    n3_hook_fn hook = nullptr;
    void *hook_user = nullptr;
    std::vector<n3_capture *> captures;

    int side_of(const n3_node *node) const {
        return end[0] == node ? 0 : 1;
    }
};

namespace n3 {

// A buffer that stays valid while callbacks use further ones.
class Scratch {
  public:
    explicit Scratch(n3_sim *sim);
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;
    uint8_t *room(size_t size);
    const uint8_t *copy(const ns3::Packet &packet);

  private:
    n3_sim *sim_;
    size_t index_;
};

// The depth of callbacks, so that n3_sim_free() inside one is refused.
class Busy {
  public:
    explicit Busy(n3_sim *sim) : sim_(sim) {
        ++sim_->busy;
    }
    ~Busy() {
        --sim_->busy;
    }
    Busy(const Busy &) = delete;
    Busy &operator=(const Busy &) = delete;

  private:
    n3_sim *sim_;
};

void require_sim(const n3_sim *sim);
void require_node(const n3_node *node);
void require_link(const n3_link *link);
void require_direction(n3_direction direction);
void require_local(const n3_node *node, const n3_endpoint *local);
void require_remote(const n3_node *node, const n3_endpoint *remote);
ns3::Time ns(uint64_t nanoseconds);
ns3::Time require_delay(uint64_t nanoseconds); // what still fits before N3_TIME_MAX

// node.cc, routing4.cc, routing6.cc
void own_address(n3_node *node, const n3_addr &addr); // enters it in the books
void install_routing4(n3_node *node);
void install_routing6(n3_node *node);
ns3::Ptr<ns3::Ipv4Route> find_route4(n3_node *node, ns3::Ipv4Address to);
ns3::Ptr<ns3::Ipv6Route> find_route6(n3_node *node, const ns3::Ipv6Address &to);
bool has_route(n3_node *node, const n3_addr &to);

// channel.cc
void join_devices(n3_link *link);

// capture.cc
void capture_frame(n3_link *link, int direction, ns3::Packet &packet, const uint8_t *frame, size_t len);

// packet.cc
bool fix_packet(uint8_t *packet, size_t len) noexcept;

// Handles when the simulation goes: they lose their sockets.
void detach(n3_udp *udp);
void detach(n3_tcp *tcp);
void detach(n3_listener *listener);
void detach(n3_capture *capture);
uint32_t tcp_segment_size(const n3_sim *sim, int family_index);

} // namespace n3

#endif
