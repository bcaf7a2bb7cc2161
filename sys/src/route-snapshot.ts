/**
 * A look at interfaces, addresses and default routes that costs next to nothing: the kernel's dumps, boiled down to one
 * number. It tells only that something is another; what it is, is read by others then.
 */
import { closeFd, ownFd } from './descriptors.ts';
import { checked, EAGAIN, EINTR } from './errno.ts';
import { socket } from './libc.ts';
import { nativeSlab } from './slab.ts';
import { recvInto, sendFrom } from './socket.ts';

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 0x80803;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const headerBytes = 16;
/** A machine with so many routes is not looked at this way: it would cost more than it brings. */
const dumpBytesMax = 1_048_576;

interface Dump {
  /** RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE. */
  readonly request: number;
  /** Length of the header behind nlmsghdr. */
  readonly bodyBytes: number;
  /** Attributes that say something of lines; others count bytes or remaining seconds. */
  readonly attributes: ReadonlySet<number>;
  /** Folds the header in. Returns false for what does not matter. */
  header(view: DataView, at: number): boolean;
}

let hash = 0;
/** FNV-1a, a word at a time. */
function fold(word: number): void {
  hash = Math.imul(hash ^ word, 0x0100_0193);
}

const flagsThatMatter = 0x1 | 0x40 | 0x1_0000;
const mainTable = 254;

const links: Dump = {
  request: 18,
  bodyBytes: 16,
  // IFLA_IFNAME, _MTU.
  attributes: new Set([3, 4]),
  header: (view, at) => {
    fold(view.getInt32(at + 4, true));
    fold(view.getUint32(at + 8, true) & flagsThatMatter);
    return true;
  },
};
const addresses: Dump = {
  request: 22,
  bodyBytes: 8,
  // IFA_ADDRESS, _LOCAL, _FLAGS.
  attributes: new Set([1, 2, 8]),
  header: (view, at) => {
    fold(view.getUint16(at, true));
    fold(view.getUint32(at + 4, true));
    return true;
  },
};
const routes: Dump = {
  request: 26,
  bodyBytes: 12,
  // RTA_OIF, _GATEWAY, _PRIORITY, _MULTIPATH.
  attributes: new Set([4, 5, 6, 9]),
  header: (view, at) => {
    const isDefault = view.getUint8(at + 1) === 0 && view.getUint8(at + 4) === mainTable;
    if (isDefault) fold(view.getUint8(at));
    return isDefault;
  },
};

const dumps = [links, addresses, routes];

export class RouteSnapshot {
  readonly #fd: number;
  readonly #slab = nativeSlab(65_536);
  readonly #view = new DataView(this.#slab.bytes.buffer);
  #last: number | undefined;
  #tooMuch = false;

  /** Of the calling thread's network namespace. Throws ErrnoError. */
  constructor() {
    this.#fd = ownFd(checked(socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_ROUTE), 'look at the routes'));
  }

  /** Looks anew. Returns whether something is another than at the last look. Throws ErrnoError. */
  changed(): boolean {
    if (this.#tooMuch) return false;
    hash = 0x811c_9dc5 | 0;
    for (const dump of dumps) this.#read(dump);
    const before = this.#last;
    this.#last = hash;
    return before !== undefined && before !== hash;
  }

  close(): void {
    closeFd(this.#fd);
  }

  #read(dump: Dump): void {
    const bytes = headerBytes + dump.bodyBytes;
    this.#slab.bytes.fill(0, 0, bytes);
    this.#view.setUint32(0, bytes, true);
    this.#view.setUint16(4, dump.request, true);
    this.#view.setUint16(6, NLM_F_REQUEST_DUMP, true);
    checked(sendFrom(this.#fd, this.#slab.address, bytes), 'look at the routes');
    for (let total = 0; ;) {
      const count = recvInto(this.#fd, this.#slab.address, this.#slab.bytes.length);
      if (count === -EINTR) continue;
      // The kernel answers within the call: there is nothing to wait for.
      if (count === -EAGAIN || count <= 0) return;
      total += count;
      this.#tooMuch ||= total > dumpBytesMax;
      if (this.#take(dump, count)) return;
    }
  }

  /** Folds the messages of one datagram in. Returns whether the dump is over. */
  #take(dump: Dump, length: number): boolean {
    const view = this.#view;
    for (let at = 0; at + headerBytes <= length;) {
      const size = view.getUint32(at, true);
      const type = view.getUint16(at + 4, true);
      if (type === NLMSG_DONE || type === NLMSG_ERROR || size < headerBytes || at + size > length) return true;
      if (dump.header(view, at + headerBytes)) this.#foldAttributes(dump, at + headerBytes + dump.bodyBytes, at + size);
      at += (size + 3) & ~3;
    }
    return false;
  }

  #foldAttributes(dump: Dump, start: number, end: number): void {
    const view = this.#view;
    for (let at = start; at + 4 <= end;) {
      const size = view.getUint16(at, true);
      if (size < 4 || at + size > end) return;
      if (dump.attributes.has(view.getUint16(at + 2, true) & 0x3fff)) {
        for (let i = at; i < at + size; i++) fold(view.getUint8(i));
      }
      at += (size + 3) & ~3;
    }
  }
}
