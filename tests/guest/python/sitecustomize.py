# SPDX-License-Identifier: GPL-2.0
"""Of Python in the guest: the kernel's netlink specifications are read by libyaml, which takes
a second there instead of ten."""
import yaml

yaml.SafeLoader = yaml.CSafeLoader
