/**
 * Asks a probe server: `probe-client.ts dns|echo|raw FAMILY ADDRESS BYTES COUNT [PROTOCOL]`. A question that is not answered is
 * asked again, up to three times, as programs do by UDP. Prints after how long each was answered, as JSON: `{"rttMs": [...]}`.
 */
import { createSocket } from 'node:dgram';

import { monotonicMs } from '@tresse/sys';

import { answersDns, dnsQuery } from './dns-message.ts';
import { probePorts, RawPort } from './raw-port.ts';

const [kind = '', familyText = '4', address = '', bytes = '0', count = '1', protocol = '0'] = process.argv.slice(2);
const family = familyText === '6' ? 6 : 4;
const triesMax = 3;
const patienceMs = 1_000;
/** Without options, around IPv4. */
const greHeader = [0, 0, 0x08, 0x00];
const rttMs: number[] = [];
let question: Buffer = Buffer.alloc(0);
let number = 0;
let tries = 0;
let askedMs = 0;
let timer: NodeJS.Timeout | undefined;

/** Whether this is what was asked for. */
function fits(answer: Buffer): boolean {
  if (kind === 'dns') return answersDns(answer, number) && answer.length === Number(bytes);
  return answer.equals(question);
}

function hear(answer: Buffer): void {
  if (!fits(answer)) return;
  rttMs.push(monotonicMs() - askedMs);
  next();
}

function next(): void {
  clearTimeout(timer);
  if (++number > Number(count)) {
    end();
    return;
  }
  question = kind === 'dns' ? dnsQuery(number, Number(bytes)) : Buffer.alloc(Number(bytes), number);
  // What translates addresses looks into GRE (RFC 2784), and drops what is none.
  if (kind === 'raw') question.set(greHeader);
  tries = 0;
  ask();
}

function ask(): void {
  if (++tries > triesMax) {
    next();
    return;
  }
  askedMs = monotonicMs();
  send();
  timer = setTimeout(ask, patienceMs);
}

function end(): void {
  process.stdout.write(`${JSON.stringify({ rttMs })}\n`);
  process.exit(0);
}

const raw = kind === 'raw' ? new RawPort(family, Number(protocol), hear) : undefined;
const socket = raw ? undefined : createSocket(family === 6 ? 'udp6' : 'udp4', hear);
// Told by a router that it was too long, or that nobody listens: asked again like what was lost.
socket?.on('error', () => undefined);

function send(): void {
  if (raw) raw.send(question, address);
  else socket?.send(question, kind === 'dns' ? probePorts.dns : probePorts.echo, address, () => undefined);
}

next();
