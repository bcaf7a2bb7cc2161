/** How a command ends for its arguments: 0 after its help, 2 where they are wrong, for that is the person's to mend. */
export function exitOf({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : 2);
}
