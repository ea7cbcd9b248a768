function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/u));
}

/** Forms of `be` and verbs that equate two noun phrases as `be` does. */
export const COPULAS = words('is are was were be been being becomes became remains equals means');

export const DETERMINERS = words(
  'the a an this that these those its their his her our my your each every some any no',
);

export const PREPOSITIONS = words(
  `of in on at to from with by for into onto over under between among through during before after near about as
   against along around across behind beside beyond inside outside since until upon within without toward towards per via`,
);

/** Words that join or fill, and never stand inside an answer's noun phrase. */
export const OTHER_FUNCTION_WORDS = words(
  `and or but nor so yet if then than because while when where which who whom whose what how why that there here it he
   she they we i you him them us me one ones not also only just very too more most less least such same other another
   both either neither all many much few several can could may might must shall should will would do does did done has
   have had having am let however therefore although though whether still already again often sometimes never always
   usually mostly mainly together so first second third up down out off own itself himself themselves whole nowhere everywhere somewhere else elsewhere whoever whatever whichever wherever whenever`,
);

/** Frequent verbs in the forms in which they part a subject from its object. */
export const VERBS = words(
  `belongs belong begins begin began begun borders border bordered bought brings bring brought builds build built calls
   call called carries carry carried changes change changed circulates circulate comes come came consists consist contains contain contained
   costs cost counts count counted covers cover covered covering creates create created depends depend describes describe
   described designed dials dial died die discovered discover divides divided drawn drew eats eat ends end ended
   feeds feed feels felt finds find found flies fly follows follow followed forms formed founded gave get gets give gives
   given goes go grows grow grew grown happened happens held hold holds includes include included including invented
   invents joins joined keeps keep kept knows know known lasts lasted lays leads led left lies lie lived
   lives live located lost made makes make married measures measured meets met moves moved named names needs need needed
   opened opens orbits owned owns painted paid pay pays plays play played produces produce produced published reaches
   reach reads read received receives records recorded remain replaced rises runs run said says say saw see seen sees sells
   sell sends sent serves serve served set sets shares share shared shows show showed shown sits sit situated sold
   sorted sounds speaks speak spoke spoken spoke stands stand started starts stays stood takes take taken tells tell told
   took touches touch turned turns used uses use using visits visit visited want wants weighs weigh weighed went won wrote writes write
   written works worked discovers eaten consumes hatches hatch carved employs employed directed directs composed
   composes wins defeated born sewn lit dates dated occurs appears appear appeared`,
);

/** Titles and short forms that end in a full stop inside a sentence. */
export const ABBREVIATIONS = words(
  'st dr mr mrs ms prof gen col capt lt sgt rev hon no vs etc inc ltd co corp jr sr mt ft approx ca cf fig vol ed al dept',
);

/** Numbers that are written as words. */
export const NUMBER_WORDS = words(
  `two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
   nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half`,
);

/** Words of a question that say little about what it asks: they count for a part of a content word. */
export const GENERIC_WORDS = words(
  `country place nation land state thing person someone somebody world flag use have make get belong find name called
   kind sort type lie live give take go come tell fly see show know much many large big long full picture image`,
);

/** Irregular forms and their base form. */
export const IRREGULAR_FORMS: ReadonlyMap<string, string> = new Map(
  `spoken:speak spoke:speak paid:pay built:build made:make written:write wrote:write found:find founded:found
   known:know knew:know held:hold born:bear sold:sell told:tell bought:buy brought:bring began:begin begun:begin
   given:give gave:give taken:take took:take grown:grow grew:grow led:lead left:leave lost:lose met:meet said:say
   seen:see saw:see sent:send shown:show stood:stand won:win eaten:eat ate:eat drawn:draw drew:draw died:die dies:die
   lies:lie lay:lie lying:lie does:do did:do has:have had:have people:person cities:city men:man women:woman
   children:child feet:foot called:name named:name someone:person somebody:person taught:teach languages:language located:locate used:use uses:use using:use`
    .trim()
    .split(/\s+/u)
    .map((pair) => pair.split(':') as [string, string]),
);
