/* The header is C. */
#include <sockswap/sockswap.h>

int header_is_c(void);
int header_is_c(void) { return SOCKSWAP_VERSION_MAJOR; }
