#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: guest-tools.sh [--arch x86_64|arm64] [--clients | --selftests] [--update]
#
# Makes sure that the programs of the guest (busybox, shells, ethtool, iproute2,
# iperf3, tcpdump, ping, kexec) and the libraries they need are unpacked in the cache,
# ${XDG_CACHE_HOME:-~/.cache}/igb_demo, and prints where: TOOLS=...
#
# They are Debian's packages for the guest's architecture, the same way for
# each, so the host needs none of them installed. Once there, they are used
# without asking anyone; --update fetches them again.
#
# With --clients there are the users of XDP and AF_XDP as well that Debian has:
# xdp-tools with its tests, and dpdk-testpmd.
#
# With --selftests there is what the kernel's own tests of network drivers want
# as well: Python, jq, socat, mausezahn and the GNU tools.

. "$(dirname "$0")/lib.sh"

# The shells, because that of the static busybox would run its own ip and ping
# whatever PATH says: dash for scripts, bash for people.
wanted=(busybox-static dash bash ethtool iproute2 iperf3 tcpdump iputils-ping kexec-tools)

clients=(xdp-tools xdp-tests dpdk-dev)
selftests=(python3-minimal python3-yaml jq socat netsniff-ng coreutils)

arch=x86_64 update=''
while (($#)); do
	case $1 in
	--arch)
		arch=$(arch_of "${2:-}")
		[[ $arch ]] || wrong_use "--arch wants x86_64 or arm64, not '${2:-}'"
		shift 2
		;;
	--clients) wanted+=("${clients[@]}") && shift ;;
	--selftests) wanted+=("${selftests[@]}") && shift ;;
	--update) update=1 && shift ;;
	--help | -h) help_text && exit ;;
	*) wrong_use "unknown option '$1'" ;;
	esac
done

deb=$(deb_arch_of "$arch")
# Another list is another directory.
tools=$CACHE/tools/$deb-$(cksum <<<"${wanted[*]}" | cut -d ' ' -f 1)

# needed: the wanted packages; of dpdk-dev, which also wants all that one builds
# with, what its programs run with, and the AF_XDP driver, which they open
# without being linked with it, and whose package has a version in its name.
needed() {
	local package

	for package in "${wanted[@]}"; do
		if [[ $package != dpdk-dev ]]; then
			echo "$package"
			continue
		fi
		papt "$deb" apt-cache pkgnames librte-net-af-xdp
		papt "$deb" apt-cache show --no-all-versions "$package" |
			sed -n 's/^Depends: //p' | tr , '\n' | awk '{ print $1 }' |
			grep -E '^(lib|ibverbs)' | grep -v -e '-dev$'
	done
}

# with_libraries: the wanted packages and, of all they depend on, those that
# hold libraries; what a package manager or a login needs is of no use in the
# guest.
with_libraries() {
	local packages

	mapfile -t packages < <(needed)
	papt "$deb" apt-get --simulate install "${packages[@]}" |
		awk '$1 == "Inst" { print $2 }' |
		grep -Ex "$(IFS='|' && echo "${wanted[*]}")|python3\.[0-9]+-minimal|zlib1g|ibverbs-providers|lib.*" |
		grep -Evx 'lib.*-perl|libperl.*|lib.*-common|lib.*-bin|libpam-modules|libsemanage.*'
	[[ " ${wanted[*]} " != *' dpdk-dev '* ]] || echo dpdk-dev
}

# compile_python DIRECTORY...: in the guest that takes longer than what is run
# there. Where the host's Python is another release, the guest takes no notice.
compile_python() {
	[[ ! -d $1 ]] || python3 -m compileall -q --invalidation-mode unchecked-hash "$@" || true
}

fetch_tools() {
	local tmp=$CACHE/tools/.tmp-$deb packages file

	rm -rf "$tmp"
	mkdir -p "$tmp"/{debs,root}
	mapfile -t packages < <(with_libraries)
	((${#packages[@]})) || die "this machine's Debian mirrors do not offer ${wanted[*]} for $deb"
	say "fetching the guest's programs for $deb (${#packages[@]} small packages)"
	(cd "$tmp/debs" && papt_download "$deb" "${packages[@]}") ||
		die "could not fetch the guest's programs"
	for file in "$tmp"/debs/*.deb; do
		dpkg-deb --extract "$file" "$tmp/root"
	done
	rm -rf "$tmp"/root/usr/{share,include}
	compile_python "$tmp"/root/usr/lib/python3*
	rm -rf "$tools"
	mv "$tmp/root" "$tools"
	rm -rf "$tmp"
}

if [[ $update || ! -d $tools ]]; then
	prepare_cache
	lock_cache "tools-$deb"
	if [[ $update || ! -d $tools ]]; then
		dpkg --version >/dev/null 2>&1 ||
			die "this is not Debian: cannot fetch Debian packages"
		lock_cache "apt-$deb"
		private_apt "$deb"
		papt_update "$deb"
		fetch_tools
	fi
fi
echo "TOOLS=$tools"
