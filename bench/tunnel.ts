/** Tunnels between box and relay of the stage, one TUN device at each end: ours, and the rivals Debian has. Both ends share a core. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';

import { inTurn } from './contest.ts';
import { cores, Pinned } from './pinned.ts';
import { fetchRivals } from './rival-packages.ts';
import { at, netns } from './stage.ts';

/** One that stands: what is sent from `from` to `to` goes through it. */
export interface Tunnel {
  readonly name: string;
  readonly processes: readonly Pinned[];
  readonly from: string;
  readonly to: string;
}

type Role = 'box' | 'relay';
const roles: readonly Role[] = ['box', 'relay'];
const outer = { box: at.boxLine, relay: at.relayLine } as const;
const readyMsMax = 10_000;
const pollMs = 100;

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + readyMsMax;
  const look = async (): Promise<void> => {
    if (await holds()) return;
    if (performance.now() > endMs) throw new SystemError('BENCH', `${what} is not ready`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    await look();
  };
  await look();
}

const answers = async (tunnel: Tunnel): Promise<boolean> => {
  try {
    await run(['ping', '-c', '1', '-W', '1', '-I', tunnel.from, tunnel.to], { netns: netns.box, timeoutMs: 5_000 });
    return true;
  } catch {
    return false;
  }
};

async function standing(tunnel: Tunnel): Promise<Tunnel> {
  try {
    await until(tunnel.name, async () => await answers(tunnel));
    return tunnel;
  } catch (error) {
    await stopTunnel(tunnel);
    throw error;
  }
}

export async function stopTunnel(tunnel: Tunnel): Promise<void> {
  await Promise.all(tunnel.processes.map(async (process) => await process.stop()));
}

/** The two ends of our packet lane, without the daemons around it. Throws SystemError `BENCH`. */
export async function startTresse(folder: string): Promise<Tunnel> {
  const inner = { box: '10.88.1.1', relay: '10.88.1.2' };
  const profile = process.env['TRESSE_BENCH_PROFILE'];
  const processes = roles.map((role) => {
    const script = join(import.meta.dirname, 'packet-end.ts');
    return new Pinned([process.execPath, script, role, inner[role], inner[role === 'box' ? 'relay' : 'box']], {
      netns: netns[role],
      core: cores.measured,
      log: join(folder, `packet-${role}.log`),
      ...(profile === undefined ? {} : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(profile, role)}` } }),
    });
  });
  return await standing({ name: 'Tresse', processes, from: inner.box, to: inner.relay });
}

/** WireGuard in Go. Throws CommandError where it cannot be fetched, SystemError `BENCH`. */
export async function startWireguard(): Promise<Tunnel> {
  const { program, env } = await fetchRivals('wireguard-go');
  const inner = { box: '10.88.2.1', relay: '10.88.2.2' };
  const pairs = { box: generateKeyPairSync('x25519'), relay: generateKeyPairSync('x25519') };
  const processes = await inTurn(roles, async (role) => {
    const other = role === 'box' ? 'relay' : 'box';
    const device = `tbe-wg-${role}`;
    const path = `/var/run/wireguard/${device}.sock`;
    // A killed one leaves it behind.
    rmSync(path, { force: true });
    const started = new Pinned([program('usr/bin/wireguard-go'), '-f', device], {
      netns: netns[role],
      core: cores.measured,
      env: { ...env, LOG_LEVEL: 'error' },
    });
    await until('wireguard-go', () => existsSync(path));
    await tell(path, [
      'set=1',
      `private_key=${rawHex(pairs[role].privateKey)}`,
      'listen_port=51820',
      `public_key=${rawHex(pairs[other].publicKey)}`,
      `endpoint=${outer[other]}:51820`,
      'allowed_ip=0.0.0.0/0',
    ]);
    await inTurn(
      [`address add ${inner[role]}/24 dev ${device}`, `link set ${device} up`],
      async (words) => await run(['ip', '-n', netns[role], ...words.split(' ')], { timeoutMs: 5_000 }),
    );
    return started;
  });
  return await standing({ name: 'wireguard-go', processes, from: inner.box, to: inner.relay });
}

/** A raw X25519 key stands at the end of its DER form. */
function rawHex(key: KeyObject): string {
  const der = key.type === 'private' ? { format: 'der', type: 'pkcs8' } : { format: 'der', type: 'spki' };
  return (key.export(der as { format: 'der'; type: 'pkcs8' }) as Buffer).subarray(-32).toString('hex');
}

/** One request of WireGuard's cross-platform interface: https://www.wireguard.com/xplatform/ */
async function tell(path: string, lines: readonly string[]): Promise<void> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.end(`${lines.join('\n')}\n\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  if (!answer.toString().startsWith('errno=0')) {
    throw new SystemError('BENCH', `wireguard-go refused its settings: ${answer.toString().trim()}`);
  }
}

/** OpenVPN, with TLS and AES-256-GCM. Throws CommandError where it cannot be fetched, SystemError `BENCH`. */
export async function startOpenvpn(folder: string): Promise<Tunnel> {
  const { program, env } = await fetchRivals('openvpn');
  const inner = { box: '10.88.3.1', relay: '10.88.3.2' };
  const fingerprints = Object.fromEntries(
    await inTurn(roles, async (role) => [role, await makeCertificate(folder, role)] as const),
  );
  const processes = roles.map((role) => {
    const other = role === 'box' ? 'relay' : 'box';
    const file = (end: string): string => join(folder, `openvpn-${role}.${end}`);
    const options: Readonly<Record<string, string>> = {
      dev: `tbe-ov-${role}`,
      'dev-type': 'tun',
      proto: 'udp',
      local: outer[role],
      remote: outer[other],
      port: '1194',
      ifconfig: `${inner[role]} ${inner[other]}`,
      [role === 'relay' ? 'tls-server' : 'tls-client']: '',
      'data-ciphers': 'AES-256-GCM',
      cipher: 'AES-256-GCM',
      dh: 'none',
      cert: file('crt'),
      key: file('key'),
      'peer-fingerprint': fingerprints[other] ?? '',
      verb: '1',
    };
    const argv = Object.entries(options).flatMap(([key, value]) => `--${key} ${value}`.trim().split(' '));
    const log = join(folder, `openvpn-${role}.log`);
    return new Pinned([program('usr/sbin/openvpn'), ...argv], { netns: netns[role], core: cores.measured, env, log });
  });
  return await standing({ name: 'openvpn', processes, from: inner.box, to: inner.relay });
}

/** Returns the fingerprint by which the other end knows it. */
async function makeCertificate(folder: string, role: Role): Promise<string> {
  const [key, crt] = [join(folder, `openvpn-${role}.key`), join(folder, `openvpn-${role}.crt`)];
  const make = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run([...make, '-keyout', key, '-out', crt, '-subj', `/CN=${role}`, '-days', '30'], { timeoutMs: 10_000 });
  const words = await run(['openssl', 'x509', '-in', crt, '-noout', '-fingerprint', '-sha256'], { timeoutMs: 10_000 });
  return words.slice(words.indexOf('=') + 1).trim();
}
