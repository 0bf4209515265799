// Writes the seeds that are no text, DIR/TARGET/NAME: one good specimen of each kind of message, for the
// targets to start from. The first bytes of each are what the target takes for itself.
//
//   fuzz_seeds DIR
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cluster/authority.h"
#include "cluster/identity.h"
#include "input.h"
#include "keeper_ports.h"
#include "move/images.h"
#include "wire/control.pb.h"
#include "wire/encoder.h"
#include "wire/endpoints.h"
#include "wire/errors.h"
#include "wire/keeper.pb.h"
#include "wire/session.pb.h"

namespace sockswap::fuzz {
namespace {

class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const std::string& name, std::string_view own, ByteView content) {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream file(folder_ / target / name, std::ios::binary);
    file << own << text_of(content);
    require(file.flush().good(), "a seed");
  }

 private:
  std::filesystem::path folder_;
};

const FourTuple v4 = FourTuple::parse("10.0.0.1:80-10.0.0.2:5000").value();
const FourTuple v6 = FourTuple::parse("[fd00::1]:80-[fd00::2]:5000").value();
const Error refusal{.code = ErrorCode::busy, .message = "it is busy", .hint = "later", .sys_errno = 0};

socket::Image image(const FourTuple& tuple) {
  socket::Image out;
  out.tuple = tuple;
  out.family = tuple.local.address.is_v4() ? AF_INET : AF_INET6;
  out.received = Bytes(3, std::byte{'r'});
  out.unsent = Bytes(2, std::byte{'u'});
  out.position = {.snd_una = socket::Sequence(1000),
                  .snd_nxt = socket::Sequence(1000),
                  .write_end = socket::Sequence(1002),
                  .rcv_nxt = socket::Sequence(2000)};
  out.negotiated = {.mss_clamp = 1460,
                    .sack = true,
                    .timestamps = true,
                    .window_scaling = true,
                    .snd_wscale = 7,
                    .rcv_wscale = 7};
  out.window = {.snd_wl1 = socket::Sequence(2000),
                .snd_wnd = 65536,
                .max_window = 65536,
                .rcv_wnd = 65536,
                .rcv_wup = socket::Sequence(2000)};
  out.buffers = {.send = 87040, .receive = 131072, .locks = 1};
  const int on = 1;
  out.options.push_back(
      {IPPROTO_TCP, 1,
       Bytes(reinterpret_cast<const std::byte*>(&on), reinterpret_cast<const std::byte*>(&on + 1))});
  return out;
}

Bytes parcel(const google::protobuf::MessageLite& message, const std::vector<Bytes>& attachments = {},
             std::uint8_t descriptors = 0) {
  Bytes out;
  wire::encode(out, message.SerializeAsString(),
               std::vector<ByteView>(attachments.begin(), attachments.end()), descriptors);
  return out;
}

void add_frames(Seeds& seeds) {
  const std::string whole("\xff\0", 2), small("\0\1", 2);
  Bytes two = parcel(wire::Request{});
  append(two, parcel(wire::Request{}, {bytes_of("state"), {}, bytes_of("x")}, 2));
  seeds.add("parcel", "two", whole, two);
  seeds.add("parcel", "two-small", small, two);
}

void add_images(Seeds& seeds) {
  for (const auto& [name, tuple] : {std::pair("v4", v4), std::pair("v6", v6)}) {
    const socket::Image specimen = image(tuple);
    wire::Image message;
    move::to_message(specimen, message);
    // Flags, received, unsent, in flight, the other end's position.
    std::string own("\1\3rrr\2uu\2ss", 11);
    for (const char last : {'\xe6', '\xe8', '\xe8', '\xe8'}) own += std::string("\0\0\3", 3) + last;
    seeds.add("image", name, own, bytes_of(message.SerializeAsString()));
  }
}

void add_session(Seeds& seeds) {
  const auto add = [&](const std::string& name, const auto& fill,
                       const std::vector<Bytes>& attachments = {}) {
    wire::Message message;
    message.set_move_id(std::string(16, 'm'));
    fill(message);
    seeds.add("session", name, std::string(1, '\0'), parcel(message, attachments));
  };
  const auto lost = [](auto& message) {
    message.add_lost()->set_index(1);
    wire::to_message(refusal, *message.mutable_lost(0)->mutable_error());
  };
  add("hello", [](auto& m) { m.mutable_hello()->set_host("alpha"); });
  add("goodbye", [](auto& m) { wire::to_message(refusal, *m.mutable_goodbye()->mutable_error()); });
  add("offer", [](auto& m) {
    m.mutable_offer()->set_receiver("sink");
    auto& end = *m.mutable_offer()->add_ends();
    wire::to_message(v4, *end.mutable_tuple());
    wire::to_message(v4.remote, *end.mutable_remote());
    end.set_family(4);
    end.set_peer("beta");
  });
  add("accept", [](auto& m) { wire::to_message(v6.local, *m.mutable_accept()->add_locals()); });
  add("find", [](auto& m) { wire::to_message(v6, *m.mutable_find()->add_ends()->mutable_tuple()); });
  add("hold",
      [](auto& m) {
        auto& end = *m.mutable_hold()->add_ends();
        move::to_message(image(v4).position, *end.mutable_moving());
        wire::to_message(v4.local, *end.mutable_new_local());
        wire::to_message(v4.remote, *end.mutable_new_remote());
      },
      {bytes_of("in flight")});
  add("held", [](auto& m) {
    move::to_message(image(v4).position, *m.mutable_held()->add_ends()->mutable_staying());
  });
  add("deliver", [](auto& m) { move::to_message(image(v4), *m.mutable_deliver()->add_images()); },
      {image(v4).received, image(v4).unsent, bytes_of("state")});
  add("swap", [](auto& m) { m.mutable_swap(); });
  add("swapped", [&](auto& m) { lost(*m.mutable_swapped()); });
  add("activate", [&](auto& m) { lost(*m.mutable_activate()); });
  add("activated", [&](auto& m) { lost(*m.mutable_activated()); });
  add("undo", [](auto& m) { wire::to_message(refusal, *m.mutable_undo()->mutable_reason()); });
  add("refuse", [](auto& m) { wire::to_message(refusal, *m.mutable_refuse()->mutable_error()); });
  add("fetch", [](auto& m) { m.mutable_fetch()->set_ticket(std::string(32, 'a')); });
}

void add_control(Seeds& seeds) {
  const auto add = [&](const std::string& name, const auto& fill, char fds = 0,
                       const std::vector<Bytes>& attachments = {}) {
    wire::Request request;
    request.set_number(1);
    fill(request);
    const auto descriptors = static_cast<std::uint8_t>(__builtin_popcount(static_cast<unsigned>(fds)));
    seeds.add("control", name, std::string("\0\0", 2) + fds, parcel(request, attachments, descriptors));
  };
  add("register", [](auto& m) { m.mutable_register_()->set_receiver("sink"); });
  add("move", [](auto& m) { m.mutable_move()->set_to("beta"); }, 1, {bytes_of("state")});
  add("park", [](auto& m) { m.mutable_park(); }, 5, {bytes_of("state")});
  add("have-moved", [](auto& m) { m.mutable_have_moved()->set_ticket("alpha/" + std::string(32, 'a')); });
  add("declined", [](auto& m) { m.mutable_declined()->set_number(1); });
  add("list-hosts", [](auto& m) { m.mutable_list_hosts(); });
  add("list-connections", [](auto& m) { m.mutable_list_connections(); });
  add("list-moves", [](auto& m) { m.mutable_list_moves(); });
  add("move-connection", [](auto& m) {
    wire::to_message(v4, *m.mutable_move_connection()->mutable_tuple());
    m.mutable_move_connection()->set_to("beta");
  });
}

void add_replies(Seeds& seeds) {
  const auto add = [&](const std::string& name, char question, const auto& fill, std::uint8_t fds = 0) {
    wire::Reply reply;
    reply.set_number(1);
    fill(reply);
    const std::string own{question, static_cast<char>(fds)};
    seeds.add("reply", name, own, parcel(reply, {}, fds));
  };
  add("done", 0, [](auto& m) { m.mutable_done(); });
  add("failed", 0, [](auto& m) { wire::to_message(refusal, *m.mutable_failed()->mutable_error()); });
  add("progress", 1, [](auto& m) { m.mutable_progress()->mutable_step()->set_name("offer"); });
  add("moved", 1, [](auto& m) { m.mutable_moved()->add_steps()->set_name("swap"); });
  add("hosts", 2, [](auto& m) {
    m.mutable_hosts()->add_hosts()->set_name("alpha");
    m.mutable_hosts()->mutable_hosts(0)->add_addresses(std::string(text_of(v4.local.address.bytes())));
  });
  add("connections", 3, [](auto& m) {
    auto& connection = *m.mutable_connections()->add_connections();
    wire::to_message(v4, *connection.mutable_tuple());
    connection.add_processes()->set_command("sh");
  });
  add("moves", 4, [](auto& m) {
    auto& record = *m.mutable_moves()->add_moves();
    record.set_move_id(std::string(16, 'm'));
    wire::to_message(v6, *record.add_ends());
    wire::to_message(refusal, *record.mutable_error());
  });
  add("parked", 5, [](auto& m) { m.mutable_parked()->set_ticket("alpha/" + std::string(32, 'a')); });
  add(
      "arrival", 7,
      [](auto& m) {
        for (int i = 0; i < 2; ++i) {
          auto& end = *m.mutable_arrival()->add_ends();
          wire::to_message(v4, *end.mutable_tuple());
          wire::to_message(v4.local, *end.mutable_former_local());
        }
      },
      2);
  add("hand-over", 7, [](auto& m) { wire::to_message(v4, *m.mutable_hand_over()->mutable_tuple()); });
}

// Whole conversations: a request alone is refused, as a rule.
class KeeperSeeds {
 public:
  explicit KeeperSeeds(Seeds& seeds) : seeds_(seeds) {}

  // What a request is preceded by: see keeper.cpp. `how`: 1: with the end of the connection; 8: as Frozen
  // has said.
  template <class Fill>
  KeeperSeeds& ask(Fill fill, char how = 0, const std::vector<Bytes>& attachments = {}) {
    wire::keeper::Request request;
    request.set_move_id(std::string(16, 'm'));
    fill(request);
    said_ += how;
    said_ += static_cast<char>(attachments.size());
    for (const Bytes& attachment : attachments) {
      add_u16(attachment.size());
      said_ += text_of(attachment);
    }
    const std::string bytes = request.SerializeAsString();
    add_u16(bytes.size());
    said_ += bytes;
    return *this;
  }
  void end(const std::string& name) {
    seeds_.add("keeper", name, "\1", bytes_of(said_));
    said_.clear();
  }

 private:
  void add_u16(std::size_t value) {
    said_ += static_cast<char>(value >> 8);
    said_ += static_cast<char>(value);
  }
  Seeds& seeds_;
  std::string said_;
};

void add_keeper(Seeds& seeds) {
  const Address here = Address::parse("127.0.0.1").value();
  const FourTuple ours{{here, our_port}, {here, program_port}};
  const auto find = [&](auto& m) {
    wire::to_message(ours.flipped(), *m.mutable_find()->add_ends()->mutable_tuple());
  };
  const auto freeze = [](auto& m) { m.mutable_freeze_moving()->set_most_bytes(1 << 20); };
  const auto reserve = [&](auto& m) {
    auto& end = *m.mutable_reserve()->add_ends();
    wire::to_message(ours, *end.mutable_former());
    wire::to_message(ours.local, *end.mutable_wanted());
    wire::to_message(ours.remote, *end.mutable_remote());
    end.set_family(4);
  };
  const auto rebuild = [&](auto& m) { move::to_message(image(ours), *m.mutable_rebuild()->add_images()); };
  const auto hold = [&](auto& m) {
    auto& end = *m.mutable_hold()->add_ends();
    move::to_message(image(ours).position, *end.mutable_moving());
    wire::to_message(ours.remote, *end.mutable_new_local());
    wire::to_message(Endpoint{here, 7003}, *end.mutable_new_remote());
    m.mutable_hold()->set_arbiter(true);
  };
  const auto swap = [](auto& m) { m.mutable_swap(); };
  const auto store = [](auto& m) { m.mutable_store()->set_key("key"); };
  KeeperSeeds keeper(seeds);
  keeper.ask(freeze, 1).ask([](auto& m) { m.mutable_thaw_moving(); }).end("freeze-thaw");
  keeper.ask(freeze, 1).ask(freeze).ask([](auto& m) { m.mutable_release_moving(); }).end("freeze-release");
  keeper.ask([](auto& m) { m.mutable_check_moving(); }, 1).end("check");
  keeper.ask([&](auto& m) { wire::to_message(ours, *m.mutable_check_moving()->add_connections()); })
      .end("check-named");
  keeper.ask(freeze, 1)
      .ask(reserve)
      .ask(rebuild, 8, {image(ours).received, image(ours).unsent})
      .ask([](auto& m) { m.mutable_let_go()->set_owner(0); })
      .ask([](auto& m) { m.mutable_handed_over(); })
      .end("arrive");
  keeper.ask(reserve).ask([](auto& m) { m.mutable_drop(); }).end("reserve-drop");
  keeper.ask(find)
      .ask(freeze, 1)
      .ask(hold, 8, {{}})
      .ask(swap)
      .ask([](auto& m) { m.mutable_resume(); })
      .ask([](auto& m) { m.mutable_forget(); })
      .end("stay");
  keeper.ask(find).ask([](auto& m) { m.mutable_undo(); }).ask(swap).end("find-undo");
  keeper.ask([](auto& m) { m.mutable_list_connections(); }).end("list-connections");
  keeper.ask([&](auto& m) { wire::to_message(ours, *m.mutable_list_connections()->mutable_tuple()); })
      .end("list-one");
  keeper.ask(store, 1)
      .ask([](auto& m) { m.mutable_take()->set_key("key"); })
      .ask([](auto& m) { m.mutable_list_kept(); })
      .ask([](auto& m) { m.mutable_discard()->set_key("key"); })
      .end("store");
  keeper.ask([](auto& m) { m.mutable_read_hosts(); })
      .ask([](auto& m) { m.mutable_goodbye(); })
      .end("hosts-goodbye");
  wire::keeper::Request request;
  request.set_move_id(std::string(16, 'm'));
  freeze(request);
  seeds.add("keeper", "raw", std::string("\0\1", 2), parcel(request, {}, 1));
}

void add_certificates(Seeds& seeds) {
  const ScratchFolder scratch;
  must(cluster::make_cluster(scratch.path()));
  must(cluster::add_host(scratch.path(),
                         {.name = "alpha", .addresses = {v4.local.address, v6.local.address}}));
  for (const char* file : {"ca.pem", "cert.pem", "key.pem"}) {
    std::ifstream pem(scratch.path() / "alpha" / file);
    const std::string text{std::istreambuf_iterator<char>(pem), {}};
    seeds.add("certificate", file, "\1", bytes_of(text));
  }
  const auto certificate = must(cluster::load_certificate(scratch.path() / "alpha" / "cert.pem"));
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate.get(), &at);
  seeds.add("certificate", "cert.der", std::string(1, '\0'), der);
}

}  // namespace
}  // namespace sockswap::fuzz

int main(int argc, char** argv) {
  using namespace sockswap::fuzz;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIR\n", argv[0]);
    return 2;
  }
  Seeds seeds(argv[1]);
  add_frames(seeds);
  add_images(seeds);
  add_session(seeds);
  add_control(seeds);
  add_replies(seeds);
  add_keeper(seeds);
  add_certificates(seeds);
}
