#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: guest-kernel.sh [--arch x86_64|arm64] [--kernel NAME] [--source]
#                        [--update]
#
# Makes sure that Debian's stock 6.12 kernel for the guest and the headers to
# build modules against it are unpacked in the cache,
# ${XDG_CACHE_HOME:-~/.cache}/igb_demo, and says where:
#
#   KERNEL_IMAGE=...   the bootable image
#   KDIR=...           what `make -C` wants for an external module
#   MODULES=...        lib/modules/<release> of that image
#   SOURCE=...         with --source: of the kernel's source its scripts
#                      (checkpatch.pl, kernel-doc, spdxcheck.py), KUnit's, and
#                      its tests of network drivers with what these use
#
# The newest 6.12 image that this machine's Debian mirrors offer is taken when
# there is none yet, and again with --update; otherwise what is in the cache is
# used, without asking anyone. Nothing is installed: the packages are fetched
# and unpacked, the host's dpkg and boot directory stay as they are.
#
# With --kernel (default: $KERNEL) the same is said of a kernel that
# build-kernel.sh builds.

. "$(dirname "$0")/lib.sh"

arch=x86_64 kernel=${KERNEL:-} source='' update=''
while (($#)); do
	case $1 in
	--arch)
		arch=$(arch_of "${2:-}")
		[[ $arch ]] || wrong_use "--arch wants x86_64 or arm64, not '${2:-}'"
		shift 2
		;;
	--kernel)
		(($# > 1)) || wrong_use "$1 wants a value"
		kernel=$2
		shift 2
		;;
	--source) source=1 && shift ;;
	--update) update=1 && shift ;;
	--help | -h) help_text && exit ;;
	*) wrong_use "unknown option '$1'" ;;
	esac
done

if [[ $kernel ]]; then
	[[ $arch == x86_64 ]] || wrong_use "the $kernel kernel is for x86_64 only"
	"$TOP/scripts/build-kernel.sh" --kernel "$kernel" ${update:+--update}
	if [[ $source ]]; then
		"$0" --kernel '' --source | sed -n '/^SOURCE=/p'
	fi
	exit
fi

deb=$(deb_arch_of "$arch")
store=$CACHE/kernel/$deb

has_source() {
	[[ -e $CACHE/source/6.12/scripts/checkpatch.pl &&
		-e $CACHE/source/6.12/lib/kunit/test.c &&
		-e $CACHE/source/6.12/tools/testing/selftests/drivers/net ]]
}

# The symbolic link "current" is set last, so what it leads to is complete.
print_result() {
	local dir rel image

	[[ -L $store/current ]] || return 1
	dir=$store/$(readlink "$store/current")
	rel=${dir##*/}
	image=$dir/boot/vmlinuz-$rel
	[[ -e $image ]] || return 1
	if [[ $source ]]; then
		has_source || return 1
	fi
	echo "KERNEL_IMAGE=$image"
	echo "KDIR=$dir/usr/src/linux-headers-$rel"
	echo "MODULES=$dir/lib/modules/$rel"
	if [[ $source ]]; then
		echo "SOURCE=$CACHE/source/6.12"
	fi
}

# The newest stock image: neither -cloud, -rt nor -unsigned, which have their
# word before or after the architecture.
newest_release() {
	papt "$deb" apt-cache --names-only search '^linux-image-6\.12\.' |
		sed -En "s/^linux-image-(6\.12\.[^- ]+-$deb) .*/\1/p" |
		sort -V | tail -n 1
}

# fetch_kernel RELEASE: into the cache as a whole or not at all.
fetch_kernel() {
	local rel=$1 tmp=$store/.tmp.$$ host abi file

	abi=${rel%-"$deb"}
	host=$(dpkg --print-architecture)
	rm -rf "$store"/.tmp.*
	mkdir -p "$tmp/debs" "$tmp/root"

	say "fetching Debian's $rel kernel and headers (about 120 MB)"
	(
		cd "$tmp/debs"
		papt_download "$deb" "linux-image-$rel" \
			"linux-headers-$rel" "linux-headers-$abi-common"
		# kbuild's own programs run here, not in the guest.
		papt_download "$host" "linux-kbuild-$abi"
	) || die "could not fetch the packages of kernel $rel"

	say "unpacking them"
	for file in "$tmp"/debs/*.deb; do
		dpkg-deb --extract "$file" "$tmp/root"
	done
	rm -rf "$tmp/root/usr/share"
	# Trixie's packages keep modules below /usr.
	if [[ ! -e $tmp/root/lib && -d $tmp/root/usr/lib/modules ]]; then
		ln -s usr/lib "$tmp/root/lib"
	fi

	# The headers name each other by their place on an installed system.
	sed -i "s,\(^\|[[:space:]=]\)/usr/\(src\|lib\)/,\1$store/$rel/usr/\2/,g" \
		"$tmp/root/usr/src/linux-headers-$rel/Makefile" \
		"$tmp/root/usr/src/linux-headers-$rel/.kernelvariables"
	ln -sfn "$store/$rel/usr/src/linux-headers-$rel" "$tmp/root/lib/modules/$rel/build"

	depmod --basedir "$tmp/root" "$rel"
	rm -rf "${store:?}/$rel"
	mv "$tmp/root" "$store/$rel"
	rm -rf "$tmp"
}

# Of linux-source's tarball only what the checks and the tests run is kept.
fetch_source() {
	local tmp=$CACHE/source/.tmp.$$

	rm -rf "$CACHE"/source/.tmp.*
	mkdir -p "$tmp"
	say "fetching linux-source-6.12 for its checks and tests (about 150 MB)"
	(cd "$tmp" && papt_download "$(dpkg --print-architecture)" linux-source-6.12) ||
		die "could not fetch linux-source-6.12"
	say "unpacking them"
	dpkg-deb --fsys-tarfile "$tmp"/*.deb |
		tar -C "$tmp" -xf - --wildcards './usr/src/*.tar.xz'
	tar -C "$tmp" -xf "$tmp"/usr/src/*.tar.xz --strip-components=1 \
		--wildcards --no-wildcards-match-slash \
		'*/scripts' '*/LICENSES' '*/.clang-format' '*/lib/kunit' \
		'*/Documentation/dev-tools/checkpatch.rst' \
		'*/tools/testing/selftests/*.h' \
		'*/tools/testing/selftests/net' \
		'*/tools/testing/selftests/drivers/net' \
		'*/tools/net/ynl/lib' '*/Documentation/netlink/specs' \
		'*/include/uapi/linux/ethtool.h'
	rm -rf "${tmp:?}"/*.deb "${tmp:?}/usr" "${CACHE:?}/source/6.12"
	mv "$tmp" "${CACHE:?}/source/6.12"
}

if [[ ! $update ]] && print_result; then
	exit
fi

prepare_cache
lock_cache "kernel-$deb"
if [[ ! $update ]] && print_result; then
	exit
fi

host=$(dpkg --print-architecture 2>/dev/null) ||
	die "this is not Debian: cannot fetch Debian kernels; use KERNEL_IMAGE= and KDIR="
for a in "$deb" "$host"; do
	[[ $a == "$host" && $a == "$deb" && ${updated:-} ]] && continue
	lock_cache "apt-$a"
	private_apt "$a"
	papt_update "$a"
	updated=1
done

if [[ $update || ! -L $store/current ]]; then
	rel=$(newest_release)
	[[ $rel ]] || die "this machine's Debian mirrors offer no linux-image-6.12.*-$deb"
	if [[ ! -e $store/$rel/boot/vmlinuz-$rel ]]; then
		fetch_kernel "$rel"
	fi
	ln -sfn "$rel" "$store/.current.$$"
	mv -T "$store/.current.$$" "$store/current"
fi
if [[ $source ]] && { [[ $update ]] || ! has_source; }; then
	lock_cache source
	fetch_source
fi
print_result || die "the cache $store is damaged; remove it and try again"
