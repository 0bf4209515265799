// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * socket_swap(2): see socket_swap.h. For Linux 6.1, as net/ipv4/socket_swap.c.
 *
 * An established socket is found by its four-tuple in the ehash table, and sends by its cached route. So it is
 * taken out of the table, gets the other end's new place, and is put in again, with the socket's lock held. A
 * segment that came between would be answered by a RST; but the other end stands still then.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/syscalls.h>
#include <linux/uio.h>
#include <net/inet_hashtables.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/route.h>
#include <net/tcp.h>
#include <uapi/linux/socket_swap.h>

/* The other end's place; v4 also for a v4-mapped socket. */
struct place {
	__be32 v4;
	struct in6_addr v6;
	__be16 port;
};

static bool speaks_v4(const struct sock *sk)
{
	return sk->sk_family == AF_INET ||
	       ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

static int check_socket(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct ip_options_rcu *options;

	if (!ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return -EOPNOTSUPP;
	/* A program may have shut down its side since the other end was frozen: its FIN is sent again, too. */
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1)))
		return -ENOTCONN;
	if (inet_csk_has_ulp(sk) || sk_is_mptcp(sk) || tp->repair)
		return -EOPNOTSUPP;
#ifdef CONFIG_TCP_MD5SIG
	/* Keys go by the other end's address. */
	if (rcu_access_pointer(tp->md5sig_info))
		return -EOPNOTSUPP;
#endif
	options = rcu_dereference_protected(inet_sk(sk)->inet_opt,
					    lockdep_sock_is_held(sk));
	if (speaks_v4(sk) && options && options->opt.srr)
		return -EOPNOTSUPP;
#if IS_ENABLED(CONFIG_IPV6)
	if (!speaks_v4(sk) && rcu_access_pointer(inet6_sk(sk)->opt))
		return -EOPNOTSUPP;
#endif
	return 0;
}

static int read_place(const struct sock *sk, const struct socket_swap *swap,
		      struct place *place)
{
	const struct sockaddr_in6 *in6 = (const void *)swap->remote;
	const struct sockaddr_in *in = (const void *)swap->remote;

	memset(place, 0, sizeof(*place));
	if (in->sin_family == AF_INET && speaks_v4(sk)) {
		place->v4 = in->sin_addr.s_addr;
		place->port = in->sin_port;
		ipv6_addr_set_v4mapped(place->v4, &place->v6);
	} else if (in6->sin6_family == AF_INET6 && sk->sk_family == AF_INET6 &&
		   ipv6_addr_v4mapped(&in6->sin6_addr) == speaks_v4(sk)) {
		place->v6 = in6->sin6_addr;
		place->v4 = in6->sin6_addr.s6_addr32[3];
		place->port = in6->sin6_port;
	} else {
		return -EINVAL;
	}
	return place->port ? 0 : -EINVAL;
}

/* What one end has received must lie in what the other has sent and not yet seen acknowledged. */
static bool agree(const struct tcp_sock *tp, const struct socket_swap *swap)
{
	return between(swap->other_rcv_nxt, tp->snd_una, tp->snd_nxt) &&
	       between(tp->rcv_nxt, swap->other_snd_una, swap->other_snd_nxt);
}

/* The rest of what was in flight. Out of order there was nothing else. */
static int receive_in_flight(struct sock *sk, const struct socket_swap *swap)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 known = tp->rcv_nxt - swap->other_snd_una;
	struct msghdr message = {};
	struct iovec iov;
	int err;

	if (!swap->in_flight_size)
		return 0;
	if (swap->in_flight_size != swap->other_snd_nxt - swap->other_snd_una)
		return -EINVAL;
	if (known == swap->in_flight_size)
		return 0;
	err = import_single_range(ITER_SOURCE,
				  u64_to_user_ptr(swap->in_flight + known),
				  swap->in_flight_size - known, &iov,
				  &message.msg_iter);
	if (err)
		return err;
	skb_rbtree_purge(&tp->out_of_order_queue);
	tp->rx_opt.num_sacks = 0;
	tp->rx_opt.dsack = 0;
	while (msg_data_left(&message)) {
		int took = tcp_send_rcvq(sk, &message, msg_data_left(&message));

		if (took < 0)
			return took;
	}
	sk->sk_data_ready(sk);
	return 0;
}

static struct dst_entry *route_v4(struct sock *sk, const struct place *place,
				  struct flowi4 *flow)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct rtable *route;

	route = ip_route_output_ports(sock_net(sk), flow, sk, place->v4,
				      inet->inet_saddr, place->port,
				      inet->inet_sport, IPPROTO_TCP,
				      RT_CONN_FLAGS(sk), sk->sk_bound_dev_if);
	return IS_ERR(route) ? ERR_CAST(route) : &route->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *route_v6(struct sock *sk, const struct place *place)
{
	struct flowi6 flow = {
		.flowi6_proto = IPPROTO_TCP,
		.daddr = place->v6,
		.saddr = inet6_sk(sk)->saddr,
		.flowlabel = inet6_sk(sk)->flow_label,
		.flowi6_oif = sk->sk_bound_dev_if,
		.flowi6_mark = sk->sk_mark,
		.flowi6_uid = sk->sk_uid,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.fl6_dport = place->port,
	};

	return ip6_dst_lookup_flow(sock_net(sk), sk, &flow, NULL);
}
#endif

static void set_place(struct sock *sk, const struct place *place)
{
	inet_sk(sk)->inet_dport = place->port;
	if (speaks_v4(sk))
		sk_daddr_set(sk, place->v4);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk->sk_v6_daddr = place->v6;
#endif
}

static bool insert(struct sock *sk)
{
	bool taken = false;

	local_bh_disable();
	if (inet_ehash_insert(sk, NULL, &taken))
		sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
	local_bh_enable();
	return !taken;
}

/* Into the table under its new name; back under the old one if somebody else has that. */
static int rename(struct sock *sk, const struct place *to)
{
	const struct place from = {
		.v4 = inet_sk(sk)->inet_daddr,
#if IS_ENABLED(CONFIG_IPV6)
		.v6 = sk->sk_v6_daddr,
#endif
		.port = inet_sk(sk)->inet_dport,
	};

	inet_unhash(sk);
	set_place(sk, to);
	if (insert(sk))
		return 0;
	set_place(sk, &from);
	WARN_ON_ONCE(!insert(sk));
	return -EADDRINUSE;
}

static void take_route(struct sock *sk, struct dst_entry *dst,
		       const struct flowi4 *flow)
{
	struct inet_sock *inet = inet_sk(sk);

	if (speaks_v4(sk)) {
		/* ip_queue_xmit() takes the addresses from there. */
		inet->cork.fl.u.ip4 = *flow;
		sk_setup_caps(sk, dst);
	}
#if IS_ENABLED(CONFIG_IPV6)
	else {
		ip6_dst_store(sk, dst, NULL, NULL);
	}
#endif
	sk_set_txhash(sk);
	dst_release(xchg((__force struct dst_entry **)&sk->sk_rx_dst, NULL));
	tcp_sync_mss(sk, dst_mtu(dst));
}

/*
 * Whatever was on the way to the old place is lost, and what had been received there out of order is, too. It
 * is sent again without a timeout and without less of a congestion window: nothing says that there is
 * congestion.
 */
static void send_again(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	icsk->icsk_retransmits = 0;
	icsk->icsk_backoff = 0;
	icsk->icsk_probes_out = 0;
	if (!tp->packets_out) {
		tcp_send_ack(sk);
		tcp_push_pending_frames(sk);
		return;
	}
	tp->sacked_out = 0;
	tp->lost_out = 0;
	tp->retrans_out = 0;
	tcp_clear_all_retrans_hints(tp);
	skb_rbtree_walk(skb, &sk->tcp_rtx_queue) {
		TCP_SKB_CB(skb)->sacked &= ~TCPCB_TAGBITS;
		tcp_mark_skb_lost(sk, skb);
	}
	if (icsk->icsk_ca_state != TCP_CA_Loss) {
		tp->high_seq = tp->snd_nxt;
		tp->snd_ssthresh = tcp_current_ssthresh(sk);
		tp->prior_ssthresh = 0;
		tp->undo_marker = 0;
		tcp_set_ca_state(sk, TCP_CA_Loss);
	}
	tcp_xmit_retransmit_queue(sk);
	tcp_rearm_rto(sk);
}

static int swap_place(struct sock *sk, const struct socket_swap *swap)
{
	struct flowi4 flow = {};
	struct dst_entry *dst;
	struct place place;
	int err;

	err = read_place(sk, swap, &place);
	if (err)
		return err;
	if (!agree(tcp_sk(sk), swap))
		return -EBADE;
	if (speaks_v4(sk))
		dst = route_v4(sk, &place, &flow);
	else
#if IS_ENABLED(CONFIG_IPV6)
		dst = route_v6(sk, &place);
#else
		return -EINVAL;
#endif
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	err = receive_in_flight(sk, swap);
	if (!err)
		err = rename(sk, &place);
	if (err) {
		dst_release(dst);
		return err;
	}
	take_route(sk, dst, &flow);
	send_again(sk);
	return 0;
}

static void say_where(const struct tcp_sock *tp, struct socket_swap *swap)
{
	swap->snd_una = tp->snd_una;
	swap->snd_nxt = tp->snd_nxt;
	swap->write_seq = tp->write_seq;
	swap->rcv_nxt = tp->rcv_nxt;
}

SYSCALL_DEFINE4(socket_swap, int, fd, struct socket_swap __user *, uswap,
		size_t, size, unsigned int, flags)
{
	struct socket_swap swap;
	struct socket *socket;
	struct sock *sk;
	int err;

	if (size != sizeof(swap) || (flags & ~SOCKET_SWAP_LOOK))
		return -EINVAL;
	if (copy_from_user(&swap, uswap, sizeof(swap)))
		return -EFAULT;
	if (swap.reserved)
		return -EINVAL;
	socket = sockfd_lookup(fd, &err);
	if (!socket)
		return err;
	sk = socket->sk;
	lock_sock(sk);
	err = check_socket(sk);
	if (!err && !(flags & SOCKET_SWAP_LOOK))
		err = swap_place(sk, &swap);
	if (!err)
		say_where(tcp_sk(sk), &swap);
	release_sock(sk);
	sockfd_put(socket);
	if (!err && copy_to_user(uswap, &swap, sizeof(swap)))
		err = -EFAULT;
	return err;
}
