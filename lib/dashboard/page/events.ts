/** An event of a stream: its name, and its data as they came. */
export type Listener = (name: string, data: string) => void;

/**
 * Takes in a stream of server-sent events, as pieces of text. EventSource does it too, but sends no token.
 *
 * Of the format only what our server sends: lines that end with LF, and names, data and comments.
 */
export function parser(listener: Listener): (text: string) => void {
  let rest = '';
  return (text) => {
    const events = (rest + text).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const fields = new Map<string, string>();
      for (const line of event.split('\n')) {
        const colon = line.indexOf(':');
        fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
      }
      const data = fields.get('data');
      if (data !== undefined) listener(fields.get('event') ?? 'message', data);
    }
  };
}
