/*
 * The floor: a WebSocket relay in C on epoll that does one write() per message and client, and nothing else. It knows the
 * generator: text frames below 64 KiB whose mask is zero, and one key of the upgrade.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CLIENTS_MAX = 65536, IN_MAX = 1 << 17, EVENTS_MAX = 512, TEXT = 0x81 };

static const char ACCEPT[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct client {
  int is_open;
  size_t length;
  unsigned char *in;
};

static struct client clients[CLIENTS_MAX];
static int open_fds[CLIENTS_MAX], open_count;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Sockets block, so that a write is whole or the client is gone. */
static void write_all(int fd, const unsigned char *data, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, data, length);
    if (written <= 0) return;
    data += written;
    length -= (size_t)written;
  }
}

static void relay(const unsigned char *payload, size_t length) {
  static unsigned char frame[IN_MAX];
  size_t header = length < 126 ? 2 : 4;
  frame[0] = TEXT;
  frame[1] = length < 126 ? (unsigned char)length : 126;
  if (length >= 126) {
    frame[2] = (unsigned char)(length >> 8);
    frame[3] = (unsigned char)length;
  }
  memcpy(frame + header, payload, length);
  for (int index = 0; index < open_count; index++) write_all(open_fds[index], frame, header + length);
}

/* Answers how many bytes were a whole frame; 0: wait for more. */
static size_t take_frame(const unsigned char *in, size_t length) {
  if (length < 6) return 0;
  size_t size = in[1] & 0x7f, header = 6;
  if (size == 126) {
    header = 8;
    if (length < header) return 0;
    size = (size_t)in[2] << 8 | in[3];
  }
  if (length < header + size) return 0;
  if (in[0] == TEXT) relay(in + header, size);
  return header + size;
}

static size_t take_upgrade(int fd, const unsigned char *in, size_t length) {
  const unsigned char *end = memmem(in, length, "\r\n\r\n", 4);
  if (!end) return 0;
  write_all(fd, (const unsigned char *)ACCEPT, sizeof ACCEPT - 1);
  clients[fd].is_open = 1;
  open_fds[open_count++] = fd;
  return (size_t)(end - in) + 4;
}

static void drop(int fd) {
  for (int index = 0; index < open_count; index++)
    if (open_fds[index] == fd) open_fds[index] = open_fds[--open_count];
  free(clients[fd].in);
  memset(&clients[fd], 0, sizeof clients[fd]);
  close(fd);
}

static void read_from(int fd) {
  struct client *client = &clients[fd];
  ssize_t got = read(fd, client->in + client->length, IN_MAX - client->length);
  if (got <= 0) return drop(fd);
  client->length += (size_t)got;
  size_t at = 0, taken;
  do {
    const unsigned char *rest = client->in + at;
    size_t left = client->length - at;
    taken = client->is_open ? take_frame(rest, left) : take_upgrade(fd, rest, left);
    at += taken;
  } while (taken > 0);
  client->length -= at;
  memmove(client->in, client->in + at, client->length);
}

static void accept_from(int listener, int poll) {
  int fd = accept(listener, NULL, NULL), on = 1;
  if (fd < 0 || fd >= CLIENTS_MAX) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  clients[fd].in = malloc(IN_MAX);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (!clients[fd].in || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) fail("client");
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "0"))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) fail("listen");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS_MAX];
  if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll");
  puts("listening");
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(poll, events, EVENTS_MAX, -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      if (fd == listener) accept_from(listener, poll);
      else read_from(fd);
    }
  }
}
