// Built against an installed libsockswap.
#include <iostream>
#include <sockswap/sockswap.hpp>

int main() try {
  sockswap::Client client("/nonexistent/control.sock");
  return 1;
} catch (const sockswap::Failure& failure) {
  std::cout << failure.name() << "\n";
  return failure.code() == SOCKSWAP_NO_DAEMON ? 0 : 1;
}
