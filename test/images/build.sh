#!/usr/bin/env bash
# Builds images of the three proxies from Debian packages, shaped like the official ones (paths, user, entry point, place of
# the configuration), for machines that have a Docker engine but no image registry. Prints one `PROXY=REFERENCE` a line.
# Needs root (debootstrap), docker and debootstrap. SUITE=bookworm ./build.sh builds older proxies, SUITE=sid newer ones; a suite
# that only adds to another (experimental, bookworm-backports, trixie-security) is laid over that one. See README.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '%s\n' "$*" >&2; }

# shellcheck source=/dev/null
. /etc/os-release
if [ "${ID:-}" = debian ]; then
  suite=${SUITE:-trixie} components=main
else
  suite=${SUITE:-${VERSION_CODENAME:?}} components=main,universe
fi
base=gms-proxy-test/base:$suite
# What debootstrap can start from: the others hold only some packages.
case $suite in
  experimental) ground=sid ;;
  *-backports | *-security | *-updates) ground=${suite%-*} ;;
  *) ground=$suite ;;
esac

# The machine's own package source and proxy, so that nothing but what apt may reach is asked for.
source_of() {
  apt-get indextargets --format '$(CREATED_BY)|$(RELEASE)|$(COMPONENT)|$(SITE)' |
    awk -F'|' -v kind="$1" '$1 == "Packages" && $3 == "main" && (kind == "" ? $2 !~ /-/ : $2 ~ kind "$") {print $4; exit}'
}
mirror() {
  local kind='' found
  if [[ $1 == *-security ]]; then kind=-security; fi
  found=$(source_of "$kind")
  # apt only tells its sources once it has their lists.
  if [ -z "$found" ]; then apt-get update --quiet >&2 && found=$(source_of "$kind"); fi
  [ -n "$found" ] || { say 'no Debian package source in the apt configuration: set MIRROR'; exit 3; }
  printf '%s\n' "$found"
}
proxy=$(apt-config shell p Acquire::http::Proxy | sed -n "s/^p='\(.*\)'$/\1/p")
if [ -n "$proxy" ] && [ "$proxy" != DIRECT ]; then export http_proxy=$proxy; fi

# The proxies as $suite has them, and of the rest only what they need, by the new system's own apt.
overlay() {
  local root=$3 valid
  # A mirror that is kept at one day is as good to the new system as it is to this one.
  valid=$(apt-config shell v Acquire::Check-Valid-Until | sed -n "s/^v='\(.*\)'$/\1/p")
  printf 'deb %s %s %s\n' "$1" "$ground" "${components//,/ }" "$2" "$suite" "${components//,/ }" >"$root/etc/apt/sources.list"
  # A suite goes by its code name or by what it is (experimental is called rc-buggy).
  printf 'Package: src:nginx src:apache2 src:haproxy\nPin: release %s\nPin-Priority: 990\n\n' "n=$suite" "a=$suite" >"$root/etc/apt/preferences.d/proxies"
  # Nothing is started in there.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  chroot "$root" apt-get update --quiet --option "Acquire::Check-Valid-Until=${valid:-true}" &&
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install --quiet --yes --no-install-recommends nginx apache2 haproxy &&
    rm "$root/usr/sbin/policy-rc.d" "$root/etc/apt/preferences.d/proxies"
}

if ! docker image inspect "$base" >/dev/null 2>&1; then
  from=${MIRROR:-$(mirror "$ground")}
  over=$from
  if [ "$suite" != "$ground" ]; then over=${MIRROR:-$(mirror "$suite")}; fi
  root=$(mktemp -d "${TMPDIR:-/tmp}/gms-proxy-images.XXXXXX")
  trap 'rm -rf --one-file-system "$root"' EXIT
  # A debootstrap older than the suite has no script of that name; Debian's newer suites all share one.
  script=()
  if [ "${ID:-}" = debian ] && [ ! -e "/usr/share/debootstrap/scripts/$ground" ]; then script=(/usr/share/debootstrap/scripts/sid); fi
  say "debootstrap $ground"
  debootstrap --variant=minbase --components="$components" --include=nginx,apache2,haproxy,ca-certificates "$ground" "$root/fs" "$from" "${script[@]}" \
    >"$root/log" 2>&1 || { tail -n 30 "$root/log" >&2; say "debootstrap $ground failed"; exit 3; }
  if [ "$suite" != "$ground" ]; then
    say "packages of $suite"
    overlay "$from" "$over" "$root/fs" >"$root/log" 2>&1 || { tail -n 30 "$root/log" >&2; say "installing from $suite failed"; exit 3; }
  fi
  rm -rf "$root"/fs/var/cache/apt/archives/*.deb "$root"/fs/var/lib/apt/lists/* "$root"/fs/etc/apt/sources.list* \
    "$root"/fs/usr/share/doc "$root"/fs/usr/share/man "$root"/fs/usr/share/locale
  tar -C "$root/fs" -c . | docker import --message "Debian $suite with nginx, apache2 and haproxy" - "$base" >&2
fi

for name in nginx httpd haproxy; do
  # The classic builder: it needs no further plugin and fetches nothing.
  out=$(DOCKER_BUILDKIT=0 docker build --quiet --build-arg "BASE=$base" --tag "gms-proxy-test/$name:$suite" "$here/$name" 2>&1) ||
    { say "$out"; say "building gms-proxy-test/$name:$suite failed"; exit 3; }
done
printf 'nginx=gms-proxy-test/nginx:%s\napache=gms-proxy-test/httpd:%s\nhaproxy=gms-proxy-test/haproxy:%s\n' "$suite" "$suite" "$suite"
