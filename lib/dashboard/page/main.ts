import { Board } from './board.js';
import { Connection, type State } from './connection.js';
import { byId, write } from './dom.js';
import { keepToken, takeToken } from './token.js';

const WORDS: Readonly<Record<State, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, trying again',
  refused: 'Token needed',
  paused: 'Paused',
};

const status = byId('status');
const pause = byId<HTMLButtonElement>('pause');
const ask = byId<HTMLFormElement>('ask');
const field = byId<HTMLInputElement>('token');
const refusal = byId('refusal');
const board = new Board();

const connection = new Connection(
  (name, data) => {
    if (name === 'process') board.begin(JSON.parse(data));
    else if (name === 'metrics') board.update(JSON.parse(data));
  },
  (state, why) => {
    status.dataset.state = state;
    write(status, why !== undefined && state === 'lost' ? `${WORDS.lost}: ${why.trim()}` : WORDS[state]);
    ask.hidden = state !== 'refused';
    pause.hidden = state === 'refused';
    if (state !== 'refused') return;
    if (why !== undefined)
      write(refusal, 'This token is wrong. The service has printed the right one with its address.');
    field.focus();
  },
);

let isPaused = false;

/** Nobody is told what nobody sees. */
function follow(): void {
  if (isPaused || document.hidden) connection.pause();
  else connection.open();
}

pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.setAttribute('aria-pressed', String(isPaused));
  follow();
});
document.addEventListener('visibilitychange', follow);
// A new address with a token for a page that is open already.
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#token=')) begin(takeToken());
});
ask.addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(field.value.trim());
  begin(field.value.trim());
});

function begin(token: string | undefined): void {
  connection.pause();
  connection.token = token;
  follow();
}

begin(takeToken());
