#include "lab/hostile/forged_move.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <stdexcept>

#include "move/images.h"
#include "socket/reconcile.h"
#include "wire/endpoints.h"

namespace sockswap::test {
namespace {

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<Value>) return *std::move(result);
}

template <class Query>
Endpoint endpoint_of(const Fd& socket, Query query) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (query(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the moving end isn't connected");
  return must(Endpoint::from_sockaddr(address));
}

}  // namespace

ForgedMove::ForgedMove(Mallory& mallory, const Fd& moving, Parties parties)
    : mallory_(mallory),
      moving_(moving),
      parties_(std::move(parties)),
      tuple_{endpoint_of(moving, ::getsockname), endpoint_of(moving, ::getpeername)} {
  if (::getrandom(id_.octets.data(), id_.octets.size(), 0) != static_cast<ssize_t>(id_.octets.size()))
    throw std::runtime_error("getrandom");
}

wire::Message ForgedMove::message() const {
  wire::Message out;
  out.set_move_id(id_.bytes());
  return out;
}

Saying ForgedMove::honest(Step step) const {
  Saying out{.to = parties_.peer, .message = message()};
  switch (step) {
    case Step::offer: {
      out.to = parties_.destination;
      wire::Offer& offer = *out.message.mutable_offer();
      offer.set_receiver(parties_.receiver);
      wire::Offer::End& end = *offer.add_ends();
      wire::to_message(tuple_, *end.mutable_tuple());
      end.set_family(4);
      end.set_peer(parties_.peer);
      wire::to_message(tuple_.remote, *end.mutable_remote());
      return out;
    }
    case Step::find: {
      wire::Find& find = *out.message.mutable_find();
      find.set_destination(parties_.destination);
      wire::to_message(tuple_.flipped(), *find.add_ends()->mutable_tuple());
      return out;
    }
    case Step::hold: {
      wire::Hold& hold = *out.message.mutable_hold();
      hold.set_arbiter(parties_.peer);
      wire::Hold::End& end = *hold.add_ends();
      move::to_message(position_, *end.mutable_moving());
      wire::to_message(tuple_.remote, *end.mutable_new_local());
      if (!accepted_.locals().empty()) *end.mutable_new_remote() = accepted_.locals(0);
      out.attachments = {in_flight_};
      return out;
    }
    case Step::deliver:
      out.to = parties_.destination;
      move::to_message(image_, *out.message.mutable_deliver()->add_images());
      out.attachments = {image_.received, image_.unsent, {}};
      return out;
    case Step::swap: out.message.mutable_swap(); return out;
    case Step::forget: out.message.mutable_forget(); return out;
  }
  return out;
}

void ForgedMove::say(Saying saying) {
  if (forge) forge(saying.message, saying.attachments);
  mallory_.say(saying);
  said_.push_back(std::move(saying));
}

std::optional<ForgedMove::Refusal> ForgedMove::await(const std::string& from, wire::Message::BodyCase what) {
  for (;;) {
    const auto heard = mallory_.hear(from);
    if (!heard) throw std::runtime_error(from + " doesn't answer");
    if (heard->move_id() != id_.bytes()) continue;
    if (heard->has_refuse())
      return Refusal{heard->refuse().by(), heard->refuse().error().code(), heard->refuse().error().message()};
    if (heard->body_case() != what) continue;
    if (heard->has_accept()) accepted_ = heard->accept();
    return std::nullopt;
  }
}

void ForgedMove::freeze() {
  frozen_ = must(socket::FrozenEnd::freeze(socket::real_kernel(), moving_.duplicate()));
  image_ = must(frozen_->capture());
  position_ = image_.position;
  in_flight_ = socket::take_in_flight(image_);
}

// Up to the swap: all that can be refused.
std::optional<ForgedMove::Refusal> ForgedMove::prepare() {
  const auto step = [&](Step which, wire::Message::BodyCase answer) {
    before(which);
    Saying saying = honest(which);
    const std::string to = saying.to;
    say(std::move(saying));
    return await(to, answer);
  };
  if (auto refusal = step(Step::offer, wire::Message::kAccept)) return refusal;
  if (auto refusal = step(Step::find, wire::Message::kFound)) return refusal;
  freeze();
  if (auto refusal = step(Step::hold, wire::Message::kHeld)) return refusal;
  return step(Step::deliver, wire::Message::kReady);
}

std::optional<ForgedMove::Refusal> ForgedMove::run() {
  if (auto refusal = prepare()) {
    undo();
    return refusal;
  }
  before(Step::swap);
  say(honest(Step::swap));
  if (auto refusal = await(parties_.peer, wire::Message::kSwapped)) return refusal;
  if (auto refusal = await(parties_.destination, wire::Message::kActivated)) return refusal;
  must(frozen_->release());
  frozen_.reset();
  before(Step::forget);
  for (const std::string& party : {parties_.peer, parties_.destination}) {
    Saying forget = honest(Step::forget);
    forget.to = party;
    say(std::move(forget));
  }
  return std::nullopt;
}

void ForgedMove::undo() {
  if (frozen_) must(frozen_->thaw());
  frozen_.reset();
  for (const std::string& party : {parties_.peer, parties_.destination}) {
    Saying undo{.to = party, .message = message()};
    undo.message.mutable_undo();
    mallory_.say(undo);
    mallory_.hear_out(party);
  }
}

}  // namespace sockswap::test
