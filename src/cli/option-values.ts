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

/** Reads an option's value as a finite number above 0. */
export function positiveNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number <= 0) {
    throw new InvalidArgumentError('It must be a number above 0.');
  }
  return number;
}

/** Reads an option's value as a finite number of at least 0. */
export function numberFromZero(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number < 0) {
    throw new InvalidArgumentError('It must be a number of at least 0.');
  }
  return number;
}

/** Reads an option's value as a share of at least 0 and below 1. */
export function shareFromZero(value: string): number {
  const share = numberFromZero(value);
  if (share >= 1) throw new InvalidArgumentError('It must be at least 0 and below 1.');
  return share;
}

/** Reads an option's value as a share above 0 and below 1. */
export function shareBelowOne(value: string): number {
  const share = positiveNumber(value);
  if (share >= 1) throw new InvalidArgumentError('It must be above 0 and below 1.');
  return share;
}

/** Reads an option's value as whole numbers of at least `least`, all different, with commas between them. */
export function wholeNumbers(least: number): (value: string) => number[] {
  return (value) => {
    const numbers = value.split(',').map(wholeNumber(least));
    if (new Set(numbers).size < numbers.length) {
      throw new InvalidArgumentError('No number may be there twice.');
    }
    return numbers;
  };
}
