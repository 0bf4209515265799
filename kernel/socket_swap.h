/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR Apache-2.0 */
/*
 * socket_swap(2): another place for the other end of an established TCP connection, in one call.
 *
 * What a kernel and a program have to agree on. The number is far above the table's end: this is no call of
 * Linux, and lower ones mean something else on a newer kernel.
 */
#ifndef SOCKET_SWAP_H
#define SOCKET_SWAP_H

#include <linux/types.h>

#define NR_SOCKET_SWAP 1000

/* Change nothing; only say where the connection stands. */
#define SOCKET_SWAP_LOOK 1

struct socket_swap {
	__u8  remote[28];	/* where the other end is from now on: a sockaddr_in or sockaddr_in6 */
	__u32 other_snd_una;	/* where the other end stands: the last byte it knows to have arrived here, */
	__u32 other_snd_nxt;	/* the last it has sent, */
	__u32 other_rcv_nxt;	/* and the last it has received; the first of each not yet so */
	__u64 in_flight;	/* address of what it has sent and may not have arrived: */
	__u32 in_flight_size;	/* all of [other_snd_una, other_snd_nxt), or 0 if it sends that again */
	__u32 reserved;		/* 0 */
	/* filled in: */
	__u32 snd_una, snd_nxt, write_seq, rcv_nxt;
};

/*
 * long socket_swap(int fd, struct socket_swap *swap, size_t size, unsigned int flags)
 *
 * The socket's local address and port stay. The sequence numbers go on, unread and unsent bytes stay, what the
 * other end hasn't received is sent again at once, over the new route; what it had in flight is put behind what
 * has been received. A program that waits for the socket goes on waiting. No segment leaves for the old place.
 *
 * Returns 0, or
 *   EPERM          no CAP_NET_ADMIN over the socket's network
 *   EINVAL         size, flags, reserved; remote isn't of the connection's family
 *   ENOTCONN       it isn't established
 *   EOPNOTSUPP     not TCP; with an upper-layer protocol, an MD5 key, source routing; MPTCP
 *   EBADE          the two can't be ends of one connection: what one has received the other hasn't sent
 *   EADDRINUSE     there is a connection to that place already
 *   ENETUNREACH …  there is no route
 *   ENOMEM         no room for what was in flight
 * and then nothing has changed (but what was in flight may have been received: it would have been sent again).
 */

#endif
