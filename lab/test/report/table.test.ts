import { expect, test } from 'vitest';

import { check, truth } from '../../src/report/report.ts';
import { reportTable } from '../../src/report/table.ts';
import { reportWith } from './reports.ts';

test('says what was measured, against what, and the verdict', () => {
  const table = reportTable(
    reportWith({
      checks: [
        check('download: share of the sum', 0.98, 'min', 0.97),
        truth('checksum', false, 'wrong from byte 7 on'),
      ],
    }),
  );
  expect(table).toContain('98.0 % of the sum, 101.0 % of MPTCP');
  expect(table).toContain("whole 6.00 s (0.960x MPTCP's time)");
  expect(table).toContain('longest stall 12 ms');
  expect(table).toContain('a 8.0 %, b 92.0 %');
  expect(table).toMatch(/1\.0 to 2\.5 s: 142 Mbit\/s\n.*2\.50 s: b falls silent\n.*2\.5 to 6\.0 s: 46\.0 Mbit\/s/u);
  expect(table).toContain('b carried again after 300 ms, 99.0 % of its own rate');
  expect(table).toMatch(/share of the sum +0\.98 +>= 0\.97 +ok/u);
  expect(table).toContain('FAILED: wrong from byte 7 on');
  expect(table).toContain('verdict: pass');
});

test('says in a sentence why there is no MPTCP to compare with', () => {
  const table = reportTable(reportWith({ mptcp: null, mptcpNote: 'this kernel has no MPTCP' }, { ofMptcp: null }));
  expect(table).toContain('kernel MPTCP: this kernel has no MPTCP');
  expect(table).not.toContain('of MPTCP,');
});

test('a run that broke off says why', () => {
  expect(reportTable(reportWith({ fault: 'the box ended', steps: [], verdict: 'fail' }))).toContain(
    'It could not go on: the box ended',
  );
});

test('a wait tells its events, and what was asked meanwhile', () => {
  const asked = {
    asked: 40,
    answered: 38,
    viaRelay: 30,
    direct: 8,
    answeredMs: 700,
    viaRelayMs: 2_500,
    directMs: null,
  };
  const events = [{ atSeconds: 0.5, text: 'the relay is started' }];
  const table = reportTable(reportWith({}, { kind: 'wait', name: 'the relay comes', seconds: 4, events, asked }));
  expect(table).toContain('the relay comes: 4.00 s\n  0.50 s: the relay is started');
  expect(table).toContain('asked meanwhile: 38 of 40 answered (for good 700 ms after the last event)');
  expect(table).toContain('30 seen from the relay (for good 2500 ms after the last event)\n  8 seen from a line\n');
});

test('what is neither a transfer nor a call has its own lines', () => {
  const text = reportTable(
    reportWith({}, { name: 'traceroute', probe: { asked: 5, answered: 4, rttMs: 26.25, hops: ['192.168.77.1', '?'] } }),
  );
  expect(text).toContain('traceroute: 4 of 5 answered, 26.3 ms in the median: 192.168.77.1, ?');
  const ping = { sent: 9, received: 5, rttMsMin: 1, rttMsMean: 2, rttMsMax: 3, unansweredMsMax: 800 };
  expect(reportTable(reportWith({}, { name: 'pings', ping }))).toContain(
    'pings: 5 of 9 echoes answered, none for 800 ms, 1.0 / 2.0 / 3.0 ms (least, mean, most)\n  2.50 s: b falls silent',
  );
  const quic = { directBitsPerSecond: 80e6, ofDirect: 1.25 };
  expect(reportTable(reportWith({}, { quic }))).toContain('125.0 % of 80.0 Mbit/s directly over the best line');
});
