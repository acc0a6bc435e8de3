#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# join-bond VF: what a distribution's network service does for a bond's primary port.

ip link set "$1" down
ip link set "$1" master bond0 && ip link set bond0 type bond primary "$1"
