/** In every namespace: nobody else can have an address here, so that none waits for an objection. */
export const everywhere: Readonly<Record<string, string>> = {
  'net.ipv6.conf.all.accept_dad': '0',
  'net.ipv6.conf.default.accept_dad': '0',
};

/** TCP's own settings in the namespaces of LAN host, box, relay and internet host: buffers never bound what a line can carry. */
export const hostSettings: Readonly<Record<string, string>> = {
  'net.ipv4.tcp_rmem': '4096 131072 67108864',
  'net.ipv4.tcp_wmem': '4096 16384 67108864',
  // What one connection learned must not help or harm the next: each measurement starts cold.
  'net.ipv4.tcp_no_metrics_save': '1',
};

/** The box before Tresse, as Debian and Ubuntu set a machine up; a new namespace may have been born with other values. */
export const boxSettings: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '0',
  'net.ipv4.conf.all.rp_filter': '2',
  'net.ipv4.conf.default.rp_filter': '2',
};

/** The box as a router that its user has set up for IPv6. */
export const ipv6RouterSettings: Readonly<Record<string, string>> = { 'net.ipv6.conf.all.forwarding': '1' };

/** Operators and the core pass packets on. */
export const routerSettings: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
};

/** An operator's proxy holds so much of a connection each way, and no more. */
export const proxySettings: Readonly<Record<string, string>> = {
  'net.ipv4.tcp_rmem': '4096 131072 262144',
  'net.ipv4.tcp_wmem': '4096 131072 262144',
};

/** An address translation that tracks strictly: what it has forgotten, or never seen begin, it does not take up again. */
export function natSettings(timeoutMs: number | undefined): Record<string, string> {
  const seconds = Math.max(1, Math.round((timeoutMs ?? 0) / 1_000));
  return {
    'net.netfilter.nf_conntrack_tcp_loose': '0',
    // Whether a segment fits the window is not its business.
    'net.netfilter.nf_conntrack_tcp_be_liberal': '1',
    ...(timeoutMs === undefined ? {} : { 'net.netfilter.nf_conntrack_tcp_timeout_established': String(seconds) }),
  };
}
