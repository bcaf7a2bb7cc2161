import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';
import { z } from 'zod';

import { addresses, addresses6 } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { type ProbeFigures, probeText } from '../report/probe-figures.ts';
import { quantile } from '../report/quantile.ts';
import { truth } from '../report/report.ts';
import type { ProbeStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

const client = join(import.meta.dirname, '../clients/probe-client.ts');
const server = join(import.meta.dirname, '../internet/probe-server.ts');
const startMs = 10_000;
/** Of all questions together, and of a traceroute. */
const patienceMs = 30_000;
const hopsMax = 10;

const clientReport = z.object({ rttMs: z.array(z.number()) });
/** What is taken from mtr's report. */
const mtrReport = z.object({
  report: z.object({ hubs: z.array(z.object({ host: z.string(), 'Loss%': z.number(), Avg: z.number() })) }),
});

/** Asks, and judges whether all was answered. Rejects with SystemError `PROBE` where a program did not run. */
export async function playProbe(scene: StepScene, step: ProbeStep): Promise<PlayedStep> {
  const label = step.name ?? `${step.what}, ${step.to === 'ipv6' ? 'IPv6' : 'IPv4'}`;
  scene.show.phase(label);
  const beganMs = performance.now();
  const traces = step.what === 'traceroute' || step.what === 'traceroute-udp';
  const probe = traces ? await trace(scene, step) : await exchange(scene, step);
  scene.show.say(`${label}: ${probeText(probe)}`);
  const whole = probe.answered === probe.asked && !probe.hops.includes(unknownHop);
  return {
    report: { ...blankReport('probe', label, (performance.now() - beganMs) / 1_000), probe },
    checks: [truth(`${label}: all answered`, whole, probeText(probe))],
  };
}

const unknownHop = '?';

/** The way to the internet host: every router on it has to say so, and the host to answer. */
async function trace({ stage }: StepScene, step: ProbeStep): Promise<ProbeFigures> {
  const target = targetOf(step);
  const how = ['-n', '-j', '-c', String(step.count), '-i', '0.3', '-G', '1', '-m', String(hopsMax)];
  const by = step.what === 'traceroute-udp' ? ['-u'] : [];
  const text = await printed(new Child(stage.names.lan, ['mtr', ...how, ...by, target]));
  return traceFigures(text, target);
}

/** What mtr found out. Throws SystemError `PROBE` where the text is no report of it. */
export function traceFigures(text: string, target: string): ProbeFigures {
  const parsed = mtrReport.safeParse(jsonOf(text));
  if (!parsed.success) throw new SystemError('PROBE', `mtr told of no way: ${text.trim().slice(-300)}`);
  const { hubs } = parsed.data.report;
  const reached = hubs.findIndex(({ host }) => host === target);
  const way = reached < 0 ? hubs : hubs.slice(0, reached + 1);
  return {
    asked: 1,
    answered: reached < 0 ? 0 : 1,
    rttMs: reached < 0 ? null : (hubs[reached]?.Avg ?? null),
    hops: way.map(({ host, 'Loss%': lossPercent }) => (host === '???' || lossPercent === 100 ? unknownHop : host)),
  };
}

async function exchange({ stage }: StepScene, step: ProbeStep): Promise<ProbeFigures> {
  const kind = { dns: 'dns', datagrams: 'echo', protocol: 'raw' }[step.what as 'dns' | 'datagrams' | 'protocol'];
  const family = step.to === 'ipv6' ? '6' : '4';
  const protocol = String(step.protocol);
  const answering = new Child(stage.names.inet, [execPath, server, kind, family, protocol]);
  try {
    const listening = new Promise<void>((resolve) => answering.onLine(() => resolve()));
    const ready = await Promise.race([listening.then(() => true), answering.ended.then(() => false), late(startMs)]);
    if (!ready) throw new SystemError('PROBE', 'what answers probes did not start');
    const how = [kind, family, targetOf(step), String(step.bytes), String(step.count), protocol];
    const text = await printed(new Child(stage.names.lan, [execPath, client, ...how]));
    const told = clientReport.safeParse(jsonOf(text));
    if (!told.success) throw new SystemError('PROBE', `what asks probes told nothing: ${text.trim().slice(-300)}`);
    const { rttMs } = told.data;
    return { asked: step.count, answered: rttMs.length, rttMs: quantile(rttMs, 0.5), hops: [] };
  } finally {
    answering.process.stdin?.end();
    await answering.stop(2_000);
  }
}

function targetOf({ to }: ProbeStep): string {
  return to === 'ipv6' ? addresses6.internetHost : addresses.internetHost;
}

async function late(ms: number): Promise<false> {
  return await new Promise((resolve) => setTimeout(() => resolve(false), ms).unref());
}

/** All that the program prints on both its outputs until it ends, or has taken too long. */
async function printed(child: Child): Promise<string> {
  let text = '';
  let complaint = '';
  child.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.process.stderr?.setEncoding('utf8').on('data', (piece: string) => (complaint += piece));
  const stuck = setTimeout(() => child.process.kill('SIGKILL'), patienceMs);
  await child.ended;
  clearTimeout(stuck);
  return text === '' ? complaint : text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
