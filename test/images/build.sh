#!/usr/bin/env bash
# Builds images of the three proxies from Debian packages, shaped like the official ones (paths, user, entry point, place of
# the configuration), for machines that have a Docker engine but no image registry. Prints one `PROXY=REFERENCE` a line.
# Needs root (debootstrap), docker and debootstrap. SUITE=bookworm ./build.sh builds older proxies.
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

# The machine's own package source and proxy, so that nothing but what apt may reach is asked for.
mirror() {
  apt-get indextargets --format '$(CREATED_BY)|$(RELEASE)|$(COMPONENT)|$(SITE)' |
    awk -F'|' '$1 == "Packages" && $2 !~ /-/ && $3 == "main" {print $4; exit}'
}
proxy=$(apt-config shell p Acquire::http::Proxy | sed -n "s/^p='\(.*\)'$/\1/p")
if [ -n "$proxy" ] && [ "$proxy" != DIRECT ]; then export http_proxy=$proxy; fi

if ! docker image inspect "$base" >/dev/null 2>&1; then
  from=${MIRROR:-$(mirror)}
  # apt only tells its sources once it has their lists.
  if [ -z "$from" ]; then apt-get update --quiet >&2 && from=$(mirror); fi
  [ -n "$from" ] || { say 'no Debian package source in the apt configuration: set MIRROR'; exit 3; }
  root=$(mktemp -d "${TMPDIR:-/tmp}/gms-proxy-images.XXXXXX")
  trap 'rm -rf --one-file-system "$root"' EXIT
  say "debootstrap $suite"
  debootstrap --variant=minbase --components="$components" --include=nginx,apache2,haproxy,ca-certificates "$suite" "$root/fs" "$from" \
    >"$root/log" 2>&1 || { tail -n 30 "$root/log" >&2; say "debootstrap $suite failed"; exit 3; }
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
