import { readFileSync } from 'node:fs';

import { daemonStatus } from '@tresse/schema';
import { Command } from 'commander';

import { askDaemon } from './ask.ts';
import { exitOf } from './exit.ts';
import { paintFor } from './paint.ts';
import { relayCommand } from './relay.ts';
import { statusText } from './status-text.ts';

/** The rooms with commands of their own, which `bin/tresse` starts itself. */
const others = `
Other commands:
  box init | pair | check | run    the router that bonds the lines of a household (tresse box --help)
  relay init | check | run         the far end of the bond, on a server (tresse relay --help)
  lab list | run                   try everything on this one machine (tresse lab --help)
`;

/** The command line of \`tresse\`, but for what other rooms own. */
export function tresseCommand(): Command {
  const program = new Command('tresse')
    .exitOverride(exitOf)
    .description('Turns several internet lines into one.')
    .version(ownVersion(), '--version', 'the version of Tresse')
    .addHelpText('after', others)
    .helpCommand(false);
  program
    .command('status')
    .description('what the box or relay of this machine is doing')
    .option('--json', 'the whole status as one JSON document')
    .option('--details', 'with addresses, paths and counters')
    .option('--watch', 'again every second until Ctrl-C')
    .option('--state <dir>', 'state directory', '/var/lib/tresse')
    .action(async (options: StatusOptions) => {
      await (options.watch ? watchStatus(options) : showStatus(options, ''));
    });
  program.addCommand(relayCommand());
  return program;
}

function ownVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return parsed !== null && typeof parsed === 'object' && 'version' in parsed ? String(parsed.version) : 'unknown';
}

interface StatusOptions {
  readonly json?: boolean;
  readonly details?: boolean;
  readonly watch?: boolean;
  readonly state: string;
}

/** Prints the status once, behind `before`. */
async function showStatus(options: StatusOptions, before: string): Promise<void> {
  const status = await askDaemon(options.state, { path: '/v1/status' }, daemonStatus);
  const paint = paintFor(process.stdout.isTTY, process.env);
  const look = { paint, details: options.details ?? false };
  process.stdout.write(before + (options.json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status, look)));
}

/** To the terminal's upper left corner, everything behind it cleared. */
const anew = '\u001B[H\u001B[J';
const watchMs = 1_000;

async function watchStatus(options: StatusOptions): Promise<never> {
  await showStatus(options, process.stdout.isTTY ? anew : '');
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  return watchStatus(options);
}
