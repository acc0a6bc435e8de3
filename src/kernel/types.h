/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links, addresses, routes and so on as plain values. Pure directories may include this file
 * without linking the kernel library.
 */
#pragma once

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IF_OPER_*, IF_LINK_MODE_*. It must come after net/if.h to be compatible with it. */
#include <linux/if.h>

#define NV_MAC_LEN  6
#define NV_KIND_LEN 16
#define NV_NAME_LEN 64
#define NV_VLAN_MAX 512 /* bytes; room for some 30 priority mappings */

/* The limits of dumps and tables. */
#define NV_LINKS_MAX  65536
#define NV_ADDRS_MAX  65536
#define NV_ROUTES_MAX 1000000
#define NV_NEIGHS_MAX 65536
#define NV_MCASTS_MAX 65536

struct nv_link {
	int ifindex;
	char name[IFNAMSIZ];
	uint16_t type; /* ARPHRD_* */
	uint32_t flags; /* IFF_*, as in RTM_NEWLINK's ifi_flags */
	uint32_t mtu;
	uint32_t tx_queue_len;
	uint32_t group; /* IFLA_GROUP */
	uint32_t promiscuity; /* how many users have made it promiscuous */
	uint8_t operstate; /* IF_OPER_* */
	uint8_t link_mode; /* IF_LINK_MODE_* */
	bool carrier; /* IFLA_CARRIER: the driver's carrier, whatever operstate is */
	bool has_mac; /* it has a six-byte link-layer address */
	bool has_permanent_mac; /* IFLA_PERM_ADDRESS, Linux 5.6; virtual devices have none */
	uint8_t mac[NV_MAC_LEN];
	uint8_t permanent_mac[NV_MAC_LEN];
	int master; /* ifindex of the bond, bridge, …; 0: none */
	bool stp; /* kind "bridge": it runs a spanning tree protocol */
	bool isolated; /* a bridge port: the bridge forwards nothing between isolated ports */
	int primary; /* kind "bond": the preferred port; 0: none */
	/*
	 * IFLA_LINK, and IFLA_VXLAN_LINK of a VXLAN with one remote address: the link it is stacked
	 * on; 0: none, or in another network namespace
	 */
	int lower;
	bool lower_elsewhere; /* IFLA_LINK is an ifindex of another network namespace (veth) */
	uint16_t vlan_id; /* kind "vlan"; else 0 */
	bool vlan_is_8021ad; /* kind "vlan": its tag is 802.1ad's and not 802.1Q's */
	/*
	 * The kernel's description of a VLAN, to make a similar one: protocol, flags, priority
	 * mappings. Length 0: only the id is known; above NV_VLAN_MAX: it did not fit.
	 */
	uint8_t vlan[NV_VLAN_MAX];
	uint16_t vlan_length;
	uint8_t addr_gen_mode; /* IN6_ADDR_GEN_MODE_* */
	/* the IPv6 token: the host part of addresses made from router advertisements; ::: none */
	struct in6_addr token;
	char kind[NV_KIND_LEN]; /* IFLA_INFO_KIND; "" for hardware and virtio */
	/* These two as when the link was read: the kernel tells of no change. */
	char qdisc[NV_KIND_LEN]; /* IFLA_QDISC: the queueing discipline at its root */
	bool has_xdp; /* IFLA_XDP_ATTACHED: it has an XDP program */
	bool has_generic_xdp; /* and that runs behind the driver */
	/*
	 * The driver of the parent device; without a parent, as `ethtool -i` reports it; else the
	 * kind.
	 */
	char driver[NV_NAME_LEN];
	char parent_bus[NV_NAME_LEN]; /* IFLA_PARENT_DEV_BUS_NAME (Linux 5.14) or sysfs: "pci",
					 "vmbus" */
	char parent_dev[NV_NAME_LEN]; /* "0000:00:03.0" */
	/* Its PCI device is a virtual function of a device that this system has, too (sysfs). */
	bool is_virtfn;
	char alias[256]; /* description */
};

/*
 * Whether a link transmits frames: administratively up, with carrier, and with its queues in place.
 * A link whose carrier has just come is IF_OPER_DOWN until the kernel has activated its queues, and
 * drops frames until then (linkwatch, net/core/link_watch.c). A dormant link transmits.
 */
static inline bool nv_link_usable(const struct nv_link *link)
{
	return (link->flags & IFF_UP) && link->carrier && link->operstate != IF_OPER_DOWN &&
	       link->operstate != IF_OPER_LOWERLAYERDOWN && link->operstate != IF_OPER_NOTPRESENT;
}

/* That the link @upper is stacked on the link @lower, or is a port of it. */
struct nv_link_edge {
	int lower;
	int upper;
};

/* Sorted by both. */
struct nv_link_edges {
	struct nv_link_edge *edge;
	size_t count;
};

/* The links at one moment, ascending by ifindex. Only nv_links_put() and the like change them. */
struct nv_links {
	struct nv_link *link;
	size_t count;
	struct nv_link_edges stacked; /* by nv_link.lower in this network namespace */
	struct nv_link_edges ports; /* by nv_link.master, which stands as the lower */
};

/* NULL: there is none. Owned by @links. */
const struct nv_link *nv_links_by_index(const struct nv_links *links, int ifindex);
const struct nv_link *nv_links_by_name(const struct nv_links *links, const char *name);

/*
 * The link with the next higher ifindex than @after (0: the first) that is stacked on @lower in
 * this network namespace, or that is a port of @master. NULL: there is no other. Reads few of
 * thousands of links.
 */
const struct nv_link *nv_links_next_stacked(const struct nv_links *links, int lower, int after);
const struct nv_link *nv_links_next_port(const struct nv_links *links, int master, int after);
/* Of the links stacked on @lower, the next that is a VLAN. */
const struct nv_link *nv_links_next_vlan(const struct nv_links *links, int lower, int after);

/*
 * Inserts a copy of @link in order, or replaces the one with the same ifindex. Returns 0, -ENOMEM,
 * -E2BIG.
 */
int nv_links_put(struct nv_links *links, const struct nv_link *link);
void nv_links_remove(struct nv_links *links, int ifindex);

struct nv_ip {
	uint8_t family; /* AF_INET, AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/*
 * An infinite lifetime. An address with an infinite valid lifetime is permanent. The longest finite
 * lifetime (136 years) is read as infinite too, but such an address is not permanent
 * (IFA_F_PERMANENT).
 */
#define NV_LFT_FOREVER UINT32_MAX
#define NV_LFT_LONGEST (UINT32_MAX - 1)

struct nv_addr {
	int ifindex;
	struct nv_ip local;
	bool has_peer, has_broadcast;
	struct nv_ip peer;
	struct nv_ip broadcast;
	uint8_t prefix_len;
	uint8_t scope; /* RT_SCOPE_* */
	uint8_t protocol; /* IFAPROT_* (Linux 5.18) */
	uint32_t flags; /* IFA_F_* */
	uint32_t metric; /* IFA_RT_PRIORITY; 0: the kernel's default */
	/* seconds; NV_LFT_FOREVER; to add one: 0 means that both are infinite */
	uint32_t valid_lft;
	uint32_t preferred_lft; /* seconds; 0: deprecated */
	char label[IFNAMSIZ]; /* IPv4; "" : none */
};

/* In the kernel's order, which for IPv4 distinguishes a primary address from its secondaries. */
struct nv_addrs {
	struct nv_addr *addr;
	size_t count;
};

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_addrs_add(struct nv_addrs *addrs, const struct nv_addr *addr);

/* The protocol of routes that move/backup_routes.h adds for a while. */
#define NV_RTPROT_BACKUP 110

struct nv_route {
	uint8_t family;
	uint8_t destination_len; /* 0: default */
	uint8_t tos;
	uint8_t protocol; /* RTPROT_* */
	uint8_t scope;
	uint8_t type; /* RTN_*; to add one: 0 means RTN_UNICAST */
	uint32_t flags; /* RTNH_F_ONLINK */
	uint32_t table; /* to add one: 0 means RT_TABLE_MAIN */
	uint32_t priority; /* to add one: 0 means the kernel's default */
	struct nv_ip destination;
	bool has_gateway, has_source;
	struct nv_ip gateway; /* of another family than the route: RTA_VIA */
	struct nv_ip source; /* RTA_PREFSRC */
	int oif;
	/* to add one: the id of a next hop object, in place of gateway, oif and flags; 0: none */
	uint32_t nexthop;
	uint32_t mtu; /* RTAX_MTU; 0: none */
	uint32_t expires; /* IPv6, seconds; 0: never */
	bool multipath; /* it is one of several next hops of a route */
};

struct nv_routes {
	struct nv_route *route;
	size_t count;
};

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_routes_add(struct nv_routes *routes, const struct nv_route *route);

struct nv_neigh {
	int ifindex;
	struct nv_ip address;
	uint8_t mac[NV_MAC_LEN];
	uint16_t state; /* NUD_* */
	bool router; /* IPv6 */
};

struct nv_neighs {
	struct nv_neigh *neigh;
	size_t count;
};

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_neighs_add(struct nv_neighs *neighs, const struct nv_neigh *neigh);

/* A multicast group that a link has joined. */
struct nv_mcast {
	int ifindex;
	struct nv_ip group;
	uint8_t igmp; /* IPv4: the IGMP version in use on the link, 1 to 3; else 0 */
};

struct nv_mcasts {
	struct nv_mcast *mcast;
	size_t count;
};

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_mcasts_add(struct nv_mcasts *mcasts, const struct nv_mcast *mcast);

/*
 * A link-layer multicast address that a link receives, for any reason; of nv_kernel_unicasts(): a
 * unicast one.
 */
struct nv_group {
	int ifindex;
	uint8_t mac[NV_MAC_LEN];
	bool by_hand; /* added by nv_kernel_group_set() or `ip maddress add` */
};

struct nv_groups {
	struct nv_group *group;
	size_t count;
};

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_groups_add(struct nv_groups *groups, const struct nv_group *group);

/* Which fields of a link to change; the other fields of `to` are ignored. */
enum {
	NV_LINK_FLAGS = 1 << 0, /* the flags in flags_mask */
	NV_LINK_MTU = 1 << 1,
	NV_LINK_MAC = 1 << 2,
	NV_LINK_MASTER = 1 << 3, /* 0: remove it from its master */
	NV_LINK_MODE = 1 << 4,
	NV_LINK_OPERSTATE = 1 << 5,
	NV_LINK_CARRIER = 1 << 6,
	NV_LINK_ALIAS = 1 << 7,
	NV_LINK_NAME = 1 << 8,
	NV_LINK_TX_QUEUE_LEN = 1 << 9,
	NV_LINK_ADDR_GEN_MODE = 1 << 10,
	NV_LINK_PRIMARY = 1 << 11, /* of a bond */
	NV_LINK_GROUP = 1 << 12,
	NV_LINK_TOKEN = 1 << 13, /* -EINVAL if the link does not accept router advertisements */
};

struct nv_link_change {
	unsigned int what;
	uint32_t flags_mask; /* IFF_* */
	struct nv_link to;
};

#define NV_FILTERS_MAX 64 /* tc filters of one link; those over the limit are omitted */

/* The qdisc that holds a link's tc filters for ingress and egress, and the filters. */
struct nv_clsact {
	/* its kind: "clsact", or "ingress" (the older one); "": there is none */
	char kind[NV_KIND_LEN];
	struct nv_filter {
		bool egress;
		uint16_t priority;
		uint32_t handle; /* 0: an entry of the kernel's for the priority itself */
	} filter[NV_FILTERS_MAX];
	size_t count;
};

/* What happens to a route with the same table, destination, TOS and priority. */
enum nv_route_how {
	NV_ROUTE_NEW, /* it stays, and the result is -EEXIST */
	NV_ROUTE_REPLACE, /* the new one replaces it atomically */
	NV_ROUTE_BESIDE, /* IPv4: the new one goes in front of it; IPv6: it gets one more next hop.
			  * -EEXIST only for the very same route */
};

size_t nv_ip_size(uint8_t family); /* bytes; 0 for a family other than IPv4 and IPv6 */
bool nv_ip_equal(const struct nv_ip *a, const struct nv_ip *b);
bool nv_ip_is_link_local(const struct nv_ip *ip); /* 169.254.0.0/16 (RFC 3927), fe80::/10 */

/* The first with this local address; NULL: there is none. Owned by @addrs. */
const struct nv_addr *nv_addrs_by_ip(const struct nv_addrs *addrs, const struct nv_ip *ip);

/* Whether somebody has configured one of the routes: the kernel made the others. */
bool nv_routes_have_configured(const struct nv_routes *routes);

/* Whether it leads to a network as the kernel adds it with an address, or is a copy of such. */
bool nv_route_is_network(const struct nv_route *route);

/* Whether both have the same table, destination and TOS. */
bool nv_route_same_destination(const struct nv_route *a, const struct nv_route *b);

#define NV_IP_TEXT INET6_ADDRSTRLEN

/* Writes "192.0.2.1" or "2001:db8::1", or "" for another family. Returns @text. */
const char *nv_ip_text(const struct nv_ip *ip, char text[NV_IP_TEXT]);

#define NV_MAC_TEXT (3 * NV_MAC_LEN)

/* The permanent MAC address, or the current one if the kernel knows no permanent one. In @link. */
const uint8_t *nv_link_permanent_mac(const struct nv_link *link);

/* "02:00:00:00:00:01"; returns @text. */
const char *nv_mac_text(const uint8_t mac[NV_MAC_LEN], char text[NV_MAC_TEXT]);

void nv_links_auto(struct nv_links *links);
void nv_addrs_auto(struct nv_addrs *addrs);
void nv_routes_auto(struct nv_routes *routes);
void nv_neighs_auto(struct nv_neighs *neighs);
void nv_mcasts_auto(struct nv_mcasts *mcasts);
void nv_groups_auto(struct nv_groups *groups);
