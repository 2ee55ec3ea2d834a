#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: mkinitramfs.sh --output FILE [options]
#
# Packs the guest's whole file system: a static busybox, shells, ethtool, ip, tc,
# ss, bridge, iperf3, tcpdump and ping with their libraries, the overlay in
# rootfs/, and what the options name. Needs no root. The same input gives the same bytes.
#
#   --arch A         x86_64 (default) or arm64
#   --output FILE    where to write the initramfs
#   --module KO      a driver module, put at /lib/modules/<name>.ko and, as a
#                    link, into the shell's directory /root; repeatable
#   --kmod NAME      a module of the guest's kernel and those it needs, for
#                    modprobe; repeatable
#   --add SRC:DST    the host's file or directory SRC as DST in the guest;
#                    repeatable
#   --clients        the users of XDP and AF_XDP that Debian has, too
#   --selftests      what the kernel's tests of network drivers want, too
#   --modules DIR    lib/modules/<release> of the guest's kernel (default: the
#                    one guest-kernel.sh provides; "none" for a kernel that
#                    has everything built in)

. "$(dirname "$0")/lib.sh"

arch=x86_64 output='' modules='' more=() kos=() adds=()
# tcpdump, udhcpc and raw sockets want af_packet.
kmods=(af_packet)
while (($#)); do
	case $1 in
	--arch | --output | --module | --kmod | --add | --modules)
		(($# > 1)) || wrong_use "$1 wants a value"
		case $1 in
		--arch)
			arch=$(arch_of "$2")
			[[ $arch ]] || wrong_use "--arch wants x86_64 or arm64, not '$2'"
			;;
		--output) output=$2 ;;
		--module)
			[[ -f $2 ]] || wrong_use "no module '$2'"
			kos+=("$2")
			;;
		--kmod) kmods+=("$2") ;;
		--add)
			[[ $2 == ?*:/?* ]] || wrong_use "--add wants SRC:/DST, not '$2'"
			[[ -e ${2%:*} ]] || wrong_use "--add: no file '${2%:*}'"
			adds+=("$2")
			;;
		--modules)
			[[ $2 == none || -d $2 ]] || wrong_use "no directory '$2'"
			modules=$2
			;;
		esac
		shift 2
		;;
	--clients | --selftests) more=("$1") && shift ;;
	--help | -h) help_text && exit ;;
	*) wrong_use "unknown option '$1'" ;;
	esac
done
[[ $output ]] || wrong_use "--output FILE is missing"

eval "$("$TOP/scripts/guest-tools.sh" --arch "$arch" "${more[@]}" | sed 's/=\(.*\)/="\1"/')"
if [[ ! $modules ]]; then
	modules=$("$TOP/scripts/guest-kernel.sh" --arch "$arch" | sed -n 's/^MODULES=//p')
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/igb_demo-initramfs.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

# --- programs and libraries -------------------------------------------------

# tool NAME...: copy programs out of the tools, wherever Debian puts them.
tool() {
	local name path

	for name; do
		for path in usr/bin usr/sbin bin sbin; do
			[[ -f $TOOLS/$path/$name ]] || continue
			cp "$TOOLS/$path/$name" "$root/usr/bin/$name"
			continue 2
		done
		die "no program $name in $TOOLS"
	done
}

library_dirs=("$TOOLS"/lib/*-linux-gnu "$TOOLS"/usr/lib/*-linux-gnu "$TOOLS"/usr/lib "$TOOLS"/lib)

find_library() {
	local dir

	for dir in "${library_dirs[@]}"; do
		[[ -e $dir/$1 ]] || continue
		echo "$dir/$1"
		return
	done
	die "no library $1 in $TOOLS"
}

# add_libraries FILE...: what the programs are linked with, and what that is
# linked with; and the loader, at the place the programs name.
add_libraries() {
	local names name path interp new=("$@")

	while ((${#new[@]})); do
		names=$(readelf --dynamic --program-headers "${new[@]}" 2>/dev/null |
			sed -En 's/.*\(NEEDED\).*\[(.*)\]$/\1/p;
				 s/.*Requesting program interpreter: (.*)\]$/\1/p' |
			sort -u)
		new=()
		for name in $names; do
			if [[ $name == /* ]]; then
				interp=$name
				name=${name##*/}
				if [[ $interp != "/lib/$name" ]]; then
					mkdir -p "$root${interp%/*}"
					ln -sf "/lib/$name" "$root$interp"
				fi
			fi
			[[ -e $root/lib/$name ]] && continue
			path=$(find_library "$name")
			cp -L "$path" "$root/lib/$name"
			new+=("$root/lib/$name")
		done
	done
}

mkdir -p "$root"/{dev,proc,sys,tmp,run,root,etc,mnt,var/{log,www},usr/bin,lib/modules}
# As Debian has it: one directory of programs under several names.
ln -s bin "$root/usr/sbin"
ln -s usr/bin "$root/bin"
ln -s usr/bin "$root/sbin"
ln -s ../run "$root/var/run"

# busybox is static; its many names are made by /init, since here it may not
# be able to run.
programs=(busybox dash bash ethtool ip tc ss bridge devlink iperf3 tcpdump ping kexec)
tool "${programs[@]}"
ln -s dash "$root/usr/bin/sh"
# pthread_cancel() loads it without being linked with it.
cp -L "$(find_library libgcc_s.so.1)" "$root/lib/"
add_libraries "${programs[@]/#/$root/usr/bin/}" "$root/lib/libgcc_s.so.1"

# add_clients: xdp-tools, the programs that they attach, and the tests that came
# with them; dpdk-testpmd, and what it opens of its own accord: the driver that
# is wanted, and one kind of memory pool.
add_clients() {
	local file copies=()

	tool xdp-loader xdp-filter xdp-bench xdpdump dpdk-testpmd
	cp -R "$TOOLS/usr/libexec" "$root/usr/"
	for file in "$TOOLS"/usr/lib/*-linux-gnu/{bpf/*.o,dpdk/pmds-*/librte_{net_af_xdp,mempool_ring}.so.*.*}; do
		file=${file#"$TOOLS"}
		mkdir -p "$root${file%/*}"
		cp "$TOOLS$file" "$root$file"
		copies+=("$root$file")
	done
	add_libraries "$root"/usr/bin/{xdp*,dpdk-testpmd} "$root"/usr/libexec/xdp-tools/test-tool \
		"${copies[@]}"
}

# add_selftests: Python, and programs that do more than busybox's of their names.
add_selftests() {
	tool python3 jq socat mausezahn comm readlink date
	mkdir -p "$root/usr/lib"
	cp -R "$TOOLS"/usr/lib/python3* "$root/usr/lib/"
	add_libraries "$root"/usr/bin/{python3,jq,socat,mausezahn,comm,readlink,date} \
		"$root"/usr/lib/python3*/{lib-dynload,dist-packages/yaml}/*.so
}

case ${more[*]} in
--clients) add_clients ;;
--selftests) add_selftests ;;
esac

# --- overlay and what the caller adds ---------------------------------------

cp -R "$TOP/rootfs/." "$root"
for add in "${adds[@]}"; do
	dst=$root${add##*:}
	mkdir -p "${dst%/*}"
	cp -RL "${add%:*}" "$dst"
	if [[ -f $dst && -x $dst && $(head -c 4 "$dst") == *ELF ]]; then
		add_libraries "$dst"
	fi
done

# --- modules ----------------------------------------------------------------

: >"$root/etc/igb_demo.modules"
for ko in "${kos[@]}"; do
	name=${ko##*/}
	cp "$ko" "$root/lib/modules/$name"
	ln -s "../lib/modules/$name" "$root/root/$name"
	depends=$(modinfo --field depends "$ko" | tr , '\n')
	for depend in $depends; do
		[[ " ${kos[*]##*/} " == *" $depend.ko "* ]] && continue
		kmods+=("$depend")
		echo "$depend" >>"$root/etc/igb_demo.modules"
	done
done

if [[ $modules != none ]]; then
	rel=$(basename "$modules")
	base=${modules%/lib/modules/"$rel"}
	into=$root/lib/modules/$rel
	mkdir -p "$into"
	cp "$modules"/modules.{order,builtin,builtin.modinfo} "$into/"
	list=$(modprobe --dirname "$base" --set-version "$rel" --show-depends \
		--all "${kmods[@]}" 2>&1) || die "$list"
	while read -r word path; do
		[[ $word == insmod ]] || continue
		path=${path%% *}
		dst=$into/${path#"$modules"/}
		mkdir -p "${dst%/*}"
		case $path in
		*.xz) xz --decompress --stdout "$path" >"${dst%.xz}" ;;
		*.zst) zstd --quiet --decompress --stdout "$path" >"${dst%.zst}" ;;
		*) cp "$path" "$dst" ;;
		esac
	done <<<"$list"
	depmod --basedir "$root" "$rel"
fi

# --- pack -------------------------------------------------------------------

# Not compressed: loading it is quicker than unpacking it would be.
find "$root" -exec touch --no-dereference --date=@0 {} +
chmod -R go-w "$root"
mkdir -p "$(dirname "$output")"
(cd "$root" && find . -print0 | LC_ALL=C sort --zero-terminated |
	cpio --quiet --create --null --format=newc --reproducible --owner=0:0) >"$work/cpio"
mv "$work/cpio" "$output.$$"
mv "$output.$$" "$output"
