import { get, post, type Route } from '@tresse/daemon';
import { pairRequest, renameRequest, revokeRequest } from '@tresse/schema';

import type { Relay } from './relay.ts';

/** What a relay's local socket answers. */
export function relayRoutes(relay: Relay): Route[] {
  const done = { done: true };
  return [
    get('/v1/status', () => relay.status()),
    get('/v1/boxes', () => relay.boxes()),
    post('/v1/pair', pairRequest, (wishes) => relay.pair(wishes)),
    post('/v1/boxes/rename', renameRequest, ({ from, to }) => {
      relay.rename(from, to);
      return done;
    }),
    post('/v1/boxes/revoke', revokeRequest, ({ name }) => {
      relay.revoke(name);
      return done;
    }),
  ];
}
