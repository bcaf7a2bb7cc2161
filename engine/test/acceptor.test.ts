import { closeFd, EventLoop } from '@tresse/sys';
import { expect, test } from 'vitest';

import { Acceptor } from '../src/worker/acceptor.ts';
import { connectedPair, finish, listening, Peer, settle, socketCount, until } from './peer.ts';

test('takes every connection that waits', () => {
  const before = socketCount();
  const loop = new EventLoop();
  const listener = listening();
  const taken: number[] = [];
  const acceptor = new Acceptor(listener.fd, loop, (fd) => taken.push(fd));
  const peers = Array.from({ length: 200 }, () => Peer.connect(loop, listener.port));
  until(loop, () => taken.length === 200, 'all connections');
  expect(acceptor.exhausted).toBe(0);
  for (const peer of peers) peer.close();
  loop.remove(listener.fd);
  for (const fd of [...taken, listener.fd]) closeFd(fd);
  finish(loop);
  expect(socketCount()).toBe(before);
});

test('a listener that is readable and gives nothing is left alone for a while', () => {
  const loop = new EventLoop();
  const { near, far } = connectedPair(loop);
  // A connection with something to read stands in for a listener without descriptors: accept refuses, epoll insists.
  const peer = new Peer(loop, near).send('x');
  const acceptor = new Acceptor(far, loop, () => {});
  until(loop, () => acceptor.exhausted > 0, 'a refusal');
  const { exhausted } = acceptor;
  settle(loop, 30);
  expect(acceptor.exhausted).toBe(exhausted);
  until(loop, () => acceptor.exhausted > exhausted, 'another try');
  peer.close();
  loop.remove(far);
  closeFd(far);
  finish(loop);
});
