#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: build-module.sh [--arch A] [--kdir DIR] [--out DIR] [--quiet]
#                        [--object] [MAKE ARGUMENTS...]
#
# Builds igb_demo.ko for x86_64 (default) or arm64 against the kernel tree or
# headers in --kdir (default: those of the guest's kernel). Objects go to --out
# (default: build/<arch>), which is filled with links to the sources, so that
# builds for several kernels do not disturb each other. With --quiet only
# warnings and errors are printed. With --object it ends with igb_demo.o, for
# which headers are enough.

. "$(dirname "$0")/lib.sh"

OLDEST=6.12

arch=x86_64 kdir='' out='' quiet=() target=modules
while (($#)); do
	case $1 in
	--arch | --kdir | --out)
		(($# > 1)) || wrong_use "$1 wants a value"
		;;&
	--arch)
		arch=$(arch_of "$2")
		[[ $arch ]] || wrong_use "--arch wants x86_64 or arm64, not '$2'"
		shift 2
		;;
	--kdir) kdir=$2 && shift 2 ;;
	--out) out=$2 && shift 2 ;;
	--quiet) quiet=(--silent) && shift ;;
	--object) target=igb_demo.o && shift ;;
	--help | -h) help_text && exit ;;
	-*) wrong_use "unknown option '$1'" ;;
	*) break ;;
	esac
done

if [[ ! $kdir ]]; then
	kdir=$("$TOP/scripts/guest-kernel.sh" --arch "$arch" | sed -n 's/^KDIR=//p')
fi
[[ -d $kdir ]] || die "KDIR=$kdir is not a directory"
kdir=$(realpath "$kdir")
out=$(realpath --canonicalize-missing "${out:-$TOP/build/$arch${KERNEL:+-$KERNEL}}")

# --- which kernel is it? ----------------------------------------------------

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null ||
	sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' \
		"$kdir/include/generated/utsrelease.h" 2>/dev/null) || true
[[ $release ]] ||
	die "KDIR=$kdir is not a configured kernel tree: build it or run 'make modules_prepare' there"
if [[ $(printf '%s\n' "$OLDEST" "${release%%-*}" | sort -V | head -n 1) != "$OLDEST" ]]; then
	die "KDIR=$kdir is Linux $release; igb_demo needs $OLDEST or later"
fi

# --- links to the sources ---------------------------------------------------

mkdir -p "$out"
exec {LOCK}>"$out/.lock"
flock "$LOCK"
if [[ $(cat "$out/.kdir" 2>/dev/null) != "$kdir $release" ]]; then
	find "$out" -mindepth 1 ! -name .lock -delete
	echo "$kdir $release" >"$out/.kdir"
fi
for file in "$TOP"/{Kbuild,*.c,*.h}; do
	[[ ${file##*/} == *.mod.c ]] && continue
	link=$out/${file##*/}
	[[ $link -ef $file ]] || ln -sfn "$file" "$link"
done
# A source that is gone must not live on as a dangling link.
find "$out" -maxdepth 1 -xtype l -delete

# --- build ------------------------------------------------------------------

args=("M=$out")
case $arch in
x86_64) args+=("ARCH=x86") ;;
*) args+=("ARCH=$arch") ;;
esac
if [[ $(arch_of "$(uname -m)") != "$arch" ]]; then
	case $arch in
	arm64) args+=(CROSS_COMPILE=aarch64-linux-gnu-) ;;
	x86_64) args+=(CROSS_COMPILE=x86_64-linux-gnu-) ;;
	esac
fi
# BTF would need the kernel's vmlinux and a pahole that suits it.
args+=(CONFIG_DEBUG_INFO_BTF_MODULES=)
# A make above us has decided about parallelism; otherwise use what is there.
if [[ ${MAKEFLAGS:-} != *-j* ]]; then
	args+=("-j$(nproc)")
fi
# ... and its variables (KDIR=, ARCH=, ...) are meant for our Makefile.
MAKEFLAGS=${MAKEFLAGS:-}
export MAKEFLAGS=${MAKEFLAGS%% -- *}
unset MAKEOVERRIDES MAKELEVEL MFLAGS

"${MAKE:-make}" "${quiet[@]}" --no-print-directory -C "$kdir" "${args[@]}" "$@" "$target"
