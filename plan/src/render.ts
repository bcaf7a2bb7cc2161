import type { Step } from './diff.ts';
import { type NetworkState, type Route, routeArguments, type Rule, ruleArguments } from './state.ts';

/** A step as the line a person would type; of an nftables step only its first line. */
export function renderStep(step: Step): string {
  switch (step.kind) {
    case 'sysctl':
    case 'restore':
      return `sysctl -w ${step.key}=${step.value}`;
    case 'forget':
      return `# ${step.key} was changed by somebody else: left as it is`;
    case 'ip':
      return `ip ${step.family === 6 ? '-6 ' : ''}${step.arguments.join(' ')}`;
    case 'nft':
      return step.text.startsWith('delete') ? `nft ${step.text.trim()}` : 'nft -f - (the whole table)';
    default:
      return '';
  }
}

const option = ({ family }: Route | Rule): string[] => (family === 6 ? ['-6'] : []);

/** A whole state as text, one thing a line, nftables as written: for golden files and for people. */
export function renderState(state: NetworkState): string {
  return [
    '# sysctl',
    ...Object.entries(state.sysctls).map(([key, value]) => `${key} = ${value}`),
    '# ip route',
    ...state.routes.map((route) => [...option(route), ...routeArguments(route)].join(' ')),
    '# ip rule',
    ...state.rules.map((rule) => [...option(rule), ...ruleArguments(rule)].join(' ')),
    '# nft',
    state.ruleset?.text ?? '',
  ].join('\n');
}
