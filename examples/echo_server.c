/* A server that hands single clients to its like on another host, with what it knows of them: it numbers the
 * lines that it echoes, and on "move HOST" the client's next line is numbered by the server on HOST.
 * Started as: sockswap-echo PORT. Talked to with: nc THIS-HOST PORT. */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sockswap/sockswap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 64 };

struct client { /* travels as the state: a plain struct, between hosts of one kind */
  unsigned lines;
  unsigned used;
  char text[1000]; /* the beginning of a line whose end hasn't come yet */
};

static struct pollfd watched[2 + MOST]; /* the daemon, the listener, the clients; fd -1: free */
static struct client clients[2 + MOST];
static sockswap_handle *s;

/* Each line is taken out before it is obeyed: what had been read after it travels with the client. */
static void obey_lines(int i) {
  struct client *c = &clients[i];
  char line[sizeof c->text];
  for (char *end; watched[i].fd >= 0 && (end = memchr(c->text, '\n', c->used)) != NULL;) {
    const unsigned size = (unsigned)(end - c->text) + 1;
    memcpy(line, c->text, size);
    line[size - 1] = '\0';
    c->used -= size;
    memmove(c->text, end + 1, c->used);
    if (strncmp(line, "move ", 5) != 0)
      dprintf(watched[i].fd, "%u: %s\n", ++c->lines, line);
    else if (sockswap_move(s, &watched[i].fd, 1, line + 5, "echo", c, sizeof *c, NULL, NULL) == 0)
      watched[i].fd = -1; /* it lives on the other host now; the library has closed our descriptor */
    else
      dprintf(watched[i].fd, "still here: %s\n", sockswap_error_text(s));
  }
}

static void welcome(int fd, const struct client *known) {
  int i = 2;
  while (i < 2 + MOST && watched[i].fd >= 0) ++i;
  if (i < 2 + MOST && known->used <= sizeof known->text) {
    watched[i].fd = fd;
    clients[i] = *known;
    obey_lines(i); /* those that were read, but not obeyed, on the other host */
  } else {
    close(fd); /* full, or not a state of ours */
  }
}

static void serve(int i) {
  struct client *c = &clients[i];
  const ssize_t got = read(watched[i].fd, c->text + c->used, sizeof c->text - c->used);
  if (got > 0) {
    c->used += (unsigned)got;
    obey_lines(i);
  } else { /* gone, or its line is too long */
    close(watched[i].fd);
    watched[i].fd = -1;
  }
}

static int take_arrivals(void) {
  sockswap_event *event;
  int result;
  while ((result = sockswap_next(s, 0, &event)) == 1) {
    size_t size;
    const void *state = sockswap_event_state(event, &size);
    if (size == sizeof(struct client)) welcome(sockswap_event_take_fd(event, 0), state);
    sockswap_event_free(event);
  }
  return result;
}

int main(int argc, char **argv) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(argc > 1 ? (in_port_t)atoi(argv[1]) : 7007)};
  const int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  signal(SIGPIPE, SIG_IGN);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, 16) != 0)
    return perror("sockswap-echo"), EXIT_FAILURE;
  if (sockswap_open(NULL, &s) != 0 || sockswap_register(s, "echo", 0) != 0)
    return fprintf(stderr, "sockswap-echo: %s\n", sockswap_error_text(s)), EXIT_FAILURE;
  for (int i = 0; i < 2 + MOST; ++i) watched[i] = (struct pollfd){.fd = -1, .events = POLLIN};
  watched[0].fd = sockswap_fd(s);
  watched[1].fd = listener;
  while (poll(watched, 2 + MOST, -1) > 0) {
    if (watched[0].revents && take_arrivals() < 0) break;
    if (watched[1].revents) welcome(accept(listener, NULL, NULL), &(struct client){0});
    for (int i = 2; i < 2 + MOST; ++i)
      if (watched[i].revents) serve(i);
  }
  return fprintf(stderr, "sockswap-echo: %s\n", sockswap_error_text(s)), EXIT_FAILURE;
}
