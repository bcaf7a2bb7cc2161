import { unreachedSentence } from '@tresse/daemon';
import type { PathView } from '@tresse/plan';

/** What the engine tells of a path. */
interface EnginePath {
  readonly relayAddress?: string;
  readonly connectFault?: string;
}

/** What is more than silence: the machine itself, or one on the way, said no. */
const answers: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);

/** Why no connection comes about over a path, for people; undefined where there is only silence. */
export function unreachedBy(
  { relayAddress, connectFault }: EnginePath,
  port: number,
): PathView['unreached'] | undefined {
  if (relayAddress === undefined || connectFault === undefined || !answers.has(connectFault)) return undefined;
  return {
    isRefusal: connectFault === 'ECONNREFUSED',
    sentence: unreachedSentence(connectFault, { address: relayAddress, port }),
  };
}
