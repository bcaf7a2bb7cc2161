import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const repository = join(here, '../../..');

/** What became of a command. */
export interface Outcome {
  readonly status: number;
  /** Standard output and standard error, as they came. */
  readonly printed: string;
}

/** A machine in a network namespace with a file system of its own, and one session of root's on it. */
export class Machine {
  readonly #shell: ChildProcess;
  readonly #folder: string;
  #heard = '';
  #onText: () => void = () => {};
  #commands = 0;
  #written = '';

  private constructor(netns: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'tresse-walk-'));
    const argv = [
      'netns',
      'exec',
      netns,
      'unshare',
      '--mount',
      join(here, 'machine.sh'),
      this.#folder,
      repository,
      here,
    ];
    this.#shell = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#heard += text;
        this.#onText();
      });
    }
    this.#shell.once('exit', () => this.#onText());
  }

  /** Starts one. Rejects with what it said where this kernel allows no such thing. */
  static async boot(netns: string): Promise<Machine> {
    const machine = new Machine(netns);
    machine.#written = await machine.written();
    return machine;
  }

  /** Types a command into the session and waits for its end. */
  async run(command: string): Promise<Outcome> {
    const mark = `<${++this.#commands}:`;
    this.#heard = '';
    const end = new RegExp(`\n?${mark}(?<status>\\d+)>\n`, 'u');
    const ended = new Promise<Outcome>((resolve, reject) => {
      this.#onText = () => {
        const found = end.exec(this.#heard);
        if (found) resolve({ status: Number(found.groups?.['status']), printed: this.#heard.slice(0, found.index) });
        else if (this.#shell.exitCode !== null) reject(new Error(`the machine is gone: ${this.#heard}`));
      };
    });
    this.#shell.stdin?.write(`{ ${command}\n} </dev/null 2>&1; printf '\\n${mark}%d>\\n' $?\n`);
    return ended;
  }

  /** Every file that is there, changed or gone since the machine began, and every folder that is new. */
  async written(): Promise<string> {
    const { printed } = await this.run(
      'cd /run/written && { find . ! -type d; find . -type d -exec test ! -e /run/below/{} \\; -print; } | sort; cd',
    );
    return printed;
  }

  /** What is there, changed or gone and was not so when the machine began: nothing where all was undone. */
  async left(): Promise<string[]> {
    const before = this.#written.split('\n');
    return (await this.written()).split('\n').filter((line) => !before.includes(line));
  }

  /** Ends the session; what runs on in its namespace is ended with that. */
  async shutDown(): Promise<void> {
    if (this.#shell.exitCode === null) {
      this.#shell.stdin?.end();
      await once(this.#shell, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
