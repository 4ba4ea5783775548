#!/usr/bin/env bash
# Verifies that a file is in a log, with bash, openssl 3, sha256sum, base64 and xxd:
#
#     bash examples/verify.sh FILE PROOF VKEY
#
# It knows entries of files alone and one Ed25519 key. `tiletree verify` knows names, policies, witnesses and forks, too.
set -euo pipefail
fail() { echo "not verified: $1" >&2; exit 1; }
[ $# -eq 3 ] || { echo "usage: verify.sh FILE PROOF VKEY" >&2; exit 2; }
file=$1 proof=$2 vkey=$3
hex() { base64 -d 2>/dev/null | xxd -p -c 256; }
sha256() { xxd -r -p | sha256sum | cut -c 1-64; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'echo "not verified: the file, the proof or the vkey cannot be read: was one changed, or cut off?" >&2' ERR

# the proof: a header, the index, hashes, an empty line, and the signed checkpoint
{
    { read -r header && read -r index_line; } || fail "not a tlog-proof"
    hashes=()
    while read -r line && [ -n "$line" ]; do hashes+=("$(hex <<<"$line")"); done
    cat >"$scratch/checkpoint"
} <"$proof"
[ "$header" = c2sp.org/tlog-proof@v1 ] || fail "not a tlog-proof"
[[ $index_line =~ ^index\ (0|[1-9][0-9]{0,17})$ ]] || fail "no index, or more than an index"
index=${BASH_REMATCH[1]}

# the checkpoint: origin, size, root, an empty line, and signatures; the text ends before the empty line
sed '/^$/,$d' "$scratch/checkpoint" >"$scratch/text"
{ read -r origin && read -r size && read -r root; } <"$scratch/text"
[[ $size =~ ^[1-9][0-9]{0,17}$ ]] && ((index < size)) || fail "there is no entry $index"
name=${vkey%%+*} public=$(hex <<<"${vkey#*+*+}")
[ "$name" = "$origin" ] && [ "${public:0:2}" = 01 ] && [ ${#public} -eq 66 ] || fail "the vkey is not of $origin"
id=$( (printf '%s\n' "$name" && xxd -r -p <<<"$public") | sha256sum | cut -c 1-8)
signature=$(sed -n "s/^— $name //p" "$scratch/checkpoint" | while read -r one; do hex <<<"$one"; done | grep "^$id") ||
    fail "this key has not signed"
xxd -r -p <<<"${signature:8:128}" >"$scratch/signature"
xxd -r -p <<<"302a300506032b6570032100${public:2}" >"$scratch/key"
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$scratch/key" \
    -sigfile "$scratch/signature" -in "$scratch/text" >"$scratch/said" 2>&1 || fail "the signature is not of this text"

# the entry of the file, and from its leaf hash to the root (RFC 9162, section 2.1.3.2)
digest=$(sha256sum <"$file" | cut -c 1-64)
entry=$(printf 'tiletree/file/v1\nsha256 %s\nsize %d\n' "$digest" "$(wc -c <"$file")" | xxd -p -c 256)
hash=$(sha256 <<<"00$entry")
at=$index last=$((size - 1))
for other in "${hashes[@]}"; do
    ((last > 0)) || fail "too many hashes"
    if ((at % 2 == 1 || at == last)); then
        hash=$(sha256 <<<"01$other$hash")
        while ((at % 2 == 0 && at > 0)); do at=$((at / 2)) last=$((last / 2)); done
    else
        hash=$(sha256 <<<"01$hash$other")
    fi
    at=$((at / 2)) last=$((last / 2))
done
((last == 0)) && [ "$hash" = "$(hex <<<"$root")" ] || fail "this file is not entry $index of this tree"
echo "verified: entry $index of $size in $origin"
