const FIRST_SIZE = 1 << 12;

/** A set of 32-bit hashes that is emptied at once. Open addressing; a place is used where its stamp is the current one. */
export class FeatureSet {
  #features = new Uint32Array(FIRST_SIZE);
  #stamps = new Uint32Array(FIRST_SIZE);
  #stamp = 1;
  #size = 0;

  /** @returns whether the feature was not there yet */
  add(feature: number): boolean {
    const mask = this.#features.length - 1;
    let place = feature & mask;
    while (this.#stamps[place] === this.#stamp) {
      if (this.#features[place] === feature) return false;
      place = (place + 1) & mask;
    }
    this.#features[place] = feature;
    this.#stamps[place] = this.#stamp;
    this.#size += 1;
    if (this.#size * 2 > this.#features.length) this.#grow();
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#stamp += 1;
    if (this.#stamp < 2 ** 32) return;
    this.#stamps.fill(0);
    this.#stamp = 1;
  }

  #grow(): void {
    const [features, stamps, stamp] = [this.#features, this.#stamps, this.#stamp];
    this.#features = new Uint32Array(2 * features.length);
    this.#stamps = new Uint32Array(2 * features.length);
    this.#stamp = 1;
    this.#size = 0;
    for (let place = 0; place < features.length; place++) {
      if (stamps[place] === stamp) this.add(features[place]!);
    }
  }
}
