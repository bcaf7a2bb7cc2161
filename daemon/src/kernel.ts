import { sentenceOf, UserError } from '@tresse/kit';
import {
  type ChangedSysctls,
  type Facts,
  hasIpv6,
  ipv6Sysctls,
  type KernelState,
  nftTable,
  readGateways,
  readInterfaces,
  readRoutes,
  readRules,
  readTable,
  renderStep,
  routeProtocol,
  type Step,
} from '@tresse/plan';
import type { Family } from '@tresse/schema';
import { CommandError, ip, ipBatch, nftApply, nftList, readSysctl, writeSysctl } from '@tresse/sys';

import type { Log } from './log.ts';

/** Reads what the machine is like: interfaces, addresses and default routes. Throws CommandError. */
export async function readFacts(): Promise<Facts> {
  const [addresses, ...gateways] = await Promise.all([
    ip('addr', 'show'),
    ...families().map(async (family) => {
      return readGateways(await ip(`-${family}`, 'route', 'show', 'default', 'table', 'main'), family);
    }),
  ]);
  return { interfaces: readInterfaces(addresses), gateways: gateways.flat() };
}

/** The families this kernel has. */
function families(): readonly Family[] {
  return hasIpv6(readAll(ipv6Sysctls)) ? [4, 6] : [4];
}

/**
 * Reads what the kernel holds of ours, and the sysctls asked for; the nftables table, for which one must be root, unless told
 * not to. Throws CommandError, SystemError `SYSCTL`.
 */
export async function readKernel(sysctls: readonly string[], withTable = true): Promise<KernelState> {
  const [table, ...perFamily] = await Promise.all([
    withTable ? ourTable() : undefined,
    ...families().map(async (family) => {
      const [rules, routes] = await Promise.all([
        ip(`-${family}`, 'rule', 'show'),
        ip(`-${family}`, 'route', 'show', 'table', 'all', 'proto', String(routeProtocol)),
      ]);
      return { rules: readRules(rules, family), routes: readRoutes(routes, family) };
    }),
  ]);
  const found = readTable(table);
  return {
    rules: perFamily.flatMap((one) => one.rules),
    routes: perFamily.flatMap((one) => one.routes),
    sysctls: readAll(sysctls),
    ...(found && { table: found }),
  };
}

/** Values of sysctls; those this kernel does not have are left out. */
function readAll(keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = readSysctl(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

async function ourTable(): Promise<unknown> {
  try {
    return await nftList('table', 'inet', nftTable);
  } catch (error) {
    if (error instanceof CommandError && error.stderr.includes('No such file')) return [];
    throw error;
  }
}

/**
 * Applies steps in their order. A step the kernel refuses is logged and left: the next look at the kernel finds it missing and
 * tries again, and the other lines do not wait for it. `remember` is told of a sysctl before it is changed, and after it is
 * restored. Returns the number of steps refused.
 */
export async function applySteps(
  steps: readonly Step[],
  changed: ChangedSysctls,
  remember: (changed: ChangedSysctls) => void,
  log: Log,
): Promise<number> {
  let known = changed;
  const refusals = await sequence(groups(steps), async (group) => {
    if ('lines' in group) return applyIp(group, log);
    try {
      known = await applyOther(group, known, remember);
      return 0;
    } catch (error) {
      // What was there before must be on disk first: it is the disk, then, that refuses.
      const what = error instanceof UserError ? 'a setting is left as it is' : 'the kernel refused a step';
      log.warn(what, { step: renderStep(group), reason: sentenceOf(error) });
      return 1;
    }
  });
  return refusals.reduce((sum, one) => sum + one, 0);
}

type OtherStep = Exclude<Step, { kind: 'ip' }>;

/** `ip` commands of one family, as lines of one batch. */
interface Batch {
  readonly family: Family;
  readonly lines: string[];
}

/** Steps with neighbouring `ip` commands of a family put together. */
function groups(steps: readonly Step[]): (OtherStep | Batch)[] {
  const result: (OtherStep | Batch)[] = [];
  for (const step of steps) {
    const last = result.at(-1);
    if (step.kind !== 'ip') result.push(step);
    else if (last && 'lines' in last && last.family === step.family) last.lines.push(step.arguments.join(' '));
    else result.push({ family: step.family, lines: [step.arguments.join(' ')] });
  }
  return result;
}

async function applyOther(
  step: OtherStep,
  changed: ChangedSysctls,
  remember: (changed: ChangedSysctls) => void,
): Promise<ChangedSysctls> {
  switch (step.kind) {
    case 'nft':
      await nftApply(step.text);
      return changed;
    case 'sysctl': {
      // Written down first: killed in between, the worst is a value restored to what it is.
      const known = { ...changed, [step.key]: { before: step.before, ours: step.value } };
      remember(known);
      writeSysctl(step.key, step.value);
      return known;
    }
    case 'restore':
    case 'forget':
    default: {
      if (step.kind === 'restore') writeSysctl(step.key, step.value);
      const { [step.key]: _, ...known } = changed;
      remember(known);
      return known;
    }
  }
}

/** All in one process; where one is refused, each by itself, so that the others are done. */
async function applyIp({ family, lines }: Batch, log: Log): Promise<number> {
  try {
    await ipBatch(lines, { family });
    return 0;
  } catch {
    const outcomes = await sequence(lines, async (line) => {
      try {
        await ip(`-${family}`, ...line.split(' '));
        return false;
      } catch (error) {
        const again = error instanceof CommandError && /File exists|No such (?:process|file)/u.test(error.stderr);
        if (!again) log.warn('the kernel refused a step', { step: `ip -${family} ${line}`, reason: sentenceOf(error) });
        return !again;
      }
    });
    return outcomes.filter((refused) => refused).length;
  }
}

async function sequence<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  await items.reduce(async (before, item) => {
    await before;
    results.push(await work(item));
  }, Promise.resolve());
  return results;
}
