#!/usr/bin/env bash
# Installs the Debian packages that a purpose needs, and only those that are missing.
#
#   deploy/install-packages.sh build|run|test|pyhanko|interop-quick|interop [--list]
#
# build: a C compiler, for the PKCS#11 binding alone. run: also PostgreSQL and SoftHSM2.
# test: also the independent PDF tools, OpenSSL and Chromium that the tests judge our work with.
# pyhanko: what installing pyHanko needs, and nothing else.
# interop-quick: build, those tools, and Python's environments. interop: also programs that make PDFs.
# Quick when nothing is missing. --list prints what is missing and installs nothing.
set -euo pipefail

purpose=${1:-}
list_only=${2:-}
case "$purpose" in
build | run | test | pyhanko | interop-quick | interop) ;;
*)
	echo "usage: $0 build|run|test|pyhanko|interop-quick|interop [--list]" >&2
	exit 2
	;;
esac

missing=() reasons=()

# need PACKAGE REASON TEST…: the package is missing if the test fails.
need() {
	local package=$1 reason=$2
	shift 2
	if ! "$@" >/dev/null 2>&1; then
		missing+=("$package")
		reasons+=("$reason")
	fi
}
have() { command -v "$1"; }
# found GLOB…: one of the patterns matches a file.
found() {
	local pattern
	for pattern in "$@"; do
		compgen -G "$pattern" && return 0
	done
	return 1
}

# PostgreSQL of 15 or later; Debian keeps server binaries out of PATH.
postgres_binaries() {
	local binary version
	for binary in /usr/lib/postgresql/*/bin/postgres; do
		version=${binary#/usr/lib/postgresql/}
		version=${version%%/*}
		[ -x "$binary" ] && [ -x "${binary%postgres}initdb" ] && [ "$version" -ge 15 ] && return 0
	done
	return 1
}

# Debian 12 has postgresql-15; a later Debian has its own one.
postgres_package() {
	if apt-cache show postgresql-15 >/dev/null 2>&1 || ! have apt-cache >/dev/null; then
		echo postgresql-15
		return
	fi
	local newest
	newest=$(apt-cache search --names-only '^postgresql-[0-9]+$' | awk '{print $1}' | sort -V | tail -n 1)
	echo "${newest:-postgresql-15}"
}

if [ "$purpose" != pyhanko ]; then
	need gcc "C compiler for the PKCS#11 binding" have gcc
	need libc6-dev "C headers for the PKCS#11 binding" test -e /usr/include/stdlib.h
fi
if [[ "$purpose" = run || "$purpose" = test ]]; then
	need postgresql "the vault's metadata and its ledger" postgres_binaries
	need softhsm2 "a token in software for the demonstration" found '/usr/lib/*softhsm/libsofthsm2.so'
fi
if [[ "$purpose" = test || "$purpose" = interop* ]]; then
	need qpdf "checks the structure of our PDFs" have qpdf
	need poppler-utils "pdfsig and pdftotext judge our PDFs" have pdfsig
	need mupdf-tools "a second opinion on our PDFs" have mutool
	need openssl "a second opinion on our signatures" have openssl
	need libnss3-tools "tells pdfsig whom to trust" have certutil
	need chromium "tests of the pages; prints PDFs" have chromium
	need fonts-liberation "Vietnamese letters in the pages' screenshots" found '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf' '/usr/share/fonts/truetype/liberation*/LiberationSans-Regular.ttf'
fi
if [[ "$purpose" = pyhanko || "$purpose" = interop* ]]; then
	need python3-venv "the environment of pyHanko and of Python's PDF libraries" python3 -c 'import ensurepip, venv'
fi
if [ "$purpose" = interop ]; then
	need texlive-latex-base "pdfTeX makes PDFs" have pdflatex
	need libreoffice-writer-nogui "makes PDFs" have soffice
	need ghostscript "makes PDFs" have gs
	need librsvg2-bin "cairo makes PDFs" have rsvg-convert
	need libpangoft2-1.0-0 "WeasyPrint makes PDFs with it" found '/usr/lib/*/libpangoft2-1.0.so.0'
	need libharfbuzz-subset0 "WeasyPrint makes PDFs with it" found '/usr/lib/*/libharfbuzz-subset.so.0'
fi
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Triện needs these Debian packages, which this machine lacks:" >&2
for i in "${!missing[@]}"; do
	printf '  %-18s %s\n' "${missing[$i]}" "${reasons[$i]}" >&2
done
[ "$list_only" != --list ] || exit 1

if ! have apt-get >/dev/null; then
	echo "This is no Debian (apt-get is missing): install the same programs by your system's means, then try again." >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! have sudo >/dev/null; then
		echo "You are not root and there is no sudo. Run as root: $(cd "$(dirname "$0")" && pwd)/$(basename "$0") $purpose" >&2
		exit 1
	fi
	as_root=(sudo)
	if [ ! -t 0 ] && ! sudo -n true 2>/dev/null; then
		echo "sudo asks for a password and there is no terminal to ask on. Run as root: $(cd "$(dirname "$0")" && pwd)/$(basename "$0") $purpose" >&2
		exit 1
	fi
	echo "Installing them with sudo." >&2
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null; }
install() {
	if ! apt install -y --no-install-recommends "$@"; then
		echo "apt-get could not install: $*. Its words are above; mend that, then try again." >&2
		exit 1
	fi
}
# The package lists of a fresh machine may be empty or old; if they cannot be fetched the old ones may still do.
apt update || echo "The package lists could not be fetched; trying with those that are here." >&2

packages=()
for package in "${missing[@]}"; do
	[ "$package" = postgresql ] || packages+=("$package")
done
if [ ${#packages[@]} -gt 0 ]; then install "${packages[@]}"; fi

# Debian's server package makes and starts a cluster of its own, which nobody here asked for: the vault starts a
# private one. The setting that forbids it holds only while the package is being installed.
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
	install postgresql-common
	setting=/etc/postgresql-common/createcluster.conf
	kept=$(mktemp)
	"${as_root[@]}" cat "$setting" >"$kept"
	restore() { "${as_root[@]}" cp "$kept" "$setting" && rm -f "$kept"; }
	trap restore EXIT
	"${as_root[@]}" sh -c "sed -i '/^ *create_main_cluster/d' $setting && echo 'create_main_cluster = false' >>$setting"
	install "$(postgres_package)"
fi
