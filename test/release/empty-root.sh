#!/usr/bin/env bash
# Proves the packages where nothing is: a Debian made by debootstrap, with psql and without any Node. hoopctl is unpacked there, logs
# in at the demo of this repository and reads through a tunnel; then both Debian packages are installed, and hoopd serves.
#
#   npm run dist && sudo test/release/empty-root.sh [DIRECTORY]
#
# Needs root (chroot), debootstrap and a mirror (MIRROR, by default Debian's). The directory, by default a temporary one, is made anew
# unless it holds such a root already. Everything else is on 127.0.0.1, and ended at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
debian=$(dpkg --print-architecture)
case $debian in amd64) arch=x64 ;; arm64) arch=arm64 ;; *) echo "no packages are made for $debian" >&2 && exit 78 ;; esac
work=$(mktemp -d -t hoop-empty-XXXXXX)
root=${1:-$work/root}
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" || true; done
  rm -rf "$work"
}
trap finish EXIT

say() { printf '\n== %s\n' "$*"; }
fail() { echo "empty-root: $*" >&2 && exit 1; }

# inside COMMAND…: in the empty root, with an environment of its own.
inside() {
  chroot "$root" /usr/bin/env -i PATH="/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin" HOME=/root HOOPCTL_SECRET_STORE=file "$@"
}

# until SECONDS COMMAND…: waits for the command to succeed.
until_true() {
  local tries=$(($1 * 5))
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || fail "waited in vain for: $*"
    sleep 0.2
  done
}

if [[ ! -x $root/usr/bin/psql ]]; then
  say "debootstrap, with psql alone"
  debootstrap --variant=minbase --include=postgresql-client bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" ||
    fail "$(tail -3 "$work/debootstrap.log")"
fi
rm -rf "$root"/root/.config "$root"/usr/local/{bin,lib,share}/hoop* "$root"/root/{ca.pem,*.deb}
chroot "$root" dpkg --purge hoopctl hoopd >/dev/null 2>&1 || true
found=$(find "$root" -xdev \( -name node -o -name nodejs -o -name bun -o -name deno \) -type f)
[[ -z $found ]] || fail "there is a Node: $found"

say "the demo"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
node_modules/.bin/node bin/hoopd.js demo --dir "$work/demo" --port "$port" >"$work/demo.log" 2>&1 &
started+=($!)
until_true 60 grep -q 'Ctrl-C ends everything' "$work/demo.log"
echo "on port $port"
cp "$work/demo/ca.pem" "$root/root/ca.pem"

say "one file is unpacked"
tar -xzf "release/hoopctl-$version-linux-$arch.tar.gz" -C "$root/usr/local" --strip-components=1 --no-same-owner
inside hoopctl --version

# login PROFILE AGENT-OPTIONS…: the code is confirmed as Ada would, without a browser.
login() {
  local log=$work/login.log pid page
  inside hoopctl login --gateway "https://127.0.0.1:$port" --ca /root/ca.pem "$@" >"$log" 2>&1 &
  pid=$!
  until_true 30 grep -q user_code= "$log"
  page=$(sed -n 's/^  open  //p' "$log")
  curl -fsS -d "user_code=${page#*user_code=}" -d login=ada "${page%%/device*}/demo/approve" >/dev/null
  wait "$pid" || fail "$(cat "$log")"
  tail -1 "$log"
}

# reads: what psql prints through the tunnel has no e-mail in it that is not masked.
reads() {
  inside hoopctl connect pg-demo -- psql -c 'SELECT name, email FROM customers LIMIT 2' | tee "$work/rows"
  grep -q '(2 rows)' "$work/rows" && grep -Eq '\| [a-z]\*\*\*@' "$work/rows" && ! grep -Eq '[a-z]{3}@' "$work/rows" || fail 'not what an agent sees'
}

say "hoopctl login, and connect -- psql"
login --agent shop-copilot
reads
inside hoopctl connect pg-demo -- sh -c 'exit 7' && fail 'the exit code is lost' || [[ $? == 7 ]] || fail 'another exit code'
inside hoopctl doctor
inside hoopctl logout
rm -rf "$root"/usr/local/{bin/hoopctl,lib/hoopctl,share}

say "the Debian packages"
cp "release/hoopctl_${version//-/\~}_$debian.deb" "release/hoopd_${version//-/\~}_$debian.deb" "$root/root/"
inside sh -c 'dpkg -i /root/*.deb && dpkg --verify hoopctl hoopd'
inside hoopctl --version
login --agent shop-copilot
reads
[[ -s $root/usr/share/man/man1/hoopctl-connect.1.gz && -s $root/usr/share/doc/hoopctl/copyright ]] || fail 'no man page, or no copyright'

say "hoopd serves from its package"
rm -rf "$root/srv/gateway"
inside hoopd init /srv/gateway >/dev/null
inside hoopd check --config /srv/gateway/hoopd.yaml
sed -i "s/^listen:.*/listen: 127.0.0.1:$((port + 1))/; s/:7443/:$((port + 1))/" "$root/srv/gateway/hoopd.yaml"
inside hoopd serve --config /srv/gateway/hoopd.yaml 2>"$work/hoopd.log" &
started+=($!)
until_true 30 curl -fsk "https://127.0.0.1:$((port + 1))/healthz"
curl -fsk "https://127.0.0.1:$((port + 1))/healthz" && echo
inside sh -c 'dpkg --purge hoopctl hoopd' >/dev/null
[[ ! -e $root/usr/lib/hoopctl && ! -e $root/usr/lib/hoopd ]] || fail 'something is left behind'

say "all of it works without any other Node"
