import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';
import { z } from 'zod';

import { ServerProcess } from '../internet/server-process.ts';
import { Fetching } from '../measure/fetching.ts';
import { addresses, addresses6, ports } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { type Check, check, truth } from '../report/report.ts';
import type { VisitFigures } from '../report/visit-figures.ts';
import type { VisitStep } from '../scenario/visit-step.ts';
import { blankReport } from './blank-report.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

const echoProgram = join(import.meta.dirname, '../internet/datagram-echo.ts');
const clientProgram = join(import.meta.dirname, '../clients/datagrams-client.ts');
const startMs = 10_000;

const datagramNote = z.object({ sent: z.number(), answered: z.number(), said: z.array(z.string()) });

/** Comes to the port, and judges what was there. Rejects with SystemError where a server of the lab does not start. */
export async function playVisit(scene: StepScene, step: VisitStep, index: number): Promise<PlayedStep> {
  const label = step.name ?? `${step.kind} ${step.protocol} ${step.to}`;
  scene.show.phase(label, step.protocol === 'tcp' ? step.bytes : 0);
  const beganMs = performance.now();
  const { visit, why } = await (step.protocol === 'tcp' ? fetchOnce(scene, step, index) : sendDatagrams(scene, step));
  const got = step.protocol === 'tcp' ? why === '' : visit.answered > 0;
  scene.show.say(`${label}: ${got ? 'served' : 'not served'} ${why}`.trimEnd());
  const report = { ...blankReport('visit', label, (performance.now() - beganMs) / 1_000), visit };
  const wanted = step.ends === 'whole' ? got : !got && visit.seen === '';
  const name = step.ends === 'whole' ? 'the LAN host answers' : 'nobody gets through';
  return { report, checks: [truth(`${label}: ${name}`, wanted, why), ...limitChecks(step, visit, label)] };
}

interface Visit {
  readonly visit: VisitFigures;
  /** What is wrong, where something is. */
  readonly why: string;
}

const relayAddress = ({ to }: VisitStep): string => (to === 'ipv6' ? addresses6.relay : addresses.relay);

async function fetchOnce({ stage }: StepScene, step: VisitStep, index: number): Promise<Visit> {
  const { names, lines, seed } = stage;
  const listen = {
    address: relayAddress(step),
    port: ports.plain,
    seed,
    bothFamilies: lines.some((line) => line.ipv6),
  };
  const server = await ServerProcess.start(names.lan, listen);
  const client = new Fetching(names.inet, server, seed);
  try {
    const order = { id: `visit-${index}`, direction: 'down', host: relayAddress(step), port: step.port } as const;
    const { ms, whole, from, why } = await client.fetch({ ...order, bytes: step.bytes });
    const sumBps = lines.reduce((sum, line) => sum + line.up.rateBps, 0);
    const ofLines = whole ? (step.bytes * 8_000) / ms / sumBps : 0;
    const visit = { ...noVisit, bytes: whole ? step.bytes : 0, ms: whole ? ms : 0, ofLines, seen: from };
    return { visit, why: whole ? '' : why || 'wrong bytes' };
  } finally {
    await client.end();
    await server.stop();
  }
}

async function sendDatagrams({ stage }: StepScene, step: VisitStep): Promise<Visit> {
  const { names, lines } = stage;
  const any = lines.some((line) => line.ipv6) ? '::' : '0.0.0.0';
  const echo = new Child(names.lan, [execPath, echoProgram, any, String(ports.echo)]);
  await listening(echo);
  try {
    const how = [relayAddress(step), step.port, step.count, step.every].map(String);
    const client = new Child(names.inet, [execPath, clientProgram, ...how]);
    let text = '';
    client.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await client.ended;
    const { sent, answered, said } = datagramNote.parse(JSON.parse(text));
    const seen = said.map((one) => one.replace(/^::ffff:/u, '')).join(', ');
    return { visit: { ...noVisit, protocol: 'udp', sent, answered, seen }, why: answered > 0 ? '' : 'no answer' };
  } finally {
    echo.process.stdin?.end();
    await echo.ended;
  }
}

const noVisit: VisitFigures = { protocol: 'tcp', bytes: 0, ms: 0, ofLines: 0, sent: 0, answered: 0, seen: '' };

/** Rejects with SystemError `ECHO_SERVER`. */
async function listening(echo: Child): Promise<void> {
  const heard = Promise.withResolvers<void>();
  const refuse = (): void => heard.reject(new SystemError('ECHO_SERVER', 'what sends datagrams back did not start'));
  echo.onLine(() => heard.resolve());
  const timer = setTimeout(refuse, startMs);
  void echo.ended.then(refuse);
  try {
    await heard.promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Limits of what was seen. */
export function limitChecks({ limits }: VisitStep, visit: VisitFigures, label: string): Check[] {
  const { ofLinesMin, wholeMsMax, answeredMin } = limits;
  const took = visit.ms > 0 ? visit.ms : null;
  const answered = visit.sent > 0 ? visit.answered / visit.sent : null;
  return [
    ...(ofLinesMin === undefined
      ? []
      : [check(`${label}: share of the lines' rate`, visit.ofLines, 'min', ofLinesMin)]),
    ...(wholeMsMax === undefined ? [] : [check(`${label}: whole after, ms`, took, 'max', wholeMsMax)]),
    ...(answeredMin === undefined ? [] : [check(`${label}: share answered`, answered, 'min', answeredMin)]),
  ];
}
