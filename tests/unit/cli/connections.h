// The connections that the tests' daemon has.
#pragma once

#include "base/endpoint.h"
#include "wire/control.pb.h"
#include "wire/endpoints.h"

namespace sockswap::cli {

inline wire::Connections::Connection& add_connection(wire::Reply& reply, std::string_view tuple,
                                                     std::string_view peer, unsigned pid,
                                                     std::string_view command,
                                                     std::string_view movable = "yes") {
  auto& connection = *reply.mutable_connections()->add_connections();
  wire::to_message(*FourTuple::parse(tuple), *connection.mutable_tuple());
  connection.set_state("established");
  connection.set_uid(33);
  connection.set_receive_queue(12);
  connection.set_send_queue(3400);
  connection.set_peer(std::string(peer));
  auto& process = *connection.add_processes();
  process.set_pid(pid);
  process.set_command(std::string(command));
  process.add_descriptors(7);
  connection.set_movable(std::string(movable));
  return connection;
}

// Two of redis-server (one of them not movable), two of chatd.
inline wire::Reply four_connections() {
  wire::Reply reply;
  add_connection(reply, "10.0.0.1:6379-10.0.0.2:5000", "beta", 100, "redis-server");
  add_connection(reply, "10.0.0.1:6379-192.0.2.9:40000", "", 100, "redis-server",
                 "no host of the cluster has the address 192.0.2.9");
  add_connection(reply, "10.0.0.1:80-10.0.0.3:6379", "gamma", 200, "chatd").set_receiver("chat");
  add_connection(reply, "[fd00::1]:80-[fd00::3]:6000", "gamma", 200, "chatd").set_receiver("chat");
  return reply;
}

}  // namespace sockswap::cli
