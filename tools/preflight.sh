#!/bin/bash
# Says in one sentence what keeps this machine from running Tresse and its lab; silent where all is well.
# Needs nothing but bash and what every Debian has. What asks the kernel through nft comes last, and only once nft is installed.
set -euo pipefail
refuse() { echo "$*" >&2; exit 1; }

[[ $(uname -s) == Linux ]] || refuse "Tresse needs Linux; this is $(uname -s)."
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) refuse "Tresse runs on x86-64 and arm64 processors; this is $(uname -m)." ;;
esac
[[ $(id -u) == 0 ]] || refuse "Root is needed for network namespaces and packages: run this as root."
unshare --net true 2>/dev/null || refuse "This kernel or container does not allow network namespaces, which the lab is made of."

if [[ ! -c /dev/net/tun ]]; then
  modprobe tun 2>/dev/null || true
  [[ -c /dev/net/tun ]] || refuse "This kernel has no TUN device (/dev/net/tun): load the module tun, or allow it to the container."
fi
# An existing node may belong to a kernel without the driver behind it.
{ : <>/dev/net/tun; } 2>/dev/null || refuse "The TUN device /dev/net/tun cannot be opened: this kernel or container does not allow it."

command -v nft >/dev/null || exit 0
in_empty_netns() { unshare --net nft -f - 2>/dev/null; }
in_empty_netns <<<'table inet preflight { chain pre { type filter hook prerouting priority mangle; policy accept; }; }' ||
  refuse "This kernel has no nftables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET)."
in_empty_netns <<'NFT' || refuse "This kernel's nftables has no tproxy, by which the box takes up connections (CONFIG_NFT_TPROXY)."
table inet preflight {
  chain pre {
    type filter hook prerouting priority mangle; policy accept;
    meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:7500 accept
  }
}
NFT
in_empty_netns <<'NFT' || refuse "This kernel's nftables has no socket match (CONFIG_NFT_SOCKET)."
table inet preflight {
  chain pre {
    type filter hook prerouting priority mangle; policy accept;
    meta l4proto tcp socket transparent 1 accept
  }
}
NFT
in_empty_netns <<'NFT' || refuse "This kernel's nftables cannot translate addresses (CONFIG_NFT_MASQ, CONFIG_NF_NAT)."
table ip preflight {
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    masquerade
  }
}
NFT
[[ $(cat /proc/sys/net/mptcp/enabled 2>/dev/null) == 1 ]] ||
  echo "Note: this kernel has no MPTCP, so the lab compares with the single lines only." >&2
exit 0
