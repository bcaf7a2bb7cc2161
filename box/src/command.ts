import { join } from 'node:path';

import { exitOf, type LogLevel, logLevels } from '@tresse/daemon';
import { durationMs } from '@tresse/schema';
import { Command, InvalidArgumentError, Option } from 'commander';

import { checkBox } from './check.ts';
import { initBox } from './init.ts';
import { pairBox } from './pair.ts';
import { runBox } from './run.ts';

interface Where {
  state: string;
  config?: string;
}

const placed = (options: Where): { state: string; config: string } => ({
  state: options.state,
  config: options.config ?? join(options.state, 'box.yaml'),
});

const state = (): Option => new Option('--state <dir>', 'state directory').default('/var/lib/tresse');
const config = (): Option => new Option('--config <file>', 'configuration (default: box.yaml in the state directory)');

function time(text: string): number {
  const parsed = durationMs.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('write a number and its unit, as in 20s');
  return parsed.data;
}

/** The command line of `tresse box`. */
export function boxCommand(): Command {
  const program = new Command('tresse box')
    .exitOverride(exitOf)
    .description('Bonds the internet lines of a household or office; runs on the router.');
  program
    .command('init')
    .description('make an identity and a commented box.yaml, print the pin')
    .addOption(state())
    .addOption(config())
    .action(async (options: Where) => {
      process.stdout.write(await initBox(placed(options)));
    });
  program
    .command('check')
    .description('say what box.yaml would do on this machine, and change nothing')
    .addOption(state())
    .addOption(config())
    .action(async (options: Where) => {
      const { text, isFine } = await checkBox(placed(options));
      process.stdout.write(text);
      if (!isFine) process.exitCode = 2;
    });
  program
    .command('pair')
    .argument('<code>', 'what "tresse relay pair" printed on the relay')
    .description('make an identity where there is none, and let a relay know this box')
    .addOption(state())
    .addOption(config())
    .action(async (code: string, options: Where) => {
      process.stdout.write(await pairBox(code, placed(options)));
    });
  program
    .command('run')
    .description('bond the lines until ended by a signal')
    .addOption(state())
    .addOption(config())
    .addOption(new Option('--log-level <level>', 'what is logged').choices(logLevels).default('info'))
    .addOption(new Option('--rekey-every <time>', 'make keys so often').argParser(time).hideHelp())
    .action(async (options: Where & { logLevel: LogLevel; rekeyEvery?: number }) => {
      const { logLevel, rekeyEvery: rekeyEveryMs } = options;
      await runBox({ ...placed(options), logLevel, ...(rekeyEveryMs !== undefined && { rekeyEveryMs }) });
    });
  return program;
}
