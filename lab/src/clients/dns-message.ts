/** DNS messages of the lab (RFC 1035, RFC 6891): a query for one name's texts that takes long answers by UDP, and an answer of any length. */

const headerBytes = 12;
const typeText = 16;
const typeOption = 41;
const classInternet = 1;
const flagResponse = 0x8000;
const flagTruncated = 0x0200;
const flagRecursion = 0x0100;
/** What a record has beside its text: a pointer to the name, type, class, time to live, length, and the text's own length. */
const recordBytes = 2 + 2 + 2 + 4 + 2 + 1;
const textBytesMax = 255;
const pointerToQuestion = 0xc000 | headerBytes;
const name = 'long.example';

function question(): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0, 0, typeText, 0, classInternet])]);
}

/** A query under this number; the other end may answer with so many bytes. */
export function dnsQuery(id: number, answerBytesMax: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flagRecursion, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  const option = Buffer.alloc(11);
  option.writeUInt16BE(typeOption, 1);
  option.writeUInt16BE(answerBytesMax, 3);
  return Buffer.concat([header, question(), option]);
}

/** An answer to the query, exactly as long as the query allows; undefined where it is no query of ours. */
export function dnsAnswer(query: Buffer): Buffer | undefined {
  const asked = question();
  const optionAt = headerBytes + asked.length;
  if (query.length !== optionAt + 11 || !query.subarray(headerBytes, optionAt).equals(asked)) return undefined;
  let rest = query.readUInt16BE(optionAt + 3) - optionAt;
  const records: Buffer[] = [];
  while (rest > recordBytes) {
    // What is left behind a record has to be room for another one, or nothing.
    const whole = Math.min(rest, recordBytes + textBytesMax);
    const length = rest > whole && rest - whole <= recordBytes ? whole - recordBytes - 1 : whole;
    records.push(textRecord(length - recordBytes));
    rest -= length;
  }
  const header = Buffer.alloc(headerBytes);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(flagResponse | flagRecursion, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, asked, ...records]);
}

function textRecord(textBytes: number): Buffer {
  const record = Buffer.alloc(recordBytes + textBytes, 'x');
  record.writeUInt16BE(pointerToQuestion, 0);
  record.writeUInt16BE(typeText, 2);
  record.writeUInt16BE(classInternet, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(textBytes + 1, 10);
  record.writeUInt8(textBytes, 12);
  return record;
}

/** Whether it is a whole answer to the query of this number. */
export function answersDns(message: Buffer, id: number): boolean {
  if (message.length < headerBytes || message.readUInt16BE(0) !== id) return false;
  const flags = message.readUInt16BE(2);
  return (flags & flagResponse) !== 0 && (flags & flagTruncated) === 0 && message.readUInt16BE(6) > 0;
}
