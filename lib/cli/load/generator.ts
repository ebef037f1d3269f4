// The process that sends: autocannon's connections on an event loop of their own, so that neither measuring the service
// nor writing the report delays a request.
import { loadAutocannon, loadHdr } from './autocannon.js';
import { type Order, type Sending, type Sent, send } from './send.js';

/** What it answers to an order. */
export type Told = { readonly sending: Sending } | { readonly sent: Sent } | { readonly error: string };

function main(path: string): void {
  const autocannon = loadAutocannon(path);
  const hdr = loadHdr(path);
  const tell = (told: Told) => process.send?.(told);
  // Ctrl-C reaches all processes of a terminal; the command says when this one ends.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => {
    send(autocannon, hdr, order, (sending) => tell({ sending })).then(
      (sent) => tell({ sent }),
      (error: Error) => tell({ error: error.message }),
    );
  });
}

main(process.argv[2] as string);
