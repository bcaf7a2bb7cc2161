import { get, post, type Route } from '@tresse/daemon';
import { pairRequest, publishRequest, renameRequest, revokeRequest, unpublishRequest } from '@tresse/schema';

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
    post('/v1/publish', publishRequest, async (wanted) => {
      await relay.publish(wanted);
      return done;
    }),
    post('/v1/unpublish', unpublishRequest, async (wanted) => {
      await relay.unpublish(wanted);
      return done;
    }),
    post('/v1/boxes/revoke', revokeRequest, ({ name }) => {
      relay.revoke(name);
      return done;
    }),
  ];
}
