/** What a piece of text means; a terminal shows it by colour. */
export type Tone = 'good' | 'fair' | 'bad' | 'faint' | 'strong';

/** Gives text its tone, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

const codes: Readonly<Record<Tone, string>> = { good: '32', fair: '33', bad: '31', faint: '2', strong: '1' };

/** Leaves text as it is: for files, pipes and tests. */
export const plain: Paint = (_, text) => text;

/** Colours of a terminal (ECMA-48). */
export const coloured: Paint = (tone, text) => `\u001B[${codes[tone]}m${text}\u001B[0m`;

/** Colours only for a terminal that has them, and only while nobody asked for none (no-color.org). */
export function paintFor(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Paint {
  const isRefused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return isTerminal && !isRefused ? coloured : plain;
}
