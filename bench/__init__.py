# SPDX-License-Identifier: GPL-2.0
"""How fast the driver is, counted in instructions: see bench.py."""
