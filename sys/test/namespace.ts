import { run } from '../src/run.ts';

let count = 0;

/** Makes a network namespace of a test's own, runs the test in its presence, and removes it. */
export async function withNetns<T>(work: (name: string) => T | Promise<T>): Promise<T> {
  count++;
  const name = `tsy-${process.pid}-${count}`;
  await run(['ip', 'netns', 'add', name]);
  try {
    return await work(name);
  } finally {
    await run(['ip', 'netns', 'del', name]);
  }
}
