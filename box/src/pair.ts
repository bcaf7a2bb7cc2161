import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import {
  ensureIdentity,
  type Identity,
  lockHolder,
  type Offer,
  openStateDirectory,
  pairWithRelay,
  preferredCiphers,
  readConfiguration,
  readFacts,
  RefusalError,
  softwareVersion,
  startCommand,
  type StateDirectory,
} from '@tresse/daemon';
import { localLimits } from '@tresse/engine';
import { PeerError, sentenceOf, SystemError, TresseError, UserError } from '@tresse/kit';
import { type Facts, resolveUplinks, sendingAddress } from '@tresse/plan';
import { boxConfig, type BoxFile, ipFamily, type PairingCode, readPairingCode } from '@tresse/schema';

import { clockWarning } from './clock.ts';
import { keepPairing } from './pairing-file.ts';

/** The next way is tried when the one before has not answered for this long (as in RFC 8305). */
const staggerMs = 250;

/** One way to the relay: an uplink, and one of the relay's addresses. */
export interface Way {
  /** The uplink's name, or the interface's where there is no box.yaml. */
  readonly line: string;
  readonly relayAddress: string;
  readonly interface?: string;
  readonly localAddress?: string;
}

/** Why a line did not lead to the relay. */
interface Fault {
  readonly line: string;
  readonly sentence: string;
}

/**
 * `tresse box pair CODE`: makes the identity if needed, lets the relay know this box, and keeps where the relay is. A box that
 * runs already goes there at once. Returns what to tell the person. Throws UserError `CODE`, PeerError `PAIRING_REFUSED`,
 * SystemError `RELAY_UNREACHED` with a sentence for each line, and as reading the configuration does.
 */
export async function pairBox(code: string, options: { state: string; config: string }): Promise<string> {
  const reading = readPairingCode(code);
  if (!reading.ok) throw new UserError('CODE', reading.sentence);
  const file = existsSync(options.config)
    ? readConfiguration<BoxFile>(options.config, boxConfig, 'tresse box init')
    : undefined;
  const directory = openStateDirectory(options.state);
  const identity = await ensureIdentity(directory, 'tresse box');
  const { addresses, port, pin } = reading.value;
  const { name, way, clockAheadMs } = await meet(waysTo(addresses, await readFacts(), file), identity, reading.value);
  const clock = clockWarning(clockAheadMs);
  keepPairing(directory, { addresses: [...addresses], port, pin, name });
  return [
    `This box is paired: the relay at ${way.relayAddress} calls it "${name}" (reached by ${way.line}).`,
    ...(clock === undefined ? [] : [`Warning: ${clock}; the bond does not mind.`]),
    whatNow(options.config, directory, file),
    '',
  ].join('\n');
}

/**
 * Every way to try, the unmetered lines first: those of box.yaml, else every interface with a default route. Beside them the
 * lines that cannot send there, and why.
 */
export function waysTo(
  addresses: readonly string[],
  facts: Facts,
  file: BoxFile | undefined,
): { ways: Way[]; faults: Fault[] } {
  const lines = resolveUplinks({ uplinks: file?.uplinks ?? outwardUplinks(facts) }, facts).filter((one) => one.enabled);
  const faults: Fault[] = [];
  const ways = lines
    .toSorted((a, b) => Number(a.metered) - Number(b.metered))
    .flatMap((line) => {
      const able = addresses.flatMap((relayAddress): Way[] => {
        const own = sendingAddress(line, ipFamily(relayAddress));
        return own ? [{ line: line.name, relayAddress, interface: line.interface, localAddress: own.address }] : [];
      });
      const other = `it has no address of the family of the relay's (${addresses.join(', ')})`;
      if (able.length === 0) faults.push({ line: line.name, sentence: line.fault ?? other });
      return able;
    });
  // A relay beside this machine needs no default route; and the kernel may know of ways we do not.
  const plain = addresses.map((relayAddress) => ({ line: 'this machine', relayAddress }));
  return { ways: ways.length > 0 ? ways : plain, faults };
}

/** Without box.yaml: the interfaces with a default route. */
function outwardUplinks(facts: Facts): BoxFile['uplinks'] {
  const outward = [...new Set(facts.gateways.map((one) => one.interface))];
  const rest = { gateway: 'auto', address: 'auto', kind: 'other', metered: false, enabled: true } as const;
  return outward.map((name) => Object.assign({ name, interface: name }, rest));
}

interface Meeting {
  readonly name: string;
  readonly way: Way;
  readonly clockAheadMs: number;
}

/** Tries every way, staggered; the first that answers wins, and so does the first refusal. */
async function meet(
  { ways, faults: before }: ReturnType<typeof waysTo>,
  identity: Identity,
  code: PairingCode,
): Promise<Meeting> {
  const round = new AbortController();
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  const faults = [...before];
  const attempts = ways.map(async (way, index): Promise<Meeting> => {
    await pause(index * staggerMs, undefined, { signal: round.signal });
    try {
      const target = { ...placed(way), port: code.port, pin: code.pin };
      const answer = await pairWithRelay(target, identity, offer(), code.token, { signal: round.signal });
      return { name: answer.name, way, clockAheadMs: Date.now() - answer.relayTimeMs };
    } catch (error) {
      faults.push({ line: way.line, sentence: sentenceOf(error) });
      // Every way leads to the same relay: it would say the same again, unless it is busy with our other ways.
      if (error instanceof RefusalError && error.reason !== 'busy') refused.reject(refusalOf(error));
      throw error;
    }
  });
  try {
    return await Promise.race([Promise.any(attempts), refused.promise]);
  } catch (error) {
    if (error instanceof TresseError) throw error;
    throw new SystemError('RELAY_UNREACHED', unreachedSentence(faults), error);
  } finally {
    round.abort();
  }
}

function placed({ relayAddress, interface: device, localAddress }: Way): {
  address: string;
  interface?: string;
  localAddress?: string;
} {
  return {
    address: relayAddress,
    ...(device !== undefined && { interface: device }),
    ...(localAddress !== undefined && { localAddress }),
  };
}

function refusalOf(error: RefusalError): PeerError {
  return new PeerError('PAIRING_REFUSED', `The relay was reached, but ${error.message}.`, error);
}

function unreachedSentence(faults: readonly Fault[]): string {
  const width = Math.max(...faults.map((one) => one.line.length));
  const lines = faults.map(({ line, sentence }) => `  ${line.padEnd(width)}  ${sentence}`);
  return ['The relay was not reached:', ...new Set(lines)].join('\n');
}

/** A hello wants all of it; nothing of it is used, for no keys come of a pairing. */
function offer(): Offer {
  return {
    incarnation: randomBytes(16).toString('hex'),
    limits: { ...localLimits, frames: [...localLimits.frames] },
    ciphers: preferredCiphers(),
    software: softwareVersion(),
  };
}

/** What the person does next. A box that runs sees the new pairing by itself. */
function whatNow(config: string, directory: StateDirectory, file: BoxFile | undefined): string {
  if (!file) return `Describe the lines next: "tresse box init" makes ${config}.`;
  if (file.relay)
    return `${config} names a relay itself, which goes before: take "relay:" out of it and restart the box.`;
  return lockHolder(directory) !== undefined
    ? 'The box that runs here goes there now.'
    : `Start the box by "${startCommand('box')}".`;
}
