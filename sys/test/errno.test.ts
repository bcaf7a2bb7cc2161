import { SystemError } from '@tresse/kit';
import { expect, test } from 'vitest';

import { checked, EBADF, ErrnoError, errnoName } from '../src/errno.ts';
import { native } from '../src/ffi.ts';

test('names of numbers, either sign', () => {
  expect(errnoName(111)).toBe('ECONNREFUSED');
  expect(errnoName(-11)).toBe('EAGAIN');
  expect(errnoName(9999)).toBe('E9999');
});

test('an error is a sentence with what was tried', () => {
  const error = new ErrnoError('connect 203.0.113.1:7443', 111);
  expect(error).toBeInstanceOf(SystemError);
  expect(error.message).toBe('connect 203.0.113.1:7443: connection refused (ECONNREFUSED)');
  expect(error).toMatchObject({ code: 'ECONNREFUSED', errno: 111, fault: 'system' });
  expect(new ErrnoError('x', 9999).message).toBe('x: refused by the system (E9999)');
});

test('a failing native call throws its errno', () => {
  const close: (fd: number) => number = native('int close(int)');
  expect(() => checked(close(-1), 'close nothing')).toThrow(expect.objectContaining({ errno: EBADF }));
  expect(checked(7, 'fine')).toBe(7);
});

test('a function this system lacks', () => {
  expect(() => native('int no_such_function_here(int)')).toThrow(expect.objectContaining({ code: 'SYMBOL_MISSING' }));
});
