// @ts-check
import { byId } from './elements.js';

/** The picture of the question: chosen, dropped, or pasted anywhere on the page. */
export class PictureInput {
  #drop = byId('drop', HTMLDivElement);
  #file = byId('file', HTMLInputElement);
  #label = byId('drop-label', HTMLLabelElement);
  #preview = byId('preview', HTMLImageElement);
  #remove = byId('remove', HTMLButtonElement);
  /** @type {Blob | undefined} */
  #picture;
  #url = '';
  #onRefused;

  /** @param {(message: string) => void} onRefused told why something is not taken */
  constructor(onRefused) {
    this.#onRefused = onRefused;
    this.#file.addEventListener('change', () => this.#take(this.#file.files ?? []));
    this.#remove.addEventListener('click', () => {
      this.#show(undefined);
      this.#file.focus();
    });
    // Also outside of the box: a browser would go to the file instead.
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      this.#drop.classList.add('over');
    });
    document.addEventListener('dragleave', () => this.#drop.classList.remove('over'));
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#drop.classList.remove('over');
      this.#take(event.dataTransfer?.files ?? []);
    });
    document.addEventListener('paste', (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length === 0) return;
      event.preventDefault();
      this.#take(files);
    });
  }

  get picture() {
    return this.#picture;
  }

  /** A URL of the picture, empty where there is none. */
  get url() {
    return this.#url;
  }

  /** @param {Iterable<File> & { length: number }} files */
  #take(files) {
    if (files.length === 0) return;
    const image = [...files].find(({ type }) => type.startsWith('image/'));
    if (image === undefined) this.#onRefused('That is not a picture.');
    else this.#show(image);
  }

  /** @param {Blob | undefined} picture */
  #show(picture) {
    // What an answer still shows keeps its own URL.
    if (this.#url !== '') URL.revokeObjectURL(this.#url);
    this.#picture = picture;
    this.#url = picture === undefined ? '' : URL.createObjectURL(picture);
    this.#preview.hidden = this.#remove.hidden = picture === undefined;
    this.#label.textContent =
      picture === undefined ? 'Drop or paste a picture, or choose one' : 'Choose another';
    if (picture === undefined) this.#preview.removeAttribute('src');
    else this.#preview.src = this.#url;
    this.#file.value = '';
  }
}
