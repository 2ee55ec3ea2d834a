#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: setup.sh [--check] [build|run|test|soak|bench|check|kernel|arm64|all]...
#
# Finds what this machine lacks for the named jobs (default: build and run) and installs
# it with apt, by sudo when not root, saying what and why. Says nothing when
# nothing is missing. With --check nothing is installed: what is missing is
# listed and the exit status is 1.
#
#   build   build the module
#   run     boot a guest with it
#   test    run the tests
#   soak    draw what memory did in hours of tests
#   bench   draw what the measurements found
#   check   run the static checks
#   kernel  build a kernel for the guest
#   arm64   do so for arm64 as well
#
# On Debian 12 QEMU comes from backports, because its own has no igb; when the
# machine knows no backports, an apt source is added that is a copy of the
# machine's own Debian entry with that suite. On anything but Debian the
# script only lists what is missing.

. "$(dirname "$0")/lib.sh"

BACKPORTS_FILE=igb_demo-backports

# need 'JOB...' PACKAGE 'WHY' TEST...: these jobs want PACKAGE unless TEST
# succeeds. PACKAGE may be a|b where releases of Debian call it differently.
need() {
	local job package=$2 why=$3 wanted=''

	for job in $1 all; do
		[[ $jobs == *" $job "* ]] && wanted=1
	done
	[[ $wanted ]] || return 0
	shift 3
	"$@" 2>/dev/null && return
	packages+=("$package")
	whys+=("$why")
}

# qemu_has_igb BINARY: is there a QEMU that knows the network card?
qemu_has_igb() {
	have "$1" && "$1" -device help 2>/dev/null | grep '"igb"' >/dev/null
}

has_library() {
	ldconfig -p | grep -F "$1" >/dev/null
}

find_missing() {
	packages=() whys=()

	need build make 'runs the Makefile' have make
	need build gcc 'compiles the module' have gcc
	need build 'libelf1|libelf1t64' "runs the kernel's objtool" has_library libelf.so.1
	need build kmod 'finds module dependencies' have depmod
	need run xz-utils 'unpacks kernel modules' have xz
	need run cpio "packs the guest's initramfs" have cpio
	need run qemu-system-x86 "emulates the guest and its 82576 network card" \
		qemu_has_igb qemu-system-x86_64

	need test python3 'runs the tests' test -x /usr/bin/python3
	need test python3-pytest 'runs the tests' python_has pytest
	need test python3-pytest-xdist 'runs tests side by side' python_has xdist
	need test python3-pytest-rerunfailures 'tries again where QEMU failed' \
		python_has pytest_rerunfailures.py
	need test python3-pytest-timeout 'ends a test that hangs' python_has pytest_timeout.py
	need test python3-scapy 'writes and reads frames' python_has scapy
	need test libc6-dev "compiles the tests' helper programs" test -e /usr/include/stdio.h

	need 'soak bench' gnuplot-nox 'draws curves and bars' have gnuplot

	need check sparse 'checks address spaces, byte order and locks' have sparse
	need 'test check' clang "compiles XDP programs, and the module a second way" have clang
	need check shellcheck 'checks shell scripts' have shellcheck
	need check codespell 'checks the spelling' have codespell
	need check perl 'runs checkpatch' perl -MPOSIX -MTerm::ANSIColor -e 1
	need check python3 'runs spdxcheck' test -x /usr/bin/python3

	need kernel flex "makes the scanners of the kernel's build" have flex
	need kernel bison "makes the parsers of the kernel's build" have bison
	need kernel bc 'reckons for the kernel' have bc
	need kernel lz4 'compresses the kernel' have lz4
	need kernel libelf-dev "compiles the kernel's objtool" test -e /usr/include/gelf.h
	need kernel libssl-dev "compiles the kernel's build tools" test -e /usr/include/openssl/bio.h

	need 'arm64 check' gcc-aarch64-linux-gnu 'compiles for arm64' have aarch64-linux-gnu-gcc
	need arm64 libc6-dev-arm64-cross "compiles the tests' helper programs for arm64" \
		test -e /usr/aarch64-linux-gnu/include/stdio.h
	need arm64 qemu-system-arm 'emulates an arm64 guest' qemu_has_igb qemu-system-aarch64
}

python_has() {
	[[ -e /usr/lib/python3/dist-packages/$1 ]]
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		die "need root for '$1', and there is no sudo"
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
		apt-get --quiet=1 --option Dpkg::Use-Pty=0 \
		--option DPkg::Lock::Timeout=300 "$@" >&2
}

# A third-party repository that fails must not stop us: what is missing after
# the update does.
apt_update() {
	say "reading the package lists"
	apt update || say "not every apt source answered; going on"
}

has_backports() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(RELEASE)' 'Created-By: Packages' |
		grep -x "$codename-backports" >/dev/null
}

# QEMU's candidate version in Debian 12 proper is 7.2, igb came with 8.0.
apt_has_qemu8() {
	local version

	version=$(apt-cache policy "$1" | awk '/Candidate:/ { print $2 }')
	dpkg --compare-versions "$version" ge 1:8.0
}

add_backports() {
	local kind suffix entry

	for kind in deb822 list; do
		entry=$(debian_sources "$kind" "$codename" "$codename-backports")
		[[ $entry ]] || continue
		suffix=$([[ $kind == deb822 ]] && echo sources || echo list)
		say "adding /etc/apt/sources.list.d/$BACKPORTS_FILE.$suffix: $codename-backports from this machine's own mirror, for a QEMU with igb"
		printf '# Added by igb_demo scripts/setup.sh for a QEMU that has igb.\n%s\n' "$entry" |
			as_root tee "/etc/apt/sources.list.d/$BACKPORTS_FILE.$suffix" >/dev/null
		return
	done
	die "no entry for Debian $codename in apt's sources to derive $codename-backports from"
}

# known_name 'a|b': the first of the names that apt has.
known_name() {
	local name

	for name in ${1//|/ }; do
		if apt-cache show "$name" >/dev/null 2>&1; then
			echo "$name"
			return
		fi
	done
	die "apt knows no package ${1//|/ or }"
}

list_missing() {
	local i

	for i in "${!packages[@]}"; do
		printf '  %-24s %s\n' "${packages[i]%%|*}" "${whys[i]}" >&2
	done
}

install_missing() {
	local package name plain=() backports=()

	as_root true || die "sudo refuses; install these as root: ${packages[*]%%|*}"
	apt_update
	for package in "${packages[@]}"; do
		name=$(known_name "$package")
		if [[ $name == qemu-system-* ]] && ! apt_has_qemu8 "$name"; then
			backports+=("$name")
		else
			plain+=("$name")
		fi
	done
	if ((${#plain[@]})); then
		apt install --yes --no-install-recommends "${plain[@]}"
	fi
	if ((${#backports[@]})); then
		if ! has_backports; then
			add_backports
			apt_update
		fi
		apt install --yes --no-install-recommends \
			--target-release "$codename-backports" "${backports[@]}"
	fi
}

jobs=' ' check_only=''
while (($#)); do
	case $1 in
	build | run | test | soak | bench | check | kernel | arm64 | all) jobs+="$1 " ;;
	--check) check_only=1 ;;
	--help | -h) help_text && exit ;;
	*) wrong_use "unknown word '$1'" ;;
	esac
	shift
done
[[ $jobs == ' ' ]] && jobs=' build run '

find_missing
((${#packages[@]})) || exit 0

if [[ ! $check_only ]]; then
	# Another of us may be installing just that.
	prepare_cache
	lock_cache setup
	find_missing
	((${#packages[@]})) || exit 0
fi
say "this machine lacks:"
list_missing
if [[ $check_only ]]; then
	exit 1
fi
codename=$(debian_codename) ||
	die "not Debian: please install these (Debian's names) yourself; QEMU must be 8.0 or later"
install_missing

find_missing
if ((${#packages[@]})); then
	say "installed, and yet this is missing:"
	list_missing
	exit 1
fi
say "all is there now"
