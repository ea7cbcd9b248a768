import { type JudgedList, relevantWithin } from '../judged-list.js';

/** `Rprec`: precision at rank R, the number of relevant documents. 0 where R = 0. */
export function rPrecision(list: JudgedList): number {
  return list.relevant === 0 ? 0 : relevantWithin(list, list.relevant) / list.relevant;
}

/** `Rprec_mult_m`: precision at rank floor(m R + 0.9). 0 where that rank is 0. */
export function rPrecisionAtMultiple(list: JudgedList, multiple: number): number {
  const rank = Math.floor(multiple * list.relevant + 0.9);
  return rank === 0 ? 0 : relevantWithin(list, rank) / rank;
}
