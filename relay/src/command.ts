import { join } from 'node:path';

import { exitOf, type LogLevel, logLevels } from '@tresse/daemon';
import { Command, Option } from 'commander';

import { checkRelay } from './check.ts';
import { initRelay } from './init.ts';
import { runRelay } from './run.ts';

interface Where {
  state: string;
  config?: string;
}

const placed = (options: Where): { state: string; config: string } => ({
  state: options.state,
  config: options.config ?? join(options.state, 'relay.yaml'),
});

const state = (): Option => new Option('--state <dir>', 'state directory').default('/var/lib/tresse');
const config = (): Option =>
  new Option('--config <file>', 'configuration (default: relay.yaml in the state directory)');

/** These are the cli room's: they only ask the daemon, and start faster without it. */
const ofTheRunning = `
Commands that ask the running relay:
  pair [options]      make a pairing code that lets in one box
  boxes [options]     list the boxes it knows
  rename <old> <new>  give a box another name
  revoke <name>       put a box out, at once
  publish <port> <box> <host...>   lead a public port to a host of a box's LAN
  unpublish <port>    take a published port back
  published           list the ports that lead to LANs
`;

/** The command line of `tresse relay`, but for what asks the running daemon. */
export function relayCommand(): Command {
  const program = new Command('tresse relay')
    .exitOverride(exitOf)
    .description('The far end of the bond, on a server with a public address.');
  program.addHelpText('after', ofTheRunning);
  program
    .command('init')
    .description('make an identity and a commented relay.yaml, print the pin')
    .option(
      '--public <addresses>',
      'where boxes find it, comma-separated (default: the public addresses of this machine)',
    )
    .addOption(state())
    .addOption(config())
    .action(async (options: Where & { public?: string }) => {
      process.stdout.write(await initRelay(placed(options), options.public));
    });
  program
    .command('check')
    .description('say what relay.yaml would do on this machine, and change nothing')
    .addOption(state())
    .addOption(config())
    .action(async (options: Where) => {
      const { text, isFine } = await checkRelay(placed(options));
      process.stdout.write(text);
      if (!isFine) process.exitCode = 2;
    });
  program
    .command('run')
    .description('serve boxes until ended by a signal')
    .addOption(state())
    .addOption(config())
    .addOption(new Option('--log-level <level>', 'what is logged').choices(logLevels).default('info'))
    .action(async (options: Where & { logLevel: LogLevel }) => {
      await runRelay({ ...placed(options), logLevel: options.logLevel });
    });
  return program;
}
