/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the routes of rc.conf that belong to an interface. They are written in the words of
 * route(8).
 */
#include "rcconf/build.h"
#include "rcconf/store.h"
#include "rcconf/values.h"

#include <errno.h>
#include <string.h>

#define MTU_MIN 68 /* bytes, RFC 791 */
#define MTU_MAX 65535

/* The words of `route add`, by their meaning. */
struct spec {
	uint8_t family; /* AF_UNSPEC: not given */
	bool net;
	bool host;
	bool by_interface; /* -interface: the gateway is the name of an interface */
	bool discard; /* -blackhole, -reject */
	const char *destination;
	const char *gateway;
	const char *netmask;
	const char *prefixlen;
	const char *interface; /* -ifp */
	const char *source; /* -ifa */
	const char *mtu;
};

/* A route while it is read. */
struct reading {
	struct nv_build *build;
	const char *key;
	bool tied; /* NAME:IF with this interface's name */
	bool elsewhere; /* it names another interface */
	struct spec spec;
	struct nv_route route;
};

#define FAULT(reading, ...) nv_build_fault((reading)->build, (reading)->key, __VA_ARGS__)
#define WARN(reading, ...)  nv_build_warn((reading)->build, (reading)->key, __VA_ARGS__)

static bool routes_take_option(struct spec *spec, const char *word)
{
	if (nv_streq(word, "-inet") || nv_streq(word, "-4"))
		spec->family = AF_INET;
	else if (nv_streq(word, "-inet6") || nv_streq(word, "-6"))
		spec->family = AF_INET6;
	else if (nv_streq(word, "-net"))
		spec->net = true;
	else if (nv_streq(word, "-host"))
		spec->host = true;
	else if (nv_streq(word, "-interface") || nv_streq(word, "-iface"))
		spec->by_interface = true;
	else if (nv_streq(word, "-blackhole") || nv_streq(word, "-reject"))
		spec->discard = true;
	else
		return nv_streq(word, "-static");
	return true;
}

static const char **routes_option_with_value(struct spec *spec, const char *word)
{
	if (nv_streq(word, "-netmask"))
		return &spec->netmask;
	if (nv_streq(word, "-prefixlen"))
		return &spec->prefixlen;
	if (nv_streq(word, "-ifp"))
		return &spec->interface;
	if (nv_streq(word, "-ifa"))
		return &spec->source;
	if (nv_streq(word, "-mtu"))
		return &spec->mtu;
	if (nv_streq(word, "-gateway"))
		return &spec->gateway;
	return NULL;
}

static bool routes_take_positional(struct spec *spec, const char *word)
{
	const char **place = !spec->destination ? &spec->destination
			     : !spec->gateway	? &spec->gateway
			     : !spec->netmask	? &spec->netmask
						: NULL;

	if (place)
		*place = word;
	return place;
}

static bool routes_sort_words(struct reading *reading, const struct nv_words *words)
{
	struct spec *spec = &reading->spec;

	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->word[i];
		const char **value = routes_option_with_value(spec, word);

		if (value && i + 1 == words->count) {
			FAULT(reading, "`%s' needs a value after it", word);
			return false;
		}
		if (value) {
			*value = words->word[++i];
		} else if (*word == '-' ? !routes_take_option(spec, word)
					: !routes_take_positional(spec, word)) {
			FAULT(reading, "netvf does not know `%.60s' in a route", word);
			return false;
		}
	}
	if (spec->destination && (spec->gateway || spec->discard))
		return true;
	FAULT(reading,
		"a route needs a destination and a gateway, as in `-net 10.0.0.0/8 192.0.2.1'");
	return false;
}

static bool routes_has_colon(const char *text)
{
	return text && strchr(text, ':');
}

/* "10" and "10.1" mean 10.0.0.0 and 10.1.0.0. */
static int routes_parse_net(const char *text, uint8_t family, struct nv_ip *ret_ip)
{
	NV_AUTO(nv_str) struct nv_str full = {};
	unsigned int dots = 0;

	nv_str_add(&full, text);
	for (const char *c = text; *c; c++)
		dots += *c == '.';
	for (; family == AF_INET && dots < 3; dots++)
		nv_str_add(&full, ".0");
	return full.error ? full.error : nv_ip_parse(nv_str_text(&full), family, ret_ip);
}

/*
 * The default length: if all bits after the class's length (IPv6: 64 bits) are zero, the
 * destination is a network.
 */
static bool routes_default_len(struct reading *reading, const char *text)
{
	struct nv_route *route = &reading->route;
	uint8_t bits = nv_ip_bits(route->family);
	struct nv_ip net = route->destination;
	uint8_t len = route->family == AF_INET ? nv_ip_class_len(&net) : 64;

	route->destination_len = bits;
	nv_ip_mask(&net, len);
	if (reading->spec.host || (!reading->spec.net && !nv_ip_equal(&net, &route->destination)))
		return true;
	if (!nv_ip_equal(&net, &route->destination)) {
		FAULT(reading, "`-net %.60s' has no length; write `%.60s/LENGTH'", text, text);
		return false;
	}
	WARN(reading, "`%.60s' has no length: /%u is used; write the length", text, len);
	route->destination_len = len;
	return true;
}

static bool routes_read_len(struct reading *reading, const char *text, const char *slash)
{
	const struct spec *spec = &reading->spec;
	struct nv_route *route = &reading->route;
	const char *number = slash ? slash + 1 : spec->prefixlen;
	unsigned int len;

	if (!number && !spec->netmask)
		return routes_default_len(reading, text);
	if (number && nv_parse_u32(number, nv_ip_bits(route->family), &len) == 0) {
		route->destination_len = len;
		return true;
	}
	if (!number && route->family == AF_INET &&
		nv_netmask_parse(spec->netmask, &route->destination_len) == 0)
		return true;
	FAULT(reading, "`%.60s' is not a destination's %s", number ? number : spec->netmask,
		number ? "length" : "netmask");
	return false;
}

static bool routes_read_destination(struct reading *reading)
{
	const char *text = reading->spec.destination;
	const char *slash = strchr(text, '/');
	struct nv_route *route = &reading->route;
	NV_AUTO(nv_free) char *net = strndup(text, slash ? (size_t)(slash - text) : strlen(text));

	route->destination.family = route->family;
	if (nv_streq(text, "default"))
		return true;
	if (!net) {
		reading->build->error = -ENOMEM;
		return false;
	}
	if (routes_parse_net(net, route->family, &route->destination) < 0) {
		FAULT(reading, "`%.60s' is not an %s destination", text,
			route->family == AF_INET ? "IPv4" : "IPv6");
		return false;
	}
	if (!routes_read_len(reading, net, slash))
		return false;
	nv_ip_mask(&route->destination, route->destination_len);
	return true;
}

/* @name: the interface that the route names. */
static void routes_read_interface(struct reading *reading, const char *name)
{
	if (nv_build_is_own_name(reading->build, name))
		reading->tied = true;
	else
		reading->elsewhere = true;
}

static bool routes_read_gateway(struct reading *reading)
{
	struct nv_route *route = &reading->route;
	NV_AUTO(nv_free) char *text = strdup(reading->spec.gateway);
	char *zone;

	if (!text) {
		reading->build->error = -ENOMEM;
		return false;
	}
	zone = strchr(text, '%');
	if (zone) {
		*zone = '\0';
		routes_read_interface(reading, zone + 1);
	}
	if (nv_ip_parse(text, route->family, &route->gateway) < 0) {
		FAULT(reading, "`%.60s' is not an %s gateway (host names are not resolved)",
			reading->spec.gateway, route->family == AF_INET ? "IPv4" : "IPv6");
		return false;
	}
	route->has_gateway = true;
	if (route->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&route->gateway.v6) &&
		!reading->tied && !reading->elsewhere) {
		FAULT(reading, "`%.60s': a link-local gateway needs its interface; write %.60s%%IF",
			reading->spec.gateway, reading->spec.gateway);
		return false;
	}
	return true;
}

static bool routes_read_rest(struct reading *reading)
{
	const struct spec *spec = &reading->spec;
	struct nv_route *route = &reading->route;
	unsigned int mtu;

	if (spec->interface)
		routes_read_interface(reading, spec->interface);
	if (spec->mtu) {
		if (nv_parse_u32(spec->mtu, MTU_MAX, &mtu) < 0 || mtu < MTU_MIN) {
			FAULT(reading, "`-mtu %.40s': an MTU is a number from %d to %d", spec->mtu,
				MTU_MIN, MTU_MAX);
			return false;
		}
		route->mtu = mtu;
	}
	if (spec->source) {
		if (nv_ip_parse(spec->source, route->family, &route->source) < 0) {
			FAULT(reading, "`-ifa %.60s' is not an address", spec->source);
			return false;
		}
		route->has_source = true;
	}
	return true;
}

/*
 * Whether one of the interface's networks, or of its routes without a gateway, holds the gateway.
 */
static bool routes_reach(const struct nv_interface *config, const struct nv_ip *gateway)
{
	for (size_t i = 0; i < config->addrs.count; i++) {
		const struct nv_addr *addr = &config->addrs.addr[i];

		if (nv_ip_within(gateway, &addr->local, addr->prefix_len))
			return true;
	}
	for (size_t i = 0; i < config->routes.count; i++) {
		const struct nv_route *route = &config->routes.route[i];

		if (!route->has_gateway &&
			nv_ip_within(gateway, &route->destination, route->destination_len))
			return true;
	}
	return false;
}

static bool routes_exists(const struct nv_routes *routes, const struct nv_route *route)
{
	for (size_t i = 0; i < routes->count; i++) {
		const struct nv_route *other = &routes->route[i];

		if (other->destination_len == route->destination_len &&
			nv_ip_equal(&other->destination, &route->destination))
			return true;
	}
	return false;
}

static void add_route(struct reading *reading)
{
	struct nv_build *build = reading->build;
	struct nv_routes *routes = &build->config->routes;
	struct nv_route *more;

	if (routes_exists(routes, &reading->route)) {
		WARN(reading,
			"another route to the same destination comes first; this one is ignored");
		return;
	}
	if (!build->budget->routes) {
		FAULT(reading,
			"more than %d routes for an interface and its VLANs; the others are ignored",
			NV_INTERFACE_ROUTES_MAX);
		return;
	}
	more = reallocarray(routes->route, routes->count + 1, sizeof(*more));
	if (!more) {
		build->error = -ENOMEM;
		return;
	}
	routes->route = more;
	routes->route[routes->count++] = reading->route;
	build->budget->routes--;
}

/* Reads the words of `route add`. */
static bool read_route(struct reading *reading, const struct nv_words *words)
{
	struct spec *spec = &reading->spec;
	struct nv_route *route = &reading->route;
	bool v6;

	if (!routes_sort_words(reading, words))
		return false;
	v6 = routes_has_colon(spec->destination) ||
	     (!spec->by_interface && routes_has_colon(spec->gateway));
	*route = (struct nv_route){
		.family = spec->family ? spec->family
			  : v6	       ? AF_INET6
				       : AF_INET,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_STATIC,
		.scope = RT_SCOPE_UNIVERSE,
		.type = RTN_UNICAST,
	};
	if (!routes_read_destination(reading) || !routes_read_rest(reading))
		return false;
	if (spec->discard) {
		reading->elsewhere = true;
		return true;
	}
	if (!spec->by_interface)
		return routes_read_gateway(reading);
	routes_read_interface(reading, spec->gateway);
	route->scope = route->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	return true;
}

/* Keeps the route if it belongs to the interface. */
static void route_from_value(
	struct nv_build *build, const char *key, const char *value, uint8_t family, bool tied)
{
	struct reading reading = {.build = build, .key = key, .tied = tied, .spec.family = family};
	NV_AUTO(nv_words) struct nv_words words = {};
	bool understood;

	build->error = nv_words_split(value, &words);
	if (build->error)
		return;
	understood = read_route(&reading, &words);
	if (understood && !reading.elsewhere && !reading.tied &&
		!routes_reach(build->config, &reading.route.gateway))
		return;
	nv_rcconf_mark_used(build->rcconf, key);
	if (understood && !reading.elsewhere)
		add_route(&reading);
}

/* Reads one element of static_routes: NAME or NAME:IF. */
static void routes_take_element(
	struct nv_build *build, const char *list, char *element, uint8_t family, bool tied)
{
	char *colon = strchr(element, ':');
	char key[NV_RCCONF_KEY_MAX + 1];
	const char *value;

	if (colon)
		*colon = '\0';
	nv_rcconf_key_for(family == AF_INET6 ? "ipv6_route_%s" : "route_%s", element, key);
	value = nv_rcconf_get(build->rcconf, key);
	if (colon && !nv_build_is_own_name(build, colon + 1))
		nv_rcconf_mark_used(build->rcconf, key);
	else if (value)
		route_from_value(build, key, value, family, tied || colon);
	else
		nv_build_warn(build, list, "`%.60s' is listed, but %s is not set", element, key);
}

static void routes_take_list(struct nv_build *build, const char *list, uint8_t family, bool tied)
{
	const char *value = nv_rcconf_get(build->rcconf, list);
	NV_AUTO(nv_words) struct nv_words words = {};

	if (!value || build->error)
		return;
	build->error = nv_words_split(value, &words);
	for (size_t i = 0; i < words.count && !build->error; i++)
		routes_take_element(build, list, words.word[i], family, tied);
}

static void routes_take_default(struct nv_build *build, const char *key, uint8_t family)
{
	const char *value = nv_rcconf_get(build->rcconf, key);
	NV_AUTO(nv_str) struct nv_str words = {};

	if (!value || build->error)
		return;
	if (!value[strspn(value, " \t\n")] || strcasecmp(value, "NO") == 0) {
		nv_rcconf_mark_used(build->rcconf, key);
		return;
	}
	nv_str_printf(&words, "default %s", value);
	if (words.error)
		build->error = words.error;
	else
		route_from_value(build, key, nv_str_text(&words), family, false);
}

void nv_build_static_routes(struct nv_build *build)
{
	char own[NV_RCCONF_KEY_MAX + 1];

	nv_rcconf_key_for("static_routes_%s", build->ifname, own);
	routes_take_list(build, "static_routes", AF_UNSPEC, false);
	routes_take_list(build, own, AF_UNSPEC, true);
	routes_take_list(build, "ipv6_static_routes", AF_INET6, false);
	routes_take_default(build, "defaultrouter", AF_INET);
	routes_take_default(build, "ipv6_defaultrouter", AF_INET6);
}
