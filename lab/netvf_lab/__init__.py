# SPDX-License-Identifier: BSD-2-Clause
"""The simulated host: a guest with an hn and a VF that comes and goes, in network namespaces."""
