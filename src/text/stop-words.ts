/**
 * Function words that carry little about a text's subject, by ISO 639-1 code of the language; lower case, as the tokenizers give them. The English
 * ones are the 33 that Lucene and Anserini leave out, so that figures can be compared.
 */
export const STOP_WORDS: Readonly<Record<string, readonly string[]>> = {
  en: words(`a an and are as at be but by for if in into is it no not of on or such that the their then there these
    they this to was will with`),
  fr: words(`à au aux avec ce ces cette d dans de des du elle elles en est et être eux il ils je l la le les leur
    lui mais me n ne nous on ou par pas pour qu que qui s sa se ses son sont sur tu un une vous y`),
  de: words(`aber als am an auch auf aus bei das dass dem den der des die doch du durch ein eine einem einen einer eines
    er es für hat ich ihr im in ist mit nach nicht noch nur oder sich sie sind so über um und von vor war wenn werden wie wir
    wird zu zum zur`),
  es: words(`a al como con de del el ella ellas ellos en entre es esta este la las le les lo los me más no nos o para
    pero por que se ser si sin sobre son su sus también un una y ya yo`),
};

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/u);
}
