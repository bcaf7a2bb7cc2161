import { availableParallelism } from 'node:os';

import {
  type Agreement,
  type Identity,
  kernelWishes,
  type Log,
  preferredCiphers,
  readPeerMessage,
  Reception,
  reportSession,
  sayGoodbye,
  softwareVersion,
} from '@tresse/daemon';
import { type EnginePlace, localLimits, type RelayEngine, startRelayEngine } from '@tresse/engine';
import { sentenceOf, UserError } from '@tresse/kit';
import { readInterfaces } from '@tresse/plan';
import type { DaemonStatus, RelayConfig } from '@tresse/schema';
import { ip, readSysctl } from '@tresse/sys';

import { Sessions } from './sessions.ts';
import { workerCount } from './worker-count.ts';

/** Warnings kept for the status. */
const warningsMax = 8;

/** A relay at work: its engine carries the bytes, this lets boxes in. */
export class Relay {
  readonly #config: RelayConfig;
  readonly #identity: Identity;
  readonly #log: Log;
  readonly #startedAtMs = performance.now();
  readonly #sessions = new Sessions();
  readonly #reception: Reception;
  readonly #warnings: string[] = [];
  #engine: RelayEngine | undefined;
  #stopping = false;

  constructor(config: RelayConfig, identity: Identity, log: Log) {
    this.#config = config;
    this.#identity = identity;
    this.#log = log;
    this.#reception = new Reception(
      identity,
      {
        nameOf: (pin) => this.#nameOf(pin),
        terms: (pin) => {
          const place = this.#place(pin);
          return (
            place && {
              ...place,
              limits: { ...localLimits, frames: [...localLimits.frames] },
              ciphers: preferredCiphers(),
              software: softwareVersion(),
            }
          );
        },
        admit: (agreement, remote) => this.#admit(agreement, remote.address),
      },
      log,
    );
  }

  /** Starts the engine. Throws UserError `PORT_IN_USE`, SystemErrors of the engine. */
  async start(): Promise<void> {
    const { addresses, port } = this.#config.listen;
    const ownAddresses = readInterfaces(await ip('addr', 'show')).flatMap((one) => one.addresses.map((a) => a.address));
    // One socket for both families, where the kernel has both.
    const any = readSysctl('net.ipv6.bindv6only') === undefined ? '0.0.0.0' : '::';
    this.#engine = startRelayEngine(
      {
        listen: addresses.map((address) => ({ address: address === 'any' ? any : address, port })),
        allowPrivate: this.#config.allowPrivate,
        ownAddresses,
        workers: workerCount(this.#config.workers, availableParallelism()),
      },
      {
        onReady: (incarnation, generation) => {
          this.#log.info('the data plane runs', { incarnation, generation });
        },
        onLog: (level, text, fields) => this.#log.at(level, text, fields),
        onTlsConnection: (fd, remote) => this.#reception.adopt(fd, remote),
        onPeerMessage: (sessionKey, bytes) => {
          const message = readPeerMessage(bytes);
          if (!message) return;
          this.#log.info('a box says goodbye', { reason: message.reason });
          this.#engine?.endSession(sessionKey);
        },
        onFault: (stack, count) => {
          this.#log.error('the data plane failed', { stack, count });
        },
      },
    );
    try {
      await this.#engine.ready;
    } catch (error) {
      await this.#engine.stop();
      if (!sentenceOf(error).includes('EADDRINUSE')) throw error;
      throw new UserError(
        'PORT_IN_USE',
        `TCP port ${port} is in use: does another relay run? (${sentenceOf(error)})`,
        error,
      );
    }
    this.#log.info('the relay listens', { port, pin: this.#identity.pin, boxes: this.#config.boxes.length });
    if (this.#config.boxes.length === 0) this.#warn('no box is configured: put name and pin of one into relay.yaml');
  }

  /** Ends every session and frees the port. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#reception.close();
    if (this.#engine) await sayGoodbye(this.#engine, 'the relay stops');
    await this.#engine?.stop();
  }

  async status(): Promise<DaemonStatus> {
    // While the data plane starts anew it has nothing to tell.
    const engine = await this.#engine?.status().catch(() => undefined);
    const sessions = engine?.sessions ?? [];
    const boxes = sessions.filter((one) => one.paths.length > 0).length;
    return {
      kind: 'relay',
      version: softwareVersion(),
      pin: this.#identity.pin,
      uptimeS: Math.round((performance.now() - this.#startedAtMs) / 1000),
      summary: `${boxes} of ${this.#config.boxes.length} boxes connected`,
      uplinks: [],
      sessions: sessions.map((one) => reportSession(one, 'up', this.#nameOf(one.peer) ?? one.peer)),
      counters: { ...engine?.counters, ...prefixed('handshakes', this.#reception.counters) },
      warnings: [...this.#warnings, ...kernelWishes()],
    };
  }

  #nameOf(pin: string): string | undefined {
    return this.#config.boxes.find((box) => box.pin === pin)?.name;
  }

  /** Where a box's session is to be; undefined while the data plane starts or ends. */
  #place(pin: string): EnginePlace | undefined {
    return this.#stopping ? undefined : this.#engine?.place(pin);
  }

  async #admit(agreement: Agreement, address: string): Promise<void> {
    const { peerPin: pin, peerIncarnation: incarnation } = agreement;
    const name = this.#nameOf(pin) ?? pin;
    const place = this.#place(pin);
    if (!place || !this.#engine) throw new UserError('NOT_READY', 'the data plane does not run');
    const arrival = this.#sessions.arrive({ pin, name, incarnation, address }, place.incarnation, performance.now());
    if (arrival.warning !== undefined) this.#warn(arrival.warning);
    await this.#engine.installKid({
      kid: agreement.kid,
      secret: agreement.secret,
      cipher: agreement.cipher,
      limits: agreement.limits,
      sessionKey: arrival.sessionKey,
      peer: pin,
    });
    agreement.secret.fill(0);
    this.#log.info(arrival.isNew ? 'a box is connected' : 'a box renewed its keys', {
      box: name,
      address,
      cipher: agreement.cipher,
      group: agreement.group,
      software: agreement.peerSoftware,
    });
  }

  #warn(sentence: string): void {
    this.#log.warn(sentence);
    if (this.#warnings.includes(sentence)) return;
    this.#warnings.push(sentence);
    if (this.#warnings.length > warningsMax) this.#warnings.shift();
  }
}

function prefixed(prefix: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [`${prefix}.${name}`, count]));
}
