#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: build-kernel.sh --kernel NAME [--update]
#
# Makes sure that a kernel of the project's own configuration, NAME, is built
# for the x86_64 guest and in the cache, ${XDG_CACHE_HOME:-~/.cache}/igb_demo,
# and says where, in guest-kernel.sh's words: KERNEL_IMAGE, KDIR, MODULES.
#
# Its source is Debian's linux-source-6.12. Its configuration is the kernel's
# tinyconfig, tests/kernel/guest.config and tests/kernel/NAME.config; another
# configuration, or with --update another source, makes another kernel.
#
#   debug   what finds a driver's mistakes: KASAN, lockdep, kmemleak, checks of
#           DMA and of objects, failures to order

. "$(dirname "$0")/lib.sh"

SERIES=6.12
CONFIGS=$TOP/tests/kernel

kernel='' update=''
while (($#)); do
	case $1 in
	--kernel)
		(($# > 1)) || wrong_use "$1 wants a value"
		kernel=$2
		shift 2
		;;
	--update) update=1 && shift ;;
	--help | -h) help_text && exit ;;
	*) wrong_use "unknown option '$1'" ;;
	esac
done
[[ $kernel && $kernel != guest && $kernel != */* && -f $CONFIGS/$kernel.config ]] ||
	wrong_use "no kernel '$kernel': there is $(cd "$CONFIGS" && echo *.config |
		sed 's/guest\.config//; s/\.config//g')"
fragments=("$CONFIGS/guest.config" "$CONFIGS/$kernel.config")

source=$CACHE/source/$SERIES-tree
store=$CACHE/kernel/amd64

# fetch_tree: all of the source, as a whole or not at all.
fetch_tree() {
	local tmp=$CACHE/source/.tree.$$ host deb

	host=$(dpkg --print-architecture)
	rm -rf "$CACHE"/source/.tree.*
	mkdir -p "$tmp"
	lock_cache "apt-$host"
	private_apt "$host"
	papt_update "$host"
	say "fetching linux-source-$SERIES (about 150 MB)"
	(cd "$tmp" && papt_download "$host" "linux-source-$SERIES") ||
		die "could not fetch linux-source-$SERIES"
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

	name_build && [[ -e $dir/complete ]] || return 1
	rel=$(<"$dir/complete")
	echo "KERNEL_IMAGE=$dir/vmlinuz"
	echo "KDIR=$dir/build"
	echo "MODULES=$dir/lib/modules/$rel"
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
	done < <(cat "${fragments[@]}")
	[[ ! $missing ]] || die "the kernel's configuration lacks:$missing"
}

build() {
	local build=$dir/build rel start=$SECONDS
	# A make above us means our Makefile with its words.
	local kmake=(env --unset=MAKEFLAGS --unset=MAKELEVEL --unset=MFLAGS
		make --directory "$source" "O=$build" "--jobs=$(nproc)" --silent ARCH=x86_64)

	# What was begun is gone on with, since it takes that long.
	say "building the $kernel kernel from linux-source $(<"$source/.debian-version") (ten minutes on two cores)"
	mkdir -p "$build"
	"${kmake[@]}" tinyconfig >/dev/null
	(cd "$build" && "$source/scripts/kconfig/merge_config.sh" -m -O . .config \
		"${fragments[@]}" >/dev/null)
	"${kmake[@]}" olddefconfig
	check_config "$build/.config"
	if ! "${kmake[@]}" bzImage modules >"$dir/log" 2>&1; then
		tail -n 30 "$dir/log" >&2
		die "could not build the kernel; all it said is in $dir/log"
	fi
	"${kmake[@]}" "INSTALL_MOD_PATH=$dir" modules_install >>"$dir/log" 2>&1
	cp "$build/arch/x86/boot/bzImage" "$dir/vmlinuz"
	rel=$(<"$build/include/config/kernel.release")

	# What modules are built against stays.
	find "$build" -name '*.o' ! -path "$build/scripts/*" ! -path "$build/tools/*" -delete
	rm -rf "$build"/{vmlinux,vmlinux.*,.tmp_vmlinux*,arch/x86/boot}
	echo "$rel" >"$dir/complete"
	say "built $rel in $(((SECONDS - start + 30) / 60)) minutes"
	for old in "$store/$kernel"-*; do
		[[ $old == "$dir" ]] || rm -rf "$old"
	done
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
[[ -e $dir/complete ]] || build
print_result || die "the cache $store is damaged; remove it and try again"
