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

/** Operators and the core pass packets on. */
export const routerSettings: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
};
