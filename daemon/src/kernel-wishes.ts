import { readSysctl } from '@tresse/sys';

/** Enough for 500 Mbit/s over 250 ms on one line. */
const bufferBytesWished = 16 * 1024 * 1024;

/**
 * What the kernel could do better for strands, each as a sentence for the status; it works without, slower on long lines or
 * lines that lose packets. `read` gives the value of a sysctl.
 */
export function kernelWishes(read: (key: string) => string | undefined = readSysctl): string[] {
  const wishes: string[] = [];
  const controls = read('net.ipv4.tcp_available_congestion_control') ?? '';
  if (!controls.split(/\s+/u).includes('bbr')) {
    wishes.push('the kernel has no bbr congestion control: lines that lose packets will be slower (modprobe tcp_bbr)');
  }
  const small = ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'].filter((key) => {
    const most = Number(read(key)?.split(/\s+/u).at(-1));
    return most > 0 && most < bufferBytesWished;
  });
  if (small.length > 0) {
    wishes.push(`fast lines with long delays want larger TCP buffers: ${small.join(' and ')} up to 33554432 (sysctl)`);
  }
  return wishes;
}
