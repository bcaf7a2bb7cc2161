import {
  kernelWishes,
  lockHolder,
  readChangedSysctls,
  readConfiguration,
  readFacts,
  readKernel,
  readStateDirectory,
  requireIdentity,
  type StateReader,
  sysctlFile,
} from '@tresse/daemon';
import { sentenceOf } from '@tresse/kit';
import {
  type Advice,
  adviseBox,
  adviseBoxFirewall,
  adviseNeed,
  beforeAnySession,
  bestUplinks,
  checkText,
  desiredState,
  diff,
  type DirectUplinks,
  interceptPort,
  judge,
  type KernelState,
  problem,
  readChoice,
  readDroppingChains,
  type ResolvedUplink,
  resolveUplinks,
  type Step,
  stepWords,
  sysctlsBefore,
  sysctlsWanted,
  treat,
  warning,
  withoutTunnel,
} from '@tresse/plan';
import { type BoxConfig, boxConfig, type BoxFile } from '@tresse/schema';
import { CommandError, listeningPorts, nftCheck, readRuleset } from '@tresse/sys';

import { nowhere, withRelay } from './pairing-file.ts';

/**
 * `tresse box check`: what the configuration would do on this machine, as text, and whether a box could do its work by it.
 * Changes nothing: neither the kernel nor the state directory. Works beside a running box, and without root but for the
 * nftables table. Throws UserErrors of a configuration that is refused, CommandError when the kernel cannot be read.
 */
export async function checkBox(options: { state: string; config: string }): Promise<{ text: string; isFine: boolean }> {
  const file: BoxFile = readConfiguration(options.config, boxConfig, 'tresse box init');
  const directory = readStateDirectory(options.state);
  const relay = relayOf(file, directory);
  const config: BoxConfig = { ...file, relay: relay.place };
  const running = lockHolder(directory);
  const preview = await previewNetwork(config, directory);
  const advice = [
    ...preview.advice,
    ...adviseBox(config, preview.facts, preview.uplinks),
    ...adviseBoxFirewall(readDroppingChains(await readRuleset()), config.lan.interfaces),
    ...adviseNeed(() => requireIdentity(directory, 'tresse box init')),
    ...relay.advice,
    ...(running === undefined && listeningPorts().includes(interceptPort)
      ? [problem(`TCP port ${interceptPort} is in use: does another box run?`)]
      : []),
    ...kernelWishes().map((sentence) => warning(sentence)),
  ];
  const text = checkText({
    file: options.config,
    facts: factsOf(config, preview),
    advice,
    changes: changesOf(preview, running),
  });
  return { text, isFine: advice.every((one) => one.severity !== 'problem') };
}

/** Without a relay the rest can be looked at all the same. */
function relayOf(file: BoxFile, directory: StateReader): { place: BoxConfig['relay']; advice: Advice[] } {
  let place: BoxConfig['relay'] = nowhere;
  const advice = adviseNeed(() => {
    place = withRelay(file, directory).relay;
  });
  return { place, advice };
}

interface Preview {
  readonly facts: Awaited<ReturnType<typeof readFacts>>;
  readonly uplinks: readonly ResolvedUplink[];
  readonly direct: DirectUplinks;
  readonly steps: readonly Step[];
  readonly advice: readonly Advice[];
}

/** The same road a running box takes, up to the steps. */
async function previewNetwork(config: BoxConfig, directory: StateReader): Promise<Preview> {
  const changed = readChangedSysctls(directory) ?? {};
  const wanted = [...sysctlsWanted(config), ...Object.keys(changed)];
  const [facts, { kernel, isTableKnown }] = await Promise.all([readFacts(), lookAtKernel(wanted)]);
  const uplinks = resolveUplinks(config, facts);
  const candidates = uplinks.map((uplink) => {
    return { uplink, verdict: judge(uplink, undefined, undefined).verdict, minRttMs: 0 };
  });
  // A running box knows more of its lines and of the relay than can be seen from here.
  const now = readChoice(kernel.table?.fingerprint, uplinks);
  const direct = bestUplinks(candidates, now?.direct ?? {});
  const treatments = now?.treatments ?? treat(config.withoutRelay, beforeAnySession);
  const packets = now?.packets ?? withoutTunnel;
  const sysctls = sysctlsBefore(kernel.sysctls, changed);
  const { published, behind } = { published: [], behind: { networks: [], reachable: [] }, ...kernel.table };
  const desired = desiredState({ config, uplinks, direct, treatments, packets, sysctls, published, behind });
  const steps = diff(desired, kernel, changed).filter((step) => isTableKnown || step.kind !== 'nft');
  const advice: Advice[] = [];
  if (!isTableKnown) advice.push(warning('without root the nftables table cannot be looked at: it is left out below'));
  if (readChangedSysctls(directory) === undefined) {
    advice.push(warning(`what kernel settings were before is not known: ${directory.file(sysctlFile)} is damaged`));
  }
  return { facts, uplinks, direct, steps, advice: [...advice, ...(await adviseTable(steps))] };
}

async function lookAtKernel(sysctls: readonly string[]): Promise<{ kernel: KernelState; isTableKnown: boolean }> {
  try {
    return { kernel: await readKernel(sysctls), isTableKnown: true };
  } catch (error) {
    if (!(error instanceof CommandError) || !/not permitted/iu.test(error.stderr)) throw error;
    return { kernel: await readKernel(sysctls, false), isTableKnown: false };
  }
}

/** Asks the kernel whether it would take the table: modules may be missing. */
async function adviseTable(steps: readonly Step[]): Promise<Advice[]> {
  const step = steps.find((one) => one.kind === 'nft');
  if (step?.kind !== 'nft') return [];
  try {
    await nftCheck(step.text);
    return [];
  } catch (error) {
    return [problem(`the kernel would refuse the nftables table: ${sentenceOf(error)}`)];
  }
}

function factsOf(config: BoxConfig, { uplinks, direct }: Preview): string[] {
  return [
    ...uplinks.map((one) => {
      const ways = one.addresses.map(({ address, gateway }) =>
        gateway === undefined ? address : `${address} by ${gateway}`,
      );
      return `${one.name}: ${[one.interface, ways.join(', ')].join(' ').trim()}: ${one.fault ?? 'can send'}`;
    }),
    `lan: ${config.lan.interfaces.join(', ')}`,
    `relay: ${config.relay.addresses.map((one) => `${one}, TCP port ${config.relay.port}`).join('; ') || 'none'}`,
    directWords(direct),
  ];
}

function directWords(direct: DirectUplinks): string {
  const names = [...new Set(Object.values(direct))];
  if (names.length === 0) return 'what does not go through the relay cannot leave now';
  return `what does not go through the relay leaves by ${names.join(' (IPv4) and ')}${names.length > 1 ? ' (IPv6)' : ''}`;
}

function changesOf({ steps }: Preview, running: number | undefined): string[] {
  const daemon = running === undefined ? '' : `A box runs with this state directory (process ${running}). `;
  if (steps.length === 0) return [`${daemon}Nothing would change: the kernel is as this configuration wants it.`];
  const when =
    running === undefined ? 'Starting the box would, in this order:' : 'Started anew it would, in this order:';
  return [daemon + when, ...stepWords(steps).map((line) => `  ${line}`), 'Nothing has been changed now.'];
}
