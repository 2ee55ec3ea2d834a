#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: check.sh [STEP...]
#
# Checks the source without running it, in all of these steps or the named ones:
#
#   gcc:        compiles with W=1 for x86_64
#   gcc-arm64:  the same for arm64
#   gcc-next:   the same for a kernel to come
#   clang:      compiles with clang and W=1
#   sparse:     address spaces, byte order, lock balance
#   checkpatch: the kernel's coding style, strictly, 80 columns
#   kernel-doc: the comments that document functions and structures
#   shell:      the scripts of host and guest, by shellcheck
#   codespell:  the spelling of everything
#   house:      rules of this project that no tool knows
#
# Silent when all is well, but for the names of the steps on a terminal or with
# V=1 in the environment. A warning is a failure.

. "$(dirname "$0")/lib.sh"

all_steps=(gcc gcc-arm64 gcc-next clang sparse checkpatch kernel-doc shell codespell house)

while (($#)); do
	case $1 in
	--help | -h) help_text && exit ;;
	-*) wrong_use "unknown option '$1'" ;;
	*)
		[[ " ${all_steps[*]} " == *" $1 "* ]] || wrong_use "unknown step '$1'"
		steps+=("$1")
		;;
	esac
	shift
done
[[ ${steps:-} ]] || steps=("${all_steps[@]}")

cd "$TOP"

# Files of the project, whether or not committed yet.
files() {
	local file

	git ls-files --cached --others --exclude-standard -- "$@" |
		while IFS= read -r file; do
			[[ -f $file ]] && echo "$file"
		done | sort -u
}

source_scripts() {
	"$TOP/scripts/guest-kernel.sh" --source | sed -n 's/^SOURCE=//p'
}

# compile OUT ARGS...: warnings are only printed for what is compiled anew, so
# a build that had some must not be taken for good next time.
compile() {
	local out=$TOP/build/check/$1 output file status=0

	shift
	output=$(scripts/build-module.sh --quiet --out "$out" "$@" 2>&1) || status=$?
	for file in *.c; do
		[[ $status != 0 || -e $out/${file%.c}.o ]] && continue
		output+=${output:+$'\n'}"$file was not compiled: is it missing in Kbuild?"
	done
	[[ $output || $status != 0 ]] || return 0
	printf '%s\n' "$output"
	rm -rf "$out"
	return 1
}

step_gcc() {
	compile gcc W=1
}

step_gcc-arm64() {
	compile gcc-arm64 --arch arm64 W=1
}

step_gcc-next() {
	local kdir

	kdir=$(scripts/build-kernel.sh --kernel next --headers | sed -n 's/^KDIR=//p')
	compile gcc-next --object --kdir "$kdir" W=1
}

# Debian's headers are configured for the gcc that built the kernel. To have
# them take clang, the answers that Kconfig found for gcc are replaced; only the
# objects' code, which nobody runs, depends on that.
step_clang() {
	local version

	version=$(clang -dumpversion | awk -F . '{ printf "%d%02d%02d", $1, $2, $3 }')
	compile clang CC=clang CONFIG_CC_IS_GCC= CONFIG_GCC_VERSION=0 \
		CONFIG_CC_IS_CLANG=y CONFIG_CLANG_VERSION="$version" \
		CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough \
		CONFIG_MITIGATION_RETHUNK= CONFIG_MITIGATION_SLS= \
		CONFIG_FUNCTION_TRACER= CONFIG_INIT_STACK_ALL_ZERO= CONFIG_OBJTOOL= \
		CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= \
		KCFLAGS='-Wno-duplicate-decl-specifier -DCC_USING_FENTRY' W=1
}

# Only what sparse says counts here, what the compiler says is seen above.
step_sparse() {
	local output status=0

	output=$(scripts/build-module.sh --quiet --out build/check/gcc \
		C=2 CF=-D__CHECK_ENDIAN__ 2>&1) || status=$?
	[[ $output ]] && printf '%s\n' "$output"
	[[ ! $output && $status == 0 ]]
}

# checkpatch ARGS... FILES...
checkpatch() {
	perl "$(source_scripts)/scripts/checkpatch.pl" --no-tree --strict --terse \
		--show-types --quiet --no-summary "$@"
}

# The driver keeps to 80 columns. What the tests run in the guest is mostly C
# for user space, where the kernel's types and macros do not exist.
step_checkpatch() {
	local driver programs status=0 user_space_rules

	user_space_rules=PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO
	user_space_rules+=,BIT_MACRO,VOLATILE,STRNCPY,SPLIT_STRING,EMBEDDED_FUNCTION_NAME

	mapfile -t driver < <(files ':(glob)*.c' ':(glob)*.h' | grep -vx igb_stats.c)
	mapfile -t programs < <(files ':(glob)tests/**/*.[ch]')
	checkpatch --max-line-length=80 --file "${driver[@]}" || status=1
	# The kernel spells the standards' counters as the standards do.
	checkpatch --max-line-length=80 --file igb_stats.c --ignore CAMELCASE || status=1
	if ((${#programs[@]})); then
		checkpatch --max-line-length=100 --file "${programs[@]}" --ignore \
			"$user_space_rules" || status=1
	fi
	return "$status"
}

step_kernel-doc() {
	local output

	output=$(perl "$(source_scripts)/scripts/kernel-doc" -none -Wall ./*.[ch] 2>&1) || true
	[[ ! $output ]] && return
	printf '%s\n' "$output"
	return 1
}

step_shell() {
	local scripts

	mapfile -t scripts < <({
		files | xargs -d '\n' awk 'FNR == 1 && /^#!.*\/(ba)?sh/ { print FILENAME }
			FNR <= 2 && /^# shellcheck shell=/ { print FILENAME } { nextfile }'
		files '*.sh' rootfs/etc/profile
	} | sort -u)
	shellcheck "${scripts[@]}"
}

step_codespell() {
	local texts

	mapfile -t texts < <(files | grep -vx LICENSE)
	# Words of PCI Express and of driver writers that it takes for misspelt.
	codespell --ignore-words-list aer,pres,inflight,wel,xdpf "${texts[@]}"
}

# none PATTERN WHY FILES...: no line of these files may match.
none() {
	local pattern=$1 why=$2 lines

	shift 2
	lines=$(files "$@" | xargs -d '\n' grep -nE --with-filename -- "$pattern") || return 0
	printf '%s\n' "$lines" | sed "s/\$/   <- $why/"
	return 1
}

step_house() {
	local status=0 file

	none '\bmodule_param' 'the driver has no module parameters' \
		':(glob)*.c' ':(glob)*.h' || status=1
	none 'https?://[a-z0-9.-]*(debian|ubuntu|pypi|pythonhosted|npmjs|crates)\.' \
		"derive mirrors from the machine's own apt sources" || status=1
	for file in $(files '*.c' '*.h' '*.sh' '*.py' Makefile Kbuild Kconfig); do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' && continue
		echo "$file: no SPDX licence line"
		status=1
	done
	return "$status"
}

# What has to be fetched is fetched now, in sight.
for step in "${steps[@]}"; do
	case $step in
	gcc-arm64) scripts/guest-kernel.sh --arch arm64 >/dev/null ;;
	gcc-next) scripts/build-kernel.sh --kernel next --headers >/dev/null ;;
	checkpatch | kernel-doc) scripts/guest-kernel.sh --source >/dev/null ;;
	*) scripts/guest-kernel.sh >/dev/null ;;
	esac
done

failed=()
for step in "${steps[@]}"; do
	if [[ -t 2 || ${V:-} == 1 ]]; then
		say "$step"
	fi
	if ! output=$("step_$step" 2>&1); then
		printf '%s\n' "$output"
		failed+=("$step")
	fi
done
if ((${#failed[@]})); then
	die "failed: ${failed[*]}"
fi
