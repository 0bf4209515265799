/* Built against an installed libsockswap. */
#include <sockswap/sockswap.h>
#include <stdio.h>

int main(void) {
  struct sockswap_options options = {sizeof options, "/nonexistent/control.sock"};
  sockswap_handle* s;
  const int result = sockswap_open(&options, &s);
  puts(sockswap_error_name(result));
  sockswap_close(s);
  return result == -SOCKSWAP_NO_DAEMON ? 0 : 1;
}
