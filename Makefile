# SPDX-License-Identifier: GPL-2.0-only
#
# The front door for people; what the kernel's build system reads is Kbuild.
# Every target sets up what it needs by itself.

# What races can only race where each CPU is a thread; and it is traffic, and coming and
# going, that do.
ifeq ($(KERNEL),race)
GUEST		?= smp-2cpu
TESTS		?= $(patsubst %,tests/test_%.py,sessions walk queues netdev xdp xsk transmit receive) \
	$(addprefix tests/test_faults.py::,TestVanished TestStress)
endif

# Variables, all of them optional:
#
ARCH		?= x86_64# the guest's architecture: x86_64 or arm64
KERNEL		?=# a kernel built for the guest (ten minutes): debug, race, next
KDIR		?=# kernel tree or headers to build against, 6.12 or later
KERNEL_IMAGE	?=# kernel to boot instead of Debian's stock one
MODULES		?=# that kernel's lib/modules/<release>, if it has modules
CPUS		?=# make run: number of CPUs
PORTS		?=# make run: number of network cards
MEM		?=# make run: memory in MiB
APPEND		?=# make run: more words for the kernel command line
QEMU_ARGS	?=# make run: more options for scripts/run-qemu.sh
SVG		?=# make follow: draw the journey into this file
PUBLISH		?=# make features, troubles: 1: renew README's tables, or the page
TESTS		?= tests# make test, soak: files or tests to run
GUEST		?=# make test, soak: in this guest only, such as iommu-2cpu (tests/rig/box.py)
SHARE		?=# make test: 2/3 runs the second of three parts of them
HOURS		?= 1# make soak: for how long, 0.1 is six minutes
SEED		?=# make soak: which tests follow each other (any)
BASE		?=# make bench: results of an earlier run to compare with
SHORT		?=# make bench: 1: some workloads, of igb_demo alone, nothing drawn
WALL		?=# make bench: 1: with WORKLOADS: the clock on the wall, too
WORKLOADS	?=# make bench: only these, nothing drawn
RESULTS		?=# make bench: where the results go (build/bench.json, or -short, -some)
V		?=# 1: show every command

arch := $(if $(filter x86_64 x86 amd64,$(ARCH)),x86_64,$(filter arm64,$(ARCH:aarch64=arm64)))
ifeq ($(arch),)
$(error ARCH=$(ARCH) is not supported: use x86_64 or arm64)
endif
ifneq ($(filter-out 0 1,$(V)),)
$(error V=$(V): use V=1 to see every command)
endif

Q		:= $(if $(filter 1,$(V)),,@)
SHELL		:= /bin/bash
PYTHON		:= /usr/bin/python3
BUILD		:= build/$(arch)$(KERNEL:%=-%)
export KERNEL GUEST SHARE
INITRAMFS	:= $(BUILD)/initramfs.cpio
jobs_for_arch	:= $(filter arm64,$(arch))

# Only a whole run draws what it found.
bench_part	:= $(if $(SHORT),-short,$(if $(WORKLOADS),-some))

# A kernel of one's own has its modules built in, unless MODULES says otherwise.
modules_arg	= $(if $(MODULES),--modules $(MODULES),$(if $(KERNEL_IMAGE),--modules none))

.PHONY: module
module: setup-build ## build igb_demo.ko (the default)
	$(Q)+scripts/build-module.sh --arch $(arch) \
		$(if $(KDIR),--kdir '$(KDIR)') $(if $(V),V=$(V))
ifeq ($(BUILD),build/x86_64)
	$(Q)cmp --silent $(BUILD)/igb_demo.ko igb_demo.ko || \
		cp $(BUILD)/igb_demo.ko igb_demo.ko
endif

.PHONY: run
run: initramfs ## boot a guest: a shell, driver loaded, eth0 addressed (no terminal: as demo)
	$(Q)if [ -t 0 ]; then \
		exec scripts/run-qemu.sh --arch $(arch) --initrd $(INITRAMFS) \
			$(if $(KERNEL_IMAGE),--kernel '$(KERNEL_IMAGE)') \
			$(if $(CPUS),--cpus '$(CPUS)') $(if $(PORTS),--ports '$(PORTS)') \
			$(if $(MEM),--memory '$(MEM)') \
			--append igb_demo.mode=run $(if $(APPEND),--append '$(APPEND)') \
			$(QEMU_ARGS); \
	else \
		$(MAKE) --no-print-directory demo; \
	fi

.PHONY: demo
demo: setup-test module ## play the sessions without a terminal, fail when one fails
	$(Q)$(PYTHON) scripts/demo.py --arch $(arch)

.PHONY: follow
follow: setup-test module ## follow one ping through the driver, step by step (SVG=file: draw it)
	$(Q)scripts/follow-packet --arch $(arch) $(if $(SVG),--svg '$(SVG)')

.PHONY: features
features: setup-test module ## ask in-tree igb and this driver what they offer (PUBLISH=1: in README)
	$(Q)scripts/feature-table --arch $(arch) $(if $(PUBLISH),--publish)

.PHONY: troubles
troubles: setup-test module ## put in-tree igb and this driver to the same troubles (PUBLISH=1: its page)
	$(Q)scripts/trouble-table --arch $(arch) $(if $(PUBLISH),--publish)

# A guest is one thread, for the most part, and waits for a third of its time; less so
# where a kernel looks at each step, and its guests take the caches from each other.
guests		= $(if $(filter debug race,$(KERNEL)),3,4)

.PHONY: test
test: setup-test module ## run the tests in guests (TESTS=tests/test_x.py for some)
	$(Q)scripts/guest-tools.sh --arch $(arch) --clients >/dev/null
	$(Q)scripts/guest-tools.sh --arch $(arch) --selftests >/dev/null
	$(Q)scripts/guest-kernel.sh --arch $(arch) --source >/dev/null
	$(Q)$(PYTHON) -m pytest -n $(guests) $(TESTS)

.PHONY: soak
soak: setup-soak module ## run them at random for HOURS, draw what memory does, fail if it grows
	$(Q)scripts/guest-kernel.sh --arch $(arch) --source >/dev/null
	$(Q)PYTHONPATH=tests $(PYTHON) -m pytest -p soak -n 0 --hours '$(HOURS)' --seed '$(SEED)' \
		$(TESTS)

.PHONY: bench
bench: setup-bench module ## count what a packet costs, beside in-tree igb (BASE=file: compare)
	$(Q)$(PYTHON) bench/bench.py --arch $(arch) \
		--output '$(or $(RESULTS),build/bench$(bench_part).json)' \
		$(if $(bench_part),,--publish) $(if $(SHORT),--short) $(if $(WALL),--wall) \
		$(if $(BASE),--base '$(BASE)') $(WORKLOADS)

.PHONY: check
check: ## check the source: compilers, sparse, checkpatch, kernel-doc, scripts, spelling
	$(Q)scripts/setup.sh build check
	$(Q)+V=$(V) scripts/check.sh

.PHONY: initramfs
initramfs: setup-run module ## pack the guest's file system with the module
	$(Q)scripts/mkinitramfs.sh --arch $(arch) --output $(INITRAMFS) \
		--module $(BUILD)/igb_demo.ko $(modules_arg)

.PHONY: setup
setup: ## install and fetch all that any target needs
	$(Q)scripts/setup.sh all
	$(Q)scripts/guest-kernel.sh --source >/dev/null
	$(Q)scripts/guest-tools.sh >/dev/null
	$(Q)scripts/guest-tools.sh --clients >/dev/null
	$(Q)scripts/guest-tools.sh --selftests >/dev/null
	$(Q)scripts/guest-kernel.sh --arch arm64 >/dev/null
	$(Q)scripts/guest-tools.sh --arch arm64 >/dev/null
	$(Q)scripts/guest-tools.sh --arch arm64 --clients >/dev/null
	$(Q)scripts/guest-tools.sh --arch arm64 --selftests >/dev/null

.PHONY: update
update: ## fetch the newest guest kernel and programs that apt offers
	$(Q)scripts/guest-kernel.sh --arch $(arch) --update
	$(Q)scripts/guest-tools.sh --arch $(arch) --update
	$(Q)scripts/guest-tools.sh --arch $(arch) --clients --update
	$(Q)scripts/guest-tools.sh --arch $(arch) --selftests --update

.PHONY: clean
clean: ## remove what was built; the cache of downloads stays
	$(Q)rm -rf build igb_demo.ko

.PHONY: help
help: ## show this text
	@echo 'Targets:'
	@sed -En 's/^([a-z]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 16
	@echo 'Variables:'
	@sed -En 's/^([A-Z_]+)\t+\?= ?([^#]*)# ?(.*)/  \1\t\3\t\2/p' Makefile | \
		awk -F '\t' '{ printf "  %-14s%s%s\n", substr($$1, 3), $$2, $$3 == "" ? "" : " (default: " $$3 ")" }'

.PHONY: setup-build setup-run setup-test setup-soak setup-bench
setup-build:
	$(Q)scripts/setup.sh build $(jobs_for_arch)
setup-run:
	$(Q)scripts/setup.sh build run $(jobs_for_arch)
setup-test:
	$(Q)scripts/setup.sh build run test $(jobs_for_arch)
setup-soak:
	$(Q)scripts/setup.sh build run test soak $(jobs_for_arch)
setup-bench:
	$(Q)scripts/setup.sh build run test $(if $(bench_part),,bench) $(jobs_for_arch)
