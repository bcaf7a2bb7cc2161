import { run, runJson, type RunOptions } from './run.ts';

/**
 * `ip -j ...`: network state as the kernel has it, or a change of it. `-n NAMESPACE` may come first, `-6`, `-d` too. Returns the parsed output, an empty list when there is
 * none. Throws CommandError (exit status 2: the kernel refused; 1: wrong arguments).
 */
export function ip(...args: string[]): Promise<unknown> {
  return runJson(['ip', '-j', ...args]);
}

/** Many `ip` commands in one process, one line each without the word `ip`, all of one family where it is given. The first that fails ends it. Throws CommandError; what the kernel refused is named by its line. */
export async function ipBatch(
  lines: readonly string[],
  { family, ...options }: RunOptions & { readonly family?: 4 | 6 } = {},
): Promise<void> {
  const which = family === undefined ? [] : [`-${family}`];
  await run(['ip', ...which, '-batch', '-'], { ...options, input: `${lines.join('\n')}\n` });
}

/** Applies nftables commands as one transaction: all or nothing. Throws CommandError with what nft said of which line. */
export async function nftApply(text: string, options: RunOptions = {}): Promise<void> {
  await run(['nft', '-f', '-'], { ...options, input: text });
}

/** Asks nft and the kernel whether they would take these commands, and changes nothing. Throws CommandError with what nft said. */
export async function nftCheck(text: string, options: RunOptions = {}): Promise<void> {
  await run(['nft', '--check', '-f', '-'], { ...options, input: text });
}

/** `nft -j list ...`, for example `nftList('table', 'inet', 'tresse')`. Returns the objects of the answer without the metainfo. Throws CommandError. */
export async function nftList(...what: string[]): Promise<unknown[]> {
  return nftListIn({}, ...what);
}

/** {@link nftList} in another network namespace or with another time-out. */
export async function nftListIn(options: RunOptions, ...what: string[]): Promise<unknown[]> {
  const answer = await runJson(['nft', '-j', 'list', ...what], options);
  if (typeof answer !== 'object' || answer === null || !('nftables' in answer)) return [];
  const objects: unknown = answer.nftables;
  if (!Array.isArray(objects)) return [];
  return objects.filter((o) => typeof o === 'object' && o !== null && !('metainfo' in o));
}

/** The objects of `nft -j list ruleset`, everybody's; none where nft is missing, or it is not allowed to look. Never throws. */
export async function readRuleset(): Promise<unknown[]> {
  return nftList('ruleset').catch(() => []);
}
