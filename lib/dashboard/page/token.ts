// The token comes in the fragment of the address, which goes to no server, and leaves the address bar at once. It is kept
// for this tab, and for this dashboard among those of an origin.
const KEY = `keelson ${location.pathname}`;

/** The token, as the address has it or as it was kept; undefined if there is none. */
export function takeToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return kept();
  history.replaceState(null, '', location.pathname + location.search);
  keepToken(given);
  return given;
}

/** Keeps it over a reload, where the browser lets us. */
export function keepToken(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // It is asked for again then.
  }
}

function kept(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}
