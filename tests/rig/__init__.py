# SPDX-License-Identifier: GPL-2.0
"""What the tests are made of: guests, wires, peers and the image they boot."""
