import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { UserError } from '@tresse/kit';
import { readYaml } from '@tresse/schema';

import { type Scenario, scenarioSchema } from './scenario.ts';

const folder = join(import.meta.dirname, '../../scenarios');

/** A scenario and the name it goes by in reports. */
export interface NamedScenario {
  readonly name: string;
  readonly scenario: Scenario;
}

/** Names of the scenarios that come with Tresse, sorted. */
export function scenarioNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .toSorted();
}

/**
 * Returns the scenario of that name, or the one in the file where the argument is a path (it has a slash or ends in .yaml).
 * Throws UserError `NO_SCENARIO` (unknown, or unreadable) and `BAD_SCENARIO` (with a line for every fault).
 */
export function findScenario(nameOrFile: string): NamedScenario {
  const isFile = nameOrFile.includes('/') || nameOrFile.endsWith('.yaml');
  const names = scenarioNames();
  if (!isFile && !names.includes(nameOrFile)) {
    throw new UserError(
      'NO_SCENARIO',
      `there is no scenario "${nameOrFile}" (known: ${names.join(', ')}; or give a file)`,
    );
  }
  const path = isFile ? nameOrFile : join(folder, `${nameOrFile}.yaml`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError('NO_SCENARIO', `the scenario ${path} cannot be read`, error);
  }
  return { name: basename(path, '.yaml'), scenario: parseScenario(path, text) };
}

/** The scenario in the text; `path` is only named in faults. Throws UserError `BAD_SCENARIO`. */
export function parseScenario(path: string, text: string): Scenario {
  const reading = readYaml(path, text, scenarioSchema);
  if (!reading.ok) throw new UserError('BAD_SCENARIO', reading.sentences.join('\n'));
  return reading.value;
}
