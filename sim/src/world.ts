/** A box and a relay in virtual time: lines between them, streams over them, and what happens to the lines. */
import {
  CreditBudget,
  limits,
  type Policy,
  ResetReason,
  type Stream,
  type StrandRole,
  type Target,
} from '@tresse/core';
import { BugError, Prng } from '@tresse/kit';

import { Clock } from './clock.ts';
import { Connection, type EndEvents, type EndName } from './connection.ts';
import { Endpoint } from './endpoint.ts';
import { Line, type LineSpec } from './line.ts';
import { LocalPeer, type PeerSpec } from './local-peer.ts';
import { Pattern } from './pattern.ts';

export interface StreamSpec {
  readonly opensAtMs: number;
  readonly box: PeerSpec;
  readonly relay: PeerSpec;
  /** What the relay's connect takes, ms. */
  readonly connectMs: number;
  readonly refused: boolean;
  /** The lines it may use; none: any. */
  readonly paths: readonly number[];
}

/** A stream of any line, to a host that answers at once. */
export function plainStream(opensAtMs: number, box: PeerSpec, relay: PeerSpec): StreamSpec {
  return { opensAtMs, box, relay, connectMs: 1, refused: false, paths: [] };
}

export interface WorldSpec {
  readonly seed: number;
  readonly lines: readonly LineSpec[];
  readonly streams: readonly StreamSpec[];
  readonly socketBytes: number;
  readonly tickMs: number;
  /** Strands are replaced so long after a newer key came, ms; none: as in the product. */
  readonly strandOldMs?: number;
  /** Of each side's receive windows above their floors; none: as in the product. */
  readonly creditBytes?: number;
  /** None: the one that ships. */
  readonly policy?: Policy;
}

/** A stream as both sides see it. */
export interface Flow {
  readonly spec: StreamSpec;
  readonly number: number;
  /** Its session ended while it lived. */
  interrupted: boolean;
  box: LocalPeer | undefined;
  relay: LocalPeer | undefined;
}

/** Linux gives up a SYN and sends it again after this, ms; the engine gives up the attempt later. */
const synAgainMs = 1_000;
const connectMs = 3_000;

export class World {
  readonly clock: Clock = new Clock();
  readonly lines: readonly Line[];
  /** Both sides of the newest session. */
  box!: Endpoint;
  relay!: Endpoint;
  readonly budgets: Record<EndName, CreditBudget>;
  readonly flows: readonly Flow[];
  readonly #spec: WorldSpec;
  readonly #prng: Prng;
  #nextConnection = 1;
  #hash = 0x811c9dc5;

  constructor(spec: WorldSpec) {
    this.#spec = spec;
    this.#prng = new Prng(spec.seed ^ 0x5bd1e995);
    this.lines = spec.lines.map((line, i) => new Line(i + 1, line, new Prng(this.#prng.u32())));
    this.flows = spec.streams.map((s, number) => ({
      spec: s,
      number,
      interrupted: false,
      box: undefined,
      relay: undefined,
    }));
    this.budgets = {
      box: new CreditBudget(spec.creditBytes ?? limits.receiveBudgetBytes),
      relay: new CreditBudget(spec.creditBytes ?? limits.receiveBudgetBytes),
    };
    for (const flow of this.flows) this.clock.at(flow.spec.opensAtMs, () => this.#open(flow));
    this.#begin();
  }

  #begin(): void {
    const box = this.#endpoint('box');
    const relay = this.#endpoint('relay');
    this.box = box;
    this.relay = relay;
    box.dial = (path, role) => this.#dial(box, relay, path, role);
    for (const line of this.lines) {
      this.#tell(line, true);
      box.dialer?.enable(line.path, true);
    }
    for (const side of [box, relay]) this.clock.at(this.clock.nowMs, () => side.pump());
  }

  /** A number that two runs share only if the same things happened at the same times. */
  get hash(): number {
    return this.#hash >>> 0;
  }

  /** True when no stream is left on either side, and all have been opened. */
  get settled(): boolean {
    return (
      this.box.session.streams.size === 0 &&
      this.relay.session.streams.size === 0 &&
      this.flows.every((flow) => flow.box !== undefined)
    );
  }

  line(path: number): Line {
    const line = this.lines[path - 1];
    if (!line) throw new BugError('SIMULATION', `no line ${path}`);
    return line;
  }

  /** The line's carrier falls, or comes back: the box sees it at once. */
  carrier(path: number, up: boolean): void {
    const line = this.line(path);
    if (up) line.restore();
    else line.cut();
    this.#tell(line, up);
    this.box.dialer?.enable(path, up);
    this.box.pump();
  }

  /** The box's configuration and the line's carrier, as the engine tells them. */
  #tell(line: Line, up: boolean): void {
    const spec = this.#spec.lines[line.path - 1];
    this.box.session.handlePathState(line.path, up, spec?.metered ?? false, this.clock.nowMs, spec?.limits);
  }

  /** A handshake gives both sides another key. */
  renewKey(): void {
    this.box.session.handleNewKey(this.clock.nowMs);
  }

  /** An engine begins anew, with another incarnation: the session ends on both sides, and the next one begins. */
  restart(): void {
    const before = [this.box, this.relay];
    for (const flow of this.flows) flow.interrupted ||= flow.box?.over === false || flow.relay?.over === false;
    for (const side of before) side.end();
    for (const { session, pool, violations } of before) {
      const left = [session.streams.size, session.heldBytes, pool.usedBytes];
      if (left.some((count) => count > 0) || violations.length > 0) {
        throw new BugError(
          'SIMULATION',
          `a session ends with ${left.join(' streams, held, of slabs ')}: ${violations.join()}`,
        );
      }
    }
    this.#begin();
  }

  /** The proxy of a line dies, acknowledging on; or another one takes its place. */
  proxy(path: number, alive: boolean): void {
    const line = this.line(path);
    if (!alive) {
      line.deafen();
      return;
    }
    line.undeafen();
    for (const connection of this.connections) if (connection.line === line) connection.reset();
  }

  /** A side's process stands still: its kernel goes on. */
  freeze(side: EndName, forMs: number): void {
    this[side].freeze(forMs);
  }

  /** Every connection that stands at the box, oldest first. */
  get connections(): readonly Connection[] {
    return [...this.box.connections];
  }

  #endpoint(side: EndName): Endpoint {
    return new Endpoint(this.clock, {
      side,
      budget: this.budgets[side],
      socketBytes: this.#spec.socketBytes,
      tickMs: this.#spec.tickMs,
      strandOldMs: this.#spec.strandOldMs,
      policy: this.#spec.policy,
      accept: (stream) => this.#accept(stream),
      note: (kind, a, b) => this.#note(side === 'box' ? kind : kind + 8, a, b),
    });
  }

  #note(kind: number, a: number, b: number): void {
    let h = this.#hash;
    for (const value of [kind, a, b, Math.round(this.clock.nowMs * 1_000)]) h = Math.imul(h ^ value, 0x01000193);
    this.#hash = h;
  }

  #open(flow: Flow): void {
    const target: Target = { address: Uint8Array.of(198, 51, 100, 10), port: flow.number + 1 };
    const stream = this.box.session.openStream(target, flow.spec.paths, this.clock.nowMs);
    flow.box = this.#peer('box', stream, flow);
    this.box.pump();
  }

  #accept(stream: Stream): void {
    const flow = this.flows[stream.target.port - 1];
    if (!flow) throw new BugError('SIMULATION', `a stream to port ${stream.target.port}, which nobody opened`);
    if (flow.relay) throw new BugError('SIMULATION', `stream ${stream.id} connects twice`);
    this.clock.at(this.clock.nowMs + flow.spec.connectMs, () => {
      const { session } = this.relay;
      if (stream.dead) return;
      if (flow.spec.refused) session.resetStream(stream, ResetReason.refused, this.clock.nowMs);
      else {
        flow.relay = this.#peer('relay', stream, flow);
        session.handleConnected(stream, this.clock.nowMs);
      }
      this.relay.pump();
    });
  }

  #peer(side: EndName, stream: Stream, flow: Flow): LocalPeer {
    const endpoint = this[side];
    const own = new Pattern(flow.number * 7_919 + (side === 'box' ? 0 : 31_337));
    const other = new Pattern(flow.number * 7_919 + (side === 'box' ? 31_337 : 0));
    const peer = new LocalPeer(this.clock, endpoint.session, stream, flow.spec[side], own, other, () =>
      endpoint.pump(),
    );
    endpoint.peers.set(stream, peer);
    return peer;
  }

  #dial(box: Endpoint, relay: Endpoint, path: number, role: StrandRole): void {
    const line = this.line(path);
    const beganMs = this.clock.nowMs;
    const attempt = (): void => {
      const { life, alive } = line;
      const sentMs = this.clock.nowMs;
      const rttMs = 2 * line.delayMs + line.down.queueMs(sentMs) + line.up.queueMs(sentMs) + 0.1;
      if (sentMs - beganMs > connectMs) {
        box.dialer?.handleEnd({ path, role });
        box.pump();
      } else if (!alive) this.clock.at(sentMs + synAgainMs, attempt);
      else {
        this.clock.at(sentMs + rttMs, () => {
          if (line.carries(life)) this.#connected(box, relay, line, role, rttMs);
          else this.clock.at(sentMs + synAgainMs, attempt);
        });
      }
    };
    attempt();
  }

  #connected(box: Endpoint, relay: Endpoint, line: Line, role: StrandRole, rttMs: number): void {
    // The session it was to belong to is over.
    if (box !== this.box) return;
    const connection = new Connection(this.clock, line, this.#nextConnection++, role, rttMs, {
      box: eventsOf(box),
      relay: eventsOf(relay),
    });
    box.dialer?.handleEnd({ path: line.path, role });
    box.handleUp(connection);
  }
}

const eventsOf = (endpoint: Endpoint): EndEvents => ({
  onContent: (connection, content) => endpoint.awake(() => endpoint.handleContent(connection, content)),
  onAcked: (connection) => endpoint.awake(() => endpoint.handleAcked(connection)),
  onDown: (connection) => endpoint.awake(() => endpoint.handleDown(connection)),
});
