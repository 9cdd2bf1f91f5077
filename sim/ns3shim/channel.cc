// What happens on the wire: capture, the hook, loss, delay. The channel sees both directions and adds no hop.
#include "ns3shim/internal.h"

#include "ns3/point-to-point-channel.h"
#include "ns3/simulator.h"

#include <cstring>

using namespace n3;

namespace {

constexpr size_t PPP_HEADER = 2; // protocol number only, as PointToPointNetDevice writes it

void deliver(n3_link *link, int direction, ns3::Ptr<ns3::Packet> frame) {
    n3_link_stats &stats = link->stats[direction];
    ++stats.delivered_packets;
    stats.delivered_octets += frame->GetSize() - PPP_HEADER;
    link->device[1 - direction]->Receive(frame);
}

void schedule_delivery(n3_link *link, int direction, const ns3::Ptr<ns3::Packet> &frame,
                       const ns3::Time &delay) {
    ns3::Simulator::ScheduleWithContext(link->end[1 - direction]->node->GetId(), delay, &deliver, link,
                                        direction, frame);
}

bool is_lost(n3_link *link, int direction) {
    uint32_t loss = link->path[direction].loss_ppb;
    return loss > 0 && link->loss[direction]->GetInteger(0, N3_LOSS_ALWAYS - 1) < loss;
}

ns3::Time transmission_time(const n3_link *link, int direction, size_t frame_len) {
    return ns3::DataRate(link->path[direction].rate_bps)
        .CalculateBytesTxTime(static_cast<uint32_t>(frame_len));
}

// The frame with an IP packet made right, or null if it is none.
ns3::Ptr<ns3::Packet> make_frame(n3_sim *sim, const void *packet, size_t len) {
    if (!packet || len == 0 || len > N3_MTU_MAX) {
        return nullptr;
    }
    Scratch scratch(sim);
    uint8_t *frame = scratch.room(len + PPP_HEADER);
    memcpy(frame + PPP_HEADER, packet, len);
    if (!fix_packet(frame + PPP_HEADER, len)) {
        return nullptr;
    }
    frame[0] = 0;
    frame[1] = frame[PPP_HEADER] >> 4 == 4 ? 0x21 : 0x57; // RFC 1332, RFC 5072
    return ns3::Create<ns3::Packet>(frame, static_cast<uint32_t>(len + PPP_HEADER));
}

void capture_made(n3_link *link, int direction, ns3::Packet &frame) {
    if (!link->captures.empty()) {
        Scratch scratch(link->sim);
        capture_frame(link, direction, frame, scratch.copy(frame), frame.GetSize());
    }
}

// Asks the hook. Null: the frame goes no further.
ns3::Ptr<ns3::Packet> ask_hook(n3_link *link, int direction, const ns3::Ptr<ns3::Packet> &frame,
                               const uint8_t *bytes, uint64_t *delay_ns) {
    n3_link_stats &stats = link->stats[direction];
    n3_verdict verdict{};
    {
        Busy busy(link->sim);
        link->hook(link->hook_user, link, static_cast<n3_direction>(direction), bytes + PPP_HEADER,
                   frame->GetSize() - PPP_HEADER, &verdict);
    }
    *delay_ns = verdict.delay_ns < N3_MAX_LINK_DELAY ? verdict.delay_ns : N3_MAX_LINK_DELAY;
    switch (verdict.action) {
    case N3_PASS:
        *delay_ns = 0;
        return frame;
    case N3_DELAY:
        ++stats.hook_delayed;
        return frame;
    case N3_REPLACE: {
        ns3::Ptr<ns3::Packet> made = make_frame(link->sim, verdict.packet, verdict.len);
        if (made) {
            ++stats.hook_replaced;
            capture_made(link, direction, *made);
            return made;
        }
        ++stats.hook_rejected;
        return nullptr;
    }
    case N3_DROP:
    default:
        ++stats.hook_dropped;
        return nullptr;
    }
}

void transmit(n3_link *link, int direction, ns3::Ptr<ns3::Packet> frame, const ns3::Time &tx_time) {
    n3_link_stats &stats = link->stats[direction];
    ++stats.sent_packets;
    stats.sent_octets += frame->GetSize() - PPP_HEADER;
    uint64_t extra = 0;
    if (link->hook || !link->captures.empty()) {
        Scratch scratch(link->sim);
        const uint8_t *bytes = scratch.copy(*frame);
        capture_frame(link, direction, *frame, bytes, frame->GetSize());
        if (link->hook) {
            frame = ask_hook(link, direction, frame, bytes, &extra);
        }
    }
    if (!frame) {
        return;
    }
    if (is_lost(link, direction)) {
        ++stats.lost_packets;
        return;
    }
    schedule_delivery(link, direction, frame, tx_time + ns(link->path[direction].delay_ns + extra));
}

class Wire : public ns3::PointToPointChannel {
  public:
    explicit Wire(n3_link *link) : link_(link) {
    }

    bool TransmitStart(ns3::Ptr<const ns3::Packet> frame, ns3::Ptr<ns3::PointToPointNetDevice> from,
                       ns3::Time tx_time) override {
        transmit(link_, from == link_->device[0] ? 0 : 1, frame->Copy(), tx_time);
        return true;
    }

  private:
    n3_link *link_;
};

void queue_dropped(n3_link_stats *stats, ns3::Ptr<const ns3::Packet>) {
    ++stats->queue_dropped;
}

} // namespace

namespace n3 {

void join_devices(n3_link *link) {
    auto wire = ns3::CreateObject<Wire>(link);
    for (int side = 0; side < 2; ++side) {
        link->device[side]->Attach(wire);
        link->device[side]->TraceConnectWithoutContext(
            "MacTxDrop", ns3::MakeBoundCallback(&queue_dropped, &link->stats[side]));
    }
}

} // namespace n3

extern "C" {

n3_status n3_link_inject(n3_link *link, n3_direction direction, const void *packet, size_t len) {
    return guard([&] {
        require_link(link);
        require_direction(direction);
        ns3::Ptr<ns3::Packet> frame = make_frame(link->sim, packet, len);
        N3_REQUIRE(frame, "n3_link_inject: %zu octets that are no IP packet", len);
        capture_made(link, direction, *frame);
        ++link->stats[direction].injected;
        schedule_delivery(link, direction, frame,
                          transmission_time(link, direction, frame->GetSize()) +
                              ns(link->path[direction].delay_ns));
    });
}
}
