#include "socket/mark.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <span>
#include <vector>

namespace sockswap::socket {
namespace {

using Instructions = std::vector<sock_filter>;

constexpr sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
constexpr sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
constexpr std::array<std::uint32_t, 2> magic{0x736f636b, 0x73776170};  // "sockswap"
constexpr std::size_t behind_the_text = 1 + magic.size() + 1;          // its length, the magic, [ret 0]

bool operator==(const sock_filter& one, const sock_filter& other) {
  return one.code == other.code && one.jt == other.jt && one.jf == other.jf && one.k == other.k;
}
sock_filter constant(std::uint32_t value) { return BPF_STMT(BPF_LD | BPF_IMM, value); }
bool is_constant(const sock_filter& instruction) { return instruction == constant(instruction.k); }

Instructions as_instructions(ByteView bytes) {
  Instructions out(bytes.size() / sizeof(sock_filter));
  // Of nothing both pointers may be null, which memcpy() isn't to be given.
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(sock_filter));
  return out;
}
Bytes as_bytes(std::span<const sock_filter> instructions) {
  const ByteView view = std::as_bytes(instructions);
  return {view.begin(), view.end()};
}

// ---- the text ----

void put(Bytes& text, std::unsigned_integral auto number) {
  for (int shift = 8 * (sizeof number - 1); shift >= 0; shift -= 8)
    text.push_back(static_cast<std::byte>(number >> shift));
}
void put(Bytes& text, const Endpoint& endpoint) {
  const ByteView address = endpoint.address.bytes();
  put(text, static_cast<std::uint8_t>(address.size()));
  append(text, address);
  put(text, endpoint.port);
}

Bytes describe(const Mark& mark) {
  Bytes text;
  put(text, static_cast<std::uint8_t>(mark.gate));
  put(text, static_cast<std::uint32_t>(mark.freezer));
  put(text, static_cast<std::uint16_t>(mark.own.size() / sizeof(sock_filter)));
  put(text, static_cast<std::uint8_t>(mark.whole ? mark.whole->family : AF_UNSPEC));
  if (mark.whole) {
    put(text, mark.whole->tuple.local);
    put(text, mark.whole->tuple.remote);
  }
  for (const Option& option : mark.asleep) {
    put(text, static_cast<std::uint16_t>(option.level));
    put(text, static_cast<std::uint16_t>(option.name));
    put(text, static_cast<std::uint8_t>(option.value.size()));
    append(text, option.value);
  }
  return text;
}

// Reads a text from its front; what isn't there any more is nothing.
class Reader {
 public:
  explicit Reader(ByteView text) : left_(text) {}

  bool at_end() const { return left_.empty(); }
  std::optional<ByteView> bytes(std::size_t size) {
    if (left_.size() < size) return std::nullopt;
    const ByteView front = left_.first(size);
    left_ = left_.subspan(size);
    return front;
  }
  template <std::unsigned_integral Number>
  std::optional<Number> number() {
    const auto front = bytes(sizeof(Number));
    if (!front) return std::nullopt;
    std::uint64_t out = 0;
    for (const std::byte byte : *front) out = out << 8 | std::to_integer<std::uint64_t>(byte);
    return static_cast<Number>(out);
  }
  std::optional<Endpoint> endpoint() {
    const auto size = number<std::uint8_t>();
    const auto address = size ? bytes(*size) : std::nullopt;
    const auto port = number<std::uint16_t>();
    if (!address || !port) return std::nullopt;
    auto parsed = Address::from_bytes(*address);
    if (!parsed) return std::nullopt;
    return Endpoint{*parsed, *port};
  }
  std::optional<Option> option() {
    const auto level = number<std::uint16_t>(), name = number<std::uint16_t>();
    const auto size = number<std::uint8_t>();
    const auto value = size ? bytes(*size) : std::nullopt;
    if (!level || !name || !value) return std::nullopt;
    return Option{*level, *name, Bytes(value->begin(), value->end())};
  }

 private:
  ByteView left_;
};

struct Parsed {
  Mark mark;
  std::size_t own = 0;  // instructions
};

std::optional<Parsed> parse(ByteView text) {
  Reader reader(text);
  Parsed out;
  const auto gate = reader.number<std::uint8_t>();
  const auto freezer = reader.number<std::uint32_t>();
  const auto own = reader.number<std::uint16_t>();
  const auto family = reader.number<std::uint8_t>();
  if (!gate || *gate > static_cast<std::uint8_t>(Gate::open) || !freezer || !own || !family)
    return std::nullopt;
  out.mark.gate = static_cast<Gate>(*gate);
  out.mark.freezer = static_cast<pid_t>(*freezer);
  out.own = *own;
  if (*family != AF_UNSPEC) {
    const auto local = reader.endpoint(), remote = reader.endpoint();
    if (!local || !remote) return std::nullopt;
    out.mark.whole = Identity{{*local, *remote}, *family};
  }
  while (!reader.at_end()) {
    auto option = reader.option();
    if (!option) return std::nullopt;
    out.mark.asleep.push_back(*std::move(option));
  }
  // Whoever forges a mark gets no option that its program may not set.
  if (!check_options(out.mark.asleep) || !std::ranges::all_of(out.mark.asleep, sleeps)) return std::nullopt;
  return out;
}

}  // namespace

Bytes to_instructions(const Mark& mark) {
  Instructions out;
  if (mark.gate == Gate::cut_off) out.push_back(none);
  const Instructions own = as_instructions(mark.own);
  out.insert(out.end(), own.begin(), own.end());
  if (mark.gate == Gate::open && own.empty()) out.push_back(all);
  Bytes text = describe(mark);
  const auto length = static_cast<std::uint32_t>(text.size());
  text.resize((text.size() + 3) / 4 * 4, std::byte{0});
  Reader words(text);
  while (const auto word = words.number<std::uint32_t>()) out.push_back(constant(*word));
  out.push_back(constant(length));
  for (const std::uint32_t word : magic) out.push_back(constant(word));
  out.push_back(none);
  return as_bytes(out);
}

std::optional<Mark> read_mark(ByteView instructions) {
  const Instructions all_of_it = as_instructions(instructions);
  const std::span<const sock_filter> filter(all_of_it);
  if (filter.size() < behind_the_text || !(filter.back() == none)) return std::nullopt;
  const auto tail = filter.last(behind_the_text);
  if (!(tail[1] == constant(magic[0])) || !(tail[2] == constant(magic[1])) || !is_constant(tail[0]))
    return std::nullopt;
  const std::size_t length = tail[0].k, words = length / 4 + (length % 4 != 0);
  const auto before = filter.first(filter.size() - behind_the_text);
  if (words > before.size()) return std::nullopt;
  Bytes text;
  for (const sock_filter& word : before.last(words)) {
    if (!is_constant(word)) return std::nullopt;
    put(text, word.k);
  }
  text.resize(length);
  auto parsed = parse(text);
  if (!parsed) return std::nullopt;
  const auto front = before.first(before.size() - words);
  const bool one_of_ours = parsed->mark.gate == Gate::cut_off || parsed->own == 0;
  if (front.size() != parsed->own + (one_of_ours ? 1 : 0)) return std::nullopt;
  parsed->mark.own = as_bytes(front.last(parsed->own));
  return std::move(parsed->mark);
}

}  // namespace sockswap::socket
