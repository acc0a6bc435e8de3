# SPDX-License-Identifier: BSD-2-Clause
"""A card with real virtual functions, in a machine that is host and guest at once."""
