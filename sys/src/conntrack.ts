import { closeFd, ownFd } from './descriptors.ts';
import { checked, ErrnoError } from './errno.ts';
import { lastErrno } from './ffi.ts';
import { socket } from './libc.ts';
import { nativeSlab } from './slab.ts';
import { recvInto, sendFrom } from './socket.ts';

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 0x80803;
const NETLINK_NETFILTER = 12;
/** NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE. */
const CT_DELETE = 0x102;
const NLM_F_REQUEST_ACK = 5;
const NLMSG_ERROR = 2;
const CTA_MARK = 8;
const CTA_MARK_MASK = 21;
/** struct nlmsghdr 16, struct nfgenmsg 4, two attributes of 4 + 4. */
const requestBytes = 36;

/** AF_INET, AF_INET6. */
const familyNumbers = { 4: 2, 6: 10 } as const;

/**
 * Makes the kernel forget the flows whose mark equals `mark` under `mask`, of one family or of both: their next packet begins
 * a new one, with another way and another address. Throws ErrnoError (EPERM; EOPNOTSUPP where the kernel cannot).
 */
export function forgetFlows(mark: number, mask: number, family?: 4 | 6): void {
  const fd = ownFd(checked(socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_NETFILTER), 'speak to conntrack'));
  try {
    const slab = nativeSlab(256);
    const view = new DataView(slab.bytes.buffer);
    view.setUint32(0, requestBytes, true);
    view.setUint16(4, CT_DELETE, true);
    view.setUint16(6, NLM_F_REQUEST_ACK, true);
    if (family !== undefined) {
      view.setUint8(16, familyNumbers[family]);
      // The family counts from this version of the message on.
      view.setUint8(17, 1);
    }
    attribute(view, 20, CTA_MARK, mark);
    attribute(view, 28, CTA_MARK_MASK, mask);
    checked(sendFrom(fd, slab.address, requestBytes), 'forget flows');
    // The kernel has done it, and answered, before the send returns.
    const count = recvInto(fd, slab.address, slab.bytes.length);
    if (count < 20) throw new ErrnoError('forget flows', count < 0 ? -count : lastErrno());
    const errno = view.getUint16(4, true) === NLMSG_ERROR ? -view.getInt32(16, true) : 0;
    if (errno !== 0) throw new ErrnoError('forget flows', errno);
  } finally {
    closeFd(fd);
  }
}

/** Numbers of conntrack are in network order. */
function attribute(view: DataView, at: number, type: number, value: number): void {
  view.setUint16(at, 8, true);
  view.setUint16(at + 2, type, true);
  view.setUint32(at + 4, value);
}
