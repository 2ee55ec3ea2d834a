#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: build-kernel.sh --kernel NAME [--headers] [--update]
#
# Makes sure that a kernel of the project's own configuration, NAME, is built
# for the x86_64 guest and in the cache, ${XDG_CACHE_HOME:-~/.cache}/igb_demo,
# and says where, in guest-kernel.sh's words: KERNEL_IMAGE, KDIR, MODULES. With
# --headers it is only made ready to compile modules against it, and KDIR said.
#
# Its source is Debian's linux-source-6.12, or for next the newest that the
# backports of Debian 13 have. Its configuration is the kernel's tinyconfig,
# tests/kernel/guest.config and tests/kernel/NAME.config; another configuration,
# or with --update another source, makes another kernel.
#
#   debug   what finds a driver's mistakes: KASAN, lockdep, kmemleak, checks of
#           DMA and of objects, failures to order
#   race    what finds accesses that race: KCSAN, in a kernel with PREEMPT_RT
#   next    a kernel to come, without such checks

. "$(dirname "$0")/lib.sh"

CONFIGS=$TOP/tests/kernel
NEXT_SUITE=trixie-backports

kernel='' headers='' update=''
while (($#)); do
	case $1 in
	--kernel)
		(($# > 1)) || wrong_use "$1 wants a value"
		kernel=$2
		shift 2
		;;
	--headers) headers=1 && shift ;;
	--update) update=1 && shift ;;
	--help | -h) help_text && exit ;;
	*) wrong_use "unknown option '$1'" ;;
	esac
done
[[ $kernel && $kernel != guest && $kernel != */* && -f $CONFIGS/$kernel.config ]] ||
	wrong_use "no kernel '$kernel': there is $(cd "$CONFIGS" && echo *.config |
		sed 's/guest\.config//; s/\.config//g')"
fragments=("$CONFIGS/guest.config" "$CONFIGS/$kernel.config")

series=6.12
[[ $kernel == next ]] && series=next
source=$CACHE/source/$series-tree
store=$CACHE/kernel/amd64

# choose_package: the package that has the source, and the private apt for it.
choose_package() {
	apt=$(dpkg --print-architecture)
	package=linux-source-$series
	lock_cache "apt-$apt"
	if [[ $series == next ]]; then
		private_apt "$apt" "$NEXT_SUITE"
		apt=$NEXT_SUITE
	else
		private_apt "$apt"
	fi
	papt_update "$apt"
	if [[ $series == next ]]; then
		package=$(papt "$apt" apt-cache pkgnames linux-source- |
			grep -E '^linux-source-[0-9.]+$' | sort -V | tail -n 1)
		[[ $package ]] || die "this machine's Debian mirrors have no kernel in $NEXT_SUITE"
	fi
}

# fetch_tree: all of the source, as a whole or not at all.
fetch_tree() {
	local tmp=$CACHE/source/.tree.$$ apt package deb

	rm -rf "$CACHE"/source/.tree.*
	mkdir -p "$tmp"
	choose_package
	say "fetching $package (about 160 MB)"
	(cd "$tmp" && papt_download "$apt" "$package") || die "could not fetch $package"
	deb=$(echo "$tmp"/*.deb)
	say "unpacking it (1.5 GB)"
	dpkg-deb --fsys-tarfile "$deb" | tar -C "$tmp" -xf - --wildcards './usr/src/*.tar.xz'
	mkdir "$tmp/tree"
	tar -C "$tmp/tree" -xf "$tmp"/usr/src/*.tar.xz --strip-components=1
	dpkg-deb --field "$deb" Version >"$tmp/tree/.debian-version"
	rm -rf "$source"
	mv "$tmp/tree" "$source"
	rm -rf "$tmp"
}

# name_build: of which source and which configuration.
name_build() {
	local sum

	[[ -e $source/.debian-version ]] || return 1
	sum=$(sed '/^# CONFIG_.* is not set$/b; /^#/d; /^$/d' "${fragments[@]}" |
		cat - "$source/.debian-version" | sha256sum)
	dir=$store/$kernel-${sum:0:12}
}

print_result() {
	local rel

	name_build || return 1
	if [[ $headers ]]; then
		[[ -e $dir/prepared || -e $dir/complete ]] || return 1
		echo "KDIR=$dir/build"
		return
	fi
	[[ -e $dir/complete ]] || return 1
	rel=$(<"$dir/complete")
	echo "KERNEL_IMAGE=$dir/vmlinuz"
	echo "KDIR=$dir/build"
	echo "MODULES=$dir/lib/modules/$rel"
}

# wanted_options: a line each, as the last fragment has it.
wanted_options() {
	cat "${fragments[@]}" | awk '
		/^CONFIG_/ { name = $0; sub(/=.*/, "", name); line[name] = $0 }
		/^# CONFIG_.* is not set$/ { line[$2] = $0 }
		END { for (name in line) print line[name] }'
}

# check_config FILE: an option that others forbid is left out in silence.
check_config() {
	local line name missing=''

	while read -r line; do
		case $line in
		CONFIG_*) grep -qxF "$line" "$1" || missing+=" $line" ;;
		'# CONFIG_'*' is not set')
			name=${line#\# }
			! grep -q "^${name%% *}=" "$1" || missing+=" $line"
			;;
		esac
	done < <(wanted_options)
	[[ ! $missing ]] || die "the kernel's configuration lacks:$missing"
}

# kmake ARGS...: a make above us means our Makefile with its words.
kmake() {
	env --unset=MAKEFLAGS --unset=MAKELEVEL --unset=MFLAGS \
		make --directory "$source" "O=$dir/build" "--jobs=$(nproc)" --silent ARCH=x86_64 "$@"
}

# logged COMMAND...: what a build says is of interest when it fails.
logged() {
	"$@" >>"$dir/log" 2>&1 && return
	tail -n 30 "$dir/log" >&2
	die "could not build the kernel; all it said is in $dir/log"
}

prepare() {
	mkdir -p "$dir/build"
	: >"$dir/log"
	logged kmake tinyconfig
	(cd "$dir/build" && logged "$source/scripts/kconfig/merge_config.sh" -m -O . .config \
		"${fragments[@]}")
	logged kmake olddefconfig
	check_config "$dir/build/.config"
	logged kmake modules_prepare
	touch "$dir/prepared"
}

build() {
	local build=$dir/build rel start=$SECONDS

	# What was begun is gone on with, since it takes that long.
	say "building the $kernel kernel from linux-source $(<"$source/.debian-version") (ten minutes on two cores)"
	logged kmake bzImage modules
	logged kmake "INSTALL_MOD_PATH=$dir" modules_install
	cp "$build/arch/x86/boot/bzImage" "$dir/vmlinuz"
	rel=$(<"$build/include/config/kernel.release")

	# What modules are built against stays.
	find "$build" -name '*.o' ! -path "$build/scripts/*" ! -path "$build/tools/*" -delete
	rm -rf "$build"/{vmlinux,vmlinux.*,.tmp_vmlinux*,arch/x86/boot}
	echo "$rel" >"$dir/complete"
	say "built $rel in $(((SECONDS - start + 30) / 60)) minutes"
}

if [[ ! $update ]] && print_result; then
	exit
fi

prepare_cache
mkdir -p "$store"
lock_cache "kernel-$kernel"
if [[ ! $update ]] && print_result; then
	exit
fi
"$TOP/scripts/setup.sh" kernel
if [[ $update || ! -e $source/.debian-version ]]; then
	lock_cache tree
	if [[ $update || ! -e $source/.debian-version ]]; then
		fetch_tree
	fi
fi
name_build
[[ -e $dir/prepared ]] || prepare
[[ $headers || -e $dir/complete ]] || build
for old in "$store/$kernel"-*; do
	[[ $old == "$dir" ]] || rm -rf "$old"
done
print_result || die "the cache $store is damaged; remove it and try again"
