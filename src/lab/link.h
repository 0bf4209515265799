// The cable between a host's eth0 and the network: a veth pair whose lab end is
//
//   plain:     a port of the upstream bridge
//   bad link:  port — splice bridge — near tap = Wire = far tap — upstream bridge
//
// so that eth0 stays as it is, with its connections, when the quality changes. The rate is held by tbf at
// both ends of the pair, a cut by an nft drop at the lab's end. Everything lies in the lab's and the host's
// namespaces and goes with them. One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "lab/namespaces.h"
#include "lab/network.h"
#include "lab/wire.h"

namespace sockswap::lab {

enum class Direction { in, out, both };  // as the host sees it

class Link {
 public:
  // Plugs a host, whose init has PID `init` and whose thread is `host`, in at `place`.
  static Result<std::unique_ptr<Link>> plug(NamespaceThread& lab, NamespaceThread& host, pid_t init,
                                            const Place& place, std::uint64_t seed);
  ~Link();  // pulls the plug: eth0 is gone
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Each wire starts the seed's pattern anew; changing the numbers of a wire in use goes on in it.
  Result<> set_quality(const LinkQuality& quality);
  const LinkQuality& quality() const { return quality_; }

  Result<> cut(Direction direction);  // in place of an earlier cut
  Result<> heal();

  const Wire* wire() const { return wire_.get(); }  // none while the link is plain

 private:
  Link(NamespaceThread& lab, NamespaceThread& host, const Place& place, std::uint64_t seed);
  Result<> put_wire_in(const LinkQuality& quality);
  Result<> take_wire_out();
  Result<> set_rate(std::uint64_t bits_per_second, std::chrono::nanoseconds queue);

  NamespaceThread& lab_;
  NamespaceThread& host_;
  const Place place_;
  const std::uint64_t seed_;
  LinkQuality quality_;
  std::unique_ptr<Wire> wire_;
  bool cut_ = false;
};

}  // namespace sockswap::lab
