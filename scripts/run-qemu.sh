#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: run-qemu.sh --initrd FILE [options] [-- QEMU ARGUMENTS...]
#
# Boots the guest in QEMU with one or more Intel 82576 (igb) network cards.
#
# The machine
#   --arch A            x86_64 (default) or arm64
#   --kernel FILE       kernel image (default: the one guest-kernel.sh provides)
#   --initrd FILE       initramfs, as mkinitramfs.sh makes it
#   --append STRING     more words for the kernel command line; repeatable
#   --accel A           auto (default), kvm, tcg, single or icount; auto takes
#                       KVM only if a kernel was seen to boot with it on this
#                       host; single is tcg with one thread for all CPUs;
#                       icount is that with a clock that counts instructions,
#                       one a nanosecond, and jumps over idle time
#   --cpus N            number of CPUs (default 2)
#   --memory MIB        memory in MiB (default 512)
#
# The network: card k is PCI device nic<k> on root port rp<k>, its back-end is
# net<k>, its address 52:54:00:12:34:<56 + k>
#   --ports N           number of network cards, 0 to 8 (default 1)
#   --netdev SPEC       what a card is wired to; the k-th --netdev is for the
#                       k-th card, the last one for all that remain. SPEC is
#                         user        QEMU's user network 10.0.2.0/24 (default)
#                         hub[:ID]    a wire shared by all cards with this ID
#                         unix:PATH   connect to the stream socket PATH; frames
#                                     have a 4-byte big-endian length before them
#   --hostfwd tcp|udp:HOSTPORT:GUESTPORT
#                       forward 127.0.0.1:HOSTPORT to the guest, over the first
#                       card that is on the user network; repeatable
#   --pcap FILE         write the frames of card 0 to FILE, of card k to FILE.k
#
# Control
#   --console WHERE     stdio (default) or unix:PATH, a socket QEMU listens on;
#                       on a terminal Ctrl-A c reaches QEMU's monitor, Ctrl-A x
#                       ends it
#   --qmp PATH          listen for QMP on the unix socket PATH
#   --gdb [PORT]        gdb stub on 127.0.0.1:PORT (default 1234)
#   --dry-run           print the command line instead of running it
#   --help              this text
#
# The guest's poweroff ends QEMU, and so does its panic.

. "$(dirname "$0")/lib.sh"

arch=x86_64 kernel='' initrd='' append='' accel=auto cpus=2 memory=512 ports=1
netdevs=() hostfwds=() pcap='' console=stdio qmp='' gdb='' dry_run='' extra=()

# number OPTION VALUE MIN MAX
number() {
	if [[ ! $2 =~ ^[0-9]{1,7}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
		wrong_use "$1 wants a number from $3 to $4, not '$2'"
	fi
}

# A socket's path must fit into sockaddr_un, and a comma would end QEMU's option.
socket_path() {
	[[ $2 ]] || wrong_use "$1 wants a path"
	((${#2} < 108)) || wrong_use "$1: socket path longer than 107 characters: '$2'"
	[[ $2 != *,* ]] || wrong_use "$1: no comma allowed in '$2'"
	[[ -d $(dirname "$2") ]] || wrong_use "$1: no directory '$(dirname "$2")'"
}

while (($#)); do
	case $1 in
	--arch | --kernel | --initrd | --append | --accel | --cpus | --memory | \
		--ports | --netdev | --hostfwd | --pcap | --console | --qmp)
		(($# > 1)) || wrong_use "$1 wants a value"
		value=$2
		;;
	esac
	case $1 in
	--arch)
		arch=$(arch_of "$value")
		[[ $arch ]] || wrong_use "--arch wants x86_64 or arm64, not '$value'"
		;;
	--kernel)
		[[ -r $value ]] || wrong_use "cannot read the kernel '$value'"
		kernel=$value
		;;
	--initrd)
		[[ -r $value ]] || wrong_use "cannot read the initramfs '$value'"
		initrd=$value
		;;
	--append) append+=" $value" ;;
	--accel)
		[[ $value =~ ^(auto|kvm|tcg|single|icount)$ ]] ||
			wrong_use "--accel wants auto, kvm, tcg, single or icount, not '$value'"
		accel=$value
		;;
	--cpus) number --cpus "$value" 1 64 && cpus=$((10#$value)) ;;
	--memory) number --memory "$value" 128 1048576 && memory=$((10#$value)) ;;
	--ports) number --ports "$value" 0 8 && ports=$((10#$value)) ;;
	--netdev)
		case $value in
		user | hub) ;;
		hub:*) number --netdev\ hub: "${value#hub:}" 0 1000000 ;;
		unix:*)
			socket_path --netdev\ unix: "${value#unix:}"
			[[ $* == *--dry-run* || -S ${value#unix:} ]] ||
				wrong_use "--netdev: nobody listens on a socket '${value#unix:}'"
			;;
		*) wrong_use "--netdev wants user, hub[:ID] or unix:PATH, not '$value'" ;;
		esac
		netdevs+=("$value")
		;;
	--hostfwd)
		[[ $value =~ ^(tcp|udp):[0-9]+:[0-9]+$ ]] ||
			wrong_use "--hostfwd wants tcp|udp:HOSTPORT:GUESTPORT, not '$value'"
		IFS=: read -r protocol host_port guest_port <<<"$value"
		number "--hostfwd HOSTPORT" "$host_port" 1 65535
		number "--hostfwd GUESTPORT" "$guest_port" 1 65535
		hostfwds+=("hostfwd=$protocol:127.0.0.1:$host_port-:$guest_port")
		;;
	--pcap)
		[[ $value != *,* ]] || wrong_use "--pcap: no comma allowed in '$value'"
		[[ -d $(dirname "$value") && ! -d $value ]] ||
			wrong_use "--pcap: cannot write '$value'"
		pcap=$value
		;;
	--console)
		case $value in
		stdio) ;;
		unix:*) socket_path --console "${value#unix:}" ;;
		*) wrong_use "--console wants stdio or unix:PATH, not '$value'" ;;
		esac
		console=$value
		;;
	--qmp) socket_path --qmp "$value" && qmp=$value ;;
	--gdb)
		gdb=1234
		if [[ ${2:-} =~ ^[0-9]+$ ]]; then
			number --gdb "$2" 1 65535
			gdb=$2
			shift
		fi
		shift
		continue
		;;
	--dry-run)
		dry_run=1
		shift
		continue
		;;
	--help | -h) help_text && exit ;;
	--)
		shift
		extra=("$@")
		break
		;;
	*) wrong_use "unknown option '$1'" ;;
	esac
	shift 2
done

[[ $initrd ]] || wrong_use "--initrd FILE is missing"
((${#netdevs[@]} <= ports)) ||
	wrong_use "${#netdevs[@]} --netdev for $ports network cards"
((${#netdevs[@]})) || netdevs=(user)

case $arch in
x86_64)
	qemu='qemu-system-x86_64'
	machine=q35,sata=off,smbus=off,usb=off
	tcg_cpu=max,la57=off
	tty=ttyS0
	# The guest trusts itself; the emulator need not emulate distrust.
	boot_words="nokaslr mitigations=off no_timer_check"
	;;
arm64)
	qemu='qemu-system-aarch64'
	# GICv2 brings the GICv2m that MSI-X needs here, for up to 8 CPUs.
	machine=virt,gic-version=2
	tcg_cpu=cortex-a72
	tty=ttyAMA0
	boot_words="nokaslr mitigations=off"
	((cpus <= 8)) || wrong_use "--cpus: arm64 has at most 8 here"
	;;
esac
have "$qemu" || die "no $qemu; run scripts/setup.sh"

if [[ ! $kernel ]]; then
	kernel=$("$TOP/scripts/guest-kernel.sh" --arch "$arch" | sed -n 's/^KERNEL_IMAGE=//p')
fi

# --- accelerator ------------------------------------------------------------

# kvm_boots: a kernel without a root file system gets as far as missing it.
# /dev/kvm being there proves little: nested or restricted hosts have one whose
# guests die at their first unusual instruction.
kvm_boots() {
	local output

	output=$(timeout 20 "$qemu" -accel kvm -cpu host -machine "$machine" -m 256 \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial stdio -kernel "$kernel" \
		-append "console=$tty panic=-1 quiet" </dev/null 2>&1) || true
	[[ $output == *"Unable to mount root fs"* ]]
}

# usable_kvm: ask once per host kernel and QEMU.
usable_kvm() {
	local answer

	[[ $(arch_of "$(uname -m)") == "$arch" && -r /dev/kvm && -w /dev/kvm ]] || return 1
	prepare_cache
	answer=$CACHE/kvm-$arch-$(uname -r)-$(stat -Lc %Y "$(command -v "$qemu")")
	if [[ ! -e $answer ]]; then
		say "trying whether KVM works on this host"
		if kvm_boots; then
			echo yes >"$answer.$$"
		else
			echo no >"$answer.$$"
			say "it does not; going on with emulation (TCG)"
		fi
		mv "$answer.$$" "$answer"
	fi
	[[ $(<"$answer") == yes ]]
}

if [[ $accel == auto ]]; then
	if usable_kvm; then
		accel=kvm
	else
		accel=tcg
	fi
fi

# --- command line -----------------------------------------------------------

case $accel in
kvm) args=(-accel kvm -cpu host) ;;
# One host thread per guest CPU.
tcg) args=(-accel "tcg,thread=multi" -cpu "$tcg_cpu") ;;
# None of them runs while another changes where the devices' memory lies.
single) args=(-accel "tcg,thread=single" -cpu "$tcg_cpu") ;;
icount) args=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -cpu "$tcg_cpu") ;;
esac
args+=(
	-machine "$machine" -smp "$cpus" -m "$memory"
	-nodefaults -no-user-config -display none -no-reboot
	-kernel "$kernel" -initrd "$initrd"
	-device "virtio-rng-pci,id=rng"
)

words="console=$tty quiet panic=-1 lsm= cryptomgr.notests $boot_words"
if [[ $gdb ]]; then
	args+=(-gdb "tcp:127.0.0.1:$gdb")
fi
args+=(-append "$words$append")

# Native PCIe hot-plug as on a real machine, instead of q35's by ACPI.
if [[ $arch == x86_64 ]]; then
	args+=(-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
fi

if ((${#hostfwds[@]})); then
	for ((k = 0; k < ports; k++)); do
		[[ ${netdevs[k]:-${netdevs[-1]}} == user ]] && break
	done
	((k < ports)) || wrong_use "--hostfwd needs a card with --netdev user"
fi
for ((k = 0; k < ports; k++)); do
	spec=${netdevs[k]:-${netdevs[-1]}}
	case $spec in
	user)
		netdev=user,id=net$k
		for fwd in "${hostfwds[@]}"; do
			netdev+=,$fwd
		done
		hostfwds=()
		;;
	hub*)
		id=${spec#hub}
		id=${id#:}
		netdev=hubport,id=net$k,hubid=$((10#${id:-0}))
		;;
	unix:*)
		netdev=stream,id=net$k,server=off,addr.type=unix,addr.path=${spec#unix:}
		;;
	esac
	printf -v mac '52:54:00:12:34:%02x' $((0x56 + k))
	args+=(
		-netdev "$netdev"
		-device "pcie-root-port,id=rp$k,chassis=$((k + 1)),slot=$((k + 1))"
		-device "igb,id=nic$k,netdev=net$k,mac=$mac,bus=rp$k"
	)
	if [[ $pcap ]]; then
		file=$pcap
		((k == 0)) || file+=.$k
		args+=(-object "filter-dump,id=dump$k,netdev=net$k,file=$file")
	fi
done

if [[ $console == unix:* ]]; then
	args+=(-chardev "socket,id=console,server=on,wait=off,path=${console#unix:}")
	args+=(-serial chardev:console)
elif [[ -t 0 ]]; then
	args+=(-chardev "stdio,id=console,mux=on,signal=off")
	args+=(-serial chardev:console -mon "chardev=console,mode=readline")
else
	args+=(-chardev "stdio,id=console" -serial chardev:console)
fi
if [[ $qmp ]]; then
	args+=(-qmp "unix:$qmp,server=on,wait=off")
fi
args+=("${extra[@]}")

if [[ $dry_run ]]; then
	printf '%q ' "$qemu" "${args[@]}"
	echo
	exit
fi
exec "$qemu" "${args[@]}"
