/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/match.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const synthetic_drivers[] = {"hv_netvsc", "virtio_net", "vmxnet3", "vif"};

static bool match_is_ethernet(const struct nv_link *link)
{
	return link->type == ARPHRD_ETHER && link->has_mac && !(link->flags & IFF_LOOPBACK);
}

static bool match_same_mac(const struct nv_link *a, const struct nv_link *b)
{
	return memcmp(nv_link_permanent_mac(a), nv_link_permanent_mac(b), NV_MAC_LEN) == 0;
}

/* netvf_pairs while links are matched, sorted by hn and by VF: a search reads few of hundreds. */
struct match_names {
	const struct nv_hn_named_pair **by_hn;
	const struct nv_hn_named_pair **by_vf;
	size_t count;
};

static void match_names_auto(struct match_names *names)
{
	free(names->by_hn);
	free(names->by_vf);
}

static int match_order_hn(const void *a, const void *b)
{
	return strcmp((*(const struct nv_hn_named_pair *const *)a)->hn,
		(*(const struct nv_hn_named_pair *const *)b)->hn);
}

static int match_order_vf(const void *a, const void *b)
{
	return strcmp((*(const struct nv_hn_named_pair *const *)a)->vf,
		(*(const struct nv_hn_named_pair *const *)b)->vf);
}

static int match_sort_names(const struct nv_hn_config *config, struct match_names *ret_names)
{
	NV_AUTO(match_names) struct match_names names = {.count = config->n_pairs};

	names.by_hn = calloc(names.count + 1, sizeof(*names.by_hn));
	names.by_vf = calloc(names.count + 1, sizeof(*names.by_vf));
	if (!names.by_hn || !names.by_vf)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++)
		names.by_hn[i] = names.by_vf[i] = &config->pair[i];
	qsort(names.by_hn, names.count, sizeof(*names.by_hn), match_order_hn);
	qsort(names.by_vf, names.count, sizeof(*names.by_vf), match_order_vf);
	*ret_names = TAKE_STRUCT(names);
	return 0;
}

static int match_compare_hn(const void *name, const void *pair)
{
	return strcmp(name, (*(const struct nv_hn_named_pair *const *)pair)->hn);
}

static int match_compare_vf(const void *name, const void *pair)
{
	return strcmp(name, (*(const struct nv_hn_named_pair *const *)pair)->vf);
}

static bool match_names_hn(const struct match_names *names, const char *name)
{
	return bsearch(name, names->by_hn, names->count, sizeof(*names->by_hn), match_compare_hn);
}

/* The pair that names this interface as its VF; NULL: none. */
static const struct nv_hn_named_pair *match_names_vf(
	const struct match_names *names, const char *name)
{
	const struct nv_hn_named_pair **found =
		bsearch(name, names->by_vf, names->count, sizeof(*names->by_vf), match_compare_vf);

	return found ? *found : NULL;
}

static bool match_has_synthetic_driver(
	const struct nv_link *link, const struct nv_hn_config *config)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(synthetic_drivers); i++)
		if (nv_streq(link->driver, synthetic_drivers[i]))
			return true;
	for (size_t i = 0; i < config->n_drivers; i++)
		if (nv_streq(link->driver, config->driver[i]))
			return true;
	return false;
}

static bool match_is_synthetic(const struct nv_link *link, const struct nv_hn_config *config)
{
	for (size_t i = 0; i < config->n_names; i++)
		if (nv_streq(link->name, config->name[i]))
			return true;
	return !link->kind[0] && !link->is_virtfn && match_has_synthetic_driver(link, config);
}

static bool match_may_be_vf(const struct nv_link *link)
{
	return !link->kind[0] && (nv_streq(link->parent_bus, "pci") || link->is_virtfn);
}

/* Most names differ in their first letter, and there may be a thousand. */
static bool match_is_name(const char *one, const char *other)
{
	return one[0] == other[0] && nv_streq(one, other);
}

bool nv_link_may_be_port(const struct nv_link *link, const struct nv_hn_config *config)
{
	if (!match_is_ethernet(link))
		return false;
	for (size_t i = 0; i < config->n_pairs; i++)
		if (match_is_name(config->pair[i].hn, link->name) ||
			match_is_name(config->pair[i].vf, link->name))
			return true;
	return match_may_be_vf(link) || match_is_synthetic(link, config);
}

bool nv_link_may_be_vf(const struct nv_link *link, const struct nv_hn_config *config)
{
	bool is_vf = false;

	if (!match_is_ethernet(link))
		return false;
	for (size_t i = 0; i < config->n_pairs; i++) {
		if (match_is_name(config->pair[i].hn, link->name))
			return false;
		is_vf |= match_is_name(config->pair[i].vf, link->name);
	}
	return is_vf || (match_may_be_vf(link) && !match_is_synthetic(link, config));
}

/* A link that is an hn or may be a VF. */
struct match_port {
	const struct nv_link *link;
	bool is_hn;
	bool hn_is_named; /* in netvf_pairs */
	const struct nv_hn_named_pair *vf_of; /* the pair in netvf_pairs that names it as its VF */
};

/* All of them, and where each MAC address is: an interface may have two. */
struct match_ports {
	struct match_port *port; /* in the order of the links */
	size_t count;
	struct match_place {
		const uint8_t *mac;
		const struct match_port *port;
	} * place; /* sorted by MAC address, then by port */
	size_t n_places;
	const struct match_port **named; /* those that netvf_pairs names as a VF, sorted by hn */
	size_t n_named;
};

static void match_ports_auto(struct match_ports *ports)
{
	free(ports->port);
	free(ports->place);
	free(ports->named);
}

static int match_order_places(const void *a, const void *b)
{
	const struct match_place *one = a, *other = b;
	int order = memcmp(one->mac, other->mac, NV_MAC_LEN);

	return order ? order : (one->port > other->port) - (one->port < other->port);
}

static int match_order_named(const void *a, const void *b)
{
	const struct match_port *one = *(const struct match_port *const *)a;
	const struct match_port *other = *(const struct match_port *const *)b;
	int order = strcmp(one->vf_of->hn, other->vf_of->hn);

	return order ? order : (one > other) - (one < other);
}

/* Returns whether it is one. */
static bool match_sort_port(const struct nv_link *link, const struct nv_hn_config *config,
	const struct match_names *names, struct match_port *ret_port)
{
	struct match_port port = {.link = link};

	if (!match_is_ethernet(link))
		return false;
	port.hn_is_named = match_names_hn(names, link->name);
	port.vf_of = match_names_vf(names, link->name);
	port.is_hn = port.hn_is_named || (!port.vf_of && match_is_synthetic(link, config));
	*ret_port = port;
	return port.is_hn || port.vf_of || match_may_be_vf(link);
}

static int match_find_ports(const struct nv_links *links, const struct nv_hn_config *config,
	struct match_ports *ret_ports)
{
	NV_AUTO(match_ports) struct match_ports ports = {};
	NV_AUTO(match_names) struct match_names names = {};
	int r = match_sort_names(config, &names);

	ports.port = calloc(links->count + 1, sizeof(*ports.port));
	ports.place = calloc(2 * links->count + 1, sizeof(*ports.place));
	ports.named = calloc(links->count + 1, sizeof(*ports.named));
	if (r < 0 || !ports.port || !ports.place || !ports.named)
		return -ENOMEM;
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];
		struct match_port *port = &ports.port[ports.count];

		if (!match_sort_port(link, config, &names, port))
			continue;
		ports.count++;
		if (port->vf_of && !port->is_hn)
			ports.named[ports.n_named++] = port;
		ports.place[ports.n_places++] = (struct match_place){link->mac, port};
		if (memcmp(link->mac, nv_link_permanent_mac(link), NV_MAC_LEN) != 0)
			ports.place[ports.n_places++] =
				(struct match_place){nv_link_permanent_mac(link), port};
	}
	qsort(ports.place, ports.n_places, sizeof(*ports.place), match_order_places);
	qsort(ports.named, ports.n_named, sizeof(*ports.named), match_order_named);
	*ret_ports = TAKE_STRUCT(ports);
	return 0;
}

/* The first place with this MAC address, or where it would be. */
static const struct match_place *match_first_place(
	const struct match_ports *ports, const uint8_t *mac)
{
	size_t from = 0;
	size_t to = ports->n_places;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (memcmp(ports->place[middle].mac, mac, NV_MAC_LEN) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return &ports->place[from];
}

/* The first port that is named as the VF of this hn, or where it would be. */
static size_t match_first_named(const struct match_ports *ports, const char *hn)
{
	size_t from = 0;
	size_t to = ports->n_named;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (strcmp(ports->named[middle]->vf_of->hn, hn) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Each port that has this MAC address, whether it is its permanent one or its current one. */
#define match_each_place(place, ports, wanted)                                   \
	for (const struct match_place *place = match_first_place(ports, wanted); \
		place < (ports)->place + (ports)->n_places &&                    \
		memcmp(place->mac, wanted, NV_MAC_LEN) == 0;                     \
		place++)

/* Of a VF that netvf_pairs names, the current MAC address may be equal instead. */
static bool match_is_vf_of(const struct match_port *port, const struct nv_link *hn)
{
	bool is_equal = memcmp(port->link->mac, hn->mac, NV_MAC_LEN) == 0;

	if (port->is_hn || (!is_equal && !match_same_mac(port->link, hn)))
		return false;
	return port->vf_of ? nv_streq(port->vf_of->hn, hn->name) : match_same_mac(port->link, hn);
}

static void match_set(struct nv_pair *pair, enum nv_match_result match, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void match_set(struct nv_pair *pair, enum nv_match_result match, const char *format, ...)
{
	va_list args;

	pair->match = match;
	va_start(args, format);
	vsnprintf(pair->why, sizeof(pair->why), format, args);
	va_end(args);
}

/*
 * A bond is recognized as hn's lagg by its MAC address, which it loses with its last port
 * (bond_main.c), or by its name, which no longer fits if hn is renamed.
 */
static bool match_is_lagg_of(const struct nv_link *master, const struct nv_link *hn)
{
	char name[IFNAMSIZ];

	if (!nv_streq(master->kind, "bond") || !nv_is_lagg_name(master->name))
		return false;
	if (nv_hn_lagg_name(hn->name, name) == 0 && nv_streq(master->name, name))
		return true;
	return master->has_mac && memcmp(master->mac, hn->mac, NV_MAC_LEN) == 0;
}

/* Whether a port's master is something other than the bond that is this hn's lagg. */
static bool match_has_foreign_master(
	const struct nv_links *links, const struct nv_link *port, const struct nv_link *hn)
{
	const struct nv_link *master = nv_links_by_index(links, port->master);

	return port->master && !(master && match_is_lagg_of(master, hn));
}

/* What was found so far. A named VF's only rival is another. */
struct match_candidate {
	const struct match_port *vf;
	const struct match_port *rival;
};

static void match_consider(
	const struct match_port *port, const struct nv_link *hn, struct match_candidate *found)
{
	bool was_named = found->vf && found->vf->vf_of;

	if (port == found->vf || port == found->rival || !match_is_vf_of(port, hn) ||
		(was_named && !port->vf_of))
		return;
	if (found->vf && was_named == !!port->vf_of)
		found->rival = port;
	else
		*found = (struct match_candidate){.vf = port};
}

static void match_find_by_mac(const struct match_ports *ports, const struct nv_link *hn,
	struct match_candidate *ret_found)
{
	match_each_place (place, ports, hn->mac)
		match_consider(place->port, hn, ret_found);
	if (memcmp(hn->mac, nv_link_permanent_mac(hn), NV_MAC_LEN) != 0)
		match_each_place (place, ports, nv_link_permanent_mac(hn))
			match_consider(place->port, hn, ret_found);
}

/* A VF with a MAC address of its own. */
static void match_find_by_name(const struct match_ports *ports, const struct nv_link *hn,
	struct match_candidate *ret_found)
{
	size_t at = match_first_named(ports, hn->name);

	for (; at < ports->n_named && nv_streq(ports->named[at]->vf_of->hn, hn->name); at++) {
		if (ret_found->vf)
			ret_found->rival = ports->named[at];
		else
			ret_found->vf = ports->named[at];
	}
}

static void match_refuse_rival(
	const struct match_candidate *found, const struct nv_link *hn, struct nv_pair *pair)
{
	const char *vf = found->vf->link->name;
	const char *rival = found->rival->link->name;

	if (match_is_vf_of(found->vf, hn))
		match_set(pair, NV_MATCH_REFUSED,
			"%s and %s both have the MAC address of %s: name the VF in netvf_pairs", vf,
			rival, hn->name);
	else
		match_set(pair, NV_MATCH_REFUSED,
			"netvf_pairs names %s and %s as the VF of %s, and neither has its MAC address: name only the VF",
			vf, rival, hn->name);
}

/* Finds the VF of an hn, or the reason why none may be used. */
static void match_find_vf(const struct nv_links *links, const struct match_ports *ports,
	const struct nv_link *hn, struct nv_pair *pair)
{
	struct match_candidate found = {};
	const struct nv_link *vf;

	match_find_by_mac(ports, hn, &found);
	if (!found.vf)
		match_find_by_name(ports, hn, &found);
	vf = found.vf ? found.vf->link : NULL;
	if (found.rival) {
		match_refuse_rival(&found, hn, pair);
		return;
	}
	if (!vf)
		return;
	pair->vf = vf->ifindex;
	if (match_has_foreign_master(links, vf, hn)) {
		const struct nv_link *master = nv_links_by_index(links, vf->master);

		match_set(pair, NV_MATCH_OBSERVED,
			"%s already has the master %s: the kernel or an administrator couples this pair",
			vf->name, master ? master->name : "(hidden)");
	}
}

/* If hn is a port of somebody else's bond, its VF is a port too, or was before it went away. */
static void match_find_bonded_hn(
	const struct nv_links *links, const struct nv_link *hn, struct nv_pair *pair)
{
	const struct nv_link *master = nv_links_by_index(links, hn->master);

	if (pair->match == NV_MATCH_MANAGED && master && match_has_foreign_master(links, hn, hn) &&
		(nv_streq(master->kind, "bond") || nv_streq(master->kind, "team")))
		match_set(pair, NV_MATCH_OBSERVED,
			"%s is a port of %s: an administrator couples this pair", hn->name,
			master->name);
}

/* If a second hn has the same MAC address, the VF's hn is ambiguous. */
static void match_find_rival(const struct nv_links *links, const struct match_ports *ports,
	const struct match_port *port, struct nv_pair *pair)
{
	const struct nv_link *hn = port->link;

	if (port->hn_is_named)
		return;
	match_each_place (place, ports, nv_link_permanent_mac(hn)) {
		const struct nv_link *link = place->port->link;

		if (link == hn || !match_same_mac(link, hn) || !place->port->is_hn)
			continue;
		pair->vf = 0;
		if (match_has_foreign_master(links, link, hn) ||
			match_has_foreign_master(links, hn, hn))
			match_set(pair, NV_MATCH_OBSERVED,
				"%s and %s have the same MAC address and a master: the kernel couples them",
				hn->name, link->name);
		else
			match_set(pair, NV_MATCH_REFUSED,
				"%s and %s are both synthetic and have the same MAC address: name the VF in netvf_pairs",
				hn->name, link->name);
		return;
	}
}

int nv_pairs_find(
	const struct nv_links *links, const struct nv_hn_config *config, struct nv_pairs *ret_pairs)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	NV_AUTO(match_ports) struct match_ports ports = {};
	int r = match_find_ports(links, config, &ports);

	pairs.pair = calloc(ports.count + 1, sizeof(*pairs.pair));
	if (r < 0 || !pairs.pair)
		return -ENOMEM;
	for (size_t i = 0; i < ports.count; i++) {
		const struct nv_link *hn = ports.port[i].link;
		struct nv_pair *pair = &pairs.pair[pairs.count];

		if (!ports.port[i].is_hn)
			continue;
		pair->hn = hn->ifindex;
		memcpy(pair->mac, hn->mac, NV_MAC_LEN);
		match_find_vf(links, &ports, hn, pair);
		match_find_bonded_hn(links, hn, pair);
		match_find_rival(links, &ports, &ports.port[i], pair);
		pairs.count++;
	}
	*ret_pairs = TAKE_STRUCT(pairs);
	return 0;
}

/* In all that nv_pairs_find() reads of a link. */
static bool match_is_equal(const struct nv_link *old, const struct nv_link *new)
{
	return old->type == new->type && old->has_mac == new->has_mac &&
	       old->has_permanent_mac == new->has_permanent_mac && old->master == new->master &&
	       old->is_virtfn == new->is_virtfn &&
	       (old->flags & IFF_LOOPBACK) == (new->flags &IFF_LOOPBACK) &&
	       memcmp(old->mac, new->mac, NV_MAC_LEN) == 0 &&
	       memcmp(old->permanent_mac, new->permanent_mac, NV_MAC_LEN) == 0 &&
	       nv_streq(old->name, new->name) && nv_streq(old->kind, new->kind) &&
	       nv_streq(old->driver, new->driver) && nv_streq(old->parent_bus, new->parent_bus);
}

bool nv_pairs_depend(const struct nv_links *links, const struct nv_hn_config *config,
	const struct nv_link *old, const struct nv_link *new)
{
	if (old && new &&match_is_equal(old, new))
		return false;
	return nv_links_next_port(links, (old ? old : new)->ifindex, 0) ||
	       (old && nv_link_may_be_port(old, config)) ||
	       (new &&nv_link_may_be_port(new, config));
}

static bool match_is_same(const struct nv_pair *old, const struct nv_pair *new)
{
	return old->vf == new->vf &&
	       old->match == new->match &&memcmp(old->mac, new->mac, NV_MAC_LEN) == 0 &&
	       nv_streq(old->why, new->why);
}

void nv_pairs_diff(const struct nv_pairs *old, const struct nv_pairs *new,
	void (*each)(int hn, void *data), void *data)
{
	size_t at_old = 0;
	size_t at_new = 0;

	while (at_old < old->count || at_new < new->count) {
		const struct nv_pair *was = at_old < old->count ? &old->pair[at_old] : NULL;
		const struct nv_pair *is = at_new < new->count ? &new->pair[at_new] : NULL;
		bool gone = was && (!is || was->hn < is->hn);
		bool is_new = is && (!was || is->hn < was->hn);

		if (gone || is_new || !match_is_same(was, is))
			each(gone ? was->hn : is->hn, data);
		at_old += !is_new;
		at_new += !gone;
	}
}

void nv_pairs_auto(struct nv_pairs *pairs)
{
	free(pairs->pair);
	*pairs = (struct nv_pairs){};
}

static int match_order_pairs(const void *a, const void *b)
{
	int one = ((const struct nv_pair *)a)->hn, other = ((const struct nv_pair *)b)->hn;

	return (one > other) - (one < other);
}

const struct nv_pair *nv_pairs_by_hn(const struct nv_pairs *pairs, int hn)
{
	const struct nv_pair wanted = {.hn = hn};

	if (!pairs->count)
		return NULL;
	return bsearch(&wanted, pairs->pair, pairs->count, sizeof(wanted), match_order_pairs);
}

const struct nv_pair *nv_pairs_by_vf(const struct nv_pairs *pairs, int vf)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (vf && pairs->pair[i].vf == vf)
			return &pairs->pair[i];
	return NULL;
}

void nv_hn_unit(const char *ifname, char ret_unit[IFNAMSIZ])
{
	size_t length = 0;

	for (const char *c = ifname; *c && length < IFNAMSIZ - 1; c++)
		if (isdigit((unsigned char)*c))
			ret_unit[length++] = *c;
	ret_unit[length] = '\0';
}

bool nv_is_lagg_name(const char *ifname)
{
	return strncmp(ifname, "lagg", strlen("lagg")) == 0;
}

int nv_hn_lagg_name(const char *ifname, char ret_name[IFNAMSIZ])
{
	char unit[IFNAMSIZ];

	nv_hn_unit(ifname, unit);
	if (!unit[0])
		return -ENOENT;
	if (strlen("lagg") + strlen(unit) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	snprintf(ret_name, IFNAMSIZ, "lagg%.11s", unit);
	return 0;
}
