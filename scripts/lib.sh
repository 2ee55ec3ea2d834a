# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts beside this file share: how they speak, how architectures
# are spelt, where the cache is, and a private apt that asks the machine's own
# Debian mirrors for packages of any architecture without touching the host.

set -euo pipefail

ME=${0##*/}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck disable=SC2034 # for the scripts that source this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/igb_demo

# say: progress, for people; stdout is kept for results.
say() {
	echo "$ME: $*" >&2
}

# die: something failed.
die() {
	echo "$ME: $*" >&2
	exit 1
}

# wrong_use: the caller asked for something that makes no sense.
wrong_use() {
	echo "$ME: $* (see $ME --help)" >&2
	exit 2
}

# help_text: the comment at the head of the calling script, without its
# licence line, is its manual.
help_text() {
	awk 'NR <= 2 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

have() {
	command -v "$1" >/dev/null
}

# arch_of NAME: the one spelling used here, or nothing for one unknown.
arch_of() {
	case $1 in
	x86_64 | x86 | amd64) echo x86_64 ;;
	arm64 | aarch64) echo arm64 ;;
	esac
}

# deb_arch_of ARCH: what Debian calls it.
deb_arch_of() {
	case $1 in
	x86_64) echo amd64 ;;
	*) echo "$1" ;;
	esac
}

# prepare_cache: the directory exists, and kbuild can live with its name.
prepare_cache() {
	case $CACHE in
	*[[:space:]:\"\'\\]*) die "the cache directory '$CACHE' has a character in its name that kbuild or apt cannot take; set XDG_CACHE_HOME" ;;
	/*) ;;
	*) die "XDG_CACHE_HOME must be an absolute path, not '$XDG_CACHE_HOME'" ;;
	esac
	mkdir -p "$CACHE"
}

# lock_cache NAME: wait for the other clone or job that is filling the same
# part of the cache; held until this process ends.
lock_cache() {
	exec {CACHE_LOCK}>"$CACHE/.lock-$1"
	flock --nonblock "$CACHE_LOCK" && return
	say "waiting for another job that is filling $CACHE ($1)"
	flock "$CACHE_LOCK"
}

# --- apt sources ------------------------------------------------------------

debian_codename() {
	# shellcheck disable=SC1091
	(. /etc/os-release && [[ ${ID:-} == debian ]] && echo "${VERSION_CODENAME:-}")
}

# foreign_sources: the repositories that apt knows, from an earlier update, to
# be someone else's, one "URI suite" a line. Some call their suite like Debian's.
foreign_sources() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$3 != "" && $3 != "$(ORIGIN)" && $3 != "Debian" {
			sub(/\/+$/, "", $1); print $1, $2
		}' | sort -u
}

# debian_sources FORMAT CODENAME [NEW-SUITE]: this machine's apt entries for
# Debian itself, FORMAT being deb822 (*.sources) or list (*.list). Mirrors,
# keys, proxies' URIs and options stay as they are, except that a restriction
# to certain architectures is dropped. With NEW-SUITE: only the first entry
# for the release proper, and its suite replaced.
debian_sources() {
	local parts=/etc/apt/sources.list.d file
	local files=()

	if [[ $1 == deb822 ]]; then
		files=("$parts"/*.sources)
	else
		files=(/etc/apt/sources.list "$parts"/*.list)
	fi
	for file in "${files[@]}"; do
		[[ -r $file ]] || continue
		printf '\n'
		cat "$file"
		printf '\n'
	done | FOREIGN=$(foreign_sources) perl -s -e '
		my %suite = map { ($_ => 1) }
			map { my $s = $_; ($s, map { "$s-$_" } qw(updates security backports)) }
			($codename, "stable", "oldstable");
		my %main = map { ($_ => 1) } ($codename, "stable", "oldstable");
		my %foreign = map { ($_ => 1) } split /\n/, $ENV{FOREIGN};

		sub wanted {
			my ($uris, $suites, $components) = @_;
			return 0 unless grep { $_ eq "main" } split " ", $components;
			for my $s (split " ", $suites) {
				next unless $new ? $main{$s} : $suite{$s};
				return 1 unless grep { $foreign{s{/+$}{}r . " $s"} }
					split " ", $uris;
			}
			return 0;
		}

		local $/ = $format eq "deb822" ? "" : "\n";
		while (<STDIN>) {
			next if $done; # but read on: nobody likes a broken pipe
			if ($format eq "deb822") {
				s/^#.*\n//mg;
				my %f = map { lc } /^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)/mg;
				next unless $f{types} =~ /\bdeb\b/;
				next if ($f{enabled} // "yes") =~ /no|false|off|0/;
				($u) = /^URIs:[ \t]*(.*(?:\n[ \t]+.*)*)/mi;
				next unless wanted($u, $f{suites}, $f{components});
				s/^Architectures:.*(?:\n[ \t]+.*)*\n//mig;
				s/^Types:.*/Types: deb/mi;
				s/^Suites:.*(?:\n[ \t]+.*)*/Suites: $new/mi if $new;
				s/\s+$//;
				print "$_\n\n";
			} else {
				next unless /^\s*deb\s+(\[.*?\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/;
				my ($o, $u, $s, $c) = ($1 // "", $2, $3, $4);
				next unless wanted($u, $s, $c);
				$o =~ s/\barch=\S*?(?=[\s\]])//;
				$o = "" if $o =~ /^\[\s*\]/;
				$s = $new if $new;
				$c =~ s/\s+$//;
				print "deb $o$u $s $c\n";
			}
			$done = $new;
		}' -- -format="$1" -codename="$2" -new="${3:-}"
}

# --- private apt ------------------------------------------------------------

# private_apt DEB-ARCH [SUITE]: set up an apt of that architecture in the cache,
# with this machine's Debian mirrors and an empty package data base. Needs no
# root, and the host's dpkg never hears of it. With another SUITE of Debian's it
# knows that one only, and is called by it instead of by the architecture.
private_apt() {
	local dir=$CACHE/apt/${2:-$1} suite=${2:-} codename

	codename=$(debian_codename) ||
		die "this is not Debian: cannot fetch Debian packages; use KERNEL_IMAGE= and KDIR="
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial,sources.list.d}
	: >"$dir/status"
	debian_sources list "$codename" "$suite" >"$dir/sources.list"
	debian_sources deb822 "$codename" "$suite" >"$dir/sources.list.d/debian.sources"
	[[ -s $dir/sources.list || -s $dir/sources.list.d/debian.sources ]] ||
		die "no entry for Debian $codename in /etc/apt/sources.list or /etc/apt/sources.list.d"
	cat >"$dir/apt.conf" <<-CONF
		#clear APT::Architectures;
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Pre-Install-Pkgs;
		#clear DPkg::Post-Invoke;
		#clear APT::Default-Release;
		APT::Architecture "$1";
		APT::Architectures { "$1"; };
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Dir::State "$dir/state";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/sources.list.d";
	CONF
}

# papt NAME apt-get|apt-cache ARGS...: run it with the private apt of that name.
papt() {
	local name=$1 tool=$2

	shift 2
	"$tool" -c "$CACHE/apt/$name/apt.conf" "$@"
}

# papt_update NAME: refresh the lists; a mirror that fails is not yet the
# end, what is missing afterwards is.
papt_update() {
	say "reading the $1 package lists of this machine's Debian mirrors"
	papt "$1" apt-get --quiet=1 update >&2 || true
}

# papt_download NAME PACKAGE[=VERSION]...: fetch .deb files into the
# current directory, showing progress when someone is looking.
papt_download() {
	local name=$1 quiet=(--quiet=1)

	shift
	[[ -t 2 ]] && quiet=()
	papt "$name" apt-get "${quiet[@]}" download "$@" >&2
}
