#include "lab/hostile/mallory.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>

namespace sockswap::test {
namespace {

// Of no move: whoever is asked of a part in it says that there is none.
std::string id_of_question() {
  static std::uint32_t questions = 0;
  return fmt::format("question{:08x}", questions++);
}

}  // namespace

Mallory::Mallory(lab::Host& home) : home_(home) {
  // OpenSSL's own socket BIO may raise it.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  auto identity = home_.inside([] { return cluster::load_identity("/etc/sockswap"); });
  if (!identity) throw std::runtime_error(identity.error().text());
  identity_ = *std::move(identity);
}

void Mallory::dial(const lab::Host& victim) {
  mesh::RawPeer peer = home_.inside([&] { return mesh::RawPeer::connect({victim.v4(), 7337}); });
  if (!peer.secure_as_client({.identity = &identity_})) throw std::runtime_error("no session");
  peer.send(mesh::RawPeer::hello(name()));
  const auto hello = peer.receive_within(patience);
  if (!hello || !hello->has_hello()) throw std::runtime_error(victim.name() + " says no Hello");
  sessions_.erase(victim.name());
  sessions_.emplace(victim.name(), std::move(peer));
}

void Mallory::say(const Saying& saying) {
  const std::vector<ByteView> views(saying.attachments.begin(), saying.attachments.end());
  sessions_.at(saying.to).send(saying.message, views);
}

std::optional<wire::Message> Mallory::hear(const std::string& from, std::chrono::milliseconds within) {
  return sessions_.at(from).receive_within(within);
}

wire::Message Mallory::await(const std::string& from, std::initializer_list<wire::Message::BodyCase> any_of) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    auto heard = hear(from);
    if (!heard) break;
    if (std::ranges::count(any_of, heard->body_case()) != 0) return *std::move(heard);
  }
  throw std::runtime_error(from + " doesn't say what was awaited");
}

std::vector<wire::Message> Mallory::hear_out(const std::string& from) {
  wire::Message question;
  question.set_move_id(id_of_question());
  question.mutable_ask()->set_of(wire::PEER);
  say({from, question});
  std::vector<wire::Message> heard;
  for (;;) {
    auto message = hear(from);
    if (!message) throw std::runtime_error(from + " doesn't answer");
    if (message->has_unknown() && message->move_id() == question.move_id()) return heard;
    heard.push_back(*std::move(message));
  }
}

void Mallory::hear_all_out() {
  for (const auto& [name, session] : sessions_) hear_out(name);
}

}  // namespace sockswap::test
