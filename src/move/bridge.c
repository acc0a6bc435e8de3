/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/bridge.h"

#include "base/log.h"
#include "kernel/bridge_port.h"

#include <errno.h>

static const struct nv_rtobj *bridge_port_of(const struct nv_move *move)
{
	return move->to ? nv_rtobjs_next(&move->port, NULL) : NULL;
}

/*
 * Requests in one datagram are not interrupted by a signal that kills the process. The first
 * @needed requests must not fail, except number @may_fail. The others may fail only because a port
 * has gone meanwhile.
 */
static bool bridge_carry_out(struct nv_kernel *kernel, const struct nv_move *move,
	struct nv_rtobjs *requests, int error, size_t needed, size_t may_fail)
{
	NV_AUTO(nv_free) int *errors = calloc(requests->count ? requests->count : 1, sizeof(int));

	if (error == 0)
		error = errors ? nv_kernel_batch(kernel, requests, errors) : -ENOMEM;
	for (size_t i = 0; i < needed && i < requests->count && error == 0; i++)
		error = i == may_fail ? 0 : errors[i];
	if (error < 0)
		nv_err("cannot make %s replace %s as a port of %s: %s", move->to_name,
			move->from_name, move->bridge, nv_strerror(error));
	return error == 0;
}

bool nv_bridge_enter(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_rtobj *port = bridge_port_of(move);
	NV_AUTO(nv_rtobjs) struct nv_rtobjs requests = {};
	int r = 0;

	if (!port)
		return true;
	if (move->from)
		r = nv_brport_isolate(&requests, move->from, true);
	if (r == 0)
		r = nv_brport_enter(&requests, port, move->to);
	return bridge_carry_out(
		kernel, move, &requests, r, SIZE_MAX, NV_BRPORT_ENTER_MAY_FAIL + (move->from != 0));
}

/*
 * An entry of the forwarding database belongs to one port only, and a frame that came by the old
 * port may have moved it back.
 */
static int bridge_request_macs(const struct nv_move *move, struct nv_rtobjs *requests)
{
	const struct nv_link_map map = {move->was, move->to, move->from_name, move->to_name};
	const struct nv_link_maps list = {&map, 1};
	const struct nv_rtobjs *objs = &move->port;
	int r = 0;

	nv_each_rtobj (obj, objs)
		if (r == 0 && nv_rtobj_kind(obj) == NV_RTOBJ_FDB)
			r = nv_rtobjs_request(requests, obj, NV_RTOBJ_REPLACE, &list);
	return r;
}

static int bridge_request_succession(
	const struct nv_move *move, const struct nv_rtobj *port, struct nv_rtobjs *requests)
{
	int r = nv_brport_flood(requests, port, move->to);

	if (r == 0 && move->from)
		r = nv_brport_flood(requests, NULL, move->from);
	if (r == 0 && move->from)
		r = nv_brport_leave(requests, move->from);
	if (r == 0)
		r = nv_brport_isolate(requests, move->to, nv_brport_is_isolated(port));
	return r;
}

void nv_bridge_leave(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_rtobj *port = bridge_port_of(move);
	NV_AUTO(nv_rtobjs) struct nv_rtobjs macs = {};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs requests = {};

	if (!port)
		return;
	bridge_carry_out(kernel, move, &macs, bridge_request_macs(move, &macs), SIZE_MAX, SIZE_MAX);
	bridge_carry_out(kernel, move, &requests, bridge_request_succession(move, port, &requests),
		1, SIZE_MAX);
}

void nv_bridge_undo(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_rtobj *port = bridge_port_of(move);
	NV_AUTO(nv_rtobjs) struct nv_rtobjs requests = {};
	int r;

	if (!port || !move->from)
		return;
	r = nv_brport_leave(&requests, move->to);
	if (r == 0)
		r = nv_brport_isolate(&requests, move->from, nv_brport_is_isolated(port));
	bridge_carry_out(kernel, move, &requests, r, 0, SIZE_MAX);
}
