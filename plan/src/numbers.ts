/**
 * Every number with which the box touches the world outside its own processes, and why it is that one. Two programs that
 * pick the same mark or rule priority break each other silently, so none is written anywhere else. (Only the relay's port
 * stands in schema, since configuration files need it as their default.)
 */

/** The box's engine takes intercepted connections here, on 127.0.0.1 and ::1 only: hosts of the LAN cannot dial it. */
export const interceptPort = 7500;

/**
 * Firewall marks live in the third octet, which Docker, Kubernetes (0x4000, 0x8000), Tailscale (0xff0000 too, values 0x40000
 * and 0x80000 only), mwan3 (0x3f00) and systemd-networkd's defaults leave alone at these values. Always masked.
 */
export const markMask = 0xff_0000;
/** Packets for the engine: delivered locally. */
export const interceptMark = 0x51_0000;
/** Packets of the engine's own sockets. */
export const engineMark = 0x52_0000;
/** Packets and flows that go to the relay by the tunnel: flows too, so that they can be forgotten with it. */
export const tunnelMark = 0x53_0000;
/**
 * Packets and flows that leave directly by the uplink at `index` of the configuration (0 to 15): of a flow too, so that it
 * stays with its line, and can be forgotten with it.
 */
export const uplinkMark = (index: number): number => (0x60 + index) << 16;

/**
 * Rule priorities and table numbers from 5100: behind `local` (0) and before `main` (32766), away from what wg-quick and
 * Tailscale (5200 to 5300) use. A hundred of each are ours.
 */
export const rulePriorityFirst = 5100;
/** The last of our priorities and tables. */
export const rulePriorityLast = 5199;
/** Intercepted packets are delivered locally by this table. */
export const interceptTable = 5100;
/** The table and rule priority of the uplink at `index` of the configuration (0 to 15). */
export const uplinkTable = (index: number): number => 5101 + index;
/** What goes to the relay by the tunnel is routed by this table. */
export const tunnelTable = 5150;
/** LAN to LAN and to connected networks first: main table without its default route. */
export const lanLocalPriority = 5180;
/** Then what its mark sends into the tunnel. */
export const tunnelPriority = 5185;
/** Then what leaves directly goes by the uplink its mark names. */
export const directPriority = 5190;
/**
 * And what has no mark by the best uplink. The kernel asks this too, without the mark, whether the answers to what leaves
 * directly may come in as they do (reverse-path filtering): the main table may have no default route.
 */
export const lanDirectPriority = 5195;

/**
 * Routes and rules carry this protocol number, so that what a killed daemon left is known as ours. 200 is free in
 * /etc/iproute2/rt_protos of Debian and Ubuntu (zebra's family ends at 197).
 */
export const routeProtocol = 200;

/** The metric of the route that keeps a line's packets from leaving by another line while it has no routes. */
export const barrierMetric = 9999;

/** The metric of a relay's routes to LANs, in the main table: whatever else leads there goes before. */
export const lanRouteMetric = 5100;

/** The box's TUN device, and the beginning of the relay's, one for each of its workers: the kernel takes them away with the daemon. */
export const tunnelInterface = 'tresse0';
export const relayTunnelPrefix = 'tresse-r';

/** The one nftables table we own. */
export const nftTable = 'tresse';
