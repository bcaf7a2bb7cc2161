import type { Step } from './diff.ts';
import { nftTable } from './numbers.ts';
import { renderStep } from './render.ts';

/**
 * Steps for people, in their order: a line in words for each run of steps of one sort, and below it, indented, the lines one
 * would type. Empty when there are none.
 */
export function stepWords(steps: readonly Step[]): string[] {
  const lines: string[] = [];
  let last = '';
  for (const step of steps) {
    const words = wordsOf(step);
    if (words !== last) lines.push(words);
    last = words;
    lines.push(`  ${renderStep(step)}`);
  }
  return lines;
}

function wordsOf(step: Step): string {
  switch (step.kind) {
    case 'sysctl':
      return 'let the kernel forward between LAN and lines, and take answers by any line:';
    case 'restore':
      return 'put kernel settings back to what they were:';
    case 'forget':
      return 'leave alone what somebody else has set since:';
    case 'nft':
      return step.text.startsWith('delete')
        ? `remove the nftables table ${nftTable}:`
        : `hand the LAN's TCP to the bond and translate addresses on the lines, in a table of our own (inet ${nftTable}):`;
    case 'ip':
      return ipWords(step.arguments);
    default:
      return 'change the network:';
  }
}

function ipWords(args: readonly string[]): string {
  const [object, verb] = args.filter((one) => !one.startsWith('-'));
  const removes = verb === 'del';
  if (object === 'route') {
    return removes ? 'remove routes of ours:' : 'give every line its own routing table, beside the ones there are:';
  }
  if (object === 'rule') {
    return removes
      ? 'remove routing rules of ours:'
      : "send what carries a line's address, and what comes from the LAN, by those tables:";
  }
  return 'change the network:';
}
