#include "process/sock_diag.h"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace sockswap::process {
namespace {

struct CloseSocket {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using Netlink = std::unique_ptr<mnl_socket, CloseSocket>;

constexpr std::uint32_t bit(int state) { return 1u << state; }
constexpr std::uint32_t kConnected = bit(TCP_ESTABLISHED) | bit(TCP_FIN_WAIT1) | bit(TCP_FIN_WAIT2) |
                                     bit(TCP_CLOSE_WAIT) | bit(TCP_LAST_ACK) | bit(TCP_CLOSING);

Result<Netlink> open_netlink() {
  Netlink netlink(mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC));
  if (!netlink) {
    const bool scarce = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return system_failure(errno, "open NETLINK_SOCK_DIAG",
                          scarce ? ErrorCode::no_resources : ErrorCode::unsupported);
  }
  if (mnl_socket_bind(netlink.get(), 0, MNL_SOCKET_AUTOPID) != 0)
    return system_failure(errno, "bind NETLINK_SOCK_DIAG");
  return netlink;
}

inet_diag_req_v2 request_for(int family) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<std::uint8_t>(family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kConnected;
  request.idiag_ext = 1 << (INET_DIAG_INFO - 1);  // MD5 keys are told together with it, given CAP_NET_ADMIN
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return request;
}

Endpoint endpoint_of(int family, const __be32 (&address)[4], __be16 port) {
  Endpoint endpoint;
  endpoint.port = ntohs(port);
  if (family == AF_INET) {
    endpoint.address = Address::v4(in_addr{address[0]});
  } else {
    in6_addr v6{};
    std::memcpy(&v6, address, sizeof v6);
    endpoint.address = Address::v6(v6);
  }
  return endpoint;
}

// tcp_diag_get_aux(): present only where there are keys.
int note_attribute(const nlattr* attribute, void* data) {
  if (mnl_attr_get_type(attribute) == INET_DIAG_MD5SIG) static_cast<SocketEntry*>(data)->has_md5_key = true;
  return MNL_CB_OK;
}

int note_socket(const nlmsghdr* header, void* data) {
  if (mnl_nlmsg_get_payload_len(header) < sizeof(inet_diag_msg)) return MNL_CB_OK;
  const auto* message = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(header));
  if (!(bit(message->idiag_state) & kConnected)) return MNL_CB_OK;
  SocketEntry entry;
  entry.family = message->idiag_family;
  entry.tuple.local = endpoint_of(entry.family, message->id.idiag_src, message->id.idiag_sport);
  entry.tuple.remote = endpoint_of(entry.family, message->id.idiag_dst, message->id.idiag_dport);
  entry.state = message->idiag_state;
  entry.inode = message->idiag_inode;
  entry.uid = message->idiag_uid;
  entry.receive_queue = message->idiag_rqueue;
  entry.send_queue = message->idiag_wqueue;
  mnl_attr_parse(header, sizeof(inet_diag_msg), note_attribute, &entry);
  static_cast<std::vector<SocketEntry>*>(data)->push_back(entry);
  return MNL_CB_OK;
}

// One message or, with NLM_F_DUMP, many. ENOENT if there is no such socket.
Result<> ask(mnl_socket* netlink, const inet_diag_req_v2& request, std::uint16_t flags,
             std::vector<SocketEntry>& entries) {
  char buffer[32768];  // what the kernel fills at most in one go, NLMSG_GOODSIZE for dumps
  nlmsghdr* header = mnl_nlmsg_put_header(buffer);
  header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header->nlmsg_seq = 1;
  std::memcpy(mnl_nlmsg_put_extra_header(header, sizeof request), &request, sizeof request);
  if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
    return system_failure(errno, "ask sock_diag");
  const unsigned port = mnl_socket_get_portid(netlink);
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(netlink, buffer, sizeof buffer);
    if (size < 0) return system_failure(errno, "read sock_diag");
    const int more = mnl_cb_run(buffer, static_cast<std::size_t>(size), 1, port, note_socket, &entries);
    if (more < 0) return system_failure(errno, "sock_diag");
    if (more == MNL_CB_STOP || !(flags & NLM_F_DUMP)) return {};
  }
}

Result<std::vector<SocketEntry>> dump(mnl_socket* netlink) {
  std::vector<SocketEntry> entries;
  for (const int family : {AF_INET, AF_INET6})
    SOCKSWAP_CHECK(ask(netlink, request_for(family), NLM_F_DUMP, entries));
  return entries;
}

void put(const Endpoint& endpoint, __be32 (&address)[4], __be16& port) {
  std::memcpy(address, endpoint.address.bytes().data(), endpoint.address.bytes().size());
  port = htons(endpoint.port);
}

// The kernel's own lookup, in its hash.
Result<std::vector<SocketEntry>> look_up(mnl_socket* netlink, const FourTuple& tuple) {
  if (tuple.local.address.is_v4() != tuple.remote.address.is_v4())
    return failure(ErrorCode::usage, "one address is IPv4, the other IPv6: " + tuple.text());
  // The kernel finds a v4-mapped socket in its IPv4 table too (inet_lookup) and says AF_INET6 of it.
  inet_diag_req_v2 request = request_for(tuple.local.address.is_v4() ? AF_INET : AF_INET6);
  put(tuple.local, request.id.idiag_src, request.id.idiag_sport);
  put(tuple.remote, request.id.idiag_dst, request.id.idiag_dport);
  std::vector<SocketEntry> entries;
  auto asked = ask(netlink, request, 0, entries);
  if (!asked && asked.error().sys_errno != ENOENT) return failure(std::move(asked).error());
  // It goes on to listeners.
  std::erase_if(entries, [&](const SocketEntry& entry) { return entry.tuple != tuple; });
  return entries;
}

}  // namespace

Result<std::vector<SocketEntry>> list_connections() {
  SOCKSWAP_TRY(const Netlink netlink, open_netlink());
  return dump(netlink.get());
}

Result<bool> is_taken(const FourTuple& tuple) {
  SOCKSWAP_TRY(const Netlink netlink, open_netlink());
  SOCKSWAP_TRY(const auto entries, look_up(netlink.get(), tuple));
  return !entries.empty();
}

Result<std::optional<SocketEntry>> find_connection(const FourTuple& tuple) {
  SOCKSWAP_TRY(const Netlink netlink, open_netlink());
  SOCKSWAP_TRY(auto entries, look_up(netlink.get(), tuple));

  // The lookup misses sockets that are bound to a device: then the whole table is read.
  const auto same = [&](const SocketEntry& entry) { return entry.tuple == tuple; };
  auto found = std::find_if(entries.begin(), entries.end(), same);
  if (found == entries.end()) {
    SOCKSWAP_TRY(entries, dump(netlink.get()));
    found = std::find_if(entries.begin(), entries.end(), same);
  }
  if (found == entries.end()) return std::nullopt;
  return *found;
}

}  // namespace sockswap::process
