// @ts-check
import { AnswerView } from './answer-view.js';
import { byId } from './elements.js';
import { PictureInput } from './picture-input.js';
import { ask, keepToken, readStatus, ServerError } from './server-calls.js';

const form = byId('form', HTMLFormElement);
const question = byId('question', HTMLTextAreaElement);
const askButton = byId('ask', HTMLButtonElement);
const stopButton = byId('stop', HTMLButtonElement);
const tokenForm = byId('token-form', HTMLFormElement);
const token = byId('token', HTMLInputElement);
const errorLine = byId('error', HTMLParagraphElement);
const status = byId('status', HTMLParagraphElement);
const view = new AnswerView(byId('result', HTMLElement));
const input = new PictureInput(showError);
/** @type {AbortController | undefined} */
let running;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
question.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
});
stopButton.addEventListener('click', () => running?.abort());
tokenForm.addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(token.value.trim());
  tokenForm.hidden = true;
  token.value = '';
  void showStatus();
  question.focus();
});
void showStatus();

async function run() {
  const asked = question.value.trim();
  if (asked === '') return;
  running?.abort();
  const own = new AbortController();
  running = own;
  setBusy(true);
  showError('');
  view.clear();
  const { picture } = input;
  try {
    const answer = await ask(asked, picture, (stage) => own === running && view.showStage(stage), own.signal);
    if (own === running) await view.showAnswer(answer, picture);
  } catch (error) {
    if (own !== running) return;
    view.clear();
    explain(error, own.signal.aborted);
  } finally {
    if (own === running) {
      running = undefined;
      setBusy(false);
    }
  }
}

async function showStatus() {
  try {
    const { counts, version } = await readStatus();
    status.textContent =
      `${count(counts.entities, 'entity', 'entities')}, ${count(counts.passages, 'passage', 'passages')}, ` +
      `${count(counts.images, 'image', 'images')} · version ${version}`;
  } catch (error) {
    explain(error, false);
  }
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} many
 */
function count(number, one, many) {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/**
 * @param {unknown} error
 * @param {boolean} stopped whether the user stopped it
 */
function explain(error, stopped) {
  if (stopped) return showError('Stopped.');
  if (error instanceof ServerError && error.status === 401) {
    tokenForm.hidden = false;
    token.focus();
    return;
  }
  if (error instanceof ServerError) return showError(`${error.message} [${error.code}]`);
  showError('The server cannot be reached.');
}

/** @param {string} message */
function showError(message) {
  errorLine.textContent = message;
  errorLine.hidden = message === '';
}

/** @param {boolean} busy */
function setBusy(busy) {
  askButton.disabled = busy;
  stopButton.hidden = !busy;
  form.setAttribute('aria-busy', String(busy));
}
