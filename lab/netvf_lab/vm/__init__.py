# SPDX-License-Identifier: BSD-2-Clause
"""The lab with a real guest: a Debian kernel in QEMU, real drivers, real hot-plug."""
