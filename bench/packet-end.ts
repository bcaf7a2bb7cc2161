/**
 * One end of the packet lane as a process of its own, with what the engine's worker has of it: TUN device, UDP socket, keys and lane.
 * Strands and daemons are not there: `packet-end.ts box|relay OWN-INNER-ADDRESS OTHER-INNER-ADDRESS`.
 */
import { Path } from '@tresse/core';
import { PacketDriver, readDatagrams, TunDevice } from '@tresse/engine';
import { bestAead, bindAddress, endpoint, EventLoop, ip, openTun, udpSocket } from '@tresse/sys';

import { at } from './stage.ts';

const port = 7_443;
const path = 1;
/** As the relay gives its boxes. */
const mtu = 1_413;
/** Turns between looks at Node's own events, which are signals here. */
const turnsAtOnce = 64;
const waitMs = 100;

const [role, own = '', other = ''] = process.argv.slice(2);
const side = role === 'box' ? 'box' : 'relay';

const loop = new EventLoop();
const { fd: tunFd, ifname } = openTun('tbe-packets');
await ip('address', 'add', own, 'peer', other, 'dev', ifname);
await ip('link', 'set', ifname, 'mtu', String(mtu), 'up');

const driver = new PacketDriver(
  side,
  loop,
  new Map([[path, new Path(path)]]),
  (slab, start, length) => tun.write(slab, start, length),
  () => {},
  undefined,
  () => true,
);
const tun = new TunDevice(loop, tunFd, (bytes, start, end) => driver.handleLocal(bytes, start, end));
const socket = udpSocket(4);
bindAddress(socket, side === 'box' ? at.boxLine : at.relayLine, port);
readDatagrams(
  loop,
  socket,
  (header, slab, start, length, fd, from) => driver.receive(header, slab, start, length, fd, from),
  () => driver.counters.strayed++,
);
driver.addKey(1, bestAead('aes-256-gcm'), new Uint8Array(32).fill(1));
if (side === 'box') driver.setWay(path, socket, endpoint(at.relayLine, port));
loop.afterBatch(() => {
  driver.afterBatch();
  tun.afterBatch();
});

function turn(): void {
  for (let i = 0; i < turnsAtOnce; i++) if (loop.turn(waitMs) === 0) break;
  setImmediate(turn);
}

process.once('SIGTERM', () => {
  process.stdout.write(`${JSON.stringify({ ...driver.figures, undelivered: tun.undelivered })}\n`);
  process.exit(0);
});
turn();
