import { InvalidArgumentError } from 'commander';

/** Reads an option's value as a whole number of at least `least`, digits only. */
export function wholeNumber(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    }
    return number;
  };
}
