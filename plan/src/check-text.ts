import type { Advice } from './advice.ts';

/** What a check of a configuration found. */
export interface CheckFindings {
  /** The configuration file. */
  readonly file: string;
  /** What the configuration means on this machine, one thing a line. */
  readonly facts: readonly string[];
  readonly advice: readonly Advice[];
  /** What running it would do, one thing a line; the first says when. */
  readonly changes: readonly string[];
}

/** A check's findings as text for people: what must be mended stands before what is worth knowing. */
export function checkText({ file, facts, advice, changes }: CheckFindings): string {
  const said = (severity: Advice['severity']): string[] =>
    advice.filter((one) => one.severity === severity).map((one) => `  - ${one.sentence}`);
  const problems = said('problem');
  const warnings = said('warning');
  const parts = [
    [`${file} is valid.`, ...facts.map((line) => `  ${line}`)],
    problems.length > 0 ? ['Must be mended:', ...problems] : [],
    warnings.length > 0 ? ['Worth knowing:', ...warnings] : [],
    changes,
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}
