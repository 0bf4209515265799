/* libsockswap: hand live TCP connections to programs on other hosts, and receive them.
 *
 *   the program that gives an end away          the program that takes it, on another host
 *   ----------------------------------          ------------------------------------------
 *   sockswap_open(NULL, &s);                    sockswap_open(NULL, &s);
 *   sockswap_move(s, &fd, 1, "gamma",           sockswap_register(s, "chat", 0);
 *                 "chat", state, n, NULL,       sockswap_next(s, -1, &event);
 *                 NULL);                        -> event: descriptor, addresses, state
 *
 * The program at the other end of the connection notices nothing. Every call speaks to the sockswapd of
 * this host, which has the privilege; a program needs none: the descriptor that it passes is its proof.
 *
 * Conventions. Functions return 0 (or a count) on success and a negative sockswap_error on failure;
 * sockswap_error_text() and sockswap_error_hint() then say more. A failed call changes nothing: the
 * caller's ends go on where they were, byte for byte. Two errors say otherwise: SOCKSWAP_IN_DOUBT (the
 * daemon went away after it was asked; nobody here knows the outcome) and SOCKSWAP_LOST. Descriptors are
 * CLOEXEC. A handle may be used by one thread at a time; different handles are independent. No function
 * raises a signal or exits, and none returns early because of one. After fork() only the parent may use a
 * handle.
 *
 * Structs that begin with their size grow at their end: set `size` to sizeof of the struct you were compiled
 * with and zero what you don't use. Fields that this library doesn't know must be zero (SOCKSWAP_USAGE).
 */
#ifndef SOCKSWAP_SOCKSWAP_H
#define SOCKSWAP_SOCKSWAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sockswap_handle sockswap_handle; /* a connection to this host's daemon */
typedef struct sockswap_event sockswap_event;   /* what it says of its own accord */

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#define SOCKSWAP_VERSION_MAJOR 0
#define SOCKSWAP_VERSION_MINOR 1
#define SOCKSWAP_VERSION_PATCH 0

/* The same numbers everywhere: returned here with a minus sign, on the wire, as exit status of the
 * sockswap command. docs/errors.md explains each. */
enum sockswap_error {
  SOCKSWAP_OK = 0,
  SOCKSWAP_INTERNAL = 1,
  SOCKSWAP_USAGE = 2,
  SOCKSWAP_NO_DAEMON = 3,
  SOCKSWAP_UNKNOWN_HOST = 4,
  SOCKSWAP_UNREACHABLE = 5,
  SOCKSWAP_NO_PEER_DAEMON = 6,
  SOCKSWAP_UNKNOWN_RECEIVER = 7,
  SOCKSWAP_NOT_FOUND = 8,
  SOCKSWAP_NOT_PERMITTED = 9,
  SOCKSWAP_NOT_MOVABLE = 10,
  SOCKSWAP_VERSION_MISMATCH = 11,
  SOCKSWAP_RECEIVER_GONE = 12,
  SOCKSWAP_BUSY = 13,
  SOCKSWAP_TIMED_OUT = 14,
  SOCKSWAP_DISAGREEMENT = 15,
  SOCKSWAP_TOO_LARGE = 16,
  SOCKSWAP_UNSUPPORTED = 17,
  SOCKSWAP_NO_RESOURCES = 18,
  SOCKSWAP_IN_DOUBT = 19,
  SOCKSWAP_LOST = 20
};

struct sockswap_options {
  size_t size;                /* sizeof(struct sockswap_options) */
  const char *control_socket; /* NULL: $SOCKSWAP_CONTROL, else /run/sockswap/control.sock */
};

/* Connects to the daemon. `options` may be NULL. On failure *out is still a handle, good only for
 * sockswap_error_text(), sockswap_error_hint() and sockswap_close(), unless memory ran out (NULL). */
int sockswap_open(const struct sockswap_options *options, sockswap_handle **out);

/* Ends the connection: receivers registered on it are gone, a move under way is undone if
 * it is not committed yet, else driven to its end by the daemon. NULL is allowed. */
void sockswap_close(sockswap_handle *s);

/* The last failure on this handle: one line, and what to do about it ("" if there is nothing to say).
 * Valid until the next call on the handle. */
const char *sockswap_error_text(const sockswap_handle *s);
const char *sockswap_error_hint(const sockswap_handle *s);

/* The name of an error ("unknown-receiver"), with or without its minus sign; never NULL. */
const char *sockswap_error_name(int error);

/* ---- giving ends away ---- */

struct sockswap_move_options {
  size_t size;             /* sizeof(struct sockswap_move_options) */
  unsigned deadline_ms;    /* 0: the daemon's, 10 s; a move that isn't agreed then is undone */
  uint64_t hand_over;      /* of a SOCKSWAP_HAND_OVER event that this answers, else 0 */
  /* Called in the caller's thread as the move goes on; may be NULL. `at_us`: since the move began. It must
   * not use the handle and not throw. */
  void (*progress)(void *context, const char *step, double at_us);
  void *context;
};

struct sockswap_move_result {
  size_t size;           /* sizeof(struct sockswap_move_result), set by the caller */
  uint8_t move_id[16];
  double pause_us;       /* how long the ends stood still */
};

/* Hands over `count` ends in one move: all arrive at `receiver` on `host`, with `state`, or none does.
 * Blocks until it is over. A state of more than 64 KiB goes ahead, before anything stands still. While it runs no thread of this program may use the descriptors. On success
 * they have been closed. On failure they are open and as they were, except with SOCKSWAP_LOST and
 * SOCKSWAP_IN_DOUBT (see docs/errors.md). At most 250 ends and 256 MiB of state in one move.
 * `state` may be NULL with `state_size` 0; `options` and `result` may be NULL. */
int sockswap_move(sockswap_handle *s, const int *fds, size_t count, const char *host, const char *receiver,
                  const void *state, size_t state_size, const struct sockswap_move_options *options,
                  struct sockswap_move_result *result);

/* ---- receiving ends ---- */

/* Flags of sockswap_register(). */
#define SOCKSWAP_HANDS_OVER 1u /* this program answers SOCKSWAP_HAND_OVER events */

/* Be the receiver of that name on this host, for as long as the handle is open. A handle may have several
 * names. A name that somebody has taken gives SOCKSWAP_BUSY. Names: 1 to 64 of [A-Za-z0-9._-]. */
int sockswap_register(sockswap_handle *s, const char *receiver, unsigned flags);

enum sockswap_event_kind {
  SOCKSWAP_ARRIVAL = 1,  /* ends have arrived; the event owns their descriptors until they are taken */
  SOCKSWAP_HAND_OVER = 2 /* an operator wants an end of this program elsewhere */
};

/* Waits for the next event: 1 and *out, or 0 if none came within timeout_ms (-1: for ever; 0: don't wait).
 * For an event loop: poll sockswap_fd() for reading, then call this with 0 until it returns 0. The descriptor
 * is also readable for events that came while another call waited. Don't read from it; it may be readable
 * without there being an event yet. Once the daemon is gone this gives SOCKSWAP_NO_DAEMON, after the events
 * that had come before. */
int sockswap_next(sockswap_handle *s, int timeout_ms, sockswap_event **out);
int sockswap_fd(const sockswap_handle *s);
void sockswap_event_free(sockswap_event *event); /* closes descriptors that were not taken; NULL allowed */

enum sockswap_event_kind sockswap_event_kind_of(const sockswap_event *event);

/* Arrival: its ends, 0 … count-1. */
size_t sockswap_event_count(const sockswap_event *event);
/* Now the caller's, close-on-exec and blocking, as accept4(…, SOCK_CLOEXEC) gives it: O_NONBLOCK doesn't travel.
 * -1 if taken already. */
int sockswap_event_take_fd(sockswap_event *event, size_t index);
/* Addresses as getsockname()/getpeername() would give them; `former_local`: before the move. Any pointer
 * may be NULL. For SOCKSWAP_HAND_OVER, index 0 is the connection that is wanted; there IPv4 is spelled AF_INET
 * even if the program's socket is an AF_INET6 one, and `former_local` is `local`. */
int sockswap_event_addresses(const sockswap_event *event, size_t index, struct sockaddr_storage *local,
                             struct sockaddr_storage *remote, struct sockaddr_storage *former_local);
const void *sockswap_event_state(const sockswap_event *event, size_t *size); /* arrival */
const char *sockswap_event_host(const sockswap_event *event); /* arrival: from; hand-over: to */
const char *sockswap_event_receiver(const sockswap_event *event);  /* hand-over: for whom */
uint64_t sockswap_event_hand_over(const sockswap_event *event);    /* for sockswap_move_options */

/* Answers a hand-over event with no; the operator sees `reason`. */
int sockswap_decline(sockswap_handle *s, const sockswap_event *event, const char *reason);

/* ---- programs that move by other means ("I have moved") ---- */

#define SOCKSWAP_TICKET_SIZE 128

/* Before leaving: leaves the ends, and `state`, with this host's daemon, which keeps them alive. The
 * descriptors are closed on success. `ticket` becomes a NUL-terminated secret that the program takes along. */
int sockswap_park(sockswap_handle *s, const int *fds, size_t count, const void *state, size_t state_size,
                  char ticket[SOCKSWAP_TICKET_SIZE]);

/* After arriving, on any host of the cluster: brings the parked ends here. *out is an arrival event. */
int sockswap_have_moved(sockswap_handle *s, const char *ticket, sockswap_event **out);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
